//! A topic that a session hears: its consumer, and what was handled of it in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lawspeaker_history::{Offset, Partition};

use super::Consumer;
use crate::causal_inbox::CausalDelivery;
use crate::causality::DotSet;
use crate::consumer_group::GroupError;
use crate::id::PartitionNumber;
use crate::member::PollError;
use crate::partition_log::PartitionLog;

/// A consumer whose events may be handled in another order than that of their partitions.
#[derive(Debug)]
pub(super) struct HeardTopic {
    consumer: Consumer,
    numbers: BTreeMap<Partition, PartitionNumber>,
    /// What the session knows that it owns.
    owned: BTreeSet<PartitionNumber>,
    /// What was handled: when it is polled again it is not handed out again.
    handled: DotSet,
    /// What was handled while an event before it in the partition was not.
    ahead: BTreeMap<PartitionNumber, BTreeSet<Offset>>,
}

impl HeardTopic {
    pub(super) fn new(consumer: Consumer) -> Self {
        let numbers =
            consumer.topic.logs.iter().map(|log| log.name().clone()).zip((0..).map(PartitionNumber));
        HeardTopic {
            numbers: numbers.collect(),
            consumer,
            owned: BTreeSet::new(),
            handled: DotSet::new(),
            ahead: BTreeMap::new(),
        }
    }

    /// At most `max_count` events of each partition that it owns and that is not `paused`.
    pub(super) fn poll(
        &mut self,
        max_count: usize,
        paused: &BTreeSet<Partition>,
    ) -> Result<Vec<CausalDelivery>, PollError> {
        let topic = Arc::clone(&self.consumer.topic);
        let is_wanted = |number: PartitionNumber| !paused.contains(topic.logs[number.place()].name());
        let polled = self.consumer.poll_of(max_count, is_wanted)?;
        let name = |number: PartitionNumber| self.consumer.topic.logs[number.place()].name().clone();
        let events = polled.into_iter();
        Ok(events.map(|one| CausalDelivery { partition: name(one.partition), entry: one.entry }).collect())
    }

    /// Whether the last poll has changed what it owns.
    pub(super) fn is_moved(&self) -> bool {
        !self.consumer.positions().iter().map(|(number, _)| number).eq(&self.owned)
    }

    /// Takes up what it owns now. Returns the logs of what it has gained, and the first event of each that the group
    /// has not processed.
    pub(super) fn take_up(&mut self) -> Vec<(Arc<PartitionLog>, Offset)> {
        let positions = self.consumer.positions();
        let before = std::mem::take(&mut self.owned);
        self.owned = positions.iter().map(|(number, _)| *number).collect();
        self.ahead.retain(|number, _| self.owned.contains(number));
        let gained = positions.into_iter().filter(|(number, _)| !before.contains(number));
        gained.map(|(number, next)| (Arc::clone(&self.consumer.topic.logs[number.place()]), next)).collect()
    }

    /// What it owns.
    pub(super) fn owned(&self) -> impl Iterator<Item = Partition> {
        self.owned.iter().map(|number| self.consumer.topic.logs[number.place()].name().clone())
    }

    /// Whether the event was handled before; then it counts as handled again.
    pub(super) fn was_handled(&mut self, event: &CausalDelivery) -> bool {
        let was_handled = self.handled.contains(&event.dot());
        if was_handled {
            self.handled(event);
        }
        was_handled
    }

    /// The event, if it is one of the topic, is processed.
    pub(super) fn handled(&mut self, event: &CausalDelivery) {
        let Some(number) = self.numbers.get(&event.partition).copied() else { return };
        self.handled.insert(&event.dot().span());
        let ahead = self.ahead.entry(number).or_default();
        ahead.insert(event.entry.offset);
        let positions = self.consumer.positions();
        let Some((_, mut next)) = positions.into_iter().find(|(other, _)| *other == number) else { return };
        *ahead = ahead.split_off(&next);
        while ahead.remove(&next) && self.consumer.handled(number, next) {
            next = next.next();
        }
    }

    pub(super) fn commit(&mut self) -> Result<(), GroupError> {
        self.consumer.commit()
    }

    pub(super) fn leave(self) -> Result<(), GroupError> {
        self.consumer.leave()
    }
}
