//! Work that is shared out among threads.

use std::sync::mpsc::{TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `work` on each of the `items`, on so many threads, of which this is one; `take` gets the answers, here and in
/// order.
///
/// The others work ahead of what is taken. This one works too whenever the next answer is not there yet, so that none
/// has to wait as long as there is work.
pub(super) fn in_order<I: Send, A: Send>(
    items: Vec<I>,
    threads: usize,
    work: impl Fn(I) -> A + Sync,
    mut take: impl FnMut(A),
) {
    let helpers = threads.min(items.len()).saturating_sub(1);
    if helpers == 0 {
        items.into_iter().map(work).for_each(take);
        return;
    }
    let (answers, asked): (Vec<_>, Vec<_>) = items.iter().map(|_| sync_channel(1)).unzip();
    let queue = Mutex::new(items.into_iter().zip(answers));
    let work_on_next = || {
        // Nothing panics while the queue is locked.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        let is_left = next.is_some();
        if let Some((item, answer)) = next {
            // Whoever asked is gone only if it panics.
            let _ = answer.send(work(item));
        }
        is_left
    };
    thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers).map(|_| scope.spawn(|| while work_on_next() {})).collect();
        for asked in asked {
            let answer = loop {
                match asked.try_recv() {
                    Ok(answer) => break Some(answer),
                    Err(TryRecvError::Empty) if work_on_next() => {}
                    // Either it comes, or the helper who worked on it panicked.
                    Err(_) => break asked.recv().ok(),
                }
            };
            let Some(answer) = answer else { break };
            take(answer);
        }
        for helper in helpers {
            if let Err(panic) = helper.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn answers_come_in_order_whoever_works_on_them() {
        for threads in 1..5 {
            for count in [0, 1, 2, 100] {
                let mut taken = Vec::new();
                in_order((0..count).collect(), threads, |item: u32| item * item, |answer| taken.push(answer));
                assert!(taken.into_iter().eq((0..count).map(|item| item * item)));
            }
        }
    }

    #[test]
    fn a_panic_of_a_helper_is_a_panic_here() {
        let (here, both) = (thread::current().id(), Barrier::new(2));
        // Neither is done before both are begun: each thread has one.
        let work = |_| {
            both.wait();
            assert_eq!(thread::current().id(), here, "a helper panics, as it is told to");
        };
        let whole = AssertUnwindSafe(|| in_order(vec![0, 1], 2, work, drop));
        assert!(catch_unwind(whole).is_err());
    }
}
