//! The server: the shop behind its front, and how it ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::info;

use crate::http;
use crate::parts::Anything;
use crate::shop::{Settings, Shop};

/// A server that runs.
pub(crate) struct Server {
    pub address: SocketAddr,
    pub shop: Arc<Shop>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(settings: Settings, listen: SocketAddr) -> Result<Self, Anything> {
        let shop = Arc::new(Shop::open(settings).await?);
        let listener = TcpListener::bind(listen).await.map_err(|why| format!("{listen}: {why}"))?;
        let address = listener.local_addr()?;
        let (stop, is_asked) = oneshot::channel::<()>();
        let serve = axum::serve(listener, http::router(Arc::clone(&shop)));
        let serve = serve.with_graceful_shutdown(async { drop(is_asked.await) });
        let served = tokio::spawn(async move { serve.await });
        info!(%address, "listening");
        Ok(Server { address, shop, stop, served })
    }

    /// Waits until nothing is under way.
    pub(crate) async fn rest(&self, patience: Duration) -> Result<(), Anything> {
        let is_at_rest = tokio::select! {
            is_at_rest = self.shop.rests_within(patience) => is_at_rest?,
            why = self.shop.parts.failure() => return Err(why.into()),
        };
        if is_at_rest {
            return Ok(());
        }
        Err(format!("something is still under way after {} s", patience.as_secs()).into())
    }

    /// Answers what was asked, takes no more, and ends everything in order.
    pub(crate) async fn stop(self) -> Result<(), Anything> {
        drop(self.stop);
        self.served.await??;
        let is_at_rest = self.shop.close().await?;
        info!(is_at_rest, "stopped");
        Ok(())
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub(crate) async fn stop_asked() {
    let interrupt = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
