//! `retention-violation`: an event is read below a position that the log was trimmed to before that read began.
//!
//! Source: ours; Kafka's `DeleteRecords` and log start offset: below it is `OFFSET_OUT_OF_RANGE`.
//! Cost: O(reads, times the trims of a partition).
//!
//! ```text
//! trim p to 2 ok · then poll p: 1 b
//! ```

use std::collections::HashMap;

use crate::case::{Found, Line};
use crate::evidence::{Evidence, PartitionKey, Trim};
use crate::results::Results;
use crate::{Anomaly, explain};

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let mut trims: HashMap<PartitionKey, Vec<&Trim>> = HashMap::new();
    for trim in evidence.trims.all.iter().filter(|trim| trim.is_ok) {
        trims.entry(trim.partition).or_default().push(trim);
    }
    if trims.is_empty() {
        return;
    }
    let mut count = 0;
    for read in evidence.reads.iter().filter(|read| read.is_ok) {
        let (Some(trims), Some(offset)) = (trims.get(&read.partition), read.offset) else { continue };
        count += 1;
        let Some(trim) = trims.iter().find(|trim| trim.line < read.begin && offset < trim.next) else {
            continue;
        };
        let names = &evidence.names;
        let (partition, process) = (&names.partitions[read.partition], &names.processes[read.process]);
        let sentence = format!(
            "{partition} was trimmed to {} (line {}), and process {process} read event {} at offset {offset} after that \
             (line {})",
            trim.next, trim.line, names.events[read.event], read.line,
        );
        let said = format!("{partition} was trimmed to {}", trim.next);
        let lines = vec![Line { line: trim.line, said }, explain::read(read, evidence)];
        let found = Found::new(Anomaly::RetentionViolation, sentence, lines).at(read.partition, read.offset);
        results.add(found.event(read.event).process(process));
    }
    results.checked(Anomaly::RetentionViolation, count, "trimmed-log read");
}
