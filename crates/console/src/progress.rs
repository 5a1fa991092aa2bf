//! How far reading has come, on standard error.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use cutshort_capture::Reading;
use cutshort_model::{grouped, time_left};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How many records pass between two looks at the clock.
const RECORDS: u64 = 1 << 16;
/// What ends sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// How far captures have been read.
pub struct Progress {
    bar: Option<ProgressBar>,
    /// Bytes of all captures, where known.
    total: Option<u64>,
    since: Instant,
    /// At how many records the clock is looked at again.
    next: u64,
    visible: bool,
}

impl Progress {
    /// Of these captures.
    #[must_use]
    pub fn new(files: &[PathBuf]) -> Self {
        let len = |file: &PathBuf| {
            let metadata = file.metadata().ok()?;
            metadata.is_file().then_some(metadata.len())
        };
        let visible = std::io::stderr().is_terminal();
        Self { bar: None, total: files.iter().map(len).sum(), since: Instant::now(), next: RECORDS, visible }
    }

    /// Shows how far reading has come, now and then.
    #[inline]
    pub fn tick(&mut self, records: u64, reading: &Reading) {
        if self.visible && records >= self.next {
            self.next = records + RECORDS;
            self.show(records, reading);
        }
    }

    #[cold]
    fn show(&mut self, records: u64, reading: &Reading) {
        let elapsed = self.since.elapsed();
        if elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| new_bar(self.total));
        bar.set_position(reading.bytes());
        let million = records as f64 / 1e6;
        let left = self.total.map(|total| format!("  {}", time_left(elapsed, reading.bytes(), total)));
        let left = left.unwrap_or_default();
        bar.set_message(format!("{million:.1} M records, {:.1} M/s{left}", million / elapsed.as_secs_f64()));
    }

    /// Shows how many bytes were read, with what was read in words.
    pub fn show_bytes(&mut self, bytes: u64, what: impl FnOnce() -> String) {
        let elapsed = self.since.elapsed();
        if !self.visible || elapsed < PATIENCE {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| new_bar(self.total));
        bar.set_position(bytes);
        let left = self.total.map(|total| format!("  {}", time_left(elapsed, bytes, total)));
        bar.set_message(format!("{}{}", what(), left.unwrap_or_default()));
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How many of several steps are done.
pub struct Steps {
    bar: Option<ProgressBar>,
    what: &'static str,
    since: Instant,
    visible: bool,
}

impl Steps {
    /// Steps that are called that, in the plural.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self { bar: None, what, since: Instant::now(), visible: std::io::stderr().is_terminal() }
    }

    /// Shows it, if this takes long enough for a bar.
    pub fn show(&mut self, done: usize, all: usize) {
        let elapsed = self.since.elapsed();
        if self.visible && elapsed >= PATIENCE {
            let (done, all) = (done as u64, all as u64);
            let bar = self.bar.get_or_insert_with(|| new_bar(Some(all)));
            bar.set_position(done);
            let left = time_left(elapsed, done, all);
            bar.set_message(format!("{} of {} {}  {left}", grouped(done), grouped(all), self.what));
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(total: Option<u64>) -> ProgressBar {
    let template = match total {
        Some(_) => "{wide_bar} {percent:>3} %  {msg}",
        None => "{spinner} {bytes}  {msg}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(5)).with_style(style)
}
