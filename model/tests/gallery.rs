//! Every guard is needed: removed, it breaks what it is named for, in a shortest trace that is kept as a snapshot.

use lawspeaker_model::catalogue::{Entry, MODELS, Preset, Request};
use lawspeaker_model::engine::{Limits, Options, Signal};
use lawspeaker_model::matrix::Matrix;
use lawspeaker_model::report::{Outcome, Report, counterexample_text};

fn check(entry: &Entry, request: &Request) -> Report {
    entry.check(request, &mut |_| Signal::Continue).expect("the request names what there is")
}

fn no_deeper_than(steps: usize) -> Options {
    Options { limits: Limits { max_depth: Some(steps), ..Limits::default() }, ..Options::default() }
}

/// Explores no deeper than the violation asked for; the matrix has explored everything.
fn show(entry: &Entry, guard: &str, steps: usize) -> String {
    let without = vec![guard.to_owned()];
    let report = check(entry, &Request { without, options: no_deeper_than(steps + 1), ..Request::default() });
    counterexample_text(&report.counterexamples[0])
}

#[test]
fn every_guard_is_needed_and_every_guarantee_falls() {
    for entry in MODELS {
        let matrix =
            Matrix::compute(entry, Preset::Small, &[], Options::default(), &mut |_| Signal::Continue)
                .unwrap();
        insta::assert_snapshot!(format!("{}-guards", entry.name), matrix.text());
        assert_eq!(matrix.outcome(), Outcome::Holds);
        assert!(matrix.rows.iter().all(|row| row.is_complete));
        for row in &matrix.rows {
            let steps = row.broken_in[&row.upholds];
            assert!(steps <= 12, "{} takes {steps} steps: too many to follow", row.guard);
            let name = format!("{}-without-{}", entry.name, row.guard);
            insta::assert_snapshot!(name, show(entry, row.guard, steps));
        }
    }
}

#[test]
fn without_retry_an_event_is_unacknowledged_for_ever() {
    let entry = lawspeaker_model::catalogue::model("partition-log").expect("the catalogue has it");
    let report = check(entry, &Request { without: vec!["retry".to_owned()], ..Request::default() });
    let forever = report.counterexamples.iter().find(|found| found.repeats_after.is_some());
    insta::assert_snapshot!(counterexample_text(forever.expect("the promise of the end is broken")));
}

#[test]
fn a_producer_that_the_broker_forgot_retries_for_ever() {
    let entry = lawspeaker_model::catalogue::model("partition-log").expect("the catalogue has it");
    let report =
        check(entry, &Request { without: vec!["keep-producer-state".to_owned()], ..Request::default() });
    let forever = report.counterexamples.iter().find(|found| found.repeats_after.is_some());
    insta::assert_snapshot!(counterexample_text(forever.expect("the promise of the end is broken")));
}

#[test]
fn a_masked_guard_alone_upholds_its_guarantee_when_the_mask_is_off() {
    let mut count = 0;
    for entry in MODELS {
        for guard in entry.guards {
            let Some(mask) = &guard.mask else { continue };
            count += 1;
            let settings: Vec<_> =
                mask.settings.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
            let masks = mask.guards.iter().map(|guard| guard.name.to_owned());
            let upheld = check(entry, &Request { without: masks.collect(), settings, ..Request::default() });
            assert!(upheld.explored.is_complete);
            let breaks =
                |report: &Report| report.counterexamples.iter().any(|c| c.guarantee == guard.upholds);
            assert!(!breaks(&upheld), "{} does not uphold {} alone", guard.name, guard.upholds);
            let removed = Request { without: vec![guard.name.to_owned()], ..Request::default() };
            assert!(breaks(&check(entry, &removed)), "{} is not needed", guard.name);
        }
    }
    assert_eq!(count, 1);
}

#[test]
fn every_step_that_is_blamed_exists_and_every_counterexample_is_told_whole() {
    for entry in MODELS {
        for guard in entry.guards {
            let (without, options) = (vec![guard.name.to_owned()], no_deeper_than(13));
            let report = check(entry, &Request { without, options, ..Request::default() });
            let first = &report.counterexamples[0];
            assert_eq!(first.guarantee, guard.upholds);
            let blame = first.blame.as_ref().expect("the guard that was removed is to blame");
            assert_eq!(blame.guard, guard.name);
            assert!((1..=first.steps.len() + 1).contains(&blame.step));
            assert!(first.steps.iter().all(|step| !step.who.is_empty() && !step.what.is_empty()));
        }
    }
}
