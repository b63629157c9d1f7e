//! The kinds of faults, and what each one should be called.

use lawspeaker_history::{Call, EventId, OpType};
use lawspeaker_oracle::Anomaly::{self, *};

use super::log::LogLane;
use super::queue::QueueLane;

/// Where a fault happens, and to which events; none if it is nobody's but a group's.
pub(super) enum Inject {
    Log(fn(&mut LogLane) -> Vec<EventId>),
    Queue(fn(&mut QueueLane) -> Vec<EventId>),
}

/// A kind of fault.
pub(super) struct Fault {
    pub says: &'static str,
    /// The anomaly that names it.
    pub root: Anomaly,
    /// The profile of a system that promises that it does not happen.
    pub profile: &'static str,
    pub inject: Inject,
}

const fn log(says: &'static str, root: Anomaly, inject: fn(&mut LogLane) -> Vec<EventId>) -> Fault {
    Fault { says, root, profile: "log-strict", inject: Inject::Log(inject) }
}

const fn queue(
    says: &'static str,
    root: Anomaly,
    profile: &'static str,
    inject: fn(&mut QueueLane) -> Vec<EventId>,
) -> Fault {
    Fault { says, root, profile, inject: Inject::Queue(inject) }
}

/// Every kind.
pub(super) const FAULTS: &[Fault] = &[
    log("an acknowledged event is nowhere", LostWrite, lose),
    log(
        "an acknowledged event is nowhere, and its offset is given to the next one",
        LostWrite,
        lose_and_reuse,
    ),
    log(
        "the group had read an event when it was lost, and its offset was given to the next one",
        LostWrite,
        lose_read,
    ),
    log("an event stands twice", Duplicate, stand_twice),
    log("an event stands twice and takes effect twice", Duplicate, stand_and_apply_twice),
    log("a second replica holds another event at an offset", InconsistentOffsets, hold_another),
    log("a second replica lacks an event", ReplicaDivergence, lack_one),
    log("an acknowledgement names offset 0", InvalidOffset, acknowledge_at_zero),
    log("an acknowledgement names an offset below zero", InvalidOffset, acknowledge_below_zero),
    log(
        "an event stands below one of another producer that was acknowledged before",
        OffsetRegression,
        regress,
    ),
    log("an event stands below the one that its producer sent before", NonmonotonicSend, reorder),
    log("an event that nobody sent is read", Phantom, invent),
    log("an event is read before it is sent", FutureRead, foresee),
    log("an event is delivered with another content", Corrupt, corrupt),
    log("an event stands in another partition than it was sent to", Misrouted, misroute),
    log("an event can be read though its send failed", G1a, abort_and_show),
    log("an aborted transaction can be read", G1a, abort_in_vain),
    log("an event is read before its transaction commits", G1b, read_early),
    log("two transactions read what the other one sends", G1c, |lane| vec![lane.read_in_circle()]),
    log("a transaction reads of one that it stands before", G1c, |lane| vec![lane.read_of_later()]),
    log("two transactions stand before one another", G0, |lane| vec![lane.stand_in_circle()]),
    log("a committed transaction loses one of its two events", TornTransaction, tear_transaction),
    log("an abort is applied to the next transaction", CommitHitsLaterTransaction, abort_the_next),
    log("an aborted transaction commits a position", OffsetsNotAtomic, commit_in_vain),
    log("a transaction reads what it sends itself", PrecommittedRead, read_own),
    log("two transactions take one event as their input", EosDuplicate, take_twice),
    log("an event is accepted though the one before it was refused", SeqGap, leave_gap),
    log("a second try is accepted under the sequence number of the first", SeqDuplicate, accept_retry),
    log("a producer that was fenced is heard", ZombieWrite, hear_zombie),
    log("the events of one key stand in two partitions", KeyOrder, tear),
    log("a group steps over an event", GroupLoss, skip_in_group),
    log("a reader of no group steps over an event", PollSkip, skip),
    log("a reader of no group steps back", NonmonotonicPoll, step_back),
    log("an event is read that was trimmed", RetentionViolation, |lane| vec![lane.read_trimmed()]),
    log("a compaction drops the last event of a key", CompactionViolation, |lane| vec![lane.compact_badly()]),
    log("a poll begins at a later event than it asked for", FetchGap, begin_late),
    log("a poll begins at an earlier event than it asked for", ResumeViolation, begin_early),
    log("a poll below the high watermark is given nothing", EmptyBelowHw, give_nothing),
    log("a reader is never given what it asks for", StuckConsumer, stick),
    log("a member commits what it never received, and crashes", CommitAhead, commit_ahead),
    log("a group's committed position falls", CommitRegression, commit_back),
    log("a group's committed position is gone", CommitLost, forget_commit),
    log("two members own a partition in one generation", DualOwner, own_twice),
    log("a member is never revoked, and commits over the next one", DualOwner, own_twice_and_commit),
    log("a commit of a generation that is over is accepted", StaleGeneration, commit_late),
    log(
        "a commit of a generation that is over sets the position back",
        StaleGeneration,
        commit_late_and_back,
    ),
    log("a member is given events after its partition was taken from it", ForeignDelivery, deliver_to_former),
    log("an event takes effect twice", EffectDuplicated, apply_twice),
    log("an event that was acknowledged without an offset is nowhere", Unseen, lose_untold),
    queue(
        "a queue delivers an event again after its acknowledgement",
        RedeliveryAfterAck,
        "jetstream",
        redeliver,
    ),
    queue("a queue gives an event to another consumer too early", EarlyRedelivery, "jetstream", give_early),
    queue("a queue delivers an event more often than it may", OverDelivery, "jetstream", deliver_too_often),
    queue("a queue delivers an event again for no reason", DupDelivery, "rabbitmq-quorum", give_early),
    queue("a queue drops what was rejected", DlqLoss, "rabbitmq-quorum", drop_rejected),
    queue("a queue puts aside what nobody rejected", DlqEarly, "rabbitmq-quorum", put_aside),
    queue("a queue loses an event", GroupLoss, "rabbitmq-quorum", |lane| vec![lane.send()]),
    queue("a consumer acknowledges what it never received", CommitAhead, "log-strict", acknowledge_unseen),
];

// The log

fn lose(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(0);
    lane.main.push(None);
    lane.acknowledge(&open, lane.main.len() as i64 - 1);
    lane.send(1);
    vec![open.event]
}

fn lose_and_reuse(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.main.truncate(place);
    lane.send(1);
    vec![event]
}

fn lose_read(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.process_to(place + 1);
    lane.commit();
    lane.main.truncate(place);
    lane.send(1);
    vec![event]
}

fn stand_twice(lane: &mut LogLane) -> Vec<EventId> {
    let (event, _) = lane.send(0);
    lane.append(&event);
    vec![event]
}

fn stand_and_apply_twice(lane: &mut LogLane) -> Vec<EventId> {
    let (event, _) = lane.send(0);
    lane.append(&event);
    lane.consume();
    lane.apply(&event);
    vec![event]
}

fn hold_another(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(1);
    lane.end(&open, OpType::Info);
    let (_, place) = lane.send(0);
    lane.replica.insert(place, Some(open.event.clone()));
    vec![open.event]
}

fn lack_one(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.replica.insert(place, None);
    lane.send(1);
    vec![event]
}

fn acknowledge_at_zero(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(0);
    lane.append(&open.event);
    lane.acknowledge(&open, 0);
    vec![open.event]
}

fn acknowledge_below_zero(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(0);
    lane.append(&open.event);
    lane.acknowledge(&open, -1);
    vec![open.event]
}

fn regress(lane: &mut LogLane) -> Vec<EventId> {
    put_before(lane, 1)
}

fn reorder(lane: &mut LogLane) -> Vec<EventId> {
    put_before(lane, 0)
}

/// What `producer` sends stands before what producer 0 had sent already.
fn put_before(lane: &mut LogLane, producer: usize) -> Vec<EventId> {
    let first = lane.begin(0);
    let low = lane.main.len();
    lane.main.push(None);
    lane.acknowledge_at_end(&first);
    let second = lane.begin(producer);
    lane.main[low] = Some(second.event.clone());
    lane.acknowledge(&second, low as i64);
    vec![second.event]
}

fn invent(lane: &mut LogLane) -> Vec<EventId> {
    let event = lane.new_event();
    lane.append(&event);
    vec![event]
}

fn foresee(lane: &mut LogLane) -> Vec<EventId> {
    let event = lane.next_event();
    let place = lane.append(&event);
    lane.consume();
    let open = lane.begin(0);
    lane.acknowledge(&open, place as i64);
    vec![open.event]
}

fn corrupt(lane: &mut LogLane) -> Vec<EventId> {
    let (event, _) = lane.send(0);
    lane.corrupted.insert(event.clone());
    vec![event]
}

fn misroute(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(0);
    lane.main.push(None);
    lane.side.push(Some(open.event.clone()));
    lane.acknowledge(&open, lane.main.len() as i64 - 1);
    lane.send(1);
    vec![open.event]
}

fn abort_and_show(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(0);
    lane.append(&open.event);
    lane.end(&open, OpType::Fail);
    lane.give_back(&open);
    vec![open.event]
}

fn abort_in_vain(lane: &mut LogLane) -> Vec<EventId> {
    let process = lane.begin_transaction();
    let event = lane.send_within(process, false, true);
    lane.end_transaction(process, Call::AbortTxn);
    vec![event]
}

fn read_early(lane: &mut LogLane) -> Vec<EventId> {
    let process = lane.begin_transaction();
    let event = lane.send_within(process, false, true);
    lane.read_on();
    lane.end_transaction(process, Call::CommitTxn);
    vec![event]
}

fn tear_transaction(lane: &mut LogLane) -> Vec<EventId> {
    let process = lane.begin_transaction();
    lane.send_within(process, false, true);
    let event = lane.send_within(process, true, false);
    lane.end_transaction(process, Call::CommitTxn);
    lane.send_aside(true);
    vec![event]
}

fn abort_the_next(lane: &mut LogLane) -> Vec<EventId> {
    let process = lane.begin_transaction();
    let shown = lane.send_within(process, false, true);
    lane.end_transaction(process, Call::AbortTxn);
    lane.begin_transaction_of(process);
    let gone = lane.send_within(process, false, false);
    lane.end_transaction(process, Call::CommitTxn);
    lane.send(1);
    vec![shown, gone]
}

fn commit_in_vain(lane: &mut LogLane) -> Vec<EventId> {
    lane.commit_within(Call::AbortTxn, Some(1));
    Vec::new()
}

fn begin_late(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.send(1);
    lane.read_anew(place, place + 1..lane.main.len(), 1);
    vec![event]
}

fn begin_early(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.send(1);
    lane.read_anew(place + 1, place..lane.main.len(), 1);
    vec![event]
}

fn give_nothing(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.read_anew(place, 0..0, 1);
    vec![event]
}

fn stick(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.read_in_vain(place, 3);
    vec![event]
}

fn read_own(lane: &mut LogLane) -> Vec<EventId> {
    vec![lane.transaction_of_itself()]
}

fn take_twice(lane: &mut LogLane) -> Vec<EventId> {
    let (input, place) = lane.send_input();
    lane.transaction(&input, place);
    lane.transaction(&input, place);
    vec![input]
}

fn leave_gap(lane: &mut LogLane) -> Vec<EventId> {
    let refused = lane.begin(0);
    lane.end(&refused, OpType::Fail);
    vec![lane.send(0).0]
}

fn accept_retry(lane: &mut LogLane) -> Vec<EventId> {
    let open = lane.begin(0);
    lane.acknowledge_at_end(&open);
    lane.begin_again(&open);
    lane.acknowledge_at_end(&open);
    vec![open.event]
}

fn hear_zombie(lane: &mut LogLane) -> Vec<EventId> {
    let seq = lane.next_seq(0);
    lane.fence(0);
    let open = lane.begin_as_zombie(0, seq);
    lane.acknowledge_at_end(&open);
    vec![open.event]
}

fn tear(lane: &mut LogLane) -> Vec<EventId> {
    vec![lane.send_torn_key()]
}

fn skip_in_group(lane: &mut LogLane) -> Vec<EventId> {
    let (event, _) = lane.send(0);
    lane.position = lane.main.len();
    lane.send(1);
    vec![event]
}

fn skip(lane: &mut LogLane) -> Vec<EventId> {
    lane.read_on();
    let (event, _) = lane.send(0);
    lane.reader_position = lane.main.len();
    lane.send(1);
    vec![event]
}

fn step_back(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.send(1);
    lane.read_on();
    lane.reader_position = place;
    vec![event]
}

fn commit_ahead(lane: &mut LogLane) -> Vec<EventId> {
    let (event, place) = lane.send(0);
    lane.committed = place + 1;
    lane.commit_as(lane.member, lane.committed, lane.generation);
    lane.crash(lane.member);
    lane.join(lane.generation + 1);
    vec![event]
}

fn commit_back(lane: &mut LogLane) -> Vec<EventId> {
    lane.commit_as(lane.member, lane.committed - 1, lane.generation);
    Vec::new()
}

fn forget_commit(lane: &mut LogLane) -> Vec<EventId> {
    lane.ask_committed(None);
    Vec::new()
}

fn own_twice(lane: &mut LogLane) -> Vec<EventId> {
    let stale = lane.member;
    let from = lane.committed;
    lane.join(lane.generation);
    lane.send(0);
    lane.poll_as(stale, from, lane.main.len());
    lane.consume();
    lane.crash(stale);
    Vec::new()
}

fn own_twice_and_commit(lane: &mut LogLane) -> Vec<EventId> {
    let (stale, generation, from) = (lane.member, lane.generation, lane.committed);
    lane.join(generation + 1);
    lane.send(0);
    lane.consume();
    lane.commit_as(stale, from, generation);
    lane.crash(stale);
    Vec::new()
}

fn commit_late(lane: &mut LogLane) -> Vec<EventId> {
    let (stale, generation) = (lane.member, lane.generation);
    lane.revoke();
    lane.join(generation + 1);
    lane.commit_as(stale, lane.committed, generation);
    Vec::new()
}

fn commit_late_and_back(lane: &mut LogLane) -> Vec<EventId> {
    let (stale, generation, from) = (lane.member, lane.generation, lane.committed);
    lane.revoke();
    lane.join(generation + 1);
    lane.send(0);
    lane.consume();
    lane.commit_as(stale, from, generation);
    Vec::new()
}

fn deliver_to_former(lane: &mut LogLane) -> Vec<EventId> {
    let former = lane.member;
    lane.revoke();
    let from = lane.main.len();
    let (event, _) = lane.send(0);
    lane.poll_as(former, from, lane.main.len());
    lane.join(lane.generation + 1);
    vec![event]
}

fn apply_twice(lane: &mut LogLane) -> Vec<EventId> {
    let (event, _) = lane.send(0);
    lane.consume();
    lane.apply(&event);
    vec![event]
}

fn lose_untold(lane: &mut LogLane) -> Vec<EventId> {
    let event = lane.send_aside(false);
    lane.send_aside(true);
    vec![event]
}

// The queue

fn redeliver(lane: &mut QueueLane) -> Vec<EventId> {
    let event = lane.send();
    lane.receive(1, &event, 1);
    lane.ack(1, &event);
    lane.receive(2, &event, 2);
    vec![event]
}

fn give_early(lane: &mut QueueLane) -> Vec<EventId> {
    let event = lane.send();
    lane.receive(1, &event, 1);
    lane.receive(2, &event, 2);
    lane.ack(2, &event);
    vec![event]
}

fn deliver_too_often(lane: &mut QueueLane) -> Vec<EventId> {
    let event = lane.send();
    for delivery in 1..=super::MAX_DELIVERIES {
        lane.receive(1, &event, delivery);
        lane.nack(1, &event);
    }
    lane.receive(1, &event, super::MAX_DELIVERIES + 1);
    lane.ack(1, &event);
    vec![event]
}

fn drop_rejected(lane: &mut QueueLane) -> Vec<EventId> {
    let event = lane.send();
    lane.receive(1, &event, 1);
    lane.reject(1, &event);
    vec![event]
}

fn put_aside(lane: &mut QueueLane) -> Vec<EventId> {
    let event = lane.send();
    lane.dead_letter(&event, "delivery_limit");
    vec![event]
}

fn acknowledge_unseen(lane: &mut QueueLane) -> Vec<EventId> {
    let event = lane.send();
    lane.ack(1, &event);
    vec![event]
}
