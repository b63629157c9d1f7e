//! The events of which it is certain when they were sent, by the calls that sent them.

use std::collections::HashMap;

use lawspeaker_history::OpType;

use crate::evidence::{Attempt, EventKey, Evidence, Key, Moment, ProcessKey, Stamp};

/// One call that sent events, which are concurrent with one another.
#[derive(Clone, Debug)]
pub(super) struct SendCall {
    pub process: ProcessKey,
    /// The line on which it began.
    pub begin: u64,
    pub events: Vec<EventKey>,
    /// Its place in `Causal::stamps`, if its clock was recorded.
    pub stamp: Option<usize>,
    /// What was named as its direct causes.
    pub causes: Vec<EventKey>,
}

/// Every call that sent events, by the line on which it began, and the call of each event.
///
/// An event that was sent more than once has no certain place and is in none of them, nor is one whose send failed.
#[derive(Debug)]
pub(super) struct Messages {
    pub calls: Vec<SendCall>,
    call_of: Vec<Option<u32>>,
}

impl Messages {
    /// O(n log n) in sends.
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut sole: Vec<&Attempt> = evidence
            .names
            .events
            .keys()
            .filter_map(|event| {
                let mut happened =
                    evidence.attempts_of(event).iter().filter(|attempt| attempt.outcome != OpType::Fail);
                happened.next().filter(|_| happened.next().is_none())
            })
            .collect();
        sole.sort_by_key(|attempt| (attempt.begin, attempt.process, attempt.event));
        let mut messages = Messages { calls: Vec::new(), call_of: vec![None; evidence.names.events.len()] };
        let is_one_call =
            |one: &&Attempt, other: &&Attempt| (one.begin, one.process) == (other.begin, other.process);
        let stamps = stamps_by_line(evidence);
        for call in sole.chunk_by(is_one_call) {
            let place = messages.calls.len();
            for attempt in call {
                messages.call_of[attempt.event.place()] = u32::try_from(place).ok();
            }
            let stamp = stamps.get(&call[0].begin).or_else(|| stamps.get(&call[0].line()));
            messages.calls.push(SendCall {
                process: call[0].process,
                begin: call[0].begin,
                events: call.iter().map(|attempt| attempt.event).collect(),
                stamp: stamp.copied(),
                causes: Vec::new(),
            });
        }
        messages.name_causes(evidence);
        messages
    }

    fn name_causes(&mut self, evidence: &Evidence) {
        for caused in &evidence.causal.caused {
            let Some(call) = caused.effects.iter().find_map(|effect| self.call_of(*effect)) else { continue };
            for cause in &caused.causes {
                // A batch may hold both what causes and what is caused.
                let is_of_batch = self.call_of(*cause) == Some(call) && self.calls[call].events.len() > 1;
                if self.call_of(*cause).is_some() && !is_of_batch {
                    self.calls[call].causes.push(*cause);
                }
            }
        }
        for call in &mut self.calls {
            call.causes.sort_unstable();
            call.causes.dedup();
        }
    }

    /// The call that sent `event`, if that is certain.
    pub(super) fn call_of(&self, event: EventKey) -> Option<usize> {
        self.call_of[event.place()].map(|call| call as usize)
    }

    /// How many events there are, sent or not.
    pub(super) fn event_count(&self) -> usize {
        self.call_of.len()
    }

    /// Whether every consumer is owed `event` before what it caused: it was acknowledged, and no transaction can
    /// have undone it.
    pub(super) fn is_owed(&self, event: EventKey, evidence: &Evidence) -> bool {
        self.call_of(event).is_some()
            && evidence.acknowledgement_of(event).is_some()
            && !evidence.may_be_aborted(event)
    }
}

/// The stamp of each send by its line; the first one of a call, if its completion was stamped too.
fn stamps_by_line(evidence: &Evidence) -> HashMap<u64, usize> {
    let is_send = |(_, stamp): &(usize, &Stamp)| stamp.moment == Moment::Send;
    let stamps = evidence.causal.stamps.iter().enumerate().filter(is_send);
    stamps.map(|(place, stamp)| (stamp.line, place)).collect()
}
