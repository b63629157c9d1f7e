//! From bytes to forms, and from forms to what JSON can hold.

use std::collections::HashSet;
use std::io::BufRead;

use serde_json::{Map, Value};

use super::chars::{Chars, Place};
use super::{MAX_DEPTH, TRANSPARENT_TAGS, number};
use crate::ReadError;
use crate::jsonl::Located;

/// Reads the ops of a history, each as an object.
#[derive(Debug)]
pub(crate) struct Forms<R> {
    chars: Chars<R>,
    /// Inside the one vector or list that holds all ops: what closes it.
    closes: Option<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but discarded forms was read.
    Start,
    Within,
    /// The vector of all ops is closed: nothing may follow.
    Closed,
}

/// A form, or what stands where none does.
enum Item {
    Form(Value),
    Discarded(Value),
    /// A bracket that closes what is around.
    Close(u8),
    End,
}

impl<R: BufRead> Forms<R> {
    pub(crate) fn new(input: R) -> Self {
        Forms { chars: Chars::new(input), closes: None, state: State::Start }
    }

    /// The next op and the line that it begins on; `None` at the end.
    ///
    /// A map with `:format` that is discarded before the first op is the header: Jepsen passes over it.
    pub(crate) fn next_object(&mut self) -> Result<Option<Located>, ReadError> {
        loop {
            self.blanks(0)?;
            self.chars.begin_form();
            let place = self.chars.place();
            if self.state == State::Start && self.closes.is_none() {
                match self.chars.peek()? {
                    Some(open @ (b'[' | b'(')) => {
                        self.chars.take()?;
                        self.closes = Some(closing(open));
                        continue;
                    }
                    Some(0xef) => {
                        self.byte_order_mark()?;
                        continue;
                    }
                    _ => {}
                }
            }
            match (self.item(0)?, self.closes) {
                (Item::End, Some(_)) if self.state != State::Closed => {
                    return Err(place.error("the vector of ops is not closed: was the file cut off?"));
                }
                (Item::End, _) => return Ok(None),
                (Item::Discarded(Value::Object(header)), _)
                    if self.state == State::Start && header.contains_key("format") =>
                {
                    self.state = State::Within;
                    return Ok(Some((place.line, header)));
                }
                (Item::Discarded(_), _) => {}
                (Item::Close(byte), Some(closes)) if byte == closes && self.state != State::Closed => {
                    self.state = State::Closed;
                }
                (Item::Close(byte), _) => return Err(place.error(unopened(byte))),
                (Item::Form(_), _) if self.state == State::Closed => {
                    return Err(place.error("something follows the vector of all ops"));
                }
                (Item::Form(Value::Object(object)), _) => {
                    self.state = State::Within;
                    return Ok(Some((place.line, object)));
                }
                (Item::Form(_), _) => return Err(place.error("a map is expected: an op")),
            }
        }
    }

    fn byte_order_mark(&mut self) -> Result<(), ReadError> {
        let place = self.chars.place();
        for expected in crate::jsonl::BYTE_ORDER_MARK {
            if self.chars.take()? != Some(*expected) {
                return Err(place.error("a map is expected: an op"));
            }
        }
        Ok(())
    }

    /// Passes over white space, commas and comments. Between the ops they count towards the length of none.
    fn blanks(&mut self, depth: usize) -> Result<(), ReadError> {
        let mut is_comment = false;
        while let Some(byte) = self.chars.peek()? {
            is_comment = if is_comment { byte != b'\n' } else { byte == b';' };
            if !is_comment && !is_blank(byte) {
                break;
            }
            self.chars.take()?;
            if depth == 0 {
                self.chars.begin_form();
            }
        }
        Ok(())
    }

    /// The next item, `depth` forms deep.
    fn item(&mut self, depth: usize) -> Result<Item, ReadError> {
        self.blanks(depth)?;
        let place = self.chars.place();
        if depth > MAX_DEPTH {
            return Err(place.error(format!("more than {MAX_DEPTH} forms deep")));
        }
        let Some(byte) = self.chars.peek()? else { return Ok(Item::End) };
        Ok(Item::Form(match byte {
            b']' | b')' | b'}' => {
                self.chars.take()?;
                return Ok(Item::Close(byte));
            }
            b'[' | b'(' => {
                self.chars.take()?;
                self.list(place, closing(byte), depth)?.into()
            }
            b'{' => {
                self.chars.take()?;
                self.map(place, depth)?
            }
            b'"' => {
                self.chars.take()?;
                self.string(place)?.into()
            }
            b'\\' => self.character(place)?.into(),
            b'#' => {
                self.chars.take()?;
                return self.dispatch(place, depth);
            }
            b'^' | b'\'' | b'`' | b'~' | b'@' => {
                return Err(place.error(format!("`{}` is Clojure, and no EDN", char::from(byte))));
            }
            _ => self.atom(place)?,
        }))
    }

    /// The next form that is not discarded, or the bracket that closes what is around.
    fn form(&mut self, depth: usize, cut_off: Place) -> Result<Result<Value, u8>, ReadError> {
        loop {
            match self.item(depth)? {
                Item::Form(value) => return Ok(Ok(value)),
                Item::Close(byte) => return Ok(Err(byte)),
                Item::Discarded(_) => {}
                Item::End => {
                    return Err(cut_off.error("what begins here is not closed: was the file cut off?"));
                }
            }
        }
    }

    fn list(&mut self, open: Place, closes: u8, depth: usize) -> Result<Vec<Value>, ReadError> {
        let mut items = Vec::new();
        loop {
            self.blanks(depth + 1)?;
            let place = self.chars.place();
            match self.form(depth + 1, open)? {
                Ok(value) => items.push(value),
                Err(byte) if byte == closes => return Ok(items),
                Err(byte) => return Err(place.error(mismatched(byte, closes))),
            }
        }
    }

    fn map(&mut self, open: Place, depth: usize) -> Result<Value, ReadError> {
        let mut fields = Map::new();
        loop {
            self.blanks(depth + 1)?;
            let place = self.chars.place();
            let key = match self.form(depth + 1, open)? {
                Ok(key) => key_of(key),
                Err(b'}') => return Ok(fields.into()),
                Err(byte) => return Err(place.error(mismatched(byte, b'}'))),
            };
            let value = match self.form(depth + 1, open)? {
                Ok(value) => value,
                Err(_) => return Err(place.error(format!("key `{}` has no value", shorten(&key)))),
            };
            if fields.contains_key(&key) {
                return Err(place.error(format!("key `{}` stands twice", shorten(&key))));
            }
            fields.insert(key, value);
        }
    }

    fn set(&mut self, open: Place, depth: usize) -> Result<Value, ReadError> {
        let items = self.list(open, b'}', depth)?;
        let mut seen = HashSet::new();
        match items.iter().map(Value::to_string).find(|item| !seen.insert(item.clone())) {
            Some(twice) => Err(open.error(format!("`{}` stands twice in a set", shorten(&twice)))),
            None => Ok(items.into()),
        }
    }

    /// What stands behind `#`.
    fn dispatch(&mut self, place: Place, depth: usize) -> Result<Item, ReadError> {
        match self.chars.peek()? {
            Some(b'{') => {
                self.chars.take()?;
                Ok(Item::Form(self.set(place, depth)?))
            }
            Some(b'_') => {
                self.chars.take()?;
                match self.form(depth + 1, place)? {
                    Ok(value) => Ok(Item::Discarded(value)),
                    Err(_) => Err(place.error("`#_` discards nothing")),
                }
            }
            Some(b'#') => {
                self.chars.take()?;
                let name = self.token(place)?;
                match name.as_str() {
                    "Inf" | "-Inf" | "NaN" => Ok(Item::Form(format!("##{name}").into())),
                    _ => Err(place.error(format!("`##{}` is no number", shorten(&name)))),
                }
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                let tag = self.token(place)?;
                let value = match self.form(depth + 1, place)? {
                    Ok(value) => value,
                    Err(_) => return Err(place.error(format!("tag `#{}` has no form", shorten(&tag)))),
                };
                let is_transparent = TRANSPARENT_TAGS.contains(&tag.as_str());
                Ok(Item::Form(match is_transparent {
                    true => value,
                    false => Map::from_iter([(format!("#{tag}"), value)]).into(),
                }))
            }
            _ => Err(place.error("`#` is followed by neither a tag, a set nor `_`")),
        }
    }

    /// The text of a symbol, keyword or number: up to a blank or a delimiter.
    fn token(&mut self, place: Place) -> Result<String, ReadError> {
        let mut bytes = Vec::new();
        while let Some(byte) = self.chars.peek()?.filter(|byte| !is_delimiter(*byte)) {
            self.chars.take()?;
            bytes.push(byte);
        }
        String::from_utf8(bytes).map_err(|_| place.error("not UTF-8"))
    }

    fn atom(&mut self, place: Place) -> Result<Value, ReadError> {
        let token = self.token(place)?;
        if let Some(name) = token.strip_prefix(':') {
            return match is_symbol(name) {
                true => Ok(name.into()),
                false => Err(place.error(format!("`{}` is no keyword", shorten(&token)))),
            };
        }
        let is_number = token.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit());
        match token.as_str() {
            "nil" => Ok(Value::Null),
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ if is_number => match number::value_of(&token) {
                Some(value) => Ok(value),
                None => Err(place.error(format!("`{}` is no number", shorten(&token)))),
            },
            _ if is_symbol(&token) => Ok(token.into()),
            _ => Err(place.error(format!("`{}` is nothing that EDN knows", shorten(&token)))),
        }
    }

    fn string(&mut self, open: Place) -> Result<String, ReadError> {
        let mut bytes = Vec::new();
        loop {
            let place = self.chars.place();
            match self.chars.take()? {
                None => return Err(open.error("the text that begins here is not closed")),
                Some(b'"') => return String::from_utf8(bytes).map_err(|_| open.error("not UTF-8")),
                Some(b'\\') => {
                    let c = self.escape(place)?;
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Some(byte) => bytes.push(byte),
            }
        }
    }

    /// What stands behind a backslash in text.
    fn escape(&mut self, place: Place) -> Result<char, ReadError> {
        let unknown = || place.error("no escape of EDN: `\\n \\t \\r \\b \\f \\\\ \\\" \\uXXXX` are");
        Ok(match self.chars.take()?.ok_or_else(unknown)? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'\\' => '\\',
            b'"' => '"',
            b'u' => match self.hex(place)? {
                high @ 0xd800..0xdc00 => {
                    let is_pair = self.chars.take()? == Some(b'\\') && self.chars.take()? == Some(b'u');
                    let low = if is_pair { self.hex(place)? } else { 0 };
                    let units = [high, low];
                    match char::decode_utf16(units).next() {
                        Some(Ok(c)) => c,
                        _ => return Err(place.error("half a surrogate pair")),
                    }
                }
                unit => char::from_u32(unit.into()).ok_or_else(|| place.error("half a surrogate pair"))?,
            },
            _ => return Err(unknown()),
        })
    }

    fn hex(&mut self, place: Place) -> Result<u16, ReadError> {
        let mut unit = 0;
        for _ in 0..4 {
            let byte = self.chars.take()?;
            let digit = byte.and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| place.error("`\\u` needs four hexadecimal digits"))?;
            unit = unit << 4 | digit as u16;
        }
        Ok(unit)
    }

    /// `\a`, `\newline`, `\u00e9`.
    fn character(&mut self, place: Place) -> Result<String, ReadError> {
        self.chars.take()?;
        // The first byte belongs to the character even if it is a delimiter.
        let mut bytes: Vec<u8> = self.chars.take()?.into_iter().collect();
        while let Some(byte) = self.chars.peek()?.filter(|byte| !is_delimiter(*byte)) {
            self.chars.take()?;
            bytes.push(byte);
        }
        let name = String::from_utf8(bytes).map_err(|_| place.error("not UTF-8"))?;
        let mut chars = name.chars();
        let only = (chars.next(), chars.next());
        let c = match (name.as_str(), only) {
            (_, (Some(c), None)) if !c.is_whitespace() => Some(c),
            ("newline", _) => Some('\n'),
            ("return", _) => Some('\r'),
            ("space", _) => Some(' '),
            ("tab", _) => Some('\t'),
            ("backspace", _) => Some('\u{8}'),
            ("formfeed", _) => Some('\u{c}'),
            (_, (Some('u'), Some(_))) if name.len() == 5 => {
                let hex = name[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
                hex.then(|| u32::from_str_radix(&name[1..], 16).ok().and_then(char::from_u32)).flatten()
            }
            _ => None,
        };
        match c {
            Some(c) => Ok(c.to_string()),
            None => Err(place.error(format!("`\\{}` is no character", shorten(&name)))),
        }
    }
}

/// The text of a map's key; what is no text and no number is its JSON.
fn key_of(key: Value) -> String {
    match key {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn closing(open: u8) -> u8 {
    if open == b'(' { b')' } else { b']' }
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b',' || byte == 0x0b
}

fn is_delimiter(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'[' | b']' | b'(' | b')' | b'{' | b'}' | b'"' | b';' | b'\\')
}

/// A symbol as Clojure reads it: any characters but those that mean something else.
fn is_symbol(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || ".*+!-_?$%&=<>#'/:|".contains(c);
    !name.is_empty() && !name.starts_with(':') && name.chars().all(is_part)
}

fn unopened(byte: u8) -> String {
    format!("`{}` closes nothing", char::from(byte))
}

fn mismatched(byte: u8, closes: u8) -> String {
    format!("`{}` stands where `{}` is expected", char::from(byte), char::from(closes))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
