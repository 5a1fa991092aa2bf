//! Extreme values and unpleasant names in the formats for programs.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use cutshort_geo::Geo;
use cutshort_model::{ADDRESSES, Addresses, ConnectionRecord, FIELDS, JudgedConnection};
use cutshort_packet::FiveTuple;
use cutshort_report::connection::Format;
use cutshort_report::{Filter, Summary};
use cutshort_store::connection_file::{concatenate, read, stored};
use cutshort_verdict::{DataSet, Verdict};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::TrackedWrite;
use serde_json::Value;

use common::{TS, closed, connection, five_tuple, geo, reset, written};

const NAME: &str = "Comma, \"Quote\", semi; Ünï 网";

fn networks() -> Geo {
    geo(&format!("198.51.100.0,198.51.100.255,PE,4294967294,\"{}\"\n", NAME.replace('"', "\"\"")))
}

/// The longest window that can be asked for.
const DAY: i64 = 86_400_000_000_000;

/// Numbers as large as their fields allow.
fn extreme() -> Verdict {
    Verdict {
        rst_ttl_delta: Some(i16::MIN),
        rst_ip_id_delta: Some(u16::MAX),
        sample_rate: u32::MAX,
        packets: u32::MAX,
        first_ts: i64::MAX - DAY,
        last_ts: i64::MAX,
        silent: DAY,
        tags: DataSet::Tcp.tags().iter().copied().collect(),
        ..reset()
    }
}

fn json_line(connection: &JudgedConnection<'_>) -> Value {
    serde_json::from_slice(&written(Format::Jsonl, &[*connection])).unwrap()
}

#[test]
fn json_lines_keep_extremes() {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.7"), extreme());
    let line = json_line(&connection(&tuple, &verdict, &geo));
    assert_eq!(line["first_us"], (i64::MAX - DAY).div_euclid(1000));
    assert_eq!(line["last_us"], i64::MAX.div_euclid(1000));
    assert_eq!((&line["asn"], &line["as_name"]), (&4_294_967_294_u32.into(), &NAME.into()));
    assert_eq!((&line["sample_rate"], &line["packets"]), (&u32::MAX.into(), &u32::MAX.into()));
    assert_eq!((&line["rst_ttl_delta"], &line["rst_ip_id_delta"]), (&i16::MIN.into(), &u16::MAX.into()));
    assert_eq!(line["tags"].as_array().unwrap().len(), DataSet::Tcp.tags().len());
    assert_eq!(line["node"], "edge-1");
}

#[test]
fn times_are_rounded_down() {
    let (geo, tuple, verdict) = (networks(), five_tuple("192.0.2.1"), reset());
    let line = json_line(&connection(&tuple, &verdict, &geo));
    assert_eq!(line["first_us"], TS / 1000 + 1);
    assert_eq!(line["silent_us"], 0);
    assert!(line["asn"].is_null() && line["location"].is_null());
}

/// docs/spec.md#json-addresses: as in RFC 5952, always hexadecimal.
#[test]
fn addresses_are_written_as_rfc_5952_has_them() {
    let (geo, verdict) = (networks(), reset());
    for (address, expected) in [
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::0001", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("64:ff9b::c000:201", "64:ff9b::c000:201"),
    ] {
        let tuple = FiveTuple::new(address.parse().unwrap(), 1, "203.0.113.5".parse().unwrap(), 2);
        assert_eq!(json_line(&connection(&tuple, &verdict, &geo))["src_ip"], expected);
    }
}

#[test]
fn csv_quotes_what_has_to_be_quoted() {
    let (geo, tuple) = (networks(), five_tuple("198.51.100.7"));
    let (one, other) = (extreme(), closed());
    let text = written(Format::Csv, &[connection(&tuple, &one, &geo), connection(&tuple, &other, &geo)]);
    let mut reader = csv::Reader::from_reader(&text[..]);
    let at = reader.headers().unwrap().iter().position(|name| name == "as_name").unwrap();
    let records: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.len() == 21 && &record[at] == NAME));
}

#[test]
fn zeek_lines_have_as_many_fields_as_the_header() {
    let (geo, tuple) = (networks(), five_tuple("198.51.100.7"));
    let (one, other) = (extreme(), closed());
    let text = written(Format::Zeek, &[connection(&tuple, &one, &geo), connection(&tuple, &other, &geo)]);
    let text = String::from_utf8(text).unwrap();
    let fields = text.lines().find(|line| line.starts_with("#fields")).unwrap().split('\t').count() - 1;
    let rows: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.split('\t').count() == fields), "{text}");
    assert!(rows[1].contains("\t(empty)\t"), "no tags: {}", rows[1]);
}

/// More connections than a row group has.
#[test]
fn parquet_has_several_row_groups() {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.7"), extreme());
    let connections = vec![connection(&tuple, &verdict, &geo); 40_000];
    let file = tempfile::tempfile().unwrap();
    let mut output = TrackedWrite::new(file.try_clone().unwrap());
    let mut writer = Format::Parquet.writer(&mut output).unwrap();
    connections.iter().for_each(|connection| writer.write(connection, &[]).unwrap());
    writer.finish().unwrap();
    // The bytes that are still buffered.
    std::io::Write::flush(&mut output).unwrap();
    drop(output);
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!((reader.num_row_groups(), reader.metadata().file_metadata().num_rows()), (2, 40_000));
    let last = reader.get_row_group(1).unwrap().get_row_iter(None).unwrap().next().unwrap().unwrap();
    let text = last.to_string();
    assert!(text.contains("asn: 4294967294") && text.contains(NAME), "{text}");
}

#[test]
fn formats_of_nothing_are_headers_only() {
    assert_eq!(written(Format::Jsonl, &[]), b"");
    assert_eq!(String::from_utf8(written(Format::Csv, &[])).unwrap().lines().count(), 1);
    assert!(String::from_utf8(written(Format::Zeek, &[])).unwrap().lines().all(|line| line.starts_with('#')));
    assert!(written(Format::Parquet, &[]).ends_with(b"PAR1"));
}

/// A destination that takes so many bytes and no more.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 < bytes.len() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Writing fails at some point before or at the end, with the error of the destination.
fn fails(format: Format, room: usize) -> Option<std::io::ErrorKind> {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.7"), reset());
    let write = || {
        let mut writer = format.writer(Full(room))?;
        (0..1000).try_for_each(|_| writer.write(&connection(&tuple, &verdict, &geo), &[]))?;
        writer.finish()
    };
    write().err().map(|error| error.kind())
}

#[track_caller]
fn keeps_errors(format: Format) {
    for room in [0, 10, 500] {
        assert_eq!(fails(format, room), Some(std::io::ErrorKind::StorageFull), "{format:?}, {room} bytes");
    }
    assert_eq!(fails(format, 1 << 30), None, "{format:?}");
}

#[test]
fn errors_of_the_output_are_kept() {
    [Format::Jsonl, Format::Parquet, Format::Zeek].into_iter().for_each(keeps_errors);
}

/// A closed pipe is told from other errors by the kind.
#[test]
fn errors_of_the_output_are_kept_by_csv() {
    keeps_errors(Format::Csv);
}

#[test]
fn weights_count_and_samples_are_kept() {
    let (geo, tuple) = (networks(), five_tuple("198.51.100.7"));
    let (heavy, light) = (Verdict { sample_rate: 9, ..reset() }, closed());
    let mut summary = Summary::default();
    [&heavy, &light].into_iter().for_each(|verdict| summary.add(&connection(&tuple, verdict, &geo)));
    let mut text = Vec::new();
    summary.write_json(&geo, &mut text).unwrap();
    let json: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&json["connections"], &json["weight"]), (&2.into(), &10.into()));
    assert_eq!((&json["anomalous"]["count"], &json["anomalous"]["share"]), (&1.into(), &0.9.into()));
}

#[track_caller]
fn selects(filter: &str, expected: bool) {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.7"), reset());
    let parsed: Filter = filter.parse().unwrap();
    assert_eq!(parsed.matches(&connection(&tuple, &verdict, &geo)), expected, "{filter}");
}

#[test]
fn filters_match() {
    for filter in [
        "stage=post_psh",
        "stage=later, post_psh",
        "termination!=fin,open",
        "tag=single_rst,zmap",
        "tag!=zmap",
        "signature=11",
        "signature!=10,12",
        "signature=PSH+ACK → RST",
        "signature=PSH+ACK -> RST",
        "location=pe",
        "asn=as4294967294",
        "asn!=64496",
        "port=443,80",
        "prefix=198.51.100.0/24,2001:db8::/32",
        "prefix!=192.0.2.0/24",
    ] {
        selects(filter, true);
        let negated =
            if filter.contains("!=") { filter.replacen("!=", "=", 1) } else { filter.replacen('=', "!=", 1) };
        selects(&negated, false);
    }
}

/// What is unknown equals nothing: `!=` has it.
#[test]
fn filters_of_what_is_unknown() {
    let (geo, tuple, verdict) = (networks(), five_tuple("192.0.2.1"), closed());
    for (filter, expected) in [
        ("location=PE", false),
        ("location!=PE", true),
        ("asn!=1", true),
        ("signature!=1", true),
        ("tag=reset", false),
    ] {
        let parsed: Filter = filter.parse().unwrap();
        assert_eq!(parsed.matches(&connection(&tuple, &verdict, &geo)), expected, "{filter}");
    }
}

#[test]
fn stored_connections_are_read_back() {
    let (geo, tuple, other) = (networks(), five_tuple("198.51.100.7"), five_tuple("2001:db8::7"));
    let other = FiveTuple { dst_ip: "2001:db8::1".parse().unwrap(), ..other };
    let (one, two) = (extreme(), Verdict { progress: cutshort_verdict::Progress::PostSyn, ..closed() });
    let connections = [connection(&tuple, &one, &geo), connection(&other, &two, &geo)];
    let write = |connections: &[JudgedConnection<'_>]| {
        let file = tempfile::tempfile().unwrap();
        let mut writer = stored(file.try_clone().unwrap(), DataSet::Tcp).unwrap();
        connections.iter().for_each(|connection| writer.write(&connection.into()).unwrap());
        writer.finish().unwrap();
        file
    };
    let records: Vec<ConnectionRecord<'_>> = connections.iter().map(ConnectionRecord::from).collect();
    let found: Vec<_> = read(write(&connections)).unwrap().map(Result::unwrap).collect();
    assert_eq!(found, records);
    assert!(found[0].completed_handshake() && !found[1].completed_handshake());
    // Files that are put together have the connections of all, and records are written like connections.
    let parts = [write(&connections[1..]), write(&[]), write(&connections[..1])];
    let whole = concatenate(&parts, tempfile::tempfile().unwrap(), DataSet::Tcp).unwrap();
    let found: Vec<_> = read(whole).unwrap().map(Result::unwrap).collect();
    assert_eq!(found, [records[1].clone(), records[0].clone()]);
    for format in [Format::Jsonl, Format::Csv, Format::Parquet] {
        let mut output = Vec::new();
        let mut writer = format.writer(&mut output).unwrap();
        records.iter().for_each(|record| writer.write_record(record, &[]).unwrap());
        writer.finish().unwrap();
        assert_eq!(output, written(format, &connections), "{format:?}");
    }
}

/// What is no file of stored connections is an error, whatever it is.
#[test]
fn other_files_are_no_stored_connections() {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.7"), reset());
    for bytes in
        [Vec::new(), b"PAR1PAR1".to_vec(), written(Format::Parquet, &[connection(&tuple, &verdict, &geo)])]
    {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        let wrong = read(file).map_or(true, |mut records| records.any(|record| record.is_err()));
        assert!(wrong, "{} bytes", bytes.len());
    }
}

/// What is not the real address says so; where all are, nothing is added.
#[test]
fn connections_say_what_is_kept_of_their_addresses() {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.0"), reset());
    let full = connection(&tuple, &verdict, &geo);
    assert!(json_line(&full).get(ADDRESSES).is_none());
    for addresses in [Addresses::Truncated, Addresses::Encrypted] {
        let protected = JudgedConnection { addresses, ..full };
        assert_eq!(json_line(&protected)[ADDRESSES], addresses.name());
        let mut csv = Vec::new();
        let mut writer = Format::Csv.writer_of(&mut csv, DataSet::Tcp, true).unwrap();
        [protected, full].iter().try_for_each(|connection| writer.write(connection, &[])).unwrap();
        writer.finish().unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let last: Vec<_> = csv.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
        assert_eq!(last, [ADDRESSES, addresses.name(), "full"]);
        let mut columns = csv.lines().next().unwrap().split(',').zip(FIELDS);
        assert!(columns.all(|(column, field)| column == field));
    }
}

#[test]
fn stored_connections_keep_what_is_said_of_their_addresses() {
    let (geo, tuple, verdict) = (networks(), five_tuple("198.51.100.0"), reset());
    let mut file = tempfile::tempfile().unwrap();
    let mut writer = stored(&mut file, DataSet::Tcp).unwrap();
    for addresses in Addresses::ALL {
        let connection = JudgedConnection { addresses, ..connection(&tuple, &verdict, &geo) };
        writer.write(&ConnectionRecord::from(&connection)).unwrap();
    }
    writer.finish().unwrap();
    let found: Vec<_> = read(file).unwrap().map(|record| record.unwrap().addresses).collect();
    assert_eq!(found, Addresses::ALL);
    let mut file = tempfile::tempfile().unwrap();
    let mut writer = Format::Parquet.writer_of(&mut file, DataSet::Tcp, true).unwrap();
    writer.write(&connection(&tuple, &verdict, &geo), &[]).unwrap();
    writer.finish().unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    assert_eq!(columns.last().unwrap().name(), ADDRESSES);
}
