//! What was found so far: which states, from where, and what the laws say of them.
//!
//! Runs are added in the order of their states, one after the other, so that nothing depends on who expanded them.

use super::expand::{Change, Judged, Run, Tally};
use super::fingerprint::Fingerprint;
use super::frontier::Frontier;
use super::graph::{Edge, Graph, Node};
use super::origins::Origins;
use super::successors::{Origin, Successors};
use super::visited::{BURST, Visited};

/// What was found so far.
pub(super) struct Findings<T> {
    visited: Visited<T>,
    pub(super) origins: Origins,
    /// The states that are found and belong to the next level, in the order of discovery.
    pub(super) next_frontier: Frontier<T>,
    /// How many states are expanded: the place of the first state that is not.
    pub(super) expanded_count: Node,
    /// The most states that were found and not yet expanded, as if each were expanded by itself.
    pub(super) frontier_peak: usize,
    /// For each law, where it is broken first.
    pub(super) broken_at: Vec<Option<Node>>,
    pub(super) checked_counts: Vec<usize>,
    pub(super) tally: Tally,
    pub(super) promises: Option<Promises>,
    /// The place of each successor of a run, if there are promises; memory that is used again and again.
    places: Vec<Node>,
}

/// What laws on infinite behaviours need of every state; the laws are bits, by their places among laws of this kind.
#[derive(Default)]
pub(super) struct Promises {
    pub(super) graph: Graph,
    pub(super) owed: Vec<u8>,
    pub(super) met: Vec<u8>,
}

impl<T: Clone + Eq> Findings<T> {
    /// Nothing yet.
    pub(super) fn new(visited: Visited<T>, law_count: usize, tally: Tally, has_promises: bool) -> Self {
        Findings {
            visited,
            origins: Origins::default(),
            next_frontier: Frontier::new(),
            expanded_count: 0,
            frontier_peak: 0,
            broken_at: vec![None; law_count],
            checked_counts: vec![0; law_count],
            tally,
            promises: has_promises.then(Promises::default),
            places: Vec::new(),
        }
    }

    /// The place of a state, if it was found and places are kept.
    pub(super) fn place(&self, fingerprint: Fingerprint, state: &T) -> Option<Node> {
        self.visited.find(fingerprint, state)
    }

    /// Adds what the next states of the frontier say. The successors of the run are gone from it then.
    pub(super) fn add(&mut self, run: &mut Run<T>) {
        self.tally.add(&run.tally);
        self.find(&mut run.successors);
        self.note_changes(run);
        for judged in &run.judged {
            self.note(self.expanded_count, judged);
            self.expanded_count += 1;
        }
    }

    /// Finds out which successors of a run are new, and takes them into the next frontier.
    fn find(&mut self, successors: &mut Successors<T>) {
        self.places.clear();
        let mut reached = successors.states.drain(..).zip(&successors.origins);
        for burst in successors.fingerprints.chunks(BURST) {
            self.visited.touch(burst);
            for (fingerprint, (state, origin)) in burst.iter().zip(&mut reached) {
                let (place, is_new) = self.visited.insert(*fingerprint, &state);
                if is_new {
                    let Origin { parent, ordinal } = *origin;
                    let parent = parent.map(|parent| self.expanded_count + parent);
                    self.origins.push(parent, ordinal);
                    self.next_frontier.push(state);
                    let waiting = self.origins.len() - parent.map_or(0, |parent| parent as usize + 1);
                    self.frontier_peak = self.frontier_peak.max(waiting);
                }
                if self.promises.is_some() {
                    self.places.push(place);
                }
            }
        }
    }

    /// Notes the steps out of the states of a run, and what is owed and met there.
    fn note_changes(&mut self, run: &Run<T>) {
        let Some(promises) = &mut self.promises else { return };
        let mut start = 0;
        for (judged, end) in run.judged.iter().zip(&run.ends) {
            let changes = &run.changes[std::mem::replace(&mut start, *end as usize)..*end as usize];
            let edge = |change: &Change| Edge { to: self.places[change.to as usize], group: change.group };
            promises.graph.expand(changes.iter().map(edge));
            promises.owed.push(judged.owed);
            promises.met.push(judged.met);
        }
    }

    /// Adds what the laws say of a state to where they are broken first and how often they were checked.
    pub(super) fn note(&mut self, node: Node, judged: &Judged) {
        for (law, (broken_at, checked_count)) in
            self.broken_at.iter_mut().zip(&mut self.checked_counts).enumerate()
        {
            *checked_count += usize::from(judged.checked & (1 << law) != 0);
            if judged.broken & (1 << law) != 0 {
                broken_at.get_or_insert(node);
            }
        }
    }
}
