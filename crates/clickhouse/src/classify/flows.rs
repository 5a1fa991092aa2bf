//! Groups packets into flows, as lists in any order, which the server can combine in any grouping.

use cutshort_packet::Flags;

use super::{Column, Columns, Grain, list, marks};

/// The rows of packets to classify.
pub(crate) struct PacketRows {
    /// A table or a subquery with the columns of `packet`.
    pub(crate) rows: String,
    /// The condition that selects rows.
    pub(crate) filter: String,
    /// The number of the way in which a row's addresses are kept, if it is part of the key.
    pub(crate) addresses: String,
    /// The index of a row's node among the names of all nodes, in order.
    pub(crate) node: String,
    /// The marks of a row, as bits of its flags.
    pub(crate) marks: String,
    /// Whether a flow must be judged from its packets by the window job: an aggregate.
    pub(crate) unclear: String,
}

impl Grain {
    /// The time of a row since the start of its window, which fits into 40 bits.
    pub(super) fn offset(self) -> String {
        format!("toUInt64(toUnixTimestamp64Nano(ts) - {})", self.window())
    }
}

/// A field of rows in a list: its name, type and expression.
pub(super) type Field = (&'static str, &'static str, &'static str);

/// Stand for the time of a row since the start of its window, the index of its node, and its marks.
pub(super) const OFFSET: &str = "@OFFSET@";
pub(super) const NODE: &str = "@NODE@";
pub(super) const MARKS: &str = "@MARKS@";

/// Positions in `fields`, above the flags and marks; the payload's length is highest.
pub(super) const IP_ID_AT: u32 = 16;
/// The position in `times`, above the length of options.
pub(super) const TTL_AT: u32 = 8;
pub(super) const TIME_AT: u32 = 16;
/// The position in `marks`, above the node.
pub(super) const RATE_AT: u32 = 16;
pub(super) const WINDOW_AT: u32 = 48;

/// Several values in one number, each shifted to its position.
pub(super) fn packed(kind: &str, parts: &[(&str, u32)]) -> String {
    let shifted = parts.iter().map(|(sql, at)| match at {
        0 => format!("to{kind}({sql})"),
        at => format!("bitShiftLeft(to{kind}({sql}), {at})"),
    });
    shifted.reduce(|all, next| format!("bitOr({all}, {next})")).unwrap_or_default()
}

/// Whether flags are those of a SYN packet: with no other bit that opens, closes or answers.
pub(super) fn is_syn(flags: &str) -> String {
    format!("bitAnd({flags}, {}) = {}", Flags::SYN_MASK.bits(), Flags::SYN.bits())
}

pub(super) fn has_rst(flags: &str) -> String {
    format!("bitAnd({flags}, {}) != 0", Flags::RST.bits())
}

/// The lists of a flow's rows, in the same order, and their names for one of its connections.
pub(super) const LISTS: [(&str, &str); 4] =
    [("all_numbers", "numbers"), ("all_fields", "fields"), ("all_times", "times"), ("all_marks", "marks")];

impl PacketRows {
    /// The marks of a row of the table `packet` whose addresses are full.
    pub(crate) fn marks() -> String {
        marks::of_packet("1")
    }

    /// One row per flow.
    pub(super) fn flows(&self, grain: Grain) -> String {
        let Self { rows, filter, node, marks, unclear, .. } = self;
        let (syn, offset) = (is_syn("flags"), grain.offset());
        let packed = [
            packed("UInt64", &[("seq", 32), ("ack", 0)]),
            packed("UInt64", &[("payload_len", 32), ("ip_id", IP_ID_AT), ("flags", 0), (marks, 0)]),
            packed("UInt64", &[(&offset, TIME_AT), ("ttl", TTL_AT), ("options_len", 0)]),
            packed("UInt64", &[("window", WINDOW_AT), ("sample_rate", RATE_AT), (node, 0)]),
        ];
        let lists = LISTS.iter().zip(packed).map(|((name, _), row)| (*name, format!("groupArray({row})")));
        let mut columns: Columns = lists.collect();
        columns.extend([
            // Whether its ports were used again, or it begins with what is older.
            (
                "is_split",
                format!(
                    "countIf({syn}) > 0 AND (minIf(seq, {syn}) != maxIf(seq, {syn}) OR min(ts) < minIf(ts, {syn}))"
                ),
            ),
            ("unclear", unclear.clone()),
        ]);
        let (key, selected) = (grain.key(), self.selected(grain.key()));
        format!("SELECT {selected},\n  {}\n FROM {rows}\n WHERE {filter}\n GROUP BY {key}", list(&columns))
    }

    fn selected(&self, columns: &str) -> String {
        columns.replace("addresses", &format!("{} AS addresses", self.addresses))
    }

    /// One row per flow: its rows in one list of named fields, in any order, and their number.
    pub(super) fn rows(&self, grain: Grain, fields: &[Field]) -> String {
        let Self { rows, filter, node, marks, unclear, .. } = self;
        let values: Vec<&str> = fields.iter().map(|(.., value)| *value).collect();
        let types: Vec<String> = fields.iter().map(|(name, kind, _)| format!("{name} {kind}")).collect();
        let row = format!("CAST(({}), 'Tuple({})')", values.join(", "), types.join(", "));
        let row = row.replace(OFFSET, &grain.offset()).replace(NODE, node).replace(MARKS, marks);
        let (key, selected) = (grain.key(), self.selected(grain.key()));
        format!(
            "SELECT {selected},\n  count() AS all_rows, {unclear} AS unclear, groupArray({row}) AS rows
 FROM {rows}\n WHERE {filter}\n GROUP BY {key}"
        )
    }

    /// The times of RST bits, by the flow that they are the other direction of.
    pub(super) fn other_rsts(&self, grain: Grain) -> String {
        let times = format!("groupArray({})", grain.offset());
        self.of_other_direction(grain, &has_rst("flags"), &[("other_rsts", times)])
    }

    /// Aggregates of rows, by the flow that they are the other direction of.
    pub(super) fn of_other_direction(&self, grain: Grain, such: &str, columns: &[Column]) -> String {
        let Self { rows, filter, .. } = self;
        let (more, selected) = (grain.more(), self.selected(grain.more()));
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        format!(
            "SELECT server_ip AS src_ip, server_port AS src_port, client_ip AS dst_ip, client_port AS dst_port{more},
  {} FROM (
  SELECT src_ip AS client_ip, src_port AS client_port, dst_ip AS server_ip, dst_port AS server_port{selected},
   {}
  FROM {rows}\n WHERE {such} AND {filter}
  GROUP BY client_ip, client_port, server_ip, server_port{more})",
            names.join(", "),
            list(columns)
        )
    }
}
