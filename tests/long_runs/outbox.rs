//! Two services on a wire that duplicates and reorders, with a crash at any write, any sync and any send: in the end
//! each change has exactly one effect, and where the wire keeps order, effects of a key come in the order of changes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lawspeaker_bus::journal::Journal;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::message::Message;
use lawspeaker_bus::outbox::{
    Arrival, CommitError, Decision, Publish, Relay, Retention, ServiceStore, State,
};
use lawspeaker_history::{EventId, GroupId, NoRecorder, Offset, Partition, Process};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// How many commands there are; each may be given often.
const COMMAND_COUNT: i64 = 6;
/// Commands of a key follow one another.
const KEY_COUNT: i64 = 2;

/// What a service has done, in order.
#[derive(Clone, Debug, Default, PartialEq)]
struct Done(Vec<i64>);

#[derive(Debug, Serialize, Deserialize)]
struct Did(i64);

impl State for Done {
    type Change = Did;

    fn apply(&mut self, Did(what): Did) {
        self.0.push(what);
    }
}

/// A journal that fails for good after so many appends and syncs.
#[derive(Debug)]
struct Fragile {
    journal: MemoryJournal,
    left: AtomicU64,
}

impl Fragile {
    fn burn(&self) -> io::Result<()> {
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("the power is off")),
        }
    }
}

impl Journal for Fragile {
    fn append(&self, record: &[u8]) -> io::Result<u64> {
        self.burn()?;
        self.journal.append(record)
    }

    fn sync(&self) -> io::Result<()> {
        self.burn()?;
        self.journal.sync()
    }

    fn read(&self, index: u64) -> io::Result<Vec<u8>> {
        self.journal.read(index)
    }

    fn record_count(&self) -> u64 {
        self.journal.record_count()
    }
}

/// A service and its disk.
struct Machine {
    journal: Arc<Fragile>,
    store: Arc<ServiceStore<Done>>,
}

impl Machine {
    fn boot(journal: MemoryJournal) -> Self {
        let journal = Arc::new(Fragile { journal, left: AtomicU64::new(u64::MAX) });
        let store =
            ServiceStore::recover("service", Retention::Forever, journal.clone(), Arc::new(NoRecorder));
        Machine { journal, store: Arc::new(store.unwrap()) }
    }

    /// Starts again, with what was synced or with all that was written.
    fn restart(&mut self, is_power_lost: bool) {
        let journal = &self.journal.journal;
        *self = Machine::boot(if is_power_lost { journal.crash() } else { journal.restart() });
    }

    fn done(&self) -> Vec<i64> {
        self.store.view(|done| done.0.clone()).unwrap()
    }
}

/// What was sent, in order; a send may fail before or after it.
#[derive(Debug, Default)]
struct Wire {
    sent: Vec<Message>,
    fails_after: Option<(usize, bool)>,
}

impl Publish for &mut Wire {
    type Error = io::Error;

    fn publish(&mut self, _topic: &str, message: &Message) -> io::Result<()> {
        let (is_failing, is_sent) = match &mut self.fails_after {
            Some((0, is_sent)) => (true, *is_sent),
            Some((left, _)) => {
                *left -= 1;
                (false, true)
            }
            None => (false, true),
        };
        if is_sent {
            self.sent.push(message.clone());
        }
        if is_failing { Err(io::Error::other("nobody knows")) } else { Ok(()) }
    }
}

#[derive(Clone, Debug)]
enum Fault {
    /// The disk fails after so many calls, and the machine starts again with or without what was not synced.
    Disk {
        of_sink: bool,
        left: u64,
        is_power_lost: bool,
    },
    Restart {
        of_sink: bool,
        is_power_lost: bool,
    },
}

#[derive(Clone, Debug)]
enum Step {
    Command(i64),
    /// A new relay publishes; its send number so-and-so may fail, before or after it was sent.
    Relay(Option<(usize, bool)>),
    /// The sink is given the next message that it was not given, or, with a number, any that was sent.
    Deliver(Option<prop::sample::Index>),
    Fault(Fault),
}

fn any_step(is_reordering: bool) -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        (any::<bool>(), 0..5_u64, any::<bool>()).prop_map(|(of_sink, left, is_power_lost)| Fault::Disk {
            of_sink,
            left,
            is_power_lost
        }),
        (any::<bool>(), any::<bool>())
            .prop_map(|(of_sink, is_power_lost)| Fault::Restart { of_sink, is_power_lost }),
    ];
    let place = any::<prop::sample::Index>().prop_map(Some);
    let place = if is_reordering { place.boxed() } else { Just(None).boxed() };
    prop_oneof![
        3 => (0..COMMAND_COUNT).prop_map(Step::Command),
        2 => prop::option::of((0..3_usize, any::<bool>())).prop_map(Step::Relay),
        3 => prop_oneof![place, Just(None)].prop_map(Step::Deliver),
        2 => fault.prop_map(Step::Fault),
    ]
}

/// The two services, the wire, and what was acknowledged.
struct World {
    source: Machine,
    sink: Machine,
    wire: Wire,
    /// How much of the wire the sink has handled, in order.
    position: usize,
    acknowledged: Vec<i64>,
    restarts: [bool; 2],
}

impl World {
    fn new() -> Self {
        World {
            source: Machine::boot(MemoryJournal::new()),
            sink: Machine::boot(MemoryJournal::new()),
            wire: Wire::default(),
            position: 0,
            acknowledged: Vec::new(),
            restarts: [true; 2],
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Command(number) => self.command(*number),
            Step::Relay(fails_after) => self.relay(*fails_after),
            Step::Deliver(None) => self.deliver_next(),
            Step::Deliver(Some(place)) if !self.wire.sent.is_empty() => {
                let message = place.get(&self.wire.sent).clone();
                self.handle(&message);
            }
            Step::Deliver(Some(_)) => {}
            Step::Fault(Fault::Disk { of_sink, left, is_power_lost }) => {
                let machine = if *of_sink { &self.sink } else { &self.source };
                machine.journal.left.store(*left, Ordering::Relaxed);
                self.restarts[usize::from(*of_sink)] = *is_power_lost;
            }
            Step::Fault(Fault::Restart { of_sink, is_power_lost }) => {
                if *of_sink { &mut self.sink } else { &mut self.source }.restart(*is_power_lost);
            }
        }
    }

    fn command(&mut self, number: i64) {
        let owed = Message::new(100 + number, "").key(format!("{}", number % KEY_COUNT));
        let id = EventId::Number(number);
        let decide = |_: &Done| Ok::<_, io::Error>(Decision::change(Did(number)).emit("wire", owed));
        match self.source.store.transact(Some(&id), 0, decide) {
            Ok(_) => self.acknowledged.push(number),
            Err(CommitError::Store(_)) => self.source.restart(self.restarts[0]),
            Err(error) => panic!("{error}"),
        }
    }

    fn relay(&mut self, fails_after: Option<(usize, bool)>) {
        self.wire.fails_after = fails_after;
        let wire = &mut self.wire;
        let stepped = Relay::open(self.source.store.clone(), || wire).map(|mut relay| relay.step().is_ok());
        if stepped.is_err() || self.source.store.view(|_| ()).is_err() {
            self.source.restart(self.restarts[0]);
        }
    }

    fn deliver_next(&mut self) {
        let Some(message) = self.wire.sent.get(self.position).cloned() else { return };
        // The position moves when the effect is durable.
        if self.handle(&message) {
            self.position += 1;
        }
    }

    fn handle(&mut self, message: &Message) -> bool {
        let arrival = Arrival {
            process: Process::from("sink"),
            group: GroupId::from("sink"),
            partition: Partition::named("wire"),
            offset: Offset::of(0),
        };
        let EventId::Number(number) = message.id else { panic!("an id was changed") };
        let decide = |_: &Done| Ok::<_, io::Error>(Decision::change(Did(number - 100)));
        match self.sink.store.handle(&arrival, message, 0, decide) {
            Ok(_) => true,
            Err(CommitError::Store(_)) => {
                self.sink.restart(self.restarts[1]);
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// No more faults: everything comes to its end.
    fn settle(&mut self) {
        self.source.restart(false);
        self.sink.restart(false);
        while self.source.store.owed_count() > 0 {
            self.relay(None);
        }
        while self.position < self.wire.sent.len() {
            self.deliver_next();
        }
    }

    fn check(&self, is_ordered: bool) {
        let (changes, effects) = (self.source.done(), self.sink.done());
        for acknowledged in &self.acknowledged {
            assert!(changes.contains(acknowledged), "acknowledged command {acknowledged} is lost");
        }
        let sorted = |of: &[i64]| {
            let mut sorted = of.to_vec();
            sorted.sort_unstable();
            sorted
        };
        assert_eq!(sorted(&changes), sorted(&effects), "each change has exactly one effect");
        assert!(sorted(&changes).windows(2).all(|two| two[0] < two[1]), "a command was taken twice");
        for key in (0..KEY_COUNT).filter(|_| is_ordered) {
            let of_key =
                |all: &[i64]| all.iter().copied().filter(|one| one % KEY_COUNT == key).collect::<Vec<_>>();
            assert_eq!(
                of_key(&changes),
                of_key(&effects),
                "effects of a key come in the order of its changes"
            );
        }
    }
}

fn run(steps: &[Step], is_ordered: bool) {
    let mut world = World::new();
    steps.iter().for_each(|step| world.step(step));
    world.settle();
    world.check(is_ordered);
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn each_change_has_one_effect_however_the_wire_duplicates_and_reorders(
        steps in prop::collection::vec(any_step(true), 0..60),
    ) {
        run(&steps, false);
    }

    #[test]
    fn effects_of_a_key_come_in_the_order_of_its_changes_where_the_wire_keeps_order(
        steps in prop::collection::vec(any_step(false), 0..60),
    ) {
        run(&steps, true);
    }
}
