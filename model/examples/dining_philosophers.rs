//! A model that is not ours: dining philosophers (Dijkstra 1965), checked by the engine.
//!
//! ```text
//! cargo run -p lawspeaker-model --example dining_philosophers
//! ```
//! Each philosopher takes the left fork, then the right one, eats, and puts both down. All of them with the left fork
//! in hand is the deadlock; one who takes the right fork first prevents it.

#![expect(clippy::print_stdout, reason = "an example tells what it finds")]

use lawspeaker_history::{Guarantee, Op};
use lawspeaker_model::engine::{FairGroup, Law, Options, Signal, System, Telling, When, Witness, explore};
use stateright::{Model, Property};

struct Table {
    has_left_hander_only: bool,
}

/// Who holds each fork, and how often each philosopher ate (once is enough).
type Forks = ([Option<u8>; 3], [bool; 3]);

impl Table {
    /// The forks of a philosopher, in the order of taking them.
    fn forks(&self, who: u8) -> [usize; 2] {
        let (left, right) = (who as usize, (who as usize + 1) % 3);
        if who == 0 && !self.has_left_hander_only { [right, left] } else { [left, right] }
    }
}

impl Model for Table {
    type State = Forks;
    type Action = u8;

    fn init_states(&self) -> Vec<Forks> {
        vec![([None; 3], [false; 3])]
    }

    fn actions(&self, _: &Forks, actions: &mut Vec<u8>) {
        actions.extend(0..3);
    }

    /// A philosopher takes the next fork, or eats and puts both down.
    fn next_state(&self, (forks, eaten): &Forks, who: u8) -> Option<Forks> {
        let (mut forks, mut eaten) = (*forks, *eaten);
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

    fn properties(&self) -> Vec<Property<Self>> {
        lawspeaker_model::engine::properties(self)
    }
}

#[rustfmt::skip]
impl System for Table {
    fn is_fault(&self, _: &u8) -> bool { false }
    fn fair_group(&self, who: &u8) -> Option<FairGroup> { Some(FairGroup::new(*who)) }
    fn is_done(&self, _: &Forks) -> bool { false }
    fn kind(&self, _: &u8) -> &'static str { "move" }
    fn action_kinds(&self) -> &'static [&'static str] { &["move"] }
    fn picture(&self, state: &Forks) -> Vec<String> { vec![format!("{state:?}")] }
    fn waits(&self, _: &Forks) -> Vec<String> { Vec::new() }
    fn opening_ops(&self, _: &Forks) -> Vec<Op> { Vec::new() }
    fn ops(&self, _: &Forks, _: &u8, _: &Forks) -> Vec<Op> { Vec::new() }
    fn closing_ops(&self, _: &Forks) -> Vec<Op> { Vec::new() }

    fn laws(&self) -> Vec<Law<Self>> {
        let law = |guarantee, when, says, holds| Law { guarantee, when, says, holds };
        vec![
            law(Guarantee::NoDeadlock, When::Quiescent, "somebody can move", |table: &Self, state| table.is_done(state)),
            law(Guarantee::SagaTermination, When::Eventually, "somebody eats", |_, (_, eaten)| eaten.contains(&true)),
        ]
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        vec![Witness { says: "everybody has eaten", is_met: |_, _, _, (_, eaten)| eaten.iter().all(|e| *e) }]
    }

    fn tell(&self, (before, _): &Forks, who: &u8, (after, _): &Forks) -> Telling {
        let took = (0..3).find(|fork| before[*fork] != after[*fork] && after[*fork] == Some(*who));
        let what = took.map_or("eats and puts both forks down".to_owned(), |fork| format!("takes fork {fork}"));
        Telling::new(format!("philosopher {who}"), what)
    }
}

fn main() {
    for has_left_hander_only in [true, false] {
        let table = Table { has_left_hander_only };
        let found = explore(&table, Options::default(), &mut |_| Signal::Continue);
        println!("{} states; everybody takes the left fork first: {has_left_hander_only}", found.state_count);
        for violation in &found.violations {
            println!("  broken: {}", table.laws()[violation.law].says);
            for (before, action, after) in violation.trace.transitions() {
                let told = table.tell(before, action, after);
                println!("    {} {}", told.who, told.what);
            }
        }
    }
}
