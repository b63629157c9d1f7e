//! Every history of a small alphabet, judged by search over all ways in which it may have come about.
//!
//! A history is acceptable if some *world* explains it: a log in which each event that was sent stands at one offset or
//! nowhere, since one moment. In a world everything is known, so that the definitions need no care:
//! * an event is appended during its send; if nobody knows what became of the send, at any time since it began, or never;
//! * offsets rise in the order of appending;
//! * a read tells what stands, a reader goes forward and steps over nothing, and the complete final read tells all;
//! * where a reader came past an acknowledged event that had been there, somebody has read it.
//!
//! The alphabet: two producers, one partition, two events, sends that end `ok` (with an offset or without), `info` or
//! `fail`, reads of one or two events by one reader of no group, and the final read.
//! A call ends before the next begins, except that what a send of unknown outcome did may come at any time after it.
//! Symmetric histories are told once: the first send is producer 0's, of event `a`.
//! What is wrong already is not gone on with: it stays wrong whatever comes.

use std::collections::BTreeMap;

use lawspeaker_history::{Batch, Call, EventId, History, Offset, Op, OpType, Partition, Phase, Record, Sent};
use lawspeaker_oracle::{Outcome, Profile, judge};

/// Calls of one history, without the final read.
const CALLS: usize = 6;
/// Histories that no world explains and the oracle accepts. In 35 of them an acknowledgement names no offset, and only
/// counting places shows that none is left for its event; in 6 an event of unknown outcome was read before the send of
/// one that stands below it began.
const OVERLOOKED: usize = 41;
const EVENTS: [&str; 2] = ["a", "b"];
/// The offsets that are told; in a world an event may stand at more.
const TOLD_OFFSETS: usize = 2;
const OFFSETS: usize = 4;
const READER: i64 = 10;
const FINAL_READER: i64 = 11;

type Place = (usize, usize);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// By a producer, of an event, and what it was told.
    Send(i64, usize, OpType, Option<usize>),
    /// Offsets and events.
    Read(Vec<Place>),
    Final(Vec<Place>),
}

/// Where each event stands, and since which moment: just after the step of this number began.
type World = [Option<(usize, usize)>; EVENTS.len()];

fn is_acceptable(steps: &[Step]) -> bool {
    worlds(steps, 0, &mut [None; EVENTS.len()])
}

/// Whether some choice for the events from `event` on explains everything.
fn worlds(steps: &[Step], event: usize, world: &mut World) -> bool {
    if event == EVENTS.len() {
        return explains(world, steps);
    }
    for choice in choices(steps, event) {
        world[event] = choice;
        if worlds(steps, event + 1, world) {
            return true;
        }
    }
    false
}

/// Where and when an event may be appended, or `None` for nowhere.
fn choices(steps: &[Step], event: usize) -> Vec<Option<(usize, usize)>> {
    let send = steps.iter().enumerate().find_map(|(at, step)| match step {
        Step::Send(_, of, outcome, offset) if *of == event => Some((at, *outcome, *offset)),
        _ => None,
    });
    let anywhere = |at: usize| (0..OFFSETS).map(move |offset| Some((offset, at)));
    match send {
        None | Some((_, OpType::Fail, _)) => vec![None],
        Some((at, OpType::Ok, Some(offset))) => vec![Some((offset, at))],
        Some((at, OpType::Ok, None)) => anywhere(at).collect(),
        Some((at, ..)) => std::iter::once(None).chain((at..steps.len()).flat_map(anywhere)).collect(),
    }
}

fn explains(world: &World, steps: &[Step]) -> bool {
    offsets_rise(world)
        && reads_are_true(world, steps)
        && no_reader_skips(world, steps)
        && nothing_is_lost(world, steps)
}

/// Of two that were appended in the same step, either may be the first.
fn offsets_rise(world: &World) -> bool {
    let [Some((one, since_one)), Some((other, since_other))] = world else { return true };
    one != other && (since_one == since_other || (one < other) == (since_one < since_other))
}

fn reads_are_true(world: &World, steps: &[Step]) -> bool {
    steps.iter().enumerate().all(|(at, step)| {
        let stands = |(offset, event): &Place| {
            world[*event].is_some_and(|(place, since)| place == *offset && since <= at)
        };
        match step {
            Step::Send(..) => true,
            Step::Read(records) => records.iter().all(stands),
            Step::Final(records) => {
                let count = world.iter().flatten().count();
                records.iter().all(stands) && records.len() == count
            }
        }
    })
}

fn no_reader_skips(world: &World, steps: &[Step]) -> bool {
    let read: Vec<usize> = steps.iter().flat_map(read_by_reader).map(|(offset, _)| *offset).collect();
    read.windows(2).all(|pair| {
        let is_between = |(offset, _): &(usize, usize)| (pair[0] + 1..pair[1]).contains(offset);
        pair[0] < pair[1] && !world.iter().flatten().any(is_between)
    })
}

fn read_by_reader(step: &Step) -> &[Place] {
    if let Step::Read(records) = step { records } else { &[] }
}

fn nothing_is_lost(world: &World, steps: &[Step]) -> bool {
    steps.iter().enumerate().all(|(at, step)| {
        let Step::Send(_, event, OpType::Ok, _) = step else { return true };
        let Some((place, _)) = world[*event] else { return false };
        let is_passed = steps[at..].iter().flat_map(read_by_reader).any(|(offset, _)| *offset > place);
        let is_of = |step: &Step| match step {
            Step::Send(..) => false,
            Step::Read(records) | Step::Final(records) => records.iter().any(|(_, read)| read == event),
        };
        !is_passed || steps.iter().any(is_of)
    })
}

// The alphabet

fn sends(event: usize) -> Vec<Step> {
    let told = (0..TOLD_OFFSETS).map(|offset| (OpType::Ok, Some(offset)));
    let ends: Vec<_> = told.chain([(OpType::Ok, None), (OpType::Info, None), (OpType::Fail, None)]).collect();
    let producers = if event == 0 { 0..1 } else { 0..2 };
    producers
        .flat_map(|producer| ends.iter().map(move |(end, offset)| Step::Send(producer, event, *end, *offset)))
        .collect()
}

/// One or two records, in any order of offsets that rises.
fn records() -> Vec<Vec<Place>> {
    let places = || (0..TOLD_OFFSETS).flat_map(|offset| (0..EVENTS.len()).map(move |event| (offset, event)));
    let pairs = places().flat_map(|one| places().map(move |other| vec![one, other]));
    let rising = pairs.filter(|pair| pair[0].0 < pair[1].0);
    places().map(|place| vec![place]).chain(rising).collect()
}

/// Every history that goes on from `steps`.
fn each(steps: &mut Vec<Step>, sent: usize, judge: &mut dyn FnMut(&[Step])) {
    if sent > 0 {
        judge(steps);
        for records in records().into_iter().chain([Vec::new()]) {
            steps.push(Step::Final(records));
            judge(steps);
            steps.pop();
        }
    }
    if steps.len() == CALLS || !is_acceptable(steps) {
        return;
    }
    let next = if sent < EVENTS.len() { sends(sent) } else { Vec::new() };
    for step in next {
        steps.push(step);
        each(steps, sent + 1, judge);
        steps.pop();
    }
    for records in records() {
        steps.push(Step::Read(records));
        each(steps, sent, judge);
        steps.pop();
    }
}

fn history(steps: &[Step]) -> History {
    let partition = || Partition::new("orders", 0);
    let event = |event: usize| EventId::from(EVENTS[event]);
    let poll = |records: &[Place]| {
        let record = |(offset, of): &Place| Record { offset: Some(Offset::of(*offset)), event: event(*of) };
        Call::Poll(vec![Batch { partition: partition(), records: records.iter().map(record).collect() }])
    };
    let ops = steps.iter().flat_map(|step| match step {
        Step::Send(producer, of, outcome, offset) => {
            let send = |offset: Option<usize>| {
                let offset = offset.map(Offset::of);
                Call::Send(vec![Sent { partition: partition(), offset, event: event(*of) }])
            };
            // Whoever does not know what became of its send is gone, as in Jepsen.
            let process = if *outcome == OpType::Info { 100 + *of as i64 } else { *producer };
            [Op::new(process, OpType::Invoke, send(None)), Op::new(process, *outcome, send(*offset))]
        }
        Step::Read(records) => [OpType::Invoke, OpType::Ok]
            .map(|op_type| Op::new(READER, op_type, poll(if op_type == OpType::Ok { records } else { &[] }))),
        Step::Final(records) => [OpType::Invoke, OpType::Ok].map(|op_type| {
            let records: &[Place] = if op_type == OpType::Ok { records } else { &[] };
            Op::new(FINAL_READER, op_type, poll(records)).phase(Phase::Final)
        }),
    });
    let mut history = History::of(ops);
    history.header.complete = matches!(steps.last(), Some(Step::Final(_))).then_some(true);
    history
}

#[test]
fn every_small_history_is_judged_as_the_search_for_a_world_judges_it() {
    let strict = Profile::named("log-strict").expect("it is a profile");
    let (mut count, mut rejected_count, mut overlooked_count) = (0, 0, 0);
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    each(&mut Vec::new(), 0, &mut |steps| {
        count += 1;
        let is_acceptable = is_acceptable(steps);
        rejected_count += usize::from(!is_acceptable);
        let history = history(steps);
        let verdict = judge(&history, strict.clone());
        if is_acceptable == (verdict.outcome != Outcome::Violated) {
            return;
        }
        if !is_acceptable {
            overlooked_count += 1;
            return;
        }
        let found: Vec<&str> = verdict.violations().map(|finding| finding.anomaly.name()).collect();
        let kind = format!("accused falsely of {}", found.join(", "));
        let (times, example) = wrong.entry(kind).or_default();
        *times += 1;
        if example.is_empty() || *times < 12 {
            *example += &format!("\n  {steps:?}");
        }
    });
    println!(
        "{count} histories, {rejected_count} of which no world explains; {overlooked_count} of these are overlooked"
    );
    assert_eq!(overlooked_count, OVERLOOKED);
    assert!(wrong.is_empty(), "of {count}: {wrong:#?}");
    assert!(rejected_count > 0 && rejected_count < count, "the alphabet says too little");
}
