//! Who has only the rights that the documentation names can do everything.

use std::time::{Duration, SystemTime};

use clickhouse::Client;
use cutshort_clickhouse::{Address, ClickHouse, Layout, migrate, schema};
use cutshort_store::{AnnotationKind, NewAnnotation, Retention, RollupQuery, Selection, Store, StoreError};

use super::Database;
use super::conformance::{START, connections, file, groups, made, packet, replace};
use super::server::{is_available, server};

/// The statements of the documentation, for a database and a user.
fn documented(database: &str, user: &str) -> Vec<String> {
    let page = include_str!("../../../../docs/clickhouse.md");
    let rights = page.split("## Rights").nth(1).unwrap();
    let sql = rights.split("```sql").nth(1).unwrap().split("```").next().unwrap();
    let sql = sql.replace("cutshort.*", &format!("{database}.*"));
    let sql =
        sql.replace("TO cutshort", &format!("TO {user}")).replace("USER cutshort", &format!("USER {user}"));
    sql.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
}

/// The questions of the documentation.
fn questions() -> Vec<String> {
    let page = include_str!("../../../../docs/clickhouse.md");
    let sql = page.split("## Classifying in SQL").nth(1).unwrap().split("```sql").nth(1).unwrap();
    let sql = sql.split("```").next().unwrap();
    sql.split(';').map(str::trim).filter(|question| !question.is_empty()).map(str::to_owned).collect()
}

fn execute(statements: &[String]) {
    execute_as(Client::default().with_user("default"), statements);
}

fn execute_as(client: Client, statements: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = client.with_url(format!("http://127.0.0.1:{}", server().port));
    for statement in statements {
        runtime.block_on(client.query_raw(statement).execute()).unwrap();
    }
}

fn with_login(database: &Address, login: &str) -> Address {
    let port = server().port;
    Address::parse(&format!("clickhouse://{login}@127.0.0.1:{port}/{}", database.database())).unwrap()
}

#[test]
fn the_documented_rights_are_enough() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    migrate(&database, &Layout::default()).unwrap();
    execute(&documented(database.database(), "limited"));
    let store = ClickHouse::open(&with_login(&database, "limited:secret")).unwrap();
    store.append(&file(vec![packet(1, START)])).unwrap();
    assert_eq!(groups(&store, START, 2).len(), 1);
    let limited = Client::default().with_user("limited").with_password("secret");
    let questions = questions();
    assert_eq!(questions.len(), 3);
    execute_as(limited.with_database(database.database()), &questions);
    replace(&store, START, &[made(1, START)]);
    store.roll().unwrap();
    assert_eq!(store.connections(&connections::everything()).unwrap().len(), 1);
    let query =
        RollupQuery { range: i64::MIN..i64::MAX, bucket: None, selection: Selection::default(), by: None };
    store.rollups(&query).unwrap();
    assert_eq!(store.status().unwrap().windows, 1);
    let note = NewAnnotation {
        data_set: None,
        kind: AnnotationKind::General,
        start: START,
        end: None,
        description: "It's a 'test' \\ with {braces:String}".to_owned(),
        linked_url: None,
        scope: None,
        locations: Vec::new(),
        asns: vec![64_500],
        outage: Some(("CABLE_CUT".to_owned(), "NATIONWIDE".to_owned())),
    };
    let kept = store.annotate(&note).unwrap();
    assert_eq!(store.annotations(START..START + 1).unwrap(), std::slice::from_ref(&kept));
    assert!(store.remove_annotation(kept.id).unwrap() && !store.remove_annotation(kept.id).unwrap());
    let day = Some(Duration::from_secs(86_400));
    let retention = Retention { packets: day, connections: day, fifteen_minutes: day, hours: day, days: day };
    assert_eq!(store.retain(SystemTime::now() + Duration::from_secs(2 * 86_400), &retention).unwrap(), 2);
}

#[test]
fn mistakes_are_named_without_the_password() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    let refused = |address: &Address| match ClickHouse::open(address).err() {
        Some(StoreError::Refused(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(&database).contains("cutshort clickhouse migrate"), "{}", refused(&database));
    let nobody = refused(&with_login(&database, "nobody:topsecret"));
    assert!(nobody.contains("name and password") && !nobody.contains("topsecret"), "{nobody}");
    let elsewhere = Address::parse("clickhouse://u:topsecret@127.0.0.1:1/x").unwrap();
    match ClickHouse::open(&elsewhere).err() {
        Some(StoreError::Unavailable(why)) => {
            let why = format!("{why:#}");
            assert!(why.contains("127.0.0.1:1") && !why.contains("topsecret"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_are_made_by_several_at_once_and_again() {
    if !is_available() {
        return;
    }
    let database = Database::empty();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| migrate(&database, &Layout::default()).unwrap());
        }
    });
    migrate(&database, &Layout::default()).unwrap();
    ClickHouse::open(&database).unwrap();
    // What is printed is what is applied.
    let other = Database::empty();
    execute(&schema(other.database(), &Layout::default()));
    ClickHouse::open(&other).unwrap();
}
