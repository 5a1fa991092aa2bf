use std::net::Ipv6Addr;

use cutshort_model::Addresses;
use cutshort_packet::FiveTuple;

use super::FlowKey;

/// A [`FlowKey`] as numbers, in the order of segments. Comparing these keys takes most of the time of reading a
/// window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey {
    /// The client's address; IPv4 as IPv4-mapped.
    pub src_ip: u128,
    /// The client's port.
    pub src_port: u16,
    /// The server's address; IPv4 as IPv4-mapped.
    pub dst_ip: u128,
    /// The server's port.
    pub dst_port: u16,
    /// Distinguishes flows whose addresses became equal when they were protected; else 0.
    pub flow: u64,
    /// How much of its addresses is kept.
    pub addresses: Addresses,
}

impl SortKey {
    /// Converts a flow key.
    pub const fn of(flow: &FlowKey) -> Self {
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

    /// Addresses and ports, client first.
    pub const fn five_tuple(&self) -> FiveTuple {
        FiveTuple {
            src_ip: Ipv6Addr::from_bits(self.src_ip),
            src_port: self.src_port,
            dst_ip: Ipv6Addr::from_bits(self.dst_ip),
            dst_port: self.dst_port,
        }
    }

    /// Converts back to a flow key.
    pub const fn flow_key(&self) -> FlowKey {
        FlowKey { five_tuple: self.five_tuple(), addresses: self.addresses, flow: self.flow }
    }
}
