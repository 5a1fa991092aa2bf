use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

/// How packets are received.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// N of "1 in N" connections: what a packet socket takes, and what packets of the netfilter
    /// log are said to be where their rule does not tell (cutshort's own rules do).
    pub rate: NonZeroU32,
    /// How many packets of each connection are taken.
    pub limit: u32,
    /// How long a connection is remembered, from its first packet. A window is 15 minutes.
    pub keep: Duration,
    /// How many connections are remembered.
    pub size: usize,
    /// The sampling's secret; random if none. A packet socket takes the connections that rules
    /// with the same seed take.
    pub seed: Option<u32>,
    /// Ports of servers whose connections a packet socket takes; all if empty.
    pub ports: Vec<u16>,
    /// Networks of clients whose connections a packet socket leaves out.
    pub exclude: Vec<IpNet>,
    /// Bytes that are taken of each packet: the headers and no more. Rules have their own.
    pub snaplen: u32,
    /// Bytes of kernel memory for packets that are not yet received.
    pub buffer: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            rate: NonZeroU32::MIN,
            limit: 10,
            keep: Duration::from_mins(15),
            size: 1 << 20,
            seed: None,
            ports: Vec::new(),
            exclude: Vec::new(),
            snaplen: 128,
            buffer: 64 << 20,
        }
    }
}
