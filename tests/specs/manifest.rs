//! `specs/manifest.json`: every run of TLC, what it must say, and what our models say of the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lawspeaker_model::catalogue::{Entry, Request, model};
use lawspeaker_model::engine::Signal;
use lawspeaker_model::export::{Format, Plan, TraceChoice};
use serde_json::Value;

pub(crate) fn specs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs")
}

pub(crate) fn runs() -> Vec<Value> {
    let text = fs::read_to_string(specs().join("manifest.json")).expect("there is a manifest");
    let manifest: Value = serde_json::from_str(&text).expect("the manifest is JSON");
    manifest["runs"].as_array().expect("the manifest lists runs").clone()
}

/// The runs to be made: those of the slow tier where they are asked for.
pub(crate) fn wanted_runs() -> Vec<Value> {
    let is_slow_wanted = std::env::var_os("LAWSPEAKER_SLOW_SPECS").is_some();
    runs().into_iter().filter(|run| is_slow_wanted || word(run, "tier") == "quick").collect()
}

pub(crate) fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("`{name}` is missing in {value}"))
}

pub(crate) fn count(value: &Value, name: &str) -> usize {
    value[name].as_u64().unwrap_or_else(|| panic!("`{name}` is missing in {value}")) as usize
}

/// The model of ours that a module is the twin of, by the runs that compare the two.
pub(crate) fn twins() -> BTreeMap<String, &'static Entry> {
    let with_ours = runs().into_iter().filter(|run| run["ours"].is_object());
    with_ours.map(|run| (word(&run, "module").to_owned(), entry(&run["ours"]))).collect()
}

pub(crate) fn entry(ours: &Value) -> &'static Entry {
    model(word(ours, "model")).expect("the catalogue has the model")
}

pub(crate) fn request(ours: &Value) -> Request {
    let settings = ours["set"].as_object().expect("a run has bounds");
    let removed = ours["without"].as_array().expect("a run says which guards are gone");
    Request {
        settings: settings.keys().map(|key| (key.clone(), count(&ours["set"], key) as u8)).collect(),
        without: removed.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Request::default()
    }
}

/// The trace that `lawspeaker export --format itf` writes.
pub(crate) fn exported(entry: &Entry, request: &Request, trace: TraceChoice) -> Value {
    let plan = Plan { format: Format::Itf, trace };
    let mut text = Vec::new();
    let written = entry.export(request, &plan, &mut |_| Signal::Continue, &mut text);
    written.unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    serde_json::from_slice(&text).expect("the trace is JSON")
}
