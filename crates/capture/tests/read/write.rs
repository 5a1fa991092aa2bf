//! Captures as bytes.

use std::io::Write;

use cutshort_packet::Frame;

/// A record, as it is written and as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) ts: i64,
    pub(crate) wire_len: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Record {
    pub(crate) fn of(frame: Frame<'_>) -> Self {
        Self { ts: frame.ts, wire_len: frame.wire_len, bytes: frame.bytes.to_vec() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

impl Order {
    pub(crate) const BOTH: [Self; 2] = [Self::Little, Self::Big];

    pub(crate) fn u16(self, value: u16) -> [u8; 2] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn u32(self, value: u32) -> [u8; 4] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    pub(crate) fn i64(self, value: i64) -> [u8; 8] {
        if self == Self::Little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    fn u32s(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }
}

pub(crate) const ETHERNET: u32 = 1;

/// The kinds of classic pcap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pcap {
    Microseconds,
    Nanoseconds,
    /// Kuznetzov's, with more fields in the headers of records.
    Modified,
}

impl Pcap {
    pub(crate) fn header(self, order: Order, network: u32) -> Vec<u8> {
        let magic = match self {
            Self::Microseconds => 0xa1b2_c3d4,
            Self::Nanoseconds => 0xa1b2_3c4d,
            Self::Modified => 0xa1b2_cd34,
        };
        let version = [order.u16(2), order.u16(4)].concat();
        [order.u32(magic).to_vec(), version, order.u32s(&[0, 0, 262_144, network])].concat()
    }

    /// Nanoseconds per unit.
    pub(crate) const fn unit(self) -> i64 {
        if matches!(self, Self::Nanoseconds) { 1 } else { 1000 }
    }

    pub(crate) fn record(self, order: Order, record: &Record) -> Vec<u8> {
        let seconds = record.ts.div_euclid(1_000_000_000) as u32;
        let fraction = (record.ts.rem_euclid(1_000_000_000) / self.unit()) as u32;
        let mut bytes = order.u32s(&[seconds, fraction, record.bytes.len() as u32, record.wire_len]);
        if self == Self::Modified {
            // Interface index, protocol, packet type, padding.
            bytes.extend([2, 0, 0, 0, 8, 0, 4, 0]);
        }
        bytes.extend(&record.bytes);
        bytes
    }

    pub(crate) fn file(self, order: Order, network: u32, records: &[Record]) -> Vec<u8> {
        let records = records.iter().flat_map(|record| self.record(order, record));
        self.header(order, network).into_iter().chain(records).collect()
    }
}

/// An Ethernet capture of the most usual kind.
pub(crate) fn pcap(records: &[Record]) -> Vec<u8> {
    Pcap::Microseconds.file(Order::Little, ETHERNET, records)
}

/// Blocks of a pcapng section.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pcapng(pub(crate) Order);

pub(crate) const IF_TSRESOL: u16 = 9;
pub(crate) const IF_TSOFFSET: u16 = 14;
pub(crate) const SHB_USERAPPL: u16 = 4;
pub(crate) const COMMENT: u16 = 1;

impl Pcapng {
    pub(crate) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let len = self.0.u32(padded as u32 + 12);
        let mut block = [&self.0.u32(kind), &len, body].concat();
        block.resize(8 + padded, 0);
        block.extend(len);
        block
    }

    /// Options, and what ends them.
    pub(crate) fn options(self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend(self.0.u16(*code));
            bytes.extend(self.0.u16(value.len() as u16));
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        if !options.is_empty() {
            bytes.extend([0; 4]);
        }
        bytes
    }

    pub(crate) fn section(self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let start = [&self.0.u32(0x1a2b_3c4d)[..], &self.0.u16(1), &self.0.u16(0), &self.0.i64(-1)].concat();
        self.block(0x0a0d_0d0a, &[start, self.options(options)].concat())
    }

    pub(crate) fn interface(self, link: u16, snap_len: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let start = [&self.0.u16(link)[..], &[0, 0], &self.0.u32(snap_len)].concat();
        self.block(1, &[start, self.options(options)].concat())
    }

    /// An enhanced packet block. The record's time is in units of the interface's resolution.
    pub(crate) fn enhanced(self, interface: u32, record: &Record, options: &[(u16, &[u8])]) -> Vec<u8> {
        let (high, low) = (((record.ts as u64) >> 32) as u32, record.ts as u32);
        let mut body = self.0.u32s(&[interface, high, low, record.bytes.len() as u32, record.wire_len]);
        body.extend(&record.bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.options(options));
        self.block(6, &body)
    }

    pub(crate) fn simple(self, record: &Record) -> Vec<u8> {
        self.block(3, &[&self.0.u32(record.wire_len)[..], &record.bytes].concat())
    }

    /// The obsolete packet block.
    pub(crate) fn obsolete(self, interface: u16, record: &Record) -> Vec<u8> {
        let (high, low) = (((record.ts as u64) >> 32) as u32, record.ts as u32);
        let drops = 0xffff;
        let start = [self.0.u16(interface), self.0.u16(drops)].concat();
        let rest = self.0.u32s(&[high, low, record.bytes.len() as u32, record.wire_len]);
        let mut body = [start, rest, record.bytes.clone()].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.options(&[(COMMENT, b"obsolete")]));
        self.block(2, &body)
    }

    /// A section with one Ethernet interface that counts nanoseconds.
    pub(crate) fn start(self) -> Vec<u8> {
        [self.section(&[]), self.interface(1, 0, &[(IF_TSRESOL, &[9])])].concat()
    }

    pub(crate) fn file(self, records: &[Record]) -> Vec<u8> {
        let records = records.iter().flat_map(|record| self.enhanced(0, record, &[]));
        self.start().into_iter().chain(records).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
    Xz,
}

impl Compression {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Gzip, Self::Zstd, Self::Xz];
    pub(crate) const COMPRESSED: [Self; 3] = [Self::Gzip, Self::Zstd, Self::Xz];

    pub(crate) fn compress(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::None => bytes.to_vec(),
            Self::Gzip => {
                let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gzip.write_all(bytes).unwrap();
                gzip.finish().unwrap()
            }
            Self::Zstd => zstd::encode_all(bytes, 1).unwrap(),
            Self::Xz => {
                let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 0);
                xz.write_all(bytes).unwrap();
                xz.finish().unwrap()
            }
        }
    }
}
