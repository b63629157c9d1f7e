//! Opening histories: files or standard input, plain or gzip, in any format that is read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use lawspeaker_history::{Header, History, LogFormat, Op, ReadError, Reader};

use crate::args::From;

/// The first two bytes of every gzip stream (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("{0}")]
    Open(#[from] io::Error),
    #[error("{0}")]
    Read(#[from] ReadError),
}

/// A history on its way: what it says of itself, and its ops one by one.
pub(crate) struct Ops {
    pub(crate) header: Header,
    pub(crate) ops: Box<dyn Iterator<Item = Result<Op, ReadError>>>,
}

/// What a history is called in reports: its path, or `stdin`.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Opens a history; `-` is standard input. Its format is the one asked for, or else told by its name and its beginning.
pub(crate) fn read(path: &Path, from: Option<From>) -> Result<Ops, InputError> {
    let mut input = open(path)?;
    let log = match from {
        Some(From::Shiviz) => Some(LogFormat::Shiviz),
        Some(From::Clocks) => Some(LogFormat::Clocks),
        Some(From::History | From::Edn) => None,
        None if is_named_edn(path) => None,
        None => LogFormat::of(input.fill_buf()?),
    };
    if let Some(log) = log {
        let History { header, ops } = log.read(input)?;
        return Ok(Ops { header, ops: Box::new(ops.into_iter().map(Ok)) });
    }
    let is_edn = from == Some(From::Edn) || from.is_none() && is_named_edn(path);
    let reader = if is_edn { Reader::edn(input)? } else { Reader::new(input)? };
    Ok(Ops { header: reader.header().clone(), ops: Box::new(reader) })
}

fn is_named_edn(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.ends_with(".edn") || name.ends_with(".edn.gz")
}

/// Opens a file for reading. Gzip is told by its first bytes, not by the name.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path)?))
    };
    let is_gzip = input.fill_buf()?.starts_with(&GZIP_MAGIC);
    let input: Box<dyn BufRead> =
        if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { input };
    Ok(Box::new(Counted(input)))
}

static BYTES_READ: AtomicU64 = AtomicU64::new(0);

/// How many bytes of all histories were taken so far, unpacked.
pub(crate) fn bytes_read() -> u64 {
    BYTES_READ.load(Ordering::Relaxed)
}

/// Counts what is taken.
struct Counted<R>(R);

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(bytes)?;
        BYTES_READ.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        BYTES_READ.fetch_add(count as u64, Ordering::Relaxed);
        self.0.consume(count);
    }
}
