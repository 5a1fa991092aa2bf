//! Flows to what the rules ask for: each list is reduced to a number or two.

use cutshort_packet::Flags;
use cutshort_verdict::{Progress, Rules};

use super::flows::{IP_ID_AT, ORIGIN_TIME_AT, RATE_AT, SYN_IP_ID_AT, SYN_TTL_AT, TTL_AT, WINDOW_AT};
use super::{Classified, Columns, list};

/// Fields without the IP id: payload length and flags.
const WITHOUT_IP_ID: u64 = !(0xffff << IP_ID_AT);
const MAX_U32: u32 = u32::MAX;
const MAX_U64: u64 = u64::MAX;

/// The bits of a number from `at` on, as a type.
fn part(kind: &str, sql: &str, at: u32) -> String {
    format!("to{kind}(bitShiftRight({sql}, {at}))")
}

fn flag(list: &str, flag: Flags) -> String {
    format!("bitAnd({list}, {}) != 0", flag.bits())
}

/// Rows that are neither SYN nor RST, nor the tail of an older connection; `n` is a number, `f` are fields.
fn is_segment() -> String {
    let odd = (Flags::SYN | Flags::RST).bits();
    format!("bitAnd(f, {odd}) = 0 AND {} < 2147483648", rel())
}

fn rel() -> String {
    "toUInt32(bitShiftRight(n, 32) - syn_seq)".to_owned()
}

/// Numbers that stand in the key's and in all further storeys as they are.
const KEPT: &str =
    "packets, last, syns, latest_syn, syn_seq != syn_seq_max AS several_syns, syn_payload, unclear";

/// One row a flow, with what the rules ask for.
pub(super) fn select(flows: &str, of: &Classified<'_>) -> String {
    let (key, rules) = (of.grain.key(), of.rules);
    let rows = list(&rows());
    let chosen = list(&chosen(rules));
    let facts = list(&facts());
    format!(
        "SELECT {key}, packets, last, syns, latest_syn, several_syns, syn_payload, unclear, first, origin_rate, origin_node,
  syn_node, syn_rate, syn_ttl, syn_ip_id, syn_window, fin, copies,
  {facts}
 FROM (SELECT *,
  {chosen}
 FROM (SELECT {key}, {KEPT}, wholes, fields, numbers,
  {rows}
 FROM ({flows})))"
    )
}

/// Parts of packed numbers, and rows by what they mean.
fn rows() -> Columns {
    let segment = is_segment();
    vec![
        ("first", part("UInt64", "origin", ORIGIN_TIME_AT)),
        ("origin_rate", part("UInt32", "origin", RATE_AT)),
        ("origin_node", part("UInt16", "origin", 0)),
        ("syn_node", part("UInt16", "syn", 0)),
        ("syn_rate", part("UInt32", "syn", RATE_AT)),
        ("syn_window", part("UInt16", "syn", WINDOW_AT)),
        ("syn_ttl", part("UInt8", "syn", SYN_TTL_AT)),
        ("syn_ip_id", part("UInt16", "syn", SYN_IP_ID_AT)),
        ("syn_seq_kept", "syn_seq".to_owned()),
        ("segments", format!("arrayFilter((n, f) -> {segment}, numbers, fields)")),
        ("segment_fields", format!("arrayFilter((f, n) -> {segment}, fields, numbers)")),
        ("resets", "arrayFilter((r, t) -> t >= latest_syn, rsts, rst_times)".to_owned()),
        ("earlier_rsts", "arrayFilter((r, t) -> t < latest_syn, rsts, rst_times)".to_owned()),
    ]
}

/// What is made of them, once.
fn chosen(rules: &Rules) -> Columns {
    let rel = rel().replace("syn_seq", "syn_seq_kept");
    let limit = rules.packet_limit;
    let end = format!(
        "arrayMap((n, f) -> if(bitShiftRight(f, 32) = 0 OR (bitShiftRight(f, 32) = 1 AND {rel} = 0), 0,
   {rel} + bitShiftRight(f, 32)), segments, segment_fields)"
    );
    let rst = Flags::RST.bits();
    let id = |row: &str| part("UInt16", row, IP_ID_AT);
    vec![
        // Where data ends; 0 of what is no data.
        ("ends", end),
        ("fin", format!("arrayExists(f -> {}, segment_fields)", flag("f", Flags::FIN))),
        ("full", format!("packets >= {limit}")),
        // Of flows with a RST only.
        (
            "ids",
            format!(
                "arrayFilter(i -> i != 0, arrayConcat(
   arrayMap(f -> {}, arrayFilter(f -> notEmpty(resets) AND bitAnd(f, {rst}) = 0, fields)),
   arrayMap(r -> {}, arrayFilter(r -> notEmpty(resets), earlier_rsts))))",
                id("f"),
                id("r")
            ),
        ),
        ("rst_ids", format!("arrayFilter(i -> i != 0, arrayMap(r -> {}, resets))", id("r"))),
        ("places", "arrayEnumerateUniq(wholes)".to_owned()),
        // Rows that equal another: those that repeat one, and those that are repeated.
        ("copies", "toUInt32(arraySum(p -> (p > 1) + (p = 2), places))".to_owned()),
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
    let ttl = part("UInt8", "r", TTL_AT);
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
        (
            "rst_ip_id_delta",
            "if(empty(ids) OR empty(rst_ids), NULL,
   arrayMax(r -> arrayMin(i -> least(toUInt16(r - i), toUInt16(i - r)), ids), rst_ids))"
                .to_owned(),
        ),
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
