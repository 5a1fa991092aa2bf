use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

/// Whose connections a packet socket samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    /// Those that clients open to this host (data set `tcp`).
    #[default]
    Clients,
    /// Those that this host opens (data set `origin`).
    Opened,
    /// Connections of both sides.
    Both,
}

impl Sides {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clients, Self::Opened, Self::Both];

    /// The names of the data sets in settings.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Clients => &["tcp"],
            Self::Opened => &["origin"],
            Self::Both => &["tcp", "origin"],
        }
    }

    /// Whether those of clients are sampled.
    #[must_use]
    pub const fn has_clients(self) -> bool {
        matches!(self, Self::Clients | Self::Both)
    }

    /// Whether those that this host opens are sampled.
    #[must_use]
    pub const fn has_opened(self) -> bool {
        matches!(self, Self::Opened | Self::Both)
    }
}

/// The settings of a live source.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// N of "1 in N" connections: the sampling of a packet socket, and the sample rate of netfilter log packets whose
    /// rule does not state it (cutshort's own rules do).
    pub rate: NonZeroU32,
    /// Whose connections a packet socket samples. Rules have their own setting, and what they log says which it is.
    pub sides: Sides,
    /// The maximum number of packets per connection; of one that this host opens [`OPENED_MORE`](crate::OPENED_MORE) more,
    /// and [`OPENED_ERRORS`](crate::OPENED_ERRORS) ICMP errors.
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
    /// Networks whose connections a packet socket leaves out: of clients, or of servers that this host connects to.
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
            sides: Sides::default(),
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
