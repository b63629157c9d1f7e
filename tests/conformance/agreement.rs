//! Models and oracle agree on every behaviour, not only on those that a search or chance comes upon: all behaviours of
//! each model to a depth, with every guard and without each one in turn, are told as histories and judged.
//!
//! * Nobody is accused falsely: a root cause is of a guarantee that a law says is broken, be the behaviour cut short
//!   there or gone on to rest, except where [`BESIDE`](crate::exceptions::BESIDE) says why.
//! * Nothing is overlooked: of what goes on to rest, each guarantee that a law says is broken is found broken, except
//!   where [`UNSEEN`](crate::exceptions::UNSEEN) says why a history cannot show it.
//!
//! `LAWSPEAKER_BLESS=1 cargo test --test conformance agree` writes the tables of `docs/oracle-accuracy.md` anew.
//! Cost: a verdict a history and profile; the depths are such that it takes some 20 seconds of CPU.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use lawspeaker_history::Guarantee;
use lawspeaker_model::bounded_queues::BoundedQueues;
use lawspeaker_model::catalogue::{DomainModel, MODELS, Request, build};
use lawspeaker_model::causal_delivery::CausalDelivery;
use lawspeaker_model::choreography::Choreography;
use lawspeaker_model::consumer_group::ConsumerGroup;
use lawspeaker_model::engine::{Law, Trace, When, way_on};
use lawspeaker_model::isolation::Isolation;
use lawspeaker_model::outbox::Outbox;
use lawspeaker_model::partition_log::PartitionLog;
use lawspeaker_model::report::{LONG_ENOUGH, told};
use lawspeaker_model::saga::Saga;
use lawspeaker_model::saga_over_log::SagaOverLog;
use lawspeaker_oracle::Verdict;

use crate::behaviours::{Depth, each};
use crate::exceptions::{BESIDE, Beside, UNSEEN, Unseen};
use crate::generated::generated;
use crate::{CAUSAL, OUTBOX, QUEUE, SAGA, STRICT, broken, verdicts};

/// How many behaviours of one model with one set of guards there are at most; fewer where each is long to judge.
const MANY: usize = 12_000;
const FEWER: usize = 4_000;

/// How often laws and oracle say something of a guarantee.
#[derive(Clone, Debug, Default)]
struct Count {
    /// Behaviours in which a law says that it is broken.
    broken: usize,
    /// Those of them in which the oracle says so.
    seen: usize,
    /// The first in which it does not, step by step.
    overlooked: Option<String>,
}

/// One model with one set of guards.
struct Compared {
    model: &'static str,
    without: Option<&'static str>,
    depth: Depth,
    /// Histories that were judged: of behaviours cut short, and gone on to rest.
    history_count: usize,
    /// Behaviours that break a guarantee, and those of them that the oracle rejects for one that they break.
    broken: usize,
    rejected: usize,
    guarantees: BTreeMap<Guarantee, Count>,
    /// What the oracle says is broken, as a root cause under a profile, and no law says so: how often, and the first.
    beside: BTreeMap<(&'static str, Guarantee), (usize, String)>,
}

/// The guarantees that a behaviour breaks. A law on infinite behaviours says something of one that has come to rest: it
/// stays there for ever.
fn broken_laws<M: DomainModel>(model: &M, laws: &[Law<M>], trace: &Trace<M>) -> BTreeSet<Guarantee> {
    let states: Vec<&M::State> =
        std::iter::once(&trace.start).chain(trace.steps.iter().map(|step| &step.state)).collect();
    let is_at_rest = way_on(model, trace.last()).is_none();
    let is_broken = |law: &&Law<M>| {
        let holds = |state: &&M::State| (law.holds)(model, state);
        match law.when {
            When::Always => !states.iter().all(holds),
            When::Quiescent => is_at_rest && !holds(&trace.last()),
            When::Eventually => is_at_rest && !states.iter().any(holds),
            When::LeadsTo(from) => {
                // What follows the last such state follows the ones before it too.
                let since = states.iter().rposition(|state| from(model, state));
                is_at_rest && since.is_some_and(|since| !states[since..].iter().any(holds))
            }
        }
    };
    laws.iter().filter(is_broken).map(|law| law.guarantee).collect()
}

/// What each verdict holds against a history that follows from nothing else, a guarantee once.
fn roots(verdict: &Verdict) -> BTreeSet<Guarantee> {
    let roots = verdict.violations().filter(|finding| finding.caused_by.is_none());
    roots.map(|finding| finding.guarantee).collect()
}

fn steps<M: DomainModel>(model: &M, trace: &Trace<M>) -> String {
    trace.transitions().fold(String::new(), |mut steps, (before, action, after)| {
        let step = model.tell(before, action, after);
        let _ = write!(steps, "\n    {} {}", step.who, step.what);
        steps
    })
}

impl Compared {
    fn of<M: DomainModel>(without: Option<&'static str>, profiles: &[&'static str], most: usize) -> Self {
        let request =
            Request { without: without.into_iter().map(str::to_owned).collect(), ..Request::default() };
        let model: M = build(&request).expect("the model has its guards");
        let depth = Depth::within(&model, most);
        let mut compared = Compared {
            model: M::NAME,
            without,
            depth,
            history_count: 0,
            broken: 0,
            rejected: 0,
            guarantees: BTreeMap::new(),
            beside: BTreeMap::new(),
        };
        let laws = model.laws();
        each(&model, depth.steps, &mut |cut| {
            let rest = cut.to_rest(&model, LONG_ENOUGH);
            if !M::IS_TOLD_TO_THE_END && cut.steps.len() < rest.steps.len() {
                compared.judge(&model, &laws, profiles, cut);
            }
            let (laws_say, oracle_says) = compared.judge(&model, &laws, profiles, &rest);
            compared.count(&laws_say, &oracle_says, || steps(&model, &rest));
            true
        });
        compared
    }

    /// What the laws say is broken and what the oracle says; whom it accuses beside them is noted.
    fn judge<M: DomainModel>(
        &mut self,
        model: &M,
        laws: &[Law<M>],
        profiles: &[&'static str],
        trace: &Trace<M>,
    ) -> (BTreeSet<Guarantee>, BTreeSet<Guarantee>) {
        self.history_count += 1;
        let laws_say = broken_laws(model, laws, trace);
        let verdicts = verdicts(&told(model, trace), profiles);
        for (profile, verdict) in profiles.iter().zip(&verdicts) {
            for root in roots(verdict).difference(&laws_say) {
                self.beside.entry((*profile, *root)).or_insert_with(|| (0, steps(model, trace))).0 += 1;
            }
        }
        (laws_say, broken(&verdicts))
    }

    fn count(
        &mut self,
        laws_say: &BTreeSet<Guarantee>,
        oracle_says: &BTreeSet<Guarantee>,
        steps: impl Fn() -> String,
    ) {
        self.broken += usize::from(!laws_say.is_empty());
        self.rejected += usize::from(!laws_say.is_disjoint(oracle_says));
        for guarantee in laws_say {
            let count = self.guarantees.entry(*guarantee).or_default();
            count.broken += 1;
            if oracle_says.contains(guarantee) {
                count.seen += 1;
            } else {
                count.overlooked.get_or_insert_with(&steps);
            }
        }
    }

    /// Disagreements that no exception is for.
    fn unexplained(&self) -> Vec<String> {
        let with =
            self.without.map_or_else(|| "with every guard".to_owned(), |guard| format!("without {guard}"));
        let mut lines = Vec::new();
        for (guarantee, Count { broken, seen, overlooked }) in &self.guarantees {
            let is_listed = UNSEEN.iter().any(|unseen| unseen.is_of(self.model, self.without, *guarantee));
            if let Some(steps) = overlooked.as_ref().filter(|_| !is_listed) {
                let model = self.model;
                lines.push(format!(
                    "{model} {with}: {guarantee} is broken in {broken} and seen in {seen}{steps}"
                ));
            }
        }
        for ((profile, root), (times, steps)) in &self.beside {
            if !BESIDE.iter().any(|beside| beside.is_of(self.model, self.without, *root, profile)) {
                let said = format!("{profile} says {times} times that {root} is broken, and no law does");
                lines.push(format!("{} {with}: {said}{steps}", self.model));
            }
        }
        lines
    }
}

/// A model with every guard, and without each one in turn.
fn with_and_without<M: DomainModel>(profiles: &[&'static str], most: usize) -> Vec<Compared> {
    let guards = M::GUARDS.iter().map(|guard| Some(guard.name));
    std::iter::once(None).chain(guards).map(|without| Compared::of::<M>(without, profiles, most)).collect()
}

/// Every model that there is, each on a thread of its own.
fn all() -> Vec<Compared> {
    let models: [fn() -> Vec<Compared>; 9] = [
        || with_and_without::<PartitionLog>(STRICT, MANY),
        || with_and_without::<ConsumerGroup>(STRICT, FEWER),
        || with_and_without::<CausalDelivery>(CAUSAL, FEWER),
        || with_and_without::<Saga>(SAGA, MANY),
        || with_and_without::<Choreography>(SAGA, MANY),
        || with_and_without::<Isolation>(SAGA, MANY),
        || with_and_without::<Outbox>(OUTBOX, MANY),
        || with_and_without::<BoundedQueues>(QUEUE, MANY),
        || with_and_without::<SagaOverLog>(SAGA, MANY),
    ];
    std::thread::scope(|scope| {
        let threads = models.map(|model| scope.spawn(model));
        threads.into_iter().flat_map(|thread| thread.join().expect("the thread ends")).collect()
    })
}

#[test]
fn models_and_oracle_agree_on_every_behaviour() {
    let compared = all();
    let names: BTreeSet<&str> = compared.iter().map(|of| of.model).collect();
    assert_eq!(names, MODELS.iter().map(|model| model.name).collect());
    let unexplained: Vec<String> = compared.iter().flat_map(Compared::unexplained).collect();
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let idle: Vec<String> = UNSEEN
        .iter()
        .flat_map(|unseen| unseen.idle(|guard| overlooked(&compared, unseen, guard) > 0))
        .chain(
            BESIDE
                .iter()
                .filter(|beside| accused(&compared, beside) == 0)
                .map(|beside| format!("{beside:?}")),
        )
        .collect();
    assert!(idle.is_empty(), "listed as an exception, and never met:\n{}", idle.join("\n"));
    let count = |of: fn(&Compared) -> usize| compared.iter().map(of).sum::<usize>();
    println!(
        "{} histories of {} behaviours compared with what the laws say of them",
        count(|of| of.history_count),
        count(|of| of.depth.count),
    );
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/oracle-accuracy.md");
    let tables = compared_table(&compared) + &guarantee_table(&compared) + &beside_table(&compared);
    generated(&page, "agreement", &tables, "cargo test --test conformance agree");
}

fn overlooked(compared: &[Compared], unseen: &Unseen, guard: &str) -> usize {
    let of = compared.iter().filter(|of| of.model == unseen.model && of.without == Some(guard));
    of.filter_map(|of| of.guarantees.get(&unseen.guarantee)).map(|count| count.broken - count.seen).sum()
}

fn accused(compared: &[Compared], beside: &Beside) -> usize {
    let times =
        |of: &Compared| of.beside.get(&(beside.under, beside.guarantee)).map_or(0, |(times, _)| *times);
    compared.iter().filter(|of| of.model == beside.model).map(times).sum()
}

/// What was compared, a model a row.
fn compared_table(compared: &[Compared]) -> String {
    let mut table =
        "| model | guards whose removal shows | depth | behaviours | histories | break a guarantee | \
                     rejected for one of those |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for all in compared.chunk_by(|one, other| one.model == other.model) {
        let sum = |of: fn(&Compared) -> usize| all.iter().map(of).sum::<usize>();
        let _ = writeln!(
            table,
            "| `{}` | {} of {} | {} | {} | {} | {} | {} |",
            all[0].model,
            all.iter().filter(|of| of.without.is_some() && of.broken > 0).count(),
            all.len() - 1,
            depths(all),
            sum(|of| of.depth.count),
            sum(|of| of.history_count),
            sum(|of| of.broken),
            sum(|of| of.rejected),
        );
    }
    table + "\n"
}

/// `5 to 7`, or `all` where behaviours end before.
fn depths(all: &[Compared]) -> String {
    let steps: BTreeSet<usize> = all.iter().filter(|of| !of.depth.is_all).map(|of| of.depth.steps).collect();
    let ends = steps
        .first()
        .zip(steps.last())
        .map(|(least, most)| if least == most { least.to_string() } else { format!("{least} to {most}") });
    let whole = all.iter().any(|of| of.depth.is_all).then(|| "all".to_owned());
    ends.into_iter().chain(whole).collect::<Vec<_>>().join(", ")
}

/// What laws and oracle say of each guarantee, and why they differ.
fn guarantee_table(compared: &[Compared]) -> String {
    let mut table =
        "| model | broken by the law | times | seen | not seen |\n|---|---|---|---|---|\n".to_owned();
    for all in compared.chunk_by(|one, other| one.model == other.model) {
        let guarantees: BTreeSet<Guarantee> =
            all.iter().flat_map(|of| of.guarantees.keys().copied()).collect();
        for guarantee in guarantees {
            let counts = || all.iter().filter_map(|of| of.guarantees.get(&guarantee));
            let broken: usize = counts().map(|count| count.broken).sum();
            let seen: usize = counts().map(|count| count.seen).sum();
            let reason = |unseen: &Unseen| {
                let times: usize =
                    unseen.without.iter().map(|guard| overlooked(compared, unseen, guard)).sum();
                format!("{times}: {}", unseen.why)
            };
            let listed = UNSEEN.iter().filter(|of| of.model == all[0].model && of.guarantee == guarantee);
            let reasons: Vec<String> = listed.map(reason).collect();
            let _ = writeln!(
                table,
                "| `{}` | `{guarantee}` | {broken} | {seen} | {} |",
                all[0].model,
                reasons.join("; ")
            );
        }
    }
    table + "\n"
}

/// What the oracle holds against behaviours beside what their laws do.
fn beside_table(compared: &[Compared]) -> String {
    let mut table =
        "| model | held against it | under | times | and no law does, because |\n|---|---|---|---|---|\n"
            .to_owned();
    for beside in BESIDE {
        let Beside { model, guarantee, under, why, .. } = beside;
        let times = accused(compared, beside);
        let _ = writeln!(table, "| `{model}` | `{guarantee}` | `{under}` | {times} | {why} |");
    }
    table
}
