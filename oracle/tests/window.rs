//! Histories judged partition by partition, beside the same histories judged as a whole.

use lawspeaker_history::History;
use lawspeaker_oracle::{Anomaly, Judge, Outcome, Profile, Verdict, WindowError, Windowed, report};

use proptest::prelude::*;

use crate::random::any_history;
use crate::{data, read};

fn whole(history: &History, profile: &Profile) -> Verdict {
    let mut judge = Judge::new(profile.clone());
    judge.header(&history.header);
    history.ops.iter().for_each(|op| judge.observe(op));
    judge.finish()
}

fn windowed(history: &History, profile: &Profile, window: u64) -> Result<Verdict, WindowError> {
    let mut judge = Windowed::new(&history.header, Some(profile.clone()), window)?;
    for op in &history.ops {
        judge.observe(op.clone())?;
    }
    Ok(judge.finish())
}

/// Every history of the corpus, and every recording.
fn all_histories() -> Vec<History> {
    let folders = std::fs::read_dir(data()).expect("the folder can be listed");
    let folders: Vec<_> = folders.map(|folder| folder.expect("it can be listed").path()).collect();
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| [folder.join("conforms"), folder.join("violates"), folder.clone()])
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .map(|file| file.expect("the folder can be listed").path())
        .filter(|path| path.to_string_lossy().contains(".jsonl"))
        .collect();
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

#[test]
fn a_window_that_nothing_leaves_says_what_is_said_of_the_whole() {
    let (mut judged_count, mut refused_count) = (0, 0);
    for history in all_histories() {
        let named = history.header.profile.as_deref().unwrap_or("log-strict");
        let profile = Profile::named(named).expect("it is a profile");
        match windowed(&history, &profile, u64::MAX) {
            Ok(verdict) => {
                judged_count += 1;
                assert_eq!(verdict, whole(&history, &profile), "{:?}", history.header);
            }
            Err(_) => refused_count += 1,
        }
    }
    assert!(judged_count > 100 && refused_count > 20, "{judged_count} judged, {refused_count} refused");
}

const HEADER: &str = r#"{"format":"lawspeaker.history","version":1,"complete":true}"#;

proptest! {
    #[test]
    fn no_history_makes_a_window_panic_and_a_large_one_judges_the_whole(history in any_history(), window in 1..9u64) {
        for profile in Profile::all() {
            if let Ok(same) = windowed(&history, profile, u64::MAX) {
                prop_assert_eq!(same, whole(&history, profile));
            }
            if let Ok(verdict) = windowed(&history, profile, window) {
                prop_assert!(report::text(&verdict, "random").ends_with('\n'));
            }
        }
    }
}

/// A partition that is sent to, and read, for so long.
fn meanwhile(events: usize) -> String {
    let one = |event: usize| {
        format!(
            r#"{{"process":3,"type":"ok","f":"send","value":[["send","b",[{event},"b{event}"]]]}}
{{"process":4,"type":"ok","f":"poll","value":[["poll",{{"b":[[{event},"b{event}"]]}}]]}}
"#
        )
    };
    (0..events).map(one).collect()
}

fn history(text: &str) -> History {
    History::read(text.as_bytes()).expect("it is well-formed")
}

#[test]
fn a_partition_that_comes_back_after_it_was_judged_makes_the_verdict_inconclusive() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"a":[[0,1]]}}]]}}
{}{{"process":2,"type":"ok","f":"poll","value":[["poll",{{"a":[[0,1]]}}]]}}"#,
        meanwhile(50)
    ));
    let profile = Profile::named("kafka").expect("it is a profile");
    assert_eq!(whole(&history, &profile).outcome, Outcome::Conforms);
    assert_eq!(windowed(&history, &profile, 200).expect("no ties").outcome, Outcome::Conforms);
    let verdict = windowed(&history, &profile, 20).expect("no ties");
    // The event was sent before anything that is still known of the partition, which proves nothing.
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    assert!(report::text(&verdict, "-").contains("a larger --window would tell"));
}

#[test]
fn what_may_have_been_sent_to_a_topic_that_was_judged_is_held_against_nobody() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":0,"type":"invoke","f":"send","value":[["send","orders",1]]}}
{{"process":0,"type":"info","f":"send","value":[["send","orders",1]]}}
{}{{"process":2,"type":"ok","f":"poll","value":[["poll",{{"orders/3":[[0,1]]}}]]}}"#,
        meanwhile(50)
    ));
    let profile = Profile::named("kafka").expect("it is a profile");
    assert_eq!(windowed(&history, &profile, 200).expect("no ties").outcome, Outcome::Conforms);
    assert_eq!(windowed(&history, &profile, 20).expect("no ties").outcome, Outcome::Inconclusive);
}

#[test]
fn what_comes_from_another_partition_than_one_that_was_judged_is_a_phantom_at_most_as_bad_as_misrouted() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}}
{{"process":1,"type":"ok","f":"receive","value":{{"a":[[0,1]]}}}}
{}{{"process":0,"type":"ok","f":"send","value":[["send","c",[0,2]]]}}
{{"process":2,"type":"ok","f":"receive","value":{{"c":[[0,2],[1,1]]}}}}"#,
        meanwhile(50)
    ));
    for (profile, is_violated) in [("work-queue", false), ("kafka", true)] {
        let profile = Profile::named(profile).expect("it is a profile");
        let (whole, windowed) =
            (whole(&history, &profile), windowed(&history, &profile, 20).expect("no ties"));
        assert_eq!(whole.outcome == Outcome::Violated, is_violated, "{}", report::text(&whole, "-"));
        assert_eq!(windowed.outcome == Outcome::Violated, is_violated, "{}", report::text(&windowed, "-"));
        assert_eq!((whole.count(Anomaly::Misrouted), windowed.count(Anomaly::Phantom)), (1, 1));
        assert!(report::text(&windowed, "-").contains("a phantom may be an event that was sent there"));
    }
}

#[test]
fn no_partition_of_a_transaction_under_way_is_over() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":0,"type":"ok","f":"begin","value":null}}
{{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}}
{}{{"process":0,"type":"ok","f":"send","value":[["send","c",[0,2]]]}}
{{"process":0,"type":"ok","f":"abort-txn","value":null}}
{{"process":5,"type":"ok","f":"send","value":[["send","c",[1,3]]]}}
{{"process":6,"type":"ok","f":"poll","value":[["poll",{{"c":[[1,3]]}}]]}}"#,
        meanwhile(10).replace("\"b", "\"d") + &meanwhile(50),
    ));
    let profile = Profile::named("kafka-transactions").expect("it is a profile");
    for verdict in [whole(&history, &profile), windowed(&history, &profile, 20).expect("no ties")] {
        assert_eq!(verdict.outcome, Outcome::Conforms, "{}", report::text(&verdict, "-"));
    }
}

#[test]
fn what_was_put_aside_elsewhere_is_no_loss() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}}
{{"process":1,"type":"ok","f":"receive","value":{{"a":[[0,1]]}},"x":{{"group":"g"}}}}
{{"process":1,"type":"ok","f":"reject","value":[["a",0,1]],"x":{{"group":"g"}}}}
{}{{"process":"broker","type":"ok","f":"dead-letter","value":[["dead",null,1]]}}
{}"#,
        meanwhile(5).replace("\"b", "\"d"),
        meanwhile(50),
    ));
    let profile = Profile::named("rabbitmq-classic").expect("it is a profile");
    for verdict in [whole(&history, &profile), windowed(&history, &profile, 20).expect("no ties")] {
        assert_eq!(verdict.count(Anomaly::DlqLoss), 0, "{}", report::text(&verdict, "-"));
        assert!(verdict.checked.iter().any(|checked| checked.anomaly == Anomaly::DlqLoss));
    }
}

#[test]
fn what_a_member_was_given_long_ago_is_still_its_own() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":1,"type":"ok","f":"assign","value":["a"],"x":{{"group":"g"}}}}
{{"process":1,"type":"ok","f":"assign","value":["c"],"x":{{"group":"g"}}}}
{}{}{{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"a":[[0,1]]}}]],"x":{{"group":"g"}}}}"#,
        meanwhile(10).replace("\"b", "\"d"),
        meanwhile(50),
    ));
    let profile = Profile::named("kafka").expect("it is a profile");
    for window in [200, 20] {
        let verdict = windowed(&history, &profile, window).expect("no ties");
        assert!(verdict.checked.iter().any(|checked| checked.anomaly == Anomaly::ForeignDelivery));
        assert_eq!(verdict.outcome, Outcome::Conforms, "{}", report::text(&verdict, "-"));
    }
}

#[test]
fn what_a_window_cannot_judge_is_refused_in_words() {
    let refused = |text: &str, profile: Option<&str>| {
        let history = history(text);
        let profile = profile.map(|name| Profile::named(name).expect("it is a profile"));
        let judge = Windowed::new(&history.header, profile, 10);
        let refused =
            judge.and_then(|mut judge| history.ops.into_iter().try_for_each(|op| judge.observe(op)));
        refused.expect_err("it is refused").to_string()
    };
    let send = r#"{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}"#;
    let step = r#"{"process":0,"type":"ok","f":"saga.step","value":{"saga":"s","step":"pay"}}"#;
    assert_eq!(
        [
            refused(send, None),
            refused(send, Some("causal-broadcast")),
            refused(send, Some("event-store")),
            refused(&format!("{send}\n{step}"), Some("kafka")),
        ],
        [
            "a window needs a profile before the first op: name one with --profile, or in the header",
            "the profile `causal-broadcast` promises causal delivery, which no partition shows by itself: judge without a \
             window",
            "the profile `event-store` promises something of streams, which no partition shows by itself: judge without a \
             window",
            "line 2: `saga.step` is of no partition, and a window forgets by partitions: judge without a window",
        ]
    );
}

/// Two partitions, of which a transaction sends to both, loses one event, and is committed; then others.
#[test]
fn what_a_transaction_ties_together_is_judged_together() {
    let history = history(&format!(
        r#"{HEADER}
{{"process":0,"type":"ok","f":"begin","value":null}}
{{"process":0,"type":"ok","f":"send","value":[["send","a",[0,1]]]}}
{{"process":0,"type":"ok","f":"send","value":[["send","c",[0,2]]]}}
{{"process":0,"type":"ok","f":"commit-txn","value":null}}
{{"process":0,"type":"ok","f":"send","value":[["send","c",[1,3]]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"a":[[0,1]]}}]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"c":[[1,3]]}}]]}}
{}"#,
        meanwhile(50)
    ));
    let profile = Profile::named("kafka-transactions").expect("it is a profile");
    let (whole, windowed) = (whole(&history, &profile), windowed(&history, &profile, 20).expect("no ties"));
    let sentences = |verdict: &Verdict| -> Vec<String> {
        verdict.violations().map(|finding| finding.summary.clone()).collect()
    };
    assert_eq!(sentences(&windowed), sentences(&whole));
    assert_eq!(whole.count(Anomaly::TornTransaction), 1, "{}", report::text(&whole, "-"));
}
