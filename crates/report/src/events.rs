//! Events for people and programs, and the formats of `cutshort detect`: series of counts in, events out (docs/events.md).

mod read;
mod watched;
mod words;
mod write;

pub use read::{Reader, SeriesError};
pub use watched::{status_name, write_watched, write_watched_json};
pub use words::{country, place_name, sentence, stage_title};
pub use write::{write_json, write_text, write_text_with};
