//! The verdict (docs/quic.md#termination).

use cutshort_packet::FiveTuple;

use super::facts::REPEATED;
use super::findings::Connection;
use super::{Context, Findings, Other};
use crate::{DataSet, Exclusion, Outcome, Progress, Rules, Stage, Tag, Termination, Verdict};

/// The rule that decided a connection's termination: the first one that held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Rule 1: our own side refused, and the client had no answer.
    Refused,
    /// Rule 2: the client closed the connection.
    Closed,
    /// Rule 3: all datagrams that are kept came, and it was answered.
    Full,
    /// Rule 4: all datagrams that are kept came at once.
    Burst,
    /// Rule 5: the client's host has no such socket.
    Gone,
    /// Rule 6: it was not silent for long enough.
    TooLate,
    /// Rule 7: nothing is missing.
    Later,
    /// Rule 8.
    Timeout,
}

impl Ending {
    const fn termination(self) -> Result<Termination, Exclusion> {
        Ok(match self {
            Self::Refused => Termination::ServerUnreachable,
            Self::Closed => Termination::Close,
            Self::Full | Self::Burst | Self::Later => Termination::Open,
            Self::Gone => Termination::ClientGone,
            Self::TooLate => return Err(Exclusion::Incomplete),
            Self::Timeout => Termination::Timeout,
        })
    }
}

impl Findings {
    /// Applies the rules to the findings and returns the verdict.
    ///
    /// # Errors
    /// Returns the [`Exclusion`] by which the rows are left out of all totals.
    pub fn judge(&self, rules: &Rules, around: &Context) -> Outcome {
        let connection = self.connection(rules, around.other.as_ref())?;
        let termination = self.ending(connection, rules, around).termination()?;
        let stage = stage(termination, connection.progress);
        let mut tags = connection.tags;
        tags.set_if(Tag::Timeout, termination == Termination::Timeout);
        tags.set_if(Tag::QuicClose, termination == Termination::Close);
        tags.set_if(Tag::ClientGone, termination == Termination::ClientGone);
        tags.set_if(Tag::ServerAnswered, around.other.is_some_and(|other| other.has_answer));
        Ok(Verdict {
            data_set: DataSet::Quic,
            progress: connection.progress,
            termination,
            stage,
            tags,
            signature: connection.last.signature(termination, stage),
            rst_ttl_delta: None,
            rst_ip_id_delta: None,
            syn_ttl: connection.ttl,
            sample_rate: connection.sample_rate,
            packets: self.packets,
            first_ts: self.first_ts,
            last_ts: self.last_ts,
            silent: around.cutoff.saturating_sub(self.last_ts).max(0),
            handshake: None,
            first_byte: None,
            version: connection.version,
            close_code: connection.close_code,
        })
    }

    /// Tells whether the rows are one connection (docs/quic.md#connection).
    pub(super) fn connection(&self, rules: &Rules, other: Option<&Other>) -> Result<&Connection, Exclusion> {
        match &self.connection {
            _ if self.is_of_server(rules, other) => Err(Exclusion::NotClient),
            None if self.has_other_version => Err(Exclusion::OtherVersion),
            None => Err(Exclusion::NoInitial),
            Some(connection) if connection.is_multiple => Err(Exclusion::MultipleConnections),
            Some(connection) => Ok(connection),
        }
    }

    fn is_of_server(&self, rules: &Rules, other: Option<&Other>) -> bool {
        let FiveTuple { src_port, dst_port, .. } = self.five_tuple;
        if let Some(port) = rules.server_ports.only_of(src_port, dst_port) {
            return src_port == port;
        }
        let Some(others) = other.and_then(|other| other.first_initial) else { return false };
        // Of equally early ones the client's has the smaller destination.
        let destination = |five_tuple: &FiveTuple| (five_tuple.dst_port, five_tuple.dst_ip);
        self.first_initial().is_none_or(|own| {
            (own, destination(&self.five_tuple)) > (others, destination(&self.five_tuple.reversed()))
        })
    }

    /// Returns true if the rows count together with those of the other direction, and there: of a pair of 5-tuples without
    /// an Initial row only one is counted, as [`NoInitial`](Exclusion::NoInitial) (docs/quic.md#connection).
    #[must_use]
    pub fn counts_with_other(&self, rules: &Rules, other: Option<&Other>) -> bool {
        let FiveTuple { src_port, dst_port, .. } = self.five_tuple;
        let is_like_it = |other: &Other| other.first_initial.is_none() && !other.has_other_version;
        self.five_tuple > self.five_tuple.reversed()
            && rules.server_ports.only_of(src_port, dst_port).is_none()
            && self.connection.is_none()
            && !self.has_other_version
            && other.is_some_and(is_like_it)
    }

    /// Finds the first rule that holds.
    pub(super) fn ending(&self, connection: &Connection, rules: &Rules, around: &Context) -> Ending {
        let Connection { tags, progress, is_closed, is_client_gone, .. } = *connection;
        let answered = tags.contains(Tag::QuicAnswered);
        let is_full = self.packets >= rules.packet_limit;
        let (first, last) = self.datagrams;
        match () {
            () if !answered && tags.contains(Tag::ServerRefused) => Ending::Refused,
            () if is_closed => Ending::Closed,
            () if is_full && answered && !tags.contains(Tag::HandshakeRepeated) => Ending::Full,
            () if is_full && last.saturating_sub(first) <= REPEATED => Ending::Burst,
            () if is_client_gone => Ending::Gone,
            () if last > around.cutoff.saturating_sub(rules.guard) => Ending::TooLate,
            () if progress == Progress::Later => Ending::Later,
            () => Ending::Timeout,
        }
    }
}

/// Returns the stage of a connection from how it ended and how far it got (docs/quic.md#termination).
#[must_use]
pub const fn stage(termination: Termination, progress: Progress) -> Stage {
    match (termination, progress) {
        (Termination::Open | Termination::ServerUnreachable, _) => Stage::None,
        (_, Progress::PostSyn) => Stage::PostSyn,
        (_, Progress::PostAck) => Stage::PostAck,
        (_, Progress::PostPsh) => Stage::PostPsh,
        (_, Progress::Later) => Stage::None,
    }
}
