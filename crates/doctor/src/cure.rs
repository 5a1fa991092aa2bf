//! Commands that load rules again: with all that is loaded, but for what they change.

use cutshort_capture::rules::Loaded;
use cutshort_capture::{LiveSets, LiveSource};

use crate::seen::Seen;

/// Where the Debian package's unit has its options.
const RULES_ENV: &str = "/etc/cutshort/rules.env";
/// The most connections that rules can remember.
const LARGEST: u64 = 1 << 24;

/// Loads the rules with these options instead of what is loaded: `("--rate", "N")`, or `("--forwarded", "")`.
pub(crate) fn apply(seen: &Seen, changes: &[(&str, &str)]) -> String {
    let Some(options) = options(seen) else { return first(seen, changes) };
    let options = changes.iter().fold(options, |options, (option, value)| with(&options, option, value));
    if seen.is_unit {
        return format!("systemctl reload cutshort-rules, after CUTSHORT_RULES={options} in {RULES_ENV}");
    }
    format!("cutshort rules apply {options}")
}

/// The same for one table's rules, whatever else is loaded.
pub(crate) fn apply_again(table: &Loaded, changes: &[(&str, &str)]) -> String {
    let Some(options) = &table.options else {
        let flag = if table.data_set() == LiveSets::QUIC { "--quic" } else { "--origin" };
        return format!("cutshort rules apply {flag} (and the same options as before)");
    };
    let options =
        changes.iter().fold(options.clone(), |options, (option, value)| with(&options, option, value));
    format!("cutshort rules apply {options}")
}

/// With room for more connections than a table has.
pub(crate) fn apply_larger(table: &Loaded, apply: impl Fn(&[(&str, &str)]) -> String) -> String {
    let size = table.options.as_ref().and_then(|options| value(options, "--size")?.parse::<u64>().ok());
    let size = size.map_or(1_000_000, |size| (2 * size).clamp(1_000_000, LARGEST));
    apply(&[("--size", &size.to_string())])
}

/// Whether what is loaded has this option.
pub(crate) fn has(seen: &Seen, option: &str) -> bool {
    names(options(seen).as_deref(), option)
}

/// Whether options have this one.
pub(crate) fn names(options: Option<&str>, option: &str) -> bool {
    options.is_some_and(|options| options.split(' ').any(|word| word == option))
}

/// Whether rules are for TCP connections of clients.
fn is_usual(table: &Loaded) -> bool {
    table.data_set() == LiveSets::TCP
}

/// What is loaded by rules of older versions is not known in full.
fn first(seen: &Seen, changes: &[(&str, &str)]) -> String {
    let is_loaded = seen
        .rules
        .as_ref()
        .is_none_or(|(tables, chains)| !chains.shown.is_empty() || tables.iter().any(is_usual));
    let same = if is_loaded { " (and the same options as before)" } else { "" };
    if seen.is_unit && changes.iter().all(|(option, _)| *option == "--group") {
        return format!("systemctl restart cutshort-rules (its options are in {RULES_ENV})");
    }
    let changes =
        changes.iter().fold(String::new(), |options, (option, value)| with(&options, option, value));
    if seen.is_unit {
        return format!("systemctl reload cutshort-rules, after {changes} in {RULES_ENV}{same}");
    }
    format!("cutshort rules apply {changes}").trim_end().to_owned() + same
}

/// The options of the rules that log to the source's group, else of others.
fn options(seen: &Seen) -> Option<String> {
    let (tables, chains) = seen.rules.as_ref()?;
    let group = group(seen);
    let of = |table: &&Loaded| is_usual(table) && (group.is_none() || table.group() == group);
    let table = tables.iter().find(of).or_else(|| tables.iter().find(|table| is_usual(table)));
    table.map_or_else(|| chains.options.clone(), |table| table.options.clone())
}

/// The group of the netfilter log, if packets come from there.
pub(crate) fn group(seen: &Seen) -> Option<u16> {
    match seen.source {
        Some(LiveSource::Nflog(groups)) => Some(groups.first()),
        _ => None,
    }
}

fn value<'a>(options: &'a str, option: &str) -> Option<&'a str> {
    options.split(' ').skip_while(|word| *word != option).nth(1)
}

/// Options with this one, in place of another value of it. Values have no spaces.
fn with(options: &str, option: &str, value: &str) -> String {
    let mut words: Vec<&str> = options.split_whitespace().collect();
    match words.iter().position(|word| *word == option) {
        Some(at) if !value.is_empty() && at + 1 < words.len() => words[at + 1] = value,
        Some(_) => {}
        None => words.extend([option, value].iter().filter(|word| !word.is_empty())),
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_option_changes_and_the_others_stay() {
        let options = "--rate 100 --ports 80,443 --interfaces 'eth*'";
        assert_eq!(with(options, "--rate", "N"), "--rate N --ports 80,443 --interfaces 'eth*'");
        assert_eq!(with("--rate 100", "--size", "5"), "--rate 100 --size 5");
        assert_eq!(with("--forwarded --rate 100", "--forwarded", ""), "--forwarded --rate 100");
        assert_eq!(with("", "--forwarded", ""), "--forwarded");
        assert_eq!(value(options, "--ports"), Some("80,443"));
        assert_eq!(value(options, "--size"), None);
    }
}
