//! Cycles of ops that depend on one another.
//!
//! * `ww`: the writer of a value comes before the writer of the next one in the log, if the policy asks for it.
//! * `wr`: the writer of a value comes before who read it.
//! * `process`: an op comes before the next one of its process.
//! * `realtime`: an op that completed comes before what began later.
//!
//! Real time is a chain of moments, one for each completion, so that its edges are as many as the ops and not their
//! square. A cycle is told by the fewest kinds of edges that close it, once for each tangle (strongly connected
//! component; Tarjan, *Depth-First Search and Linear Graph Algorithms*, 1972). Cost: O(ops and values read).

use std::collections::HashMap;

use lawspeaker_history::{OpType, Process};

use super::completed::Completions;
use super::order::VersionOrder;
use super::{ErrorType, Policy, Results};
use crate::graph;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Because {
    Ww,
    Wr,
    Process,
    Realtime,
}

struct Graph {
    node_count: usize,
    edges: Vec<(usize, usize, Because)>,
}

/// From the strongest claim to the weakest, by what closes a cycle: without reads, with them, and what says that either
/// exists.
const LEVELS: [(&[Because], ErrorType, ErrorType, ErrorType, ErrorType); 3] = {
    use Because::{Process, Realtime, Wr, Ww};
    use ErrorType as E;
    [
        (&[Ww, Wr], E::G0, E::G1c, E::Pl1, E::Pl2),
        (&[Ww, Wr, Process], E::G0Process, E::G1cProcess, E::StrongSessionPl1, E::StrongSessionPl2),
        (&[Ww, Wr, Process, Realtime], E::G0Realtime, E::G1cRealtime, E::StrongPl1, E::StrongPl2),
    ]
};

pub(super) fn check(
    completions: &Completions<'_>,
    order: &VersionOrder,
    policy: Policy,
    results: &mut Results,
) {
    let graph = Graph::of(completions, order, policy);
    if graph.edges.is_empty() {
        results.found(ErrorType::EmptyTransactionGraph, None);
        return;
    }
    let whole = graph.tangles(|_| true);
    // For each tangle of the whole graph, what closes a cycle in it, weakest first.
    let mut writers: HashMap<usize, usize> = HashMap::new();
    let mut readers: HashMap<usize, usize> = HashMap::new();
    for (level, (kinds, ..)) in LEVELS.iter().enumerate() {
        let without_reads = graph.tangles(|because| kinds.contains(&because) && because != Because::Wr);
        let with_reads = graph.tangles(|because| kinds.contains(&because));
        for (from, to, because) in &graph.edges {
            let is_within = |tangles: &[usize]| kinds.contains(because) && tangles[*from] == tangles[*to];
            if *because == Because::Wr {
                if is_within(&with_reads) {
                    readers.entry(whole[*from]).or_insert(level);
                }
            } else if is_within(&without_reads) {
                writers.entry(whole[*from]).or_insert(level);
            }
        }
    }
    for (tangle, level) in &writers {
        let (_, g0, _, pl1, _) = LEVELS[*level];
        results.found(g0, None);
        if readers.get(tangle).is_none_or(|reading| level <= reading) {
            results.found(pl1, None);
        }
    }
    for (tangle, level) in &readers {
        let (_, _, g1c, _, pl2) = LEVELS[*level];
        results.found(g1c, None);
        if writers.get(tangle).is_none_or(|writing| level < writing) {
            results.found(pl2, None);
        }
    }
}

impl Graph {
    fn of(completions: &Completions<'_>, order: &VersionOrder, policy: Policy) -> Self {
        let ops: Vec<(usize, _)> = completions.all.iter().enumerate().filter(|(_, op)| op.is_txn()).collect();
        let mut graph = Graph { node_count: completions.all.len(), edges: Vec::new() };
        for (place, op) in &ops {
            let writers = op.polled().filter_map(|placed| completions.writers.get(&placed.value));
            writers.for_each(|writer| graph.edge(*writer, *place, Because::Wr));
        }
        if policy.ww_deps {
            for versions in order.versions() {
                let writers: Vec<usize> =
                    versions.filter_map(|value| completions.writers.get(&value).copied()).collect();
                writers.windows(2).for_each(|pair| graph.edge(pair[0], pair[1], Because::Ww));
            }
        }
        let mut last: HashMap<&Process, usize> = HashMap::new();
        for (place, op) in ops.iter().filter(|(_, op)| op.op_type != OpType::Fail) {
            if let Some(before) = last.insert(op.process, *place) {
                graph.edge(before, *place, Because::Process);
            }
        }
        graph.real_time(completions);
        graph
    }

    fn edge(&mut self, from: usize, to: usize, because: Because) {
        if from != to {
            self.edges.push((from, to, because));
        }
    }

    fn real_time(&mut self, completions: &Completions<'_>) {
        let first_moment = self.node_count;
        let is_ok = |op: &&super::completed::Completed<'_>| op.is_txn() && op.op_type == OpType::Ok;
        let ends: Vec<usize> = completions.all.iter().filter(is_ok).map(|op| op.end).collect();
        let mut edges = Vec::new();
        for (place, op) in completions.all.iter().enumerate() {
            if !op.is_txn() || op.op_type == OpType::Fail {
                continue;
            }
            if let Some(moment) = ends.partition_point(|end| *end < op.begin).checked_sub(1) {
                edges.push((first_moment + moment, place, Because::Realtime));
            }
        }
        if edges.is_empty() {
            return;
        }
        self.node_count += ends.len();
        let moments = first_moment..self.node_count;
        let ok = completions.all.iter().enumerate().filter(|(_, op)| is_ok(op));
        edges.extend(moments.clone().zip(ok).map(|(moment, (place, _))| (place, moment, Because::Realtime)));
        edges.extend(moments.clone().zip(moments.skip(1)).map(|(one, next)| (one, next, Because::Realtime)));
        self.edges.append(&mut edges);
    }

    /// By node: the number of its strongly connected component over the edges of some kinds.
    fn tangles(&self, is_wanted: impl Fn(Because) -> bool) -> Vec<usize> {
        let mut next = vec![Vec::new(); self.node_count];
        for (from, to, because) in &self.edges {
            if is_wanted(*because) {
                next[*from].push(*to);
            }
        }
        graph::components(&next)
    }
}
