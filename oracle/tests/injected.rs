//! Faults put into correct histories: each is named, as a root cause, and next to nothing else is.
//!
//! A history is made of lanes, each a partition or a queue with whoever uses it, whose ops are mixed at random.
//! A *primary finding* is a case of a finding that follows from no other and is a violation; a fault is *found* if a
//! primary finding has the anomaly that names the fault and one of the fault's events, or, where a fault is no event's
//! but a group's, one of its lines.
//!
//! `LAWSPEAKER_BLESS=1 cargo test -p lawspeaker-oracle injected` writes `docs/oracle-accuracy.md` anew.

mod faults;
#[path = "../../tests/generated/mod.rs"]
mod generated;
mod log;
mod queue;
mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use lawspeaker_history::{EventId, Guarantee, History, Limits, Op};
use lawspeaker_oracle::{
    Anomaly, Case, Finding, Judge, Outcome, Profile, Severity, Subject, Verdict, Windowed, judge, report,
};

use faults::{FAULTS, Fault, Inject};
use generated::generated;
use log::LogLane;
use queue::QueueLane;
use random::Random;

use crate::checked;

/// How often a queue may deliver an event.
const MAX_DELIVERIES: u64 = 3;
/// How many faults are put into one history.
const COUNTS: [usize; 3] = [5, 50, 500];
/// About how many ops there are where few faults are put in; the larger histories have up to 16,000.
const OPS: usize = 2_000;
const LANES: usize = 4;
/// How many cases there may be for a hundred faults.
const PRIMARY_PERCENT: usize = 105;

/// A fault that was put in.
struct Injected {
    fault: usize,
    events: Vec<EventId>,
    lane: usize,
    /// The ops of it in its lane.
    ops: std::ops::Range<usize>,
}

enum Lane {
    Log(Box<LogLane>),
    Queue(QueueLane),
}

impl Lane {
    fn new(is_log: bool, number: usize, seed: u64) -> Self {
        let random = Random::new(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        let number = number as i64;
        if is_log {
            Lane::Log(Box::new(LogLane::new(number, random)))
        } else {
            Lane::Queue(QueueLane::new(number, random))
        }
    }

    fn ops(&mut self) -> &mut Vec<Op> {
        match self {
            Lane::Log(lane) => &mut lane.ops,
            Lane::Queue(lane) => &mut lane.ops,
        }
    }

    fn run_correctly(&mut self) {
        match self {
            Lane::Log(lane) => lane.run_correctly(),
            Lane::Queue(lane) => lane.run_correctly(),
        }
    }

    /// Puts a fault in, and lets everybody go on after it.
    fn inject(&mut self, fault: &Fault) -> Vec<EventId> {
        match (self, &fault.inject) {
            (Lane::Log(lane), Inject::Log(inject)) => {
                let events = inject(lane);
                lane.consume();
                // What comes after it is in order.
                lane.send(0);
                lane.send(1);
                lane.consume();
                lane.read_on();
                events
            }
            (Lane::Queue(lane), Inject::Queue(inject)) => inject(lane),
            _ => unreachable!("a fault is put into a lane of its kind"),
        }
    }

    fn finish(&mut self) -> Vec<Op> {
        match self {
            Lane::Log(lane) => lane.finish(),
            Lane::Queue(_) => Vec::new(),
        }
    }
}

/// A fault, with the events and lines of the mixed history that are its own.
struct Own {
    fault: usize,
    events: BTreeSet<EventId>,
    lines: BTreeSet<u64>,
}

impl Own {
    fn has(&self, case: &Case) -> bool {
        if self.events.is_empty() {
            case.lines.iter().any(|line| self.lines.contains(&line.line))
        } else {
            case.events.iter().any(|event| self.events.contains(event))
        }
    }
}

/// A history and the faults in it.
struct Run {
    history: History,
    injected: Vec<Own>,
}

/// A run with these faults, in this order, spread over the lanes.
fn run(kinds: &[usize], is_log: bool, seed: u64) -> Run {
    run_in_lanes(0, kinds, is_log, seed)
}

/// The same, in lanes from this number on: runs in different lanes share no name.
fn run_in_lanes(first: usize, kinds: &[usize], is_log: bool, seed: u64) -> Run {
    let mut random = Random::new(seed);
    let mut lanes: Vec<Lane> = (first..first + LANES).map(|number| Lane::new(is_log, number, seed)).collect();
    let mut injected = Vec::new();
    let per_fault =
        (OPS / 40).checked_div(kinds.len()).unwrap_or(0).max(usize::from(kinds.is_empty()) * OPS / 40);
    for kind in kinds {
        for _ in 0..per_fault {
            lanes[random.below(LANES as u64) as usize].run_correctly();
        }
        let lane = random.below(LANES as u64) as usize;
        if random.one_in(4) {
            lanes[lane].run_correctly();
        }
        let first = lanes[lane].ops().len();
        let events = lanes[lane].inject(&FAULTS[*kind]);
        let ops = first..lanes[lane].ops().len();
        injected.push(Injected { fault: *kind, events, lane, ops });
    }
    if kinds.is_empty() {
        (0..per_fault).for_each(|place| lanes[place % LANES].run_correctly());
    }
    lanes.iter_mut().for_each(Lane::run_correctly);
    let finals: Vec<Op> = lanes.iter_mut().flat_map(Lane::finish).collect();
    mix(lanes, finals, injected, random)
}

/// Mixes the lanes at random; the ops of each stay in order, and the final reads come last.
fn mix(mut lanes: Vec<Lane>, finals: Vec<Op>, injected: Vec<Injected>, mut random: Random) -> Run {
    let mut queues: Vec<std::vec::IntoIter<Op>> =
        lanes.iter_mut().map(|lane| std::mem::take(lane.ops()).into_iter()).collect();
    let mut lines: Vec<Vec<u64>> = vec![Vec::new(); queues.len()];
    let mut ops = Vec::new();
    while queues.iter().any(|queue| queue.len() > 0) {
        let open: Vec<usize> = (0..queues.len()).filter(|lane| queues[*lane].len() > 0).collect();
        let lane = open[random.below(open.len() as u64) as usize];
        let burst = 1 + random.below(6) as usize;
        for op in queues[lane].by_ref().take(burst) {
            lines[lane].push(ops.len() as u64 + 1);
            ops.push(op);
        }
    }
    ops.extend(finals);
    for (place, op) in ops.iter_mut().enumerate() {
        op.time_ns = Some(place as u64 * 1_000_000);
    }
    let own = |injected: Injected| {
        let lines = lines[injected.lane][injected.ops].iter().copied().collect();
        Own { fault: injected.fault, events: injected.events.into_iter().collect(), lines }
    };
    Run { history: History::of(ops), injected: injected.into_iter().map(own).collect() }
}

fn verdict(run: &mut Run, profile: &str) -> Verdict {
    let is_queue = !run.history.ops.iter().any(Op::is_final);
    run.history.header.complete = is_queue.then_some(true);
    run.history.header.limits = Limits { ack_wait_ms: Some(3_600_000), max_deliveries: Some(MAX_DELIVERIES) };
    judge(&run.history, Profile::named(profile).expect("it is a profile"))
}

fn roots(verdict: &Verdict) -> impl Iterator<Item = &Finding> {
    verdict.findings.iter().filter(|of| of.caused_by.is_none() && of.severity == Severity::Violation)
}

/// The faults that no root of their own kind names.
fn missed(run: &Run, verdict: &Verdict) -> Vec<String> {
    let mut by_anomaly: BTreeMap<Anomaly, Vec<&Case>> = BTreeMap::new();
    for finding in roots(verdict) {
        by_anomaly.entry(finding.anomaly).or_default().extend(&finding.cases);
    }
    let is_missed = |injected: &&Own| {
        let cases = by_anomaly.get(&FAULTS[injected.fault].root);
        !cases.is_some_and(|cases| cases.iter().any(|case| injected.has(case)))
    };
    let told = |injected: &Own| {
        format!("{}: {:?}, lines {:?}", FAULTS[injected.fault].says, injected.events, injected.lines)
    };
    run.injected.iter().filter(is_missed).map(told).collect()
}

/// What was listed under the roots, and how often.
fn listed(verdict: &Verdict) -> BTreeMap<Anomaly, usize> {
    let mut listed = BTreeMap::new();
    for finding in verdict.violations().filter(|finding| finding.caused_by.is_some()) {
        *listed.entry(finding.anomaly).or_default() += finding.count;
    }
    listed
}

fn is_log(fault: &Fault) -> bool {
    matches!(fault.inject, Inject::Log(_))
}

/// One row of the table, and what is wrong with it.
fn measure(kind: usize, count: usize) -> (String, Option<String>) {
    let fault = &FAULTS[kind];
    let mut run = run(&vec![kind; count], is_log(fault), (kind * 1_000 + count) as u64);
    let verdict = verdict(&mut run, fault.profile);
    let found = count - missed(&run, &verdict).len();
    let primary: usize = roots(&verdict).map(|finding| finding.count).sum();
    let listed = listed(&verdict);
    let total: usize = listed.values().sum();
    let names: Vec<String> = listed.keys().map(|anomaly| format!("`{anomaly}`")).collect();
    let row = format!(
        "| {} | `{}` | {} | {count} | {found} | {primary} | {total} | {} |",
        fault.says,
        fault.root,
        run.history.ops.len(),
        names.join(", "),
    );
    let is_good = found == count && primary * 100 <= count * PRIMARY_PERCENT;
    (row, (!is_good).then(|| summary(&verdict)))
}

fn summary(verdict: &Verdict) -> String {
    let line = |finding: &Finding| {
        let cause = finding.caused_by.and_then(|id| verdict.finding(id));
        let under = cause.map_or_else(String::new, |cause| format!(" under {}", cause.anomaly));
        let note = if finding.severity == Severity::Note { "note: " } else { "" };
        format!("{note}{} × {}{under}: {}", finding.count, finding.anomaly, finding.summary)
    };
    verdict.findings.iter().map(line).collect::<Vec<_>>().join("\n  ")
}

#[test]
fn every_injected_fault_is_a_root_cause_and_next_to_nothing_else_is() {
    let rows: Vec<(usize, usize)> =
        (0..FAULTS.len()).flat_map(|kind| COUNTS.map(|count| (kind, count))).collect();
    let (mut table, mut wrong) = (String::new(), String::new());
    for (row, problem) in in_parallel(&rows, |(kind, count)| measure(*kind, *count)) {
        let _ = writeln!(table, "{row}");
        if let Some(problem) = problem {
            let _ = writeln!(wrong, "{row}\n  {problem}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let head = "| fault | named | ops | injected | found | primary | listed under them | as |\n|---|---|---|---|---|---|---|---|\n";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/oracle-accuracy.md");
    generated(&page, "injected", &format!("{head}{table}"), "cargo test -p lawspeaker-oracle injected");
}

/// Two faults of each kind, and nothing of what is said of them may change unseen.
#[test]
fn what_is_said_of_each_fault_is_what_was_reviewed() {
    let mut said = String::new();
    for (is_log, profile) in [(true, "log-strict"), (false, "jetstream")] {
        let verdict = verdict(&mut run(&[], is_log, 0), profile);
        let _ = writeln!(said, "nothing: {profile}\n  checked: {}\n", checked(&verdict));
    }
    for (kind, fault) in FAULTS.iter().enumerate() {
        let verdict = verdict(&mut run(&[kind; 2], is_log(fault), 0), fault.profile);
        let _ = writeln!(said, "{}\n  {}\n", fault.says, summary(&verdict));
    }
    insta::assert_snapshot!("faults", said);
}

/// The same as `map`, on two threads, in order.
fn in_parallel<T: Sync, R: Send>(items: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let half = items.len() / 2;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| items[..half].iter().map(&each).collect::<Vec<R>>());
        let rest: Vec<R> = items[half..].iter().map(&each).collect();
        let mut all = first.join().expect("the thread ends");
        all.extend(rest);
        all
    })
}

#[test]
fn faults_of_every_kind_in_one_history_are_each_named_and_hide_one_another_nowhere() {
    for profile in ["log-strict", "jetstream", "rabbitmq-quorum"] {
        for log in [true, false] {
            let kinds: Vec<usize> = (0..FAULTS.len())
                .filter(|kind| FAULTS[*kind].profile == profile && is_log(&FAULTS[*kind]) == log)
                .collect();
            if kinds.is_empty() {
                continue;
            }
            for seed in 0..3 {
                let mut random = Random::new(seed);
                let shuffled: Vec<usize> =
                    (0..kinds.len() * 6).map(|_| kinds[random.below(kinds.len() as u64) as usize]).collect();
                let mut run = run(&shuffled, log, seed);
                let verdict = verdict(&mut run, profile);
                let primary = roots(&verdict).map(|finding| finding.count).sum::<usize>();
                assert_eq!(missed(&run, &verdict), Vec::<String>::new(), "{}", summary(&verdict));
                assert!(
                    primary * 100 <= shuffled.len() * PRIMARY_PERCENT,
                    "{primary} of {}: {}",
                    shuffled.len(),
                    summary(&verdict)
                );
            }
        }
    }
}

#[test]
fn without_faults_nobody_is_accused() {
    for (log, profile) in [
        (true, "log-strict"),
        (true, "kafka"),
        (false, "jetstream"),
        (false, "rabbitmq-quorum"),
        (false, "log-strict"),
    ] {
        for seed in 0..10 {
            let mut run = run(&[], log, seed);
            let verdict = verdict(&mut run, profile);
            assert_eq!(verdict.outcome, Outcome::Conforms, "{}", report::text(&verdict, profile));
        }
    }
}

/// Runs one after the other, in partitions of their own.
fn runs_in_a_row(profile: &str, log: bool) -> Vec<History> {
    let kinds: Vec<usize> = (0..FAULTS.len())
        .filter(|kind| FAULTS[*kind].profile == profile && is_log(&FAULTS[*kind]) == log)
        .collect();
    let mut line = 0;
    let mut one = |number: usize| {
        let mut random = Random::new(number as u64);
        let faults: Vec<usize> = (0..8).map(|_| kinds[random.below(kinds.len() as u64) as usize]).collect();
        let mut run = run_in_lanes(number * LANES, &faults, log, number as u64);
        let is_queue = !run.history.ops.iter().any(Op::is_final);
        run.history.header.complete = is_queue.then_some(true);
        for op in &mut run.history.ops {
            (op.line, op.index, op.time_ns) = (line + 1, line, Some(line * 1_000_000));
            line += 1;
        }
        run.history
    };
    (0..6).map(&mut one).collect()
}

fn told(verdict: &Verdict) -> BTreeSet<(Anomaly, Severity, String)> {
    let of = |finding: &Finding| {
        let (anomaly, severity) = (finding.anomaly, finding.severity);
        // Until when it was waited for differs, and so does who shows a loss: runs that are judged at once have one end.
        let told_last = match anomaly {
            Anomaly::Unseen => " by line ",
            Anomaly::LostWrite => ", and ",
            _ => "\n",
        };
        let sentence = |case: &Case| case.sentence.split(told_last).next().unwrap_or_default().to_owned();
        finding.cases.iter().map(|case| (anomaly, severity, sentence(case))).collect::<Vec<_>>()
    };
    verdict.findings.iter().flat_map(of).collect()
}

#[test]
fn a_window_finds_in_each_run_what_is_found_in_it_alone() {
    for (profile, log) in [("log-strict", true), ("jetstream", false), ("rabbitmq-quorum", false)] {
        let runs = runs_in_a_row(profile, log);
        let profile = || Profile::named(profile).expect("it is a profile");
        let window = runs.iter().map(|run| run.ops.len() as u64).max().unwrap_or_default();
        let mut windowed = Windowed::new(&runs[0].header, Some(profile()), window).expect("it has no ties");
        let mut alone = BTreeSet::new();
        let mut judged_counts = BTreeSet::new();
        for run in &runs {
            // Of what goes across partitions a window says nothing.
            let mut judge = Judge::new(profile()).without(Anomaly::KeyOrder).without(Anomaly::Deadlock);
            judge.header(&run.header);
            for (index, op) in (0..).zip(&run.ops) {
                judge.observe(&Op { index, ..op.clone() });
                windowed.observe(op.clone()).expect("it names partitions");
                judged_counts.insert(windowed.judged_count());
            }
            alone.extend(told(&judge.finish()));
        }
        assert!(judged_counts.len() > 3, "{judged_counts:?}: partitions are judged as they fall silent");
        let verdict = windowed.finish();
        let found = told(&verdict);
        assert_eq!(found.difference(&alone).collect::<Vec<_>>(), Vec::<&_>::new());
        assert_eq!(alone.difference(&found).collect::<Vec<_>>(), Vec::<&_>::new());
        assert!(!found.is_empty());
        let ids: Vec<usize> = verdict.findings.iter().map(|finding| finding.id).collect();
        assert!(ids.into_iter().eq(1..=verdict.findings.len()));
    }
}

/// What may follow from a fault is only what the rules know; every anomaly of events is the root of some fault.
#[test]
fn every_anomaly_of_events_is_injected() {
    let injected: BTreeSet<Anomaly> = FAULTS.iter().map(|fault| fault.root).collect();
    let is_of_events = |anomaly: &&Anomaly| {
        // Who waits for whom is a matter of a whole recording, of which there is one.
        let is_elsewhere = [Guarantee::CausalDelivery, Guarantee::NoDeadlock].contains(&anomaly.guarantee());
        anomaly.subject() == Subject::Events && !is_elsewhere
    };
    for anomaly in Anomaly::ALL.iter().filter(is_of_events) {
        assert!(injected.contains(anomaly), "no fault shows as {anomaly}");
    }
}
