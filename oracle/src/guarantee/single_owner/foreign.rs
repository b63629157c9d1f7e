//! `foreign-delivery`: given to a member that the partition is not given to.

use crate::case::{Found, Line};
use crate::evidence::{Evidence, MoveKind, PartitionKey, ProcessKey, Read};
use crate::hash::{HashMap, HashSet};
use crate::results::Results;
use crate::{Anomaly, explain};

/// What a member may read.
#[derive(Default)]
struct Held {
    partitions: HashSet<PartitionKey>,
    /// The lines on which it lost others.
    lost: HashMap<PartitionKey, u64>,
}

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut members: HashMap<ProcessKey, Held> = HashMap::default();
    // Whoever is given partitions, or subscribes, outside its group is judged by nobody.
    let mut free: HashSet<ProcessKey> = HashSet::default();
    let mut moves = evidence.moves.iter().peekable();
    let mut count = 0;
    let mut told = HashSet::default();
    let mut reads: Vec<&Read> =
        evidence.reads.iter().filter(|read| read.is_ok && read.group.is_some()).collect();
    reads.sort_by_key(|read| read.begin);
    for read in reads {
        while let Some(change) = moves.next_if(|change| change.line < read.begin) {
            let process = change.process;
            match (&change.kind, change.group) {
                (MoveKind::Assign(partitions), Some(_)) => {
                    let held = members.entry(process).or_default();
                    held.partitions.extend(partitions);
                }
                (MoveKind::Assign(_) | MoveKind::Subscribe(_), _) => {
                    free.insert(process);
                }
                (MoveKind::Revoke(partitions), _) => {
                    let held = members.entry(process).or_default();
                    for partition in partitions.iter().filter(|partition| held.partitions.remove(*partition))
                    {
                        held.lost.insert(*partition, change.line);
                    }
                }
                (MoveKind::Crash, _) => {
                    members.remove(&process);
                }
                (MoveKind::Seek, _) => {}
            }
        }
        let Some(held) = members.get(&read.process).filter(|_| !free.contains(&read.process)) else {
            continue;
        };
        count += 1;
        if held.partitions.contains(&read.partition) {
            continue;
        }
        let lost = held.lost.get(&read.partition);
        // What was given while the call was open may have come with it.
        let first = evidence.moves.partition_point(|change| change.line < read.begin);
        let mut meanwhile = evidence.moves[first..].iter().take_while(|change| change.line <= read.line);
        let is_given = meanwhile.any(|change| change.process == read.process);
        if !is_given && told.insert((read.process, read.partition, lost.copied())) {
            results.add(foreign(read, lost.copied(), evidence));
        }
    }
    results.checked(Anomaly::ForeignDelivery, count, "member read");
}

fn foreign(read: &Read, lost: Option<u64>, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let (process, partition) = (&names.processes[read.process], &names.partitions[read.partition]);
    let why = match lost {
        Some(line) => format!("its group had taken the partition from it (line {line})"),
        None => "its group had never given it the partition".to_owned(),
    };
    let sentence = format!(
        "process {process} was given event {} of {partition} (line {}), and {why}",
        names.events[read.event], read.line,
    );
    let said = || format!("process {process} gave {partition} up");
    let mut lines: Vec<Line> = lost.map(|line| Line { line, said: said() }).into_iter().collect();
    lines.push(explain::read(read, evidence));
    Found::new(Anomaly::ForeignDelivery, sentence, lines)
        .at(read.partition, read.offset)
        .group(read.group)
        .event(read.event)
        .process(process)
}
