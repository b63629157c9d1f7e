//! Saga termination: every saga ends.
//!
//! * `stuck-saga`: a saga surely began, nothing was under way any more, and nothing says that it may have ended.
//!
//! Liveness: only a history that says when nothing was under way any more can show it, by a `quiescent` after the last
//! line of the saga or by a header that says that the recording is complete.
//! Source: Garcia-Molina and Salem, *Sagas*, 1987. Cost: O(ops of sagas).
//!
//! ```text
//! start s1 ok · step a of s1 ok · quiescent
//! ```

use lawspeaker_history::{Guarantee, SagaOutcome};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Act, Evidence, Saga};
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let (mut judged_count, mut open_count) = (0, 0);
    for saga in &evidence.sagas.all {
        let Some(beginning) = saga.beginning() else { continue };
        let may_have_ended = [SagaOutcome::Committed, SagaOutcome::Aborted]
            .into_iter()
            .any(|outcome| saga.may_have_ended(outcome));
        if !may_have_ended && !evidence.extent.is_at_rest_after(saga.last_line) {
            open_count += 1;
            continue;
        }
        judged_count += 1;
        if !may_have_ended {
            results.add(stuck(saga, beginning, evidence));
        }
    }
    results.checked(Anomaly::StuckSaga, judged_count, "saga");
    if open_count > 0 {
        results.undecided(
            Guarantee::SagaTermination,
            format!(
                "{} had not ended, and neither a `quiescent` after its last line nor the header says that nothing was \
                 under way any more",
                explain::counted(open_count, "saga"),
            ),
        );
    }
}

fn stuck(saga: &Saga, beginning: &Act, evidence: &Evidence) -> Found {
    let name = &evidence.names.sagas[saga.key];
    let last = saga.done().max_by_key(|act| act.line).filter(|act| act.line > beginning.line);
    let last_line = last.map_or_else(String::new, |act| format!(", did its last on line {}", act.line));
    let rest = explain::at_rest_after(saga.last_line, evidence);
    let sentence =
        format!("saga {name} began (line {}){last_line}, and had not ended {rest}", beginning.line);
    let lines = explain::saga::acts([beginning].into_iter().chain(last), evidence);
    Found::new(Anomaly::StuckSaga, sentence, lines).of_saga(saga.key, [])
}
