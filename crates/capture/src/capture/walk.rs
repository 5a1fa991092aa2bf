//! Passes consecutive records in the buffer to a visitor.

use super::Format;
use crate::record::{Parsed, Record, RecordPosition};

/// Receives records one after the other.
pub trait Visitor {
    /// Takes a record; false if the next one should wait.
    fn record(&mut self, record: Record<'_>) -> bool;
}

/// A cursor over the unread bytes, in local variables: unlike the fields of a capture, these stay in registers.
pub(super) struct Walk<'a> {
    pub(super) rest: &'a [u8],
    pub(super) place: RecordPosition,
    /// Whether `rest` begins with the record at `place`, and not with an incomplete one.
    pub(super) on_record: bool,
    /// The number of records that were passed.
    pub(super) records: u64,
}

impl Walk<'_> {
    #[inline(always)]
    pub(super) fn on(
        mut self,
        until: i64,
        mut next: impl FnMut(&[u8], &mut RecordPosition) -> Parsed,
        visitor: &mut (impl Visitor + ?Sized),
    ) -> Self {
        loop {
            let goes_on = self.place.record(self.rest).is_some_and(|record| visitor.record(record));
            self.skip(self.place.len);
            match next(self.rest, &mut self.place) {
                Parsed::Record => self.records += 1,
                Parsed::Nothing(len) => {
                    self.skip(len);
                    self.on_record = false;
                }
                Parsed::Header | Parsed::Incomplete | Parsed::Damaged => self.on_record = false,
            }
            if !goes_on || !self.on_record || self.place.ts > until {
                return self;
            }
        }
    }

    #[inline(never)]
    pub(super) fn on_with(self, until: i64, format: &mut Format, visitor: &mut dyn Visitor) -> Self {
        self.on(until, |bytes, place| format.next(bytes, place), visitor)
    }

    #[inline(always)]
    fn skip(&mut self, len: usize) {
        self.rest = self.rest.get(len..).unwrap_or_default();
    }
}
