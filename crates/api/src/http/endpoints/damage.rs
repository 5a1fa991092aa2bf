//! Descriptions of the effects of damaged files.

use cutshort_model::{Window, quantity};
use cutshort_store::{Impaired, Impairment, Status};
use cutshort_verdict::DataSet;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ask::Message;
use crate::question::iso;

/// A window that is affected by damaged files.
#[derive(Serialize, ToSchema)]
pub(super) struct ImpairedWindow {
    /// The start of the window.
    #[schema(format = DateTime)]
    window: String,
    /// How it is affected: `kept`, `incomplete`, `without_connections` or `without_counts`.
    how: &'static str,
    /// What this means and what to do.
    about: &'static str,
}

impl From<&Impaired> for ImpairedWindow {
    fn from(impaired: &Impaired) -> Self {
        let Impaired { window, how } = impaired;
        Self { window: iso(window.start()), how: how.name(), about: how.about() }
    }
}

/// The number of windows that are affected in each way.
pub(super) fn counts(status: &Status) -> impl Iterator<Item = (Impairment, u64)> {
    let count = |how| status.impaired.iter().filter(|impaired| impaired.how == how).count() as u64;
    Impairment::ALL.into_iter().map(move |how| (how, count(how)))
}

/// Names a data set behind what belongs to it; that of `tcp` needs no name.
pub(super) fn of(data_set: DataSet) -> String {
    if data_set == DataSet::Tcp { String::new() } else { format!(" of the data set {data_set}") }
}

/// One sentence for each way in which windows of a data set are affected, for readiness and hints.
pub(super) fn sentences(data_set: DataSet, status: &Status) -> impl Iterator<Item = String> {
    let concerned = counts(status).filter(|(_, count)| *count > 0);
    concerned.map(move |(how, count)| {
        format!("{}{} affected: {}", quantity(count, "window"), of(data_set), how.about())
    })
}

/// The message that connections are missing in an answer.
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
