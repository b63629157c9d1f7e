//! The history format: JSON Lines, version 1. `docs/history-format.md` is the normative text.
//!
//! ```text
//! {"format":"lawspeaker.history","version":1,"profile":"kafka","complete":true}
//! {"index":0,"time":1000,"process":3,"type":"invoke","f":"send","value":[["send","orders/0","m17"]]}
//! {"index":1,"time":2000,"process":3,"type":"ok","f":"send","value":[["send","orders/0",[42,"m17"]]]}
//! ```
//!
//! A line that cannot be read is an error with its number; nothing is skipped but empty lines.

mod line;
mod parse;
mod saga;
mod stream;
mod write;

use line::LineReader;
use parse::call_of;
pub(crate) use parse::{event_of, offset_of};
pub(crate) use write::{header_to_line, op_to_line};

use std::io::{self, BufRead, Read};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::edn::{self, Forms};
use crate::flat::FlatReader;
use crate::id::MAX_INTEGER;
use crate::strict;
use crate::{Call, Extra, Header, Op, OpType, Process};

/// What the header calls the format.
pub const FORMAT: &str = "lawspeaker.history";
/// The major version that this crate reads and writes.
pub const VERSION: u64 = 1;
/// What some editors put at the beginning of UTF-8 text.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The longest line that is read, in bytes: a bound on memory, far above any real op.
pub(crate) const MAX_LINE_BYTES: u64 = 16 << 20;

/// Why a history could not be read, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ReadError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub kind: ReadErrorKind,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum ReadErrorKind {
    /// The input itself failed.
    #[error("the input cannot be read: {0}")]
    Input(#[from] io::Error),
    /// Not a JSON object, or one that names a field twice.
    #[error("not a JSON object: {0}")]
    Json(serde_json::Error),
    /// The line ends in the middle of the object.
    #[error("the line ends in the middle of a JSON object: was the file cut off?")]
    CutOff,
    /// Longer than the reader's bound.
    #[error("longer than {} MiB, the most that one op may be", MAX_LINE_BYTES >> 20)]
    TooLong,
    /// A log that must be read whole is longer than the bound for those.
    #[error("the log is longer than {0} MiB, the most that is read of a log with vector clocks")]
    LogTooLong(u64),
    /// Not EDN, or none that a history can hold.
    #[error("column {column}: not EDN that is read here: {problem}")]
    Edn {
        /// The column in characters, from 1.
        column: u64,
        /// What is wrong there.
        problem: String,
    },
    /// The header names another format.
    #[error("format `{0}` is unknown, `{FORMAT}` is expected")]
    Format(String),
    /// The header names a version from the future.
    #[error("version {0} of the format is unknown, this program reads version {VERSION}")]
    Version(Value),
    /// A field is not there.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// A field holds something else than it should.
    #[error("field `{field}` holds `{found}`, {expected} is expected")]
    Field {
        /// Which field.
        field: &'static str,
        /// What should stand there.
        expected: &'static str,
        /// What stands there, shortened.
        found: String,
    },
    /// Partitions by their numbers, before any line names a topic.
    #[error(
        "field `partitions` names partitions by their numbers, and no line so far names a topic: add a field `topic`"
    )]
    NoTopic,
    /// The header holds something else than it should.
    #[error("the header cannot be read: {0}")]
    Header(String),
    /// The extension data is none.
    #[error("field `x` is no extension data: {0}")]
    Extension(String),
    /// A log that should have clocks and has none.
    #[error("no record of this log has a host and a vector clock")]
    NoClock,
    /// A position that is none.
    #[error(transparent)]
    Offset(#[from] crate::OffsetError),
}

/// Reads a history op by op. The header, if there is one, is read at once.
///
/// EDN is told from JSON by its beginning. Lines of the flat recorder format (`topic`, `stream`, `offset` at the top
/// level) are read too.
#[derive(Debug)]
pub struct Reader<R> {
    source: Source<R>,
    header: Header,
    pending: Option<Located>,
    /// The line of the last op.
    line: u64,
    op_count: u64,
    flat: Option<FlatReader>,
    straight: LineReader,
    has_failed: bool,
}

/// An object, and the line that it begins on.
pub(crate) type Located = (u64, Map<String, Value>);

/// Where objects come from.
#[derive(Debug)]
enum Source<R> {
    Lines(Lines<R>),
    Forms(Forms<R>),
}

impl<R: BufRead> Source<R> {
    /// The next object and the line that it begins on; `None` at the end.
    fn next_object(&mut self) -> Result<Option<Located>, ReadError> {
        match self {
            Source::Lines(lines) => lines.next_object(),
            Source::Forms(forms) => forms.next_object(),
        }
    }
}

impl<R: BufRead> Reader<R> {
    /// Starts reading; `input` is at the first byte of the history.
    ///
    /// # Errors
    /// [`ReadError`] if the first line is no JSON object, or the header of an unknown format or version.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let beginning = input.fill_buf().map_err(|error| ReadError { line: 1, kind: error.into() })?;
        match edn::recognises(beginning) {
            true => Self::edn(input),
            false => Self::of(Source::Lines(Lines { input, line: 0, bytes: Vec::new() })),
        }
    }

    /// Starts reading EDN, whatever `input` begins with.
    ///
    /// # Errors
    /// [`ReadError`] if the first form is no map, or the header of an unknown format or version.
    pub fn edn(input: R) -> Result<Self, ReadError> {
        Self::of(Source::Forms(Forms::new(input)))
    }

    fn of(source: Source<R>) -> Result<Self, ReadError> {
        let mut reader = Reader {
            source,
            header: Header::default(),
            pending: None,
            line: 0,
            op_count: 0,
            flat: None,
            straight: LineReader::default(),
            has_failed: false,
        };
        reader.pending = reader.source.next_object()?;
        if let Some((line, first)) = reader.pending.take_if(|(_, first)| first.contains_key("format")) {
            reader.line = line;
            reader.header = header_of(first).map_err(|kind| ReadError { line, kind })?;
        } else if reader.pending.as_ref().is_some_and(|(_, first)| FlatReader::recognises(first)) {
            reader.flat = Some(FlatReader::default());
        }
        Ok(reader)
    }

    /// What the first line said of the recording; the default if there was no header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn next_op(&mut self) -> Result<Option<Op>, ReadError> {
        let Some((line, (index, mut op))) = self.next_indexed()? else { return Ok(None) };
        // Several ops of EDN may share a line; what they are called by must still rise.
        self.line = line.max(self.line + 1);
        op.line = self.line;
        op.index = index.unwrap_or(self.op_count);
        self.op_count += 1;
        Ok(Some(op))
    }

    /// The next op, and the line that it begins on.
    fn next_indexed(&mut self) -> Result<Option<(u64, Indexed)>, ReadError> {
        let object = match (self.pending.take(), &mut self.source) {
            (Some(object), _) => Some(object),
            (None, Source::Lines(lines)) if self.flat.is_none() => {
                let Some(line) = lines.next_line()? else { return Ok(None) };
                match self.straight.op_of(lines.text()) {
                    Some(op) => return Ok(Some((line, op))),
                    None => Some((line, lines.object()?)),
                }
            }
            (None, source) => source.next_object()?,
        };
        let Some((line, object)) = object else { return Ok(None) };
        let read = match &mut self.flat {
            Some(flat) => flat.op_of(object),
            None => op_of(object),
        };
        read.map(|op| Some((line, op))).map_err(|kind| ReadError { line, kind })
    }
}

/// JSON objects, one a line.
#[derive(Debug)]
struct Lines<R> {
    input: R,
    line: u64,
    /// The line that was read last.
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// The next line that is not empty, as an object; `None` at the end.
    fn next_object(&mut self) -> Result<Option<Located>, ReadError> {
        match self.next_line()? {
            Some(line) => Ok(Some((line, self.object()?))),
            None => Ok(None),
        }
    }

    /// Goes on to the next line that is not empty, and answers with its number; `None` at the end.
    fn next_line(&mut self) -> Result<Option<u64>, ReadError> {
        loop {
            self.bytes.clear();
            self.line += 1;
            let line = self.line;
            let fail = |kind| ReadError { line, kind };
            let read = (&mut self.input).take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut self.bytes);
            let count = read.map_err(|error| fail(error.into()))?;
            if count == 0 {
                return Ok(None);
            }
            if count as u64 > MAX_LINE_BYTES {
                return Err(fail(ReadErrorKind::TooLong));
            }
            if !self.text().trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// What the line holds.
    fn text(&self) -> &[u8] {
        self.bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.bytes)
    }

    /// The line as an object.
    fn object(&self) -> Result<Map<String, Value>, ReadError> {
        strict::object(self.text()).map_err(|error| {
            let kind = if error.is_eof() { ReadErrorKind::CutOff } else { ReadErrorKind::Json(error) };
            ReadError { line: self.line, kind }
        })
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Op, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = self.next_op().transpose();
        self.has_failed = matches!(next, Some(Err(_)));
        next
    }
}

fn header_of(mut object: Map<String, Value>) -> Result<Header, ReadErrorKind> {
    match object.remove("format") {
        Some(Value::String(format)) if format == FORMAT => {}
        other => return Err(ReadErrorKind::Format(shorten(&other.unwrap_or_default()))),
    }
    match object.remove("version") {
        Some(version) if version.as_u64() == Some(VERSION) => {}
        Some(version) => return Err(ReadErrorKind::Version(version)),
        None => return Err(ReadErrorKind::Missing("version")),
    }
    serde_json::from_value(Value::Object(object.clone()))
        .map_err(|error| ReadErrorKind::Header(culprit::<Header>(&object, &error)))
}

/// An op, and its index if the line has one.
pub(crate) type Indexed = (Option<u64>, Op);

fn op_of(object: Map<String, Value>) -> Result<Indexed, ReadErrorKind> {
    let mut fields = Fields(object);
    let (index, mut op) = fields.frame()?;
    let f = fields.f()?;
    op.call = call_of(f, fields.0.remove("value").unwrap_or_default(), op.op_type)?;
    if let Some(x) = fields.0.remove("x") {
        op.x = serde_json::from_value(x.clone()).map_err(|error| misfit(x, &error))?;
    }
    op.unknown = fields.0;
    Ok((index, op))
}

/// What of `x` is no extension data, and why.
fn misfit(x: Value, error: &serde_json::Error) -> ReadErrorKind {
    let Value::Object(fields) = x else { return wrong("x", "an object of extension data", &x) };
    ReadErrorKind::Extension(culprit::<Extra>(&fields, error))
}

/// Which of `fields` is why they are no `T`, as `error` says.
fn culprit<T: DeserializeOwned>(fields: &Map<String, Value>, error: &serde_json::Error) -> String {
    let is_wrong = |name: &str, value: &Value| serde_json::from_value::<T>(json!({ name: value })).is_err();
    match fields.iter().find(|(name, value)| is_wrong(name, value)) {
        Some((name, value)) => format!("`{name}` holds `{}`: {error}", shorten(value)),
        None => error.to_string(),
    }
}

/// The fields of a line that are not read yet.
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// What every op has in both formats; the call is still to come.
    pub(crate) fn frame(&mut self) -> Result<Indexed, ReadErrorKind> {
        let process = self.0.remove("process").ok_or(ReadErrorKind::Missing("process"))?;
        let process: Process = serde_json::from_value(process.clone())
            .map_err(|_| wrong("process", "a number or a name", &process))?;
        let op_type = self.0.remove("type").ok_or(ReadErrorKind::Missing("type"))?;
        let op_type: OpType = serde_json::from_value(op_type.clone())
            .map_err(|_| wrong("type", "`invoke`, `ok`, `fail` or `info`", &op_type))?;
        let mut op = Op::new(process, op_type, Call::Crash);
        op.time_ns = self.unsigned("time")?;
        op.error = self.0.remove("error").filter(|error| !error.is_null());
        Ok((self.unsigned("index")?, op))
    }

    /// The name of the call.
    pub(crate) fn f(&mut self) -> Result<String, ReadErrorKind> {
        match self.0.remove("f") {
            Some(Value::String(f)) => Ok(f),
            Some(other) => Err(wrong("f", "the name of a call", &other)),
            None => Err(ReadErrorKind::Missing("f")),
        }
    }

    /// A field that holds text, if it is there and not null.
    pub(crate) fn text(&mut self, field: &'static str) -> Result<Option<String>, ReadErrorKind> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(field, "text", &other)),
        }
    }

    /// A field that holds a count, if it is there and not null.
    pub(crate) fn unsigned(&mut self, field: &'static str) -> Result<Option<u64>, ReadErrorKind> {
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().filter(|number| *number <= MAX_INTEGER.unsigned_abs()) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(field, "an integer from 0 to 2^53 - 1", &value)),
            },
        }
    }
}

pub(crate) fn wrong(field: &'static str, expected: &'static str, found: &Value) -> ReadErrorKind {
    ReadErrorKind::Field { field, expected, found: shorten(found) }
}

fn shorten(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{History, write_jsonl};

    fn read(text: &str) -> Result<History, String> {
        History::read(text.as_bytes()).map_err(|error| error.to_string())
    }

    const SAMPLE: &str = r#"{"format":"lawspeaker.history","version":1,"profile":"kafka","complete":true,"seed":7}
{"index":0,"time":1000,"process":3,"type":"invoke","f":"send","value":[["send","orders/0","m17"]]}
{"index":1,"time":2000,"process":3,"type":"ok","f":"send","value":[["send","orders/0",[42,"m17"]]],"x":{"key":"u7","cause":["m12"],"pid":9}}
{"index":2,"process":5,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[42,"m17"],[43,18]]}]],"x":{"group":"g1","gen":3}}
{"index":3,"process":5,"type":"ok","f":"commit","value":{"orders/0":44},"x":{"group":"g1"},"note":"kept"}
{"index":4,"process":6,"type":"ok","f":"receive","value":{"q":[[null,5]]}}
{"index":5,"process":6,"type":"info","f":"ack","value":[["q",null,5]],"error":"timeout"}
{"index":6,"process":6,"type":"ok","f":"committed","value":{"orders/0":null}}
{"index":7,"process":7,"type":"ok","f":"txn","value":[["send","a",[1,2]],["poll",{"b":[["17-3",4]]}]]}
{"index":8,"process":"nemesis","type":"info","f":"kill","value":"SIGKILL"}
{"index":9,"process":5,"type":"info","f":"crash","value":null}
{"index":10,"process":5,"type":"ok","f":"assign","value":["orders/0","orders/1"]}
{"index":11,"process":8,"type":"ok","f":"change","value":["m17",18]}
"#;

    #[test]
    fn what_is_written_reads_back_the_same() {
        let history = read(SAMPLE).unwrap();
        let mut written = Vec::new();
        write_jsonl(&mut written, &history).unwrap();
        assert_eq!(read(std::str::from_utf8(&written).unwrap()).unwrap(), history);
        assert_eq!(history.ops.len(), 12);
        assert!(history.ops.iter().all(|op| !matches!(op.call, Call::Other { ref f, .. } if f != "kill")));
    }

    #[test]
    fn errors_name_their_line_and_what_was_expected() {
        let cut = &SAMPLE[..SAMPLE.len() - 20];
        assert_eq!(
            read(cut).unwrap_err(),
            "line 13: the line ends in the middle of a JSON object: was the file cut off?"
        );
        let check = |line: &str, expected: &str| assert_eq!(read(line).unwrap_err(), expected);
        check(
            r#"{"process":1,"type":"ok","f":"receive","value":{"q":[[0,1]],"q":[[1,2]]}}"#,
            "line 1: not a JSON object: field `q` stands twice at line 1 column 63",
        );
        check(r#"{"type":"ok","f":"poll"}"#, "line 1: field `process` is missing");
        check(
            r#"{"process":1,"type":"maybe","f":"poll"}"#,
            "line 1: field `type` holds `\"maybe\"`, `invoke`, `ok`, `fail` or `info` is expected",
        );
        check(
            r#"{"format":"lawspeaker.history","version":2}"#,
            "line 1: version 2 of the format is unknown, this program reads version 1",
        );
        check(
            r#"{"format":"lawspeaker.history","version":1,"profile":"kafka","complete":"yes"}"#,
            "line 1: the header cannot be read: `complete` holds `\"yes\"`: invalid type: string \"yes\", expected a boolean",
        );
        check(
            "\n\n{\"process\":1,\"type\":\"ok\",\"f\":\"poll\",\"value\":[[\"poll\",{\"a\":[[1000000000000000000,1]]}]]}",
            "line 3: offset `1000000000000000000` is beyond 2^53, the largest integer a history may hold",
        );
    }

    #[test]
    fn an_empty_input_is_an_empty_history() {
        assert_eq!(read("").unwrap(), History::default());
        assert_eq!(read("\n \n").unwrap(), History::default());
    }
}
