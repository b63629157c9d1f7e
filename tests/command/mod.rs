//! The command as a process, for the tests that meet it as its users do.

use std::process::{Command, Output, Stdio};

/// Runs `lawspeaker` from the root of the project, with nothing on its standard input.
pub(crate) fn lawspeaker(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lawspeaker"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.output().expect("lawspeaker can be run")
}

/// The exit code.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("lawspeaker ends by itself")
}

/// What it printed.
pub(crate) fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("stdout is text")
}

/// What it complained of.
pub(crate) fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("stderr is text")
}
