//! What states say: their successors, and which laws they keep. Reads nothing but the model, so that many threads can
//! do it at once.

use super::fingerprint::{Fingerprint, Fingerprinter};
use super::system::{FairGroup, Law, System, When, Witness};

/// One step out of a state.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    /// Which of the state's actions it is.
    pub(super) ordinal: u32,
    /// Whether it changes anything.
    pub(super) is_change: bool,
    pub(super) group: Option<FairGroup>,
}

/// What the laws say of one state; laws are bits, by their places.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judged {
    /// Laws on states that were checked here, and those of them that are broken.
    pub(super) checked: u64,
    pub(super) broken: u64,
    /// Laws on behaviours: from which the goal is owed here, and of which it is met here.
    pub(super) owed: u64,
    pub(super) met: u64,
}

/// Everything that a run of states says, in their order. The successors stand in one row, each with what is known of
/// it at the same position of three vectors: what is looked at together lies together.
pub(super) struct Run<T> {
    pub(super) states: Vec<T>,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) taken: Vec<Taken>,
    /// For each state of the run, where its successors end.
    pub(super) ends: Vec<u32>,
    pub(super) judged: Vec<Judged>,
    pub(super) tally: Tally,
}

impl<T> Run<T> {
    /// Forgets everything, and keeps the room for it.
    fn clear(&mut self) {
        self.states.clear();
        self.fingerprints.clear();
        self.taken.clear();
        self.ends.clear();
        self.judged.clear();
        self.tally.clear();
    }
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
    fn clear(&mut self) {
        self.taken.fill(0);
        self.is_met.fill(false);
        self.cut_count = 0;
    }

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
    pub(super) uses_symmetry: bool,
    /// What becomes of a fingerprint: itself, except where a test shows what a weak hash loses.
    pub(super) weaken: fn(Fingerprint) -> Fingerprint,
}

impl<S: System> Expander<'_, S> {
    pub(super) fn empty_tally(&self) -> Tally {
        Tally { taken: vec![0; self.kinds.len()], is_met: vec![false; self.witnesses.len()], cut_count: 0 }
    }

    pub(super) fn empty_run(&self) -> Run<S::State> {
        Run {
            states: Vec::new(),
            fingerprints: Vec::new(),
            taken: Vec::new(),
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
        for state in states {
            self.system.actions(state, &mut actions);
            let mut is_quiescent = true;
            for (ordinal, action) in (0..).zip(actions.drain(..)) {
                let Some(next) = self.system.next_state(state, action.clone()) else { continue };
                let is_fault = self.system.is_fault(&action);
                if !self.system.within_boundary(&next) {
                    run.tally.cut_count += 1;
                    is_quiescent &= is_fault;
                    continue;
                }
                self.count(&action, &mut run.tally);
                if !unmet.is_empty() {
                    unmet.retain(|place| {
                        let is_met = (self.witnesses[*place].is_met)(self.system, state, &action, &next);
                        run.tally.is_met[*place] |= is_met;
                        !is_met
                    });
                }
                // A step that changes nothing is no way to go on.
                let is_change = next != *state;
                is_quiescent &= !is_change || is_fault;
                run.taken.push(Taken { ordinal, is_change, group: self.system.fair_group(&action) });
                let next = self.standing_for(next);
                run.fingerprints.push(self.fingerprint(&mut fingerprinter, &next));
                run.states.push(next);
            }
            run.ends.push(run.states.len() as u32);
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
            let state = self.standing_for(state);
            run.taken.push(Taken { ordinal, is_change: true, group: None });
            run.fingerprints.push(self.fingerprint(&mut fingerprinter, &state));
            run.states.push(state);
        }
        run
    }

    /// The state that is visited for `state`.
    pub(super) fn standing_for(&self, state: S::State) -> S::State {
        if self.uses_symmetry { self.system.representative(&state).unwrap_or(state) } else { state }
    }

    pub(super) fn fingerprint(&self, fingerprinter: &mut Fingerprinter, state: &S::State) -> Fingerprint {
        (self.weaken)(fingerprinter.of(state))
    }

    fn count(&self, action: &S::Action, tally: &mut Tally) {
        let kind = self.system.kind(action);
        let is_kind = |known: &&str| std::ptr::eq(*known, kind) || **known == *kind;
        if let Some(place) = self.kinds.iter().position(is_kind) {
            tally.taken[place] += 1;
        }
    }

    /// What the laws say of a state.
    pub(super) fn judge(&self, state: &S::State, is_quiescent: bool) -> Judged {
        let mut judged = Judged::default();
        for (place, law) in self.laws.iter().enumerate() {
            let holds = || (law.holds)(self.system, state);
            let flag = |is_set: bool| u64::from(is_set) << place;
            match law.when {
                When::Quiescent if !is_quiescent => {}
                When::Always | When::Quiescent => {
                    judged.checked |= flag(true);
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
