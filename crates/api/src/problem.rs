//! Problems with requests, with the codes of Radar's API.

use cutshort_store::StoreError;

/// The reason why a request failed: HTTP status, Radar's code, and a message that says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The code in the body.
    pub code: u32,
    /// What is wrong and what to do.
    pub message: String,
    /// The number of seconds after which to try again.
    pub retry_after: Option<u32>,
}

impl Problem {
    fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: shortened(message.into()), retry_after: None }
    }

    /// 2001: a parameter is invalid. The message names it and what is allowed.
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self::new(400, 2001, message)
    }

    /// 2002: the answer would cost too much.
    pub fn too_costly(message: impl Into<String>) -> Self {
        Self::new(422, 2002, message)
    }

    /// 2004: there is no data, but a share is needed.
    pub fn no_data(message: impl Into<String>) -> Self {
        Self::new(404, 2004, message)
    }

    /// 2000: an internal error.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(500, 2000, message)
    }

    /// 2003: the store is not available now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self { retry_after: Some(5), ..Self::new(503, 2003, message) }
    }

    /// 2003: there is no room for the segment that was sent.
    pub fn full(message: impl Into<String>) -> Self {
        Self { retry_after: Some(60), ..Self::new(507, 2003, message) }
    }

    /// 7003: there is nothing at this path.
    pub fn no_route(path: &str) -> Self {
        Self::new(404, 7003, format!("Could not route to {path}, perhaps your object identifier is invalid?"))
    }

    /// 7001: the path does not have this method.
    pub fn no_method(allowed: &str) -> Self {
        Self::new(405, 7001, format!("Method not available for that URI; allowed: {allowed}"))
    }

    /// 1015: too many requests.
    pub fn too_many(seconds: u32) -> Self {
        let message = format!("Too many requests; try again in {seconds} s");
        Self { retry_after: Some(seconds), ..Self::new(429, 1015, message) }
    }

    /// 10000: a token is required, or the one that was sent is not valid.
    pub fn no_token(message: impl Into<String>) -> Self {
        Self::new(401, 10000, message)
    }

    /// 9109: the token or the configuration does not allow it.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, 9109, message)
    }

    /// 2003: the body arrives too slowly.
    pub fn too_slow(message: impl Into<String>) -> Self {
        Self::new(408, 2003, message)
    }

    /// 2006: the host name is not one of this server's.
    pub fn other_host(host: &str) -> Self {
        let host: String = host.chars().take(100).collect();
        Self::new(
            421,
            2006,
            format!(
                "the server listens on this machine only and does not know the name '{host}': if a proxy passes it \
                 on, add it to 'hosts' in the settings (CUTSHORT_HOSTS)"
            ),
        )
    }

    /// 2005: the body is too long.
    pub fn too_large(most: usize) -> Self {
        Self::new(413, 2005, format!("the body is longer than {most} bytes"))
    }
}

/// The maximum length of a message in characters. Longer ones repeat something that was sent.
const LONGEST: usize = 1000;

/// Removes the middle of a message that is too long: what it repeats is between the reason and the advice.
fn shortened(message: String) -> String {
    const KEPT: usize = 200;
    let length = message.chars().count();
    if length <= LONGEST {
        return message;
    }
    let first: String = message.chars().take(KEPT).collect();
    let last: String = message.chars().skip(length - KEPT).collect();
    format!("{first} [...] {last}")
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let text = format!("{error:#}");
        match error {
            StoreError::Full(_) => Self::full(text),
            StoreError::Unavailable(_) | StoreError::Locked(_) => Self::unavailable(text),
            StoreError::Refused(_) => Self::bad_input(text),
            StoreError::Damaged(_) | StoreError::Failed(_) => Self::internal(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_repeated_in_part_only() {
        let message =
            |text: &str| Problem::bad_input(format!("port: '{text}' is no port: 0 to 65535")).message;
        assert_eq!(message("x"), "port: 'x' is no port: 0 to 65535");
        let long = message(&"\u{e9}".repeat(65_000));
        assert!(long.chars().count() < 500 && long.starts_with("port: '\u{e9}"), "{long}");
        assert!(long.contains(" [...] ") && long.ends_with("\u{e9}' is no port: 0 to 65535"), "{long}");
        let whole = "x".repeat(LONGEST);
        assert_eq!(Problem::internal(whole.clone()).message, whole);
    }
}
