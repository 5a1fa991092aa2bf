//! Finds where reading can resume after damage.

use crate::capture::Format;
use crate::pcap;
use crate::pcapng;

/// So many records in a row that look whole are no accident.
const ENOUGH: usize = 4;
/// Before the end of the input these are, and one where the time of the record before is known.
const ENOUGH_AND_CUT: usize = 2;

/// What bytes look like.
pub(crate) enum Step {
    /// A record or block of that length.
    Len(usize),
    /// There are too few to tell.
    Unsure,
    No,
}

/// Where in some bytes reading can go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resumption {
    At(usize),
    /// Nowhere in the first bytes, of this number; what follows must be longer to tell.
    NotIn(usize),
}

/// What was not read because it was damaged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Damage {
    /// Where the first place begins.
    pub(crate) offset: u64,
    pub(crate) places: u64,
    /// Bytes of all places.
    pub(crate) unread: u64,
    /// Whether all these bytes are zero.
    pub(crate) zeros: bool,
}

impl Damage {
    /// Takes bytes as a part of the damage.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.unread += bytes.len() as u64;
        self.zeros &= bytes.iter().all(|byte| *byte == 0);
    }
}

/// Whether a pcap or a section of pcapng begins here. Needs 16 bytes.
pub(crate) fn begins_capture(bytes: &[u8]) -> bool {
    pcap::begins(bytes) || pcapng::begins(bytes)
}

/// Looks for a header, or for several whole records in a row; `near` is the time of the record before.
pub(crate) fn find(format: &Format, bytes: &[u8], near: Option<i64>, at_end: bool) -> Resumption {
    let mut at = 0;
    while at < bytes.len() {
        match run(format, &bytes[at..], near, at_end) {
            Some(true) => return Resumption::At(at),
            None => return Resumption::NotIn(at),
            Some(false) => at += 1,
        }
        // No record begins with a word of zeros.
        if bytes[at..].starts_with(&[0; 16]) {
            let zeros = bytes[at..].iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - at);
            at += if zeros == bytes.len() - at && at_end { zeros } else { zeros - 3 };
        }
    }
    Resumption::NotIn(at)
}

/// Whether several records in a row begin here; `None` if there are too few bytes to tell.
fn run(format: &Format, bytes: &[u8], near: Option<i64>, at_end: bool) -> Option<bool> {
    let mut rest = bytes;
    for records in 0..ENOUGH {
        if rest.len() < 16 {
            let reaches_end = rest.is_empty() && records > 0 && near.is_some();
            return at_end.then_some(reaches_end || records >= ENOUGH_AND_CUT);
        }
        if begins_capture(rest) {
            return Some(true);
        }
        match format.step(rest, near, records == 0) {
            Step::No => return Some(false),
            Step::Unsure if at_end => return Some(records >= ENOUGH_AND_CUT),
            Step::Unsure => return None,
            Step::Len(len) => match rest.get(len..) {
                Some(behind) => rest = behind,
                None if at_end => return Some(records >= ENOUGH_AND_CUT),
                None => return None,
            },
        }
    }
    Some(true)
}
