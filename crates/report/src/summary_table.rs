//! The summary as text, as wide as the terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_geo::Geo;
use cutshort_model::{GroupCounts, ServerCounts, date_time, grouped, quantity, until};
use cutshort_verdict::{DataSet, Signature, Stage, WeightedCount};

use crate::notes::notes;
use crate::rank::{self, Ranked};
use crate::servers::Servers;
use crate::summary::Summary;
use crate::text::{BOLD, DIM, Widths, bar, columns, hanging, padded, percent, wrap};

const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// The number of lines in a ranking.
const TOP: usize = 5;
/// Narrower terminals wrap lines.
const MIN_WIDTH: usize = 30;
const MAX_WIDTH: usize = 100;
/// The width of a bar; narrower terminals have none.
const MIN_BAR: usize = 4;
const MAX_BAR: usize = 40;
/// The minimum width of the name of a network or country.
const MIN_NAME: usize = 12;
/// The width from which on its code is written in front of its name.
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
            table.endings()?;
            table.servers()?;
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
    /// The width that is available for rankings, in columns.
    room: usize,
    output: W,
}

/// A line for a part of the whole, see [`SummaryTable::shares`].
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
            name: self.summary.data_set.stage_title(stage).to_owned(),
            count: *count,
            style: stage_style(stage),
        };
        let set = self.summary.data_set;
        let counts = set.stages().iter().map(|own| (*own, &self.summary.stages[*own as usize]));
        self.shares(counts.map(stage).collect())?;
        let GroupCounts { all, anomalous, completed, completed_anomalous } = self.summary.total;
        let share = percent(anomalous.share_of(&all));
        let completes = match set {
            DataSet::Quic => "got an answer",
            _ => "completed the handshake",
        };
        let completed = match completed.sampled {
            0 => format!("none {completes}"),
            count => {
                let share = percent(completed_anomalous.share_of(&completed));
                format!("{share} of the {} that {completes}", grouped(count))
            }
        };
        let (first, last) = match set.stages() {
            [first, .., last, _] => (set.stage_title(*first), set.stage_title(*last)),
            _ => ("", ""),
        };
        self.paragraph(Style::new(), &format!("{share} cut short ({first} to {last}); {completed}."), 2)
    }

    /// Whose packets, or whose silence, ended connections that we opened.
    fn endings(&mut self) -> io::Result<()> {
        if self.summary.data_set != DataSet::Origin {
            return Ok(());
        }
        let Servers { total, by_server, .. } = &self.summary.servers;
        let mut nothing = total.timeouts;
        nothing.merge(&total.unreachable);
        let line = |name: &str, count, style| Line { name: name.to_owned(), count, style };
        let lines = vec![
            line("Server: reset, or closed without a byte", *by_server, stage_style(Stage::PostAck)),
            line("Path or server: silence, or an ICMP error", nothing, stage_style(Stage::PostSyn)),
            line("Us: gave up waiting", total.gave_up, stage_style(Stage::PostPsh)),
        ];
        self.title("Who ended them without an answer")?;
        self.shares(lines)
    }

    /// The servers to which we open connections.
    fn servers(&mut self) -> io::Result<()> {
        let ranked = self.summary.servers.ranked();
        if ranked.is_empty() {
            return Ok(());
        }
        let of = if ranked.len() > TOP { format!(", top {TOP} of {}", ranked.len()) } else { String::new() };
        self.title(&format!("Servers{of}"))?;
        let top = &ranked[..ranked.len().min(TOP)];
        let names: Vec<String> = top.iter().map(|(address, _)| address.to_string()).collect();
        let rows: Vec<Vec<String>> = top.iter().map(|(_, server)| server_cells(server)).collect();
        let width = |at: usize| {
            let cells = rows.iter().map(|row| columns(&row[at]));
            cells.chain([columns(SERVER_HEAD[at])]).max().unwrap_or(0)
        };
        let name_width = names.iter().map(|name| columns(name)).max().unwrap_or(0);
        let mut room = self.room.saturating_sub(2 + name_width);
        let fits = |at: &usize| {
            let needed = width(*at) + 2;
            let has_room = room >= needed;
            room = if has_room { room - needed } else { 0 };
            has_room
        };
        // What no server did needs no column.
        let says_something = |at: &usize| rows.iter().any(|row| row[*at] != "0");
        let shown: Vec<usize> = (0..SERVER_HEAD.len()).filter(says_something).take_while(fits).collect();
        let line = |cells: &dyn Fn(usize) -> String| -> String {
            shown.iter().map(|at| format!("  {:>width$}", cells(*at), width = width(*at))).collect()
        };
        let head = line(&|at| SERVER_HEAD[at].to_owned());
        writeln!(self.output, "{DIM}  {:name_width$}{head}{DIM:#}", "")?;
        for (name, row) in names.iter().zip(&rows) {
            let cells = line(&|at| row[at].clone());
            writeln!(self.output, "  {}{cells}", padded(name, name_width))?;
        }
        Ok(())
    }

    fn signatures(&mut self) -> io::Result<()> {
        let count =
            |signature: &Signature| (*signature, self.summary.signatures[usize::from(signature.id())]);
        let mut lines: Vec<(Signature, WeightedCount)> =
            self.summary.data_set.signatures().iter().map(count).collect();
        lines.retain(|(_, count)| count.sampled > 0);
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

    /// Lines of name, share, count and bar; narrow terminals omit the last of these first.
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
            let text = match self.summary.data_set {
                DataSet::Origin => {
                    "No country or network of a server is known (private or reserved addresses)."
                }
                _ => "No country or network of a client is known (private or reserved addresses).",
            };
            return self.paragraph(DIM, text, 0);
        }
        self.ranking("Networks cut short most", "network", networks)?;
        self.ranking("Countries cut short most", "country", countries)
    }

    /// The first lines of a ranking, and what is not in it because its network or country is unknown.
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
        let mut head = RANKING_HEAD.map(str::to_owned);
        if self.summary.data_set == DataSet::Quic {
            "answered".clone_into(&mut head[3]);
        }
        let head = aligned(&head, &cells, shown);
        writeln!(self.output, "{DIM}  {:name_width$}  {head}{DIM:#}", "")?;
        for (label, row) in labels.iter().zip(&cells) {
            writeln!(self.output, "  {}  {}", padded(label, name_width), aligned(row, &cells, shown))?;
        }
        Ok(())
    }

    fn left_out(&mut self) -> io::Result<()> {
        let Summary { input, excluded, not_meant, not_selected, .. } = self.summary;
        let set = self.summary.data_set;
        let connections =
            set.exclusions().iter().map(|reason| (excluded[*reason as usize], set.exclusion_about(*reason)));
        let is_origin = set == DataSet::Origin;
        let not_meant_about = if is_origin {
            "opened by others, or to other servers or ports"
        } else {
            "to other servers or ports, from clients to be ignored, or the other direction"
        };
        let others = [(*not_meant, not_meant_about), (*not_selected, "outside the filter")];
        let connections =
            connections.chain(others).map(|(count, reason)| (count, reason.to_owned())).collect();
        self.reasons("Left out: connections", connections)?;
        let beyond = if is_origin {
            "our own acknowledgements, and what is beyond the first packets that are kept of each connection"
        } else {
            "beyond the first packets that are kept of each connection"
        };
        let packets = [
            (input.late, "too late for their window or connection"),
            (input.rows.tail, "tail of an older connection, before the first SYN on its ports"),
            (input.beyond_limit(), beyond),
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

/// Columns of servers. Narrow terminals lose the last first.
const SERVER_HEAD: [&str; 9] =
    ["all", "cut short", "refused", "unreach.", "timeout", "gave up", "empty", "p50 ms", "p95 ms"];

fn server_cells(server: &ServerCounts) -> Vec<String> {
    let ServerCounts { group, refused, unreachable, timeouts, gave_up, empty_answers, handshakes, .. } =
        server;
    let count = |count: &WeightedCount| grouped(count.sampled);
    let time = |share| {
        handshakes.quantile(share).map_or_else(|| "–".to_owned(), |time| format!("{:.1}", time as f64 / 1e3))
    };
    let (all, anomalous) = (&group.all, &group.anomalous);
    let counts = [refused, unreachable, timeouts, gave_up, empty_answers].map(count);
    let head = [count(all), percent(anomalous.share_of(all))];
    head.into_iter().chain(counts).chain([time(0.5), time(0.95)]).collect()
}

const RANKING_HEAD: [&str; 4] = ["share", "95 % interval", "cut short / all", "handshakes"];

/// Share, its interval, counts, and the share of completed handshakes. Narrow terminals omit the last of these first.
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
