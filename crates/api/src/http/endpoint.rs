//! Definitions of endpoints, from which routes, documentation and behaviour are derived.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::HeaderMap;
use cutshort_model::nanoseconds;
use cutshort_pipeline::GeoState;
use cutshort_store::Store;
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
    pub(super) path: &'static str,
    /// An identifier for programs.
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
    Entities,
    Annotations,
    Ingest,
    Operation,
}

impl Group {
    pub(super) const ALL: [Self; 6] =
        [Self::Radar, Self::Own, Self::Entities, Self::Annotations, Self::Ingest, Self::Operation];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Radar => "Radar",
            Self::Own => "Beyond Radar",
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
    /// JSON without an envelope.
    Json(SchemaOf),
    /// Text of one of these media types.
    Text(&'static [&'static str]),
}

/// Schemas that are referred to by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;
/// Returns a schema, and adds those that it refers to.
pub(super) type SchemaOf = fn(&mut Schemas) -> RefOr<Schema>;

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
    /// A comma-separated list of these values; `-` in front of a value excludes it.
    List(fn() -> Vec<&'static str>),
    Choice(&'static [&'static str]),
    Number {
        bounds: RangeInclusive<usize>,
        default: Option<usize>,
    },
    Flag,
    Time,
}

/// A request that is being answered.
pub(super) struct Call<'a> {
    pub(super) app: &'a Arc<App>,
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
    pub(super) fn store(&self) -> &dyn Store {
        self.app.store.as_ref()
    }

    pub(super) fn facts(&self) -> Result<Arc<Facts>, Problem> {
        self.app.facts().map(|(facts, _)| facts)
    }

    /// The context for answering a question.
    pub(super) fn context<'b>(&'b self, facts: &'b Facts) -> Context<'b> {
        Context {
            store: self.store(),
            facts,
            geo: &self.geo.data,
            now: self.now,
            cost: self.app.options.cost,
        }
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
