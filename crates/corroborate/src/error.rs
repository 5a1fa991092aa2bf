use std::fmt;

/// How much of a wrong value an error repeats.
const QUOTED: usize = 40;

/// Why a file cannot be read. The text says in which line, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    at: String,
    problem: String,
}

impl ReadError {
    /// An error of a whole file.
    pub(crate) fn file(problem: impl Into<String>) -> Self {
        Self { at: String::new(), problem: problem.into() }
    }

    /// An error of a field in a line, counted from 1.
    pub(crate) fn field(line: u64, field: &str, problem: impl fmt::Display) -> Self {
        Self { at: format!("line {line}, field \"{field}\": "), problem: problem.to_string() }
    }

    /// An error of a line.
    pub(crate) fn line(line: u64, problem: impl Into<String>) -> Self {
        Self { at: format!("line {line}: "), problem: problem.into() }
    }

    /// An error of one of the items of a list, counted from 1, for those whose line is not known.
    pub(crate) fn item(list: &str, number: usize, problem: impl fmt::Display) -> Self {
        Self { at: format!("\"{list}\", item {number}: "), problem: problem.to_string() }
    }

    /// An error of JSON. The field is that before the place at which reading stopped; `above` are lines before the text.
    pub(crate) fn json(error: &serde_json::Error, text: &str, above: u64) -> Self {
        let told = error.to_string();
        let problem = told.rsplit_once(" at line ").map_or(told.as_str(), |(problem, _)| problem);
        let line = above + error.line() as u64;
        match key_before(text, error.line(), error.column()) {
            Some(field) if !problem.starts_with("missing field") && error.is_data() => {
                Self::field(line, field, problem)
            }
            _ => Self::line(line, problem.replace('`', "\"")),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.at, self.problem)
    }
}

impl std::error::Error for ReadError {}

/// The beginning of a value, for an error.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("\"{short}\"")
}

/// The last key before a line and column (both from 1, the column in bytes) of a JSON text.
fn key_before(text: &str, line: usize, column: usize) -> Option<&str> {
    let start = match line {
        0 | 1 => 0,
        _ => text.match_indices('\n').nth(line - 2)?.0 + 1,
    };
    let mut before = text.get(..(start + column).min(text.len()))?;
    // A key is a string before a colon.
    while let Some(colon) = before.rfind("\":") {
        let key = before[..colon].rsplit_once('"').map(|(_, key)| key);
        if key.is_some_and(|key| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_')) {
            return key;
        }
        before = &before[..colon];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_the_last_key() {
        let text = "{\n \"a\": [\n  {\"time\": \"12:30\",\n   \"x\": 1}]}";
        assert_eq!(key_before(text, 3, 18), Some("time"));
        assert_eq!(key_before(text, 4, 9), Some("x"));
        assert_eq!(key_before(text, 1, 1), None);
    }
}
