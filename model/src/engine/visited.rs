//! The set of states already found, each with its place in the order of discovery.
//!
//! By default a state is known by its fingerprint; an exact set keeps the states themselves beside it.
//!
//! The set is in [`SHARDS`] parts, by fingerprint. Each thread has some of them to itself, so that none waits for
//! another; and it grows them one at a time, so that few are in memory twice. Looking up is a random access to
//! memory, and that is nearly all of its cost: fingerprints are looked up [`MAX_BURST`] at a time, so that a core waits
//! for all of them at once.

use std::hint::black_box;

use super::expand::Run;
use super::fingerprint::Fingerprint;
use super::graph::Node;
use super::table::{MAX_BURST, PRINT_BITS, Print, Table};
use super::threads::on_threads;

/// How many parts the set has.
const SHARDS: usize = 64;

/// The birthday bound on the chance that any two of `count` states were taken for one: which shard a fingerprint is in
/// tells it apart as much as what stands there.
pub(super) fn collision_odds(count: usize) -> f64 {
    let count = count as f64;
    count * count / 2.0 / 2f64.powi((PRINT_BITS + SHARDS.ilog2()) as i32)
}

fn shard_of(fingerprint: Fingerprint) -> usize {
    fingerprint as usize % SHARDS
}

/// The states found so far.
#[derive(Debug)]
pub(super) struct Visited<T> {
    shards: Vec<Shard<T>>,
    keeps_places: bool,
    next_place: Node,
}

/// What was found of the successors of a run.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The positions of those that are new, in order.
    pub(super) new: Vec<u32>,
    /// The place of each in the order of discovery; empty if places are not kept.
    pub(super) places: Vec<Node>,
}

/// A part of the states; each has a number in its shard, from 0.
#[derive(Debug)]
struct Shard<T> {
    table: Table,
    /// The states by number, if they are kept.
    states: Option<Vec<T>>,
    /// Their places in the order of discovery, by number, if they are kept.
    places: Vec<Node>,
}

/// What one thread found out about the successors of a run that fall into its shards.
#[derive(Debug, Default)]
struct Part {
    /// The positions of those that are new, in order.
    new: Vec<u32>,
    /// The number in its shard of each, in order; empty if places are not kept.
    numbers: Vec<u32>,
}

impl<T: Clone + Eq + Send + Sync> Visited<T> {
    /// An empty set; if it `keeps_places`, it knows where a state stands in the order of discovery.
    pub(super) fn new(keeps_places: bool, is_exact: bool) -> Self {
        let shard = |_| Shard {
            table: Table::new(keeps_places || is_exact),
            states: is_exact.then(Vec::new),
            places: Vec::new(),
        };
        Visited { shards: (0..SHARDS).map(shard).collect(), keeps_places, next_place: 0 }
    }

    /// Inserts the successors of `runs`, in order, and answers with what was found for each run.
    pub(super) fn insert_all(&mut self, runs: &[Run<T>], threads: usize) -> Vec<Found> {
        let keeps_places = self.keeps_places;
        let share = SHARDS.div_ceil(threads);
        let shares = self.shards.chunks_mut(share).zip((0..).step_by(share));
        let parts = on_threads(shares, |(shards, first)| -> Vec<Part> {
            runs.iter().map(|run| insert(shards, first, run, keeps_places)).collect()
        });
        let found = |(number, run): (usize, &Run<T>)| {
            let parts: Vec<&Part> = parts.iter().map(|parts| &parts[number]).collect();
            let mut new: Vec<u32> = parts.iter().flat_map(|part| &part.new).copied().collect();
            new.sort_unstable();
            self.place(run, &new);
            let places = if keeps_places { self.places(run, share, &parts) } else { Vec::new() };
            Found { new, places }
        };
        runs.iter().enumerate().map(found).collect()
    }

    /// Gives the new successors of a run the next places.
    fn place(&mut self, run: &Run<T>, new: &[u32]) {
        for position in new {
            if self.keeps_places {
                let shard = shard_of(run.fingerprints[*position as usize]);
                self.shards[shard].places.push(self.next_place);
            }
            self.next_place = self
                .next_place
                .checked_add(1)
                .expect("an exploration ends before 2^32 states, as documented");
        }
    }

    /// The place of each successor of a run; its number in its shard is the next one that the shard's thread told.
    fn places(&self, run: &Run<T>, share: usize, parts: &[&Part]) -> Vec<Node> {
        let mut numbers: Vec<_> = parts.iter().map(|part| part.numbers.iter()).collect();
        let place = |fingerprint: &Fingerprint| {
            let shard = shard_of(*fingerprint);
            let number = numbers[shard / share].next().expect("a thread inserted it");
            self.shards[shard].places[*number as usize]
        };
        run.fingerprints.iter().map(place).collect()
    }

    /// The place of a state, if it was found and places are kept.
    pub(super) fn find(&self, fingerprint: Fingerprint, state: &T) -> Option<Node> {
        let shard = &self.shards[shard_of(fingerprint)];
        let number = shard.table.find(Print::of(fingerprint), |number| {
            shard.states.as_ref().is_none_or(|states| states[number as usize] == *state)
        })?;
        shard.places.get(number as usize).copied()
    }
}

/// Inserts those successors of a run that fall into `shards`, the first of which has the number `first`.
fn insert<T: Clone + Eq>(shards: &mut [Shard<T>], first: usize, run: &Run<T>, keeps_numbers: bool) -> Part {
    let mut part = Part::default();
    let own = first..first + shards.len();
    let is_own = |(_, fingerprint): &(usize, &Fingerprint)| own.contains(&shard_of(**fingerprint));
    let mut successors = run.fingerprints.iter().enumerate().filter(is_own);
    let mut burst = [Probe::default(); MAX_BURST];
    loop {
        let mut count = 0;
        for (probe, (position, fingerprint)) in burst.iter_mut().zip(&mut successors) {
            let (shard, print) = ((shard_of(*fingerprint) - first) as u32, Print::of(*fingerprint));
            let home = shards[shard as usize].table.home(print);
            *probe = Probe { print, home, shard, position: position as u32 };
            count += 1;
        }
        let (burst, known) = (&burst[..count], part.new.len());
        // These loads do not depend on one another, so that all of them are under way at once.
        black_box(
            burst.iter().fold(0, |all, probe| all ^ shards[probe.shard as usize].table.touch(probe.home)),
        );
        for probe in burst {
            let state = &run.states[probe.position as usize];
            let (number, is_new) = shards[probe.shard as usize].insert(probe, state);
            if is_new {
                part.new.push(probe.position);
            }
            if keeps_numbers {
                part.numbers.push(number);
            }
        }
        // Nothing grows before the burst is in: homes change with it.
        for position in &part.new[known..] {
            let shard = shard_of(run.fingerprints[*position as usize]) - first;
            shards[shard].table.make_room();
        }
        if count < MAX_BURST {
            return part;
        }
    }
}

/// A fingerprint on its way into the set.
#[derive(Clone, Copy, Default)]
struct Probe {
    print: Print,
    home: usize,
    shard: u32,
    position: u32,
}

impl<T: Clone + Eq> Shard<T> {
    fn insert(&mut self, Probe { print, home, .. }: &Probe, state: &T) -> (u32, bool) {
        let Some(states) = &mut self.states else { return self.table.insert(*print, *home, |_| true) };
        let is_it = |number: u32| states[number as usize] == *state;
        let (number, is_new) = self.table.insert(*print, *home, is_it);
        if is_new {
            states.push(state.clone());
        }
        (number, is_new)
    }
}
