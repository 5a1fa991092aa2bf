//! What is deleted stays counted above.

use cutshort_store::StoreError;
use cutshort_verdict::DataSet;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::world::{BASE, DAY, WINDOW};
use super::*;

/// Day after day: what is not asked for by the window must not change when windows are deleted.
fn by_days(query: RollupQuery) -> RollupQuery {
    let day = |ts: i64| Bucket::Day.start(ts.clamp(BASE - 10 * DAY, BASE + 10 * DAY));
    let bucket = query.bucket.filter(|bucket| matches!(bucket, Bucket::Day | Bucket::Week));
    RollupQuery { range: day(query.range.start)..day(query.range.end), bucket, ..query }
}

fn delete(sql: &mut Connection, level: Bucket, t: i64) {
    let transaction = sql.transaction().unwrap();
    delete_before(&transaction, level, t).unwrap();
    transaction.commit().unwrap();
}

/// Replaces a window if that is still possible.
fn replace(sql: &mut Connection, model: &mut Model, change: &Change) {
    match change {
        Change::Replace(window, _) | Change::Delete(window)
            if is_gone(sql, Window::containing(*window)).unwrap() =>
        {
            let transaction = sql.transaction().unwrap();
            let refused = delete_window(&transaction, Window::containing(*window)).unwrap_err();
            assert!(matches!(refused.0, StoreError::Refused(_)), "{refused:?}");
        }
        change => apply(sql, model, change),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn days_stay_right_when_finer_rows_go(
        rounds in proptest::collection::vec(
            (changes(), world::windows(), proptest::sample::select(vec![Bucket::FifteenMinutes, Bucket::Hour])),
            1..4,
        ),
        queries in proptest::collection::vec(queries().prop_map(by_days), 20),
    ) {
        let (mut sql, mut model) = (database(), Model::default());
        for (changes, before, level) in rounds {
            changes.iter().for_each(|change| replace(&mut sql, &mut model, change));
            delete(&mut sql, level, before);
            queries.iter().for_each(|query| check(&sql, &model, query));
        }
        roll(&mut sql).unwrap();
        queries.iter().for_each(|query| check(&sql, &model, query));
    }

    #[test]
    fn nothing_is_left_before_deleted_days(changes in changes(), before in world::windows()) {
        let (mut sql, mut model) = (database(), Model::default());
        changes.iter().for_each(|change| apply(&mut sql, &mut model, change));
        delete(&mut sql, Bucket::Day, before);
        let left = Bucket::Day.start(before);
        for bucket in [None, Some(Bucket::FifteenMinutes), Some(Bucket::Day)] {
            let all = |range| RollupQuery { range, bucket, selection: Default::default(), by: None };
            prop_assert_eq!(query(&sql, DataSet::Tcp, &all(i64::MIN..left)).unwrap().rows, vec![]);
            check(&sql, &model, &all(left..i64::MAX));
        }
    }
}

#[test]
fn edges_whose_windows_are_deleted_are_left_out() {
    let (mut sql, mut model) = (database(), Model::default());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let one = world::connections().new_tree(&mut runner).unwrap().current();
    for quarter in 0..8 {
        apply(&mut sql, &mut model, &Change::Replace(BASE + quarter * WINDOW, vec![one.clone()]));
    }
    delete(&mut sql, Bucket::FifteenMinutes, BASE + DAY);
    let count = |from: i64, to: i64| {
        let range = BASE + from * WINDOW..BASE + to * WINDOW;
        let all = RollupQuery { range, bucket: None, selection: Default::default(), by: None };
        let rows = query(&sql, DataSet::Tcp, &all).unwrap().rows;
        rows.iter()
            .flat_map(|row| row.stages.iter().chain(&row.excluded))
            .map(|count| count.sampled)
            .sum::<u64>()
    };
    assert_eq!(count(0, 8), 8);
    assert_eq!(count(2, 8), 4, "the second hour; half of the first is not known any more");
    assert_eq!(count(2, 3), 0);
}
