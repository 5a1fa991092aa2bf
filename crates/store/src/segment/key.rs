use std::net::Ipv6Addr;

use cutshort_packet::FiveTuple;

/// A 5-tuple in the order of segments, as numbers: comparing them is what reading a window mostly does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) src_ip: u128,
    pub(crate) src_port: u16,
    pub(crate) dst_ip: u128,
    pub(crate) dst_port: u16,
}

impl Key {
    pub(crate) const fn of(tuple: &FiveTuple) -> Self {
        Self {
            src_ip: tuple.src_ip.to_bits(),
            src_port: tuple.src_port,
            dst_ip: tuple.dst_ip.to_bits(),
            dst_port: tuple.dst_port,
        }
    }

    pub(crate) const fn five_tuple(&self) -> FiveTuple {
        FiveTuple {
            src_ip: Ipv6Addr::from_bits(self.src_ip),
            src_port: self.src_port,
            dst_ip: Ipv6Addr::from_bits(self.dst_ip),
            dst_port: self.dst_port,
        }
    }
}
