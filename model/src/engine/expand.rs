//! What states say: their successors, and which laws they keep. Reads nothing but the model, so that many threads can
//! do it at once.

use std::hash::Hash;

use super::fingerprint::{Fingerprint, Fingerprinter};
use super::successors::{Origin, Successors};
use super::system::{FairGroup, Law, System, When, Witness};

/// A step that changes something.
#[derive(Clone, Copy)]
pub(super) struct Change {
    /// The position of the successor that it leads to.
    pub(super) to: u32,
    pub(super) group: Option<FairGroup>,
}

/// What the laws say of one state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judged {
    /// Laws on states that were checked here, and those of them that are broken; bits, by their places among all laws.
    pub(super) checked: u64,
    pub(super) broken: u64,
    /// Laws on infinite behaviours: of which the goal is owed here, and of which it is met here; bits, by their places
    /// among laws of this kind.
    pub(super) owed: u8,
    pub(super) met: u8,
}

/// Everything that a run of states says, in their order.
pub(super) struct Run<T> {
    pub(super) successors: Successors<T>,
    /// The steps that change something, if they are kept.
    pub(super) changes: Vec<Change>,
    /// For each state of the run, where its changes end.
    pub(super) ends: Vec<u32>,
    pub(super) judged: Vec<Judged>,
    pub(super) tally: Tally,
}

impl<T: Eq + Hash> Run<T> {
    /// Forgets everything, and keeps the room for it.
    fn clear(&mut self) {
        self.successors.clear();
        self.changes.clear();
        self.ends.clear();
        self.judged.clear();
        self.tally.clear();
    }
}

/// What is counted over many states.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// How many states were generated.
    pub(super) generated_count: usize,
    /// How often each kind of action was taken.
    pub(super) taken: Vec<u64>,
    /// Which witnesses were met.
    pub(super) is_met: Vec<bool>,
    /// How many steps led out of the model's own boundary, and were not followed.
    pub(super) cut_count: usize,
}

impl Tally {
    fn clear(&mut self) {
        self.generated_count = 0;
        self.taken.fill(0);
        self.is_met.fill(false);
        self.cut_count = 0;
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.generated_count += other.generated_count;
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
    pub(super) uses_symmetry: bool,
    pub(super) is_exact: bool,
    /// Whether the steps out of a state are kept, for laws on behaviours.
    pub(super) keeps_changes: bool,
    /// What becomes of a fingerprint, where a test shows what a weak hash loses.
    pub(super) weaken: Option<fn(Fingerprint) -> Fingerprint>,
}

impl<S: System> Expander<'_, S> {
    pub(super) fn empty_tally(&self) -> Tally {
        Tally {
            generated_count: 0,
            taken: vec![0; self.kinds.len()],
            is_met: vec![false; self.witnesses.len()],
            cut_count: 0,
        }
    }

    pub(super) fn empty_run(&self) -> Run<S::State> {
        Run {
            successors: Successors::new(self.is_exact),
            changes: Vec::new(),
            ends: Vec::new(),
            judged: Vec::new(),
            tally: self.empty_tally(),
        }
    }

    /// Expands `states` into `run`; `is_met` says which witnesses need not be looked for any more.
    pub(super) fn expand(&self, states: &[S::State], is_met: &[bool], run: &mut Run<S::State>) {
        run.clear();
        let mut actions = Vec::new();
        let mut fingerprinter = Fingerprinter::default();
        let mut unmet: Vec<usize> = (0..is_met.len()).filter(|place| !is_met[*place]).collect();
        for (parent, state) in (0..).zip(states) {
            self.system.actions(state, &mut actions);
            let mut is_quiescent = true;
            for (ordinal, action) in (0..).zip(actions.drain(..)) {
                let mut reached = self.system.next_state(state, action.clone());
                let Some(next) = &reached else { continue };
                let is_fault = self.system.is_fault(&action);
                if !self.system.within_boundary(next) {
                    run.tally.cut_count += 1;
                    is_quiescent &= is_fault;
                    continue;
                }
                self.count(&action, &mut run.tally);
                if !unmet.is_empty() {
                    unmet.retain(|place| {
                        let is_met = (self.witnesses[*place].is_met)(self.system, state, &action, next);
                        run.tally.is_met[*place] |= is_met;
                        !is_met
                    });
                }
                // A step that changes nothing is no way to go on. States are compared only where that matters.
                let matters = self.keeps_changes || (is_quiescent && !is_fault);
                let is_change = matters && next != state;
                is_quiescent &= !is_change || is_fault;
                let origin = Origin { parent: Some(parent), ordinal };
                let Some(to) = self.add(&mut reached, origin, &mut fingerprinter, run) else { continue };
                if self.keeps_changes && is_change {
                    run.changes.push(Change { to, group: self.system.fair_group(&action) });
                }
            }
            run.ends.push(run.changes.len() as u32);
            run.judged.push(self.judge(state, is_quiescent));
        }
    }

    /// The initial states as a run of no states, so that they are found like any successors.
    pub(super) fn initial(&self, states: Vec<S::State>) -> Run<S::State> {
        let mut run = self.empty_run();
        let mut fingerprinter = Fingerprinter::default();
        for (ordinal, state) in (0..).zip(states) {
            if !self.system.within_boundary(&state) {
                run.tally.cut_count += 1;
                continue;
            }
            self.add(&mut Some(state), Origin { parent: None, ordinal }, &mut fingerprinter, &mut run);
        }
        run
    }

    /// Adds a generated state to a run, if there is one; answers with its position among the successors. The state stays
    /// where the model left it until it is known to be new: to hand a large one on is to copy it.
    #[inline]
    fn add(
        &self,
        state: &mut Option<S::State>,
        origin: Origin,
        fingerprinter: &mut Fingerprinter,
        run: &mut Run<S::State>,
    ) -> Option<u32> {
        run.tally.generated_count += 1;
        if self.uses_symmetry {
            *state = state.take().map(|state| self.standing_for(state));
        }
        run.successors.add(state, origin, |state| self.fingerprint(fingerprinter, state))
    }

    /// The state that is visited for `state`.
    pub(super) fn standing_for(&self, state: S::State) -> S::State {
        if self.uses_symmetry { self.system.representative(&state).unwrap_or(state) } else { state }
    }

    pub(super) fn fingerprint(&self, fingerprinter: &mut Fingerprinter, state: &S::State) -> Fingerprint {
        let fingerprint = fingerprinter.of(state);
        self.weaken.map_or(fingerprint, |weaken| weaken(fingerprint))
    }

    fn count(&self, action: &S::Action, tally: &mut Tally) {
        let kind = self.system.kind(action);
        // The same name is nearly always the same text in memory too.
        let place = self.kinds.iter().position(|known| std::ptr::eq(*known, kind));
        if let Some(place) = place.or_else(|| self.kinds.iter().position(|known| *known == kind)) {
            tally.taken[place] += 1;
        }
    }

    /// What the laws say of a state.
    pub(super) fn judge(&self, state: &S::State, is_quiescent: bool) -> Judged {
        let mut judged = Judged::default();
        let mut promise = 0;
        for (place, law) in self.laws.iter().enumerate() {
            let holds = || (law.holds)(self.system, state);
            match law.when {
                When::Quiescent if !is_quiescent => {}
                When::Always | When::Quiescent => {
                    judged.checked |= 1 << place;
                    judged.broken |= u64::from(!holds()) << place;
                }
                When::Eventually | When::LeadsTo(_) if !self.keeps_changes => {}
                When::Eventually | When::LeadsTo(_) => {
                    if let When::LeadsTo(from) = law.when {
                        judged.owed |= u8::from(from(self.system, state)) << promise;
                    }
                    judged.met |= u8::from(holds()) << promise;
                    promise += 1;
                }
            }
        }
        judged
    }
}
