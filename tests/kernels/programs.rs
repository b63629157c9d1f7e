//! Small concurrent programs over the two kernels, their alphabets, and one run of a program, judged by the law.

use lawspeaker_bus::consumer_group::ConsumerGroup;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::partition_log::PartitionLog;
use lawspeaker_bus::sync::{Arc, thread};
use lawspeaker_history::{MemoryRecorder, NoRecorder, Partition};
use lawspeaker_spec::consumer_group::ConsumerGroup as GroupSpec;
use lawspeaker_spec::partition_log::Entry;

use super::group_law::{self, GroupAnswer, GroupCall, GroupLaw};
use super::history;
use super::linearization::{Law, Observer, Witness};
use super::log_law::{self, LogCall, LogLaw};

/// What a thread does with the log. The threads of a program are incarnations of the same producers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStep {
    /// Producer 0 sends its first event, or retries it.
    First,
    /// Producer 0 sends its second event: a gap if the first has not come.
    Second,
    /// Producer 1 sends its first event.
    Other,
    /// A new incarnation of producer 0 takes over.
    Open,
    /// Waits for offset 0 to be durable.
    Durable,
    /// Reads everything.
    Read,
}

impl LogStep {
    /// The whole alphabet.
    pub const ALL: [LogStep; 6] =
        [LogStep::First, LogStep::Second, LogStep::Other, LogStep::Open, LogStep::Durable, LogStep::Read];

    /// The alphabet without the second producer.
    pub const OF_ONE_PRODUCER: [LogStep; 5] =
        [LogStep::First, LogStep::Second, LogStep::Open, LogStep::Durable, LogStep::Read];

    fn call(self) -> LogCall {
        let append = |producer, sequence| {
            LogCall::Append(Entry { producer, epoch: 0, sequence, event: 10 * producer + sequence })
        };
        match self {
            LogStep::First => append(0, 0),
            LogStep::Second => append(0, 1),
            LogStep::Other => append(1, 0),
            LogStep::Open => LogCall::Open(0),
            LogStep::Durable => LogCall::Durable(0),
            LogStep::Read => LogCall::Read,
        }
    }
}

/// What a thread does with the group, as the member whose number it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupStep {
    /// Joins.
    Join,
    /// Learns where it stands.
    Sync,
    /// Commits the contested partition.
    Commit,
    /// Lets the contested partition go.
    Release,
    /// Leaves.
    Leave,
    /// Asks what is committed.
    Committed,
}

impl GroupStep {
    /// The whole alphabet.
    pub const ALL: [GroupStep; 6] = [
        GroupStep::Join,
        GroupStep::Sync,
        GroupStep::Commit,
        GroupStep::Release,
        GroupStep::Leave,
        GroupStep::Committed,
    ];
    /// The partition that member 0 owns at first and that is meant for member 1 once it joins.
    const CONTESTED: u32 = 1;

    /// The call of `member` that has heard of `generation`. Members with higher numbers commit less.
    fn call(self, member: u64, generation: u64) -> GroupCall {
        let partition = Self::CONTESTED;
        match self {
            GroupStep::Join => GroupCall::Join { member },
            GroupStep::Sync => GroupCall::Sync { member },
            GroupStep::Commit => GroupCall::Commit { member, generation, partition, next: 5 - member },
            GroupStep::Release => GroupCall::Release { member, generation, partition },
            GroupStep::Leave => GroupCall::Leave { member },
            GroupStep::Committed => GroupCall::Committed { partition },
        }
    }
}

/// Runs the threads and waits for all of them; the last one is the caller's own.
pub fn run_threads(mut bodies: Vec<Box<dyn FnOnce() + Send>>) {
    let own = bodies.pop();
    let others: Vec<_> = bodies.into_iter().map(thread::spawn).collect();
    own.into_iter().for_each(|body| body());
    others.into_iter().for_each(|other| other.join().expect("the thread did not panic"));
}

/// Runs a program of the log and demands a lawful order of its calls that ends in the log's very state, a history
/// that tells that state, and a journal that keeps it.
pub fn run_log_program(program: &[Vec<LogStep>]) {
    let journal = Arc::new(MemoryJournal::new());
    let recorder = Arc::new(MemoryRecorder::new());
    let log = open_log(&journal, &recorder);
    let observer = Arc::new(Observer::<LogLaw>::new());
    let body = |(thread, steps): (usize, &Vec<LogStep>)| -> Box<dyn FnOnce() + Send> {
        let (steps, log, mut witness) = (steps.clone(), log.clone(), Witness::new(&observer, thread));
        Box::new(move || {
            steps.iter().map(|step| step.call()).for_each(|call| {
                witness.observe(call.clone(), || log_law::call(&log, &call));
            });
        })
    };
    run_threads(program.iter().enumerate().map(body).collect());

    let events = all_events(&journal.restart());
    let readable = log_law::read(&log);
    observer.assert_lawful(&LogLaw::default(), |law| {
        let spec = law.spec();
        spec.read(0) == readable && spec.entries().iter().map(|entry| entry.event).eq(events.iter().copied())
    });
    assert!(all_events(&journal.crash()).starts_with(&readable), "what can be read is durable");
    history::assert_tells_log(&recorder.history(), &events, readable.len());
}

/// A log over `journal`.
pub fn open_log(journal: &Arc<MemoryJournal>, recorder: &Arc<MemoryRecorder>) -> Arc<PartitionLog> {
    let log = PartitionLog::recover(Partition::named("p"), journal.clone(), recorder.clone());
    Arc::new(log.expect("the journal is one of this log"))
}

/// What a log recovered from `journal` holds.
pub fn all_events(journal: &MemoryJournal) -> Vec<u64> {
    let journal = Arc::new(journal.restart());
    let log = PartitionLog::recover(Partition::named("p"), journal, Arc::new(NoRecorder));
    log_law::read(&log.expect("the journal is one of this log"))
}

/// Runs a program of the group, of which member 0 has joined, and demands a lawful order of its calls that ends in
/// the group's very state, a history that tells it, and a journal that keeps it.
pub fn run_group_program(program: &[Vec<GroupStep>]) {
    let journal = Arc::new(MemoryJournal::new());
    let recorder = Arc::new(MemoryRecorder::new());
    let group = open_group(&journal, &recorder);
    let mut law = GroupLaw(GroupSpec::new(2));
    let join = GroupCall::Join { member: 0 };
    assert_eq!(group_law::call(&group, join), law.answer(&join));
    let observer = Arc::new(Observer::<GroupLaw>::new());
    let body = |(thread, steps): (usize, &Vec<GroupStep>)| -> Box<dyn FnOnce() + Send> {
        let (steps, group, witness) = (steps.clone(), group.clone(), Witness::new(&observer, thread));
        Box::new(move || run_member(thread as u64, &steps, &group, witness))
    };
    run_threads(program.iter().enumerate().map(body).collect());

    let finals = final_answers(&group);
    observer.assert_lawful(&law, |law| law_answers(law) == finals);
    let survivor = open_group(&Arc::new(journal.crash()), &recorder);
    assert_eq!(final_answers(&survivor), finals, "what was answered is durable");
    history::assert_tells_group(&recorder.history());
}

fn run_member(member: u64, steps: &[GroupStep], group: &ConsumerGroup, mut witness: Witness<GroupLaw>) {
    let mut generation = 1 - member.min(1);
    for step in steps {
        let call = step.call(member, generation);
        witness.observe(call, || {
            let answer = group_law::call(group, call);
            match &answer {
                GroupAnswer::Generation(heard) => generation = *heard,
                GroupAnswer::Assignment(assignment) => generation = assignment.generation,
                _ => {}
            }
            answer
        });
    }
}

/// A group of two partitions over `journal`.
pub fn open_group(journal: &Arc<MemoryJournal>, recorder: &Arc<MemoryRecorder>) -> Arc<ConsumerGroup> {
    let partitions = vec![Partition::new("t", 0), Partition::new("t", 1)];
    let group = ConsumerGroup::recover("g".into(), partitions, journal.clone(), recorder.clone());
    Arc::new(group.expect("the journal is one of this group"))
}

/// Calls that change nothing and tell all of the state.
fn questions() -> impl Iterator<Item = GroupCall> {
    let syncs = (0..3).map(|member| GroupCall::Sync { member });
    syncs.chain((0..2).map(|partition| GroupCall::Committed { partition }))
}

fn final_answers(group: &ConsumerGroup) -> Vec<GroupAnswer> {
    questions().map(|call| group_law::call(group, call)).collect()
}

fn law_answers(law: &GroupLaw) -> Vec<GroupAnswer> {
    let mut law = law.clone();
    questions().map(|call| law.answer(&call)).collect()
}
