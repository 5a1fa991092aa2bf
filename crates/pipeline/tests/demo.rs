//! The demo's events are what happens in it, and nothing else.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, UNIX_EPOCH};

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Geo;
use cutshort_model::{Window, nanoseconds};
use cutshort_pipeline::EventJob;
use cutshort_pipeline::demo::Demo;
use cutshort_store::{EventQuery, Store};

/// A shutdown, blocking, a scan and a flood raise alarms. Clocks that change within the four weeks do not, nor does anything else. The
/// noise of other four weeks can raise a false alarm or two of single networks.
#[test]
fn incidents_raise_alarms_and_a_change_of_clocks_does_not() {
    let until = UNIX_EPOCH + Duration::from_secs(1_796_013_600);
    let demo = Demo::until(until);
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options { durable: false }).unwrap();
    let networks = folder.path().join("networks.csv");
    std::fs::write(&networks, demo.geo_csv()).unwrap();
    let geo = Geo::with_files(&[networks]).unwrap();
    demo.fill(&store, &geo, &|_| ControlFlow::Continue(())).unwrap();
    EventJob::default().run(&store, nanoseconds(until), &mut |_| ControlFlow::Continue(())).unwrap();
    let kept = store.events().unwrap().list(&EventQuery::default()).unwrap();
    let alarms = kept.iter().map(|kept| &kept.event).filter(|event| event.alarm.is_some());
    let end = Window::containing(nanoseconds(until)).number();
    let told: BTreeSet<String> = alarms
        .map(|event| format!("{} {} {}", event.place, event.channel, (end - event.onset) / 96))
        .collect();
    let expected = ["country:IS scan 19", "country:NZ post_ack 16", "country:PT traffic 9", "world flood 2"];
    assert_eq!(told.into_iter().collect::<Vec<_>>(), expected, "with the days before the end");
}
