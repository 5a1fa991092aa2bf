//! Maps ClickHouse's errors to those of a store.

use clickhouse::error::Error;
use cutshort_store::{Reason, StoreError};

/// What to do if tables are missing or of another version.
pub(crate) const MIGRATE: &str =
    "run 'cutshort clickhouse migrate --store URL' with a user who may create tables";

/// There is no room: NOT_ENOUGH_SPACE.
const FULL: &[u32] = &[243];
/// Worth trying again later: time-outs, network, too many queries, memory, read-only replicas, ZooKeeper.
const LATER: &[u32] = &[
    159, 160, 202, 203, 209, 210, 225, 236, 241, 242, 252, 279, 285, 286, 287, 319, 415, 416, 439, 735, 999,
];
/// No such user, or a wrong password: AUTHENTICATION_FAILED and the like.
const NOBODY: &[u32] = &[192, 193, 194, 195, 516];
/// A right is missing: ACCESS_DENIED.
const DENIED: &[u32] = &[497];
/// No such table, database or column.
const MISSING: &[u32] = &[16, 47, 60, 81];
/// A setting may not be changed: READONLY.
const READONLY: &[u32] = &[164];

/// Converts an error. The text has no secrets, because the client crate sends passwords only in headers.
pub(crate) fn store_error(place: &str, error: Error) -> StoreError {
    match error {
        Error::BadResponse(answer) => bad_response(place, &answer),
        Error::TimedOut => {
            StoreError::Unavailable(format!("ClickHouse at {place} does not answer in time").into())
        }
        error @ Error::Network(_) => StoreError::Unavailable(Reason::caused_by(
            format!("ClickHouse at {place} cannot be reached"),
            error,
        )),
        other => {
            let reason = Reason::caused_by(format!("a request to ClickHouse at {place} failed"), other);
            StoreError::Failed(match hint(&format!("{reason:#}")) {
                None => reason,
                Some(hint) => reason.with_text(format!("a request to ClickHouse at {place} failed ({hint})")),
            })
        }
    }
}

/// What to do about an answer that the client crate cannot read.
fn hint(text: &str) -> Option<&'static str> {
    if text.contains("non-default columns are missing") {
        Some(
            "if a column was added by hand, give it a DEFAULT (ALTER TABLE ... MODIFY COLUMN ... DEFAULT ...), or drop it",
        )
    } else if text.contains("schema mismatch") {
        Some("'cutshort clickhouse migrate' says which columns differ")
    } else if text.contains("columns header") {
        Some(
            "the answer is not that of a ClickHouse: check address, port, and any proxy or login page between",
        )
    } else {
        None
    }
}

fn bad_response(place: &str, answer: &str) -> StoreError {
    // Without the version and the trace.
    let answer = answer.lines().next().unwrap_or_default();
    let answer = answer.split(" (version ").next().unwrap_or(answer);
    let code = answer
        .split("Code: ")
        .nth(1)
        .and_then(|rest| rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse::<u32>().ok());
    let text = format!("ClickHouse at {place}: {answer}");
    let among = |codes: &[u32]| code.is_some_and(|code| codes.contains(&code));
    if among(FULL) {
        StoreError::Full(text.into())
    } else if among(LATER) || code.is_none() {
        // What is no answer of ClickHouse is one of a proxy before it.
        StoreError::Unavailable(text.into())
    } else if among(NOBODY) {
        StoreError::Refused(format!(
            "ClickHouse at {place} does not let this user in: check name and password"
        ))
    } else if among(DENIED) {
        StoreError::Refused(format!("{text}: grant it, see docs/clickhouse.md"))
    } else if among(READONLY) {
        StoreError::Refused(format!("{text}: let the user change settings (readonly = 2 instead of 1)"))
    } else if among(MISSING) {
        StoreError::Refused(format!("{text}: {MIGRATE}"))
    } else {
        StoreError::Failed(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answer: &str) -> StoreError {
        store_error("h:8123", Error::BadResponse(answer.to_owned()))
    }

    #[test]
    fn codes_tell_what_can_be_done() {
        let full = of("Code: 243. DB::Exception: Cannot reserve 1.00 MiB. (NOT_ENOUGH_SPACE) (version 25.8)");
        assert!(matches!(full, StoreError::Full(_)));
        assert!(!full.to_string().contains("version"));
        assert!(matches!(of("Code: 241. DB::Exception: too much"), StoreError::Unavailable(_)));
        assert!(matches!(of("<html>502 Bad Gateway</html>"), StoreError::Unavailable(_)));
        let missing = of("Code: 60. DB::Exception: Unknown table expression identifier 'segment'");
        assert!(missing.to_string().contains("cutshort clickhouse migrate"), "{missing}");
        let readonly = of("Code: 164. DB::Exception: Cannot modify 'x' setting in readonly mode. (READONLY)");
        assert!(readonly.to_string().contains("readonly = 2"), "{readonly}");
        assert!(matches!(of("Code: 516. DB::Exception: default: no"), StoreError::Refused(_)));
        assert!(matches!(of("Code: 62. DB::Exception: Syntax error"), StoreError::Failed(_)));
    }
}
