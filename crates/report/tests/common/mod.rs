//! Connections made by hand, and networks for them.
#![allow(dead_code)]
// Each test binary uses its part of it.

use std::io::Write;

use cutshort_geo::Geo;
use cutshort_model::{Addresses, JudgedConnection};
use cutshort_packet::FiveTuple;
use cutshort_report::connection::Format;
use cutshort_verdict::{DataSet, Progress, Signature, Stage, Tag, Tags, Termination, Verdict};

/// 2026-01-05 00:00:00 UTC.
pub(crate) const TS: i64 = 1_767_571_200_000_000_000;

pub(crate) fn five_tuple(src: &str) -> FiveTuple {
    FiveTuple::new(src.parse().unwrap(), 40_000, "203.0.113.5".parse().unwrap(), 443)
}

/// A connection that was reset after its first message.
pub(crate) fn reset() -> Verdict {
    Verdict {
        data_set: DataSet::Tcp,
        handshake: None,
        first_byte: None,
        version: 0,
        close_code: None,
        progress: Progress::PostPsh,
        termination: Termination::Reset,
        stage: Stage::PostPsh,
        tags: [Tag::Reset, Tag::SingleRst].into_iter().collect::<Tags>(),
        signature: Signature::from_id(11),
        rst_ttl_delta: Some(-64),
        rst_ip_id_delta: Some(65_535),
        syn_ttl: 57,
        sample_rate: 1,
        packets: 4,
        first_ts: TS + 1_999,
        last_ts: TS + 2_000_000_000,
        silent: 42,
    }
}

/// A connection that ended with a FIN.
pub(crate) fn closed() -> Verdict {
    Verdict {
        data_set: DataSet::Tcp,
        handshake: None,
        first_byte: None,
        version: 0,
        close_code: None,
        progress: Progress::Later,
        termination: Termination::Fin,
        stage: Stage::None,
        tags: Tags::default(),
        signature: None,
        rst_ttl_delta: None,
        rst_ip_id_delta: None,
        ..reset()
    }
}

/// Networks of a file whose names are as unpleasant as names can be.
pub(crate) fn geo(rows: &str) -> Geo {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "# source: a test\n# date: 2026-01-02\nstart,end,country,asn,name\n{rows}").unwrap();
    Geo::with_files(&[file.path()]).unwrap()
}

/// The connection, with what the networks say of its source.
pub(crate) fn connection<'a>(
    tuple: &'a FiveTuple,
    verdict: &'a Verdict,
    geo: &'a Geo,
) -> JudgedConnection<'a> {
    let place = geo.lookup(tuple.src());
    let as_name = place.asn.and_then(|asn| geo.as_name(asn));
    JudgedConnection {
        five_tuple: tuple,
        addresses: Addresses::Full,
        verdict,
        node: "edge-1",
        place,
        as_name,
    }
}

/// What a format makes of the connections.
pub(crate) fn written(format: Format, connections: &[JudgedConnection<'_>]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut writer = format.writer(&mut output).unwrap();
    connections.iter().for_each(|connection| writer.write(connection, &[]).unwrap());
    writer.finish().unwrap();
    output
}
