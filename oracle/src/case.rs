//! One instance of an anomaly, with the lines that show it.

use lawspeaker_history::{EventId, GroupId, Offset, Partition, Process, SagaId, StepName};

use crate::Anomaly;
use crate::evidence::{EventKey, GroupKey, Names, PartitionKey, SagaKey, StepKey};

/// A line of the history and what it said, in words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// The number of the line, from 1.
    pub line: u64,
    /// What it said, as a sentence without full stop.
    pub said: String,
}

/// One instance of an anomaly: the smallest unit of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Case {
    /// The events that suffered.
    pub events: Vec<EventId>,
    /// The partition it shows in, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// The offset at which it shows, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<Offset>,
    /// Whose call it shows in, if it is one process's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The saga it shows in, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saga: Option<SagaId>,
    /// The steps of the saga that it shows in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepName>,
    /// What is wrong, in one sentence that names events, offsets and lines.
    pub sentence: String,
    /// The lines that show it, in order.
    pub lines: Vec<Line>,
}

/// A case as a check found it, with what the grouping by cause needs.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub anomaly: Anomaly,
    /// The system may be excused: a note at most, unless the profile is strict.
    pub is_excused: bool,
    pub partitions: Vec<PartitionKey>,
    pub group: Option<GroupKey>,
    /// The events that suffered.
    pub events: Vec<EventKey>,
    /// Events that are not to blame and take part, such as those skipped over.
    pub involved: Vec<EventKey>,
    pub offset: Option<Offset>,
    pub process: Option<Process>,
    pub saga: Option<SagaKey>,
    /// The steps of the saga that suffered.
    pub steps: Vec<StepKey>,
    /// The line from which on it is wrong, where those before it only tell how it came to that.
    pub since: Option<u64>,
    /// Whether it goes on after its last line, to the end of the history.
    pub is_lasting: bool,
    /// Whether it takes the order of lines for the order in time, for want of invocations.
    pub is_ordered_by_line: bool,
    pub sentence: String,
    pub lines: Vec<Line>,
}

impl Found {
    /// A case that its lines show, each told once where it stands twice in a row.
    pub(crate) fn new(anomaly: Anomaly, sentence: String, mut lines: Vec<Line>) -> Self {
        lines.dedup();
        Found {
            anomaly,
            is_excused: false,
            since: None,
            is_lasting: false,
            is_ordered_by_line: false,
            partitions: Vec::new(),
            group: None,
            events: Vec::new(),
            involved: Vec::new(),
            offset: None,
            process: None,
            saga: None,
            steps: Vec::new(),
            sentence,
            lines,
        }
    }

    pub(crate) fn at(mut self, partition: PartitionKey, offset: Option<Offset>) -> Self {
        self.partitions.push(partition);
        self.offset = offset;
        self
    }

    pub(crate) fn group(mut self, group: Option<GroupKey>) -> Self {
        self.group = group;
        self
    }

    pub(crate) fn event(mut self, event: EventKey) -> Self {
        self.events.push(event);
        self
    }

    pub(crate) fn events(mut self, events: impl IntoIterator<Item = EventKey>) -> Self {
        self.events.extend(events);
        self
    }

    pub(crate) fn involving(mut self, events: impl IntoIterator<Item = EventKey>) -> Self {
        self.involved.extend(events);
        self
    }

    pub(crate) fn process(mut self, process: &Process) -> Self {
        self.process = Some(process.clone());
        self
    }

    pub(crate) fn of_saga(mut self, saga: SagaKey, steps: impl IntoIterator<Item = StepKey>) -> Self {
        self.saga = Some(saga);
        self.steps.extend(steps);
        self
    }

    pub(crate) fn excused_if(mut self, is_excused: bool) -> Self {
        self.is_excused = is_excused;
        self
    }

    pub(crate) fn ordered_by_line_if(mut self, is_ordered_by_line: bool) -> Self {
        self.is_ordered_by_line = is_ordered_by_line;
        self
    }

    pub(crate) fn since(mut self, line: u64) -> Self {
        self.since = Some(line);
        self
    }

    /// The first line that shows it; cases are told in this order.
    pub(crate) fn first_line(&self) -> u64 {
        self.lines.first().map_or(0, |line| line.line)
    }

    /// The line from which on it is wrong.
    pub(crate) fn begin(&self) -> u64 {
        self.since.unwrap_or_else(|| self.first_line())
    }

    /// The last line on which it shows.
    pub(crate) fn last_line(&self) -> u64 {
        if self.is_lasting { u64::MAX } else { self.lines.last().map_or(0, |line| line.line) }
    }

    pub(crate) fn into_case(self, names: &Names) -> Case {
        Case {
            events: self.events.iter().map(|event| names.events[*event].clone()).collect(),
            partition: match self.partitions.as_slice() {
                [partition] => Some(names.partitions[*partition].clone()),
                _ => None,
            },
            offset: self.offset,
            process: self.process,
            saga: self.saga.map(|saga| names.sagas[saga].clone()),
            steps: self.steps.iter().map(|step| names.steps[*step].clone()).collect(),
            sentence: self.sentence,
            lines: self.lines,
        }
    }

    pub(crate) fn partition_names(&self, names: &Names) -> Vec<Partition> {
        self.partitions.iter().map(|partition| names.partitions[*partition].clone()).collect()
    }

    pub(crate) fn group_name(&self, names: &Names) -> Option<GroupId> {
        self.group.map(|group| names.groups[group].clone())
    }
}
