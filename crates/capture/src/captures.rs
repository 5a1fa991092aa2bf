use std::borrow::Cow;
use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use crate::{Capture, CaptureError, Drops, Input, Reading, Record, Visitor};

/// Reads many captures as one.
///
/// Their records are merged by time, so that neither the order of the files nor overlapping files (several
/// interfaces, several servers) make records late. Within a file the order is unchanged. Files that do not overlap
/// are opened one after the other.
pub struct Captures {
    /// Captures that are not open yet, the earliest last.
    waiting: Vec<Waiting>,
    open: Vec<OpenCapture>,
    /// The index in `open` of the capture with the current record.
    current: usize,
    /// The current capture is read on as long as its records are not later.
    until: i64,
    /// The captures that were read to their end, as indices into the paths.
    ended: Vec<usize>,
    problems: Vec<CaptureProblem>,
    applications: Vec<String>,
    without_time: u64,
    drops: Drops,
    reading: Reading,
}

struct Waiting {
    file: usize,
    path: PathBuf,
    first_ts: i64,
}

struct OpenCapture {
    /// Its index among the paths.
    file: usize,
    path: PathBuf,
    capture: Capture,
}

/// A problem with one of the captures.
#[derive(Debug)]
pub struct CaptureProblem {
    /// The path; `-` is the standard input.
    pub path: PathBuf,
    /// The reason why the capture cannot be read, or not to its end.
    pub error: CaptureError,
}

impl CaptureProblem {
    /// Whether not even the start could be read.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        !matches!(self.error, CaptureError::Cut { .. } | CaptureError::Damaged { .. })
    }
}

impl std::fmt::Display for CaptureProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", name_of(&self.path), self.error)
    }
}

/// The name of a capture in messages; `-` is the standard input.
#[must_use]
pub fn name_of(path: &Path) -> Cow<'_, str> {
    if path == Path::new("-") { "standard input".into() } else { path.to_string_lossy() }
}

/// Raises the limit of open files as far as permitted, if it may be too low: captures that overlap are open at the
/// same time.
fn allow_open(captures: usize) {
    /// The number of other files that a program has open: outputs, libraries, address databases.
    #[cfg(target_os = "linux")]
    const OTHERS: u64 = 64;
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(u64::MAX).min(captures as u64 + OTHERS);
        if current.is_some_and(|current| current < wanted) {
            // Where it fails, files that cannot be opened are told.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = captures;
}

impl Captures {
    /// Looks at the start of every capture; `-` is the standard input. Those that cannot be read are
    /// [`problems`](Self::problems).
    pub fn open<P: AsRef<Path>>(paths: &[P], reading: &Reading) -> Self {
        let mut captures = Self {
            waiting: Vec::new(),
            open: Vec::new(),
            current: 0,
            until: i64::MIN,
            ended: Vec::new(),
            problems: Vec::new(),
            applications: Vec::new(),
            without_time: 0,
            drops: Drops::default(),
            reading: reading.clone(),
        };
        allow_open(paths.len());
        for (file, path) in paths.iter().enumerate() {
            captures.look_at(file, path.as_ref());
        }
        captures.waiting.sort_by_key(|waiting| Reverse(waiting.first_ts));
        captures.choose();
        captures
    }

    /// Opens a capture and finds its first record. A stream cannot be opened again and stays open.
    fn look_at(&mut self, file: usize, path: &Path) {
        let only_looked = Reading::default();
        let input = match path {
            _ if path == Path::new("-") => Ok(Input::stdin(&self.reading)),
            // What is read here will be read again, and counted then.
            _ if path.is_file() => Input::open(path, &only_looked),
            _ => Input::open(path, &self.reading),
        };
        let regular = input.as_ref().is_ok_and(|input| input.regular);
        let path = path.to_owned();
        match input.and_then(|input| Capture::open(input, &self.reading)) {
            Ok(capture) if regular => self.wait(OpenCapture { file, path, capture }),
            Ok(capture) => self.begin(OpenCapture { file, path, capture }),
            Err(error) => self.problems.push(CaptureProblem { path, error }),
        }
    }

    fn wait(&mut self, open: OpenCapture) {
        let OpenCapture { file, path, mut capture } = open;
        match capture.advance() {
            Ok(true) => {
                let first_ts = capture.ts().unwrap_or(i64::MIN);
                self.waiting.push(Waiting { file, path, first_ts });
            }
            Ok(false) => self.note_end(&capture),
            Err(error) => self.problems.push(CaptureProblem { path, error }),
        }
    }

    /// Moves to the first record of a capture, and keeps it open if there is one.
    fn begin(&mut self, mut open: OpenCapture) {
        match open.capture.advance() {
            Ok(true) => self.open.push(open),
            Ok(false) => self.note_end(&open.capture),
            Err(error) => self.problems.push(CaptureProblem { path: open.path, error }),
        }
    }

    fn note_end(&mut self, capture: &Capture) {
        self.without_time += capture.without_time();
        self.drops.add(&capture.drops());
        for application in capture.applications() {
            if !self.applications.contains(&application) {
                self.applications.push(application);
            }
        }
    }

    /// Opens captures that may have the next record, then chooses the one with the earliest.
    fn choose(&mut self) {
        loop {
            let earliest = (0..self.open.len()).min_by_key(|at| self.open[*at].capture.ts());
            let earliest_ts = earliest.and_then(|at| self.open[at].capture.ts());
            match self.waiting.last() {
                Some(next) if earliest_ts.is_none_or(|ts| next.first_ts <= ts) => self.open_next(),
                _ => {
                    self.current = earliest.unwrap_or(0);
                    self.until = self.next_ts();
                    return;
                }
            }
        }
    }

    fn open_next(&mut self) {
        let Some(Waiting { file, path, .. }) = self.waiting.pop() else { return };
        let opened = Input::open(&path, &self.reading);
        match opened.and_then(|input| Capture::open(input, &self.reading)) {
            Ok(capture) => self.begin(OpenCapture { file, path, capture }),
            Err(error) => self.problems.push(CaptureProblem { path, error }),
        }
    }

    /// The time of the earliest record outside the current capture.
    fn next_ts(&self) -> i64 {
        let others = self.open.iter().enumerate().filter(|(at, _)| *at != self.current);
        let open = others.filter_map(|(_, open)| open.capture.ts());
        open.chain(self.waiting.last().map(|waiting| waiting.first_ts)).min().unwrap_or(i64::MAX)
    }

    /// Moves past the current record.
    #[inline]
    pub fn advance(&mut self) {
        let Some(open) = self.open.get_mut(self.current) else { return };
        let advanced = open.capture.advance();
        self.settle(advanced);
    }

    /// Passes the current record and some that follow it to the visitor, as long as it wants them, and moves past the
    /// last of them. False at the end of all captures, where there is no record.
    ///
    /// Faster than [`record`](Self::record) and [`advance`](Self::advance) for each of them.
    #[inline(always)]
    pub fn show(&mut self, visitor: &mut impl Visitor) -> bool {
        let Some(open) = self.open.get_mut(self.current) else { return false };
        let advanced = open.capture.show(self.until, visitor);
        self.settle(advanced);
        true
    }

    /// Chooses the next capture if the current one has ended or others have earlier records.
    #[inline]
    fn settle(&mut self, advanced: Result<bool, CaptureError>) {
        let Some(open) = self.open.get(self.current) else { return };
        match advanced {
            Ok(true) if open.capture.ts() <= Some(self.until) => {}
            Ok(true) => self.choose(),
            ended => self.end(ended.err()),
        }
    }

    #[cold]
    fn end(&mut self, error: Option<CaptureError>) {
        let OpenCapture { file, path, capture } = self.open.swap_remove(self.current);
        self.note_end(&capture);
        self.problems.extend(error.map(|error| CaptureProblem { path, error }));
        if self.reading.is_stopped() {
            std::mem::take(&mut self.open).iter().for_each(|open| self.note_end(&open.capture));
            self.waiting.clear();
        } else {
            self.ended.push(file);
        }
        self.choose();
    }

    /// The current record; `None` at the end of all captures.
    #[must_use]
    #[inline]
    pub fn record(&self) -> Option<Record<'_>> {
        self.open.get(self.current)?.capture.record()
    }

    /// The capture of the current record, as an index into the paths.
    #[must_use]
    #[inline]
    pub fn file(&self) -> Option<usize> {
        Some(self.open.get(self.current)?.file)
    }

    /// The captures that were read to their end, as indices into the paths, in the order in which they ended. Captures that
    /// were still open when reading was stopped are not included.
    #[must_use]
    pub fn ended(&self) -> &[usize] {
        &self.ended
    }

    /// The program that wrote the capture of the current record, if it is named.
    #[must_use]
    #[inline]
    pub fn application(&self) -> Option<&str> {
        self.open.get(self.current)?.capture.application()
    }

    /// The problems so far.
    #[must_use]
    pub fn problems(&self) -> &[CaptureProblem] {
        &self.problems
    }

    /// The programs that wrote the captures, as far as they are named and the captures were read to their end.
    #[must_use]
    pub fn applications(&self) -> &[String] {
        &self.applications
    }

    /// The number of records without a time, in captures that were read to their end.
    #[must_use]
    pub const fn without_time(&self) -> u64 {
        self.without_time
    }

    /// The number of lost packets that the captures report, as far as they were read to their end.
    #[must_use]
    pub const fn drops(&self) -> &Drops {
        &self.drops
    }
}
