//! What the bus has: its topics, the ids of its producers, and how many members it has seen; the fold of a journal.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::codec::{DecodeError, Decoder, Encoder};
use crate::id::{MemberId, ProducerId};
use crate::journal::Journal;
use crate::segment_journal::SegmentJournal;

const MEMBER: u8 = 1;
const TOPIC: u8 = 2;
const PRODUCER: u8 = 3;

/// One change of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// A member joined some group; its id is how many joined before it.
    Member,
    /// A topic was created.
    Topic { name: String, partition_count: u32 },
    /// A producer was named; its id is how many were named before it.
    Producer { name: String },
}

impl Entry {
    fn encode(&self) -> Vec<u8> {
        match self {
            Entry::Member => Encoder::new(MEMBER).finish(),
            Entry::Topic { name, partition_count } => {
                let mut encoder = Encoder::new(TOPIC);
                encoder.byte_string(name.as_bytes());
                encoder.number(u64::from(*partition_count));
                encoder.finish()
            }
            Entry::Producer { name } => {
                let mut encoder = Encoder::new(PRODUCER);
                encoder.byte_string(name.as_bytes());
                encoder.finish()
            }
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let entry = match decoder.tag()? {
            MEMBER => Entry::Member,
            TOPIC => Entry::Topic { name: decoder.text()?.to_owned(), partition_count: decoder.narrow()? },
            PRODUCER => Entry::Producer { name: decoder.text()?.to_owned() },
            tag => return Err(DecodeError::UnknownTag(tag)),
        };
        decoder.finish()?;
        Ok(entry)
    }
}

/// The catalogue of a bus.
#[derive(Debug)]
pub(super) struct Catalogue {
    journal: SegmentJournal,
    known: Mutex<Known>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Known {
    member_count: u64,
    topics: BTreeMap<String, u32>,
    producers: BTreeMap<String, ProducerId>,
}

impl Known {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Member => self.member_count += 1,
            Entry::Topic { name, partition_count } => drop(self.topics.insert(name, partition_count)),
            Entry::Producer { name } => {
                let id = ProducerId(self.producers.len() as u64);
                self.producers.entry(name).or_insert(id);
            }
        }
    }
}

impl Catalogue {
    /// Reads the catalogue that `journal` holds. O(entries).
    ///
    /// # Errors
    /// What the store says; [`io::ErrorKind::InvalidData`] for an entry that this version does not know.
    pub(super) fn open(journal: SegmentJournal) -> io::Result<Self> {
        let mut known = Known::default();
        for index in 0..journal.record_count() {
            let unknown =
                |error| io::Error::new(io::ErrorKind::InvalidData, format!("entry {index}: {error}"));
            known.apply(Entry::decode(&journal.read(index)?).map_err(unknown)?);
        }
        Ok(Catalogue { journal, known: Mutex::new(known) })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes `entry`, durably, and then knows it.
    fn add(&self, known: &mut Known, entry: Entry) -> io::Result<()> {
        self.journal.append(&entry.encode())?;
        self.journal.sync()?;
        known.apply(entry);
        Ok(())
    }

    /// The id of a new member: never the same twice, over all groups and restarts.
    pub(super) fn new_member(&self) -> io::Result<MemberId> {
        let mut known = self.known();
        let id = MemberId(known.member_count);
        self.add(&mut known, Entry::Member)?;
        Ok(id)
    }

    /// The topics, in order of their names, with their partition counts.
    pub(super) fn topics(&self) -> BTreeMap<String, u32> {
        self.known().topics.clone()
    }

    /// Adds a topic that is not known yet.
    pub(super) fn add_topic(&self, name: &str, partition_count: u32) -> io::Result<()> {
        self.add(&mut self.known(), Entry::Topic { name: name.to_owned(), partition_count })
    }

    /// The id of the producer `name`: a new one, if it was never named before.
    pub(super) fn producer(&self, name: &str) -> io::Result<ProducerId> {
        let mut known = self.known();
        if !known.producers.contains_key(name) {
            self.add(&mut known, Entry::Producer { name: name.to_owned() })?;
        }
        Ok(known.producers[name])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quickcheck::quickcheck;

    use super::*;
    use crate::segment_journal::JournalLimits;
    use crate::store::MemoryStore;

    fn open(store: &MemoryStore) -> Catalogue {
        let limits = JournalLimits::default();
        let journal = SegmentJournal::open_or_create(Arc::new(store.clone()), "catalogue", limits);
        Catalogue::open(journal.unwrap()).unwrap()
    }

    #[test]
    fn what_was_added_is_known_after_reopening() {
        let store = MemoryStore::new();
        let catalogue = open(&store);
        assert_eq!(catalogue.new_member().unwrap(), MemberId(0));
        catalogue.add_topic("orders", 3).unwrap();
        assert_eq!(catalogue.producer("shop").unwrap(), ProducerId(0));
        assert_eq!(catalogue.producer("till").unwrap(), ProducerId(1));
        let again = open(&store);
        assert_eq!(again.topics(), BTreeMap::from([("orders".to_owned(), 3)]));
        assert_eq!(again.producer("till").unwrap(), ProducerId(1));
        assert_eq!(again.producer("desk").unwrap(), ProducerId(2));
        assert_eq!(again.new_member().unwrap(), MemberId(1));
    }

    quickcheck! {
        fn an_entry_reads_back_as_it_was_written(name: String, partition_count: u32) -> bool {
            let entries =
                [Entry::Member, Entry::Topic { name: name.clone(), partition_count }, Entry::Producer { name }];
            entries.iter().all(|entry| Entry::decode(&entry.encode()).as_ref() == Ok(entry))
        }

        fn arbitrary_bytes_are_refused_or_read_but_never_panic(bytes: Vec<u8>) -> bool {
            Entry::decode(&bytes).map_or(true, |entry| entry.encode() == bytes)
        }
    }
}
