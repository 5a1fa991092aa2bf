//! Answers for people.

use std::io::{self, Write};

use cutshort_api::answer::{Answer, Answered, Code, Completed, Meta, Numbers, Ranked, Top, sum};
use cutshort_model::{date_time, grouped, quantity};
use cutshort_report::percent;
use cutshort_report::table::Table;
use cutshort_verdict::WeightedCount;

/// Writes shares, and what is to be known about them.
pub(super) fn shares(answer: &Answer, width: usize, text: &mut Vec<u8>) -> io::Result<()> {
    for series in &answer.series {
        let total = series.groups.total();
        writeln!(text, "{}, {}", quantity(total.sampled, "connection"), period(&answer.meta))?;
        if total.sampled > 0 {
            writeln!(text)?;
            let table = if answer.bucket.is_some() { over_time(series) } else { at_once(answer, series) };
            table.write(width, &mut *text)?;
        }
    }
    notes(&answer.meta, width, text)
}

fn period(meta: &Meta) -> String {
    meta.date_range
        .first()
        .map_or_else(String::new, |range| format!("{} to {}", range.start_time, range.end_time))
}

fn at_once(answer: &Answer, series: &Answered) -> Table {
    let total = series.groups.total();
    let row = |(name, counts): (&String, &[WeightedCount])| {
        let count = sum(counts);
        vec![
            name.clone(),
            percent(count.share_of(&total)),
            interval(count.interval_of(&total)),
            grouped(count.sampled),
        ]
    };
    let groups = series.groups.groups.iter().map(|group| (&group.name, &group.counts[..]));
    let head = [answer.by.name(), "share", "95 % interval", "sampled"].map(str::to_owned);
    Table::of_numbers(head.to_vec(), groups.map(row).collect())
}

fn over_time(series: &Answered) -> Table {
    let groups = &series.groups;
    let head =
        ["from (UTC)".to_owned()].into_iter().chain(groups.groups.iter().map(|group| group.name.clone()));
    let row = |at: usize| {
        let total = &groups.totals[at];
        let shares = groups.groups.iter().map(|group| percent(group.counts[at].share_of(total)));
        let ends = [grouped(total.sampled)];
        [minute(groups.times[at])].into_iter().chain(shares).chain(ends).collect()
    };
    let head = head.chain(["sampled".to_owned()]).collect();
    Table::of_numbers(head, (0..groups.times.len()).map(row).collect())
}

/// `2026-11-21 09:30`
fn minute(time: i64) -> String {
    let mut text = date_time(time);
    text.truncate(text.len() - ":00".len());
    text
}

/// `1.2–3.4 %`
fn interval((low, high): (f64, f64)) -> String {
    format!("{:.1}–{:.1} %", low * 100.0, high * 100.0)
}

/// Writes a ranking, and what is to be known about it.
pub(super) fn ranking(top: &Top, width: usize, text: &mut Vec<u8>) -> io::Result<()> {
    for (_, ranked) in &top.series {
        let least = top.own.min_sample.unwrap_or(1);
        let of = if least > 1 {
            format!(" (those with {} connections or more)", grouped(least))
        } else {
            String::new()
        };
        writeln!(text, "Cut short most{of}, {}", period(&top.meta))?;
        if ranked.is_empty() {
            writeln!(text, "\nNobody: no country or network is known of the connections in the selection.")?;
            continue;
        }
        let head = ["", "share", "95 % interval", "these / all", "handshakes"].map(str::to_owned);
        writeln!(text)?;
        Table::of_numbers(head.to_vec(), ranked.iter().map(row).collect()).write(width, &mut *text)?;
    }
    notes(&top.meta, width, text)
}

fn row(Ranked { code, name, numbers }: &Ranked) -> Vec<String> {
    let code = match code {
        Code::As(asn) => format!("AS{asn}"),
        Code::Location(country) => country.alpha2().to_owned(),
    };
    let Numbers { value, low, high, matching, connections, completed, .. } = numbers;
    let Completed { value: completed_value, connections: completed_connections, .. } = completed;
    let handshakes =
        if *completed_connections == 0 { "–".to_owned() } else { percent(completed_value.ratio()) };
    vec![
        format!("{code} {name}").trim_end().to_owned(),
        percent(value.ratio()),
        interval((low.ratio(), high.ratio())),
        format!("{} / {}", grouped(*matching), grouped(*connections)),
        handshakes,
    ]
}

fn notes(meta: &Meta, width: usize, text: &mut Vec<u8>) -> io::Result<()> {
    let level = match meta.confidence_info.level {
        1 => Some("There is little data, and it is erratic."),
        2 => Some("There is little data: shares may be off by more than 5 percentage points."),
        3 => Some("The data is erratic: it has gaps, or few connections stand for many."),
        _ => None,
    };
    let annotations = &meta.confidence_info.annotations;
    if level.is_some() || !annotations.is_empty() {
        writeln!(text)?;
    }
    let said = annotations.iter().map(|note| note.description.as_str());
    level.into_iter().chain(said).try_for_each(|note| cutshort_report::write_note(note, width, &mut *text))
}
