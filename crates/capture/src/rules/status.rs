//! The rules that are loaded, and their counters, read over netlink so that `CAP_NET_ADMIN` is the only privilege
//! needed.

use std::io;

use super::Method;
use crate::LiveSets;

/// A set that all rules of the set method have.
#[cfg(target_os = "linux")]
const FLOWS: &str = "flows4";
/// A set that they have since they distinguish connections on the same ports.
#[cfg(target_os = "linux")]
const AGAIN: &str = "again4";
/// A counter that they have since packets say how many connections a full set left out.
#[cfg(target_os = "linux")]
const SYN_ACK: &str = "syn_ack";
/// A counter that the rules for connections that this host opens have since they log all that classification needs.
#[cfg(target_os = "linux")]
const ICMP_ERROR: &str = "icmp_error";

/// One of cutshort's tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The name: `cutshort`, `cutshort_origin` or `cutshort_quic`.
    pub table: String,
    /// Which connections they sample, as [`Sampling`](super::Sampling) is printed.
    pub about: String,
    /// The options of `cutshort rules apply` with which it was loaded; none if an older version did so.
    pub options: Option<String>,
    /// Its counters, in the order in which they were created.
    pub counters: Vec<Counter>,
    /// Whether an older version of this program wrote it: one whose rules give a connection the
    /// place and the count of an earlier one on the same ports, do not report the connections
    /// that a full set leaves out, or log too little of connections that this host opens.
    pub outdated: bool,
}

/// A named counter of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// `syn`: SYNs looked at; `initial`: datagrams that may begin a QUIC connection, likewise; `chosen`: of these in the sample, with repeats; `full`: chosen but not
    /// remembered, as the set was full; `busy`: chosen but not remembered, as their ports had begun
    /// too many others a moment ago; `logged`: packets given to the netfilter log; `server_rst`: RSTs
    /// that servers sent on connections in the sample; `syn_ack`: SYN+ACK packets that came in; `rst`:
    /// RSTs that came in and were not logged; `icmp_error`: ICMP errors that quote TCP or datagrams of connections in the
    /// sample, given to the netfilter log.
    pub name: String,
    /// The number of packets since the rules were loaded.
    pub packets: u64,
}

impl Loaded {
    /// What to say of rules that are [`outdated`](Self::outdated).
    pub const OUTDATED: &str = "these rules are of an older version, which leaves out some connections or packets without reporting it";

    /// The number of packets of a counter, by name.
    #[must_use]
    pub fn packets(&self, counter: &str) -> Option<u64> {
        self.counters.iter().find(|other| other.name == counter).map(|counter| counter.packets)
    }

    /// The data set that it logs packets of.
    #[must_use]
    pub fn data_set(&self) -> LiveSets {
        let method = Method::ALL.into_iter().find(|method| method.table() == self.table);
        method.unwrap_or_default().data_set()
    }

    /// The packets that were looked at because they may begin a connection.
    #[must_use]
    pub fn beginnings(&self) -> u64 {
        self.packets("syn").or_else(|| self.packets("initial")).unwrap_or(0)
    }

    /// The netfilter log group that they log to.
    #[must_use]
    pub fn group(&self) -> Option<u16> {
        self.about.split(", ").find_map(|part| part.strip_prefix("group "))?.parse().ok()
    }
}

/// Cutshort's tables that are loaded.
///
/// # Errors
/// The error of the kernel, usually because `CAP_NET_ADMIN` is missing.
#[cfg(target_os = "linux")]
pub fn status() -> io::Result<Vec<Loaded>> {
    let mut netfilter = linux::Netfilter::open()?;
    let objects = netfilter.counters()?;
    let sets = netfilter.sets()?;
    let tables = netfilter.tables()?;
    let own = Method::tables();
    let tables = tables.into_iter().filter(|(table, _)| own.contains(&table.as_str()));
    tables
        .map(|(table, about)| {
            let options = netfilter.comments(&table, super::nft::OPTIONS)?.concat();
            let options = Some(options).filter(|options| !options.is_empty());
            let of_table = objects.iter().filter(|(of, _)| *of == table);
            let counters: Vec<Counter> = of_table.map(|(_, counter)| counter.clone()).collect();
            let has = |name: &str| sets.iter().any(|(of, set)| *of == table && set == name);
            let counts = |name: &str| counters.iter().any(|counter| counter.name == name);
            let is_latest = match () {
                () if table == Method::Quic.table() => true,
                () if table == Method::Origin.table() => has(AGAIN) && counts(ICMP_ERROR),
                () => has(AGAIN) && counts(SYN_ACK),
            };
            let outdated = has(FLOWS) && !is_latest;
            Ok(Loaded { table, about, options, counters, outdated })
        })
        .collect()
}

/// Whether iptables or ip6tables has a mangle table, in either of its kinds. Only then it can be
/// asked for its rules without making one.
#[cfg(target_os = "linux")]
pub(super) fn has_mangle(ipv6: bool) -> bool {
    let (names, family) = if ipv6 { ("ip6_tables_names", 10) } else { ("ip_tables_names", 2) };
    let legacy = std::fs::read_to_string(format!("/proc/thread-self/net/{names}")).unwrap_or_default();
    let tables = || linux::Netfilter::open()?.tables_of(family);
    legacy.lines().any(|name| name == "mangle")
        || tables().is_ok_and(|tables| tables.iter().any(|(name, _)| name == "mangle"))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn has_mangle(_: bool) -> bool {
    false
}

/// Chains with rules that may change address or port of connections that this host opens, each with family and table:
/// those of NAT where packets leave, of nft and of iptables.
///
/// # Errors
/// The error of the kernel, usually because `CAP_NET_ADMIN` is missing.
#[cfg(target_os = "linux")]
pub fn translations() -> io::Result<Vec<String>> {
    let mut netfilter = linux::Netfilter::open()?;
    let mut chains = Vec::new();
    for (family, name) in [(linux::INET, "inet"), (2, "ip"), (10, "ip6")] {
        let of_family = netfilter.translating_chains(family)?;
        chains.extend(of_family.into_iter().map(|chain| format!("{name} {chain}")));
    }
    let legacy = std::fs::read_to_string("/proc/thread-self/net/ip_tables_names").unwrap_or_default();
    if legacy.lines().any(|table| table == "nat") {
        chains.push("iptables nat".to_owned());
    }
    Ok(chains)
}

/// Returns no chains, because this is not Linux.
///
/// # Errors
/// Never fails.
#[cfg(not(target_os = "linux"))]
pub fn translations() -> io::Result<Vec<String>> {
    Ok(Vec::new())
}

impl Counter {
    /// What it counts, in words; its name if that is not known.
    #[must_use]
    pub fn about(&self) -> &str {
        match self.name.as_str() {
            "syn" => "SYN packets checked",
            "initial" => "QUIC datagrams checked that may begin a connection",
            "chosen" => "of these, in the sample (repeats included)",
            "full" => "chosen, but too many were remembered already",
            "busy" => "chosen, but their ports were used again too soon (30 times a second)",
            "logged" => "packets logged",
            "server_rst" => "RSTs that servers sent on connections in the sample",
            "syn_ack" => {
                "SYN+ACK packets received: answers to this host's own connections, or reflected ones"
            }
            "icmp_error" => "ICMP errors logged",
            "rst" => "RSTs received that are not logged: of other connections, or a flood",
            other => other,
        }
    }
}

/// Returns no tables, because this is not Linux.
///
/// # Errors
/// Never fails.
#[cfg(not(target_os = "linux"))]
pub fn status() -> io::Result<Vec<Loaded>> {
    Ok(Vec::new())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::net::netlink::{self, SocketAddrNetlink};
    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

    use super::Counter;
    use crate::netlink::{DONE, DUMP, Message, Request, find, messages, text};

    /// `NFNL_SUBSYS_NFTABLES` in the high byte, then what is asked for.
    const GET_TABLE: u16 = 10 << 8 | 1;
    const GET_CHAIN: u16 = 10 << 8 | 4;
    const GET_RULE: u16 = 10 << 8 | 7;
    const GET_SET: u16 = 10 << 8 | 10;
    const GET_OBJECT: u16 = 10 << 8 | 19;
    pub(super) const INET: u8 = 1;
    /// Attributes of tables, rules, sets and objects, and of an object's data if it is a counter.
    const TABLE_NAME: u16 = 1;
    const TABLE_DATA: u16 = 6;
    const CHAIN_TABLE: u16 = 1;
    const CHAIN_NAME: u16 = 3;
    const CHAIN_HOOK: u16 = 4;
    const CHAIN_RULES: u16 = 6;
    const CHAIN_TYPE: u16 = 7;
    const HOOK_NUMBER: u16 = 1;
    /// The hooks that packets pass as they leave this host.
    const LEAVING: [u32; 2] = [3, 4];
    const RULE_TABLE: u16 = 1;
    const RULE_CHAIN: u16 = 2;
    const RULE_DATA: u16 = 7;
    const SET_TABLE: u16 = 1;
    const SET_NAME: u16 = 2;
    const OBJECT_TABLE: u16 = 1;
    const OBJECT_NAME: u16 = 2;
    const OBJECT_TYPE: u16 = 3;
    const OBJECT_DATA: u16 = 4;
    const COUNTER_PACKETS: u16 = 2;
    const IS_COUNTER: u32 = 1;

    pub(super) struct Netfilter(OwnedFd);

    impl Netfilter {
        pub(super) fn open() -> io::Result<Self> {
            let (flags, protocol) = (SocketFlags::CLOEXEC, Some(netlink::NETFILTER));
            let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
            rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
            Ok(Self(socket))
        }

        pub(super) fn tables(&mut self) -> io::Result<Vec<(String, String)>> {
            self.tables_of(INET)
        }

        /// Names and comments of the tables of a family.
        pub(super) fn tables_of(&mut self, family: u8) -> io::Result<Vec<(String, String)>> {
            self.dump(GET_TABLE, family, |bytes| {
                let comment = find(bytes, TABLE_DATA).and_then(comment).unwrap_or_default();
                Some((text(find(bytes, TABLE_NAME)?)?.to_owned(), comment.to_owned()))
            })
        }

        pub(super) fn counters(&mut self) -> io::Result<Vec<(String, Counter)>> {
            self.dump(GET_OBJECT, INET, counter)
        }

        /// Sets, each with the table that it belongs to.
        pub(super) fn sets(&mut self) -> io::Result<Vec<(String, String)>> {
            self.dump(GET_SET, INET, |bytes| {
                Some((text(find(bytes, SET_TABLE)?)?.to_owned(), text(find(bytes, SET_NAME)?)?.to_owned()))
            })
        }

        /// Chains with rules for NAT of what leaves this host, each with its table.
        pub(super) fn translating_chains(&mut self, family: u8) -> io::Result<Vec<String>> {
            self.dump(GET_CHAIN, family, translating_chain)
        }

        /// Comments of the rules of a chain.
        pub(super) fn comments(&mut self, table: &str, chain: &str) -> io::Result<Vec<String>> {
            let name = |name: &str| [name.as_bytes(), &[0]].concat();
            let request = Request::new(GET_RULE, DUMP, INET, 0)
                .attribute(RULE_TABLE, &name(table))
                .attribute(RULE_CHAIN, &name(chain));
            self.ask(request, |bytes| {
                // Older kernels give the rules of other tables and chains, too.
                let is_meant =
                    text(find(bytes, RULE_TABLE)?)? == table && text(find(bytes, RULE_CHAIN)?)? == chain;
                is_meant.then(|| find(bytes, RULE_DATA).and_then(comment).map(str::to_owned))?
            })
        }

        /// All things of a kind in a family, as `read` reads them.
        fn dump<T>(
            &mut self,
            kind: u16,
            family: u8,
            read: impl Fn(&[u8]) -> Option<T>,
        ) -> io::Result<Vec<T>> {
            self.ask(Request::new(kind, DUMP, family, 0), read)
        }

        /// What a request gives, as `read` reads it.
        fn ask<T>(&mut self, request: Request, read: impl Fn(&[u8]) -> Option<T>) -> io::Result<Vec<T>> {
            rustix::net::send(&self.0, &request.finish(1), SendFlags::empty())?;
            let (mut all, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
            loop {
                let (len, _) = rustix::net::recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
                for message in messages(&buffer[..len]) {
                    match end(&message) {
                        Some(0) => return Ok(all),
                        Some(number) => return Err(io::Error::from_raw_os_error(number)),
                        None => all.extend(message.netfilter().and_then(|(_, bytes)| read(bytes))),
                    }
                }
            }
        }
    }

    /// If the message ends a dump: the error's number.
    fn end(message: &Message<'_>) -> Option<i32> {
        if message.kind == DONE { Some(0) } else { message.error() }
    }

    fn translating_chain(bytes: &[u8]) -> Option<String> {
        let number = |bytes: &[u8]| bytes.first_chunk().map(|number| u32::from_be_bytes(*number));
        let hook = number(find(find(bytes, CHAIN_HOOK)?, HOOK_NUMBER)?)?;
        let is_meant = text(find(bytes, CHAIN_TYPE)?)? == "nat"
            && LEAVING.contains(&hook)
            && number(find(bytes, CHAIN_RULES)?)? > 0;
        let name = format!("{} {}", text(find(bytes, CHAIN_TABLE)?)?, text(find(bytes, CHAIN_NAME)?)?);
        is_meant.then_some(name)
    }

    fn counter(bytes: &[u8]) -> Option<(String, Counter)> {
        let kind = u32::from_be_bytes(*find(bytes, OBJECT_TYPE)?.first_chunk()?);
        let packets = find(find(bytes, OBJECT_DATA)?, COUNTER_PACKETS)?;
        let name = text(find(bytes, OBJECT_NAME)?)?.to_owned();
        let counter = Counter { name, packets: u64::from_be_bytes(*packets.first_chunk()?) };
        (kind == IS_COUNTER).then_some((text(find(bytes, OBJECT_TABLE)?)?.to_owned(), counter))
    }

    /// What nft keeps for itself with a table: kind, length and value; 0 is the comment.
    fn comment(mut data: &[u8]) -> Option<&str> {
        loop {
            let (&[kind, len], rest) = data.split_first_chunk()?;
            let value = rest.get(..usize::from(len))?;
            if kind == 0 {
                return text(value);
            }
            data = &rest[usize::from(len)..];
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn comments_are_found() {
            assert_eq!(comment(&[1, 2, 9, 9, 0, 3, b'h', b'i', 0]), Some("hi"));
            assert_eq!(comment(&[0, 9, b'h']), None);
            assert_eq!(comment(&[]), None);
        }

        fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
            Request::new(0, 0, 0, 0).attribute(kind, value).finish(0)[20..].to_vec()
        }

        #[test]
        fn counters_are_read() {
            let data = attribute(COUNTER_PACKETS, &7_u64.to_be_bytes());
            let parts = |kind: u32| {
                [
                    attribute(OBJECT_TABLE, b"cutshort\0"),
                    attribute(OBJECT_NAME, b"logged\0"),
                    attribute(OBJECT_TYPE, &kind.to_be_bytes()),
                    attribute(OBJECT_DATA, &data),
                ]
                .concat()
            };
            let read = Counter { name: "logged".to_owned(), packets: 7 };
            assert_eq!(counter(&parts(IS_COUNTER)), Some(("cutshort".to_owned(), read)));
            assert_eq!(counter(&parts(2)), None);
            assert_eq!(counter(&parts(IS_COUNTER)[..40]), None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sampling;
    use super::*;

    #[test]
    fn the_group_is_read_back() {
        for method in Method::ALL {
            let sampling = Sampling { method, group: 77, ..Sampling::default() };
            let loaded = |about: &str| Loaded {
                table: String::new(),
                about: about.to_owned(),
                options: None,
                counters: Vec::new(),
                outdated: false,
            };
            assert_eq!(loaded(&sampling.to_string()).group(), Some(77));
            assert_eq!(loaded("of somebody else").group(), None);
        }
    }
}
