//! Geo data that is read again when its files change.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use cutshort_geo::{Geo, GeoError};
use cutshort_store::FileVersion;

/// Geo data, and the files that it is read from. Whoever looks up much takes it once ([`current`](Self::current)) for a
/// request, a turn or a segment, so that all of that goes by the same data.
#[derive(Debug)]
pub struct GeoData {
    paths: Vec<PathBuf>,
    state: Mutex<GeoState>,
    /// Whoever has it may read the files.
    looks: Mutex<Looks>,
}

/// Geo data that was read, and how reading it again goes.
#[derive(Clone, Debug)]
pub struct GeoState {
    /// The data.
    pub data: Arc<Geo>,
    /// Grows whenever other data is read.
    pub generation: u64,
    /// When it was read.
    pub read: SystemTime,
    /// Why newer data cannot be read; `data` stays in use.
    pub trouble: Option<String>,
}

/// A state of all files; of each none if it is missing.
type Versions = Vec<Option<FileVersion>>;

/// What was seen of the files.
#[derive(Debug)]
struct Looks {
    /// As they were when they were last looked at.
    last: Versions,
    /// As they were when they were last read, whatever came of it.
    read: Versions,
}

impl GeoData {
    /// Reads the files, which go before the shipped data as [`Geo::with_files`] says.
    ///
    /// # Errors
    /// As [`Geo::with_files`].
    pub fn open(paths: &[PathBuf]) -> Result<Self, GeoError> {
        let versions = versions(paths);
        Ok(Self::new(paths.to_vec(), versions, Geo::with_files(paths)?))
    }

    fn new(paths: Vec<PathBuf>, versions: Versions, geo: Geo) -> Self {
        let state = GeoState { data: Arc::new(geo), generation: 0, read: SystemTime::now(), trouble: None };
        let looks = Looks { last: versions.clone(), read: versions };
        Self { paths, state: Mutex::new(state), looks: Mutex::new(looks) }
    }

    /// The data that is in use now.
    #[must_use]
    pub fn current(&self) -> Arc<Geo> {
        Arc::clone(&lock(&self.state).data)
    }

    /// The data that is in use now, and how reading it again goes.
    #[must_use]
    pub fn state(&self) -> GeoState {
        lock(&self.state).clone()
    }

    /// Reads the files if they have changed, and did not between this look and the one before: then nobody is writing
    /// them. What cannot be read is logged once; the data of before stays in use until the files change again.
    pub fn look(&self) {
        let mut looks = lock(&self.looks);
        let now = versions(&self.paths);
        let is_settled = now == looks.last;
        looks.last.clone_from(&now);
        if is_settled && now != looks.read {
            self.read(&mut looks, now);
        }
    }

    /// Reads the files now, whether they have changed or not.
    pub fn reload(&self) {
        if self.paths.is_empty() {
            tracing::info!("no geo files are set: the data that ships with the program stays in use");
            return;
        }
        let mut looks = lock(&self.looks);
        self.read(&mut looks, versions(&self.paths));
    }

    fn read(&self, looks: &mut Looks, now: Versions) {
        let geo = Geo::with_files(&self.paths);
        if versions(&self.paths) != now {
            tracing::info!("geo files are being written: they will be read when that is over");
            return;
        }
        looks.read = now;
        let mut state = lock(&self.state);
        match geo {
            Ok(geo) => {
                tracing::info!("geo data was read again: {}", sources(&geo));
                let generation = state.generation + 1;
                *state = GeoState { data: Arc::new(geo), generation, read: SystemTime::now(), trouble: None };
            }
            Err(error) => {
                tracing::warn!(
                    "geo data cannot be read again, {} stays in use: {error}",
                    sources(&state.data)
                );
                state.trouble = Some(error.to_string());
            }
        }
    }
}

/// Data that stays as it is.
impl From<Geo> for GeoData {
    fn from(geo: Geo) -> Self {
        Self::new(Vec::new(), Vec::new(), geo)
    }
}

fn versions(paths: &[PathBuf]) -> Versions {
    paths.iter().map(|path| FileVersion::of(path)).collect()
}

/// `DB-IP country lite of 2026-05-01, RIPE of 2026-05-02`
fn sources(geo: &Geo) -> String {
    let one = |source: &cutshort_geo::Source| format!("{} of {}", source.name, source.date);
    geo.sources().iter().map(one).collect::<Vec<_>>().join(", ")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has geo files read again when they change, in a thread of its own, until it is dropped.
pub struct GeoRefresher {
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl GeoRefresher {
    /// Between looks at the files: two of them are needed until a change is seen.
    pub const EVERY: Duration = Duration::from_secs(15);

    /// Begins to look at the files.
    #[must_use]
    pub fn start(files: Arc<GeoData>, every: Duration) -> Self {
        let (wake, woken) = channel();
        let run = move || {
            loop {
                match woken.recv_timeout(every) {
                    Ok(()) => files.reload(),
                    Err(RecvTimeoutError::Timeout) => files.look(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        Self { wake: Some(wake), thread: Some(std::thread::spawn(run)) }
    }

    /// Has the files read at once, as a signal asks for it. Does not wait for that.
    pub fn reload(&self) {
        if let Some(wake) = &self.wake {
            // The thread ends with this only.
            let _ = wake.send(());
        }
    }
}

impl Drop for GeoRefresher {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // Its panic was shown.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
