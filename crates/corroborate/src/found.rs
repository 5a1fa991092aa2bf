//! What readers find in a file.

use std::collections::BTreeMap;

use cutshort_detect::{Channel, SeriesPlace};
use cutshort_store::{OutsidePoint, OutsideRecords, OutsideReport, OutsideSeries, OutsideSpan};
use sha2::{Digest, Sha256};

use crate::fields::DAY;
use crate::formats::censored_planet;

/// The channels of shares: what is said of blocking could be seen in any of them.
pub(crate) const SHARES: [Channel; 4] =
    [Channel::PostSyn, Channel::PostAck, Channel::PostPsh, Channel::Later];

/// The records of a file.
#[derive(Debug, Default)]
pub(crate) struct Found {
    records: OutsideRecords,
    series: BTreeMap<(&'static str, String, SeriesPlace), Points>,
    left_out: BTreeMap<&'static str, u64>,
    /// The name of the source, if it is not that of the format.
    source: Option<String>,
}

#[derive(Debug)]
struct Points {
    about: Vec<Channel>,
    step: Option<i64>,
    points: BTreeMap<i64, (f64, Option<f64>)>,
}

impl Found {
    /// Records of a source with another name than the format's.
    pub(crate) fn of(source: Option<&str>) -> Self {
        Self { source: source.map(str::to_owned), ..Self::default() }
    }

    pub(crate) fn report(&mut self, report: OutsideReport) {
        self.records.reports.push(report);
    }

    pub(crate) fn span(&mut self, span: OutsideSpan) {
        self.records.spans.push(span);
    }

    /// Counts something that is not used.
    pub(crate) fn leave_out(&mut self, what: &'static str) {
        *self.left_out.entry(what).or_default() += 1;
    }

    fn points(
        &mut self,
        source: &'static str,
        signal: &str,
        place: &SeriesPlace,
        about: &[Channel],
    ) -> &mut Points {
        let key = (source, signal.to_owned(), place.clone());
        let new = || Points { about: about.to_vec(), step: None, points: BTreeMap::new() };
        self.series.entry(key).or_insert_with(new)
    }

    /// Notes how long a point lasts; otherwise it is the least distance of two.
    pub(crate) fn step(
        &mut self,
        source: &'static str,
        signal: &str,
        place: &SeriesPlace,
        about: &[Channel],
        step: i64,
    ) {
        self.points(source, signal, place, about).step = Some(step);
    }

    /// Adds a value at a time. The last one of a time counts.
    pub(crate) fn value(
        &mut self,
        source: &'static str,
        signal: &str,
        place: &SeriesPlace,
        about: &[Channel],
        (at, value): (i64, f64),
    ) {
        self.points(source, signal, place, about).points.insert(at, (value, None));
    }

    /// Adds to a count at a time.
    pub(crate) fn count(
        &mut self,
        source: &'static str,
        signal: &str,
        place: &SeriesPlace,
        about: &[Channel],
        (at, value, of): (i64, f64, f64),
    ) {
        let point = self.points(source, signal, place, about).points.entry(at).or_insert((0.0, Some(0.0)));
        point.0 += value;
        point.1 = point.1.map(|before| before + of);
    }

    /// The records, and what was left out.
    pub(crate) fn finish(self) -> (OutsideRecords, Vec<(&'static str, u64)>) {
        let mut records = self.records;
        for ((source, signal, place), Points { about, step, points }) in self.series {
            let times: Vec<i64> = points.keys().copied().collect();
            let least = times.windows(2).map(|pair| pair[1] - pair[0]).min();
            let points = points.into_iter().map(|(at, (value, of))| OutsidePoint { at, value, of }).collect();
            let step = step.or(least).unwrap_or(DAY);
            let source = self.source.clone().unwrap_or_else(|| source.to_owned());
            records.series.push(OutsideSeries { source, signal, place, about, step, points });
        }
        (records, self.left_out.into_iter().collect())
    }
}

/// An id made of what identifies a record: 16 hexadecimal digits.
pub(crate) fn id(parts: &[&str]) -> String {
    let digest: [u8; 32] = Sha256::digest(parts.join("\n").as_bytes()).into();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A series without its points, and these by time.
type Joined = (OutsideSeries, BTreeMap<i64, OutsidePoint>);

/// The records of several files. Rows of one scan of Censored Planet may be in several files, so their counts are added up; of other values of
/// the same time, the last one counts.
#[must_use]
pub fn joined(files: impl IntoIterator<Item = OutsideRecords>) -> OutsideRecords {
    let mut all = OutsideRecords::default();
    let mut index: BTreeMap<(String, String, SeriesPlace), Joined> = BTreeMap::new();
    for file in files {
        all.reports.extend(file.reports);
        all.spans.extend(file.spans);
        for mut series in file.series {
            let points = std::mem::take(&mut series.points);
            let adds = series.source == censored_planet::SOURCE;
            let key = (series.source.clone(), series.signal.clone(), series.place.clone());
            let (_, known) = index.entry(key).or_insert_with(|| (series, BTreeMap::new()));
            for point in points {
                let before = known.get(&point.at).filter(|_| adds).copied();
                let sum = before.map_or(point, |before| OutsidePoint {
                    at: point.at,
                    value: before.value + point.value,
                    of: before.of.zip(point.of).map(|(one, other)| one + other),
                });
                known.insert(point.at, sum);
            }
        }
    }
    let series =
        |(series, points): Joined| OutsideSeries { points: points.into_values().collect(), ..series };
    all.series = index.into_values().map(series).collect();
    all
}
