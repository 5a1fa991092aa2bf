//! Floods, scans and reflections are events of their own, and scanners raise none again and again.

use cutshort_detect::{
    Channel, Config, Detector, Event, EventState, Journal, ObservedNode, SeriesCounts, SeriesPlace,
    SingleSyns, Window,
};

const DAY: i64 = 96;
const WEEK: i64 = 7 * DAY;
/// When it begins.
const START: i64 = 5 * WEEK;
const COUNTRIES: [[u8; 2]; 4] = [*b"XA", *b"XB", *b"XC", *b"XD"];
const NETWORKS: u32 = 12;
/// The network that differs, in the first country.
const SCANNER: u32 = 99;

/// Connections of a network in a window: completed handshakes, single SYNs, and what these were like.
#[derive(Clone, Copy, Default)]
struct Sent {
    completed: f64,
    syns: f64,
    single: SingleSyns,
}

fn syns(count: f64, reset: f64, scanner: f64, port: f64) -> Sent {
    let single = SingleSyns { reset: reset * count, scanner: scanner * count, port: port * count };
    Sent { completed: 0.0, syns: count, single }
}

/// Twelve ordinary networks, and one that sends what `other` says; `flood` is sent in the name of all.
fn events(length: i64, other: impl Fn(i64) -> Sent, flood: impl Fn(i64) -> f64) -> Vec<Event> {
    let mut detector = Detector::new(Config::default());
    let mut journal = Journal::default();
    for t in START - 5 * WEEK..START + length {
        let mut sums: Vec<(SeriesPlace, Option<[u8; 2]>, Sent)> = Vec::new();
        let mut add = |number: u32, country: [u8; 2], sent: Sent| {
            for (place, home) in [
                (SeriesPlace::Network(number), Some(country)),
                (SeriesPlace::Country(country), None),
                (SeriesPlace::World, None),
            ] {
                let at = sums.iter().position(|(known, ..)| *known == place).unwrap_or_else(|| {
                    sums.push((place, home, Sent::default()));
                    sums.len() - 1
                });
                let sum = &mut sums[at].2;
                sum.completed += sent.completed;
                sum.syns += sent.syns;
                sum.single.reset += sent.single.reset;
                sum.single.scanner += sent.single.scanner;
                sum.single.port += sent.single.port;
            }
        };
        for number in 1..=NETWORKS {
            let wave = 10.0 * (f64::from(number) + t as f64 * 0.7).sin();
            let forged = syns(5.0 + flood(t), 0.1, 0.0, 1.0);
            add(number, COUNTRIES[number as usize % 4], Sent { completed: (100.0 + wave).round(), ..forged });
        }
        add(SCANNER, COUNTRIES[0], other(t));
        let counts: Vec<SeriesCounts> = sums
            .into_iter()
            .map(|(place, country, sent)| SeriesCounts {
                place,
                country,
                network: None,
                node: 0,
                all: sent.completed + sent.syns,
                squares: sent.completed + sent.syns,
                stages: [sent.syns, 0.0, 0.0, 0.0],
                single: Some(sent.single),
            })
            .collect();
        let nodes = [ObservedNode { name: "a", coverage: 1.0 }];
        journal
            .record(detector.add(&Window { number: t, nodes: &nodes, counts: &counts }).expect("in order"));
    }
    journal.into_events()
}

fn told(events: &[Event]) -> Vec<(String, Channel)> {
    let told = events.iter().filter(|event| event.part_of.is_none());
    told.map(|event| (event.place.to_string(), event.channel)).collect()
}

fn during(from: i64, length: i64, value: f64) -> impl Fn(i64) -> f64 {
    move |t| if (from..from + length).contains(&t) { value } else { 0.0 }
}

#[test]
fn a_flood_with_forged_sources_is_the_worlds() {
    let quiet = |_| Sent { completed: 20.0, ..Sent::default() };
    let found = events(2 * DAY, quiet, during(START, 8, 120.0));
    assert_eq!(told(&found), [("world".to_owned(), Channel::Flood)]);
    assert_eq!((found[0].onset, found[0].end), (START, Some(START + 8)));
}

#[test]
fn a_scan_is_told_as_such_and_not_as_something_that_happens_to_its_country() {
    let scan = |t| {
        let sent = syns(during(START, 12, 2000.0)(t), 1.0, 0.9, 0.2);
        Sent { completed: 20.0, ..sent }
    };
    let found = events(3 * DAY, scan, |_| 0.0);
    assert_eq!(told(&found), [("as:99".to_owned(), Channel::Scan)]);
}

#[test]
fn syns_that_rsts_answer_look_reflected() {
    let reflected = |t| {
        let sent = syns(during(START, 12, 2000.0)(t), 0.95, 0.0, 1.0);
        Sent { completed: 20.0, ..sent }
    };
    assert_eq!(told(&events(3 * DAY, reflected, |_| 0.0)), [("as:99".to_owned(), Channel::Reflection)]);
    let silent = |t| Sent { completed: 20.0, ..syns(during(START, 12, 2000.0)(t), 0.1, 0.0, 1.0) };
    assert_eq!(told(&events(3 * DAY, silent, |_| 0.0))[0].1, Channel::Scan);
}

#[test]
fn lost_answers_of_a_network_with_handshakes_remain_an_event_of_it() {
    let lost = |t| {
        let sent = syns(during(START, 12, 60.0)(t), 0.1, 0.0, 1.0);
        Sent { completed: 100.0 - sent.syns / 2.0, ..sent }
    };
    assert_eq!(told(&events(3 * DAY, lost, |_| 0.0)), [("as:99".to_owned(), Channel::PostSyn)]);
}

/// 18 hours of each day, for three weeks.
#[test]
fn a_daily_scan_is_one_event_that_becomes_usual() {
    let daily = |t: i64| {
        let is_active = t >= START && (16..88).contains(&t.rem_euclid(DAY));
        let sent = syns(if is_active { 1000.0 } else { 0.0 }, 1.0, 1.0, 0.3);
        Sent { completed: 20.0, ..sent }
    };
    let found = events(3 * WEEK, daily, |_| 0.0);
    let own: Vec<_> = found.iter().filter(|event| event.place == SeriesPlace::Network(SCANNER)).collect();
    assert_eq!(own.len(), 1, "{own:#?}");
    assert_eq!((own[0].channel, own[0].state), (Channel::Scan, EventState::Usual));
    assert_eq!(found.iter().filter(|event| event.alarm.is_some()).count(), 1, "{found:#?}");
}

/// Some networks never complete a handshake. They are as usual.
#[test]
fn networks_that_only_scan_raise_no_events() {
    let always = |t: i64| syns(30.0 + 10.0 * (t as f64 * 0.9).sin().round(), 1.0, 1.0, 0.3);
    assert_eq!(events(5 * WEEK, always, |_| 0.0), []);
    let nearly = |t: i64| Sent { completed: f64::from(u8::from(t % 3 == 0)), ..always(t) };
    assert_eq!(events(5 * WEEK, nearly, |_| 0.0), []);
}
