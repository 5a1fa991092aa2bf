//! Receives segments of packets.

use cutshort_pipeline::IngestAnswer;
use cutshort_pipeline::live::AgentCounts;
use cutshort_store::SegmentInfo;
use serde::Serialize;
use utoipa::ToSchema;

use super::of;
use crate::http::endpoint::{Access, Answers, Call, Endpoint, Group, Method, Path, Takes, Unknown};
use crate::http::parameters::AGENT;
use crate::http::reply::Reply;
use crate::http::tokens::Scope;
use crate::problem::Problem;
use crate::question::iso;

pub(super) const SEGMENTS: Endpoint = Endpoint {
    method: Method::Post,
    path: Path::Whole("/ingest/v1/segments"),
    id: "ingest",
    title: "Send a segment",
    about: "Takes a segment: a Parquet file of packets, sorted and with its description in its metadata. When this is answered with 201, the segment is durable. The same one again changes nothing and is answered with 200. A token that is bound to a node allows segments of that node only; others are answered with 403.",
    group: Group::Ingest,
    parameters: &[&AGENT],
    access: Access::Token(Scope::Ingest),
    unknown: Unknown::Refused,
    answers: Answers::Result { schema: of::<KeptSegment>(), csv: false },
    good: &[200, 201],
    bad: &[413, 507],
    takes: Some(Takes { kind: "application/octet-stream", schema: None, most: |app| app.options.segment }),
    store: true,
    run,
};

/// The segment that was stored.
#[derive(Serialize, ToSchema)]
struct KeptSegment {
    /// The segment's ID.
    id: String,
    /// The number of its packets.
    packets: u64,
    /// The start of the time that it covers.
    #[schema(format = DateTime)]
    from: String,
    /// The end of the time that it covers.
    #[schema(format = DateTime)]
    to: String,
    /// Whether the store did not have it before.
    new: bool,
}

fn run(call: &mut Call<'_>) -> Result<Reply, Problem> {
    // Whoever wants to know whether the token is right sends this; it is no segment that failed.
    if call.body.is_empty() {
        return Err(Problem::bad_input("the body is empty: a segment is expected"));
    }
    let answer = call.app.take(call.sender.as_deref(), std::mem::take(&mut call.body).into());
    if let IngestAnswer::New(info) | IngestAnswer::Known(info) = &answer
        && let Some(counts) = call.headers.get(AgentCounts::HEADER).and_then(|value| value.to_str().ok())
    {
        call.app.note_agent(info, AgentCounts::read(counts));
    }
    match answer {
        IngestAnswer::New(info) => Ok(Reply::result(&KeptSegment::new(&info, true), &[])?.status(201)),
        IngestAnswer::Known(info) => Reply::result(&KeptSegment::new(&info, false), &[]),
        IngestAnswer::Refused(why) => Err(Problem::bad_input(why)),
        IngestAnswer::Forbidden(why) => Err(Problem::forbidden(why)),
        IngestAnswer::Full(why) => Err(Problem::full(why)),
        IngestAnswer::Later(why) => Err(Problem::unavailable(why)),
        IngestAnswer::Failed(why) => Err(Problem::internal(why)),
    }
}

impl KeptSegment {
    fn new(info: &SegmentInfo, new: bool) -> Self {
        let SegmentInfo { id, rows, covers, .. } = info;
        Self { id: id.to_string(), packets: *rows, from: iso(covers.0), to: iso(covers.1), new }
    }
}
