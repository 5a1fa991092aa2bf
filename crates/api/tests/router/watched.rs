//! What is watched for events, and which networks follow one.

use std::sync::Mutex;

use cutshort_detect::{
    Channel, Config, Detector, EventState, Journal, ObservedNode, SeriesCounts, SeriesPlace, Window,
};
use cutshort_store::KeptEvent;
use cutshort_verdict::Stage;

use crate::client::{DAY, END, Server};
use crate::memory::{KnownEvents, Memory, connection};

const IRAQ: [u8; 2] = *b"IQ";

/// Iraq with two networks for five weeks. In the last five hours one of them sends nothing, so the country lacks most connections.
pub(crate) fn store() -> Memory {
    let (mut detector, mut journal) = (Detector::new(Config::default()), Journal::default());
    let nodes = [ObservedNode { name: "edge1", coverage: 1.0 }];
    for number in 0..35 * 96 {
        let is_down = number >= 35 * 96 - 20;
        let large = if is_down { 0.0 } else { 900.0 };
        let counts = |place, country, all: f64| SeriesCounts {
            place,
            country,
            network: None,
            node: 0,
            all,
            squares: all,
            stages: [0.02 * all, 0.01 * all, 0.01 * all, 0.03 * all],
            single: None,
        };
        let counts = [
            counts(SeriesPlace::World, None, 5000.0 + large),
            counts(SeriesPlace::Country(IRAQ), None, large + 100.0),
            counts(SeriesPlace::Network(64500), Some(IRAQ), large),
            counts(SeriesPlace::Network(64501), Some(IRAQ), 100.0),
        ];
        journal.record(detector.add(&Window { number, nodes: &nodes, counts: &counts }).unwrap());
    }
    let kept =
        journal.into_events().into_iter().map(|event| KeptEvent { found: event.id, event, updated: END });
    let events = KnownEvents(kept.collect(), Some(detector.save()), Mutex::default());
    Memory { events, ..Memory::of(vec![connection(END - DAY, "IQ", 64500, Stage::None, 10)]) }
}

#[test]
fn the_status_of_each_series_is_told() {
    let server = Server::of(store());
    let result = server.get("/client/v4/cutshort/watched?location=IQ").result();
    assert_eq!(result["places"], 4);
    let places: Vec<&str> =
        result["watched"].as_array().unwrap().iter().map(|one| one["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["country:IQ"]);
    let traffic = &result["watched"][0]["series"][0];
    assert_eq!((traffic["channel"].as_str(), traffic["status"].as_str()), (Some("traffic"), Some("watched")));
    assert!(traffic["minutes"].as_u64().unwrap() <= 120, "{traffic}");
    let network = server.get("/client/v4/cutshort/watched?asn=64501").result();
    assert_eq!(network["watched"][0]["place"], "as:64501");
    let paged = server.get("/client/v4/cutshort/watched?limit=1&offset=1").result();
    assert_eq!(paged["watched"].as_array().unwrap().len(), 1);
    let none = Server::of(Memory::default()).get("/client/v4/cutshort/watched").problem();
    assert_eq!((none.0, none.1), (404, 2004));
}

#[test]
fn networks_follow_an_event_of_their_country_or_do_not() {
    let store = store();
    let is_open = |kept: &&KeptEvent, place: &str| {
        kept.event.place.to_string() == place
            && kept.event.channel == Channel::Traffic
            && kept.event.state == EventState::Open
    };
    let id = |place| store.events.0.iter().find(|kept| is_open(kept, place)).map(|kept| kept.event.id);
    let (country, network) = (id("country:IQ").unwrap(), id("as:64500").unwrap());
    let server = Server::of(store);
    let of = |id| format!("/client/v4/cutshort/events/{id}/followers");
    let result = server.get(&of(country)).result();
    let asns = |list: &str| {
        let list = result[list].as_array().unwrap().iter();
        list.map(|one| one["asn"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((asns("following"), asns("exempt")), (vec!["64500".to_owned()], vec!["64501".to_owned()]));
    let (status, _, message) = server.get(&of(network)).problem();
    assert_eq!(status, 404);
    assert!(message.contains("not an open event of a country"), "{message}");
}
