//! The guards that a run can do without, by the names that they have in the models; and what it comes to.
//!
//! Those of the choreography that are business of the services themselves stand in this example; the others belong to
//! the bus, and are removed by its seeded defects (its feature `mutants`).

use std::fmt;

use crate::Variant;

/// Something that keeps the system honest, and can be left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guard {
    pub variant: Variant,
    pub name: &'static str,
    /// The seeded defect of the bus that removes it; `None` if it stands in this example.
    pub mutant: Option<&'static str>,
    /// What a run without it breaks.
    pub upholds: &'static str,
    /// The faults of a load that shows it, and how many of its orders are cancelled, of a hundred.
    pub shown_by: (&'static str, u8),
}

use Variant::{Choreographed, Orchestrated};

/// A cancellation is a request that shipping decides.
pub(crate) const CANCEL_GATE: &str = "cancel-gate";
/// Payments refunds what was cancelled.
pub(crate) const REFUND_ON_CANCEL: &str = "refund-on-cancel";
/// Inventory releases what was not paid for.
pub(crate) const RELEASE_ON_PAYMENT_FAILURE: &str = "release-on-payment-failure";

const fn guard(
    variant: Variant,
    name: &'static str,
    mutant: Option<&'static str>,
    upholds: &'static str,
    shown_by: (&'static str, u8),
) -> Guard {
    Guard { variant, name, mutant, upholds, shown_by }
}

/// Every guard, by variant.
#[rustfmt::skip]
pub(crate) const ALL: &[Guard] = &[
    guard(Orchestrated, "idempotent-forward", Some("step-done-again"), "effect-once", ("duplicate@reserve=100", 0)),
    guard(Orchestrated, "idempotent-compensation", Some("step-undone-again"), "effect-once", ("duplicate@reserve=100,refuse@charge=100", 0)),
    guard(Orchestrated, "tombstone", Some("no-tombstone"), "saga-atomicity", ("late@charge=100", 100)),
    guard(Orchestrated, "compensate-unknown", Some("unknown-not-undone"), "saga-atomicity", ("time-out@charge=100", 0)),
    guard(Orchestrated, "compensation-retry", Some("failed-undo-believed"), "saga-atomicity", ("fail-undo@reserve=100,refuse@charge=100", 0)),
    guard(Orchestrated, "reverse-order", Some("oldest-undone-first"), "compensation-order", ("refuse@accept=100", 0)),
    guard(Choreographed, "dedup", Some("inbox-unchecked"), "effect-once", ("duplicate@reserve=100", 0)),
    guard(Choreographed, "tombstone", Some("tombstone-forgotten"), "saga-atomicity", ("late@charge=100", 100)),
    guard(Choreographed, "remember-refusal", Some("inbox-forgets-refusals"), "saga-atomicity", ("refuse@charge=100,duplicate@charge=100", 0)),
    guard(Choreographed, CANCEL_GATE, None, "saga-atomicity", ("late@charge=100", 100)),
    guard(Choreographed, REFUND_ON_CANCEL, None, "saga-atomicity", ("late@ship=100", 100)),
    guard(Choreographed, RELEASE_ON_PAYMENT_FAILURE, None, "saga-atomicity", ("refuse@charge=100", 0)),
];

/// Why a guard cannot be left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GuardError {
    #[error("variant `{variant}` has no guard `{name}`; it has {}", names(*.variant))]
    Unknown { variant: Variant, name: String },
    #[error("guard `{0}` belongs to the bus: build the example with `--features mutants` to leave it out")]
    NotBuilt(&'static str),
}

fn names(variant: Variant) -> String {
    let names = ALL.iter().filter(|guard| guard.variant == variant).map(|guard| guard.name);
    names.collect::<Vec<_>>().join(", ")
}

/// The guards in place: all but one, or all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Guards {
    without: Option<&'static Guard>,
}

impl Guards {
    /// All but the guard `name` of `variant`, if it names one.
    ///
    /// # Errors
    /// [`GuardError`].
    pub(crate) fn without(variant: Variant, name: Option<&str>) -> Result<Self, GuardError> {
        let Some(name) = name else { return Ok(Guards::default()) };
        let found = ALL.iter().find(|guard| guard.variant == variant && guard.name == name);
        let guard = found.ok_or_else(|| GuardError::Unknown { variant, name: name.to_owned() })?;
        if guard.mutant.is_some() && !cfg!(feature = "mutants") {
            return Err(GuardError::NotBuilt(guard.name));
        }
        Ok(Guards { without: Some(guard) })
    }

    /// The guard that is left out.
    pub(crate) fn removed(&self) -> Option<&'static Guard> {
        self.without
    }

    /// Whether the guard `name` is in place.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.without.is_none_or(|guard| guard.name != name)
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Guard { variant, name, upholds, shown_by: (faults, percent), .. } = self;
        write!(f, "{variant} without {name} breaks {upholds}: --faults {faults} --cancel-percent {percent}")
    }
}
