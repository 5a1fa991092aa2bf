use cutshort_model::Window;
use cutshort_store::cell::Cells;
use cutshort_store::{Added, Inputs, NodeCoverage, WindowCounts, WindowState};

use super::connections::everything;
use super::{
    Backend, MINUTE, SECOND, START, WINDOW, commit, file, groups, inputs, live, made, packet, replace,
};

fn window(backend: &impl Backend, at: i64) -> WindowState {
    backend.store().windows(Window::containing(at).range()).unwrap().remove(0)
}

pub(crate) fn segments_are_kept_once<B: Backend>() {
    let backend = B::new();
    let segment = file(vec![packet(1, START)]);
    let same = file(vec![packet(1, START)]);
    assert_eq!(segment.info().id, same.info().id);
    assert_eq!(backend.store().append(&segment).unwrap(), Added::New);
    let before = (backend.store().status().unwrap(), window(&backend, START));
    assert_eq!(backend.store().append(&same).unwrap(), Added::Known);
    assert_eq!((backend.store().status().unwrap(), window(&backend, START)), before);
    assert_eq!(groups(backend.store(), START, 1)[0].1.len(), 1);
}

pub(crate) fn a_window_is_due_until_it_has_results_of_what_there_is<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    assert!(store.windows(i64::MIN..i64::MAX).unwrap().is_empty());
    store.append(&file(vec![packet(1, START), packet(1, START + 2 * WINDOW)])).unwrap();
    assert!(window(&backend, START).is_due());
    replace(store, START, &[]);
    assert!(!window(&backend, START).is_due());
    assert_eq!(window(&backend, START).done, Some(window(&backend, START).inputs));
    assert!(window(&backend, START + 2 * WINDOW).is_due(), "another window");
    store.append(&file(vec![packet(2, START + SECOND)])).unwrap();
    assert!(window(&backend, START).is_due(), "a segment came late");
    replace(store, START, &[]);
    store.append(&file(vec![packet(2, START + 2 * WINDOW + SECOND)])).unwrap();
    assert!(!window(&backend, START).is_due(), "a segment of another window");
    assert!(window(&backend, START).bytes > 0 && !window(&backend, START).frozen);
}

pub(crate) fn the_cutoff_is_the_end_of_what_all_segments_cover<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    store.append(&live("a", vec![packet(1, START)], (START, START + MINUTE))).unwrap();
    assert_eq!(inputs(store, START).cutoff, START + MINUTE);
    assert_eq!(store.read_window(Window::containing(START), 1).unwrap().inputs, inputs(store, START));
    replace(store, START, &[]);
    store.append(&live("b", vec![packet(1, START + WINDOW)], (START + WINDOW, START + WINDOW + 1))).unwrap();
    assert_eq!(inputs(store, START).cutoff, START + WINDOW, "the window's end");
    assert!(window(&backend, START).is_due(), "its cutoff is another");
}

pub(crate) fn segments_without_packets_cover_time<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    store.append(&live("a", vec![packet(1, START)], (START, START + MINUTE))).unwrap();
    store.append(&live("a", Vec::new(), (START + MINUTE, START + 3 * MINUTE))).unwrap();
    assert_eq!(inputs(store, START).cutoff, START + 3 * MINUTE);
    assert_eq!(store.windows(i64::MIN..i64::MAX).unwrap().len(), 1);
}

pub(crate) fn results_are_replaced_as_a_whole<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let count = || store.connections(&everything()).unwrap().len();
    replace(store, START, &[made(1, START), made(2, START)]);
    assert_eq!((count(), store.status().unwrap().counts.connections), (2, 2));
    replace(store, START, &[made(3, START)]);
    assert_eq!((count(), store.status().unwrap().counts.connections), (1, 1));
    replace(store, START, &[]);
    assert_eq!((count(), store.status().unwrap().windows), (0, 1));
}

pub(crate) fn results_of_a_batch_become_valid_together<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let written = |first: u8| {
        let batch = store.batch()?;
        for (at, client) in [START, START + WINDOW].into_iter().zip(first..) {
            let replacement = batch.replace(Window::containing(at)).unwrap();
            commit(replacement, Inputs::default(), &[made(client, at)]);
        }
        Some(batch)
    };
    let count = || store.status().unwrap().counts.connections;
    let Some(batch) = written(1) else { return };
    assert_eq!(count(), 0);
    batch.finish().unwrap();
    assert_eq!(count(), 2);
    // Nothing changes without the end.
    drop(written(3));
    let found = store.connections(&everything()).unwrap();
    let clients: Vec<u8> = found.iter().map(|record| record.five_tuple.src_ip.octets()[15]).collect();
    assert_eq!(clients, [2, 1]);
    written(3).unwrap().finish().unwrap();
    assert_eq!(count(), 2);
}

pub(crate) fn results_that_are_not_committed_change_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    replace(store, START, &[made(1, START)]);
    let before = store.status().unwrap();
    let replacement = store.replace(Window::containing(START)).unwrap();
    let mut sink = replacement.sink().unwrap();
    sink.write(&made(2, START).connection()).unwrap();
    sink.finish().unwrap();
    drop(replacement);
    assert_eq!(store.status().unwrap(), before);
    // Of a sink that is not finished nothing is taken.
    let replacement = store.replace(Window::containing(START)).unwrap();
    let (mut one, mut other) = (replacement.sink().unwrap(), replacement.sink().unwrap());
    one.write(&made(2, START).connection()).unwrap();
    other.write(&made(3, START).connection()).unwrap();
    other.finish().unwrap();
    drop(one);
    replacement.commit(Inputs::default(), WindowCounts::default(), &Cells::default()).unwrap();
    let found = store.connections(&everything()).unwrap();
    assert_eq!(found.iter().map(|record| record.five_tuple).collect::<Vec<_>>(), [made(3, START).tuple]);
}

pub(crate) fn status_tells_what_there_is<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let empty = store.status().unwrap();
    assert_eq!((empty.segments, empty.windows, empty.covered, empty.updated), (0, 0, None, None));
    store.append(&live("b", vec![packet(1, START + SECOND)], (START, START + MINUTE))).unwrap();
    store.append(&live("a", vec![packet(1, START), packet(2, START)], (START, START + SECOND))).unwrap();
    replace(store, START, &[made(1, START)]);
    let status = store.status().unwrap();
    assert_eq!((status.segments, status.packets), (2, 3));
    assert!(status.packet_bytes > 0 && status.connection_bytes > 0);
    assert_eq!(status.latest_packet, Some(START + SECOND));
    assert_eq!(status.covered, Some((START, START + MINUTE)));
    let first = Window::containing(START);
    assert_eq!((status.windows, status.window_range), (1, Some((first, first))));
    assert_eq!((status.counts.packets, status.counts.connections), (9, 1));
    assert_eq!(status.nodes, [("a".to_owned(), START), ("b".to_owned(), START + SECOND)]);
    assert!(status.updated.is_some() && status.damaged.is_empty() && !status.simulated);
    assert_eq!(backend.reader().status().unwrap(), status);
}

/// Packets make no difference, and neither does deleting them.
pub(crate) fn coverage_is_what_segments_cover<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    assert_eq!(store.coverage().unwrap(), []);
    let minutes = |node, from, to, packets| {
        let segment = live(node, packets, (START + from * MINUTE, START + to * MINUTE));
        assert_eq!(store.append(&segment).unwrap(), Added::New);
    };
    minutes("edge1", 0, 1, vec![packet(1, START)]);
    minutes("edge2", 4, 5, Vec::new());
    minutes("edge1", 7, 9, Vec::new());
    minutes("edge1", 1, 3, Vec::new());
    store.append(&file(vec![packet(2, START), packet(2, START + 20 * SECOND)])).unwrap();
    let of = |node: &str, spans: &[(i64, i64)]| NodeCoverage {
        node: node.to_owned(),
        spans: spans.iter().map(|(from, to)| START + from * SECOND..START + to * SECOND + 1).collect(),
    };
    let expected = vec![of("", &[(0, 20)]), of("edge1", &[(0, 180), (420, 540)]), of("edge2", &[(240, 300)])];
    assert_eq!(store.coverage().unwrap(), expected);
    assert_eq!(backend.reader().coverage().unwrap(), expected);
    // What a clock dates far in the future covers nothing, and results of which nothing else is known cover their window.
    store.append(&file(vec![packet(3, i64::MAX - SECOND)])).unwrap();
    assert_eq!(store.coverage().unwrap(), expected);
    let replaced = START - 2 * WINDOW;
    replace(store, replaced, &[made(1, replaced)]);
    replace(store, START, &[made(1, START)]);
    let whole = NodeCoverage {
        spans: vec![replaced..replaced + WINDOW, START..START + 20 * SECOND + 1],
        ..NodeCoverage::default()
    };
    assert_eq!(store.coverage().unwrap()[0], whole);
}

pub(crate) fn each_replacement_has_another_generation<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    store.append(&file(vec![packet(1, START), packet(2, START + WINDOW)])).unwrap();
    assert_eq!(store.generations(i64::MIN..i64::MAX).unwrap(), []);
    assert_eq!(store.cells(Window::containing(START)).unwrap().map_or(0, |cells| cells.len()), 0);
    replace(store, START, &[made(1, START)]);
    replace(store, START + WINDOW, &[]);
    let first = store.generations(i64::MIN..i64::MAX).unwrap();
    assert_eq!(first.iter().map(|(window, _)| window.start()).collect::<Vec<_>>(), [START, START + WINDOW]);
    assert_eq!(store.generations(START + 1..i64::MAX).unwrap(), first[1..]);
    replace(store, START, &[made(1, START)]);
    let second = backend.reader().generations(i64::MIN..i64::MAX).unwrap();
    assert_ne!(second[0], first[0], "computed again from the same");
    assert_eq!(second[1], first[1]);
}
