//! What the format says of changes, dead letters, producers and limits is read, written, and refused where it is wrong.

use lawspeaker_history::{Call, History, Limits, write_jsonl};

const SAMPLE: &str = r#"{"format":"lawspeaker.history","version":1,"limits":{"ack-wait-ms":1000,"max-deliveries":3}}
{"process":0,"type":"ok","f":"change","value":["a",5]}
{"process":"broker","type":"ok","f":"dead-letter","value":[["jobs",null,5]],"x":{"reason":"expired"}}
{"process":0,"type":"ok","f":"fence","value":null,"x":{"pid":9,"epoch":1}}
{"process":0,"type":"ok","f":"send","value":[["send","orders/0",[4,"a"]]],"x":{"pid":9,"epoch":1,"seq":7,"tombstone":true}}
{"process":1,"type":"ok","f":"saga.step","value":{"saga":"s1","step":"ship"},"x":{"reads":{"stock":"s2","price":null}}}
{"process":1,"type":"ok","f":"saga.compensate","value":{"saga":"s1","step":"ship"},"x":{"restores":{"stock":"s2"}}}
{"process":0,"type":"ok","f":"trim","value":{"orders/0":7}}
{"process":0,"type":"ok","f":"compact","value":{"orders/0":9}}
{"process":0,"type":"ok","f":"begin","value":null}
{"process":0,"type":"info","f":"commit-txn","value":null}
{"process":0,"type":"ok","f":"abort-txn","value":null}
{"process":2,"type":"invoke","f":"append","value":{"stream":"cart-7","expected":0,"ids":["a",5]}}
{"process":2,"type":"ok","f":"append","value":{"stream":"cart-7","expected":0,"ids":["a",5],"version":0}}
{"process":2,"type":"ok","f":"read-stream","value":{"cart-7":[[0,"a"],[1,5]],"$all":[[90,"a"]]}}
{"process":2,"type":"ok","f":"snapshot","value":{"stream":"cart-7","projection":"totals","version":2,"state":"30"}}
{"process":2,"type":"ok","f":"project","value":{"projection":"totals","stream":"cart-7","events":[[0,"a"]]}}
"#;

fn read(text: &str) -> Result<History, String> {
    History::read(text.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn what_is_written_reads_back_the_same() {
    let history = read(SAMPLE).expect("the sample is sound");
    let mut written = Vec::new();
    write_jsonl(&mut written, &history).expect("memory takes what is written");
    let again = read(std::str::from_utf8(&written).expect("what is written is text"));
    assert_eq!(again.expect("what is written is read"), history);
    assert_eq!(history.header.limits, Limits { ack_wait_ms: Some(1000), max_deliveries: Some(3) });
    assert!(history.ops.iter().all(|op| !matches!(op.call, Call::Other { .. })));
    let send = &history.ops[3].x;
    assert_eq!((send.pid, send.epoch, send.seq), (Some(9), Some(1), Some(7)));
    assert_eq!(send.tombstone, Some(true));
    assert_eq!(history.ops[4].x.reads.len(), 2);
    assert_eq!(history.ops[5].x.restores["stock"].as_ref().map(|saga| saga.as_str()), Some("s2"));
}

#[test]
fn a_value_that_means_nothing_is_an_error_with_its_line() {
    let check = |line: &str, expected: &str| {
        let error = read(line).expect_err("the line means nothing");
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        r#"{"process":0,"type":"ok","f":"change","value":[["a"]]}"#,
        "line 1: field `value` holds `[\"a\"]`",
    );
    check(
        r#"{"process":0,"type":"ok","f":"fence","value":1}"#,
        "line 1: field `value` holds `1`, `null` is expected",
    );
    check(
        r#"{"process":0,"type":"ok","f":"commit-txn","value":"t1"}"#,
        "line 1: field `value` holds `\"t1\"`, `null` is expected",
    );
    check(
        r#"{"process":0,"type":"ok","f":"fence","x":{"pid":"nine"}}"#,
        "line 1: field `x` is no extension data: `pid` holds `\"nine\"`: invalid type: string \"nine\", expected u64",
    );
    check(
        r#"{"process":0,"type":"ok","f":"poll","x":{"from":{"orders/0":"one"}}}"#,
        "line 1: field `x` is no extension data: `from` holds `{\"orders/0\":\"one\"}`: `one` is no offset",
    );
    for (f, value) in [
        ("append", r#"{"ids":["a"],"stream":""}"#),
        ("append", r#"{"expected":-1,"ids":["a"],"stream":"s"}"#),
        ("append", r#"{"ids":["a"],"stream":"s","when":1}"#),
        ("read-stream", r#"{"s":[[0]]}"#),
        ("read-stream", r#"{"s":[[9007199254740993,"a"]]}"#),
        ("snapshot", r#"{"stream":"s","version":1}"#),
        ("project", r#"{"events":[],"stream":"s"}"#),
    ] {
        let line = format!(r#"{{"process":0,"type":"ok","f":"{f}","value":{value}}}"#);
        check(&line, &format!("line 1: field `value` holds `{value}`"));
    }
    let header = r#"{"format":"lawspeaker.history","version":1,"limits":{"ack-wait":1}}"#;
    check(header, "line 1: ");
}
