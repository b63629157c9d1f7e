//! Cycles in directed graphs: `next[point]` lists what a point leads to.
//!
//! Source: Tarjan, *Depth-First Search and Linear Graph Algorithms*, 1972. Cost: O(points and edges).

use std::collections::{HashMap, VecDeque};

/// A place in the graph.
pub(crate) type Point = usize;

/// The tangle of each point that is in one, by a number for each tangle.
pub(crate) fn tangles(next: &[Vec<Point>]) -> Vec<Option<usize>> {
    let component = components(next);
    let mut size = vec![0; next.len()];
    component.iter().for_each(|of| size[*of] += 1);
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let tangle = |(point, of): (Point, &usize)| {
        let count = numbers.len();
        let is_tangle = size[*of] > 1 || next[point].contains(&point);
        is_tangle.then(|| *numbers.entry(*of).or_insert(count))
    };
    component.iter().enumerate().map(tangle).collect()
}

/// The strongly connected component of each point, by one of its points.
pub(crate) fn components(next: &[Vec<Point>]) -> Vec<usize> {
    Tarjan::run(next)
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

/// Without recursion: a history may be one chain.
struct Tarjan {
    number: Vec<usize>,
    low: Vec<usize>,
    tangle: Vec<usize>,
    stack: Vec<usize>,
    count: usize,
}

const UNSEEN: usize = usize::MAX;

impl Tarjan {
    fn run(next: &[Vec<usize>]) -> Vec<usize> {
        let unseen = || vec![UNSEEN; next.len()];
        let mut run =
            Tarjan { number: unseen(), low: unseen(), tangle: unseen(), stack: Vec::new(), count: 0 };
        for start in 0..next.len() {
            if run.number[start] == UNSEEN {
                run.visit(start, next);
            }
        }
        run.tangle
    }

    fn enter(&mut self, node: usize) {
        self.number[node] = self.count;
        self.low[node] = self.count;
        self.count += 1;
        self.stack.push(node);
    }

    fn visit(&mut self, start: usize, next: &[Vec<usize>]) {
        self.enter(start);
        let mut path = vec![(start, 0)];
        while let Some((node, edge)) = path.pop() {
            if let Some(to) = next[node].get(edge) {
                path.push((node, edge + 1));
                if self.number[*to] == UNSEEN {
                    self.enter(*to);
                    path.push((*to, 0));
                } else if self.tangle[*to] == UNSEEN {
                    self.low[node] = self.low[node].min(self.number[*to]);
                }
                continue;
            }
            if let Some((parent, _)) = path.last() {
                self.low[*parent] = self.low[*parent].min(self.low[node]);
            }
            if self.low[node] == self.number[node] {
                while let Some(member) = self.stack.pop() {
                    self.tangle[member] = node;
                    if member == node {
                        break;
                    }
                }
            }
        }
    }
}
