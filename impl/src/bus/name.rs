//! Names of topics, groups and producers: what may stand in them.

/// The longest name, in bytes: two of them and an index fit into a file name of 255 bytes.
const MAX_NAME_BYTES: usize = 100;

/// Why a name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is no name for a {what}: 1 to {MAX_NAME_BYTES} of the letters a to z and A to Z, digits, `.`, `_` and `-` \
     are expected"
)]
pub struct NameError {
    /// The name.
    pub name: String,
    /// What it was to name.
    pub what: &'static str,
}

/// Checks that `name` can name a `what`; it then can stand in a file name, and `~` can part it from others.
pub(super) fn check_name(what: &'static str, name: &str) -> Result<(), NameError> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_allowed) {
        true => Ok(()),
        false => Err(NameError { name: name.to_owned(), what }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_stand_in_a_file_name() {
        for good in ["orders", "a", "Payments-2.eu_west", &"x".repeat(100)] {
            assert_eq!(check_name("topic", good), Ok(()));
        }
        for bad in ["", "a/b", "a~b", "ä", "a b", &"x".repeat(101)] {
            assert!(check_name("topic", bad).is_err(), "`{bad}`");
        }
        assert_eq!(
            check_name("group", "a/b").unwrap_err().to_string(),
            "`a/b` is no name for a group: 1 to 100 of the letters a to z and A to Z, digits, `.`, `_` and `-` are \
             expected"
        );
    }
}
