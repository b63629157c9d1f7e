//! The exit codes, frozen: scripts and CI rely on them.

use std::process::ExitCode;

use lawspeaker_model::report::Outcome;

/// What the process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything holds, completely, within the printed bounds.
    Holds = 0,
    /// A guarantee is violated; this outranks everything else.
    Violated = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A limit was hit, a witness was not met, there was nothing to judge, or a recording lacks what a verdict needs.
    Inconclusive = 3,
    /// Input could not be read, or the result not be written.
    Input = 4,
    /// A bug of ours.
    Bug = 70,
    /// Stopped by the user.
    Interrupted = 130,
}

impl Exit {
    /// What two results come to: a violation outranks everything, and then comes what says least.
    pub(crate) fn and(self, other: Exit) -> Exit {
        let rank = |exit: Exit| match exit {
            Exit::Violated => 6,
            Exit::Bug => 5,
            Exit::Interrupted => 4,
            Exit::Usage => 3,
            Exit::Input => 2,
            Exit::Inconclusive => 1,
            Exit::Holds => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Holds => Exit::Holds,
            Outcome::Violated => Exit::Violated,
            Outcome::Inconclusive => Exit::Inconclusive,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_outranks_everything() {
        for other in [Exit::Holds, Exit::Usage, Exit::Inconclusive, Exit::Input, Exit::Interrupted] {
            assert_eq!(other.and(Exit::Violated), Exit::Violated);
            assert_eq!(Exit::Violated.and(other), Exit::Violated);
        }
        assert_eq!(Exit::Holds.and(Exit::Inconclusive), Exit::Inconclusive);
        assert_eq!(Exit::Input.and(Exit::Inconclusive), Exit::Input);
    }
}
