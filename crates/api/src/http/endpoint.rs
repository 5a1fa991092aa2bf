//! Definitions of endpoints, from which routes, documentation and behaviour are derived.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderMap;
use cutshort_model::nanoseconds;
use cutshort_pipeline::GeoState;
use cutshort_store::Store;
use cutshort_verdict::DataSet;
use utoipa::openapi::{RefOr, Schema};

use super::app::App;
use super::reply::{Keep, Reply};
use super::tokens::Scope;
use crate::answer::Facts;
use crate::ask::{Context, Message};
use crate::problem::Problem;
use crate::question::{Parameters, Series};

/// An endpoint: a method and path, with its documentation and behaviour.
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: Path,
    /// An identifier for programs, in the data set `tcp`.
    pub(super) id: &'static str,
    /// A short description.
    pub(super) title: &'static str,
    /// The documentation, in sentences.
    pub(super) about: &'static str,
    pub(super) group: Group,
    pub(super) parameters: &'static [&'static Parameter],
    pub(super) access: Access,
    /// How parameters are handled that it does not have.
    pub(super) unknown: Unknown,
    pub(super) answers: Answers,
    /// The status codes of successful responses.
    pub(super) good: &'static [u16],
    /// The status codes of problems, in addition to those that all endpoints have.
    pub(super) bad: &'static [u16],
    /// The request body, if it takes one.
    pub(super) takes: Option<Takes>,
    /// Whether it reads the store; other endpoints work while the store does not respond.
    pub(super) store: bool,
    pub(super) run: fn(&mut Call<'_>) -> Result<Reply, Problem>,
}

/// Where an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// A path below that of each data set, because it answers questions about one.
    OfDataSet(&'static str),
    /// A path below that of one data set, because it makes no sense for others.
    Of(DataSet, &'static str),
    /// A whole path, of questions about one data set.
    About(DataSet, &'static str),
    /// A whole path.
    Whole(&'static str),
}

/// An endpoint at one of its paths.
pub(super) struct Route {
    pub(super) endpoint: &'static Endpoint,
    /// The data set that is asked about; `tcp` where it does not matter.
    pub(super) data_set: DataSet,
    pub(super) path: String,
    /// An identifier for programs.
    pub(super) id: String,
}

impl Route {
    /// The routes of an endpoint.
    pub(super) fn of(endpoint: &'static Endpoint) -> Vec<Self> {
        let whole = |data_set, path: &str| Self {
            endpoint,
            data_set,
            path: path.to_owned(),
            id: endpoint.id.to_owned(),
        };
        match endpoint.path {
            Path::Whole(path) => vec![whole(DataSet::Tcp, path)],
            Path::About(data_set, path) => vec![whole(data_set, path)],
            Path::Of(data_set, path) => vec![Self::of_data_set(endpoint, data_set, path)],
            Path::OfDataSet(path) => {
                DataSet::WITH_RULES.map(|data_set| Self::of_data_set(endpoint, data_set, path)).into()
            }
        }
    }

    fn of_data_set(endpoint: &'static Endpoint, data_set: DataSet, path: &str) -> Self {
        let id = match data_set {
            DataSet::Tcp => endpoint.id.to_owned(),
            other => format!("{}{}{}", other.name(), endpoint.id[..1].to_uppercase(), &endpoint.id[1..]),
        };
        Self { endpoint, data_set, path: format!("/client/v4/radar/{}{path}", directory(data_set)), id }
    }

    /// The chapter of the documentation.
    pub(super) fn group(&self) -> Group {
        match self.data_set {
            DataSet::Origin => Group::Origin,
            DataSet::Quic => Group::Quic,
            _ => self.endpoint.group,
        }
    }

    /// The documentation, in sentences.
    pub(super) fn about(&self) -> String {
        match self.data_set {
            DataSet::Origin if matches!(self.endpoint.path, Path::OfDataSet(_)) => {
                format!("{} {OF_SERVERS}", self.endpoint.about)
            }
            DataSet::Quic if matches!(self.endpoint.path, Path::OfDataSet(_)) => {
                format!("{} {OF_QUIC}", self.endpoint.about)
            }
            _ => self.endpoint.about.to_owned(),
        }
    }
}

const OF_SERVERS: &str = "The same of connections that this side opens to other servers: places, networks and ports are those of the servers.";

const OF_QUIC: &str = "The same of QUIC connections of clients: stages, tags and signatures are those of the data set 'quic', and 'completed' and 'answered' both mean that the client got an answer.";

/// The part of the path that names a data set; that of `tcp` is Radar's.
pub(super) const fn directory(data_set: DataSet) -> &'static str {
    match data_set {
        DataSet::Origin => "origin_resets_timeouts",
        DataSet::Quic => "quic_closes_timeouts",
        _ => "tcp_resets_timeouts",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

/// Chapters of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Radar,
    Own,
    Origin,
    Quic,
    Events,
    Entities,
    Annotations,
    Ingest,
    Operation,
}

impl Group {
    pub(super) const ALL: [Self; 9] = [
        Self::Radar,
        Self::Own,
        Self::Origin,
        Self::Quic,
        Self::Events,
        Self::Entities,
        Self::Annotations,
        Self::Ingest,
        Self::Operation,
    ];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Radar => "Radar",
            Self::Own => "Beyond Radar",
            Self::Origin => "To other servers",
            Self::Quic => "QUIC",
            Self::Events => "Events",
            Self::Entities => "Entities",
            Self::Annotations => "Annotations",
            Self::Ingest => "Ingest",
            Self::Operation => "Operation",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Radar => {
                "TCP resets and timeouts as Cloudflare Radar's API has them: clients made for it work here."
            }
            Self::Own => "What Radar does not have: counts, tags, signatures, rankings, single connections.",
            Self::Origin => {
                "The same questions about connections that this side opens to other servers (data set 'origin'), such as those of a proxy to its upstreams. Answers are 404 until packets of such connections have been imported."
            }
            Self::Quic => {
                "The same questions about QUIC connections of clients (data set 'quic'). A server that does not answer lets its clients time out in post_initial, and nothing is called cut short after its second 1-RTT datagram. Answers are 404 until datagrams have been imported."
            }
            Self::Events => {
                "What changed where, and when. How events are found, and how often they are false: docs/events.md."
            }
            Self::Entities => "Countries and networks.",
            Self::Annotations => "What the operator has noted about a time.",
            Self::Ingest => "Packets coming in.",
            Self::Operation => "How this server is.",
        }
    }
}

/// The access that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// None, and there is no rate limit.
    Open,
    /// None, or a token for reading if the server is configured so.
    Read,
    /// A token with this scope.
    Token(Scope),
}

/// How parameters are handled that an endpoint does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// They are ignored with a message, because clients of Radar may send parameters of other data sets. Parameters
    /// of our own endpoints are refused: the answer would not be the one that was meant.
    Ignored,
    Refused,
}

/// The format of responses.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    /// In Radar's envelope, and as CSV if possible.
    Result { schema: SchemaOf, csv: bool },
    /// In Radar's envelope, as CSV, and as Parquet.
    Records(SchemaOf),
    /// JSON without an envelope.
    Json(SchemaOf),
    /// Text of one of these media types.
    Text(&'static [&'static str]),
}

/// Schemas that are referred to by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;
/// Returns a schema, and adds those that it refers to.
pub(super) type SchemaOf = fn(&mut Schemas, DataSet) -> RefOr<Schema>;

/// The body of a request.
pub(super) struct Takes {
    pub(super) kind: &'static str,
    pub(super) schema: Option<SchemaOf>,
    pub(super) most: fn(&App) -> usize,
}

/// A parameter of an endpoint.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) place: ParameterPlace,
    pub(super) kind: ParameterKind,
    pub(super) example: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterPlace {
    /// In the query string, once per series.
    Series,
    /// In the query string, once.
    Query,
    /// In the query string, required.
    Needed,
    Path,
    Header,
}

#[derive(Clone, Debug)]
pub(super) enum ParameterKind {
    Text,
    /// Text that matches this regular expression (ECMA 262).
    Pattern(fn() -> String),
    /// A comma-separated list of these values, which may depend on the data set; `-` in front of a value excludes it.
    List(fn(DataSet) -> Vec<&'static str>),
    Choice(&'static [&'static str]),
    Number {
        bounds: RangeInclusive<usize>,
        default: Option<usize>,
    },
    Flag,
    Time,
}

impl Parameter {
    /// An example with the terms of a data set.
    pub(super) fn example_in(&self, data_set: DataSet) -> &'static str {
        match (data_set, self.name) {
            (DataSet::Quic, "tag") => "-initial_repeated",
            (DataSet::Quic, "signature") => "101,112",
            (DataSet::Quic, "stage") if self.example != "anomaly" => "post_answer,post_handshake",
            (DataSet::Quic, "termination") => "close",
            _ => self.example,
        }
    }
}

/// A request that is being answered.
pub(super) struct Call<'a> {
    pub(super) app: &'a Arc<App>,
    /// The data set that is asked about.
    pub(super) data_set: DataSet,
    pub(super) parameters: Parameters,
    pub(super) path: HashMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The geo data that was current when the request arrived.
    pub(super) geo: GeoState,
    /// The time of the request in nanoseconds since the Unix epoch.
    pub(super) now: i64,
    pub(super) messages: Vec<Message>,
    /// The only node whose segments the caller may send; none if it may send those of all nodes.
    pub(super) sender: Option<String>,
}

impl Call<'_> {
    /// The store of the data set.
    ///
    /// # Errors
    /// A [`Problem`] if no packets of it have come in.
    pub(super) fn store(&self) -> Result<&dyn Store, Problem> {
        self.app.store_of(self.data_set)
    }

    pub(super) fn facts(&self) -> Result<Arc<Facts>, Problem> {
        self.app.facts(self.data_set).map(|(facts, _)| facts)
    }

    /// The context for answering a question.
    pub(super) fn context<'b>(&'b self, facts: &'b Facts) -> Result<Context<'b>, Problem> {
        Ok(Context {
            store: self.store()?,
            facts,
            geo: &self.geo.data,
            now: self.now,
            cost: self.app.options.cost,
        })
    }

    /// A parameter in the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// How long a response about these series may be cached: not at all if results are still missing.
    pub(super) fn keep(&self, facts: &Facts, series: &[Series]) -> Option<Keep> {
        /// Windows may be computed again when a late segment arrives.
        const SECONDS: u32 = 60;
        let closed = series.iter().all(|series| facts.is_closed(&series.range, self.now));
        let read_again = (self.geo.generation > 0).then(|| nanoseconds(self.geo.read));
        closed.then_some(Keep { seconds: SECONDS, modified: facts.status.updated.max(read_again) })
    }
}
