//! Whether anything is done on a connection.
//!
//! Bytes that come in count for nothing, as an idle client can send them for ever: single bytes of a head, or pings of
//! HTTP/2. What counts is a request, while it is answered, and an answer that is taken.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::room::Limits;

/// A write of fewer bytes may be what HTTP/2 says by itself, such as the answer to a ping.
const ANSWER: usize = 512;

/// What is done on one connection.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

struct State {
    /// How many requests are being answered.
    requests: usize,
    /// Whether there was one.
    asked: bool,
    /// When something was done last.
    at: Instant,
}

/// A request that is being answered.
pub(super) struct Request(Activity);

impl Activity {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { requests: 0, asked: false, at: Instant::now() })))
    }

    /// A request has come; it is answered when this is dropped.
    pub(super) fn request(&self) -> Request {
        let mut state = self.lock();
        state.requests += 1;
        state.asked = true;
        Request(self.clone())
    }

    /// Waits until nothing has been done for too long.
    pub(super) async fn idle(&self, limits: &Limits) {
        loop {
            match self.deadline(limits) {
                None => tokio::time::sleep(limits.idle).await,
                Some(deadline) if deadline <= Instant::now() => return,
                Some(deadline) => tokio::time::sleep_until(deadline).await,
            }
        }
    }

    /// When it is idle if nothing is done until then; none while a request is being answered.
    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.lock();
        let patience = if state.asked { limits.idle } else { limits.head };
        (state.requests == 0).then(|| state.at + patience)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.requests -= 1;
        state.at = Instant::now();
    }
}

/// A stream that notes when answers are taken.
pub(super) struct Watched {
    pub(super) stream: TcpStream,
    pub(super) activity: Activity,
}

impl Watched {
    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(bytes)) if bytes >= ANSWER) {
            self.activity.lock().at = Instant::now();
        }
        written
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
