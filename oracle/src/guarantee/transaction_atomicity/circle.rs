//! `G0` and `G1c`: committed transactions that depend on one another in a circle.
//!
//! * `G0`: each has an event that stands right before one of the next, and the last before one of the first, of course in
//!   another partition. A log takes turns with transactions, and promises nothing else unless its profile says so.
//! * `G1c`: each read what the next one sent, and the last what the first one did. What a transaction reads of itself is a
//!   `precommitted-read`. Where the profile promises that there is no `G0`, some of them may stand before the next one
//!   instead, as Adya has it; a log that takes turns with transactions cannot keep those circles away.
//!
//! Each tangle is told once, by a shortest circle. Dependences of writes on reads are not looked at: logs do not isolate those.
//!
//! Source: Adya, *Weak Consistency*, 1999, section 3.1: write cycles, and circular information flow.
//! Cost: O(transactions, what they read, and what stands in the log).
//!
//! ```text
//! txn [poll q: 0 b, send p a] ok · txn [poll p: 0 a, send q b] ok
//! txn [send p: 0 a, send q: 1 b] ok · txn [send p: 1 c, send q: 0 d] ok
//! txn [poll q: 0 b, send p: 0 a] ok · txn [send p: 1 c, send q: 0 b] ok
//! ```

use std::collections::HashMap;

use crate::case::{Found, Line};
use crate::evidence::{Attempt, Evidence, Read, Standing, TransactionKey};
use crate::results::Results;
use crate::{Anomaly, Profile, Severity, explain, graph};

/// Why one transaction comes before another.
enum Because<'a> {
    /// The other read what it sent.
    Read(&'a Attempt, &'a Read),
    /// An event of it stands right before one of the other.
    Stands(&'a Standing, &'a Standing),
}

/// Committed transactions, and what of one comes before what of another.
#[derive(Default)]
struct Dependences<'a> {
    /// By place of the transaction.
    next: Vec<Vec<graph::Point>>,
    because: HashMap<(graph::Point, graph::Point), Because<'a>>,
}

impl<'a> Dependences<'a> {
    fn among(evidence: &Evidence) -> Self {
        Dependences { next: vec![Vec::new(); evidence.transactions.len()], because: HashMap::new() }
    }

    fn add(&mut self, from: TransactionKey, to: TransactionKey, because: Because<'a>) {
        if from != to {
            self.because.entry((from.place(), to.place())).or_insert_with(|| {
                self.next[from.place()].push(to.place());
                because
            });
        }
    }

    /// Who read what another one sent.
    fn add_readers(&mut self, evidence: &'a Evidence) {
        for read in evidence.reads.iter().filter(|read| read.is_ok) {
            let to = read.transaction.filter(|key| evidence.transactions.is_committed(*key));
            let attempts = evidence.attempts_of(read.event);
            if let (Some(to), Some(from)) = (to, sender(attempts, evidence)) {
                self.add(from, to, Because::Read(&attempts[0], read));
            }
        }
    }

    /// Whose events stand next to one another.
    fn add_neighbours(&mut self, evidence: &'a Evidence) {
        let pairs = evidence.log.standings().windows(2);
        for pair in pairs.filter(|pair| pair[0].partition == pair[1].partition) {
            let [before, after] =
                [0, 1].map(|place| sender(evidence.attempts_of(pair[place].event), evidence));
            if let (Some(before), Some(after)) = (before, after) {
                self.add(before, after, Because::Stands(&pair[0], &pair[1]));
            }
        }
    }

    /// A shortest circle of each tangle that begins with such a reason, if it holds one, with the reasons along it.
    fn circles(&self, is_first: fn(&Because<'_>) -> bool) -> Vec<Vec<&Because<'a>>> {
        let tangles = graph::tangles(&self.next);
        let mut is_told = vec![false; tangles.iter().flatten().max().map_or(0, |last| last + 1)];
        let mut circles = Vec::new();
        for (start, tangle) in tangles.iter().enumerate() {
            let Some(tangle) = tangle.filter(|tangle| !is_told[*tangle]) else { continue };
            let is_inside = |point: graph::Point| tangles[point] == Some(tangle);
            let is_start = |to: &&graph::Point| is_inside(**to) && is_first(&self.because[&(start, **to)]);
            let starts = self.next[start].iter().filter(is_start);
            let ways = starts.filter_map(|to| graph::way(&self.next, *to, start, is_inside));
            let Some(way) = ways.min_by_key(Vec::len) else { continue };
            is_told[tangle] = true;
            let circle: Vec<graph::Point> = std::iter::once(start).chain(way).collect();
            circles
                .push(circle.windows(2).filter_map(|pair| self.because.get(&(pair[0], pair[1]))).collect());
        }
        circles
    }
}

pub(super) fn check(evidence: &Evidence, profile: &Profile, results: &mut Results) {
    if evidence.transactions.len() < 2 {
        return;
    }
    let mut writers = Dependences::among(evidence);
    writers.add_neighbours(evidence);
    circles_of(Anomaly::G0, &writers, |_| true, evidence, results);
    let mut all = Dependences::among(evidence);
    all.add_readers(evidence);
    if profile.severity(Anomaly::G0) == Severity::Violation {
        all.add_neighbours(evidence);
    }
    circles_of(Anomaly::G1c, &all, |because| matches!(because, Because::Read(..)), evidence, results);
}

fn circles_of(
    anomaly: Anomaly,
    all: &Dependences<'_>,
    is_first: fn(&Because<'_>) -> bool,
    evidence: &Evidence,
    results: &mut Results,
) {
    let count = all.because.values().filter(|because| is_first(because)).count();
    results.checked(anomaly, count, "dependent transaction");
    if results.wants(anomaly) {
        all.circles(is_first).iter().for_each(|circle| results.add(tell(anomaly, circle, evidence)));
    }
}

/// The committed transaction that is the only one to have sent what `attempts` are.
fn sender(attempts: &[Attempt], evidence: &Evidence) -> Option<TransactionKey> {
    let [attempt] = attempts else { return None };
    attempt.transaction.filter(|key| evidence.transactions.is_committed(*key))
}

fn tell(anomaly: Anomaly, circle: &[&Because<'_>], evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let (mut told, mut lines, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for because in circle {
        let (of, event, said) = match because {
            Because::Read(attempt, read) => {
                lines.push(explain::read(read, evidence));
                let reader = &names.processes[read.process];
                let event = &names.events[read.event];
                let said = format!("that of process {reader} (line {}) read event {event} of", read.line);
                (*attempt, read.event, said)
            }
            Because::Stands(before, after) => {
                lines.extend([before, after].map(|standing| explain::standing(standing, evidence)));
                let attempt = &evidence.attempts_of(after.event)[0];
                let [first, second] = [before, after].map(|standing| &names.events[standing.event]);
                let partition = &names.partitions[before.partition];
                let process = &names.processes[evidence.attempts_of(before.event)[0].process];
                let said = format!(
                    "event {first} of process {process} stands before event {second} in {partition}, which is of"
                );
                (attempt, after.event, said)
            }
        };
        told.push(format!("{said} that of process {} (line {})", names.processes[of.process], of.line()));
        events.push(event);
        lines.extend(ends(of, evidence));
    }
    lines.sort_by_key(|line| line.line);
    lines.dedup();
    let is_mixed = anomaly == Anomaly::G1c && circle.iter().any(|of| matches!(of, Because::Stands(..)));
    let what = match anomaly {
        Anomaly::G0 => "stand before one another",
        _ if is_mixed => "read of one another, or stand before one another",
        _ => "read of one another",
    };
    let sentence = format!("committed transactions {what}: {}", explain::list(&told));
    Found::new(anomaly, sentence, lines).events(events)
}

/// What the lines say on which the transaction of `attempt` began and ended, if they are lines of their own.
fn ends(attempt: &Attempt, evidence: &Evidence) -> Vec<Line> {
    let transaction = attempt.transaction.map(|key| &evidence.transactions[key]);
    transaction.map_or_else(Vec::new, |transaction| explain::transaction::ends(transaction, evidence))
}
