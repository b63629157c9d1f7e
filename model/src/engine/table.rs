//! A set of fingerprints, made for the two things that bound an explorer: memory, and waiting for memory.
//!
//! Fingerprints lie five in a *bucket*, which is a line of a core's cache: to look one up is to wait for memory once.
//! A full bucket overflows into the next (Knuth, *The Art of Computer Programming* 6.4). A fingerprint's home is the
//! bucket where it would stand if the table were sorted; so a table can grow by a quarter in one sweep over neighbours,
//! and is about three quarters full at all times.

use super::fingerprint::Fingerprint;

/// What a table keeps of a fingerprint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Print {
    /// The upper half; its upper bits say where the home is.
    high: u64,
    /// The upper half of the lower half.
    tag: u32,
}

/// How many bits of a fingerprint a table tells apart.
pub(super) const PRINT_BITS: u32 = 96;

impl Print {
    /// What is kept of `fingerprint`: nothing of its lowest 32 bits.
    pub(super) fn of(fingerprint: Fingerprint) -> Self {
        Print { high: (fingerprint >> 64) as u64, tag: (fingerprint >> 32) as u32 }
    }
}

/// How many fingerprints a bucket holds.
const BUCKET: usize = 5;

/// The fewest buckets of a table.
const MIN_BUCKETS: usize = 128;

/// How many fingerprints may be put into a table between two calls of [`Table::make_room`].
pub(super) const MAX_BURST: usize = 64;

/// A line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    count: u32,
    tags: [u32; BUCKET],
    highs: [[u32; 2]; BUCKET],
}

impl Bucket {
    fn high(&self, place: usize) -> u64 {
        let [upper, lower] = self.highs[place];
        u64::from(upper) << 32 | u64::from(lower)
    }

    /// The places whose tag is the given one, as bits: all of them at once, without a branch to mispredict.
    fn alike(&self, tag: u32) -> u32 {
        (0..BUCKET).fold(0, |alike, place| alike | u32::from(self.tags[place] == tag) << place)
    }

    fn print(&self, place: usize) -> Print {
        Print { high: self.high(place), tag: self.tags[place] }
    }
}

/// A set of fingerprints, each with its number in the order of insertion if the table keeps numbers.
#[derive(Debug)]
pub(super) struct Table {
    buckets: Vec<Bucket>,
    /// The numbers of each bucket's fingerprints; empty if the table keeps none.
    numbers: Vec<[u32; BUCKET]>,
    count: u32,
}

/// Where a fingerprint stands, or could: a bucket, and a place in it.
type Place = (usize, usize);

impl Table {
    pub(super) fn new(keeps_numbers: bool) -> Self {
        let numbers = if keeps_numbers { vec![[0; BUCKET]; MIN_BUCKETS] } else { Vec::new() };
        Table { buckets: vec![Bucket::default(); MIN_BUCKETS], numbers, count: 0 }
    }

    /// The bucket where a fingerprint belongs.
    pub(super) fn home(&self, print: Print) -> usize {
        ((u128::from(print.high) * self.buckets.len() as u128) >> 64) as usize
    }

    /// Something of the bucket at `home`: to ask for it brings the bucket into the cache.
    pub(super) fn touch(&self, home: usize) -> u32 {
        self.buckets[home].count
    }

    /// The number of what stands at a place; 0 if the table keeps none.
    fn number(&self, (bucket, place): Place) -> u32 {
        self.numbers.get(bucket).map_or(0, |numbers| numbers[place])
    }

    /// Where a fingerprint stands whose number is the right one, or the free place where it belongs.
    fn search(&self, print: Print, home: usize, is_right: impl Fn(u32) -> bool) -> Result<Place, Place> {
        let mut number = home;
        loop {
            let bucket = &self.buckets[number];
            let count = bucket.count as usize;
            let mut alike = bucket.alike(print.tag);
            while alike != 0 {
                let place = alike.trailing_zeros() as usize;
                let is_it = place < count && bucket.high(place) == print.high;
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

    /// Puts a fingerprint into the table unless it is there, with a number that `is_right`; answers with its number,
    /// and whether it is new. Its `home` is what [`Self::home`] says.
    pub(super) fn insert(
        &mut self,
        print: Print,
        home: usize,
        is_right: impl Fn(u32) -> bool,
    ) -> (u32, bool) {
        match self.search(print, home, is_right) {
            Ok(place) => (self.number(place), false),
            Err(place) => {
                let number = self.count;
                self.put(place, print, number);
                self.count += 1;
                (number, true)
            }
        }
    }

    /// The number of a fingerprint, if it is there with one that `is_right`.
    pub(super) fn find(&self, print: Print, is_right: impl Fn(u32) -> bool) -> Option<u32> {
        self.search(print, self.home(print), is_right).ok().map(|place| self.number(place))
    }

    /// Grows by a quarter if more than 85 in a hundred places are taken. Homes change with it.
    pub(super) fn make_room(&mut self) {
        if self.count as usize * 20 <= self.buckets.len() * BUCKET * 17 {
            return;
        }
        let size = self.buckets.len() / 4 * 5;
        let numbers = if self.numbers.is_empty() { Vec::new() } else { vec![[0; BUCKET]; size] };
        let grown = Table { buckets: vec![Bucket::default(); size], numbers, count: self.count };
        let old = std::mem::replace(self, grown);
        for (number, bucket) in old.buckets.iter().enumerate() {
            for place in 0..bucket.count as usize {
                let print = bucket.print(place);
                // All of them are distinct, by their numbers if not by themselves: only a free place is looked for.
                let free = self.search(print, self.home(print), |_| false).unwrap_or_else(|taken| taken);
                self.put(free, print, old.number((number, place)));
            }
        }
    }

    fn put(&mut self, (bucket, place): Place, print: Print, number: u32) {
        if let Some(numbers) = self.numbers.get_mut(bucket) {
            numbers[place] = number;
        }
        let bucket = &mut self.buckets[bucket];
        bucket.count += 1;
        bucket.tags[place] = print.tag;
        bucket.highs[place] = [(print.high >> 32) as u32, print.high as u32];
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// A table beside a map that nobody doubts, given the same prints one after the other.
    fn agrees_with_a_map(prints: impl Iterator<Item = Print>) {
        let mut table = Table::new(true);
        let mut plain = Table::new(false);
        let mut map: HashMap<(u64, u32), u32> = HashMap::new();
        for print in prints {
            let next = map.len() as u32;
            let number = *map.entry((print.high, print.tag)).or_insert(next);
            let is_new = number == next;
            assert_eq!(table.insert(print, table.home(print), |_| true), (number, is_new));
            assert_eq!(plain.insert(print, plain.home(print), |_| true).1, is_new);
            table.make_room();
            plain.make_room();
        }
        for ((high, tag), number) in map {
            assert_eq!(table.find(Print { high, tag }, |_| true), Some(number));
            assert_eq!(table.find(Print { high, tag: !tag }, |_| true), None);
        }
    }

    #[test]
    fn what_is_inserted_is_found_however_often_the_table_grows() {
        let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        agrees_with_a_map(
            (0..60_000).map(|n| Print { high: mixed(n % 40_000), tag: mixed(n % 40_000) as u32 & 7 }),
        );
    }

    #[test]
    fn prints_that_crowd_at_the_end_go_on_at_the_beginning() {
        agrees_with_a_map((0..400).map(|n| Print { high: u64::MAX - n % 3, tag: n as u32 }));
    }

    #[test]
    fn states_of_one_print_are_told_apart_by_whoever_knows_them() {
        let mut table = Table::new(true);
        let (print, states) = (Print { high: 7, tag: 7 }, [10, 11, 10, 12]);
        let mut known: Vec<i32> = Vec::new();
        for state in states {
            let (_, is_new) =
                table.insert(print, table.home(print), |number| known[number as usize] == state);
            known.extend(is_new.then_some(state));
        }
        assert_eq!(known, [10, 11, 12]);
    }
}
