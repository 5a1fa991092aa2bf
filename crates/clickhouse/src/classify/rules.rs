//! What the rules say of a flow, from the tables of `cutshort-verdict`.

use cutshort_verdict::{Exclusion, Progress, Rules, Signature, Stage, Tag, TagRule, Termination, Times};

use super::{Columns, KEY, list};

/// The columns of a judged flow besides its key. Times are nanoseconds since the epoch.
pub(crate) const JUDGED: &str = "excluded, progress, termination, stage, tags, signature_id, rst_ttl_delta, rst_ip_id_delta, syn_ttl, sample_rate, node, packets, copies, first_ns, last_ns, silent_ns, unclear";

pub(super) fn select(facts: &str, other_rsts: &str, cutoff: &str, rules: &Rules) -> String {
    let judged = list(&vec![
        ("tags", tags()),
        ("sample_rate", "if(excluded = 0, syn_rate, origin_rate)".to_owned()),
        ("node", "if(syns = 0, origin_node, syn_node)".to_owned()),
    ]);
    format!(
        "SELECT {KEY}, excluded, progress, termination, stage, tags, {} AS signature_id, rst_ttl_delta, rst_ip_id_delta,
  syn_ttl, sample_rate, node, packets, copies, first_ns, last_ns, silent_ns, unclear
 FROM (SELECT *,
  {judged}
 FROM (SELECT *,
  {}
 FROM (SELECT *,
  {}
 FROM (SELECT *,
  {}
 FROM ({facts}) AS own LEFT JOIN ({other_rsts}) AS opposite USING ({KEY})))))",
        signature(),
        list(&vec![("stage", stage())]),
        list(&ending(rules)),
        list(&times(cutoff)),
    )
}

fn times(cutoff: &str) -> Columns {
    let at = |offset: &str| format!("toUnixTimestamp64Nano(window_start) + toInt64({offset})");
    vec![
        ("first_ns", at("first")),
        ("last_ns", at("last")),
        ("cutoff_ns", cutoff.to_owned()),
        ("silent_ns", format!("{cutoff} - last_ns")),
        ("server_rst", "ifNull(other_rst, 0) > latest_syn".to_owned()),
        ("is_reset", "plain_rsts + rst_acks > 0".to_owned()),
    ]
}

/// The first rule of SPEC 4 that holds. What is left out has the number of its reason, counted from 1.
fn ending(rules: &Rules) -> Columns {
    let limit = rules.packet_limit;
    let ended = |termination: Termination| termination as u8;
    let full = format!("packets >= {limit} AND repeats * 2 < {limit}");
    let excluded = |exclusion: Exclusion| exclusion as u8 + 1;
    vec![
        (
            "termination",
            format!(
                "toUInt8(multiIf(is_reset, {}, server_rst, {}, fin, {}, {full}, {}, NOT answered, {}, {}))",
                ended(Termination::Reset),
                ended(Termination::ServerReset),
                ended(Termination::Fin),
                ended(Termination::Open),
                ended(Termination::Timeout),
                ended(Termination::Open)
            ),
        ),
        (
            "excluded",
            format!(
                "toUInt8(multiIf(syns = 0, {}, several_syns, {}, is_reset OR server_rst OR fin OR ({full}), 0,
   last_ns > cutoff_ns - {}, {}, 0))",
                excluded(Exclusion::NoSyn),
                excluded(Exclusion::MultipleSyn),
                rules.guard,
                excluded(Exclusion::Incomplete)
            ),
        ),
    ]
}

/// A table of all stages by termination and progress.
fn stage() -> String {
    let stages = Termination::ALL.into_iter().flat_map(|termination| {
        Progress::ALL.map(|progress| (Stage::of(termination, progress) as u8).to_string())
    });
    let stages = stages.collect::<Vec<_>>().join(", ");
    format!("toUInt8([{stages}][termination * {} + progress + 1])", Progress::ALL.len())
}

fn tags() -> String {
    let bits = Tag::ALL.map(|tag| format!("if({}, {}, 0)", with_parent(tag), tag.bit()));
    format!("toUInt32({})", bits.join("\n   + "))
}

fn with_parent(tag: Tag) -> String {
    match tag.parent() {
        Some(parent) => format!("{} AND {}", holds(tag), with_parent(parent)),
        None => holds(tag),
    }
}

fn holds(tag: Tag) -> String {
    let not = |holds: bool| if holds { "" } else { "NOT " };
    match tag.rule() {
        TagRule::Termination(termination) => format!("termination = {}", termination as u8),
        TagRule::Fin => "fin".to_owned(),
        TagRule::Resets { rst, rst_ack } => resets(rst, rst_ack),
        TagRule::AckNumbers { differ, zero } => {
            format!("{}ack_numbers_differ AND {}ack_numbers_zero", not(differ), not(zero))
        }
        TagRule::Syn { ip_id, window } => format!("syn_ip_id = {ip_id} AND syn_window = {window}"),
        TagRule::Answered => "answered".to_owned(),
        TagRule::SynPayload => "syn_payload > 0".to_owned(),
        TagRule::SynRetransmitted => "syns > 1".to_owned(),
        TagRule::ServerRst => "server_rst".to_owned(),
    }
}

fn resets(rst: Times, rst_ack: Times) -> String {
    format!("{} AND {}", times_of("plain_rsts", rst), times_of("rst_acks", rst_ack))
}

fn times_of(count: &str, times: Times) -> String {
    let holds = match times {
        Times::Never => "= 0",
        Times::Once => "= 1",
        Times::AtLeastOnce => ">= 1",
        Times::AtLeastTwice => ">= 2",
    };
    format!("{count} {holds}")
}

/// The number of the signature that matches, or 0. No two match the same.
fn signature() -> String {
    let branches = Signature::all().map(|signature| {
        let rule = signature.rule();
        let mut needed = vec![format!("stage = {}", rule.stage as u8), resets(rule.rst, rule.rst_ack)];
        if rule.single_ack {
            needed.push("single_ack".to_owned());
        }
        let one_of = rule.one_of.iter().fold(0, |bits, tag| bits | tag.bit());
        if one_of != 0 {
            needed.push(format!("bitAnd(tags, {one_of}) != 0"));
        }
        format!("{}, {}", needed.join(" AND "), signature.id())
    });
    let branches = branches.collect::<Vec<_>>().join(",\n   ");
    format!("toUInt8(multiIf(bitAnd(tags, {}) != 0, 0,\n   {branches}, 0))", Tag::Fin.bit())
}
