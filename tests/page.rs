//! The page that `judge --report` writes, clicked and keyed through in a headless Chromium.
//!
//! Skipped, with the reason printed, where there is no Chromium with a chromedriver.

mod browser;
mod command;

use std::fs;
use std::path::{Path, PathBuf};

use browser::Browser;
use command::{code, err, lawspeaker, out};

const POWER_LOSS: &str = "tests/data/histories/recorded/nats-2.15.1-r1-default-powerloss.jsonl.gz";
const SAGA: &str =
    "tests/data/histories/saga-atomicity/violates/step-after-abort.and-so-it-is-done-twice.jsonl";

/// The page of these histories.
fn page(folder: &Path, files: &[&str]) -> PathBuf {
    let path = folder.join("report.html");
    let output =
        lawspeaker(&[&["judge", "--report", path.to_str().expect("the path is text")], files].concat());
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(out(&output).contains("VIOLATED"), "the text is printed all the same");
    path
}

/// What is marked: the finding, the line of its proof, how many things stand on that line, and the address.
const MARKED: &str = "
    const id = (selector) => document.querySelector(selector)?.id ?? null;
    return [id('.finding.current'), id('.proof li.current'), document.querySelectorAll('[data-line].current').length,
        location.hash, document.activeElement.id, document.querySelector('.index a[aria-current]')?.hash ?? null]";

#[test]
fn a_page_is_stepped_through_by_key_and_by_click_and_its_places_have_addresses() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("there is room for a page");
    let path = page(folder.path(), &[POWER_LOSS, SAGA]);
    browser.open(&path, "");
    let marked = || browser.run(MARKED);
    assert_eq!(marked()[0], serde_json::Value::Null, "nothing is chosen at first");
    browser.press("j");
    assert_eq!([&marked()[0], &marked()[3], &marked()[5]], ["r1-f1", "#r1-f1", "#r1-f1"]);
    assert_eq!(marked()[4], "r1-f1", "the focus goes along");
    browser.press("n");
    assert_eq!([&marked()[0], &marked()[1], &marked()[3]], ["r1-f1", "r1-f1-s1", "#r1-f1-s1"]);
    assert!(
        marked()[2].as_u64().is_some_and(|count| count >= 3),
        "the proof, the log and the timeline: {}",
        marked()
    );
    browser.press("nnp");
    assert_eq!(marked()[1], "r1-f1-s2");
    browser.press("kkk");
    assert_eq!(marked()[0], "r1-f1", "there is nothing before the first");
    browser.press("jj");
    assert_eq!(marked()[0], "r1-f3");
    browser.press("jp");
    assert_eq!(marked()[1], "r2-f1-s2", "from a finding, backwards is its last event");
    browser.press("pp");
    assert!(marked()[1].as_str().is_some_and(|id| id.starts_with("r1-f3-s")), "events go on across findings");

    browser.click(".index a[href='#r1-f2']");
    assert_eq!(marked()[0], "r1-f2");
    browser.click("#r1-f1-s2");
    assert_eq!([&marked()[1], &marked()[3]], ["r1-f1-s2", "#r1-f1-s2"]);
    browser.click("#next");
    assert_eq!(marked()[1], "r1-f1-s3");
    browser.click("#previous");
    assert_eq!(marked()[1], "r1-f1-s2");

    browser.open(&path, "#r2-f1-s1");
    assert_eq!(marked()[1], "r2-f1-s1", "an address leads to its place");
    let is_in_sight = "const box = document.getElementById('r2-f1-s1').getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight";
    assert_eq!(browser.run(is_in_sight), true);
    browser.open(&path, "#no-such-place");
    assert_eq!(marked()[0], serde_json::Value::Null);
}

/// The texts whose contrast with what is behind them is below that of WCAG 2.1, 1.4.3 (AA).
const TOO_FAINT: &str = "
    const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
        for (; element; element = element.parentElement) {
            const color = parse(getComputedStyle(element).backgroundColor);
            if (color.length === 3 || color[3] > 0) return color;
        }
        return [255, 255, 255];
    };
    const owns = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    return [...document.querySelectorAll('body *')].filter(owns).filter((element) => !element.closest('script, style, title'))
        .map((element) => {
            const style = getComputedStyle(element);
            const text = light(parse(element.closest('svg') ? style.fill : style.color));
            const paper = light(behind(element));
            return [element.textContent.trim().slice(0, 40), (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05)];
        }).filter(([, ratio]) => ratio < 4.5)";

#[test]
fn a_page_can_be_read_in_light_and_dark_and_by_a_screen_reader_and_loads_nothing() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("there is room for a page");
    browser.open(&page(folder.path(), &[POWER_LOSS, SAGA]), "#r1-f1-s1");
    let theme = "return [getComputedStyle(document.body).backgroundColor, document.documentElement.dataset.theme ?? null]";
    let first = browser.run(theme);
    assert_eq!(browser.run(TOO_FAINT), serde_json::json!([]), "{first}");
    browser.press("t");
    let second = browser.run(theme);
    assert_ne!(first[0], second[0]);
    assert_eq!(browser.run(TOO_FAINT), serde_json::json!([]), "{second}");
    browser.click("#theme");
    assert_eq!(browser.run(theme)[0], first[0]);

    let unnamed = "const name = (e) => e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.textContent.trim();
        return [...document.querySelectorAll('button, a, nav, section[id], [role], svg[role=img]')].filter((e) => !name(e) &&
            e.getAttribute('role') !== 'status').map((e) => e.outerHTML.slice(0, 80))";
    assert_eq!(browser.run(unnamed), serde_json::json!([]));
    let said = browser.run("return document.getElementById('status').textContent");
    assert!(said.as_str().is_some_and(|said| said.contains("line 3")), "what is chosen is said: {said}");
    assert_eq!(browser.run("return performance.getEntriesByType('resource').length"), 0);
    let is_wide = "return document.documentElement.scrollWidth > innerWidth";
    assert_eq!(browser.run(is_wide), false, "the page itself does not scroll sideways");
}

#[test]
fn a_hostile_history_does_nothing_in_a_browser() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("there is room for a page");
    let history = folder.path().join("history.jsonl");
    let evil = "</script></title></svg></pre><img src=x onerror=document.body.remove()><script>document.body.remove()</script>\\\"'";
    let lines = [
        format!(r#"{{"process":"{evil}","type":"info","f":"{evil}"}}"#),
        format!(r#"{{"process":0,"type":"ok","f":"send","value":[["send","{evil}",[0,"{evil}"]]]}}"#),
        format!(
            r#"{{"process":"{evil}","type":"ok","f":"poll","value":[["poll",{{"{evil}":[[1,"b{evil}"]]}}]],"x":{{"group":"{evil}"}}}}"#
        ),
        format!(r#"{{"process":2,"type":"ok","f":"poll","value":[["poll",{{"{evil}":[[1,"b{evil}"]]}}]]}}"#),
    ];
    fs::write(&history, lines.join("\n")).expect("the file can be written");
    browser.open(&page(folder.path(), &[history.to_str().expect("the path is text")]), "");
    browser.press("jn");
    let counted = browser.run(
        "return [document.querySelectorAll('img').length, document.querySelectorAll('script').length,
            document.querySelectorAll('.finding.current').length, document.body.textContent.includes('onerror=document')]",
    );
    assert_eq!(counted, serde_json::json!([0, 1, 1, true]));
}
