//! Flows whose ports were used again.

use crate::{Findings, Row};

/// The findings in rows that are no longer kept.
#[derive(Clone, Debug)]
pub(super) struct Sealed {
    pub(super) findings: Findings,
    /// Rows before the SYN packet.
    pub(super) tail: u32,
    /// Times of the rows with the RST bit.
    pub(super) rsts: Vec<i64>,
}

/// The rows of a flow whose ports were used again, or which were counted anew.
#[derive(Default)]
pub(super) struct Reused {
    pub(super) rows: Vec<Row>,
    /// The rows of before, if they were sealed by then.
    pub(super) earlier: Option<Box<Sealed>>,
    /// Time of the earliest SYN packet in `rows`.
    first_syn: Option<i64>,
}

impl Reused {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let first_syn = rows.iter().filter(|row| row.is_syn()).map(|row| row.ts).min();
        Self { rows, earlier: None, first_syn }
    }

    pub(super) fn after(earlier: Sealed) -> Self {
        Self { earlier: Some(Box::new(earlier)), ..Self::default() }
    }

    /// Adds a row; false if it belongs among rows that are no longer kept.
    pub(super) fn push(&mut self, row: Row) -> bool {
        if !self.has_place_for(&row) {
            return false;
        }
        if row.is_syn() {
            self.first_syn = Some(self.first_syn.map_or(row.ts, |first| first.min(row.ts)));
        }
        self.rows.push(row);
        true
    }

    fn has_place_for(&self, row: &Row) -> bool {
        let Some(earlier) = &self.earlier else { return true };
        let is_later = row.ts > earlier.findings.last_ts;
        match (row.is_syn(), earlier.findings.has_syn()) {
            (true, _) => is_later,
            (false, true) => is_later && self.first_syn.is_some_and(|first| first <= row.ts),
            (false, false) => true,
        }
    }

    /// Returns true if one of the rows is a SYN packet.
    pub(super) const fn has_syn(&self) -> bool {
        self.first_syn.is_some()
    }

    /// Times of all rows with the RST bit.
    pub(super) fn rsts(&self) -> impl Iterator<Item = i64> {
        let earlier = self.earlier.iter().flat_map(|earlier| earlier.rsts.iter().copied());
        earlier.chain(rsts(&self.rows))
    }

    /// Returns the number of rows that were taken.
    pub(super) fn taken(&self) -> u64 {
        let earlier = self.earlier.as_ref();
        self.rows.len() as u64
            + earlier.map_or(0, |earlier| u64::from(earlier.findings.packets + earlier.tail))
    }
}

/// Times of the rows with the RST bit.
pub(super) fn rsts(rows: &[Row]) -> impl Iterator<Item = i64> {
    rows.iter().filter(|row| row.has_rst()).map(|row| row.ts)
}
