//! Values of settings, from files and from the environment.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{DeValue, Value};

/// A value of a file; none of a kind that no setting has.
pub(super) fn from_file(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            Value::Integer(i64::from_str_radix(&digits, number.radix()).ok()?)
        }
        DeValue::Float(number) => Value::Float(number.as_str().replace('_', "").parse().ok()?),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| from_file(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    })
}

/// A value of the environment: numbers and `true` are what they look like, everything else is text.
pub(super) fn from_text(text: &str) -> Value {
    let number = text.parse().map(Value::Integer).ok();
    let number = number.or_else(|| text.parse().map(Value::Float).ok());
    number.or_else(|| text.parse().map(Value::Boolean).ok()).unwrap_or_else(|| Value::String(text.to_owned()))
}

pub(super) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

pub(super) fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("{value} is neither true nor false"))
}

/// A number that is not negative.
pub(super) fn number(value: &Value) -> Result<u64, String> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| format!("{value} is no whole number from 0 on"))
}

/// A number that is not negative, and that fits into memory.
pub(super) fn size(value: &Value) -> Result<usize, String> {
    usize::try_from(number(value)?).map_err(|_| format!("{value} is too large here"))
}

/// A number that is not negative, whole or not.
pub(super) fn rate(value: &Value) -> Result<f64, String> {
    let number = value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("{value} is no number from 0 on"))
}

/// A list of texts; one text has its items between commas.
pub(super) fn list(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => items.iter().map(|item| text(item).map(str::to_owned)).collect(),
        Value::String(text) => {
            Ok(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
        }
        _ => Err(format!("{value} is no list of texts")),
    }
}

/// What has a form of its own, written as text.
pub(super) fn parsed<T: FromStr<Err: Display>>(value: &Value) -> Result<T, String> {
    text(value)?.parse().map_err(|why| format!("{value}: {why}"))
}

/// A list of these; numbers need no quotes.
pub(super) fn parsed_list<T: FromStr<Err: Display>>(value: &Value) -> Result<Vec<T>, String> {
    let plain = |item: &Value| {
        item.as_integer().map_or_else(|| text(item).map(str::to_owned), |number| Ok(number.to_string()))
    };
    let items = match value {
        Value::Array(items) => items.iter().map(plain).collect::<Result<_, _>>()?,
        Value::Integer(number) => vec![number.to_string()],
        value => list(value)?,
    };
    items.iter().map(|item| item.parse().map_err(|why| format!("'{item}': {why}"))).collect()
}

pub(super) fn path(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from)
}

pub(super) fn path_of(path: &Path) -> Value {
    Value::String(path.display().to_string())
}

/// A number in TOML; what is too large for it is as large as it can be.
pub(super) fn integer(number: impl TryInto<i64>) -> Value {
    Value::Integer(number.try_into().unwrap_or(i64::MAX))
}

pub(super) fn texts<T: ToString>(items: &[T]) -> Value {
    Value::Array(items.iter().map(|item| Value::String(item.to_string())).collect())
}
