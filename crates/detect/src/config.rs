/// What an operator decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// False alarms a week that are accepted, of all series together. The only knob: everything else follows from it, or from
    /// the series' own past.
    pub alpha: f64,
    /// Places that are watched at most. Those that come first are; [`Detector::ignored`](crate::Detector::ignored) counts
    /// the others.
    pub max_places: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { alpha: 0.1, max_places: 20_000 }
    }
}

/// Windows of an hour.
pub(crate) const HOUR: i64 = 4;
/// Windows of a day.
pub(crate) const DAY: i64 = 24 * HOUR;
/// Windows of a week.
pub(crate) const WEEK: i64 = 7 * DAY;

/// Windows after the end of an event within which the next one belongs to its episode: 26 hours.
pub(crate) const EPISODE: i64 = 26 * HOUR;

/// Tests per place: five channels with two alternatives.
const TESTS: usize = 10;

/// Evidence at which an event opens, with this many places: h = ln(tests · 672 / α). For independent windows, the mean time
/// between false alarms of one test is at least e^h windows (Lorden 1971), so that of all of them is a week / α.
pub(crate) fn threshold(places: usize, alpha: f64) -> f64 {
    crate::math::ln(((places * TESTS).max(1) as f64) * WEEK as f64 / alpha.max(1e-9))
}
