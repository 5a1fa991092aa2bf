//! The kinds of values that settings have: how they are read from TOML or the environment, and how they are written.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use cutshort_api::MetricPlace;
use cutshort_model::ServerName;
use ipnet::IpNet;
use toml::Value;
use toml::de::DeValue;

use crate::length::length;
use crate::values;

/// How the values of a setting are read and written.
pub(crate) struct Kind<T> {
    /// Reads a value; the error says what is wrong with it.
    pub(crate) read: fn(&Value) -> Result<T, String>,
    /// Writes a value; none if it is not set.
    pub(crate) write: fn(&T) -> Option<Value>,
}

/// Whether something is on.
pub(crate) const FLAG: Kind<bool> = Kind {
    read: |value| value.as_bool().ok_or_else(|| format!("{value} is neither true nor false")),
    write: |flag| Some(Value::Boolean(*flag)),
};

/// A whole number that is not negative.
pub(crate) const NUMBER: Kind<u64> = Kind { read: number, write: integer };

/// A whole number that is not negative, and that fits into memory.
pub(crate) const SIZE: Kind<usize> = Kind {
    read: |value| usize::try_from(number(value)?).map_err(|_| format!("{value} is too large here")),
    write: integer,
};

/// A number that is not negative, whole or not.
pub(crate) const RATE: Kind<f64> = Kind { read: rate, write: |rate| Some(Value::Float(*rate)) };

/// A text as it is.
pub(crate) const TEXT: Kind<String> = text_form();

/// A list of texts.
pub(crate) const TEXTS: Kind<Vec<String>> = Kind { read: list, write: |list| Some(texts(list)) };

/// A file or folder.
pub(crate) const PATH: Kind<Option<PathBuf>> = Kind {
    read: |value| text(value).map(|path| Some(PathBuf::from(path))),
    write: |path| path.as_ref().map(|path| Value::String(path.display().to_string())),
};

/// A list of files.
pub(crate) const PATHS: Kind<Vec<PathBuf>> = Kind {
    read: |value| Ok(list(value)?.into_iter().map(PathBuf::from).collect()),
    write: |paths| Some(texts(&paths.iter().map(|path| path.display()).collect::<Vec<_>>())),
};

/// A length of time, such as `30s` or `7d`.
pub(crate) const LENGTH: Kind<Duration> =
    Kind { read: read_length, write: |length| Some(write_length(*length)) };

/// A length of time, or none for `forever`.
pub(crate) const LENGTH_OR_FOREVER: Kind<Option<Duration>> = Kind {
    read: |value| match value.as_str() {
        Some(FOREVER) => Ok(None),
        _ => read_length(value).map(Some).map_err(|why| format!("{why}, or \"{FOREVER}\"")),
    },
    write: |length| Some(length.map_or_else(|| Value::String(FOREVER.to_owned()), write_length)),
};

/// An address to listen on.
pub(crate) const LISTEN: Kind<SocketAddr> = Kind { read: listen, ..text_form() };

/// An address to listen on, if any.
pub(crate) const LISTEN_IF_SET: Kind<Option<SocketAddr>> =
    Kind { read: |value| listen(value).map(Some), ..text_form_if_set() };

/// A list of ports.
pub(crate) const PORTS: Kind<Vec<u16>> =
    Kind { read: |value| items(value, values::port), write: |ports| Some(texts(ports)) };

/// A list of networks.
pub(crate) const NETWORKS: Kind<Vec<IpNet>> =
    Kind { read: |value| items(value, cutshort_model::parse_net), write: |networks| Some(texts(networks)) };

/// The address of a page, to which paths are added.
pub(crate) const PUBLIC_URL: Kind<Option<String>> =
    Kind { read: |value| values::public_url(text(value)?).map(Some), ..text_form_if_set() };

/// A list of names of servers.
pub(crate) const SERVER_NAMES: Kind<Vec<ServerName>> =
    Kind { read: |value| items(value, str::parse), write: |names| Some(texts(names)) };

pub(crate) const METRIC_PLACES: Kind<Vec<MetricPlace>> =
    Kind { read: |value| items(value, str::parse), write: |places| Some(texts(places)) };

/// A value that has a form of its own, written as text.
pub(crate) const fn text_form<T: FromStr<Err: Display> + ToString>() -> Kind<T> {
    Kind { read: parse, write: |value| Some(Value::String(value.to_string())) }
}

/// The same, or nothing where it is not set.
pub(crate) const fn text_form_if_set<T: FromStr<Err: Display> + ToString>() -> Kind<Option<T>> {
    Kind {
        read: |value| parse(value).map(Some),
        write: |value| value.as_ref().map(|value| Value::String(value.to_string())),
    }
}

const FOREVER: &str = "forever";

/// A value of a file; none of a kind that no setting has.
pub(crate) fn from_file(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let digits = number.as_str().replace('_', "");
            Value::Integer(i64::from_str_radix(&digits, number.radix()).ok()?)
        }
        DeValue::Float(number) => Value::Float(number.as_str().replace('_', "").parse().ok()?),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| from_list(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => return None,
    })
}

/// An item of a list, which may be a table.
fn from_list(value: &DeValue<'_>) -> Option<Value> {
    let DeValue::Table(table) = value else { return from_file(value) };
    let fields =
        table.iter().map(|(key, value)| Some((key.get_ref().to_string(), from_file(value.get_ref())?)));
    Some(Value::Table(fields.collect::<Option<_>>()?))
}

/// A value of the environment: numbers and `true` are what they look like, everything else is text.
pub(crate) fn from_text(text: &str) -> Value {
    let number = text.parse().map(Value::Integer).ok();
    let number = number.or_else(|| text.parse().map(Value::Float).ok());
    number.or_else(|| text.parse().map(Value::Boolean).ok()).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// The text of a value.
pub(crate) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}

/// A whole number that is not negative.
pub(crate) fn number(value: &Value) -> Result<u64, String> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| format!("{value} is no whole number from 0 on"))
}

/// A number that is not negative, whole or not.
pub(crate) fn rate(value: &Value) -> Result<f64, String> {
    let number = value.as_float().or_else(|| value.as_integer().map(|number| number as f64));
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("{value} is no number from 0 on"))
}

/// A list of texts; one text has its items between commas.
fn list(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => items.iter().map(|item| text(item).map(str::to_owned)).collect(),
        Value::String(text) => {
            Ok(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
        }
        _ => Err(format!("{value} is no list of texts")),
    }
}

fn parse<T: FromStr<Err: Display>>(value: &Value) -> Result<T, String> {
    text(value)?.parse().map_err(|why| format!("{value}: {why}"))
}

/// A list of what has a form of its own; numbers need no quotes.
fn items<T>(value: &Value, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let plain = |item: &Value| {
        item.as_integer().map_or_else(|| text(item).map(str::to_owned), |number| Ok(number.to_string()))
    };
    let items = match value {
        Value::Array(items) => items.iter().map(plain).collect::<Result<_, _>>()?,
        Value::Integer(number) => vec![number.to_string()],
        value => list(value)?,
    };
    items.iter().map(|item| parse(item).map_err(|why| format!("'{item}': {why}"))).collect()
}

fn listen(value: &Value) -> Result<SocketAddr, String> {
    let wrong = || format!("{value} is no address with a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"");
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)
}

/// A length of time.
pub(crate) fn read_length(value: &Value) -> Result<Duration, String> {
    let wrong =
        || format!("{value} is no length of time, such as \"30s\", \"15m\", \"36h\", \"7d\" or \"4w\"");
    text(value).ok().and_then(length).ok_or_else(wrong)
}

pub(crate) fn write_length(length: Duration) -> Value {
    const UNITS: [(u64, char); 4] = [(86_400, 'd'), (3600, 'h'), (60, 'm'), (1, 's')];
    let seconds = length.as_secs();
    let fits = |(unit, _): &&(u64, char)| seconds >= *unit && seconds.is_multiple_of(*unit);
    let (unit, letter) = UNITS.iter().find(fits).unwrap_or(&(1, 's'));
    Value::String(format!("{}{letter}", seconds / unit))
}

/// A number in TOML; what is too large for it is as large as it can be.
pub(crate) fn integer<T: Copy + TryInto<i64>>(number: &T) -> Option<Value> {
    Some(Value::Integer((*number).try_into().unwrap_or(i64::MAX)))
}

fn texts<T: ToString>(items: &[T]) -> Value {
    Value::Array(items.iter().map(|item| Value::String(item.to_string())).collect())
}
