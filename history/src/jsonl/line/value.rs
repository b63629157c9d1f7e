//! The value of the calls that most lines are.

use super::cursor::Cursor;
use super::shared::Shared;
use super::word::Words;
use crate::{Batch, Call, Delivery, EventId, MicroOp, Offset, Partition, Position, Record, Sent};

/// Which call a value is of.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Send,
    Poll,
    Txn,
    Receive,
    Commit,
    Deliveries(fn(Vec<Delivery>) -> Call),
}

impl Shape {
    /// `None` for a call whose value is read the long way.
    pub(super) fn of(f: &str) -> Option<Self> {
        Some(match f {
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
        })
    }

    /// Reads the value of such a call; null is an empty one.
    pub(super) fn call(self, cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Call> {
        let is_null = cursor.null();
        Some(match self {
            Shape::Send if is_null => Call::Send(Vec::new()),
            Shape::Poll if is_null => Call::Poll(Vec::new()),
            Shape::Txn if is_null => Call::Txn(Vec::new()),
            Shape::Receive if is_null => Call::Receive(Vec::new()),
            Shape::Commit if is_null => Call::Commit(Vec::new()),
            Shape::Deliveries(call) if is_null => call(Vec::new()),
            Shape::Send => Call::Send(cursor.list(|cursor| match micro_op(cursor, shared)? {
                MicroOp::Send(sent) => Some(sent),
                MicroOp::Poll(_) => None,
            })?),
            Shape::Poll => {
                let polls = cursor.list(|cursor| match micro_op(cursor, shared)? {
                    MicroOp::Poll(batches) => Some(batches),
                    MicroOp::Send(_) => None,
                })?;
                Call::Poll(polls.into_iter().flatten().collect())
            }
            Shape::Txn => Call::Txn(cursor.list(|cursor| micro_op(cursor, shared))?),
            Shape::Deliveries(call) => call(cursor.list(|cursor| delivery(cursor, shared))?),
            Shape::Receive => Call::Receive(batches(cursor, shared)?),
            Shape::Commit => Call::Commit(positions(cursor, shared)?),
        })
    }
}

#[inline]
fn micro_op(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<MicroOp> {
    cursor.expect(b'[')?;
    let item = match &*cursor.text()? {
        "send" => {
            cursor.expect(b',')?;
            let partition = cursor.word()?.partition(shared)?;
            cursor.expect(b',')?;
            let Record { offset, event } = match cursor.is_next(b'[') {
                true => record(cursor, shared)?,
                false => Record { offset: None, event: event(cursor, shared)? },
            };
            MicroOp::Send(Sent { partition, offset, event })
        }
        "poll" if cursor.take(b',') && !cursor.null() => MicroOp::Poll(batches(cursor, shared)?),
        "poll" => MicroOp::Poll(Vec::new()),
        _ => return None,
    };
    cursor.expect(b']')?;
    Some(item)
}

/// An event and where it stands.
#[inline]
fn record(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Record> {
    cursor.expect(b'[')?;
    let offset = offset(cursor)?;
    cursor.expect(b',')?;
    let event = event(cursor, shared)?;
    cursor.expect(b']')?;
    Some(Record { offset, event })
}

/// Null, or where an event stands: mostly a number, which is read without a detour.
#[inline]
fn offset(cursor: &mut Cursor<'_>) -> Option<Option<Offset>> {
    match cursor.integer() {
        Some(number) => Offset::new(number).ok().map(Some),
        None => cursor.word()?.offset(),
    }
}

/// An id; a number is read without a detour.
#[inline]
fn event(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<EventId> {
    match cursor.integer() {
        Some(number) => Words::Integer(number).event(shared),
        None => cursor.word()?.event(shared),
    }
}

fn delivery(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Delivery> {
    cursor.expect(b'[')?;
    let partition = cursor.word()?.partition(shared)?;
    cursor.expect(b',')?;
    let offset = offset(cursor)?;
    let event = match cursor.take(b',') && !cursor.null() {
        true => Some(event(cursor, shared)?),
        false => None,
    };
    cursor.expect(b']')?;
    Some(Delivery { partition, offset, event })
}

/// Records by partition; null instead of records is none.
fn batches(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Vec<Batch>> {
    let mut all = Vec::new();
    cursor.object(|cursor, name| {
        let partition = Partition::shared(shared.partition(&name));
        let records = match cursor.null() {
            true => Vec::new(),
            false => cursor.list(|cursor| record(cursor, shared))?,
        };
        all.push(Batch { partition, records });
        Some(())
    })?;
    sort_by_partition(&mut all, |batch| &batch.partition)?;
    Some(all)
}

fn positions(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Vec<Position>> {
    let mut all = Vec::new();
    cursor.object(|cursor, name| {
        let partition = Partition::shared(shared.partition(&name));
        all.push(Position { partition, next: cursor.word()?.offset()? });
        Some(())
    })?;
    sort_by_partition(&mut all, |position| &position.partition)?;
    Some(all)
}

/// Puts entries in the order of their names, as the long way has them; none may stand twice.
fn sort_by_partition<T>(entries: &mut [T], partition: impl Fn(&T) -> &Partition) -> Option<()> {
    entries.sort_by(|one, other| partition(one).cmp(partition(other)));
    let is_twice = entries.windows(2).any(|pair| partition(&pair[0]) == partition(&pair[1]));
    (!is_twice).then_some(())
}
