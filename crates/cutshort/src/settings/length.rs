//! Lengths of time, such as `30s`, `7d` or `forever`.

use std::time::Duration;

use toml::Value;

use super::value::text;
use crate::options::time::length;

const FOREVER: &str = "forever";

/// A length of time.
pub(super) fn read(value: &Value) -> Result<Duration, String> {
    let wrong =
        || format!("{value} is no length of time, such as \"30s\", \"15m\", \"36h\", \"7d\" or \"4w\"");
    let length = text(value).ok().and_then(length).ok_or_else(wrong)?;
    Duration::try_from(length).map_err(|_| wrong())
}

/// A length of time, or none for ever.
pub(super) fn read_or_forever(value: &Value) -> Result<Option<Duration>, String> {
    match value.as_str() {
        Some(FOREVER) => Ok(None),
        _ => read(value).map(Some).map_err(|why| format!("{why}, or \"{FOREVER}\"")),
    }
}

pub(super) fn write(length: Duration) -> Value {
    const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    let seconds = length.as_secs();
    let fits = |(unit, _): &&(u64, char)| seconds >= *unit && seconds.is_multiple_of(*unit);
    let (unit, letter) = UNITS.iter().find(fits).unwrap_or(&(1, 's'));
    Value::String(format!("{}{letter}", seconds / unit))
}

pub(super) fn write_or_forever(length: Option<Duration>) -> Value {
    length.map_or_else(|| Value::String(FOREVER.to_owned()), write)
}
