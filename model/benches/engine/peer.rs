//! The checkers of others that are programs of their own, on twins of our models.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::row::Row;
use crate::usage::processor_seconds_of_children;
use crate::{spin, tlc};

/// A twin of a model, in the language of another checker.
pub(crate) enum Twin {
    /// A file in Promela, and what is defined in it.
    Promela(&'static str, &'static [&'static str]),
    /// A module in TLA+ and its configuration, both in `specs/`, and constants that differ.
    Tla(&'static str, &'static str, &'static [(&'static str, u8)]),
}

impl Twin {
    pub(crate) fn checker(&self) -> &'static str {
        match self {
            Twin::Promela(..) => "SPIN",
            Twin::Tla(..) => "TLC",
        }
    }

    /// Explores everything; a row for each way to look at it, the one to compare with first. Where the checker is not
    /// here: what it needs.
    pub(crate) fn explore(&self) -> Result<Vec<(&'static str, Row)>, &'static str> {
        match self {
            Twin::Promela(file, defines) => spin::explore(&root().join(file), defines),
            Twin::Tla(module, configuration, constants) => tlc::explore(module, configuration, constants),
        }
    }
}

/// Where the workspace is.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// An empty folder for what a checker writes.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It may not be there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("there is room for a folder");
    folder
}

pub(crate) fn is_there(tool: &str, version: &str) -> bool {
    Command::new(tool).arg(version).output().is_ok_and(|output| output.status.success())
}

/// What a command says, where it succeeds.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().expect("the command can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// What a command says and how long it takes: by the clock, and on processors.
pub(crate) fn timed(command: &mut Command) -> (String, f64, f64) {
    let (started, before) = (Instant::now(), processor_seconds_of_children());
    let text = said(command);
    (text, started.elapsed().as_secs_f64(), processor_seconds_of_children() - before)
}

/// The number before `words`, where they stand last.
pub(crate) fn figure_before(text: &str, words: &str) -> f64 {
    let before = text.rsplit_once(words).map(|(before, _)| before.trim_end());
    let number = before.and_then(|before| before.rsplit([' ', '\t', '\n']).next());
    number
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no number before {words}: {text}"))
}
