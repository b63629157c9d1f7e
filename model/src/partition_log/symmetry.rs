//! Producers differ only by their numbers: one state stands for all that differ by them alone.

use super::{Event, GARBAGE, State};

/// Every order of up to four producers: the first `n!` of them leave all but the first `n` where they are.
#[rustfmt::skip]
const ORDERS: [[u8; 4]; 24] = [
    [0, 1, 2, 3], [1, 0, 2, 3],
    [0, 2, 1, 3], [1, 2, 0, 3], [2, 0, 1, 3], [2, 1, 0, 3],
    [0, 1, 3, 2], [1, 0, 3, 2], [0, 2, 3, 1], [1, 2, 3, 0], [2, 0, 3, 1], [2, 1, 3, 0],
    [0, 3, 1, 2], [1, 3, 0, 2], [0, 3, 2, 1], [1, 3, 2, 0], [2, 3, 0, 1], [2, 3, 1, 0],
    [3, 0, 1, 2], [3, 1, 0, 2], [3, 0, 2, 1], [3, 1, 2, 0], [3, 2, 0, 1], [3, 2, 1, 0],
];

/// The least of the states that differ from `state` only by the numbers of its producers.
pub(super) fn representative(state: &State) -> State {
    let count = state.producers.len();
    let orders = &ORDERS[..(1..=count).product()];
    // Only orders in which the producers themselves are sorted can be the least; mostly there is but one.
    let is_sorted = |order: &&[u8; 4]| order[..count].is_sorted_by_key(|old| &state.producers[*old as usize]);
    let renamed = orders.iter().filter(is_sorted).map(|order| renamed(state, &order[..count]));
    renamed.min().expect("some order is sorted")
}

/// `state` with its producers in the given order: the first is the one whose number was `order[0]`, and so on.
fn renamed(state: &State, order: &[u8]) -> State {
    let rename = |event: &mut Event| {
        if *event != GARBAGE {
            let place = order.iter().position(|old| *old == event.producer);
            event.producer = place.expect("every producer has a place") as u8;
        }
    };
    let mut renamed = state.clone();
    for (new, old) in order.iter().enumerate() {
        renamed.producers[new] = state.producers[*old as usize].clone();
        for (after, before) in renamed.partitions.iter_mut().zip(&state.partitions) {
            after.epochs[new] = before.epochs[*old as usize];
        }
    }
    renamed.partitions.iter_mut().flat_map(|p| &mut p.log).for_each(|record| rename(&mut record.event));
    renamed.requests.iter_mut().for_each(|request| rename(&mut request.event));
    renamed.replies.iter_mut().for_each(|reply| rename(&mut reply.event));
    renamed.ghost.sent.iter_mut().for_each(|(event, _)| rename(event));
    renamed.ghost.acknowledged.iter_mut().for_each(|reply| rename(&mut reply.event));
    renamed.requests.sort_unstable();
    renamed.replies.sort_unstable();
    renamed.ghost.sent.sort_unstable();
    renamed.ghost.acknowledged.sort_unstable();
    renamed
}
