//! Sentences about changes of state and effects of events.

use lawspeaker_history::OpType;

use crate::case::Line;
use crate::evidence::{Change, Effect, Evidence};

/// What the line of a change said.
pub(crate) fn change(change: &Change, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, event) = (&names.processes[change.process], &names.events[change.event]);
    let said = match change.outcome {
        OpType::Ok => format!("process {process} committed a change that owes event {event}"),
        OpType::Fail => format!("process {process} rolled back the change that owes event {event}"),
        OpType::Info | OpType::Invoke => {
            format!(
                "process {process} tried a change that owes event {event}, and nobody knows what became of it"
            )
        }
    };
    Line { line: change.line, said }
}

/// What the line of an effect said.
pub(crate) fn effect(effect: &Effect, evidence: &Evidence) -> Line {
    let names = &evidence.names;
    let (process, event) = (&names.processes[effect.process], &names.events[effect.event]);
    let group = effect.group.map_or_else(String::new, |group| format!(" for group {}", names.groups[group]));
    let said = match effect.outcome {
        OpType::Ok => format!("process {process} applied event {event}{group}"),
        OpType::Fail => format!("process {process} surely did not apply event {event}{group}"),
        OpType::Info | OpType::Invoke => {
            format!(
                "process {process} tried to apply event {event}{group}, and nobody knows what became of it"
            )
        }
    };
    Line { line: effect.line, said }
}
