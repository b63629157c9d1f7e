//! Builds other test targets: of this package, and of the package in this folder with a configuration of their own.

#![allow(dead_code, unreachable_pub, reason = "each test that uses it uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A test target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `tests/o1_core_refines_law.rs`.
    CoreRefinesLaw,
    /// `tests/o3_crash.rs`.
    CrashLosesNothing,
    /// `tests/nested/loom.rs`, with its configuration.
    Loom,
    /// `tests/nested/shuttle.rs`, with its configuration.
    Shuttle,
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Target::CoreRefinesLaw => "o1_core_refines_law",
            Target::CrashLosesNothing => "o3_crash",
            Target::Loom => "loom",
            Target::Shuttle => "shuttle",
        }
    }

    /// The folder inside the target folder, and the flags, of a target with a configuration of its own.
    fn configuration(self) -> Option<(&'static str, &'static str)> {
        match self {
            Target::CoreRefinesLaw | Target::CrashLosesNothing => None,
            Target::Loom => Some(("loom", "--cfg lawspeaker_loom")),
            Target::Shuttle => Some(("shuttle", "--cfg lawspeaker_shuttle")),
        }
    }
}

/// Builds the target if it is not fresh, and returns its executable.
pub fn build(target: Target) -> PathBuf {
    let target_folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("`tmp` lies in the target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--no-run", "--message-format=json-render-diagnostics", "--test", target.name()]);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    match target.configuration() {
        Some((folder, flags)) => {
            cargo.args(["--package", "lawspeaker-nested"]);
            cargo.arg("--target-dir").arg(target_folder.join(folder)).env("RUSTFLAGS", flags);
            cargo.env_remove("CARGO_ENCODED_RUSTFLAGS");
        }
        None => drop(cargo.arg("--target-dir").arg(target_folder)),
    }
    let built = cargo.output().expect("cargo can be run");
    assert!(built.status.success(), "`{}` does not build", target.name());
    let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
    messages.lines().find_map(|message| executable(message, target)).expect("cargo names the executable")
}

fn executable(message: &str, target: Target) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_target = message["target"]["name"] == target.name();
    message["executable"].as_str().filter(|_| is_target).map(PathBuf::from)
}
