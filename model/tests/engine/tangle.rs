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

/// What a naive search finds.
struct Naive {
    /// The steps to each node.
    steps: BTreeMap<u32, usize>,
    generated_count: usize,
    longest_queue: usize,
}

impl Naive {
    fn of(tangle: &Tangle) -> Self {
        let mut queue: VecDeque<u32> = tangle.init_states().into();
        let steps = queue.iter().map(|node| (*node, 0)).collect();
        let mut naive = Naive { steps, generated_count: queue.len(), longest_queue: queue.len() };
        while let Some(node) = queue.pop_front() {
            for next in tangle.next_states(&node) {
                naive.generated_count += 1;
                if !naive.steps.contains_key(&next) {
                    naive.steps.insert(next, naive.steps[&node] + 1);
                    queue.push_back(next);
                }
            }
            naive.longest_queue = naive.longest_queue.max(queue.len());
        }
        naive
    }

    /// How many nodes are so many steps away, by the number of steps.
    fn levels(&self) -> Vec<usize> {
        let mut levels = Vec::new();
        for steps in self.steps.values() {
            levels.resize(levels.len().max(steps + 1), 0);
            levels[*steps] += 1;
        }
        levels
    }
}

/// Any number of threads finds what a naive search finds.
fn agrees_however_it_is_run(seed: u64) -> bool {
    let tangle = Tangle { seed };
    let naive = Naive::of(&tangle);
    let explored = |threads, is_exact| {
        let options = Options { threads, is_exact, ..Options::default() };
        let mut found = explore(&tangle, options, &mut |_| Signal::Continue);
        found.collision_odds = 0.0;
        found
    };
    let found = explored(1, false);
    let bad = naive.steps.iter().filter(|(node, _)| tangle.is_bad(**node));
    let broken = found.violations.iter().find(|violation| violation.law == 0);
    let transition_count = (naive.generated_count - tangle.init_states().len()) as u64;
    found.stop == Stop::Complete
        && found.levels == naive.levels()
        && (found.state_count, found.generated_count) == (naive.steps.len(), naive.generated_count)
        && found.frontier_peak == naive.longest_queue
        && found.coverage == BTreeMap::from([("step", transition_count)])
        && broken.map(|violation| violation.trace.steps.len()) == bad.map(|(_, steps)| *steps).min()
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
