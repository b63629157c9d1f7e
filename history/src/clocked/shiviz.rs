//! Logs as ShiViz reads them: <https://bestchai.bitbucket.io/shiviz/>, and the one-line form that Akka writes.
//!
//! ```text
//! Starting server                                     the event, and then
//! main {"main":3, "worker":1}                         host and clock; or these first, as GoVector writes them
//! [INFO] [akka://B/user/node0] {"node0" : 2} Sending ACK(1) to node1
//! ```
//! Text without a clock is passed over, as ShiViz does. `Sending M to H` and `Received M from H` are messages.

use super::{Doing, Entry};
use crate::VectorClock;

/// Whether a line holds a host and a clock.
pub(super) fn recognises(line: &str) -> bool {
    Clocked::of(line).is_some()
}

/// Every record of a log.
pub(super) fn entries(text: &str) -> Vec<Entry> {
    let lines: Vec<(u64, &str)> =
        (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()).collect();
    let is_clock_first = lines.first().is_some_and(|(_, line)| Clocked::of(line).is_some());
    let mut entries = Vec::new();
    for (place, (line, text)) in lines.iter().enumerate() {
        let Some(clocked) = Clocked::of(text) else { continue };
        let neighbour = if is_clock_first { Some(place + 1) } else { place.checked_sub(1) };
        let beside = neighbour.and_then(|of| lines.get(of)).filter(|(_, text)| Clocked::of(text).is_none());
        let event = match (clocked.event, beside) {
            ("", Some((_, text))) => text,
            (event, _) => event,
        };
        let doing = doing(event);
        entries.push(Entry { line: *line, host: clocked.host.to_owned(), clock: clocked.clock, doing });
    }
    entries
}

fn doing(event: &str) -> Doing {
    let message = |verb: &str, link: &str| {
        let (message, host) = event.strip_prefix(verb)?.rsplit_once(link)?;
        let is_host = !host.is_empty() && !host.contains(char::is_whitespace);
        is_host.then(|| (host.to_owned(), message.to_owned()))
    };
    if let Some((to, message)) = message("Sending ", " to ") {
        return Doing::Send { to, message };
    }
    if let Some((from, message)) = message("Received ", " from ") {
        return Doing::Receive { from, message };
    }
    Doing::Local(event.to_owned())
}

/// A line with a host, a clock, and an event behind them if there is one.
struct Clocked<'a> {
    host: &'a str,
    clock: VectorClock,
    event: &'a str,
}

impl<'a> Clocked<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let start = line.find('{')?;
        let mut clocks = serde_json::Deserializer::from_str(&line[start..]).into_iter::<VectorClock>();
        let clock = clocks.next()?.ok()?;
        let event = line[start + clocks.byte_offset()..].trim();
        let before = line[..start].strip_suffix(char::is_whitespace)?.trim_end();
        let word = before.rsplit(char::is_whitespace).next()?;
        // Akka names an actor by its path, in brackets; elsewhere the host stands alone before its clock.
        let path = word.strip_prefix('[').and_then(|word| word.strip_suffix(']'));
        let host = match path {
            Some(path) => path.rsplit('/').next()?,
            None if word == before => word,
            None => return None,
        };
        (!host.is_empty()).then_some(Clocked { host, clock, event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(u64, String, String, Doing)> {
        let tell = |entry: Entry| (entry.line, entry.host, entry.clock.to_string(), entry.doing);
        entries(text).into_iter().map(tell).collect()
    }

    #[test]
    fn an_event_stands_before_its_clock_or_after_it_or_behind_it() {
        let local = |line, host: &str, clock: &str, event: &str| {
            (line, host.to_owned(), clock.to_owned(), Doing::Local(event.to_owned()))
        };
        let before =
            "starting {up}\nmain[1,5] {\"main[1,5]\":1}  \nnoise\nstopping\nmain[1,5] {\"main[1,5]\":2}\n";
        assert_eq!(
            told(before),
            [
                local(2, "main[1,5]", "{main[1,5]: 1}", "starting {up}"),
                local(5, "main[1,5]", "{main[1,5]: 2}", "stopping"),
            ]
        );
        assert_eq!(told("a {\"a\":1}\nstarting\n"), [local(1, "a", "{a: 1}", "starting")]);
        assert_eq!(told("a {\"a\":1} starting\n"), [local(1, "a", "{a: 1}", "starting")]);
    }

    #[test]
    fn akka_names_hosts_by_their_paths_and_messages_by_words() {
        let send = "[INFO] [x] [akka://B/user/n0] {\"n0\" : 2} Sending M(1,x) to n1";
        let receipt = "[INFO] [x] [akka://B/user/n1] {\"n0\" : 2, \"n1\" : 1} Received M(1,x) from n0";
        let noise = "[INFO] [akka://B/user/n1] Message [M] was not delivered";
        let message = "M(1,x)".to_owned();
        let doings: Vec<_> =
            told(&[send, noise, receipt].join("\n")).into_iter().map(|told| told.3).collect();
        assert_eq!(
            doings,
            [
                Doing::Send { to: "n1".to_owned(), message: message.clone() },
                Doing::Receive { from: "n0".to_owned(), message },
            ]
        );
    }
}
