//! Numbers and words for a terminal.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();

/// How wide lines of text and tables may be, in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Lines of text.
    pub text: usize,
    /// Tables with names, which are cut only where they would be wider.
    pub tables: usize,
}

impl From<usize> for Widths {
    fn from(width: usize) -> Self {
        Self { text: width, tables: width }
    }
}

/// Writes text in lines of at most `width` columns, all of one style.
pub(crate) fn paragraph(output: &mut impl Write, style: Style, text: &str, width: usize) -> io::Result<()> {
    wrap(text, width).iter().try_for_each(|line| writeln!(output, "{style}{line}{style:#}"))
}

/// Writes an additional remark.
pub fn write_note(note: &str, width: usize, mut output: impl Write) -> io::Result<()> {
    paragraph(&mut output, anstyle::AnsiColor::Yellow.on_default(), note, width)
}

/// Writes a share from 0 to 1 as `12.3 %`; a share above 0 is never shown as 0.0.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.05 { "<0.1 %".to_owned() } else { format!("{percent:.1} %") }
}

/// A bar of blocks, in eighths of a column; a share above 0 always has at least one.
pub(crate) fn bar(share: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// The width of a text in columns.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// Whether a character is harmless: names come from files and must neither control the terminal nor change the
/// direction of writing.
fn is_plain(letter: char) -> bool {
    const FORMATS: [std::ops::RangeInclusive<char>; 4] =
        ['\u{200b}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{feff}'..='\u{feff}'];
    !letter.is_control() && !FORMATS.iter().any(|range| range.contains(&letter))
}

/// Cuts a text to `width` columns with an ellipsis, and removes characters that are not [plain](is_plain).
pub(crate) fn fit(text: &str, width: usize) -> String {
    let clean: String = text.chars().filter(|letter| is_plain(*letter)).collect();
    if columns(&clean) <= width {
        return clean;
    }
    let mut left = width.saturating_sub(1);
    let fitting = clean.chars().take_while(|letter| {
        let columns = letter.width().unwrap_or(0);
        let fits = columns <= left;
        left = left.saturating_sub(columns);
        fits
    });
    fitting.chain(['…']).collect()
}

/// Does the same as [`fit`], and pads with spaces.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let fill = width - columns(&text).min(width);
    format!("{text}{:fill$}", "")
}

/// Breaks text into lines of at most `width` columns, at spaces, and inside words that are longer than a line.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for piece in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        let line = lines.last().map_or(0, |line| columns(line));
        if line > 0 && line + 1 + columns(&piece) > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&piece);
        }
    }
    lines
}

/// Splits a word into parts that fit a line, after a comma if there is one.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let (mut rest, mut pieces) = (word.to_owned(), Vec::new());
    while columns(&rest) > width {
        let most = rest.char_indices().nth(width).map_or(rest.len(), |(at, _)| at);
        let at = rest[..most].rfind(',').map_or(most, |comma| comma + 1);
        let tail = rest.split_off(at);
        pieces.push(std::mem::replace(&mut rest, tail));
    }
    pieces.push(rest);
    pieces
}

/// Lines of `text`, indented below a `head` in the first line.
pub(crate) fn hanging(head: &str, text: &str, width: usize) -> Vec<String> {
    let indent = columns(head);
    let lines = wrap(text, width.saturating_sub(indent)).into_iter().enumerate();
    lines
        .map(|(at, line)| if at == 0 { format!("{head}{line}") } else { format!("{:indent$}{line}", "") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_do_not_vanish() {
        assert_eq!([0.0, 0.0004, 0.1234, 1.0].map(percent), ["0.0 %", "<0.1 %", "12.3 %", "100.0 %"]);
        assert_eq!(bar(0.0001, 20), "▏");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.0, 4), "");
    }

    #[test]
    fn text_fits_and_does_not_steer_the_terminal() {
        assert_eq!(fit("Télécom\u{1b}[31m SA", 40), "Télécom[31m SA");
        assert_eq!(fit("\u{202e}abc", 40), "abc");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("中国电信", 6), "中国…");
        assert_eq!(padded("中", 4), "中  ");
    }

    #[test]
    fn lines_break_at_spaces_and_in_long_words() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("a=1,2,3,4 x", 5), ["a=1,", "2,3,4", "x"]);
        assert_eq!(wrap("abcdefg", 3), ["abc", "def", "g"]);
        assert_eq!(hanging("- ", "aa bb", 5), ["- aa", "  bb"]);
    }
}
