//! A headless Chromium, driven over WebDriver (W3C Recommendation, 2018): as much of it as the tests of pages need.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// How the specification names an element in JSON (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page; ends when dropped.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    /// The browser's profile: a fresh one.
    profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; `None`, with the reason printed, where there is none.
    pub(crate) fn start() -> Option<Self> {
        let found = |variable: &str, names: &[&str]| {
            let named = std::env::var_os(variable).map(PathBuf::from);
            named.or_else(|| names.iter().find_map(|name| in_path(name)))
        };
        let chromium =
            found("LAWSPEAKER_CHROMIUM", &["chromium", "chromium-browser", "google-chrome", "chrome"]);
        let driver = found("LAWSPEAKER_CHROMEDRIVER", &["chromedriver"]);
        let (Some(chromium), Some(driver)) = (chromium, driver) else {
            eprintln!(
                "skipped: no chromium with a chromedriver was found (LAWSPEAKER_CHROMIUM, LAWSPEAKER_CHROMEDRIVER)"
            );
            return None;
        };
        let profile = tempfile::tempdir().expect("there is room for a profile");
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be run");
        let lines = BufReader::new(driver.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let port = lines.filter_map(|line| port_of(&line)).next().expect("chromedriver says its port");
        let mut browser = Browser { driver, port, session: String::new(), profile };
        let folder = format!("--user-data-dir={}", browser.profile.path().display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
            &folder,
        ];
        let options = json!({"binary": chromium, "args": arguments});
        let always = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let session = browser.ask("POST", "/session", &always)["sessionId"].clone();
        browser.session = session.as_str().expect("a session has an id").to_owned();
        Some(browser)
    }

    /// Opens a file, at a fragment if there is one.
    pub(crate) fn open(&self, path: &Path, fragment: &str) {
        // A page that is already open would only be scrolled.
        self.post("/url", &json!({"url": "about:blank"}));
        self.post("/url", &json!({"url": format!("file://{}{fragment}", path.display())}));
    }

    /// What a function body returns in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Presses keys, one after the other.
    pub(crate) fn press(&self, keys: &str) {
        let strokes = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})));
        let strokes: Vec<Value> = strokes.collect();
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]}));
        self.settle();
    }

    /// Clicks on the first element that a selector finds.
    pub(crate) fn click(&self, selector: &str) {
        // Into the middle, where nothing that stays in sight covers it.
        self.run(&format!("document.querySelector({selector:?})?.scrollIntoView({{block: 'center'}})"));
        let element = self.post("/element", &json!({"using": "css selector", "value": selector}));
        let id = element[ELEMENT].as_str().unwrap_or_else(|| panic!("nothing is {selector}: {element}"));
        self.post(&format!("/element/{id}/click"), &json!({}));
        self.settle();
    }

    /// Waits until the page has drawn twice, and done what was waiting then: an address that changes is heard of later.
    fn settle(&self) {
        let script = "const done = arguments[arguments.length - 1];
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));";
        self.post("/execute/async", &json!({"script": script, "args": []}));
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// One request; the value of the answer, which must be no error.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("chromedriver takes it");
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while answer.read_line(&mut line).expect("chromedriver answers") > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length is a number");
            }
            line.clear();
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes).expect("the answer is whole");
        let answer: Value = serde_json::from_slice(&bytes).expect("the answer is JSON");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{path}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.session.is_empty() {
            self.ask("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        // Its browser ends with it.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// `ChromeDriver was started successfully on port 1234.`
fn port_of(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}
