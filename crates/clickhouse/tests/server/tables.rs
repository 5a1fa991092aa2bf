//! Tables that somebody changed since they were made.

use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate};
use cutshort_store::{Store, StoreError};

use super::Database;
use super::conformance::{START, file, packet};
use super::server::{is_available, server};
use super::size::execute;

fn empty() -> Address {
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    database
}

fn refused(database: &Address) -> String {
    match migrate(database, &Layout::default()) {
        Err(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_that_are_gone_are_made_again() {
    if !is_available() {
        return;
    }
    let database = empty();
    assert_eq!(migrate(&database, &Layout::default()).unwrap(), 0, "nothing differs");
    for table in
        ["DROP TABLE cell", "DROP TABLE frozen", "DROP VIEW classified", "DROP VIEW current_connection"]
    {
        execute(&database, table);
    }
    assert!(migrate(&database, &Layout::default()).unwrap() > 0);
    let store = ClickHouse::open(&database).unwrap();
    store.append(&file(vec![packet(1, START)])).unwrap();
    assert_eq!(store.windows(i64::MIN..i64::MAX).unwrap().len(), 1);
}

/// Rows of results that were replaced stay for an hour; the view has none of them.
#[test]
fn a_view_has_the_connections_that_hold() {
    let database = empty();
    execute(
        &database,
        "INSERT INTO connection (window_start, generation, number) VALUES
         ('2026-01-05 00:00:00', 7, 1), ('2026-01-05 00:00:00', 8, 1), ('2026-01-05 00:00:00', 8, 2)",
    );
    let result = |version: u32, generation: u32| {
        format!(
            "INSERT INTO result (level, t, version, generation, connection_generations)
             VALUES (0, '2026-01-05 00:00:00', {version}, {generation}, [{generation}])"
        )
    };
    execute(&database, "SELECT throwIf(count() != 0) FROM current_connection");
    execute(&database, &result(1, 7));
    execute(&database, "SELECT throwIf(count() != 1) FROM current_connection");
    execute(&database, &result(2, 8));
    execute(
        &database,
        "SELECT throwIf(count() != 2 OR countIf(empty(tag_names)) != 2) FROM current_connection",
    );
    execute(&database, "SELECT throwIf(count() != 3) FROM connection");
}

#[test]
fn what_differs_is_named_with_what_to_do() {
    if !is_available() {
        return;
    }
    let database = empty();
    execute(&database, "ALTER TABLE connection MODIFY COLUMN packets UInt64");
    execute(&database, "ALTER TABLE segment ADD COLUMN note String");
    execute(&database, "ALTER TABLE result ADD COLUMN fine String DEFAULT 'x'");
    execute(&database, "ALTER TABLE cell DROP COLUMN weight");
    let why = refused(&database);
    for part in
        ["connection has the column packets as UInt64 instead of UInt32", "column note", "no column weight"]
    {
        assert!(why.contains(part), "{why}");
    }
    assert!(!why.contains("fine"), "{why}");
    // Who tries nevertheless is told.
    let store = ClickHouse::open(&database).unwrap();
    let error = format!("{:#}", store.append(&file(vec![packet(1, START)])).unwrap_err());
    assert!(error.contains("note") && error.contains("DEFAULT"), "{error}");
    // The statements that are named put it right.
    for statement in why.split("; ").map(|what| &what[what.find("ALTER TABLE").unwrap()..]) {
        execute(&database, statement);
    }
    migrate(&database, &Layout::default()).unwrap();
    store.append(&file(vec![packet(1, START)])).unwrap();
}

#[test]
fn tables_of_others_are_not_taken_for_ours() {
    if !is_available() {
        return;
    }
    let database = empty();
    execute(&database, "DROP TABLE packet");
    execute(&database, "CREATE TABLE packet (a UInt8) ENGINE = Memory");
    let why = refused(&database);
    assert!(why.contains("packet has the engine Memory") && why.contains("no column ts"), "{why}");
}

#[test]
fn names_of_databases_may_have_question_marks() {
    if !is_available() {
        return;
    }
    let database = server().address("default").with_database("why? it's ?fields");
    migrate(&database, &Layout::default()).unwrap();
    assert_eq!(migrate(&database, &Layout::default()).unwrap(), 0);
    ClickHouse::open(&database).unwrap();
}
