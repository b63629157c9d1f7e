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
//! The counterexample has the shortest stem, and then a shortest cycle for it; above a dozen groups that the cycle must
//! satisfy, it satisfies them one after the other, and may be longer.

use std::collections::{BTreeMap, VecDeque};

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

/// The number of the component of a node that is in no fair one; fair ones have numbers from 1.
const NO_COMPONENT: u32 = 0;

/// The lasso of the shortest stem, and of the shortest cycle for it; `None` if the law holds.
pub(super) fn lasso(graph: &Graph, question: &Question<'_>) -> Option<Lasso> {
    let is_short: Vec<bool> = question.is_goal.iter().map(|is_goal| !is_goal).collect();
    let mut component_of = vec![NO_COMPONENT; graph.node_count()];
    let mut fair_count = NO_COMPONENT;
    components(graph, &is_short, &mut |component| {
        if is_fair(graph, component) {
            fair_count += 1;
            component.iter().for_each(|node| component_of[*node as usize] = fair_count);
        }
    });
    if fair_count == NO_COMPONENT {
        return None;
    }
    let stems = shortest_stems(graph, question, &|node| component_of[node as usize] != NO_COMPONENT);
    let ends = stems.into_iter().filter_map(|stem| {
        let end = *stem.last()?;
        let cycle = fair_cycle(graph, end, &|node| component_of[node as usize] == component_of[end as usize]);
        Some(Lasso { stem, cycle })
    });
    ends.min_by_key(|lasso| lasso.cycle.len())
}

fn is_fair(graph: &Graph, component: &[Node]) -> bool {
    let is_in = |node: Node| component.binary_search(&node).is_ok();
    let all = component.iter().fold(Groups::default(), |all, node| all.and(graph.enabled(*node)));
    let satisfied = |met: Groups, node: &Node| met.and(satisfied_at(graph, all, *node, &is_in));
    all.minus(component.iter().fold(Groups::default(), satisfied)).is_empty()
}

/// Which of `all` groups a visit of `node` satisfies by itself: those disabled there, and those whose step from there
/// stays within.
fn satisfied_at(graph: &Graph, all: Groups, node: Node, is_in: &dyn Fn(Node) -> bool) -> Groups {
    let taken = graph.edges(node).iter().filter(|edge| is_in(edge.to)).map(|edge| Groups::of(edge.group));
    taken.fold(all.minus(graph.enabled(node)), Groups::and)
}

/// Every shortest path that ends where `is_end` with the goal still owed; one for each end, in order of discovery.
fn shortest_stems(graph: &Graph, question: &Question<'_>, is_end: &dyn Fn(Node) -> bool) -> Vec<Vec<Node>> {
    /// A node, and whether the goal is owed there.
    type Place = (Node, bool);
    let owes = |node: Node| question.is_from[node as usize] && !question.is_goal[node as usize];
    let mut before: BTreeMap<Place, Option<Place>> = BTreeMap::new();
    let mut level: Vec<Place> = Vec::new();
    let mut enter = |place: Place, from: Option<Place>, level: &mut Vec<Place>| {
        // The goal may be owed from here on, or from a later visit; both are tried.
        for place in [Some(place), owes(place.0).then_some((place.0, true))].into_iter().flatten() {
            if let std::collections::btree_map::Entry::Vacant(vacant) = before.entry(place) {
                vacant.insert(from);
                level.push(place);
            }
        }
    };
    question.initial.iter().for_each(|node| enter((*node, false), None, &mut level));
    let mut ends: Vec<Place> = Vec::new();
    while ends.is_empty() && !level.is_empty() {
        ends.extend(level.iter().filter(|(node, is_owed)| *is_owed && is_end(*node)));
        if !ends.is_empty() {
            break;
        }
        for place in std::mem::take(&mut level) {
            for edge in graph.edges(place.0) {
                if !(place.1 && question.is_goal[edge.to as usize]) {
                    enter((edge.to, place.1), Some(place), &mut level);
                }
            }
        }
    }
    let path = |end: &Place| {
        let mut path: Vec<Node> =
            std::iter::successors(Some(*end), |place| before[place]).map(|p| p.0).collect();
        path.reverse();
        path
    };
    ends.iter().map(path).collect()
}

/// The most groups that a cycle's search keeps apart: its cost doubles with each.
const EXACT_GROUPS: u32 = 12;

/// A shortest cycle from `start` through nodes that are `is_in`, on which every group is disabled somewhere or taken;
/// empty if every group is disabled at `start`.
fn fair_cycle(graph: &Graph, start: Node, is_in: &dyn Fn(Node) -> bool) -> Vec<Turn> {
    let all = reachable(graph, start, is_in)
        .into_iter()
        .fold(Groups::default(), |all, n| all.and(graph.enabled(n)));
    if graph.enabled(start).is_empty() {
        return Vec::new();
    }
    let disabled = |node: Node| all.minus(graph.enabled(node));
    let owed_count = all.minus(disabled(start)).count();
    if owed_count <= EXACT_GROUPS {
        return tour(graph, start, is_in, all, &disabled).expect("a fair component has a fair cycle");
    }
    // Too many groups for one search: satisfy them a few at a time, each by a shortest detour.
    let mut cycle = Vec::new();
    let mut met = disabled(start);
    while !all.minus(met).is_empty() {
        let next = all.minus(met).first();
        let detour = tour(graph, start, is_in, next, &|node| next.both(disabled(node)));
        met = met.and(next);
        cycle.extend(detour.expect("a fair component meets every group"));
    }
    cycle
}

fn reachable(graph: &Graph, start: Node, is_in: &dyn Fn(Node) -> bool) -> Vec<Node> {
    let mut seen = std::collections::BTreeSet::from([start]);
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in graph.edges(node) {
            if is_in(edge.to) && seen.insert(edge.to) {
                queue.push_back(edge.to);
            }
        }
    }
    seen.into_iter().collect()
}

/// A shortest walk of at least one step from `start` back to it that meets every group of `wanted`: breadth-first over
/// nodes and the groups met so far.
fn tour(
    graph: &Graph,
    start: Node,
    is_in: &dyn Fn(Node) -> bool,
    wanted: Groups,
    disabled: &dyn Fn(Node) -> Groups,
) -> Option<Vec<Turn>> {
    type Place = (Node, Groups);
    let first: Place = (start, wanted.both(disabled(start)));
    let mut before: BTreeMap<Place, (Place, Option<FairGroup>)> = BTreeMap::new();
    let mut queue = VecDeque::from([first]);
    let step = |(_, met): Place, edge: &Edge| {
        (edge.to, met.and(wanted.both(Groups::of(edge.group))).and(wanted.both(disabled(edge.to))))
    };
    while let Some(place) = queue.pop_front() {
        for edge in graph.edges(place.0).iter().filter(|edge| is_in(edge.to)) {
            let next = step(place, edge);
            if next.0 == start && wanted.minus(next.1).is_empty() {
                let mut walk = vec![(next.0, edge.group)];
                let mut place = place;
                while place != first {
                    let (previous, group) = before[&place];
                    walk.push((place.0, group));
                    place = previous;
                }
                walk.reverse();
                return Some(walk);
            }
            if next != first && !before.contains_key(&next) {
                before.insert(next, (place, edge.group));
                queue.push_back(next);
            }
        }
    }
    None
}
