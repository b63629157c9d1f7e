//! The fuzzers' entry functions on stable Rust: every seed as it is, and mutated for a bounded number of cases.
//!
//! Deterministic: one generator with a fixed seed, so that a failure shows again. `LAWSPEAKER_FUZZ_CASES` sets how many
//! cases each entry gets. What ever broke one stands in `fuzz/seeds` as a seed of its own. Coverage-guided
//! fuzzing of the same functions needs cargo-fuzz; see `docs/testing.md`.

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "the same file is the library of the fuzzers")]
mod entry;

use std::path::Path;

/// How many mutated inputs each entry gets; a few seconds in all.
const CASE_COUNT: u64 = 1_500;
/// Mutated inputs are no longer than this, so that judging one stays cheap.
const MAX_BYTES: usize = 4096;

/// What formats are made of: mutations that keep the rest readable find more than noise does.
const WORDS: [&[u8]; 40] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"#{",
    b"#_",
    b"\"",
    b"\\",
    b":",
    b",",
    b";",
    b"\n",
    b"null",
    b"nil",
    b"-1",
    b"9007199254740991",
    b"9007199254740992",
    b"18446744073709551616",
    b"1e999",
    b"5N",
    b"1.5M",
    b"1/3",
    b"##NaN",
    b"\\u00e9",
    b"\\ud800",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\"x\":{\"cause\":[\"a\"]}",
    b"\"ok\"",
    b"\"info\"",
    b"\"fail\"",
    b"\"type\"",
    b":type",
    b"[[\"poll\",{\"a\":[[0,1]]}]]",
    b"\"value\":null",
    b"{\"a\":1}",
    b"#jepsen.history.Op{",
    b"0-1",
];

/// Xorshift; Marsaglia, 2003.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Below `bound`, which is above zero.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// The seeds of one entry: `fuzz/seeds/<entry>/*`.
fn seeds(entry: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(entry);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("the folder can be listed").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a seed can be read")).collect()
}

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let place = random.below(bytes.len() + 1);
        let end = (place + random.below(24)).min(bytes.len());
        match random.below(6) {
            0 => drop(bytes.drain(place..end)),
            1 => drop(bytes.splice(place..end, WORDS[random.below(WORDS.len())].iter().copied())),
            2 => drop(bytes.splice(place..place, WORDS[random.below(WORDS.len())].iter().copied())),
            3 if place < bytes.len() => bytes[place] ^= 1 << random.below(8),
            4 => {
                let again = bytes[place..end].to_vec();
                let to = random.below(bytes.len() + 1);
                drop(bytes.splice(to..to, again));
            }
            _ => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                bytes.truncate(place);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
    bytes.truncate(MAX_BYTES);
    bytes
}

fn fuzz(name: &str, entry: impl Fn(&[u8])) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "fuzz/seeds/{name} holds no seed");
    seeds.iter().for_each(|seed| entry(seed));
    let count = std::env::var("LAWSPEAKER_FUZZ_CASES").ok().and_then(|count| count.parse().ok());
    let count = count.unwrap_or(CASE_COUNT);
    let mut random = Random(0x6c61_7773_7065_616b);
    for _ in 0..count {
        let bytes = mutate(&mut random, &seeds);
        let shown = Shown(&bytes);
        entry(&bytes);
        drop(shown);
    }
    eprintln!("{name}: {} seeds and {count} mutations of them", seeds.len());
}

/// Shows the input if the entry panics on it.
struct Shown<'a>(&'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was: b\"{}\"", self.0.escape_ascii());
        }
    }
}

#[test]
fn no_bytes_break_the_reader_of_json_lines() {
    fuzz("jsonl", entry::jsonl);
}

#[test]
fn no_bytes_break_the_reader_of_the_flat_format() {
    fuzz("flat", entry::flat);
}

#[test]
fn no_bytes_break_the_reader_of_edn() {
    fuzz("edn", entry::edn);
}

#[test]
fn no_bytes_break_the_reader_of_logs_in_text() {
    fuzz("shiviz", entry::shiviz);
}

#[test]
fn no_bytes_break_the_reader_of_logs_with_packets() {
    fuzz("clocks", entry::clocks);
}

#[test]
fn no_bytes_break_the_judge() {
    fuzz("judge", entry::judge);
}
