//! Packets to flows: aggregates without order, which can be put together in any grouping.

use cutshort_packet::Flags;
use cutshort_verdict::Rules;

use super::{Columns, Grain, list};

/// Rows of packets.
pub(crate) struct Source {
    /// A table or a subquery with the columns of `packet`.
    pub(crate) rows: String,
    /// Which of them.
    pub(crate) filter: String,
    /// How the addresses of a row are kept, by number, where that is part of the key.
    pub(crate) addresses: String,
    /// The position of a row's server among the names of all, in their order.
    pub(crate) node: String,
    /// Whether a row is one of several segments that may have the same packets.
    pub(crate) doubtful: String,
}

/// The time of a row since the beginning of its window, which fits into 40 bits.
fn offset(grain: Grain) -> String {
    format!("toUInt64(toUnixTimestamp64Nano(ts) - {})", grain.window())
}

/// Where in [`FIELDS`](fields) and in `rsts` numbers are. Flags are lowest; of RSTs only the ACK flag.
pub(super) const IP_ID_AT: u32 = 16;
pub(super) const TTL_AT: u32 = 8;
/// In `syn` and in `origin`, from the lowest bit on: node, sample rate; then in `syn` window, TTL, IP id; then the time.
pub(super) const RATE_AT: u32 = 16;
pub(super) const WINDOW_AT: u32 = 48;
pub(super) const SYN_TTL_AT: u32 = 64;
pub(super) const SYN_IP_ID_AT: u32 = 72;
pub(super) const ORIGIN_TIME_AT: u32 = 48;
const SYN_TIME_AT: u32 = 88;

/// Numbers side by side in one, each shifted to its place.
fn packed(kind: &str, parts: &[(&str, u32)]) -> String {
    let shifted = parts.iter().map(|(sql, at)| match at {
        0 => format!("to{kind}({sql})"),
        at => format!("bitShiftLeft(to{kind}({sql}), {at})"),
    });
    shifted.reduce(|all, next| format!("bitOr({all}, {next})")).unwrap_or_default()
}

/// Of a SYN packet: none of the other bits that open, close or answer.
fn is_syn() -> String {
    let decisive = Flags::SYN | Flags::ACK | Flags::RST | Flags::FIN;
    format!("bitAnd(flags, {}) = {}", decisive.bits(), Flags::SYN.bits())
}

fn has_rst() -> String {
    format!("bitAnd(flags, {}) != 0", Flags::RST.bits())
}

impl Source {
    /// One row a flow.
    pub(super) fn flows(&self, grain: Grain, rules: &Rules) -> String {
        let Self { rows, filter, node, doubtful, .. } = self;
        let (syn, rst, offset) = (is_syn(), has_rst(), offset(grain));
        let syn_order = packed(
            "UInt128",
            &[
                (&offset, SYN_TIME_AT),
                ("ip_id", SYN_IP_ID_AT),
                ("ttl", SYN_TTL_AT),
                ("window", WINDOW_AT),
                ("sample_rate", RATE_AT),
                (node, 0),
            ],
        );
        let origin = packed("UInt128", &[(&offset, ORIGIN_TIME_AT), ("sample_rate", RATE_AT), (node, 0)]);
        let fields = packed("UInt64", &[("payload_len", 32), ("ip_id", IP_ID_AT), ("flags", 0)]);
        let rsts = packed("UInt64", &[("ack", 32), ("ip_id", IP_ID_AT), ("ttl", TTL_AT), (&flag_ack(), 0)]);
        let numbers = packed("UInt64", &[("seq", 32), ("ack", 0)]);
        let columns: Columns = vec![
            ("packets", "count()".to_owned()),
            ("last", format!("max({offset})")),
            // The earliest row; of the same time the one that is chosen everywhere.
            ("origin", format!("min({origin})")),
            ("syns", format!("countIf({syn})")),
            ("syn_seq", format!("minIf(seq, {syn})")),
            ("syn_seq_max", format!("maxIf(seq, {syn})")),
            ("latest_syn", format!("maxIf({offset}, {syn})")),
            ("syn_payload", format!("maxIf(payload_len, {syn})")),
            ("syn", format!("minIf({syn_order}, {syn})")),
            ("numbers", format!("groupArray({numbers})")),
            ("fields", format!("groupArray({fields})")),
            ("wholes", format!("groupArray({WHOLE})")),
            ("rst_times", format!("groupArrayIf({offset}, {rst})")),
            ("rsts", format!("groupArrayIf({rsts}, {rst})")),
            // Several captures may have brought more than one may, or the same: that is not judged here.
            ("unclear", format!("countIf(node = '') > {} OR countIf({doubtful}) > 1", rules.packet_limit)),
        ];
        let (key, selected) = (grain.key(), self.selected(grain.key()));
        format!("SELECT {selected},\n  {}\n FROM {rows}\n WHERE {filter}\n GROUP BY {key}", list(&columns))
    }

    fn selected(&self, columns: &str) -> String {
        columns.replace("addresses", &format!("{} AS addresses", self.addresses))
    }

    /// The latest RST bit, by the flow whose other direction has it. One more than its time: none is 0.
    pub(super) fn other_rsts(&self, grain: Grain) -> String {
        let Self { rows, filter, .. } = self;
        let (more, selected, offset) = (grain.more(), self.selected(grain.more()), offset(grain));
        format!(
            "SELECT server_ip AS src_ip, server_port AS src_port, client_ip AS dst_ip, client_port AS dst_port{more},
  other_rst FROM (
  SELECT src_ip AS client_ip, src_port AS client_port, dst_ip AS server_ip, dst_port AS server_port{selected},
   max({offset}) + 1 AS other_rst
  FROM {rows}\n WHERE {} AND {filter}
  GROUP BY client_ip, client_port, server_ip, server_port{more})",
            has_rst()
        )
    }
}

fn flag_ack() -> String {
    format!("bitAnd(flags, {})", Flags::ACK.bits())
}

/// Equal for rows that are equal in every field but time and TTL.
const WHOLE: &str = "cityHash64(seq, ack, payload_len, ip_id, flags, window, options_len, sample_rate)";
