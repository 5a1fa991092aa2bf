//! Connections of clients.

use std::convert::Infallible;
use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

use super::activity::{Activity, Watched};
use super::app::App;
use super::room::{Admission, Refusal};
use super::router;

/// How often a client of HTTP/2 is asked whether it is still there, while it is answered.
const PING: Duration = Duration::from_secs(30);
/// How long to wait when no connection can be accepted, as where all files are open.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a client has to take leave whose connection is ended.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers on a listener until `stop` is there; then ends requests that are being answered, if they end within
/// `patience`.
pub async fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stop: impl Future<Output = ()> + Send + 'static,
    patience: Duration,
) {
    let router = router(&app);
    let (ends, ending) = watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            next = listener.accept() => match next {
                Ok(next) => next,
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        // A proxy speaks for many clients.
        let client = (!app.options.forwarded).then(|| peer.ip());
        match app.room.admit(client) {
            Ok(place) => answer(stream, peer, place, &app, router.clone(), ending.clone()),
            Err(refusal) => refuse(stream, peer, refusal),
        }
    }
    drop((listener, ending));
    let _ = ends.send(());
    if tokio::time::timeout(patience, ends.closed()).await.is_err() {
        tracing::warn!("requests that were being answered did not end in time and were cut off");
    }
}

/// Says that there is no room, as far as that needs no waiting.
fn refuse(stream: TcpStream, peer: SocketAddr, refusal: Refusal) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\ntoo many connections\n";
    tracing::debug!(%peer, why = refusal.name(), "connection refused");
    let Ok(mut stream) = stream.into_std() else { return };
    // What was sent and is not read would reset the connection, and the answer with it.
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write(ANSWER);
}

/// Answers the requests of one connection, beside others.
fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    place: Admission,
    app: &Arc<App>,
    router: Router,
    mut ending: watch::Receiver<()>,
) {
    // Answers are written at once.
    let _ = stream.set_nodelay(true);
    let activity = Activity::new();
    let requests = activity.clone();
    let service = hyper::service::service_fn(move |request| {
        let request_here = requests.request();
        let answer = call(router.clone(), peer, request);
        async move {
            let answer = answer.await;
            drop(request_here);
            answer
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING);
    let io = TokioIo::new(Watched { stream, activity: activity.clone() });
    let connection = builder.serve_connection(io, service).into_owned();
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let _place = place;
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = activity.idle(app.room.limits()) => {
                app.room.note_idle();
                connection.as_mut().graceful_shutdown();
                tokio::time::timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
            }
            _ = ending.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // That a client goes away or sends nonsense is its own affair.
        if let Err(error) = ended {
            tracing::debug!(%peer, "connection: {error}");
        }
    });
}

async fn call(
    router: Router,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    router.oneshot(request).await
}
