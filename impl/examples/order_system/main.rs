//! An order system: four services on the bus, an HTTP front, and a history of each run for the oracle to judge.
//!
//! ```text
//! cargo run -p lawspeaker-bus --example order_system -- demo --data /tmp/orders
//! cargo run -- judge /tmp/orders/history.jsonl
//! ```
//! `README.md` beside this file says what to look at.

#![expect(clippy::print_stdout, reason = "it tells where it listens and what to do next")]

mod actor;
mod choreographed;
mod event;
mod fault;
mod guard;
mod handler;
mod history;
mod http;
mod inventory;
mod load;
mod log;
mod metrics;
mod network;
mod orchestrated;
mod order;
mod orders;
mod parts;
mod payments;
mod saga;
mod server;
mod shipping;
mod shop;
mod trace;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tracing::Level;

use guard::{Guard, Guards};
use load::Plan;
use parts::Anything;
use server::{Server, stop_asked};
use shop::Settings;

/// Who leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// A saga executor leads.
    #[default]
    Orchestrated,
    /// Nobody leads: the services listen to one another.
    Choreographed,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Variant::Orchestrated { "orchestrated" } else { "choreographed" })
    }
}

/// An order system on the bus.
#[derive(Debug, Parser)]
#[command(
    name = "order_system",
    after_help = "Examples:\n  \
    order_system demo --data /tmp/orders\n  \
    order_system serve --variant choreographed --data /tmp/orders --allow-faults\n  \
    order_system load --server 127.0.0.1:8080 --orders 1000 --rate 100"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C.
    Serve {
        #[command(flatten)]
        system: System,
        /// Where to listen; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
        listen: SocketAddr,
        /// Take orders that say what is to go wrong with them.
        #[arg(long)]
        allow_faults: bool,
    },
    /// Put load on a server.
    Load {
        /// The server.
        #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
        server: String,
        #[command(flatten)]
        plan: Plan,
    },
    /// Serve, put load on it, wait until nothing is under way, and stop.
    Demo {
        #[command(flatten)]
        system: System,
        #[command(flatten)]
        plan: Plan,
    },
    /// List the guards that a run can do without, and what it breaks then.
    Guards,
}

#[derive(Debug, Args)]
struct System {
    /// Who leads.
    #[arg(long, value_enum, default_value_t)]
    variant: Variant,
    /// Where to keep everything.
    #[arg(long, default_value = "order_system.data", value_name = "FOLDER")]
    data: PathBuf,
    /// Where to write the history; otherwise to `history.jsonl` beside the data.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// A guard to do without; `order_system guards` lists them.
    #[arg(long, value_name = "GUARD")]
    without: Option<String>,
    /// How many there are of each item.
    #[arg(long, default_value_t = 1_000_000, value_name = "COUNT")]
    stock: u64,
    /// Log more, or less.
    #[arg(long, default_value_t = Level::INFO)]
    log: Level,
}

impl System {
    /// # Errors
    /// That the guard to do without is none.
    fn settings(&self, allow_faults: bool) -> Result<Settings, Anything> {
        log::start(self.log);
        let guards = Guards::without(self.variant, self.without.as_deref())?;
        if let Some(mutant) = guards.removed().and_then(|guard| guard.mutant) {
            seed(mutant)?;
        }
        let history = self.history.clone().unwrap_or_else(|| self.data.join("history.jsonl"));
        let (variant, data) = (self.variant, self.data.clone());
        Ok(Settings { variant, guards, data, history, in_stock: self.stock, allow_faults })
    }
}

/// Starts this program again with a seeded defect of the bus, which it looks for in its environment.
///
/// # Errors
/// That it cannot be started.
fn seed(mutant: &str) -> Result<(), Anything> {
    const NAME: &str = "LAWSPEAKER_MUTANT";
    if std::env::var_os(NAME).is_some_and(|seeded| seeded == mutant) {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        let mut again = std::process::Command::new(std::env::current_exe()?);
        Err(again.args(std::env::args_os().skip(1)).env(NAME, mutant).exec().into())
    }
    #[cfg(not(unix))]
    Err(format!("set the environment variable {NAME} to `{mutant}` and start the program again").into())
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "an error goes to whoever started the program")]
fn complain(error: &Anything) {
    eprintln!("error: {error}");
}

#[tokio::main]
async fn run(command: Command) -> Result<(), Anything> {
    match command {
        Command::Serve { system, listen, allow_faults } => {
            let server = Server::start(system.settings(allow_faults)?, listen).await?;
            println!("listening on http://{}", server.address);
            tokio::select! {
                () = stop_asked() => {}
                why = server.shop.parts.failure() => return Err(why.into()),
            }
            server.stop().await?;
        }
        Command::Load { server, plan } => {
            let cancelled_count = plan.put_on(&server).await?;
            println!("{} orders placed, {cancelled_count} cancellations taken", plan.orders);
        }
        Command::Demo { system, mut plan } => {
            let settings = system.settings(true)?;
            if let Some(guard) = settings.guards.removed() {
                show(guard, &mut plan)?;
            }
            let history = settings.history.clone();
            let server = Server::start(settings, ([127, 0, 0, 1], 0).into()).await?;
            let cancelled_count = plan.put_on(&server.address.to_string()).await?;
            println!("{} orders placed, {cancelled_count} cancellations taken", plan.orders);
            server.rest(Duration::from_secs(plan.patience)).await?;
            for (state, count) in server.shop.gauges().await?.sagas {
                println!("  {state}: {count}");
            }
            server.stop().await?;
            println!(
                "What happened is in {0}; let the oracle judge it: lawspeaker judge {0}",
                history.display()
            );
        }
        Command::Guards => guard::ALL.iter().for_each(|guard| println!("{guard}")),
    }
    Ok(())
}

/// Has the load show what a guard is for, where nobody says otherwise.
fn show(guard: &Guard, plan: &mut Plan) -> Result<(), Anything> {
    let (faults, cancel_percent) = guard.shown_by;
    plan.cancel_percent.get_or_insert(cancel_percent);
    // What is late is late by then, and what was before it is done.
    plan.cancel_after_ms.get_or_insert(200);
    if plan.faults.is_none() {
        plan.faults = Some(load::shares(faults)?);
    }
    Ok(())
}
