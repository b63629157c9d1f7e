//! Scenarios of two or three threads, one guarantee each.

use std::time::Instant;

use lawspeaker_bus::consumer_group::{ConsumerGroup, GroupError, Refusal};
use lawspeaker_bus::id::{Epoch, MemberId, PartitionNumber, ProducerId, Sequence, Stamp};
use lawspeaker_bus::member::Member;
use lawspeaker_bus::memory_journal::MemoryJournal;
use lawspeaker_bus::partition_log::{Accepted, PartitionLog, WaitError};
use lawspeaker_bus::producer::Producer;
use lawspeaker_bus::sync::{Arc, thread};
use lawspeaker_history::{Generation, MemoryRecorder, Offset};

use crate::kernels::log_law::{event, message, read};
use crate::kernels::programs::{all_events, open_group, open_log};
use crate::programs::{Preemptions, every_interleaving};

/// Runs a scenario under every interleaving.
pub(crate) fn scenario(name: &str, body: impl Fn() + Send + Sync + 'static) {
    let started = Instant::now();
    let interleaving_count = every_interleaving(Preemptions::Unbounded, body);
    let seconds = started.elapsed().as_secs_f64();
    println!("O2 loom {name}: {interleaving_count} interleavings, preemptions Unbounded, {seconds:.1} s");
}

fn new_log() -> (Arc<MemoryJournal>, Arc<PartitionLog>) {
    let journal = Arc::new(MemoryJournal::new());
    let log = open_log(&journal, &Arc::new(MemoryRecorder::new()));
    (journal, log)
}

/// Producer `producer`'s event number `sequence`.
fn stamp(producer: u64, sequence: u64) -> Stamp {
    Stamp { producer: ProducerId(producer), epoch: Epoch(0), sequence: Sequence(sequence) }
}

/// Appends and waits for durability.
fn send(log: &PartitionLog, producer: u64, number: u64) -> Offset {
    let offset = log.append(stamp(producer, 0), &message(number)).unwrap().offset();
    log.wait_durable(offset).unwrap();
    offset
}

/// A group whose first partition has the events 17 and 18, and how members join it.
fn two_events_to_read() -> (Arc<ConsumerGroup>, impl Fn(u64) -> Member) {
    let (_, log) = new_log();
    send(&log, 1, 17);
    send(&log, 2, 18);
    let recorder = Arc::new(MemoryRecorder::new());
    let group = open_group(&Arc::new(MemoryJournal::new()), &recorder);
    let logs = vec![log, open_log(&Arc::new(MemoryJournal::new()), &recorder)];
    let of_members = group.clone();
    let join =
        move |id| Member::join(MemberId(id), of_members.clone(), logs.clone(), recorder.clone()).unwrap();
    (group, join)
}

fn poll(member: &mut Member) -> Vec<u64> {
    member.poll(9).unwrap().iter().map(|polled| event(&polled.entry.message)).collect()
}

#[test]
fn a_waiting_reader_is_told_of_an_append() {
    scenario("append against read with notification", || {
        let (_, log) = new_log();
        let writer = log.clone();
        let writer = thread::spawn(move || send(&writer, 1, 17));
        log.wait_for(Offset::of(0)).unwrap();
        assert_eq!(read(&log), [17]);
        writer.join().unwrap();
    });
}

#[test]
fn what_a_reader_sees_is_durable_and_never_changes() {
    scenario("append against two reads", || {
        let (journal, log) = new_log();
        let writer = log.clone();
        let writer = thread::spawn(move || {
            writer.append(stamp(1, 0), &message(17)).unwrap();
            send(&writer, 2, 18);
        });
        let first = read(&log);
        assert!(all_events(&journal.crash()).starts_with(&first));
        assert!(read(&log).starts_with(&first));
        writer.join().unwrap();
        assert_eq!(read(&log), [17, 18]);
    });
}

#[test]
fn a_retry_beside_another_producer_stands_once() {
    scenario("two producers and a retry", || {
        let (_, log) = new_log();
        let [attempt, retry] = [log.clone(), log.clone()];
        let attempt = thread::spawn(move || attempt.append(stamp(1, 0), &message(17)).unwrap());
        let retry = thread::spawn(move || retry.append(stamp(1, 0), &message(17)).unwrap());
        send(&log, 2, 18);
        let answers = [attempt.join().unwrap(), retry.join().unwrap()];
        assert_eq!(answers[0].offset(), answers[1].offset());
        assert!(answers.iter().any(|answer| matches!(answer, Accepted::Duplicate(_))));
        assert_eq!(log.end(), Offset::of(2));
    });
}

#[test]
fn appenders_that_share_a_sync_are_durable_when_answered() {
    scenario("group commit of two appenders", || {
        let (journal, log) = new_log();
        let (other_journal, other) = (journal.clone(), log.clone());
        let other = thread::spawn(move || {
            send(&other, 1, 17);
            assert!(all_events(&other_journal.crash()).contains(&17));
        });
        send(&log, 2, 18);
        assert!(all_events(&journal.crash()).contains(&18));
        other.join().unwrap();
    });
}

#[test]
fn a_close_wakes_whoever_waits_for_an_event() {
    scenario("close against waiters of the log", || {
        let (_, log) = new_log();
        let waiters = [log.clone(), log.clone()];
        let waiters = waiters.map(|log| thread::spawn(move || log.wait_for(Offset::of(0))));
        log.close();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Err(WaitError::Closed));
        }
    });
}

#[test]
fn a_close_wakes_whoever_waits_for_a_generation() {
    scenario("close against a waiter of the group", || {
        let group = open_group(&Arc::new(MemoryJournal::new()), &Arc::new(MemoryRecorder::new()));
        let waiter = group.clone();
        let waiter = thread::spawn(move || waiter.wait_for_generation(Generation(1)));
        group.close();
        assert_eq!(waiter.join().unwrap(), Err(GroupError::Closed));
    });
}

#[test]
fn a_failed_sync_is_never_taken_for_success() {
    scenario("two appenders and a disk that fails", || {
        let (journal, log) = new_log();
        journal.fail_next_sync();
        let (other_journal, other) = (journal.clone(), log.clone());
        let append = |log: &PartitionLog, journal: &MemoryJournal, producer| {
            let Ok(accepted) = log.append(stamp(producer, 0), &message(producer)) else { return };
            if log.wait_durable(accepted.offset()).is_ok() {
                assert!(all_events(&journal.crash()).contains(&producer));
            }
        };
        let other = thread::spawn(move || append(&other, &other_journal, 1));
        append(&log, &journal, 2);
        other.join().unwrap();
    });
}

#[test]
fn an_event_whose_fate_is_unknown_stands_once_after_recovery() {
    scenario("retry after recovery", || {
        let (journal, log) = new_log();
        let mut producer = Producer::open(ProducerId(1), log).unwrap();
        producer.send(message(17)).unwrap();
        journal.fail_next_sync();
        producer.send(message(18)).unwrap_err();
        let journal = Arc::new(journal.restart());
        producer.reattach(open_log(&journal, &Arc::new(MemoryRecorder::new())));
        producer.send(message(19)).unwrap();
        assert_eq!(all_events(&journal.crash()), [17, 18, 19]);
    });
}

#[test]
fn a_commit_of_an_old_generation_changes_nothing() {
    scenario("commit against rebalance", || {
        let journal = Arc::new(MemoryJournal::new());
        let group = open_group(&journal, &Arc::new(MemoryRecorder::new()));
        let [old, new] = [MemberId(0), MemberId(1)];
        let (partition, generation) = (PartitionNumber(0), group.join(old).unwrap());
        let late = group.clone();
        let late = thread::spawn(move || late.commit(old, generation, partition, Offset::of(5)));
        group.expire(old).unwrap();
        let generation = group.join(new).unwrap();
        let start = group.sync(new).unwrap().owned[0].committed;
        group.commit(new, generation, partition, start.next()).unwrap();
        match late.join().unwrap() {
            Ok(()) => assert_eq!(start, Offset::of(5)),
            refused => {
                assert_eq!(refused, Err(GroupError::Refused(Refusal::UnknownMember)));
                assert_eq!(start, Offset::of(0));
            }
        }
        assert_eq!(group.committed(partition), Ok(start.next()));
    });
}

#[test]
fn an_acknowledged_commit_survives_a_crash() {
    scenario("commit against commit and a crash", || {
        let journal = Arc::new(MemoryJournal::new());
        let group = open_group(&journal, &Arc::new(MemoryRecorder::new()));
        let generation = group.join(MemberId(0)).unwrap();
        let commit = move |group: &ConsumerGroup, journal: &MemoryJournal, number| {
            let partition = PartitionNumber(number);
            group.commit(MemberId(0), generation, partition, Offset::of(5)).unwrap();
            let survivor = open_group(&Arc::new(journal.crash()), &Arc::new(MemoryRecorder::new()));
            assert_eq!(survivor.committed(partition), Ok(Offset::of(5)));
        };
        let (other_journal, other) = (journal.clone(), group.clone());
        let other = thread::spawn(move || commit(&other, &other_journal, 0));
        commit(&group, &journal, 1);
        other.join().unwrap();
    });
}

#[test]
fn a_member_that_was_expired_starts_at_the_committed_offset() {
    scenario("poll against expiry", || {
        let (group, join) = two_events_to_read();
        let mut member = join(0);
        let reaper = thread::spawn(move || group.expire(MemberId(0)).unwrap());
        let (first, before) = (poll(&mut member), member.generation());
        let (second, after) = (poll(&mut member), member.generation());
        reaper.join().unwrap();
        assert_eq!(first, [17, 18]);
        assert_eq!(second, if before == after { vec![] } else { vec![17, 18] });
    });
}

#[test]
fn what_a_member_puts_back_it_is_handed_again_unless_it_lost_it() {
    scenario("put back against expiry", || {
        let (group, join) = two_events_to_read();
        let mut member = join(0);
        let reaper = thread::spawn(move || group.expire(MemberId(0)).unwrap());
        let (first, before) = (poll(&mut member), member.generation());
        assert!(member.handled(PartitionNumber(0), Offset::of(0)));
        member.put_back(PartitionNumber(0));
        let (second, after) = (poll(&mut member), member.generation());
        reaper.join().unwrap();
        assert_eq!(first, [17, 18]);
        assert_eq!(second, if before == after { vec![18] } else { vec![17, 18] });
    });
}

#[test]
fn what_a_leaving_member_did_not_handle_goes_to_another() {
    scenario("leave against join and poll", || {
        let (_, join) = two_events_to_read();
        let mut leaving = join(0);
        let leaving = thread::spawn(move || {
            let first = leaving.poll(9).unwrap().swap_remove(0);
            assert!(leaving.handled(first.partition, first.entry.offset));
            leaving.leave().is_ok()
        });
        let mut staying = join(1);
        let is_committed = leaving.join().unwrap();
        let left = poll(&mut staying);
        assert_eq!(left, if is_committed { vec![18] } else { vec![17, 18] });
    });
}
