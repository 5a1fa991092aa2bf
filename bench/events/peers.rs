//! What others do, on our counts: traffic down, shares up. All of them leave out the windows in which a node is known to be away,
//! get a least number of connections where they have none, and are told once per place and time (a network's event within one
//! of its country is not told). They were made for other signals: the table says how they do on ours.

use cutshort_simulate::series::{Benchmark, CHANNELS, DAY, Found, JUDGED, SimulatedPlace, WEEK, WINDOWS};

use crate::Series;

const T: usize = WINDOWS as usize;

/// An alarm for each step: from the steps in which a condition held.
fn runs(
    place: SimulatedPlace,
    channel: usize,
    alarms: &[bool],
    step: i64,
    least: i64,
    found: &mut Vec<Found>,
) {
    let mut begun = None;
    for at in 0..=alarms.len() {
        let on = alarms.get(at).copied().unwrap_or(false);
        match (begun, on) {
            (None, true) => begun = Some(at as i64),
            (Some(from), false) => {
                begun = None;
                let to = at as i64;
                if to - from >= least {
                    let (onset, end, decided) = (from * step, to * step, (from + least) * step - 1);
                    found.push(Found { place, channel, onset, end, decided, told: true });
                }
            }
            _ => {}
        }
    }
}

/// Runs a method over all series.
fn each(
    benchmark: &Benchmark,
    (step, least): (i64, i64),
    mut alarms: impl FnMut(usize, usize) -> Vec<bool>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for (position, place) in benchmark.places().enumerate() {
        for channel in 0..CHANNELS.len() {
            runs(place, channel, &alarms(channel, position), step, least, &mut found);
        }
    }
    fold(benchmark, &mut found);
    found
}

/// An event that overlaps one of the same channel in the country or the world around it is not told.
fn fold(benchmark: &Benchmark, found: &mut [Found]) {
    let around = |place: SimulatedPlace| match place {
        SimulatedPlace::World => vec![],
        SimulatedPlace::Country(_) => vec![SimulatedPlace::World],
        SimulatedPlace::Network(network) => {
            vec![SimulatedPlace::Country(benchmark.country(network)), SimulatedPlace::World]
        }
    };
    let parents: Vec<Found> =
        found.iter().filter(|event| !matches!(event.place, SimulatedPlace::Network(_))).cloned().collect();
    for event in found.iter_mut() {
        let around = around(event.place);
        event.told = !parents.iter().any(|parent| {
            parent.channel == event.channel
                && around.contains(&parent.place)
                && event.onset < parent.end + 8
                && parent.onset < event.end + 8
        });
    }
}

fn median(values: &mut Vec<f32>) -> f32 {
    values.retain(|value| !value.is_nan());
    if values.is_empty() {
        return f32::NAN;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// IODA (watchtower-sentry): the ratio to the median of seven days. Values outside 0.8 to 2 are replaced by the median for at most
/// seven days. Less than a quarter of the traffic, or `rise` times the share.
pub(crate) fn ioda(
    benchmark: &Benchmark,
    series: &Series,
    rise: f32,
    least: i64,
    connections: f32,
) -> Vec<Found> {
    let week = WEEK as usize;
    each(benchmark, (1, least), |channel, place| {
        let (values, sampled) = (series.of(channel, place), series.sampled(place));
        let mut alarms = vec![false; T];
        let mut kept = vec![f32::NAN; week];
        let (mut usual, mut extreme) = (f32::NAN, 0);
        for t in 0..T {
            if t % 16 == 0 && t >= DAY as usize {
                usual = median(&mut kept.clone());
            }
            if series.bad[t] {
                kept[t % week] = usual;
                alarms[t] = t > 0 && alarms[t - 1];
                continue;
            }
            if usual.is_nan() {
                kept[t % week] = values[t];
                continue;
            }
            let ratio = values[t] / usual.max(1e-9);
            extreme = if (0.8..=2.0).contains(&ratio) { 0 } else { extreme + 1 };
            kept[t % week] = if extreme > 0 && extreme < week { usual } else { values[t] };
            alarms[t] = if channel == 0 {
                ratio < 0.25 && usual / series.rate[t] as f32 >= connections
            } else {
                ratio > rise && usual * sampled[t] >= 3.0 && sampled[t] >= connections
            };
        }
        alarms
    })
}

/// By the hour: means of values, sums of connections, and whether any window was bad.
struct Hours {
    values: Vec<f32>,
    sampled: Vec<f32>,
    bad: Vec<bool>,
}

impl Hours {
    fn new(series: &Series, channel: usize, place: usize) -> Self {
        Self {
            values: series.of(channel, place).chunks(4).map(|hour| hour.iter().sum::<f32>() / 4.0).collect(),
            sampled: series.sampled(place).chunks(4).map(|hour| hour.iter().sum()).collect(),
            bad: series.bad.chunks(4).map(|hour| hour.contains(&true)).collect(),
        }
    }
}

/// Radar (blog of 2023-09-26): the median of what followed the 6 of the last 28 days whose 24 hours are most like the last ones.
/// Its thresholds are not published: half, or twice and 4 points, for two hours; a fifth, or 20 points, at once.
pub(crate) fn radar(benchmark: &Benchmark, series: &Series, connections: f32) -> Vec<Found> {
    each(benchmark, (4, 1), |channel, place| {
        let hours = Hours::new(series, channel, place);
        let mut alarms = vec![false; hours.values.len()];
        let mut held = 0;
        for t in 24 * 8..hours.values.len() {
            let usual = most_alike(&hours.values, t);
            if hours.bad[t] {
                alarms[t] = alarms[t - 1];
                continue;
            }
            let (now, ratio) = (hours.values[t], hours.values[t] / usual.max(1e-9));
            let (hot, at_once) = if channel == 0 {
                let enough = usual * 4.0 / series.rate[t * 4] as f32 >= connections;
                (ratio < 0.5 && enough, ratio < 0.2 && enough)
            } else {
                let enough = hours.sampled[t] >= connections;
                (ratio > 2.0 && now - usual > 0.04 && enough, now - usual > 0.2 && ratio > 2.0 && enough)
            };
            held = if hot { held + 1 } else { 0 };
            alarms[t] = held >= 2 || at_once || (alarms[t - 1] && hot);
        }
        alarms
    })
}

fn most_alike(values: &[f32], t: usize) -> f32 {
    let last = &values[t - 24..t];
    let mut days: Vec<(f32, f32)> = (1..=28)
        .map_while(|back| (t >= 24 * (back + 1)).then(|| t - 24 * back))
        .map(|at| {
            let distance = values[at - 24..at].iter().zip(last).map(|(a, b)| (a - b) * (a - b)).sum();
            (distance, values[at])
        })
        .collect();
    days.sort_by(|one, other| one.0.total_cmp(&other.0));
    median(&mut days.iter().take(6).map(|&(_, value)| value).collect())
}

/// OONI: a two-sided CUSUM that knows its state, by the hour (Basseville), h = 10 · v / 2. The usual value is the median of the
/// first four weeks (OONI: 0), a blocked one is 10 points higher (OONI: 70), or half of the traffic of earlier weeks.
pub(crate) fn ooni(benchmark: &Benchmark, series: &Series) -> Vec<Found> {
    each(benchmark, (4, 1), |channel, place| {
        let hours = Hours::new(series, channel, place);
        let first = JUDGED as usize / 4;
        let usual = median(&mut hours.values[..first].to_vec());
        let step = if channel == 0 { 0.5 } else { 0.1 };
        let limit = 10.0 * step / 2.0;
        let mut alarms = vec![false; hours.values.len()];
        let (mut up, mut down, mut blocked) = (0.0_f32, 0.0_f32, false);
        for (t, alarm) in alarms.iter_mut().enumerate().skip(24 * 28) {
            if !hours.bad[t] && hours.sampled[t] > 0.0 {
                let y = if channel == 0 {
                    let weeks = median(&mut (1..=4).map(|week| hours.values[t - 168 * week]).collect());
                    1.0 - hours.values[t] / weeks.max(1e-9)
                } else {
                    hours.values[t] - usual
                };
                if blocked {
                    down = (down - (y - step) - step / 2.0).max(0.0);
                } else {
                    up = (up + y - step / 2.0).max(0.0);
                }
                if up > limit || down > limit {
                    blocked = up > limit;
                    (up, down) = (0.0, 0.0);
                }
            }
            *alarm = blocked;
        }
        alarms
    })
}

/// CenAlert: moving mean and deviation of 60 points; 3 deviations if these are normal (Jarque-Bera in place of Shapiro-Wilk), else
/// 6. Ends below, or when the efficiency ratio says that it is the new normal.
pub(crate) fn cenalert(benchmark: &Benchmark, series: &Series) -> Vec<Found> {
    const POINTS: usize = 60;
    each(benchmark, (1, 1), |channel, place| {
        let sampled = series.sampled(place);
        let sign = if channel == 0 { -1.0 } else { 1.0 };
        let values: Vec<f64> =
            series.of(channel, place).iter().map(|&value| sign * f64::from(value)).collect();
        let mut kept = Vec::with_capacity(POINTS);
        let mut next = 0;
        let mut alarms = vec![false; T];
        let (mut active, mut first, mut path, mut length) = (false, 0.0, 0.0, 0);
        for t in 0..T {
            let (now, before) = (values[t], values[t.saturating_sub(1)]);
            if series.bad[t] {
                alarms[t] = active;
                continue;
            }
            if kept.len() == POINTS && t > POINTS {
                let (mean, deviation, limit) = moments(&kept);
                let hot = (now - mean) / deviation >= limit;
                if active {
                    path += (now - before).abs();
                    length += 1;
                    let efficiency = (now - first) / f64::max(path, 1e-12);
                    active = hot && !(efficiency < 0.05 && length > 1);
                } else if hot && sampled[t] >= 20.0 {
                    (active, first, path, length) = (true, before, (now - before).abs(), 0);
                }
            }
            alarms[t] = active;
            if !active {
                if kept.len() < POINTS {
                    kept.push(now);
                } else {
                    kept[next] = now;
                    next = (next + 1) % POINTS;
                }
            }
        }
        alarms
    })
}

/// Mean, deviation, and the deviations at which a value stands out.
fn moments(values: &[f64]) -> (f64, f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let moment = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
    let deviation = moment(2).sqrt().max(1e-12);
    let (skew, kurtosis) = (moment(3) / deviation.powi(3), moment(4) / deviation.powi(4) - 3.0);
    let jarque_bera = n / 6.0 * (skew * skew + kurtosis * kurtosis / 4.0);
    (mean, deviation, if jarque_bera < 5.99 { 3.0 } else { 6.0 })
}
