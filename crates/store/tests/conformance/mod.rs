//! What every back end of the store must do, whatever it is made of.
#![allow(dead_code)]
// Each test binary uses its part of it.

pub(crate) mod connections;
pub(crate) mod data_sets;
pub(crate) mod datagrams;
pub(crate) mod forgetting;
pub(crate) mod grouping;
pub(crate) mod model;
pub(crate) mod moving;
pub(crate) mod retention;
pub(crate) mod servers;
pub(crate) mod windows;

use std::net::IpAddr;

use cutshort_geo::{Country, Place};
use cutshort_model::{Addresses, JudgedConnection, Window};
use cutshort_packet::{FiveTuple, Packet};
use cutshort_simulate::syn_packet;
use cutshort_store::cell::Cells;
use cutshort_store::{
    FlowKey, Inputs, Movable, Provenance, Replacement, Segment, SegmentSource, Store, StoredRow, WindowCounts,
};
use cutshort_verdict::{DataSet, Progress, Stage, Tags, Termination, Verdict};

/// A back end with an empty store in it.
pub(crate) trait Backend {
    /// Whether it can run here; if not, the back end has printed the reason.
    fn is_available() -> bool {
        true
    }

    fn new() -> Self;

    /// The one who writes.
    fn store(&self) -> &dyn Store;

    /// The same, for taking everything elsewhere.
    fn movable(&self) -> &dyn Movable;

    /// Another one, who reads, as another process would.
    fn reader(&self) -> Box<dyn Store>;
}

/// One test for each promise.
macro_rules! suite {
    ($backend:ty: $($module:ident::$name:ident),* $(,)?) => {
        $(#[test] fn $name() {
            if <$backend as conformance::Backend>::is_available() {
                conformance::$module::$name::<$backend>();
            }
        })*
    };
    ($backend:ty) => {
        conformance::suite!($backend:
            windows::segments_are_kept_once,
            windows::a_window_is_due_until_it_has_results_of_what_there_is,
            windows::the_cutoff_is_the_end_of_what_all_segments_cover,
            windows::segments_without_packets_cover_time,
            windows::results_are_replaced_as_a_whole,
            windows::results_that_are_not_committed_change_nothing,
            windows::results_of_a_batch_become_valid_together,
            windows::status_tells_what_there_is,
            windows::coverage_is_what_segments_cover,
            windows::each_replacement_has_another_generation,
            grouping::packets_come_grouped_by_five_tuple,
            grouping::grouping_is_that_of_the_model,
            grouping::connections_of_one_network_stay_apart,
            grouping::packets_on_the_edges_of_windows_are_in_one,
            connections::connections_are_selected,
            connections::connections_are_paged_from_the_latest_window,
            connections::connections_are_ordered_over_all_windows,
            connections::all_connections_are_visited_until_enough,
            connections::readers_see_whole_results_while_they_are_replaced,
            retention::old_packets_are_deleted_and_their_windows_frozen,
            retention::packets_that_wait_for_results_stay,
            retention::what_came_in_late_is_kept_from_then_on,
            retention::old_connections_are_deleted,
            data_sets::each_data_set_has_its_own_segments,
            data_sets::segments_of_other_data_sets_are_refused,
            data_sets::annotations_are_shared,
            data_sets::results_have_the_terms_of_their_data_set,
            data_sets::rows_of_equal_time_keep_their_order,
            datagrams::datagrams_are_kept,
            datagrams::datagrams_of_one_network_stay_apart,
            datagrams::segments_of_datagrams_can_be_moved_forgotten_and_deleted,
            datagrams::results_have_the_terms_of_quic,
            servers::servers_are_counted_by_window_and_node,
            forgetting::forgotten_segments_leave_nothing,
            moving::segments_are_read_as_they_came,
            moving::results_are_restored_as_they_were,
            moving::hours_and_days_are_restored_as_they_were,
        );
    };
}
pub(crate) use suite;

pub(crate) const WINDOW: i64 = Window::LENGTH;
/// Where a window in 2026 begins.
pub(crate) const START: i64 = Window::from_number(1_963_975).start();
pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;

/// A packet of one of many clients.
pub(crate) fn packet(client: u8, ts: i64) -> Packet {
    let address = |last| IpAddr::from([198, 51, 100, last]);
    Packet {
        five_tuple: FiveTuple::new(address(client), 40_000, address(250), 443),
        ..syn_packet(ts, 40_000)
    }
}

/// A capture file that covers its packets and no more.
pub(crate) fn file(packets: Vec<Packet>) -> Segment {
    let times = packets.iter().map(|packet| packet.ts);
    let covers = times.clone().min().zip(times.max()).expect("packets");
    Segment::encode(packets, &SegmentSource::tcp("", Provenance::File, covers), None)
        .expect("packets that can be kept")
}

pub(crate) fn live(node: &str, packets: Vec<Packet>, covers: (i64, i64)) -> Segment {
    Segment::encode(packets, &SegmentSource::tcp(node, Provenance::Live, covers), None)
        .expect("packets that can be kept")
}

/// All groups of the window that holds a time, in as many parts as asked for.
pub(crate) fn groups(store: &dyn Store, at: i64, parts: usize) -> Vec<(FiveTuple, Vec<(String, StoredRow)>)> {
    flows(store, at, parts).into_iter().map(|(flow, rows)| (flow.five_tuple, rows)).collect()
}

/// The same with all that tells flows apart.
pub(crate) fn flows(store: &dyn Store, at: i64, parts: usize) -> Vec<(FlowKey, Vec<(String, StoredRow)>)> {
    let packets = store.read_window(Window::containing(at), parts).expect("a window");
    assert!(packets.parts.len() <= parts.max(1));
    assert_eq!(packets.nodes.first().map(String::as_str), Some(""));
    let (mut all, mut rows) = (Vec::new(), Vec::new());
    for mut part in packets.parts {
        while let Some(flow) = part.next_group(&mut rows).expect("a group") {
            let named = rows.iter().map(|row| (packets.nodes[usize::from(row.node)].clone(), *row));
            all.push((flow, named.collect()));
        }
    }
    all
}

/// A connection that ended with a FIN, of a client in a country.
pub(crate) struct Made {
    pub(crate) tuple: FiveTuple,
    pub(crate) verdict: Verdict,
    pub(crate) place: Place,
    pub(crate) node: &'static str,
}

pub(crate) fn made(client: u8, ts: i64) -> Made {
    let verdict = Verdict {
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
        syn_ttl: 57,
        sample_rate: 1,
        packets: 4,
        first_ts: ts,
        last_ts: ts + SECOND,
        silent: MINUTE,
    };
    let place = Place { country: Country::from_alpha2("PE"), asn: Some(64_496) };
    Made { tuple: packet(client, ts).five_tuple, verdict, place, node: "" }
}

impl Made {
    pub(crate) fn connection(&self) -> JudgedConnection<'_> {
        let Self { tuple, verdict, place, node } = self;
        let addresses = Addresses::Full;
        JudgedConnection {
            five_tuple: tuple,
            addresses,
            verdict,
            node,
            place: *place,
            as_name: Some("Example"),
        }
    }
}

/// Replaces the results of the window that holds a time by these connections.
pub(crate) fn replace(store: &dyn Store, at: i64, connections: &[Made]) {
    let replacement = store.replace(Window::containing(at)).expect("a replacement");
    commit(replacement, inputs(store, at), connections);
}

/// Writes and commits these connections.
pub(crate) fn commit(replacement: Box<dyn Replacement + '_>, inputs: Inputs, connections: &[Made]) {
    let mut sink = replacement.sink().expect("a sink");
    connections.iter().for_each(|made| sink.write(&made.connection()).expect("room"));
    sink.finish().expect("room");
    let counts =
        WindowCounts { connections: connections.len() as u64, packets: 9, ..WindowCounts::default() };
    replacement.commit(inputs, counts, &Cells::default()).expect("room");
}

/// What the results of the window that holds a time would be made from now.
pub(crate) fn inputs(store: &dyn Store, at: i64) -> Inputs {
    let windows = store.windows(Window::containing(at).range()).expect("windows");
    windows.first().map_or(Inputs::default(), |window| window.inputs)
}
