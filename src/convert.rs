//! `lawspeaker convert`: the same history, written down in the other way.

use std::path::Path;

use lawspeaker_history::Encoding;

use crate::args::ConvertArgs;
use crate::exit::Exit;
use crate::input::{self, InputError, Ops};
use crate::output::{Sink, complain};

/// Why a history was not converted.
#[derive(Debug, thiserror::Error)]
enum ConvertError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("the result cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

pub(crate) fn run(args: &ConvertArgs) -> Exit {
    let name = input::name(&args.file);
    match convert(args, &args.file) {
        Ok(()) => Exit::Holds,
        Err(ConvertError::Output(error)) => crate::export::unwritten(args.output.as_deref(), &error),
        Err(error) => {
            complain(&format!("{name}: {error}"));
            Exit::Input
        }
    }
}

/// One op at a time, so that memory does not follow the length of the history.
fn convert(args: &ConvertArgs, path: &Path) -> Result<(), ConvertError> {
    let Ops { header, ops } = input::read(path, args.from)?;
    let encoding = Encoding::from(args.to);
    let mut sink = Sink::new(args.output.as_deref());
    encoding.write_header(&mut sink, &header)?;
    for op in ops {
        encoding.write_op(&mut sink, &op.map_err(InputError::from)?)?;
    }
    Ok(sink.finish()?)
}
