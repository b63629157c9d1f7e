//! A verdict for programs: all of it, every case included.
//!
//! ```text
//! {"schema":"lawspeaker.verdict/1","source":…,"outcome":"violated"|"conforms"|"inconclusive",
//!  "profile":…,"profile_chosen_by":"caller"|"header"|{"guess":why},"profile_promises":…,"op_count":n,
//!  "findings":[{"id":n,"anomaly":…,"guarantee":…,"severity":"violation"|"note","partitions":[…],"group":…,
//!               "summary":…,"count":n,"caused_by":id,"causes":[id,…],
//!               "cases":[{"events":[…],"partition":…,"offset":…,"process":…,"sentence":…,
//!                         "lines":[{"line":n,"said":…},…]},…]},…],
//!  "checked":[{"guarantee":…,"anomaly":…,"observations":n,"unit":…,"basis":…},…],
//!  "undecided":[{"guarantee":…,"reason":…},…],"out_of_scope":[anomaly,…],
//!  "evidence":[{"witness":…,"need":"required"|"wanted","count":n,"is_waived":true|false},…],
//!  "doubts":[{"assumption":…,"count":n,"first_line":n,"sentence":…},…]}
//! ```
//! Fields that have nothing to say (`group`, `caused_by`, `causes`, `partition`, `offset`, `process`, `basis`) are left out.

use crate::Verdict;

/// The verdict as JSON, with the name of where the history came from. Its schema is [`crate::SCHEMA`].
pub fn json(verdict: &Verdict, source: &str) -> serde_json::Value {
    let mut value = serde_json::to_value(verdict).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("source".to_owned(), source.into());
    }
    value
}
