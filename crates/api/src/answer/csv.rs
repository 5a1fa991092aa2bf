//! Answers as comma-separated values, with a set of columns per series.

use std::collections::BTreeMap;

use cutshort_report::cell;

use super::groups::Groups;
use super::{Answer, Answered, Share};
use crate::question::iso;

impl Answer {
    /// Writes the answer with a column for each group and a line for each interval. Series whose ranges begin at
    /// different times are aligned by their first intervals.
    #[must_use]
    pub fn csv(&self) -> String {
        let tables: Vec<SeriesTable> =
            self.series.iter().map(|series| SeriesTable::new(self, series)).collect();
        let mut lines = vec![tables.iter().flat_map(|table| table.head.clone()).collect::<Vec<String>>()];
        let positions: std::collections::BTreeSet<i64> =
            tables.iter().flat_map(|table| table.lines.keys().copied()).collect();
        for position in positions {
            lines.push(tables.iter().flat_map(|table| table.line(position)).collect());
        }
        text(&lines)
    }
}

/// Writes lines of fields, quoted where necessary. No field is a formula for a spreadsheet.
#[must_use]
pub(crate) fn text(lines: &[Vec<String>]) -> String {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let written = lines
        .iter()
        .try_for_each(|line| writer.write_record(line.iter().map(|field| cell(field).into_owned())));
    let bytes = written.ok().and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// The columns of one series.
struct SeriesTable {
    head: Vec<String>,
    /// The fields of each line, by the number of intervals since the start.
    lines: BTreeMap<i64, Vec<String>>,
}

impl SeriesTable {
    fn new(answer: &Answer, series: &Answered) -> Self {
        let Answered { name, start, groups } = series;
        let name = capitalized(name);
        let shares = groups.shares(answer.by.adds_up());
        let times = answer.bucket.is_some().then(|| format!("{name} timestamps"));
        let columns = groups.groups.iter().flat_map(|group| {
            let column = format!("{name} {}", group.name);
            let counts = answer.counts.then(|| [format!("{column} sampled"), format!("{column} weight")]);
            [column].into_iter().chain(counts.into_iter().flatten())
        });
        let head = times.into_iter().chain(columns).collect();
        let line =
            |at: usize| (position(answer, *start, groups.times[at]), fields(answer, groups, &shares, at));
        Self { head, lines: (0..groups.times.len()).map(line).collect() }
    }

    fn line(&self, position: i64) -> Vec<String> {
        self.lines.get(&position).cloned().unwrap_or_else(|| vec![String::new(); self.head.len()])
    }
}

fn fields(answer: &Answer, groups: &Groups, shares: &[Vec<Share>], at: usize) -> Vec<String> {
    let mut fields: Vec<String> = answer.bucket.map(|_| iso(groups.times[at])).into_iter().collect();
    for (group, shares) in groups.groups.iter().zip(shares) {
        fields.push(shares[at].to_string());
        if answer.counts {
            let count = group.counts[at];
            fields.extend([count.sampled.to_string(), count.weight.to_string()]);
        }
    }
    fields
}

/// The number of intervals from the start of a range to a time.
fn position(answer: &Answer, start: i64, time: i64) -> i64 {
    answer.bucket.map_or(0, |bucket| (bucket.start(time) - bucket.start(start)) / bucket.nanoseconds())
}

/// Changes the first letter to upper case.
pub(super) fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
