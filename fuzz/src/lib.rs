//! What holds of every input, whatever its bytes: the entry functions of the fuzzers, and of `tests/fuzz.rs`, which
//! calls them on stable Rust with mutated seeds.
//!
//! Each takes any bytes and panics only if something is broken: a reader that panics, an error without a line, or an
//! encoding that loses something.

use lawspeaker_history::{History, LogFormat, Op, ReadError, Reader, write_edn, write_jsonl};
use lawspeaker_oracle::compat::jepsen;
use lawspeaker_oracle::{Profile, Verdict, WindowError, Windowed, judge as judge_history, report};

/// JSON Lines: no panic, and what is read survives both encodings.
pub fn jsonl(bytes: &[u8]) {
    survives(History::read(bytes));
}

/// The flat recorder format: its reader is chosen by the first line, so a first line that chooses it is put before.
pub fn flat(bytes: &[u8]) {
    let first = br#"{"process":0,"type":"invoke","f":"send","topic":"orders","value":0}"#;
    survives(History::read([first, b"\n".as_slice(), bytes].concat().as_slice()));
}

/// EDN, however it begins.
pub fn edn(bytes: &[u8]) {
    let read = Reader::edn(bytes).and_then(|mut reader| {
        let header = reader.header().clone();
        Ok(History { header, ops: reader.by_ref().collect::<Result<_, _>>()? })
    });
    survives(read);
}

/// Text with vector clocks.
pub fn shiviz(bytes: &[u8]) {
    log(LogFormat::Shiviz, bytes);
}

/// JSON Lines of steps with packets.
pub fn clocks(bytes: &[u8]) {
    log(LogFormat::Clocks, bytes);
}

/// Whatever can be read is judged under every profile, and by Jepsen's rules; two verdicts are equal.
pub fn judge(bytes: &[u8]) {
    let history = match LogFormat::of(bytes) {
        Some(format) => format.read(bytes),
        None => History::read(bytes),
    };
    if let Ok(history) = history {
        judged(&history);
    }
}

fn log(format: LogFormat, bytes: &[u8]) {
    let _ = LogFormat::of(bytes);
    if let Some(history) = sound(format.read(bytes)) {
        assert!(history.ops.is_sorted_by(|one, next| one.line < next.line), "lines rise");
        judged(&history);
    }
}

fn judged(history: &History) {
    for profile in Profile::all() {
        let verdict = judge_history(history, profile.clone());
        assert!(report::text(&verdict, "fuzz").ends_with('\n'));
        assert_eq!(verdict, judge_history(history, profile.clone()), "two verdicts of one history");
        // A window that nothing leaves judges the whole; a small one judges what it can.
        if let Ok(same) = windowed(history, profile, u64::MAX) {
            assert_eq!(verdict, same, "the verdict of one window");
        }
        if let Ok(verdict) = windowed(history, profile, 3) {
            assert!(report::text(&verdict, "fuzz").ends_with('\n'));
        }
    }
    let by_jepsens_rules =
        || jepsen::check(&history.ops, jepsen::Policy { ww_deps: true, ..Default::default() });
    assert_eq!(by_jepsens_rules(), by_jepsens_rules());
}

fn windowed(history: &History, profile: &Profile, window: u64) -> Result<Verdict, WindowError> {
    let mut judge = Windowed::new(&history.header, Some(profile.clone()), window)?;
    history.ops.iter().try_for_each(|op| judge.observe(op.clone()))?;
    Ok(judge.finish())
}

/// What was read, if it was; an error has a line and says something.
fn sound(read: Result<History, ReadError>) -> Option<History> {
    match read {
        Ok(history) => Some(history),
        Err(error) => {
            assert!(error.line > 0 && !error.kind.to_string().is_empty(), "{error:?}");
            None
        }
    }
}

/// Both encodings hold all of it.
fn survives(read: Result<History, ReadError>) {
    let Some(history) = sound(read) else { return };
    assert!(history.ops.is_sorted_by(|one, next| one.line < next.line), "lines rise");
    let mut json = Vec::new();
    write_jsonl(&mut json, &history).expect("memory can be written");
    let from_json = History::read(json.as_slice());
    let from_json = from_json.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&json)));
    let mut form = Vec::new();
    write_edn(&mut form, &from_json).expect("memory can be written");
    let from_edn = History::read(form.as_slice());
    let from_edn = from_edn.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&form)));
    assert_eq!(from_edn.header, from_json.header);
    assert_eq!(unplaced(from_edn.ops), unplaced(from_json.ops), "{}", String::from_utf8_lossy(&form));
}

fn unplaced(mut ops: Vec<Op>) -> Vec<Op> {
    ops.iter_mut().for_each(|op| op.line = 0);
    ops
}
