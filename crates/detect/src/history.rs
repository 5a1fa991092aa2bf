//! What a place's hours were like in the last four weeks, and what is usual at an hour of the week.

use crate::math::median;
use crate::place::CHANNELS;

/// Hours of a week.
pub(crate) const WEEK: i64 = 168;
/// Hours that are kept: four weeks, and those around them that a baseline reads.
const KEPT: i64 = 680;
const MISSING: i16 = i16::MIN;
/// Steps of 1/500 on the scale of natural logarithms: far below the noise of any series.
const STEPS: f64 = 500.0;

/// The value of each hour and channel on the link scale: ln of the weight per window for traffic, the logit of a share.
///
/// A value takes two bytes: its lowest bit says whether it is masked, that is, left out of baselines because it was measured
/// while something unusual happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hours(pub(crate) Vec<i16>);

impl Hours {
    pub(crate) fn new() -> Self {
        Self(vec![MISSING; CHANNELS * KEPT as usize])
    }

    fn slot(channel: usize, hour: i64) -> usize {
        channel * KEPT as usize + hour.rem_euclid(KEPT) as usize
    }

    /// Sets what an hour was like, in place of the hour 680 hours before.
    pub(crate) fn set(&mut self, channel: usize, hour: i64, value: Option<f64>, masked: bool) {
        self.0[Self::slot(channel, hour)] = value.map_or(MISSING, |value| {
            let steps = (value * STEPS).round().clamp(-16_000.0, 16_000.0) as i16;
            (steps << 1) | i16::from(masked)
        });
    }

    /// The value of an hour that is neither missing nor masked.
    fn get(&self, channel: usize, hour: i64) -> Option<f64> {
        let value = self.0[Self::slot(channel, hour)];
        (value != MISSING && value & 1 == 0).then(|| f64::from(value >> 1) / STEPS)
    }

    /// Takes what came since `onset` as usual: forgets the hours before it, and unmasks those from it to `now`.
    pub(crate) fn adopt(&mut self, channel: usize, onset: i64, now: i64) {
        for hour in (now - KEPT + 1)..=now {
            let value = &mut self.0[Self::slot(channel, hour)];
            match *value {
                MISSING => {}
                _ if hour < onset => *value = MISSING,
                _ => *value &= !1,
            }
        }
    }

    /// What is usual in an hour: the median of this hour of the week and its two neighbours in the last four weeks, if at
    /// least 6 of these 12 are known; otherwise that of the last seven days, if at least 9 of 21 are.
    pub(crate) fn usual(&self, channel: usize, hour: i64) -> Option<f64> {
        self.around(channel, hour, WEEK, 4, 6).or_else(|| self.around(channel, hour, 24, 7, 9))
    }

    fn around(&self, channel: usize, hour: i64, period: i64, periods: i64, least: usize) -> Option<f64> {
        let mut values = [0.0; 21];
        let mut known = 0;
        for back in 1..=periods {
            for neighbour in -1..=1 {
                if let Some(value) = self.get(channel, hour - period * back + neighbour) {
                    values[known] = value;
                    known += 1;
                }
            }
        }
        if known < least { None } else { median(&mut values[..known]) }
    }

    /// The median of this very hour of the week in the last four weeks, of those that are known.
    pub(crate) fn same_hour(&self, channel: usize, hour: i64) -> Option<f64> {
        let mut values = [0.0; 4];
        let mut known = 0;
        for back in 1..=4 {
            if let Some(value) = self.get(channel, hour - WEEK * back) {
                values[known] = value;
                known += 1;
            }
        }
        median(&mut values[..known])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_of_the_week_comes_before_that_of_the_day() {
        let mut hours = Hours::new();
        let now = 10_000;
        for hour in now - 200..now {
            hours.set(0, hour, Some(1.0), false);
        }
        assert_eq!(hours.usual(0, now), Some(1.0), "seven days are enough");
        for hour in now - 336 - 1..=now - 336 + 1 {
            hours.set(0, hour, Some(3.0), false);
        }
        assert_eq!(hours.usual(0, now), Some(2.0), "two weeks: three hours of each");
        assert_eq!(hours.usual(1, now), None, "another channel");
    }

    #[test]
    fn masked_hours_count_once_they_are_usual() {
        let mut hours = Hours::new();
        let now = 10_000;
        for hour in now - 300..now {
            hours.set(2, hour, Some(if hour < now - 168 { 1.0 } else { 2.5 }), hour >= now - 168);
        }
        assert_eq!(hours.usual(2, now), None, "masked hours are not used");
        hours.adopt(2, now - 168, now - 1);
        assert_eq!(hours.usual(2, now), Some(2.5));
    }

    #[test]
    fn values_keep_their_sign_and_two_decimals() {
        let mut hours = Hours::new();
        for value in [-9.21, -0.004, 0.0, 5.5, 22.0] {
            hours.set(0, 7, Some(value), false);
            assert!((hours.get(0, 7).unwrap() - value).abs() <= 0.001, "{value}");
        }
    }
}
