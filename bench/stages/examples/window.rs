//! The store at the size of Cloudflare's sample: one window of 9 M rows in a segment a minute.
//!
//! `window make FOLDER [CAPTURE]` fills a store with simulated connections, or with a capture's, and says how
//! many bytes a row takes; `window read FOLDER` groups the window in two parts, and `window replace FOLDER`
//! also writes a connection for each group. Run it under `/usr/bin/time -v` for memory and CPU.

#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cutshort_capture::{Captures, Reading};
use cutshort_embedded::{Embedded, Options};
use cutshort_geo::{Country, Place};
use cutshort_model::{JudgedConnection, Window};
use cutshort_packet::Packet;
use cutshort_simulate::{Simulation, World};
use cutshort_store::cell::Cells;
use cutshort_store::{
    ConnectionSink, Grouped, Provenance, Segment, SegmentSource, Store, StoredRow, WindowCounts,
};
use cutshort_verdict::{DataSet, Progress, Stage, Tag, Termination, Verdict};

type Done = Result<(), Box<dyn Error>>;

const MINUTE: i64 = 60_000_000_000;
const PARTS: usize = 2;

fn main() -> Done {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["make", folder] => make(Path::new(folder), simulated()),
        ["make", folder, capture] => make(Path::new(folder), captured(Path::new(capture))),
        ["read", folder] => read(Path::new(folder), false),
        ["replace", folder] => read(Path::new(folder), true),
        _ => Err("usage: window make FOLDER [CAPTURE] | read FOLDER | replace FOLDER".into()),
    }
}

/// About 1.8 M connections, of each the first ten packets.
fn simulated() -> Vec<Packet> {
    let window = Window::from_number(2_000_000);
    Simulation::with_total(World::standard(), window.start(), window.end(), 1_800_000, 1).packets().collect()
}

/// Of each 5-tuple the first ten packets.
fn captured(path: &Path) -> Vec<Packet> {
    let mut captures = Captures::open(&[path], &Reading::default());
    let (mut packets, mut taken) = (Vec::new(), HashMap::new());
    while let Some(record) = captures.record() {
        if let Some(packet) = record.link.ok().and_then(|link| Packet::parse(link, record.frame).ok()) {
            let taken: &mut u8 = taken.entry(packet.five_tuple).or_default();
            if *taken < 10 {
                *taken += 1;
                packets.push(packet);
            }
        }
        captures.advance();
    }
    packets
}

fn make(folder: &Path, packets: Vec<Packet>) -> Done {
    let store = Embedded::open(folder, Options::default())?;
    let rows = packets.len();
    let first = packets.first().map_or(0, |packet| packet.ts);
    let mut minutes: Vec<Vec<Packet>> = Vec::new();
    for packet in packets {
        let minute = ((packet.ts - first) / MINUTE).max(0) as usize;
        minutes.resize_with(minutes.len().max(minute + 1), Vec::new);
        minutes[minute].push(packet);
    }
    let (mut bytes, mut encoding, mut appending) = (0, 0.0, 0.0);
    for (at, packets) in minutes.into_iter().enumerate() {
        let from = first + at as i64 * MINUTE;
        let begin = Instant::now();
        let segment = Segment::encode(
            packets,
            &SegmentSource::tcp("edge", Provenance::Live, (i64::MIN, from + MINUTE)),
            None,
        )?;
        encoding += begin.elapsed().as_secs_f64();
        bytes += segment.bytes().len();
        let begin = Instant::now();
        store.append(&segment)?;
        appending += begin.elapsed().as_secs_f64();
    }
    let rate = rows as f64 / encoding / 1e6;
    println!("{rows} rows, {:.2} bytes a row", bytes as f64 / rows as f64);
    println!("encoded at {rate:.2} M rows/s, appended in {appending:.2} s");
    Ok(())
}

fn read(folder: &Path, replace: bool) -> Done {
    let store = Embedded::open(folder, Options::default())?;
    for state in store.windows(i64::MIN..i64::MAX)? {
        let begin = Instant::now();
        let packets = store.read_window(state.window, PARTS)?;
        println!("opened after {:.2} s", begin.elapsed().as_secs_f64());
        let replacement = replace.then(|| store.replace(state.window)).transpose()?;
        let sink = || replacement.as_ref().map(|replacement| replacement.sink()).transpose();
        let parts = packets.parts.into_iter().map(|part| Ok((part, sink()?)));
        let parts = parts.collect::<cutshort_store::Result<Vec<_>>>()?;
        let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                parts.into_iter().map(|(part, sink)| scope.spawn(move || group(part, sink))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a part")).collect()
        });
        println!("{counts:?} groups and rows after {:.2} s", begin.elapsed().as_secs_f64());
        if let Some(replacement) = replacement {
            replacement.commit(packets.inputs, WindowCounts::default(), &Cells::default())?;
            println!("replaced after {:.2} s", begin.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

fn group(
    mut part: Box<dyn Grouped + Send + '_>,
    mut sink: Option<Box<dyn ConnectionSink + Send>>,
) -> (u64, u64) {
    let (mut rows, mut groups, mut count) = (Vec::new(), 0, 0);
    while let Some(flow) = part.next_group(&mut rows).expect("a group") {
        groups += 1;
        count += rows.len() as u64;
        if let Some(sink) = &mut sink {
            let verdict = verdict(&rows);
            let asn = Some(64_512 + groups as u32 % 999);
            let place = Place { country: Country::from_index(groups as usize % 200), asn };
            let as_name = Some("Simulated network");
            let (five_tuple, addresses, node) = (&flow.five_tuple, flow.addresses, "edge");
            let connection =
                JudgedConnection { five_tuple, addresses, verdict: &verdict, node, place, as_name };
            sink.write(&connection).expect("room");
        }
    }
    if let Some(sink) = sink {
        sink.finish().expect("room");
    }
    (groups, count)
}

/// Something like what the rules would say.
fn verdict(rows: &[StoredRow]) -> Verdict {
    let (first, last) = (&rows[0].row, &rows[rows.len() - 1].row);
    Verdict {
        data_set: DataSet::Tcp,
        handshake: None,
        first_byte: None,
        progress: Progress::Later,
        termination: Termination::Fin,
        stage: Stage::None,
        tags: [Tag::Answered].into_iter().collect(),
        signature: None,
        rst_ttl_delta: None,
        rst_ip_id_delta: None,
        syn_ttl: first.ttl,
        sample_rate: first.sample_rate,
        packets: rows.len() as u32,
        first_ts: first.ts,
        last_ts: last.ts,
        silent: last.ts - first.ts,
        version: 0,
        close_code: None,
    }
}
