//! The steps and states of sagas that share records, in words.

use lawspeaker_history::Op;

use super::{Action, DELTA_UNDO, Isolation, Phase, SEMANTIC_LOCK, State, Writes, observed};
use crate::engine::{Telling, Variables, Words};
use crate::export::variables_of;

pub(super) const KINDS: &[&str] = &["step", "compensate", "fail"];

pub(super) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Step(_) => "step",
        Action::Compensate(_) => "compensate",
        Action::Fail(_) => "fail",
    }
}

/// `s1`: the first saga.
pub(super) fn saga_name(saga: u8) -> String {
    format!("s{}", saga + 1)
}

/// `A`: the first record.
pub(super) fn record_name(record: u8) -> &'static str {
    ["A", "B", "C", "D"][record as usize]
}

fn who(saga: u8) -> String {
    format!("saga {}", saga_name(saga))
}

impl Words for Isolation {
    fn tell(&self, before: &State, action: &Action, after: &State) -> Telling {
        match action {
            Action::Step(saga) => Telling::new(who(*saga), self.stepped(*saga, before, after)),
            Action::Compensate(saga) => Telling::new(who(*saga), self.compensated(*saga, before, after)),
            Action::Fail(saga) => {
                let record = self.next_record(before, *saga).map(record_name).unwrap_or_default();
                let what = match after.sagas[*saga as usize].phase {
                    Phase::Aborted => "has nothing to compensate",
                    _ => "turns back",
                };
                Telling::new(who(*saga), format!("is REFUSED its step on {record}, and {what}"))
            }
        }
    }

    fn picture(&self, state: &State) -> Vec<String> {
        let line = |who: &str, what: String| format!("{who:<8}  {what}");
        let mut lines = Vec::new();
        for (number, record) in (0..).zip(&state.records) {
            let lock = record.lock.map(|saga| format!(", locked by {}", saga_name(saga))).unwrap_or_default();
            let what = format!("holds {}{lock}", writes_name(&record.writes));
            lines.push(line(&format!("record {}", record_name(number)), what));
        }
        for (number, saga) in (0..).zip(&state.sagas) {
            lines.push(line(&who(number), self.standing(number, saga.phase)));
        }
        lines
    }

    fn variables(&self, state: &State) -> Variables {
        variables_of(state)
    }

    fn waits(&self, state: &State) -> Vec<String> {
        let waits = |saga: u8| {
            let holder = self.waits_for(state, saga)?;
            let record = record_name(self.next_record(state, saga)?);
            Some(format!("{} waits for {record}, which {} has locked", who(saga), who(holder)))
        };
        (0..state.sagas.len() as u8).filter_map(waits).collect()
    }

    fn opening_ops(&self, _: &State) -> Vec<Op> {
        Vec::new()
    }

    fn ops(&self, before: &State, action: &Action, after: &State) -> Vec<Op> {
        observed::ops(self, before, action, after)
    }

    fn closing_ops(&self, state: &State) -> Vec<Op> {
        observed::closing_ops(self, state)
    }
}

impl Isolation {
    fn stepped(&self, saga: u8, before: &State, after: &State) -> String {
        let Some(record) = self.next_record(before, saga) else { return String::new() };
        let writes = &before.records[record as usize].writes;
        let reads = match writes.last().filter(|_| self.is_reader(saga)) {
            Some(writer) => {
                let is_final = before.sagas[*writer as usize].phase == Phase::Committed;
                let may = if is_final { "" } else { ", which MAY YET BE UNDONE" };
                format!("reads the write of {}{may}, and ", saga_name(*writer))
            }
            None => String::new(),
        };
        let record = record_name(record);
        let lock = if self.guards.has(&SEMANTIC_LOCK) { "locks and " } else { "" };
        let ends = match after.sagas[saga as usize].phase {
            Phase::Committed if self.guards.has(&SEMANTIC_LOCK) => {
                "; it is committed, and its locks are gone"
            }
            Phase::Committed => "; it is committed",
            _ => "",
        };
        format!("{reads}{lock}updates {record}{ends}")
    }

    fn compensated(&self, saga: u8, before: &State, after: &State) -> String {
        let Phase::Backward(done) = before.sagas[saga as usize].phase else { return String::new() };
        let record = self.record_of(saga, done - 1);
        let (was, is) = (&before.records[record as usize].writes, &after.records[record as usize].writes);
        let name = record_name(record);
        let what = if self.guards.has(&DELTA_UNDO) {
            let read = after.ghost.is_read_undone && !before.ghost.is_read_undone;
            let read = if read { ", though another has READ what it wrote" } else { "" };
            format!("takes its update of {name} back{read}")
        } else {
            let lost: Vec<_> = was
                .iter()
                .filter(|writer| **writer != saga && !is.contains(writer))
                .map(|w| saga_name(*w))
                .collect();
            let lost = if lost.is_empty() {
                String::new()
            } else {
                format!(", and WIPES OUT the update of {}", lost.join(" and "))
            };
            format!("puts the old value of {name} back{lost}")
        };
        let ends = if after.sagas[saga as usize].phase == Phase::Aborted { "; it is aborted" } else { "" };
        format!("{what}{ends}")
    }

    fn standing(&self, saga: u8, phase: Phase) -> String {
        let records = |steps: u8| -> String {
            let names: Vec<_> = (0..steps).map(|step| record_name(self.record_of(saga, step))).collect();
            names.join(" and ")
        };
        match phase {
            Phase::Forward(0) => "has done nothing yet".to_owned(),
            Phase::Forward(steps) => {
                format!(
                    "has updated {}, and {} is next",
                    records(steps),
                    record_name(self.record_of(saga, steps))
                )
            }
            Phase::Backward(steps) => format!("goes back, to compensate {}", records(steps)),
            Phase::Committed => "is committed".to_owned(),
            Phase::Aborted => "is aborted".to_owned(),
        }
    }
}

fn writes_name(writes: &Writes) -> String {
    let names: Vec<_> = writes.iter().map(|writer| saga_name(*writer)).collect();
    if names.is_empty() { "no update".to_owned() } else { format!("the updates of {}", names.join(", ")) }
}
