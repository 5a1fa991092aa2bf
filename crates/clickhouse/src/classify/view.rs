//! The view `classified`: every connection of some windows, for queries in SQL.
//!
//! It has the same verdicts as the window job, from the packets that are stored now. Packets of a flow that are from
//! several captures are first combined and limited, as the window job does.

use cutshort_model::{Addresses, Window};
use cutshort_verdict::{DataSet, Progress, Rules, Stage};

use super::flows::is_syn;
use crate::results::COVERED_TO;

use super::{Classified, Grain, PacketRows, marks};

/// The columns of `packet` in which rows of several captures must agree to be the same, in the order in which the
/// limit takes rows; marks may differ, as earlier versions kept less of a packet.
const ROW: &str = "ts, flags, ip_id, seq, ack, payload_len, sample_rate, window, ttl, options_len";
/// All columns of a row that was merged.
const MARKED: &str = "ts, flags, ip_id, seq, ack, payload_len, sample_rate, window, ttl, options_len, marks";
const FLOW: &str = "window_start, src_ip, src_port, dst_ip, dst_port, flow";
/// A hash of a flow that is the same for both directions.
const HASH: &str =
    "cityHash64(window_start, flow, cityHash64(src_ip, src_port) + cityHash64(dst_ip, dst_port))";
const PAIR: &str = "window_start, flow, arraySort([(src_ip, src_port), (dst_ip, dst_port)])";

/// The query of the view on the tables of a database. Its parameters are the start of the first window and the end of
/// the last one.
pub(crate) fn query(database: &str) -> String {
    let rules = Rules::default();
    let tables = ViewTables { database };
    let sources = [tables.ordinary(), tables.of_several_captures(&rules)];
    let window_end = format!("toUnixTimestamp64Nano(window_start) + {}", Window::LENGTH);
    let covered = format!(
        "(SELECT toUnixTimestamp64Nano({COVERED_TO}) FROM {database}.segment FINAL WHERE state IN ('kept', 'deleted'))"
    );
    let cutoff = format!("least({window_end}, {covered})");
    let judged = Classified { grain: Grain::All, sources: &sources, cutoff: &cutoff, rules: &rules }.sql();
    format!("SELECT {}\n FROM ({judged}))", columns(&tables))
}

fn columns(tables: &ViewTables<'_>) -> String {
    let micros = |ns: &str| format!("intDiv({ns} - positiveModulo({ns}, 1000), 1000)");
    let time = |ns: &str| format!("fromUnixTimestamp64Micro({}, 'UTC')", micros(ns));
    let of_verdict = |term: String| format!("if(excluded = 0, {term}, '')");
    let names = |names: Vec<&str>, number: &str| format!("{}[{number} + 1]", texts(&names));
    let set = DataSet::Tcp;
    let exclusions = [""].into_iter().chain(set.exclusions().iter().map(|reason| reason.name())).collect();
    let signatures =
        [""].into_iter().chain(set.signatures().iter().map(|signature| signature.name())).collect();
    let terminations = set.terminations().iter().map(|end| end.name()).collect();
    let tags = set.tag_names();
    let excluded_first = |name: &str, zero: &str| format!("if(excluded = 0, {name}, {zero})");
    let columns = [
        ("window_start", "window_start".to_owned()),
        ("first_us", time("first_ns")),
        ("last_us", time("last_ns")),
        ("node", format!("{}[node]", tables.nodes())),
        ("src_ip", "src_ip".to_owned()),
        ("src_port", "src_port".to_owned()),
        ("dst_ip", "dst_ip".to_owned()),
        ("dst_port", "dst_port".to_owned()),
        ("addresses", names(Addresses::ALL.map(Addresses::name).to_vec(), "addresses")),
        ("flow", "flow".to_owned()),
        ("packets", "packets".to_owned()),
        ("tail", "tail".to_owned()),
        ("excluded", names(exclusions, "excluded")),
        ("progress", of_verdict(names(Progress::ALL.map(Progress::name).to_vec(), "progress"))),
        ("stage", of_verdict(names(Stage::ALL.map(Stage::name).to_vec(), "stage"))),
        ("termination", of_verdict(names(terminations, "termination"))),
        ("tags", excluded_first("tags", "0")),
        (
            "tag_names",
            format!(
                "arrayMap(bit -> {}[bit + 1], bitPositionsToArray({}))",
                texts(&tags),
                excluded_first("tags", "toUInt32(0)")
            ),
        ),
        ("signature_id", excluded_first("signature_id", "0")),
        ("signature", of_verdict(names(signatures, "signature_id"))),
        ("completed", format!("excluded = 0 AND progress != {}", Progress::PostSyn as u8)),
        ("rst_ttl_delta", "rst_ttl_delta".to_owned()),
        ("rst_ip_id_delta", "rst_ip_id_delta".to_owned()),
        ("silent_us", micros("greatest(silent_ns, 0)")),
        ("sample_rate", "sample_rate".to_owned()),
    ];
    // Names of their own, so that a column is not taken for the one that it is made of.
    let inner =
        columns.iter().map(|(name, sql)| format!("{sql} AS told_{name}")).collect::<Vec<_>>().join(",\n  ");
    let outer =
        columns.iter().map(|(name, _)| format!("told_{name} AS {name}")).collect::<Vec<_>>().join(", ");
    format!("{outer}\n FROM (SELECT {inner}")
}

fn texts(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    format!("[{}]", names.join(", "))
}

struct ViewTables<'a> {
    /// The database, quoted for SQL.
    database: &'a str,
}

impl ViewTables<'_> {
    /// The names of all nodes, in order.
    fn nodes(&self) -> String {
        format!("(SELECT arraySort(groupUniqArray(toString(node))) FROM {}.segment)", self.database)
    }

    fn node(&self, name: &str) -> String {
        format!("toUInt16(indexOf({}, {name}))", self.nodes())
    }

    /// Packets of windows in the range.
    fn packets(&self) -> String {
        let database = self.database;
        format!(
            "window_start >= {{since:DateTime('UTC')}} AND window_start < {{until:DateTime('UTC')}}
   AND segment GLOBAL IN (SELECT id FROM {database}.segment FINAL WHERE state = 'kept')"
        )
    }

    /// How addresses are kept: full in most segments.
    fn addresses(&self) -> String {
        let database = self.database;
        let others = Addresses::ALL.into_iter().filter(|addresses| *addresses != Addresses::Full);
        let others = others.map(|addresses| {
            let name = addresses.name();
            format!(
                "segment GLOBAL IN (SELECT id FROM {database}.segment FINAL WHERE addresses = '{name}'), {}",
                addresses as u8
            )
        });
        format!("toUInt8(multiIf({}, {}))", others.collect::<Vec<_>>().join(", "), Addresses::Full as u8)
    }

    /// Flows that several captures have, by a hash: it does no harm if one more matches. As a scalar it is computed
    /// once, however often it is used.
    fn doubtful(&self) -> String {
        let (database, packets) = (self.database, self.packets());
        format!(
            "(SELECT arrayJoin((SELECT groupUniqArray({HASH}) FROM (SELECT {FLOW} FROM {database}.packet
    WHERE {packets} AND node = '' GROUP BY {FLOW} HAVING min(segment) != max(segment)))))"
        )
    }

    fn ordinary(&self) -> PacketRows {
        let (packets, doubtful) = (self.packets(), self.doubtful());
        PacketRows {
            rows: format!("{}.packet", self.database),
            filter: format!("{packets} AND {HASH} GLOBAL NOT IN {doubtful}"),
            addresses: self.addresses(),
            node: self.node("node"),
            marks: marks::of_packet(&format!("{} = {}", self.addresses(), Addresses::Full as u8)),
            unclear: "0".to_owned(),
        }
    }

    /// The first rows of each connection of captures, counted from the start of a connection in either direction; of
    /// the same time, SYN packets are first, as where flows are divided.
    fn of_several_captures(&self, rules: &Rules) -> PacketRows {
        let limit = rules.packet_limit;
        let rows = format!(
            "(SELECT {FLOW}, kept, {MARKED}, node FROM (
   SELECT *, row_number() OVER (PARTITION BY {FLOW}, kept, node = '', begun
    ORDER BY ts, is_syn DESC, if(is_syn, seq, 0), {MARKED}) AS nth FROM ({}))
  WHERE node != '' OR NOT is_over OR nth <= {limit})",
            self.counted_anew(limit)
        );
        PacketRows {
            rows,
            filter: "1".to_owned(),
            addresses: "kept".to_owned(),
            node: self.node("node"),
            marks: "marks".to_owned(),
            unclear: "0".to_owned(),
        }
    }

    /// Rows with the number of connections that have begun on their ports, and whether the limit must be applied to
    /// their flow.
    fn counted_anew(&self, limit: u32) -> String {
        format!(
            "SELECT *, sum(begins) OVER (PARTITION BY {PAIR}, kept ORDER BY ts) AS begun,
   countIf(node = '') OVER flows > {limit}
    AND minIf(segment, node = '') OVER flows != maxIf(segment, node = '') OVER flows AS is_over
  FROM (SELECT *, is_syn AND (count() OVER before = 0 OR any(seq) OVER before != seq) AS begins
   FROM (SELECT *, {} AS is_syn FROM ({}))
   WINDOW before AS (PARTITION BY {FLOW}, kept, is_syn ORDER BY ts, seq ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING))
  WINDOW flows AS (PARTITION BY {FLOW}, kept)",
            is_syn("flags"),
            self.merged()
        )
    }

    /// A packet that several captures have counts as often as in the one that has it most often.
    fn merged(&self) -> String {
        let (database, packets, addresses) = (self.database, self.packets(), self.addresses());
        let doubtful = format!("{HASH} GLOBAL IN {}", self.doubtful());
        let marks = marks::of_packet(&format!("kept = {}", Addresses::Full as u8));
        let live = format!(
            "SELECT {FLOW}, {addresses} AS kept, {ROW}, {marks} AS marks, toString(node) AS node, toString(segment) AS segment
   FROM {database}.packet WHERE {packets} AND node != '' AND {doubtful}"
        );
        format!(
            "{live}
  UNION ALL
  SELECT {FLOW}, kept, {MARKED}, '' AS node, most.2 AS segment FROM (
   SELECT {FLOW}, kept, {ROW}, max((times, capture)) AS most, groupBitOr(of_capture) AS marks FROM (
    SELECT {FLOW}, {addresses} AS kept, {ROW}, toString(segment) AS capture, count() AS times,
     groupBitOr({marks}) AS of_capture FROM {database}.packet
    WHERE {packets} AND node = '' AND {doubtful} GROUP BY {FLOW}, kept, {ROW}, capture)
   GROUP BY {FLOW}, kept, {ROW}) ARRAY JOIN range(most.1) AS nth"
        )
    }
}
