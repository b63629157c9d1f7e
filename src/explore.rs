//! `lawspeaker explore`: stateright's Explorer of a model, on this machine only.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use lawspeaker_model::catalogue::Request;

use crate::args::ExploreArgs;
use crate::exit::Exit;
use crate::output::{complain, print};
use crate::request::{explained, models};

pub(crate) fn run(args: &ExploreArgs) -> Exit {
    let entry = match models(Some(&args.model)) {
        Ok(entries) => entries[0],
        Err(message) => {
            complain(&message);
            return Exit::Usage;
        }
    };
    let request = Request {
        preset: args.bounds.into(),
        settings: args.set.clone(),
        without: args.without.clone(),
        ..Request::default()
    };
    // The Explorer takes an address and tells nobody which port it got: a free one is looked for first.
    let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let address = match TcpListener::bind(wanted).and_then(|listener| listener.local_addr()) {
        Ok(address) => address,
        Err(error) => {
            complain(&format!("{wanted} cannot be had: {error}"));
            return Exit::Input;
        }
    };
    let interrupted = ctrlc::set_handler(|| std::process::exit(Exit::Interrupted as i32));
    if let Err(error) = interrupted {
        complain(&format!("Ctrl-C will end the program by its signal: {error}"));
    }
    leave_this_folder();
    let title = args.without.iter().fold(entry.name.to_owned(), |title, guard| title + " without " + guard);
    std::thread::spawn(move || announce(&title, address));
    match entry.serve(&request, address) {
        Ok(()) => Exit::Holds,
        Err(error) => {
            complain(&explained(&error));
            Exit::Usage
        }
    }
}

/// The Explorer prefers the files of a folder `ui` in the current folder to its own, whoever wrote them.
fn leave_this_folder() {
    let root = std::env::current_dir().ok().and_then(|here| here.ancestors().last().map(Path::to_owned));
    if let Some(root) = root {
        let _ = std::env::set_current_dir(root);
    }
}

/// Prints the address once it answers.
fn announce(title: &str, address: SocketAddr) {
    const PATIENCE: Duration = Duration::from_millis(10);
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        std::thread::park_timeout(PATIENCE);
    }
    print(&format!("{title}: http://{address}/  (Ctrl-C ends it)\n"));
}
