//! What a group writes into its journal.

use lawspeaker_history::{Generation, Offset};

use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id::{self, MemberId, PartitionNumber};

const JOINED: u8 = 1;
const LEFT: u8 = 2;
const RELEASED: u8 = 3;
const COMMITTED: u8 = 4;

/// A record of a group's journal: a call that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GroupRecord {
    /// A member joined.
    Joined {
        /// Who.
        member: MemberId,
    },
    /// A member left or was expired.
    Left {
        /// Who.
        member: MemberId,
    },
    /// A member let a partition go.
    Released {
        /// Who.
        member: MemberId,
        /// In which generation.
        generation: Generation,
        /// What.
        partition: PartitionNumber,
    },
    /// A member committed.
    Committed {
        /// Who.
        member: MemberId,
        /// In which generation.
        generation: Generation,
        /// Of what.
        partition: PartitionNumber,
        /// The next offset that is not processed.
        next: Offset,
    },
}

impl GroupRecord {
    /// The bytes: at most 33.
    pub fn encode(&self) -> Vec<u8> {
        let (tag, numbers) = match *self {
            GroupRecord::Joined { member } => (JOINED, vec![member.0]),
            GroupRecord::Left { member } => (LEFT, vec![member.0]),
            GroupRecord::Released { member, generation, partition } => {
                (RELEASED, vec![member.0, generation.0, u64::from(partition.0)])
            }
            GroupRecord::Committed { member, generation, partition, next } => {
                (COMMITTED, vec![member.0, generation.0, u64::from(partition.0), id::place(next)])
            }
        };
        let mut encoder = Encoder::new(tag);
        numbers.into_iter().for_each(|number| encoder.number(number));
        encoder.finish()
    }

    /// The record of these bytes.
    ///
    /// # Errors
    /// [`DecodeError`] if no record is encoded so.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let tag = decoder.tag()?;
        let member = MemberId(decoder.number()?);
        let record = match tag {
            JOINED => GroupRecord::Joined { member },
            LEFT => GroupRecord::Left { member },
            RELEASED => GroupRecord::Released {
                member,
                generation: Generation(decoder.number()?),
                partition: PartitionNumber(decoder.narrow()?),
            },
            COMMITTED => GroupRecord::Committed {
                member,
                generation: Generation(decoder.number()?),
                partition: PartitionNumber(decoder.narrow()?),
                next: next(&mut decoder)?,
            },
            tag => return Err(DecodeError::UnknownTag(tag)),
        };
        decoder.finish()?;
        Ok(record)
    }
}

fn next(decoder: &mut Decoder<'_>) -> Result<Offset, DecodeError> {
    let number: i64 = decoder.narrow()?;
    Offset::new(number).map_err(|_| DecodeError::OutOfRange(number.cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use quickcheck::{Arbitrary, Gen, quickcheck};

    use super::*;

    impl Arbitrary for GroupRecord {
        fn arbitrary(g: &mut Gen) -> Self {
            let member = MemberId(u64::arbitrary(g));
            let generation = Generation(u64::arbitrary(g));
            let partition = PartitionNumber(u32::arbitrary(g));
            match u8::arbitrary(g) % 4 {
                0 => GroupRecord::Joined { member },
                1 => GroupRecord::Left { member },
                2 => GroupRecord::Released { member, generation, partition },
                _ => {
                    let next = Offset::of(u32::arbitrary(g) as usize);
                    GroupRecord::Committed { member, generation, partition, next }
                }
            }
        }
    }

    quickcheck! {
        fn what_is_encoded_reads_back(record: GroupRecord) -> bool {
            GroupRecord::decode(&record.encode()) == Ok(record)
        }

        fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) -> bool {
            GroupRecord::decode(&bytes).map_or(true, |record| record.encode() == bytes)
        }
    }
}
