//! One queue with a producer and two consumers, correct except where a fault is asked for.

use lawspeaker_history::{Batch, Call, Delivery, EventId, Op, OpType, Partition, Record, Sent};
use serde_json::Value;

use super::random::Random;

pub(super) struct QueueLane {
    number: i64,
    pub ops: Vec<Op>,
    pub random: Random,
    event_count: i64,
}

impl QueueLane {
    const BROKER: i64 = 9;

    pub(super) fn new(number: i64, random: Random) -> Self {
        let mut lane = QueueLane { number, ops: Vec::new(), random, event_count: 0 };
        lane.run_correctly();
        lane
    }

    fn push(&mut self, process: i64, op_type: OpType, call: Call, delivery: Option<u64>) {
        let mut op = Op::new(self.number * 10 + process, op_type, call);
        op.x.delivery = delivery;
        if process != 0 {
            op = op.group(format!("workers-{}", self.number).as_str());
        }
        self.ops.push(op);
    }

    fn queue(&self) -> Partition {
        Partition::named(&format!("jobs-{}", self.number))
    }

    pub(super) fn new_event(&mut self) -> EventId {
        self.event_count += 1;
        EventId::from(format!("j{}-{}", self.number, self.event_count).as_str())
    }

    pub(super) fn send(&mut self) -> EventId {
        let event = self.new_event();
        let sent = || vec![Sent { partition: self.queue(), offset: None, event: event.clone() }];
        let (begun, done) = (Call::Send(sent()), Call::Send(sent()));
        self.push(0, OpType::Invoke, begun, None);
        self.push(0, OpType::Ok, done, None);
        event
    }

    pub(super) fn receive(&mut self, consumer: i64, event: &EventId, delivery: u64) {
        let records = vec![Record { offset: None, event: event.clone() }];
        let call = Call::Receive(vec![Batch { partition: self.queue(), records }]);
        self.push(consumer, OpType::Invoke, Call::Receive(Vec::new()), None);
        self.push(consumer, OpType::Ok, call, Some(delivery));
    }

    fn delivery(&self, event: &EventId) -> Vec<Delivery> {
        vec![Delivery { partition: self.queue(), offset: None, event: Some(event.clone()) }]
    }

    fn settle(&mut self, consumer: i64, call: fn(Vec<Delivery>) -> Call, event: &EventId) {
        let delivery = self.delivery(event);
        self.push(consumer, OpType::Invoke, call(delivery.clone()), None);
        self.push(consumer, OpType::Ok, call(delivery), None);
    }

    pub(super) fn ack(&mut self, consumer: i64, event: &EventId) {
        self.settle(consumer, Call::Ack, event);
    }

    pub(super) fn nack(&mut self, consumer: i64, event: &EventId) {
        self.settle(consumer, Call::Nack, event);
    }

    pub(super) fn reject(&mut self, consumer: i64, event: &EventId) {
        self.settle(consumer, Call::Reject, event);
    }

    pub(super) fn dead_letter(&mut self, event: &EventId, reason: &str) {
        let call = Call::DeadLetter(self.delivery(event));
        self.push(Self::BROKER, OpType::Ok, call, None);
        let op = self.ops.last_mut().expect("it was just pushed");
        op.x.rest.insert("reason".to_owned(), Value::String(reason.to_owned()));
    }

    pub(super) fn apply(&mut self, consumer: i64, event: &EventId) {
        let call = Call::Apply(self.delivery(event));
        self.push(consumer, OpType::Ok, call, None);
    }

    /// Some of everything that may happen: an event is done, or refused once, or rejected.
    pub(super) fn run_correctly(&mut self) {
        for fate in 0..3 {
            let event = self.send();
            let consumer = 1 + self.random.below(2) as i64;
            self.receive(consumer, &event, 1);
            match fate {
                0 => {}
                1 => {
                    self.nack(consumer, &event);
                    self.receive(3 - consumer, &event, 2);
                    self.apply(3 - consumer, &event);
                    self.ack(3 - consumer, &event);
                    continue;
                }
                _ => {
                    self.reject(consumer, &event);
                    self.dead_letter(&event, "rejected");
                    continue;
                }
            }
            self.apply(consumer, &event);
            self.ack(consumer, &event);
        }
    }
}
