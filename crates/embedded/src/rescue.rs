//! Reads as many rows as possible from a damaged database.

use rusqlite::{Connection, Params, Row};

use crate::error::Result;

/// How much of a table could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// All rows were read.
    Whole,
    /// An unknown number of rows cannot be read.
    InPart,
}

/// Calls `each` with all rows that can be read: from the first on, and, if a row cannot be reached, from the last
/// backwards. The same row may therefore come twice. `key` are the columns of the primary key.
pub(super) fn scan<P: Params + Clone>(
    sql: &Connection,
    select: &str,
    key: &[&str],
    of: P,
    mut each: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> Scan {
    let order = |order: &str| {
        let columns: Vec<String> = key.iter().map(|column| format!("{column} {order}")).collect();
        format!("{select} ORDER BY {}", columns.join(", "))
    };
    let (mut skipped, forwards) = one_way(sql, &order("ASC"), of.clone(), &mut each);
    if !forwards {
        skipped |= one_way(sql, &order("DESC"), of, &mut each).0;
    }
    if forwards && !skipped { Scan::Whole } else { Scan::InPart }
}

/// Reads in one direction. Returns whether an invalid row was skipped, and whether the end was reached.
fn one_way(
    sql: &Connection,
    select: &str,
    of: impl Params,
    each: &mut impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> (bool, bool) {
    let mut skipped = false;
    let Ok(mut select) = sql.prepare(select) else { return (skipped, false) };
    let Ok(mut rows) = select.query(of) else { return (skipped, false) };
    loop {
        match rows.next() {
            Ok(Some(row)) => skipped |= each(row).is_err(),
            Ok(None) => return (skipped, true),
            Err(_) => return (skipped, false),
        }
    }
}

/// The problems that SQLite finds in a database; empty if there are none.
pub(super) fn integrity(sql: &Connection) -> Result<Vec<String>> {
    let mut check = sql.prepare("PRAGMA integrity_check(20)")?;
    let found = check.query_map([], |row| row.get::<_, String>(0))?;
    let found: Vec<String> = found.collect::<rusqlite::Result<_>>()?;
    Ok(if found == ["ok"] { Vec::new() } else { found })
}
