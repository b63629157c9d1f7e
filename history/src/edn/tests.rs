use serde_json::{Value, json};

use super::*;
use crate::{History, Reader, write_edn, write_jsonl};

/// The value that a form becomes, told by an op that carries it.
fn value_of(form: &str) -> Result<Value, String> {
    let text = format!("{{:process 0, :type :info, :f :kill, :value {form}\n}}");
    let history = History::read(text.as_bytes()).map_err(|error| error.to_string())?;
    match history.ops.into_iter().next().map(|op| op.call) {
        Some(crate::Call::Other { value, .. }) => Ok(value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_form_becomes_what_the_format_says() {
    let check = |form: &str, expected: Value| assert_eq!(value_of(form), Ok(expected), "{form}");
    check("nil", json!(null));
    check("true", json!(true));
    check(":k", json!("k"));
    check(":a.b/c-d", json!("a.b/c-d"));
    check("sym", json!("sym"));
    check("->x", json!("->x"));
    check("+", json!("+"));
    check("17", json!(17));
    check("5N", json!(5));
    check("1.5M", json!(1.5));
    check("1/3", json!("1/3"));
    check("##Inf", json!("##Inf"));
    check(r#""caf\u00e9 \"q\" \\ \t\uD83D\uDE00""#, json!("café \"q\" \\ \t😀"));
    check("\"two\nlines\"", json!("two\nlines"));
    check(r"[\a \newline \u00e9 \] \é \space \o]", json!(["a", "\n", "é", "]", "é", " ", "o"]));
    check("(1 2)", json!([1, 2]));
    check("#{1 2}", json!([1, 2]));
    check("[1,,2 ; two\n 3 #_ 4 #_ #_ 5 6]", json!([1, 2, 3]));
    check("{:a 1, \"b\" 2 3 4 nil 5 [1 :c] 6}", json!({"a": 1, "b": 2, "3": 4, "null": 5, "[1,\"c\"]": 6}));
    check("#inst \"2026-01-01T00:00:00Z\"", json!("2026-01-01T00:00:00Z"));
    check("#uuid \"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"", json!("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    check("#my.Record{:a #other [1]}", json!({"#my.Record": {"a": {"#other": [1]}}}));
    check("[#_{:a 1}]", json!([]));
}

#[test]
fn what_edn_does_not_know_is_an_error_with_its_line_and_column() {
    let check = |form: &str, column: u64, problem: &str| {
        let expected = format!("line 1: column {column}: not EDN that is read here: {problem}");
        assert_eq!(value_of(form), Err(expected), "{form}");
    };
    check("[1 2}", 48, "`}` stands where `]` is expected");
    check("{:a 1 :a 2}", 50, "key `a` stands twice");
    check("{:a 1 \"a\" 2}", 50, "key `a` stands twice");
    check("{:a}", 45, "key `a` has no value");
    check("#{1 1}", 44, "`1` stands twice in a set");
    check("^:m x", 44, "`^` is Clojure, and no EDN");
    check("010", 44, "`010` is no number");
    check("::a", 44, "`::a` is no keyword");
    check("\\longer", 44, "`\\longer` is no character");
    check(r#""\x""#, 45, "no escape of EDN: `\\n \\t \\r \\b \\f \\\\ \\\" \\uXXXX` are");
    check(r#""\ud83d!""#, 45, "half a surrogate pair");
    check("#\"re\"", 44, "`#` is followed by neither a tag, a set nor `_`");
    check("##Infinity", 44, "`##Infinity` is no number");
    check("#_", 44, "`#_` discards nothing");
    check("\"open", 44, "the text that begins here is not closed");
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(value_of(&nested(MAX_DEPTH - 1)).is_ok());
    for deep in [nested(MAX_DEPTH), nested(1_000_000), "#_ ".repeat(1_000_000), "#t ".repeat(1_000_000)] {
        let error = value_of(&deep).unwrap_err();
        assert!(error.ends_with("more than 128 forms deep"), "{error}");
    }
    let open = format!("{{:value {}", "{:a ".repeat(1_000_000));
    assert!(History::read(open.as_bytes()).is_err());
}

const OPS: [&str; 3] = [
    "{:index 0, :process 0, :type :invoke, :f :send, :value [[:send 5 :a]]}",
    "#jepsen.history.Op{:index 1, :process 0, :type :ok, :f :send, :value [[:send 5 [0 :a]]]}",
    "#jepsen.history.Op {:index 2, :process :nemesis, :type :info, :f :poll, :value [[:poll {5 ([0 :a])}]]}",
];

fn events(text: &str) -> Vec<(u64, u64, Value)> {
    let history = History::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let told = |op: crate::Op| (op.line, op.index, crate::jsonl::op_to_line(&op)["value"].clone());
    history.ops.into_iter().map(told).collect()
}

#[test]
fn ops_stand_one_a_line_or_in_one_vector_or_list() {
    let ops = OPS.join("\n");
    let values =
        [json!([["send", "5", "a"]]), json!([["send", "5", [0, "a"]]]), json!([["poll", {"5": [[0, "a"]]}]])];
    let lines = |lines: [u64; 3]| {
        lines
            .into_iter()
            .zip(0..)
            .zip(values.clone())
            .map(|((line, index), value)| (line, index, value))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(&ops), lines([1, 2, 3]));
    assert_eq!(events(&format!("[{ops}]")), lines([1, 2, 3]));
    assert_eq!(events(&format!("\u{feff};; a comment\n\n({ops}\n)\n")), lines([3, 4, 5]));
    // In one line, ops count for lines.
    assert_eq!(events(&format!("[{}]", OPS.join(" "))), lines([1, 2, 3]));
    assert_eq!(events(&format!("#_ {{:a 1}} {ops} #_ []")), lines([1, 2, 3]));
    assert_eq!(events("[]"), []);
    assert_eq!(events(";; nothing\n"), []);
}

#[test]
fn what_follows_the_vector_or_is_no_map_is_an_error() {
    let check = |text: &str, expected: &str| {
        let error = History::read(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, expected, "{text}");
    };
    check(
        "[#_ 1",
        "line 1: column 6: not EDN that is read here: the vector of ops is not closed: was the file cut off?",
    );
    check(
        "[{:process 0 :type :ok :f :x}] {}",
        "line 1: column 32: not EDN that is read here: something follows the vector of all ops",
    );
    check(
        "[{:process 0 :type :ok :f :x}]]",
        "line 1: column 31: not EDN that is read here: `]` closes nothing",
    );
    check("#_1 5", "line 1: column 5: not EDN that is read here: a map is expected: an op");
    check(
        "{:process 0 :type :okay :f :x}",
        "line 1: field `type` holds `\"okay\"`, `invoke`, `ok`, `fail` or `info` is expected",
    );
    check("\n\n{:type :ok :f :x}", "line 3: field `process` is missing");
    check(
        "{:process 0 :type :ok :f :x :value [\n\n\n#]}",
        "line 4: column 1: not EDN that is read here: `#` is followed by neither a tag, a set nor `_`",
    );
}

#[test]
fn the_header_is_a_form_that_jepsen_passes_over() {
    let text = "{\"format\":\"lawspeaker.history\",\"version\":1,\"profile\":\"kafka\",\"seed\":7}\n{\"process\":3,\"type\":\"ok\",\"f\":\"poll\"}\n";
    let history = History::read(text.as_bytes()).unwrap();
    let mut edn = Vec::new();
    write_edn(&mut edn, &history).unwrap();
    let edn = String::from_utf8(edn).unwrap();
    assert!(
        edn.starts_with(
            "#_{:format \"lawspeaker.history\", :profile \"kafka\", :seed 7, :version 1}\n{:index 0,"
        ),
        "{edn}"
    );
    assert_eq!(History::read(edn.as_bytes()).unwrap(), history);
    let unknown = "#_{:format \"lawspeaker.history\" :version 2} {:process 0}";
    let error = History::read(unknown.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "line 1: version 2 of the format is unknown, this program reads version 1");
}

#[test]
fn edn_is_told_from_json_and_logs_by_its_beginning() {
    for text in [
        "{:index 0}",
        " , {:a 1}",
        "[{:index 0}]",
        "({:a 1})",
        "#jepsen.history.Op{:a 1}",
        ";; x",
        "#_{}",
        "\u{feff}{:a 1}",
        "[#jepsen.history.Op{}]",
    ] {
        assert!(recognises(text.as_bytes()), "{text}");
    }
    for text in [
        "{\"index\":0}",
        "",
        "main {\"main\":1}",
        "[INFO] [akka] {\"node0\" : 2} x",
        "# log",
        "[{\"index\":0}]",
        "[1]",
        "{}",
    ] {
        assert!(!recognises(text.as_bytes()), "{text}");
    }
}

#[test]
fn what_is_told_in_edn_is_told_the_same_in_json() {
    let mut edn = Reader::edn(OPS.join("\n").as_bytes()).unwrap().map(Result::unwrap).collect::<Vec<_>>();
    let history = History { ops: edn.clone(), ..History::default() };
    let mut json = Vec::new();
    write_jsonl(&mut json, &history).unwrap();
    let again = History::read(json.as_slice()).unwrap();
    // The header of the JSON form takes a line.
    edn.iter_mut().for_each(|op| op.line += 1);
    assert_eq!(again.ops, edn);
}
