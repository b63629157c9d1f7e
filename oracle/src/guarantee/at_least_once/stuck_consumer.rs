//! `stuck-consumer`: a reader that asks for one place of a partition again and again and gets nothing, to its end, with no
//! fault to blame, though an event stands there.
//!
//! It goes by polls that say from where they asked (`x.from`); three in a row are enough, since any one of them may have
//! been too quick. A poll before the last fault says nothing.
//!
//! Source: ours; the lag of a consumer that does not fall. Cost: O(polls that say so, times log n).
//!
//! ```text
//! send a ok at 0 · poll p from 0: nothing · poll p from 0: nothing · poll p from 0: nothing
//! ```

use crate::case::Found;
use crate::evidence::{Evidence, Fetch, Key, PartitionKey, ProcessKey};
use crate::hash::HashMap;
use crate::results::Results;
use crate::{Anomaly, explain};

/// How many polls in a row have to be in vain.
const ENOUGH: usize = 3;

pub(super) fn check(evidence: &Evidence, results: &mut Results) {
    let since = evidence.faults.last().map_or(0, |fault| fault.line);
    let mut readers: HashMap<(ProcessKey, PartitionKey), Vec<&Fetch>> = HashMap::default();
    // What a reader sought is only known to be asked for where something came.
    let says_so = |fetch: &&Fetch| fetch.begin > since && fetch.sought.is_none();
    for fetch in evidence.fetches.iter().filter(says_so) {
        let vain = readers.entry((fetch.process, fetch.partition)).or_default();
        if !fetch.is_empty || vain.last().is_some_and(|before| before.from != fetch.from) {
            vain.clear();
        }
        if fetch.is_empty {
            vain.push(fetch);
        }
    }
    results.checked(Anomaly::StuckConsumer, readers.len(), "reader");
    let mut readers: Vec<_> = readers.into_iter().filter(|(_, vain)| vain.len() >= ENOUGH).collect();
    readers.sort_by_key(|((process, partition), _)| (process.place(), partition.place()));
    for ((process, _), vain) in readers {
        let (first, last) = (vain[0], vain[vain.len() - 1]);
        let mut standings = evidence.log.from(first.partition, first.from).iter();
        let standing =
            standings.find(|standing| standing.line < first.begin && evidence.is_to_be_found(standing));
        let Some(standing) = standing else { continue };
        let names = &evidence.names;
        let process = &names.processes[process];
        let sentence = format!(
            "process {process} asked for {} from offset {} on {} (lines {} to {}) and got nothing, though event {} stands \
             at offset {} (line {})",
            names.partitions[first.partition],
            first.from,
            explain::counted(vain.len(), "time"),
            first.line,
            last.line,
            names.events[standing.event],
            standing.offset,
            standing.line,
        );
        let lines = vec![
            explain::standing(standing, evidence),
            explain::fetch(first, evidence),
            explain::fetch(last, evidence),
        ];
        let found = Found::new(Anomaly::StuckConsumer, sentence, lines)
            .at(first.partition, Some(standing.offset))
            .group(first.group)
            .event(standing.event)
            .process(process)
            .excused_if(evidence.may_be_aborted(standing.event));
        results.add(found);
    }
}
