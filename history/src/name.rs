//! Names that are texts and nothing else.

use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// The name, as it stands in the history.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                $name(name.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::name::tell(&self.0, f)
            }
        }
    )*};
}

/// A name as text shows it: on one line, whatever it holds.
pub(crate) fn tell(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if name.contains(char::is_control) { f.pad(&name.escape_debug().to_string()) } else { f.pad(name) }
}

pub(crate) use names;
