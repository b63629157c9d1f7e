//! What a shell recorded is what has happened: the checks of a recorded history against the final state.

use std::collections::BTreeMap;

use lawspeaker_history::{Call, EventId, Generation, History, OpType, Partition, Process, Sent};

/// `send`s are invoked in log order and acknowledged in log order, at their offsets, as far as the log is durable.
pub fn assert_tells_log(history: &History, events: &[u64], durable_count: usize) {
    let sends = |op_type| {
        let of_type = history.ops.iter().filter(move |op| op.op_type == op_type);
        of_type.filter_map(|op| if let Call::Send(sent) = &op.call { sent.first().cloned() } else { None })
    };
    let id = |event: &u64| EventId::Number((*event).try_into().unwrap());
    let invoked: Vec<_> = sends(OpType::Invoke).map(|sent| sent.event).collect();
    assert_eq!(invoked, events.iter().map(id).collect::<Vec<_>>(), "sends are invoked in log order");
    let acknowledged: Vec<Sent> = sends(OpType::Ok).collect();
    assert_eq!(acknowledged.len(), durable_count, "what is durable is acknowledged");
    for (place, sent) in acknowledged.iter().enumerate() {
        assert_eq!(sent.event, invoked[place]);
        assert_eq!(sent.offset.and_then(|offset| offset.number()), i64::try_from(place).ok());
    }
}

/// At every point one member at most was told that it owns a partition and was not told, or has not said, that it
/// no longer does; and commits of a partition never fall.
pub fn assert_tells_group(history: &History) {
    let mut owned: BTreeMap<Process, Vec<Partition>> = BTreeMap::new();
    let mut committed = BTreeMap::new();
    let mut generation = Generation(0);
    for op in history.ops.iter().filter(|op| op.op_type == OpType::Ok) {
        assert!(op.x.generation >= Some(generation), "generations rise: {history:?}");
        generation = op.x.generation.expect("the group records the generation");
        match &op.call {
            Call::Assign(partitions) => drop(owned.insert(op.process.clone(), partitions.clone())),
            Call::Revoke(partitions) => {
                owned.entry(op.process.clone()).or_default().retain(|one| !partitions.contains(one));
            }
            Call::Commit(positions) => {
                for position in positions {
                    let before = committed.insert(position.partition.clone(), position.next);
                    assert!(before.flatten() <= position.next, "a committed offset never falls: {history:?}");
                }
            }
            _ => {}
        }
        let mut all: Vec<_> = owned.values().flatten().collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|two| two[0] != two[1]), "a partition has one owner: {history:?}");
    }
}

/// Every change and every effect of a service is told, once: all of them are durable.
pub fn assert_tells_service(history: &History, effect_count: usize) {
    let changes = |op_type| {
        let of_type = history.ops.iter().filter(move |op| op.op_type == op_type);
        of_type.filter_map(|op| if let Call::Change(events) = &op.call { Some(events.clone()) } else { None })
    };
    let invoked: Vec<_> = changes(OpType::Invoke).collect();
    assert_eq!(invoked.len(), effect_count, "every change is told: {history:?}");
    assert!(changes(OpType::Ok).eq(invoked), "changes are complete in the order of their invocations");
    let mut open: BTreeMap<&Process, &Call> = BTreeMap::new();
    for op in &history.ops {
        match op.op_type {
            OpType::Invoke => {
                let before = open.insert(&op.process, &op.call);
                assert_eq!(before, None, "a process has one call open at a time: {history:?}");
            }
            _ => assert_eq!(open.remove(&op.process), Some(&op.call), "what completes was invoked"),
        }
    }
}
