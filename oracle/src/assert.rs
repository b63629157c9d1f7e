//! Assertions for tests: a history conforms, or shows an anomaly; a failing one panics with the whole report.
//!
//! ```
//! use lawspeaker_history::{Call, History, Offset, Op, OpType, Partition, Sent};
//! use lawspeaker_oracle::assert_conforms;
//!
//! let sent = Sent { partition: Partition::new("orders", 0), offset: Some(Offset::of(0)), event: "a".into() };
//! let read = r#"{"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}"#;
//! let mut ops = vec![Op::new(0, OpType::Ok, Call::Send(vec![sent]))];
//! ops.extend(History::read(read.as_bytes())?.ops);
//! assert_conforms(&History::of(ops), "kafka");
//! # Ok::<(), lawspeaker_history::ReadError>(())
//! ```
//!
//! Cost: that of [`judge`](crate::judge()).

use lawspeaker_history::History;

use crate::{Anomaly, Judge, Outcome, Profile, Verdict, report};

/// Asserts that `history` keeps what the profile of this name promises, on some evidence, and returns the verdict for
/// further questions.
///
/// # Panics
/// With the report, if a guarantee is violated, or if the history decides nothing: a check that rests on nothing is no
/// check. With the names of all profiles, if there is none of this name.
///
/// ```should_panic
/// use lawspeaker_history::History;
///
/// // Nobody sent what was read.
/// let read = r#"{"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[0,"a"]]}]]}
/// {"process":0,"type":"ok","f":"send","value":[["send","orders/0",[1,"b"]]]}"#;
/// lawspeaker_oracle::assert_conforms(&History::read(read.as_bytes()).unwrap(), "kafka");
/// ```
#[track_caller]
pub fn assert_conforms(history: &History, profile: &str) -> Verdict {
    let verdict = judged(history, profile);
    match verdict.outcome {
        Outcome::Conforms => verdict,
        Outcome::Violated => panic!("the history violates what `{profile}` promises\n{}", told(&verdict)),
        Outcome::Inconclusive => panic!("the history decides nothing under `{profile}`\n{}", told(&verdict)),
    }
}

/// Asserts that `history` shows `anomaly` as a violation under the profile of this name, and returns the verdict. For
/// tests that break a system on purpose: a fault that nobody notices is not tested.
///
/// # Panics
/// With the report, if it does not. With the names of all profiles, if there is none of this name.
///
/// ```
/// use lawspeaker_history::History;
/// use lawspeaker_oracle::{Anomaly, assert_finds};
///
/// let text = r#"{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}
/// {"process":0,"type":"ok","f":"send","value":[["send","orders/0",[1,"b"]]]}
/// {"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[1,"b"]]}]]}"#;
/// assert_finds(&History::read(text.as_bytes())?, "kafka", Anomaly::LostWrite);
/// # Ok::<(), lawspeaker_history::ReadError>(())
/// ```
#[track_caller]
pub fn assert_finds(history: &History, profile: &str, anomaly: Anomaly) -> Verdict {
    let verdict = judged(history, profile);
    if !verdict.violations().any(|finding| finding.anomaly == anomaly) {
        panic!("the history shows no `{anomaly}` under `{profile}`\n{}", told(&verdict));
    }
    verdict
}

#[track_caller]
fn judged(history: &History, profile: &str) -> Verdict {
    let profile = match Profile::named(profile) {
        Ok(profile) => profile,
        Err(error) => panic!("{error}"),
    };
    let mut judge = Judge::new(profile);
    judge.header(&history.header);
    history.ops.iter().for_each(|op| judge.observe(op));
    judge.finish()
}

fn told(verdict: &Verdict) -> String {
    report::text(verdict, "history")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = r#"{"process":0,"type":"ok","f":"send","value":[["send","p",[0,"a"]]]}"#;
    const OTHER: &str = r#"{"process":0,"type":"ok","f":"send","value":[["send","p",[1,"b"]]]}"#;
    const READ: &str = r#"{"process":1,"type":"ok","f":"poll","value":[["poll",{"p":[[0,"a"]]}]]}"#;

    /// What an assertion panics with.
    fn panic_of(lines: &[&str], assert: fn(&History) -> Verdict) -> String {
        let history = History::read(lines.join("\n").as_bytes()).expect("the lines can be read");
        let panicked = std::panic::catch_unwind(|| assert(&history)).expect_err("the assertion fails");
        panicked.downcast_ref::<String>().expect("it panics with text").clone()
    }

    #[test]
    fn a_failing_assertion_panics_with_the_report() {
        let text = panic_of(&[OTHER, READ], |history| assert_conforms(history, "kafka"));
        assert!(text.starts_with("the history violates what `kafka` promises\n"), "{text}");
        assert!(text.contains("phantom"), "{text}");
        let text = panic_of(&[SENT, READ], |history| assert_finds(history, "kafka", Anomaly::LostWrite));
        assert!(text.starts_with("the history shows no `lost-write` under `kafka`\n"), "{text}");
    }

    #[test]
    fn a_history_that_decides_nothing_does_not_pass() {
        let text = panic_of(&[SENT], |history| assert_conforms(history, "kafka"));
        assert!(text.starts_with("the history decides nothing under `kafka`\n"), "{text}");
    }

    #[test]
    fn an_unknown_profile_is_told_with_the_known_ones() {
        let text = panic_of(&[SENT, READ], |history| assert_conforms(history, "kafak"));
        assert!(text.contains("kafak") && text.contains("jetstream"), "{text}");
    }
}
