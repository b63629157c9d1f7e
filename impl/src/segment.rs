//! The bytes of a segment: a header, then records one after the other, each in a frame.
//!
//! ```text
//! segment  magic "LAWSEG" | version u16 | index of the first record u64 | CRC32C of the 16 bytes before u32
//! record   length u32 | CRC32C u32 | durable count u64 | that many bytes
//! ```
//! All integers are little-endian. The checksum of a record covers its length, its durable count and its bytes, and
//! starts from the segment's first index and the frame's position, so that a record is valid only where it was
//! written. CRC32C finds every single flipped bit (Castagnoli, Bräuer and Herrmann, 1993).
//!
//! The *durable count* says how many records of the journal were known to be durable when this one was written. It
//! is what lets recovery tell a torn tail, which a crash may leave and nobody was promised, from damage, which must
//! never be dropped in silence: a bad record is damage if a valid one after it testifies that it was durable.
//!
//! Cost: encoding and decoding O(length); scanning a segment O(its length).

use crate::journal_error::DamageKind;
use crate::mutant::{Mutant, is_seeded};

/// How a segment begins.
const MAGIC: [u8; 6] = *b"LAWSEG";
/// The version that this code reads and writes.
const VERSION: u16 = 1;
/// The length of a segment's header, in bytes.
pub(crate) const HEADER_BYTES: usize = 20;
/// The length of what stands before a record's own bytes.
pub(crate) const FRAME_BYTES: usize = 16;

/// The header of the segment whose first record has index `base`.
pub(crate) fn encode_header(base: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..6].copy_from_slice(&MAGIC);
    header[6..8].copy_from_slice(&VERSION.to_le_bytes());
    header[8..16].copy_from_slice(&base.to_le_bytes());
    let checksum = crc32c::crc32c(&header[..16]);
    header[16..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// Checks that `bytes` begin with the header of a segment whose first record has index `base`.
pub(crate) fn check_header(bytes: &[u8], base: u64) -> Result<(), DamageKind> {
    if bytes.starts_with(&encode_header(base)) {
        return Ok(());
    }
    let version = u16::from_le_bytes(field(bytes, 6).ok_or(DamageKind::Header)?);
    match bytes.starts_with(&MAGIC) && version != VERSION {
        true => Err(DamageKind::Version { found: version, known: VERSION }),
        false => Err(DamageKind::Header),
    }
}

/// One record as it stands in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// How many records of the journal were durable when this one was written.
    pub(crate) durable_count: u64,
    /// The record itself.
    pub(crate) record: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Writes the frame behind `bytes`, for `position` of the segment that starts at `base`. `None` if the record is
    /// longer than a `u32` can say.
    pub(crate) fn encode(&self, base: u64, position: u64, bytes: &mut Vec<u8>) -> Option<()> {
        let length = u32::try_from(self.record.len()).ok()?.to_le_bytes();
        let durable_count = self.durable_count.to_le_bytes();
        let checksum = checksum(base, position, &[&length, &durable_count, self.record]);
        bytes.reserve(FRAME_BYTES + self.record.len());
        for part in [&length[..], &checksum.to_le_bytes(), &durable_count, self.record] {
            bytes.extend_from_slice(part);
        }
        Some(())
    }

    /// The frame at the start of `bytes`, which stand at `position` of the segment that starts at `base`; `None` if
    /// there is no valid one.
    pub(crate) fn decode(base: u64, position: u64, bytes: &'a [u8]) -> Option<Self> {
        let length: [u8; 4] = field(bytes, 0)?;
        let expected = u32::from_le_bytes(field(bytes, 4)?);
        let durable_count: [u8; 8] = field(bytes, 8)?;
        let record = bytes.get(FRAME_BYTES..)?.get(..usize::try_from(u32::from_le_bytes(length)).ok()?)?;
        let is_valid = checksum(base, position, &[&length, &durable_count, record]) == expected
            || is_seeded(Mutant::ChecksumIgnored);
        is_valid.then_some(Frame { durable_count: u64::from_le_bytes(durable_count), record })
    }

    /// How many bytes the frame takes.
    pub(crate) fn byte_count(&self) -> usize {
        FRAME_BYTES + self.record.len()
    }
}

fn checksum(base: u64, position: u64, parts: &[&[u8]]) -> u32 {
    let place = crc32c::crc32c_append(crc32c::crc32c(&base.to_le_bytes()), &position.to_le_bytes());
    parts.iter().fold(place, |checksum, part| crc32c::crc32c_append(checksum, part))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// What stands in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where each valid record's frame begins, in order.
    pub(crate) positions: Vec<u64>,
    /// Where the last of them ends: everything from there on is a torn tail.
    pub(crate) valid_bytes: u64,
}

/// Reads the records of a segment whose header is valid.
///
/// # Errors
/// [`DamageKind::Record`] for a bad record that was durable, as a valid one after it testifies.
pub(crate) fn scan(bytes: &[u8], base: u64) -> Result<Scan, DamageKind> {
    let mut positions = Vec::new();
    let mut at = HEADER_BYTES;
    while let Some(frame) = bytes.get(at..).and_then(|rest| Frame::decode(base, at as u64, rest)) {
        positions.push(at as u64);
        at += frame.byte_count();
    }
    let index = base.saturating_add(positions.len() as u64);
    match (at + 1..bytes.len()).find(|later| testifies(bytes, base, *later, index, at)) {
        Some(witness) => Err(DamageKind::Record { index, position: at as u64, witness: witness as u64 }),
        None => Ok(Scan { positions, valid_bytes: at as u64 }),
    }
}

/// Whether a valid record at `later` says that the record `index`, which should stand at `at`, was durable.
///
/// Nothing testifies for more records than fit in between: that rules most bytes out before their checksum.
fn testifies(bytes: &[u8], base: u64, later: usize, index: u64, at: usize) -> bool {
    let rest = &bytes[later..];
    let durable_count = field(rest, 8).map_or(0, u64::from_le_bytes);
    let most = index.saturating_add(((later - at) / FRAME_BYTES) as u64);
    durable_count > index && durable_count <= most && Frame::decode(base, later as u64, rest).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::TestResult;
    use quickcheck::quickcheck;

    /// A segment of `records`, each written when all before it were durable.
    fn segment_of(base: u64, records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = encode_header(base).to_vec();
        for (count, record) in records.iter().enumerate() {
            let position = bytes.len() as u64;
            Frame { durable_count: base + count as u64, record }.encode(base, position, &mut bytes).unwrap();
        }
        bytes
    }

    quickcheck! {
        fn a_record_reads_back_as_it_was_written(base: u64, position: u64, durable_count: u64, record: Vec<u8>) -> bool {
            let frame = Frame { durable_count, record: &record };
            let mut bytes = Vec::new();
            frame.encode(base, position, &mut bytes).unwrap();
            Frame::decode(base, position, &bytes) == Some(frame) && bytes.len() == frame.byte_count()
        }

        fn any_single_flipped_bit_of_a_record_is_detected(record: Vec<u8>, bit: usize) -> bool {
            let mut bytes = Vec::new();
            Frame { durable_count: 3, record: &record }.encode(7, 20, &mut bytes).unwrap();
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            Frame::decode(7, 20, &bytes).is_none()
        }

        fn a_record_is_valid_only_where_it_was_written(record: Vec<u8>, base: u64, position: u64) -> TestResult {
            if (base, position) == (7, 20) {
                return TestResult::discard();
            }
            let mut bytes = Vec::new();
            Frame { durable_count: 3, record: &record }.encode(7, 20, &mut bytes).unwrap();
            TestResult::from_bool(Frame::decode(base, position, &bytes).is_none())
        }

        fn a_segment_cut_anywhere_holds_the_records_before_the_cut(records: Vec<Vec<u8>>, cut: usize) -> bool {
            let bytes = segment_of(5, &records);
            let cut = HEADER_BYTES + cut % (bytes.len() - HEADER_BYTES + 1);
            let whole = scan(&bytes, 5).unwrap();
            let ends = whole.positions.iter().skip(1).chain([&whole.valid_bytes]);
            let expected = whole.positions.iter().zip(ends).filter(|(_, end)| **end <= cut as u64).count();
            scan(&bytes[..cut], 5).unwrap().positions == whole.positions[..expected]
        }

        fn any_flipped_bit_before_the_last_record_is_damage(records: Vec<Vec<u8>>, bit: usize) -> TestResult {
            let mut bytes = segment_of(5, &records);
            let positions = scan(&bytes, 5).unwrap().positions;
            let Some(last) = positions.last().filter(|_| positions.len() > 1) else {
                return TestResult::discard();
            };
            let bit = HEADER_BYTES * 8 + bit % ((*last as usize - HEADER_BYTES) * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let bad = positions.iter().rposition(|position| *position <= bit as u64 / 8).unwrap();
            let found = scan(&bytes, 5).unwrap_err();
            let expected_index = 5 + bad as u64;
            TestResult::from_bool(matches!(found, DamageKind::Record { index, .. } if index == expected_index))
        }
    }

    #[test]
    fn zeros_are_no_record() {
        let mut bytes = segment_of(0, &[b"a".to_vec()]);
        let length = bytes.len() as u64;
        bytes.resize(bytes.len() + 200, 0);
        assert_eq!(scan(&bytes, 0).unwrap().valid_bytes, length);
    }

    #[test]
    fn a_hole_before_a_record_that_testifies_nothing_is_a_torn_tail() {
        let mut bytes = segment_of(0, &[b"a".to_vec()]);
        let hole = bytes.len();
        for record in [b"b", b"c"] {
            let position = bytes.len() as u64;
            Frame { durable_count: 1, record }.encode(0, position, &mut bytes).unwrap();
        }
        bytes[hole..hole + FRAME_BYTES].fill(0);
        assert_eq!(scan(&bytes, 0).unwrap(), Scan { positions: vec![20], valid_bytes: hole as u64 });
    }

    #[test]
    fn a_header_says_what_is_wrong_with_it() {
        let good = encode_header(9);
        assert_eq!(check_header(&good, 9), Ok(()));
        assert_eq!(check_header(&good, 8), Err(DamageKind::Header));
        assert_eq!(check_header(&good[..19], 9), Err(DamageKind::Header));
        let mut newer = good;
        newer[6] = 2;
        assert_eq!(check_header(&newer, 9), Err(DamageKind::Version { found: 2, known: 1 }));
    }
}
