//! What sends to a receiver.

use std::time::Duration;

use crate::message::Message;

/// Why a receiver did not accept something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It may accept it later.
    Later(String),
    /// It will never accept it.
    Refused(String),
}

impl Failure {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Later(text) | Self::Refused(text) => text,
        }
    }
}

/// Sends to one receiver. Texts of failures name no secrets.
pub(crate) trait Sender: Send {
    /// Sends messages together. An error means that none is known to have arrived.
    fn send(&mut self, messages: &[Message]) -> Result<(), Failure>;

    /// How many messages may be sent together.
    fn most(&self) -> usize {
        1
    }

    /// The shortest time between two deliveries.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// How often a receiver must be told again of events that are open; none if it remembers.
    fn repeat(&self) -> Option<Duration> {
        None
    }
}
