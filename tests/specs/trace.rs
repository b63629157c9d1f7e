//! Traces, exchanged: what our engine finds is a behaviour of the specification, what TLC finds is one of the model.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lawspeaker_model::export::TraceChoice;
use lawspeaker_model::replay::{ReplayError, Replayed};
use serde_json::Value as Json;

use crate::manifest::{entry, exported, request, specs, twins, wanted_runs, word};
use crate::tlc::{jar, tlc, two_at_a_time};
use crate::value::{State, Value, read_trace};
use crate::{Ran, ran};

/// The states of a trace with one thing wrong, and what that is.
///
/// What is mutated is a shortest counterexample. Were it a behaviour with a state left out, or with two exchanged, there
/// would be a shorter one; so each of these must be refused, and where it is the last state that is missing, or the last
/// two that are exchanged, what it ends in does not break the law.
fn mutants(states: &[State]) -> Vec<(String, Vec<State>)> {
    let mut mutants = Vec::new();
    for place in 0..states.len() {
        let mut left_out = states.to_vec();
        left_out.remove(place);
        mutants.push((format!("state {} left out", place + 1), left_out));
        if place + 1 < states.len() {
            let mut exchanged = states.to_vec();
            exchanged.swap(place, place + 1);
            mutants.push((format!("states {} and {} exchanged", place + 1, place + 2), exchanged));
        }
        let mut changed = states.to_vec();
        let name = change_one_value(&mut changed[place], place);
        mutants.push((format!("state {}: a value in {name} changed", place + 1), changed));
    }
    mutants
}

/// Changes one value of a state, another one for each `seed`, and says in which variable.
fn change_one_value(state: &mut State, seed: usize) -> String {
    let counts: Vec<_> = state.values().map(Value::leaf_count).collect();
    // A step of seven comes by every value, as long as their number is no multiple of it.
    let mut place = seed * 7 % counts.iter().sum::<usize>();
    for ((name, value), count) in state.iter_mut().zip(counts) {
        if place < count {
            *value = value.with_other_leaf(place);
            return name.clone();
        }
        place -= count;
    }
    unreachable!("the place is one of the values")
}

// From our engine to TLC

fn states_of(itf: &Json) -> Vec<State> {
    let variables = |state: &Json| {
        let fields = state.as_object().expect("a state is a record").iter();
        let fields = fields.filter(|(name, _)| !["#meta", "action"].contains(&name.as_str()));
        fields.map(|(name, value)| (name.clone(), Value::of_json(value))).collect()
    };
    itf["states"].as_array().expect("a trace has states").iter().map(variables).collect()
}

/// A module whose behaviours are those of `module` that pass through the states of one of `traces`; of each that comes
/// to its end in a state that breaks `law`, TLC prints the number.
fn trace_module(module: &str, traces: &[Vec<State>], law: &str) -> String {
    let state = |state: &State| {
        let fields: Vec<_> = state.iter().map(|(name, value)| format!("{name} |-> {value}")).collect();
        format!("[{}]", fields.join(", "))
    };
    let trace = |trace: &Vec<State>| {
        let states: Vec<_> = trace.iter().map(state).collect();
        format!("  <<{}>>", states.join(",\n    "))
    };
    let listed: Vec<_> = traces.iter().map(trace).collect();
    let mut text = format!(
        "---- MODULE Trace{module} ----\nEXTENDS {module}, TLC\nVARIABLES traceNumber, traceLength\n"
    );
    let _ = writeln!(text, "Traces == <<\n{}>>", listed.join(",\n"));
    let names: Vec<_> = traces[0][0].keys().collect();
    let is_at = |prime: &str, place: &str| {
        let equal = |name: &&String| format!("  /\\ {name}{prime} = Traces[traceNumber][{place}].{name}\n");
        names.iter().map(equal).collect::<String>()
    };
    let _ = writeln!(
        text,
        "TraceInit ==\n  /\\ Init /\\ traceNumber \\in DOMAIN Traces /\\ traceLength = 1\n{}",
        is_at("", "1")
    );
    let _ = writeln!(
        text,
        "TraceNext ==\n  /\\ traceLength < Len(Traces[traceNumber]) /\\ traceLength' = traceLength + 1\n  \
         /\\ UNCHANGED traceNumber /\\ Next\n{}",
        is_at("'", "traceLength + 1")
    );
    let _ = writeln!(
        text,
        "TraceInv == (traceLength = Len(Traces[traceNumber]) /\\ ~{law}) => PrintT(<<\"accepted\", traceNumber>>)\n===="
    );
    text
}

/// The constants of a configuration, with the trace module's behaviours.
fn trace_cfg(cfg: &str) -> String {
    let constants = cfg.split("CONSTANTS").nth(1).expect("a configuration has constants");
    let constants = constants.split("\nINVARIANTS").next().and_then(|rest| rest.split("\nPROPERTIES").next());
    let constants = constants.expect("a split has a first part");
    format!("INIT TraceInit\nNEXT TraceNext\nCONSTANTS{constants}\nINVARIANT TraceInv\n")
}

/// The numbers, from 1, of the traces that TLC accepts as counterexamples to `law`.
fn accepted(jar: &Path, run: &Json, traces: &[Vec<State>], law: &str) -> BTreeSet<usize> {
    let module = word(run, "module");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = |name: &str| folder.path().join(name);
    let cfg = fs::read_to_string(specs().join(word(run, "cfg"))).expect("the configuration is there");
    fs::copy(specs().join(format!("{module}.tla")), path(&format!("{module}.tla")))
        .expect("it can be copied");
    let text = trace_module(module, traces, law);
    fs::write(path(&format!("Trace{module}.tla")), text).expect("it can be written");
    fs::write(path("trace.cfg"), trace_cfg(&cfg)).expect("it can be written");
    let said = tlc(jar, &path(&format!("Trace{module}")), &path("trace.cfg"));
    assert_eq!(said.exit, 0, "{}: {}", word(run, "cfg"), said.text);
    let number = |line: &str| line.strip_prefix("<<\"accepted\", ")?.strip_suffix(">>")?.parse().ok();
    said.text.lines().filter_map(number).collect()
}

#[test]
fn a_counterexample_of_ours_is_a_behaviour_of_the_specification_and_a_mutant_of_it_is_none() {
    let Some(jar) = jar() else { return };
    let runs: Vec<_> = wanted_runs().into_iter().filter(|run| run["ours"]["breaks"].is_string()).collect();
    let given = two_at_a_time(&runs, |run| {
        let ours = &run["ours"];
        let law = entry(ours).laws().into_iter().find(|law| law.guarantee.name() == word(ours, "breaks"));
        let guarantee = law.expect("the model has the law").guarantee;
        let itf = exported(entry(ours), &request(ours), TraceChoice::Guarantee(guarantee));
        let states = states_of(&itf);
        let (wrong, mut traces): (Vec<_>, Vec<_>) = mutants(&states).into_iter().unzip();
        traces.insert(0, states);
        let accepted = accepted(&jar, run, &traces, word(run, "violates"));
        let cfg = word(run, "cfg");
        assert!(accepted.contains(&1), "{cfg}: TLC refuses our trace: {itf:#}");
        let survivors: Vec<_> = accepted.iter().filter(|n| **n > 1).map(|n| &wrong[n - 2]).collect();
        assert!(survivors.is_empty(), "{cfg}: TLC accepts {survivors:?}");
        (word(run, "module").to_owned(), traces[0].len(), wrong.len())
    });
    for module in twins().keys() {
        let of_module: Vec<_> = given.iter().filter(|(of, ..)| of == module).collect();
        let states: usize = of_module.iter().map(|(_, states, _)| states).sum();
        let mutants: usize = of_module.iter().map(|(.., mutants)| mutants).sum();
        assert!(!of_module.is_empty(), "no trace is given to {module}");
        eprintln!(
            "{module}: TLC accepts {} counterexamples of ours ({states} states), and refuses {mutants} mutants",
            of_module.len()
        );
    }
}

// From TLC to our engine

/// What our model makes of states that TLC printed.
fn replayed(ours: &Json, states: &[State]) -> Result<Replayed, ReplayError> {
    entry(ours).replay(&request(ours), states.len(), &|place, variables| {
        let is_equal = |(name, value): (&String, &Value)| {
            variables.get(name).is_some_and(|json| Value::of_json(json) == *value)
        };
        variables.len() == states[place].len() && states[place].iter().all(is_equal)
    })
}

/// Whether the states are a behaviour of ours whose end shows what the run shows.
fn shows(ours: &Json, states: &[State]) -> bool {
    replayed(ours, states).is_ok_and(|replayed| {
        let breaks = |name: &str| replayed.broken.iter().any(|guarantee| guarantee.name() == name);
        let meets = |says: &str| replayed.met.contains(&says);
        ours["breaks"].as_str().is_none_or(breaks) && ours["witness"].as_str().is_none_or(meets)
    })
}

#[test]
fn a_trace_of_tlcs_is_a_behaviour_of_the_model_and_a_mutant_of_it_is_none() {
    let Some(ran) = ran() else { return };
    for (module, twin) in twins() {
        let (mut trace_count, mut state_count, mut mutant_count) = (0, 0, 0);
        let of_module = ran.iter().filter(|ran| ran.run["module"] == module.as_str());
        for Ran { run, said } in of_module.filter(|ran| ran.run["ours"].is_object() && ran.said.exit != 0) {
            let (ours, cfg) = (&run["ours"], word(run, "cfg"));
            let (mut states, next) = read_trace(&said.text).unwrap_or_else(|error| panic!("{cfg}: {error}"));
            // What goes on for ever ends where it has been, or stays where it is.
            states.extend(next.filter(|next| *next < states.len()).map(|next| states[next - 1].clone()));
            assert!(shows(ours, &states), "{cfg}: {:?}\n{}", replayed(ours, &states), said.text);
            (trace_count, state_count) = (trace_count + 1, state_count + states.len());
            if run["ours"]["breaks"].is_string() {
                for (wrong, mutant) in mutants(&states) {
                    assert!(!shows(ours, &mutant), "{cfg}: the model accepts {wrong}");
                    mutant_count += 1;
                }
            }
        }
        assert!(trace_count > 0 && mutant_count > 0, "nothing of {module} was read");
        eprintln!(
            "{}: reaches {state_count} states in {trace_count} traces of TLC's, and refuses {mutant_count} mutants",
            twin.name
        );
    }
}
