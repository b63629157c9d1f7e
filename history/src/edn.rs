//! EDN as Jepsen stores histories: `store/<test>/<time>/history.edn`.
//!
//! ```text
//! {:index 0, :time 1000, :process 3, :type :invoke, :f :send, :value [[:send 5 17]]}
//! #jepsen.history.Op{:index 1, :time 2000, :process 3, :type :ok, :f :send, :value [[:send 5 [42 17]]]}
//! ```
//! One op a form, or one vector or list of all ops. Every form becomes what JSON can hold, by the table of
//! `docs/history-format.md`, and is then read as a line of the JSON form is: there is one meaning of ops, and two ways to
//! write it down.
//!
//! The reader is our own: of the published ones that were tried, one drops what follows `#jepsen.history.Op{` without
//! an error, and the others refuse `5N`, `1.5M`, ratios or `\u00e9`. It is strict (what it does not know is an error with its line and
//! column), streaming (one form is held at a time) and bounded ([`MAX_DEPTH`], [`MAX_FORM_BYTES`]).
//! Reference: <https://github.com/edn-format/edn>, and what Clojure's printer adds to it. Cost: O(length of the input).

mod chars;
mod form;
mod number;
mod write;

pub(crate) use form::Forms;
pub(crate) use write::{header_to_form, op_to_form};

/// How deep forms may be nested; as deep as JSON may.
pub(crate) const MAX_DEPTH: usize = 128;
/// The longest form that is read, in bytes: a bound on memory, far above any real op.
pub(crate) const MAX_FORM_BYTES: u64 = crate::jsonl::MAX_LINE_BYTES;

/// The tags whose form means the same without them.
const TRANSPARENT_TAGS: [&str; 3] = ["inst", "uuid", "jepsen.history.Op"];

/// Whether a history that begins so is EDN, and neither JSON nor a log.
pub(crate) fn recognises(beginning: &[u8]) -> bool {
    let mut rest = beginning.strip_prefix(crate::jsonl::BYTE_ORDER_MARK).unwrap_or(beginning);
    let skip = |rest: &mut &[u8]| {
        while let [first, tail @ ..] = *rest
            && (first.is_ascii_whitespace() || *first == b',')
        {
            *rest = tail;
        }
    };
    skip(&mut rest);
    match rest {
        // `;;` begins a comment of EDN; a single `;` may be a word of a log.
        [b';', b';', ..] | [b'#', b'_' | b'{', ..] => true,
        [b'#', ..] => rest.starts_with(b"#jepsen."),
        [b'{' | b'[' | b'(', ..] => {
            let is_list = rest[0] != b'{';
            rest = &rest[1..];
            skip(&mut rest);
            match rest {
                [b':', ..] => true,
                [b'#' | b';' | b']' | b')', ..] => is_list,
                [b'{', inner @ ..] if is_list => {
                    rest = inner;
                    skip(&mut rest);
                    rest.starts_with(b":")
                }
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether a name can stand as a keyword or a tag: a letter, then letters, digits and what EDN allows between.
fn is_plain_symbol(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '?' | '!' | '*' | '+'))
}

#[cfg(test)]
mod tests;
