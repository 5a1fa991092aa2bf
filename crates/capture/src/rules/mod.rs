//! Rules that make the kernel sample connections and log their packets.
//!
//! [`Sampling`] is a description of the rules; `nft -f` or `iptables-restore` can load its [`text`](Sampling::text).
//! [`apply`], [`remove`] and [`status`] act on cutshort's own tables and chains only.

mod host;
mod iptables;
mod lines;
mod nft;
mod options;
mod ports;
mod quic;
mod seed;
mod status;

pub use host::{Applied, Chains, apply, chains, remove, untold};
pub use ports::Ports;
pub use seed::{Seed, SeedError};
pub use status::{Counter, Loaded, status, translations};

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

use crate::LiveSets;

/// How connections are selected and remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// nft: a keyed hash of 4-tuple and initial sequence number, remembered in a set. No conntrack.
    #[default]
    Set,
    /// nft: the published recipe, a random choice per SYN that is remembered as a conntrack label.
    Conntrack,
    /// iptables: the published recipe.
    Iptables,
    /// nft, as [`Set`](Self::Set), for connections that this host opens: the rows of docs/origin.md#rows.
    Origin,
    /// nft, for QUIC connections of clients (docs/quic.md#sampling): a keyed hash of 4-tuple and day, remembered in a set.
    Quic,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Set, Self::Conntrack, Self::Iptables, Self::Origin, Self::Quic];

    /// The data set that its rules log packets of.
    #[must_use]
    pub const fn data_set(self) -> LiveSets {
        match self {
            Self::Set | Self::Conntrack | Self::Iptables => LiveSets::TCP,
            Self::Origin => LiveSets::ORIGIN,
            Self::Quic => LiveSets::QUIC,
        }
    }

    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set => "nft",
            Self::Conntrack => "nft-conntrack",
            Self::Iptables => "iptables",
            Self::Origin => "origin",
            Self::Quic => "quic",
        }
    }

    /// The nft table of this method.
    const fn table(self) -> &'static str {
        match self {
            Self::Origin => "cutshort_origin",
            Self::Quic => "cutshort_quic",
            _ => "cutshort",
        }
    }

    /// The tables of all methods.
    pub(crate) fn tables() -> Vec<&'static str> {
        let mut tables = Self::ALL.map(Self::table).to_vec();
        tables.dedup();
        tables
    }
}

/// Which connections to sample, and how many of their packets.
#[derive(Clone, Debug)]
pub struct Sampling {
    /// How connections are selected and remembered.
    pub method: Method,
    /// N of "1 in N" connections.
    pub rate: NonZeroU32,
    /// The maximum number of packets per connection; with [`Method::Origin`] [`OPENED_MORE`](crate::OPENED_MORE) more, and with
    /// [`Method::Quic`] of datagrams.
    pub limit: NonZeroU32,
    /// The group of the netfilter log.
    pub group: u16,
    /// The number of bytes that are logged of each packet.
    pub snaplen: u32,
    /// The number of packets that the kernel gathers before it wakes the receiver.
    pub queue: u32,
    /// Incoming interfaces of connections (with [`Method::Origin`], outgoing ones); if empty, all except loopback. A
    /// `*` at the end matches any suffix, as in `eth*`.
    pub interfaces: Vec<String>,
    /// Server ports; all if empty.
    pub ports: Vec<Ports>,
    /// Networks whose connections are left out: of clients (with [`Method::Origin`], of servers).
    pub exclude: Vec<IpNet>,
    /// Whether to sample connections that this host only forwards.
    pub forwarded: bool,
    /// Whether to log RSTs that servers send on these connections, with [`Method::Set`] only. They do not count
    /// towards `limit`; at most 30 a second are logged per connection.
    pub server_resets: bool,
    /// How long a connection is remembered after each packet taken of it, except its SYN ([`ALONE`](Self::ALONE)); with
    /// [`Method::Quic`] after each packet, taken or not. Not with conntrack, which has its own timeouts.
    pub keep: Duration,
    /// The maximum number of connections remembered per IP version. Not with conntrack.
    pub size: u32,
    /// The secret of the hash; if none, a random one of the kernel, which nobody can read.
    pub seed: Option<Seed>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            method: Method::Set,
            rate: NonZeroU32::new(10_000).unwrap_or(NonZeroU32::MIN),
            limit: NonZeroU32::new(10).unwrap_or(NonZeroU32::MIN),
            group: 5,
            snaplen: 128,
            queue: 64,
            interfaces: Vec::new(),
            ports: Vec::new(),
            exclude: Vec::new(),
            forwarded: false,
            server_resets: false,
            keep: Duration::from_mins(15),
            size: 1 << 16,
            seed: None,
        }
    }
}

impl Sampling {
    /// The defaults of a method. Datagrams of QUIC are logged whole, because clients coalesce packets; those to port 443.
    #[must_use]
    pub fn of(method: Method) -> Self {
        let all = Self { method, ..Self::default() };
        match method {
            Method::Quic => Self {
                limit: NonZeroU32::new(crate::DATAGRAMS).unwrap_or(NonZeroU32::MIN),
                snaplen: crate::live::DATAGRAM_BYTES,
                ports: cutshort_packet::quic::ServerPorts::default()
                    .ports()
                    .iter()
                    .map(|port| (*port).into())
                    .collect(),
                keep: crate::live::DATAGRAMS_KEPT,
                ..all
            },
            _ => all,
        }
    }

    /// How long a SYN is remembered if nothing follows it, so that a flood of single SYNs does not fill the set: the
    /// longest silence of honest clients while a lost SYN or SYN+ACK is retransmitted.
    pub const ALONE: Duration = crate::live::ALONE;

    /// How many packets of a connection are logged.
    fn packets(&self) -> u32 {
        match self.method {
            Method::Origin => self.limit.get().saturating_add(crate::live::OPENED_MORE),
            _ => self.limit.get(),
        }
    }

    fn keep_alone(&self) -> Duration {
        self.keep.min(Self::ALONE)
    }

    /// Checks for settings that rules cannot express.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn check(&self) -> Result<(), String> {
        self.interfaces.iter().try_for_each(|name| check_interfaces(name))?;
        if self.snaplen < 80 {
            return Err(
                "take at least 80 bytes of each packet: an IPv6 and a TCP header with options".to_owned()
            );
        }
        if self.server_resets && self.method != Method::Set {
            return Err(format!(
                "--server-resets works with the default method only, not with --{}",
                self.method.name()
            ));
        }
        if self.method == Method::Iptables {
            return iptables::check(self);
        }
        Ok(())
    }

    /// The rules, for `nft -f -` (with [`Method::Iptables`]: for `iptables-restore -n` and `ip6tables-restore -n`),
    /// which load them in one step that succeeds or changes nothing.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_with(self.seed)
    }

    /// The same with a seed that nobody set, where one is needed: it is not among the options that the rules show.
    fn text_with(&self, seed: Option<Seed>) -> String {
        match self.method {
            Method::Set => nft::set(self),
            Method::Conntrack => nft::conntrack(self),
            Method::Origin => nft::origin(self),
            Method::Quic => quic::text(self, seed),
            Method::Iptables => iptables::text(self),
        }
    }

    /// The prefix of log messages, which the receiver parses.
    fn prefix(&self) -> String {
        match self.method {
            Method::Origin => format!("{}{}", cutshort_packet::ORIGIN_PREFIX, self.rate),
            Method::Quic => format!("{}{}", cutshort_packet::QUIC_PREFIX, self.rate),
            _ => format!("{}:{}", crate::live::OWN_PREFIX, self.rate),
        }
    }
}

/// Checks the name of an interface, which may end with `*`.
fn check_interfaces(name: &str) -> Result<(), String> {
    let beginning = name.strip_suffix('*').filter(|beginning| !beginning.is_empty()).unwrap_or(name);
    crate::live::check_interface(beginning).map(|_| ()).map_err(|why| match beginning == name {
        true => why,
        false => format!("'{name}' is not a pattern for interfaces; write one such as 'eth*'"),
    })
}

/// Writes `nft, 1 in 10000 connections, first 10 packets, group 5, 65536 remembered for 900 s`.
impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, rate, limit, group, size, keep, server_resets, .. } = self;
        write!(f, "{}, 1 in {rate} connections, first {limit} packets, group {group}", method.name())?;
        match method {
            Method::Set | Method::Origin | Method::Quic => {
                write!(f, ", {size} remembered for {} s", keep.as_secs())?;
            }
            Method::Conntrack | Method::Iptables => {}
        }
        if *server_resets {
            f.write_str(", with server RSTs")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No option that every method has is at its default.
    pub(super) fn changed(method: Method) -> Sampling {
        let number = |number| NonZeroU32::new(number).unwrap();
        Sampling {
            method,
            rate: number(100),
            limit: number(5),
            group: 7,
            snaplen: 96,
            queue: 1,
            interfaces: vec!["eth*".to_owned(), "wg0".to_owned()],
            ports: vec![443.into(), "8000-8100".parse().unwrap(), 80.into()],
            exclude: ["192.0.2.0/24", "2001:db8::/32"].map(|net| net.parse().unwrap()).to_vec(),
            ..Sampling::default()
        }
    }

    #[test]
    fn server_resets_are_for_the_default_method() {
        for method in Method::ALL {
            let sampling = Sampling { method, server_resets: true, ..Sampling::default() };
            assert_eq!(sampling.check().is_ok(), method == Method::Set, "{sampling}");
        }
    }
}
