//! Segments of every data set become results in the store of that data set.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::{ConnectionRecord, now};
use cutshort_packet::{FiveTuple, Flags, Packet};
use cutshort_pipeline::{GeoData, Ingest, IngestAnswer, Service, Settings};
use cutshort_store::{Provenance, Segment, SegmentSource, Store};
use cutshort_verdict::{DataSet, Tag, Termination};

const MILLISECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600_000 * MILLISECOND;

/// A proxy in Germany opens a connection to a server in the USA, which refuses it.
fn refused(at: i64) -> Vec<Packet> {
    let syn = Packet {
        ts: at,
        five_tuple: FiveTuple::new([141, 1, 1, 1].into(), 40_112, [8, 8, 8, 8].into(), 443),
        flags: Flags::SYN,
        seq: 1000,
        ttl: 64,
        sample_rate: 1,
        ..Packet::ZERO
    };
    let flags = Flags::RST | Flags::ACK | Flags::RECEIVED;
    let rst = Packet { ts: at + 20 * MILLISECOND, flags, seq: 0, ack: 1001, ttl: 55, ..syn };
    vec![syn, rst]
}

fn connections(store: &dyn Store) -> Vec<ConnectionRecord<'static>> {
    let mut all = Vec::new();
    let each = &mut |record| {
        all.push(record);
        true
    };
    store.each_connection(i64::MIN..i64::MAX, each).unwrap();
    all
}

#[test]
fn a_service_computes_the_windows_of_all_data_sets() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Embedded::open(folder.path(), Options { durable: false }).unwrap());
    let at = now() - HOUR;
    let ingest = Ingest::default();
    for data_set in [DataSet::Tcp, DataSet::Origin] {
        let covers = (at - MILLISECOND, at + HOUR / 2);
        let source = SegmentSource { data_set, node: "proxy", origin: Provenance::Live, covers };
        let mut packets = refused(at);
        if data_set == DataSet::Tcp {
            packets.truncate(1);
        }
        let id = cutshort_store::SegmentId(7 + data_set as u128);
        let segment = Segment::encode(packets, &source, Some(id)).unwrap();
        let answer = ingest.take(store.as_ref(), segment.bytes().to_vec());
        assert!(matches!(answer, IngestAnswer::New(_)), "{answer:?}");
    }
    let geo = Arc::new(GeoData::from(Geo::builtin()));
    let settings = Settings { every: Duration::from_millis(20), ..Settings::default() };
    let service = Service::start(Arc::clone(&store), geo, settings);
    let until = Instant::now() + Duration::from_secs(60);
    while service.state().windows < 2 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(service.state().due, 0);
    service.stop();

    let of_tcp = connections(store.as_ref());
    assert_eq!(of_tcp.len(), 1);
    assert_eq!((of_tcp[0].data_set, of_tcp[0].termination), (DataSet::Tcp, Termination::Timeout));
    let of_origin = connections(store.find(DataSet::Origin).unwrap().unwrap());
    assert_eq!(of_origin.len(), 1);
    let record = &of_origin[0];
    assert_eq!((record.data_set, record.termination), (DataSet::Origin, Termination::Reset));
    assert!(record.tags.contains(Tag::Refused));
    let country = |record: &ConnectionRecord<'_>| record.location.map(cutshort_geo::Country::alpha2);
    assert_eq!((country(&of_tcp[0]), country(record)), (Some("DE"), Some("US")), "of the other end");
}
