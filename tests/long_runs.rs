//! Long sequential runs of both shells beside their specifications: hundreds of calls with crashes in between,
//! generated and shrunk by proptest. What exhaustive search (O1, O2) does at small sizes, this does by sampling at
//! sizes where deduplication windows overflow, index chunks fill and partitions wander between many members.
//!
//! The runs are the same every time; `PROPTEST_RNG_SEED` chooses others.

#![expect(clippy::unwrap_used, reason = "a test panics to fail, and prints its figures")]

#[path = "long_runs/causal_inbox.rs"]
mod causal_inbox;
mod kernels;
#[path = "long_runs/outbox.rs"]
mod outbox;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use kernels::group_law::{self, GroupAnswer, GroupCall, GroupLaw};
use kernels::linearization::Law;
use kernels::log_law::{self, LogAnswer, LogCall};
use kernels::programs::{all_events, open_log};
use lawspeaker_bus::consumer_group::ConsumerGroup;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::partition_log::PartitionLog;
use lawspeaker_history::{MemoryRecorder, NoRecorder, Offset, Partition};
use lawspeaker_spec::consumer_group::ConsumerGroup as GroupSpec;
use lawspeaker_spec::partition_log::{Entry, PartitionLog as LogSpec};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// Runs of each kernel.
const RUN_COUNT: u32 = 256;
const PRODUCER_COUNT: u64 = 3;
const MEMBER_COUNT: u64 = 4;
const PARTITION_COUNT: u32 = 5;

fn config() -> Config {
    let config = Config { cases: RUN_COUNT, failure_persistence: None, ..Config::default() };
    match std::env::var_os("PROPTEST_RNG_SEED") {
        Some(_) => config,
        None => Config { rng_seed: RngSeed::Fixed(2026), ..config },
    }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn long_runs_of_the_partition_log_keep_the_law(sequential 100..400 => LogRun);

    #[test]
    fn long_runs_of_the_consumer_group_keep_the_law(sequential 100..400 => GroupRun);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_form_of_causes_delivers_the_same_and_all_that_can_be(
        world in causal_inbox::worlds(),
        arrivals in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        causal_inbox::every_form_delivers_what_can_be(&world, &arrivals)?;
    }

    #[test]
    fn the_smallest_inbox_delivers_everything(
        world in causal_inbox::worlds(),
        arrivals in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        causal_inbox::the_smallest_inbox_delivers_everything(&world, &arrivals)?;
    }
}

/// A step of a run: a call, or what happens to the machine between calls.
#[derive(Clone, Debug)]
enum Step<C> {
    Call(C),
    /// Power is lost: what was not durable is gone.
    Crash,
    /// Only the process dies: everything that was written is there again.
    Restart,
}

/// The partition log's law, with what it answered last.
#[derive(Clone, Debug)]
struct LogReference {
    spec: LogSpec,
    epochs: BTreeMap<u64, u64>,
    answer: Option<LogAnswer>,
}

impl LogReference {
    fn expected(&self, producer: u64) -> (u64, u64) {
        let epoch = self.epochs.get(&producer).copied().unwrap_or(0);
        let of_epoch = |entry: &&Entry| entry.producer == producer && entry.epoch == epoch;
        (epoch, self.spec.entries().iter().filter(of_epoch).count() as u64)
    }

    /// The next event of a producer mostly; else one of its last eight again, one too early, or an old epoch's.
    fn an_entry(&self) -> impl Strategy<Value = Step<LogCall>> + use<> {
        let expected: Vec<_> = (0..PRODUCER_COUNT).map(|producer| self.expected(producer)).collect();
        let lag = prop_oneof![6 => Just(0), 2 => 1..=8_u64, 1 => Just(u64::MAX)];
        (0..PRODUCER_COUNT, lag, prop::bool::weighted(0.1)).prop_map(move |(producer, lag, is_old)| {
            let (epoch, next) = expected[usize::try_from(producer).unwrap()];
            let sequence = if lag == u64::MAX { next + 1 } else { next.saturating_sub(lag) };
            let epoch = if is_old { epoch.saturating_sub(1) } else { epoch };
            let event = 1_000_000 * producer + 10_000 * epoch + sequence;
            Step::Call(LogCall::Append(Entry { producer, epoch, sequence, event }))
        })
    }
}

impl ReferenceStateMachine for LogReference {
    type State = LogReference;
    type Transition = Step<LogCall>;

    fn init_state() -> BoxedStrategy<LogReference> {
        Just(LogReference { spec: LogSpec::new(), epochs: BTreeMap::new(), answer: None }).boxed()
    }

    fn transitions(state: &LogReference) -> BoxedStrategy<Step<LogCall>> {
        let last = state.spec.entries().len().saturating_sub(1);
        prop_oneof![
            60 => state.an_entry(),
            2 => (0..PRODUCER_COUNT).prop_map(|producer| Step::Call(LogCall::Open(producer))),
            10 => Just(Step::Call(LogCall::Durable(last))),
            10 => Just(Step::Call(LogCall::Read)),
            2 => Just(Step::Crash),
            1 => Just(Step::Restart),
        ]
        .boxed()
    }

    fn apply(mut state: LogReference, step: &Step<LogCall>) -> LogReference {
        state.answer = match step {
            Step::Call(LogCall::Append(entry)) => Some(LogAnswer::Law(state.spec.append(entry.clone()))),
            Step::Call(LogCall::Open(producer)) => {
                // A fence is durable when it is answered, and with it everything before it.
                state.spec.flush();
                let epoch = state.spec.open_producer(*producer);
                state.epochs.insert(*producer, epoch);
                Some(LogAnswer::Epoch(epoch))
            }
            Step::Call(LogCall::Durable(place)) => {
                state.spec.flush();
                Some(LogAnswer::Durable(*place < state.spec.entries().len()))
            }
            Step::Call(LogCall::Read) => Some(LogAnswer::Events(state.spec.read(0))),
            Step::Crash => {
                state.spec.crash();
                None
            }
            Step::Restart => {
                state.spec.flush();
                None
            }
        };
        state
    }
}

/// The bus's partition log and its journal.
#[derive(Debug)]
struct LogRun {
    journal: Arc<MemoryJournal>,
    log: Arc<PartitionLog>,
}

impl LogRun {
    fn on(journal: MemoryJournal) -> Self {
        let journal = Arc::new(journal);
        let log = open_log(&journal, &Arc::new(MemoryRecorder::new()));
        LogRun { journal, log }
    }
}

impl StateMachineTest for LogRun {
    type SystemUnderTest = LogRun;
    type Reference = LogReference;

    fn init_test(_: &LogReference) -> LogRun {
        LogRun::on(MemoryJournal::new())
    }

    fn apply(run: LogRun, reference: &LogReference, step: Step<LogCall>) -> LogRun {
        match (step, &reference.answer) {
            (Step::Call(call), Some(law)) => {
                let bus = log_law::call(&run.log, &call);
                assert!(*law == bus, "{call:?}: the law says {law:?}, the bus {bus:?}");
                run
            }
            (Step::Crash, _) => LogRun::on(run.journal.crash()),
            (Step::Restart, _) => LogRun::on(run.journal.restart()),
            (Step::Call(call), None) => unreachable!("the law answers {call:?}"),
        }
    }

    fn check_invariants(run: &LogRun, reference: &LogReference) {
        let spec = &reference.spec;
        assert_eq!(run.log.end(), Offset::of(spec.entries().len()));
        assert_eq!(run.log.high_watermark(), Offset::of(spec.high_watermark()));
    }

    fn teardown(run: LogRun, reference: LogReference) {
        let durable = reference.spec.read(0);
        assert_eq!(log_law::read(&run.log), durable);
        assert_eq!(all_events(&run.journal.crash()), durable);
    }
}

/// The group's law, with what it answered last. A crash of the coordinator is nothing to it.
#[derive(Clone, Debug)]
struct GroupReference {
    law: GroupLaw,
    answer: Option<GroupAnswer>,
}

impl ReferenceStateMachine for GroupReference {
    type State = GroupReference;
    type Transition = Step<GroupCall>;

    fn init_state() -> BoxedStrategy<GroupReference> {
        let law = GroupLaw(GroupSpec::new(PARTITION_COUNT as usize));
        Just(GroupReference { law, answer: None }).boxed()
    }

    fn transitions(state: &GroupReference) -> BoxedStrategy<Step<GroupCall>> {
        let current = state.law.0.generation();
        let member = || 0..MEMBER_COUNT;
        let generation = prop_oneof![9 => Just(current), 1 => Just(current.saturating_sub(1))];
        let at = (member(), generation, 0..PARTITION_COUNT);
        let committed: Vec<_> = (0..PARTITION_COUNT).map(|p| state.law.0.committed(p.into())).collect();
        let commit = (at.clone(), 0..6_u64).prop_map(move |((member, generation, partition), step)| {
            let next = (committed[partition as usize] + step).saturating_sub(1);
            GroupCall::Commit { member, generation, partition, next }
        });
        let release = |(member, generation, partition)| GroupCall::Release { member, generation, partition };
        prop_oneof![
            6 => member().prop_map(|member| Step::Call(GroupCall::Join { member })),
            2 => member().prop_map(|member| Step::Call(GroupCall::Leave { member })),
            6 => member().prop_map(|member| Step::Call(GroupCall::Sync { member })),
            20 => at.prop_map(release).prop_map(Step::Call),
            40 => commit.prop_map(Step::Call),
            4 => (0..PARTITION_COUNT).prop_map(|partition| Step::Call(GroupCall::Committed { partition })),
            2 => Just(Step::Crash),
            1 => Just(Step::Restart),
        ]
        .boxed()
    }

    fn apply(mut state: GroupReference, step: &Step<GroupCall>) -> GroupReference {
        state.answer = match step {
            Step::Call(call) => Some(state.law.answer(call)),
            Step::Crash | Step::Restart => None,
        };
        state
    }
}

/// The bus's group and its journal.
#[derive(Debug)]
struct GroupRun {
    journal: Arc<MemoryJournal>,
    group: ConsumerGroup,
}

impl GroupRun {
    fn on(journal: MemoryJournal) -> Self {
        let journal = Arc::new(journal);
        let partitions = (0..PARTITION_COUNT).map(|number| Partition::new("t", number)).collect();
        let group = ConsumerGroup::recover("g".into(), partitions, journal.clone(), Arc::new(NoRecorder));
        GroupRun { journal, group: group.expect("the journal is one of this group") }
    }
}

impl StateMachineTest for GroupRun {
    type SystemUnderTest = GroupRun;
    type Reference = GroupReference;

    fn init_test(_: &GroupReference) -> GroupRun {
        GroupRun::on(MemoryJournal::new())
    }

    fn apply(run: GroupRun, reference: &GroupReference, step: Step<GroupCall>) -> GroupRun {
        match step {
            Step::Call(call) => {
                assert_eq!(Some(group_law::call(&run.group, call)), reference.answer, "{call:?}");
                run
            }
            Step::Crash => GroupRun::on(run.journal.crash()),
            Step::Restart => GroupRun::on(run.journal.restart()),
        }
    }

    fn check_invariants(run: &GroupRun, reference: &GroupReference) {
        for call in (0..PARTITION_COUNT).map(|partition| GroupCall::Committed { partition }) {
            assert_eq!(group_law::call(&run.group, call), reference.law.clone().answer(&call));
        }
    }
}
