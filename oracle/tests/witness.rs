//! Witnesses: each violates, and no call of it can be left out.

use std::cell::Cell;
use std::path::PathBuf;

use lawspeaker_history::{Call, EventId, History, Op, OpType};
use lawspeaker_oracle::witness::{Limits, SOURCE_LINE, Witness, source_line, witness};
use lawspeaker_oracle::{Finding, Profile, Verdict, judge};

use crate::{data, judge_without, read};

/// The verdict on a history under the profile that was chosen for it, and the witness of every root of it.
fn witnesses(history: &History) -> (Verdict, Vec<Witness>) {
    let verdict = judge_without(history, &[]);
    let again = |part: &History| judge(part, Profile::named(&verdict.profile).expect("it was chosen"));
    let of = |finding| witness(history, finding, &again, Limits::default(), &|| true);
    let witnesses = verdict.roots().map(of).collect();
    (verdict, witnesses)
}

/// Whether a history, judged as its header asks, shows the anomaly of `finding` on events that suffered in its first
/// case: asked anew, from what is public, and not as the search does it.
fn shows(history: &History, finding: &Finding) -> bool {
    let first = &finding.cases[0];
    let verdict = judge_without(history, &[]);
    let mut cases = verdict
        .of(finding.anomaly)
        .filter(|other| other.severity <= finding.severity && other.group == finding.group)
        .flat_map(|other| &other.cases)
        .filter(|case| {
            (&case.partition, &case.process, &case.saga) == (&first.partition, &first.process, &first.saga)
        });
    cases.any(|case| {
        let events = case.events.iter().all(|event| first.events.contains(event));
        let steps = case.steps.iter().all(|step| first.steps.contains(step));
        let is_of_none = first.events.is_empty() && first.steps.is_empty();
        events
            && steps
            && case.events.is_empty() == first.events.is_empty()
            && case.steps.is_empty() == first.steps.is_empty()
            && (!is_of_none || case.offset == first.offset)
    })
}

/// `history` without the op at `place` and, unless another completion shares it, its invocation.
fn without(history: &History, place: usize) -> History {
    let is_of = |other: &Op| other.process == history.ops[place].process;
    let mut gone = vec![place];
    let invoked = history.ops[..place].iter().rposition(|op| is_of(op) && op.op_type == OpType::Invoke);
    if let (Some(invoked), true) = (invoked, history.ops[place].op_type != OpType::Invoke) {
        let rest = &history.ops[invoked + 1..];
        let end = rest.iter().position(|op| is_of(op) && op.op_type == OpType::Invoke).unwrap_or(rest.len());
        let completions: Vec<_> = rest[..end]
            .iter()
            .filter(|op| is_of(op) && op.call.f() == history.ops[invoked].call.f())
            .collect();
        let is_its = completions.iter().any(|op| op.index == history.ops[place].index);
        if is_its && completions.len() == 1 {
            gone.push(invoked);
        }
    }
    let ops = history.ops.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, op)| op.clone());
    History { header: history.header.clone(), ops: History::of(ops).ops }
}

/// Every completion, and every invocation that nothing completes.
fn calls(history: &History) -> impl Iterator<Item = usize> {
    let is_call = |place: &usize| {
        let op = &history.ops[*place];
        let next = history.ops[place + 1..].iter().find(|other| other.process == op.process);
        op.op_type != OpType::Invoke
            || next.is_none_or(|next| next.op_type == OpType::Invoke || next.call.f() != op.call.f())
    };
    (0..history.ops.len()).filter(is_call)
}

/// The events of a send.
fn sent(op: &Op) -> Vec<&EventId> {
    if let Call::Send(all) = &op.call { all.iter().map(|sent| &sent.event).collect() } else { Vec::new() }
}

/// Whether another process sends an event of the call at `place` too: such sends stay together.
fn is_sent_again(history: &History, place: usize) -> bool {
    let op = &history.ops[place];
    let others = history.ops.iter().filter(|other| other.process != op.process);
    others.flat_map(sent).any(|event| sent(op).contains(&event))
}

fn violating() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(data()).expect("the corpus is there").flatten() {
        let Ok(files) = std::fs::read_dir(folder.path().join("violates")) else { continue };
        found.extend(files.flatten().map(|file| file.path()));
    }
    found.sort();
    found
}

#[test]
fn each_witness_violates_and_without_any_one_call_of_it_no_longer_does() {
    let mut count = 0;
    for path in violating() {
        let history = read(&path);
        let (verdict, witnesses) = witnesses(&history);
        for witness in &witnesses {
            let what = format!("{}: {}", path.display(), witness.anomaly);
            let finding = verdict.finding(witness.finding).expect("it is of a finding");
            assert!(witness.is_minimal, "{what}");
            assert!(shows(&witness.history, finding), "{what}: {:#?}", witness.history);
            for call in calls(&witness.history) {
                let less = without(&witness.history, call);
                let is_needed = is_sent_again(&witness.history, call) || !shows(&less, finding);
                assert!(is_needed, "{what}: the call at {call} is not needed");
            }
            count += 1;
        }
    }
    assert!(count > 60, "{count} witnesses");
}

/// Between the first send of `a` and the second, `c` was acknowledged above it: against that one the first excuses.
#[test]
fn a_witness_holds_every_send_of_an_event_or_none() {
    let text = r#"{"format":"lawspeaker.history","version":1,"profile":"kafka"}
{"process":1,"type":"ok","f":"send","value":[["send","t/0",[5,"b"]]]}
{"process":0,"type":"invoke","f":"send","value":[["send","t/0","a"]]}
{"process":0,"type":"info","f":"send","value":[["send","t/0","a"]]}
{"process":1,"type":"ok","f":"send","value":[["send","t/0",[6,"c"]]]}
{"process":2,"type":"invoke","f":"send","value":[["send","t/0","a"]]}
{"process":2,"type":"ok","f":"send","value":[["send","t/0",[0,"a"]]]}"#;
    let (_, witnesses) = witnesses(&History::read(text.as_bytes()).expect("it is well-formed"));
    assert_eq!(witnesses[0].anomaly.name(), "offset-regression");
    assert_eq!(witnesses[0].source_lines(), [2, 3, 4, 6, 7]);
}

#[test]
fn the_witness_of_a_power_loss_is_a_handful_of_lines_of_thousands() {
    let history = read(&data().join("recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz"));
    let (verdict, witnesses) = witnesses(&history);
    assert!(history.ops.len() > 1_000);
    let witness = &witnesses[0];
    assert!(witness.is_minimal && witness.call_count() <= 4, "{witness:#?}");
    assert!(witness.runs < 100, "{} judgements", witness.runs);
    assert!(shows(&witness.history, &verdict.findings[0]));
    // Each op stands as it was on the line that it names.
    for op in &witness.history.ops {
        let original =
            history.ops.iter().find(|other| other.line == source_line(op)).expect("the line is there");
        assert_eq!(
            (&original.call, &original.process, original.time_ns),
            (&op.call, &op.process, op.time_ns)
        );
    }
}

#[test]
fn a_witness_is_a_history_that_reads_back_and_a_witness_of_it_names_the_same_lines() {
    let history = read(&data().join("durability/violates/lost-write.jsonl"));
    let (_, first) = witnesses(&history);
    let mut bytes = Vec::new();
    lawspeaker_history::write_jsonl(&mut bytes, &first[0].history).expect("memory can be written");
    let read_back = History::read(bytes.as_slice()).expect("it is a history");
    assert_eq!(read_back.header.profile, Some(judge_without(&history, &[]).profile));
    let (_, again) = witnesses(&read_back);
    assert_eq!(again[0].source_lines(), first[0].source_lines());
    assert!(read_back.ops.iter().all(|op| op.x.rest.contains_key(SOURCE_LINE)));
}

#[test]
fn a_search_that_is_cut_short_says_so_and_still_violates() {
    let history = read(&data().join("recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz"));
    let verdict = judge_without(&history, &[]);
    let finding = &verdict.findings[0];
    let again = |part: &History| judge(part, Profile::named(&verdict.profile).expect("it was chosen"));
    for max_runs in 0..4 {
        let cut = witness(&history, finding, &again, Limits { max_runs }, &|| true);
        assert!(cut.runs <= max_runs && shows(&cut.history, finding), "{max_runs}");
        assert!(!cut.is_minimal, "{max_runs}");
    }
    let asked = Cell::new(0);
    let go_on = || {
        asked.set(asked.get() + 1);
        asked.get() <= 2
    };
    let stopped = witness(&history, finding, &again, Limits::default(), &go_on);
    assert!(!stopped.is_minimal && stopped.runs <= 2 && shows(&stopped.history, finding));
}

#[test]
fn a_large_history_takes_few_judgements_because_the_finding_says_where_to_look() {
    let send = |n: usize| {
        let text = format!(
            r#"{{"process":0,"type":"ok","f":"send","value":[["send","p",[{n},"e{n}"]]]}}
{{"process":1,"type":"ok","f":"poll","value":[["poll",{{"p":[[{n},"e{n}"]]}}]]}}
"#
        );
        if n == 10_000 { text.lines().next().expect("there are two").to_owned() + "\n" } else { text }
    };
    let history =
        History::read((0..20_000).map(send).collect::<String>().as_bytes()).expect("it is well-formed");
    let (verdict, witnesses) = witnesses(&history);
    assert_eq!(verdict.findings[0].anomaly.name(), "lost-write");
    // The send that nobody read, and the poll that came furthest.
    assert_eq!(witnesses[0].source_lines(), [20_001, 39_999]);
    assert!(witnesses[0].runs < 10, "{} judgements", witnesses[0].runs);
    assert!(matches!(witnesses[0].history.ops[1].call, Call::Poll(_)));
}
