//! Reading a database that is damaged: as many rows as there are to be read.

use rusqlite::{Connection, Params, Row};

use crate::error::Result;

/// What a scan of a table gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// All rows.
    Whole,
    /// Some cannot be read, nobody knows how many.
    InPart,
}

/// Calls `each` with all rows that can be read: from the first on, and, where a row cannot be reached, from the last
/// back. So the same row may come twice. `key` are the columns of the primary key.
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

/// Whether a row was skipped that makes no sense, and whether the end was reached.
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

/// What SQLite finds wrong with a database; nothing if it is in order.
pub(super) fn integrity(sql: &Connection) -> Result<Vec<String>> {
    let mut check = sql.prepare("PRAGMA integrity_check(20)")?;
    let found = check.query_map([], |row| row.get::<_, String>(0))?;
    let found: Vec<String> = found.collect::<rusqlite::Result<_>>()?;
    Ok(if found == ["ok"] { Vec::new() } else { found })
}
