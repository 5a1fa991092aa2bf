//! What the rules take from the rows of one 5-tuple and window.

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Icmp, Kinds};

use super::facts::{FULL_SIZE, Facts, ends};
use super::signatures::Last;
use crate::verdict::SECOND;
use crate::{Progress, Tag, Tags};

/// The time in nanoseconds after the latest datagram in which an ICMP error says that the client is gone
/// (docs/quic.md#termination).
pub const GONE: i64 = 2 * SECOND;

/// The findings in the rows of one 5-tuple and window: all that the rules take from them.
///
/// They do not depend on the order of the rows, so rows of several servers, shards or files only have to be put together
/// (docs/quic.md#connection). With a [`Context`] they give a [`Verdict`](crate::Verdict).
///
/// ```
/// use cutshort_packet::FiveTuple;
/// use cutshort_packet::quic::{Datagram, Frames, Kinds, Opened};
/// use cutshort_verdict::quic::{Context, Findings};
/// use cutshort_verdict::{DataSet, Rules, Termination};
///
/// let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// let initial = Datagram { five_tuple, kinds: Kinds::INITIAL, version: 1, len: 1200, ..Datagram::ZERO };
/// let close =
///     Datagram { ts: 40, opened: Opened::OwnId, frames: Frames::CLOSE, close_code: Some(0x12a), ..initial };
///
/// let findings = Findings::of(&[close, initial]).unwrap();
/// let around = Context { cutoff: 900_000_000_000, other: None };
/// let verdict = findings.judge(&Rules::of(DataSet::Quic), &around)?;
/// assert_eq!((verdict.termination, verdict.close_code), (Termination::Close, Some(0x12a)));
/// assert_eq!((verdict.version, verdict.last_ts), (1, 40));
/// # Ok::<(), cutshort_verdict::Exclusion>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The 5-tuple of the rows.
    pub five_tuple: FiveTuple,
    /// Time of the earliest row, in nanoseconds since the Unix epoch.
    pub first_ts: i64,
    /// Time of the latest row, in nanoseconds since the Unix epoch.
    pub last_ts: i64,
    /// Number of rows that are datagrams.
    pub packets: u32,
    /// Times of the earliest and the latest datagram.
    pub(super) datagrams: (i64, i64),
    /// Another version is spoken, in a datagram that a server may answer.
    pub(super) has_other_version: bool,
    has_answer: bool,
    /// `None` without an Initial row.
    pub(super) connection: Option<Connection>,
}

/// What the rules take from the rows of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// Of the earliest Initial row.
    pub(super) since: i64,
    pub(super) version: u32,
    pub(super) ttl: u8,
    pub(super) sample_rate: u32,
    pub(super) is_multiple: bool,
    pub(super) progress: Progress,
    pub(super) last: Last,
    /// All tags but those that depend on the termination and on the other direction.
    pub(super) tags: Tags,
    pub(super) is_closed: bool,
    pub(super) close_code: Option<u64>,
    pub(super) is_client_gone: bool,
}

/// What the rules need to know about a 5-tuple and window apart from its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The window's end, or the time of the latest record of the input if that is earlier, in nanoseconds since the Unix
    /// epoch (docs/spec.md#cutoff).
    pub cutoff: i64,
    /// What the other direction has in the same window; `None` if it has no datagram.
    pub other: Option<Other>,
}

/// What the rules need to know about the other direction, from [`Findings::as_other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// Time of its earliest Initial row.
    pub(super) first_initial: Option<i64>,
    pub(super) has_other_version: bool,
    /// It has Initial, Handshake or 1-RTT packets.
    pub(super) has_answer: bool,
}

impl Findings {
    /// Reads the rows of one 5-tuple and window, in any order. Returns `None` if there is no datagram among them: ICMP errors
    /// alone are nothing.
    #[must_use]
    pub fn of(rows: &[Datagram]) -> Option<Self> {
        let datagrams: Vec<&Datagram> = rows.iter().filter(|row| !row.is_icmp()).collect();
        let (first, last) = ends(datagrams.iter().map(|row| row.ts))?;
        let has = |kinds| datagrams.iter().any(|row| row.kinds.intersects(kinds));
        let is_other = |row: &&Datagram| row.kinds.intersects(Kinds::OTHER_VERSION) && row.len >= FULL_SIZE;
        let initial = earliest_initial(&datagrams);
        let icmp = || initial.into_iter().flat_map(|initial| errors(rows, initial.ts));
        let (_, latest) = ends(icmp().map(|row| row.ts).chain([last]))?;
        Some(Self {
            five_tuple: datagrams[0].five_tuple,
            first_ts: first,
            last_ts: latest,
            packets: u32::try_from(datagrams.len()).unwrap_or(u32::MAX),
            datagrams: (first, last),
            has_other_version: datagrams.iter().any(is_other),
            has_answer: has(Kinds::INITIAL | Kinds::HANDSHAKE | Kinds::SHORT),
            connection: initial.map(|initial| Connection::of(&datagrams, &initial, icmp, last)),
        })
    }

    /// Returns what the verdict on the other direction takes from them.
    #[must_use]
    pub fn as_other(&self) -> Other {
        Other {
            first_initial: self.first_initial(),
            has_other_version: self.has_other_version,
            has_answer: self.has_answer,
        }
    }

    pub(super) fn first_initial(&self) -> Option<i64> {
        self.connection.map(|connection| connection.since)
    }
}

/// The ICMP rows that mean something: those not earlier than the first Initial row.
pub(super) fn errors(rows: &[Datagram], since: i64) -> impl Iterator<Item = &Datagram> {
    rows.iter().filter(move |row| row.is_icmp() && row.ts >= since)
}

/// The earliest Initial row. Of equally early ones each of the values is the smallest.
fn earliest_initial(datagrams: &[&Datagram]) -> Option<Datagram> {
    let mut initials = datagrams.iter().filter(|row| row.kinds.intersects(Kinds::INITIAL));
    let mut earliest = **initials.next()?;
    for row in initials {
        if row.ts < earliest.ts {
            earliest = **row;
        } else if row.ts == earliest.ts {
            earliest.version = earliest.version.min(row.version);
            earliest.ttl = earliest.ttl.min(row.ttl);
            earliest.sample_rate = earliest.sample_rate.min(row.sample_rate);
        }
    }
    Some(earliest)
}

impl Connection {
    /// `last` is the time of the latest datagram.
    fn of<'a, I: Iterator<Item = &'a Datagram>>(
        datagrams: &[&Datagram],
        initial: &Datagram,
        icmp: impl Fn() -> I,
        last: i64,
    ) -> Self {
        let facts = Facts::of(datagrams, initial.ts);
        let says = |what: Icmp| icmp().any(|row| row.icmp == Some(what));
        let is_gone = |row: &Datagram| {
            row.icmp == Some(Icmp::Port) && row.ts > last && row.ts.saturating_sub(last) <= GONE
        };
        let mut tags = facts.tags();
        tags.set_if(Tag::IcmpOther, says(Icmp::Other));
        tags.set_if(Tag::ServerRefused, says(Icmp::Server));
        Self {
            since: initial.ts,
            version: initial.version,
            ttl: initial.ttl,
            sample_rate: initial.sample_rate,
            is_multiple: facts.multiple,
            progress: facts.progress(),
            last: facts.last(),
            tags,
            is_closed: facts.is_closed(),
            close_code: facts.close_code(),
            is_client_gone: icmp().any(is_gone),
        }
    }
}
