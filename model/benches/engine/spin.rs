//! SPIN: a specification becomes a program in C, which explores it.

use std::path::Path;
use std::process::Command;

use crate::peer::{figure_before, is_there, said, scratch, timed};
use crate::row::Row;

/// Explores everything: without partial-order reduction, past errors (`-c0`), with all variables (`-o2`), which else
/// leave the state where nobody reads them. Making the program takes longer than running it, and is not measured.
pub(crate) fn explore(
    specification: &Path,
    defines: &[&str],
) -> Result<Vec<(&'static str, Row)>, &'static str> {
    if !is_there("spin", "-V") || !is_there("gcc", "--version") {
        return Err("it needs spin and gcc (`apt-get install spin gcc`)");
    }
    let folder = scratch("spin");
    let defines = defines.iter().map(|define| format!("-D{define}"));
    said(Command::new("spin").arg("-o2").args(defines).arg("-a").arg(specification).current_dir(&folder));
    said(
        Command::new("gcc")
            .args(["-w", "-O2", "-DNOREDUCE", "-DSAFETY", "-o", "pan", "pan.c"])
            .current_dir(&folder),
    );
    let (text, seconds, processor_seconds) =
        timed(Command::new(folder.join("pan")).args(["-q", "-c0"]).current_dir(&folder));
    assert!(!text.contains("max search depth too small"), "{text}");
    const MEGABYTE: f64 = 1024.0 * 1024.0;
    let row = Row {
        states: figure_before(&text, " states, stored") as usize,
        generated: figure_before(&text, " transitions (= stored+matched)") as usize,
        seconds,
        processor_seconds,
        bytes: Some(figure_before(&text, "\ttotal actual memory usage") * MEGABYTE),
    };
    Ok(vec![("SPIN", row)])
}
