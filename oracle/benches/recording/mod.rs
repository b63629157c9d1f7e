//! Recordings of a log of partitions, as JSON Lines.

use std::fmt::Write as _;

pub(crate) const PARTITION_COUNT: usize = 4;
const PRODUCER_COUNT: usize = 8;
/// What one poll returns at most, as Kafka's `max.poll.records` has it.
const POLLED_AT_MOST: usize = 500;

/// How a recording looks.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// How many events one call sends.
    pub(crate) batch: usize,
    /// What stands before the number of an event in its id: nothing makes it a number.
    pub(crate) id_prefix: &'static str,
    /// What is added to every offset.
    pub(crate) first_offset: usize,
}

/// A recording that is being written.
pub(crate) struct Recording<'a> {
    shape: &'a Shape,
    pub(crate) text: String,
    index: usize,
    event_count: usize,
    pub(crate) observation_count: usize,
}

impl<'a> Recording<'a> {
    /// One with a header, and nothing in it.
    pub(crate) fn new(shape: &'a Shape) -> Self {
        let header = r#"{"format":"lawspeaker.history","version":1,"profile":"kafka","complete":true}"#;
        Recording { shape, text: format!("{header}\n"), index: 0, event_count: 0, observation_count: 0 }
    }

    /// Eight producers, a group that reads all four partitions of `topic`, and one that reads two of them.
    pub(crate) fn topic(&mut self, topic: &str, event_count: usize) {
        let partitions: Vec<String> =
            (0..PARTITION_COUNT).map(|partition| format!("{topic}/{partition}")).collect();
        let members: Vec<(&str, usize, usize)> = (0..PARTITION_COUNT)
            .map(|partition| ("billing", 100 + partition, partition))
            .chain((0..PARTITION_COUNT / 2).map(|partition| ("mail", 200 + partition, partition)))
            .collect();
        for (group, member, partition) in &members {
            let x = format!(r#"{{"group":"{group}","gen":1}}"#);
            self.op(*member, "ok", "assign", &format!(r#"["{}"]"#, partitions[*partition]), &x);
        }
        let mut logs = vec![Vec::new(); PARTITION_COUNT];
        let mut positions = vec![0; members.len()];
        let events: Vec<usize> = (self.event_count..self.event_count + event_count).collect();
        self.event_count += event_count;
        for (call, batch) in events.chunks(self.shape.batch).enumerate() {
            let partition = call % PARTITION_COUNT;
            self.send(call % PRODUCER_COUNT, &partitions[partition], &mut logs[partition], batch);
            for ((group, member, partition), position) in members.iter().zip(&mut positions) {
                if logs[*partition].len() - *position >= POLLED_AT_MOST {
                    self.poll(group, *member, &partitions[*partition], &logs[*partition], position);
                }
            }
        }
        for ((group, member, partition), position) in members.iter().zip(&mut positions) {
            while *position < logs[*partition].len() {
                self.poll(group, *member, &partitions[*partition], &logs[*partition], position);
            }
        }
    }

    fn op(&mut self, process: usize, op_type: &str, f: &str, value: &str, x: &str) {
        let (index, time) = (self.index, self.index * 1_000);
        self.index += 1;
        let x = if x.is_empty() { String::new() } else { format!(r#","x":{x}"#) };
        writeln!(
            self.text,
            r#"{{"index":{index},"time":{time},"process":{process},"type":"{op_type}","f":"{f}","value":{value}{x}}}"#
        )
        .expect("memory takes it");
    }

    fn id(&self, event: usize) -> String {
        match self.shape.id_prefix {
            "" => event.to_string(),
            prefix => format!("\"{prefix}{event}\""),
        }
    }

    /// A batch is sent to the end of `log`, and acknowledged.
    fn send(&mut self, producer: usize, partition: &str, log: &mut Vec<usize>, events: &[usize]) {
        let list = |entries: Vec<String>| format!("[{}]", entries.join(","));
        let asked = events.iter().map(|event| format!(r#"["send","{partition}",{}]"#, self.id(*event)));
        self.op(producer, "invoke", "send", &list(asked.collect()), "");
        let first = self.shape.first_offset + log.len();
        let told = events.iter().enumerate().map(|(place, event)| {
            format!(r#"["send","{partition}",[{},{}]]"#, first + place, self.id(*event))
        });
        self.op(producer, "ok", "send", &list(told.collect()), "");
        log.extend(events);
        self.observation_count += events.len();
    }

    /// A member reads on from `position`, and commits how far it came.
    fn poll(&mut self, group: &str, member: usize, partition: &str, log: &[usize], position: &mut usize) {
        let next = (*position + POLLED_AT_MOST).min(log.len());
        let x = format!(r#"{{"group":"{group}"}}"#);
        let first = self.shape.first_offset + *position;
        let records = log[*position..next].iter().enumerate();
        let records = records.map(|(place, event)| format!("[{},{}]", first + place, self.id(*event)));
        let value = format!(r#"[["poll",{{"{partition}":[{}]}}]]"#, records.collect::<Vec<_>>().join(","));
        self.op(member, "invoke", "poll", "null", &x);
        self.op(member, "ok", "poll", &value, &x);
        let value = format!(r#"{{"{partition}":{}}}"#, self.shape.first_offset + next);
        self.op(member, "invoke", "commit", &value, &x);
        self.op(member, "ok", "commit", &value, &x);
        self.observation_count += next - *position + 1;
        *position = next;
    }
}
