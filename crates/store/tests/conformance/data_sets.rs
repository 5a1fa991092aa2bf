//! Data sets are kept apart.

use cutshort_packet::{Flags, Packet};
use cutshort_store::{Added, Provenance, Segment, SegmentSource, StoreError};
use cutshort_verdict::DataSet;

use super::{Backend, WINDOW, packet};

const COVERS: (i64, i64) = (0, WINDOW);

fn segment(data_set: DataSet, flags: Flags) -> Segment {
    let packets = vec![Packet { flags, ..packet(1, 5) }];
    let source = SegmentSource { data_set, node: "edge", origin: Provenance::File, covers: COVERS };
    Segment::encode(packets, &source, None).unwrap()
}

/// Segments of a data set are found in its own store, also by a reader and after an earlier look, and nowhere else.
pub(crate) fn each_data_set_has_its_own_segments<B: Backend>() {
    let (backend, received) = (B::new(), Flags::RECEIVED | Flags::ACK);
    let (store, reader) = (backend.store(), backend.reader());
    assert_eq!(store.data_set(), DataSet::Tcp);
    let (tcp, origin) = (segment(DataSet::Tcp, Flags::SYN), segment(DataSet::Origin, received));
    assert_ne!(tcp.info().id, origin.info().id);
    assert!(reader.find(DataSet::Origin).unwrap().is_none_or(|store| store.status().unwrap().segments == 0));

    assert_eq!(store.append(&tcp).unwrap(), Added::New);
    let other = store.of(DataSet::Origin).unwrap();
    assert_eq!(other.data_set(), DataSet::Origin);
    assert_eq!(other.append(&origin).unwrap(), Added::New);
    assert_eq!(other.append(&origin).unwrap(), Added::Known);
    for reader in [&*reader, store] {
        for (data_set, id) in [(DataSet::Tcp, tcp.info().id), (DataSet::Origin, origin.info().id)] {
            let found = reader.find(data_set).unwrap().unwrap();
            let known = found.known_segments().unwrap();
            let known: Vec<_> = known.iter().map(|known| (known.info.id, known.info.data_set)).collect();
            assert_eq!(known, [(id, data_set)]);
        }
    }
    let mut part = other.read_window(cutshort_model::Window::containing(5), 1).unwrap().parts.remove(0);
    let mut rows = Vec::new();
    assert!(part.next_group(&mut rows).unwrap().is_some());
    assert_eq!(rows[0].row.flags, received);
}

/// A segment in the wrong store would be counted among connections of another kind.
pub(crate) fn segments_of_other_data_sets_are_refused<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    for (store, segment) in [
        (store, segment(DataSet::Origin, Flags::SYN)),
        (store.of(DataSet::Origin).unwrap(), segment(DataSet::Tcp, Flags::SYN)),
    ] {
        let error = store.append(&segment).unwrap_err();
        assert!(matches!(&error, StoreError::Refused(why) if why.contains("data set")), "{error}");
        assert_eq!(store.status().unwrap().segments, 0);
    }
}

/// What operators note is about the place and the time, whatever the data set.
pub(crate) fn annotations_are_shared<B: Backend>() {
    use cutshort_store::{AnnotationKind, NewAnnotation};
    let backend = B::new();
    let store = backend.store();
    let annotation = NewAnnotation {
        kind: AnnotationKind::General,
        start: 0,
        end: None,
        description: "changed firewall".to_owned(),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: Vec::new(),
        outage: None,
    };
    store.annotate(&annotation).unwrap();
    let other = store.of(DataSet::Origin).unwrap();
    let found = other.annotations(0..WINDOW).unwrap();
    assert_eq!(found.iter().map(|found| &found.content).collect::<Vec<_>>(), [&annotation]);
}
