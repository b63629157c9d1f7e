//! From TOML to a profile.
//!
//! ```toml
//! name = "our-broker"
//! extends = "kafka"                  # everything that is not said here is as it is there
//! promises = "…"
//!
//! [facts]                            # what is not said is false
//! competing-consumers = true
//! keeps-delivered = true
//! causal-order = false
//! times-out = false
//! dead-letters = false
//! strict = false
//! runs = ["sagas", "outbox"]
//!
//! [limits]                           # what is not said is unknown
//! ack-wait-ms = 30000
//! max-deliveries = 5
//!
//! [guarantees]                       # what the system does not promise: "note" or "out-of-scope"
//! single-owner = "out-of-scope"
//!
//! [anomalies]                        # the same of single anomalies, which counts more; all others are violations
//! redelivery-after-ack = "note"
//!
//! [evidence]                         # lists replace those of the profile that is extended
//! required = ["final-read"]          # without it, a history that conforms is inconclusive
//! wanted = ["redelivery"]            # without it, the report says so
//! ```
//!
//! Nothing is passed over: a key, a name or a value that means nothing is an error with its line.

use std::fmt;
use std::str::FromStr;

use lawspeaker_history::Guarantee;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, de};

use super::{Profile, Severity};
use crate::{Anomaly, Exercise, Need, Subject};

/// Why a profile could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct ProfileError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: ProfileErrorKind,
}

/// What is wrong with a line of a profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileErrorKind {
    /// Not TOML.
    #[error("not TOML: {0}")]
    Toml(String),
    /// A name that means nothing here.
    #[error("{what} `{name}` is unknown{}", Hint(nearest))]
    Unknown {
        /// What the name should be that of, such as an anomaly.
        what: &'static str,
        /// The name.
        name: String,
        /// The known name that is most like it, if one is.
        nearest: Option<String>,
    },
    /// A value of the wrong kind.
    #[error("`{key}` is {found}, {expected} is expected")]
    Value {
        /// Whose value.
        key: String,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A key that has to be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
}

/// `; did you mean …?`, or nothing.
struct Hint<'a>(&'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

/// Reads a profile that may extend one of `known`.
pub(super) fn profile(text: &str, known: &[Profile]) -> Result<Profile, ProfileError> {
    let reader = Reader { text };
    let root = DeTable::parse(text).map_err(|error| reader.not_toml(&error))?;
    let root = root.get_ref();
    reader.only(
        root,
        "key",
        &["name", "promises", "extends", "facts", "limits", "guarantees", "anomalies", "evidence"],
    )?;
    let base = match root.get("extends") {
        Some(name) => Some(reader.extended(name, known)?),
        None => None,
    };
    let text_of = |key: &'static str, inherited: Option<&String>| match root.get(key) {
        Some(value) => reader.text_value(key, value),
        None => inherited.cloned().ok_or(ProfileError { line: 1, kind: ProfileErrorKind::Missing(key) }),
    };
    let mut profile = Profile {
        name: text_of("name", None)?,
        promises: text_of("promises", base.map(|base| &base.promises))?,
        toml: text.into(),
        ..base.cloned().unwrap_or_else(nothing)
    };
    for (key, value) in reader.entries(root, "facts")? {
        reader.fact(&mut profile, key, value)?;
    }
    for (key, value) in reader.entries(root, "limits")? {
        reader.limit(&mut profile, key, value)?;
    }
    for (key, value) in reader.entries(root, "evidence")? {
        reader.evidence(&mut profile, key, value)?;
    }
    for (key, value) in reader.entries(root, "guarantees")? {
        let names = Guarantee::ALL.iter().map(|guarantee| guarantee.name());
        let guarantee = reader.name("guarantee", key.get_ref(), key, names)?;
        profile.guarantees.insert(guarantee, reader.severity(key.get_ref(), value)?);
    }
    for (key, value) in reader.entries(root, "anomalies")? {
        let names = Anomaly::ALL.iter().map(|anomaly| anomaly.name());
        let anomaly = reader.name("anomaly", key.get_ref(), key, names)?;
        profile.anomalies.insert(anomaly, reader.severity(key.get_ref(), value)?);
    }
    Ok(profile)
}

/// What is promised where nothing is said.
fn nothing() -> Profile {
    Profile {
        name: String::new(),
        promises: String::new(),
        has_competing_consumers: false,
        keeps_delivered: false,
        has_causal_order: false,
        times_out: false,
        has_dead_letters: false,
        limits: Default::default(),
        is_strict: false,
        runs: Default::default(),
        guarantees: Default::default(),
        anomalies: Default::default(),
        needs: Default::default(),
        toml: "".into(),
    }
}

type Key<'i> = Spanned<de::DeString<'i>>;
type Value<'i> = Spanned<DeValue<'i>>;

/// Knows the text, so that errors have lines.
#[derive(Clone, Copy)]
struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn line(self, place: usize) -> usize {
        1 + self.text.as_bytes()[..place.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count()
    }

    fn not_toml(self, error: &de::Error) -> ProfileError {
        let line = error.span().map_or(1, |span| self.line(span.start));
        let message = error.message().trim_end().replace('\n', "; ");
        ProfileError { line, kind: ProfileErrorKind::Toml(message) }
    }

    fn wrong(self, key: &str, expected: &'static str, value: &Value<'_>) -> ProfileError {
        let found = match value.get_ref().type_str() {
            "integer" => "an integer",
            "array" => "a list",
            "table" => "a table",
            "string" => "text",
            "boolean" => "true or false",
            _ => "something else",
        };
        let kind = ProfileErrorKind::Value { key: key.to_owned(), expected, found };
        ProfileError { line: self.line(value.span().start), kind }
    }

    fn unknown<'k>(
        self,
        what: &'static str,
        name: &str,
        place: usize,
        known: impl IntoIterator<Item = &'k str>,
    ) -> ProfileError {
        const NEAR: f64 = 0.7;
        let rated = known.into_iter().map(|candidate| (strsim::jaro_winkler(name, candidate), candidate));
        let nearest = rated.max_by(|one, other| one.0.total_cmp(&other.0));
        let nearest = nearest.filter(|(likeness, _)| *likeness >= NEAR).map(|(_, name)| name.to_owned());
        let kind = ProfileErrorKind::Unknown { what, name: name.to_owned(), nearest };
        ProfileError { line: self.line(place), kind }
    }

    /// Complains of the first key of `table` that is none of `known`.
    fn only(self, table: &DeTable<'_>, what: &'static str, known: &[&str]) -> Result<(), ProfileError> {
        let mut keys: Vec<&Key<'_>> = table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        match keys.into_iter().find(|key| !known.contains(&key.get_ref().as_ref())) {
            Some(key) => Err(self.unknown(what, key.get_ref(), key.span().start, known.iter().copied())),
            None => Ok(()),
        }
    }

    /// The entries of a table that may be left out, in the order of the text.
    fn entries<'a, 'i>(
        self,
        root: &'a DeTable<'i>,
        name: &'static str,
    ) -> Result<Vec<(&'a Key<'i>, &'a Value<'i>)>, ProfileError> {
        let Some(value) = root.get(name) else { return Ok(Vec::new()) };
        let table = value.get_ref().as_table().ok_or_else(|| self.wrong(name, "a table", value))?;
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        Ok(entries)
    }

    fn name<'k, T: FromStr>(
        self,
        what: &'static str,
        name: &str,
        place: &Spanned<impl Sized>,
        known: impl IntoIterator<Item = &'k str>,
    ) -> Result<T, ProfileError> {
        name.parse().map_err(|_| self.unknown(what, name, place.span().start, known))
    }

    fn text_value(self, key: &str, value: &Value<'_>) -> Result<String, ProfileError> {
        let text = value.get_ref().as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| self.wrong(key, "text that is not empty", value))
    }

    fn extended<'p>(self, name: &Value<'_>, known: &'p [Profile]) -> Result<&'p Profile, ProfileError> {
        let text = self.text_value("extends", name)?;
        let found = known.iter().find(|profile| profile.name == text);
        found.ok_or_else(|| {
            self.unknown("profile", &text, name.span().start, known.iter().map(|p| p.name.as_str()))
        })
    }

    fn severity(self, key: &str, value: &Value<'_>) -> Result<Severity, ProfileError> {
        let all = [Severity::Violation, Severity::Note, Severity::OutOfScope];
        let name = value.get_ref().as_str();
        all.into_iter()
            .find(|severity| Some(severity.name()) == name)
            .ok_or_else(|| self.wrong(key, "\"violation\", \"note\" or \"out-of-scope\"", value))
    }

    fn limit(self, profile: &mut Profile, key: &Key<'_>, value: &Value<'_>) -> Result<(), ProfileError> {
        const LIMITS: [&str; 2] = ["ack-wait-ms", "max-deliveries"];
        let name = key.get_ref().as_ref();
        let limit = match name {
            "ack-wait-ms" => &mut profile.limits.ack_wait_ms,
            "max-deliveries" => &mut profile.limits.max_deliveries,
            _ => return Err(self.unknown("limit", name, key.span().start, LIMITS)),
        };
        let number = value.get_ref().as_integer();
        let number = number.and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        *limit = Some(
            number
                .filter(|number| *number > 0)
                .ok_or_else(|| self.wrong(name, "an integer above 0", value))?,
        );
        Ok(())
    }

    /// The lists of witnesses replace those of what is extended.
    fn evidence(self, profile: &mut Profile, key: &Key<'_>, value: &Value<'_>) -> Result<(), ProfileError> {
        const NEEDS: [&str; 2] = ["required", "wanted"];
        let need = match key.get_ref().as_ref() {
            "required" => Need::Required,
            "wanted" => Need::Wanted,
            name => return Err(self.unknown("key", name, key.span().start, NEEDS)),
        };
        profile.needs.retain(|_, other| *other != need);
        let list = value.get_ref().as_array();
        for item in list.ok_or_else(|| self.wrong(key.get_ref(), "a list of names", value))? {
            let name = self.text_value(key.get_ref(), item)?;
            let names = Exercise::ALL.iter().map(|witness| witness.name());
            profile.needs.insert(self.name("evidence", &name, item, names)?, need);
        }
        Ok(())
    }

    fn fact(self, profile: &mut Profile, key: &Key<'_>, value: &Value<'_>) -> Result<(), ProfileError> {
        const FACTS: [&str; 7] = [
            "competing-consumers",
            "keeps-delivered",
            "causal-order",
            "times-out",
            "dead-letters",
            "strict",
            "runs",
        ];
        let name = key.get_ref().as_ref();
        let fact = match name {
            "competing-consumers" => &mut profile.has_competing_consumers,
            "keeps-delivered" => &mut profile.keeps_delivered,
            "causal-order" => &mut profile.has_causal_order,
            "times-out" => &mut profile.times_out,
            "dead-letters" => &mut profile.has_dead_letters,
            "strict" => &mut profile.is_strict,
            "runs" => {
                let list = value.get_ref().as_array();
                let list = list.ok_or_else(|| self.wrong(name, "a list of names", value))?;
                profile.runs = list
                    .iter()
                    .map(|item| {
                        let name = self.text_value("runs", item)?;
                        self.name("subject", &name, item, Subject::RUN.iter().map(|subject| subject.name()))
                    })
                    .collect::<Result<_, _>>()?;
                return Ok(());
            }
            _ => return Err(self.unknown("fact", name, key.span().start, FACTS)),
        };
        *fact = value.get_ref().as_bool().ok_or_else(|| self.wrong(name, "true or false", value))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Profile::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn whatever_means_nothing_is_an_error_with_its_line_and_the_nearest_name() {
        let check = |text: &str, expected: &str| assert_eq!(error(text), expected, "{text}");
        check("extends = \"kafka\"", "line 1: `name` is missing");
        check("name = \"mine\"", "line 1: `promises` is missing");
        check(
            "name = \"mine\"\nextend = \"kafka\"",
            "line 2: key `extend` is unknown; did you mean `extends`?",
        );
        check(
            "name = 1\nextends = \"kafka\"",
            "line 1: `name` is an integer, text that is not empty is expected",
        );
        check(
            "name = \"m\"\nextends = \"kafak\"",
            "line 2: profile `kafak` is unknown; did you mean `kafka`?",
        );
        check(
            "name = \"m\"\nextends = \"kafka\"\n[anomalies]\nlost-wirte = \"note\"",
            "line 4: anomaly `lost-wirte` is unknown; did you mean `lost-write`?",
        );
        check(
            "name = \"m\"\nextends = \"kafka\"\n[anomalies]\n\nlost-write = \"notes\"",
            "line 5: `lost-write` is text, \"violation\", \"note\" or \"out-of-scope\" is expected",
        );
        check(
            "name = \"m\"\nextends = \"kafka\"\n[guarantees]\ndurabilty = \"note\"",
            "line 4: guarantee `durabilty` is unknown; did you mean `durability`?",
        );
        check(
            "name = \"m\"\nextends = \"kafka\"\n[facts]\nkeep-delivered = true",
            "line 4: fact `keep-delivered` is unknown; did you mean `keeps-delivered`?",
        );
        check(
            "name = \"m\"\nextends = \"kafka\"\n[facts]\nruns = [\"saga\"]",
            "line 4: subject `saga` is unknown; did you mean `sagas`?",
        );
        check(
            "name = \"m\"\nextends = \"kafka\"\nfacts = 1",
            "line 3: `facts` is an integer, a table is expected",
        );
    }

    #[test]
    fn what_is_no_toml_is_an_error_with_its_line() {
        assert!(
            error("name = \"mine\"\nextends =").starts_with("line 2: not TOML: "),
            "{}",
            error("name =\n")
        );
        assert!(error("name = \"a\"\nname = \"b\"").starts_with("line 2: not TOML: duplicate key"));
    }

    #[test]
    fn a_profile_that_extends_another_says_only_what_differs() {
        let text = "name = \"mine\"\nextends = \"kafka\"\n[guarantees]\nno-duplication = \"out-of-scope\"\n\
                    [anomalies]\nredelivery-after-ack = \"violation\"";
        let (mine, kafka) = (Profile::from_toml(text).unwrap(), Profile::named("kafka").unwrap());
        for anomaly in Anomaly::ALL {
            let expected = match anomaly {
                _ if anomaly.guarantee() == Guarantee::NoDuplication => Severity::OutOfScope,
                Anomaly::RedeliveryAfterAck => Severity::Violation,
                _ => kafka.severity(*anomaly),
            };
            assert_eq!(mine.severity(*anomaly), expected, "{anomaly}");
        }
        assert_eq!((mine.promises, mine.keeps_delivered), (kafka.promises, kafka.keeps_delivered));
    }
}
