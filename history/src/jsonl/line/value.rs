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
        match self {
            Shape::Send => cursor
                .list(|cursor| match micro_op(cursor, shared)? {
                    MicroOp::Send(sent) => Some(sent),
                    MicroOp::Poll(_) => None,
                })
                .map(Call::Send),
            Shape::Poll => {
                let polls = cursor.list(|cursor| match micro_op(cursor, shared)? {
                    MicroOp::Poll(batches) => Some(batches),
                    MicroOp::Send(_) => None,
                });
                Some(Call::Poll(polls?.into_iter().flatten().collect()))
            }
            Shape::Txn => cursor.list(|cursor| micro_op(cursor, shared)).map(Call::Txn),
            Shape::Deliveries(call) => cursor.list(|cursor| delivery(cursor, shared)).map(call),
            Shape::Receive => batches(cursor, shared).map(Call::Receive),
            Shape::Commit => positions(cursor, shared).map(Call::Commit),
        }
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
        "poll" if cursor.is_next(b']') => MicroOp::Poll(Vec::new()),
        "poll" => {
            cursor.expect(b',')?;
            MicroOp::Poll(batches(cursor, shared)?)
        }
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

/// Records by partition; null is none, of all partitions or of one.
fn batches(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Vec<Batch>> {
    entries(
        cursor,
        shared,
        |batch: &Batch| &batch.partition,
        |partition, cursor, shared| {
            Some(Batch { partition, records: cursor.list(|cursor| record(cursor, shared))? })
        },
    )
}

fn positions(cursor: &mut Cursor<'_>, shared: &mut Shared) -> Option<Vec<Position>> {
    entries(
        cursor,
        shared,
        |position: &Position| &position.partition,
        |partition, cursor, _| Some(Position { partition, next: offset(cursor)? }),
    )
}

/// An object from partitions, in the order of their names, as the long way has them; none may stand twice. Null is an
/// empty one.
fn entries<'t, T>(
    cursor: &mut Cursor<'t>,
    shared: &mut Shared,
    partition_of: impl Fn(&T) -> &Partition,
    entry: impl Fn(Partition, &mut Cursor<'t>, &mut Shared) -> Option<T>,
) -> Option<Vec<T>> {
    let mut all = Vec::new();
    if cursor.null() {
        return Some(all);
    }
    cursor.object(|cursor, name| {
        let partition = Partition::shared(shared.partition(&name));
        all.push(entry(partition, cursor, shared)?);
        Some(())
    })?;
    all.sort_by(|one, other| partition_of(one).cmp(partition_of(other)));
    let is_twice = all.windows(2).any(|pair| partition_of(&pair[0]) == partition_of(&pair[1]));
    (!is_twice).then_some(all)
}
