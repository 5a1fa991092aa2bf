//! All answers against a model that keeps every connection and counts them one by one.

use cutshort_model::Bucket;
use cutshort_store::RollupQuery;
use cutshort_verdict::DataSet;
use proptest::prelude::*;
use rusqlite::Connection;

use super::*;

mod damage;
mod model;
mod retention;
mod salvage;
mod world;

use model::Model;
use world::{Change, changes, queries};

fn database() -> Connection {
    let sql = Connection::open_in_memory().unwrap();
    create(&sql).unwrap();
    sql
}

/// Does the same to the database and the model.
fn apply(sql: &mut Connection, model: &mut Model, change: &Change) {
    match change {
        Change::Replace(window, connections) => {
            let transaction = sql.transaction().unwrap();
            replace_window(&transaction, Window::containing(*window), &world::cells(connections)).unwrap();
            transaction.commit().unwrap();
            model.replace(*window, connections.clone());
        }
        Change::Delete(window) => {
            let transaction = sql.transaction().unwrap();
            delete_window(&transaction, Window::containing(*window)).unwrap();
            transaction.commit().unwrap();
            model.replace(*window, Vec::new());
        }
        Change::Roll => roll(sql).unwrap(),
    }
}

fn check(sql: &Connection, model: &Model, query: &RollupQuery) {
    let found = super::query(sql, DataSet::Tcp, query).unwrap();
    let expected = model.answer(query);
    assert_eq!(model::sorted(&found), model::sorted(&expected), "{query:?}");
    let folded = |answer: &cutshort_store::RollupAnswer| (answer.networks_folded, answer.ports_folded);
    assert_eq!(folded(&found), folded(&expected), "{query:?}");
    assert!(found.rows.is_sorted_by_key(|row| row.from));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_model_rolled_or_not(
        changes in changes(),
        queries in proptest::collection::vec(queries(), 40),
    ) {
        let (mut sql, mut model) = (database(), Model::default());
        changes.iter().for_each(|change| apply(&mut sql, &mut model, change));
        queries.iter().for_each(|query| check(&sql, &model, query));
        roll(&mut sql).unwrap();
        queries.iter().for_each(|query| check(&sql, &model, query));
    }

    #[test]
    fn rows_depend_on_cells_alone(changes in changes()) {
        let (mut sql, mut model) = (database(), Model::default());
        changes.iter().for_each(|change| apply(&mut sql, &mut model, change));
        let (mut fresh, mut same) = (database(), Model::default());
        // Nodes are numbered in the order in which they come.
        let all_nodes = world::one_of_each_node(&changes);
        apply(&mut fresh, &mut same, &Change::Replace(world::BASE, all_nodes.clone()));
        apply(&mut fresh, &mut same, &Change::Delete(world::BASE));
        for (window, connections) in model.windows() {
            apply(&mut fresh, &mut same, &Change::Replace(window, connections));
        }
        // All that is before a later window is rolled.
        let later = Change::Replace(world::BASE + 30 * world::DAY, all_nodes);
        apply(&mut sql, &mut model, &later);
        apply(&mut fresh, &mut same, &later);
        roll(&mut sql).unwrap();
        roll(&mut fresh).unwrap();
        prop_assert_eq!(rows_of(&sql), rows_of(&fresh));
    }
}

/// All rows but those that are stale.
fn rows_of(sql: &Connection) -> Vec<(i64, i64, i64, Vec<u8>)> {
    let all = "SELECT level, place, t, cells FROM rollup
               WHERE (level, t) NOT IN (SELECT level, t FROM rollup_stale) ORDER BY 1, 2, 3";
    let mut statement = sql.prepare(all).unwrap();
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
    rows.unwrap().map(|row| row.unwrap()).collect()
}
