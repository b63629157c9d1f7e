//! What every check takes for granted of a recording, and where a recording breaks it.
//!
//! A broken assumption is told and never judged: it is the recorder's, and makes findings less certain.
//! Cost: O(1) an op.

use std::collections::BTreeMap;

use lawspeaker_history::{Call, LOCAL, Op, OpType, Phase, Process};

use crate::explain;
use crate::hash::HashMap;

/// What is taken for granted of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assumption {
    /// A call that completes was invoked, if calls of its kind are invoked at all.
    CompletionsAreInvoked,
    /// A process has one call open at a time.
    OneCallAtATime,
    /// A process that never learnt what became of a call makes no further calls.
    UnknownRetiresProcess,
    /// A process that crashed makes no further calls.
    CrashRetiresProcess,
    /// No line is missing: indices follow one another from 0.
    LinesAreWhole,
    /// Time does not fall from line to line.
    TimeRises,
    /// An event is sent once; to send an equal payload again is another event.
    EventsAreUnique,
    /// A final read is by a fresh reader, which is of no group: a group reads on from where it was.
    FinalReadsAreFresh,
    /// Every call is one that this oracle knows.
    CallsAreKnown,
    /// Calls whose order in time matters were invoked; where they were not, the order of lines stands for it.
    LinesAreInTime,
}

/// A recording that breaks an assumption.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Doubt {
    /// Which.
    pub assumption: Assumption,
    /// How often.
    pub count: usize,
    /// The first line that breaks it.
    pub first_line: u64,
    /// What was seen, in one sentence.
    pub sentence: String,
}

#[derive(Debug, Default)]
struct Tally {
    count: usize,
    first_line: u64,
    example: String,
}

#[derive(Debug, Default)]
struct Conduct {
    is_open: bool,
    /// The call that is open, if one is.
    open: String,
    is_unknown: bool,
    has_crashed: bool,
}

/// Watches a recording go by.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    tallies: BTreeMap<(Assumption, String), Tally>,
    invoked: BTreeMap<String, usize>,
    conduct: HashMap<Process, Conduct>,
    latest_time_ns: u64,
    next_index: u64,
}

impl Watch {
    pub(crate) fn observe(&mut self, op: &Op) {
        // An op that was never placed has no line and no index; some recorders count from 1.
        let is_next = op.index == self.next_index || (self.next_index, op.index) == (0, 1);
        if op.line > 0 && !is_next {
            self.doubt(Assumption::LinesAreWhole, "", op);
        }
        self.next_index = op.index.saturating_add(1);
        if let Some(time_ns) = op.time_ns {
            if time_ns < self.latest_time_ns {
                self.doubt(Assumption::TimeRises, "", op);
            }
            self.latest_time_ns = time_ns;
        }
        if op.x.phase == Some(Phase::Final) && !op.is_final() && op.op_type != OpType::Invoke {
            self.doubt(Assumption::FinalReadsAreFresh, "", op);
        }
        let f = op.call.f();
        let is_client = matches!(op.process, Process::Number(_));
        if matches!(&op.call, Call::Other { f, .. } if is_client && !f.starts_with("seek") && f != LOCAL) {
            self.doubt(Assumption::CallsAreKnown, f, op);
        }
        let is_callback =
            matches!(op.call, Call::Assign(_) | Call::Revoke(_) | Call::Crash | Call::Other { .. });
        if !is_client || (is_callback && op.op_type != OpType::Invoke) {
            if matches!(op.call, Call::Crash) {
                self.conduct.entry(op.process.clone()).or_default().has_crashed = true;
            }
            return;
        }
        if op.op_type == OpType::Invoke {
            match self.invoked.get_mut(f) {
                Some(count) => *count += 1,
                None => {
                    self.invoked.insert(f.to_owned(), 1);
                }
            }
        }
        let mut doubts = Vec::new();
        let conduct = self.conduct.entry(op.process.clone()).or_default();
        let is_start = op.op_type == OpType::Invoke || !conduct.is_open;
        if is_start && conduct.has_crashed {
            doubts.push(Assumption::CrashRetiresProcess);
        } else if is_start && conduct.is_unknown {
            doubts.push(Assumption::UnknownRetiresProcess);
            conduct.is_unknown = false;
        }
        match (op.op_type, conduct.is_open.then_some(conduct.open.as_str())) {
            (OpType::Invoke, Some(_)) => doubts.push(Assumption::OneCallAtATime),
            (OpType::Invoke, None) => {}
            (_, Some(open)) if open == f => {}
            _ if matches!(op.call, Call::Poll(_) | Call::Receive(_)) => {}
            _ => doubts.push(Assumption::CompletionsAreInvoked),
        }
        conduct.is_open = op.op_type == OpType::Invoke;
        if conduct.is_open {
            f.clone_into(&mut conduct.open);
        }
        // Whoever conducts a saga goes on after a time-out: that is what compensations are for.
        conduct.is_unknown |= op.op_type == OpType::Info && !op.call.is_of_saga();
        for assumption in doubts {
            let about = if assumption == Assumption::CompletionsAreInvoked { f } else { "" };
            self.doubt(assumption, about, op);
        }
    }

    /// Why nothing follows from what is not there, if lines are missing.
    pub(crate) fn lack(&self) -> Option<String> {
        let holes = self.tallies.iter().find(|((assumption, _), _)| *assumption == Assumption::LinesAreWhole);
        let line = holes?.1.first_line;
        Some(format!("lines are missing before line {line}: what is not there may stand in them"))
    }

    /// Says that an event was sent more than once.
    pub(crate) fn sent_again(&mut self, line: u64, event: &str) {
        self.tally(Assumption::EventsAreUnique, "", line, format!("event {event}"));
    }

    /// Says that a finding takes the order of two completions, of different processes, for the order of the calls.
    pub(crate) fn ordered_by_line(&mut self, line: u64) {
        self.tally(Assumption::LinesAreInTime, "", line, String::new());
    }

    fn doubt(&mut self, assumption: Assumption, about: &str, op: &Op) {
        self.tally(assumption, about, op.line, format!("process {}", op.process));
    }

    fn tally(&mut self, assumption: Assumption, about: &str, line: u64, example: String) {
        let tally = self.tallies.entry((assumption, about.to_owned())).or_default();
        if tally.count == 0 {
            tally.first_line = line;
            tally.example = example;
        }
        tally.count += 1;
    }

    /// What was broken, in the order of the assumptions.
    pub(crate) fn doubts(self) -> Vec<Doubt> {
        let Watch { tallies, invoked, .. } = self;
        let is_told = |(assumption, about): &(Assumption, String)| {
            *assumption != Assumption::CompletionsAreInvoked || invoked.contains_key(about)
        };
        let tell = |((assumption, about), tally): ((Assumption, String), Tally)| {
            let Tally { count, first_line, example } = tally;
            let times = explain::counted(count, "time");
            let what = match assumption {
                Assumption::CompletionsAreInvoked => format!("`{about}` completed without an invocation"),
                Assumption::OneCallAtATime => "a process made a call while another was open".to_owned(),
                Assumption::UnknownRetiresProcess => {
                    "a process went on after a call whose outcome it never learnt".to_owned()
                }
                Assumption::CrashRetiresProcess => "a process went on after its crash".to_owned(),
                Assumption::LinesAreWhole => {
                    "indices do not follow one another, so lines are missing".to_owned()
                }
                Assumption::TimeRises => "time fell from one line to the next".to_owned(),
                Assumption::EventsAreUnique => "an event was sent again under the same id".to_owned(),
                Assumption::FinalReadsAreFresh => {
                    "a final read is by a reader of no group, and one of a group proves nothing of the end"
                        .to_owned()
                }
                Assumption::CallsAreKnown => format!("`{about}` is not judged"),
                Assumption::LinesAreInTime => {
                    "completions without invocations: the order of lines was taken for the order in time"
                        .to_owned()
                }
            };
            let who = if example.is_empty() { String::new() } else { format!(" ({example})") };
            let sentence = format!("{what}: {times}, first on line {first_line}{who}");
            Doubt { assumption, count, first_line, sentence }
        };
        tallies.into_iter().filter(|(key, _)| is_told(key)).map(tell).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lawspeaker_history::History;

    fn doubts(text: &str) -> Vec<String> {
        let mut watch = Watch::default();
        History::read(text.as_bytes()).unwrap().ops.iter().for_each(|op| watch.observe(op));
        watch.doubts().into_iter().map(|doubt| doubt.sentence).collect()
    }

    #[test]
    fn a_sound_recording_raises_no_doubt() {
        let text = r#"{"time":1,"process":0,"type":"invoke","f":"send","value":[["send","p","a"]]}
{"time":2,"process":0,"type":"ok","f":"send","value":[["send","p",[0,"a"]]]}
{"time":2,"process":1,"type":"ok","f":"poll","value":[["poll",{"p":[[0,"a"]]}]]}
{"time":3,"process":1,"type":"info","f":"crash"}"#;
        assert_eq!(doubts(text), Vec::<String>::new());
    }

    #[test]
    fn a_hole_in_the_indices_is_told_wherever_the_count_begins() {
        let from = |first: u64, second: u64| {
            let line = |index| format!(r#"{{"index":{index},"process":1,"type":"ok","f":"poll"}}"#);
            doubts(&format!("{}\n{}", line(first), line(second))).len()
        };
        assert_eq!([from(0, 1), from(1, 2), from(0, 2), from(444, 445)], [0, 0, 1, 1]);
    }

    #[test]
    fn every_broken_assumption_is_told_once_with_its_count() {
        let text = r#"{"time":5,"process":0,"type":"invoke","f":"send","value":[["send","p","a"]]}
{"time":4,"process":0,"type":"invoke","f":"send","value":[["send","p","b"]]}
{"process":0,"type":"info","f":"send","value":[["send","p","b"]]}
{"process":0,"type":"ok","f":"send","value":[["send","p",[0,"c"]]]}
{"process":1,"type":"info","f":"crash"}
{"process":1,"type":"invoke","f":"poll"}
{"process":1,"type":"ok","f":"rewind"}
{"process":2,"type":"ok","f":"poll","value":[["poll",{"p":[[0,"c"]]}]],"x":{"group":"g","phase":"final"}}"#;
        assert_eq!(
            doubts(text),
            [
                "`send` completed without an invocation: 1 time, first on line 4 (process 0)",
                "a process made a call while another was open: 1 time, first on line 2 (process 0)",
                "a process went on after a call whose outcome it never learnt: 1 time, first on line 4 (process 0)",
                "a process went on after its crash: 1 time, first on line 6 (process 1)",
                "time fell from one line to the next: 1 time, first on line 2 (process 0)",
                "a final read is by a reader of no group, and one of a group proves nothing of the end: 1 time, first on line 8 \
                 (process 2)",
                "`rewind` is not judged: 1 time, first on line 7 (process 1)",
            ]
        );
    }
}
