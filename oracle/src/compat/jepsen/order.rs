//! The version order: for each partition, which value stands where, as far as anybody said.
//!
//! Offsets are counted without their gaps, because markers of transactions take offsets too. Where several values stand
//! at one offset, the one that the history named first stands for it, and the others have no place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lawspeaker_history::Offset;

use super::completed::{Completions, Key, Placed, Value};
use super::{ErrorType, Results};

#[derive(Debug, Default)]
pub(super) struct VersionOrder {
    logs: BTreeMap<Key, BTreeMap<Offset, BTreeSet<Value>>>,
    /// The place of a value that stands for its offset; the last one, if there are several.
    index: HashMap<Value, usize>,
    /// The first and the last place of every value.
    places: HashMap<Value, (usize, usize)>,
}

impl VersionOrder {
    /// Whoever surely sent says where, and so does every poll, whatever became of it: a consumer is never handed what
    /// may yet be undone.
    pub(super) fn of(completions: &Completions<'_>) -> Self {
        let mut order = VersionOrder::default();
        for op in &completions.all {
            if completions.must_have_committed(op) {
                op.sends().for_each(|(key, placed)| order.observe(key, placed));
            }
            op.polls().for_each(|(key, placed)| order.observe(key, placed));
        }
        for log in order.logs.values() {
            for (place, values) in log.values().enumerate() {
                order.index.extend(values.first().map(|value| (*value, place)));
                for value in values {
                    order.places.entry(*value).or_insert((place, place)).1 = place;
                }
            }
        }
        order
    }

    fn observe(&mut self, key: Key, placed: &[Placed]) {
        for Placed { value, offset } in placed {
            // What stands below zero stands nowhere.
            if let Some(offset) = offset.filter(|offset| offset.is_valid()) {
                self.logs.entry(key).or_default().entry(offset).or_default().insert(*value);
            }
        }
    }

    /// How many places `later` stands behind `earlier`; 1 where nobody knows.
    pub(super) fn delta(&self, earlier: Value, later: Value) -> i64 {
        match (self.index.get(&earlier), self.index.get(&later)) {
            (Some(earlier), Some(later)) => *later as i64 - *earlier as i64,
            _ => 1,
        }
    }

    /// The values of each partition in their order.
    pub(super) fn versions(&self) -> impl Iterator<Item = impl Iterator<Item = Value>> {
        self.logs.values().map(|log| log.values().filter_map(|values| values.first().copied()))
    }

    pub(super) fn check(&self, completions: &Completions<'_>, results: &mut Results) {
        for values in self.logs.values().flat_map(BTreeMap::values).filter(|values| values.len() > 1) {
            let line = values.iter().filter_map(|value| completions.writer(*value)).map(|op| op.line).min();
            results.found(ErrorType::InconsistentOffsets, line);
        }
        let line = |value| completions.writer(value).map(|op| op.line);
        let twice = self.places.iter().filter(|(_, (first, last))| first < last);
        twice.for_each(|(value, _)| results.found(ErrorType::Duplicate, line(*value)));
        for value in self.lost(completions) {
            results.found(ErrorType::LostWrite, line(value));
        }
    }

    /// What surely was written, stands at or below what was read, and was read by nobody.
    fn lost(&self, completions: &Completions<'_>) -> Vec<Value> {
        let mut bounds: HashMap<Key, usize> = HashMap::new();
        for value in &completions.read {
            if let Some((first, _)) = self.places.get(value) {
                let bound = bounds.entry(completions.key_of[*value]).or_default();
                *bound = (*bound).max(*first);
            }
        }
        let is_lost = |value: &Value, last: usize| {
            bounds.get(&completions.key_of[*value]).is_some_and(|bound| last <= *bound)
                && !completions.read.contains(value)
                && completions.writer(*value).is_some_and(|writer| completions.must_have_committed(writer))
        };
        let all = self.places.iter().filter(|(value, (_, last))| is_lost(value, *last));
        all.map(|(value, _)| *value).collect()
    }
}
