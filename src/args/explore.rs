//! `lawspeaker explore`: its arguments.

use super::{Bounds, setting};

#[derive(Debug, clap::Args)]
#[command(
    before_help = "\
Examples:
  lawspeaker explore consumer-group
  lawspeaker explore partition-log --without fsync-before-ack --port 3000",
    after_help = "\
The address is printed once it can be opened; nobody but this machine can reach it. Laws on infinite behaviours are not
among the Explorer's properties: `check` decides them.

Exit codes: 130 stopped by Ctrl-C, which is the way to stop it; 2 usage; 4 the port cannot be had."
)]
pub(crate) struct ExploreArgs {
    /// The model
    pub(crate) model: String,
    /// Remove a guard; may be given several times
    #[arg(long, value_name = "GUARD")]
    pub(crate) without: Vec<String>,
    /// How much of everything there is
    #[arg(long, value_enum, default_value_t = Bounds::Small)]
    pub(crate) bounds: Bounds,
    /// Change one bound, such as crashes=2; `lawspeaker explain MODEL` lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) set: Vec<(String, u8)>,
    /// The port on this machine; 0 is any that is free
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,
}
