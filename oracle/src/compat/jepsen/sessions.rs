//! What a process may expect of its consecutive sends and polls.

use std::collections::HashMap;

use lawspeaker_history::{OpType, Process};

use super::completed::{Completions, Doing, Key, Placed, Value};
use super::order::VersionOrder;
use super::{ErrorType, Results};

/// The last value of each partition.
type Cursors = HashMap<Key, Value>;

#[derive(Default)]
struct Session {
    polled: Cursors,
    sent: Cursors,
}

pub(super) fn check(completions: &Completions<'_>, order: &VersionOrder, results: &mut Results) {
    let mut sessions: HashMap<&Process, Session> = HashMap::new();
    for op in &completions.all {
        let session = sessions.entry(op.process).or_default();
        if let Doing::Subscription(keys) = &op.doing {
            session.polled.retain(|key, _| keys.contains(key));
            session.sent.retain(|key, _| keys.contains(key));
            continue;
        }
        let mut found = |delta, skip: Option<ErrorType>, back| match delta {
            ..1 => results.found(back, op.line),
            1 => {}
            _ => skip.into_iter().for_each(|skip| results.found(skip, op.line)),
        };
        for (key, placed) in op.polls() {
            if !op.rebalanced.contains(&key) {
                for delta in deltas(order, placed) {
                    found(delta, Some(ErrorType::IntPollSkip), ErrorType::IntNonmonotonicPoll);
                }
            }
            let [first, ..] = placed else { continue };
            if let Some(cursor) = session.polled.get(&key) {
                let delta = order.delta(*cursor, first.value);
                found(delta, Some(ErrorType::PollSkip), ErrorType::NonmonotonicPoll);
            }
        }
        // What a failed op sent stands nowhere; and only what surely was read moves a consumer.
        if op.op_type == OpType::Ok {
            session.polled.extend(lasts(op.polls()));
        }
        if op.op_type == OpType::Fail {
            continue;
        }
        for (key, placed) in op.sends() {
            for delta in deltas(order, placed) {
                found(delta, Some(ErrorType::IntSendSkip), ErrorType::IntNonmonotonicSend);
            }
            let [first, ..] = placed else { continue };
            if let Some(cursor) = session.sent.get(&key) {
                found(order.delta(*cursor, first.value), None, ErrorType::NonmonotonicSend);
            }
        }
        session.sent.extend(lasts(op.sends()));
    }
}

fn deltas(order: &VersionOrder, placed: &[Placed]) -> impl Iterator<Item = i64> {
    placed.windows(2).map(|pair| order.delta(pair[0].value, pair[1].value))
}

fn lasts<'a>(by_key: impl Iterator<Item = (Key, &'a [Placed])>) -> impl Iterator<Item = (Key, Value)> {
    by_key.filter_map(|(key, placed)| Some((key, placed.last()?.value)))
}
