//! Reports of the data set `quic`.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
mod common;

use cutshort_geo::{Geo, Place};
use cutshort_model::{Addresses, ConnectionRecord, JudgedConnection};
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Frames, Kinds, Opened};
use cutshort_report::connection::Format;
use cutshort_report::{Filter, Summary, explain, write_quic_trace};
use cutshort_verdict::quic::{Context, Findings, Trace};
use cutshort_verdict::{DataSet, Rules, Verdict};
use serde_json::Value;

use common::{TS, five_tuple};

const MILLISECOND: i64 = 1_000_000;

fn rows() -> [Datagram; 2] {
    let initial = Datagram {
        ts: TS + 1_999,
        five_tuple: five_tuple("198.51.100.7"),
        ttl: 57,
        sample_rate: 1,
        len: 1200,
        kinds: Kinds::INITIAL,
        version: 0xff00_001d,
        dcid: Some(1),
        scid: Some(2),
        dcid_len: 8,
        token: Some(Datagram::NO_TOKEN),
        opened: Opened::OwnId,
        ..Datagram::ZERO
    };
    let close =
        Datagram { ts: TS + 40 * MILLISECOND, frames: Frames::CLOSE, close_code: Some(0x12a), ..initial };
    [initial, close]
}

fn verdict() -> Verdict {
    let around = Context { cutoff: TS + 41 * MILLISECOND, other: None };
    Findings::of(&rows()).unwrap().judge(&Rules::of(DataSet::Quic), &around).unwrap()
}

fn written(format: Format) -> Vec<u8> {
    let (five_tuple, verdict) = (five_tuple("198.51.100.7"), verdict());
    let connection = judged(&five_tuple, &verdict);
    let mut output = Vec::new();
    let mut writer = format.writer_of(&mut output, DataSet::Quic, false).unwrap();
    writer.write(&connection, &[]).unwrap();
    writer.finish().unwrap();
    output
}

fn judged<'a>(five_tuple: &'a FiveTuple, verdict: &'a Verdict) -> JudgedConnection<'a> {
    let place = Place::default();
    JudgedConnection { five_tuple, addresses: Addresses::Full, verdict, node: "", place, as_name: None }
}

/// A text without its colours.
fn plain(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    text.split("\u{1b}[")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { part.split_once('m').unwrap().1 })
        .collect()
}

#[test]
fn lines_have_version_and_error_code_and_nothing_of_rsts() {
    let line = String::from_utf8(written(Format::Jsonl)).unwrap();
    let expected = concat!(
        r#"{"first_us":1767571200000001,"last_us":1767571200040000,"node":"","src_ip":"198.51.100.7","src_port":40000,"#,
        r#""dst_ip":"203.0.113.5","dst_port":443,"ip_version":4,"packets":2,"stage":"post_initial","termination":"close","#,
        r#""tags":["close","draft"],"signature":"Initial → CLOSE","signature_id":111,"location":null,"asn":null,"#,
        r#""as_name":null,"silent_us":1000,"sample_rate":1,"dataset":"quic","version":"draft-29","close_code":298}"#,
        "\n"
    );
    assert_eq!(line, expected);
}

#[test]
fn csv_has_the_fields_of_the_lines() {
    let text = String::from_utf8(written(Format::Csv)).unwrap();
    let expected = "first_us,last_us,node,src_ip,src_port,dst_ip,dst_port,ip_version,packets,stage,termination,tags,signature,signature_id,\
                    location,asn,as_name,silent_us,sample_rate,dataset,version,close_code\n\
                    1767571200000001,1767571200040000,,198.51.100.7,40000,203.0.113.5,443,4,2,post_initial,close,close draft,\
                    Initial → CLOSE,111,,,,1000,1,quic,draft-29,298\n";
    assert_eq!(text, expected);
}

#[test]
fn parquet_has_the_fields_of_the_lines() {
    let file = written(Format::Parquet);
    let has = |name: &str| file.windows(name.len()).any(|bytes| bytes == name.as_bytes());
    assert!(has("close_code") && has("version") && !has("rst_ttl_delta") && !has("handshake_us"));
}

#[test]
fn stored_connections_are_read_back() {
    use cutshort_store::connection_file::{read, stored};
    let (five_tuple, verdict) = (five_tuple("198.51.100.7"), verdict());
    let records = [verdict, Verdict { close_code: None, ..verdict }]
        .map(|verdict| ConnectionRecord::from(&judged(&five_tuple, &verdict)).into_owned());
    let path = tempfile::NamedTempFile::new().unwrap();
    let mut file = stored(path.reopen().unwrap(), DataSet::Quic).unwrap();
    records.iter().for_each(|record| file.write(record).unwrap());
    file.finish().unwrap();
    let back: Vec<_> = read(path.reopen().unwrap()).unwrap().map(Result::unwrap).collect();
    assert_eq!(back, records);
}

#[test]
fn a_log_of_zeek_has_no_datagrams() {
    let error = Format::Zeek.writer_of(Vec::new(), DataSet::Quic, false).err().unwrap().to_string();
    assert!(error.contains("zeek") && error.contains("quic"), "{error}");
}

#[test]
fn summaries_have_the_stages_of_quic() {
    let (five_tuple, verdict) = (five_tuple("198.51.100.7"), verdict());
    let mut summary = Summary::of(DataSet::Quic, None);
    summary.add(&judged(&five_tuple, &verdict));
    let mut json = Vec::new();
    summary.write_json(&Geo::builtin(), &mut json).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["dataset"], "quic");
    let stages: Vec<_> = json["stages"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(stages, ["none", "post_answer", "post_handshake", "post_initial"]);
    assert_eq!(json["terminations"]["close"]["count"], 1);
    assert_eq!(json["tags"]["draft"]["count"], 1);
    let mut table = Vec::new();
    summary.write_table(&Geo::builtin(), 80, &mut table).unwrap();
    let table = plain(&table);
    for text in [
        "Post-Initial",
        "100.0 % cut short (Post-Initial to Post-Handshake); none got an answer.",
        "Initial → CLOSE",
        "A server that does not answer",
    ] {
        assert!(table.contains(text), "{text} is missing:\n{table}");
    }
}

#[test]
fn filters_know_the_terms_of_quic() {
    let (five_tuple, verdict) = (five_tuple("198.51.100.7"), verdict());
    for text in [
        "stage=post_initial",
        "termination=close",
        "tag=draft",
        "signature=Initial -> CLOSE",
        "tag!=answered",
    ] {
        let filter = Filter::of(text, DataSet::Quic).unwrap();
        assert!(filter.matches(&judged(&five_tuple, &verdict)), "{text}");
    }
    assert!(Filter::of("stage=post_syn", DataSet::Quic).is_err());
    assert!("stage=post_handshake".parse::<Filter>().is_ok());
}

#[test]
fn terms_of_quic_are_found_without_saying_so() {
    let (set, terms) = explain::find_in_any("initial_repeated", DataSet::Tcp).unwrap();
    assert_eq!((set, terms.len()), (DataSet::Quic, 1));
    let error = explain::find("nothing", DataSet::Quic).unwrap_err();
    assert!(
        error.contains("101 to 107, 111 to 117, 121 to 127") && error.contains("post_handshake"),
        "{error}"
    );
}

#[test]
fn counts_have_the_stages_of_quic() {
    let mut output = Vec::new();
    cutshort_report::counts::Format::Csv.writer_of(&mut output, DataSet::Quic).unwrap().finish().unwrap();
    let head = String::from_utf8(output).unwrap();
    for name in ["post_initial,post_initial_sampled", "post_handshake", "not_client", "multiple_connections"]
    {
        assert!(head.contains(name), "{name} is missing: {head}");
    }
    assert!(!head.contains("post_syn") && !head.contains("later"), "{head}");
}

#[test]
fn a_trace_shows_each_datagram() {
    let around = Context { cutoff: TS + 41 * MILLISECOND, other: None };
    let trace = Trace::of(&rows(), &Rules::of(DataSet::Quic), &around).unwrap();
    let mut text = Vec::new();
    write_quic_trace(&five_tuple("198.51.100.7"), &trace, 100, &mut text).unwrap();
    let text = plain(&text);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[3], "   seconds version   dcid bytes ttl ip id");
    assert_eq!(lines[4], "  0.000000 draft-29     a  1200  57     0              Initial");
    assert_eq!(lines[5], "  0.039998 draft-29     a  1200  57     0              Initial, CLOSE 0x12a");
    assert!(text.contains("An Initial packet has a CONNECTION_CLOSE: close (rule 2)."), "{text}");
    assert!(
        text.contains("Version: draft-29.") && text.contains("Error code of its CONNECTION_CLOSE: 0x12a.")
    );
}
