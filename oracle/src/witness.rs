//! Witnesses: the smallest part of a history that still breaks the same promise in the same place.
//!
//! What a finding rests on may be four lines of a hundred thousand. A witness is those four lines, as a history that
//! can be read, judged and sent to somebody else: the calls that are left are whole, and without any one of them the
//! oracle no longer finds the anomaly on the same events.
//!
//! One send of an event excuses what another one seems to show, so that of an event that was sent several times a witness
//! holds every send or none.
//!
//! The search is delta debugging with the oracle as its test: first the calls that the finding names, then those
//! that speak of the same events, then wider and wider surroundings, until the anomaly shows; then halves, quarters
//! and single calls are taken away as long as it stays.
//!
//! Source: Zeller and Hildebrandt, *Simplifying and Isolating Failure-Inducing Input*, 2002, section 3.
//! Cost: O(c log c) judgements of at most c calls where most can go, O(c²) at worst, c being the calls of the first
//! surroundings that show the anomaly, and never more than [`Limits::max_runs`].

mod calls;
mod minimize;

use lawspeaker_history::{History, Op};

use crate::{Anomaly, Case, Finding, Verdict};
use calls::Calls;
use minimize::minimize;

/// The field under `x` in which an op of a witness keeps the line that it stood on.
pub const SOURCE_LINE: &str = "source_line";

/// How far the search for a witness goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many judgements it may take.
    pub max_runs: usize,
}

impl Default for Limits {
    /// Far more than any finding of the corpus needs, and seconds of work for small surroundings.
    fn default() -> Self {
        Limits { max_runs: 5_000 }
    }
}

/// A part of a history that shows a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The number of the finding.
    pub finding: usize,
    /// What it shows.
    pub anomaly: Anomaly,
    /// The calls that are left, placed anew, each with its line in [`SOURCE_LINE`]; the header names the profile.
    pub history: History,
    /// Whether no call can be left out any more; `false` where a limit was reached first.
    pub is_minimal: bool,
    /// How many judgements it took.
    pub runs: usize,
}

impl Witness {
    /// How many calls it holds.
    pub fn call_count(&self) -> usize {
        Calls::of(&self.history.ops).len()
    }

    /// The lines of the whole history that are left, in order.
    pub fn source_lines(&self) -> Vec<u64> {
        self.history.ops.iter().map(source_line).collect()
    }
}

/// The line of the whole history on which an op of a witness stood; its own line where it is of no witness.
pub fn source_line(op: &Op) -> u64 {
    op.x.rest.get(SOURCE_LINE).and_then(serde_json::Value::as_u64).unwrap_or(op.line)
}

/// The smallest part of `history` in which `judge` still finds the first case of `finding`.
///
/// `judge` must judge under the profile that the finding was found under. The search ends early, with a witness that
/// is not minimal, after [`Limits::max_runs`] judgements, or as soon as `go_on` is false.
pub fn witness(
    history: &History,
    finding: &Finding,
    judge: &dyn Fn(&History) -> Verdict,
    limits: Limits,
    go_on: &dyn Fn() -> bool,
) -> Witness {
    let calls = Calls::of(&history.ops);
    let target = Target::of(finding);
    let sent_again = target.case.map_or_else(Vec::new, |case| calls.sent_again(&history.ops, case));
    let mut search = Search { history, calls: &calls, target, sent_again, judge, go_on, runs: 0, limits };
    let start = search.start();
    let (kept, is_minimal) = minimize(start, |calls| search.shows(calls));
    let runs = search.runs;
    let mut history = search.part(&kept);
    history.header.profile = Some(judge(&history).profile.to_owned());
    Witness { finding: finding.id, anomaly: finding.anomaly, history, is_minimal, runs }
}

/// What must stay: the anomaly, on the same events, where it was.
struct Target<'a> {
    finding: &'a Finding,
    case: Option<&'a Case>,
}

impl<'a> Target<'a> {
    fn of(finding: &'a Finding) -> Self {
        Target { finding, case: finding.cases.first() }
    }

    fn is_in(&self, verdict: &Verdict) -> bool {
        let is_alike =
            |other: &&Finding| other.severity <= self.finding.severity && other.group == self.finding.group;
        let mut cases = verdict.of(self.finding.anomaly).filter(is_alike).flat_map(|finding| &finding.cases);
        cases.any(|case| self.case.is_none_or(|target| is_same(target, case)))
    }
}

/// Whether `case` is `target` again. Of several events that suffered, some may be left out with their calls.
fn is_same(target: &Case, case: &Case) -> bool {
    fn is_part<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
        part.is_empty() == whole.is_empty() && part.iter().all(|one| whole.contains(one))
    }
    let is_told_apart = !target.events.is_empty() || !target.steps.is_empty();
    (&case.partition, &case.process, &case.saga) == (&target.partition, &target.process, &target.saga)
        && is_part(&case.events, &target.events)
        && is_part(&case.steps, &target.steps)
        && (is_told_apart || case.offset == target.offset)
}

struct Search<'a> {
    history: &'a History,
    calls: &'a Calls,
    target: Target<'a>,
    /// Calls that stay together: the sends of one event.
    sent_again: Vec<Vec<usize>>,
    judge: &'a dyn Fn(&History) -> Verdict,
    go_on: &'a dyn Fn() -> bool,
    runs: usize,
    limits: Limits,
}

impl Search<'_> {
    /// The first surroundings of the finding that show it; the whole history does, in the end.
    fn start(&mut self) -> Vec<usize> {
        /// How many calls before and after each that is named are taken in, growing.
        const SURROUNDINGS: [usize; 3] = [8, 64, 512];
        let Some(case) = self.target.case else { return self.calls.all() };
        let named = self.calls.on_lines(&self.history.ops, case);
        let related = self.calls.speaking_of(&self.history.ops, case, &named);
        let wider = SURROUNDINGS.iter().map(|reach| self.calls.around(&related, *reach));
        for calls in [named, related.clone()].into_iter().chain(wider) {
            if calls.len() < self.calls.len() && self.shows(&calls) == Some(true) {
                return calls;
            }
        }
        self.calls.all()
    }

    /// Whether these calls show the finding; `None` where nobody wants to know any more.
    fn shows(&mut self, calls: &[usize]) -> Option<bool> {
        if self.runs >= self.limits.max_runs || !(self.go_on)() {
            return None;
        }
        let is_kept = |call: &usize| calls.binary_search(call).is_ok();
        let is_whole = |sends: &Vec<usize>| sends.iter().all(is_kept) || !sends.iter().any(is_kept);
        if !self.sent_again.iter().all(is_whole) {
            return Some(false);
        }
        self.runs += 1;
        Some(self.target.is_in(&(self.judge)(&self.part(calls))))
    }

    /// The history of these calls alone.
    fn part(&self, calls: &[usize]) -> History {
        let keep_line = |place: usize| {
            let mut op = self.history.ops[place].clone();
            let line = source_line(&op);
            op.x.rest.insert(SOURCE_LINE.to_owned(), line.into());
            op
        };
        let ops = History::of(self.calls.places(calls).into_iter().map(keep_line)).ops;
        History { header: self.history.header.clone(), ops }
    }
}
