//! The rules of the data set `origin` (docs/origin.md).
//!
//! The rows of a 5-tuple are in one list, which is put in the order of arrival and divided where connections begin. Each level
//! of the query then says more of what rows mean, or takes facts from them, and the rules judge.

use cutshort_packet::Flags;
use cutshort_verdict::origin::{AT_ONCE, SLOW};
use cutshort_verdict::{Exclusion, Progress, Signature, Stage, Tag, Termination};

use super::facts::IP_ID_DELTA;
use super::flows::{self, Field, MARKS, NODE, OFFSET};
use super::rules::{self, RESETS_SEEN};
use super::{Classified, Columns, NOWHERE, excluded, levels, null, table};

/// What is collected of each row.
const FIELDS: [Field; 14] = [
    ("t", "UInt64", OFFSET),
    // Ids of segments are compared as in lists of them.
    ("segment", "UInt128", "reinterpretAsUInt128(reverse(unhex(segment)))"),
    ("ordinal", "UInt32", "ordinal"),
    ("flags", "UInt16", "flags"),
    ("ip_id", "UInt16", "ip_id"),
    ("seq", "UInt32", "seq"),
    ("ack", "UInt32", "ack"),
    ("len", "UInt32", "payload_len"),
    ("rate", "UInt32", "sample_rate"),
    ("window", "UInt16", "window"),
    ("ttl", "UInt8", "ttl"),
    ("options_len", "UInt8", "options_len"),
    ("marks", "UInt16", MARKS),
    ("node", "UInt16", NODE),
];

/// The order of arrival. Rows that an earlier version inserted have no place in their segment; what follows it orders those.
const ARRIVAL: &str = "(r.t, r.segment, r.ordinal, r.flags, r.ip_id, r.seq, r.ack, r.len, r.rate, r.window, r.ttl, r.options_len)";
/// The order of SYN packets, the first of which counts.
const SYN_ORDER: &str = "(r.t, r.ip_id, r.ttl, r.window, r.rate, r.options_len, r.marks, r.node)";
/// What equals in rows that repeat another.
const SAME: &str = "(r.seq, r.ack, r.len, r.flags)";

/// One row per connection, or 5-tuple without a SYN packet: the key and the columns of an answer.
pub(super) fn sql(of: &Classified<'_>) -> String {
    let key = of.grain.key();
    let rows = of.union(&|source| source.rows(of.grain, &FIELDS));
    let sorted = levels(rows, [arrived(), begun()]);
    let divided = format!(
        "SELECT {key}, unclear, notEmpty(syns_at) AS has_syn, nth, if(nth = 1, all_copies, 0) AS copies, if(nth = 1, older, 0) AS tail,
  until <= length(arrived) AS is_followed, if(is_followed, tupleElement(arrived[until], 't'), 0) AS next,
  arraySlice(arrived, begin, until - begin) AS own
 FROM ({sorted})
 ARRAY JOIN begins AS begin, arrayPushBack(arrayPopFront(begins), toUInt32(length(arrived) + 1)) AS until, arrayEnumerate(begins) AS nth"
    );
    let facts = levels(
        divided,
        [sides(), heard(), closing(), told(), closed(), meant(), compared(), counted(), progress()],
    );
    let others = of.union(&|source| {
        let syns = format!("countIf({})", is_syn("flags"));
        source.of_other_direction(
            of.grain,
            "1",
            &[("other_rows", "count()".to_owned()), ("other_syns", syns)],
        )
    });
    let joined =
        format!("SELECT * FROM ({facts}) AS own_facts LEFT JOIN ({others}) AS opposite USING ({key})");
    levels(joined, [ended(of), judged()])
}

/// Whether flags are those of a SYN packet of the opener.
fn is_syn(flags: &str) -> String {
    format!("{} AND bitAnd({flags}, {}) = 0", flows::is_syn(flags), Flags::RECEIVED.bits())
}

fn has(flags: Flags) -> String {
    format!("bitAnd(r.flags, {}) != 0", flags.bits())
}

/// Without any of the flags.
fn lacks(flags: Flags) -> String {
    format!("bitAnd(r.flags, {}) = 0", flags.bits())
}

/// A number counted from the first byte behind the SYN.
fn rel(number: &str) -> String {
    format!("toUInt32(toInt64({number}) - isn - 1)")
}

/// Whether a number is not an older connection's.
fn is_own(number: &str) -> String {
    format!("{} < 2147483648", rel(number))
}

fn rows(such: &str, of: &str) -> String {
    format!("arrayFilter(r -> {such}, {of})")
}

fn exists(such: &str, of: &str) -> String {
    format!("arrayExists(r -> {such}, {of})")
}

fn arrived() -> Columns {
    vec![("arrived", format!("arraySort(r -> {ARRIVAL}, rows)"))]
}

/// Where connections begin: at each SYN packet with another sequence number than the one before.
fn begun() -> Columns {
    let syn = is_syn("r.flags");
    let header = |values: &str| format!("arrayMap(r -> {values}, arrived)");
    vec![
        (
            "syns_at",
            format!("arrayFilter((i, r) -> {syn}, arrayEnumerate(arrived), arrived)"),
        ),
        (
            "begins",
            "if(empty(syns_at), CAST([1], 'Array(UInt32)'), arrayCompact(i -> tupleElement(arrived[i], 'seq'), syns_at))"
                .to_owned(),
        ),
        ("older", "toUInt32(begins[1] - 1)".to_owned()),
        // Rows that equal another in all but time and TTL: those that repeat one, and those that are repeated.
        (
            "all_copies",
            format!(
                "toUInt32(arraySum(p -> (p > 1) + (p = 2), arrayEnumerateUniq({}, {}, {})))",
                header("bitOr(bitShiftLeft(toUInt64(r.seq), 32), toUInt64(r.ack))"),
                header("bitOr(bitShiftLeft(toUInt64(r.len), 32), toUInt64(r.rate))"),
                header(
                    "bitOr(bitOr(bitShiftLeft(toUInt64(r.flags), 48), bitShiftLeft(toUInt64(r.ip_id), 32)), bitOr(bitShiftLeft(toUInt64(r.window), 16), toUInt64(r.options_len)))"
                )
            ),
        ),
    ]
}

/// Who sent a row.
fn sides() -> Columns {
    let syn = is_syn("r.flags");
    vec![
        ("syns", rows(&syn, "own")),
        ("isn", "toInt64(tupleElement(own[1], 'seq'))".to_owned()),
        ("since", format!("arrayMax(r -> if({syn}, r.t, 0), own)")),
        ("errors", rows(&has(Flags::ICMP), "own")),
        ("received", rows(&format!("{} AND {}", has(Flags::RECEIVED), lacks(Flags::ICMP)), "own")),
        ("sent", rows(&format!("{} AND NOT ({syn})", lacks(Flags::RECEIVED | Flags::ICMP)), "own")),
    ]
}

/// What rows of this connection are, without what is late.
fn heard() -> Columns {
    let from_server = format!(
        "{} AND {} AND {} AND NOT ({} AND {})",
        lacks(Flags::RST),
        has(Flags::ACK),
        is_own("r.ack"),
        has(Flags::SYN),
        has(Flags::FIN)
    );
    vec![
        ("all_rsts", rows(&format!("{} AND r.t >= since", has(Flags::RST)), "received")),
        ("all_from_server", rows(&from_server, "received")),
        ("own_packets", rows(&format!("{} AND {}", is_own("r.seq"), lacks(Flags::SYN)), "sent")),
    ]
}

/// What of ours closes.
fn closing() -> Columns {
    let in_time = "r.t >= since";
    let before = "(empty(all_rsts) OR r.t < arrayMin(x -> x.t, all_rsts))";
    vec![
        (
            "our_fins",
            rows(&format!("{} AND {} AND {in_time}", has(Flags::FIN), lacks(Flags::RST)), "own_packets"),
        ),
        ("our_rsts", rows(&format!("{} AND {in_time} AND {before}", has(Flags::RST)), "own_packets")),
        ("own_segments", rows(&lacks(Flags::RST), "own_packets")),
    ]
}

/// What we are known to have sent; behind a FIN, RSTs carry its number.
fn told() -> Columns {
    vec![
        ("our_fin", "arrayMin(r -> r.t, our_fins)".to_owned()),
        ("our_rst", "arrayMin(r -> r.t, our_rsts)".to_owned()),
        (
            "told",
            format!(
                "arrayMax(r -> if({} AND notEmpty(our_fins), 0, toUInt64({}) + r.len), own_packets)",
                has(Flags::RST),
                rel("r.seq")
            ),
        ),
    ]
}

/// After which time rows are late: our RST, or the FIN before it, if the RST only answers data that came after that.
fn closed() -> Columns {
    let between = format!("{} AND r.len > 0 AND r.t > our_fin AND r.t <= our_rst", lacks(Flags::SYN));
    vec![
        ("is_closed", "notEmpty(our_rsts) OR notEmpty(our_fins)".to_owned()),
        (
            "closed_at",
            format!(
                "if(notEmpty(our_fins) AND our_fin < our_rst AND arrayAll(r -> r.t + {AT_ONCE} >= our_rst, {}), our_fin, our_rst)",
                rows(&between, "all_from_server")
            ),
        ),
    ]
}

/// Rows of the server that are not late.
fn meant() -> Columns {
    let in_time = "empty(our_rsts) OR r.t <= closed_at";
    let such = |such: &str| format!("({in_time}) AND {such}");
    vec![
        ("rsts", rows(in_time, "all_rsts")),
        ("from_server", rows(in_time, "all_from_server")),
        ("syn_acks", rows(&such(&has(Flags::SYN)), "all_from_server")),
        ("segments", rows(&such(&lacks(Flags::SYN)), "all_from_server")),
        ("answers", rows(&such("r.len > 0"), "all_from_server")),
        (
            "ids",
            format!(
                "arrayFilter(i -> i != 0, arrayMap(r -> r.ip_id, {}))",
                rows(&format!("NOT ({} AND r.t >= since AND ({in_time}))", has(Flags::RST)), "received")
            ),
        ),
    ]
}

/// Values of rows that are compared.
fn compared() -> Columns {
    let taken = format!("if(is_closed, least(toUInt64({rel}), told), toUInt64({rel}))", rel = rel("r.ack"));
    let of = |rows: &str| format!("arrayMap(r -> {taken}, {rows})");
    let first = |order: &str, rows: &str| format!("arraySort(r -> {order}, {rows})[1]");
    let syns = "syns";
    vec![
        ("syn", first(SYN_ORDER, syns)),
        ("origin", first("(r.t, r.rate, r.node)", "own")),
        ("first_syn_ack", first("(r.t, r.ttl)", "syn_acks")),
        ("first_segment", first("(r.t, r.ttl)", "segments")),
        ("all_taken", of("from_server")),
        ("answers_taken", format!("arrayFilter(x -> x > 0, {})", of("answers"))),
        ("first_answer", "arrayMin(r -> r.t, answers)".to_owned()),
        ("fins", format!("arrayMap(r -> r.t, {})", rows(&has(Flags::FIN), "segments"))),
        ("syn_acks_same", format!("arrayMap(r -> {SAME}, syn_acks)")),
        ("from_server_same", format!("arrayMap(r -> {SAME}, from_server)")),
        ("rst_ids", "arrayFilter(i -> i != 0, arrayMap(r -> r.ip_id, rsts))".to_owned()),
        ("plain_acks", format!("arrayMap(r -> r.ack, {})", rows(&lacks(Flags::ACK), "rsts"))),
    ]
}

fn counted() -> Columns {
    let repeats = |list: &str| format!("length({list}) - length(arrayDistinct({list}))");
    let lowest = "toInt16(arrayMin(r -> r.ttl, rsts)) - compared_ttl";
    let highest = "toInt16(arrayMax(r -> r.ttl, rsts)) - compared_ttl";
    vec![
        ("syn_t", "tupleElement(syn, 't')".to_owned()),
        ("most_taken", "arrayMax(all_taken)".to_owned()),
        ("answered", "notEmpty(answers)".to_owned()),
        ("asked", "arrayMax(all_taken) > 0 OR told > 0".to_owned()),
        (
            "fin_ends",
            "notEmpty(fins) AND (notEmpty(answers) OR empty(our_fins) OR our_fin >= arrayMin(fins))".to_owned(),
        ),
        ("most_syn_acks", "arrayMax(v -> arrayCount(o -> o = v, syn_acks_same), syn_acks_same)".to_owned()),
        ("single_ack", "length(arrayDistinct(from_server_same)) = 1".to_owned()),
        (
            "repeats",
            format!(
                "{} + {} + {}",
                repeats(&format!("arrayMap(r -> {SAME}, syns)")),
                repeats(&format!("arrayMap(r -> {SAME}, own_segments)")),
                repeats("from_server_same")
            ),
        ),
        ("plain_rsts", "length(plain_acks)".to_owned()),
        ("rst_acks", "length(rsts) - length(plain_acks)".to_owned()),
        ("ack_numbers_differ", "arrayMin(plain_acks) < arrayMax(plain_acks)".to_owned()),
        ("ack_numbers_zero", "arrayMin(plain_acks) = 0".to_owned()),
        (
            "compared_ttl",
            "toInt16(if(notEmpty(syn_acks), tupleElement(first_syn_ack, 'ttl'), tupleElement(first_segment, 'ttl')))"
                .to_owned(),
        ),
        (
            "rst_ttl_delta",
            format!(
                "if(empty(rsts) OR (empty(syn_acks) AND empty(segments)), NULL,
   if(abs({lowest}) > abs({highest}), toInt16({lowest}), toInt16({highest})))"
            ),
        ),
        ("rst_ip_id_delta", IP_ID_DELTA.to_owned()),
        // Which of several SYN packets was answered is not known (RFC 6298, 3).
        ("handshake_ns", since_syn("syn_acks", "tupleElement(first_syn_ack, 't')")),
        ("first_byte_ns", since_syn("answers", "first_answer")),
        (
            "is_refused",
            exists(
                &format!(
                    "{} AND r.seq = 0 AND has(arrayMap(s -> s.len, syns), {})",
                    has(Flags::ACK),
                    rel("r.ack")
                ),
                "rsts",
            ),
        ),
        // The SYN+ACK came to a socket whose attempt had timed out.
        (
            "is_late",
            format!(
                "NOT asked AND empty(our_fins) AND arrayAll(r -> {}, our_rsts) AND notEmpty(syn_acks)
   AND (tupleElement(first_syn_ack, 't') >= syn_t + {SLOW} OR length(syns) >= 2)",
                lacks(Flags::ACK)
            ),
        ),
    ]
}

/// Nanoseconds from the only SYN packet to a time, to the microsecond.
fn since_syn(rows: &str, at: &str) -> String {
    format!(
        "if(length(syns) = 1 AND notEmpty({rows}) AND {at} >= syn_t, CAST(intDiv({at} - syn_t, 1000) * 1000, 'Nullable(Int64)'), NULL)"
    )
}

fn progress() -> Columns {
    let number = |progress: Progress| progress as u8;
    vec![
        (
            "progress",
            format!(
                "toUInt8(multiIf(empty(from_server) AND NOT {}, {}, most_taken = 0, {},
   notEmpty(answers_taken) AND most_taken > arrayMin(answers_taken), {}, {}))",
                exists(&has(Flags::ACK), "own_segments"),
                number(Progress::PostSyn),
                number(Progress::PostAck),
                number(Progress::Later),
                number(Progress::PostPsh)
            ),
        ),
        ("resets_seen", RESETS_SEEN.to_owned()),
    ]
}

/// How it ended: the first rule of docs/origin.md#termination that holds.
fn ended(of: &Classified<'_>) -> Columns {
    let Classified { rules, cutoff, grain, .. } = of;
    let at = |offset: &str| format!("{} + toInt64({offset})", grain.window());
    let (post_syn, post_ack) = (Progress::PostSyn as u8, Progress::PostAck as u8);
    let unreachable = format!("progress = {post_syn} AND {}", exists("r.t >= syn_t", "errors"));
    let end = |termination: Termination| termination as u8;
    vec![
        ("first_ns", at("arrayMin(r -> r.t, own)")),
        ("last_ns", at("arrayMax(r -> r.t, own)")),
        ("until_ns", format!("if(is_followed, {}, {cutoff})", at("next"))),
        ("silent_ns", "until_ns - last_ns".to_owned()),
        (
            "decided",
            format!(
                "toUInt8(multiIf(notEmpty(rsts), {}, fin_ends, {fin}, {unreachable}, {}, is_closed AND answered, {fin}, is_closed, {}, {NOWHERE}))",
                end(Termination::Reset),
                end(Termination::Unreachable),
                end(Termination::GaveUp),
                fin = end(Termination::Fin)
            ),
        ),
        (
            "is_full",
            format!(
                "decided = {NOWHERE} AND length(own) - length(errors) >= {} AND repeats * 2 < {}",
                rules.row_limit(),
                rules.packet_limit
            ),
        ),
        (
            "is_too_late",
            format!("decided = {NOWHERE} AND NOT is_full AND last_ns > until_ns - {}", rules.guard),
        ),
        (
            "termination",
            format!(
                "multiIf(decided != {NOWHERE}, decided, is_full OR answered OR (progress = {post_ack} AND NOT asked AND most_syn_acks < 3),
   toUInt8({}), toUInt8({}))",
                end(Termination::Open),
                end(Termination::Timeout)
            ),
        ),
    ]
}

fn judged() -> Columns {
    let (own, other) = ("(src_ip, src_port, dst_ip, dst_port)", "(dst_ip, dst_port, src_ip, src_port)");
    let end = |termination: Termination| termination as u8;
    let (reset, gave_up) = (end(Termination::Reset), end(Termination::GaveUp));
    vec![
        (
            "excluded",
            format!(
                // A pair of 5-tuples without a SYN packet counts once.
                "toUInt8(multiIf({own} = {other}, {}, NOT has_syn AND other_rows > 0 AND (other_syns > 0 OR {other} < {own}), {NOWHERE},
   NOT has_syn, {}, NOT is_too_late, 0, is_followed, {}, {}))",
                excluded(Exclusion::SelfConnected),
                excluded(Exclusion::NoSyn),
                excluded(Exclusion::MultipleSyn),
                excluded(Exclusion::Incomplete)
            ),
        ),
        (
            "stage",
            format!(
                "toUInt8(multiIf(termination IN ({reset}, {}, {}) OR (termination = {gave_up} AND asked), {},
   termination = {gave_up} AND is_late, {}, {}))",
                end(Termination::Unreachable),
                end(Termination::Timeout),
                table("UInt8", STAGES.into_iter().map(|stage| stage as u8), "progress"),
                Stage::PostSyn as u8,
                Stage::None as u8
            ),
        ),
        ("fin", "notEmpty(fins) OR notEmpty(our_fins)".to_owned()),
        ("tags", tags()),
        (
            "signature_id",
            format!(
                "if(termination IN ({reset}, {}), {}, {})",
                end(Termination::Timeout),
                rules::signature(),
                without_rst()
            ),
        ),
        ("syn_ttl", "tupleElement(syn, 'ttl')".to_owned()),
        ("sample_rate", "if(excluded = 0, tupleElement(syn, 'rate'), tupleElement(origin, 'rate'))".to_owned()),
        ("node", "if(has_syn, tupleElement(syn, 'node'), tupleElement(origin, 'node'))".to_owned()),
        ("packets", "toUInt64(length(own))".to_owned()),
        ("all_rows", "packets + tail".to_owned()),
        ("quic_version", "toUInt32(0)".to_owned()),
        ("close_code", null("UInt64")),
    ]
}

/// The stage of what was cut short at each progress.
const STAGES: [Stage; 4] = [Stage::PostSyn, Stage::PostAck, Stage::PostPsh, Stage::Later];

fn tags() -> String {
    let is = |termination: Termination| format!("termination = {}", termination as u8);
    let holds = [
        (Tag::Answered, "answered".to_owned()),
        (Tag::SynPayload, exists("r.len > 0", "syns")),
        (Tag::SynRetransmitted, "length(syns) > 1".to_owned()),
        (Tag::GaveUp, is(Termination::GaveUp)),
        (
            Tag::Refused,
            format!("{} AND progress = {} AND is_refused", is(Termination::Reset), Progress::PostSyn as u8),
        ),
        // By the FIN of the server.
        (Tag::EmptyAnswer, format!("{} AND fin_ends AND asked AND NOT answered", is(Termination::Fin))),
        (Tag::SynAckRetransmitted, "most_syn_acks > 1".to_owned()),
        (Tag::SynAckLate, format!("{} AND is_late", is(Termination::GaveUp))),
        (Tag::Unreachable, is(Termination::Unreachable)),
        (Tag::Timeout, is(Termination::Timeout)),
    ];
    let bits = holds.map(|(tag, holds)| format!("if({holds}, {}, 0)", tag.bit()));
    format!("bitOr({}, toUInt32({}))", rules::reset_tags(), bits.join(" + "))
}

/// The signature of each termination and stage, where there was no RST.
fn without_rst() -> String {
    let id = |signature: Option<Signature>| signature.map_or(0, Signature::id);
    let ids = Termination::ALL
        .into_iter()
        .flat_map(|termination| Stage::ALL.map(|stage| id(Signature::without_rst(termination, stage))));
    table("UInt8", ids, &format!("termination * {} + stage", Stage::ALL.len()))
}
