//! The program, built and run. Whatever is started here is ended here, by its id, be it that the test fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long anything may take. On a machine with nothing else to do all of it takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program; it is built if it is not fresh.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target =
            Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("`tmp` lies in the target folder");
        // The whole workspace, so that dependencies have the features that the tests have given them already.
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--workspace", "--example", "order_system", "--target-dir"]).arg(target);
        cargo.args(["--message-format", "json-render-diagnostics"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        let built = cargo.stderr(Stdio::inherit()).output().expect("cargo can be run");
        assert!(built.status.success(), "`order_system` does not build");
        let messages = String::from_utf8(built.stdout).expect("cargo writes UTF-8");
        messages.lines().find_map(executable).expect("cargo names the executable")
    })
}

fn executable(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    message["executable"].as_str().filter(|_| message["target"]["name"] == "order_system").map(PathBuf::from)
}

/// A process that does not outlive its owner.
pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Process {
    /// Waits until it has ended well; it is one that gives up by itself.
    pub(crate) fn wait_for_success(&mut self) {
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

/// Puts load on a server: some orders are cancelled, some go wrong.
pub(crate) fn load(server: &str, order_count: usize) -> Process {
    let mut load = Command::new(program());
    load.args(["load", "--server", server, "--orders", &order_count.to_string(), "--rate", "100"]);
    Process(load.stdout(Stdio::null()).spawn().unwrap())
}

/// A guard that the program can do without.
pub(crate) struct Guard {
    pub(crate) variant: String,
    pub(crate) name: String,
    pub(crate) upholds: String,
    /// The options of a load that shows it.
    options: Vec<String>,
}

/// The guards, as the program lists them.
pub(crate) fn guards() -> Vec<Guard> {
    let listed = Command::new(program()).arg("guards").output().unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines().map(|line| guard(line).unwrap_or_else(|| panic!("`{line}` lists no guard"))).collect()
}

fn guard(line: &str) -> Option<Guard> {
    let (what, options) = line.split_once(": ")?;
    let (variant, what) = what.split_once(" without ")?;
    let (name, upholds) = what.split_once(" breaks ")?;
    let options = options.split(' ').map(str::to_owned).collect();
    Some(Guard { variant: variant.to_owned(), name: name.to_owned(), upholds: upholds.to_owned(), options })
}

/// A run with the load that shows the guard, with it or without.
pub(crate) fn demo(guard: &Guard, is_removed: bool, folder: &Path) {
    let mut demo = Command::new(program());
    demo.args([
        "demo",
        "--orders",
        "6",
        "--log",
        "warn",
        "--cancel-after-ms",
        "200",
        "--variant",
        &guard.variant,
    ]);
    demo.args(&guard.options).arg("--data").arg(folder);
    if is_removed {
        demo.args(["--without", &guard.name]);
    }
    let child = demo.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    Process(child).wait_for_success();
}

/// A server that runs.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: String,
    process: Process,
    log: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts one that takes orders that go wrong.
    pub(crate) fn start(variant: &str, folder: &Path, listen: &str) -> Self {
        Self::start_with(variant, folder, listen, &["--allow-faults"])
    }

    /// Starts one that does not.
    pub(crate) fn start_strict(variant: &str, folder: &Path) -> Self {
        Self::start_with(variant, folder, "127.0.0.1:0", &[])
    }

    fn start_with(variant: &str, folder: &Path, listen: &str, options: &[&str]) -> Self {
        let mut serve = Command::new(program());
        serve
            .args(["serve", "--variant", variant, "--listen", listen])
            .args(options)
            .arg("--data")
            .arg(folder);
        let mut process = Process(serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let stderr = process.0.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut log = String::new();
            drop(BufReader::new(stderr).read_to_string(&mut log));
            log
        });
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut server = Server { address: String::new(), process, log: Some(log) };
        match line.trim().strip_prefix("listening on http://") {
            Some(address) => address.clone_into(&mut server.address),
            None => panic!("it does not listen: {}", server.end()),
        }
        server
    }

    /// Waits until the process has ended, and returns what it has logged.
    fn end(&mut self) -> String {
        drop(self.process.0.wait());
        self.log.take().map(|log| log.join().unwrap()).unwrap_or_default()
    }

    /// Kills it by SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.0.kill().unwrap();
        self.end();
    }

    /// Asks it by SIGTERM to stop, and returns what it has logged.
    pub(crate) fn stop(&mut self) -> String {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.process.0.wait().unwrap();
        let log = self.end();
        assert!(status.success(), "{status}:\n{log}");
        log
    }

    /// Asks until `is_so`; each question takes the server a while.
    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&Server) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            if begun.elapsed() > PATIENCE {
                drop(self.process.0.kill());
                panic!("after {PATIENCE:?} not yet so: {what}\n{}", self.end());
            }
            thread::yield_now();
        }
    }

    /// The answer to a `GET`: its status, and its body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.request("GET", path, &[], "")
    }

    /// The answer to a request: its status, and its body.
    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        // A server that refuses a body may close before it has read it.
        drop(stream.write_all(
            format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        ));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("{method} {path}: `{answer}` is no answer"));
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, body.to_owned())
    }
}
