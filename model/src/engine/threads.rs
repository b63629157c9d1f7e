//! Work that is shared out among threads.

use std::thread;

/// Does `work` for each share, each on a thread of its own, one of them this one; the answers are in order.
pub(super) fn on_threads<I, A: Send>(
    shares: impl IntoIterator<Item = I>,
    work: impl Fn(I) -> A + Sync,
) -> Vec<A>
where
    I: Send,
{
    let mut shares = shares.into_iter();
    let Some(own) = shares.next() else { return Vec::new() };
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = shares.map(|share| scope.spawn(move || work(share))).collect();
        let mut answers = vec![work(own)];
        answers.extend(others.into_iter().map(|other| match other.join() {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        answers
    })
}
