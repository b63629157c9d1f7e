//! The directory of witnesses: a history a root cause, and an index by which we know it again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lawspeaker_oracle::Verdict;
use lawspeaker_oracle::witness::Witness;
use serde::{Deserialize, Serialize};

use crate::output::write_file;

const SCHEMA: &str = "lawspeaker.witnesses/1";
const INDEX: &str = "index.json";

/// Why witnesses cannot be written there.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    #[error("{0} cannot be used: {1}")]
    Io(String, io::Error),
    #[error("{0} is not empty and holds no witnesses: name another directory, or one that is not there yet")]
    NotOurs(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Index {
    schema: String,
    witnesses: Vec<Entry>,
}

/// What the index says of one witness.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    file: String,
    source: String,
    finding: usize,
    anomaly: String,
    guarantee: String,
    summary: String,
    calls: usize,
    /// The lines of the source that are left.
    source_lines: Vec<u64>,
    minimal: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    index: Index,
}

impl Folder {
    /// A directory that is empty, missing, or ours; of ours, the witnesses of the earlier run are removed.
    pub(super) fn open(path: &Path) -> Result<Self, FolderError> {
        let failed = |error| FolderError::Io(path.display().to_string(), error);
        let index = Index { schema: SCHEMA.to_owned(), witnesses: Vec::new() };
        let folder = Folder { path: path.to_owned(), index };
        fs::create_dir_all(path).map_err(failed)?;
        let is_empty = fs::read_dir(path).map_err(failed)?.next().is_none();
        if !is_empty {
            let earlier = folder.earlier().ok_or_else(|| FolderError::NotOurs(path.display().to_string()))?;
            for name in earlier.witnesses.iter().map(|entry| &entry.file).filter(|name| is_ours(name)) {
                match fs::remove_file(path.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                    _ => {}
                }
            }
        }
        folder.write_index().map_err(failed)?;
        Ok(folder)
    }

    /// Writes a witness, and then the index that names it: whenever this ends, every file is whole.
    pub(super) fn add(
        &mut self,
        witness: &Witness,
        verdict: &Verdict,
        source: &str,
    ) -> Result<(), FolderError> {
        let file = format!("{:02}-{}.jsonl", self.index.witnesses.len() + 1, witness.anomaly);
        let finding = verdict.finding(witness.finding);
        let mut bytes = Vec::new();
        lawspeaker_history::write_jsonl(&mut bytes, &witness.history)
            .and_then(|()| write_file(&self.path.join(&file), &bytes))
            .map_err(|error| FolderError::Io(self.path.join(&file).display().to_string(), error))?;
        self.index.witnesses.push(Entry {
            file,
            source: source.to_owned(),
            finding: witness.finding,
            anomaly: witness.anomaly.to_string(),
            guarantee: witness.anomaly.guarantee().to_string(),
            summary: finding.map(|finding| finding.summary.clone()).unwrap_or_default(),
            calls: witness.call_count(),
            source_lines: witness.source_lines(),
            minimal: witness.is_minimal,
            note: (!witness.is_minimal).then(|| "not minimal: limit reached".to_owned()),
        });
        self.write_index()
            .map_err(|error| FolderError::Io(self.path.join(INDEX).display().to_string(), error))
    }

    fn earlier(&self) -> Option<Index> {
        let text = fs::read(self.path.join(INDEX)).ok()?;
        serde_json::from_slice(&text).ok().filter(|index: &Index| index.schema == SCHEMA)
    }

    fn write_index(&self) -> io::Result<()> {
        let text = serde_json::to_string_pretty(&self.index).map_err(io::Error::other)?;
        write_file(&self.path.join(INDEX), (text + "\n").as_bytes())
    }
}

/// A name that `add` gives: an index that was tampered with removes nothing else.
fn is_ours(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    is_plain && name.ends_with(".jsonl") && name.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_names_that_we_give_are_removed() {
        assert!(is_ours("01-lost-write.jsonl") && is_ours("123-G1a.jsonl"));
        for other in ["../01-a.jsonl", "index.json", "/etc/passwd", "a.jsonl", "01-a.jsonl/.."] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
