//! Geo data that is reloaded when its files change.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use cutshort_geo::{Geo, GeoError};
use cutshort_store::FileVersion;

/// Geo data and the files from which it is loaded. Code that looks up many addresses calls [`current`](Self::current)
/// once per request, turn or segment, so that all of it uses the same data.
#[derive(Debug)]
pub struct GeoData {
    paths: Vec<PathBuf>,
    state: Mutex<GeoState>,
    /// Held while the files are read.
    looks: Mutex<Looks>,
}

/// Loaded geo data, and whether reloading works.
#[derive(Clone, Debug)]
pub struct GeoState {
    /// The data that is in use.
    pub data: Arc<Geo>,
    /// A number that grows whenever other data is loaded.
    pub generation: u64,
    /// When the data was loaded.
    pub read: SystemTime,
    /// Why newer data cannot be loaded; `data` stays in use.
    pub trouble: Option<String>,
}

/// The version of each file; none if it is missing.
type Versions = Vec<Option<FileVersion>>;

/// The versions of the files that were seen.
#[derive(Debug)]
struct Looks {
    /// The versions when the files were last looked at.
    last: Versions,
    /// The versions when the files were last loaded, successfully or not.
    read: Versions,
}

impl GeoData {
    /// Loads the files, which take precedence over the built-in data as described at [`Geo::with_files`].
    ///
    /// # Errors
    /// The same as those of [`Geo::with_files`].
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

    /// The data that is in use now, and whether reloading works.
    #[must_use]
    pub fn state(&self) -> GeoState {
        lock(&self.state).clone()
    }

    /// Reloads the files if they have changed and were then left alone for one interval, so that nobody is writing to
    /// them. A failure is logged once; the present data stays in use until the files change again.
    pub fn look(&self) {
        let mut looks = lock(&self.looks);
        let now = versions(&self.paths);
        let is_settled = now == looks.last;
        looks.last.clone_from(&now);
        if is_settled && now != looks.read {
            self.read(&mut looks, now);
        }
    }

    /// Reloads the files now, whether or not they have changed.
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

/// Data that is never reloaded.
impl From<Geo> for GeoData {
    fn from(geo: Geo) -> Self {
        Self::new(Vec::new(), Vec::new(), geo)
    }
}

fn versions(paths: &[PathBuf]) -> Versions {
    paths.iter().map(|path| FileVersion::of(path)).collect()
}

/// Describes the sources: `DB-IP country lite of 2026-05-01, RIPE of 2026-05-02`.
fn sources(geo: &Geo) -> String {
    let one = |source: &cutshort_geo::Source| format!("{} of {}", source.name, source.date);
    geo.sources().iter().map(one).collect::<Vec<_>>().join(", ")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that reloads geo files when they change, until it is dropped.
pub struct GeoRefresher {
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl GeoRefresher {
    /// The interval between looks at the files. A change is noticed at the second look.
    pub const EVERY: Duration = Duration::from_secs(15);

    /// Starts the thread.
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

    /// Requests that the files are reloaded now, for example on a signal. Does not wait for it.
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
