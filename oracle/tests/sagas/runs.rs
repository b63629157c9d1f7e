//! Sagas that run as they should: participants do a command once, conductors ask until they know, and go back in reverse
//! order; conductors crash, replies and commands are lost or late, and commands come twice.

use lawspeaker_history::{Call, History, Op, OpType, Process, SagaOutcome};

use super::{DECLARED, PIVOT, end_of, start_of, step_of};

const NAMES: [&str; 3] = ["s1", "s2", "s3"];

/// What a participant knows of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Done,
    /// Refused or compensated: it will not be done any more.
    Barred,
}

/// What the conductor learns of a command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    Done,
    Refused,
    Nothing,
}

struct Run<'a> {
    saga: &'static str,
    choices: std::slice::Iter<'a, u8>,
    ops: Vec<Op>,
    states: [State; DECLARED],
    /// Commands that are under way, and may yet come.
    late: Vec<usize>,
    conductor: u32,
}

/// Runs beside one another, cut off somewhere unless `cut` is 255.
pub(super) fn history(choices: &[Vec<u8>], cut: u8) -> History {
    let mut runs: Vec<std::vec::IntoIter<Op>> =
        choices.iter().zip(NAMES).map(|(choices, saga)| run(saga, choices).into_iter()).collect();
    let mut ops = Vec::new();
    while !runs.is_empty() {
        // Any mix will do; this one depends on what the runs hold.
        let place = (ops.len() * 7 + runs[0].len()) % runs.len();
        match runs[place].next() {
            Some(op) => ops.push(op),
            None => drop(runs.remove(place)),
        }
    }
    if cut < 255 {
        ops.truncate(ops.len() * usize::from(cut) / 200);
    } else {
        ops.push(Op::new(Process::from("nemesis"), OpType::Ok, Call::Quiescent));
    }
    History::of(ops)
}

fn run(saga: &'static str, choices: &[u8]) -> Vec<Op> {
    let states = [State::Fresh; DECLARED];
    let mut run =
        Run { saga, choices: choices.iter(), ops: Vec::new(), states, late: Vec::new(), conductor: 0 };
    run.conduct();
    run.ops
}

impl Run<'_> {
    /// A choice below `bound`; 0, which goes on without trouble, once all are made.
    fn choose(&mut self, bound: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % bound)
    }

    fn record(&mut self, process: &str, op_type: OpType, call: Call) {
        self.ops.push(Op::new(Process::from(process), op_type, call));
    }

    /// Records what a participant does; its invocation too, or not.
    fn participate(&mut self, step: usize, op_type: OpType, call: Call) {
        let process = format!("participant-{}-{step}", self.saga);
        if self.choose(2) == 1 {
            self.record(&process, OpType::Invoke, call.clone());
        }
        self.record(&process, op_type, call);
    }

    fn conductor(&self) -> String {
        format!("conductor-{}-{}", self.saga, self.conductor)
    }

    fn conduct(&mut self) {
        self.decide(start_of(self.saga, true));
        let mut step = 0;
        while step < DECLARED {
            // Once the pivot may have been done, the saga goes forward until it knows.
            let can_turn = step < PIVOT;
            match self.ask(step) {
                Reply::Done => step += 1,
                Reply::Refused => return self.go_back(step),
                Reply::Nothing if can_turn && self.choose(2) == 0 => return self.go_back(step + 1),
                Reply::Nothing => {}
            }
        }
        self.decide(end_of(self.saga, SagaOutcome::Committed));
        self.drain();
    }

    /// Writes down a decision of the conductor, which may crash meanwhile, and whose successor then does so again.
    fn decide(&mut self, call: Call) {
        let conductor = self.conductor();
        match self.choose(6) {
            1 => self.record(&conductor, OpType::Invoke, call.clone()),
            2 => self.record(&conductor, OpType::Info, call.clone()),
            3 => self.record(&conductor, OpType::Ok, call.clone()),
            _ => return self.record(&conductor, OpType::Ok, call),
        }
        self.conductor += 1;
        self.record(&self.conductor(), OpType::Ok, call);
    }

    /// Asks for a step once.
    fn ask(&mut self, step: usize) -> Reply {
        self.come_late();
        let call = Call::SagaStep(step_of(self.saga, step));
        match self.choose(8) {
            // The reply is lost.
            1 => drop(self.command(step)),
            // The command is lost, or late.
            2 => {}
            3 => self.late.push(step),
            // It comes twice.
            4 => {
                self.late.push(step);
                return self.command(step);
            }
            5 if step <= PIVOT && self.states[step] == State::Fresh => {
                self.states[step] = State::Barred;
                self.participate(step, OpType::Fail, call);
                return Reply::Refused;
            }
            _ => return self.command(step),
        }
        let conductor = self.conductor();
        self.record(&conductor, OpType::Info, call);
        // It went away, and another takes over.
        self.conductor += 1;
        Reply::Nothing
    }

    /// A command comes to its participant.
    fn command(&mut self, step: usize) -> Reply {
        let call = Call::SagaStep(step_of(self.saga, step));
        match self.states[step] {
            State::Fresh => {
                self.states[step] = State::Done;
                self.participate(step, OpType::Ok, call);
                Reply::Done
            }
            // What it has done it does not do again.
            State::Done => {
                if self.choose(2) == 1 {
                    self.participate(step, OpType::Fail, call);
                }
                Reply::Done
            }
            State::Barred => {
                self.participate(step, OpType::Fail, call);
                Reply::Refused
            }
        }
    }

    fn come_late(&mut self) {
        if !self.late.is_empty() && self.choose(3) == 1 {
            let step = self.late.remove(0);
            self.command(step);
        }
    }

    /// Compensates the steps below `end`, the last one first.
    fn go_back(&mut self, end: usize) {
        for step in (0..end).rev() {
            self.come_late();
            let call = Call::SagaCompensate(step_of(self.saga, step));
            match self.states[step] {
                State::Done => self.participate(step, OpType::Ok, call.clone()),
                // A tombstone, which is a compensation without effect.
                _ => match self.choose(3) {
                    0 => self.participate(step, OpType::Ok, call.clone()),
                    1 => self.participate(step, OpType::Fail, call.clone()),
                    _ => {}
                },
            }
            self.states[step] = State::Barred;
            if self.choose(4) == 1 {
                // The reply is lost, and the next one asks again and learns that it is done.
                let conductor = self.conductor();
                self.record(&conductor, OpType::Info, call.clone());
                self.conductor += 1;
                if self.choose(2) == 1 {
                    self.participate(step, OpType::Fail, call);
                }
            }
        }
        self.decide(end_of(self.saga, SagaOutcome::Aborted));
        self.drain();
    }

    /// Whatever is under way comes in the end.
    fn drain(&mut self) {
        while !self.late.is_empty() {
            let step = self.late.remove(0);
            self.command(step);
        }
    }
}
