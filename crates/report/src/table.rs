//! Tables for a terminal.

use std::io::{self, Write};

use crate::text::{DIM, columns, fit, padded};

/// Columns with headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The first column of numbers, which are aligned to the right.
    numbers_from: usize,
}

/// The number of spaces between two columns.
const GAP: usize = 2;
/// The minimum width of a column of text.
const MIN_TEXT: usize = 16;

impl Table {
    /// A table of text columns; narrow terminals cut the last one.
    #[must_use]
    pub fn of_texts(head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { head: head.iter().map(|&name| name.to_owned()).collect(), rows, numbers_from: head.len() }
    }

    /// A table of a text column followed by columns of numbers; narrow terminals omit the last one.
    #[must_use]
    pub fn of_numbers(head: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        Self { head, rows, numbers_from: 1 }
    }

    /// Writes the table in at most `width` columns, with ANSI colours.
    pub fn write(&self, width: usize, mut output: impl Write) -> io::Result<()> {
        let widths = self.widths(width);
        let head = self.line(&self.head, &widths);
        writeln!(output, "{DIM}{head}{DIM:#}")?;
        self.rows.iter().try_for_each(|row| writeln!(output, "{}", self.line(row, &widths)))
    }

    /// The widths of the columns that are shown.
    fn widths(&self, width: usize) -> Vec<usize> {
        let longest = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).chain(self.head.get(at));
            cells.map(|cell| columns(cell)).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.head.len()).map(longest).collect();
        let text = self.numbers_from.saturating_sub(1).min(widths.len().saturating_sub(1));
        let longest_text = widths.get(text).copied().unwrap_or(0);
        let others = |widths: &[usize]| {
            widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1) - longest_text
        };
        while others(&widths) + longest_text.min(MIN_TEXT) > width && widths.len() > text + 1 {
            widths.pop();
        }
        let room = width.saturating_sub(others(&widths)).max(MIN_TEXT);
        if let Some(width) = widths.get_mut(text) {
            *width = longest_text.min(room);
        }
        widths
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cell = |(at, width): (usize, &usize)| {
            let text = cells.get(at).map_or("", String::as_str);
            if at < self.numbers_from {
                padded(text, *width)
            } else {
                format!("{:>width$}", fit(text, *width))
            }
        };
        let cells: Vec<String> = widths.iter().enumerate().map(cell).collect();
        cells.join(&" ".repeat(GAP)).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(table: &Table, width: usize) -> String {
        let mut text = Vec::new();
        table.write(width, &mut text).unwrap();
        String::from_utf8(text).unwrap().replace("\u{1b}[2m", "").replace("\u{1b}[0m", "")
    }

    #[test]
    fn narrow_terminals_cut_the_last_text() {
        let table = Table::of_texts(&["a", "text"], vec![vec!["1".into(), "a long text about it".into()]]);
        assert_eq!(written(&table, 80), "a  text\n1  a long text about it\n");
        assert_eq!(written(&table, 18), "a  text\n1  a long text abo…\n");
        assert_eq!(written(&table, 3), "a  text\n1  a long text abo…\n", "no narrower than it can be read");
    }

    #[test]
    fn narrow_terminals_lose_the_last_numbers() {
        let head = ["name", "share", "count"].map(str::to_owned).to_vec();
        let rows = vec![vec!["Post-SYN and more".to_owned(), "1.0 %".to_owned(), "12,345".to_owned()]];
        let table = Table::of_numbers(head, rows);
        assert_eq!(
            written(&table, 80),
            "name               share   count\nPost-SYN and more  1.0 %  12,345\n"
        );
        assert_eq!(written(&table, 31), "name              share   count\nPost-SYN and mo…  1.0 %  12,345\n");
        assert_eq!(written(&table, 24), "name               share\nPost-SYN and more  1.0 %\n");
        assert_eq!(written(&table, 10), "name\nPost-SYN and mo…\n");
    }
}
