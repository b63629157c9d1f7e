//! The producers: what they send, when they send it again, and what a restart leaves of them.

use super::{
    Action, Event, IN_ORDER_RETRY, PartitionLog, RESUME_FROM_LOG, RETRY, Reply, Request, STABLE_PARTITIONER,
    Stamp, State, insert, remove,
};

/// The key of an event: events come in pairs of one key.
pub(crate) fn key(event: Event) -> u8 {
    event.number / 2
}

/// Where the hash of an event's key points, with as many partitions as there are now.
pub(crate) fn hashed(state: &State, event: Event) -> u8 {
    (key(event) + 1) % state.partitions.len() as u8
}

impl PartitionLog {
    /// Where a producer sends an event. With a stable partitioner a key stays where its first event went.
    pub(crate) fn partition_for(&self, state: &State, event: Event) -> u8 {
        let now = hashed(state, event);
        if !self.guards.has(&STABLE_PARTITIONER) {
            return now;
        }
        let sent = state.producers[event.producer as usize].events.iter().enumerate();
        let of_key = sent.filter(|(number, _)| key(Event { number: *number as u8, ..event }) == key(event));
        let first = of_key.filter_map(|(_, progress)| progress.stamp).map(|stamp| stamp.partition).next();
        first.unwrap_or(now)
    }

    /// The broker syncs and fences the former incarnation; the new one finds out which of its events stand in the log.
    pub(super) fn restart(&self, state: &mut State, number: u8) {
        state.budget.spend(|budget| &mut budget.restarts);
        let epoch = state.producers[number as usize].epoch + 1;
        for partition in &mut state.partitions {
            partition.durable = partition.log.len() as u8;
            partition.epochs[number as usize] = epoch;
        }
        let stands = |event: Event| state.partitions.iter().any(|p| p.log.iter().any(|r| r.event == event));
        let producer = &mut state.producers[number as usize];
        producer.epoch = epoch;
        for (place, progress) in producer.events.iter_mut().enumerate() {
            let is_found = stands(Event { producer: number, number: place as u8 });
            progress.is_acknowledged |= is_found && self.guards.has(&RESUME_FROM_LOG);
            progress.stamp = progress.stamp.filter(|_| progress.is_acknowledged);
        }
    }

    pub(super) fn send(&self, state: &mut State, event: Event) {
        let partition = self.partition_for(state, event);
        let producer = &mut state.producers[event.producer as usize];
        let epoch = producer.epoch;
        let of_partition = |stamp: &Stamp| stamp.partition == partition && stamp.epoch == epoch;
        let sequence = producer.events.iter().filter_map(|p| p.stamp).filter(of_partition).count() as u8;
        let stamp = Stamp { partition, epoch, sequence };
        producer.events[event.number as usize].stamp = Some(stamp);
        insert(&mut state.requests, Request { event, stamp, is_damaged: false });
        if let Err(place) = state.ghost.sent.binary_search(&(event, partition)) {
            state.ghost.sent.insert(place, (event, partition));
        }
    }

    pub(super) fn retry(&self, state: &mut State, event: Event) {
        let progress = state.producers[event.producer as usize].events[event.number as usize];
        let stamp = progress.stamp.expect("only what was sent is sent again");
        insert(&mut state.requests, Request { event, stamp, is_damaged: false });
    }

    pub(super) fn acknowledge(&self, state: &mut State, reply: &Reply) {
        remove(&mut state.replies, reply);
        let progress =
            &mut state.producers[reply.event.producer as usize].events[reply.event.number as usize];
        progress.is_acknowledged = true;
        if let Err(place) = state.ghost.acknowledged.binary_search(reply) {
            state.ghost.acknowledged.insert(place, *reply);
        }
    }

    pub(super) fn sends(&self, state: &State, producer: u8, actions: &mut Vec<Action>) {
        let events = &state.producers[producer as usize].events;
        let of = |number: usize| Event { producer, number: number as u8 };
        let is_open = |number: usize| events[number].stamp.is_some() && !events[number].is_acknowledged;
        let waits = |number: usize| is_open(number) && !is_under_way(state, of(number));
        // With in-order retry, an event that waits to be sent again holds back what comes after it.
        let is_held_back = |number: usize, partition: u8| {
            let ahead =
                |earlier: usize| events[earlier].stamp.is_some_and(|stamp| stamp.partition == partition);
            self.guards.has(&IN_ORDER_RETRY) && (0..number).any(|earlier| waits(earlier) && ahead(earlier))
        };
        let under_way = (0..events.len()).filter(|number| is_open(*number) && !waits(*number)).count();
        if under_way < self.bounds.in_flight as usize {
            let next = (0..events.len())
                .find(|number| events[*number].stamp.is_none() && !events[*number].is_acknowledged);
            if let Some(number) = next.filter(|n| !is_held_back(*n, self.partition_for(state, of(*n)))) {
                actions.push(Action::Send(of(number)));
            }
            if self.guards.has(&RETRY) {
                let again = (0..events.len()).filter(|number| waits(*number));
                let again =
                    again.filter(|n| !is_held_back(*n, events[*n].stamp.map_or(0, |stamp| stamp.partition)));
                actions.extend(again.map(|number| Action::Retry(of(number))));
            }
        }
    }
}

/// Whether anything of an event may still lead to its acknowledgement by itself.
fn is_under_way(state: &State, event: Event) -> bool {
    let epoch = state.producers[event.producer as usize].epoch;
    let requested = state.requests.iter().any(|r| r.event == event && r.stamp.epoch == epoch);
    let acknowledged = state.replies.iter().any(|reply| reply.event == event);
    let unsynced =
        state.partitions.iter().any(|p| p.log.iter().skip(p.durable as usize).any(|r| r.event == event));
    requested || acknowledged || unsynced
}
