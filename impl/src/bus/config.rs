//! The limits of a bus.

use std::num::NonZeroUsize;

use crate::causal_producer::Barrier;
use crate::causality::Representation;
use crate::segment_journal::JournalLimits;

/// The limits of a bus. They may differ from one opening to the next: what was written under others can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// A segment of a journal takes no more records once it is this long, in bytes.
    pub segment_bytes: u64,
    /// The longest message, in bytes: payload, key, kind, ids and causal context together.
    pub max_message_bytes: u32,
    /// How many partitions a topic may have. Each costs an open file and, when syncing, a call of the disk.
    pub max_partition_count: u32,
}

/// The shortest segment that is accepted, in bytes: shorter ones are nothing but headers.
const MIN_SEGMENT_BYTES: u64 = 64;
/// The longest message that can be allowed, in bytes: it must fit into memory a few times.
const MAX_MESSAGE_BYTES: u32 = 1 << 30;
/// What a record needs beside its message, in bytes, at most.
const RECORD_OVERHEAD_BYTES: u32 = 256;

/// Why a configuration cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Segments would be nothing but headers.
    #[error("segments of {segment_bytes} bytes are too short: give them at least {MIN_SEGMENT_BYTES}")]
    SegmentTooShort {
        /// What was configured.
        segment_bytes: u64,
    },
    /// No message would fit, or one that does not fit into memory.
    #[error("messages of up to {max_message_bytes} bytes cannot be had: allow 1 to {MAX_MESSAGE_BYTES}")]
    MessageBytes {
        /// What was configured.
        max_message_bytes: u32,
    },
    /// No topic could be created.
    #[error("topics of up to 0 partitions hold nothing: allow at least 1")]
    NoPartitions,
}

impl Default for Config {
    /// Segments of 64 MiB, messages of up to 1 MiB, topics of up to 1024 partitions.
    fn default() -> Self {
        Config { segment_bytes: 64 << 20, max_message_bytes: 1 << 20, max_partition_count: 1024 }
    }
}

impl Config {
    /// Whether a bus can work within these limits.
    ///
    /// # Errors
    /// [`ConfigError`], the first that applies.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Config { segment_bytes, max_message_bytes, max_partition_count } = *self;
        if segment_bytes < MIN_SEGMENT_BYTES {
            return Err(ConfigError::SegmentTooShort { segment_bytes });
        }
        if !(1..=MAX_MESSAGE_BYTES).contains(&max_message_bytes) {
            return Err(ConfigError::MessageBytes { max_message_bytes });
        }
        if max_partition_count == 0 {
            return Err(ConfigError::NoPartitions);
        }
        Ok(())
    }

    /// The limits of each journal.
    pub(super) fn journal_limits(&self) -> JournalLimits {
        JournalLimits {
            segment_bytes: self.segment_bytes,
            record_bytes: self.max_message_bytes + RECORD_OVERHEAD_BYTES,
        }
    }
}

/// How a causal session works. Sessions that work differently understand one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CausalConfig {
    /// How it writes causes down.
    pub representation: Representation,
    /// What it waits for before it sends.
    pub barrier: Barrier,
    /// How many events the inbox holds back at most. Of each partition of which something did not fit, nothing more is
    /// read; what was read already, up to 64 events of a partition, waits beside the inbox.
    pub capacity: NonZeroUsize,
}

impl Default for CausalConfig {
    /// Nearest dependencies, the barrier across partitions, 1024 events.
    fn default() -> Self {
        CausalConfig {
            representation: Representation::default(),
            barrier: Barrier::default(),
            capacity: NonZeroUsize::MIN.saturating_add(1023),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_nothing_can_live_within_are_refused() {
        let check = |config: Config, expected| assert_eq!(config.check(), expected);
        let good = Config::default();
        check(good, Ok(()));
        let segment_bytes = 63;
        check(Config { segment_bytes, ..good }, Err(ConfigError::SegmentTooShort { segment_bytes }));
        for max_message_bytes in [0, u32::MAX] {
            check(Config { max_message_bytes, ..good }, Err(ConfigError::MessageBytes { max_message_bytes }));
        }
        check(Config { max_partition_count: 0, ..good }, Err(ConfigError::NoPartitions));
    }
}
