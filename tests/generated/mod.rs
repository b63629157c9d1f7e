//! What of a page is written by a test: it has to be there as it would be written, and is written if that is asked for.

use std::fs;
use std::path::Path;

/// The text between `<!-- generated: NAME -->` and `<!-- end -->` of the page equals what the code generates; `command` is
/// what writes it anew.
///
/// # Panics
/// If it does not, and `LAWSPEAKER_BLESS` is not set.
pub(crate) fn generated(page: &Path, name: &str, expected: &str, command: &str) {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let open = format!("<!-- generated: {name} -->\n");
    let found = text.find(&open);
    let start =
        found.unwrap_or_else(|| panic!("{} has no generated part {name}", page.display())) + open.len();
    let end = start + text[start..].find("<!-- end -->").expect("a generated part ends");
    if text[start..end] != *expected {
        bless(page, &format!("{}{expected}{}", &text[..start], &text[end..]), name, command);
    }
}

/// Writes what a page should be if asked to; else complains.
pub(crate) fn bless(page: &Path, expected: &str, what: &str, command: &str) {
    assert!(
        std::env::var_os("LAWSPEAKER_BLESS").is_some(),
        "{}: {what} is out of date; LAWSPEAKER_BLESS=1 {command} writes it anew:\n{expected}",
        page.display(),
    );
    fs::write(page, expected).expect("the page can be written");
}
