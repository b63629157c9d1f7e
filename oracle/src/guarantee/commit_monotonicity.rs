//! Commit monotonicity: a group's committed offset never falls.
//!
//! * `commit-regression`: a commit, or an answer to a question for the committed position, is lower than a position
//!   that had been acknowledged or answered before it was invoked. Commits of unknown outcome prove nothing. A member that
//!   sought since may mean to go back, and is excused; the others are not.
//! * `commit-lost`: the same, where the answer is that nothing is committed at all.
//!
//! After a fall, climbing back is no further fall: only commits from then on count.
//!
//! Source: ours; Jepsen's histories hold no commits. Kafka: OffsetCommit with fencing by generation.
//! Cost: O(n log n) in commits.
//!
//! ```text
//! commit p at 5 ok · then commit p at 3 ok        and 3 and 4 are done twice
//! ```

use std::collections::HashMap;

use lawspeaker_history::{Guarantee, Offset};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Commit, Evidence, GroupKey, MoveKind, PartitionKey, ProcessKey};
use crate::explain;
use crate::results::Results;

/// The commits of one group in one partition, since its last fall.
#[derive(Default)]
struct Positions<'a> {
    /// By line of completion; each is the highest of those up to it.
    highest: Vec<(u64, Offset, &'a Commit)>,
}

impl<'a> Positions<'a> {
    /// The highest commit that completed before `line`.
    fn before(&self, line: u64) -> Option<&(u64, Offset, &'a Commit)> {
        let place = self.highest.partition_point(|(completed, ..)| *completed < line);
        self.highest.get(place.checked_sub(1)?)
    }

    fn take(&mut self, commit: &'a Commit) {
        if let Some(next) = commit.next
            && self.highest.last().is_none_or(|(_, highest, _)| *highest < next)
        {
            self.highest.push((commit.line, next, commit));
        }
    }
}

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    let mut all: HashMap<(Option<GroupKey>, PartitionKey), Positions<'_>> = HashMap::new();
    let mut seeks = evidence.moves.iter().filter(|change| matches!(change.kind, MoveKind::Seek)).peekable();
    let mut sought: HashMap<ProcessKey, u64> = HashMap::new();
    let (mut pair_count, mut fetch_count) = (0, 0);
    for commit in &evidence.commits {
        while let Some(seek) = seeks.next_if(|seek| seek.line < commit.line) {
            sought.insert(seek.process, seek.line);
        }
        let positions = all.entry((commit.group, commit.partition)).or_default();
        if let Some((_, highest, earlier)) = positions.before(commit.begin) {
            pair_count += 1;
            fetch_count += usize::from(commit.is_fetched);
            // Whoever sought since then may mean to go back; what others commit is no excuse for it.
            let has_rewound = sought.get(&commit.process).is_some_and(|line| *line > earlier.line);
            if commit.next.is_none_or(|next| next < *highest) {
                if !has_rewound {
                    results.add(regression(earlier, *highest, commit, evidence));
                }
                positions.highest.clear();
            }
        }
        positions.take(commit);
    }
    results.checked(Anomaly::CommitRegression, pair_count, "commit pair");
    results.checked(Anomaly::CommitLost, fetch_count, "answer");
    if pair_count == 0 {
        results.undecided(Guarantee::CommitMonotonicity, "no group committed two positions of one partition");
    }
}

fn regression(earlier: &Commit, highest: Offset, later: &Commit, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let partition = &names.partitions[later.partition];
    let group =
        later.group.map_or_else(|| "the reader".to_owned(), |group| format!("group {}", names.groups[group]));
    let fallen = later.next.map_or_else(|| "nothing".to_owned(), |next| next.to_string());
    let sentence = format!(
        "the position of {group} in {partition} fell from {highest} (process {}, line {}) to {fallen} (process {}, line {})",
        names.processes[earlier.process], earlier.line, names.processes[later.process], later.line,
    );
    let lines = vec![explain::commit(earlier, evidence), explain::commit(later, evidence)];
    let anomaly = if later.next.is_none() { Anomaly::CommitLost } else { Anomaly::CommitRegression };
    Found::new(anomaly, sentence, lines)
        .at(later.partition, later.next)
        .group(later.group)
        .process(&names.processes[later.process])
        .ordered_by_line_if(later.is_later_by_line(earlier.process))
}
