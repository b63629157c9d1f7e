//! What a saga log writes into its journal.

use lawspeaker_history::SagaId;

use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id::Epoch;

use super::core::{Payload, SagaEvent, StepFact};
use super::plan::{Plan, PlanError, StepKind, StepNumber};

const CLAIMED: u8 = 1;
const STARTED: u8 = 2;
const TOLD: u8 = 3;

const DONE: u8 = 1;
const REFUSED: u8 = 2;
const GIVEN_UP: u8 = 3;
const UNDONE: u8 = 4;
const UNDO_FAILED: u8 = 5;

const COMPENSATABLE: u8 = 1;
const PIVOT: u8 = 2;
const RETRIABLE: u8 = 3;

/// A record of a saga log: a call that was granted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SagaRecord {
    /// A new executor leads.
    Claimed,
    /// A saga began.
    Started {
        /// Under which executor.
        epoch: Epoch,
        /// Which.
        saga: SagaId,
        /// What it is made of.
        plan: Plan,
        /// What it was given.
        input: Payload,
    },
    /// Something became of a step.
    Told {
        /// By which executor.
        epoch: Epoch,
        /// Of which saga.
        saga: SagaId,
        /// What.
        event: SagaEvent,
    },
}

/// Why bytes are no record of a saga log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SagaRecordError {
    /// A field is missing or damaged.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The steps are none that a saga can have.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl SagaRecord {
    /// The bytes. O(length).
    pub fn encode(&self) -> Vec<u8> {
        match self {
            SagaRecord::Claimed => Encoder::new(CLAIMED).finish(),
            SagaRecord::Started { epoch, saga, plan, input } => {
                let mut encoder = Encoder::new(STARTED);
                encoder.number(epoch.0);
                encoder.byte_string(saga.as_str().as_bytes());
                encode_plan(plan, &mut encoder);
                encoder.byte_string(input);
                encoder.finish()
            }
            SagaRecord::Told { epoch, saga, event } => {
                let mut encoder = Encoder::new(TOLD);
                encoder.number(epoch.0);
                encoder.byte_string(saga.as_str().as_bytes());
                encoder.varint(u64::from(event.step.0));
                let (tag, bytes): (u8, &[u8]) = match &event.fact {
                    StepFact::Done(output) => (DONE, output),
                    StepFact::Refused(reason) => (REFUSED, reason.as_bytes()),
                    StepFact::GivenUp(reason) => (GIVEN_UP, reason.as_bytes()),
                    StepFact::Undone => (UNDONE, &[]),
                    StepFact::UndoFailed(reason) => (UNDO_FAILED, reason.as_bytes()),
                };
                encoder.tag(tag);
                encoder.byte_string(bytes);
                encoder.finish()
            }
        }
    }

    /// The record of these bytes. O(length).
    ///
    /// # Errors
    /// [`SagaRecordError`] if no record is encoded so.
    pub fn decode(bytes: &[u8]) -> Result<Self, SagaRecordError> {
        let mut decoder = Decoder::new(bytes);
        let record = match decoder.tag()? {
            CLAIMED => SagaRecord::Claimed,
            STARTED => SagaRecord::Started {
                epoch: Epoch(decoder.number()?),
                saga: SagaId::from(decoder.text()?),
                plan: decode_plan(&mut decoder)?,
                input: decoder.byte_string()?.into(),
            },
            TOLD => SagaRecord::Told {
                epoch: Epoch(decoder.number()?),
                saga: SagaId::from(decoder.text()?),
                event: decode_event(&mut decoder)?,
            },
            tag => return Err(DecodeError::UnknownTag(tag).into()),
        };
        decoder.finish()?;
        Ok(record)
    }
}

fn encode_plan(plan: &Plan, encoder: &mut Encoder) {
    encoder.varint(plan.steps().len() as u64);
    for step in plan.steps() {
        encoder.varint(u64::from(step.stage));
        encoder.tag(match step.kind {
            StepKind::Compensatable => COMPENSATABLE,
            StepKind::Pivot => PIVOT,
            StepKind::Retriable => RETRIABLE,
        });
        encoder.short_byte_string(step.name.as_str().as_bytes());
    }
}

fn decode_plan(decoder: &mut Decoder<'_>) -> Result<Plan, SagaRecordError> {
    let mut stages = Vec::new();
    for _ in 0..decoder.varint()? {
        let stage = decoder.varint()?;
        let kind = match decoder.tag()? {
            COMPENSATABLE => StepKind::Compensatable,
            PIVOT => StepKind::Pivot,
            RETRIABLE => StepKind::Retriable,
            tag => return Err(DecodeError::UnknownTag(tag).into()),
        };
        if stage == stages.len() as u64 {
            stages.push(Vec::new());
        }
        let is_last = stage + 1 == stages.len() as u64;
        let of_stage = stages.last_mut().filter(|_| is_last).ok_or(DecodeError::Unordered)?;
        of_stage.push((decoder.short_text()?.into(), kind));
    }
    Ok(Plan::new(stages)?)
}

fn decode_event(decoder: &mut Decoder<'_>) -> Result<SagaEvent, DecodeError> {
    let number = decoder.varint()?;
    let step = StepNumber(u32::try_from(number).map_err(|_| DecodeError::OutOfRange(number))?);
    let fact = match decoder.tag()? {
        DONE => StepFact::Done(decoder.byte_string()?.into()),
        REFUSED => StepFact::Refused(decoder.text()?.into()),
        GIVEN_UP => StepFact::GivenUp(decoder.text()?.into()),
        UNDONE => match decoder.byte_string()? {
            [] => StepFact::Undone,
            left => return Err(DecodeError::Trailing { count: left.len() }),
        },
        UNDO_FAILED => StepFact::UndoFailed(decoder.text()?.into()),
        tag => return Err(DecodeError::UnknownTag(tag)),
    };
    Ok(SagaEvent { step, fact })
}

#[cfg(test)]
mod tests {
    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    impl Arbitrary for SagaRecord {
        fn arbitrary(g: &mut Gen) -> Self {
            let (epoch, saga) = (Epoch(u64::arbitrary(g)), SagaId::from(String::arbitrary(g).as_str()));
            let bytes: Payload = Vec::<u8>::arbitrary(g).into();
            let reason = || String::from_utf8_lossy(&bytes).into_owned().into();
            let fact = match u8::arbitrary(g) % 7 {
                0 => return SagaRecord::Claimed,
                1 => {
                    let stage = |stage: u8| {
                        let count = 1 + u8::arbitrary(&mut Gen::new(3)) % 3;
                        let name =
                            |number| (format!("{stage}.{number}").as_str().into(), StepKind::Compensatable);
                        (0..count).map(name).collect()
                    };
                    let mut stages: Vec<Vec<_>> = (0..u8::arbitrary(g) % 3).map(stage).collect();
                    stages.push(vec![(
                        "last".into(),
                        *g.choose(&[StepKind::Pivot, StepKind::Retriable]).unwrap(),
                    )]);
                    let plan = Plan::new(stages).unwrap();
                    return SagaRecord::Started { epoch, saga, plan, input: bytes };
                }
                2 => StepFact::Done(bytes),
                3 => StepFact::Refused(reason()),
                4 => StepFact::GivenUp(reason()),
                5 => StepFact::UndoFailed(reason()),
                _ => StepFact::Undone,
            };
            SagaRecord::Told { epoch, saga, event: SagaEvent { step: StepNumber(u32::arbitrary(g)), fact } }
        }
    }

    quickcheck! {
        fn what_is_encoded_reads_back(record: SagaRecord) -> bool {
            SagaRecord::decode(&record.encode()) == Ok(record)
        }

        fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) -> bool {
            SagaRecord::decode(&bytes).map_or(true, |record| record.encode() == bytes)
        }
    }
}
