use std::io::{self, Write};
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cutshort_model::ConnectionRecord;
use cutshort_packet::{FiveTuple, Flags};
use cutshort_verdict::{DataSet, Row, Tags};
use sha1::{Digest, Sha1};

use super::Writer;

/// A log in Zeek's tab-separated form, with the names of its connection log where that has the
/// field. `conn_state`, what the responder sent and what came back are unset (`-`): one direction
/// does not show them.
pub(super) struct Zeek<W> {
    output: W,
}

/// Names and types of the fields.
const FIELDS: [(&str, &str); 20] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("duration", "interval"),
    ("conn_state", "string"),
    ("history", "string"),
    ("orig_pkts", "count"),
    ("community_id", "string"),
    ("stage", "string"),
    ("termination", "string"),
    ("tags", "set[string]"),
    ("signature", "string"),
    ("rst_ttl_delta", "int"),
    ("rst_ip_id_delta", "count"),
    ("orig_cc", "string"),
    ("orig_asn", "count"),
];

impl<W: Write> Zeek<W> {
    pub(super) fn new(mut output: W) -> io::Result<Self> {
        let names: Vec<_> = FIELDS.iter().map(|(name, _)| *name).collect();
        let types: Vec<_> = FIELDS.iter().map(|(_, kind)| *kind).collect();
        writeln!(output, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-")?;
        writeln!(output, "#path\tcutshort\n#fields\t{}\n#types\t{}", names.join("\t"), types.join("\t"))?;
        Ok(Self { output })
    }
}

impl<W: Write + Send> Writer for Zeek<W> {
    fn write_record(&mut self, record: &ConnectionRecord<'_>, rows: &[Row]) -> io::Result<()> {
        let five_tuple = &record.five_tuple;
        let is_origin = record.data_set == DataSet::Origin;
        let sent = rows.iter().filter(|row| !row.is_received()).count();
        let id = format!(
            "{}\t{}\t{}\t{}",
            five_tuple.src(),
            five_tuple.src_port,
            five_tuple.dst(),
            five_tuple.dst_port
        );
        writeln!(
            self.output,
            "{}\t{}\t{id}\ttcp\t{}\t-\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            seconds(record.first_us),
            uid(five_tuple, record.first_us),
            seconds(record.last_us - record.first_us),
            history(rows),
            unset(if is_origin { (!rows.is_empty()).then_some(sent as u32) } else { Some(record.packets) }),
            community_id(five_tuple),
            record.stage,
            record.termination,
            tags(record.data_set, record.tags),
            unset(record.signature),
            unset(record.rst_ttl_delta),
            unset(record.rst_ip_id_delta),
            unset(record.location.filter(|_| !is_origin).map(cutshort_geo::Country::alpha2)),
            unset(record.asn.filter(|_| !is_origin)),
        )
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.output.flush()
    }
}

fn unset<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn tags(data_set: DataSet, tags: Tags) -> String {
    let tags: Vec<_> = tags.iter(data_set).map(cutshort_verdict::Tag::name).collect();
    if tags.is_empty() { "(empty)".to_owned() } else { tags.join(",") }
}

/// Microseconds as seconds with six decimals, exact.
fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

/// Zeek's history letters, each once, in the order of first appearance: upper case for the originator, and lower case for
/// the responder where its packets are rows.
fn history(rows: &[Row]) -> String {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort();
    let mut history = String::new();
    for letter in rows.iter().flat_map(|row| letters(row)) {
        if !history.contains(letter) {
            history.push(letter);
        }
    }
    if history.is_empty() { "-".to_owned() } else { history }
}

fn letters(row: &Row) -> Vec<char> {
    let has = |flag| row.flags.intersects(flag);
    let bits = match (has(Flags::SYN), has(Flags::FIN), has(Flags::RST)) {
        (true, false, false) if has(Flags::ACK) => "H",
        (true, false, false) => "S",
        // SYN with FIN or RST.
        (true, ..) => "Q",
        // FIN with RST.
        (false, true, true) => "I",
        (false, true, false) => "F",
        (false, false, true) => "R",
        (false, false, false) if row.payload_len == 0 => "A",
        (false, false, false) => "",
    };
    let data = if row.payload_len > 0 && !has(Flags::RST) { "D" } else { "" };
    let letters = data.chars().chain(bits.chars());
    match () {
        // Zeek's connection log has no letter for ICMP.
        () if row.is_icmp() => Vec::new(),
        // What the responder sent.
        () if row.is_received() => letters.map(|letter| letter.to_ascii_lowercase()).collect(),
        () => letters.collect(),
    }
}

/// Zeek's uids are random; this one is the same whenever the same connection is read.
fn uid(five_tuple: &FiveTuple, first_us: i64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash =
        Sha1::new().chain_update(five_tuple.to_string()).chain_update(first_us.to_be_bytes()).finalize();
    let digits = hash.iter().take(17).map(|byte| char::from(DIGITS[usize::from(*byte) % DIGITS.len()]));
    std::iter::once('C').chain(digits).collect()
}

/// Community ID version 1 with seed 0 (<https://github.com/corelight/community-id-spec>): the
/// same for both directions of a connection.
fn community_id(five_tuple: &FiveTuple) -> String {
    const TCP: u8 = 6;
    let source = (octets(five_tuple.src()), five_tuple.src_port);
    let target = (octets(five_tuple.dst()), five_tuple.dst_port);
    let (low, high) = if source <= target { (source, target) } else { (target, source) };
    let hash = Sha1::new()
        .chain_update([0, 0])
        .chain_update(&low.0)
        .chain_update(&high.0)
        .chain_update([TCP, 0])
        .chain_update(low.1.to_be_bytes())
        .chain_update(high.1.to_be_bytes())
        .finalize();
    format!("1:{}", STANDARD.encode(hash))
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ts: i64, flags: &str, payload_len: u32) -> Row {
        Row { ts, flags: Flags::from_letters(flags).unwrap(), payload_len, ..Row::default() }
    }

    /// From the test vectors of the specification (`baseline_deflt.json`).
    #[test]
    fn the_community_id_is_corelights() {
        let pair = |src: &str, sport, dst: &str, dport| {
            let tuple = FiveTuple::new(src.parse().unwrap(), sport, dst.parse().unwrap(), dport);
            assert_eq!(community_id(&tuple), community_id(&tuple.reversed()));
            community_id(&tuple)
        };
        assert_eq!(pair("128.232.110.120", 34855, "66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    }

    #[test]
    fn the_history_has_each_letter_once_in_the_order_of_time() {
        let rows = [row(3, "PA", 9), row(0, "S", 0), row(1, "A", 0), row(2, "PA", 5), row(4, "RA", 0)];
        assert_eq!(history(&rows), "SADR");
        assert_eq!(history(&[row(0, "SF", 0), row(1, "FR", 0), row(2, "FA", 3)]), "QIDF");
        assert_eq!(history(&[]), "-");
    }

    #[test]
    fn times_are_exact() {
        assert_eq!(seconds(1_718_000_000_000_001), "1718000000.000001");
        assert_eq!(seconds(-1), "-1.999999");
    }
}
