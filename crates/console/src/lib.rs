//! What the commands of a program have in common: standard output and error, progress bars, output files and signals.

mod output;
mod progress;
#[cfg(unix)]
mod signals;
#[cfg(not(unix))]
#[path = "signals_elsewhere.rs"]
mod signals;
mod terminal;

pub use output::{Output, WriteError};
pub use progress::{Progress, Steps};
pub use signals::{Asked, Signals, SignalsError, interrupt};
pub use terminal::{DEFAULT_WIDTH, is_terminal, message, print, width, widths, without_colours};
