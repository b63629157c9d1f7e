//! Recordings of real systems, judged; `tests/data/histories/recorded/README.md` tells where they come from.
//!
//! The counts were found independently before the oracle saw the files, by a script that only counts.

use lawspeaker_history::Phase;
use lawspeaker_oracle::{Anomaly, Outcome, Profile, Severity, judge, report};

use crate::{data, judge_without, read};

/// File, profile, and what must be found: each anomaly with its number of cases, violations and notes apart.
type Expected = (&'static str, &'static str, &'static [(Anomaly, usize)], &'static [(Anomaly, usize)]);

const RECORDED: &[Expected] = &[
    ("kafka-librdkafka2.16-mock-group", "kafka", &[], &[]),
    ("nats-2.15.1-r1-default-kill9", "jetstream", &[(Anomaly::RedeliveryAfterAck, 2)], &[]),
    (
        "nats-2.15.1-r1-default-powerloss",
        "jetstream",
        &[(Anomaly::LostWrite, 124), (Anomaly::InconsistentOffsets, 124), (Anomaly::NonmonotonicSend, 4)],
        &[],
    ),
    ("postgres-15-outbox-naive", "work-queue", &[(Anomaly::GroupLoss, 71)], &[]),
    ("postgres-15-skiplocked-ok", "work-queue", &[], &[]),
    (
        "rabbitmq-3.10.8-transient-kill9",
        "work-queue",
        &[(Anomaly::GroupLoss, 101), (Anomaly::Unseen, 101)],
        &[],
    ),
    ("redis-7.0.15-aof-everysec-kill9", "redis-streams", &[], &[]),
    (
        "redis-7.0.15-aof-everysec-powerloss",
        "redis-streams",
        &[(Anomaly::LostWrite, 26), (Anomaly::PollSkip, 1)],
        &[(Anomaly::RedeliveryAfterAck, 1)],
    ),
    ("tansu-0.6.0-memory-group", "kafka", &[], &[]),
    (
        "tansu-0.6.0-memory-group-two-owners",
        "kafka",
        &[(Anomaly::DualOwner, 1), (Anomaly::CommitRegression, 1)],
        &[],
    ),
];

#[test]
fn every_recording_is_judged_as_an_independent_count_says() {
    for (file, profile, violations, notes) in RECORDED {
        let history = read(&data().join(format!("recorded/{file}.jsonl.gz")));
        let verdict = judge(&history, Profile::named(profile).unwrap());
        let found = |severity: Severity| {
            let mut found: Vec<(Anomaly, usize)> = verdict
                .findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .map(|finding| (finding.anomaly, finding.count))
                .collect();
            found.sort_unstable_by_key(|(anomaly, _)| *anomaly as usize);
            found
        };
        let sorted = |expected: &[(Anomaly, usize)]| {
            let mut expected = expected.to_vec();
            expected.sort_unstable_by_key(|(anomaly, _)| *anomaly as usize);
            expected
        };
        let text = report::text(&verdict, file);
        assert_eq!(found(Severity::Violation), sorted(violations), "{text}");
        assert_eq!(found(Severity::Note), sorted(notes), "{text}");
        let outcome = if violations.is_empty() { Outcome::Conforms } else { Outcome::Violated };
        assert_eq!(verdict.outcome, outcome, "{text}");
    }
}

#[test]
fn the_profile_of_every_recording_is_guessed_right() {
    for (file, profile, ..) in RECORDED {
        let history = read(&data().join(format!("recorded/{file}.jsonl.gz")));
        assert_eq!(judge_without(&history, &[]).profile, *profile, "{file}");
    }
}

#[test]
fn each_injected_fault_is_one_root_cause() {
    for (file, profile, violations, notes) in RECORDED {
        let history = read(&data().join(format!("recorded/{file}.jsonl.gz")));
        let verdict = judge(&history, Profile::named(profile).unwrap());
        let expected = usize::from(!violations.is_empty()) + notes.len();
        assert_eq!(verdict.roots().count(), expected, "{}", report::text(&verdict, file));
    }
}

#[test]
fn the_readme_beside_the_recordings_tells_the_same_counts() {
    let readme = std::fs::read_to_string(data().join("recorded/README.md")).unwrap();
    for (file, profile, violations, notes) in RECORDED {
        let tell = |all: &[(Anomaly, usize)]| {
            let told: Vec<_> = all.iter().map(|(anomaly, count)| format!("{anomaly} {count}")).collect();
            if told.is_empty() { "none".to_owned() } else { told.join(", ") }
        };
        let row = format!("| `{file}` | {profile} | {} | {} |", tell(violations), tell(notes));
        assert!(readme.contains(&row), "the README lacks the row\n{row}");
    }
}

#[test]
fn a_clean_recording_cut_short_is_not_accused() {
    let clean = RECORDED.iter().filter(|(_, _, violations, _)| violations.is_empty());
    for (file, profile, ..) in clean {
        let mut history = read(&data().join(format!("recorded/{file}.jsonl.gz")));
        let whole = history.ops.len();
        let first_of = |phase| history.ops.iter().position(|op| op.x.phase == Some(phase));
        let phases = [Phase::Drain, Phase::Final].into_iter().filter_map(first_of).map(|place| place + 1);
        let mut cuts: Vec<usize> = (1..8).map(|eighths| whole * eighths / 8).chain(phases).collect();
        cuts.sort_unstable();
        for kept in cuts.into_iter().rev() {
            history.ops.truncate(kept);
            let verdict = judge(&history, Profile::named(profile).unwrap());
            assert_ne!(
                verdict.outcome,
                Outcome::Violated,
                "{kept} of {whole} ops: {}",
                report::text(&verdict, file)
            );
        }
    }
}
