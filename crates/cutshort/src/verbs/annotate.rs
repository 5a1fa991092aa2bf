//! `cutshort annotate`: what is to be known about a time.

use std::io::Write;

use clap::{Args, ColorChoice, Subcommand, ValueEnum};
use cutshort_detect::EventId;
use cutshort_geo::Country;
use cutshort_pipeline::stores;
use cutshort_settings::values::{asn, count, country, moment};
use cutshort_store::{AnnotationKind, Decision, NewAnnotation, Review};
use cutshort_verdict::DataSet;
use jiff::Timestamp;

use crate::error::{Done, Error};
use crate::options::{Data, one_data_set};
use crate::terminal::{self, message};

/// Add notes about a time, such as outages or changes, and decide about events
///
/// Notes appear with results of their time: with all of them, or with those of the countries,
/// networks and data set that they name. Events that were found (docs/events.md) are confirmed or dismissed by their ID. A server
/// running on the store shows both at once.
#[derive(Subcommand)]
pub(crate) enum Annotate {
    /// Add a note
    Add(Box<Add>),
    /// List notes
    List(List),
    /// Remove a note
    Remove(Remove),
    /// Confirm an event
    Confirm(Decide),
    /// Dismiss an event: it is still listed, as dismissed
    Dismiss(Decide),
    /// Take back that an event was confirmed or dismissed
    Withdraw(Withdraw),
}

#[derive(Args)]
pub(crate) struct Add {
    /// Text of the note
    text: String,
    #[command(flatten)]
    data: Data,
    /// Start: 2026-01-05T10:00:00Z, 2026-01-05, -7d
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    from: Timestamp,
    /// End; without it, the event is ongoing
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    to: Option<Timestamp>,
    /// The event has no duration
    #[arg(long, conflicts_with = "to")]
    instant: bool,
    /// Kind of note; 'outage' is published as an outage by the API
    #[arg(long, value_enum, default_value_t = Kind::General)]
    kind: Kind,
    /// Affected data set: tcp, origin or quic; without it, all
    #[arg(long, value_name = "DATASET", value_parser = one_data_set)]
    dataset: Option<DataSet>,
    /// Affected country (two letters); repeat or separate with commas
    #[arg(long, value_name = "COUNTRY", value_delimiter = ',', value_parser = country)]
    location: Vec<Country>,
    /// Affected network; repeat or separate with commas
    #[arg(long, value_name = "NUMBER", value_delimiter = ',', value_parser = asn)]
    asn: Vec<u32>,
    /// Affected part of a place, in words
    #[arg(long, value_name = "TEXT")]
    scope: Option<String>,
    /// Link to more information
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Cause of an outage, such as CABLE_CUT
    #[arg(long, value_name = "NAME", requires = "outage_type")]
    outage_cause: Option<String>,
    /// Type of an outage, such as NATIONWIDE
    #[arg(long, value_name = "NAME", requires = "outage_cause")]
    outage_type: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A remark or an event
    #[value(alias = "event")]
    General,
    /// An outage
    Outage,
    /// Data of this time is incomplete
    PartialProjection,
    /// The measurement had a fault
    Pipeline,
    /// An unusual change
    TrafficAnomaly,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only notes that affect this data set
    #[arg(long, value_name = "DATASET", value_parser = one_data_set)]
    dataset: Option<DataSet>,
    #[command(flatten)]
    data: Data,
}

#[derive(Args)]
pub(crate) struct Remove {
    /// The number of the note, as 'list' shows it
    #[arg(value_parser = count::<u64>)]
    id: u64,
    #[command(flatten)]
    data: Data,
}

#[derive(Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    event: OneEvent,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    event: OneEvent,
}

#[derive(Args)]
struct OneEvent {
    /// The ID of the event, as 'cutshort query events' shows it
    #[arg(value_parser = event_id)]
    id: EventId,
    #[command(flatten)]
    data: Data,
}

fn event_id(text: &str) -> Result<EventId, String> {
    EventId::from_hex(text).ok_or_else(|| "write the 16 hexadecimal digits of an event's ID".to_owned())
}

impl From<Kind> for AnnotationKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::General => Self::General,
            Kind::Outage => Self::Outage,
            Kind::PartialProjection => Self::PartialProjection,
            Kind::Pipeline => Self::Pipeline,
            Kind::TrafficAnomaly => Self::TrafficAnomaly,
        }
    }
}

pub(crate) fn run(annotate: &Annotate, color: ColorChoice) -> Result<Done, Error> {
    match annotate {
        Annotate::Add(arguments) => add(arguments, color),
        Annotate::List(arguments) => list(arguments, color),
        Annotate::Remove(arguments) => remove(arguments),
        Annotate::Confirm(arguments) => decide(arguments, Decision::Confirmed),
        Annotate::Dismiss(arguments) => decide(arguments, Decision::Dismissed),
        Annotate::Withdraw(arguments) => review(&arguments.event, None),
    }
}

fn add(arguments: &Add, color: ColorChoice) -> Result<Done, Error> {
    let nanoseconds = |time: Timestamp| {
        let time = i64::try_from(time.as_nanosecond());
        time.map_err(|_| Error::Usage("--from and --to must be within the years 1678 to 2261".to_owned()))
    };
    let start = nanoseconds(arguments.from)?;
    let end = if arguments.instant { Some(start) } else { arguments.to.map(nanoseconds).transpose()? };
    let annotation = NewAnnotation {
        data_set: arguments.dataset,
        kind: arguments.kind.into(),
        start,
        end,
        description: arguments.text.clone(),
        linked_url: arguments.url.clone(),
        scope: arguments.scope.clone(),
        locations: arguments.location.clone(),
        asns: arguments.asn.clone(),
        outage: arguments.outage_cause.clone().zip(arguments.outage_type.clone()),
    };
    annotation.check().map_err(|error| Error::Usage(error.to_string()))?;
    let kept = arguments.data.open_reader()?.annotate(&annotation)?;
    terminal::print(color, |text| Ok(writeln!(text, "{}", kept.id)?))?;
    Ok(Done::Whole)
}

fn list(arguments: &List, color: ColorChoice) -> Result<Done, Error> {
    let mut found = arguments.data.open_reader()?.annotations(i64::MIN..i64::MAX)?;
    found.retain(|note| arguments.dataset.is_none_or(|wanted| note.content.concerns(wanted)));
    if found.is_empty() {
        message(&"there are no notes; add one with 'cutshort annotate add'");
        return Ok(Done::Whole);
    }
    let table = cutshort_report::annotations(&found);
    terminal::print(color, |text| Ok(table.write(terminal::widths().tables, text)?))?;
    Ok(Done::Whole)
}

fn remove(arguments: &Remove) -> Result<Done, Error> {
    if arguments.data.open_reader()?.remove_annotation(arguments.id)? {
        return Ok(Done::Whole);
    }
    Err(Error::Failed(format!("no note {}; see 'cutshort annotate list'", arguments.id)))
}

fn decide(arguments: &Decide, decision: Decision) -> Result<Done, Error> {
    let decided = Review::new(decision, arguments.note.as_deref(), cutshort_model::now());
    review(&arguments.event, Some(&decided.map_err(|why| Error::Usage(format!("--{why}")))?))
}

/// Stores what was decided, in the data set that has the event.
fn review(event: &OneEvent, review: Option<&Review>) -> Result<Done, Error> {
    let store = event.data.open_reader()?;
    for store in stores(store.as_ref())? {
        let Some(events) = store.events() else { continue };
        if events.review(event.id, review)? {
            return Ok(Done::Whole);
        }
    }
    Err(Error::Failed(format!("no event {}; see 'cutshort query events'", event.id)))
}
