//! A model that is not ours: dining philosophers (Dijkstra 1965), checked by the engine.
//!
//! ```text
//! cargo run -p lawspeaker-model --example dining_philosophers
//! ```
//! Each takes the left fork, then the right one, eats, and puts both down. All of them with the left fork in hand is
//! the deadlock; one who takes the right fork first prevents it.

#![expect(clippy::print_stdout, reason = "an example tells what it finds")]

use lawspeaker_model::engine::{FairGroup, Law, Options, Signal, System, Witness, explore};
use stateright::Model;

struct Table {
    all_start_left: bool,
}

/// Who holds each fork, and who has eaten.
type State = ([Option<u8>; 3], [bool; 3]);

impl Table {
    /// The forks of a philosopher, in the order of taking them.
    fn forks(&self, who: u8) -> [usize; 2] {
        let (left, right) = (who as usize, (who as usize + 1) % 3);
        if who == 0 && !self.all_start_left { [right, left] } else { [left, right] }
    }
}

impl Model for Table {
    type State = State;
    type Action = u8;

    fn init_states(&self) -> Vec<State> {
        vec![([None; 3], [false; 3])]
    }

    fn actions(&self, _: &State, actions: &mut Vec<u8>) {
        actions.extend(0..3);
    }

    /// A philosopher takes the next fork, or eats and puts both down.
    fn next_state(&self, &(mut forks, mut eaten): &State, who: u8) -> Option<State> {
        match self.forks(who).into_iter().find(|fork| forks[*fork] != Some(who)) {
            Some(fork) if forks[fork].is_none() => forks[fork] = Some(who),
            Some(_) => return None,
            None => {
                self.forks(who).into_iter().for_each(|fork| forks[fork] = None);
                eaten[who as usize] = true;
            }
        }
        Some((forks, eaten))
    }
}

#[rustfmt::skip]
impl System for Table {
    fn is_fault(&self, _: &u8) -> bool { false }
    fn fair_group(&self, who: &u8) -> Option<FairGroup> { Some(FairGroup::new(*who)) }
    fn is_done(&self, _: &State) -> bool { false }

    fn laws(&self) -> Vec<Law<Self>> {
        vec![Law::no_deadlock("somebody can move")]
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        vec![Witness { says: "everybody has eaten", is_met: |_, _, _, (_, eaten)| eaten.iter().all(|e| *e) }]
    }
}

fn main() {
    for all_start_left in [false, true] {
        let found = explore(&Table { all_start_left }, Options::default(), &mut |_| Signal::Continue);
        println!("everybody takes the left fork first: {all_start_left}; {} states", found.state_count);
        for step in found.violations.iter().flat_map(|violation| &violation.trace.steps) {
            println!("    philosopher {} moves: forks {:?}", step.action, step.state.0);
        }
    }
}
