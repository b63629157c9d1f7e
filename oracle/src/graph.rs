//! Cycles in directed graphs: `next[point]` lists what a point leads to.
//!
//! Source: Tarjan, *Depth-First Search and Linear Graph Algorithms*, 1972. Cost: O(points and edges).

use std::collections::{HashMap, VecDeque};

/// A place in the graph.
pub(crate) type Point = usize;

/// The tangle of each point that is in one, by a number for each tangle.
pub(crate) fn tangles(next: &[Vec<Point>]) -> Vec<Option<usize>> {
    const UNSEEN: usize = usize::MAX;
    let count = next.len();
    let (mut index, mut low) = (vec![UNSEEN; count], vec![0; count]);
    let (mut is_open, mut open) = (vec![false; count], Vec::new());
    let (mut tangle_of, mut tangle_count, mut clock) = (vec![None; count], 0, 0);
    for root in 0..count {
        if index[root] != UNSEEN {
            continue;
        }
        let mut work: Vec<(Point, usize)> = vec![(root, 0)];
        while let Some((point, edge)) = work.pop() {
            if edge == 0 {
                (index[point], low[point]) = (clock, clock);
                clock += 1;
                open.push(point);
                is_open[point] = true;
            }
            if let Some(to) = next[point].get(edge).copied() {
                work.push((point, edge + 1));
                if index[to] == UNSEEN {
                    work.push((to, 0));
                } else if is_open[to] {
                    low[point] = low[point].min(index[to]);
                }
                continue;
            }
            if let Some((parent, _)) = work.last() {
                low[*parent] = low[*parent].min(low[point]);
            }
            if low[point] == index[point] {
                let start = open.iter().rposition(|of| *of == point).unwrap_or_default();
                let members = open.split_off(start);
                let is_tangle = members.len() > 1 || next[point].contains(&point);
                for member in members {
                    is_open[member] = false;
                    tangle_of[member] = is_tangle.then_some(tangle_count);
                }
                tangle_count += usize::from(is_tangle);
            }
        }
    }
    tangle_of
}

/// The shortest way from one point to another, both included.
pub(crate) fn way(
    next: &[Vec<Point>],
    from: Point,
    to: Point,
    is_inside: impl Fn(Point) -> bool,
) -> Option<Vec<Point>> {
    let mut came_from: HashMap<Point, Point> = HashMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(point) = queue.pop_front() {
        if point == to {
            let mut way = vec![to];
            let mut at = to;
            while at != from {
                at = *came_from.get(&at)?;
                way.push(at);
            }
            way.reverse();
            return Some(way);
        }
        for to_next in next[point].iter().copied().filter(|point| is_inside(*point)) {
            if to_next != from && !came_from.contains_key(&to_next) {
                came_from.insert(to_next, point);
                queue.push_back(to_next);
            }
        }
    }
    None
}
