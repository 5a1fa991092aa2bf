//! Packets that this process receives itself.

use std::sync::{Arc, Mutex, PoisonError};

use cutshort_pipeline::IngestAnswer;
use cutshort_pipeline::live::{AgentCounts, Collector, Delivered};

use super::App;

/// Delivers to the store of this process, as agents deliver over HTTP.
pub struct LocalCollector {
    /// The server that takes the segments.
    pub app: Arc<App>,
    /// What the receiver counts.
    pub counts: Arc<Mutex<AgentCounts>>,
}

impl Collector for LocalCollector {
    fn deliver(&mut self, _: &str, segment: Vec<u8>) -> Delivered {
        match self.app.take(None, segment) {
            IngestAnswer::New(info) | IngestAnswer::Known(info) => {
                self.app.note_agent(&info, *self.counts.lock().unwrap_or_else(PoisonError::into_inner));
                Delivered::Kept
            }
            IngestAnswer::Refused(why) | IngestAnswer::Forbidden(why) => Delivered::Refused(why),
            IngestAnswer::Full(why) | IngestAnswer::Later(why) | IngestAnswer::Failed(why) => {
                Delivered::Later(why)
            }
        }
    }
}
