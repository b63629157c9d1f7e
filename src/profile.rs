//! `--profile`: the name of a profile that is built in, or the path of a file.

use std::fs;

use lawspeaker_oracle::{Profile, ProfileError, UnknownProfileError};

use crate::exit::Exit;
use crate::suggest::hint;

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChoiceError {
    #[error("{0}{1}; a file is named with its folder or its ending, such as ./mine.toml")]
    Unknown(UnknownProfileError, String),
    #[error("{path}: {error}")]
    Open { path: String, error: std::io::Error },
    #[error("{path}: {error}")]
    Read { path: String, error: ProfileError },
}

impl ChoiceError {
    /// A name that is unknown is a mistake in the command, a file that means nothing one in the input.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            ChoiceError::Unknown(..) => Exit::Usage,
            ChoiceError::Open { .. } | ChoiceError::Read { .. } => Exit::Input,
        }
    }
}

/// The profile that is asked for; whatever has a `/` or ends in `.toml` is a file.
pub(crate) fn chosen(asked: Option<&str>) -> Result<Option<Profile>, ChoiceError> {
    let Some(name) = asked else { return Ok(None) };
    if !name.contains(['/', '\\']) && !name.ends_with(".toml") {
        let unknown = |error| ChoiceError::Unknown(error, profile_hint(name));
        return Profile::named(name).map(Some).map_err(unknown);
    }
    let path = name.to_owned();
    let text = fs::read_to_string(name).map_err(|error| ChoiceError::Open { path: path.clone(), error })?;
    Profile::from_toml(&text).map(Some).map_err(|error| ChoiceError::Read { path, error })
}

/// The name of a profile that is most like `name`, as a hint.
pub(crate) fn profile_hint(name: &str) -> String {
    hint(name, Profile::names())
}
