//! The value of the calls that most lines are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::give_up;
use super::shared::Shared;
use super::word::{Name, Words, WordsVisitor};
use crate::{Batch, Call, Delivery, MicroOp, Partition, Position, Record, Sent};

/// Which call the value is of.
#[derive(Clone, Copy)]
enum Shape {
    Send,
    Poll,
    Txn,
    Receive,
    Commit,
    Deliveries(fn(Vec<Delivery>) -> Call),
}

/// Reads the value of one call.
pub(super) struct ValueSeed<'s> {
    shape: Shape,
    shared: &'s mut Shared,
}

impl<'s> ValueSeed<'s> {
    /// `None` for a call whose value is read the long way.
    pub(super) fn of(f: &str, shared: &'s mut Shared) -> Option<Self> {
        let shape = match f {
            "send" => Shape::Send,
            "poll" => Shape::Poll,
            "txn" => Shape::Txn,
            "receive" => Shape::Receive,
            "commit" => Shape::Commit,
            "ack" => Shape::Deliveries(Call::Ack),
            "nack" => Shape::Deliveries(Call::Nack),
            "reject" => Shape::Deliveries(Call::Reject),
            "dead-letter" => Shape::Deliveries(Call::DeadLetter),
            "apply" => Shape::Deliveries(Call::Apply),
            _ => return None,
        };
        Some(ValueSeed { shape, shared })
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Call;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Call, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Call;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a call")
    }

    fn visit_unit<E>(self) -> Result<Call, E> {
        Ok(match self.shape {
            Shape::Send => Call::Send(Vec::new()),
            Shape::Poll => Call::Poll(Vec::new()),
            Shape::Txn => Call::Txn(Vec::new()),
            Shape::Receive => Call::Receive(Vec::new()),
            Shape::Commit => Call::Commit(Vec::new()),
            Shape::Deliveries(call) => call(Vec::new()),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Call, A::Error> {
        let shared = self.shared;
        match self.shape {
            Shape::Send => {
                let mut all = Vec::new();
                while let Some(item) = items.next_element_seed(MicroOp::seed(shared))? {
                    let MicroOp::Send(sent) = item else { return Err(give_up()) };
                    all.push(sent);
                }
                Ok(Call::Send(all))
            }
            Shape::Poll => {
                let mut all = Vec::new();
                while let Some(item) = items.next_element_seed(MicroOp::seed(shared))? {
                    let MicroOp::Poll(batches) = item else { return Err(give_up()) };
                    all.extend(batches);
                }
                Ok(Call::Poll(all))
            }
            Shape::Txn => Ok(Call::Txn(list(items, shared)?)),
            Shape::Deliveries(call) => Ok(call(list(items, shared)?)),
            Shape::Receive | Shape::Commit => Err(give_up()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Call, A::Error> {
        match self.shape {
            Shape::Receive => Ok(Call::Receive(batches(entries, self.shared)?)),
            Shape::Commit => {
                let mut all = Vec::new();
                while let Some(Name(name)) = entries.next_key()? {
                    let partition = Partition::shared(self.shared.partition(&name));
                    all.push(Position { partition, next: entries.next_value::<Words>()?.offset()? });
                }
                sort_by_partition(&mut all, |position| &position.partition)?;
                Ok(Call::Commit(all))
            }
            _ => Err(give_up()),
        }
    }
}

/// Something that a list holds.
trait Item: Sized {
    fn of_list<'de, A: SeqAccess<'de>>(items: A, shared: &mut Shared) -> Result<Self, A::Error>;

    fn of_word<E: serde::de::Error>(_: Words<'_>, _: &mut Shared) -> Result<Self, E> {
        Err(give_up())
    }

    fn seed(shared: &mut Shared) -> Seed<'_, Self> {
        Seed { shared, makes: PhantomData }
    }
}

struct Seed<'s, T> {
    shared: &'s mut Shared,
    makes: PhantomData<T>,
}

impl<'de, T: Item> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Item> Visitor<'de> for Seed<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<T, E> {
        T::of_word(Words::Null, self.shared)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        T::of_word(Words::Integer(number), self.shared)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<T, E> {
        T::of_word(WordsVisitor.visit_u64(number)?, self.shared)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::of_word(Words::Text(text.into()), self.shared)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::of_list(items, self.shared)
    }
}

fn list<'de, A: SeqAccess<'de>, T: Item>(mut items: A, shared: &mut Shared) -> Result<Vec<T>, A::Error> {
    let mut all = Vec::new();
    while let Some(item) = items.next_element_seed(T::seed(shared))? {
        all.push(item);
    }
    Ok(all)
}

/// The next item of a list that must have one. What is left over at the end, the deserializer refuses.
fn next<'de, A: SeqAccess<'de>>(items: &mut A) -> Result<Words<'de>, A::Error> {
    items.next_element()?.ok_or_else(give_up)
}

impl Item for MicroOp {
    fn of_list<'de, A: SeqAccess<'de>>(mut items: A, shared: &mut Shared) -> Result<Self, A::Error> {
        match next(&mut items)?.text()?.as_deref() {
            Some("send") => {
                let partition = next(&mut items)?.partition(shared)?;
                let SentRecord(Record { offset, event }) =
                    items.next_element_seed(SentRecord::seed(shared))?.ok_or_else(give_up)?;
                Ok(MicroOp::Send(Sent { partition, offset, event }))
            }
            Some("poll") => {
                let batches = items.next_element_seed(BatchesSeed(shared))?;
                Ok(MicroOp::Poll(batches.unwrap_or_default()))
            }
            _ => Err(give_up()),
        }
    }
}

impl Item for Record {
    fn of_list<'de, A: SeqAccess<'de>>(mut items: A, shared: &mut Shared) -> Result<Self, A::Error> {
        let offset = next(&mut items)?.offset()?;
        Ok(Record { offset, event: next(&mut items)?.event(shared)? })
    }
}

/// What was sent: an event, or an event and where it stands.
struct SentRecord(Record);

impl Item for SentRecord {
    fn of_list<'de, A: SeqAccess<'de>>(items: A, shared: &mut Shared) -> Result<Self, A::Error> {
        Record::of_list(items, shared).map(SentRecord)
    }

    fn of_word<E: serde::de::Error>(id: Words<'_>, shared: &mut Shared) -> Result<Self, E> {
        Ok(SentRecord(Record { offset: None, event: id.event(shared)? }))
    }
}

impl Item for Delivery {
    fn of_list<'de, A: SeqAccess<'de>>(mut items: A, shared: &mut Shared) -> Result<Self, A::Error> {
        let partition = next(&mut items)?.partition(shared)?;
        let offset = next(&mut items)?.offset()?;
        let event = match items.next_element::<Words>()? {
            None | Some(Words::Null) => None,
            Some(id) => Some(id.event(shared)?),
        };
        Ok(Delivery { partition, offset, event })
    }
}

/// The records of one partition; null is none.
struct Records(Vec<Record>);

impl Item for Records {
    fn of_list<'de, A: SeqAccess<'de>>(items: A, shared: &mut Shared) -> Result<Self, A::Error> {
        list(items, shared).map(Records)
    }

    fn of_word<E: serde::de::Error>(word: Words<'_>, _: &mut Shared) -> Result<Self, E> {
        match word {
            Words::Null => Ok(Records(Vec::new())),
            _ => Err(give_up()),
        }
    }
}

/// Batches by partition; null is none.
struct BatchesSeed<'s>(&'s mut Shared);

impl<'de> DeserializeSeed<'de> for BatchesSeed<'_> {
    type Value = Vec<Batch>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Batch>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for BatchesSeed<'_> {
    type Value = Vec<Batch>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from partition names")
    }

    fn visit_unit<E>(self) -> Result<Vec<Batch>, E> {
        Ok(Vec::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Vec<Batch>, A::Error> {
        batches(entries, self.0)
    }
}

fn batches<'de, A: MapAccess<'de>>(mut entries: A, shared: &mut Shared) -> Result<Vec<Batch>, A::Error> {
    let mut all = Vec::new();
    while let Some(Name(name)) = entries.next_key()? {
        let partition = Partition::shared(shared.partition(&name));
        let Records(records) = entries.next_value_seed(Records::seed(shared))?;
        all.push(Batch { partition, records });
    }
    sort_by_partition(&mut all, |batch| &batch.partition)?;
    Ok(all)
}

/// Puts entries in the order of their names, as the long way has them; none may stand twice.
fn sort_by_partition<T, E: serde::de::Error>(
    entries: &mut [T],
    partition: impl Fn(&T) -> &Partition,
) -> Result<(), E> {
    entries.sort_by(|one, other| partition(one).cmp(partition(other)));
    let is_twice = entries.windows(2).any(|pair| partition(&pair[0]) == partition(&pair[1]));
    if is_twice { Err(give_up()) } else { Ok(()) }
}
