//! Series of counts in, events out: the formats of `cutshort detect` (docs/events.md).

mod read;
mod write;

pub use read::{Reader, SeriesError};
pub use write::{write_json, write_text};
