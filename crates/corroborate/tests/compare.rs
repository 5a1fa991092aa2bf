//! What sources say about an event.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use cutshort_corroborate::{Corroboration, Opinion, Testimony, compare, links, needed};
use cutshort_detect::{Channel, Event, EventState, SeriesPlace};
use cutshort_store::{OutsidePoint, OutsideReport, OutsideSeries, OutsideSpan};

const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-06-10T03:00:00Z, and the event lasts for two hours.
const START: i64 = 1_781_060_400 * 1_000_000_000;
const END: i64 = START + 2 * HOUR;
const NOW: i64 = START + 5 * DAY;

fn event(place: &str, channel: Channel) -> Event {
    let place: SeriesPlace = place.parse().unwrap();
    let onset = START / (15 * MINUTE);
    Event {
        end: Some(onset + 8),
        closed: Some(onset + 9),
        state: EventState::Closed,
        size: 0.6,
        ..Event::new(place, channel, onset)
    }
}

fn report(place: &str, from: i64, to: Option<i64>) -> OutsideReport {
    OutsideReport {
        source: "ioda".to_owned(),
        id: "1".to_owned(),
        signal: "bgp".to_owned(),
        places: vec![place.parse().unwrap()],
        from,
        to,
        whole_days: false,
        note: String::new(),
        url: None,
        imported: NOW,
    }
}

/// A series with a value for each quarter of an hour, which depends on the time.
fn series(signal: &str, about: Channel, value: impl Fn(i64) -> f64) -> OutsideSeries {
    let points = (0..8 * 96).map(|at| START - 7 * DAY + at * 15 * MINUTE);
    OutsideSeries {
        source: "ioda".to_owned(),
        signal: signal.to_owned(),
        place: SeriesPlace::Country(*b"IQ"),
        about: vec![about],
        step: 15 * MINUTE,
        points: points.map(|at| OutsidePoint { at, value: value(at), of: None }).collect(),
    }
}

/// A value during the event, and another one at all other times.
fn during(inside: f64, outside: f64) -> impl Fn(i64) -> f64 {
    move |at| if (START..END).contains(&at) { inside } else { outside }
}

fn ask(
    event: &Event,
    reports: &[OutsideReport],
    spans: &[OutsideSpan],
    series: &[OutsideSeries],
) -> Corroboration {
    let sources = ["ioda".to_owned()];
    let testimony = Testimony { sources: &sources, reports, spans, series };
    compare(event, Some(*b"IQ"), &testimony, NOW).remove(0)
}

#[test]
fn reports_agree_within_an_hour_about_the_place_or_its_country() {
    let opinion = |place: &str, reported: OutsideReport| {
        ask(&event(place, Channel::Traffic), &[reported], &[], &[]).opinion
    };
    let iraq = |from, to| report("country:IQ", from, to);
    assert_eq!(opinion("country:IQ", iraq(START, Some(END))), Opinion::Agrees);
    assert_eq!(opinion("as:64500", iraq(START, Some(END))), Opinion::Agrees, "the country of a network");
    assert_eq!(
        opinion("country:IQ", report("as:64500", START, Some(END))),
        Opinion::NoData,
        "but not a network"
    );
    assert_eq!(opinion("country:IR", iraq(START, Some(END))), Opinion::NoData);
    assert_eq!(opinion("country:IQ", iraq(END + 59 * MINUTE, None)), Opinion::Agrees);
    assert_eq!(opinion("country:IQ", iraq(END + HOUR, None)), Opinion::NoData);
    assert_eq!(opinion("country:IQ", iraq(START - 3 * HOUR, Some(START - HOUR))), Opinion::NoData);
    assert_eq!(opinion("country:IQ", iraq(START - 3 * DAY, None)), Opinion::Agrees, "not over when imported");
    let stale = OutsideReport { imported: START - 2 * DAY, ..iraq(START - 3 * DAY, None) };
    assert_eq!(opinion("country:IQ", stale), Opinion::NoData, "nobody knows whether it still lasted");
    let daily = |days: i64| OutsideReport {
        whole_days: true,
        ..iraq((START / DAY + days) * DAY, Some((START / DAY + days + 1) * DAY))
    };
    assert_eq!(
        [-1, 0, 1].map(|days| opinion("country:IQ", daily(days)) == Opinion::Agrees),
        [false, true, false]
    );
    let found =
        ask(&event("country:IQ", Channel::Traffic), &[iraq(START + 20 * MINUTE, Some(END))], &[], &[]);
    assert_eq!(found.said[0].minutes, Some(20));
    assert_eq!(found.said[0].text, "bgp 2026-06-10 03:20:00 UTC to 05:00:00");
}

#[test]
fn series_must_change_against_a_day_and_a_week_before() {
    let opinion = |one: OutsideSeries| ask(&event("country:IQ", Channel::Traffic), &[], &[], &[one]).opinion;
    let traffic = Channel::Traffic;
    assert_eq!(opinion(series("ping-slash24", traffic, during(89.0, 100.0))), Opinion::Agrees);
    assert_eq!(opinion(series("ping-slash24", traffic, during(91.0, 100.0))), Opinion::Silent);
    assert_eq!(opinion(series("ping-slash24", traffic, during(111.0, 100.0))), Opinion::Disagrees);
    assert_eq!(opinion(series("bgp", traffic, during(98.9, 100.0))), Opinion::Agrees, "1 % of routes");
    let falls_weekly =
        |at: i64| if at < START - 3 * DAY || (START..END).contains(&at) { 50.0 } else { 100.0 };
    assert_eq!(opinion(series("gtr", traffic, falls_weekly)), Opinion::Silent, "as a week before");
    let since = |first: i64| {
        let mut one = series("gtr", traffic, during(50.0, 100.0));
        one.points.retain(|point| point.at >= first);
        one
    };
    assert_eq!(opinion(since(START - 2 * DAY)), Opinion::NoData, "nothing of a week before");
    assert_eq!(opinion(since(END)), Opinion::NoData);
    let found =
        ask(&event("country:IQ", traffic), &[], &[], &[series("gtr", traffic, during(5000.0, 10_000.0))]);
    assert_eq!(found.said[0].text, "gtr: 5,000 instead of 10,000 a day before and 10,000 a week before");
}

#[test]
fn long_events_are_compared_with_days_and_weeks_that_do_not_overlap_them() {
    let mut long = event("country:IQ", Channel::Traffic);
    long.end = Some(long.onset + 3 * 96);
    let [time, day, week] = needed(&long, NOW);
    assert_eq!((time.start - day.start, time.start - week.start), (3 * DAY, 7 * DAY));
    assert_eq!(time.end - time.start, day.end - day.start);
}

#[test]
fn traffic_says_nothing_about_resets() {
    let lower = series("bgp", Channel::Traffic, during(50.0, 100.0));
    let resets = event("country:IQ", Channel::PostPsh);
    assert_eq!(ask(&resets, &[], &[], std::slice::from_ref(&lower)).opinion, Opinion::NoData);
    let span = OutsideSpan {
        source: "ioda".to_owned(),
        place: SeriesPlace::Country(*b"IQ"),
        range: START - DAY..END + DAY,
    };
    let spans = [span];
    assert_eq!(ask(&resets, &[], &spans, &[]).opinion, Opinion::NoData);
    let drop = event("country:IQ", Channel::Traffic);
    assert_eq!(ask(&drop, &[], &spans, &[]).opinion, Opinion::Silent, "it listed all its reports");
    let late = [OutsideSpan { range: START + MINUTE..END, ..spans[0].clone() }];
    assert_eq!(ask(&drop, &[], &late, &[]).opinion, Opinion::NoData, "not of all of the time");
    let node = event("node:edge1", Channel::Observer);
    let sources = ["ioda".to_owned()];
    let testimony = Testimony { sources: &sources, reports: &[], spans: &spans, series: &[lower] };
    assert!(compare(&node, None, &testimony, NOW).is_empty());
}

#[test]
fn counts_need_five_points_of_twenty_measurements() {
    let daily = |counts: [(f64, f64); 3]| {
        let midnight = START / DAY * DAY;
        let days = [0, 1, 7].map(|days| midnight - days * DAY);
        let points =
            days.into_iter().zip(counts).map(|(at, (value, of))| OutsidePoint { at, value, of: Some(of) });
        OutsideSeries {
            step: DAY,
            points: points.collect(),
            ..series("web_connectivity", Channel::PostPsh, |_| 0.0)
        }
    };
    let opinion = |counts| ask(&event("country:IQ", Channel::PostPsh), &[], &[], &[daily(counts)]).opinion;
    assert_eq!(opinion([(10.0, 100.0), (5.0, 100.0), (1.0, 20.0)]), Opinion::Agrees);
    assert_eq!(opinion([(9.0, 100.0), (5.0, 100.0), (1.0, 20.0)]), Opinion::Silent);
    assert_eq!(opinion([(0.0, 100.0), (5.0, 100.0), (1.0, 20.0)]), Opinion::Disagrees);
    assert_eq!(opinion([(10.0, 100.0), (5.0, 100.0), (1.0, 19.0)]), Opinion::NoData);
}

#[test]
fn signals_are_told_one_by_one() {
    let all = [
        series("bgp", Channel::Traffic, during(100.0, 100.0)),
        series("ping-slash24", Channel::Traffic, during(10.0, 100.0)),
    ];
    let found = ask(&event("as:64500", Channel::Traffic), &[], &[], &all);
    let said: Vec<_> = found.said.iter().map(|said| (said.signal.as_str(), said.opinion)).collect();
    assert_eq!(found.opinion, Opinion::Agrees);
    assert_eq!(said, [("ping-slash24", Opinion::Agrees), ("bgp", Opinion::Silent)]);
    assert_eq!(found.said[0].place, SeriesPlace::Country(*b"IQ"));
    let mut own = all.to_vec();
    own[0].place = SeriesPlace::Network(64_500);
    let found = ask(&event("as:64500", Channel::Traffic), &[], &[], &own);
    assert_eq!(
        (found.opinion, found.said.len()),
        (Opinion::Silent, 1),
        "its own series say more than its country's"
    );
}

#[test]
fn links_lead_to_the_place_and_time() {
    let found = links(&event("country:IQ", Channel::Traffic), NOW);
    assert_eq!(
        found[0].url,
        "https://ioda.inetintel.cc.gatech.edu/country/IQ?from=1780974000&until=1781154000"
    );
    assert!(found[1].url.contains("probe_cc=IQ&since=2026-06-09&until=2026-06-12"), "{}", found[1].url);
    assert_eq!(
        found[2].url,
        "https://radar.cloudflare.com/traffic/iq?dateStart=2026-06-09&dateEnd=2026-06-11"
    );
    let network = links(&event("as:64500", Channel::Traffic), NOW);
    assert!(network[0].url.contains("/asn/64500?") && network[2].url.contains("/traffic/as64500?"));
    assert!(links(&event("world", Channel::Traffic), NOW).is_empty());
}
