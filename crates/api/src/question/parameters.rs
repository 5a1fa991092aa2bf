use crate::problem::Problem;

/// The parameters of a request, in order; a key may occur several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

/// The maximum number of parameters.
const MOST: usize = 500;

impl Parameters {
    /// Parses a query string without its `?`. `name[]` and `name[0]`, as some clients write lists, are the same as
    /// `name`.
    ///
    /// # Errors
    /// A [`Problem`] if there are too many.
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).take(MOST + 1).collect();
        if pairs.len() > MOST {
            return Err(Problem::bad_input(format!("more than {MOST} parameters are not read")));
        }
        let mut pairs: Vec<_> = pairs
            .into_iter()
            .map(|(key, value)| {
                let (name, position) = name(&key);
                (position, (name.to_owned(), value.into_owned()))
            })
            .collect();
        pairs.sort_by_key(|(position, _)| *position);
        Ok(Self(pairs.into_iter().map(|(_, pair)| pair).collect()))
    }

    /// The number of values of a key, empty ones included.
    #[must_use]
    pub fn count(&self, key: &str) -> usize {
        self.all(key).count()
    }

    /// The value of a key for the series at a position; none if it is empty or missing.
    #[must_use]
    pub fn at(&self, key: &str, position: usize) -> Option<&str> {
        self.all(key).nth(position).filter(|value| !value.is_empty())
    }

    /// The value of a key that can have only one.
    ///
    /// # Errors
    /// A [`Problem`] if it has several different values.
    pub fn one(&self, key: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.all(key).filter(|value| !value.is_empty());
        let first = values.next();
        match values.find(|other| Some(*other) != first) {
            Some(_) => Err(Problem::bad_input(format!("{key}: give it once, it holds for all series"))),
            None => Ok(first),
        }
    }

    /// A copy with other values of a key.
    #[must_use]
    pub fn with<'a>(&self, key: &str, values: impl Iterator<Item = &'a str>) -> Self {
        let others = self.0.iter().filter(|(own, _)| own != key).cloned();
        Self(others.chain(values.map(|value| (key.to_owned(), value.to_owned()))).collect())
    }

    /// The keys that are not among the known ones, each once.
    #[must_use]
    pub fn unknown(&self, known: &[&str]) -> Vec<&str> {
        let mut unknown: Vec<&str> =
            self.0.iter().map(|(key, _)| key.as_str()).filter(|key| !known.contains(key)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// All values of a key, trimmed.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == key).map(|(_, value)| value.trim())
    }
}

/// A key without the brackets of a list, and its index; 0 without one.
fn name(key: &str) -> (&str, u32) {
    let bracket = key.strip_suffix(']').and_then(|key| key.rsplit_once('['));
    match bracket {
        Some((name, "")) if !name.is_empty() => (name, 0),
        Some((name, position)) if !name.is_empty() && position.bytes().all(|byte| byte.is_ascii_digit()) => {
            (name, position.parse().unwrap_or(u32::MAX))
        }
        _ => (key, 0),
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}
