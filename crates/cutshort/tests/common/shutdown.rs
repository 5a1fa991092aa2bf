//! A store with weeks of counts, in which a country is gone for five hours.

use std::path::Path;

use cutshort_embedded::{Embedded, Options};
use cutshort_geo::Country;
use cutshort_model::{Network, Port, Window, now};
use cutshort_packet::Packet;
use cutshort_store::cell::{CellKey, CellOutcome, Cells};
use cutshort_store::{Inputs, Provenance, Segment, SegmentSource, Store, WindowCounts};
use cutshort_verdict::{Stage, Tags, Termination, WeightedCount};

/// How many windows there are in five weeks.
pub(crate) const FIVE_WEEKS: i64 = 5 * 672;
/// So many windows before the end, Iraq is gone.
const BEFORE: i64 = 100;
/// For so many.
const LENGTH: i64 = 20;

/// The window after the last one.
pub(crate) fn end() -> i64 {
    Window::containing(now()).number()
}

/// When the country is gone, with the window after the last one.
pub(crate) fn gone(end: i64) -> std::ops::Range<i64> {
    end - BEFORE..end - BEFORE + LENGTH
}

/// Networks with the countries that shipped data has for them: three of Iraq, and others.
const NETWORKS: [(u32, &str); 12] = [
    (203_214, "IQ"),
    (50_710, "IQ"),
    (59_588, "IQ"),
    (3_243, "PT"),
    (2_860, "PT"),
    (12_353, "PT"),
    (7_922, "US"),
    (701, "US"),
    (7_018, "US"),
    (3_215, "FR"),
    (12_322, "FR"),
    (5_410, "FR"),
];

/// Fills a folder with so many windows before one.
pub(crate) fn fill(folder: &Path, windows: i64, end: i64) {
    fill_with(folder, end - windows..end, |t| if gone(end).contains(&t) { 0.02 } else { 1.0 });
}

/// Fills a folder with windows; `iraq` is what is left of it.
pub(crate) fn fill_with(folder: &Path, windows: std::ops::Range<i64>, iraq: impl Fn(i64) -> f64) {
    let store = Embedded::open(folder, Options { durable: false }).unwrap();
    let start = |t: i64| Window::from_number(t).start();
    let covers = (start(windows.start), start(windows.end) - 1);
    let source = SegmentSource::tcp("edge1", Provenance::Live, covers);
    store.append(&Segment::encode(Vec::<Packet>::new(), &source, None).unwrap()).unwrap();
    compute(&store, windows, iraq);
    store.roll().unwrap();
}

/// Replaces the results of windows; `iraq` is what is left of it.
pub(crate) fn compute(store: &Embedded, windows: std::ops::Range<i64>, iraq: impl Fn(i64) -> f64) {
    let batch = store.batch().unwrap();
    for t in windows {
        let mut cells = Cells::default();
        let node = cells.node("edge1");
        for (number, country) in NETWORKS {
            let part = if country == "IQ" { iraq(t) } else { 1.0 };
            // Some change from window to window, the same each time.
            let noise = (t.wrapping_mul(0x9e37_79b9 + i64::from(number)) >> 7).rem_euclid(21);
            let all = (part * (90 + noise) as f64).round() as u64;
            let stages = [(Stage::PostAck, all / 20), (Stage::None, all - all / 20)];
            // No store keeps counts of nothing.
            for (stage, sampled) in stages.into_iter().filter(|(_, sampled)| *sampled > 0) {
                let key = CellKey {
                    location: Country::from_alpha2(country),
                    network: Network::As(number),
                    ip_version: 4,
                    port: Port::Number(443),
                    node,
                    outcome: CellOutcome::Connection {
                        stage,
                        termination: Termination::Fin,
                        completed: true,
                        signature: None,
                        tags: Tags::default(),
                    },
                };
                let count =
                    WeightedCount { sampled, weight: 20 * sampled, squares: 400 * u128::from(sampled) };
                cells.add_count(key, &count);
            }
        }
        let replacement = batch.replace(Window::from_number(t)).unwrap();
        replacement.commit(Inputs::default(), WindowCounts::default(), &cells).unwrap();
    }
    batch.finish().unwrap();
}
