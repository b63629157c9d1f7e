//! The partition log's core and its specification, in lock-step.

use lawspeaker_bus::id::{Epoch, ProducerId, Stamp};
use lawspeaker_bus::partition_log::{Accepted, Fact, PartitionLogCore, Refusal};
use lawspeaker_history::Offset;
use lawspeaker_spec::partition_log::{Entry, PartitionLog as Spec};
use stateright::{Model, Property};

use crate::kernels::log_law::{is_same_answer, stamp};

// Bounds: two producers of two incarnations each, two of one sequence number more than a window of two can hold,
// a sync that anything may happen during, and one crash.
const PRODUCERS: [u64; 2] = [0, 1];
const EPOCH_COUNT: u64 = 2;
const SEQUENCE_COUNT: u64 = 4;
const ENTRY_COUNT: usize = 4;
const CRASH_COUNT: u8 = 1;
const WINDOW_LENGTH: usize = 2;
/// Every state within the bounds.
pub(crate) const STATE_COUNT: usize = 341_976;

/// The search.
#[derive(Clone, Debug)]
pub(crate) struct LockStep;

/// The core, the journal that its shell would keep, and the specification.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    core: PartitionLogCore,
    journal: Vec<Fact>,
    durable_record_count: usize,
    spec: Spec,
    sync: Option<Sync>,
    crash_count: u8,
    is_answer_equal: bool,
}

/// A sync that goes on: what it covers, and the specification as it will be when it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sync {
    mark: Offset,
    record_count: usize,
    spec_after: Spec,
}

/// A call, or what happens to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Append(Entry),
    Open(u64),
    BeginSync,
    EndSync,
    /// The machine loses power: of what was not durable everything is gone, or nothing.
    Crash {
        is_all_kept: bool,
    },
}

impl Model for LockStep {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            core: PartitionLogCore::new(WINDOW_LENGTH),
            journal: Vec::new(),
            durable_record_count: 0,
            spec: Spec::new(),
            sync: None,
            crash_count: 0,
            is_answer_equal: true,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(entries().map(Action::Append));
        let is_openable = |producer: &u64| state.core.expected(ProducerId(*producer)).0.0 + 1 < EPOCH_COUNT;
        actions.extend(PRODUCERS.into_iter().filter(is_openable).map(Action::Open));
        actions.push(if state.sync.is_some() { Action::EndSync } else { Action::BeginSync });
        if state.crash_count < CRASH_COUNT {
            actions.extend([false, true].map(|is_all_kept| Action::Crash { is_all_kept }));
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Append(entry) => next.append(&entry),
            Action::Open(producer) => next.open(producer),
            Action::BeginSync => next.begin_sync(),
            Action::EndSync => next.end_sync(),
            Action::Crash { is_all_kept } => next.crash(is_all_kept),
        }
        Some(next)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.spec.entries().len() <= ENTRY_COUNT
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("answers are equal", |_, state: &State| state.is_answer_equal),
            Property::always("abstract states are equal", |_, state: &State| state.is_equal()),
            Property::sometimes("an old incarnation is fenced", |_, state: &State| {
                state.answers(|answer| matches!(answer, Err(Refusal::Fenced { .. })))
            }),
            Property::sometimes("an event arrives before an earlier one", |_, state: &State| {
                state.answers(|answer| matches!(answer, Err(Refusal::Gap { .. })))
            }),
            Property::sometimes("a duplicate is older than the window", |_, state: &State| {
                state.answers(|answer| matches!(answer, Ok(Accepted::DuplicateBelow(_))))
            }),
            Property::sometimes("a crash takes an event away", |_, state: &State| {
                state.crash_count == 1 && state.spec.entries().is_empty()
            }),
        ]
    }
}

/// Every entry within the bounds.
fn entries() -> impl Iterator<Item = Entry> {
    let stamps = PRODUCERS.into_iter().flat_map(|producer| {
        (0..EPOCH_COUNT)
            .flat_map(move |epoch| (0..SEQUENCE_COUNT).map(move |sequence| (producer, epoch, sequence)))
    });
    stamps.map(|(producer, epoch, sequence)| entry(producer, epoch, sequence))
}

/// An attempt and its retries send the same event.
fn entry(producer: u64, epoch: u64, sequence: u64) -> Entry {
    Entry { producer, epoch, sequence, event: 100 * producer + 10 * epoch + sequence }
}

impl State {
    fn specs(&mut self) -> impl Iterator<Item = &mut Spec> {
        [&mut self.spec].into_iter().chain(self.sync.as_mut().map(|sync| &mut sync.spec_after))
    }

    fn append(&mut self, entry: &Entry) {
        let answer = self.core.append(stamp(entry));
        if let Ok(Accepted::Appended(_)) = answer {
            self.journal.push(Fact::Appended(stamp(entry)));
        }
        let is_equal = self.specs().all(|spec| is_same_answer(answer, spec.append(entry.clone())));
        self.is_answer_equal &= is_equal;
    }

    /// A fence is durable when it is answered, and with it everything before it.
    fn open(&mut self, producer: u64) {
        let epoch = self.core.open_producer(ProducerId(producer));
        let is_equal = self.specs().all(|spec| epoch == Ok(Epoch(spec.open_producer(producer))));
        self.is_answer_equal &= is_equal;
        self.specs().for_each(Spec::flush);
        self.journal.extend(epoch.map(|epoch| Fact::Opened(ProducerId(producer), epoch)));
        self.durable_record_count = self.journal.len();
        self.core.flushed(self.core.end());
    }

    fn begin_sync(&mut self) {
        let mut spec_after = self.spec.clone();
        spec_after.flush();
        self.sync = Some(Sync { mark: self.core.end(), record_count: self.journal.len(), spec_after });
    }

    fn end_sync(&mut self) {
        let Some(sync) = self.sync.take() else { return };
        self.core.flushed(sync.mark);
        self.durable_record_count = self.durable_record_count.max(sync.record_count);
        self.spec = sync.spec_after;
    }

    fn crash(&mut self, is_all_kept: bool) {
        if is_all_kept {
            self.spec.flush();
        } else {
            self.journal.truncate(self.durable_record_count);
        }
        self.spec.crash();
        self.sync = None;
        self.crash_count += 1;
        self.durable_record_count = self.journal.len();
        let recovered = PartitionLogCore::recover(WINDOW_LENGTH, self.journal.iter().copied());
        self.core = recovered.expect("the core wrote the journal");
    }

    fn is_equal(&self) -> bool {
        let appended = self.journal.iter().filter_map(|fact| match fact {
            Fact::Appended(Stamp { producer, epoch, sequence }) => {
                Some(entry(producer.0, epoch.0, sequence.0))
            }
            Fact::Opened(..) => None,
        });
        appended.eq(self.spec.entries().iter().cloned())
            && self.core.end() == Offset::of(self.spec.entries().len())
            && self.core.high_watermark() == Offset::of(self.spec.high_watermark())
    }

    /// Whether some append would be answered so.
    fn answers(&self, is_such: impl Fn(Result<Accepted, Refusal>) -> bool) -> bool {
        entries().any(|entry| is_such(self.core.clone().append(stamp(&entry))))
    }
}
