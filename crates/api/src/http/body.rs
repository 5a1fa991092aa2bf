//! Bodies, as they arrive.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::problem::Problem;

/// How fast bodies must arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploads {
    /// How long a body may take whatever its rate.
    pub patience: Duration,
    /// How many bytes a second must arrive on average, after that.
    pub slowest: u32,
    /// How long a body may take in any case.
    pub most: Duration,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { patience: Duration::from_secs(20), slowest: 4096, most: Duration::from_mins(10) }
    }
}

impl Uploads {
    /// When a body must have more bytes than these.
    fn deadline(&self, begin: Instant, bytes: usize) -> Instant {
        let earned = Duration::from_secs_f64(bytes as f64 / f64::from(self.slowest.max(1)));
        begin + (self.patience + earned).min(self.most)
    }
}

/// The bodies that are in memory, and those that are worked on.
pub(super) struct Bodies {
    memory: Arc<Semaphore>,
    work: Semaphore,
    /// How long a body waits for memory.
    wait: Duration,
}

/// A body that has arrived, and the memory that it takes.
pub(super) struct Arrived {
    pub(super) bytes: Bytes,
    pub(super) memory: Option<OwnedSemaphorePermit>,
}

/// How many bodies are worked on at the same time: segments may be large.
const WORKERS: usize = 4;
/// How long a body waits for memory, usually.
const WAIT: Duration = Duration::from_secs(10);

impl Bodies {
    /// For bodies of up to so many bytes. Two of the largest fit into memory, or many smaller ones.
    pub(super) fn new(longest: usize) -> Self {
        let memory = longest.saturating_mul(2).clamp(64 << 20, Semaphore::MAX_PERMITS);
        Self { memory: Arc::new(Semaphore::new(memory)), work: Semaphore::new(WORKERS), wait: WAIT }
    }

    /// Waits until a body may be worked on.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.work.acquire().await.ok()
    }

    /// Reads a body of at most so many bytes, if it arrives fast enough.
    pub(super) async fn read(
        &self,
        mut body: Body,
        most: usize,
        uploads: &Uploads,
    ) -> Result<Arrived, Problem> {
        if body.size_hint().lower() > most as u64 {
            return Err(Problem::too_large(most));
        }
        let (begin, mut bytes, mut memory) = (Instant::now(), Vec::new(), None);
        loop {
            let deadline = uploads.deadline(begin, bytes.len());
            let next = timeout_at(deadline, poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))).await;
            let next = next.map_err(|_| too_slow(uploads, begin, bytes.len()))?;
            let Some(frame) = next else { return Ok(Arrived { bytes: bytes.into(), memory }) };
            let frame = frame.map_err(|error| {
                Problem::bad_input(format!("the body did not arrive as a whole: {error}"))
            })?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(Problem::too_large(most));
            }
            self.reserve(data.len(), &mut memory).await?;
            bytes.extend_from_slice(&data);
        }
    }

    /// Takes memory for more bytes.
    async fn reserve(&self, bytes: usize, memory: &mut Option<OwnedSemaphorePermit>) -> Result<(), Problem> {
        let full = || Problem::unavailable("too much is being sent here at the same time");
        let permits = u32::try_from(bytes).map_err(|_| full())?;
        let more = Arc::clone(&self.memory).acquire_many_owned(permits);
        let more = timeout(self.wait, more).await.ok().and_then(Result::ok).ok_or_else(full)?;
        match memory {
            Some(memory) => memory.merge(more),
            None => *memory = Some(more),
        }
        Ok(())
    }
}

fn too_slow(uploads: &Uploads, begin: Instant, bytes: usize) -> Problem {
    let (seconds, slowest) = (begin.elapsed().as_secs(), uploads.slowest);
    let most = uploads.most.as_secs();
    Problem::too_slow(format!(
        "{bytes} bytes of the body have arrived in {seconds} s; it must come at {slowest} bytes/s or more, and within \
         {most} s"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_gives_more_time() {
        let (uploads, begin) = (Uploads::default(), Instant::now());
        let seconds = |bytes| (uploads.deadline(begin, bytes) - begin).as_secs();
        assert_eq!([0, 4096, 40_960, 4 << 20, 1 << 30].map(seconds), [20, 21, 30, 600, 600]);
    }

    #[tokio::test]
    async fn memory_is_bounded_and_comes_back() {
        let wait = Duration::from_millis(50);
        let (bodies, uploads) = (Bodies { wait, ..Bodies::new(1) }, Uploads::default());
        let read = || bodies.read(Body::from(vec![7; 40 << 20]), 48 << 20, &uploads);
        let first = read().await.unwrap();
        assert_eq!((first.bytes.len(), bodies.memory.available_permits()), (40 << 20, 24 << 20));
        assert_eq!(read().await.err().unwrap().status, 503);
        drop(first);
        assert_eq!(read().await.unwrap().bytes.len(), 40 << 20);
        assert_eq!(bodies.memory.available_permits(), 64 << 20);
        assert_eq!(bodies.read(Body::from("12345"), 4, &uploads).await.err().unwrap().status, 413);
    }
}
