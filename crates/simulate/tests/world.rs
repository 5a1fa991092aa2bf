//! Time, place and rates.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]
use cutshort_simulate::{
    Behaviour, Event, IncidentKind, SIMULATED, Simulation, Stage, Truth, WINDOW_NS, World,
};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

const DAY: i64 = 96 * WINDOW_NS;
/// A Wednesday, 16:00.
const END: i64 = 20_003 * DAY + 64 * WINDOW_NS;

fn month(rate: f64) -> Simulation {
    Simulation::new(World::standard(), END - 28 * DAY, END, rate, 5)
}

fn some(seed: u64) -> Simulation {
    Simulation::new(World::standard(), END - 3 * WINDOW_NS, END, 20.0, seed)
}

#[test]
fn same_seed_same_packets() {
    assert!(some(1).events().eq(some(1).events()));
    assert!(!some(1).packets().take(50).eq(some(2).packets().take(50)));
}

#[test]
fn time_only_goes_forward_and_windows_keep_their_packets() {
    let simulation = some(1);
    let mut latest = 0;
    for window in simulation.windows() {
        for event in simulation.window(window) {
            let ts = match event {
                Event::Packet(packet) => packet.ts,
                // It is announced when the attempt before it begins, which a packet tells.
                Event::Connection(truth) if truth.after_attempt => latest,
                Event::Connection(truth) => truth.first_ts,
            };
            assert!(ts >= latest && ts.div_euclid(WINDOW_NS) == window);
            latest = ts;
        }
    }
    assert!(latest > END - WINDOW_NS / 100);
}

#[test]
fn any_window_can_be_had_alone() {
    let simulation = some(1);
    let mut backwards: Vec<Vec<_>> =
        simulation.windows().rev().map(|k| simulation.window(k).collect()).collect();
    backwards.reverse();
    assert!(simulation.events().eq(backwards.into_iter().flatten()));
    let shorter = Simulation::new(World::standard(), END - WINDOW_NS, END, 20.0, 1);
    assert!(shorter.events().eq(simulation.window(simulation.windows().end - 1)));
}

#[test]
fn range_is_widened_to_whole_windows() {
    let simulation = Simulation::new(World::standard(), END - WINDOW_NS - 1, END + 1, 1.0, 1);
    assert_eq!(simulation.windows(), END / WINDOW_NS - 2..END / WINDOW_NS + 1);
    assert_eq!(Simulation::new(World::standard(), END, END - DAY, 1.0, 1).events().count(), 0);
    assert_eq!(Simulation::new(World::standard(), END - DAY, END, 0.0, 1).events().count(), 0);
}

#[test]
fn total_is_about_what_was_asked_for() {
    let simulation = Simulation::with_total(World::standard(), END - 4 * DAY, END, 50_000, 1);
    let total = simulation.truths().count();
    assert!((49_500..50_500).contains(&total), "{total}");
}

#[test]
fn sample_rate_is_on_every_packet() {
    assert!(some(1).sample_rate(10_000).packets().all(|packet| packet.sample_rate == 10_000));
}

fn share(truths: &[&Truth], holds: impl Fn(&Truth) -> bool) -> f64 {
    truths.iter().filter(|truth| holds(truth)).count() as f64 / truths.len().max(1) as f64
}

fn stage_is(stage: Stage) -> impl Fn(&Truth) -> bool {
    move |truth| truth.outcome.verdict().is_some_and(|verdict| verdict.stage == stage)
}

/// The paper's mix within the post's fifth.
#[test]
fn a_fifth_is_anomalous_in_the_published_mix() {
    let all: Vec<_> = month(1.0).truths().filter(|truth| truth.outcome.verdict().is_some()).collect();
    let all: Vec<_> = all.iter().collect();
    let of = |stage| 100.0 * share(&all, stage_is(stage));
    let anomalous = 100.0 - of(Stage::None);
    assert!((18.5..21.5).contains(&anomalous), "{anomalous}");
    for (stage, published) in
        [(Stage::PostSyn, 43.2), (Stage::PostAck, 16.1), (Stage::PostPsh, 5.3), (Stage::Later, 33.0)]
    {
        let here = 100.0 * of(stage) / anomalous;
        assert!((here - published).abs() < 3.0, "{stage:?} is {here} % of the anomalous");
    }
}

#[test]
fn networks_behave() {
    let simulation = Simulation::new(World::standard(), END - 96 * WINDOW_NS, END, 20.0, 2);
    let mut by_behaviour = HashMap::<_, Vec<_>>::new();
    for truth in simulation.truths() {
        let network = simulation.world().network_of(truth.five_tuple.src()).unwrap();
        assert_eq!((network.asn, network.country), (truth.asn, truth.country));
        by_behaviour.entry(network.behaviour).or_default().push(truth);
    }
    let of = |behaviour, stage| share(&by_behaviour[&behaviour].iter().collect::<Vec<_>>(), stage_is(stage));
    assert!((0.47..0.54).contains(&of(Behaviour::ZeroRating, Stage::PostAck)));
    assert!(of(Behaviour::HealthChecker, Stage::PostAck) > 0.9);
    assert!(of(Behaviour::Zmap, Stage::PostSyn) > 0.98);
    assert!(of(Behaviour::SynPayload, Stage::PostSyn) > 0.95);
    assert!((0.09..0.16).contains(&of(Behaviour::ResetAfterData, Stage::PostPsh)));
    assert!((0.45..0.65).contains(&of(Behaviour::Research, Stage::PostSyn)));
    assert!(of(Behaviour::Fixed, Stage::None) > 0.8);
}

/// Truths of the windows of an incident, and of the same windows a week later or earlier.
fn beside(simulation: &Simulation, kind: IncidentKind, shift: i64) -> (Vec<Truth>, Vec<Truth>) {
    let incident = simulation.incidents().iter().find(|incident| incident.kind == kind).unwrap();
    let windows = incident.from_ns / WINDOW_NS..incident.to_ns / WINDOW_NS;
    let concerned = |truth: &Truth| {
        incident.country.is_none_or(|country| country == truth.country)
            && incident.asn.is_none_or(|asn| asn == truth.asn)
    };
    let truths = |shift: i64| {
        let events = windows.clone().flat_map(move |k| simulation.window(k + shift * 96));
        events
            .filter_map(|event| if let Event::Connection(truth) = event { Some(truth) } else { None })
            .filter(concerned)
            .collect()
    };
    (truths(0), truths(shift))
}

#[test]
fn shutdown_takes_the_traffic_away() {
    let (during, usual) = beside(&month(20.0), IncidentKind::Shutdown, -7);
    let left = during.len() as f64 / usual.len() as f64;
    assert!((0.02..0.09).contains(&left), "{left}");
    let post_syn = |truths: &[Truth]| share(&truths.iter().collect::<Vec<_>>(), stage_is(Stage::PostSyn));
    assert!(post_syn(&during) > 3.0 * post_syn(&usual) && post_syn(&during) > 0.3);
}

#[test]
fn exams_raise_post_ack() {
    let (during, usual) = beside(&month(60.0), IncidentKind::Exams, -7);
    assert!(during.len() < usual.len() * 9 / 10);
    let post_ack = |truths: &[Truth]| share(&truths.iter().collect::<Vec<_>>(), stage_is(Stage::PostAck));
    assert!(post_ack(&during) > 0.2 && post_ack(&usual) < 0.08);
}

#[test]
fn campaign_runs_the_same_hours_every_day() {
    let simulation = month(8.0);
    let days: Vec<_> = simulation.incidents().iter().filter(|i| i.kind == IncidentKind::Campaign).collect();
    assert_eq!(days.len(), 20);
    assert!(days.iter().all(|i| i.from_ns % DAY == 16 * WINDOW_NS && i.to_ns - i.from_ns == 72 * WINDOW_NS));
    let (during, before) = beside(&simulation, IncidentKind::Campaign, -2);
    assert!(during.len() > 10 * before.len());
}

#[test]
fn flood_doubles_the_traffic_from_everywhere() {
    let (during, usual) = beside(&month(10.0), IncidentKind::Flood, -7);
    assert!(during.len() > usual.len() * 17 / 10);
    assert!(share(&during.iter().collect::<Vec<_>>(), stage_is(Stage::PostSyn)) > 0.4);
    assert_eq!(during.iter().map(|truth| truth.asn).collect::<HashSet<_>>().len(), 150);
}

#[test]
fn nights_are_quiet() {
    let simulation = Simulation::new(World::standard(), END - 2 * DAY, END, 8.0, 5);
    let mut hours = [0_u32; 24];
    for truth in simulation.truths().filter(|truth| truth.country == *b"GB") {
        hours[(truth.first_ts.rem_euclid(DAY) / (4 * WINDOW_NS)) as usize] += 1;
    }
    assert!(hours[20] > 3 * hours[3], "{hours:?}");
}

#[test]
fn world_of_any_size() {
    for (countries, networks) in [(1, 1), (3, 20), (200, 5000)] {
        let world = World::builder().countries(countries).networks(networks).build();
        assert_eq!(world.countries().len(), countries);
        assert_eq!(world.networks().len(), networks.max(countries + 12));
        let simulation = Simulation::new(world, END - WINDOW_NS, END, 2.0, 1);
        assert!(simulation.truths().count() > 300);
    }
    assert_eq!((World::standard().countries().len(), World::standard().networks().len()), (37, 150));
}

#[test]
fn geo_csv_covers_every_address_once() {
    let world = World::standard();
    let csv = world.geo_csv();
    assert!(csv.starts_with("# source: simulated by cutshort\n# date: "));
    let mut latest = None::<IpAddr>;
    for line in csv.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split(',').collect();
        let (start, end): (IpAddr, IpAddr) = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
        assert!(latest.is_none_or(|latest| latest < start) && start < end, "{line}");
        latest = Some(end);
        for address in [start, end] {
            let network = world.network_of(address).unwrap();
            assert_eq!(fields[2].as_bytes(), network.country);
            assert_eq!((fields[3], fields[4]), (&*network.asn.to_string(), &*network.name));
            assert!(network.asn >= 4_200_000_000 && network.name.starts_with(SIMULATED));
        }
    }
}

#[test]
fn addresses_cannot_be_real() {
    for packet in some(9).packets() {
        match (packet.five_tuple.src(), packet.five_tuple.dst()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                assert!((240..255).contains(&src.octets()[0]) && dst.octets()[..3] == [203, 0, 113]);
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                assert!(src.segments()[0] == 0x3fff && src.segments()[1] < 0x1000);
                assert!(dst.segments()[..3] == [0x2001, 0xdb8, 0xffff] && packet.ip_id == 0);
            }
            _ => panic!("{}", packet.five_tuple),
        }
    }
}
