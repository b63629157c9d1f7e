//! Writing results and complaints.

mod sink;

pub(crate) use sink::{Sink, write_file};

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

static HAS_FAILED: AtomicBool = AtomicBool::new(false);

/// Whether a result could not be written.
pub(crate) fn has_failed() -> bool {
    HAS_FAILED.load(Ordering::Relaxed)
}

/// Writes a result to stdout. A reader that went away, such as `head`, is no error.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        HAS_FAILED.store(true, Ordering::Relaxed);
        complain(&format!("stdout cannot be written: {error}"));
    }
}

/// Writes a result to stdout as one JSON object.
pub(crate) fn print_json(result: &impl Serialize) {
    let text = serde_json::to_string_pretty(result).expect("reports have text keys only");
    print(&(text + "\n"));
}

/// Writes a complaint to stderr.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "lawspeaker: {text}");
}
