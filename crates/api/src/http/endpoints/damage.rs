//! What damaged files mean, in words and numbers.

use cutshort_model::{Window, quantity};
use cutshort_store::{Impaired, Impairment, Status};
use serde::Serialize;
use utoipa::ToSchema;

use crate::ask::Message;
use crate::question::iso;

/// A window that is concerned by damaged files.
#[derive(Serialize, ToSchema)]
pub(super) struct ImpairedWindow {
    /// When it begins.
    #[schema(format = DateTime)]
    window: String,
    /// In which way: `kept`, `incomplete`, `without_connections` or `without_counts`.
    how: &'static str,
    /// What that means, and what to do.
    about: &'static str,
}

impl From<&Impaired> for ImpairedWindow {
    fn from(impaired: &Impaired) -> Self {
        let Impaired { window, how } = impaired;
        Self { window: iso(window.start()), how: how.name(), about: how.about() }
    }
}

/// How many windows are concerned in which way.
pub(super) fn counts(status: &Status) -> impl Iterator<Item = (Impairment, u64)> {
    let count = |how| status.impaired.iter().filter(|impaired| impaired.how == how).count() as u64;
    Impairment::ALL.into_iter().map(move |how| (how, count(how)))
}

/// For readiness and hints: one sentence for each way.
pub(super) fn sentences(status: &Status) -> impl Iterator<Item = String> {
    let concerned = counts(status).filter(|(_, count)| *count > 0);
    concerned.map(|(how, count)| format!("{} affected: {}", quantity(count, "window"), how.about()))
}

/// That connections are missing in an answer.
pub(super) fn missing(windows: &[Window]) -> Option<Message> {
    let names: Vec<String> = windows.iter().map(|window| iso(window.start())).collect();
    (!names.is_empty()).then(|| Message {
        code: 1002,
        message: format!(
            "connections are missing, as their files are damaged, of the windows {}: see /client/v4/radar/status",
            names.join(", ")
        ),
    })
}
