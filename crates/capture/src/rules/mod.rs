//! Rules that make the kernel sample connections and log their packets.
//!
//! [`Sampling`] says what is sampled; its [`text`](Sampling::text) is what `nft -f` or
//! `iptables-restore` load. [`apply`], [`remove`] and [`status`] do that for cutshort's own tables
//! and chains, and touch nothing else.

mod host;
mod iptables;
mod lines;
mod nft;
mod options;
mod ports;
mod seed;
mod status;

pub use host::{Applied, Chains, apply, chains, remove, untold};
pub use ports::Ports;
pub use seed::{Seed, SeedError};
pub use status::{Counter, Loaded, status};

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;

/// How connections are chosen and remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// nft: a keyed hash of 4-tuple and initial sequence number, remembered in a set. No conntrack.
    #[default]
    Set,
    /// nft: the published recipe, a lottery per SYN remembered as a conntrack label.
    Conntrack,
    /// iptables: the published recipe.
    Iptables,
    /// nft, as [`Set`](Self::Set), for connections that this host opens: its SYNs, and the packets
    /// that come back.
    Origin,
}

impl Method {
    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Set => "nft",
            Self::Conntrack => "nft-conntrack",
            Self::Iptables => "iptables",
            Self::Origin => "origin",
        }
    }

    /// The nft table that it has for itself.
    const fn table(self) -> &'static str {
        match self {
            Self::Origin => "cutshort_origin",
            _ => "cutshort",
        }
    }
}

/// What is sampled, and how much of it.
#[derive(Clone, Debug)]
pub struct Sampling {
    /// How.
    pub method: Method,
    /// N of "1 in N" connections.
    pub rate: NonZeroU32,
    /// How many packets of each connection.
    pub limit: NonZeroU32,
    /// The netfilter log's group.
    pub group: u16,
    /// Bytes of each packet.
    pub snaplen: u32,
    /// Packets that the kernel gathers before it wakes the receiver.
    pub queue: u32,
    /// Interfaces that connections come in by (with [`Method::Origin`], go out by); all but the
    /// loopback if empty. A `*` at the end stands for any ending, as in `eth*`.
    pub interfaces: Vec<String>,
    /// Ports of servers; all if empty.
    pub ports: Vec<Ports>,
    /// Networks whose connections are left out: of clients (with [`Method::Origin`], of servers).
    pub exclude: Vec<IpNet>,
    /// Also connections that this host only forwards.
    pub forwarded: bool,
    /// Also the RSTs that servers send on these connections, with [`Method::Set`] only. They do not
    /// count towards `limit`; at most 30 a second are logged for each connection.
    pub server_resets: bool,
    /// How long a connection is remembered after each packet that is taken of it, but for its SYN
    /// ([`ALONE`](Self::ALONE)). Not with conntrack, which decides itself.
    pub keep: Duration,
    /// How many connections of each IP version are remembered. Not with conntrack.
    pub size: u32,
    /// The hash's secret; the kernel's own random one, which nobody can read, if none.
    pub seed: Option<Seed>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            method: Method::default(),
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
    /// How long a SYN is remembered that nothing has followed, so that a flood of single SYNs does
    /// not fill the set: the longest that honest clients are silent is while a lost SYN or SYN+ACK
    /// is sent again.
    pub const ALONE: Duration = crate::live::ALONE;

    fn keep_alone(&self) -> Duration {
        self.keep.min(Self::ALONE)
    }

    /// Checks what a rule cannot say.
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

    /// The rules, to be loaded by `nft -f -` (with [`Method::Iptables`]: by `iptables-restore -n`
    /// and `ip6tables-restore -n`), in one step that succeeds or changes nothing.
    #[must_use]
    pub fn text(&self) -> String {
        match self.method {
            Method::Set => nft::set(self),
            Method::Conntrack => nft::conntrack(self),
            Method::Origin => nft::origin(self),
            Method::Iptables => iptables::text(self),
        }
    }

    /// What the log's prefix tells the receiver.
    fn prefix(&self) -> String {
        match self.method {
            Method::Origin => format!("{}{}", cutshort_packet::ORIGIN_PREFIX, self.rate),
            _ => format!("{}:{}", crate::live::OWN_PREFIX, self.rate),
        }
    }
}

/// A name of an interface, or the beginning of several with a `*` behind it.
fn check_interfaces(name: &str) -> Result<(), String> {
    let beginning = name.strip_suffix('*').filter(|beginning| !beginning.is_empty()).unwrap_or(name);
    crate::live::check_interface(beginning).map(|_| ()).map_err(|why| match beginning == name {
        true => why,
        false => format!("'{name}' is not a pattern for interfaces; write one such as 'eth*'"),
    })
}

/// `nft, 1 in 10000 connections, first 10 packets, group 5, 65536 remembered for 900 s`
impl fmt::Display for Sampling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, rate, limit, group, size, keep, server_resets, .. } = self;
        write!(f, "{}, 1 in {rate} connections, first {limit} packets, group {group}", method.name())?;
        match method {
            Method::Set | Method::Origin => write!(f, ", {size} remembered for {} s", keep.as_secs())?,
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
        for method in [Method::Set, Method::Conntrack, Method::Iptables, Method::Origin] {
            let sampling = Sampling { method, server_resets: true, ..Sampling::default() };
            assert_eq!(sampling.check().is_ok(), method == Method::Set, "{sampling}");
        }
    }
}
