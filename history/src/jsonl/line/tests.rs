//! The straight way and the long way agree.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::LineReader;
use crate::jsonl::{Indexed, op_of};
use crate::strict;

/// The corpus of the project.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data/histories");

fn long_way(line: &[u8]) -> Option<Indexed> {
    op_of(strict::object(line).ok()?).ok()
}

/// What the straight way reads is what the long way reads; answers with whether it read anything.
fn agree(reader: &mut LineReader, line: &[u8]) -> bool {
    let straight = reader.op_of(line);
    let is_read = straight.is_some();
    if is_read {
        assert_eq!(straight, long_way(line), "{}", String::from_utf8_lossy(line));
    }
    is_read
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
}

/// Every line of the corpus, and those of the format's own test.
fn lines() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    files(Path::new(CORPUS), &mut found);
    found.sort();
    let texts = found.iter().map(|path| fs::read(path).unwrap());
    let texts = texts.chain([RARE.as_bytes().to_vec()]);
    let lines: Vec<Vec<u8>> = texts
        .flat_map(|text| text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect();
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}

/// What the corpus has little of.
const RARE: &str = r#"{"process":"a\u0062","type":"ok","f":"poll","value":[["poll",{"q":[[0,"x"]],"p":[["5-1",2]],"r":null}],["poll",null],["poll"]]}
{"value":[["send",7,[null,"m"]]],"f":"send","type":"info","process":-3,"error":null,"x":{"clock":{"a":1},"node":"n","confirmed":false,"cause":["a",1]}}
{"process":1,"type":"ok","f":"txn","value":[["send","p","a"],["poll",{"p":[[1,"b"]]}]],"x":{"phase":"final","group":null,"key":"k","gen":2,"pid":1,"epoch":0,"seq":4}}
{"process":1,"type":"ok","f":"ack","value":[["p",null],["p",3,null],["p","1-2","e"]],"note":{"a":[1.5,true]}}
{"process":1,"type":"invoke","f":"committed","value":["p"]}
{"process":1,"type":"ok","f":"commit","value":{"q":1,"p":null}}
{"process":1,"type":"ok","f":"receive","value":{"q":[[-0,1]]}}
{"process":1,"type":"ok","f":"receive","value":{"q":[[0,9007199254740992]]}}
{"process":1,"type":"ok","f":"receive","value":{"q":[[0,1]],"q":[[1,2]]}}
{"process":1,"type":"ok","f":"crash"} 
{"process":1,"type":"ok","f":"crash"} x
"#;

#[test]
fn both_ways_read_the_corpus_alike_and_the_straight_way_reads_most_of_it() {
    let mut reader = LineReader::default();
    let (mut straight, mut long) = (0, 0);
    for line in lines() {
        straight += usize::from(agree(&mut reader, &line));
        long += usize::from(long_way(&line).is_some());
    }
    assert!(long > 1_000, "the corpus has {long} lines");
    assert_eq!(straight, long, "what the straight way gives up costs twice");
}

#[test]
fn both_ways_read_mutated_lines_alike() {
    let lines = lines();
    let reader = std::cell::RefCell::new(LineReader::default());
    let (read, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4);
    let mut runner =
        TestRunner::new(Config { cases: 20_000, failure_persistence: None, ..Config::default() });
    let mutated = (any::<prop::sample::Index>(), edits);
    let outcome = runner.run(&mutated, |(which, edits)| {
        let mut line = which.get(&lines).clone();
        for (place, what) in edits {
            let place = place.index(line.len() + 1);
            mutate(&mut line, place, what.get(MUTATIONS));
        }
        let is_read = agree(&mut reader.borrow_mut(), &line);
        let counted = if is_read { &read } else { &refused };
        counted.set(counted.get() + 1);
        Ok(())
    });
    outcome.unwrap();
    assert!(read.get() > 1_000 && refused.get() > 1_000, "{read:?} read, {refused:?} refused");
}

/// How deep a value may be counts from the beginning of the line, where only the long way begins.
#[test]
fn what_is_nested_deeply_is_left_to_the_long_way() {
    for (depth, is_read_straight, is_read) in [(60, true, true), (100, false, true), (200, false, false)] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        let line = format!(r#"{{"process":1,"type":"ok","f":"crash","note":{open}{close}}}"#);
        assert_eq!(agree(&mut LineReader::default(), line.as_bytes()), is_read_straight, "{depth}");
        assert_eq!(long_way(line.as_bytes()).is_some(), is_read, "{depth}");
    }
}

/// What is put into a line, over what stands there or between.
const MUTATIONS: &[(&str, bool)] = &[
    ("", true),
    ("0", true),
    ("9", false),
    ("-", false),
    ("null", false),
    ("\"", true),
    ("\\u0041", false),
    ("\\", false),
    ("[", false),
    ("]", false),
    ("{}", false),
    (",", false),
    (" ", false),
    (".0", false),
    ("e3", false),
    ("\"x\":1,", false),
    ("\"f\":\"poll\",", false),
    ("a", true),
    ("\u{e9}", false),
];

fn mutate(line: &mut Vec<u8>, place: usize, (text, is_over): &(&str, bool)) {
    let end = if *is_over { (place + 1).min(line.len()) } else { place };
    line.splice(place..end, text.bytes());
}
