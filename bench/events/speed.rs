//! How long a window takes.

use std::time::Instant;

use cutshort_detect::{Config, Detector, ObservedNode, SeriesCounts, SeriesPlace, Window};

/// Two weeks for learning, and a day.
const LENGTH: i64 = 15 * 96;

/// What came from a place in a window: by the hour of the day, with some noise.
fn counts(place: u32, t: i64) -> SeriesCounts {
    let size = 4.0 + f64::from(place % 97);
    let daily = 1.0 + 0.5 * (std::f64::consts::TAU * t as f64 / 96.0).cos();
    let noise =
        f64::from((place.wrapping_mul(2_654_435_761).wrapping_add(t as u32 * 40_503) >> 16) % 100) / 100.0;
    let all = (size * daily * (0.8 + 0.4 * noise)).round() * 20.0;
    SeriesCounts {
        place: if place == 0 { SeriesPlace::World } else { SeriesPlace::Network(place) },
        country: Some([b'A' + (place % 26) as u8, b'A']),
        network: None,
        node: 0,
        all,
        squares: all * 20.0,
        stages: [0.1, 0.03, 0.04, 0.02].map(|share| (all * share / 20.0).round() * 20.0),
        single: None,
    }
}

/// The time in nanoseconds that this process, which has one thread, has run on a processor, whatever else the machine does; none where the
/// kernel does not tell.
fn processor_time() -> Option<u64> {
    std::fs::read_to_string("/proc/self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Milliseconds of processor time of a piece of work, or else of time.
fn milliseconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let (begun, before) = (Instant::now(), processor_time());
    let done = work();
    let passed = match (before, processor_time()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e6,
        _ => begun.elapsed().as_secs_f64() * 1000.0,
    };
    (done, passed)
}

/// Adds two weeks and a day of windows, and prints the processor times of those of the last day.
pub(crate) fn measure(places: u32) {
    let mut detector = Detector::new(Config { max_places: places as usize, ..Config::default() });
    let nodes = [ObservedNode { name: "node-1", coverage: 1.0 }];
    let mut times = Vec::new();
    for t in 0..LENGTH {
        let counts: Vec<SeriesCounts> = (0..places).map(|place| counts(place, t)).collect();
        let window = Window { number: t, nodes: &nodes, counts: &counts };
        let (added, passed) = milliseconds(|| detector.add(&window));
        if t >= LENGTH - 96 {
            times.push(passed);
        }
        if let Err(error) = added {
            eprintln!("{error}");
            return;
        }
    }
    times.sort_by(f64::total_cmp);
    let (state, saved) = milliseconds(|| detector.save());
    println!(
        "{places} places, 5 channels each: a window takes {:.0} ms of processor time (median of a day), {:.0} ms at most; \
         the state has {:.1} MB and is written in {:.0} ms",
        times[times.len() / 2],
        times[times.len() - 1],
        state.len() as f64 / 1e6,
        saved
    );
}
