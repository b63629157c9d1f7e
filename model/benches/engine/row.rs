//! What a checker did with a model: a row of the table.

use std::fmt;

/// The figures of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) states: usize,
    pub(crate) generated: usize,
    /// By the clock.
    pub(crate) seconds: f64,
    /// On processors, of all threads together.
    pub(crate) processor_seconds: f64,
    /// The most memory that was held, if it is known.
    pub(crate) bytes: Option<f64>,
}

/// What stands above the rows.
pub(crate) const HEAD: &str = "  states   generated   seconds  processor  states/s  bytes/state";

impl Row {
    /// States by the clock.
    pub(crate) fn rate(&self) -> f64 {
        self.states as f64 / self.seconds
    }

    /// The row that another process of this program has printed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_whitespace();
        Some(Row {
            states: fields.next()?.parse().ok()?,
            generated: fields.next()?.parse().ok()?,
            seconds: fields.next()?.parse().ok()?,
            processor_seconds: fields.next()?.parse().ok()?,
            bytes: Some(fields.next()?.parse().ok()?),
        })
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { states, generated, seconds, processor_seconds, bytes } = self;
        let rate = self.rate();
        let per_state = bytes.map_or("-".into(), |bytes| format!("{:.0}", bytes / *states as f64));
        write!(
            f,
            "{states:>8} {generated:>11} {seconds:>9.2} {processor_seconds:>10.2} {rate:>9.0} {per_state:>12}"
        )
    }
}
