//! Both encodings hold all of a history: JSON Lines to EDN to JSON Lines is the identity on ops.

use lawspeaker_history::{
    Batch, Call, Delivery, Encoding, EventId, Generation, Header, History, MicroOp, Offset, Op, OpType,
    Partition, Phase, Position, Process, Record, SagaEnd, SagaOutcome, SagaStart, SagaStep, Sent,
    VectorClock,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

fn encoded(encoding: Encoding, history: &History) -> Vec<u8> {
    let mut out = Vec::new();
    encoding.write_header(&mut out, &history.header).expect("memory can be written");
    history.ops.iter().for_each(|op| encoding.write_op(&mut out, op).expect("memory can be written"));
    out
}

/// Names as people give them, and as they should not: like numbers, keywords, tags, or nothing that can be printed.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,4}/[0-9]", "[0-9]{1,3}", "[:#/a-z0-9 ,.?_-]{0,6}", "\\PC{0,4}", any::<String>()]
}

/// A field that no part of the format has a meaning for.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        "[#:]?[A-Z][A-Za-z0-9 /.?!-]{0,5}",
        Just("#inst".to_owned()),
        Just("#_".to_owned()),
        "[0-9]{1,2}",
        "[É-Ü\"\\\\\n]{1,3}"
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let number = |number: f64| Number::from_f64(number).map_or(Value::Null, Value::Number);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(number),
        name().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec((field(), inner), 0..3).prop_map(|fields| Map::from_iter(fields).into()),
        ]
    })
}

fn event() -> impl Strategy<Value = EventId> {
    prop_oneof![(-9i64..99).prop_map(EventId::from), name().prop_map(|name| EventId::from(name.as_str()))]
}

fn offset() -> impl Strategy<Value = Option<Offset>> {
    let id = (0u32..9, 0u32..9).prop_map(|(ms, n)| format!("{ms}-{n}").parse().expect("this is a stream id"));
    option::of(prop_oneof![(-9i64..999).prop_map(|at| Offset::new(at).expect("this is small")), id])
}

fn partition() -> impl Strategy<Value = Partition> {
    name().prop_map(|name| Partition::named(&name))
}

/// Each partition once, in the order of names, as an object holds them.
fn by_partition<T: std::fmt::Debug>(
    of: impl Strategy<Value = T>,
) -> impl Strategy<Value = std::collections::BTreeMap<Partition, T>> {
    proptest::collection::btree_map(partition(), of, 0..3)
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let record = (offset(), event()).prop_map(|(offset, event)| Record { offset, event });
    by_partition(vec(record, 0..3))
        .prop_map(|all| all.into_iter().map(|(partition, records)| Batch { partition, records }).collect())
}

fn sent() -> impl Strategy<Value = Sent> {
    (partition(), offset(), event()).prop_map(|(partition, offset, event)| Sent { partition, offset, event })
}

fn positions() -> impl Strategy<Value = Vec<Position>> {
    by_partition(offset())
        .prop_map(|all| all.into_iter().map(|(partition, next)| Position { partition, next }).collect())
}

fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let delivery = (partition(), offset(), option::of(event()));
    vec(delivery.prop_map(|(partition, offset, event)| Delivery { partition, offset, event }), 0..3)
}

fn call() -> impl Strategy<Value = Call> {
    let partitions = || vec(partition(), 0..3);
    let micro_op = prop_oneof![sent().prop_map(MicroOp::Send), batches().prop_map(MicroOp::Poll)];
    let step =
        |(saga, step): (String, String)| SagaStep { saga: saga.as_str().into(), step: step.as_str().into() };
    let plain = prop_oneof![
        vec(sent(), 0..3).prop_map(Call::Send),
        batches().prop_map(Call::Poll),
        vec(micro_op, 0..3).prop_map(Call::Txn),
        batches().prop_map(Call::Receive),
        partitions().prop_map(Call::Assign),
        partitions().prop_map(Call::Revoke),
        partitions().prop_map(Call::Subscribe),
        positions().prop_map(Call::Commit),
        positions().prop_map(Call::Committed),
    ];
    prop_oneof![
        4 => plain,
        2 => prop_oneof![
            deliveries().prop_map(Call::Ack),
            deliveries().prop_map(Call::Nack),
            deliveries().prop_map(Call::Reject),
            deliveries().prop_map(Call::Apply),
            Just(Call::Crash),
            Just(Call::Quiescent),
            ("\\PC{1,3}", "\\PC{1,3}").prop_map(step).prop_map(Call::SagaStep),
            ("\\PC{1,3}", "\\PC{1,3}").prop_map(step).prop_map(Call::SagaCompensate),
            Just(Call::SagaStart(SagaStart { saga: "s".into(), steps: Some(vec!["a".into()]), pivot: Some("a".into()) })),
            Just(Call::SagaEnd(SagaEnd { saga: "s".into(), outcome: SagaOutcome::Aborted })),
            (field(), json()).prop_map(|(f, value)| Call::Other { f, value }),
        ],
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let process = prop_oneof![
        (-9i64..99).prop_map(Process::from),
        name().prop_map(|name| Process::from(name.as_str()))
    ];
    let op_type = prop_oneof![Just(OpType::Invoke), Just(OpType::Ok), Just(OpType::Fail), Just(OpType::Info)];
    let error = option::of(json().prop_filter("null is no error", |error| !error.is_null()));
    let rest = || vec((field(), json()), 0..2).prop_map(Map::from_iter);
    let x =
        (option::of(name()), option::of(0u64..9), vec(event(), 0..2), option::of(Just(Phase::Final)), rest());
    let frame = (process, op_type, call(), option::of(0u64..1 << 53), error, rest(), x);
    frame.prop_map(
        |(process, op_type, mut call, time_ns, error, unknown, (key, gen_, cause, phase, rest))| {
            if let (OpType::Invoke, Call::Committed(positions)) = (op_type, &mut call) {
                // Who asks does not know yet.
                positions.iter_mut().for_each(|position| position.next = None);
            }
            let mut op = Op { time_ns, error, unknown, ..Op::new(0, op_type, call) };
            op.process = process;
            op.x.key = key;
            op.x.generation = gen_.map(Generation);
            op.x.cause = cause;
            op.x.phase = phase;
            if op.x.generation.is_some() {
                let mut clock = VectorClock::default();
                clock.tick("a b");
                op.x.clock = Some(clock);
            }
            op.x.rest = rest;
            op
        },
    )
}

proptest! {
    #[test]
    fn edn_holds_all_of_a_history(ops in vec(op(), 0..4), unknown in vec((field(), json()), 0..2)) {
        let header = Header { profile: Some("kafka".to_owned()), unknown: Map::from_iter(unknown), ..Header::default() };
        let history = History { header, ..History::of(ops) };
        let form = encoded(Encoding::Edn, &history);
        let shown = String::from_utf8_lossy(&form).into_owned();
        let mut again = History::read(form.as_slice()).map_err(|error| TestCaseError::fail(format!("{error}: {shown}")))?;
        // The header takes the first line.
        again.ops.iter_mut().for_each(|op| op.line -= 1);
        prop_assert_eq!(&again, &history, "{}", shown);
        prop_assert_eq!(encoded(Encoding::Jsonl, &again), encoded(Encoding::Jsonl, &history));
    }
}
