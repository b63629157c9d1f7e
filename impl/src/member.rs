//! A consumer: a member of a group that polls what it owns, has it processed, and commits after that.

use std::collections::BTreeMap;

use lawspeaker_history::{Batch, Call, Generation, Offset, Op, OpType, Record, Recorder};
use serde_json::json;

use crate::consumer_group::{Assignment, ConsumerGroup, GroupError, Owned, Refusal};
use crate::id::{MemberId, PartitionNumber};
use crate::mutant::{Mutant, is_seeded};
use crate::partition_log::{LogEntry, PartitionLog, ReadError};
use crate::sync::Arc;

/// A member of a consumer group. One thread at a time.
///
/// At-least-once: [`poll`](Self::poll), process, [`handled`](Self::handled), [`commit`](Self::commit). Only what
/// was handled is committed, without gaps; what a member gains starts at the committed offset, and what it loses it
/// drops. An event that could not be processed is [`put back`](Self::put_back), and polled again.
#[derive(Debug)]
pub struct Member {
    id: MemberId,
    group: Arc<ConsumerGroup>,
    logs: Vec<Arc<PartitionLog>>,
    recorder: Arc<dyn Recorder>,
    generation: Generation,
    progress: BTreeMap<PartitionNumber, Progress>,
}

/// How far a member is in a partition that it owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// INVARIANT: committed <= handled <= polled, each the next offset.
struct Progress {
    committed: Offset,
    handled: Offset,
    polled: Offset,
}

impl Progress {
    fn from(committed: Offset) -> Self {
        Progress { committed, handled: committed, polled: committed }
    }
}

/// An event that was handed to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polled {
    /// Of which partition.
    pub partition: PartitionNumber,
    /// What stands there.
    pub entry: LogEntry,
}

/// Why a poll fails.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The group did not say what the member owns.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Member {
    /// Joins `group`, whose partitions are `logs`, in order.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn join(
        id: MemberId,
        group: Arc<ConsumerGroup>,
        logs: Vec<Arc<PartitionLog>>,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Self, GroupError> {
        let generation = group.join(id)?;
        Ok(Member { id, group, logs, recorder, generation, progress: BTreeMap::new() })
    }

    /// At most `max_count` events of each partition that the member owns; may be none.
    ///
    /// First the member takes up what the group has decided: it joins again if it was expired, commits and releases
    /// what another member is to have, drops what it lost, and starts what it gained at the committed offset.
    ///
    /// # Errors
    /// [`PollError`].
    pub fn poll(&mut self, max_count: usize) -> Result<Vec<Polled>, PollError> {
        self.poll_of(max_count, |_| true)
    }

    /// The same of those partitions for which `is_wanted`; in the others the position stays.
    pub(crate) fn poll_of(
        &mut self,
        max_count: usize,
        is_wanted: impl Fn(PartitionNumber) -> bool,
    ) -> Result<Vec<Polled>, PollError> {
        self.take_up()?;
        let mut all = Vec::new();
        for (partition, progress) in self.progress.iter_mut().filter(|(partition, _)| is_wanted(**partition))
        {
            let entries = self.logs[partition.place()].read(progress.polled, max_count)?;
            progress.polled = entries.last().map_or(progress.polled, |entry| entry.offset.next());
            all.extend(entries.into_iter().map(|entry| Polled { partition: *partition, entry }));
        }
        self.record_poll(&all);
        Ok(all)
    }

    /// Takes up what the group has decided; if it decides anew meanwhile, begins again.
    pub(crate) fn take_up(&mut self) -> Result<(), GroupError> {
        loop {
            let assignment = self.sync()?;
            self.adopt(&assignment);
            let Some(owned) = assignment.owned.iter().find(|owned| owned.is_to_release) else {
                return Ok(());
            };
            match self.let_go(owned.partition) {
                Ok(())
                | Err(GroupError::Refused(Refusal::StaleGeneration { .. } | Refusal::UnknownMember)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn let_go(&mut self, partition: PartitionNumber) -> Result<(), GroupError> {
        self.commit_partition(partition)?;
        self.group.release(self.id, self.generation, partition)
    }

    /// Asks the group, joining it again if it has forgotten the member; then all that the member held is gone.
    fn sync(&mut self) -> Result<Assignment, GroupError> {
        match self.group.sync(self.id) {
            Err(GroupError::Refused(Refusal::UnknownMember)) => {
                self.drop_all_but(&[]);
                self.group.join(self.id)?;
                self.group.sync(self.id)
            }
            answer => answer,
        }
    }

    fn adopt(&mut self, assignment: &Assignment) {
        self.generation = assignment.generation;
        self.drop_all_but(&assignment.owned);
        for owned in &assignment.owned {
            self.progress.entry(owned.partition).or_insert(Progress::from(owned.committed));
        }
    }

    fn drop_all_but(&mut self, owned: &[Owned]) {
        if !is_seeded(Mutant::RejoinKeepsPosition) {
            self.progress.retain(|partition, _| owned.iter().any(|owned| owned.partition == *partition));
        }
    }

    fn record_poll(&self, polled: &[Polled]) {
        let batches = polled.chunk_by(|one, other| one.partition == other.partition).map(|chunk| Batch {
            partition: self.group.partition(chunk[0].partition).clone(),
            records: chunk.iter().map(|polled| record(&polled.entry)).collect(),
        });
        let op = Op::new(self.id.process(), OpType::Ok, Call::Poll(batches.collect()));
        self.recorder.record(op.group(self.group.id().clone()).generation(self.generation));
    }

    /// The event at `offset` is processed. Returns whether that counts: not if an earlier polled event of the
    /// partition is not handled yet (stop at the first failure), and not if the partition was lost or
    /// [`put back`](Self::put_back) since.
    pub fn handled(&mut self, partition: PartitionNumber, offset: Offset) -> bool {
        match self.progress.get_mut(&partition) {
            Some(progress) if progress.handled == offset && offset < progress.polled => {
                progress.handled = offset.next();
                true
            }
            _ => false,
        }
    }

    /// The first event of `partition` that is not handled could not be processed: the next poll hands it out again,
    /// and after it, once more, those behind it. Nothing happens if nothing of the partition is in hand.
    ///
    /// Until then nothing of the partition counts as handled: this is the guard `stop-on-failure` of the model.
    pub fn put_back(&mut self, partition: PartitionNumber) {
        let Some(progress) = self.progress.get_mut(&partition) else { return };
        if progress.handled < progress.polled && !is_seeded(Mutant::PutBackForgotten) {
            progress.polled = progress.handled;
            let handled = progress.handled;
            self.record_seek(partition, handled);
        }
    }

    /// Whether the event at `offset` was polled since the partition was gained, is not put back and not handled.
    pub(crate) fn is_in_hand(&self, partition: PartitionNumber, offset: Offset) -> bool {
        let progress = self.progress.get(&partition);
        progress.is_some_and(|progress| (progress.handled..progress.polled).contains(&offset))
    }

    fn record_seek(&self, partition: PartitionNumber, next: Offset) {
        let value = json!({ self.group.partition(partition).as_str(): next });
        let op = Op::new(self.id.process(), OpType::Ok, Call::Other { f: "seek".to_owned(), value });
        self.recorder.record(op.group(self.group.id().clone()).generation(self.generation));
    }

    /// Commits everything that was handled. Durable when this returns.
    ///
    /// # Errors
    /// [`GroupError`] of the first partition whose commit failed. After [`GroupError::Refused`] the next poll takes
    /// up what the group has decided; what still belongs to the member can be committed then.
    pub fn commit(&mut self) -> Result<(), GroupError> {
        let partitions: Vec<_> = self.progress.keys().copied().collect();
        partitions.into_iter().try_for_each(|partition| self.commit_partition(partition))
    }

    fn commit_partition(&mut self, partition: PartitionNumber) -> Result<(), GroupError> {
        let Some(progress) = self.progress.get_mut(&partition) else { return Ok(()) };
        let is_early = is_seeded(Mutant::CommitBeforeProcess);
        let next = if is_early { progress.polled } else { progress.handled };
        if next > progress.committed {
            self.group.commit(self.id, self.generation, partition, next)?;
            progress.committed = next;
        }
        Ok(())
    }

    /// Commits what was handled and leaves the group.
    ///
    /// # Errors
    /// [`GroupError`] of the commit, after which the member has left all the same and what it handled is delivered
    /// again; or of leaving.
    pub fn leave(mut self) -> Result<(), GroupError> {
        let committed = self.take_up().and_then(|()| self.commit());
        self.group.leave(self.id)?;
        committed
    }

    /// What it owns, as it has heard, and the first event of each that it has not handled.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (PartitionNumber, Offset)> {
        self.progress.iter().map(|(partition, progress)| (*partition, progress.handled))
    }

    /// Who it is.
    pub fn id(&self) -> MemberId {
        self.id
    }

    /// The generation that it has heard of.
    pub fn generation(&self) -> Generation {
        self.generation
    }
}

fn record(entry: &LogEntry) -> Record {
    Record { offset: Some(entry.offset), event: entry.message.id.clone() }
}

#[cfg(test)]
#[cfg(not(any(lawspeaker_loom, lawspeaker_shuttle)))]
mod tests {
    use lawspeaker_history::{MemoryRecorder, NoRecorder, Partition};

    use crate::id::ProducerId;
    use crate::memory_journal::MemoryJournal;
    use crate::message::Message;
    use crate::producer::Producer;

    use super::*;

    type Setting = (Arc<ConsumerGroup>, Vec<Arc<PartitionLog>>);

    /// A group over two partitions with three events each.
    fn setting() -> Setting {
        let names = [Partition::new("t", 0), Partition::new("t", 1)];
        let journal = || Arc::new(MemoryJournal::new());
        let logs = names.clone().map(|name| {
            let log = Arc::new(PartitionLog::recover(name, journal(), Arc::new(NoRecorder)).unwrap());
            let mut producer = Producer::open(ProducerId(1), log.clone()).unwrap();
            (0..3).for_each(|id| assert!(producer.send(Message::new(id, "")).is_ok()));
            log
        });
        let group = ConsumerGroup::recover("g".into(), names.to_vec(), journal(), Arc::new(NoRecorder));
        (Arc::new(group.unwrap()), logs.to_vec())
    }

    fn join(id: u64, (group, logs): &Setting) -> Member {
        Member::join(MemberId(id), group.clone(), logs.clone(), Arc::new(NoRecorder)).unwrap()
    }

    fn poll(member: &mut Member) -> Vec<(u32, i64)> {
        let place = |polled: &Polled| (polled.partition.0, polled.entry.offset.number().unwrap());
        member.poll(9).unwrap().iter().map(place).collect()
    }

    #[test]
    fn what_is_handed_over_starts_after_the_last_handled_event() {
        let setting = setting();
        let mut old = join(1, &setting);
        assert_eq!(poll(&mut old).len(), 6);
        assert!(old.handled(PartitionNumber(1), Offset::of(0)));
        let mut new = join(2, &setting);
        assert_eq!(poll(&mut new), [], "the partition waits for its owner");
        assert_eq!(poll(&mut old), [], "what it keeps it goes on with");
        assert_eq!(poll(&mut new), [(1, 1), (1, 2)]);
        assert!(!old.handled(PartitionNumber(1), Offset::of(1)), "what it lost it has dropped");
    }

    #[test]
    fn nothing_is_committed_past_an_event_that_was_not_handled() {
        let setting = setting();
        let mut member = join(1, &setting);
        assert!(!member.handled(PartitionNumber(0), Offset::of(0)), "it was not polled");
        poll(&mut member);
        assert!(member.handled(PartitionNumber(0), Offset::of(0)));
        assert!(!member.handled(PartitionNumber(0), Offset::of(2)), "an earlier one is not handled");
        member.commit().unwrap();
        assert_eq!(setting.0.committed(PartitionNumber(0)), Ok(Offset::of(1)));
    }

    #[test]
    fn what_was_put_back_is_polled_again_before_what_stands_behind_it() {
        let (group, logs) = setting();
        let recorder = Arc::new(MemoryRecorder::new());
        let mut member = Member::join(MemberId(1), group.clone(), logs, recorder.clone()).unwrap();
        poll(&mut member);
        assert!(member.handled(PartitionNumber(0), Offset::of(0)));
        member.put_back(PartitionNumber(0));
        member.put_back(PartitionNumber(0));
        assert!(!member.handled(PartitionNumber(0), Offset::of(1)), "it failed");
        assert_eq!(poll(&mut member), [(0, 1), (0, 2)]);
        assert!(member.handled(PartitionNumber(0), Offset::of(1)));
        member.commit().unwrap();
        assert_eq!(group.committed(PartitionNumber(0)), Ok(Offset::of(2)));
        let ops = recorder.history().ops;
        let seeks: Vec<_> = ops.iter().filter(|op| op.call.f() == "seek").collect();
        let [seek] = seeks[..] else { panic!("the second time nothing was in hand: {seeks:?}") };
        assert_eq!(seek.call, Call::Other { f: "seek".to_owned(), value: json!({"t/0": 1}) });
        assert_eq!(seek.x.group, Some("g".into()));
    }

    #[test]
    fn who_leaves_has_committed() {
        let setting = setting();
        let mut member = join(1, &setting);
        poll(&mut member);
        member.handled(PartitionNumber(0), Offset::of(0));
        member.leave().unwrap();
        assert_eq!(poll(&mut join(2, &setting))[0], (0, 1));
    }
}
