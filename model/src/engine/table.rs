//! A set of fingerprints, made for the two things that bound an explorer: memory, and waiting for memory.
//!
//! Fingerprints lie six in a *bucket*, which is a line of a core's cache: to look one up is to wait for memory once.
//! A full bucket overflows into the next (Knuth, *The Art of Computer Programming* 6.4), and to look there is to wait
//! again: a table doubles when 85 in a hundred places are taken. A fingerprint's home is the bucket where it would stand
//! if the table were sorted; so doubling is one sweep over neighbours.

use super::fingerprint::Fingerprint;

/// What a table keeps of a fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    /// The upper half; its upper bits say where the home is.
    high: u64,
    /// The upper quarter of the lower half.
    tag: u16,
}

/// How many bits of a fingerprint a table tells apart.
pub(super) const PRINT_BITS: u32 = 80;

impl Print {
    /// What is kept of `fingerprint`: nothing of its lowest 48 bits.
    pub(super) fn of(fingerprint: Fingerprint) -> Self {
        Print { high: (fingerprint >> 64) as u64, tag: (fingerprint >> 48) as u16 }
    }
}

/// How many fingerprints a bucket holds.
const BUCKET: usize = 6;

/// A line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    highs: [u64; BUCKET],
    tags: [u16; BUCKET],
    count: u32,
}

impl Bucket {
    /// The places whose tag is the given one, as bits: all of them at once, without a branch to mispredict.
    fn alike(&self, tag: u16) -> u32 {
        (0..BUCKET).fold(0, |alike, place| alike | u32::from(self.tags[place] == tag) << place)
    }

    fn print(&self, place: usize) -> Print {
        Print { high: self.highs[place], tag: self.tags[place] }
    }
}

/// A set of fingerprints, each with a number if the table keeps numbers.
#[derive(Debug)]
pub(super) struct Table {
    buckets: Vec<Bucket>,
    /// The numbers of each bucket's fingerprints; empty if the table keeps none.
    numbers: Vec<[u32; BUCKET]>,
    count: usize,
    /// The most fingerprints that it takes before it doubles.
    room: usize,
}

/// Where a fingerprint stands, or could: a bucket, and a place in it.
type Place = (usize, usize);

impl Table {
    /// An empty table with room for some fingerprints in each of so many buckets, of which there is one at least.
    pub(super) fn new(buckets: usize, keeps_numbers: bool) -> Self {
        Table {
            buckets: vec![Bucket::default(); buckets],
            numbers: if keeps_numbers { vec![[0; BUCKET]; buckets] } else { Vec::new() },
            count: 0,
            room: buckets * BUCKET * 17 / 20,
        }
    }

    /// The bucket where a fingerprint belongs.
    fn home(&self, print: Print) -> usize {
        ((u128::from(print.high) * self.buckets.len() as u128) >> 64) as usize
    }

    /// Something of a fingerprint's home: to ask for it brings the bucket into the cache.
    pub(super) fn touch(&self, print: Print) -> u32 {
        self.buckets[self.home(print)].count
    }

    /// The number of what stands at a place; 0 if the table keeps none.
    fn number(&self, (bucket, place): Place) -> u32 {
        self.numbers.get(bucket).map_or(0, |numbers| numbers[place])
    }

    /// Where a fingerprint stands whose number is the right one, or the free place where it belongs.
    #[inline]
    fn search(&self, print: Print, is_right: impl Fn(u32) -> bool) -> Result<Place, Place> {
        let mut number = self.home(print);
        loop {
            let bucket = &self.buckets[number];
            let count = bucket.count as usize;
            let mut alike = bucket.alike(print.tag);
            while alike != 0 {
                let place = alike.trailing_zeros() as usize;
                let is_it = place < count && bucket.highs[place] == print.high;
                if is_it && is_right(self.number((number, place))) {
                    return Ok((number, place));
                }
                alike &= alike - 1;
            }
            if count < BUCKET {
                return Err((number, count));
            }
            number = if number + 1 == self.buckets.len() { 0 } else { number + 1 };
        }
    }

    /// Puts a fingerprint into the table with the given number, unless it is there with one that `is_right`; answers with
    /// that one then, or with 0 if the table keeps none.
    #[inline]
    pub(super) fn insert(
        &mut self,
        print: Print,
        number: u32,
        is_right: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        match self.search(print, is_right) {
            Ok(place) => Some(self.number(place)),
            Err(free) => {
                self.put(free, print, number);
                if self.count > self.room {
                    self.double();
                }
                None
            }
        }
    }

    /// The number of a fingerprint, if the table keeps numbers and it is there with one that `is_right`.
    pub(super) fn find(&self, print: Print, is_right: impl Fn(u32) -> bool) -> Option<u32> {
        let (bucket, place) = self.search(print, is_right).ok()?;
        self.numbers.get(bucket).map(|numbers| numbers[place])
    }

    #[cold]
    fn double(&mut self) {
        let doubled = Table::new(self.buckets.len() * 2, !self.numbers.is_empty());
        let old = std::mem::replace(self, doubled);
        for (number, bucket) in old.buckets.iter().enumerate() {
            for place in 0..bucket.count as usize {
                let print = bucket.print(place);
                // All of them are distinct, by their numbers if not by themselves: only a free place is looked for.
                let free = self.search(print, |_| false).unwrap_or_else(|taken| taken);
                self.put(free, print, old.number((number, place)));
            }
        }
    }

    #[inline]
    fn put(&mut self, (bucket, place): Place, print: Print, number: u32) {
        if let Some(numbers) = self.numbers.get_mut(bucket) {
            numbers[place] = number;
        }
        let bucket = &mut self.buckets[bucket];
        bucket.highs[place] = print.high;
        bucket.tags[place] = print.tag;
        bucket.count += 1;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A table beside a map that nobody doubts, given the same prints one after the other.
    fn agrees_with_a_map(prints: impl Iterator<Item = Print>) {
        let mut table = Table::new(1, true);
        let mut plain = Table::new(1, false);
        let mut map: HashMap<(u64, u16), u32> = HashMap::new();
        for print in prints {
            let next = map.len() as u32;
            let known = map.get(&(print.high, print.tag)).copied();
            assert_eq!(table.insert(print, next, |_| true), known);
            assert_eq!(plain.insert(print, next, |_| true).is_some(), known.is_some());
            map.entry((print.high, print.tag)).or_insert(next);
        }
        for ((high, tag), number) in map {
            assert_eq!(table.find(Print { high, tag }, |_| true), Some(number));
            assert_eq!(table.find(Print { high, tag: !tag }, |_| true), None);
            assert_eq!(plain.find(Print { high, tag }, |_| true), None);
        }
    }

    #[test]
    fn what_is_inserted_is_found_however_often_the_table_doubles() {
        let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        agrees_with_a_map(
            (0..60_000).map(|n| Print { high: mixed(n % 40_000), tag: mixed(n % 40_000) as u16 & 7 }),
        );
    }

    #[test]
    fn prints_that_crowd_at_the_end_go_on_at_the_beginning() {
        agrees_with_a_map((0..400).map(|n| Print { high: u64::MAX - n % 3, tag: n as u16 }));
    }

    #[test]
    fn states_of_one_print_are_told_apart_by_whoever_knows_them() {
        let mut table = Table::new(1, true);
        let (print, states) = (Print { high: 7, tag: 7 }, [10, 11, 10, 12]);
        let mut known: Vec<i32> = Vec::new();
        for state in states {
            let number = table.insert(print, known.len() as u32, |number| known[number as usize] == state);
            known.extend(number.is_none().then_some(state));
        }
        assert_eq!(known, [10, 11, 12]);
    }
}
