//! Outbox atomicity: a change of state and its event are one: both happen, or neither.
//!
//! A `change` owes the events that it names, and an `apply` is the effect of an event, in whichever service.
//!
//! * `effect-without-change`: an event surely took effect, and every change that owes it was surely rolled back; or the
//!   recording is complete, other events of the same partition are owed by changes that are recorded, and none of this
//!   one is.
//! * `change-without-effect`: a change surely happened, nothing was under way any more, and the event that it owes
//!   surely took no effect anywhere.
//!
//! A change or an effect of unknown outcome is taken for either, whichever excuses. An event that takes effect before its
//! change happens is not accused: both happen in the end.
//!
//! Source: ours; Richardson, *Microservices Patterns*, 2018, section 3.3.7, for the outbox and for the dual write that it
//! replaces. Cost: O(n log n) in changes and effects.
//!
//! ```text
//! change, owes e: fail · apply e ok            told before the transaction was over
//! change, owes e: ok · quiescent               the transaction is over, and nobody was told
//! ```

use std::collections::HashSet;

use lawspeaker_history::{Guarantee, OpType};

use crate::Anomaly;
use crate::case::Found;
use crate::evidence::{Change, Effect, Evidence, PartitionKey};
use crate::explain;
use crate::results::Results;

pub(crate) fn check(evidence: &Evidence, results: &mut Results) {
    if !evidence.outbox.changes.is_empty() {
        effects_without_change(evidence, results);
        changes_without_effect(evidence, results);
    }
}

fn effects_without_change(evidence: &Evidence, results: &mut Results) {
    let outbox = &evidence.outbox;
    // Where some events are owed by changes that are recorded, all are.
    let owed: HashSet<PartitionKey> = outbox
        .effects
        .iter()
        .filter(|effect| outbox.changes_of(effect.event).iter().any(|change| change.outcome != OpType::Fail))
        .map(|effect| effect.partition)
        .collect();
    let is_complete = evidence.extent.complete == Some(true);
    let (mut judged_count, mut unowed_count) = (0, 0);
    for of_event in outbox.effects.chunk_by(|one, next| one.event == next.event) {
        let Some(effect) = of_event.iter().find(|effect| effect.is_done()) else { continue };
        let changes = outbox.changes_of(effect.event);
        let is_unowed = changes.is_empty() && owed.contains(&effect.partition);
        if changes.is_empty() && !(is_unowed && is_complete) {
            unowed_count += usize::from(is_unowed);
            continue;
        }
        judged_count += 1;
        if changes.iter().all(|change| change.outcome == OpType::Fail) {
            results.add(effect_without_change(effect, changes, evidence));
        }
    }
    results.checked(Anomaly::EffectWithoutChange, judged_count, "effect");
    if unowed_count > 0 {
        let reason = format!(
            "{} of events that no change owes which is recorded: only a header that says that the recording is complete \
             would tell that there was none",
            explain::counted(unowed_count, "effect"),
        );
        results.undecided(Guarantee::OutboxAtomicity, reason);
    }
}

fn effect_without_change(effect: &Effect, changes: &[Change], evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let why = match changes.first() {
        Some(change) => format!("the change that owes it was rolled back (line {})", change.line),
        None => "no change owes it".to_owned(),
    };
    let sentence =
        format!("event {} took effect (line {}), and {why}", names.events[effect.event], effect.line);
    let mut lines = vec![explain::outbox::effect(effect, evidence)];
    lines.extend(changes.first().map(|change| explain::outbox::change(change, evidence)));
    lines.sort_by_key(|line| line.line);
    Found::new(Anomaly::EffectWithoutChange, sentence, lines)
        .at(effect.partition, effect.offset)
        .group(effect.group)
        .event(effect.event)
        .process(&names.processes[effect.process])
}

fn changes_without_effect(evidence: &Evidence, results: &mut Results) {
    let outbox = &evidence.outbox;
    let (mut judged_count, mut open_count) = (0, 0);
    for of_event in outbox.changes.chunk_by(|one, next| one.event == next.event) {
        let Some(change) = of_event.iter().find(|change| change.outcome == OpType::Ok) else { continue };
        let may_be_applied =
            outbox.effects_of(change.event).iter().any(|effect| effect.outcome != OpType::Fail);
        let is_at_rest = evidence.extent.is_at_rest_after(change.line);
        if !may_be_applied && !is_at_rest {
            open_count += 1;
            continue;
        }
        judged_count += 1;
        let is_gone =
            || evidence.attempts_of(change.event).iter().any(|attempt| evidence.may_be_gone(attempt));
        if !may_be_applied && !is_gone() {
            results.add(change_without_effect(change, evidence));
        }
    }
    results.checked(Anomaly::ChangeWithoutEffect, judged_count, "change");
    if open_count > 0 {
        let reason = format!(
            "{} whose event may take effect yet: neither a `quiescent` after it nor the header says that nothing was \
             under way any more",
            explain::counted(open_count, "change"),
        );
        results.undecided(Guarantee::OutboxAtomicity, reason);
    }
}

fn change_without_effect(change: &Change, evidence: &Evidence) -> Found {
    let names = &evidence.names;
    let rest = explain::at_rest_after(change.line, evidence);
    let sentence = format!(
        "a change that owes event {} was committed (line {}), and the event had taken no effect {rest}",
        names.events[change.event], change.line,
    );
    let mut lines = vec![explain::outbox::change(change, evidence)];
    lines.extend(evidence.reads_of(change.event).next().map(|read| explain::read(read, evidence)));
    lines.sort_by_key(|line| line.line);
    let home = evidence.attempts_of(change.event).first().map(|attempt| attempt.partition);
    let found = Found::new(Anomaly::ChangeWithoutEffect, sentence, lines)
        .event(change.event)
        .process(&names.processes[change.process]);
    match home {
        Some(partition) => found.at(partition, None),
        None => found,
    }
}
