//! A service that sends and delivers causally: a session.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lawspeaker_history::{Offset, Partition, Process, Recorder};

use super::causal_error::{CausalPublishError, NextEventError, OpenCausalError};
use super::causal_topic::HeardTopic;
use super::news::News;
use super::producer::check_length;
use super::topic::Topic;
use super::{Bus, CausalConfig, Published};
use crate::causal_inbox::{CausalDelivery, CausalInbox, InboxClosed, Refusal, Stuck};
use crate::causal_producer::CausalProducer;
use crate::causality::{DotSet, Span};
use crate::consumer_group::GroupError;
use crate::id::ProducerId;
use crate::message::Message;
use crate::partition_log::{PartitionLog, ReadError, WaitError};

/// How many events of a partition are read at once.
const READ_COUNT: usize = 64;

/// A session of a service: what it delivers comes after its causes, and what it sends carries all that the service
/// has delivered and sent before. One thread at a time; open it with [`Bus::causal_session`].
///
/// At least once: [`poll`](Self::poll), process, [`handled`](Self::handled), [`commit`](Self::commit). A session
/// that is dropped without [`leave`](Self::leave) counts as crashed; the next one of its service is handed again what
/// was not committed, in an order that is causal again.
///
/// Several sessions of one service share what it hears, as members of a group do: each keeps the order among the
/// partitions that it owns, and does not wait for events in the others. Only the newest of them can send to a topic:
/// it has fenced the producers of those before it.
#[derive(Debug)]
pub struct CausalSession {
    process: Process,
    config: CausalConfig,
    recorder: Arc<dyn Recorder>,
    heard: Vec<HeardTopic>,
    said: BTreeMap<String, Arc<Topic>>,
    producer: CausalProducer,
    inbox: CausalInbox,
    // INVARIANT: of partitions that are owned; what the inbox had no room for, each partition's in the order of its log.
    refused: VecDeque<CausalDelivery>,
    news: Arc<News>,
    max_message_bytes: u32,
    turn: u32,
    opened: Instant,
}

impl Bus {
    /// Opens a session of `service`, which delivers the events of the topics `hears` and sends to the topics `says`.
    /// Its groups and producers have the name of the service; earlier incarnations of those producers are fenced.
    ///
    /// What the service did before is read back from the logs: O(n) events of those topics.
    ///
    /// # Errors
    /// [`OpenCausalError`].
    pub fn causal_session(
        &self,
        service: &str,
        hears: &[&str],
        says: &[&str],
        config: CausalConfig,
    ) -> Result<CausalSession, OpenCausalError> {
        // One member of one group for each topic, and one process in a history: whoever polls also delivers.
        let id = self.catalogue.new_member().map_err(OpenCausalError::Catalogue)?;
        let process = id.process();
        let mut producer = CausalProducer::new(config.representation, config.barrier);
        let said = self.open_said(service, says, &mut producer)?;
        let news = Arc::new(News::default());
        let mut heard = Vec::new();
        for topic in hears {
            let consumer = self.consumer_as(id, service, topic)?;
            consumer.topic.news.tell(&news);
            heard.push(HeardTopic::new(consumer));
        }
        let recorder = Arc::clone(&self.recorder);
        let inbox =
            CausalInbox::new(process.clone(), [], DotSet::new(), config.capacity, Arc::clone(&recorder));
        Ok(CausalSession {
            process,
            config,
            recorder,
            heard,
            said,
            producer,
            inbox,
            refused: VecDeque::new(),
            news,
            max_message_bytes: self.config.max_message_bytes,
            turn: 0,
            opened: Instant::now(),
        })
    }

    /// Opens the partitions to send to. What earlier sessions of the service have sent is in its past.
    fn open_said(
        &self,
        service: &str,
        says: &[&str],
        producer: &mut CausalProducer,
    ) -> Result<BTreeMap<String, Arc<Topic>>, OpenCausalError> {
        let mut said = BTreeMap::new();
        for name in says {
            let (topic, ids) = self.open_producers(name, service, |id, log| {
                producer.open(id, log)?;
                Ok(id)
            })?;
            for (id, log) in ids.into_iter().zip(&topic.logs) {
                remember(log, log.end(), producer, |event| sender(event) == id)?;
            }
            said.insert(topic.name.clone(), topic);
        }
        Ok(said)
    }
}

fn sender(event: &CausalDelivery) -> ProducerId {
    event.entry.stamp.producer
}

/// Takes the events below `end` for which `is_known` says so into the producer's past. Returns them.
fn remember(
    log: &PartitionLog,
    end: Offset,
    producer: &mut CausalProducer,
    is_known: impl Fn(&CausalDelivery) -> bool,
) -> Result<DotSet, ReadError> {
    let mut known = DotSet::new();
    let mut from = Offset::of(0);
    while from < end {
        let entries = log.read(from, READ_COUNT)?;
        let Some(last) = entries.last() else { break };
        from = last.offset.next();
        let events = entries.into_iter().take_while(|entry| entry.offset < end);
        let events = events.map(|entry| CausalDelivery { partition: log.name().clone(), entry });
        for event in events.filter(&is_known) {
            producer.observe(&event);
            known.insert(&event.dot().span());
        }
    }
    Ok(known)
}

impl CausalSession {
    /// Sends an event that depends on all that the service has delivered and sent, and returns where it stands once
    /// it is durable. A context that the message has is replaced; its key chooses the partition.
    ///
    /// # Errors
    /// [`CausalPublishError`].
    pub fn publish(&mut self, topic: &str, message: Message) -> Result<Published, CausalPublishError> {
        let published = self.send(topic, message)?;
        self.acknowledge()?;
        Ok(published)
    }

    /// As [`publish`](Self::publish), but returns when the event is written and not yet durable: before it can be
    /// counted on, [`acknowledge`](Self::acknowledge). What it waits for before is the configured
    /// [`Barrier`](crate::causal_producer::Barrier).
    ///
    /// # Errors
    /// [`CausalPublishError`].
    pub fn send(&mut self, topic: &str, mut message: Message) -> Result<Published, CausalPublishError> {
        let said = self.said.get(topic).ok_or_else(|| CausalPublishError::Topic {
            topic: topic.to_owned(),
            known: self.said.keys().cloned().collect(),
        })?;
        message.context = Some(self.producer.context().clone());
        check_length(&message, self.max_message_bytes)?;
        let partition = said.partition_for(&message, self.turn);
        self.turn = self.turn.wrapping_add(u32::from(message.key.is_none()));
        let offset = self.producer.send(said.logs[partition.place()].name(), message)?;
        Ok(Published { partition, offset })
    }

    /// Returns when everything that was sent is durable.
    ///
    /// # Errors
    /// [`WaitError`]: the outcome of what was sent is unknown.
    pub fn acknowledge(&mut self) -> Result<(), WaitError> {
        self.producer.acknowledge_all()
    }

    /// The next event, if one can be delivered now: none of its causes that the session will get is behind it. From
    /// here on it is in the past of the session.
    ///
    /// # Errors
    /// [`NextEventError`].
    pub fn poll(&mut self) -> Result<Option<CausalDelivery>, NextEventError> {
        loop {
            self.offer_in_order();
            if let Some(event) = self.inbox.try_receive()? {
                self.producer.observe(&event);
                return Ok(Some(event));
            }
            if self.offer_what_is_awaited() {
                continue;
            }
            if !self.read_on()? {
                return Ok(None);
            }
        }
    }

    /// As [`poll`](Self::poll), but blocks until there is one. It waits for missing causes too: where they may be
    /// missing for ever, use [`poll`](Self::poll) and look at [`stuck`](Self::stuck).
    ///
    /// # Errors
    /// [`NextEventError`]; [`GroupError::Closed`] once the bus is closed.
    pub fn poll_blocking(&mut self) -> Result<CausalDelivery, NextEventError> {
        let news = Arc::clone(&self.news);
        loop {
            let known = news.count();
            if let Some(event) = self.poll()? {
                return Ok(event);
            }
            news.wait(known);
        }
    }

    /// The bell that rings when there may be something to deliver.
    pub(crate) fn news(&self) -> &Arc<News> {
        &self.news
    }

    /// Offers what was refused again. Of each partition nothing is offered behind an event that is refused.
    fn offer_in_order(&mut self) {
        let mut full = BTreeSet::new();
        for event in std::mem::take(&mut self.refused) {
            if full.contains(&event.partition) || self.is_refused(&event) {
                full.insert(event.partition.clone());
                self.refused.push_back(event);
            }
        }
    }

    /// Offers the inbox, in which nothing is ready, what was refused, until it takes something: that is ready.
    fn offer_what_is_awaited(&mut self) -> bool {
        let awaited = (0..self.refused.len()).find(|place| !self.is_refused(&self.refused[*place]));
        awaited.and_then(|place| self.refused.remove(place)).is_some()
    }

    fn is_refused(&self, event: &CausalDelivery) -> bool {
        matches!(self.inbox.offer(event.clone(), self.now_ms()), Err(Refusal::Full { .. }))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Reads on in every partition of which nothing is refused. Returns whether anything came.
    ///
    /// A bound on all partitions together would be a circular wait: what is held and refused waits for a cause in a
    /// partition that is no longer read. As it is, the oldest event that is not delivered is always read, since all
    /// before it in its partition are older; and its causes are delivered, where senders wait for their causes to be
    /// durable.
    fn read_on(&mut self) -> Result<bool, NextEventError> {
        let paused: BTreeSet<Partition> = self.refused.iter().map(|event| event.partition.clone()).collect();
        let mut has_come = false;
        for topic in &mut self.heard {
            for event in topic.poll(READ_COUNT, &paused)? {
                has_come = true;
                // Kept at once: whatever fails from here on, what was polled is not polled again.
                if !topic.was_handled(&event) {
                    self.refused.push_back(event);
                }
            }
        }
        let is_moved = self.heard.iter().any(HeardTopic::is_moved);
        if is_moved {
            self.resubscribe()?;
        }
        // After a move, what was held is to be offered again, and some of it may wait for less.
        Ok(has_come || is_moved)
    }

    /// The group has given the session other partitions: a new inbox takes over what the old one knew and held. What
    /// is committed of a partition that was gained was delivered, by this session or by another one of the service.
    fn resubscribe(&mut self) -> Result<(), NextEventError> {
        let mut delivered = self.inbox.delivered();
        let mut subscribed: Vec<Partition> = Vec::new();
        for topic in &mut self.heard {
            for (log, handled) in topic.take_up() {
                delivered.merge(&remember(&log, handled, &mut self.producer, |_| true)?);
            }
            subscribed.extend(topic.owned());
        }
        let mut arrived = VecDeque::from(self.inbox.close());
        arrived.append(&mut self.refused);
        arrived.retain(|event| subscribed.contains(&event.partition));
        self.refused = arrived;
        let given_up = self.inbox.given_up();
        let (process, recorder) = (self.process.clone(), Arc::clone(&self.recorder));
        self.inbox = CausalInbox::new(process, subscribed, delivered, self.config.capacity, recorder);
        given_up.spans().for_each(|causes| self.inbox.give_up(&causes));
        Ok(())
    }

    /// The event is processed. What is processed is committed as far as nothing before it in its partition is not.
    pub fn handled(&mut self, event: &CausalDelivery) {
        self.heard.iter_mut().for_each(|topic| topic.handled(event));
    }

    /// Commits everything that was handled. Durable when this returns.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn commit(&mut self) -> Result<(), GroupError> {
        self.heard.iter_mut().try_for_each(HeardTopic::commit)
    }

    /// The events that have waited for causes for at least `timeout`, and which causes. To go on without those is the
    /// caller's decision: [`give_up`](Self::give_up).
    pub fn stuck(&self, timeout: Duration) -> Vec<Stuck> {
        self.inbox.stuck(self.now_ms(), u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
    }

    /// Nobody waits for these causes any more, in this session. It is recorded.
    pub fn give_up(&self, causes: &Span) {
        self.inbox.give_up(causes);
    }

    /// Commits what was handled and leaves. Returns what had come and was not delivered.
    ///
    /// # Errors
    /// [`GroupError`]; the session is gone all the same, as if it had crashed.
    pub fn leave(mut self) -> Result<Vec<CausalDelivery>, GroupError> {
        let mut held = self.inbox.close();
        held.extend(std::mem::take(&mut self.refused));
        self.heard.into_iter().try_for_each(HeardTopic::leave)?;
        Ok(held)
    }
}

impl From<InboxClosed> for NextEventError {
    fn from(InboxClosed: InboxClosed) -> Self {
        NextEventError::Poll(GroupError::Closed.into())
    }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests;
