//! What endpoints are: routes, documentation and behaviour come from the same tables.

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

/// One thing that can be asked for or done.
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// A name for programs.
    pub(super) id: &'static str,
    /// What it is in some words.
    pub(super) title: &'static str,
    /// What is to be known, in sentences.
    pub(super) about: &'static str,
    pub(super) group: Group,
    pub(super) parameters: &'static [&'static Parameter],
    pub(super) access: Access,
    /// What is done about parameters that it does not have.
    pub(super) unknown: Unknown,
    pub(super) answers: Answers,
    /// The statuses of answers.
    pub(super) good: &'static [u16],
    /// The statuses of problems, besides those that all have.
    pub(super) bad: &'static [u16],
    /// The longest body, and what it is.
    pub(super) takes: Option<Takes>,
    /// Whether the answer is made of what the store has; others are given while it does not answer.
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

/// Who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everybody, always, as often as they like.
    Open,
    /// Everybody, or those with a token for reading.
    Read,
    /// Those with a token for it.
    Token(Scope),
}

/// What is done about parameters that an endpoint does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// They are ignored, which is said, as clients of Radar may send what other data sets have. Those that
    /// our own endpoints have are refused: the answer would be another than was meant.
    Ignored,
    Refused,
}

/// What an answer looks like.
#[derive(Clone, Copy)]
pub(super) enum Answers {
    /// In Radar's envelope, and as CSV if it can.
    Result { schema: SchemaOf, csv: bool },
    /// JSON as it is.
    Json(SchemaOf),
    /// Text of one of these media types.
    Text(&'static [&'static str]),
}

/// The schemas that others refer to by name.
pub(super) type Schemas = Vec<(String, RefOr<Schema>)>;
/// Gives a schema, and adds those that it refers to.
pub(super) type SchemaOf = fn(&mut Schemas) -> RefOr<Schema>;

/// A body.
pub(super) struct Takes {
    pub(super) kind: &'static str,
    pub(super) schema: Option<SchemaOf>,
    pub(super) most: fn(&App) -> usize,
}

/// A parameter of an address.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) place: ParameterPlace,
    pub(super) kind: ParameterKind,
    pub(super) example: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterPlace {
    /// Behind the `?`, one for each series.
    Series,
    /// Behind the `?`, once.
    Query,
    /// Behind the `?`, and it must be there.
    Needed,
    Path,
    Header,
}

#[derive(Clone, Debug)]
pub(super) enum ParameterKind {
    Text,
    /// A regular expression (ECMA 262) that says what is taken.
    Pattern(fn() -> String),
    /// A comma list of these, in which `-` in front leaves out.
    List(fn() -> Vec<&'static str>),
    Choice(&'static [&'static str]),
    Number {
        bounds: RangeInclusive<usize>,
        default: Option<usize>,
    },
    Flag,
    Time,
}

/// One request.
pub(super) struct Call<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) parameters: Parameters,
    pub(super) path: HashMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Geo data as it was when the request came.
    pub(super) geo: GeoState,
    /// Now, in nanoseconds since the Unix epoch.
    pub(super) now: i64,
    pub(super) messages: Vec<Message>,
    /// The only node whose segments the caller may send; none if it may send those of all.
    pub(super) sender: Option<String>,
}

impl Call<'_> {
    pub(super) fn store(&self) -> &dyn Store {
        self.app.store.as_ref()
    }

    pub(super) fn facts(&self) -> Result<Arc<Facts>, Problem> {
        self.app.facts().map(|(facts, _)| facts)
    }

    /// What a question is asked of.
    pub(super) fn context<'b>(&'b self, facts: &'b Facts) -> Context<'b> {
        Context {
            store: self.store(),
            facts,
            geo: &self.geo.data,
            now: self.now,
            cost: self.app.options.cost,
        }
    }

    /// A part of the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// How long an answer about these series may be kept: not at all if there is more to come.
    pub(super) fn keep(&self, facts: &Facts, series: &[Series]) -> Option<Keep> {
        /// Windows that are done may be done again, when a late segment arrives.
        const SECONDS: u32 = 60;
        let closed = series.iter().all(|series| facts.is_closed(&series.range, self.now));
        let read_again = (self.geo.generation > 0).then(|| nanoseconds(self.geo.read));
        closed.then_some(Keep { seconds: SECONDS, modified: facts.status.updated.max(read_again) })
    }
}
