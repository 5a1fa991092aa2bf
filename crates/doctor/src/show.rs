//! Checks for people and for programs.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use cutshort_model::quantity;
use cutshort_report::wrap;
use serde::Serialize;

use crate::check::{Check, Status};

/// Columns of status and name. Where there is little room they have a line for themselves.
const STATUS: usize = 8;
const NAME: usize = 11;
const NARROW: usize = 50;
const INDENT: usize = 2;

/// Writes a line or some for each check, in colours, and how many are failing. Lines have at most `width` characters, if
/// words allow it.
///
/// # Errors
/// Errors of `output`.
pub fn table(checks: &[Check], width: usize, output: &mut impl Write) -> io::Result<()> {
    let indent = if width < NARROW { INDENT } else { STATUS + NAME };
    for check in checks {
        let style = style(check.status);
        write!(output, "{style}{:STATUS$}{style:#}", check.status.name())?;
        let mut lines = wrap(&check.found, width.saturating_sub(indent)).into_iter();
        if width < NARROW {
            writeln!(output, "{}", check.name)?;
        } else {
            writeln!(output, "{:NAME$}{}", check.name, lines.next().unwrap_or_default())?;
        }
        let fix = check.fix.iter().flat_map(|fix| wrap(&format!("> {fix}"), width.saturating_sub(indent)));
        for line in lines.chain(fix) {
            writeln!(output, "{:indent$}{line}", "")?;
        }
    }
    let last = wrap(&sum(checks), width).join("\n");
    writeln!(output, "\n{last}")
}

fn sum(checks: &[Check]) -> String {
    let count = |status| checks.iter().filter(|check| check.status == status).count() as u64;
    match (count(Status::Failing), count(Status::Warning)) {
        (0, 0) => "All is well.".to_owned(),
        (0, warnings) => format!("Nothing is failing; {}.", quantity(warnings, "warning")),
        (failing, warnings) => {
            format!("{failing} failing, {}. Fix the first one first.", quantity(warnings, "warning"))
        }
    }
}

fn style(status: Status) -> Style {
    let color = match status {
        Status::Ok => AnsiColor::Green,
        Status::Warning => AnsiColor::Yellow,
        Status::Failing => AnsiColor::Red,
    };
    color.on_default()
}

#[derive(Serialize)]
struct All<'a> {
    status: &'static str,
    checks: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    name: &'a str,
    status: &'static str,
    found: &'a str,
    fix: Option<&'a str>,
    /// The former name of `fix`, for one release.
    mend: Option<&'a str>,
}

impl<'a> One<'a> {
    fn of(check: &'a Check) -> Self {
        let Check { status, name, found, fix } = check;
        Self { name, status: status.name(), found, fix: fix.as_deref(), mend: fix.as_deref() }
    }
}

/// Writes one JSON object with all checks.
///
/// # Errors
/// Errors of `output`.
pub fn json(checks: &[Check], output: &mut impl Write) -> io::Result<()> {
    let status = checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok).name();
    let checks = checks.iter().map(One::of).collect();
    serde_json::to_writer_pretty(&mut *output, &All { status, checks })?;
    writeln!(output)
}
