//! Datagrams of the data set `quic` as rows of segments.
//!
//! They are kept like packets, in columns with names of their own: what both have is in the same place, and ids follow.

use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened};
use cutshort_packet::{Flags, Packet};

use super::{Keepable, Protected, Protection, Recordable};

/// The fields of a datagram that no packet has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ids {
    /// As [`Datagram::icmp`].
    pub icmp: Option<Icmp>,
    /// As [`Datagram::dcid`].
    pub dcid: Option<u64>,
    /// As [`Datagram::scid`].
    pub scid: Option<u64>,
    /// As [`Datagram::token`].
    pub token: Option<u64>,
    /// As [`Datagram::close_code`].
    pub close_code: Option<u64>,
}

impl Ids {
    /// The encoded size in bytes.
    pub(crate) const BYTES: usize = 34;

    /// The numbers that may be missing, in the order of their columns.
    pub(super) const fn numbers(&self) -> [Option<u64>; 4] {
        [self.dcid, self.scid, self.token, self.close_code]
    }

    /// The number of the column `icmp`.
    pub(super) fn icmp_number(&self) -> u32 {
        self.icmp.map_or(0, |icmp| icmp.number().into())
    }

    /// One bit for each of the [numbers](Self::numbers) that is there.
    pub(super) fn present(&self) -> u32 {
        let bits = self.numbers().into_iter().enumerate();
        bits.map(|(bit, number)| u32::from(number.is_some()) << bit).sum()
    }

    /// From the values of its columns, which must be in their bounds.
    pub(super) fn of(icmp: u32, present: u32, numbers: [u64; 4]) -> Self {
        let number = |at: usize| (present >> at & 1 == 1).then_some(numbers[at]);
        Self {
            icmp: u8::try_from(icmp).ok().and_then(Icmp::from_number),
            dcid: number(0),
            scid: number(1),
            token: number(2),
            close_code: number(3),
        }
    }

    /// From the bytes that [`to_bytes`](Self::to_bytes) made; `None` if there are too few.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (numbers, &[icmp, present]) = bytes.first_chunk::<{ Self::BYTES }>()?.split_last_chunk()?;
        let (numbers, _) = numbers.as_chunks();
        let numbers =
            std::array::from_fn(|at| numbers.get(at).map_or(0, |number| u64::from_le_bytes(*number)));
        Some(Self::of(icmp.into(), present.into(), numbers))
    }

    /// All fields in little endian.
    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        for (chunk, number) in bytes.chunks_exact_mut(8).zip(self.numbers()) {
            chunk.copy_from_slice(&number.unwrap_or(0).to_le_bytes());
        }
        bytes[32..].copy_from_slice(&[self.icmp_number() as u8, self.present() as u8]);
        bytes
    }
}

/// A datagram or ICMP error as a segment holds it, with the protection of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptDatagram {
    packet: Packet,
    protection: Protection,
    ids: Ids,
}

impl From<&Datagram> for KeptDatagram {
    fn from(row: &Datagram) -> Self {
        let Datagram { icmp, dcid, scid, token, close_code, .. } = *row;
        let packet = Packet {
            ts: row.ts,
            five_tuple: row.five_tuple,
            ip_id: row.ip_id,
            ttl: row.ttl,
            flags: Flags::from_bits(row.kinds.bits().into()),
            seq: row.version,
            ack: row.opened.number().into(),
            tcp_window: row.len,
            options_len: row.dcid_len,
            payload_len: row.frames.bits().into(),
            sample_rate: row.sample_rate,
            ..Packet::ZERO
        };
        Self { packet, protection: Protection::NONE, ids: Ids { icmp, dcid, scid, token, close_code } }
    }
}

impl KeptDatagram {
    /// Puts a datagram together from what [`packet`](Keepable::packet) and [`ids`](Keepable::ids) had, with the protection of
    /// its addresses.
    #[must_use]
    pub const fn new(by: Protected, ids: Ids) -> Self {
        Self { packet: by.packet, protection: by.protection, ids }
    }

    /// The datagram, with its addresses as they are kept.
    #[must_use]
    pub fn datagram(&self) -> Datagram {
        datagram(&self.packet, &self.ids)
    }

    /// The same with its fields that packets have replaced by those of [`packet`](Keepable::packet) with protected addresses.
    #[must_use]
    pub const fn protected(self, by: Protected) -> Self {
        Self::new(by, self.ids)
    }
}

/// The datagram of a row.
pub(super) fn datagram(row: &Packet, ids: &Ids) -> Datagram {
    let byte = |number: u32| number as u8;
    Datagram {
        ts: row.ts,
        five_tuple: row.five_tuple,
        ip_id: row.ip_id,
        ttl: row.ttl,
        sample_rate: row.sample_rate,
        len: row.tcp_window,
        kinds: Kinds::from_bits(row.flags.bits() as u8),
        version: row.seq,
        dcid: ids.dcid,
        scid: ids.scid,
        dcid_len: row.options_len,
        token: ids.token,
        opened: Opened::from_number(byte(row.ack)).unwrap_or_default(),
        frames: Frames::from_bits(byte(row.payload_len)),
        close_code: ids.close_code,
        icmp: ids.icmp,
    }
}

impl Keepable for KeptDatagram {
    fn packet(&self) -> &Packet {
        &self.packet
    }

    fn protection(&self) -> &Protection {
        &self.protection
    }

    fn ids(&self) -> Option<&Ids> {
        Some(&self.ids)
    }
}

impl Recordable for KeptDatagram {
    const MORE_BYTES: usize = Ids::BYTES;

    fn from_recorded(kept: Protected, more: &[u8]) -> Option<Self> {
        Some(Self { packet: kept.packet, protection: kept.protection, ids: Ids::from_bytes(more)? })
    }
}
