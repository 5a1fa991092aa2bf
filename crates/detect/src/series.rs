//! One channel of one place: evidence against "as usual" adds up (CUSUMs of quasi-log-likelihood ratios) until it opens an
//! event, and evidence for it until that event ends.
//!
//! There are two alternatives to "as usual". A *moderate* one is half of the traffic, or twice the odds. A *strong* one is a
//! tenth of the traffic, or four times the odds: noise hardly ever looks like it, so it counts for more in small series.

use std::f64::consts::LN_2;

use crate::EventId;
use crate::config::{DAY, EPISODE, HOUR};
use crate::math::{exp, expit, ln, logit};

/// Evidence for "as usual" that ends an event: ln 1000.
const END: f64 = 6.907_755_278_982_137;
/// The weight of an earlier window in what a run has weighed: what came within three hours is hardly another witness.
const MEMORY: f64 = 11.0 / 12.0;
/// The rate at which the local level follows, per window.
const LEVEL: f64 = 1.0 / 48.0;
/// The rate at which the variance follows, per window.
const VARIANCE: f64 = 1.0 / 300.0;
/// The least variance beyond that of sampling, on the link scale.
const LEAST_VARIANCE: f64 = 0.004;
/// [`Alternative::noise`] of the way back: events of the morning and of the afternoon are two.
const RECOVERY_NOISE: f64 = 1.0;
/// A share that an alternative cannot exceed by this factor cannot rise.
const LEAST_RISE: f64 = 1.03;
/// The largest residual that the level takes up.
const CLIP: f64 = 0.25;
/// What is looked for.
const ALTERNATIVES: [Alternative; 2] = [
    Alternative { left: 0.5, odds: LN_2, rise: 0.04, noise: (1.0, 2.0) },
    Alternative { left: 0.1, odds: 2.0 * LN_2, rise: 0.12, noise: (0.3, 0.5) },
];

/// An alternative to "as usual".
#[derive(Clone, Copy)]
struct Alternative {
    /// What is left of traffic.
    left: f64,
    /// By how much the logit of a share is greater, and the share at least.
    odds: f64,
    rise: f64,
    /// How much of the variance beyond sampling counts against it, for traffic and for shares: more than all where noise with
    /// heavy tails looks like it. Set on the benchmark's training seeds.
    noise: (f64, f64),
}

impl Alternative {
    fn noise(self, reading: Measured) -> f64 {
        match reading {
            Measured::Traffic { .. } => self.noise.0,
            Measured::Share { .. } => self.noise.1,
        }
    }

    /// The share that it looks for.
    fn more(self, usual: f64) -> f64 {
        (usual + self.rise).max(expit(logit(usual) + self.odds)).min(0.97)
    }
}

/// Evidence for an alternative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    /// Since `start` (S).
    pub(crate) evidence: f64,
    /// The window after the last one without evidence: the onset, if an event opens.
    pub(crate) start: i64,
}

/// What was seen and what is usual, in one channel of one window, in effective connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measured {
    /// Connections, those that are usual, and the fewest that are usual around that time.
    Traffic { seen: f64, usual: f64, least: f64 },
    /// Connections of a stage among `of`, the usual share, and the largest that is usual around that time.
    Share { seen: f64, of: f64, usual: f64, most: f64 },
}

impl Measured {
    /// The log-likelihood ratio of an alternative against "as usual".
    fn evidence(self, alternative: Alternative) -> f64 {
        match self {
            Self::Traffic { seen, least, .. } => {
                seen * ln(alternative.left) + least * (1.0 - alternative.left)
            }
            Self::Share { seen, of, most, .. } => {
                let more = alternative.more(most);
                // A share that is nearly all of it, as that of a network that only scans, cannot rise.
                if more <= most * LEAST_RISE {
                    return -1.0;
                }
                seen * ln(more / most) + (of - seen) * ln((1.0 - more) / (1.0 - most))
            }
        }
    }

    /// What the window tells about the link scale: the inverse of the sampling variance there.
    fn information(self) -> f64 {
        match self {
            Self::Traffic { usual, .. } => usual,
            Self::Share { of, usual, .. } => of * usual * (1.0 - usual),
        }
    }

    /// How many connections more there are than usual; negative for fewer.
    fn difference(self) -> f64 {
        match self {
            Self::Traffic { seen, usual, .. } => seen - usual,
            Self::Share { seen, of, usual, .. } => seen - of * usual,
        }
    }

    /// The difference on the link scale (Pearson's working residual).
    fn residual(self) -> f64 {
        self.difference() / self.information().max(1e-9)
    }

    /// The difference in the direction that is watched: connections that are missing, or too many.
    fn excess(self) -> f64 {
        match self {
            Self::Traffic { .. } => -self.difference(),
            Self::Share { .. } => self.difference(),
        }
    }

    /// Connections that the excess is compared to.
    fn volume(self) -> f64 {
        match self {
            Self::Traffic { usual, .. } => usual,
            Self::Share { of, .. } => of,
        }
    }

    /// A window in which all traffic is gone, or the share is as an alternative has it.
    fn at_alternative(self, alternative: Alternative) -> Self {
        match self {
            Self::Traffic { usual, .. } => Self::Traffic { seen: 0.0, usual, least: usual },
            Self::Share { of, usual, .. } => {
                Self::Share { seen: of * alternative.more(usual), of, usual, most: usual }
            }
        }
    }
}

/// A window of a run or an event, in weighted connections.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Advance {
    /// Missing, or too many.
    pub(crate) excess: f32,
    /// The expected number, or the connections that a share refers to.
    pub(crate) volume: f32,
}

/// Where an event began that is at the end of a trail: the change point between nothing and an effect as that of its last four
/// windows. (The last window without evidence may be long before, where noise left a little of it.)
fn begin(trail: &[Advance]) -> usize {
    let threshold = 0.5 * effect(&trail[trail.len().saturating_sub(4)..]);
    let (mut sum, mut best) = (0.0, (0.0, 0));
    for (at, step) in trail.iter().enumerate().rev() {
        sum += f64::from(step.excess) - threshold * f64::from(step.volume);
        if sum > best.0 {
            best = (sum, at);
        }
    }
    best.1
}

/// Where an event ended that begins with a trail, and whose effect is that of its first windows.
pub(crate) fn end(trail: &[Advance], first: usize) -> usize {
    let threshold = 0.5 * effect(&trail[..first.clamp(1, trail.len().max(1)).min(trail.len())]);
    let (mut sum, mut best) = (0.0, (0.0, first));
    for (at, step) in trail.iter().enumerate() {
        sum += f64::from(step.excess) - threshold * f64::from(step.volume);
        if sum > best.0 {
            best = (sum, at + 1);
        }
    }
    best.1
}

/// The excess as a part of the volume.
fn effect(trail: &[Advance]) -> f64 {
    let (excess, volume) = total(trail);
    if volume > 0.0 { (excess / volume).max(0.0) } else { 0.0 }
}

/// Excess and volume of a trail.
pub(crate) fn total(trail: &[Advance]) -> (f64, f64) {
    trail.iter().fold((0.0, 0.0), |(excess, volume), step| {
        (excess + f64::from(step.excess), volume + f64::from(step.volume))
    })
}

/// An episode of events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Episode {
    pub(crate) first: EventId,
    /// The first window of its first event.
    pub(crate) began: i64,
    /// The first window after its last event.
    pub(crate) until: i64,
    pub(crate) alarmed: bool,
}

impl Episode {
    /// Whether an event with this onset belongs to it: less than 26 hours after the last one, or at about the same time of day
    /// as the first one after at most two days without. What happens on working days only is one episode.
    pub(crate) fn goes_on(&self, onset: i64) -> bool {
        let pause = onset - self.until;
        let shift = (onset - self.began + DAY / 2).rem_euclid(DAY) - DAY / 2;
        pause < EPISODE || (pause < EPISODE + 2 * DAY && shift.abs() <= 2 * HOUR)
    }
}

/// What a window did to a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurningPoint {
    Opened,
    Closed,
}

/// The state of one channel of one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// Evidence for each alternative.
    pub(crate) runs: [Run; 2],
    /// While an event is open, the sum of evidence for it.
    pub(crate) peak: f64,
    /// Evidence for it while an event is open (R).
    pub(crate) recovery: f64,
    /// Information weighed in this run, remembered for about three hours (Q).
    pub(crate) weighed: f64,
    /// The local level, added to what is usual.
    pub(crate) level: f64,
    /// The variance beyond sampling, on the link scale.
    pub(crate) variance: f64,
    /// The onset of the event that is open.
    pub(crate) onset: i64,
    /// The window after the last one without recovery: the end, if the event closes.
    pub(crate) recovered: i64,
    /// The event that is open.
    pub(crate) open: Option<EventId>,
    /// The last windows, as long as there is evidence; since the onset when an event opens.
    pub(crate) trail: Vec<Advance>,
    /// So many windows after its end is an event closed at the earliest, so that what pauses every night is one event.
    pub(crate) hold: i64,
    /// The current hour is left out of baselines.
    pub(crate) masked: bool,
    /// The last episode.
    pub(crate) episode: Option<Episode>,
    /// What is usual in the two hours before this one, in this one, and in the next; NaN where unknown.
    pub(crate) usual: [f32; 4],
    /// What the next hour was like in earlier weeks.
    pub(crate) next: f32,
    /// For traffic, the least that was usual at this hour in the last six days.
    pub(crate) quietest: f32,
}

impl Series {
    pub(crate) fn new(channel: usize, now: i64) -> Self {
        Self {
            runs: [Run { evidence: 0.0, start: now }; 2],
            peak: 0.0,
            recovery: 0.0,
            weighed: 0.0,
            level: 0.0,
            variance: if channel == 0 { 0.03 } else { 0.05 },
            onset: now,
            recovered: now,
            open: None,
            trail: Vec::new(),
            hold: 0,
            masked: false,
            episode: None,
            usual: [f32::NAN; 4],
            next: f32::NAN,
            quietest: f32::NAN,
        }
    }

    /// What is usual `offset` windows after the middle of this window, on the link scale: linear between the middles of hours.
    fn usual_at(&self, window: i64, offset: f64) -> Option<f64> {
        let at = (window.rem_euclid(4) as f64 + 0.5 + offset) / 4.0 - 0.5 + 2.0;
        let (hour, part) = (at as usize, at - (at as usize) as f64);
        let (one, other) = (f64::from(self.usual[hour]), f64::from(self.usual[hour + 1]));
        match (one.is_nan(), other.is_nan()) {
            (false, false) => Some(one + part * (other - one)),
            (false, true) => Some(one),
            (true, false) => Some(other),
            (true, true) => None,
        }
    }

    /// What is usual in a window and the most extreme that is usual around it, on the link scale and with the level. An
    /// hour's tolerance covers daylight saving and what begins early or late.
    pub(crate) fn expected(&self, channel: usize, window: i64) -> Option<(f64, f64)> {
        let usual = self.usual_at(window, 0.0)?;
        let pick = if channel == 0 { f64::min } else { f64::max };
        // min and max of f64 leave NaN out.
        let extreme = [self.usual_at(window, -4.0), self.usual_at(window, 2.0)]
            .into_iter()
            .flatten()
            .chain([f64::from(self.next), f64::from(self.quietest)])
            .fold(usual, pick);
        Some((usual + self.level, extreme + self.level))
    }

    /// Adds a window. `weight` is the weight of an effective connection; `learn` is false where the reading is known to be
    /// distorted for all places alike.
    pub(crate) fn add(
        &mut self,
        reading: Measured,
        weight: f64,
        threshold: f64,
        window: i64,
        learn: bool,
    ) -> Option<TurningPoint> {
        let information = reading.information();
        let running = self.evidence() > 0.0 || self.open.is_some();
        self.weighed = information + if running { MEMORY * self.weighed } else { 0.0 };
        let limit = 0.5 * threshold;
        let weigh = |alternative: Alternative, noise: f64| {
            let dispersion = 1.0 + self.weighed * self.variance * noise;
            (reading.evidence(alternative) / dispersion).clamp(-limit, limit)
        };
        let evidence = ALTERNATIVES.map(|alternative| weigh(alternative, alternative.noise(reading)));
        let back = -weigh(ALTERNATIVES[0], RECOVERY_NOISE);
        self.trail.push(Advance {
            excess: (reading.excess() * weight) as f32,
            volume: (reading.volume() * weight) as f32,
        });
        let turn = match self.open {
            None => self.gather(evidence, threshold, window),
            Some(_) => self.recover(evidence, back, window),
        };
        let calm = turn.is_none() && self.open.is_none() && self.evidence() < 0.25 * threshold;
        if learn && calm && information >= 0.05 {
            self.learn(reading.residual(), information);
        }
        turn
    }

    /// Evidence against "as usual", for the likelier alternative.
    pub(crate) fn evidence(&self) -> f64 {
        self.runs[0].evidence.max(self.runs[1].evidence)
    }

    fn gather(&mut self, evidence: [f64; 2], threshold: f64, window: i64) -> Option<TurningPoint> {
        for (run, evidence) in self.runs.iter_mut().zip(evidence) {
            run.evidence = (run.evidence + evidence).max(0.0);
            if run.evidence <= 0.0 {
                run.start = window + 1;
            }
        }
        if self.evidence() <= 0.0 {
            self.rest(window + 1);
            return None;
        }
        self.masked |= self.evidence() > 0.5 * threshold;
        let run = *self.runs.iter().find(|run| run.evidence >= threshold)?;
        let since = usize::try_from(window + 1 - run.start).unwrap_or(0);
        self.trail.drain(..self.trail.len().saturating_sub(since));
        self.trail.drain(..begin(&self.trail));
        self.masked = true;
        self.onset = window + 1 - self.trail.len() as i64;
        self.peak = run.evidence;
        self.recovery = 0.0;
        self.recovered = window + 1;
        Some(TurningPoint::Opened)
    }

    fn recover(&mut self, evidence: [f64; 2], back: f64, window: i64) -> Option<TurningPoint> {
        self.masked = true;
        self.peak += evidence[0].max(evidence[1]).max(0.0);
        self.recovery = (self.recovery + back).max(0.0);
        if self.hold > 0 {
            // What comes back after a pause must not outweigh all of the pause.
            self.recovery = self.recovery.min(END);
        }
        if self.recovery <= 0.0 {
            self.recovered = window + 1;
        }
        let is_over = self.recovery >= END && window + 1 - self.recovered >= self.hold;
        is_over.then_some(TurningPoint::Closed)
    }

    /// Passes over a window that was not observed.
    pub(crate) fn skip(&mut self) {
        if self.evidence() > 0.0 || self.open.is_some() {
            self.trail.push(Advance::default());
        }
    }

    /// Begins anew: no evidence, no event.
    pub(crate) fn rest(&mut self, start: i64) {
        self.runs = [Run { evidence: 0.0, start }; 2];
        self.open = None;
        // Most runs are short, and most series have none: their memory is returned.
        if !self.trail.is_empty() {
            self.trail = Vec::new();
        }
    }

    /// Follows slow change, and learns how much the series varies beyond sampling. Where a window says little of it, what
    /// is known stays.
    fn learn(&mut self, residual: f64, information: f64) {
        let told = information / (information + 2.0);
        self.level = self.level * (1.0 - LEVEL / 14.0) + LEVEL * told * residual.clamp(-CLIP, CLIP);
        let sampling = 1.0 / information;
        let square = (residual * residual).min(12.0 * (sampling + self.variance));
        let told = information / (information + 3.0);
        self.variance =
            (self.variance + VARIANCE * told * (square - sampling - self.variance)).max(LEAST_VARIANCE);
    }

    /// How many windows of a complete drop, or of a share that just reaches what is looked for, it would take to open an
    /// event; `None` for more than a day.
    pub(crate) fn windows_to_notice(&self, reading: Measured, threshold: f64) -> Option<u32> {
        let information = reading.information();
        let (mut weighed, mut gathered) = (0.0, [0.0; 2]);
        for windows in 1..=96 {
            weighed = information + MEMORY * weighed;
            for (gathered, alternative) in gathered.iter_mut().zip(ALTERNATIVES) {
                let evidence = reading.at_alternative(ALTERNATIVES[0]).evidence(alternative);
                let dispersion = 1.0 + weighed * self.variance * alternative.noise(reading);
                *gathered += (evidence / dispersion).min(0.5 * threshold);
                if *gathered >= threshold {
                    return Some(windows);
                }
            }
        }
        None
    }
}

/// The expected number of effective connections, from the link scale and the weight of one.
pub(crate) fn connections(link: f64, weight: f64) -> f64 {
    exp(link) / weight
}

/// The expected share, from the link scale.
pub(crate) fn share(link: f64) -> f64 {
    expit(link).clamp(0.002, 0.95)
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: f64 = 16.0;

    fn traffic(seen: f64) -> Measured {
        Measured::Traffic { seen, usual: 100.0, least: 100.0 }
    }

    #[test]
    fn an_outage_opens_with_its_second_window_and_ends_where_it_ended() {
        let mut series = Series::new(0, 0);
        for window in 0..500 {
            assert_eq!(series.add(traffic(100.0), 20.0, H, window, true), None);
        }
        assert_eq!(series.add(traffic(0.0), 20.0, H, 500, true), None, "one window alone opens nothing");
        assert_eq!(series.add(traffic(0.0), 20.0, H, 501, true), Some(TurningPoint::Opened));
        assert_eq!((series.onset, series.trail.len()), (500, 2));
        series.open = Some(EventId(1));
        assert_eq!(series.add(traffic(0.0), 20.0, H, 502, true), None);
        let closed = (503..520)
            .find(|&window| series.add(traffic(100.0), 20.0, H, window, true) == Some(TurningPoint::Closed));
        assert!(closed.is_some_and(|window| window < 506), "{closed:?}");
        assert_eq!(series.recovered, 503);
    }

    #[test]
    fn drops_of_a_quarter_are_no_evidence() {
        let mut series = Series::new(0, 0);
        for window in 0..1000 {
            assert_eq!(series.add(traffic(75.0), 1.0, H, window, true), None);
        }
        assert_eq!(series.evidence(), 0.0);
    }

    #[test]
    fn a_rise_below_four_points_is_no_evidence() {
        let mut series = Series::new(1, 0);
        for window in 0..1000 {
            let reading = Measured::Share { seen: 25.0, of: 1000.0, usual: 0.01, most: 0.01 };
            assert_eq!(series.add(reading, 1.0, H, window, true), None);
        }
    }

    #[test]
    fn the_level_follows_growth_slowly_and_only_to_its_limit() {
        let mut series = Series::new(0, 0);
        series.add(traffic(500.0), 1.0, H, 0, true);
        assert!(series.level > 0.0 && series.level <= LEVEL * CLIP);
        series.add(traffic(500.0), 1.0, H, 1, false);
        assert!(series.level <= LEVEL * CLIP, "told not to learn");
    }

    #[test]
    fn begin_and_end_are_where_the_effect_changes() {
        let steps = |excesses: &[f32]| -> Vec<Advance> {
            excesses.iter().map(|&excess| Advance { excess, volume: 100.0 }).collect()
        };
        assert_eq!(begin(&steps(&[5.0, 1.0, 0.0, 2.0, 50.0, 45.0, 60.0])), 4);
        assert_eq!(begin(&steps(&[50.0, 50.0])), 0);
        assert_eq!(end(&steps(&[50.0, 45.0, 10.0, 60.0, 5.0, -5.0, 2.0]), 4), 4);
        assert_eq!(end(&steps(&[]), 0), 0);
    }

    #[test]
    fn small_series_need_longer() {
        let series = Series::new(0, 0);
        let windows =
            |usual| series.windows_to_notice(Measured::Traffic { seen: 0.0, usual, least: usual }, H);
        assert_eq!(windows(1000.0), Some(2));
        assert!(windows(2.0).unwrap() >= 8, "{:?}", windows(2.0));
        assert_eq!(windows(0.1), None);
    }
}
