//! The oracle against its corpus, real recordings, and histories that nobody thought of.

mod broadcast;
mod brute;
mod causal;
mod clocked;
mod corpus;
mod extremes;
mod fuzz;
mod injected;
mod jepsen;
mod random;
mod recorded;
mod recorders;
mod reports;
mod sagas;
mod window;
mod witness;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use lawspeaker_history::{History, Reader};
use lawspeaker_oracle::{Anomaly, Checked, Judge, Verdict};

/// The folder of history files that the whole workspace shares.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/histories")
}

fn read(path: &Path) -> History {
    let file = BufReader::new(File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    let input: Box<dyn BufRead> = match path.extension() {
        Some(extension) if extension == "gz" => {
            Box::new(BufReader::new(flate2::bufread::GzDecoder::new(file)))
        }
        _ => Box::new(file),
    };
    History::read(input).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Judged under the profile of the header, or a guessed one, without some of the checks.
fn judge_without(history: &History, disabled: &[Anomaly]) -> Verdict {
    let mut judge = disabled.iter().fold(Judge::guessing(), |judge, anomaly| judge.without(*anomaly));
    judge.header(&history.header);
    history.ops.iter().for_each(|op| judge.observe(op));
    judge.finish()
}

/// On how many observations each check rests, and on what of them where it had a choice.
fn checked(verdict: &Verdict) -> String {
    let counted = |checked: &Checked| {
        let basis = checked.basis.as_ref().map_or_else(String::new, |basis| format!(" of {basis}"));
        format!("{} {}{basis}", checked.anomaly, checked.observations)
    };
    verdict.checked.iter().map(counted).collect::<Vec<_>>().join(", ")
}

/// Judged as the command does it: op by op, under the profile of the header or a guessed one.
fn judge_text(text: &str) -> Verdict {
    let mut reader = Reader::new(text.as_bytes()).expect("the header can be read");
    let mut judge = Judge::guessing();
    judge.header(reader.header());
    reader.by_ref().for_each(|op| judge.observe(&op.expect("the line can be read")));
    judge.finish()
}
