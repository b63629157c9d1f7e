//! The order system, `impl/examples/order_system`, as users run it: a process of its own, killed and started again, and
//! judged by the public oracle.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics to fail, and prints its figures"
)]

#[path = "order_system/program.rs"]
mod program;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::Path;
use std::thread;

use lawspeaker_history::{Call, History, OpType, SagaOutcome};
use lawspeaker_oracle::{Outcome, Profile, Verdict, judge};
use program::{Server, demo, guards, load};

const ORDER_COUNT: usize = 80;
/// What Prometheus is told.
const MEASURED: [&str; 7] = [
    "orders_events_produced_total{topic=\"orders\"}",
    "orders_events_consumed_total{group=",
    "orders_lag_events{group=",
    "orders_processing_seconds_bucket{le=",
    "orders_dead_letters{topic=\"orders.dead-letters\"} 0",
    "orders_sagas{state=\"running\"} 0",
    "orders_owed_events 0",
];

fn read(path: &Path) -> History {
    let file = File::open(path).unwrap();
    History::read(BufReader::new(file)).unwrap()
}

fn verdict(history: &History) -> Verdict {
    judge(history, Profile::named("saga").unwrap())
}

/// The guarantees that a verdict says are broken, by name.
fn broken(verdict: &Verdict) -> BTreeSet<String> {
    verdict.violations().map(|finding| finding.guarantee.to_string()).collect()
}

fn assert_conforms(what: &str, verdict: &Verdict) {
    let findings: Vec<_> = verdict.findings.iter().map(|finding| &finding.summary).collect();
    assert_eq!(verdict.outcome, Outcome::Conforms, "{what}: {findings:#?}");
}

/// How many sagas ended so.
fn ended_count(history: &History, outcome: SagaOutcome) -> usize {
    let ends = history.ops.iter().filter(|op| op.op_type == OpType::Ok);
    let sagas = ends.filter_map(|op| match &op.call {
        Call::SagaEnd(end) if end.outcome == outcome => Some(end.saga.clone()),
        _ => None,
    });
    sagas.collect::<BTreeSet<_>>().len()
}

/// Kills the server half-way, by SIGKILL, and starts it again.
fn run_killed(variant: &str) {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history.jsonl");
    let mut server = Server::start(variant, folder.path(), "127.0.0.1:0");
    let mut load = load(&server.address, ORDER_COUNT);
    server.wait_until("there are orders that have ended, and some that have not", |server| {
        let metrics = server.get("/metrics").1;
        let count = |state: &str| {
            let line =
                metrics.lines().find(|line| line.starts_with(&format!("orders_sagas{{state=\"{state}\"}}")));
            line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        count("committed") >= 3 && count("running") >= 1
    });
    server.kill();
    let first_life = read_whole_lines(&history);
    File::options().append(true).open(&history).unwrap().write_all(b"{\"index\":99,\"proc").unwrap();

    let mut server = Server::start(variant, folder.path(), &server.address);
    load.wait_for_success();
    server.wait_until("nothing is under way", |server| {
        server.get("/health?within_ms=1000").1.contains("\"at_rest\":true")
    });
    let metrics = server.get("/metrics").1;
    for measured in MEASURED {
        assert!(
            metrics.lines().any(|line| line.starts_with(measured)),
            "nobody measured {measured}:\n{metrics}"
        );
    }
    server.stop();

    let history = read(&history);
    let (committed, aborted) =
        (ended_count(&history, SagaOutcome::Committed), ended_count(&history, SagaOutcome::Aborted));
    println!(
        "{variant}: {} ops, {first_life} of them before it was killed; {committed} sagas committed, {aborted} aborted",
        history.ops.len()
    );
    assert!(history.ops.len() > first_life, "it went on with its history");
    assert_eq!(history.ops.last().unwrap().call, Call::Quiescent);
    assert!(committed > 0 && aborted > 0, "both ways");
    let verdict = verdict(&history);
    assert_conforms(variant, &verdict);
    let undecided = |name: &str| verdict.undecided.iter().find(|other| other.guarantee.to_string() == name);
    assert_eq!(undecided("saga-termination"), None);
    assert_eq!(undecided("saga-atomicity"), None);
}

fn read_whole_lines(path: &Path) -> usize {
    fs::read(path).unwrap().iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn an_orchestrated_order_system_that_is_killed_keeps_the_law() {
    run_killed("orchestrated");
}

#[test]
fn a_choreographed_order_system_that_is_killed_keeps_the_law() {
    run_killed("choreographed");
}

#[test]
fn an_order_system_without_a_guard_breaks_what_the_guard_upholds_and_with_it_does_not() {
    let guards = guards();
    for variant in ["orchestrated", "choreographed"] {
        assert!(guards.iter().filter(|guard| guard.variant == variant).count() >= 5, "{variant}");
    }
    let judged = &|guard: &program::Guard, is_removed: bool| {
        let folder = tempfile::tempdir().unwrap();
        demo(guard, is_removed, folder.path());
        verdict(&read(&folder.path().join("history.jsonl")))
    };
    thread::scope(|scope| {
        for share in guards.chunks(3) {
            scope.spawn(move || {
                for guard in share {
                    let name = format!("{} without {}", guard.variant, guard.name);
                    let broken = broken(&judged(guard, true));
                    println!("{name}: {broken:?}");
                    assert!(
                        broken.contains(&guard.upholds),
                        "{name} breaks {broken:?}, not {}",
                        guard.upholds
                    );
                    assert_conforms(&format!("{} with {}", guard.variant, guard.name), &judged(guard, false));
                }
            });
        }
    });
}

#[test]
fn its_readme_names_each_of_its_modules() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("impl/examples/order_system");
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let modules: BTreeSet<_> = names.filter(|name| name.ends_with(".rs")).collect();
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
    let named: BTreeSet<_> = cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
    assert_eq!(named, modules);
}

#[test]
fn bad_requests_are_refused_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_strict("orchestrated", folder.path());
    let order = |id: &str, more: &str| {
        format!(
            "{{\"id\":\"{id}\",\"customer\":\"ann\",\"item\":\"apple\",\"quantity\":2,\"amount_cents\":300{more}}}"
        )
    };
    let post = |server: &Server, path: &str, body: &str| server.request("POST", path, &[], body);
    let check = |(status, body): (u16, String), expected: u16, word: &str| {
        assert_eq!(status, expected, "{body}");
        assert!(body.contains(word), "{body}");
    };
    check(post(&server, "/orders", "{"), 400, "EOF");
    check(post(&server, "/orders", &order("", "")), 400, "Idempotency-Key");
    check(post(&server, "/orders", &order("a/b", "")), 400, "is no id");
    check(post(&server, "/orders", &order("a", ",\"colour\":1")), 400, "unknown field `colour`");
    check(post(&server, "/orders", &order("a", ",\"faults\":[\"refuse@charge\"]")), 400, "--allow-faults");
    check(
        post(&server, "/orders", &order("a", ",\"faults\":[\"refuse@chrage\"]")),
        400,
        "there is no step `chrage`",
    );
    check(post(&server, "/orders", &"x".repeat(20_000)), 413, "");
    check(post(&server, "/orders", &order("a", "")), 202, "\"id\":\"a\"");
    check(post(&server, "/orders", &order("a", "")), 202, "\"id\":\"a\"");
    check(
        post(&server, "/orders", &order("a", "").replace("300", "301")),
        409,
        "another order is called `a`",
    );
    check(server.request("POST", "/orders", &[("Idempotency-Key", "b")], &order("a", "")), 400, "`b`");
    check(server.get("/orders/b"), 404, "there is no order `b`");
    check(post(&server, "/orders/b/cancel", ""), 404, "there is no order `b`");
    check(server.request("DELETE", "/orders/a", &[], ""), 405, "");
    check(server.get("/nothing"), 404, "no such resource");
    server.wait_until("the order has ended", |server| server.get("/orders/a").1.contains("\"completed\""));
    check(post(&server, "/orders/a/cancel", ""), 409, "the order has ended");

    let parent = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    check(server.request("POST", "/orders", &parent, &order("c", "")), 202, "\"id\":\"c\"");
    server.wait_until("the order has ended", |server| server.get("/orders/c").1.contains("\"completed\""));
    let log = server.stop();
    let traced = log.lines().filter(|line| line.contains("4bf92f3577b34da6a3ce929d0e0e4736"));
    let asked = traced.filter(|line| line.contains("\"causation_id\":\"c/placed\"")).count();
    assert!(asked >= 4, "each of the four steps belongs to the trace of the request:\n{log}");
}
