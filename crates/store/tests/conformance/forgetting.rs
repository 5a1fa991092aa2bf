use cutshort_model::Window;
use cutshort_store::{Added, Forgotten, StoreError};

use super::connections::everything;
use super::{Backend, START, WINDOW, file, groups, made, packet, replace};

pub(crate) fn forgotten_segments_leave_nothing<B: Backend>() {
    let backend = B::new();
    let store = backend.store();
    let alone = file(vec![packet(1, START), packet(2, START)]);
    let shared = [WINDOW, WINDOW + 1].map(|after| file(vec![packet(3, START + after)]));
    for segment in [&alone, &shared[0], &shared[1]] {
        store.append(segment).unwrap();
    }
    replace(store, START, &[made(1, START)]);
    replace(store, START + WINDOW, &[made(3, START + WINDOW)]);
    assert_eq!(store.known_segments().unwrap().len(), 3);
    let forgotten = store.forget(&[alone.info().id, shared[1].info().id]).unwrap();
    let expected = Forgotten {
        segments: 2,
        packets: 3,
        removed: vec![Window::containing(START)],
        left: vec![Window::containing(START + WINDOW)],
        ..Forgotten::default()
    };
    assert_eq!(forgotten, expected);
    let windows = store.windows(i64::MIN..i64::MAX).unwrap();
    let states: Vec<_> = windows.iter().map(|state| (state.window, state.is_due())).collect();
    assert_eq!(states, [(Window::containing(START + WINDOW), true)]);
    let status = store.status().unwrap();
    assert_eq!((status.segments, status.windows, status.covered), (1, 1, Some(shared[0].info().covers)));
    assert_eq!(store.connections(&everything()).unwrap().len(), 1);
    assert_eq!(store.known_segments().unwrap().len(), 1);
    assert_eq!(store.forget(&[alone.info().id]).unwrap(), Forgotten::default(), "it is gone");
    // It can come in again.
    assert_eq!(store.append(&alone).unwrap(), Added::New);
    assert_eq!(groups(store, START, 1).len(), 2);
    assert!(!matches!(store.read_window(Window::containing(START), 1), Err(StoreError::Unavailable(_))));
}
