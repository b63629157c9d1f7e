//! `zombie-write`: accepted from an incarnation that has a successor.

use std::collections::HashMap;

use crate::case::{Found, Line};
use crate::evidence::{Attempt, Evidence, Fence};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    // By line; each at a later epoch than those before it.
    let mut fences: HashMap<u64, Vec<&Fence>> = HashMap::new();
    for fence in &evidence.fences {
        let of_producer = fences.entry(fence.producer).or_default();
        if of_producer.last().is_none_or(|latest| latest.epoch < fence.epoch) {
            of_producer.push(fence);
        }
    }
    let mut count = 0;
    for attempt in evidence.attempts.iter().filter(|attempt| attempt.is_acknowledged()) {
        let Some((producer, epoch)) = attempt.producer() else { continue };
        let Some(of_producer) = fences.get(&producer) else { continue };
        count += 1;
        let before = of_producer.partition_point(|fence| fence.line < attempt.begin);
        if let Some(fence) = of_producer[..before].last().filter(|fence| fence.epoch > epoch) {
            results.add(zombie_write(attempt, epoch, fence, evidence));
        }
    }
    results.checked(Anomaly::ZombieWrite, count, "fenced producer send");
}

fn zombie_write(attempt: &Attempt, epoch: u64, fence: &Fence, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let Fence { producer, epoch: current, line, .. } = fence;
    let sentence = format!(
        "event {} was sent in epoch {epoch} of producer {producer} and accepted (line {}), and the producer had been fenced \
         in at epoch {current} before (line {line})",
        names.events[attempt.event],
        attempt.line(),
    );
    let said = format!(
        "process {} fenced producer {producer} in at epoch {current}",
        names.processes[fence.process]
    );
    let lines = vec![Line { line: *line, said }, explain::send(attempt, evidence)];
    Found::new(Anomaly::ZombieWrite, sentence, lines)
        .at(attempt.partition, attempt.offset)
        .event(attempt.event)
        .process(&names.processes[attempt.process])
        .ordered_by_line_if(attempt.is_later_by_line(fence.process))
}
