//! Which trace to export.

use super::graph::shortest_to;
use super::{ExportError, TraceChoice, Unfinished, Watch};
use crate::catalogue::{DomainModel, Observer, Request};
use crate::engine::{Exploration, Stop, Trace, Violation, Witness, explore};
use crate::report::rank;

/// A trace, and what it shows.
#[derive(Debug)]
pub(crate) struct Chosen<M: DomainModel> {
    pub(super) trace: Trace<M>,
    /// For a broken promise of what happens in the end: how many steps come before those that repeat for ever.
    pub(super) repeats_after: Option<usize>,
    /// What it shows, as a sentence without full stop.
    pub(super) title: String,
    /// What else could have been chosen, a line each.
    pub(super) others: Vec<String>,
}

/// The trace that `choice` asks for.
pub(super) fn choose<M: DomainModel>(
    model: &M,
    request: &Request,
    choice: &TraceChoice,
    observe: Observer<'_>,
) -> Result<Chosen<M>, ExportError> {
    match choice {
        TraceChoice::Telling if request.without.is_empty() => witness(model, request, "1", observe),
        TraceChoice::Witness(asked) => witness(model, request, asked, observe),
        TraceChoice::Telling | TraceChoice::Guarantee(_) => counterexample(model, request, choice, observe),
    }
}

fn counterexample<M: DomainModel>(
    model: &M,
    request: &Request,
    choice: &TraceChoice,
    observe: Observer<'_>,
) -> Result<Chosen<M>, ExportError> {
    let laws = model.laws();
    if let TraceChoice::Guarantee(guarantee) = *choice
        && !laws.iter().any(|law| law.guarantee == guarantee)
    {
        let mut known: Vec<_> = laws.iter().map(|law| law.guarantee).collect();
        known.dedup();
        return Err(ExportError::UnknownGuarantee { model: M::NAME, guarantee, known });
    }
    let mut exploration = explore(model, request.options, observe);
    exploration.violations.sort_by_key(|violation| {
        rank::<M>(request, laws[violation.law].guarantee, violation.trace.steps.len())
    });
    let is_wanted = |violation: &Violation<M>| match choice {
        TraceChoice::Guarantee(guarantee) => laws[violation.law].guarantee == *guarantee,
        _ => true,
    };
    let says = |violation: &Violation<M>| {
        let (law, count) = (&laws[violation.law], violation.trace.steps.len());
        format!("{} broken in {count} {}: {}", law.guarantee, steps(count), law.says)
    };
    let mut others: Vec<String> = exploration.violations.iter().map(says).collect();
    let Some(place) = exploration.violations.iter().position(is_wanted) else {
        return Err(nothing_broken(choice, &exploration));
    };
    let title = others.remove(place);
    let Violation { trace, cycle_start: repeats_after, .. } = exploration.violations.swap_remove(place);
    Ok(Chosen { trace, repeats_after, title, others })
}

fn steps(count: usize) -> &'static str {
    if count == 1 { "step" } else { "steps" }
}

fn nothing_broken<M: DomainModel>(choice: &TraceChoice, exploration: &Exploration<M>) -> ExportError {
    let why = match exploration.stop {
        Stop::Complete => {
            let what = match choice {
                TraceChoice::Guarantee(guarantee) => format!("{guarantee} is not broken"),
                _ => "nothing is broken".to_owned(),
            };
            return ExportError::NoTrace(format!(
                "{what} within these bounds, so there is no counterexample; `lawspeaker guards` shows what each \
                 guard's removal breaks"
            ));
        }
        Stop::Boundary => Unfinished::Boundary,
        Stop::MaxStates => Unfinished::MaxStates(exploration.state_count),
        Stop::MaxDepth => Unfinished::MaxDepth(exploration.depth()),
        Stop::Timeout => Unfinished::Timeout,
        Stop::MaxMemory => Unfinished::MaxMemory,
        Stop::Interrupted => Unfinished::Interrupted,
    };
    ExportError::Unfinished { why, remedy: ", and nothing is broken in what was seen".to_owned() }
}

fn witness<M: DomainModel>(
    model: &M,
    request: &Request,
    asked: &str,
    observe: Observer<'_>,
) -> Result<Chosen<M>, ExportError> {
    let witnesses = model.witnesses();
    let (number, witness) = named::<M>(&witnesses, asked)?;
    let limits = request.options.limits;
    let found = shortest_to(model, Watch { limits, observe }, witness.is_met);
    let trace = found.map_err(|why| ExportError::Unfinished {
        why,
        remedy: format!(", and in none that was seen {}", witness.says),
    })?;
    let Some(trace) = trace else {
        return Err(ExportError::NoTrace(format!(
            "within these bounds it never happens that {}",
            witness.says
        )));
    };
    let count = trace.steps.len();
    let title = format!("witness {number} met in {count} {}: {}", steps(count), witness.says);
    let other = |(place, other): (usize, &Witness<M>)| format!("--witness {}  {}", place + 1, other.says);
    let mut others: Vec<_> = witnesses.iter().enumerate().map(other).collect();
    others.remove(number - 1);
    Ok(Chosen { trace, repeats_after: None, title, others })
}

/// The witness of this number, or the only one in whose words `asked` stands.
fn named<'a, M: DomainModel>(
    witnesses: &'a [Witness<M>],
    asked: &str,
) -> Result<(usize, &'a Witness<M>), ExportError> {
    let is_asked = |(place, witness): &(usize, &Witness<M>)| match asked.parse::<usize>() {
        Ok(number) => place + 1 == number,
        Err(_) => witness.says.to_lowercase().contains(&asked.to_lowercase()),
    };
    let fits: Vec<_> = witnesses.iter().enumerate().filter(is_asked).collect();
    match fits.as_slice() {
        [(place, witness)] => Ok((place + 1, witness)),
        _ => Err(ExportError::UnknownWitness {
            model: M::NAME,
            asked: asked.to_owned(),
            count: fits.len(),
            known: witnesses.iter().map(|witness| witness.says).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Preset;
    use crate::consumer_group::ConsumerGroup;
    use crate::engine::{Signal, way_on};
    use crate::partition_log::PartitionLog;

    /// Each witness has a trace, and it is met by the last step and by none before.
    fn every_witness_of<M: DomainModel>() {
        let model = M::preset(Preset::Small);
        for (place, met) in model.witnesses().iter().enumerate() {
            let number = (place + 1).to_string();
            let chosen = witness(&model, &Request::default(), &number, &mut |_| Signal::Continue);
            let trace = chosen.expect("a baseline meets its witnesses").trace;
            let seen: Vec<_> = trace
                .transitions()
                .map(|(before, action, after)| (met.is_met)(&model, before, action, after))
                .collect();
            let (last, earlier) = seen.split_last().expect("a witness takes a step");
            assert!(*last && !earlier.contains(&true), "{}: {}", M::NAME, met.says);
        }
    }

    #[test]
    fn a_witness_trace_ends_with_the_step_that_meets_it() {
        every_witness_of::<PartitionLog>();
        every_witness_of::<ConsumerGroup>();
    }

    #[test]
    fn a_counterexample_is_the_one_that_the_guard_is_named_for() {
        let without = vec!["fence-commit".to_owned()];
        let request = Request { without, ..Request::default() };
        let model = crate::catalogue::build::<ConsumerGroup>(&request).expect("there is such a guard");
        let choose =
            |choice| choose(&model, &request, &choice, &mut |_| Signal::Continue).expect("it breaks");
        let told = choose(TraceChoice::Telling);
        assert_eq!((told.trace.steps.len(), told.others.len()), (11, 2), "{}", told.title);
        let stuck = choose(TraceChoice::Guarantee(lawspeaker_history::Guarantee::NoDeadlock));
        assert!(way_on(&model, stuck.trace.last()).is_none(), "{}", stuck.title);
    }
}
