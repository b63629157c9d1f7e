//! Liveness under weak fairness, exactly: is there a fair infinite behaviour that never reaches the goal?
//!
//! A behaviour is *weakly fair* to a group of actions if the group is not enabled from some point on for ever without
//! ever being taken (Manna and Pnueli, *The Temporal Logic of Reactive and Concurrent Systems*, 1992). To rest for
//! ever is a behaviour too, and fair where no fair group is enabled.
//!
//! A law `from ~> goal` is broken exactly if some reachable state satisfies `from`, and from it, by states that do not
//! satisfy the goal, a strongly connected component is reached in which every fair group is disabled somewhere or
//! taken within (or a state in which all are disabled). Larger components satisfy more groups, so the maximal ones
//! suffice (Lichtenstein and Pnueli, 1985). O(nodes + edges log nodes) for the verdict.
//!
//! The counterexample has the shortest stem at whose end the goal is owed, and then the shortest cycle for it. Where the
//! cycle must satisfy more than a dozen groups, or the search runs out of the places that it may look at, the groups are
//! satisfied one after the other, or the shortest cycle that was found until then is told: it may be longer.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::components::components;
use super::graph::{Edge, Graph, Groups, Node};
use super::system::FairGroup;

/// A counterexample to a liveness law, as nodes: the stem from an initial node, then the cycle back to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lasso {
    /// From an initial node to the cycle.
    pub(super) stem: Vec<Node>,
    /// What follows the end of the stem, over and over, each node with the fair group of the step that leads to it;
    /// empty if the system rests there for ever.
    pub(super) cycle: Vec<Turn>,
}

/// A step of a cycle: where it leads, and of which fair group it is.
pub(super) type Turn = (Node, Option<FairGroup>);

/// What one law asks of each node.
pub(super) struct Question<'a> {
    /// The nodes in which every behaviour starts.
    pub(super) initial: &'a [Node],
    /// Where the goal is owed from then on.
    pub(super) is_from: &'a [bool],
    /// Where it is met.
    pub(super) is_goal: &'a [bool],
}

/// The fair components of the nodes that do not meet the goal: where a behaviour can go on for ever and break the law.
struct Traps {
    /// The number of each node's component, from 1; 0 for a node that is in none.
    numbers: Vec<u32>,
    /// For each component, the groups that are enabled somewhere in it.
    groups: Vec<Groups>,
}

impl Traps {
    fn of(graph: &Graph, is_goal: &[bool]) -> Self {
        let is_short: Vec<bool> = is_goal.iter().map(|is_goal| !is_goal).collect();
        let mut traps = Traps { numbers: vec![0; graph.node_count()], groups: Vec::new() };
        components(graph, &is_short, &mut |component| {
            let all = component.iter().fold(Groups::default(), |all, node| all.and(graph.enabled(*node)));
            if is_fair(graph, component, all) {
                traps.groups.push(all);
                component.iter().for_each(|node| traps.numbers[*node as usize] = traps.groups.len() as u32);
            }
        });
        traps
    }

    fn contains(&self, node: Node) -> bool {
        self.numbers[node as usize] != 0
    }
}

/// The lasso of the shortest stem, and of the shortest cycle for it; `None` if the law holds.
pub(super) fn lasso(graph: &Graph, question: &Question<'_>) -> Option<Lasso> {
    let traps = Traps::of(graph, question.is_goal);
    if traps.groups.is_empty() {
        return None;
    }
    let stems = Stems::shortest(graph, question, &|node| traps.contains(node));
    let rest = stems.ends.iter().find(|end| graph.enabled(**end).is_empty());
    let (end, cycle) = match rest {
        Some(end) => (*end, Vec::new()),
        None => shortest_cycle(graph, &traps, &stems.ends)?,
    };
    Some(Lasso { stem: stems.to(end), cycle })
}

/// Whether every one of `all` groups is disabled somewhere in a component or taken within.
fn is_fair(graph: &Graph, component: &[Node], all: Groups) -> bool {
    let is_in = |node: Node| component.binary_search(&node).is_ok();
    let satisfied = |met: Groups, node: &Node| met.and(satisfied_at(graph, all, *node, &is_in));
    all.minus(component.iter().fold(Groups::default(), satisfied)).is_empty()
}

/// Which of `all` groups a visit of `node` satisfies by itself: those disabled there, and those whose step from there
/// stays within.
fn satisfied_at(graph: &Graph, all: Groups, node: Node, is_in: &dyn Fn(Node) -> bool) -> Groups {
    let taken = graph.edges(node).filter(|edge| is_in(edge.to)).map(|edge| Groups::of(edge.group));
    taken.fold(all.minus(graph.enabled(node)), Groups::and)
}

/// A node, and whether the goal is owed there.
type Place = (Node, bool);

/// The shortest paths from an initial node to where the goal is owed and some condition holds.
struct Stems {
    before: FxHashMap<Place, Option<Place>>,
    /// Where they end, in the order of discovery.
    ends: Vec<Node>,
}

impl Stems {
    fn shortest(graph: &Graph, question: &Question<'_>, is_end: &dyn Fn(Node) -> bool) -> Self {
        let owes = |node: Node| question.is_from[node as usize] && !question.is_goal[node as usize];
        let mut before: FxHashMap<Place, Option<Place>> = FxHashMap::default();
        let mut level: Vec<Place> = Vec::new();
        let mut enter = |place: Place, from: Option<Place>, level: &mut Vec<Place>| {
            // The goal may be owed from here on, or from a later visit; both are tried.
            for place in [Some(place), owes(place.0).then_some((place.0, true))].into_iter().flatten() {
                if let Entry::Vacant(vacant) = before.entry(place) {
                    vacant.insert(from);
                    level.push(place);
                }
            }
        };
        question.initial.iter().for_each(|node| enter((*node, false), None, &mut level));
        loop {
            let ends = level.iter().filter(|(node, is_owed)| *is_owed && is_end(*node));
            let ends: Vec<Node> = ends.map(|(node, _)| *node).collect();
            if !ends.is_empty() || level.is_empty() {
                return Stems { before, ends };
            }
            for place in std::mem::take(&mut level) {
                for to in graph.targets(place.0) {
                    if !(place.1 && question.is_goal[*to as usize]) {
                        enter((*to, place.1), Some(place), &mut level);
                    }
                }
            }
        }
    }

    /// The nodes on the way to one of the ends, from an initial one on.
    fn to(&self, end: Node) -> Vec<Node> {
        let path = std::iter::successors(Some((end, true)), |place| self.before[place]);
        let mut path: Vec<Node> = path.map(|place| place.0).collect();
        path.reverse();
        path
    }
}

/// The most groups that a cycle's search keeps apart: its cost doubles with each.
const EXACT_GROUPS: u32 = 12;

/// The most places that the search for a shortest cycle looks at for one law, beside four for each node: some tens of
/// megabytes, and a second.
const PLACES: usize = 1 << 20;

/// The first of the shortest cycles from some of `starts`, which are in fair components.
fn shortest_cycle(graph: &Graph, traps: &Traps, starts: &[Node]) -> Option<(Node, Vec<Turn>)> {
    let mut budget = PLACES + 4 * graph.node_count();
    let mut shortest: Option<(Node, Vec<Turn>)> = None;
    for start in starts {
        let number = traps.numbers[*start as usize];
        let is_in = |node: Node| traps.numbers[node as usize] == number;
        let owed = traps.groups[number as usize - 1].both(graph.enabled(*start));
        let limit = shortest.as_ref().map_or(usize::MAX, |(_, cycle)| cycle.len());
        let exact = if owed.count() <= EXACT_GROUPS {
            tour(graph, *start, &is_in, &Wanted::new(owed), limit, &mut budget)
        } else {
            None
        };
        // Whatever it costs, there has to be some cycle.
        let cycle = exact.or_else(|| shortest.is_none().then(|| one_by_one(graph, *start, &is_in, owed)));
        shortest = cycle.map(|cycle| (*start, cycle)).or(shortest);
    }
    shortest
}

/// A cycle that satisfies one of the `owed` groups after the other, each by a shortest detour.
fn one_by_one(graph: &Graph, start: Node, is_in: &dyn Fn(Node) -> bool, mut owed: Groups) -> Vec<Turn> {
    let (mut cycle, mut budget) = (Vec::new(), usize::MAX);
    while !owed.is_empty() {
        let next = Wanted::new(owed.first());
        let detour = tour(graph, start, is_in, &next, usize::MAX, &mut budget);
        cycle.extend(detour.expect("a fair component satisfies every group"));
        owed = owed.minus(owed.first());
    }
    cycle
}

/// Groups that a cycle must satisfy, as bits of a word.
struct Wanted {
    /// By the number of the group; 0 if it is not wanted.
    bits: [u16; FairGroup::COUNT as usize],
    all: u16,
}

impl Wanted {
    /// No more than [`EXACT_GROUPS`].
    fn new(groups: Groups) -> Self {
        let mut wanted = Wanted { bits: [0; FairGroup::COUNT as usize], all: 0 };
        let numbers = (0..FairGroup::COUNT).filter(|number| groups.contains(FairGroup::new(*number)));
        for (bit, number) in numbers.enumerate() {
            wanted.bits[number as usize] = 1 << bit;
            wanted.all |= 1 << bit;
        }
        wanted
    }

    fn taken(&self, edge: Edge) -> u16 {
        edge.group.map_or(0, |group| self.bits[group.get() as usize])
    }

    fn disabled(&self, graph: &Graph, node: Node) -> u16 {
        self.all & !graph.edges(node).fold(0, |enabled, edge| enabled | self.taken(edge))
    }
}

/// A shortest walk of at least one step from `start`, where every group that is wanted is enabled, back to it that
/// satisfies them all, if there is one of fewer steps than `limit` and the budget of places suffices: breadth-first over
/// nodes and the groups satisfied so far.
fn tour(
    graph: &Graph,
    start: Node,
    is_in: &dyn Fn(Node) -> bool,
    wanted: &Wanted,
    limit: usize,
    budget: &mut usize,
) -> Option<Vec<Turn>> {
    type Place = (Node, u16);
    let step =
        |(_, met): Place, edge: Edge| (edge.to, met | wanted.taken(edge) | wanted.disabled(graph, edge.to));
    let (first, goal): (Place, Place) = ((start, 0), (start, wanted.all));
    let mut before: FxHashMap<Place, Place> = FxHashMap::default();
    let mut level = vec![first];
    let mut length = 1;
    while !level.is_empty() && length < limit {
        for place in std::mem::take(&mut level) {
            for edge in graph.edges(place.0).filter(|edge| is_in(edge.to)) {
                let next = step(place, edge);
                if next == goal {
                    let way = std::iter::successors(Some(place), |place| before.get(place).copied());
                    let mut way: Vec<Place> = std::iter::once(goal).chain(way).collect();
                    way.reverse();
                    // Of the steps between two places, the first was taken.
                    let edge =
                        |ends: &[Place]| graph.edges(ends[0].0).find(|edge| step(ends[0], *edge) == ends[1]);
                    return way.windows(2).map(|ends| edge(ends).map(|edge| (edge.to, edge.group))).collect();
                }
                if next != first && !before.contains_key(&next) {
                    *budget = budget.checked_sub(1)?;
                    before.insert(next, place);
                    level.push(next);
                }
            }
        }
        length += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(node_count: u32, edges: impl Fn(Node) -> Vec<(Node, u8)>) -> Graph {
        let mut graph = Graph::default();
        for node in 0..node_count {
            let edge = |(to, group)| Edge { to, group: Some(FairGroup::new(group)) };
            graph.expand(edges(node).into_iter().map(edge));
        }
        graph
    }

    fn lasso_without_goal(graph: &Graph, initial: &[Node]) -> Lasso {
        let (is_from, is_goal) = (vec![true; graph.node_count()], vec![false; graph.node_count()]);
        lasso(graph, &Question { initial, is_from: &is_from, is_goal: &is_goal }).expect("there is no goal")
    }

    /// Twelve switches that anybody may turn for ever: to try all ways would take sixteen million places.
    #[test]
    fn where_the_shortest_cycle_is_too_far_to_seek_groups_are_satisfied_one_after_the_other() {
        let switches = graph(1 << 12, |node| (0..12).map(|switch| (node ^ 1 << switch, switch)).collect());
        let Lasso { stem, cycle } = lasso_without_goal(&switches, &[0]);
        assert_eq!(stem, [0]);
        let turned: Vec<u8> = cycle.iter().filter_map(|turn| Some(turn.1?.get())).collect();
        assert!(turned.into_iter().eq((0..12).flat_map(|switch| [switch, switch])));
    }

    /// A hundred thousand ways round, of a hundred thousand steps each: not all are walked.
    #[test]
    fn cycles_are_compared_until_it_has_taken_too_long() {
        let length = 100_000;
        let ring = graph(length, |node| vec![((node + 1) % length, 0)]);
        let Lasso { stem, cycle } = lasso_without_goal(&ring, &(0..length).collect::<Vec<_>>());
        assert_eq!((stem, cycle.len()), (vec![0], length as usize));
    }
}
