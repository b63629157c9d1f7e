//! Opening histories: files or standard input, plain or gzip.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// The first two bytes of every gzip stream (RFC 1952).
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What a history is called in reports: its path, or `stdin`.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Opens a history for reading; `-` is standard input. Gzip is told by its first bytes, not by the name.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    let mut input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        Box::new(BufReader::new(File::open(path)?))
    };
    let is_gzip = input.fill_buf()?.starts_with(&GZIP_MAGIC);
    Ok(if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { input })
}
