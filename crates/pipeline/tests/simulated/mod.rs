//! Simulated packets as captures, and what is to come out.
#![allow(dead_code)] // Each test binary uses its part of it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use cutshort_geo::Geo;
use cutshort_model::{Addresses, ConnectionRecord, JudgedConnection, Window};
use cutshort_packet::Packet;
use cutshort_pipeline::{Arrival, Due, Imported, Privacy, Report, WindowJob, import};
use cutshort_simulate::{Simulation, WINDOW_NS, World};
use cutshort_store::{FlowKey, FlowVerdict, Store, WindowCounts};
use cutshort_verdict::{ClosedWindow, Rules, Tracker};

/// The end of the simulated time.
pub(crate) const END: i64 = 1_980_000 * WINDOW_NS;

/// The packets of some windows, all of each connection.
pub(crate) fn packets(windows: i64, rate: f64, seed: u64) -> Vec<Packet> {
    let from = END - windows * WINDOW_NS;
    Simulation::new(World::standard(), from, END, rate, seed).whole_connections().packets().collect()
}

pub(crate) fn arrivals(packets: &[Packet]) -> impl Iterator<Item = Arrival> {
    packets.iter().map(|packet| Arrival {
        ts: packet.ts,
        packet: Some(*packet),
        unreachable: None,
        simulated: true,
    })
}

pub(crate) fn take_in(store: &dyn Store, packets: &[Packet]) -> Imported {
    import(store, &Rules::default(), &Privacy::full(), arrivals(packets), || true).unwrap()
}

/// Some threads, so that parts are more than one.
pub(crate) fn job() -> WindowJob {
    WindowJob { threads: 3, small: 0, ..WindowJob::default() }
}

pub(crate) fn do_all(store: &dyn Store, geo: &Geo) -> Report {
    job().run_due(store, geo, Due::All, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// What a tracker says of a capture, window by window: cutoff, counts, and connections in the order of their
/// 5-tuples.
pub(crate) type Tracked = BTreeMap<Window, (i64, WindowCounts, Vec<ConnectionRecord<'static>>)>;

pub(crate) fn tracked(packets: &[Packet], geo: &Geo) -> Tracked {
    let mut tracker = Tracker::new(Rules::default());
    let mut tracked = Tracked::new();
    for packet in packets {
        if tracker.record(packet.ts, Some(packet)) {
            while let Some(window) = tracker.next_closed() {
                tracked.insert(Window::containing(window.start()), judged(&window, geo));
            }
        }
    }
    assert_eq!(tracker.late(), 0);
    tracked.extend(tracker.finish().map(|window| (Window::containing(window.start()), judged(&window, geo))));
    tracked
}

/// What a tracker says of the flows of each window.
pub(crate) fn verdicts(packets: &[Packet]) -> BTreeMap<Window, Vec<FlowVerdict>> {
    let mut tracker = Tracker::new(Rules::default());
    for packet in packets {
        // All windows are taken at the end.
        let _ = tracker.record(packet.ts, Some(packet));
    }
    let of_window = |window: ClosedWindow| {
        let mut flows = Vec::new();
        window.for_each(|five_tuple, outcome, _| {
            let key = FlowKey { five_tuple: *five_tuple, addresses: Addresses::Full, flow: 0 };
            let (packets, sample_rate) =
                outcome.as_ref().map_or((1, 1), |verdict| (verdict.packets, verdict.sample_rate));
            let outcome = *outcome;
            flows.push(FlowVerdict {
                key,
                outcome: Some(outcome),
                sample_rate,
                node: 0,
                packets,
                duplicates: 0,
                tail: 0,
            });
        });
        (Window::containing(window.start()), flows)
    };
    let mut verdicts = BTreeMap::new();
    while let Some(window) = tracker.next_closed() {
        verdicts.extend([of_window(window)]);
    }
    verdicts.extend(tracker.finish().map(of_window));
    verdicts
}

fn judged(window: &ClosedWindow, geo: &Geo) -> (i64, WindowCounts, Vec<ConnectionRecord<'static>>) {
    let (mut counts, mut records) = (WindowCounts::default(), Vec::new());
    let rows = window.for_each(|five_tuple, outcome, _| match outcome {
        Ok(verdict) => {
            counts.connections += 1;
            let place = geo.lookup(five_tuple.src());
            let as_name = place.asn.and_then(|asn| geo.as_name(asn));
            let connection = JudgedConnection {
                five_tuple,
                addresses: Addresses::Full,
                verdict,
                node: "",
                place,
                as_name,
            };
            records.push(ConnectionRecord::from(&connection).into_owned());
        }
        Err(exclusion) => counts.excluded[*exclusion as usize] += 1,
    });
    (counts.packets, counts.duplicates, counts.tail) = (rows.taken, rows.duplicates, rows.tail);
    records.sort_by_key(|record| (record.five_tuple, record.first_us));
    (window.cutoff(), counts, records)
}
