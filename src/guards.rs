//! `lawspeaker guards`: which guard upholds which guarantee.

use lawspeaker_model::matrix::Matrix;
use serde::Serialize;

use crate::args::{Format, GuardsArgs};
use crate::exit::Exit;
use crate::output::{complain, print, print_json};
use crate::progress::{ProgressLine, is_interrupted, stop_on_interrupt};
use crate::request::{explained, models, options};

#[derive(Serialize)]
struct Run {
    schema: &'static str,
    matrices: Vec<Matrix>,
}

pub(crate) fn run(args: &GuardsArgs) -> Exit {
    let entries = match models(args.model.as_deref()) {
        Ok(entries) => entries,
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    stop_on_interrupt();
    let mut matrices: Vec<Matrix> = Vec::new();
    for entry in entries {
        let mut line = ProgressLine::new(args.bounds.max_memory);
        let bounds = &args.bounds;
        let observe = &mut |progress| line.observe(progress);
        let matrix = match Matrix::compute(entry, bounds.bounds.into(), &bounds.set, options(bounds), observe)
        {
            Ok(matrix) => matrix,
            Err(error) => {
                complain(&explained(&error));
                return Exit::Usage;
            }
        };
        line.finish();
        if bounds.format == Format::Text {
            let gap = if matrices.is_empty() { "" } else { "\n" };
            print(&format!("{gap}{}", matrix.text()));
        }
        matrices.push(matrix);
        if is_interrupted() {
            return Exit::Interrupted;
        }
    }
    let exit = matrices.iter().map(|matrix| Exit::from(matrix.outcome())).fold(Exit::Holds, Exit::and);
    if args.bounds.format == Format::Json {
        print_json(&Run { schema: "lawspeaker.guards-run/1", matrices });
    }
    exit
}
