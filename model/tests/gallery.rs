//! Every guard is needed: removed, it breaks what it is named for, in a shortest trace that is kept as a snapshot.

use std::sync::LazyLock;
use std::thread;

use lawspeaker_model::catalogue::{Entry, MODELS, Preset, Request};
use lawspeaker_model::engine::Signal;
use lawspeaker_model::matrix::Matrix;
use lawspeaker_model::report::{Outcome, Report, counterexample_text};

/// What each model comes to without each of its guards, explored to the end: once for all tests, all models at a time.
static WITHOUT_EACH: LazyLock<Vec<(&Entry, Vec<Report>)>> = LazyLock::new(|| {
    thread::scope(|scope| {
        let start = |entry| scope.spawn(move || (entry, without_each(entry)));
        let threads: Vec<_> = MODELS.iter().map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("no check panics")).collect()
    })
});

fn without_each(entry: &Entry) -> Vec<Report> {
    let without = |name: &str| Request { without: vec![name.to_owned()], ..Request::default() };
    entry.guards.iter().map(|guard| check(entry, &without(guard.name))).collect()
}

fn without(model: &str, guard: &str) -> &'static Report {
    let (entry, reports) =
        WITHOUT_EACH.iter().find(|(entry, _)| entry.name == model).expect("the catalogue has it");
    let place = entry.guards.iter().position(|known| known.name == guard).expect("the model has the guard");
    &reports[place]
}

fn check(entry: &Entry, request: &Request) -> Report {
    entry.check(request, &mut |_| Signal::Continue).expect("the request names what there is")
}

#[test]
fn every_guard_is_needed_and_every_guarantee_falls() {
    for (entry, reports) in WITHOUT_EACH.iter() {
        let matrix = Matrix::of_reports(entry, Preset::Small, reports);
        insta::assert_snapshot!(format!("{}-guards", entry.name), matrix.text());
        assert_eq!(matrix.outcome(), Outcome::Holds);
        assert!(matrix.rows.iter().all(|row| row.is_complete));
        for (row, report) in matrix.rows.iter().zip(reports) {
            let steps = row.broken_in[&row.upholds];
            assert!(steps <= 12, "{} takes {steps} steps: too many to follow", row.guard);
            let name = format!("{}-without-{}", entry.name, row.guard);
            insta::assert_snapshot!(name, counterexample_text(&report.counterexamples[0]));
        }
    }
}

/// Each law by itself: that another law of its guarantee falls says nothing of it.
#[test]
fn a_law_that_nothing_breaks_is_told() {
    for (entry, reports) in WITHOUT_EACH.iter() {
        for (place, law) in entry.laws().iter().enumerate() {
            let mut reports = reports.clone();
            reports.iter_mut().for_each(|report| report.laws[place].broken_in = None);
            let matrix = Matrix::of_reports(entry, Preset::Small, &reports);
            let unbroken: Vec<_> = matrix.unbroken_laws().map(|law| law.says).collect();
            assert_eq!((unbroken, matrix.outcome()), (vec![law.says], Outcome::Inconclusive));
            assert!(matrix.text().ends_with(&format!("{}: no guard's removal breaks it\n", law.says)));
        }
    }
}

#[test]
fn without_retry_an_event_is_unacknowledged_for_ever() {
    let report = without("partition-log", "retry");
    let forever = report.counterexamples.iter().find(|found| found.repeats_after.is_some());
    insta::assert_snapshot!(counterexample_text(forever.expect("the promise of the end is broken")));
}

#[test]
fn a_producer_that_the_broker_forgot_retries_for_ever() {
    let report = without("partition-log", "keep-producer-state");
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
            assert!(breaks(without(entry.name, guard.name)), "{} is not needed", guard.name);
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn every_step_that_is_blamed_exists_and_every_counterexample_is_told_whole() {
    for (entry, reports) in WITHOUT_EACH.iter() {
        for (guard, report) in entry.guards.iter().zip(reports) {
            let first = &report.counterexamples[0];
            assert_eq!(first.guarantee, guard.upholds);
            let blame = first.blame.as_ref().expect("the guard that was removed is to blame");
            assert_eq!(blame.guard, guard.name);
            assert!((1..=first.steps.len() + 1).contains(&blame.step));
            assert!(first.steps.iter().all(|step| !step.who.is_empty() && !step.what.is_empty()));
        }
    }
}
