//! Answers as tables for people.

use std::io::{self, Write};

use cutshort_model::{Dimension, Network, Value, date_time, grouped, quantity};
use cutshort_report::table::Table;
use cutshort_report::{Widths, percent};

use crate::answer::{
    Answer, Answered, Column, Completed, DateRange, Meta, Note, Numbers, Ranked, RankedOf, Top, Who, sum,
    value_name,
};

/// Writes shares as a table, followed by the notes about them.
///
/// # Errors
/// An error of the output.
pub fn shares(answer: &Answer, widths: Widths, mut text: impl Write) -> io::Result<()> {
    for series in &answer.series {
        let total = series.groups.total();
        writeln!(text, "{}, {}", quantity(total.sampled, "connection"), period(&answer.meta))?;
        if total.sampled > 0 {
            writeln!(text)?;
            let table = if answer.bucket.is_some() { over_time(series) } else { at_once(answer, series) };
            table.write(widths.tables, &mut text)?;
        }
        if total.sampled > 0 && answer.bucket.is_some() && tells_servers_apart(answer) {
            writeln!(text, "\nCut short, of the connections of each {}\n", answer.by.name())?;
            cut_short_over_time(series).write(widths.tables, &mut text)?;
        }
    }
    notes(&answer.meta, widths.text, text)
}

fn period(meta: &Meta) -> String {
    meta.date_range
        .first()
        .map_or_else(String::new, |range| format!("{} to {}", range.start_time, range.end_time))
}

fn at_once(answer: &Answer, series: &Answered) -> Table {
    let total = series.groups.total();
    let with_cut_short = tells_servers_apart(answer);
    let row = |group: &Column| {
        let count = sum(&group.counts);
        let shares =
            [percent(count.share_of(&total)), interval(count.interval_of(&total)), grouped(count.sampled)];
        let cut_short = with_cut_short.then(|| {
            let cut_short = sum(&group.cut_short);
            [percent(cut_short.share_of(&count)), interval(cut_short.interval_of(&count))]
        });
        [group.name.clone()].into_iter().chain(shares).chain(cut_short.into_iter().flatten()).collect()
    };
    let head = [answer.by.name(), "share", "95 % interval", "sampled"].into_iter();
    let head =
        head.chain(if with_cut_short { &["cut short", "95 % interval"][..] } else { &[] }.iter().copied());
    Table::of_numbers(head.map(str::to_owned).collect(), series.groups.groups.iter().map(row).collect())
}

/// Whether each value has ordinary connections and others: then how many are cut short says more than its share of all.
fn tells_servers_apart(answer: &Answer) -> bool {
    use Dimension::{As, IpVersion, Location, Node, Port};
    [Node, Port, IpVersion, Location, As].into_iter().any(|dimension| answer.by.name() == dimension.name())
}

fn cut_short_over_time(series: &Answered) -> Table {
    let groups = &series.groups;
    let row = |at: usize| {
        let share = |group: &Column| match group.counts[at].sampled {
            0 => "–".to_owned(),
            _ => percent(group.cut_short[at].share_of(&group.counts[at])),
        };
        [minute(groups.times[at])].into_iter().chain(groups.groups.iter().map(share)).collect()
    };
    let head =
        ["from (UTC)".to_owned()].into_iter().chain(groups.groups.iter().map(|group| group.name.clone()));
    Table::of_numbers(head.collect(), (0..groups.times.len()).map(row).collect())
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

/// Writes a minute, such as `2026-11-21 09:30`.
fn minute(time: i64) -> String {
    let mut text = date_time(time);
    text.truncate(text.len() - ":00".len());
    text
}

/// Writes an interval, such as `1.2–3.4 %`.
fn interval((low, high): (f64, f64)) -> String {
    format!("{:.1}–{:.1} %", low * 100.0, high * 100.0)
}

/// Writes a ranking as a table, followed by the notes about it; `completed` if it is of completed handshakes only.
///
/// # Errors
/// An error of the output.
pub fn ranking(top: &Top, who: Who, completed: bool, widths: Widths, mut text: impl Write) -> io::Result<()> {
    let none = RankedOf::default();
    for (at, (_, ranked)) in top.series.iter().enumerate() {
        let of_all = top.own.ranked.as_ref().and_then(|all| all.get(at)).unwrap_or(&none);
        let least = of_all.min_sample;
        let of = if of_all.too_small > 0 {
            format!(" (those with {} connections or more)", grouped(least))
        } else {
            String::new()
        };
        let title = match (who, completed) {
            (Who::Signatures, false) => "Signatures, by their share of all connections",
            (Who::Signatures, true) => "Signatures, by their share of completed handshakes",
            (_, false) => "Cut short most",
            (_, true) => "Cut short most, of completed handshakes",
        };
        writeln!(text, "{title}{of}, {}", period(&top.meta))?;
        if ranked.is_empty() {
            writeln!(text, "\n{}", nobody(of_all))?;
            continue;
        }
        let counts = if who == Who::Signatures { "these / all" } else { "cut short / all" };
        // Of completed handshakes the last column would be the first one again.
        let head = ["", "share", "95 % interval", counts, "handshakes"].map(str::to_owned);
        let columns = head.len() - usize::from(completed);
        let rows = ranked.iter().map(|one| row(one)[..columns].to_vec()).collect();
        writeln!(text)?;
        Table::of_numbers(head[..columns].to_vec(), rows).write(widths.tables, &mut text)?;
        if let Some(omitted) = omitted(of_all, ranked.len(), who) {
            writeln!(text)?;
            cutshort_report::write_note(&omitted, widths.text, &mut text)?;
        }
    }
    notes(&top.meta, widths.text, text)
}

/// Networks with a larger share of connections that end before the handshake are said to complete it rarely.
const RARELY: f64 = 0.5;

/// Writes the networks of a ranking by Post-SYN that rarely complete a handshake; nothing if there are none.
///
/// # Errors
/// An error of the output.
pub fn rarely_completed(top: &Top, widths: Widths, mut text: impl Write) -> io::Result<()> {
    let all = top.series.iter().flat_map(|(_, ranked)| ranked);
    let rows: Vec<_> = all
        .filter(|one| one.numbers.value.ratio() >= RARELY)
        .map(|one| row(one)[..COLUMNS_OF_SCANNERS].to_vec())
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let head = ["", "no handshake", "95 % interval", "these / all"].map(str::to_owned);
    let title = "Networks that rarely complete a handshake: scanners, or SYNs with forged source addresses. They are not ranked above.";
    writeln!(text)?;
    cutshort_report::write_note(title, widths.text, &mut text)?;
    writeln!(text)?;
    Table::of_numbers(head.to_vec(), rows).write(widths.tables, text)
}

/// All but the share of completed handshakes.
const COLUMNS_OF_SCANNERS: usize = 4;

/// Why a ranking is empty.
fn nobody(of: &RankedOf) -> String {
    match (of.too_small, of.unknown_connections + of.other_connections) {
        (0, 0) => "No connections in the selection.".to_owned(),
        (0, _) => {
            "Nothing to rank: no country, network or other value is known of these connections.".to_owned()
        }
        (some, _) => format!(
            "Nothing to rank: none of {} has {} connections or more (--min-sample).",
            grouped(some as u64),
            grouped(of.min_sample)
        ),
    }
}

/// What a ranking leaves out; none if it has everything.
fn omitted(of: &RankedOf, shown: usize, who: Who) -> Option<String> {
    let below = of.ranked.saturating_sub(shown);
    let unknown = match who {
        Who::Ases => "of unknown networks",
        Who::Locations => "of unknown countries",
        Who::Signatures => "without a signature",
        Who::Nodes | Who::Ports | Who::IpVersions => "of unknown values",
    };
    let connections = |count| quantity(count, "connection");
    let parts = [
        (below > 0, format!("{} further down (--limit)", grouped(below as u64))),
        (
            of.too_small > 0,
            format!(
                "{} with too few connections ({} in all)",
                grouped(of.too_small as u64),
                connections(of.too_small_connections)
            ),
        ),
        (of.unknown_connections > 0, format!("{} {unknown}", connections(of.unknown_connections))),
        (of.other_connections > 0, format!("{} counted as 'other'", connections(of.other_connections))),
        (of.scanner_connections > 0, format!("{} of known scanners", connections(of.scanner_connections))),
    ];
    let parts: Vec<String> = parts.into_iter().filter_map(|(holds, part)| holds.then_some(part)).collect();
    (!parts.is_empty()).then(|| format!("Not listed: {}.", parts.join("; ")))
}

fn row(Ranked { value, name, numbers }: &Ranked) -> Vec<String> {
    let code = match value {
        Value::As(Network::As(asn)) => format!("AS{asn}"),
        value => value_name(value),
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

fn notes(meta: &Meta, width: usize, mut text: impl Write) -> io::Result<()> {
    let level = match meta.confidence_info.level {
        1 => Some(
            "There is little data, and it is erratic: shares may be off by more than 5 percentage points.",
        ),
        2 => Some("There is little data: shares may be off by more than 5 percentage points."),
        3 => Some("The data is erratic: it has gaps, or few connections stand for many."),
        _ => None,
    };
    let annotations = &meta.confidence_info.annotations;
    if level.is_some() || !annotations.is_empty() {
        writeln!(text)?;
    }
    let said = annotations.iter().map(|note| dated(note, meta.date_range.first()));
    level
        .into_iter()
        .map(str::to_owned)
        .chain(said)
        .try_for_each(|note| cutshort_report::write_note(&note, width, &mut text))
}

/// A note with its kind and time; without the time if it is that of the whole answer.
fn dated(note: &Note, range: Option<&DateRange>) -> String {
    let label = match note.event_type {
        "OUTAGE" => "Outage",
        "PARTIAL_PROJECTION" | "PIPELINE" => "Incomplete data",
        "TRAFFIC_ANOMALY" => "Anomaly",
        _ => "Note",
    };
    let is_whole =
        range.is_some_and(|range| (&range.start_time, &range.end_time) == (&note.start_date, &note.end_date));
    let minute = |time: &str| time.get(..16).unwrap_or(time).replace('T', " ");
    let (start, end) = (minute(&note.start_date), minute(&note.end_date));
    let time = match (is_whole, note.is_instantaneous) {
        (true, _) => String::new(),
        (false, true) => format!(", {start}"),
        (false, false) => format!(", {start} to {end}"),
    };
    format!("{label}{time}: {}", note.description)
}
