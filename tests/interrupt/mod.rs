//! Ctrl-C, as a terminal sends it.

use std::process::{Child, Command};

/// Sends the signal that Ctrl-C sends.
pub(crate) fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill can be run").success());
}
