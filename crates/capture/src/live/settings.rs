use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

/// The settings of a live source.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// N of "1 in N" connections: the sampling of a packet socket, and the sample rate of netfilter log packets whose
    /// rule does not state it (cutshort's own rules do).
    pub rate: NonZeroU32,
    /// The maximum number of packets per connection.
    pub limit: u32,
    /// How long a connection is remembered, from its first packet. A window is 15 minutes.
    pub keep: Duration,
    /// The maximum number of connections that are remembered.
    pub size: usize,
    /// The secret of the sampling; random if none. A packet socket selects the same connections as rules with the
    /// same seed.
    pub seed: Option<u32>,
    /// Server ports whose connections a packet socket takes; all if empty.
    pub ports: Vec<u16>,
    /// Client networks whose connections a packet socket leaves out.
    pub exclude: Vec<IpNet>,
    /// The number of bytes that are taken of each packet, which are the headers. Rules have their own setting.
    pub snaplen: u32,
    /// The size of the kernel's buffer in bytes.
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
