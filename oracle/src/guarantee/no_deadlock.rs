//! No deadlock: there is no state in which only faults can go on, unless work is done.
//!
//! * `deadlock`: when nothing was under way any more, two processes or more still waited for answers to what they had asked,
//!   and never got them, and since the last of them asked nobody else was answered either.
//!
//! Where others went on, those who wait may be gone: a process that is killed does not write that it is.
//!
//! Only a recording that says when nothing was under way any more, by a `quiescent`, can show it: a call that is open when a
//! recording ends may have been answered later. Only calls count that a system answers as soon as it can, such as
//! `send` and `commit`: no reads, which may wait for events that nobody sends, and no deeds, such as `apply` or steps of
//! sagas. A call that timed out is completed by an `info`, and its process is free.
//!
//! Source: Coffman, Elphick and Shoshani, *System Deadlocks*, 1971, of whom nobody is asked for who waits for what: a
//! history does not tell. Cost: O(processes).
//!
//! ```text
//! invoke send a by 0 · invoke send b by 1 · quiescent
//! ```

use lawspeaker_history::Guarantee;

use crate::case::{Found, Line};
use crate::evidence::{Evidence, Waiting};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let Some(rest) = evidence.extent.last_quiescence else {
        let reason = "no `quiescent` says when nothing was under way any more";
        return results.undecided(Guarantee::NoDeadlock, reason);
    };
    results.checked(Anomaly::Deadlock, evidence.names.processes.len(), "caller");
    let waiting: Vec<&Waiting> = evidence.waiting.iter().filter(|call| call.line < rest).collect();
    match waiting.as_slice() {
        [] => {}
        [call] => results.undecided(
            Guarantee::NoDeadlock,
            format!("the call on line {} was never answered, and nobody else waits", call.line),
        ),
        [.., last] if evidence.extent.last_answer > Some(last.line) => results.undecided(
            Guarantee::NoDeadlock,
            format!(
                "{} were never answered while others went on: who made them may be gone",
                explain::counted(waiting.len(), "call"),
            ),
        ),
        waiting => results.add(deadlock(waiting, rest, evidence)),
    }
}

fn deadlock(waiting: &[&Waiting], rest: u64, evidence: &Evidence) -> Found {
    let names = &evidence.names.processes;
    let told: Vec<String> =
        waiting.iter().map(|call| format!("{} (line {})", names[call.process], call.line)).collect();
    let sentence = format!(
        "processes {} wait for answers that never came, and nothing was under way any more (line {rest})",
        explain::list(&told),
    );
    let said =
        |call: &&Waiting| format!("process {} began a call that was never answered", names[call.process]);
    let mut lines: Vec<Line> =
        waiting.iter().map(|call| Line { line: call.line, said: said(call) }).collect();
    lines.push(Line { line: rest, said: "nothing was under way any more".to_owned() });
    Found::new(Anomaly::Deadlock, sentence, lines)
}
