//! Counts out of a database that is damaged, or not.

use proptest::collection::vec;
use proptest::prelude::*;
use rusqlite::params;

use super::*;

fn salvaged(old: &Connection) -> (Connection, Salvaged) {
    let mut new = database();
    let transaction = new.transaction().unwrap();
    let salvaged = salvage(old, &transaction).unwrap();
    transaction.commit().unwrap();
    (new, salvaged)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn all_of_a_whole_database_is_kept(changes in changes(), queries in vec(queries(), 20)) {
        let (mut sql, mut model) = (database(), Model::default());
        changes.iter().for_each(|change| apply(&mut sql, &mut model, change));
        let (mut new, found) = salvaged(&sql);
        prop_assert!(found.is_whole());
        for (window, connections) in model.windows() {
            prop_assert!(found.has(Window::containing(window), connections.len() as u64));
            prop_assert!(!found.has(Window::containing(window), connections.len() as u64 + 1));
        }
        prop_assert_eq!(rows_of(&sql), rows_of(&new));
        queries.iter().for_each(|query| check(&new, &model, query));
        roll(&mut new).unwrap();
        queries.iter().for_each(|query| check(&new, &model, query));
    }

    /// Each level loses a row, or its content.
    #[test]
    fn what_has_its_parts_is_made_again(
        connections in vec(world::connections(), 1..20),
        queries in vec(queries(), 20),
        delete in any::<bool>(),
    ) {
        let (mut sql, mut model) = (database(), Model::default());
        for window in [world::BASE, world::BASE + world::WINDOW, world::BASE + 30 * world::DAY] {
            apply(&mut sql, &mut model, &Change::Replace(window, connections.clone()));
        }
        roll(&mut sql).unwrap();
        for level in [Level::Hour, Level::Day] {
            let of = params![level.number()];
            if delete {
                sql.execute("DELETE FROM rollup_total WHERE level = ?1 AND place = 0", of).unwrap();
                sql.execute("DELETE FROM rollup WHERE level = ?1 AND place = 0", of).unwrap();
            } else {
                sql.execute("UPDATE rollup SET cells = x'00' WHERE level = ?1 AND place = 0", of).unwrap();
            }
        }
        let (mut new, found) = salvaged(&sql);
        prop_assert!(found.has(Window::containing(world::BASE), connections.len() as u64));
        prop_assert!(found.coarse_losses().next().is_some());
        prop_assert!(found.coarse_losses().all(|(_, level, start)| is_stale(&new, level, start).unwrap()));
        queries.iter().for_each(|query| check(&new, &model, query));
        roll(&mut new).unwrap();
        queries.iter().for_each(|query| check(&new, &model, query));
    }
}

#[test]
fn a_window_that_lost_a_row_is_not_whole() {
    let (mut sql, mut model) = (database(), Model::default());
    let connections: Vec<_> = world::one_of_each_node(&[Change::Roll]);
    apply(&mut sql, &mut model, &Change::Replace(world::BASE, connections));
    let (_, found) = salvaged(&sql);
    assert!(found.has(Window::containing(world::BASE), 0) && !found.has(Window::containing(world::BASE), 1));
}
