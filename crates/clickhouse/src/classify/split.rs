//! Divides flows into connections if their ports were used again (docs/spec.md#split).
//!
//! Most flows are one connection and are passed on unchanged. Rows of the others are ordered by time, SYN packets
//! before other rows of the same time; a connection has the rows from one position up to another.

use cutshort_packet::Flags;

use super::flows::{LISTS, TIME_AT, is_syn, packed};
use super::{Classified, Columns, list};

/// The position of the time in a row's order. The bits below are the sequence numbers of SYN packets, and a bit for
/// other rows.
const PLACE_TIME_AT: u32 = 33;
const OTHER: u64 = 1 << 32;
/// An order after all rows.
const NOWHERE: &str = "bitShiftLeft(toUInt128(1), 127)";

/// One row per connection, or flow without a SYN packet. `next` is when the next connection on its ports begins;
/// `copies` and `tail`, which are counted per flow, are those of a flow's first connection.
pub(super) fn select(flows: &str, of: &Classified<'_>) -> String {
    let key = of.grain.key();
    let whole = LISTS.map(|(whole, _)| whole).join(", ");
    let own: Columns = LISTS.iter().map(|(whole, name)| (*name, of_connection(whole))).collect();
    format!(
        "SELECT {key}, unclear, if(nth = 1, all_copies, 0) AS copies, if(nth = 1, older, 0) AS tail, is_followed, next,
  {}
 FROM (SELECT {key}, unclear, all_copies, older, is_split, {whole}, nth, until < {NOWHERE} AS is_followed,
  if(is_followed, toUInt64(bitShiftRight(until, {PLACE_TIME_AT})), {}) AS next,
  arrayFilter(i -> places[i] >= begin AND places[i] < until, arrayEnumerate(places)) AS chosen
 FROM (SELECT {key}, unclear, is_split, {whole},
  {}
 FROM ({flows}))
 ARRAY JOIN begins AS begin, arrayPushBack(arrayPopFront(begins), {NOWHERE}) AS until, arrayEnumerate(begins) AS nth)",
        list(&own),
        u64::MAX,
        list(&places())
    )
}

fn of_connection(whole: &str) -> String {
    format!("if(is_split, arrayMap(i -> {whole}[i], chosen), {whole})")
}

/// The order of rows, and where connections begin: at each SYN packet with another sequence number than the previous
/// one.
fn places() -> Columns {
    let time = format!("bitShiftRight(t, {TIME_AT})");
    let order = format!("if({}, bitShiftRight(n, 32), {OTHER})", is_syn("f"));
    let place = packed("UInt128", &[(&time, PLACE_TIME_AT), (&order, 0)]);
    let rest =
        "arrayMap((m, t) -> bitOr(bitAnd(m, bitNot(toUInt64(65535))), bitAnd(t, 255)), all_marks, all_times)";
    let syns = format!("arraySort(arrayFilter(p -> bitAnd(p, {OTHER}) = 0, places))");
    vec![
        (
            "places",
            format!(
                "if(is_split, arrayMap((n, f, t) -> {place}, all_numbers, all_fields, all_times), CAST([], 'Array(UInt128)'))"
            ),
        ),
        ("begins", format!("if(is_split, arrayCompact(p -> toUInt32(p), {syns}), [toUInt128(0)])")),
        ("older", "toUInt32(arrayCount(p -> p < begins[1], places))".to_owned()),
        // Rows that equal another in all but time, TTL and node: those that repeat one, and those that are repeated.
        (
            "all_copies",
            format!(
                "toUInt32(arraySum(p -> (p > 1) + (p = 2), arrayEnumerateUniq(all_numbers, arrayMap(f -> bitAnd(f, {}), all_fields), {rest})))",
                !u64::from(Flags::SCANNERS.bits())
            ),
        ),
    ]
}
