//! Judges history files, plain or gzip: `cargo run -p lawspeaker-oracle --example judge -- FILE…`.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use lawspeaker_history::Reader;
use lawspeaker_oracle::{Judge, report};

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let file = BufReader::new(File::open(&path)?);
        let input: Box<dyn BufRead> = if path.ends_with(".gz") {
            Box::new(BufReader::new(flate2::bufread::GzDecoder::new(file)))
        } else {
            Box::new(file)
        };
        let mut reader = Reader::new(input)?;
        let mut judge = Judge::guessing();
        judge.header(reader.header());
        for op in &mut reader {
            judge.observe(&op?);
        }
        std::io::stdout().write_all(report::text(&judge.finish(), &path).as_bytes())?;
    }
    Ok(())
}
