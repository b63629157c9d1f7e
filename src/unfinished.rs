//! What is told of explorations that ended before everything was explored: by what, how far they were, and how to go on.

use std::collections::BTreeSet;

use lawspeaker_model::catalogue::Entry;
use lawspeaker_model::report::{Explored, Report};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::complain;
use crate::progress::is_interrupted;

/// A result, and what is to be said of it if not everything was explored for it.
#[derive(Debug, Serialize)]
pub(crate) struct Told<T> {
    #[serde(flatten)]
    pub(crate) result: T,
    /// One sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unfinished: Option<String>,
}

/// One sentence on those explorations that ended early; none if all are complete.
pub(crate) fn unfinished(reports: &[Report]) -> Option<String> {
    let explored: Vec<_> = reports.iter().map(|report| &report.explored).collect();
    ended(&explored, is_interrupted())
}

fn ended(all: &[&Explored], is_interrupted: bool) -> Option<String> {
    let cut: Vec<_> = all.iter().filter(|explored| !explored.is_complete).collect();
    let by: BTreeSet<_> = cut.iter().filter_map(|explored| explored.stopped_by).collect();
    let by: Vec<_> = by.into_iter().collect();
    let fewest = cut.iter().map(|explored| explored.states).min()?;
    let most = cut.iter().map(|explored| explored.states).max()?;
    let which = match all.len() {
        1 => "it".to_owned(),
        count => format!("{} of {count} explorations", cut.len()),
    };
    Some(format!("{} ended {which} {}", by.join(" and "), how_far(fewest, most, is_interrupted)))
}

/// How far an exploration was, or the first and the last of several, and how to go on.
pub(crate) fn how_far(fewest: usize, most: usize, is_interrupted: bool) -> String {
    let states = match (fewest, most) {
        (1, 1) => "1 state".to_owned(),
        _ if fewest == most => format!("{most} states"),
        _ => format!("{fewest} to {most} states"),
    };
    let again = if is_interrupted { "" } else { " with a higher limit, or lower a bound with --set" };
    format!("after {states}; to explore everything, run it again{again}")
}

/// What `found` comes to if Ctrl-C was pressed: nothing else if everything was decided by then. The models that are `left`
/// are named.
pub(crate) fn if_interrupted(found: Exit, left: &[&Entry]) -> Exit {
    if !is_interrupted() {
        return found;
    }
    if !left.is_empty() {
        let names: Vec<_> = left.iter().map(|entry| entry.name).collect();
        complain(&format!("interrupted before {}", names.join(", ")));
    }
    if left.is_empty() && found != Exit::Inconclusive { found } else { found.and(Exit::Interrupted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explored(states: usize, stopped_by: Option<&'static str>) -> Explored {
        Explored {
            states,
            generated: states,
            depth: 0,
            levels: Vec::new(),
            longest_queue: 0,
            reduced_by: None,
            is_complete: stopped_by.is_none(),
            stopped_by,
            collision_odds: 0.0,
            coverage: Default::default(),
        }
    }

    #[test]
    fn what_ended_early_is_told_with_how_far_it_was_and_how_to_go_on() {
        let (whole, one) = (explored(70, None), explored(1, Some("an interrupt")));
        let (few, many) = (explored(20, Some("the time limit")), explored(50, Some("the time limit")));
        assert_eq!(ended(&[&whole], false), None);
        assert_eq!(
            ended(&[&few], false).as_deref(),
            Some(
                "the time limit ended it after 20 states; to explore everything, run it again with a higher limit, or \
                 lower a bound with --set"
            )
        );
        assert_eq!(
            ended(&[&whole, &few, &many], false).as_deref(),
            Some(
                "the time limit ended 2 of 3 explorations after 20 to 50 states; to explore everything, run it again \
                 with a higher limit, or lower a bound with --set"
            )
        );
        assert_eq!(
            ended(&[&one], true).as_deref(),
            Some("an interrupt ended it after 1 state; to explore everything, run it again")
        );
    }
}
