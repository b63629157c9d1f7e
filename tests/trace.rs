//! `lawspeaker trace`: pictures of histories, read back by an XML reader that knows nothing of them.

mod command;

use std::path::{Path, PathBuf};

use roxmltree::Document;

use command::{code, err, lawspeaker, out};

/// What `trace` draws; it must succeed.
fn drawn(arguments: &[&str]) -> String {
    let output = lawspeaker(&[&["trace"], arguments].concat());
    assert_eq!(code(&output), 0, "{arguments:?}: {}", err(&output));
    out(&output).to_owned()
}

fn histories() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/histories")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn with_class<'a>(svg: &'a Document<'a>, class: &'a str) -> impl Iterator<Item = roxmltree::Node<'a, 'a>> {
    let has = move |node: &roxmltree::Node<'a, 'a>| {
        node.attribute("class").is_some_and(|classes| classes.split(' ').any(|c| c == class))
    };
    svg.descendants().filter(has)
}

#[test]
fn every_history_of_the_corpus_is_drawn_as_well_formed_svg() {
    let mut count = 0;
    for path in histories() {
        let output = lawspeaker(&["trace", "--format", "svg", path.to_str().expect("the path is text")]);
        if code(&output) == 3 {
            assert!(err(&output).contains("there is nothing to draw"), "{}", path.display());
            continue;
        }
        assert_eq!(code(&output), 0, "{}: {}", path.display(), err(&output));
        let svg = Document::parse(out(&output)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(svg.root_element().tag_name().name(), "svg");
        let is_drawn = |class: &str| with_class(&svg, class).count() > 0;
        assert!(is_drawn("lane") && is_drawn("mark"), "{}", path.display());
        let violates = path.components().any(|part| part.as_os_str() == "violates");
        let conforms = path.components().any(|part| part.as_os_str() == "conforms");
        assert!(
            !conforms || !is_drawn("named"),
            "{}: nothing is red where nothing is broken",
            path.display()
        );
        count += usize::from(violates && is_drawn("named"));
    }
    assert!(count > 20, "{count} violations are drawn red");
}

#[test]
fn a_small_history_is_drawn_the_same_every_time() {
    let path = "tests/data/histories/total-log/violates/inconsistent-offsets.jsonl";
    insta::assert_snapshot!("text", drawn(&[path]));
    insta::assert_snapshot!("svg", drawn(&[path, "--format", "svg"]));
    insta::assert_snapshot!("mermaid", drawn(&[path, "--format", "mermaid"]));
}

#[test]
fn a_counterexample_of_a_model_is_drawn_with_what_it_breaks() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("history.jsonl");
    let path = path.to_str().expect("the path is text");
    let arguments = ["export", "partition-log", "--without", "fsync-before-ack", "--format", "history"];
    assert_eq!(code(&lawspeaker(&[&arguments[..], &["-o", path]].concat())), 0);
    insta::assert_snapshot!(drawn(&[path]).replace(path, "history.jsonl"));
}

/// Ids that would be markup, directions to a terminal, or the end of a line.
#[test]
fn hostile_ids_stay_text() {
    let ids = [
        "<script>alert(1)</script>",
        "a&b\"c'd",
        "\u{1b}[31m\0\n",
        "\u{202e}txt",
        "]]>",
        "%%{init}%%;#end end",
    ];
    let folder = tempfile::tempdir().expect("there is room for a file");
    let path = folder.path().join("hostile.jsonl");
    let mut history = String::new();
    for (offset, id) in ids.iter().enumerate() {
        let sent = serde_json::json!({"process": id, "type": "ok", "f": "send", "value": [["send", id, [offset, id]]]});
        let polled = serde_json::json!({"process": "r", "type": "ok", "f": "poll", "value": [["poll", {*id: [[offset, id]]}]]});
        let other = serde_json::json!({"process": id, "type": "info", "f": id, "value": id});
        history += &format!("{sent}\n{polled}\n{other}\n");
    }
    std::fs::write(&path, history).expect("the file can be written");
    let path = path.to_str().expect("the path is text");
    let svg = drawn(&[path, "--format", "svg"]);
    let document = Document::parse(&svg).expect("the picture is XML");
    assert!(document.descendants().all(|node| node.tag_name().name() != "script"));
    let tips: Vec<_> = document
        .descendants()
        .filter(|node| node.tag_name().name() == "title")
        .filter_map(|node| node.text())
        .collect();
    assert!(
        tips.iter().any(|tip| tip.contains("<script>alert(1)</script>")),
        "it is there as text: {tips:?}"
    );
    let mermaid = drawn(&[path, "--format", "mermaid"]);
    for line in mermaid.lines().skip(1) {
        let known = ["accTitle: ", "accDescr: ", "participant p", "note over p", "p", "rect rgba(", "end"];
        assert!(known.iter().any(|start| line.trim_start().starts_with(start)), "{line}");
        assert!(!line.contains('<') && !line.contains("%%") && !line.contains("#end"), "{line}");
    }
    let text = drawn(&[path]);
    for picture in [&svg, &mermaid, &text] {
        let is_direction = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!picture.contains(is_direction));
    }
}

#[test]
fn a_long_history_is_drawn_around_its_first_finding_and_the_rest_is_told() {
    let path = "tests/data/histories/recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz";
    let output = lawspeaker(&["trace", path, "--format", "svg"]);
    assert!(err(&output).contains(" of 1637 ops are drawn, around the first finding"), "{}", err(&output));
    let lines = |arguments: &[&str]| -> Vec<u64> {
        let text = drawn(&[&[path], arguments].concat());
        let number = |line: &str| {
            let row = line.strip_prefix("  ").or(line.strip_prefix("! "))?;
            row.split_whitespace().next()?.parse().ok()
        };
        text.lines().skip(3).filter_map(number).collect()
    };
    assert_eq!(lines(&["--from", "745", "--to", "749"]), [745, 746, 747, 748, 749]);
    assert!(lines(&["--around", "747"]).contains(&747));
    assert_eq!(lines(&["--process", "nemesis"]), [747, 752]);
    assert!(lines(&["--finding", "2"]).len() <= 200);
    assert_eq!(lines(&["--max-ops", "7"]).len(), 7);
    assert_eq!(lines(&["--from", "1", "--max-ops", "100000"]).len(), 1637);
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let path = "tests/data/histories/total-log/violates/inconsistent-offsets.jsonl";
    let check = |arguments: &[&str], exit: i32, expected: &str| {
        let output = lawspeaker(&[&["trace"], arguments].concat());
        assert_eq!((code(&output), out(&output)), (exit, ""), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
    };
    check(&["no/such/file.jsonl"], 4, "no/such/file.jsonl");
    check(&["Cargo.toml"], 4, "line 1: ");
    check(&[path, "--finding", "9"], 2, "there is no finding 9; the oracle has 1");
    check(&[path, "--process", "nemesi"], 2, "there is no process `nemesi`");
    check(&[path, "--profile", "kafak"], 2, "did you mean `kafka`?");
    check(&[path, "--format", "sgv"], 2, "svg");
    check(&[path, "--from", "100"], 3, "there is nothing to draw");
    check(&[path, "-o", "/no/such/folder/t.svg", "--format", "svg"], 4, "/no/such/folder/t.svg");
}
