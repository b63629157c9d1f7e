//! What one state says: its successors, and which laws it keeps. Reads nothing but the model, so that many threads can
//! do it at once.

use std::thread;

use super::graph::Node;
use super::system::{FairGroup, Law, System, When, Witness};
use super::visited::Fingerprint;

/// A state in its place.
pub(super) type Placed<S> = (Node, <S as stateright::Model>::State);

/// One step out of a state.
pub(super) struct Successor<T> {
    pub(super) state: T,
    pub(super) fingerprint: Fingerprint,
    /// Which of the state's actions it is.
    pub(super) ordinal: u32,
    /// Whether it changes anything.
    pub(super) is_change: bool,
    pub(super) group: Option<FairGroup>,
}

/// Everything that one state says; laws are bits, by their places.
pub(super) struct Expansion<T> {
    pub(super) successors: Vec<Successor<T>>,
    /// Laws on states that were checked here, and those of them that are broken.
    pub(super) checked: u64,
    pub(super) broken: u64,
    /// Laws on behaviours: from which the goal is owed here, and of which it is met here.
    pub(super) owed: u64,
    pub(super) met: u64,
}

/// What is counted over many states.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// How often each kind of action was taken.
    pub(super) taken: Vec<u64>,
    /// Which witnesses were met.
    pub(super) is_met: Vec<bool>,
    /// How many steps led out of the model's own boundary, and were not followed.
    pub(super) cut_count: usize,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Tally) {
        self.taken.iter_mut().zip(&other.taken).for_each(|(all, taken)| *all += taken);
        self.is_met.iter_mut().zip(&other.is_met).for_each(|(all, is_met)| *all |= is_met);
        self.cut_count += other.cut_count;
    }
}

/// A model with what it is asked, looked up once.
pub(super) struct Expander<'a, S: System> {
    pub(super) system: &'a S,
    pub(super) laws: Vec<Law<S>>,
    pub(super) witnesses: Vec<Witness<S>>,
    pub(super) kinds: &'static [&'static str],
    pub(super) hash: fn(&S::State) -> Fingerprint,
}

impl<S: System> Expander<'_, S> {
    pub(super) fn empty_tally(&self) -> Tally {
        Tally { taken: vec![0; self.kinds.len()], is_met: vec![false; self.witnesses.len()], cut_count: 0 }
    }

    /// Expands every state of a block; the answers are in its order, whatever the number of threads.
    pub(super) fn expand_all(
        &self,
        block: &[Placed<S>],
        threads: usize,
    ) -> (Vec<Expansion<S::State>>, Tally) {
        let chunks = block.chunks(block.len().div_ceil(threads).max(1));
        let mut parts: Vec<(Vec<_>, Tally)> = Vec::with_capacity(threads);
        if threads == 1 {
            parts.extend(chunks.map(|chunk| self.expand_chunk(chunk)));
        } else {
            thread::scope(|scope| {
                let workers: Vec<_> = chunks.map(|chunk| scope.spawn(|| self.expand_chunk(chunk))).collect();
                parts.extend(workers.into_iter().map(|worker| match worker.join() {
                    Ok(part) => part,
                    Err(panic) => std::panic::resume_unwind(panic),
                }));
            });
        }
        let mut tally = self.empty_tally();
        let mut expansions = Vec::with_capacity(block.len());
        for (part, of_part) in parts {
            expansions.extend(part);
            tally.add(&of_part);
        }
        (expansions, tally)
    }

    fn expand_chunk(&self, chunk: &[Placed<S>]) -> (Vec<Expansion<S::State>>, Tally) {
        let mut tally = self.empty_tally();
        let mut actions = Vec::new();
        let expansions =
            chunk.iter().map(|(_, state)| self.expand(state, &mut actions, &mut tally)).collect();
        (expansions, tally)
    }

    fn expand(
        &self,
        state: &S::State,
        actions: &mut Vec<S::Action>,
        tally: &mut Tally,
    ) -> Expansion<S::State> {
        actions.clear();
        self.system.actions(state, actions);
        let mut successors = Vec::with_capacity(actions.len());
        let mut is_quiescent = true;
        for (ordinal, action) in actions.drain(..).enumerate() {
            let Some(next) = self.system.next_state(state, action.clone()) else { continue };
            if !self.system.within_boundary(&next) {
                tally.cut_count += 1;
                is_quiescent &= self.system.is_fault(&action);
                continue;
            }
            self.count(state, &action, &next, tally);
            // A step that changes nothing is no way to go on.
            let is_change = next != *state;
            is_quiescent &= !is_change || self.system.is_fault(&action);
            successors.push(Successor {
                fingerprint: (self.hash)(&next),
                state: next,
                ordinal: ordinal as u32,
                is_change,
                group: self.system.fair_group(&action),
            });
        }
        Expansion { successors, ..self.judge(state, is_quiescent) }
    }

    fn count(&self, state: &S::State, action: &S::Action, next: &S::State, tally: &mut Tally) {
        let kind = self.system.kind(action);
        if let Some(place) = self.kinds.iter().position(|known| std::ptr::eq(*known, kind) || *known == kind)
        {
            tally.taken[place] += 1;
        }
        for (witness, is_met) in self.witnesses.iter().zip(&mut tally.is_met) {
            *is_met = *is_met || (witness.is_met)(self.system, state, action, next);
        }
    }

    /// What the laws say of a state.
    pub(super) fn judge(&self, state: &S::State, is_quiescent: bool) -> Expansion<S::State> {
        let mut judged = Expansion { successors: Vec::new(), checked: 0, broken: 0, owed: 0, met: 0 };
        for (place, law) in self.laws.iter().enumerate() {
            let bit = 1 << place;
            let holds = || (law.holds)(self.system, state);
            let flag = |is_set: bool| if is_set { bit } else { 0 };
            match law.when {
                When::Quiescent if !is_quiescent => {}
                When::Always | When::Quiescent => {
                    judged.checked |= bit;
                    judged.broken |= flag(!holds());
                }
                When::Eventually => judged.met |= flag(holds()),
                When::LeadsTo(from) => {
                    judged.owed |= flag(from(self.system, state));
                    judged.met |= flag(holds());
                }
            }
        }
        judged
    }
}
