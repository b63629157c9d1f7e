//! The ideal saga: what it asks for after everything that was said of its steps, how it ends, and who may say
//! anything; and the ideal participant.
//!
//! Guarantees it defines: `saga-atomicity` (all steps done, or every step undone that is done or may be),
//! `compensation-order` (a step is undone when no step of a later stage is left to undo), `effect-once` (a participant
//! does a step once, undoes it once, and does nothing that it has refused or was told to undo), and fencing (only the
//! newest executor is listened to).

use std::collections::BTreeMap;

/// What may become of a step: Mehrotra and others 1992.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// May be refused, and can be undone.
    Compensatable,
    /// May be refused, and cannot be undone.
    Pivot,
    /// Is neither refused nor undone.
    Retriable,
}

/// What is asked of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wish {
    /// To do the step.
    Do,
    /// To undo it.
    Undo,
}

/// What was said of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Said {
    /// It is done.
    Done,
    /// It is not done, and will not be.
    Refused,
    /// Nobody knows, and nobody asks any more.
    GivenUp,
    /// It is undone.
    Undone,
    /// It could not be undone so far.
    UndoFailed,
}

/// How a saga ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum End {
    /// All steps are done.
    Committed,
    /// Nothing that was done is left.
    Aborted,
}

/// The ideal saga. It knows nothing but its steps and what was said of them, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Saga {
    /// Of each step its stage and its kind.
    steps: Vec<(usize, Kind)>,
    story: Vec<(usize, Said)>,
}

impl Saga {
    /// A saga of these stages, of which nothing was said.
    pub fn new(stages: &[Vec<Kind>]) -> Self {
        let of_stage =
            |(stage, kinds): (usize, &Vec<Kind>)| kinds.iter().map(|kind| (stage, *kind)).collect::<Vec<_>>();
        Saga { steps: stages.iter().enumerate().flat_map(of_stage).collect(), story: Vec::new() }
    }

    fn was(&self, step: usize, said: Said) -> bool {
        self.story.contains(&(step, said))
    }

    /// Whether anything ended the way forward.
    fn has_turned_back(&self) -> bool {
        self.story.iter().any(|(_, said)| matches!(said, Said::Refused | Said::GivenUp))
    }

    fn is_decided(&self, step: usize) -> bool {
        [Said::Done, Said::Refused, Said::GivenUp].into_iter().any(|said| self.was(step, said))
    }

    /// The stage that the saga has come to: the first that is not decided.
    fn frontier(&self) -> Option<usize> {
        let undecided = (0..self.steps.len()).filter(|step| !self.is_decided(*step));
        let begun = |step: &usize| {
            let earlier = (0..self.steps.len()).filter(|other| self.steps[*other].0 < self.steps[*step].0);
            earlier.into_iter().all(|other| self.was(other, Said::Done))
        };
        undecided.filter(begun).map(|step| self.steps[step].0).min()
    }

    /// The steps that are done or may be, and are not undone.
    fn standing(&self) -> impl Iterator<Item = usize> {
        (0..self.steps.len()).filter(|step| {
            (self.was(*step, Said::Done) || self.was(*step, Said::GivenUp)) && !self.was(*step, Said::Undone)
        })
    }

    /// What it asks for now, in order of the steps: first that everything begun is decided; then the next stage, or,
    /// once it has turned back, that the last stage is undone of which anything stands.
    pub fn asks(&self) -> Vec<(usize, Wish)> {
        let to_do = |step: &usize| Some(self.steps[*step].0) == self.frontier() && !self.is_decided(*step);
        let doing: Vec<_> = (0..self.steps.len()).filter(to_do).map(|step| (step, Wish::Do)).collect();
        if !doing.is_empty() {
            return doing;
        }
        if !self.has_turned_back() {
            return Vec::new();
        }
        let last = self.standing().map(|step| self.steps[step].0).max();
        self.standing()
            .filter(|step| Some(self.steps[*step].0) == last)
            .map(|step| (step, Wish::Undo))
            .collect()
    }

    /// Something is said of a step. Returns whether it can be true; what cannot changes nothing.
    pub fn say(&mut self, step: usize, said: Said) -> bool {
        let asked = self.asks().into_iter().find(|(asked, _)| *asked == step).map(|(_, wish)| wish);
        let kind = self.steps.get(step).map(|(_, kind)| *kind);
        let can_be = match said {
            Said::Done => asked == Some(Wish::Do),
            Said::Refused => asked == Some(Wish::Do) && kind != Some(Kind::Retriable),
            Said::GivenUp => asked == Some(Wish::Do) && kind == Some(Kind::Compensatable),
            Said::Undone => asked == Some(Wish::Undo),
            Said::UndoFailed => asked == Some(Wish::Undo) && !self.was(step, Said::UndoFailed),
        };
        if can_be {
            self.story.push((step, said));
        }
        can_be
    }

    /// How it ended, if it has.
    pub fn end(&self) -> Option<End> {
        match (self.asks().is_empty(), self.has_turned_back()) {
            (false, _) => None,
            (true, true) => Some(End::Aborted),
            (true, false) => Some(End::Committed),
        }
    }

    /// What was said last of a step.
    pub fn last_said(&self, step: usize) -> Option<Said> {
        self.story.iter().rev().find(|(other, _)| *other == step).map(|(_, said)| *said)
    }
}

/// What is replied to one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reply {
    /// It was done, or undone.
    Done,
    /// It was not.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// Something asked for: the step, to do or undo it, in which life of the executor, and for the how manieth time in it.
pub type Asked = (usize, Wish, u64, u64);

/// The ideal executor of one saga: it asks for what the saga asks for, heeds the answer to what it asked last, asks
/// again, and gives up what can be undone after so many attempts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Executor {
    /// What it leads. It survives a restart; nothing else does.
    pub saga: Saga,
    max_attempts: u64,
    life: u64,
    attempts: BTreeMap<(usize, Wish), u64>,
    unanswered: Vec<Asked>,
}

impl Executor {
    /// It has asked for nothing yet.
    pub fn new(saga: Saga, max_attempts: u64) -> Self {
        Executor { saga, max_attempts, life: 0, attempts: BTreeMap::new(), unanswered: Vec::new() }
    }

    /// What it asks for now, beyond what it waits for.
    pub fn ask(&mut self) -> Vec<Asked> {
        let mut asked = Vec::new();
        for (step, wish) in self.saga.asks() {
            if self.unanswered.iter().all(|(other, of, ..)| (*other, *of) != (step, wish)) {
                let attempts = self.attempts.entry((step, wish)).or_default();
                *attempts += 1;
                asked.push((step, wish, self.life, *attempts));
            }
        }
        self.unanswered.extend(&asked);
        self.unanswered.sort_unstable();
        asked
    }

    /// A reply comes. One that answers nothing that it waits for changes nothing.
    pub fn hear(&mut self, asked: Asked, reply: Reply) {
        let (step, wish, ..) = asked;
        if !self.unanswered.contains(&asked) {
            return;
        }
        let is_taken = match (wish, reply) {
            (Wish::Do, Reply::Done) => self.saga.say(step, Said::Done),
            (Wish::Do, Reply::Refused) => self.saga.say(step, Said::Refused),
            (Wish::Undo, Reply::Done) => self.saga.say(step, Said::Undone),
            (_, Reply::Refused | Reply::Unknown) => false,
        };
        self.unanswered.retain(|other| *other != asked);
        if !is_taken {
            self.fail(asked);
        }
    }

    /// The time of everything that it waits for is up.
    pub fn expire(&mut self) {
        std::mem::take(&mut self.unanswered).into_iter().for_each(|asked| self.fail(asked));
    }

    fn fail(&mut self, (step, wish, _, attempt): Asked) {
        if wish == Wish::Undo {
            self.saga.say(step, Said::UndoFailed);
        } else if attempt >= self.max_attempts {
            self.saga.say(step, Said::GivenUp);
        }
    }

    /// It crashes and starts again.
    pub fn restart(&mut self) {
        self.life += 1;
        self.attempts.clear();
        self.unanswered.clear();
    }

    /// What it waits for.
    pub fn unanswered(&self) -> &[Asked] {
        &self.unanswered
    }

    /// Which life it is in, from 0.
    pub fn life(&self) -> u64 {
        self.life
    }
}

/// Why an executor is not listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is not the newest; this one is.
    Fenced {
        /// The newest one's number.
        current: u64,
    },
    /// There is no such saga.
    UnknownSaga,
    /// What it says of the saga cannot be true.
    Untrue,
}

/// The ideal log of sagas, all of the same steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SagaLog {
    stages: Vec<Vec<Kind>>,
    executor_count: u64,
    sagas: BTreeMap<u64, Saga>,
}

impl SagaLog {
    /// A log without sagas.
    pub fn new(stages: Vec<Vec<Kind>>) -> Self {
        SagaLog { stages, executor_count: 0, sagas: BTreeMap::new() }
    }

    /// A new executor; returns its number.
    pub fn claim(&mut self) -> u64 {
        self.executor_count += 1;
        self.executor_count - 1
    }

    fn check(&self, executor: u64) -> Result<(), Refusal> {
        let current = self.executor_count.saturating_sub(1);
        if executor + 1 == self.executor_count { Ok(()) } else { Err(Refusal::Fenced { current }) }
    }

    /// A saga begins, if it has not. Returns whether it did now.
    ///
    /// # Errors
    /// [`Refusal::Fenced`].
    pub fn start(&mut self, executor: u64, saga: u64) -> Result<bool, Refusal> {
        self.check(executor)?;
        let is_new = !self.sagas.contains_key(&saga);
        self.sagas.entry(saga).or_insert_with(|| Saga::new(&self.stages));
        Ok(is_new)
    }

    /// An executor says something of a step.
    ///
    /// # Errors
    /// [`Refusal`], and nothing has changed.
    pub fn say(&mut self, executor: u64, saga: u64, step: usize, said: Said) -> Result<(), Refusal> {
        self.check(executor)?;
        let told = self.sagas.get_mut(&saga).ok_or(Refusal::UnknownSaga)?;
        if told.say(step, said) { Ok(()) } else { Err(Refusal::Untrue) }
    }

    /// A saga.
    pub fn saga(&self, saga: u64) -> Option<&Saga> {
        self.sagas.get(&saga)
    }

    /// How many executors there were.
    pub fn executor_count(&self) -> u64 {
        self.executor_count
    }
}

/// What a participant answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Answer {
    /// The step is done, and this came of it.
    Done(u64),
    /// It is not done, and will not be.
    Refused,
    /// It is not there: undone, or never done.
    Undone,
}

/// The ideal participant in one step of one saga. It remembers what it did, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Participant {
    deeds: Vec<Deed>,
}

/// What a participant did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// It did the step, and this came of it.
    Did(u64),
    /// It refused.
    Refused,
    /// It undid the step.
    Undid,
    /// It was told to undo what it had not done.
    Buried,
}

impl Participant {
    /// It is asked to do the step. What would come of it now is `effect`, or a refusal; that counts the first time only.
    pub fn perform(&mut self, effect: Option<u64>) -> Answer {
        if self.deeds.is_empty() {
            self.deeds.push(effect.map_or(Deed::Refused, Deed::Did));
        }
        match self.deeds.as_slice() {
            [Deed::Did(effect)] => Answer::Done(*effect),
            _ => Answer::Refused,
        }
    }

    /// It is asked to undo the step.
    pub fn compensate(&mut self) -> Answer {
        match self.deeds.as_slice() {
            [] => self.deeds.push(Deed::Buried),
            [Deed::Did(_)] => self.deeds.push(Deed::Undid),
            _ => {}
        }
        Answer::Undone
    }

    /// What it did, in order.
    pub fn deeds(&self) -> &[Deed] {
        &self.deeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_undoes_what_stands_last_stage_first() {
        let mut saga =
            Saga::new(&[vec![Kind::Compensatable; 2], vec![Kind::Compensatable], vec![Kind::Pivot]]);
        assert_eq!(saga.asks(), [(0, Wish::Do), (1, Wish::Do)]);
        assert!(saga.say(1, Said::Done) && !saga.say(2, Said::Done) && saga.say(0, Said::Done));
        assert!(saga.say(2, Said::GivenUp), "nobody knows, so that it is undone too");
        assert_eq!(saga.asks(), [(2, Wish::Undo)]);
        assert!(saga.say(2, Said::UndoFailed) && saga.say(2, Said::Undone));
        assert_eq!(saga.asks(), [(0, Wish::Undo), (1, Wish::Undo)]);
        assert!(saga.say(0, Said::Undone) && saga.end().is_none() && saga.say(1, Said::Undone));
        assert_eq!(saga.end(), Some(End::Aborted));
    }

    #[test]
    fn a_turned_back_saga_waits_for_what_it_has_begun() {
        let mut saga = Saga::new(&[vec![Kind::Compensatable; 2]]);
        assert!(saga.say(0, Said::Refused));
        assert_eq!(saga.asks(), [(1, Wish::Do)]);
        assert!(saga.say(1, Said::Done));
        assert_eq!(saga.asks(), [(1, Wish::Undo)]);
    }

    #[test]
    fn from_the_pivot_on_there_is_no_way_back() {
        let mut saga = Saga::new(&[vec![Kind::Pivot], vec![Kind::Retriable]]);
        assert!(!saga.say(0, Said::GivenUp) && saga.say(0, Said::Done));
        assert!(!saga.say(1, Said::Refused) && !saga.say(1, Said::GivenUp) && saga.say(1, Said::Done));
        assert_eq!(saga.end(), Some(End::Committed));
    }

    #[test]
    fn only_the_newest_executor_is_listened_to() {
        let mut log = SagaLog::new(vec![vec![Kind::Pivot]]);
        assert_eq!(log.start(0, 7), Err(Refusal::Fenced { current: 0 }));
        assert_eq!((log.claim(), log.start(0, 7), log.start(0, 7)), (0, Ok(true), Ok(false)));
        assert_eq!((log.claim(), log.say(0, 7, 0, Said::Done)), (1, Err(Refusal::Fenced { current: 1 })));
        assert_eq!(log.say(1, 7, 0, Said::Done), Ok(()));
    }

    #[test]
    fn a_participant_decides_once() {
        let mut hotel = Participant::default();
        assert_eq!([hotel.perform(Some(7)), hotel.perform(None)], [Answer::Done(7); 2]);
        assert_eq!(
            [hotel.compensate(), hotel.compensate(), hotel.perform(Some(8))],
            [Answer::Undone, Answer::Undone, Answer::Refused]
        );
        assert_eq!(hotel.deeds(), [Deed::Did(7), Deed::Undid]);
        let mut cancelled = Participant::default();
        assert_eq!([cancelled.compensate(), cancelled.perform(Some(7))], [Answer::Undone, Answer::Refused]);
    }
}
