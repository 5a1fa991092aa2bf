//! Reduces the lists of each connection to the facts that the rules need.

use cutshort_packet::Flags;
use cutshort_verdict::{Progress, Rules};

use super::flows::{IP_ID_AT, RATE_AT, TIME_AT, TTL_AT, WINDOW_AT, has_rst, is_syn, packed};
use super::{Classified, Columns, list};

/// The bits of `fields` without the IP ID: payload length and flags.
const WITHOUT_IP_ID: u64 = !(0xffff << IP_ID_AT);
const MAX_U32: u32 = u32::MAX;
const MAX_U64: u64 = u64::MAX;
/// The bits of `marks`: sample rate and node.
const ORIGIN: u64 = (1 << WINDOW_AT) - 1;

/// Positions in `syn`, whose numbers sort SYN packets: node and scanners' marks, length of the options, then rate and window, TTL
/// and IP ID.
const SYN_MARKS_AT: u32 = 16;
const SYN_OPTIONS_AT: u32 = 32;
const SYN_RATE_AT: u32 = 40;
const SYN_WINDOW_AT: u32 = 72;
const SYN_TTL_AT: u32 = 88;
const SYN_IP_ID_AT: u32 = 96;
const SYN_TIME_AT: u32 = 112;
/// Positions in `resets`: TTL above the ACK flag; then the IP ID, as in fields, and the acknowledgement number.
const RST_TTL_AT: u32 = 8;

/// The largest distance of a RST's IP id to the nearest one of another row, from lists of both.
pub(super) const IP_ID_DELTA: &str = "if(empty(ids) OR empty(rst_ids), NULL,
   arrayMax(r -> arrayMin(i -> least(toUInt16(r - i), toUInt16(i - r)), ids), rst_ids))";

/// The bits of a number from position `at`, as a type.
fn part(kind: &str, sql: &str, at: u32) -> String {
    format!("to{kind}(bitShiftRight({sql}, {at}))")
}

fn flag(list: &str, flag: Flags) -> String {
    format!("bitAnd({list}, {}) != 0", flag.bits())
}

/// Rows that are neither SYN nor RST, nor the tail of an earlier connection; `n` is a number, `f` are fields.
fn is_segment() -> String {
    let odd = (Flags::SYN | Flags::RST).bits();
    format!("bitAnd(f, {odd}) = 0 AND {} < 2147483648", rel())
}

/// Rows with payload that are no keep-alives.
fn is_data() -> String {
    format!("bitShiftRight(f, 32) > 1 OR (bitShiftRight(f, 32) = 1 AND {} != 0)", rel())
}

fn rel() -> String {
    "toUInt32(bitShiftRight(n, 32) - syn_seq)".to_owned()
}

/// The TTL; `t` is a time with TTL.
fn ttl() -> String {
    format!("bitAnd(bitShiftRight(t, {TTL_AT}), 255)")
}

/// The time of a row; `t` is a time with TTL.
fn time() -> String {
    format!("bitShiftRight(t, {TIME_AT})")
}

/// The IP ID; `f` are fields.
fn ip_id() -> String {
    format!("bitAnd(bitShiftRight(f, {IP_ID_AT}), 65535)")
}

/// Columns that all stages pass on unchanged.
const KEPT: &str = "is_followed, next, tail, copies, unclear";
/// Columns that are known once rows have been counted.
const COUNTED: &str = "packets, first, last, syns, latest_syn, syn_payload, origin_rate, origin_node";

/// One row per connection, with the facts that the rules need.
pub(super) fn select(connections: &str, of: &Classified<'_>) -> String {
    let (key, rules) = (of.grain.key(), of.rules);
    format!(
        "SELECT {key}, {KEPT}, {COUNTED}, syn_node, syn_rate, syn_ttl, syn_ip_id, syn_window, syn_marks, syn_options_len, zero_window, fin,
  {}
 FROM (SELECT *,
  {}
 FROM (SELECT {key}, {KEPT}, {COUNTED}, syn_seq,
  {}
 FROM (SELECT {key}, {KEPT}, numbers, fields, times, marks,
  {}
 FROM ({connections}))))",
        list(&facts()),
        list(&chosen(rules)),
        list(&rows()),
        list(&counted())
    )
}

/// Counts of all rows, and of the SYN packets among them.
fn counted() -> Columns {
    let (is_syn, time, ip_id) = (is_syn("f"), time(), ip_id());
    let most =
        |value: &str| format!("arrayMax((n, f, t) -> if({is_syn}, {value}, 0), numbers, fields, times)");
    let parts = [
        (&*time, SYN_TIME_AT),
        (&ip_id, SYN_IP_ID_AT),
        (&ttl(), SYN_TTL_AT),
        (&part("UInt16", "m", WINDOW_AT), SYN_WINDOW_AT),
        (&part("UInt32", "m", RATE_AT), SYN_RATE_AT),
        ("bitAnd(t, 255)", SYN_OPTIONS_AT),
        (&format!("bitAnd(f, {})", Flags::SCANNERS.bits()), SYN_MARKS_AT),
        ("bitAnd(m, 65535)", 0),
    ];
    let syn = packed("UInt256", &parts);
    let of_syns = |list: &str| format!("arrayFilter((x, f) -> {is_syn}, {list}, fields)");
    let [fields, times, marks] = ["fields", "times", "marks"].map(of_syns);
    vec![
        ("packets", "length(fields)".to_owned()),
        ("first", part("UInt64", "arrayMin(times)", TIME_AT)),
        ("last", part("UInt64", "arrayMax(times)", TIME_AT)),
        // Of the earliest row; of the same time the one that is chosen everywhere.
        (
            "origin",
            format!("arrayMin((t, m) -> if({time} = first, bitAnd(m, {ORIGIN}), {MAX_U64}), times, marks)"),
        ),
        ("origin_rate", part("UInt32", "origin", RATE_AT)),
        ("origin_node", part("UInt16", "origin", 0)),
        ("syns", format!("arrayCount(f -> {is_syn}, fields)")),
        ("syn_seq", most("bitShiftRight(n, 32)")),
        ("latest_syn", most(&time)),
        ("syn_payload", most("bitShiftRight(f, 32)")),
        // The earliest one, whose fields count.
        ("syn", format!("arrayMin(arrayMap((f, t, m) -> {syn}, {fields}, {times}, {marks}))")),
    ]
}

/// Rows by their meaning.
fn rows() -> Columns {
    let segment = is_segment();
    let reset = format!("{} AND {} >= latest_syn", has_rst("f"), time());
    let parts = [
        ("bitAnd(n, 4294967295)", 32),
        (&*ip_id(), IP_ID_AT),
        (&ttl(), RST_TTL_AT),
        (&format!("bitAnd(f, {})", Flags::ACK.bits()), 0),
    ];
    let packed_rows = format!("arrayMap((n, f, t) -> {}, numbers, fields, times)", packed("UInt64", &parts));
    vec![
        ("syn_node", part("UInt16", "syn", 0)),
        ("syn_marks", part("UInt16", "syn", SYN_MARKS_AT)),
        ("syn_options_len", part("UInt8", "syn", SYN_OPTIONS_AT)),
        ("syn_rate", part("UInt32", "syn", SYN_RATE_AT)),
        ("syn_window", part("UInt16", "syn", SYN_WINDOW_AT)),
        ("syn_ttl", part("UInt8", "syn", SYN_TTL_AT)),
        ("syn_ip_id", part("UInt16", "syn", SYN_IP_ID_AT)),
        // Whether an acknowledgement or data has the window 0.
        (
            "zero_window",
            format!(
                "arrayExists((n, f, m) -> bitShiftRight(m, {WINDOW_AT}) = 0 AND {segment} AND ({} OR ({})), numbers, fields, marks)",
                flag("f", Flags::ACK),
                is_data()
            ),
        ),
        ("segments", format!("arrayFilter((n, f) -> {segment}, numbers, fields)")),
        ("segment_fields", format!("arrayFilter((f, n) -> {segment}, fields, numbers)")),
        ("resets", format!("arrayFilter((r, f, t) -> {reset}, {packed_rows}, fields, times)")),
        // Of connections with a RST only: the IP ids of all other rows.
        (
            "ids",
            format!(
                "arrayFilter(i -> i != 0, arrayMap(f -> {}, arrayFilter((f, t) -> notEmpty(resets) AND NOT ({reset}), fields, times)))",
                part("UInt16", "f", IP_ID_AT)
            ),
        ),
    ]
}

/// Values derived from the above, each once.
fn chosen(rules: &Rules) -> Columns {
    let (rel, limit) = (rel(), rules.packet_limit);
    let end = format!(
        "arrayMap((n, f) -> if({}, {rel} + bitShiftRight(f, 32), 0), segments, segment_fields)",
        is_data()
    );
    let id = part("UInt16", "r", IP_ID_AT);
    vec![
        // Where data ends; 0 of what is no data.
        ("ends", end),
        ("fin", format!("arrayExists(f -> {}, segment_fields)", flag("f", Flags::FIN))),
        ("full", format!("packets >= {limit}")),
        ("rst_ids", format!("arrayFilter(i -> i != 0, arrayMap(r -> {id}, resets))")),
    ]
}

/// The smallest and the largest of a list's values of which something holds, in this order: different if two are.
fn extremes(value: &str, holds: &str, lists: (&str, &str), most: u64) -> [String; 2] {
    let (arguments, lists) = lists;
    [
        format!("arrayMin({arguments} -> if({holds}, {value}, {most}), {lists})"),
        format!("arrayMax({arguments} -> if({holds}, {value}, 0), {lists})"),
    ]
}

fn facts() -> Columns {
    let ack = flag("f", Flags::ACK);
    let of_segments = ("(n, f)", "segments, segment_fields");
    let [ack_min, ack_max] = extremes("bitAnd(n, 4294967295)", &ack, of_segments, MAX_U32.into());
    let [numbers_min, numbers_max] = extremes("n", &ack, of_segments, MAX_U64);
    let without_id = format!("bitAnd(f, {WITHOUT_IP_ID})");
    let [fields_min, fields_max] = extremes(&without_id, &ack, of_segments, MAX_U64);
    let plain = format!("bitAnd(r, {}) = 0", Flags::ACK.bits());
    let [rst_min, rst_max] = extremes("bitShiftRight(r, 32)", &plain, ("r", "resets"), MAX_U32.into());
    let ttl = part("UInt8", "r", RST_TTL_AT);
    let delta = |extreme: &str| format!("toInt16(array{extreme}(r -> {ttl}, resets)) - syn_ttl");
    let (lowest, highest) = (delta("Min"), delta("Max"));
    vec![
        ("progress", progress()),
        ("answered", format!("{ack_min} < {ack_max}")),
        ("single_ack", format!("has_ack AND {numbers_min} = {numbers_max} AND {fields_min} = {fields_max}")),
        ("has_ack", format!("arrayExists(f -> {ack}, segment_fields)")),
        // Only where it decides.
        (
            "repeats",
            format!(
                "toUInt32(syns - 1 + arrayCount(e -> full AND e > 0, ends) - arrayUniq(
   arrayFilter((n, e) -> full AND e > 0, segments, ends),
   arrayMap(f -> {without_id}, arrayFilter((f, e) -> full AND e > 0, segment_fields, ends))))"
            ),
        ),
        ("rst_acks", format!("arrayCount(r -> NOT ({plain}), resets)")),
        ("plain_rsts", "length(resets) - rst_acks".to_owned()),
        ("ack_numbers_differ", format!("{rst_min} < {rst_max}")),
        ("ack_numbers_zero", format!("{rst_min} = 0")),
        (
            "rst_ttl_delta",
            format!(
                "if(empty(resets), NULL, if(abs({lowest}) > abs({highest}), toInt16({lowest}), toInt16({highest})))"
            ),
        ),
        ("rst_ip_id_delta", IP_ID_DELTA.to_owned()),
    ]
}

/// Data is beyond the first message where it ends behind the first end of data with PSH.
fn progress() -> String {
    let first = format!(
        "arrayMin((e, f) -> if(e > 0 AND {}, e, {MAX_U64}), ends, segment_fields)",
        flag("f", Flags::PSH)
    );
    let number = |progress: Progress| progress as u8;
    format!(
        "toUInt8(multiIf(arrayMax(ends) = 0, if(has_ack, {}, {}), arrayMax(ends) > {first}, {}, {}))",
        number(Progress::PostAck),
        number(Progress::PostSyn),
        number(Progress::Later),
        number(Progress::PostPsh)
    )
}
