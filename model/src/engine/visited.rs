//! The set of states already found, each with its place in the order of discovery.
//!
//! By default a state is known by its fingerprint; an exact set keeps the states themselves beside it.
//!
//! The set is in [`SHARDS`] parts, by fingerprint, which grow one at a time, so that few are in memory twice. To look up
//! is a random access to memory, and that is nearly all of its cost: fingerprints are looked up part by part, and up to
//! [`MAX_BURST`] at a time, so that a core waits for all of them at once.

use std::hint::black_box;
use std::ops::Range;

use super::fingerprint::Fingerprint;
use super::graph::Node;
use super::successors::Successors;
use super::table::{MAX_BURST, PRINT_BITS, Print, Table};

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

/// What was found of the successors of a run, and memory to find it with.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The positions of those that are new, in order.
    pub(super) new: Vec<u32>,
    /// The place of each in the order of discovery; meaningless if places are not kept.
    pub(super) places: Vec<Node>,
    /// The positions of all of them by shard, and in order within a shard.
    by_shard: Vec<u32>,
    /// Whether each is new.
    is_new: Vec<bool>,
    /// The number in its shard of each.
    numbers: Vec<u32>,
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

impl<T: Clone + Eq> Visited<T> {
    /// An empty set; if it `keeps_places`, it knows where a state stands in the order of discovery.
    pub(super) fn new(keeps_places: bool, is_exact: bool) -> Self {
        let shard = |_| Shard {
            table: Table::new(keeps_places || is_exact),
            states: is_exact.then(Vec::new),
            places: Vec::new(),
        };
        Visited { shards: (0..SHARDS).map(shard).collect(), keeps_places, next_place: 0 }
    }

    /// Inserts the successors of a run, in order, and says what was found.
    pub(super) fn insert(&mut self, successors: &Successors<T>, found: &mut Found) {
        let ends = found.sort(&successors.fingerprints);
        let mut start = 0;
        for (shard, end) in self.shards.iter_mut().zip(ends) {
            shard.insert(successors, std::mem::replace(&mut start, end)..end, found);
        }
        found.new.clear();
        found
            .new
            .extend((0..).zip(&found.is_new).filter(|(_, is_new)| **is_new).map(|(position, _)| position));
        self.place(&successors.fingerprints, found);
    }

    /// Gives the new successors of a run the next places, and looks up those of all, if places are kept.
    fn place(&mut self, fingerprints: &[Fingerprint], found: &mut Found) {
        let new_count = found.new.len() as Node;
        let places = self.next_place..;
        self.next_place = (self.next_place.checked_add(new_count))
            .expect("an exploration ends before 2^32 states, as documented");
        if !self.keeps_places {
            return;
        }
        for (position, place) in found.new.iter().zip(places) {
            self.shards[shard_of(fingerprints[*position as usize])].places.push(place);
        }
        let place = |(fingerprint, number): (&Fingerprint, &u32)| {
            self.shards[shard_of(*fingerprint)].places[*number as usize]
        };
        found.places.clear();
        found.places.extend(fingerprints.iter().zip(&found.numbers).map(place));
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

impl Found {
    /// Sorts the positions of fingerprints by shard; answers where those of each shard end.
    fn sort(&mut self, fingerprints: &[Fingerprint]) -> [usize; SHARDS] {
        let mut ends = [0; SHARDS];
        fingerprints.iter().for_each(|fingerprint| ends[shard_of(*fingerprint)] += 1);
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        self.by_shard.resize(fingerprints.len(), 0);
        self.is_new.resize(fingerprints.len(), false);
        self.numbers.resize(fingerprints.len(), 0);
        for (position, fingerprint) in (0..).zip(fingerprints) {
            let end = &mut ends[shard_of(*fingerprint)];
            self.by_shard[*end] = position;
            *end += 1;
        }
        ends
    }
}

impl<T: Clone + Eq> Shard<T> {
    /// Inserts the successors that are this shard's, which stand in a part of [`Found::by_shard`].
    fn insert(&mut self, successors: &Successors<T>, own: Range<usize>, found: &mut Found) {
        let mut homes = [0; MAX_BURST];
        for burst in found.by_shard[own].chunks(MAX_BURST) {
            // These loads do not depend on one another, so that all of them are under way at once.
            let mut touched = 0;
            for (home, position) in homes.iter_mut().zip(burst) {
                *home = self.table.home(Print::of(successors.fingerprints[*position as usize]));
                touched ^= self.table.touch(*home);
            }
            black_box(touched);
            for (home, position) in homes.iter().zip(burst) {
                let position = *position as usize;
                let print = Print::of(successors.fingerprints[position]);
                let (number, is_new) = self.insert_one(print, *home, &successors.states[position]);
                (found.numbers[position], found.is_new[position]) = (number, is_new);
            }
            // Nothing grows before the burst is in: homes change with it.
            self.table.make_room();
        }
    }

    fn insert_one(&mut self, print: Print, home: usize, state: &T) -> (u32, bool) {
        let Some(states) = &mut self.states else { return self.table.insert(print, home, |_| true) };
        let (number, is_new) = self.table.insert(print, home, |number| states[number as usize] == *state);
        if is_new {
            states.push(state.clone());
        }
        (number, is_new)
    }
}
