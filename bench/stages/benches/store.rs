//! Packets and connections at rest: how fast they are written and read, in rows a second. How many bytes a row
//! takes is printed first.

#![allow(clippy::print_stdout)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use cutshort_bench_stages::packets;
use cutshort_embedded::{Embedded, Options};
use cutshort_model::Window;
use cutshort_packet::Packet;
use cutshort_store::{Provenance, Segment, SegmentSource, Store};

/// Segments of a window.
const SEGMENTS: usize = 15;

fn store(criterion: &mut Criterion) {
    let packets = packets();
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10).throughput(Throughput::Elements(packets.len() as u64));
    group.bench_function("encode segments", |bench| bench.iter(|| encode(&packets)));

    let segments = encode(&packets);
    let bytes: usize = segments.iter().map(|segment| segment.bytes().len()).sum();
    println!("{:.2} bytes a row", bytes as f64 / packets.len() as f64);
    group.bench_function("check segments of others", |bench| {
        bench.iter(|| segments.iter().for_each(check));
    });

    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Embedded::open(folder.path(), Options { durable: false }).expect("a store");
    for segment in &segments {
        store.append(segment).expect("room");
    }
    let window = store.windows(i64::MIN..i64::MAX).expect("windows")[0].window;
    group.bench_function("group a window", |bench| bench.iter(|| read(&store, window)));
    group.finish();
}

fn encode(packets: &[Packet]) -> Vec<Segment> {
    let len = packets.len().div_ceil(SEGMENTS);
    let encode = |packets: &[Packet]| {
        let covers = (packets[0].ts, packets[packets.len() - 1].ts);
        Segment::encode(packets.to_vec(), &SegmentSource::tcp("edge", Provenance::Live, covers), None)
            .expect("packets that can be kept")
    };
    packets.chunks(len).map(encode).collect()
}

fn check(segment: &Segment) {
    Segment::parse(segment.bytes().to_vec()).expect("a segment");
}

fn read(store: &Embedded, window: Window) -> usize {
    let (mut rows, mut count) = (Vec::new(), 0);
    for mut part in store.read_window(window, 2).expect("a window").parts {
        while part.next_group(&mut rows).expect("a group").is_some() {
            count += rows.len();
        }
    }
    count
}

criterion_group!(benches, store);
criterion_main!(benches);
