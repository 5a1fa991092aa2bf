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

/// Shutdown, blocking, a scan and a flood raise alarms. Clocks that change within the four weeks do not, nor does any other country.
/// The noise of four weeks may raise a false alarm or two of single networks.
#[test]
fn incidents_raise_alarms_and_a_change_of_clocks_does_not() {
    let until = UNIX_EPOCH + Duration::from_secs(1_774_000_000);
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
    let (networks, others): (Vec<_>, Vec<_>) = told.into_iter().partition(|alarm| alarm.starts_with("as:"));
    let expected = ["country:IS scan 19", "country:NZ post_ack 14", "country:PT traffic 9", "world flood 2"];
    assert_eq!(others, expected, "with the days before the end");
    assert!(networks.len() <= 2, "{networks:?}");
}
