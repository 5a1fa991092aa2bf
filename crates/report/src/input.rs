use cutshort_packet::Refusal;
use cutshort_verdict::RowCount;

/// What was read, and what of it could not be used.
#[derive(Clone, Debug, Default)]
pub struct InputCount {
    /// Records of any kind.
    pub records: u64,
    /// TCP packets among them.
    pub packets: u64,
    /// Records that are no TCP packet, by [`Refusal`].
    pub refused: [u64; Refusal::ALL.len()],
    /// Records of link types that are not supported, by number.
    pub unknown_links: Vec<(u32, u64)>,
    /// TCP packets that came after their window was closed.
    pub late: u64,
    /// Time of the earliest and the latest record.
    pub span: Option<(i64, i64)>,
    /// Rows that were taken, and some of them that matter.
    pub rows: RowCount,
}

impl InputCount {
    /// Counts a record.
    #[inline]
    pub fn add_record(&mut self, ts: i64) {
        self.records += 1;
        let (first, last) = self.span.unwrap_or((ts, ts));
        self.span = Some((first.min(ts), last.max(ts)));
    }

    /// Counts a record of a link type that is not supported.
    #[cold]
    pub fn add_unknown_link(&mut self, number: u32) {
        match self.unknown_links.iter_mut().find(|(known, _)| *known == number) {
            Some((_, count)) => *count += 1,
            None => self.unknown_links.push((number, 1)),
        }
    }

    /// Adds the rows of a window.
    pub const fn add_rows(&mut self, rows: RowCount) {
        self.rows.add(rows);
    }

    /// TCP packets beyond the packet limit of their connection.
    #[must_use]
    pub const fn beyond_limit(&self) -> u64 {
        self.packets.saturating_sub(self.late).saturating_sub(self.rows.taken)
    }
}
