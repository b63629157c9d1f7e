//! Puts load on a server: orders, some of which are cancelled, and some with which something goes wrong. The same seed
//! gives the same orders.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time;

use crate::fault::{Fault, FaultError, FaultKind};
use crate::order::Order;
use crate::parts::Anything;

/// How many requests are under way at once.
const CONCURRENCY: usize = 16;
/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(25);

/// What to put on a server.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Plan {
    /// How many orders.
    #[arg(long, default_value_t = 40, value_name = "COUNT")]
    pub orders: u32,
    /// Orders a second; without it as fast as they are taken.
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Option<u32>,
    /// How many of a hundred orders the customer cancels.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub cancel_percent: Option<u8>,
    /// How long the customer thinks it over before that, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS")]
    pub cancel_after_ms: Option<u64>,
    /// What goes wrong, at which step, with how many of a hundred orders, such as `refuse@charge=10,duplicate@reserve=5`.
    /// Only orders that are cancelled are late.
    #[arg(long, value_name = "FAULTS", value_delimiter = ',')]
    pub faults: Option<Vec<Share>>,
    /// Chooses the orders that are cancelled and go wrong.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How long to ask again a server that does not answer, in seconds.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub patience: u64,
}

/// So many of a hundred orders have this fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    fault: Fault,
    percent: u8,
}

/// Why it is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShareError {
    #[error("how many of a hundred is missing or no number up to 100: `refuse@charge=10` has it")]
    Percent,
    #[error(transparent)]
    Fault(#[from] FaultError),
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let (fault, percent) = text.split_once('=').ok_or(ShareError::Percent)?;
        let percent = percent.parse().ok().filter(|percent| *percent <= 100).ok_or(ShareError::Percent)?;
        Ok(Share { fault: fault.parse()?, percent })
    }
}

/// What goes wrong unless somebody says otherwise: a bit of everything.
const FAULTS: &str = "refuse@reserve=5,refuse@charge=5,refuse@accept=5,time-out@reserve=5,time-out@charge=5,\
    late@reserve=15,late@charge=15,late@ship=15,duplicate@reserve=10,duplicate@charge=10,duplicate@ship=10,\
    fail-undo@reserve=20,fail-undo@charge=20";
const CANCEL_PERCENT: u8 = 25;

/// Shares, as they are written.
///
/// # Errors
/// [`ShareError`] of the first that is none.
pub(crate) fn shares(text: &str) -> Result<Vec<Share>, ShareError> {
    text.split(',').map(str::parse).collect()
}

impl Plan {
    /// The order `number`, and whether it is cancelled.
    fn order(&self, number: u32, shares: &[Share]) -> (Order, bool) {
        let is_chosen = |what: &str, percent: u8| self.chance(number, what) % 100 < u32::from(percent);
        let is_cancelled = is_chosen("cancel", self.cancel_percent.unwrap_or(CANCEL_PERCENT));
        let is_met = |share: &&Share| {
            let is_possible = share.fault.kind != FaultKind::Late || is_cancelled;
            is_possible && is_chosen(&share.fault.to_string(), share.percent)
        };
        let order = Order {
            id: format!("order-{}-{number}", self.seed),
            customer: format!("customer-{}", number % 7),
            item: ["apple", "pear", "plum"][(self.chance(number, "item") % 3) as usize].to_owned(),
            quantity: 1 + self.chance(number, "quantity") % 3,
            amount_cents: 100 + u64::from(self.chance(number, "amount") % 10_000),
            faults: shares.iter().filter(is_met).map(|share| share.fault).collect(),
        };
        (order, is_cancelled)
    }

    fn chance(&self, number: u32, what: &str) -> u32 {
        crc32c::crc32c(format!("{}/{number}/{what}", self.seed).as_bytes()) >> 8
    }

    /// Places all orders at `server`, such as `127.0.0.1:8080`, and cancels some. Returns how many were cancelled.
    ///
    /// # Errors
    /// What the server says of an order, or that it has not answered for as long as its patience lasts.
    pub(crate) async fn put_on(&self, server: &str) -> Result<u32, Anything> {
        let shares = self.faults.clone().map_or_else(|| shares(FAULTS), Ok)?;
        let client =
            Caller { client: Client::builder(TokioExecutor::new()).build_http(), patience: self.patience };
        let places = Arc::new(Semaphore::new(CONCURRENCY));
        let mut ticks = self.rate.map(|rate| time::interval(Duration::from_secs(1) / rate));
        let mut calls: JoinSet<Result<bool, Anything>> = JoinSet::new();
        for number in 0..self.orders {
            if let Some(ticks) = &mut ticks {
                ticks.tick().await;
            }
            let place = Arc::clone(&places).acquire_owned().await?;
            let (order, is_cancelled) = self.order(number, &shares);
            let (client, orders) = (client.clone(), format!("http://{server}/orders"));
            let cancel_after = Duration::from_millis(self.cancel_after_ms.unwrap_or(0));
            calls.spawn(async move {
                client.post(&orders, serde_json::to_vec(&order)?).await?;
                drop(place);
                if !is_cancelled {
                    return Ok(false);
                }
                time::sleep(cancel_after).await;
                let answer = client.post(&format!("{orders}/{}/cancel", order.id), Vec::new()).await?;
                Ok(answer == StatusCode::ACCEPTED)
            });
        }
        let mut cancelled_count = 0;
        while let Some(called) = calls.join_next().await {
            cancelled_count += u32::from(called??);
        }
        Ok(cancelled_count)
    }
}

#[derive(Clone)]
struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    patience: u64,
}

impl Caller {
    /// Asks until there is an answer: every request may come twice. Returns the status, 202 or 409.
    async fn post(&self, uri: &str, body: Vec<u8>) -> Result<StatusCode, Anything> {
        let give_up = Instant::now() + Duration::from_secs(self.patience);
        loop {
            let request = Request::builder().method(Method::POST).uri(uri);
            let answer = self.client.request(request.body(Full::from(body.clone()))?).await;
            let why = match answer {
                Ok(answer) if matches!(answer.status(), StatusCode::ACCEPTED | StatusCode::CONFLICT) => {
                    return Ok(answer.status());
                }
                Ok(answer) if answer.status().is_client_error() => {
                    let text = answer.into_body().collect().await?.to_bytes();
                    return Err(format!("{uri}: {}", String::from_utf8_lossy(&text)).into());
                }
                Ok(answer) => answer.status().to_string(),
                Err(error) => error.to_string(),
            };
            if Instant::now() > give_up {
                return Err(format!("{uri} has not answered for {} s: {why}", self.patience).into());
            }
            time::sleep(PAUSE).await;
        }
    }
}
