//! Judges a recorded history of an event-driven system: which guarantee it broke, and where.
//!
//! ```
//! use lawspeaker_history::History;
//! use lawspeaker_oracle::{Anomaly, Outcome, Profile, judge};
//!
//! let history = History::read(
//!     br#"{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[0,"a"]]]}
//! {"process":0,"type":"ok","f":"send","value":[["send","orders/0",[1,"b"]]]}
//! {"process":1,"type":"ok","f":"poll","value":[["poll",{"orders/0":[[1,"b"]]}]]}"#.as_slice(),
//! )?;
//! let verdict = judge(&history, Profile::named("kafka").expect("kafka is a profile"));
//! assert_eq!(verdict.outcome, Outcome::Violated);
//! assert_eq!(verdict.findings[0].anomaly, Anomaly::LostWrite);
//! assert_eq!(
//!     verdict.findings[0].summary,
//!     "event a was acknowledged in orders/0 at offset 0 (line 1), and nobody ever read it, though readers came \
//!      further (line 3)",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How it is built
//! * `evidence` takes the ops one by one and keeps what is certain: who was told what, who read what, on which
//!   line. An `info` outcome is unknown and never held against anybody.
//! * `guarantee` has one file for each guarantee; its checks read the evidence and write down [`Case`]s.
//! * [`Profile`], read from TOML, says what the system promised: an anomaly is a violation, a note, or out of scope.
//! * `cause` puts cases of one kind together and lists what merely follows under its root cause.
//! * [`report`] tells the [`Verdict`] to people and to programs.
//! * [`assert_conforms`] and [`assert_finds`] are for tests: they panic with the report.
//! * [`compat`] says what another checker would say, in its words.
//! * [`Windowed`] judges what does not fit into memory, partition by partition.
//! * [`witness`] finds the smallest part of a history that still breaks the same promise.
//!
//! # Cost
//! O(n log n) time and O(n) memory in the number of observations, whatever the offsets are.
//! Nothing panics, whatever the history holds, and two runs over one history give equal verdicts.
//!
//! # Reference
//! The names of anomalies are those of Jepsen's Kafka checker (`jepsen.tests.kafka`) where it has one.
//! The definitions are our own words; where they differ, the file of the guarantee says why.

mod anomaly;
mod assert;
mod assumption;
mod case;
mod cause;
pub mod compat;
mod evidence;
mod exercise;
mod explain;
mod graph;
mod guarantee;
mod hash;
mod judge;
mod profile;
pub mod report;
mod results;
mod strip;
mod verdict;
mod window;
pub mod witness;

pub use anomaly::{Anomaly, Subject};
pub use assert::{assert_conforms, assert_finds};
pub use assumption::{Assumption, Doubt};
pub use case::{Case, Line};
pub use exercise::{Exercise, Exercised, Need};
pub use judge::{Judge, judge};
pub use profile::{Profile, ProfileError, ProfileErrorKind, Severity, UnknownProfileError};
pub use strip::{Cell, Entry, Mark, Strip};
pub use verdict::{Checked, ChosenBy, Finding, Outcome, SCHEMA, Step, Undecided, Verdict};
pub use window::{WindowError, Windowed};
