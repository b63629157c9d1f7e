//! Somebody else's text, made harmless.

/// `text` as XML and HTML show it, in elements and in quoted attributes, whatever it holds.
///
/// What XML cannot hold, and what would turn the direction of the text that follows, becomes the replacement character;
/// line breaks become spaces.
pub(super) fn markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            c => out.push(printable(c)),
        }
    }
    out
}

/// `text` as Markdown shows it, on one line and outside of code.
pub(super) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            // No mention of a person and no link, wherever it is pasted.
            '@' => out += "&#64;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
            c => out.push(printable(c)),
        }
    }
    out
}

/// `text` on one line, without what a terminal or a viewer would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(printable).collect()
}

fn printable(c: char) -> char {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match c {
        '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() || turns => '\u{fffd}',
        c => c,
    }
}

/// A path as a relative or `file` URI: what RFC 3986 does not allow in one is percent-encoded.
pub(super) fn uri(path: &str) -> String {
    let mut out = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
        if is_plain { out.push(byte.into()) } else { out += &format!("%{byte:02X}") }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            markup("</script><img onerror='x'>&\""),
            "&lt;/script&gt;&lt;img onerror=&#39;x&#39;&gt;&amp;&quot;"
        );
        assert_eq!(markup("a\0b\u{202e}c\u{ffff}d\ne"), "a\u{fffd}b\u{fffd}c\u{fffd}d e");
        assert_eq!(markdown("a|b `c` [d](e) <f> @g"), r"a\|b \`c\` \[d\](e) &lt;f&gt; &#64;g");
    }

    #[test]
    fn a_path_becomes_a_uri() {
        assert_eq!(uri("runs/a b#1.jsonl"), "runs/a%20b%231.jsonl");
        assert_eq!(uri("/tmp/ä"), "file:///tmp/%C3%A4");
    }
}
