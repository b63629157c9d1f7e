//! The recorders of `docs/recorders/`: what each writes is read, and judged for what it is.
//!
//! A recorder whose language is not on this machine is skipped, with a line that says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lawspeaker_history::{Call, History, OpType};
use lawspeaker_oracle::{Anomaly, assert_conforms, assert_finds};

use crate::read;

/// Runs the demonstration of a recorder; `None` if the first word of `command` is no program here, or does not know the
/// option that it needs.
fn demo(command: &[&str], file: &str) -> Option<History> {
    let recorder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recorders").join(file);
    let written = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{file}.jsonl"));
    let (program, options) = command.split_first().expect("a command has a program");
    let mut probe = Command::new(program);
    // With the options and without a script, an interpreter tells whether it knows them.
    let known = probe.args(&options[..options.len().min(1)]).arg("--version");
    if !known.stdin(Stdio::null()).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `{}` does not run here, so {file} was not tried", command.join(" "));
        return None;
    }
    let output = Command::new(program).args(options).arg(&recorder).arg(&written).output();
    let output = output.expect("the program ran a moment ago");
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    Some(read(&written))
}

fn check(command: &[&str], file: &str) {
    let Some(history) = demo(command, file) else { return };
    assert_eq!(history.ops.len(), 10, "{file}");
    assert!(
        history.ops.iter().all(|op| op.time_ns.is_some() && !matches!(op.call, Call::Other { .. })),
        "{file}"
    );
    let keys = history.ops.iter().filter(|op| op.x.key.as_deref() == Some("k")).count();
    let groups = history.ops.iter().filter(|op| op.x.group.is_some()).count();
    assert_eq!((keys, groups), (6, 4), "{file}");
    let profile = history.header.profile.as_deref().expect("a recorder names a profile");
    assert_conforms(&history, profile);
    // And what it writes is no mere decoration: without the second acknowledged event, the reader has missed it.
    let mut lossy = history.clone();
    let poll = lossy.ops.iter_mut().find(|op| op.op_type == OpType::Ok && matches!(op.call, Call::Poll(_)));
    if let Some(Call::Poll(batches)) = poll.map(|op| &mut op.call) {
        batches[0].records.remove(1);
    }
    assert_finds(&lossy, profile, Anomaly::LostWrite);
}

#[test]
fn the_recorder_in_python_writes_what_is_judged() {
    check(&["python3"], "recorder.py");
}

#[test]
fn the_recorder_in_go_writes_what_is_judged() {
    if Command::new("go").arg("version").stdin(Stdio::null()).output().is_err() {
        println!("skipped: `go` does not run here, so recorder.go was not tried");
        return;
    }
    let written = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("recorder.go.jsonl");
    let recorder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recorders/recorder.go");
    let output = Command::new("go").arg("run").arg(&recorder).arg(&written).output().expect("go runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_conforms(&read(&written), "kafka");
}

#[test]
fn the_recorder_in_java_writes_what_is_judged() {
    check(&["java"], "Recorder.java");
}

#[test]
fn the_recorder_in_typescript_writes_what_is_judged() {
    check(&["node", "--experimental-strip-types"], "recorder.ts");
}
