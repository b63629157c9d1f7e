//! `lawspeaker explain`: a guarantee, guard, anomaly, profile or model in words.

use std::fmt::Write;

use lawspeaker_history::{Guarantee, Kind};
use lawspeaker_model::catalogue::{DomainModel, Entry, MODELS, Preset, model};
use lawspeaker_model::causal_delivery::{CausalDelivery, TRADE};
use lawspeaker_model::guard::Guard;
use lawspeaker_oracle::{Anomaly, Profile, Severity};

use crate::args::{ExplainArgs, ExplainFormat};
use crate::exit::Exit;
use crate::output::{complain, print};
use crate::profile::profile_hint;
use crate::suggest::hint;

macro_rules! line {
    ($out:expr, $($argument:tt)*) => {{ let _ = writeln!($out, $($argument)*); }};
}

pub(crate) fn run(args: &ExplainArgs) -> Exit {
    let Some(name) = args.name.as_deref() else {
        print(&all_names());
        return Exit::Holds;
    };
    if args.format == ExplainFormat::Toml {
        return toml(name);
    }
    // A name may stand for several things, such as a guard of two models: all of them are told.
    let mut told = Vec::new();
    told.extend(name.parse::<Guarantee>().ok().map(guarantee));
    told.extend(model(name).map(model_text));
    for entry in MODELS {
        told.extend(
            entry.guards.iter().filter(|guard| guard.name == name).map(|guard| guard_text(entry, guard)),
        );
    }
    told.extend(name.parse::<Anomaly>().ok().map(anomaly));
    told.extend(Profile::named(name).ok().as_ref().map(profile));
    if told.is_empty() {
        let hint = hint(name, every_name());
        complain(&format!("nothing here is called `{name}`{hint}\n  `lawspeaker explain` lists every name"));
        return Exit::Usage;
    }
    print(&told.join("\n"));
    Exit::Holds
}

/// The file that a profile is read from.
fn toml(name: &str) -> Exit {
    match Profile::named(name) {
        Ok(profile) => {
            print(profile.toml());
            Exit::Holds
        }
        Err(error) => {
            complain(&format!("only a profile is written as TOML: {error}{}", profile_hint(name)));
            Exit::Usage
        }
    }
}

fn every_name() -> impl Iterator<Item = &'static str> {
    let guarantees = Guarantee::ALL.iter().map(|guarantee| guarantee.name());
    let models = MODELS
        .iter()
        .flat_map(|entry| std::iter::once(entry.name).chain(entry.guards.iter().map(|g| g.name)));
    let anomalies = Anomaly::ALL.iter().map(|anomaly| anomaly.name());
    guarantees.chain(models).chain(anomalies).chain(Profile::names())
}

fn all_names() -> String {
    let mut out = String::from("guarantees\n");
    for guarantee in Guarantee::ALL {
        line!(out, "  {guarantee:22} {}", guarantee.says());
    }
    for entry in MODELS {
        line!(out, "\nmodel {}: {}", entry.name, entry.about);
        entry.guards.iter().for_each(|guard| line!(out, "  {:22} {}", guard.name, guard.does));
    }
    line!(out, "\nanomalies");
    for anomaly in Anomaly::ALL {
        line!(out, "  {:22} {}", anomaly.name(), anomaly.definition());
    }
    line!(out, "\nprofiles");
    Profile::all().iter().for_each(|profile| line!(out, "  {:22} {}", profile.name, profile.promises));
    out
}

fn guarantee(guarantee: Guarantee) -> String {
    let kind = match guarantee.kind() {
        Kind::Safety => "safety",
        Kind::Liveness => "liveness",
        Kind::SafetyAndLiveness => "safety and liveness",
    };
    let mut out = format!("{guarantee}  a guarantee ({kind})\n  {}\n", guarantee.says());
    for entry in MODELS {
        for law in entry.laws().iter().filter(|law| law.guarantee == guarantee) {
            line!(out, "\n  in the model {}: {}", entry.name, law.says);
        }
        for guard in entry.guards.iter().filter(|guard| guard.upholds == guarantee) {
            line!(out, "    upheld by {}: {}", guard.name, guard.does);
            line!(out, "      see it break: lawspeaker check {} --without {}", entry.name, guard.name);
        }
    }
    let shows: Vec<_> = Anomaly::ALL.iter().filter(|anomaly| anomaly.guarantee() == guarantee).collect();
    if !shows.is_empty() {
        line!(out, "\n  broken, it shows in a history as");
    }
    shows.iter().for_each(|anomaly| line!(out, "    {}: {}", anomaly.name(), anomaly.definition()));
    out
}

fn guard_text(entry: &Entry, guard: &Guard) -> String {
    let mut out = format!("{}  a guard of the model {}\n  {}\n\n", guard.name, entry.name, guard.does);
    line!(out, "  upholds   {}: {}", guard.upholds, guard.upholds.says());
    line!(out, "  without   {}", guard.without);
    line!(out, "  seen in   {}", guard.seen_in);
    if let Some(mask) = &guard.mask {
        let masks: Vec<_> = mask.guards.iter().map(|guard| guard.name).collect();
        line!(out, "  masked    {} prevents the same; `check` takes it away too", masks.join(" and "));
    }
    line!(out, "  see it    lawspeaker check {} --without {}", entry.name, guard.name);
    out
}

fn model_text(entry: &'static Entry) -> String {
    let mut out = format!("{}  a model: {}\n\nlaws\n", entry.name, entry.about);
    entry.laws().iter().for_each(|law| line!(out, "  {:20} {}", law.guarantee, law.says));
    line!(out, "\nguards (--without NAME)");
    entry.guards.iter().for_each(|guard| line!(out, "  {:20} {}", guard.name, guard.does));
    line!(out, "\nbounds (--set NAME=VALUE)               small medium large");
    let [small, medium, large] =
        [Preset::Small, Preset::Medium, Preset::Large].map(|preset| entry.bounds(preset));
    for ((small, medium), large) in small.iter().zip(&medium).zip(&large) {
        line!(
            out,
            "  {:12} {:>30} {:>6} {:>5}   {}",
            small.name,
            small.value,
            medium.value,
            large.value,
            small.says
        );
    }
    if entry.name == CausalDelivery::NAME {
        line!(out, "\nthe trade\n{}", TRADE.trim_end().replace("\n", "\n  ").replacen("Logs", "  Logs", 1));
    }
    out
}

fn anomaly(anomaly: Anomaly) -> String {
    let mut out = format!("{}  an anomaly: how {} shows broken\n", anomaly.name(), anomaly.guarantee());
    line!(out, "  {}", anomaly.definition());
    line!(out, "  source    {}", anomaly.source());
    for profile in Profile::all() {
        let weight = match profile.severity(anomaly) {
            Severity::Violation => "a violation",
            Severity::Note => "a note: not promised",
            Severity::OutOfScope => "not looked for",
        };
        line!(out, "  {:18} {weight}", profile.name);
    }
    out
}

fn profile(profile: &Profile) -> String {
    let mut out = format!("{}  a profile\n  {}\n", profile.name, profile.promises);
    for (severity, head) in [(Severity::Note, "notes"), (Severity::OutOfScope, "not looked for")] {
        let of: Vec<_> =
            Anomaly::ALL.iter().filter(|a| profile.severity(**a) == severity).map(|a| a.name()).collect();
        if !of.is_empty() {
            line!(out, "  {head}: {}", of.join(", "));
        }
    }
    line!(out, "  every other anomaly is a violation");
    line!(out, "  as a file, to copy and change: lawspeaker explain {} --format toml", profile.name);
    out
}
