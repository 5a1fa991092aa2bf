//! `cutshort query`: the questions of the API on the command line.

mod events;

use std::io::Write;
use std::ops::Range;

use clap::{Args, ColorChoice, ValueEnum};
use cutshort_api::Problem;
use cutshort_api::answer::{By, Facts, Who};
use cutshort_api::ask::{self, Context, SharesQuery};
use cutshort_api::question::{Parameters, latest_results, stage_name};
use cutshort_api::text as tables;
use cutshort_model::{Dimension, nanoseconds, rfc3339};
use cutshort_settings::values::count;
use cutshort_verdict::{DataSet, Stage};
use jiff::Timestamp;

use crate::error::{Done, Error};
use crate::options::{Data, DataSetOption, GeoFiles, RecentRange};
use crate::terminal::{self, message};

/// Query a store: the API's answers on the command line
///
/// Shows shares of connections by stage or another dimension, as one number or over time, or ranks
/// networks, servers and others by how many of their connections are cut short, of those that completed the
/// handshake: source addresses of others may be spoofed. Lists events (docs/events.md), which can be selected
/// by --location, --asn, --node and --server only. Lists are separated by commas; '-' in front
/// of a value excludes it.
#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Query {
    /// What to show
    #[arg(value_enum)]
    what: What,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    data_set: DataSetOption,
    #[command(flatten)]
    time: RecentRange,
    #[command(flatten)]
    filters: Filters,
    /// Dimension to group by [default: stage; 'top': as]
    #[arg(long, value_name = "DIMENSION", value_parser = By::from_name)]
    by: Option<By>,
    /// Time series: bucket length [default: depends on the range]
    #[arg(long, value_name = "LENGTH", value_parser = ["15m", "1h", "1d", "1w"])]
    every: Option<String>,
    /// How many values to show by name or in the ranking; the rest is 'other' [default: as the API]
    #[arg(long, value_name = "COUNT", value_parser = count::<u32>)]
    limit: Option<u32>,
    /// Top: minimum number of sampled connections
    #[arg(long, value_name = "COUNT", value_parser = count::<u32>)]
    min_sample: Option<u32>,
    /// Events: only these channels: traffic, post_syn, post_ack, post_psh, later, observer
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    channel: Option<String>,
    /// Events: only those in these states: open, closed, usual, retracted
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    state: Option<String>,
    /// Events: only those of these servers to which connections are opened: names (setting 'upstreams'), or address and port
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    server: Option<String>,
    /// Events: only those that raised an alarm
    #[arg(long)]
    alarms: bool,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    geo: GeoFiles,
}

const EXAMPLES: &str =
    "Dimensions: stage, tag, signature, termination, ip_version, location, as, port, node, exclusion.
'top' ranks by as, location, node, port, ip_version or signature.

Examples:
  cutshort query summary --data store
  cutshort query summary --data store --from -1d --by signature --location US,PT
  cutshort query timeseries --data store --from 2026-01-05 --to 2026-01-12 --every 1d --format csv
  cutshort query top --data store --from -1d --by node
  cutshort query summary --data store --origin --by termination
  cutshort query top --data store --from -1d --stage post_ack
  cutshort query top --data store --from -1d --handshake all
  cutshort query events --data store --from -30d --location IQ --state -retracted
  cutshort query events --data store --origin --server api
  cutshort query watched --data store --location IQ";

/// The filters of a query.
#[derive(Args)]
struct Filters {
    /// Countries of clients, such as US,PT or -US
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    location: Option<String>,
    /// Networks of clients, such as 174,3356
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    asn: Option<String>,
    /// Continents of clients, such as EU,AS
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    continent: Option<String>,
    /// Tags, such as reset,-zmap
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    tag: Option<String>,
    /// Signatures by number or name
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    signature: Option<String>,
    /// Stages; 'top' ranks by the share of connections at these
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    stage: Option<String>,
    /// Whether the client acknowledged anything beyond the handshake
    #[arg(long, value_name = "true|false")]
    answered: Option<bool>,
    /// Whether the SYN is that of a known scanner (ZMap, masscan, Mirai); false leaves them out
    #[arg(long, value_name = "true|false")]
    scanner: Option<bool>,
    /// IPv4 or IPv6
    #[arg(long, value_name = "VERSION")]
    ip_version: Option<String>,
    /// Ports of servers
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    port: Option<String>,
    /// Servers; imported captures have the name 'file'
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    node: Option<String>,
    /// All connections, or those that completed the handshake [default: all; 'top': completed]
    #[arg(long, value_name = "WHICH", value_parser = ["all", "completed"])]
    handshake: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// One share per value
    Summary,
    /// Shares over time
    Timeseries,
    /// Ranking of networks, countries, servers, ports, IP versions or signatures
    Top,
    /// What began, and perhaps ended: fewer connections, or more of them cut short
    Events,
    /// Which places are watched, and how soon an event there would be noticed
    Watched,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// The API's answer
    Json,
    /// The API's answer as comma-separated values
    Csv,
}

impl Filters {
    fn parameters(&self) -> impl Iterator<Item = (&'static str, String)> {
        let texts = [
            ("location", &self.location),
            ("asn", &self.asn),
            ("continent", &self.continent),
            ("tag", &self.tag),
            ("signature", &self.signature),
            ("stage", &self.stage),
            ("ipVersion", &self.ip_version),
            ("port", &self.port),
            ("node", &self.node),
            ("handshake", &self.handshake),
        ];
        let flags = [("answered", self.answered), ("scanner", self.scanner)];
        let flags = flags.into_iter().filter_map(|(key, flag)| Some((key, flag?.to_string())));
        texts.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).chain(flags)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem.status {
            400 | 422 => Self::Usage(problem.message),
            _ => Self::Failed(problem.message),
        }
    }
}

pub(crate) fn run(arguments: &Query, color: ColorChoice) -> Result<Done, Error> {
    let now = Timestamp::now();
    let range = arguments.time.windows(now)?;
    let geo = arguments.geo.open_for(&arguments.data)?;
    let store = arguments.data.open_reader()?;
    let now = nanoseconds(now.into());
    let store = arguments.data_set.find(store.as_ref())?;
    match arguments.what {
        What::Events => return events::list(arguments, store, &geo, (range, now), color),
        What::Watched => return events::watched(arguments, store, &geo, now, color),
        _ => {}
    }
    let facts = Facts::read(store, now)?;
    let mut parameters = parameters(arguments, &with_results(range, &arguments.time, &facts));
    if ranks_completed(arguments, store.data_set()) {
        parameters = parameters.with("handshake", ["completed"].into_iter());
    }
    // Whoever asks here waits for no one else.
    let context = Context { store, facts: &facts, geo: &geo, now, cost: u64::MAX };
    match arguments.what {
        What::Top => top(arguments, &context, &parameters, color),
        what => shares(arguments, &context, &parameters, what == What::Timeseries, color),
    }
}

/// The range, or if none is given and there are no results in it, the last days with results.
fn with_results(range: Range<i64>, asked: &RecentRange, facts: &Facts) -> Range<i64> {
    let latest = latest_results(&range, facts.status.window_range).filter(|_| asked.is_default());
    let Some(latest) = latest else { return range };
    message(&format!(
        "no results from the last 7 days; these are from the store's last 7 days, up to {}",
        rfc3339(latest.end)
    ));
    latest
}

fn parameters(arguments: &Query, range: &Range<i64>) -> Parameters {
    let key = if arguments.what == What::Top { "limit" } else { "limitPerGroup" };
    let limit = arguments.limit.map(|limit| (key, limit.to_string()));
    let times = [("dateStart", rfc3339(range.start)), ("dateEnd", rfc3339(range.end))];
    let every = arguments.every.clone().map(|every| ("aggInterval", every));
    let least = arguments.min_sample.map(|least| ("minSample", least.to_string()));
    times.into_iter().chain(limit).chain(every).chain(least).chain(arguments.filters.parameters()).collect()
}

fn shares(
    arguments: &Query,
    context: &Context<'_>,
    parameters: &Parameters,
    in_time: bool,
    color: ColorChoice,
) -> Result<Done, Error> {
    let by = arguments.by.unwrap_or(By::Stage);
    let (answer, _) = ask::shares(context, parameters, SharesQuery { by, in_time, own: true })?;
    terminal::print(color, |text| {
        match arguments.format {
            Format::Json => write_json(&ask::json(&answer)?, text),
            Format::Csv => text.write_all(answer.csv().as_bytes()),
            Format::Table => tables::shares(&answer, terminal::widths(), text),
        }?;
        Ok(())
    })?;
    Ok(Done::Whole)
}

fn top(
    arguments: &Query,
    context: &Context<'_>,
    parameters: &Parameters,
    color: ColorChoice,
) -> Result<Done, Error> {
    let who = arguments.by.map_or(Ok(Who::Ases), |by| Who::from_name(by.name()));
    let who = who.map_err(|why| Error::Usage(format!("--by: {why}")))?;
    let (top, _) = ask::ranking(context, parameters, who)?;
    let completed = parameters.at("handshake", 0) == Some("completed");
    let silent = if completed && who == Who::Ases && arguments.filters.handshake.is_none() {
        Some(ask::rarely_completed(context, parameters)?)
    } else {
        None
    };
    terminal::print(color, |text| {
        match arguments.format {
            Format::Json => write_json(&ask::json(&top)?, text),
            Format::Csv => text.write_all(top.csv().as_bytes()),
            Format::Table => {
                tables::ranking(&top, who, completed, terminal::widths(), &mut *text)?;
                silent
                    .iter()
                    .try_for_each(|top| tables::rarely_completed(top, terminal::widths(), &mut *text))
            }
        }?;
        Ok(())
    })?;
    Ok(Done::Whole)
}

/// Whether a ranking counts completed handshakes only, unless an option says otherwise: source addresses of other connections may
/// be spoofed, and scanners would come first. This host's own connections have neither.
fn ranks_completed(arguments: &Query, data_set: DataSet) -> bool {
    let first = stage_name(data_set, Stage::PostSyn);
    let is_of_first = |stages: &String| stages.to_ascii_lowercase().contains(first);
    let Filters { handshake, stage, .. } = &arguments.filters;
    arguments.what == What::Top
        && arguments.by.is_none_or(|by| by != By::Dimension(Dimension::Signature))
        && data_set != DataSet::Origin
        && handshake.is_none()
        && !stage.as_ref().is_some_and(is_of_first)
}

fn write_json(json: &[u8], text: &mut Vec<u8>) -> std::io::Result<()> {
    text.write_all(json)?;
    text.write_all(b"\n")
}
