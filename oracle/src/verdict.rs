//! What the oracle says of a history.

use lawspeaker_history::{GroupId, Guarantee, Partition};

use crate::{Anomaly, Case, Doubt, Exercised, Need, Severity, Strip};

/// The name and version of the JSON form of a verdict.
pub const SCHEMA: &str = "lawspeaker.verdict/1";

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was checked, and nothing that was checked is broken.
    Conforms,
    /// A promise of the profile is broken.
    Violated,
    /// There was nothing to judge, or something is missing that the profile requires of a recording.
    Inconclusive,
}

/// Who chose the profile.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChosenBy {
    /// The caller.
    Caller,
    /// The header of the history.
    Header,
    /// Nobody; it was guessed, for this reason.
    Guess(String),
}

/// Cases of one anomaly that belong together.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Its number within the verdict, from 1.
    pub id: usize,
    /// How it shows.
    pub anomaly: Anomaly,
    /// What is broken.
    pub guarantee: Guarantee,
    /// How it weighs under the profile.
    pub severity: Severity,
    /// The partitions it shows in.
    pub partitions: Vec<Partition>,
    /// The consumer group it shows in, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// What is wrong, in one sentence over all cases.
    pub summary: String,
    /// How many cases there are.
    pub count: usize,
    /// The finding that this one follows from, if it is not a root cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<usize>,
    /// The findings that follow from this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<usize>,
    /// All cases, oldest first.
    pub cases: Vec<Case>,
    /// The first case as a proof in words; what it proves is [`Finding::conclusion`]. Not in JSON, where the lines are.
    #[serde(skip)]
    pub proof: Vec<Step>,
    /// The log around the first case, if it is a root cause, shows at an offset, and is among the first few. Not in JSON.
    #[serde(skip)]
    pub strip: Option<Strip>,
}

/// One step of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of the line, from 1.
    pub line: u64,
    /// What it said.
    pub said: String,
    /// What follows from it for what is accused.
    pub so: Option<String>,
}

impl Finding {
    /// The same under another number, and so are those that it names.
    pub(crate) fn renumbered(mut self, number: impl Fn(usize) -> usize) -> Self {
        self.id = number(self.id);
        self.caused_by = self.caused_by.map(&number);
        self.causes.iter_mut().for_each(|id| *id = number(*id));
        self
    }

    /// What the proof comes to, as a clause: which guarantee does not hold.
    pub fn conclusion(&self) -> String {
        format!("{} does not hold: {}", self.guarantee, self.guarantee.says())
    }
}

/// On how many observations one check rests.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// The anomaly that was looked for.
    pub anomaly: Anomaly,
    /// How many observations were looked at.
    pub observations: usize,
    /// What was counted, in the singular.
    pub unit: &'static str,
    /// What the check took for granted of them, where it had a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

/// What the history could not decide.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Undecided {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// Why, and what would help.
    pub reason: String,
}

/// What the oracle says of a history. In JSON its schema is [`SCHEMA`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verdict {
    /// The name and version of this form.
    pub schema: &'static str,
    /// The answer in one word.
    pub outcome: Outcome,
    /// The profile that was applied.
    pub profile: String,
    /// Who chose it.
    pub profile_chosen_by: ChosenBy,
    /// What such a system promises.
    pub profile_promises: String,
    /// How many ops were read.
    pub op_count: usize,
    /// Violations and notes; root causes first, each followed by what it causes.
    pub findings: Vec<Finding>,
    /// What was looked for, and on how many observations.
    pub checked: Vec<Checked>,
    /// What the history could not decide, and why.
    pub undecided: Vec<Undecided>,
    /// What the profile says a recording should hold, and how much of it this one does.
    pub evidence: Vec<Exercised>,
    /// What the profile does not promise at all.
    pub out_of_scope: Vec<Anomaly>,
    /// What is odd about the recording itself.
    pub doubts: Vec<Doubt>,
}

impl Verdict {
    /// The findings of one anomaly.
    pub fn of(&self, anomaly: Anomaly) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.anomaly == anomaly)
    }

    /// How many cases of one anomaly there are, violations and notes.
    pub fn count(&self, anomaly: Anomaly) -> usize {
        self.of(anomaly).map(|finding| finding.count).sum()
    }

    /// The findings that are violations.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Violation)
    }

    /// The findings that follow from no other.
    pub fn roots(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.caused_by.is_none())
    }

    /// What the profile requires of a recording, this one does not hold, and the caller did not waive.
    pub fn missing(&self) -> impl Iterator<Item = &Exercised> {
        self.evidence.iter().filter(|witnessed| witnessed.is_missing(Need::Required))
    }

    /// The finding of this number.
    pub fn finding(&self, id: usize) -> Option<&Finding> {
        self.findings.get(id.checked_sub(1)?)
    }
}
