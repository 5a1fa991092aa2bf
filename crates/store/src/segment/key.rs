use std::net::Ipv6Addr;

use cutshort_packet::FiveTuple;
use cutshort_report::connection::Addresses;

use super::FlowKey;

/// A [`FlowKey`] in the order of segments, as numbers: comparing them is what reading a window mostly does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) src_ip: u128,
    pub(crate) src_port: u16,
    pub(crate) dst_ip: u128,
    pub(crate) dst_port: u16,
    pub(crate) flow: u64,
    pub(crate) addresses: Addresses,
}

impl Key {
    pub(crate) const fn of(flow: &FlowKey) -> Self {
        let FlowKey { five_tuple, addresses, flow } = flow;
        Self {
            src_ip: five_tuple.src_ip.to_bits(),
            src_port: five_tuple.src_port,
            dst_ip: five_tuple.dst_ip.to_bits(),
            dst_port: five_tuple.dst_port,
            flow: *flow,
            addresses: *addresses,
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

    pub(crate) const fn flow_key(&self) -> FlowKey {
        FlowKey { five_tuple: self.five_tuple(), addresses: self.addresses, flow: self.flow }
    }
}
