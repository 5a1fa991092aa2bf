use std::num::NonZeroU32;
use std::ops::BitOr;
use std::time::Duration;

use cutshort_packet::quic::{Datagram, Udp};
use ipnet::IpNet;

use super::{DATAGRAMS, DATAGRAMS_KEPT};

/// Data sets that a live source samples, as a set.
///
/// ```
/// use cutshort_capture::LiveSets;
///
/// let both = LiveSets::TCP | LiveSets::QUIC;
/// assert!(both.has(LiveSets::QUIC) && !both.has(LiveSets::ORIGIN));
/// assert_eq!(LiveSets::named(&["quic", "tcp"]), Some(both));
/// assert_eq!(both.names(), ["tcp", "quic"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSets(u8);

/// Connections of clients over TCP.
impl Default for LiveSets {
    fn default() -> Self {
        Self::TCP
    }
}

impl LiveSets {
    /// TCP connections that clients open to this host.
    pub const TCP: Self = Self(1);
    /// TCP connections that this host opens.
    pub const ORIGIN: Self = Self(2);
    /// QUIC connections that clients open to this host.
    pub const QUIC: Self = Self(4);

    /// Each of them, with the name of the data set.
    const NAMES: [(Self, &str); 3] = [(Self::TCP, "tcp"), (Self::ORIGIN, "origin"), (Self::QUIC, "quic")];

    /// The set of data sets with these names, each named once; `None` if there are none, or others.
    #[must_use]
    pub fn named(names: &[impl AsRef<str>]) -> Option<Self> {
        let found = names.iter().try_fold(Self(0), |all, name| {
            let (one, _) = Self::NAMES.into_iter().find(|(_, known)| *known == name.as_ref())?;
            (!all.has(one)).then_some(all | one)
        });
        found.filter(|all| all.0 != 0)
    }

    /// The names of the data sets.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        Self::NAMES.into_iter().filter(|(one, _)| self.has(*one)).map(|(_, name)| name).collect()
    }

    /// One bit for each of them.
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// Whether one of `other` is among them.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for LiveSets {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Fills in what opened Initial packets of a datagram show (docs/quic.md#opening), before nothing but its row is left.
pub type Open = dyn FnMut(&Udp<'_>, &mut Datagram) + Send;

/// The settings of a live source.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// N of "1 in N" connections: the sampling of packet sockets and `ebpf:`, and the sample rate of netfilter log packets whose
    /// rule does not state it (cutshort's own rules do).
    pub rate: NonZeroU32,
    /// The data sets that packet sockets and `ebpf:` sample. Rules have their own setting, and what they log says which it
    /// is.
    pub sets: LiveSets,
    /// The maximum number of packets per TCP connection; of one that this host opens [`OPENED_MORE`](crate::OPENED_MORE) more,
    /// and [`OPENED_ERRORS`](crate::OPENED_ERRORS) ICMP errors.
    pub limit: u32,
    /// The maximum number of datagrams per QUIC connection.
    pub datagrams: u32,
    /// Makes what opens Initial packets; none are opened without it.
    pub opener: Option<fn() -> Box<Open>>,
    /// How long a TCP connection is remembered, from its first packet. A window is 15 minutes.
    pub keep: Duration,
    /// How long a QUIC connection is remembered after its latest datagram.
    pub datagrams_keep: Duration,
    /// The maximum number of connections that are remembered of each data set.
    pub size: usize,
    /// The secret of the sampling; random if none. Packet sockets and `ebpf:` select the same connections as rules with the
    /// same seed.
    pub seed: Option<u32>,
    /// Server ports whose connections packet sockets and `ebpf:` take. If empty, all of TCP, and 443 of QUIC.
    pub ports: Vec<u16>,
    /// Networks whose connections packet sockets and `ebpf:` leave out: of clients, or of servers that this host connects to.
    pub exclude: Vec<IpNet>,
    /// The number of bytes that are taken of each TCP packet, which are the headers; datagrams of QUIC are taken whole. Rules
    /// have their own setting.
    pub snaplen: u32,
    /// The size of the kernel's buffer in bytes.
    pub buffer: usize,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            rate: NonZeroU32::MIN,
            sets: LiveSets::default(),
            limit: 10,
            datagrams: DATAGRAMS,
            opener: None,
            keep: Duration::from_mins(15),
            datagrams_keep: DATAGRAMS_KEPT,
            size: 1 << 20,
            seed: None,
            ports: Vec::new(),
            exclude: Vec::new(),
            snaplen: 128,
            buffer: 64 << 20,
        }
    }
}

impl LiveSettings {
    /// The ports of QUIC servers.
    pub(super) fn quic_ports(&self) -> &[u16] {
        /// That of HTTP/3.
        const USUAL: &[u16] = &[443];
        if self.ports.is_empty() { USUAL } else { &self.ports }
    }
}
