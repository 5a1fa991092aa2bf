//! The marks of SYN packets as scanners send them, in SQL.

use cutshort_packet::{Flags, SynOptions};
use cutshort_verdict::{ZMAP_WINDOW, ZMAP4_OPTIONS};

use super::flows::is_syn;

/// The address in a column as 16 bytes, in network order.
fn bytes(column: &str) -> String {
    format!("reinterpretAsFixedString({column})")
}

/// The bits of `Flags` that a row of `packet` has besides its flags. `is_full` says whether its addresses are full: others
/// say nothing about numbers that were derived from addresses.
pub(super) fn of_packet(is_full: &str) -> String {
    let server = format!("reinterpretAsUInt32(reverse(substring({}, 13, 4)))", bytes("dst_ip"));
    let is_ipv4 = format!("substring({}, 1, 12) = unhex('00000000000000000000FFFF')", bytes("dst_ip"));
    let options =
        ZMAP4_OPTIONS.map(|SynOptions { kinds, mss, wscale }| format!("({kinds}, {mss}, {wscale})"));
    let zmap4 =
        format!("df = 0 AND window = {ZMAP_WINDOW} AND (options, mss, wscale) IN ({})", options.join(", "));
    let masscan =
        format!("window != {ZMAP_WINDOW} AND ip_id = toUInt16(bitXor(bitXor({server}, dst_port), seq))");
    let mirai = format!("seq = {server}");
    let marked = [
        (Flags::ZMAP4, zmap4),
        (Flags::MASSCAN, format!("{is_full} AND {masscan}")),
        (Flags::MIRAI, format!("{is_full} AND {mirai}")),
    ];
    let marks = marked.map(|(mark, holds)| format!("if({holds}, {}, 0)", mark.bits()));
    format!("toUInt16(if({} AND {is_ipv4}, {}, 0))", is_syn("flags"), marks.join(" + "))
}
