//! A detector restored from a saved state continues as if nothing had happened, whatever windows are replaced since.

use cutshort_detect::{
    Change, Channel, Config, Detector, Event, EventState, Journal, ObservedNode, SeriesCounts, SeriesPlace,
    SeriesStatus, StateError, What, Window, WindowError, reconcile,
};
use proptest::prelude::*;

const DAY: i64 = 96;
const WEEK: i64 = 7 * DAY;
const LENGTH: i64 = 6 * WEEK;

/// Something that happens to a network: from which window on, how long, what is left of its traffic, and the share of
/// Post-ACK that is added.
#[derive(Clone, Debug)]
struct Incident {
    network: u32,
    from: i64,
    length: i64,
    left: f64,
    added: f64,
}

fn incidents() -> impl Strategy<Value = Vec<Incident>> {
    let incident = (1..=3_u32, 4 * WEEK..LENGTH, 1..2 * DAY, 0.0..1.2, 0.0..0.3)
        .prop_map(|(network, from, length, left, added)| Incident { network, from, length, left, added });
    prop::collection::vec(incident, 0..6)
}

/// A number from 0 to 1 that depends on nothing but its arguments.
fn noise(a: i64, b: u32) -> f64 {
    let mut z =
        (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(b).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 53) as f64
}

/// Three networks of a country, the country, and the world, at two nodes.
fn counts(t: i64, incidents: &[Incident]) -> Vec<SeriesCounts> {
    let mut all = Vec::new();
    let mut country = [[0.0; 2]; 2];
    for network in 1..=3_u32 {
        let active =
            incidents.iter().filter(|i| i.network == network && (i.from..i.from + i.length).contains(&t));
        let (mut left, mut added) = (1.0, 0.0);
        for incident in active {
            left *= incident.left;
            added += incident.added;
        }
        for (node, sums) in country.iter_mut().enumerate() {
            let size = 40.0 * f64::from(network) * left * (0.9 + 0.2 * noise(t, network * 2 + node as u32));
            let (all_of_it, post_ack) = (size.round(), (size * (0.02 + added)).round());
            sums[0] += all_of_it;
            sums[1] += post_ack;
            all.push((SeriesPlace::Network(network), node, all_of_it, post_ack));
        }
    }
    for (node, [size, post_ack]) in country.into_iter().enumerate() {
        all.push((SeriesPlace::Country(*b"XA"), node, size, post_ack));
        all.push((SeriesPlace::World, node, size, post_ack));
    }
    let counts = |(place, node, all, post_ack)| SeriesCounts {
        country: matches!(place, SeriesPlace::Network(_)).then_some(*b"XA"),
        network: None,
        place,
        node,
        all: 20.0 * all,
        squares: 400.0 * all,
        stages: [0.0, 20.0 * post_ack, 0.0, 0.0],
        single: None,
    };
    all.into_iter().map(counts).collect()
}

/// Adds windows, but for those left out.
fn run(
    detector: &mut Detector,
    windows: std::ops::Range<i64>,
    incidents: &[Incident],
    gap: &[i64],
) -> Vec<Change> {
    let nodes = [ObservedNode { name: "a", coverage: 1.0 }, ObservedNode { name: "b", coverage: 1.0 }];
    let mut changes = Vec::new();
    for number in windows.filter(|number| !gap.contains(number)) {
        changes.extend(
            detector
                .add(&Window { number, nodes: &nodes, counts: &counts(number, incidents) })
                .expect("windows in order"),
        );
    }
    changes
}

/// The last state of each event.
fn events(changes: &[Change]) -> Vec<Event> {
    let mut journal = Journal::default();
    journal.record(changes.iter().cloned());
    let mut events = journal.into_events();
    events.sort_by_key(|event| (event.onset, event.id));
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn windows_that_are_replaced_give_the_same_events_as_from_scratch(
        before in incidents(),
        added in incidents(),
        gap in prop::collection::vec(4 * WEEK..LENGTH, 0..20),
        day in 25..40_i64,
    ) {
        let config = Config::default();
        let checkpoint = day * DAY;
        // What replaces windows only concerns those after the checkpoint.
        let mut after = before.clone();
        after.extend(added.into_iter().map(|incident| Incident { from: incident.from.max(checkpoint), ..incident }));
        let gap: Vec<_> = gap.into_iter().filter(|&window| window >= checkpoint).collect();

        let mut first = Detector::new(config);
        run(&mut first, 0..checkpoint, &before, &[]);
        let state = first.save();
        let published = events(&run(&mut first, checkpoint..LENGTH, &before, &[]));

        let mut restored = Detector::restore(config, &state).unwrap();
        let again = run(&mut restored, checkpoint..LENGTH, &after, &gap);

        let mut scratch = Detector::new(config);
        run(&mut scratch, 0..checkpoint, &after, &[]);
        prop_assert_eq!(scratch.save(), state);
        let from_scratch = run(&mut scratch, checkpoint..LENGTH, &after, &gap);
        prop_assert_eq!(&again, &from_scratch);
        prop_assert_eq!(&scratch.save(), &restored.save());

        // Ids stay: nothing that was published is lost, and a second time nothing changes.
        let found = events(&again);
        let reconciled = reconcile(&published, &found, LENGTH - 1);
        for event in &published {
            prop_assert!(reconciled.iter().any(|known| known.id == event.id), "{} is gone", event.id);
        }
        let mut ids: Vec<_> = reconciled.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), reconciled.len(), "ids are unique");
        let kept: Vec<_> = reconciled.iter().filter(|event| event.state != EventState::Retracted).cloned().collect();
        prop_assert_eq!(reconcile(&kept, &kept, LENGTH - 1), kept);
    }

    #[test]
    fn the_order_of_counts_does_not_matter(incidents in incidents()) {
        let nodes = [ObservedNode { name: "a", coverage: 1.0 }, ObservedNode { name: "b", coverage: 1.0 }];
        let (mut one, mut other) = (Detector::new(Config::default()), Detector::new(Config::default()));
        for number in 0..5 * WEEK {
            let mut counts = counts(number, &incidents);
            let changes = one.add(&Window { number, nodes: &nodes, counts: &counts }).unwrap();
            counts.reverse();
            prop_assert_eq!(changes, other.add(&Window { number, nodes: &nodes, counts: &counts }).unwrap());
        }
        prop_assert_eq!(one.save(), other.save());
    }

    #[test]
    fn damaged_states_are_refused(at: usize, bit in 0..8_u8, length: usize) {
        let mut detector = Detector::new(Config::default());
        run(&mut detector, 0..100, &[], &[]);
        let mut state = detector.save();
        let restore = |state: &[u8]| Detector::restore(Config::default(), state).map(|detector| detector.save());
        prop_assert_eq!(restore(&state), Ok(state.clone()));
        let at = at % state.len();
        state[at] ^= 1 << bit;
        prop_assert_eq!(restore(&state), Err(StateError));
        state[at] ^= 1 << bit;
        state.truncate(length % state.len());
        prop_assert_eq!(restore(&state), Err(StateError));
    }
}

#[test]
fn a_shutdown_of_a_country_is_told_once_with_its_networks_as_parts() {
    let from = 4 * WEEK + 3 * DAY;
    let incidents: Vec<_> =
        (1..=3).map(|network| Incident { network, from, length: 20, left: 0.05, added: 0.0 }).collect();
    let changes = run(&mut Detector::new(Config::default()), 0..LENGTH, &incidents, &[]);
    let events = events(&changes);
    let alarmed: Vec<_> = events.iter().filter(|event| event.alarm.is_some()).collect();
    assert_eq!(alarmed.len(), 1, "{events:#?}");
    // All traffic of this world comes from the country, so the two are the same.
    assert_eq!(alarmed[0].place, SeriesPlace::World);
    assert_eq!(
        (alarmed[0].onset, alarmed[0].end, alarmed[0].state),
        (from, Some(from + 20), EventState::Closed)
    );
    assert_eq!(events.len(), 5, "{events:#?}");
    assert!(events.iter().all(|event| event.channel == Channel::Traffic && event.size > 0.9));
    assert!(events.iter().all(|event| (event.part_of.is_none()) == (event.place == SeriesPlace::World)));
}

/// Of the connections that a shutdown leaves, most end early: that is the same incident, with one alarm.
#[test]
fn a_drop_of_traffic_explains_the_shares_of_what_is_left() {
    let from = 4 * WEEK + 3 * DAY;
    let incidents: Vec<_> =
        (1..=3).map(|network| Incident { network, from, length: 40, left: 0.15, added: 0.6 }).collect();
    let changes = run(&mut Detector::new(Config::default()), 0..LENGTH, &incidents, &[]);
    let events = events(&changes);
    let of = |channel| events.iter().filter(move |event| event.channel == channel);
    let alarmed: Vec<_> = events.iter().filter(|event| event.alarm.is_some()).collect();
    assert_eq!(alarmed.len(), 1, "{events:#?}");
    assert_eq!((&alarmed[0].place, alarmed[0].channel), (&SeriesPlace::World, Channel::Traffic));
    assert!(of(Channel::PostAck).count() >= 2 && of(Channel::PostAck).all(|event| event.part_of.is_some()));
    let world = of(Channel::PostAck).find(|event| event.place == SeriesPlace::World).unwrap();
    assert_eq!(world.part_of, Some(alarmed[0].id));
}

#[test]
fn events_of_consecutive_days_are_one_episode_with_one_alarm() {
    let first = 4 * WEEK + 3 * DAY;
    let incidents: Vec<_> = (0..5)
        .map(|day| Incident { network: 2, from: first + day * DAY, length: 12, left: 1.0, added: 0.2 })
        .collect();
    let changes = run(&mut Detector::new(Config::default()), 0..LENGTH, &incidents, &[]);
    let events: Vec<_> =
        events(&changes).into_iter().filter(|event| event.place == SeriesPlace::Network(2)).collect();
    assert_eq!(events.len(), 5, "{events:#?}");
    assert!(events.iter().all(|event| event.episode == events[0].id && event.channel == Channel::PostAck));
    assert_eq!(
        changes.iter().filter(|change| change.what != What::Closed && change.event.alarm.is_some()).count(),
        1
    );
}

#[test]
fn what_lasts_for_a_week_becomes_usual() {
    let from = 4 * WEEK + DAY;
    let incident = Incident { network: 1, from, length: LENGTH, left: 1.0, added: 0.25 };
    let mut detector = Detector::new(Config::default());
    let changes = run(&mut detector, 0..LENGTH, &[incident], &[]);
    let of: Vec<_> =
        events(&changes).into_iter().filter(|event| event.place == SeriesPlace::Network(1)).collect();
    assert_eq!(of.len(), 1, "{of:#?}");
    assert_eq!((of[0].state, of[0].onset, of[0].end), (EventState::Usual, from, None));
    assert!(of[0].closed.is_some_and(|window| window - from >= WEEK));
    assert_eq!(detector.open().count(), 0);
}

#[test]
fn it_says_which_places_are_watched_and_which_networks_follow_their_country() {
    let from = 5 * WEEK;
    let incidents: Vec<_> =
        (2..=3).map(|network| Incident { network, from, length: 40, left: 0.02, added: 0.0 }).collect();
    let network = SeriesPlace::Network(1);
    let mut detector = Detector::new(Config::default());
    run(&mut detector, 0..3 * DAY, &incidents, &[]);
    assert_eq!(detector.status(&network, Channel::Traffic), SeriesStatus::Learning);
    assert_eq!(detector.status(&SeriesPlace::Network(9), Channel::Traffic), SeriesStatus::Unknown);
    run(&mut detector, 3 * DAY..from, &incidents, &[]);
    let SeriesStatus::Watched { windows } = detector.status(&network, Channel::Traffic) else {
        panic!("not watched")
    };
    assert!((2..=4).contains(&windows), "{windows}");
    assert_eq!(detector.followers(*b"XA", Channel::Traffic), None, "no event");
    run(&mut detector, from..from + 12, &incidents, &[]);
    let followers = detector.followers(*b"XA", Channel::Traffic).expect("an event of the country");
    assert_eq!(followers.following, [SeriesPlace::Network(2), SeriesPlace::Network(3)]);
    assert_eq!(followers.exempt, [network]);
}

#[test]
fn windows_of_the_past_and_impossible_counts_are_refused() {
    let mut detector = Detector::new(Config::default());
    run(&mut detector, 0..10, &[], &[]);
    let before = detector.save();
    let nodes = [ObservedNode { name: "a", coverage: 1.0 }];
    let mut add = |number, counts: &[SeriesCounts]| detector.add(&Window { number, nodes: &nodes, counts });
    assert_eq!(add(9, &[]), Err(WindowError::Past { number: 9, next: 10 }));
    let mut wrong = counts(0, &[]);
    wrong.truncate(1);
    wrong[0].all = f64::NAN;
    assert_eq!(add(10, &wrong), Err(WindowError::Number(SeriesPlace::Network(1))));
    wrong[0].all = 1.0;
    wrong[0].node = 7;
    assert_eq!(add(10, &wrong), Err(WindowError::Node(7)));
    assert_eq!(detector.save(), before);
}
