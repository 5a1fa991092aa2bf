//! Conditions that select rows, with bound parameters.

use clickhouse::query::Query;
use cutshort_geo::Country;
use cutshort_store::{Choice, Selection};
use cutshort_verdict::{Tag, Tags};

/// The value of a parameter.
#[derive(Clone, Debug)]
enum Parameter {
    Number(i64),
    Numbers(Vec<u64>),
    Text(String),
    Texts(Vec<String>),
}

/// The maximum number of generations in one query: ClickHouse accepts no parameter larger than 128 KiB, and a
/// generation has 21 bytes.
pub(crate) const GENERATIONS: usize = 4_000;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    conditions: Vec<String>,
    parameters: Vec<(String, Parameter)>,
}

impl Filter {
    /// Adds a condition without a parameter.
    pub(crate) fn add(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    fn name(&mut self, value: Parameter) -> String {
        let name = format!("p{}", self.parameters.len());
        self.parameters.push((name.clone(), value));
        name
    }

    /// Adds a parameter and returns how it is written in a condition.
    pub(crate) fn number(&mut self, number: i64) -> String {
        let name = self.name(Parameter::Number(number));
        format!("{{{name}:Int64}}")
    }

    pub(crate) fn numbers(&mut self, numbers: Vec<u64>) -> String {
        let name = self.name(Parameter::Numbers(numbers));
        format!("{{{name}:Array(UInt64)}}")
    }

    pub(crate) fn texts(&mut self, texts: Vec<String>) -> String {
        let name = self.name(Parameter::Texts(texts));
        format!("{{{name}:Array(String)}}")
    }

    pub(crate) fn address(&mut self, address: std::net::Ipv6Addr) -> String {
        let name = self.name(Parameter::Text(address.to_string()));
        format!("{{{name}:IPv6}}")
    }

    /// Adds a time in nanoseconds as a parameter.
    pub(crate) fn time(&mut self, t: i64) -> String {
        let number = self.number(t);
        format!("fromUnixTimestamp64Nano({number}, 'UTC')")
    }

    /// Requires that a column has one of the generations of a range of time; at most [`GENERATIONS`].
    pub(crate) fn generations(&mut self, column: &str, times: (i64, i64), generations: Vec<u64>) {
        let (first, last) = (self.time(times.0), self.time(times.1));
        let generations = self.numbers(generations);
        self.add(format!("{column} >= {first} AND {column} <= {last} AND generation IN {generations}"));
    }

    fn choice(&mut self, column: &str, include: Vec<u64>, exclude: Vec<u64>) {
        if !include.is_empty() {
            let list = self.numbers(include);
            self.add(format!("{column} IN {list}"));
        }
        if !exclude.is_empty() {
            let list = self.numbers(exclude);
            self.add(format!("{column} NOT IN {list}"));
        }
    }

    /// Restricts the client's place, by the column `location`.
    pub(crate) fn locations(&mut self, selection: &Selection) {
        if selection.locations.is_all() && selection.continents.is_all() {
            return;
        }
        let all = std::iter::once(None).chain(Country::all().map(Some));
        let selected = all.filter(|location| selection.has_location(*location));
        let names =
            selected.map(|location| location.map_or("", |country| country.alpha2()).to_owned()).collect();
        let list = self.texts(names);
        self.add(format!("location IN {list}"));
    }

    pub(crate) fn numbered<T: Copy + Into<u64>>(&mut self, column: &str, choice: &Choice<T>) {
        let numbers = |list: &[T]| list.iter().map(|number| (*number).into()).collect();
        self.choice(column, numbers(&choice.include), numbers(&choice.exclude));
    }

    pub(crate) fn nodes(&mut self, nodes: &Choice<String>) {
        for (word, list) in [("IN", &nodes.include), ("NOT IN", &nodes.exclude)] {
            if !list.is_empty() {
                let list = self.texts(list.clone());
                self.add(format!("node {word} {list}"));
            }
        }
    }

    /// Restricts what only a verdict has: tags, signature, and progress.
    pub(crate) fn verdict(&mut self, selection: &Selection, completed: &str) {
        let bits = |tags: &[Tag]| i64::from(tags.iter().copied().collect::<Tags>().bits());
        if !selection.tags.include.is_empty() {
            let mask = self.number(bits(&selection.tags.include));
            self.add(format!("bitAnd(tags, {mask}) != 0"));
        }
        if !selection.tags.exclude.is_empty() {
            let mask = self.number(bits(&selection.tags.exclude));
            self.add(format!("bitAnd(tags, {mask}) = 0"));
        }
        if let Some(answered) = selection.answered {
            let mask = self.number(i64::from(Tag::Answered.bit()));
            self.add(format!("(bitAnd(tags, {mask}) != 0) = {}", u8::from(answered)));
        }
        if let Some(any) = selection.scanner {
            let mask = self.number(i64::from(any.tags.bits()));
            self.add(format!("(bitAnd(tags, {mask}) != 0) = {}", u8::from(any.wanted)));
        }
        let ids = |list: &[cutshort_verdict::Signature]| {
            list.iter().map(|signature| u64::from(signature.id())).collect()
        };
        self.choice("signature_id", ids(&selection.signatures.include), ids(&selection.signatures.exclude));
        if selection.completed {
            self.add(completed);
        }
    }

    /// Requires this condition, or all those that `build` adds.
    pub(crate) fn any(&mut self, condition: &str, build: impl FnOnce(&mut Self)) {
        let before = self.conditions.len();
        build(self);
        let added = self.conditions.split_off(before);
        if !added.is_empty() {
            self.add(format!("({condition} OR ({}))", added.join(" AND ")));
        }
    }

    /// The text after WHERE.
    pub(crate) fn sql(&self) -> String {
        self.conditions.join("\n  AND ")
    }

    /// Binds the parameters.
    pub(crate) fn bind(&self, query: Query) -> Query {
        self.parameters.iter().fold(query, |query, (name, value)| match value {
            Parameter::Number(number) => query.param(name, number),
            Parameter::Numbers(numbers) => query.param(name, numbers),
            Parameter::Text(text) => query.param(name, text),
            Parameter::Texts(texts) => query.param(name, texts),
        })
    }
}
