//! What stands where, as far as anybody was told or read it.
//!
//! Sparse: memory follows the number of observations, never the size of an offset.

use lawspeaker_history::Offset;

use super::{Attempt, EventKey, Key, Names, PartitionKey, Read};

/// An event at an offset, and the first line that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    pub partition: PartitionKey,
    pub offset: Offset,
    pub event: EventKey,
    pub line: u64,
    /// Whether somebody read it there; otherwise only its producer was told so.
    pub is_read: bool,
}

/// Every standing, by partition, then by offset.
#[derive(Debug)]
pub(crate) struct Log {
    standings: Vec<Standing>,
}

/// What was said of each partition so far, hardly anything of it twice.
struct Draft {
    partitions: Vec<Vec<Standing>>,
    /// Where each event was said to stand last, as the place of the standing: most reads say nothing new.
    latest: Vec<Option<(PartitionKey, usize)>>,
}

impl Draft {
    fn take(&mut self, standing: Standing) {
        let partition = &mut self.partitions[standing.partition.place()];
        let latest = &mut self.latest[standing.event.place()];
        if let Some((_, place)) = latest.filter(|(of, _)| *of == standing.partition)
            && partition[place].offset == standing.offset
        {
            partition[place].line = standing.line.min(partition[place].line);
            partition[place].is_read |= standing.is_read;
        } else {
            *latest = Some((standing.partition, partition.len()));
            partition.push(standing);
        }
    }
}

impl Log {
    /// From acknowledgements, sends of unknown outcome that were read, and all reads, even unfinished ones: a
    /// reader never legally sees what does not stand there. O(n log n).
    pub(crate) fn of(attempts: &[Attempt], reads: &[Read], names: &Names) -> Self {
        let mut is_seen = vec![false; names.events.len()];
        reads.iter().for_each(|read| is_seen[read.event.place()] = true);
        let is_certain = |attempt: &&Attempt| {
            attempt.is_acknowledged()
                || (attempt.outcome == lawspeaker_history::OpType::Info && is_seen[attempt.event.place()])
        };
        let told = attempts.iter().filter(is_certain).filter_map(|attempt| {
            let (partition, event) = (attempt.partition, attempt.event);
            Some(Standing { partition, offset: attempt.offset?, event, line: attempt.line(), is_read: false })
        });
        let read = reads.iter().filter_map(|read| {
            let (partition, event) = (read.partition, read.event);
            Some(Standing { partition, offset: read.offset?, event, line: read.line, is_read: true })
        });
        let mut draft = Draft {
            partitions: vec![Vec::new(); names.partitions.len()],
            latest: vec![None; names.events.len()],
        };
        told.chain(read)
            .filter(|standing| standing.offset.is_valid())
            .for_each(|standing| draft.take(standing));
        let mut standings = Vec::new();
        for mut partition in draft.partitions {
            // Acknowledgements come as runs that rise, which the stable sort makes use of.
            partition.sort();
            partition.dedup_by(|next, kept| {
                let is_same = (kept.offset, kept.event) == (next.offset, next.event);
                kept.is_read |= is_same && next.is_read;
                is_same
            });
            standings.append(&mut partition);
        }
        Log { standings }
    }

    pub(crate) fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// What stands at one offset: more than one only if something is wrong. O(log n).
    pub(crate) fn at(&self, partition: PartitionKey, offset: Offset) -> &[Standing] {
        self.range(
            |standing| (standing.partition, standing.offset) < (partition, offset),
            |standing| (standing.partition, standing.offset) <= (partition, offset),
        )
    }

    /// What stands after `low` and before `high`; from the beginning if `low` is `None`. O(log n).
    pub(crate) fn between(&self, partition: PartitionKey, low: Option<Offset>, high: Offset) -> &[Standing] {
        self.range(
            |standing| (standing.partition, Some(standing.offset)) <= (partition, low),
            |standing| (standing.partition, standing.offset) < (partition, high),
        )
    }

    /// What stands at `offset` or after it. O(log n).
    pub(crate) fn from(&self, partition: PartitionKey, offset: Offset) -> &[Standing] {
        self.range(
            |standing| (standing.partition, standing.offset) < (partition, offset),
            |standing| standing.partition == partition,
        )
    }

    /// What stands after `offset`. O(log n).
    pub(crate) fn after(&self, partition: PartitionKey, offset: Offset) -> &[Standing] {
        self.range(
            |standing| (standing.partition, standing.offset) <= (partition, offset),
            |standing| standing.partition == partition,
        )
    }

    /// The highest offset at which anything stands. O(log n).
    pub(crate) fn end(&self, partition: PartitionKey) -> Option<Offset> {
        let after = self.standings.partition_point(|standing| standing.partition <= partition);
        let last = self.standings.get(after.checked_sub(1)?)?;
        (last.partition == partition).then_some(last.offset)
    }

    fn range(
        &self,
        is_before: impl Fn(&Standing) -> bool,
        is_within: impl Fn(&Standing) -> bool,
    ) -> &[Standing] {
        let first = self.standings.partition_point(is_before);
        let rest = &self.standings[first..];
        &rest[..rest.partition_point(is_within)]
    }
}
