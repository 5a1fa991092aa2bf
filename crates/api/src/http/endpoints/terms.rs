//! The meaning of the terms, for programs that show them.

use cutshort_verdict::{DataSet, Signature, Stage, Tag};
use serde::Serialize;
use utoipa::ToSchema;

use super::of;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Unknown};
use crate::http::reply::{Keep, Reply};
use crate::problem::Problem;
use crate::question::stage_name;

pub(super) const TERMS: Endpoint = Endpoint {
    method: Method::Get,
    path: Path::OfDataSet("/terms"),
    id: "terms",
    title: "What the terms mean",
    about: "Stages, terminations, tags, signatures and exclusions in their order, with what was seen and what is known to cause it. Packets show what was seen, never who did it or why.",
    group: Group::Own,
    parameters: &[],
    access: Access::Read,
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<Terms>(), csv: false },
    good: &[200],
    bad: &[],
    takes: None,
    store: false,
    run,
};

/// The terms of all kinds.
#[derive(Serialize, ToSchema)]
struct Terms {
    stages: Vec<StageTerm>,
    terminations: Vec<NamedTerm>,
    tags: Vec<TagTerm>,
    signatures: Vec<SignatureTerm>,
    exclusions: Vec<NamedTerm>,
}

/// A stage: where a connection is cut short.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StageTerm {
    /// The name in this API.
    name: &'static str,
    /// The name in exported connections and on the command line.
    data_name: &'static str,
    /// The name for people.
    title: &'static str,
    /// What the packets show.
    about: &'static str,
    /// Known causes, innocent ones first.
    causes: &'static [&'static str],
}

/// A name with its meaning.
#[derive(Serialize, ToSchema)]
struct NamedTerm {
    /// The name in data and on the command line.
    name: &'static str,
    /// The name for people.
    title: &'static str,
    /// The meaning of the name.
    about: &'static str,
}

/// A property of a connection.
#[derive(Serialize, ToSchema)]
struct TagTerm {
    /// The name in data and on the command line.
    name: &'static str,
    /// The name for people.
    title: &'static str,
    /// The position of the tag's bit, from 0.
    bit: u8,
    /// The tag that a connection has whenever it has this one.
    parent: Option<&'static str>,
    /// What the packets show.
    about: &'static str,
}

/// A signature: how a connection is cut short at a stage.
#[derive(Serialize, ToSchema)]
struct SignatureTerm {
    /// The number, from 1 to 19; larger ones are of connections without a RST, which only `origin` has.
    id: u8,
    name: &'static str,
    /// The stage at which it is cut short.
    stage: &'static str,
    /// What the packets show.
    about: &'static str,
    /// Known causes, innocent ones first.
    causes: &'static [&'static str],
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    /// The terms only change with a new version.
    const SECONDS: u32 = 3600;
    let set = call.data_set;
    let stage = |stage: &Stage| StageTerm {
        name: stage_name(set, *stage),
        data_name: set.stage_name(*stage),
        title: set.stage_title(*stage),
        about: set.stage_about(*stage),
        causes: set.stage_causes(*stage),
    };
    let terms = Terms {
        stages: set.stages().iter().map(stage).collect(),
        terminations: set
            .terminations()
            .iter()
            .map(|end| NamedTerm { name: end.name(), title: end.title(), about: set.termination_about(*end) })
            .collect(),
        tags: set.tags().iter().map(|one| tag(set, *one)).collect(),
        signatures: set.signatures().iter().map(|one| signature(set, *one)).collect(),
        exclusions: set
            .exclusions()
            .iter()
            .map(|reason| NamedTerm {
                name: reason.name(),
                title: reason.title(),
                about: set.exclusion_about(*reason),
            })
            .collect(),
    };
    Ok(Reply::result(&terms, &call.messages)?.keep(Some(Keep { seconds: SECONDS, modified: None })))
}

fn tag(set: DataSet, tag: Tag) -> TagTerm {
    TagTerm {
        name: tag.name(),
        title: tag.title(),
        bit: tag.number(),
        parent: tag.parent().map(Tag::name),
        about: set.tag_about(tag),
    }
}

fn signature(set: DataSet, signature: Signature) -> SignatureTerm {
    SignatureTerm {
        id: signature.id(),
        name: signature.name(),
        stage: stage_name(set, signature.stage()),
        about: set.signature_about(signature),
        causes: set.signature_causes(signature),
    }
}
