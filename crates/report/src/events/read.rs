//! Counts per window and place from CSV or JSON lines.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};

use cutshort_detect::{ObservedNode, SeriesCounts, SeriesPlace, SingleSyns, Window, country_code};
use serde::Deserialize;

/// Seconds of a window.
const WINDOW: i64 = 900;
/// An error in a line does not repeat more than this of it.
const QUOTED: usize = 40;

/// Why a series cannot be read. Texts say in which line.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeriesError {
    /// The input cannot be read.
    Io(io::Error),
    /// A line is wrong.
    Line {
        /// Its number, from 1 on.
        line: u64,
        /// What is wrong with it, and what to write.
        problem: String,
    },
}

impl fmt::Display for SeriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Line { line, problem } => write!(f, "line {line}: {problem}"),
        }
    }
}

impl std::error::Error for SeriesError {}

/// A row: what came from a place to a node in a window, in weighted connections.
#[derive(Debug, Deserialize)]
struct Row {
    /// The beginning of the window.
    time: Time,
    place: String,
    #[serde(default)]
    country: Option<String>,
    /// The AS number of a server.
    #[serde(default)]
    network: Option<u32>,
    #[serde(default)]
    node: Option<String>,
    /// Sum of weights, and of their squares.
    w: f64,
    #[serde(default)]
    w2: Option<f64>,
    #[serde(default)]
    post_syn: f64,
    #[serde(default)]
    post_ack: f64,
    #[serde(default)]
    post_psh: f64,
    #[serde(default)]
    later: f64,
    /// Of Post-SYN: those that a RST ended, those with marks of a scanner, and those to the port that most of them went to.
    #[serde(default)]
    post_syn_reset: Option<f64>,
    #[serde(default)]
    post_syn_scanner: Option<f64>,
    #[serde(default)]
    post_syn_port: Option<f64>,
}

/// Seconds since the Unix epoch, or ISO 8601.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Time {
    Seconds(i64),
    Text(String),
}

/// The rows of a window.
#[derive(Debug, Default)]
struct Gathered {
    number: Option<i64>,
    /// Positions of nodes by name.
    nodes: BTreeMap<String, usize>,
    counts: Vec<SeriesCounts>,
}

/// Reads rows, and passes on one window after the other.
///
/// CSV has a header; JSON has an object per line. Which of them it is, the first character says. Rows are sorted by time. A node
/// observed a window if there is any row of it.
#[derive(Debug, Default)]
pub struct Reader {
    now: Gathered,
    rows: u64,
}

impl Reader {
    /// The number of rows that were read.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Reads an input, which continues the one before, and calls `window` for each window that is complete. Its error, a text, is
    /// that of the line after the window.
    ///
    /// # Errors
    /// If the input or a line of it cannot be read.
    pub fn read(
        &mut self,
        mut input: impl BufRead,
        window: &mut impl FnMut(&Window<'_>) -> Result<(), String>,
    ) -> Result<(), SeriesError> {
        let first =
            input.fill_buf().map_err(SeriesError::Io)?.iter().find(|byte| !byte.is_ascii_whitespace());
        match first {
            None => Ok(()),
            Some(b'{') => self.read_json(input, window),
            Some(_) => self.read_csv(input, window),
        }
    }

    fn read_csv(
        &mut self,
        input: impl BufRead,
        window: &mut impl FnMut(&Window<'_>) -> Result<(), String>,
    ) -> Result<(), SeriesError> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
        let headers = reader.headers().map_err(of_csv)?.clone();
        for name in ["time", "place", "w"] {
            if !headers.iter().any(|header| header == name) {
                let problem = format!(
                    "no column \"{name}\": the first line must name the columns, such as time,place,w,post_psh"
                );
                return Err(SeriesError::Line { line: 1, problem });
            }
        }
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(of_csv)? {
            let line = record.position().map_or(0, csv::Position::line);
            let row = record.deserialize(Some(&headers)).map_err(of_csv)?;
            self.take(row, line, window)?;
        }
        Ok(())
    }

    fn read_json(
        &mut self,
        input: impl BufRead,
        window: &mut impl FnMut(&Window<'_>) -> Result<(), String>,
    ) -> Result<(), SeriesError> {
        for (line, text) in (1..).zip(input.lines()) {
            let text = text.map_err(SeriesError::Io)?;
            if text.trim().is_empty() {
                continue;
            }
            let row = serde_json::from_str(&text)
                .map_err(|error| SeriesError::Line { line, problem: format!("not a row: {error}") })?;
            self.take(row, line, window)?;
        }
        Ok(())
    }

    /// Passes on the last window.
    ///
    /// # Errors
    /// Those of `window`.
    pub fn finish(
        &mut self,
        window: &mut impl FnMut(&Window<'_>) -> Result<(), String>,
    ) -> Result<(), SeriesError> {
        self.pass_on(0, window)
    }

    fn take(
        &mut self,
        row: Row,
        line: u64,
        window: &mut impl FnMut(&Window<'_>) -> Result<(), String>,
    ) -> Result<(), SeriesError> {
        let wrong = |problem| SeriesError::Line { line, problem };
        let number = row.time.window().map_err(wrong)?;
        if self.now.number != Some(number) {
            if self.now.number.is_some_and(|last| number < last) {
                return Err(wrong(
                    "its time is before that of the line above: sort the rows by time".to_owned(),
                ));
            }
            self.pass_on(line, window)?;
            self.now.number = Some(number);
        }
        self.rows += 1;
        self.now.add(row).map_err(wrong)
    }

    fn pass_on(
        &mut self,
        line: u64,
        window: &mut impl FnMut(&Window<'_>) -> Result<(), String>,
    ) -> Result<(), SeriesError> {
        let now = std::mem::take(&mut self.now);
        let Some(number) = now.number else { return Ok(()) };
        let mut nodes = vec![ObservedNode { name: "", coverage: 1.0 }; now.nodes.len()];
        for (name, &position) in &now.nodes {
            nodes[position].name = name;
        }
        window(&Window { number, nodes: &nodes, counts: &now.counts })
            .map_err(|problem| SeriesError::Line { line, problem })
    }
}

impl Gathered {
    fn add(&mut self, row: Row) -> Result<(), String> {
        let place: SeriesPlace =
            row.place.parse().map_err(|error: cutshort_detect::UnknownPlace| error.to_string())?;
        let country = match row.country.as_deref() {
            None | Some("") => None,
            Some(code) => Some(country_code(code).map_err(|_| {
                format!("unknown country \"{}\": write two letters, such as IQ", short(code))
            })?),
        };
        let stages = [row.post_syn, row.post_ack, row.post_psh, row.later];
        let sum: f64 = stages.iter().sum();
        if !stages.iter().chain([&row.w]).all(|number| number.is_finite() && *number >= 0.0) {
            return Err("a number is negative".to_owned());
        }
        // Sums of fractions may differ in the last digit.
        if sum > row.w * (1.0 + 1e-9) {
            return Err(format!("post_syn to later are {sum}, more than all connections (w, {})", row.w));
        }
        let next = self.nodes.len();
        let node = *self.nodes.entry(row.node.unwrap_or_default()).or_insert(next);
        let squares = row.w2.unwrap_or(row.w);
        if !(squares.is_finite() && squares >= 0.0) {
            return Err("w2, the sum of the squares of the weights, is negative".to_owned());
        }
        let single = [
            ("post_syn_reset", row.post_syn_reset),
            ("post_syn_scanner", row.post_syn_scanner),
            ("post_syn_port", row.post_syn_port),
        ];
        let is_part = |part: &f64| (0.0..=row.post_syn * (1.0 + 1e-9)).contains(part);
        if let Some((name, _)) = single.iter().find(|(_, part)| part.is_some_and(|part| !is_part(&part))) {
            return Err(format!("{name} is negative, or more than post_syn, of which it is a part"));
        }
        let [reset, scanner, port] = single.map(|(_, part)| part);
        let is_known = reset.is_some() || scanner.is_some() || port.is_some();
        let single = is_known.then(|| SingleSyns {
            reset: reset.unwrap_or(0.0),
            scanner: scanner.unwrap_or(0.0),
            port: port.unwrap_or(0.0),
        });
        let (all, network) = (row.w, row.network);
        self.counts.push(SeriesCounts { place, country, network, node, all, squares, stages, single });
        Ok(())
    }
}

impl Time {
    /// The number of the window that begins at this time.
    fn window(&self) -> Result<i64, String> {
        let wrong = |text: &str| {
            format!("wrong time \"{}\": write seconds since 1970, or 2026-01-05T10:15:00Z", short(text))
        };
        let seconds = match self {
            Self::Seconds(seconds) => *seconds,
            Self::Text(text) => match text.parse() {
                Ok(seconds) => seconds,
                Err(_) => {
                    cutshort_model::parse_rfc3339(text).ok_or_else(|| wrong(text))?.div_euclid(1_000_000_000)
                }
            },
        };
        if seconds.rem_euclid(WINDOW) != 0 {
            return Err("its time is not the beginning of a quarter of an hour: add counts up to 15 minutes"
                .to_owned());
        }
        Ok(seconds / WINDOW)
    }
}

fn short(text: &str) -> String {
    text.chars().take(QUOTED).collect()
}

/// The error of a line of CSV, without the library's words for positions.
fn of_csv(error: csv::Error) -> SeriesError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => SeriesError::Io(error),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            SeriesError::Line { line, problem: format!("{len} columns instead of {expected_len}") }
        }
        csv::ErrorKind::Deserialize { err, .. } => {
            SeriesError::Line { line, problem: format!("not a row: {}", err.kind()) }
        }
        csv::ErrorKind::Utf8 { .. } => SeriesError::Line { line, problem: "not UTF-8".to_owned() },
        _ => SeriesError::Line { line, problem: "not CSV".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window's number, nodes, and places with all their connections.
    type Read = (i64, Vec<String>, Vec<(String, f64)>);

    fn windows(text: &str) -> Result<Vec<Read>, String> {
        let mut windows = Vec::new();
        let mut take = |window: &Window<'_>| {
            let nodes = window.nodes.iter().map(|node| node.name.to_owned()).collect();
            let counts = window.counts.iter().map(|counts| (counts.place.to_string(), counts.all)).collect();
            windows.push((window.number, nodes, counts));
            Ok(())
        };
        let mut reader = Reader::default();
        reader
            .read(text.as_bytes(), &mut take)
            .and_then(|()| reader.finish(&mut take))
            .map_err(|error| error.to_string())?;
        Ok(windows)
    }

    #[test]
    fn csv_and_json_give_the_same_windows() {
        let csv = "time,place,country,node,w,w2,post_syn,post_ack,post_psh,later\n\
                   1767571200,world,,a,40,800,4,1,1,0\n\
                   2026-01-05T00:00:00Z,as:64500,XA,b,20,400,0,0,0,0\n\
                   1767572100,world,,a,20,400,0,0,0,0\n";
        let json = r#"{"time": 1767571200, "place": "world", "node": "a", "w": 40, "w2": 800, "post_syn": 4}
            {"time": "2026-01-05T00:00:00Z", "place": "as:64500", "country": "XA", "node": "b", "w": 20}

            {"time": 1767572100, "place": "world", "node": "a", "w": 20}"#;
        let expected = windows(csv).unwrap();
        assert_eq!(expected.len(), 2);
        assert_eq!(expected[0].0, 1_767_571_200 / 900);
        assert_eq!(expected[0].1, ["a", "b"]);
        assert_eq!(expected[0].2, [("world".to_owned(), 40.0), ("as:64500".to_owned(), 20.0)]);
        assert_eq!(windows(json).unwrap(), expected);
        assert_eq!(windows("").unwrap(), []);
    }

    #[test]
    fn errors_say_where_and_what() {
        let line =
            |row: &str| windows(&format!("time,place,w,post_ack\n900,world,10,1\n{row}\n")).unwrap_err();
        assert_eq!(
            line("0,world,10,1"),
            "line 3: its time is before that of the line above: sort the rows by time"
        );
        assert!(line("1000,world,10,1").starts_with("line 3: its time is not the beginning"));
        assert!(line("soon,world,10,1").starts_with("line 3: wrong time \"soon\": write"));
        assert!(line("900,mars,10,1").starts_with("line 3: unknown place \"mars\": expected world"));
        assert!(line("900,world,1,2").starts_with("line 3: post_syn to later are 2, more than all"));
        assert!(line("900,world,many,2").starts_with("line 3: not a row: "), "{}", line("900,world,many,2"));
        assert_eq!(line("900,world"), "line 3: 2 columns instead of 4");
        assert_eq!(line("900,world,-1,0"), "line 3: a number is negative");
        assert!(windows("a,b\n1,2\n").unwrap_err().starts_with("line 1: no column \"time\""));
        assert!(windows("{\"time\": 1}").unwrap_err().starts_with("line 1: not a row: "));
    }
}
