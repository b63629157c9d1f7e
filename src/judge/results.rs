//! What a run of `judge` writes, and where to.

use std::path::{Path, PathBuf};

use lawspeaker_oracle::Outcome;
use lawspeaker_oracle::report::{self, Judged, Unread};
use serde::Serialize;
use serde_json::Value;

use crate::args::{ResultArgs, Shape};
use crate::exit::Exit;
use crate::output::{print, print_json, write_file};

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    /// That of the worst input.
    outcome: &'static str,
    /// What the process ends with, unless stdout itself cannot be written.
    exit_code: u8,
    verdicts: Vec<Value>,
    errors: Vec<NotRead>,
}

/// An input that could not be read.
#[derive(Debug, Serialize)]
pub(super) struct NotRead {
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    message: String,
}

impl NotRead {
    pub(super) fn of(source: &str, unread: &Unread) -> Self {
        NotRead { source: source.to_owned(), line: unread.line, message: unread.message.clone() }
    }
}

/// What a run comes to: a violation outranks an input that cannot be read, and that one which decides nothing.
fn outcome(run: &[Judged]) -> &'static str {
    let is_any = |wanted: Outcome| {
        run.iter().any(|judged| judged.result.as_ref().is_ok_and(|verdict| verdict.outcome == wanted))
    };
    if is_any(Outcome::Violated) {
        "violated"
    } else if run.iter().any(|judged| judged.result.is_err()) {
        "unreadable"
    } else if is_any(Outcome::Inconclusive) {
        "inconclusive"
    } else {
        "conforms"
    }
}

/// Where each result goes.
#[derive(Debug)]
pub(super) struct Results {
    /// What stdout gets.
    pub(super) stdout: Shape,
    files: Vec<(Shape, PathBuf)>,
}

impl Results {
    /// What the command line asks for.
    ///
    /// # Errors
    /// A usage error in words: stdout, or one file, cannot get two results.
    pub(super) fn asked(args: &ResultArgs) -> Result<Self, String> {
        let asked = [
            ("--junit", Shape::Junit, &args.junit),
            ("--sarif", Shape::Sarif, &args.sarif),
            ("--markdown", Shape::Markdown, &args.markdown),
            ("--report", Shape::Html, &args.report),
        ];
        let mut stdout = args.format.map(|format| ("--format", format));
        let mut files: Vec<(Shape, PathBuf)> = Vec::new();
        for (flag, shape, path) in
            asked.iter().flat_map(|(flag, shape, paths)| paths.iter().map(move |path| (*flag, *shape, path)))
        {
            if path != Path::new("-") {
                if files.iter().any(|(_, taken)| taken == path) {
                    return Err(format!("{} cannot hold two results: name another file", path.display()));
                }
                files.push((shape, path.clone()));
            } else if let Some((taken, _)) = stdout.filter(|(_, other)| *other != shape) {
                return Err(format!(
                    "stdout cannot get two results, of {taken} and of {flag} -: name a file"
                ));
            } else {
                stdout = Some((flag, shape));
            }
        }
        Ok(Results { stdout: stdout.map_or(Shape::Text, |(_, shape)| shape), files })
    }

    /// Whether anything is written that shows the history itself.
    pub(super) fn show_history(&self) -> bool {
        self.stdout == Shape::Html || self.files.iter().any(|(shape, _)| *shape == Shape::Html)
    }

    /// Whether files are written, or a result that is made at the end.
    pub(super) fn are_kept(&self) -> bool {
        self.stdout != Shape::Text || !self.files.is_empty()
    }

    /// Writes everything but the text, which was printed as it came; `exit` is what the inputs came to.
    pub(super) fn write(&self, run: &[Judged], exit: Exit) -> Exit {
        let mut exit = exit;
        for (shape, path) in &self.files {
            if let Err(error) = write_file(path, told(*shape, run).as_bytes()) {
                exit = exit.and(crate::export::unwritten(Some(path), &error));
            }
        }
        match self.stdout {
            Shape::Text => {}
            Shape::Json => print_json(&as_json(run, exit)),
            shape => print(&told(shape, run)),
        }
        exit
    }
}

fn as_json(run: &[Judged], exit: Exit) -> Run {
    let (mut verdicts, mut errors) = (Vec::new(), Vec::new());
    for Judged { source, result, .. } in run {
        match result {
            Ok(verdict) => verdicts.push(report::json(verdict, source)),
            Err(unread) => errors.push(NotRead::of(source, unread)),
        }
    }
    Run { schema: "lawspeaker.judge-run/1", outcome: outcome(run), exit_code: exit as u8, verdicts, errors }
}

fn told(shape: Shape, run: &[Judged]) -> String {
    match shape {
        Shape::Junit => report::junit(run),
        Shape::Sarif => format!("{:#}\n", report::sarif(run)),
        Shape::Markdown => report::markdown(run),
        Shape::Html => report::html(run),
        Shape::Text | Shape::Json => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(format: Option<Shape>, junit: &[&str], sarif: &[&str]) -> Result<Results, String> {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect();
        let (markdown, report, witness) = (Vec::new(), Vec::new(), None);
        Results::asked(&ResultArgs {
            format,
            junit: paths(junit),
            sarif: paths(sarif),
            markdown,
            report,
            witness,
        })
    }

    #[test]
    fn a_dash_is_stdout_and_stdout_gets_one_result() {
        assert_eq!(asked(None, &[], &[]).unwrap().stdout, Shape::Text);
        assert_eq!(asked(None, &["-"], &["a.sarif"]).unwrap().stdout, Shape::Junit);
        assert_eq!(asked(Some(Shape::Junit), &["-", "b.xml"], &[]).unwrap().files.len(), 1);
        let error = asked(Some(Shape::Json), &["-"], &[]).unwrap_err();
        assert_eq!(error, "stdout cannot get two results, of --format and of --junit -: name a file");
        assert!(asked(None, &["-"], &["-"]).is_err());
    }

    #[test]
    fn one_file_gets_one_result() {
        assert!(asked(None, &["a"], &["a"]).unwrap_err().starts_with("a cannot hold two results"));
        assert_eq!(asked(None, &["a", "b"], &[]).unwrap().files.len(), 2);
    }
}
