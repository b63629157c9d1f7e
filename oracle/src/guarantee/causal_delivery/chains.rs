//! Happened-before between sends, by chains: each send stands at a place in one chain, and knows how far into every
//! chain its past reaches. One send happened before another just if the other's past reaches its place.
//!
//! The chains are sessions (what a process sends, in its order), or the services of recorded vector clocks.
//! Cost: O(sessions) time a delivery. A session keeps one vector of what it knows; its sends share that vector until
//! the session learns more, and let go of it with their last delivery.

use std::collections::HashMap;
use std::rc::Rc;

use super::message::Messages;
use super::timeline::Delivery;
use crate::evidence::{Clock, Evidence, Key, ProcessKey, ServiceKey, count, happened_before};

/// How many chains are taken on.
pub(super) const MAX_CHAINS: usize = 4_096;
/// How many entries of vectors are held at once, 512 MiB of them.
const MAX_ENTRIES: usize = 1 << 27;

/// A place in a chain, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub chain: usize,
    pub at: u64,
}

/// Why the chains cannot be followed to the end.
#[derive(Clone, Debug)]
pub(super) struct TooManyError(pub String);

/// What orders sends.
#[derive(Debug)]
pub(super) enum Chains<'a> {
    Sessions(Sessions),
    Clocks(Clocks<'a>),
}

impl Chains<'_> {
    pub(super) fn count(&self) -> usize {
        match self {
            Chains::Sessions(sessions) => sessions.processes.len(),
            Chains::Clocks(clocks) => clocks.service_count,
        }
    }

    pub(super) fn place(&self, call: usize) -> Option<Place> {
        match self {
            Chains::Sessions(sessions) => Some(sessions.places[call]),
            Chains::Clocks(clocks) => clocks.places[call],
        }
    }

    /// Tells how far into each chain the past of a call reaches.
    pub(super) fn tell_past(&self, call: usize, mut tell: impl FnMut(usize, u64)) {
        match self {
            Chains::Sessions(sessions) => {
                let Place { chain, at } = sessions.places[call];
                let Some(known) = &sessions.pasts[call] else { return };
                for (of, count) in known.iter().enumerate().filter(|(of, count)| **count > 0 && *of != chain)
                {
                    tell(of, u64::from(*count));
                }
                tell(chain, at - 1);
            }
            Chains::Clocks(clocks) => {
                let own = clocks.places[call];
                for (service, count) in clocks.of[call].iter().flat_map(|clock| clock.iter()) {
                    let is_own = own.is_some_and(|own| own.chain == service.place());
                    tell(service.place(), count - u64::from(is_own));
                }
            }
        }
    }

    /// Whether the chains say for certain that one call happened before another.
    pub(super) fn is_before(&self, one: usize, other: usize) -> bool {
        match self {
            Chains::Sessions(_) => true,
            Chains::Clocks(clocks) => match (&clocks.of[one], &clocks.of[other]) {
                (Some(one), Some(other)) => happened_before(one, other),
                _ => false,
            },
        }
    }
}

/// Chains of what each process sent, learnt by going through the history.
#[derive(Debug)]
pub(super) struct Sessions {
    chain_of: Vec<Option<usize>>,
    processes: Vec<ProcessKey>,
    places: Vec<Place>,
    /// How many deliveries of each call are still to come.
    due: Vec<usize>,
    /// What each process knows of each chain; its own chain goes without saying.
    known: Vec<Rc<Vec<u32>>>,
    pasts: Vec<Option<Rc<Vec<u32>>>>,
    entry_count: usize,
    /// How many pairs of sends are ordered.
    pub pair_count: u64,
}

impl Sessions {
    pub(super) fn of(
        evidence: &Evidence,
        messages: &Messages,
        deliveries: &[Delivery],
    ) -> Result<Self, TooManyError> {
        let process_count = evidence.names.processes.len();
        let mut chain_of = vec![None; process_count];
        let mut processes = Vec::new();
        let mut lengths: Vec<u64> = Vec::new();
        let mut places = Vec::with_capacity(messages.calls.len());
        for call in &messages.calls {
            let chain = *chain_of[call.process.place()].get_or_insert_with(|| {
                processes.push(call.process);
                lengths.push(0);
                processes.len() - 1
            });
            lengths[chain] += 1;
            places.push(Place { chain, at: lengths[chain] });
        }
        bound(processes.len(), "processes send")?;
        let mut due = vec![0; messages.calls.len()];
        for call in deliveries.iter().filter_map(|delivery| messages.call_of(delivery.event)) {
            due[call] += 1;
        }
        let pasts = vec![None; messages.calls.len()];
        // All begin with one vector that knows nothing, and part when they learn.
        let nothing = Rc::new(Vec::new());
        let known = vec![nothing; process_count];
        Ok(Sessions { chain_of, processes, places, due, known, pasts, entry_count: 0, pair_count: 0 })
    }

    /// A call begins, and takes with it what its process knows.
    pub(super) fn send(&mut self, call: usize, process: ProcessKey) {
        let known = &self.known[process.place()];
        self.pair_count += self.places[call].at - 1;
        self.pair_count += known.iter().map(|count| u64::from(*count)).sum::<u64>();
        if self.due[call] > 0 {
            self.pasts[call] = Some(Rc::clone(known));
        }
    }

    /// A process learns of a call and of its past.
    pub(super) fn learn(&mut self, process: ProcessKey, call: usize) -> Result<(), TooManyError> {
        let Some(past) = self.pasts[call].clone() else { return Ok(()) };
        let Place { chain, at } = self.places[call];
        let own = self.chain_of[process.place()];
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let known = &mut self.known[process.place()];
        let is_known =
            |of: usize, count: u32| Some(of) == own || known.get(of).is_some_and(|known| *known >= count);
        if is_known(chain, at) && past.iter().enumerate().all(|(of, count)| is_known(of, *count)) {
            return Ok(());
        }
        if Rc::strong_count(known) > 1 || known.is_empty() {
            self.entry_count += self.processes.len();
        }
        let known = Rc::make_mut(known);
        known.resize(self.processes.len(), 0);
        for (ours, theirs) in known.iter_mut().zip(past.iter()) {
            *ours = (*ours).max(*theirs);
        }
        known[chain] = known[chain].max(at);
        if let Some(own) = own {
            known[own] = 0;
        }
        if self.entry_count > MAX_ENTRIES {
            let sentence = "what is under way at once needs more than 512 MiB of vector clocks";
            return Err(TooManyError(sentence.to_owned()));
        }
        Ok(())
    }

    /// A delivery of a call is over; after the last one nobody asks for its past.
    pub(super) fn release(&mut self, call: usize) {
        self.due[call] = self.due[call].saturating_sub(1);
        if self.due[call] == 0
            && let Some(past) = self.pasts[call].take()
            && Rc::strong_count(&past) == 1
        {
            self.entry_count = self.entry_count.saturating_sub(past.len());
        }
    }
}

/// Chains of the services that recorded clocks count.
#[derive(Debug)]
pub(super) struct Clocks<'a> {
    service_count: usize,
    of: Vec<Option<&'a Clock>>,
    places: Vec<Option<Place>>,
}

impl<'a> Clocks<'a> {
    pub(super) fn of(evidence: &'a Evidence, messages: &Messages) -> Result<Self, TooManyError> {
        let service_count = evidence.names.services.len();
        bound(service_count, "services are counted by the clocks")?;
        let of: Vec<Option<&Clock>> = messages
            .calls
            .iter()
            .map(|call| call.stamp.map(|stamp| &evidence.causal.stamps[stamp].clock))
            .collect();
        let own = own_services(evidence);
        let place = |(call, clock): (&super::message::SendCall, &Option<&Clock>)| {
            let service = *own.get(&call.process)?;
            Some(Place { chain: service.place(), at: count((*clock)?, service) })
        };
        let places = messages.calls.iter().zip(&of).map(place).collect();
        Ok(Clocks { service_count, of, places })
    }

    /// How many pairs of sends are ordered. O(n log n · services).
    pub(super) fn pair_count(&self) -> u64 {
        let mut by_service: HashMap<usize, Vec<u64>> = HashMap::new();
        for place in self.places.iter().flatten() {
            by_service.entry(place.chain).or_default().push(place.at);
        }
        by_service.values_mut().for_each(|places| places.sort_unstable());
        let mut pair_count = 0;
        for (clock, own) in self.of.iter().zip(&self.places) {
            for (service, count) in clock.iter().flat_map(|clock| clock.iter()) {
                let is_own = own.is_some_and(|own| own.chain == service.place());
                let Some(places) = by_service.get(&service.place()) else { continue };
                let reach = count - u64::from(is_own);
                pair_count += places.partition_point(|at| *at <= reach) as u64;
            }
        }
        pair_count
    }
}

fn bound(count: usize, what: &str) -> Result<(), TooManyError> {
    if count <= MAX_CHAINS {
        return Ok(());
    }
    Err(TooManyError(format!("{count} {what}, more than the {MAX_CHAINS} that this check takes on")))
}

/// The entry that each process counts its own steps in: the one of its name, or else the only one that rises from each
/// of its stamps to the next.
fn own_services(evidence: &Evidence) -> HashMap<ProcessKey, ServiceKey> {
    let names = &evidence.names;
    let by_name: HashMap<&str, ServiceKey> =
        names.services.keys().map(|service| (&*names.services[service], service)).collect();
    let mut rising: HashMap<ProcessKey, (Clock, Vec<ServiceKey>)> = HashMap::new();
    for stamp in &evidence.causal.stamps {
        match rising.get_mut(&stamp.process) {
            None => {
                let all = stamp.clock.iter().map(|(service, _)| *service).collect();
                rising.insert(stamp.process, (stamp.clock.clone(), all));
            }
            Some((last, services)) => {
                services.retain(|service| count(last, *service) < count(&stamp.clock, *service));
                *last = stamp.clock.clone();
            }
        }
    }
    let own = |(process, (_, services)): (ProcessKey, (Clock, Vec<ServiceKey>))| {
        let by_name = by_name.get(names.processes[process].to_string().as_str()).copied();
        let only = (services.len() == 1).then(|| services[0]);
        Some((process, by_name.or(only)?))
    };
    rising.into_iter().filter_map(own).collect()
}
