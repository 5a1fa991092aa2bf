//! From bytes to verdicts, stage by stage; each is timed alone, in elements (mostly packets) a second.

use std::hint::black_box;
use std::io::Write;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use cutshort_bench_stages::{capture, packets};
use cutshort_capture::{Captures, Reading};
use cutshort_geo::Geo;
use cutshort_packet::{Frame, LinkType, Packet};
use cutshort_simulate::{Simulation, WINDOW_NS, World, frame};
use cutshort_verdict::{ClosedWindow, DataSet, Findings, FlowContext, Outcome, Row, Rules, Tracker};

fn stages(criterion: &mut Criterion) {
    let packets = packets();
    let mut group = criterion.benchmark_group("stages");
    group.sample_size(10).throughput(Throughput::Elements(packets.len() as u64));

    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(&capture(&packets)).expect("a temporary file");
    group.bench_function("read records of a pcapng", |bench| bench.iter(|| read(file.path())));

    let frames = frames(&packets);
    group.bench_function("parse frames", |bench| bench.iter(|| parse(&frames)));

    group.bench_function("put packets into connections", |bench| {
        bench.iter_batched(|| (), |()| track(&packets).count(), BatchSize::PerIteration);
    });

    let windows: Vec<ClosedWindow> = track(&packets).collect();
    group.bench_function("judge the connections of a window", |bench| bench.iter(|| judge(&windows)));

    let from = 2_000_000 * WINDOW_NS;
    let simulation = Simulation::new(World::standard(), from, from + WINDOW_NS, 500.0, 1).whole_connections();
    group.bench_function("simulate packets", |bench| bench.iter(|| simulation.packets().count()));
    group.finish();

    let mut group = criterion.benchmark_group("single");
    let geo = Geo::builtin();
    let addresses: Vec<_> =
        (0..100_000_u32).map(|at| at.wrapping_mul(0x9e37_79b9).to_be_bytes().into()).collect();
    group.throughput(Throughput::Elements(addresses.len() as u64));
    group.bench_function("look up random IPv4 addresses", |bench| {
        bench.iter(|| addresses.iter().filter(|addr| geo.lookup(**addr).asn.is_some()).count());
    });
    let rows: Vec<Row> = packets.iter().take(10).map(Row::from).collect();
    let around = FlowContext { cutoff: i64::MAX, other_rsts: &[] }.around(None);
    group.throughput(Throughput::Elements(1));
    group.bench_function("find and judge ten rows", |bench| {
        bench.iter(|| Findings::of(black_box(&rows), DataSet::Tcp).judge(&Rules::default(), &around));
    });
    group.finish();
}

fn read(path: &std::path::Path) -> u64 {
    let mut captures = Captures::open(&[path], &Reading::default());
    let mut bytes = 0;
    while let Some(record) = captures.record() {
        bytes += record.frame.bytes.len() as u64;
        captures.advance();
    }
    bytes
}

/// All frames one after the other, with their lengths.
fn frames(packets: &[Packet]) -> (Vec<u8>, Vec<usize>) {
    let (mut all, mut lens, mut one) = (Vec::new(), Vec::new(), Vec::new());
    for packet in packets {
        frame::write(packet, 128, &mut one);
        lens.push(one.len());
        all.extend_from_slice(&one);
    }
    (all, lens)
}

fn parse((all, lens): &(Vec<u8>, Vec<usize>)) -> u64 {
    let mut rest = all.as_slice();
    let mut sum = 0;
    for len in lens {
        let (bytes, behind) = rest.split_at(*len);
        let frame = Frame { ts: 0, wire_len: *len as u32, bytes };
        sum += Packet::parse(LinkType::Ethernet, frame).map_or(0, |packet| u64::from(packet.seq));
        rest = behind;
    }
    sum
}

fn track(packets: &[Packet]) -> impl Iterator<Item = ClosedWindow> {
    let mut tracker = Tracker::new(Rules::default());
    for packet in packets {
        let _ = tracker.record(packet.ts, Some(packet));
    }
    tracker.finish()
}

fn judge(windows: &[ClosedWindow]) -> u64 {
    let is_anomalous = |outcome: &Outcome| outcome.is_ok_and(|verdict| verdict.is_anomalous());
    let mut anomalous = 0;
    for window in windows {
        window.for_each(|_, outcome, _| anomalous += u64::from(is_anomalous(outcome)));
    }
    anomalous
}

criterion_group!(benches, stages);
criterion_main!(benches);
