//! `lawspeaker export` and `lawspeaker explore`: what they write is read back by readers that know nothing of it.

mod command;
mod interrupt;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::Value;

use command::{code, err, lawspeaker, out};

/// What `export` writes; it must succeed, and write the same again.
fn exported(arguments: &[&str]) -> String {
    let arguments = [&["export"], arguments].concat();
    let first = lawspeaker(&arguments);
    assert_eq!(code(&first), 0, "{arguments:?}: {}", err(&first));
    assert_eq!(first.stdout, lawspeaker(&arguments).stdout, "two runs write the same");
    out(&first).to_owned()
}

/// States and transitions, as the checker counts them: of what it generates, one state is the initial one.
fn counted(arguments: &[&str]) -> (usize, usize) {
    let checked = lawspeaker(&[&["check"], arguments, &["--format", "json"]].concat());
    let run: Value = serde_json::from_str(out(&checked)).expect("the report is JSON");
    let explored = &run["reports"][0]["explored"];
    let number = |field: &str| explored[field].as_u64().expect("a count is a number") as usize;
    (number("states"), number("generated") - 1)
}

/// Models within bounds that make them small enough to be drawn.
const SMALL: [&[&str]; 8] = [
    &["partition-log", "--set", "faults=0"],
    &["partition-log", "--set", "events=1", "--set", "faults=1"],
    &["consumer-group", "--set", "crashes=0", "--set", "timeouts=0"],
    &["partition-log", "--set", "events=1", "--without", "fsync-before-ack"],
    &["isolation", "--set", "sagas=2", "--set", "records=3"],
    &["outbox", "--set", "events=1", "--set", "crashes=1"],
    &["bounded-queues", "--set", "orders=2"],
    &["saga-over-log", "--set", "steps=1", "--set", "faults=0"],
];

#[test]
fn a_dot_graph_is_read_by_a_parser_of_the_language_and_has_the_checkers_counts() {
    use layout::gv::DotParser;
    use layout::gv::parser::ast::Stmt;
    for arguments in SMALL {
        let dot = exported(&[arguments, &["--format", "dot"]].concat());
        let graph = DotParser::new(&dot).process().unwrap_or_else(|error| panic!("{arguments:?}: {error}"));
        let (mut nodes, mut edges) = (BTreeSet::new(), 0);
        for statement in &graph.list.list {
            match statement {
                Stmt::Node(node) => assert!(nodes.insert(node.id.name.clone()), "a node stands twice"),
                Stmt::Edge(edge) => {
                    edges += 1;
                    assert!(nodes.contains(&edge.from.name) && nodes.contains(&edge.to[0].0.name));
                }
                _ => {}
            }
        }
        assert_eq!((nodes.len(), edges), counted(arguments), "{arguments:?}");
    }
}

#[test]
fn graphviz_itself_reads_a_dot_graph_where_it_is_installed() {
    let mut command = Command::new("dot");
    command.args(["-Tplain"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut dot) = command.spawn() else {
        eprintln!("skipped: Graphviz is not installed");
        return;
    };
    let graph = exported(&["partition-log", "--set", "faults=0", "--format", "dot"]);
    let mut stdin = dot.stdin.take().expect("stdin is a pipe");
    std::io::Write::write_all(&mut stdin, graph.as_bytes()).expect("dot reads");
    drop(stdin);
    let plain = dot.wait_with_output().expect("dot ends");
    assert!(plain.status.success());
    let (states, transitions) = counted(&["partition-log", "--set", "faults=0"]);
    let count = |kind: &str| out(&plain).lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!((count("node "), count("edge ")), (states, transitions));
}

#[test]
fn a_dot_graph_marks_faults_accepted_ends_and_what_is_broken() {
    let dot = exported(&[SMALL[3], &["--format", "dot"]].concat());
    assert!(dot.contains("style=dashed") && dot.contains("peripheries=2") && dot.contains("style=bold"));
    assert!(dot.contains("BREAKS durability\\l\", color=red"), "{dot}");
    let sound = exported(&[SMALL[1], &["--format", "dot"]].concat());
    assert!(!sound.contains("color=red"), "nothing is broken in a baseline");
}

/// A strict reader of the Aldebaran format: the head, and then exactly as many transitions as it says.
fn read_aut(text: &str) -> (usize, usize) {
    let mut lines = text.lines();
    let head =
        lines.next().and_then(|line| line.strip_prefix("des (0, ")?.strip_suffix(')')).expect("a head");
    let (transitions, states) = head.split_once(", ").expect("two counts");
    let (transitions, states): (usize, usize) =
        (transitions.parse().expect("a count"), states.parse().expect("a count"));
    let mut count = 0;
    for line in lines {
        let inner = line.strip_prefix('(').and_then(|line| line.strip_suffix(')')).expect("a transition");
        let (from, rest) = inner.split_once(", \"").expect("a label after the state");
        let (label, to) = rest.rsplit_once("\", ").expect("a state after the label");
        assert!(!label.contains('"') && !label.is_empty(), "{line}");
        for state in [from, to] {
            assert!(state.parse::<usize>().expect("a state is a number") < states, "{line}");
        }
        count += 1;
    }
    assert_eq!(count, transitions);
    (states, transitions)
}

#[test]
fn an_aut_graph_is_read_by_a_strict_reader_and_has_the_checkers_counts() {
    for arguments in [SMALL[3], &["consumer-group"]] {
        let aut = exported(&[arguments, &["--format", "aut"]].concat());
        assert_eq!(read_aut(&aut), counted(arguments), "{arguments:?}");
    }
}

#[test]
fn a_json_graph_keeps_its_schema_and_has_the_checkers_counts() {
    for arguments in SMALL {
        let json = exported(&[arguments, &["--format", "json"]].concat());
        let graph: Value = serde_json::from_str(&json).expect("the graph is JSON");
        assert_eq!(graph["schema"], "lawspeaker.graph/1");
        let list = |field: &str| graph[field].as_array().expect("a list").clone();
        let (states, transitions) = (list("states"), list("transitions"));
        assert_eq!((states.len(), transitions.len()), counted(arguments), "{arguments:?}");
        assert_eq!(graph["state_count"], states.len());
        assert_eq!(graph["transition_count"], transitions.len());
        for (place, state) in states.iter().enumerate() {
            assert_eq!(state["id"], place);
            assert!(state["variables"].as_object().is_some_and(|variables| !variables.is_empty()), "{state}");
            assert!(state["broken"].as_array().is_some_and(|broken| broken.len() <= list("laws").len()));
        }
        // Breadth-first: a state is first reached from one with a smaller number, and numbers rise as they are met.
        let mut next = 1;
        for transition in &transitions {
            let to = transition["to"].as_u64().expect("a state is a number");
            assert!(to <= next, "{transition}");
            next = next.max(to + 1);
        }
        let is_broken = states.iter().any(|state| state["broken"] != serde_json::json!([]));
        assert_eq!(is_broken, arguments.contains(&"--without"));
    }
}

#[test]
fn a_counterexample_is_read_by_the_itf_crate_with_the_steps_of_the_report() {
    #[derive(serde::Deserialize)]
    struct Action {
        who: String,
        what: String,
        is_fault: bool,
    }
    #[derive(serde::Deserialize)]
    struct Partition {
        durable: u8,
        epochs: Vec<u8>,
    }
    #[derive(serde::Deserialize)]
    struct State {
        action: Action,
        partitions: Vec<Partition>,
    }
    let arguments = ["partition-log", "--without", "fsync-before-ack"];
    let itf = exported(&[&arguments[..], &["--format", "itf"]].concat());
    let trace: itf::Trace<State> = itf::trace_from_str(&itf).expect("the trace is ITF");
    let checked = lawspeaker(&[&["check"], &arguments[..], &["--format", "json"]].concat());
    let run: Value = serde_json::from_str(out(&checked)).expect("the report is JSON");
    let steps = run["reports"][0]["counterexamples"][0]["steps"].as_array().expect("steps").clone();
    assert_eq!(trace.states.len(), steps.len() + 1);
    assert_eq!(trace.vars[0], "action");
    for (state, step) in trace.states[1..].iter().zip(&steps) {
        let action = &state.value.action;
        assert_eq!(
            (&step["who"], &step["what"]),
            (&action.who.as_str().into(), &action.what.as_str().into())
        );
        assert_eq!(step["is_fault"], action.is_fault);
    }
    let last = &trace.states.last().expect("a trace has states").value.partitions[0];
    assert_eq!((last.durable, last.epochs.len()), (0, 1), "what was acknowledged was never on disk");
}

#[test]
fn what_goes_on_for_ever_is_a_loop_in_itf_and_in_mermaid() {
    let arguments = ["partition-log", "--without", "epoch-fence", "--guarantee", "at-least-once", "--format"];
    let itf = exported(&[&arguments[..], &["itf"]].concat());
    // The crate has no type for every value, bags among them: it reads the frame, and the states are compared as JSON.
    let trace: itf::Trace<serde::de::IgnoredAny> = itf::trace_from_str(&itf).expect("the trace is ITF");
    let states: Value = serde_json::from_str(&itf).expect("ITF is JSON");
    let start = trace.loop_index.expect("a lasso has a loop") as usize;
    assert!((1..trace.states.len()).contains(&start));
    let without_action = |place: usize| {
        let mut state = states["states"][place].clone();
        let fields = state.as_object_mut().expect("a state is a record");
        assert!(fields.remove("action").is_some() && fields.remove("#meta").is_some());
        state
    };
    assert_eq!(without_action(start - 1), without_action(trace.states.len() - 1), "the loop closes");
    let mermaid = exported(&[&arguments[..], &["mermaid"]].concat());
    assert!(mermaid.contains("  loop for ever\n") && mermaid.ends_with("  end\n"), "{mermaid}");
}

#[test]
fn every_counterexample_as_a_history_is_the_one_that_check_writes() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("zombie.jsonl");
    let path = path.to_str().expect("the path is text");
    let arguments = ["consumer-group", "--without", "fence-commit"];
    lawspeaker(&[&["check"], &arguments[..], &["--history", path]].concat());
    let checked = std::fs::read_to_string(path).expect("check writes a history");
    let exported = exported(&[&arguments[..], &["--format", "history"]].concat());
    let ops = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(ops(&checked), ops(&exported));
    std::fs::write(path, &exported).expect("the file can be written");
    assert_eq!(code(&lawspeaker(&["judge", path])), 1);
}

#[test]
fn a_witness_is_chosen_by_number_or_by_words() {
    let by = |witness: &str| {
        let arguments = ["consumer-group", "--witness", witness, "--format", "mermaid"];
        exported(&arguments)
    };
    assert_eq!(by("3"), by("A COMMIT OF a stale"));
    assert_eq!(by("1"), exported(&["consumer-group", "--format", "mermaid"]), "the first is the default");
    insta::assert_snapshot!(by("3"));
}

#[test]
fn a_graph_that_is_too_large_is_exit_3_with_the_bounds_that_make_it_fit() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("graph.dot");
    let path = path.to_str().expect("the path is text");
    let output = lawspeaker(&["export", "consumer-group", "--format", "dot", "-o", path]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("more than 2000 states: it fits with --set "), "{}", err(&output));
    assert!(!std::path::Path::new(path).exists(), "nothing is written");
    let advice = err(&output).split("it fits with ").nth(1).and_then(|rest| rest.split(';').next());
    let advice: Vec<_> = advice.expect("there is advice").split(' ').collect();
    let taken =
        lawspeaker(&[&["export", "consumer-group", "--format", "dot", "-o", path], &advice[..]].concat());
    assert_eq!((code(&taken), out(&taken)), (0, ""), "{}", err(&taken));
    assert!(std::fs::read_to_string(path).expect("it was written").starts_with("// consumer-group"));
    for limit in [["--max-states", "10"], ["--timeout", "0s"], ["--max-memory", "1KiB"]] {
        let output = lawspeaker(&["export", "partition-log", "--format", "json", limit[0], limit[1]]);
        assert_eq!((code(&output), out(&output)), (3, ""), "{limit:?}");
    }
    for (format, limit) in [("itf", ["--timeout", "0s"]), ("history", ["--max-states", "10"])] {
        let arguments = ["export", "isolation", "--without", "semantic-lock", "--format", format];
        let output = lawspeaker(&[&arguments[..], &limit].concat());
        assert_eq!(code(&output), 3, "{}", err(&output));
        let way_on =
            "states; to explore everything, run it again with a higher limit, or lower a bound with --set";
        assert!(
            err(&output).contains("that was after ") && err(&output).contains(way_on),
            "{}",
            err(&output)
        );
    }
}

#[test]
fn a_dash_is_stdout() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let arguments = ["consumer-group", "--format", "mermaid", "-o", "-"];
    let output = Command::new(env!("CARGO_BIN_EXE_lawspeaker"))
        .arg("export")
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .expect("lawspeaker can be run");
    assert_eq!((code(&output), out(&output)), (0, exported(&arguments[..3]).as_str()), "{}", err(&output));
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
}

#[test]
fn what_cannot_be_exported_is_told_with_the_nearest_name() {
    let check = |arguments: &[&str], exit: i32, expected: &str| {
        let output = lawspeaker(&[&["export"], arguments].concat());
        assert_eq!((code(&output), out(&output)), (exit, ""), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
    };
    check(&["partition-lgo", "--format", "dot"], 2, "did you mean `partition-log`?");
    check(&["partition-log", "--format", "dto"], 2, "dot");
    check(&["partition-log"], 2, "--format");
    check(&["partition-log", "--format", "itf", "--without", "retyr"], 2, "did you mean `retry`?");
    check(&["partition-log", "--format", "itf", "--guarantee", "durabilty"], 2, "did you mean `durability`?");
    check(&["partition-log", "--format", "itf", "--guarantee", "single-owner"], 2, "it has laws of: ");
    check(&["partition-log", "--format", "itf", "--witness", "10"], 2, "9  two partitions hold events");
    check(&["partition-log", "--format", "dot", "--witness", "1"], 2, "use itf, mermaid or history");
    check(&["partition-log", "--format", "itf", "--guarantee", "durability"], 3, "durability is not broken");
    let unmet = ["consumer-group", "--set", "crashes=0", "--format", "itf", "--witness", "7"];
    check(&unmet, 3, "within these bounds it never happens that a crashed member's");
    check(&["partition-log", "--format", "itf", "-o", "/no/such/folder/t.json"], 4, "/no/such/folder/t.json");
}

/// A child that is killed by its id when the test is over, however it ends.
struct Served(std::process::Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The body of what the Explorer answers.
fn fetched(address: &str, path: &str) -> Value {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).expect("the Explorer listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let body = answer.split_once("\r\n\r\n").expect("a head ends").1;
    let json = body.find(['{', '[']).map_or(body, |start| &body[start..]);
    let mut values = serde_json::Deserializer::from_str(json).into_iter();
    values.next().expect("there is a body").expect("it is JSON")
}

#[test]
fn the_explorer_is_served_on_this_machine_with_our_words() {
    use std::io::BufRead;
    let mut child = Command::new(env!("CARGO_BIN_EXE_lawspeaker"))
        .args(["explore", "consumer-group", "--without", "dedup"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("lawspeaker can be run");
    let stdout = child.stdout.take().expect("stdout is a pipe");
    let mut served = Served(child);
    let mut line = String::new();
    std::io::BufReader::new(stdout).read_line(&mut line).expect("the address is printed");
    let address =
        line.split_once("http://").and_then(|(_, rest)| rest.split_once('/')).expect("an address").0;
    assert!(address.starts_with("127.0.0.1:"), "{line}");
    let status = fetched(address, "/.status");
    let properties = status["properties"].as_array().expect("there are properties");
    assert!(properties.iter().any(|property| property[1] == "effect once"), "{status}");
    let steps = fetched(address, "/.states/0");
    let first = &steps[0];
    assert_eq!(first["action"], "consumer 0 reads e0 at offset 0 of orders/0");
    assert!(first["outcome"].as_str().is_some_and(|picture| picture.contains("coordinator  ")), "{first}");
    let taken = Command::new(env!("CARGO_BIN_EXE_lawspeaker"))
        .args(["explore", "consumer-group", "--port", address.split_once(':').expect("a port").1])
        .output()
        .expect("lawspeaker can be run");
    assert_eq!(code(&taken), 4, "the port is taken: {}", err(&taken));
    interrupt::interrupt(&served.0);
    assert_eq!(served.0.wait().expect("it ends").code(), Some(130), "Ctrl-C ends it");
}

#[test]
fn what_cannot_be_explored_is_exit_2_with_the_nearest_name() {
    let check = |arguments: &[&str], expected: &str| {
        let output = lawspeaker(&[&["explore"], arguments].concat());
        assert_eq!((code(&output), out(&output)), (2, ""), "{arguments:?}");
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
    };
    check(&["consumer-gruop"], "did you mean `consumer-group`?");
    check(&["consumer-group", "--without", "dedpu"], "did you mean `dedup`?");
    check(&["consumer-group", "--set", "crashes=99"], "goes from 0 to 8, not to 99");
}
