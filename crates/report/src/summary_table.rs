//! The summary for a person, as wide as the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_geo::Geo;
use cutshort_model::{date_time, grouped, quantity, until};
use cutshort_verdict::{DataSet, Signature, Stage, WeightedCount};

use crate::notes::notes;
use crate::rank::{self, Ranked};
use crate::summary::{GroupCounts, Summary};
use crate::text::{BOLD, DIM, Widths, bar, columns, hanging, padded, percent, wrap};

const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// How many lines a ranking has.
const TOP: usize = 5;
/// Narrower terminals break lines.
const MIN_WIDTH: usize = 30;
const MAX_WIDTH: usize = 100;
/// A bar is as wide as this, or not there.
const MIN_BAR: usize = 4;
const MAX_BAR: usize = 40;
/// The name of a network or country is as wide as this at least.
const MIN_NAME: usize = 12;
/// From here on its code stands before its name.
const MIN_LABEL: usize = 24;

impl Summary {
    /// Writes the summary as a table that is as wide as `widths` allow, with ANSI colours.
    pub fn write_table(&self, geo: &Geo, widths: impl Into<Widths>, output: impl Write) -> io::Result<()> {
        let Widths { text, tables } = widths.into();
        let (width, room) = (text.clamp(MIN_WIDTH, MAX_WIDTH), tables.max(MIN_WIDTH));
        let mut table = SummaryTable { summary: self, geo, width, room, output };
        table.head()?;
        if self.connections() > 0 {
            table.stages()?;
            table.signatures()?;
            table.rankings()?;
        }
        table.left_out()?;
        table.notes()?;
        table.sources()
    }
}

struct SummaryTable<'a, W> {
    summary: &'a Summary,
    geo: &'a Geo,
    width: usize,
    /// Of rankings.
    room: usize,
    output: W,
}

/// A line that names a part of the whole, for [`SummaryTable::shares`].
struct Line {
    name: String,
    count: WeightedCount,
    style: Style,
}

impl<W: Write> SummaryTable<'_, W> {
    fn head(&mut self) -> io::Result<()> {
        if self.summary.simulated {
            self.paragraph(WARN, "SIMULATED: nothing in this capture is real.", 0)?;
        }
        let Summary { input, .. } = self.summary;
        let connections = quantity(self.summary.connections(), "connection");
        self.paragraph(BOLD, &format!("{connections} in {}", quantity(input.records, "record")), 0)?;
        if let Some((first, last)) = input.span() {
            self.paragraph(DIM, &format!("{} to {} UTC", date_time(first), until(first, last)), 0)?;
        }
        match &self.summary.selection {
            Some(selection) => self.paragraph(DIM, &format!("Only those with {selection}"), 0),
            None => Ok(()),
        }
    }

    fn title(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.output)?;
        self.paragraph(BOLD, title, 0)
    }

    fn paragraph(&mut self, style: Style, text: &str, indent: usize) -> io::Result<()> {
        for line in wrap(text, self.width - indent) {
            writeln!(self.output, "{:indent$}{style}{line}{style:#}", "")?;
        }
        Ok(())
    }

    fn stages(&mut self) -> io::Result<()> {
        self.title("Where they end")?;
        let stage = |(stage, count): (Stage, &WeightedCount)| Line {
            name: stage.title().to_owned(),
            count: *count,
            style: stage_style(stage),
        };
        self.shares(Stage::ALL.into_iter().zip(&self.summary.stages).map(stage).collect())?;
        let GroupCounts { all, anomalous, completed, completed_anomalous } = self.summary.total;
        let share = percent(anomalous.share_of(&all));
        let completed = match completed.sampled {
            0 => "none completed the handshake".to_owned(),
            count => {
                let share = percent(completed_anomalous.share_of(&completed));
                format!("{share} of the {} that completed the handshake", grouped(count))
            }
        };
        self.paragraph(Style::new(), &format!("{share} cut short (Post-SYN to Later); {completed}."), 2)
    }

    fn signatures(&mut self) -> io::Result<()> {
        let mut lines: Vec<(Signature, WeightedCount)> = DataSet::Tcp
            .signatures()
            .iter()
            .copied()
            .zip(self.summary.signatures)
            .filter(|(_, count)| count.sampled > 0)
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        lines.sort_by_key(|(signature, count)| (std::cmp::Reverse(count.weight), signature.id()));
        lines.truncate(TOP);
        self.title("How: top signatures")?;
        let line = |(signature, count): (Signature, WeightedCount)| Line {
            name: signature.name().to_owned(),
            count,
            style: stage_style(signature.stage()),
        };
        self.shares(lines.into_iter().map(line).collect())
    }

    /// Lines of name, share, count and bar, of which a narrow terminal loses the last first.
    fn shares(&mut self, lines: Vec<Line>) -> io::Result<()> {
        let all = self.summary.total.all;
        let shares: Vec<String> = lines.iter().map(|line| percent(line.count.share_of(&all))).collect();
        let counts: Vec<String> = lines.iter().map(|line| grouped(line.count.sampled)).collect();
        let widest = |texts: &[String]| texts.iter().map(|text| columns(text)).max().unwrap_or(0);
        let (share_width, count_width) = (widest(&shares), widest(&counts));
        let numbers = 2 + share_width + 2 + count_width;
        let longest = lines.iter().map(|line| columns(&line.name)).max().unwrap_or(0);
        let name_width = longest.min(self.width - 2 - numbers);
        let bar_width = self.width.saturating_sub(2 + name_width + numbers + 2).min(MAX_BAR);
        for ((Line { name, count, style }, share), number) in lines.into_iter().zip(shares).zip(counts) {
            let name = padded(&name, name_width);
            let bar = if bar_width < MIN_BAR { String::new() } else { bar(count.share_of(&all), bar_width) };
            let gap = if bar.is_empty() { "" } else { "  " };
            writeln!(
                self.output,
                "  {name}  {share:>share_width$}  {number:>count_width$}{gap}{style}{bar}{style:#}"
            )?;
        }
        Ok(())
    }

    fn rankings(&mut self) -> io::Result<()> {
        let known = |ranked: &[Ranked]| ranked.iter().any(|ranked| !ranked.code.is_empty());
        let (networks, countries) = (rank::networks(self.summary, self.geo), rank::locations(self.summary));
        if !known(&networks) && !known(&countries) {
            writeln!(self.output)?;
            let text = "No country or network of a client is known (private or reserved addresses).";
            return self.paragraph(DIM, text, 0);
        }
        self.ranking("Networks cut short most", "network", networks)?;
        self.ranking("Countries cut short most", "country", countries)
    }

    /// The top of a ranking, and what is not in it because its network or country is unknown.
    fn ranking(&mut self, title: &str, what: &str, ranked: Vec<Ranked>) -> io::Result<()> {
        let least = rank::least_sample(self.summary.connections());
        let (known, unknown): (Vec<_>, Vec<_>) =
            ranked.into_iter().partition(|ranked| !ranked.code.is_empty());
        let mut anomalous: Vec<Ranked> =
            known.into_iter().filter(|ranked| ranked.group.anomalous.sampled > 0).collect();
        if anomalous.is_empty() {
            return Ok(());
        }
        let all = anomalous.len();
        anomalous.retain(|ranked| ranked.group.all.sampled >= least);
        let places = anomalous.len();
        anomalous.truncate(TOP);
        let of = if places > TOP { format!(", top {TOP} of {places}") } else { String::new() };
        let at_least = match places < all {
            true => format!(" (those with {} connections or more)", grouped(least)),
            false => String::new(),
        };
        self.title(&format!("{title}{of}{at_least}"))?;
        if anomalous.is_empty() {
            self.paragraph(DIM, &format!("No {what} has that many."), 2)?;
        } else {
            self.ranks(&anomalous)?;
        }
        for Ranked { group, .. } in unknown.iter().filter(|unknown| unknown.group.all.sampled > 0) {
            let [share, _, counts, _] = numbers(group);
            self.paragraph(DIM, &format!("Unknown {what}: {share} ({counts})"), 2)?;
        }
        Ok(())
    }

    fn ranks(&mut self, ranked: &[Ranked]) -> io::Result<()> {
        let cells: Vec<[String; 4]> = ranked.iter().map(|ranked| numbers(&ranked.group)).collect();
        let columns_shown = (1..=4).rev().find(|shown| self.room >= MIN_NAME + 4 + width_of(&cells, *shown));
        let shown = columns_shown.unwrap_or(1);
        let room = self.room.saturating_sub(4 + width_of(&cells, shown));
        // Where only one fits, the name says more.
        let label = |Ranked { code, name, .. }: &Ranked| match room < MIN_LABEL && !name.is_empty() {
            true => name.clone(),
            false => format!("{code} {name}").trim().to_owned(),
        };
        let labels: Vec<String> = ranked.iter().map(label).collect();
        let name_width = labels.iter().map(|label| columns(label)).max().unwrap_or(0).max(MIN_NAME).min(room);
        let head = aligned(&RANKING_HEAD.map(str::to_owned), &cells, shown);
        writeln!(self.output, "{DIM}  {:name_width$}  {head}{DIM:#}", "")?;
        for (label, row) in labels.iter().zip(&cells) {
            writeln!(self.output, "  {}  {}", padded(label, name_width), aligned(row, &cells, shown))?;
        }
        Ok(())
    }

    fn left_out(&mut self) -> io::Result<()> {
        let Summary { input, excluded, not_meant, not_selected, .. } = self.summary;
        let connections =
            DataSet::Tcp.exclusions().iter().map(|reason| (excluded[*reason as usize], reason.about()));
        let others = [
            (*not_meant, "to other servers or ports, from clients to be ignored, or the other direction"),
            (*not_selected, "outside the filter"),
        ];
        let connections =
            connections.chain(others).map(|(count, reason)| (count, reason.to_owned())).collect();
        self.reasons("Left out: connections", connections)?;
        let packets = [
            (input.late, "too late for their window or connection"),
            (input.rows.tail, "tail of an older connection, before the first SYN on its ports"),
            (input.beyond_limit(), "beyond the first packets that are kept of each connection"),
        ];
        let packets = packets.map(|(count, reason)| (count, reason.to_owned()));
        self.reasons("Left out: records", input.left_out().into_iter().chain(packets).collect())
    }

    fn reasons(&mut self, title: &str, mut reasons: Vec<(u64, String)>) -> io::Result<()> {
        reasons.retain(|(count, _)| *count > 0);
        if reasons.is_empty() {
            return Ok(());
        }
        self.title(title)?;
        let counts: Vec<String> = reasons.iter().map(|(count, _)| grouped(*count)).collect();
        let width = counts.iter().map(String::len).max().unwrap_or(0);
        for ((_, reason), count) in reasons.into_iter().zip(counts) {
            let lines = hanging(&format!("  {count:>width$}  "), &reason, self.width);
            lines.iter().try_for_each(|line| writeln!(self.output, "{line}"))?;
        }
        Ok(())
    }

    fn notes(&mut self) -> io::Result<()> {
        let notes = notes(self.summary);
        if notes.is_empty() {
            return Ok(());
        }
        self.title("Note")?;
        notes.iter().try_for_each(|note| self.paragraph(AnsiColor::Yellow.on_default(), note, 2))
    }

    fn sources(&mut self) -> io::Result<()> {
        writeln!(self.output)?;
        let geo = self.geo;
        geo.sources().iter().try_for_each(|source| self.paragraph(DIM, &format!("Geo: {source}"), 0))
    }
}

const RANKING_HEAD: [&str; 4] = ["share", "95 % interval", "cut short / all", "handshakes"];

/// Share, its interval, counts, and the share of completed handshakes. Narrow terminals lose the
/// last first.
fn numbers(group: &GroupCounts) -> [String; 4] {
    let GroupCounts { all, anomalous, completed, completed_anomalous } = group;
    let (low, high) = anomalous.interval_of(all);
    let handshakes = if completed.sampled == 0 {
        "–".to_owned()
    } else {
        percent(completed_anomalous.share_of(completed))
    };
    [
        percent(anomalous.share_of(all)),
        format!("{:.1}–{:.1} %", low * 100.0, high * 100.0),
        format!("{} / {}", grouped(anomalous.sampled), grouped(all.sampled)),
        handshakes,
    ]
}

/// The first columns of a row, each as wide as its widest cell, aligned to the right.
fn aligned(row: &[String; 4], rows: &[[String; 4]], shown: usize) -> String {
    let cell = |column: usize| format!("{:>width$}", row[column], width = column_width(rows, column));
    (0..shown).map(cell).collect::<Vec<_>>().join("  ")
}

fn width_of(rows: &[[String; 4]], shown: usize) -> usize {
    (0..shown).map(|column| column_width(rows, column)).sum::<usize>() + 2 * (shown - 1)
}

fn column_width(rows: &[[String; 4]], column: usize) -> usize {
    let cells = rows.iter().map(|row| columns(&row[column]));
    cells.chain([columns(RANKING_HEAD[column])]).max().unwrap_or(0)
}

const fn stage_style(stage: Stage) -> Style {
    match stage {
        Stage::PostSyn => AnsiColor::Red.on_default(),
        Stage::PostAck => AnsiColor::Yellow.on_default(),
        Stage::PostPsh => AnsiColor::Magenta.on_default(),
        Stage::Later => AnsiColor::Blue.on_default(),
        Stage::None => AnsiColor::Green.on_default(),
    }
}
