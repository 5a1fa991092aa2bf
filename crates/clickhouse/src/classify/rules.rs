//! Applies the rules, from the tables of `cutshort-verdict`.
//!
//! Results that depend on few values are looked up in arrays, which are made by applying the rules to each of these
//! values. The server parses arrays faster than the same rules as conditions, which take it seconds.

use cutshort_verdict::{DataSet, Exclusion, Progress, Signature, Stage, Tag, TagRule, Tags, Termination};

use super::{Classified, Columns, excluded, list, null, table};

/// Columns that are passed on unchanged.
const PASSED: &str = "fin, answered, progress, single_ack, rst_ttl_delta, rst_ip_id_delta, syn_ttl, packets, copies, tail, unclear";

/// The number of a [`SeenResets`]. Counts beyond two make no difference.
pub(super) const RESETS_SEEN: &str = "((toUInt16(least(plain_rsts, 2)) * 3 + least(rst_acks, 2)) * 2 + ack_numbers_differ) * 2 + ack_numbers_zero";

/// One row per connection: the key, the exclusion (number of the reason from 1), and the verdict. Times are
/// nanoseconds since the Unix epoch.
pub(super) fn select(facts: &str, other_rsts: &str, of: &Classified<'_>) -> String {
    let key = of.grain.key();
    format!(
        "SELECT {key}, excluded, progress, termination, rst_ttl_delta, rst_ip_id_delta, syn_ttl, packets, copies, tail, unclear,
  first_ns, last_ns, silent_ns, node, if(excluded = 0, syn_rate, origin_rate) AS sample_rate,
  {}
 FROM (SELECT {key}, {PASSED}, latest_syn, next, resets_seen, own_tags, first_ns, last_ns, silent_ns, node, syn_rate, origin_rate,
  {}
 FROM (SELECT {key}, {PASSED}, latest_syn, next, syn_rate, origin_rate,
  {}
 FROM ({facts})) AS own LEFT JOIN ({other_rsts}) AS opposite USING ({key}))",
        list(&judged()),
        list(&with_other_direction()),
        list(&alone(of)),
    )
}

/// What follows from a connection alone.
fn alone(of: &Classified<'_>) -> Columns {
    let Classified { cutoff, rules, grain, .. } = of;
    let at = |offset: &str| format!("{} + toInt64({offset})", grain.window());
    let limit = rules.packet_limit;
    let full = format!("packets >= {limit} AND repeats * 2 < {limit}");
    let ended = |termination| termination as u8;
    vec![
        ("first_ns", at("first")),
        ("last_ns", at("last")),
        ("until_ns", format!("if(is_followed, {}, {cutoff})", at("next"))),
        ("silent_ns", "until_ns - last_ns".to_owned()),
        ("node", "if(syns = 0, origin_node, syn_node)".to_owned()),
        ("resets_seen", RESETS_SEEN.to_owned()),
        ("own_tags", own_tags()),
        // The first rule of docs/spec.md#termination that holds, without the second.
        (
            "ended",
            format!(
                "toUInt8(multiIf(plain_rsts + rst_acks > 0, {}, fin, {}, {full}, {}, answered, {}, {}))",
                ended(Termination::Reset),
                ended(Termination::Fin),
                ended(Termination::Open),
                ended(Termination::Open),
                ended(Termination::Timeout)
            ),
        ),
        (
            "left_out",
            format!(
                "toUInt8(multiIf(syns = 0, {}, plain_rsts + rst_acks > 0 OR fin OR ({full}), 0,
   silent_ns >= {}, 0, is_followed, {}, {}))",
                excluded(Exclusion::NoSyn),
                rules.guard,
                excluded(Exclusion::MultipleSyn),
                excluded(Exclusion::Incomplete)
            ),
        ),
    ]
}

/// Applies the second rule of docs/spec.md#end-server-reset.
fn with_other_direction() -> Columns {
    let (reset, server_reset) = (Termination::Reset as u8, Termination::ServerReset as u8);
    let no_syn = excluded(Exclusion::NoSyn);
    vec![
        ("server_rst", "arrayExists(t -> t >= latest_syn AND t < next, other_rsts)".to_owned()),
        ("termination", format!("if(server_rst AND ended != {reset}, toUInt8({server_reset}), ended)")),
        ("excluded", format!("if(server_rst AND left_out != {no_syn}, toUInt8(0), left_out)")),
    ]
}

fn judged() -> Columns {
    let (progresses, seen) = (Progress::ALL.len(), SeenResets::COUNT);
    let stages = DataSet::Tcp
        .terminations()
        .iter()
        .flat_map(|termination| Progress::ALL.map(|progress| Stage::of(*termination, progress) as u8));
    vec![
        ("stage", table("UInt8", stages, &format!("termination * {progresses} + progress"))),
        (
            "tags",
            format!(
                "bitOr(bitOr(own_tags, {}), if(server_rst, toUInt32({}), 0))",
                table("UInt32", all_tags(), &format!("(termination * {seen} + resets_seen) * 2 + fin")),
                tags_by(|rule| rule == TagRule::ServerRst)
            ),
        ),
        ("signature_id", signature()),
        ("all_rows", "packets + tail".to_owned()),
        ("quic_version", "toUInt32(0)".to_owned()),
        ("close_code", null("UInt64")),
        ("handshake_ns", null("Int64")),
        ("first_byte_ns", null("Int64")),
    ]
}

/// The signature of a connection that RSTs or silence ended, from `stage`, `resets_seen`, `single_ack` and `fin`.
pub(super) fn signature() -> String {
    let seen = SeenResets::COUNT;
    table("UInt8", signatures(), &format!("((stage * {seen} + resets_seen) * 2 + single_ack) * 2 + fin"))
}

/// The tags that say how RSTs ended a connection, from `termination`, `resets_seen` and `fin`.
pub(super) fn reset_tags() -> String {
    let reset = Termination::Reset;
    let tags = SeenResets::all().flat_map(|seen| BOTH.map(|fin| seen.tags(reset, fin).bits()));
    format!(
        "if(termination = {}, {}, toUInt32(0))",
        reset as u8,
        table("UInt32", tags, "resets_seen * 2 + fin")
    )
}

/// The bits of the tags for whose rule a condition holds.
fn tags_by(such: impl Fn(TagRule) -> bool) -> u32 {
    let tags = DataSet::Tcp.tags().iter();
    tags.filter(|tag| tag.rule().is_some_and(&such)).fold(0, |bits, tag| bits | tag.bit())
}

/// Tags that depend on a single fact.
fn own_tags() -> String {
    let tags = DataSet::Tcp.tags().iter().filter_map(|tag| {
        let holds = match tag.rule()? {
            TagRule::Syn { ip_id, window } => format!("syn_ip_id = {ip_id} AND syn_window = {window}"),
            TagRule::SynMark(mark) => format!("bitAnd(syn_marks, {}) != 0", mark.bits()),
            TagRule::SynOptionsLen(len) => format!("syn_options_len = {len}"),
            TagRule::SynTtlAbove(ttl) => format!("syn_ttl > {ttl}"),
            TagRule::ZeroWindow => "zero_window".to_owned(),
            TagRule::RstTtlDelta { at_least } => format!("abs(ifNull(rst_ttl_delta, 0)) >= {at_least}"),
            TagRule::Answered => "answered".to_owned(),
            TagRule::SynPayload => "syn_payload > 0".to_owned(),
            TagRule::SynRetransmitted => "syns > 1".to_owned(),
            TagRule::Termination(_)
            | TagRule::Fin
            | TagRule::Resets { .. }
            | TagRule::AckNumbers { .. }
            | TagRule::ServerRst => return None,
        };
        Some(format!("if({holds}, {}, 0)", tag.bit()))
    });
    format!("toUInt32({})", tags.collect::<Vec<_>>().join(" + "))
}

/// The RSTs that were seen, as far as rules distinguish them: the column `resets_seen`.
#[derive(Clone, Copy)]
struct SeenResets {
    rst: u32,
    rst_ack: u32,
    differ: bool,
    zero: bool,
}

impl SeenResets {
    const COUNT: u32 = 36;

    fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(|number| Self {
            rst: number / 12,
            rst_ack: number / 4 % 3,
            differ: number / 2 % 2 == 1,
            zero: number % 2 == 1,
        })
    }

    /// The tags that depend on RSTs and on the termination.
    fn tags(self, termination: Termination, fin: bool) -> Tags {
        let tags = DataSet::Tcp.tags().iter().copied();
        tags.filter(|tag| self.has(*tag, termination, fin)).collect()
    }

    fn has(self, tag: Tag, termination: Termination, fin: bool) -> bool {
        let Some(rule) = tag.rule() else { return false };
        let own = match rule {
            TagRule::Termination(needed) => needed == termination,
            TagRule::Fin => fin,
            TagRule::Resets { rst, rst_ack } => rst.holds(self.rst) && rst_ack.holds(self.rst_ack),
            TagRule::AckNumbers { differ, zero } => (differ, zero) == (self.differ, self.zero),
            TagRule::Syn { .. }
            | TagRule::SynMark(_)
            | TagRule::SynOptionsLen(_)
            | TagRule::SynTtlAbove(_)
            | TagRule::ZeroWindow
            | TagRule::RstTtlDelta { .. }
            | TagRule::Answered
            | TagRule::SynPayload
            | TagRule::SynRetransmitted
            | TagRule::ServerRst => false,
        };
        own && tag.parent().is_none_or(|parent| self.has(parent, termination, fin))
    }

    /// The signature at a stage. A connection without RSTs ended by timeout.
    fn signature(self, stage: Stage, single_ack: bool, fin: bool) -> Option<Signature> {
        let is_reset = self.rst + self.rst_ack > 0;
        let tags = self.tags(if is_reset { Termination::Reset } else { Termination::Timeout }, fin);
        if stage == Stage::None || tags.contains(Tag::Fin) {
            return None;
        }
        DataSet::Tcp.signatures().iter().copied().find(|signature| {
            let Some(rule) = signature.rule() else { return false };
            rule.stage == stage
                && rule.rst.holds(self.rst)
                && rule.rst_ack.holds(self.rst_ack)
                && (single_ack || !rule.single_ack)
                && (rule.one_of.is_empty() || rule.one_of.iter().any(|tag| tags.contains(*tag)))
        })
    }
}

const BOTH: [bool; 2] = [false, true];

fn all_tags() -> impl Iterator<Item = u32> {
    DataSet::Tcp.terminations().iter().flat_map(|termination| {
        SeenResets::all().flat_map(move |seen| BOTH.map(|fin| seen.tags(*termination, fin).bits()))
    })
}

fn signatures() -> impl Iterator<Item = u8> {
    let id = |signature: Option<Signature>| signature.map_or(0, Signature::id);
    Stage::ALL.into_iter().flat_map(move |stage| {
        SeenResets::all().flat_map(move |seen| {
            BOTH.into_iter().flat_map(move |single| BOTH.map(|fin| id(seen.signature(stage, single, fin))))
        })
    })
}
