//! Damaged rows are named, and never end the program.

use cutshort_counts::packed_cells::PackedCells;
use cutshort_counts::totals::Totals;
use cutshort_store::Selection;
use cutshort_store::StoreError;
use cutshort_verdict::DataSet;
use proptest::prelude::*;
use rusqlite::params;

use super::*;

fn everything(by: Option<cutshort_model::Dimension>) -> RollupQuery {
    RollupQuery { range: i64::MIN..i64::MAX, bucket: None, selection: Selection::default(), by }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_row_is_named(
        connections in proptest::collection::vec(world::connections(), 1..20),
        at in any::<proptest::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let (mut sql, mut model) = (database(), Model::default());
        apply(&mut sql, &mut model, &Change::Replace(world::BASE, connections));
        for (table, content, by) in [("rollup", "cells", Some(cutshort_model::Dimension::Port)), ("rollup_total", "totals", None)] {
            let read = format!("SELECT {content} FROM {table} WHERE place = 0");
            let mut bytes: Vec<u8> = sql.query_row(&read, (), |row| row.get(0)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            sql.execute(&format!("UPDATE {table} SET {content} = ? WHERE place = 0"), params![bytes]).unwrap();
            let error = query(&sql, DataSet::Tcp, &everything(by)).unwrap_err();
            prop_assert!(matches!(error.0, StoreError::Damaged(_)), "{error:?}");
            prop_assert!(error.to_string().contains("the world for the window of 2024-10-"), "{error}");
        }
    }

    /// The checksum put right, anything may come of it but a panic.
    #[test]
    fn any_bytes_can_be_read(body in proptest::collection::vec(any::<u8>(), 0..200), by_cells in any::<bool>()) {
        let sealed = cutshort_counts::bytes::seal(1, |out| out.extend_from_slice(&body));
        let _ = if by_cells {
            PackedCells::parse(&sealed).and_then(|cells| cells.each(|_, _| ()))
        } else {
            Totals::parse(&sealed).and_then(|totals| totals.each(|_, _, _| ()))
        };
    }
}
