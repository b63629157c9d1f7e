//! Graphs of thousands of nodes, made of a seed: large enough for several threads, runs and blocks.

use std::collections::{BTreeMap, VecDeque};

use lawspeaker_history::Guarantee;
use lawspeaker_model::engine::{FairGroup, Law, Options, Signal, Stop, System, When, Witness, explore};
use quickcheck::{QuickCheck, TestResult};
use stateright::Model;

const NODES: u32 = 20_000;

/// A graph whose every edge depends on the seed. Actions are numbers; some lead nowhere, some back.
#[derive(Debug, PartialEq)]
struct Tangle {
    seed: u64,
}

impl Tangle {
    fn mix(&self, node: u32, action: u32) -> u64 {
        let mixed = (u64::from(node) << 32 | u64::from(action)) ^ self.seed;
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 13
    }

    fn is_bad(&self, node: u32) -> bool {
        self.mix(node, 100).is_multiple_of(997)
    }
}

impl Model for Tangle {
    type State = u32;
    type Action = u32;

    fn init_states(&self) -> Vec<u32> {
        (0..1 + (self.seed % 3) as u32).collect()
    }

    fn actions(&self, node: &u32, actions: &mut Vec<u32>) {
        actions.extend(0..(self.mix(*node, 101) % 4) as u32);
    }

    fn next_state(&self, node: &u32, action: u32) -> Option<u32> {
        let mixed = self.mix(*node, action);
        (!mixed.is_multiple_of(11)).then_some((mixed / 11 % u64::from(NODES)) as u32)
    }
}

impl System for Tangle {
    fn is_fault(&self, _: &u32) -> bool {
        false
    }

    fn fair_group(&self, action: &u32) -> Option<FairGroup> {
        Some(FairGroup::new(*action as u8))
    }

    fn is_done(&self, _: &u32) -> bool {
        true
    }

    fn laws(&self) -> Vec<Law<Self>> {
        let law = |guarantee, when, holds| Law { guarantee, when, says: "", holds };
        vec![
            law(Guarantee::NoCreation, When::Always, |tangle, node| !tangle.is_bad(*node)),
            law(
                Guarantee::AtLeastOnce,
                When::LeadsTo(|_, node: &u32| node.is_multiple_of(5)),
                |_, node: &u32| node.is_multiple_of(7),
            ),
        ]
    }

    fn witnesses(&self) -> Vec<Witness<Self>> {
        vec![Witness { says: "", is_met: |tangle, _, _, after| tangle.is_bad(*after) }]
    }
}

/// The steps to each node, and how many states were generated.
fn naive(tangle: &Tangle) -> (BTreeMap<u32, usize>, usize) {
    let mut queue: VecDeque<u32> = tangle.init_states().into();
    let mut steps: BTreeMap<u32, usize> = queue.iter().map(|node| (*node, 0)).collect();
    let mut generated_count = queue.len();
    while let Some(node) = queue.pop_front() {
        for next in tangle.next_states(&node) {
            generated_count += 1;
            if !steps.contains_key(&next) {
                steps.insert(next, steps[&node] + 1);
                queue.push_back(next);
            }
        }
    }
    (steps, generated_count)
}

/// Any number of threads finds what a naive search finds.
fn agrees_however_it_is_run(seed: u64) -> bool {
    let tangle = Tangle { seed };
    let (steps, generated_count) = naive(&tangle);
    let explored = |threads, is_exact| {
        let options = Options { threads, is_exact, ..Options::default() };
        let mut found = explore(&tangle, options, &mut |_| Signal::Continue);
        found.collision_odds = 0.0;
        found
    };
    let found = explored(1, false);
    let nearest = steps.iter().filter(|(node, _)| tangle.is_bad(**node)).map(|(_, steps)| *steps).min();
    let broken = found.violations.iter().find(|violation| violation.law == 0);
    (found.stop, found.state_count, found.generated_count) == (Stop::Complete, steps.len(), generated_count)
        && found.depth() == steps.values().copied().max().unwrap_or_default()
        && broken.map(|violation| violation.trace.steps.len()) == nearest
        && [(2, false), (3, false), (7, false), (1, true), (4, true)]
            .into_iter()
            .all(|(threads, is_exact)| explored(threads, is_exact) == found)
}

/// Each graph is explored seven times; twenty of them take a second.
#[test]
fn threads_and_exact_states_change_nothing_in_large_graphs() {
    let check: fn(u64) -> TestResult = |seed| TestResult::from_bool(agrees_however_it_is_run(seed));
    QuickCheck::new().tests(20).quickcheck(check);
}
