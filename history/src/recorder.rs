//! How a running system writes a history.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::{Header, History, Op, write_jsonl};

/// Takes ops as they happen. Call it inside the critical section that makes the op happen, so that the order of
/// the history is the order of the linearization points; it uses a plain standard mutex, which adds no
/// interleavings under loom.
pub trait Recorder: Send + Sync + fmt::Debug {
    /// Takes one op; its place in the history is given here.
    fn record(&self, op: Op);
}

/// Records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRecorder;

impl Recorder for NoRecorder {
    fn record(&self, _op: Op) {}
}

/// Keeps the history in memory. Time is the place of the op, so that two equal runs record the same.
#[derive(Debug, Default)]
pub struct MemoryRecorder {
    ops: Mutex<Vec<Op>>,
}

impl MemoryRecorder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was recorded so far.
    pub fn history(&self) -> History {
        History::of(self.ops.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Recorder for MemoryRecorder {
    fn record(&self, mut op: Op) {
        let mut ops = self.ops.lock().unwrap_or_else(PoisonError::into_inner);
        op.time_ns = Some(ops.len() as u64);
        ops.push(op);
    }
}

/// Writes JSON Lines to a file, in whole lines; time is nanoseconds since the file was created.
#[derive(Debug)]
pub struct FileRecorder {
    started: Instant,
    sink: Mutex<Sink>,
}

#[derive(Debug)]
struct Sink {
    file: BufWriter<File>,
    op_count: u64,
    error: Option<io::Error>,
}

impl FileRecorder {
    /// Creates or replaces the file at `path` and writes the header.
    ///
    /// # Errors
    /// What the file system says.
    pub fn create(path: impl AsRef<Path>, header: &Header) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        write_jsonl(&mut file, &History { header: header.clone(), ops: Vec::new() })?;
        Ok(FileRecorder {
            started: Instant::now(),
            sink: Mutex::new(Sink { file, op_count: 0, error: None }),
        })
    }

    /// Writes what is buffered. Call it at the end: a recorder that is dropped flushes too, but cannot complain.
    ///
    /// # Errors
    /// The first error since the file was created, or of this flush.
    pub fn finish(&self) -> io::Result<()> {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        match sink.error.take() {
            Some(error) => Err(error),
            None => sink.file.flush(),
        }
    }
}

impl Recorder for FileRecorder {
    fn record(&self, mut op: Op) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if sink.error.is_some() {
            return;
        }
        op.index = sink.op_count;
        op.time_ns = Some(u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX));
        let line = crate::jsonl::op_to_line(&op);
        let written = writeln!(sink.file, "{line}");
        sink.op_count += 1;
        sink.error = written.err();
    }
}
