//! Connections of clients.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::app::App;
use super::router;

/// Answers on a listener until `stop` is there; then ends requests that are being answered, if they end within
/// `patience`.
///
/// # Errors
/// What accepting connections gives.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
    patience: Duration,
) -> io::Result<()> {
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let (stopped, late) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        let _ = stopped.send(());
    };
    let late = async move {
        let _ = late.await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        ended = axum::serve(listener, service).with_graceful_shutdown(stop) => ended,
        () = late => Ok(()),
    }
}
