//! What may have happened in truth: every act of a history at one moment of its span, or not at all if nobody knows.
//!
//! In a world everything is known and in order, so that the definitions need no care.

use lawspeaker_history::{History, OpType, SagaId, SagaOutcome};
use lawspeaker_oracle::Anomaly;

use super::naive::{Act, Deed, acts, is_at_rest};
use super::{Accusation, DECLARED, PIVOT, SAGAS, STEPS};

/// What happened, in order, and which sagas tried to go back and are at rest.
#[derive(Debug)]
pub(super) struct World {
    deeds: Vec<(SagaId, Deed)>,
    /// What was read or restored by whom, and who had written it.
    touched: Vec<(SagaId, Deed, String, SagaId)>,
    turned: Vec<SagaId>,
    at_rest: Vec<SagaId>,
}

/// Some worlds that a history leaves open.
pub(super) fn of(history: &History, seed: u64, count: usize) -> Vec<World> {
    let acts = acts(history);
    let last = history.ops.len() as u64 + 1;
    let mut state = seed;
    let mut random = move |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let is_turning = |act: &&Act| matches!(act.deed, Deed::Compensate(_) | Deed::End(SagaOutcome::Aborted));
    let world = |_| {
        let (mut timed, mut touched) = (Vec::new(), Vec::new());
        for act in &acts {
            let is_real = act.outcome == OpType::Ok || act.outcome == OpType::Info && random(2) == 0;
            // Half steps, so that what happens on one line has an order by chance.
            let moment = act.since * 16 + random((act.until.min(last) - act.since) * 16 + 1);
            if is_real {
                let written =
                    act.touched.iter().filter_map(|(record, writer)| Some((record, writer.as_ref()?)));
                touched
                    .extend(written.map(|(record, writer)| {
                        (act.saga.clone(), act.deed, record.clone(), writer.clone())
                    }));
                timed.push((moment, random(1 << 20), act.saga.clone(), act.deed));
            }
        }
        timed.sort_by_key(|(moment, tie, ..)| (*moment, *tie));
        World {
            touched,
            deeds: timed.into_iter().map(|(_, _, saga, deed)| (saga, deed)).collect(),
            turned: acts.iter().filter(is_turning).map(|act| act.saga.clone()).collect(),
            at_rest: SAGAS.map(SagaId::from).into_iter().filter(|saga| is_at_rest(history, saga)).collect(),
        }
    };
    (0..count).map(world).collect()
}

impl World {
    /// Whether what a saga is accused of is so.
    pub(super) fn shows(&self, (anomaly, saga, step): &Accusation) -> bool {
        let deeds: Vec<Deed> =
            self.deeds.iter().filter(|(of, _)| of == saga).map(|(_, deed)| *deed).collect();
        let has = |deed| deeds.contains(&deed);
        let (commit, abort) = (Deed::End(SagaOutcome::Committed), Deed::End(SagaOutcome::Aborted));
        let is_at_rest = self.at_rest.contains(saga);
        let Some(step) = step else {
            return match anomaly {
                Anomaly::StuckSaga => is_at_rest && !has(commit) && !has(abort),
                Anomaly::CommitAndAbort => has(commit) && has(abort),
                Anomaly::OrphanReply => !has(Deed::Start) && !deeds.is_empty(),
                _ => false,
            };
        };
        let step = STEPS.iter().position(|name| *name == step.as_str()).expect("it is a step");
        let (doing, undoing) = (Deed::Step(step), Deed::Compensate(step));
        let count = |deed| deeds.iter().filter(|of| **of == deed).count();
        // Whether some `later` comes after some `earlier`.
        let is_after = |later, earlier| {
            let first = deeds.iter().position(|deed| *deed == earlier);
            first.is_some() && deeds.iter().rposition(|deed| *deed == later) > first
        };
        let before = |end| {
            deeds.iter().enumerate().filter(move |(_, deed)| **deed == end).map(|(place, _)| &deeds[..place])
        };
        match anomaly {
            Anomaly::DirtyRead | Anomaly::LostUpdate => {
                self.touched.iter().any(|(by, deed, record, writer)| {
                    let is_by =
                        *by == *saga && *deed == if *anomaly == Anomaly::DirtyRead { doing } else { undoing };
                    let has = |deed| self.deeds.contains(&(writer.clone(), deed));
                    let is_undone = self.touched.iter().any(|(by, deed, of, _)| {
                        by == writer && matches!(deed, Deed::Compensate(_)) && of == record
                    });
                    is_by
                        && writer != saga
                        && match anomaly {
                            Anomaly::DirtyRead => has(abort) || is_undone,
                            _ => has(commit),
                        }
                })
            }
            Anomaly::DoubleStep => count(doing) > 1,
            Anomaly::DoubleCompensation => count(undoing) > 1,
            Anomaly::StepAfterAbort => is_after(doing, undoing) || is_after(doing, abort),
            Anomaly::CompensationWithoutStep => before(undoing).any(|before| !before.contains(&doing)),
            Anomaly::CompensatedAfterPivot => is_after(undoing, Deed::Step(PIVOT)),
            Anomaly::OrphanReply => step >= DECLARED && (has(doing) || has(undoing)),
            Anomaly::UncompensatedStep => {
                let is_left = |before: &[Deed]| before.contains(&doing) && !before.contains(&undoing);
                let is_back = has(abort) || self.turned.contains(saga) && !has(commit);
                before(abort).any(is_left) || is_at_rest && is_back && is_left(&deeds)
            }
            Anomaly::TornSaga => {
                let last = deeds.iter().rfind(|deed| **deed == doing || **deed == undoing);
                let is_missing = step < DECLARED && before(commit).any(|before| !before.contains(&doing));
                has(commit) && (is_missing || has(doing) && last == Some(&undoing))
            }
            Anomaly::CompensationOrder => (0..STEPS.len()).any(|first| {
                is_after(doing, Deed::Step(first)) && is_after(undoing, Deed::Compensate(first))
            }),
            _ => false,
        }
    }
}
