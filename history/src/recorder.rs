//! How a running system writes a history.

use std::fmt;
use std::fs::{self, File};
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
    /// What the recording had lasted before, in nanoseconds.
    before_ns: u64,
    sink: Mutex<Sink>,
}

#[derive(Debug)]
struct Sink {
    file: BufWriter<File>,
    op_count: u64,
    /// Whether each line goes to the operating system at once.
    is_unbuffered: bool,
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
        let sink = Sink { file, op_count: 0, is_unbuffered: false, error: None };
        Ok(FileRecorder { started: Instant::now(), before_ns: 0, sink: Mutex::new(sink) })
    }

    /// Goes on with the history at `path`, or begins it with the header if there is none: for a system that is killed
    /// and started again. Each op is with the operating system when [`record`](Recorder::record) returns, so a process
    /// that is killed loses none; a last line that was cut off is dropped here. Time goes on where it stopped. O(length
    /// of the file).
    ///
    /// # Errors
    /// What the file system says; [`io::ErrorKind::InvalidData`] if the last line is none of a history.
    pub fn append(path: impl AsRef<Path>, header: &Header) -> io::Result<Self> {
        let path = path.as_ref();
        let is_new = fs::metadata(path).map_or(true, |metadata| metadata.len() == 0);
        let recorder = if is_new { Self::create(path, header)? } else { Self::resume(path)? };
        {
            let mut sink = recorder.sink.lock().unwrap_or_else(PoisonError::into_inner);
            sink.is_unbuffered = true;
            sink.file.flush()?;
        }
        Ok(recorder)
    }

    fn resume(path: &Path) -> io::Result<Self> {
        let written = fs::read(path)?;
        let whole = written.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = written[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let damaged = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let last = lines
            .next_back()
            .ok_or_else(|| damaged("the history has no whole line: remove it".to_owned()))?;
        let last: serde_json::Value = serde_json::from_slice(last)
            .map_err(|error| damaged(format!("the last line of the history cannot be read: {error}")))?;
        let file = File::options().append(true).open(path)?;
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
        // The header has no index.
        let op_count = last["index"].as_u64().map_or(0, |index| index + 1);
        let sink = Sink { file: BufWriter::new(file), op_count, is_unbuffered: true, error: None };
        let before_ns = last["time"].as_u64().unwrap_or(0);
        Ok(FileRecorder { started: Instant::now(), before_ns, sink: Mutex::new(sink) })
    }

    /// How many ops the history holds.
    pub fn op_count(&self) -> u64 {
        self.sink.lock().unwrap_or_else(PoisonError::into_inner).op_count
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
        let elapsed_ns = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        op.time_ns = Some(self.before_ns.saturating_add(elapsed_ns));
        let line = format!("{}\n", crate::jsonl::op_to_line(&op));
        let written = match sink.is_unbuffered {
            true => sink.file.get_mut().write_all(line.as_bytes()),
            false => sink.file.write_all(line.as_bytes()),
        };
        sink.op_count += 1;
        sink.error = written.err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Call, OpType};

    fn crash(recorder: &FileRecorder, process: &str) {
        recorder.record(Op::new(process, OpType::Info, Call::Crash));
    }

    #[test]
    fn a_history_goes_on_behind_its_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let header = Header { profile: Some("saga".into()), ..Header::default() };
        let recorder = FileRecorder::append(&path, &header).unwrap();
        crash(&recorder, "a");
        crash(&recorder, "b");
        // Nothing is flushed: the process is killed, while it writes a line.
        std::mem::forget(recorder);
        File::options().append(true).open(&path).unwrap().write_all(b"{\"index\":2,\"pro").unwrap();
        for process in ["c", "d"] {
            let recorder = FileRecorder::append(&path, &Header::default()).unwrap();
            crash(&recorder, process);
        }
        let history = History::read(io::BufReader::new(File::open(&path).unwrap())).unwrap();
        assert_eq!(history.header.profile.as_deref(), Some("saga"));
        let ops: Vec<_> = history.ops.iter().map(|op| (op.index, op.process.to_string())).collect();
        assert_eq!(ops, [(0, "a".into()), (1, "b".into()), (2, "c".into()), (3, "d".into())]);
        assert!(history.ops.is_sorted_by_key(|op| op.time_ns));
    }

    #[test]
    fn what_is_no_history_does_not_go_on() {
        let folder = tempfile::tempdir().unwrap();
        for (text, why) in [("{", "no whole line"), ("not a line\n", "cannot be read")] {
            let path = folder.path().join("history.jsonl");
            fs::write(&path, text).unwrap();
            let error = FileRecorder::append(&path, &Header::default()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
