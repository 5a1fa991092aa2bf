//! The summary for a person, as wide as the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_geo::Geo;
use cutshort_packet::Refusal;
use cutshort_verdict::{Count, Exclusion, Signature, Stage};

use crate::notes::notes;
use crate::rank::{self, Ranked};
use crate::summary::{Group, Summary};
use crate::text::{bar, fit, grouped, percent, wrap};
use crate::time::{date_time, until};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// How many lines a ranking has.
const TOP: usize = 5;
/// A minimum sample is never above this.
const MAX_LEAST_SAMPLE: u64 = 1000;
/// Narrower terminals break lines.
const MIN_WIDTH: usize = 30;
const MAX_WIDTH: usize = 100;

impl Summary {
    /// Writes the summary as a table of at most `width` columns, with ANSI colours.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_table(&self, geo: &Geo, width: usize, output: impl Write) -> io::Result<()> {
        let width = width.clamp(MIN_WIDTH, MAX_WIDTH);
        let mut table = Table { summary: self, geo, width, output };
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

struct Table<'a, W> {
    summary: &'a Summary,
    geo: &'a Geo,
    width: usize,
    output: W,
}

/// A line that names a part of the whole, for [`Table::shares`].
struct Line {
    name: String,
    count: Count,
    style: Style,
}

impl<W: Write> Table<'_, W> {
    fn head(&mut self) -> io::Result<()> {
        if self.summary.simulated {
            self.paragraph(WARN, "SIMULATED: nothing in this capture is real.", 0)?;
        }
        let Summary { input, .. } = self.summary;
        let count = self.summary.connections();
        let of = if input.span.is_some() { " in " } else { "" };
        let records = quantity(input.records, "record");
        let head = format!("{}{of}{records}", quantity(count, "connection"));
        writeln!(self.output, "{BOLD}{}{BOLD:#}", fit(&head, self.width))?;
        if let Some((first, last)) = input.span {
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
        let stage = |(stage, count): (Stage, &Count)| Line {
            name: stage.title().to_owned(),
            count: *count,
            style: stage_style(stage),
        };
        self.shares(Stage::ALL.into_iter().zip(&self.summary.stages).map(stage).collect())?;
        let Group { all, anomalous, completed, completed_anomalous } = self.summary.total;
        let text = format!(
            "{} cut short (Post-SYN to Later); {} of the {} that completed the handshake.",
            percent(anomalous.share_of(&all)),
            percent(completed_anomalous.share_of(&completed)),
            grouped(completed.sampled),
        );
        self.paragraph(Style::new(), &text, 2)
    }

    fn signatures(&mut self) -> io::Result<()> {
        let mut lines: Vec<(Signature, Count)> =
            Signature::all().zip(self.summary.signatures).filter(|(_, count)| count.sampled > 0).collect();
        if lines.is_empty() {
            return Ok(());
        }
        lines.sort_by_key(|(signature, count)| (std::cmp::Reverse(count.weight), signature.id()));
        lines.truncate(TOP);
        self.title("How: top signatures")?;
        let line = |(signature, count): (Signature, Count)| Line {
            name: signature.name().to_owned(),
            count,
            style: stage_style(signature.stage()),
        };
        self.shares(lines.into_iter().map(line).collect())
    }

    /// Lines of name, share, count and bar, of which a narrow terminal loses the last first.
    fn shares(&mut self, lines: Vec<Line>) -> io::Result<()> {
        const SHARE: usize = 8;
        let all = self.summary.total.all;
        let counts: Vec<String> = lines.iter().map(|line| grouped(line.count.sampled)).collect();
        let count_width = counts.iter().map(|count| count.chars().count()).max().unwrap_or(0);
        let longest = lines.iter().map(|line| line.name.chars().count()).max().unwrap_or(0);
        let name_width = longest.min(self.width - 2 - SHARE - 2 - count_width);
        let bar_width = self.width.saturating_sub(2 + name_width + SHARE + 2 + count_width + 2).min(40);
        for (Line { name, count, style }, number) in lines.into_iter().zip(counts) {
            let share = count.share_of(&all);
            let name = fit(&name, name_width);
            let bar = if bar_width < 4 { String::new() } else { bar(share, bar_width) };
            let gap = if bar.is_empty() { "" } else { "  " };
            let share = percent(share);
            writeln!(
                self.output,
                "  {name:name_width$}{share:>SHARE$}  {number:>count_width$}{gap}{style}{bar}{style:#}"
            )?;
        }
        Ok(())
    }

    fn rankings(&mut self) -> io::Result<()> {
        let known = |ranked: &[Ranked]| ranked.iter().any(|ranked| !ranked.code.is_empty());
        let (networks, countries) = (rank::networks(self.summary, self.geo), rank::locations(self.summary));
        if !known(&networks) && !known(&countries) {
            writeln!(self.output)?;
            let text =
                "Of none of the clients a network or country is known (private or reserved addresses).";
            return self.paragraph(DIM, text, 0);
        }
        self.ranking("Networks cut short most", networks)?;
        self.ranking("Countries cut short most", countries)
    }

    /// The top of a ranking. Of thousands of groups some small ones are cut short by chance alone,
    /// so a large capture asks for a minimum sample.
    fn ranking(&mut self, title: &str, mut ranked: Vec<Ranked>) -> io::Result<()> {
        let least = (self.summary.connections() / 1000).clamp(1, MAX_LEAST_SAMPLE);
        ranked.retain(|ranked| ranked.group.anomalous.sampled > 0 && ranked.group.all.sampled >= least);
        if ranked.iter().all(|ranked| ranked.code.is_empty()) {
            return Ok(());
        }
        let places = ranked.len();
        ranked.truncate(TOP);
        let of =
            if places > TOP { format!(", top {TOP} of {}", grouped(places as u64)) } else { String::new() };
        let at_least =
            if least > 1 { format!(", of {} connections or more", grouped(least)) } else { String::new() };
        self.title(&format!("{title}{of}{at_least}"))?;
        let wide = self.width >= 72;
        let head = wide.then(|| RANKING_HEAD.map(str::to_owned).to_vec());
        let lines = head.into_iter().chain(ranked.iter().map(|ranked| numbers(&ranked.group, wide)));
        let mut lines = aligned(&lines.collect::<Vec<_>>()).into_iter();
        let number_width = lines.as_slice().first().map_or(0, |line| line.chars().count());
        let name_width = self.width.saturating_sub(2 + 2 + number_width).clamp(6, 40);
        if let Some(head) = wide.then(|| lines.next()).flatten() {
            writeln!(self.output, "{DIM}  {:name_width$}  {head}{DIM:#}", "")?;
        }
        for (Ranked { code, name, .. }, numbers) in ranked.iter().zip(lines) {
            let name = fit(format!("{code} {name}").trim(), name_width);
            writeln!(self.output, "  {name:name_width$}  {numbers}")?;
        }
        Ok(())
    }

    fn left_out(&mut self) -> io::Result<()> {
        let Summary { input, excluded, not_meant, not_selected, .. } = self.summary;
        let connections =
            Exclusion::ALL.into_iter().zip(excluded).map(|(reason, count)| (*count, reason.about()));
        let records =
            Refusal::ALL.into_iter().zip(input.refused).map(|(reason, count)| (count, reason.about()));
        let others = [
            (*not_meant, "to other servers, or from sources to be ignored"),
            (*not_selected, "outside the filter"),
        ];
        self.reasons("Left out: 5-tuples", connections.chain(others).collect())?;
        let packets = [
            (input.late, "too late for their window"),
            (input.beyond_limit(), "beyond the first packets that are kept of each 5-tuple"),
        ];
        self.reasons("Left out: records", records.chain(packets).collect())
    }

    fn reasons(&mut self, title: &str, mut reasons: Vec<(u64, &str)>) -> io::Result<()> {
        reasons.retain(|(count, _)| *count > 0);
        if reasons.is_empty() {
            return Ok(());
        }
        self.title(title)?;
        let counts: Vec<String> = reasons.iter().map(|(count, _)| grouped(*count)).collect();
        let width = counts.iter().map(String::len).max().unwrap_or(0);
        for ((_, reason), count) in reasons.into_iter().zip(counts) {
            let mut lines = wrap(reason, self.width - width - 4).into_iter();
            writeln!(self.output, "  {count:>width$}  {}", lines.next().unwrap_or_default())?;
            lines.try_for_each(|line| writeln!(self.output, "  {:width$}  {line}", ""))?;
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

const RANKING_HEAD: [&str; 4] = ["share", "95 % interval", "of all", "handshakes"];

/// Share, interval, counts, and the share of completed handshakes; the first and the counts on a
/// narrow terminal.
fn numbers(group: &Group, wide: bool) -> Vec<String> {
    let Group { all, anomalous, completed, completed_anomalous } = group;
    let share = percent(anomalous.share_of(all));
    let counts = format!("{} / {}", grouped(anomalous.sampled), grouped(all.sampled));
    if !wide {
        return vec![share, counts];
    }
    let (low, high) = anomalous.interval_of(all);
    let interval = format!("{:.1}–{:.1} %", low * 100.0, high * 100.0);
    let handshakes = if completed.sampled == 0 {
        "–".to_owned()
    } else {
        percent(completed_anomalous.share_of(completed))
    };
    vec![share, interval, counts, handshakes]
}

/// Lines of columns, each as wide as its widest cell, aligned to the right.
fn aligned(lines: &[Vec<String>]) -> Vec<String> {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let cell = |(cell, width): (&String, &usize)| format!("{cell:>width$}");
    lines.iter().map(|line| line.iter().zip(&widths).map(cell).collect::<Vec<_>>().join("  ")).collect()
}

fn quantity(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
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
