//! What the datagrams of one 5-tuple and window say together, whatever their order (docs/quic.md#progress).

use cutshort_packet::quic::{Datagram, Frames, Kinds, Opened, Version};

use super::signatures::Last;
use crate::verdict::SECOND;
use crate::{Progress, Tag, Tags};

/// The least time in nanoseconds from the first to the last of packets that are called repeated: shorter than the first
/// probe timeout of clients (docs/quic.md#handshake-repeated).
pub const REPEATED: i64 = 150 * SECOND / 1000;
/// The time in nanoseconds after which another destination id without a token is another connection
/// (docs/quic.md#multiple-connections).
pub const ANOTHER: i64 = 10 * SECOND;
/// No server may answer a smaller datagram with an Initial (RFC 9000, 14.1) or another version (6.1): bytes of payload.
pub const FULL_SIZE: u16 = 1200;
/// Clients choose their first destination id at least as long (RFC 9000, 7.2): bytes.
pub const CLIENT_ID: u8 = 8;
/// Datagrams that may follow Handshake packets that are called repeated (docs/quic.md#handshake-repeated).
pub const FEW: usize = 3;

/// The datagrams of one connection: there is an Initial row among them.
pub(super) struct Facts<'a> {
    rows: &'a [&'a Datagram],
    /// Time of the earliest Initial row.
    since: i64,
    retried: bool,
    pub(super) answered: bool,
    pub(super) handshake_repeated: bool,
    pub(super) multiple: bool,
}

impl<'a> Facts<'a> {
    /// Reads the datagrams, of which the earliest with an Initial packet came at `since`.
    pub(super) fn of(rows: &'a [&'a Datagram], since: i64) -> Self {
        let mut facts =
            Self { rows, since, retried: false, answered: false, handshake_repeated: false, multiple: false };
        let ids = facts.ids();
        facts.retried = ids >= 2 && different(facts.initials().filter_map(|row| row.token)) >= 2;
        facts.answered = facts.is_answered(ids);
        facts.handshake_repeated = facts.is_handshake_repeated();
        facts.multiple = facts.is_multiple(ids);
        facts
    }

    fn all(&self) -> impl Iterator<Item = &'a Datagram> + Clone + use<'a> {
        self.rows.iter().copied()
    }

    fn with(&self, kinds: Kinds) -> impl Iterator<Item = &'a Datagram> + Clone + use<'a> {
        self.all().filter(move |row| row.kinds.intersects(kinds))
    }

    fn initials(&self) -> impl Iterator<Item = &'a Datagram> + Clone + use<'a> {
        self.with(Kinds::INITIAL)
    }

    /// D: the number of different destination ids of one version, the largest of all versions.
    fn ids(&self) -> usize {
        let counts =
            |row: &&Datagram| !(row.kinds.intersects(Kinds::INITIAL) && row.opened == Opened::Failed);
        let ids = self.all().filter(counts).filter_map(|row| Some((row.version, row.dcid?)));
        let of_version = |version| different(ids.clone().filter(|id| id.0 == version).map(|id| id.1));
        ids.clone().map(|(version, _)| of_version(version)).max().unwrap_or_default()
    }

    /// R.
    fn retries(&self) -> usize {
        usize::from(self.retried)
    }

    fn is_answered(&self, ids: usize) -> bool {
        let all_tried = self.initials().all(|row| row.opened != Opened::No);
        self.with(Kinds::HANDSHAKE | Kinds::SHORT).next().is_some()
            || self.initials().any(|row| row.opened == Opened::EarlierId)
            || self.all().any(|row| row.frames.intersects(Frames::ACK))
            || !all_tried && ids >= 2 + self.retries()
    }

    fn is_handshake_repeated(&self) -> bool {
        let times = self.with(Kinds::HANDSHAKE).map(|row| row.ts);
        let Some((first, last)) = ends(times.clone()) else { return false };
        times.count() >= 3
            && last.saturating_sub(first) >= REPEATED
            && self.all().filter(|row| row.ts > last).count() <= FEW
    }

    fn is_multiple(&self, ids: usize) -> bool {
        let mut without_token = self.initials().filter(|row| row.has_token() == Some(false));
        different(self.all().filter_map(|row| row.scid)) >= 2
            || ids > 2 + self.retries()
            || without_token.any(|row| self.begins_another(row) || self.comes_late(row))
    }

    /// Whether an Initial row without a token was opened by its own id, and none of the earliest Initial rows has that id.
    fn begins_another(&self, row: &Datagram) -> bool {
        let mut earliest = self.initials().filter(|other| other.ts == self.since);
        row.opened == Opened::OwnId && row.dcid.is_some() && earliest.all(|other| other.dcid != row.dcid)
    }

    /// Whether an Initial row without a token comes long after the earliest one, with an id that no earlier row has.
    fn comes_late(&self, row: &Datagram) -> bool {
        let mut earlier = self.all().filter(|other| other.ts < row.ts);
        row.opened != Opened::EarlierId
            && row.ts.saturating_sub(self.since) > ANOTHER
            && row.dcid.is_some()
            && earlier.all(|other| other.dcid != row.dcid)
    }

    pub(super) fn progress(&self) -> Progress {
        let short = self.with(Kinds::SHORT).count();
        let short_alone =
            self.with(Kinds::SHORT).filter(|row| !row.kinds.intersects(Kinds::HANDSHAKE)).count();
        match () {
            () if !self.answered => Progress::PostSyn,
            () if short == 0 => Progress::PostAck,
            () if short_alone <= 1 || self.handshake_repeated => Progress::PostPsh,
            () => Progress::Later,
        }
    }

    /// What was last seen, of a connection with a stage.
    pub(super) fn last(&self) -> Last {
        match self.progress() {
            Progress::PostSyn if self.retried => Last::Retry,
            Progress::PostSyn if self.is_initial_repeated() => Last::InitialRepeated,
            Progress::PostSyn => Last::Initial,
            _ if self.handshake_repeated => Last::HandshakeRepeated,
            Progress::PostAck if self.with(Kinds::HANDSHAKE).next().is_none() => Last::Answer,
            Progress::PostAck => Last::Handshake,
            Progress::PostPsh | Progress::Later => Last::OneRtt,
        }
    }

    fn is_initial_repeated(&self) -> bool {
        let open = || self.initials().filter(|row| !row.frames.intersects(Frames::CLOSE));
        let is_repeated = |id: u64| {
            let same = open().filter(|row| row.dcid == Some(id)).map(|row| row.ts);
            ends(same).is_some_and(|(first, last)| last.saturating_sub(first) >= REPEATED)
        };
        !self.answered && open().filter_map(|row| row.dcid).any(is_repeated)
    }

    fn is_dcid_short(&self) -> bool {
        let mut ids = self.all().filter(|row| row.dcid.is_some()).peekable();
        !self.answered
            && !self.retried
            && self.initials().all(|row| row.has_token() != Some(true))
            && ids.peek().is_some()
            && ids.all(|row| row.dcid_len < CLIENT_ID)
    }

    fn is_version_changed(&self) -> bool {
        different(self.initials().map(|row| u64::from(row.version))) >= 2
            || self.with(Kinds::OTHER_VERSION).next().is_some()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.all().any(|row| row.frames.intersects(Frames::CLOSE))
    }

    /// The error code of the earliest CLOSE, of equally early ones the smallest.
    pub(super) fn close_code(&self) -> Option<u64> {
        self.all().filter_map(|row| Some((row.ts, row.close_code?))).min().map(|(_, code)| code)
    }

    /// All tags but those that depend on the termination, on ICMP errors and on the other direction.
    pub(super) fn tags(&self) -> Tags {
        let versions = || self.initials().filter_map(Datagram::known_version);
        let is_draft = |version| !matches!(version, Version::V1 | Version::V2);
        let mut tags = Tags::default();
        tags.set_if(Tag::QuicAnswered, self.answered);
        tags.set_if(Tag::Retry, self.retried);
        tags.set_if(Tag::Token, self.initials().all(|row| row.has_token() == Some(true)));
        tags.set_if(Tag::ZeroRtt, self.with(Kinds::ZERO_RTT).next().is_some());
        tags.set_if(Tag::InitialRepeated, self.is_initial_repeated());
        tags.set_if(Tag::HandshakeRepeated, self.handshake_repeated);
        tags.set_if(Tag::V2, versions().any(|version| version == Version::V2));
        tags.set_if(Tag::Draft, versions().any(is_draft));
        tags.set_if(Tag::VersionChanged, self.is_version_changed());
        tags.set_if(Tag::Undersized, self.initials().all(|row| row.len < FULL_SIZE));
        tags.set_if(Tag::ShortDcid, self.is_dcid_short());
        let all_failed = self.initials().all(|row| row.opened == Opened::Failed);
        tags.set_if(Tag::NotOpened, !self.answered && all_failed);
        tags
    }
}

/// The earliest and the latest of times.
pub(super) fn ends(times: impl Iterator<Item = i64>) -> Option<(i64, i64)> {
    times.fold(None, |ends, ts| {
        let (first, last) = ends.unwrap_or((ts, ts));
        Some((first.min(ts), last.max(ts)))
    })
}

/// The number of different values.
fn different(values: impl Iterator<Item = u64>) -> usize {
    let mut all: Vec<u64> = values.collect();
    all.sort_unstable();
    all.dedup();
    all.len()
}
