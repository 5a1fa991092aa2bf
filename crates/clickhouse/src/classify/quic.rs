//! The rules of the data set `quic` (docs/quic.md).
//!
//! The rows of a 5-tuple are in one list, in any order. Each level of the query takes facts from the one inside it; then what
//! the other direction has is joined, and the rules judge.

use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened, Version};
use cutshort_verdict::quic::{ANOTHER, CLIENT_ID, FEW, FULL_SIZE, GONE, Last, REPEATED, stage};
use cutshort_verdict::{DataSet, Exclusion, Progress, Signature, Stage, Tag, Tags, Termination};

use super::flows::{Field, NODE, OFFSET, PacketRows};
use super::{Classified, Columns, NOWHERE, excluded, levels, null, table};

/// What is collected of each row.
const FIELDS: [Field; 15] = [
    ("t", "UInt64", OFFSET),
    ("kinds", "UInt8", "kinds"),
    ("version", "UInt32", "version"),
    ("opened", "UInt8", "opened"),
    ("len", "UInt16", "len"),
    ("dcid_len", "UInt8", "dcid_len"),
    ("frames", "UInt8", "frames"),
    ("icmp", "UInt8", "icmp"),
    ("dcid", "Nullable(UInt64)", "dcid"),
    ("scid", "Nullable(UInt64)", "scid"),
    ("token", "Nullable(UInt64)", "token"),
    ("close_code", "Nullable(UInt64)", "close_code"),
    ("ttl", "UInt8", "ttl"),
    // In one number: of equally early rows the one with the smallest rate counts, and then that of the first node.
    ("rate", "UInt64", "bitShiftLeft(toUInt64(sample_rate), 16)"),
    ("node", "UInt64", NODE),
];

/// One row per 5-tuple: the key and the columns of an answer.
pub(super) fn sql(of: &Classified<'_>) -> String {
    let key = of.grain.key();
    let rows = of.union(&|source| source.rows(of.grain, &FIELDS));
    let facts = levels(rows, [listed(), counted(), compared(), answered(), progress()]);
    let others = of.union(&|source| others(source, of));
    let joined = format!("SELECT * FROM ({facts}) AS own LEFT JOIN ({others}) AS opposite USING ({key})");
    levels(joined, [ended(of), judged()])
}

/// Whether a row `r` has one of these kinds.
fn is(kinds: Kinds) -> String {
    format!("bitAnd(r.kinds, {}) != 0", kinds.bits())
}

fn has(frames: Frames) -> String {
    format!("bitAnd(r.frames, {}) != 0", frames.bits())
}

fn exists(holds: &str, rows: &str) -> String {
    format!("arrayExists(r -> {holds}, {rows})")
}

/// Datagrams and Initial rows.
fn listed() -> Columns {
    vec![
        ("data", "arrayFilter(r -> r.icmp = 0, rows)".to_owned()),
        ("initials", format!("arrayFilter(r -> r.icmp = 0 AND {}, rows)", is(Kinds::INITIAL))),
    ]
}

/// What is counted in each of the lists, whatever the time.
fn counted() -> Columns {
    let different = |column: &str, rows: &str| {
        format!(
            "arrayUniq(arrayMap(r -> assumeNotNull(r.{column}), arrayFilter(r -> isNotNull(r.{column}), {rows})))"
        )
    };
    let failed = format!("{} AND r.opened = {}", is(Kinds::INITIAL), Opened::Failed.number());
    vec![
        ("since", "arrayMin(r -> r.t, initials)".to_owned()),
        ("first", "arrayMin(r -> r.t, data)".to_owned()),
        ("latest", "arrayMax(r -> r.t, data)".to_owned()),
        (
            "ids",
            format!(
                "arrayDistinct(arrayMap(r -> (r.version, assumeNotNull(r.dcid)), arrayFilter(r -> isNotNull(r.dcid) AND NOT ({failed}), data)))"
            ),
        ),
        ("tokens", different("token", "initials")),
        ("scids", different("scid", "data")),
        ("has_token", exists(&format!("ifNull(r.token != {}, 0)", Datagram::NO_TOKEN), "initials")),
        ("handshakes", format!("arrayMap(r -> r.t, arrayFilter(r -> {}, data))", is(Kinds::HANDSHAKE))),
        ("all_tried", format!("arrayAll(r -> r.opened != {}, initials)", Opened::No.number())),
        ("with_dcid", "arrayFilter(r -> isNotNull(r.dcid), data)".to_owned()),
        ("short", format!("arrayCount(r -> {}, data)", is(Kinds::SHORT))),
        (
            "short_alone",
            format!("arrayCount(r -> {} AND NOT ({}), data)", is(Kinds::SHORT), is(Kinds::HANDSHAKE)),
        ),
        ("closes", "arrayFilter(r -> isNotNull(r.close_code), data)".to_owned()),
        // Initial packets that may have been repeated.
        (
            "open_initials",
            format!("arrayFilter(r -> isNotNull(r.dcid) AND NOT ({}), initials)", has(Frames::CLOSE)),
        ),
    ]
}

/// What compares rows to the earliest and the latest ones.
fn compared() -> Columns {
    let earliest = |value: &str, most: u64| {
        format!("arrayMin(r -> if(r.t = since, toUInt64({value}), {most}), initials)")
    };
    vec![
        ("most_ids", "toUInt8(arrayMax(v -> arrayCount(p -> p.1 = v.1, ids), ids))".to_owned()),
        ("last_handshake", "arrayMax(handshakes)".to_owned()),
        // Errors before the first Initial row mean nothing.
        (
            "errors",
            "arrayFilter(r -> r.icmp != 0 AND notEmpty(initials) AND r.t >= since, rows)".to_owned(),
        ),
        ("first_version", format!("toUInt32({})", earliest("r.version", u32::MAX.into()))),
        ("first_ttl", format!("toUInt8({})", earliest("r.ttl", u8::MAX.into()))),
        ("initial_origin", earliest("r.rate + r.node", u64::MAX)),
        ("data_origin", format!("arrayMin(r -> if(r.t = first, r.rate + r.node, {}), data)", u64::MAX)),
        ("earliest_dcids", "arrayMap(r -> r.dcid, arrayFilter(r -> r.t = since, initials))".to_owned()),
        ("close_time", "arrayMin(r -> r.t, closes)".to_owned()),
        (
            "repeated",
            format!(
                "arrayExists(r -> arrayExists(o -> ifNull(o.dcid = r.dcid, 0) AND o.t >= r.t + {REPEATED}, open_initials), open_initials)"
            ),
        ),
        (
            "is_followed_late",
            // A row without a token that comes long after the earliest one, with an id that no earlier row has.
            format!(
                "arrayExists(r -> ifNull(r.token = {}, 0) AND r.opened != {} AND r.t - since > {ANOTHER} AND isNotNull(r.dcid)
   AND NOT arrayExists(o -> o.t < r.t AND ifNull(o.dcid = r.dcid, 0), data), initials)",
                Datagram::NO_TOKEN,
                Opened::EarlierId.number()
            ),
        ),
    ]
}

fn answered() -> Columns {
    let begins = format!(
        "ifNull(r.token = {}, 0) AND r.opened = {} AND isNotNull(r.dcid) AND NOT has(earliest_dcids, r.dcid)",
        Datagram::NO_TOKEN,
        Opened::OwnId.number()
    );
    let later = format!("r.opened = {}", Opened::EarlierId.number());
    vec![
        ("retried", "toUInt8(most_ids >= 2 AND tokens >= 2)".to_owned()),
        (
            "answered",
            format!(
                "{} OR {} OR {} OR (NOT all_tried AND most_ids >= 2 + retried)",
                exists(&is(Kinds::HANDSHAKE | Kinds::SHORT), "data"),
                exists(&later, "initials"),
                exists(&has(Frames::ACK), "data")
            ),
        ),
        (
            "handshake_repeated",
            format!(
                "length(handshakes) >= 3 AND last_handshake - arrayMin(handshakes) >= {REPEATED}
   AND arrayCount(r -> r.t > last_handshake, data) <= {FEW}"
            ),
        ),
        (
            "is_multiple",
            format!(
                "scids >= 2 OR most_ids > 2 + retried OR is_followed_late OR {}",
                exists(&begins, "initials")
            ),
        ),
        ("last_ns_offset", "greatest(latest, arrayMax(r -> r.t, errors))".to_owned()),
        (
            "is_gone",
            exists(
                &format!("r.icmp = {} AND r.t > latest AND r.t - latest <= {GONE}", Icmp::Port.number()),
                "errors",
            ),
        ),
        ("is_refused", exists(&format!("r.icmp = {}", Icmp::Server.number()), "errors")),
        ("is_closed", exists(&has(Frames::CLOSE), "data")),
    ]
}

fn progress() -> Columns {
    let number = |progress: Progress| progress as u8;
    let last = |last: Last| last as u8;
    vec![
        (
            "progress",
            format!(
                "toUInt8(multiIf(NOT answered, {}, short = 0, {}, short_alone <= 1 OR handshake_repeated, {}, {}))",
                number(Progress::PostSyn),
                number(Progress::PostAck),
                number(Progress::PostPsh),
                number(Progress::Later)
            ),
        ),
        (
            "last_seen",
            format!(
                "toUInt8(multiIf(NOT answered AND retried, {}, NOT answered AND repeated, {}, NOT answered, {},
   handshake_repeated, {}, short > 0, {}, empty(handshakes), {}, {}))",
                last(Last::Retry),
                last(Last::InitialRepeated),
                last(Last::Initial),
                last(Last::HandshakeRepeated),
                last(Last::OneRtt),
                last(Last::Answer),
                last(Last::Handshake)
            ),
        ),
        ("own_tags", own_tags()),
    ]
}

/// All tags but those that depend on the termination and on the other direction.
fn own_tags() -> String {
    let is_draft = |version: &Version| !matches!(version, Version::V1 | Version::V2);
    let drafts: Vec<String> =
        Version::ALL.into_iter().filter(is_draft).map(|version| version.number().to_string()).collect();
    let versions = |holds: &str| exists(holds, "initials");
    let holds = [
        (Tag::QuicAnswered, "answered".to_owned()),
        (Tag::Retry, "retried".to_owned()),
        (Tag::Token, format!("arrayAll(r -> ifNull(r.token != {}, 0), initials)", Datagram::NO_TOKEN)),
        (Tag::ZeroRtt, exists(&is(Kinds::ZERO_RTT), "data")),
        (Tag::InitialRepeated, "NOT answered AND repeated".to_owned()),
        (Tag::HandshakeRepeated, "handshake_repeated".to_owned()),
        (Tag::V2, versions(&format!("r.version = {}", Version::V2.number()))),
        (Tag::Draft, versions(&format!("r.version IN ({})", drafts.join(", ")))),
        (
            Tag::VersionChanged,
            format!(
                "arrayUniq(arrayMap(r -> r.version, initials)) >= 2 OR {}",
                exists(&is(Kinds::OTHER_VERSION), "data")
            ),
        ),
        (Tag::Undersized, format!("arrayAll(r -> r.len < {FULL_SIZE}, initials)")),
        (
            Tag::ShortDcid,
            format!(
                "NOT answered AND NOT retried AND NOT has_token AND notEmpty(with_dcid)
   AND arrayAll(r -> r.dcid_len < {CLIENT_ID}, with_dcid)"
            ),
        ),
        (
            Tag::NotOpened,
            format!("NOT answered AND arrayAll(r -> r.opened = {}, initials)", Opened::Failed.number()),
        ),
        (Tag::IcmpOther, exists(&format!("r.icmp = {}", Icmp::Other.number()), "errors")),
        (Tag::ServerRefused, "is_refused".to_owned()),
    ];
    let bits = holds.map(|(tag, holds)| format!("if({holds}, {}, 0)", tag.bit()));
    format!("toUInt32({})", bits.join(" + "))
}

/// What the other direction of each 5-tuple has.
fn others(source: &PacketRows, of: &Classified<'_>) -> String {
    let initial = is(Kinds::INITIAL).replace("r.", "");
    let version = is(Kinds::OTHER_VERSION).replace("r.", "");
    let answer = is(Kinds::INITIAL | Kinds::HANDSHAKE | Kinds::SHORT).replace("r.", "");
    source.of_other_direction(
        of.grain,
        "icmp = 0",
        &[
            ("other_datagrams", "count()".to_owned()),
            ("other_initials", format!("countIf({initial})")),
            ("other_since", format!("minIf({}, {initial})", of.grain.offset())),
            ("other_versions", format!("countIf({version} AND len >= {FULL_SIZE})")),
            ("other_answers", format!("countIf({answer})")),
        ],
    )
}

/// Who is the client, and how it ended.
fn ended(of: &Classified<'_>) -> Columns {
    let Classified { rules, cutoff, grain, .. } = of;
    let ports: Vec<String> = rules.server_ports.ports().iter().map(u16::to_string).collect();
    let is_server = |port: &str| match rules.server_ports.is_any() {
        true => "1".to_owned(),
        false => format!("{port} IN ({})", ports.join(", ")),
    };
    let (src, dst) = (is_server("src_port"), is_server("dst_port"));
    let at = |offset: &str| format!("{} + toInt64({offset})", grain.window());
    let (limit, guard) = (rules.packet_limit, rules.guard);
    let version = exists(&format!("{} AND r.len >= {FULL_SIZE}", is(Kinds::OTHER_VERSION)), "data");
    // Neither direction has an Initial row, and nothing says who the client is: both count once.
    let pair = format!(
        "empty(initials) AND NOT has_version AND ({src}) = ({dst})
   AND other_datagrams > 0 AND other_initials = 0 AND other_versions = 0"
    );
    let (own, other) = ("(src_ip, src_port, dst_ip, dst_port)", "(dst_ip, dst_port, src_ip, src_port)");
    let end = |termination: Termination| termination as u8;
    vec![
        ("has_version", version),
        ("is_pair", pair),
        ("counts_with_other", format!("is_pair AND {own} > {other}")),
        (
            "is_of_server",
            format!(
                "multiIf(({src}) != ({dst}), {src}, other_initials = 0, 0, empty(initials), 1,
   (since, dst_port, dst_ip) > (other_since, src_port, src_ip))"
            ),
        ),
        ("first_ns", at("first")),
        ("last_ns", at("last_ns_offset")),
        ("silent_ns", format!("({cutoff}) - last_ns")),
        // The first rule that holds; 255 where it was not silent for long enough.
        (
            "ended",
            format!(
                "toUInt8(multiIf(NOT answered AND is_refused, {}, is_closed, {},
   length(data) >= {limit} AND answered AND NOT handshake_repeated, {open},
   length(data) >= {limit} AND latest - first <= {REPEATED}, {open}, is_gone, {},
   {} > ({cutoff}) - {guard}, 255, progress = {}, {open}, {}))",
                end(Termination::ServerUnreachable),
                end(Termination::Close),
                end(Termination::ClientGone),
                at("latest"),
                Progress::Later as u8,
                end(Termination::Timeout),
                open = end(Termination::Open)
            ),
        ),
    ]
}

fn judged() -> Columns {
    let tags = [
        (Tag::Timeout, Termination::Timeout),
        (Tag::QuicClose, Termination::Close),
        (Tag::ClientGone, Termination::ClientGone),
    ];
    let by_termination = DataSet::Quic.terminations().iter().map(|termination| {
        let such = tags.iter().filter(|(_, of)| of == termination).map(|(tag, _)| *tag);
        (*termination, such.collect::<Tags>().bits())
    });
    let by_termination: Vec<String> = by_termination
        .filter(|(_, bits)| *bits != 0)
        .map(|(termination, bits)| format!("ended = {}, {bits}", termination as u8))
        .collect();
    vec![
        (
            "excluded",
            format!(
                "toUInt8(multiIf(empty(data) OR counts_with_other, {NOWHERE}, is_of_server, {}, empty(initials) AND has_version, {},
   empty(initials), {}, is_multiple, {}, ended = 255, {}, 0))",
                excluded(Exclusion::NotClient),
                excluded(Exclusion::OtherVersion),
                excluded(Exclusion::NoInitial),
                excluded(Exclusion::MultipleConnections),
                excluded(Exclusion::Incomplete)
            ),
        ),
        ("termination", format!("if(ended = 255, toUInt8({}), ended)", Termination::Open as u8)),
        ("stage", stages()),
        ("signature_id", signatures()),
        (
            "tags",
            format!(
                "bitOr(bitOr(own_tags, toUInt32(multiIf({}, 0))), if(other_answers > 0, toUInt32({}), 0))",
                by_termination.join(", "),
                Tag::ServerAnswered.bit()
            ),
        ),
        ("rst_ttl_delta", null("Int16")),
        ("rst_ip_id_delta", null("UInt16")),
        ("syn_ttl", "first_ttl".to_owned()),
        (
            "sample_rate",
            "toUInt32(bitShiftRight(if(excluded = 0, initial_origin, data_origin), 16))".to_owned(),
        ),
        ("node", "toUInt16(bitAnd(if(empty(initials), data_origin, initial_origin), 65535))".to_owned()),
        ("packets", "toUInt64(length(data))".to_owned()),
        ("copies", "toUInt32(0)".to_owned()),
        ("tail", "toUInt32(0)".to_owned()),
        ("quic_version", "first_version".to_owned()),
        (
            "close_code",
            format!(
                "if(empty(closes), NULL, arrayMin(r -> if(r.t = close_time, assumeNotNull(r.close_code), {}), closes))",
                u64::MAX
            ),
        ),
        ("handshake_ns", null("Int64")),
        ("first_byte_ns", null("Int64")),
    ]
}

/// The stage of each termination and progress.
fn stages() -> String {
    let all = Termination::ALL.into_iter();
    let stages = all.flat_map(|termination| Progress::ALL.map(|progress| stage(termination, progress) as u8));
    table("UInt8", stages, &format!("termination * {} + progress", Progress::ALL.len()))
}

/// The signature of each termination, stage and what was last seen.
fn signatures() -> String {
    let id = |signature: Option<Signature>| signature.map_or(0, Signature::id);
    let ids = Termination::ALL.into_iter().flat_map(|termination| {
        Stage::ALL
            .into_iter()
            .flat_map(move |stage| Last::ALL.map(|last| id(last.signature(termination, stage))))
    });
    let place = format!("(termination * {} + stage) * {} + last_seen - 1", Stage::ALL.len(), Last::ALL.len());
    table("UInt8", ids, &place)
}
