//! Fingerprints: 128 bits that stand for a state.
//!
//! An unkeyed 64-bit multiply hash is not enough: with one, an exploration of three million states silently lost three
//! in a hundred. XXH3 with 128 bits (Collet, 2019) mixes every input bit; it sees the bytes that a state's `Hash`
//! writes, all at once, since hashing them one by one took a fifth of an exploration.

use std::hash::{Hash, Hasher};

use xxhash_rust::xxh3::xxh3_128_with_seed;

/// A state's fingerprint.
pub(super) type Fingerprint = u128;

/// An arbitrary word: any key will do, as long as every run uses the same.
const KEY: u64 = 0x6c61_7773_7065_616b;

/// Takes fingerprints; keeps a buffer between one and the next.
#[derive(Debug, Default)]
pub(super) struct Fingerprinter {
    words: Words,
}

impl Fingerprinter {
    /// The fingerprint of a state.
    pub(super) fn of<T: Hash>(&mut self, state: &T) -> Fingerprint {
        self.words.bytes.clear();
        (self.words.word, self.words.bit_count) = (0, 0);
        state.hash(&mut self.words);
        self.words.digest()
    }
}

/// Collects what a `Hash` writes, packed into words. A hash reads whole words, and a core is slow to read a word that
/// it wrote in pieces.
#[derive(Debug, Default)]
struct Words {
    /// The words that are full.
    bytes: Vec<u8>,
    /// The one that is not, and how much of it is written.
    word: u64,
    bit_count: u32,
}

impl Words {
    /// Writes the lowest `width` bits of `value`, which has no others; `width` is from 1 to 64.
    #[inline]
    fn push(&mut self, value: u64, width: u32) {
        self.word |= value << self.bit_count;
        self.bit_count += width;
        if self.bit_count >= u64::BITS {
            self.bytes.extend_from_slice(&self.word.to_le_bytes());
            self.bit_count -= u64::BITS;
            // What did not fit; a shift by the whole width leaves nothing.
            self.word = value.checked_shr(width - self.bit_count).unwrap_or_default();
        }
    }

    /// Writes a number below 255 in eight bits, and any other in 72: no two numbers begin alike.
    #[inline]
    fn push_short(&mut self, number: u64) {
        if number < u64::from(u8::MAX) {
            self.push(number, 8);
        } else {
            self.push(u64::from(u8::MAX), 8);
            self.push(number, 64);
        }
    }

    fn digest(&mut self) -> Fingerprint {
        // The last bit that is set says where the writing ends, and tells zeros that were written from those that fill
        // the word. In the seed the length would not do: of short inputs, XXH3 only mixes the seed into the input.
        let last = self.word | 1 << self.bit_count;
        self.bytes.extend_from_slice(&last.to_le_bytes());
        xxh3_128_with_seed(&self.bytes, KEY)
    }
}

/// From one to seven bytes as a word, little-endian, read at both ends, which may overlap.
#[inline]
fn word_of(bytes: &[u8]) -> u64 {
    let bits = 8 * bytes.len();
    if let (Some(low), Some(high)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*low)) | u64::from(u32::from_le_bytes(*high)) << (bits - 32);
    }
    if let (Some(low), Some(high)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u16::from_le_bytes(*low)) | u64::from(u16::from_le_bytes(*high)) << (bits - 16);
    }
    u64::from(bytes[0])
}

impl Hasher for Words {
    fn finish(&self) -> u64 {
        xxh3_128_with_seed(&self.bytes, KEY ^ self.word) as u64
    }

    // Lists of a few bytes are most of what is written: to call for each would cost more than to write it.
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.push(u64::from_le_bytes(*word), 64));
        if !rest.is_empty() {
            self.push(word_of(rest), 8 * rest.len() as u32);
        }
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.push(u64::from(number), 8);
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.push(u64::from(number), 16);
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.push(u64::from(number), 32);
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.push(number, 64);
    }

    // Lengths and the discriminants of enums are small: eight bytes of each are mostly zeros.
    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.push_short(number as u64);
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.push_short(number as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_pieces_of_any_width_is_read_back_as_written() {
        let mut words = Words::default();
        words.write_u8(0x11);
        words.write_u64(0x9988_7766_5544_3322);
        words.write_u16(0xbbaa);
        words.write(&[0xcc, 0xdd, 0xee, 0xff, 0, 1, 2, 3, 4]);
        words.write_u32(0x0807_0605);
        let written: Vec<u8> = (1..=15).map(|nibble| nibble * 0x11).chain(0..=8).collect();
        assert_eq!(words.bytes, written);
        assert_eq!((words.word, words.bit_count), (0, 0));
    }

    #[test]
    fn a_few_bytes_are_the_word_that_they_begin() {
        for count in 1..8 {
            let bytes: Vec<u8> = (1..=count).collect();
            let word = (1..=count).rev().fold(0, |word, byte| word << 8 | u64::from(byte));
            assert_eq!(word_of(&bytes), word, "{count} bytes");
        }
    }

    #[test]
    fn zeros_at_the_end_count() {
        let mut fingerprinter = Fingerprinter::default();
        assert_ne!(fingerprinter.of(&0_u8), fingerprinter.of(&0_u16));
        assert_ne!(fingerprinter.of(&[1_u8, 0]), fingerprinter.of(&[1_u8]));
    }

    /// Nine to sixteen bytes: a length that stands in the seed alone can be made up for by the input.
    #[test]
    fn short_states_of_different_length_are_told_apart() {
        #[derive(Hash)]
        enum Tail {
            Short,
            Long(u32, u8),
        }
        let mut fingerprinter = Fingerprinter::default();
        for number in 0..1_000_u64 {
            let short = fingerprinter.of(&(number, Tail::Short));
            for high in 0..16 {
                assert_ne!(short, fingerprinter.of(&(number, Tail::Long(0, high))));
                assert_ne!(short, fingerprinter.of(&(number, Tail::Long(high.into(), 0))));
            }
        }
    }
}
