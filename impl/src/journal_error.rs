//! Why a journal could not be opened.

use std::io;

/// Why a journal could not be opened. Nothing was changed, except that a torn tail may have been cut off.
#[derive(Debug, thiserror::Error)]
pub enum OpenJournalError {
    /// The store failed.
    #[error("journal `{journal}`: {source}")]
    Store {
        /// The journal's name.
        journal: String,
        /// What the store said.
        source: io::Error,
    },
    /// A file holds something else than was written. Records from there on cannot be trusted, and some of them were
    /// acknowledged, so they are not dropped in silence.
    #[error("`{file}` is damaged: {kind}")]
    Damaged {
        /// The file's name.
        file: String,
        /// What is wrong with it.
        kind: DamageKind,
    },
}

/// What is wrong with a segment. Positions are in bytes from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// There is no such file, and there must have been one.
    #[error("there is no such file; restore it from a copy")]
    Missing,
    /// It does not begin as a segment of this journal does.
    #[error("its first bytes are not a segment's header; restore the file from a copy")]
    Header,
    /// It was written by a later version.
    #[error("it has version {found} of the format, this program reads version {known}; use a newer program")]
    Version {
        /// The version that the file has.
        found: u16,
        /// The version that can be read.
        known: u16,
    },
    /// A record that was durable is not valid.
    #[error(
        "record {index} at byte {position} is not valid, and the record at byte {witness} says that it was once; \
         restore the file from a copy"
    )]
    Record {
        /// The record's index in the journal.
        index: u64,
        /// Where its frame begins.
        position: u64,
        /// Where the record begins that testifies for it.
        witness: u64,
    },
    /// A later segment exists, and this one ends before it begins.
    #[error(
        "it ends at record {end}, and the next segment begins at record {next}; restore the file from a copy"
    )]
    Short {
        /// The index after its last valid record.
        end: u64,
        /// The first index of the next segment.
        next: u64,
    },
}
