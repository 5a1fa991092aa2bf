//! The rules for nft (nftables 1.0.6 accepts only literals for `mod` and `group`).

use std::time::Duration;

use cutshort_packet::LEFT_OUT_PREFIX;
use ipnet::IpNet;

use super::lines::{Lines, list};
use super::{Ports, Sampling, Seed};

/// The chain whose comments have the options.
pub(super) const OPTIONS: &str = "options";

/// SYN packets as docs/spec.md#syn-packet has them.
const SYN: &str = "tcp flags & (fin|syn|rst|ack) == syn";

/// An IP version in the syntax of nft.
pub(super) struct Version {
    /// Its name in `meta nfproto`.
    pub(super) name: &'static str,
    pub(super) number: u8,
    /// The name of its header, `ip` or `ip6`.
    pub(super) ip: &'static str,
}

pub(super) const VERSIONS: [Version; 2] =
    [Version { name: "ipv4", number: 4, ip: "ip" }, Version { name: "ipv6", number: 6, ip: "ip6" }];

/// Additional room for elements that are deleted but not yet removed.
const DELETED: u32 = 1 << 16;
/// How often the kernel removes them. A shorter interval would cost more if many connections are remembered.
const REMOVAL: &str = "gc-interval 200ms";
/// How often the same ports may begin a sampled connection: at most 12 times within 200 ms.
const AGAIN: &str = "limit rate 30/second burst 6 packets";
/// After this time, [`AGAIN`] allows as much as at the start.
const RECENT: Duration = Duration::from_secs(1);

/// The rules that use a set instead of conntrack.
pub(super) fn set(sampling: &Sampling) -> String {
    table(
        sampling,
        "\
# Which connections: a keyed hash of 4-tuple and initial sequence number. Repeated SYNs share one decision, and
# nobody without the seed can aim at the sample or avoid it. A chosen connection is remembered in a set, whose
# element counts its packets; each SYN deletes it first, so that a later connection on the same ports is decided
# and counted by itself. A SYN that nothing follows is forgotten after 30 s, so that a flood does not fill the set.
# A full set ends sampling, not traffic; the log then says so, without the packets. Nothing is dropped, changed or
# tracked.
",
        |lines| {
            counters(lines, &["syn", "chosen", "logged", "full", "busy"]);
            sets(lines, sampling);
            record(lines, "record", sampling, sampling.queue);
            report_left_out(lines, sampling);
            remember(lines, sampling, &SOURCE);
            follow(lines, sampling, "follow", &SOURCE, "record");
            choose(lines, sampling, &SOURCE);
            control(lines);
            lines.block("chain ingress", |lines| {
                lines.add("type filter hook prerouting priority raw; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "iif", sampling);
                ports(lines, "tcp dport", sampling);
                lines.add("tcp flags & (syn|rst) != 0 goto control");
                look_up(lines, "follow", &SOURCE);
            });
            if sampling.server_resets {
                server_resets(lines, sampling);
            }
        },
    )
}

/// The rules for connections that this host opens.
pub(super) fn origin(sampling: &Sampling) -> String {
    table(
        sampling,
        "\
# Connections that this host opens: chosen by their SYN as it leaves, as a keyed hash of 4-tuple and initial
# sequence number has it. A chosen connection is remembered in a set, whose element counts its packets of both
# directions; each SYN deletes it first, so that a later connection on the same ports is decided and counted by
# itself. Of what this host sends only SYN packets and packets with PSH, FIN or RST are logged. ICMP errors that
# quote TCP are logged whatever connection they quote; the receiver keeps those of chosen ones. Not for connections
# that this host forwards, nor for those whose source address it translates after this (masquerading): what comes
# back has another destination here.
",
        |lines| {
            counters(lines, &["syn", "chosen", "logged", "full", "busy", "icmp_error"]);
            sets(lines, sampling);
            // The kernel gives no time to what it sends: without waiting it is when it is received.
            record(lines, "record_sent", sampling, 1);
            record(lines, "record", sampling, sampling.queue);
            report_left_out(lines, sampling);
            remember(lines, sampling, &DESTINATION);
            follow(lines, sampling, "follow", &SOURCE, "record");
            follow(lines, sampling, "follow_sent", &DESTINATION, "record_sent");
            choose(lines, sampling, &DESTINATION);
            unreachable(lines, sampling, &QUOTED.map(|quoted| format!("@th,{},8 6", quoted.protocol)));
            lines.block("chain egress", |lines| {
                lines.add("type filter hook output priority raw; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "oif", sampling);
                ports(lines, "tcp dport", sampling);
                lines.add(format_args!("{SYN} goto choose"));
                lines.add("tcp flags & (fin|rst|psh) == 0 return");
                lines.add("tcp flags & syn == syn return");
                look_up(lines, "follow_sent", &DESTINATION);
            });
            lines.block("chain answers", |lines| {
                ports(lines, "tcp sport", sampling);
                look_up(lines, "follow", &SOURCE);
            });
            lines.block("chain ingress", |lines| {
                lines.add("type filter hook prerouting priority raw; policy accept;");
                interfaces(lines, "iif", sampling);
                lines.add("meta l4proto tcp goto answers");
                look_at_errors(lines);
            });
        },
    )
}

/// Where in an ICMP error the fields of the quoted packet are, in bits from the ICMP header: its protocol, addresses with their
/// length, and ports.
#[derive(Clone, Copy)]
pub(super) struct Quoted {
    pub(super) protocol: u32,
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) address: u32,
    pub(super) ports: u32,
}

/// For both IP versions, without options and extension headers.
pub(super) const QUOTED: [Quoted; 2] = [
    Quoted { protocol: 64 + 72, source: 64 + 96, target: 64 + 128, address: 32, ports: 64 + 160 },
    Quoted { protocol: 64 + 48, source: 64 + 64, target: 64 + 192, address: 128, ports: 64 + 320 },
];

pub(super) fn look_at_errors(lines: &mut Lines) {
    lines.add("icmp type destination-unreachable goto unreachable4");
    lines.add("icmpv6 type destination-unreachable goto unreachable6");
}

/// Logs ICMP errors that quote a sampled kind of packet. Whether it belongs to a chosen connection is decided by the receiver,
/// since a set of nft 1.0.6 cannot be asked for what is inside of a packet; of a flood of them no more are logged than
/// a busy host needs.
pub(super) fn unreachable(lines: &mut Lines, sampling: &Sampling, quoted: &[String; 2]) {
    lines.block("chain record_unreachable", |lines| {
        lines.add("limit rate over 100/second burst 1000 packets return");
        lines.add("counter name icmp_error");
        lines.add(format_args!("counter name logged {} accept", log(sampling, sampling.queue)));
    });
    lines.block("chain unreachable4", |lines| {
        lines.add("icmp code frag-needed return");
        lines.add(format_args!("{} goto record_unreachable", quoted[0]));
    });
    lines.block("chain unreachable6", |lines| {
        lines.add(format_args!("{} goto record_unreachable", quoted[1]));
    });
}

/// The rules of the published recipe.
pub(super) fn conntrack(sampling: &Sampling) -> String {
    const LABEL: u32 = 7;
    table(
        sampling,
        "\
# The published recipe: a lottery per SYN, remembered as a conntrack label. Conntrack calls many forged resets
# invalid, and an invalid packet carries no label: a RST at the initial sequence number, below what was acknowledged
# or far outside the window, an ACK or RST+ACK with a wrong acknowledgement number, a RST with a wrong checksum, and
# whatever comes more than 10 s after a RST are NOT RECORDED. Fewer are missed with
#     sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=1
# Each SYN takes part in the lottery, also one that is repeated before it is answered, and a SYN on ports whose
# earlier connection conntrack still takes for open is recorded with that one.
# The default rules ('cutshort rules --nft') miss none of them, decide once for each connection and need no conntrack.
",
        |lines| {
            counters(lines, &["syn", "chosen", "logged"]);
            lines.block("chain ingress", |lines| {
                let Sampling { rate, limit, .. } = sampling;
                lines.add("type filter hook prerouting priority mangle; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "iif", sampling);
                ports(lines, "tcp dport", sampling);
                excluded(lines, &SOURCE, sampling);
                lines.add(format_args!("{SYN} counter name syn"));
                lines.add(format_args!(
                    "{SYN} ct state new numgen random mod {rate} == 0 ct label set {LABEL} counter name chosen"
                ));
                lines.add(format_args!(
                    "ct label {LABEL} ct original packets <= {limit} counter name logged {}",
                    log(sampling, sampling.queue)
                ));
            });
        },
    )
}

pub(super) fn table(sampling: &Sampling, about: &str, inside: impl FnOnce(&mut Lines)) -> String {
    let table = sampling.method.table();
    let mut lines = Lines::default();
    lines.add(format_args!("# cutshort: {sampling}"));
    lines.text.push_str(about);
    // Replaces what is loaded, in one transaction.
    lines.add(format_args!("add table inet {table}"));
    lines.add(format_args!("delete table inet {table}"));
    lines.block(format_args!("table inet {table}"), |lines| {
        lines.add(format_args!("comment \"{sampling}\""));
        options(lines, sampling);
        inside(lines);
    });
    lines.text
}

/// A chain that nothing enters, whose rules have the options as comments, in pieces of the length
/// that comments may have.
fn options(lines: &mut Lines, sampling: &Sampling) {
    const LONGEST: usize = 120;
    lines.block(format_args!("chain {OPTIONS}"), |lines| {
        let options = sampling.options();
        for piece in options.as_bytes().chunks(LONGEST) {
            lines.add(format_args!("return comment \"{}\"", String::from_utf8_lossy(piece)));
        }
    });
}

pub(super) fn counters(lines: &mut Lines, names: &[&str]) {
    for name in names {
        lines.add(format_args!("counter {name} {{ }}"));
    }
}

/// Three sets for each IP version: `places` has the connections that are remembered, `flows` counts
/// their packets. Each SYN deletes the element of `flows`, but the kernel only marks it and removes
/// it later. Until then it takes room, so `flows` is larger; and the kernel finds no room for a
/// 16th element of one key, so `again` keeps their number below ([`AGAIN`]).
fn sets(lines: &mut Lines, sampling: &Sampling) {
    let Sampling { size, keep, .. } = *sampling;
    four_tuples(lines, "places", size, keep, "");
    // Of the last seconds, so never as many as there are places and removed ones.
    four_tuples(lines, "again", size.saturating_mul(2), RECENT, "");
    four_tuples(lines, "flows", size.saturating_add(size.max(DELETED)), keep, REMOVAL);
}

/// A set of 4-tuples for each IP version.
pub(super) fn four_tuples(lines: &mut Lines, name: &str, size: u32, timeout: Duration, more: &str) {
    for Version { number, .. } in &VERSIONS {
        let address = format!("ipv{number}_addr");
        lines.block(format_args!("set {name}{number}"), |lines| {
            lines.add(format_args!("type {address} . inet_service . {address} . inet_service"));
            lines.add("flags dynamic");
            lines.add(format_args!("size {size}"));
            lines.add(format_args!("timeout {}s", timeout.as_secs()));
            if !more.is_empty() {
                lines.add(more);
            }
        });
    }
}

pub(super) fn record(lines: &mut Lines, name: &str, sampling: &Sampling, queue: u32) {
    lines.block(format_args!("chain {name}"), |lines| {
        // The verdict ends this hook's chain only; without it a SYN would be logged twice.
        lines.add(format_args!("counter name logged {} accept", log(sampling, queue)));
    });
}

fn log(sampling: &Sampling, queue: u32) -> String {
    let Sampling { group, snaplen, .. } = sampling;
    format!("log prefix \"{}\" group {group} snaplen {snaplen} queue-threshold {queue}", sampling.prefix())
}

/// The side of a connection by which packets are selected: the fields of its client or server, and the key of its
/// later packets.
pub(super) struct Side {
    pub(super) excluded: &'static str,
    pub(super) key: [(&'static str, &'static str); 4],
    /// The condition that a connection is not this host's own.
    pub(super) foreign: Option<&'static str>,
    pub(super) target: &'static str,
}

/// Clients that connect to us.
pub(super) const SOURCE: Side = Side {
    excluded: "saddr",
    key: [("ip", "saddr"), ("tcp", "sport"), ("ip", "daddr"), ("tcp", "dport")],
    foreign: Some("fib daddr type != local return"),
    target: "record",
};

/// Servers that we connect to: their packets have source and destination reversed.
const DESTINATION: Side = Side {
    excluded: "daddr",
    key: [("ip", "daddr"), ("tcp", "dport"), ("ip", "saddr"), ("tcp", "sport")],
    foreign: None,
    target: "record_sent",
};

impl Side {
    /// The key in the syntax of one IP version (`ip` or `ip6`).
    pub(super) fn key(&self, ip: &str) -> String {
        let words =
            self.key.map(|(header, field)| format!("{} {field}", if header == "ip" { ip } else { header }));
        words.join(" . ")
    }
}

/// What an element of `flows` is made with: the count of its connection's packets. The SYN takes one
/// of it. Each later packet takes two, one when it is looked up and one when [`follow`] puts off the
/// element's end.
fn count(sampling: &Sampling) -> String {
    let following = sampling.packets() - 1;
    format!("limit rate 1/day burst {} packets", following.saturating_mul(2).saturating_add(1))
}

/// Tells the receiver that a chosen connection cannot be remembered. The log has no bytes of the packet, so
/// that no receiver takes it for one of the sample. A flood must not fill the log with these, so where they
/// are many only each hundredth is logged; the prefix says how many it stands for.
pub(super) fn report_left_out(lines: &mut Lines, sampling: &Sampling) {
    const EACH: u32 = 100;
    let log = |stands_for: u32| {
        format!("log prefix \"{LEFT_OUT_PREFIX}{stands_for}\" group {} snaplen 0", sampling.group)
    };
    lines.block("chain left_out", |lines| {
        lines.add(format_args!("limit rate 10/second burst 10 packets {} accept", log(1)));
        lines.add(format_args!("numgen inc mod {EACH} == {} {}", EACH - 1, log(EACH)));
    });
}

/// What becomes of a chosen connection, for as long as nothing has followed its SYN.
fn remember(lines: &mut Lines, sampling: &Sampling, side: &Side) {
    let (alone, count) = (sampling.keep_alone().as_secs(), count(sampling));
    for version in &VERSIONS {
        let (number, key) = (version.number, side.key(version.ip));
        lines.block(format_args!("chain remember{number}"), |lines| {
            lines.add(format_args!(
                "add @flows{number} {{ {key} timeout {alone}s {count} }} goto {}",
                side.target
            ));
            lines.add("counter name busy goto left_out");
        });
        lines.block(format_args!("chain place{number}"), |lines| {
            lines.add(format_args!("update @again{number} {{ {key} {AGAIN} }} goto remember{number}"));
            lines.add("counter name busy goto left_out");
        });
        lines.block(format_args!("chain chosen{number}"), |lines| {
            lines.add("counter name chosen");
            lines.add(format_args!("update @places{number} {{ {key} timeout {alone}s }} goto place{number}"));
            lines.add("counter name full goto left_out");
        });
    }
}

/// What becomes of a packet that follows the SYN: its connection is remembered longer.
fn follow(lines: &mut Lines, sampling: &Sampling, chain: &str, side: &Side, target: &str) {
    let (keep, count) = (sampling.keep.as_secs(), count(sampling));
    for Version { number, ip, .. } in &VERSIONS {
        let key = side.key(ip);
        lines.block(format_args!("chain {chain}{number}"), |lines| {
            lines.add(format_args!("update @places{number} {{ {key} timeout {keep}s }}"));
            lines
                .add(format_args!("update @flows{number} {{ {key} timeout {keep}s {count} }} goto {target}"));
        });
    }
}

fn choose(lines: &mut Lines, sampling: &Sampling, side: &Side) {
    lines.block("chain choose", |lines| {
        for Version { name, number, ip } in &VERSIONS {
            lines.add(format_args!("meta nfproto {name} delete @flows{number} {{ {} }}", side.key(ip)));
        }
        excluded(lines, side, sampling);
        foreign(lines, side, sampling);
        lines.add("counter name syn");
        for Version { name, number, ip } in &VERSIONS {
            let key = format!("{ip} saddr . {ip} daddr . tcp sport . tcp dport . tcp sequence");
            let hash = hashed(sampling, sampling.seed, &key);
            lines.add(format_args!("meta nfproto {name} {hash} goto chosen{number}"));
        }
    });
}

/// The condition that a connection is one of 1 in N, by a hash of its key.
pub(super) fn hashed(sampling: &Sampling, seed: Option<Seed>, key: &str) -> String {
    let seed = seed.map(|seed| format!(" seed {:#010x}", seed.number())).unwrap_or_default();
    format!("jhash {key} mod {}{seed} == 0", sampling.rate)
}

/// Skips packets that are not for this host, unless forwarded ones are sampled as well.
pub(super) fn foreign(lines: &mut Lines, side: &Side, sampling: &Sampling) {
    if let Some(foreign) = side.foreign.filter(|_| !sampling.forwarded) {
        lines.add(foreign);
    }
}

fn look_up(lines: &mut Lines, chain: &str, side: &Side) {
    for Version { name, number, ip } in &VERSIONS {
        lines.add(format_args!("meta nfproto {name} {} @flows{number} goto {chain}{number}", side.key(ip)));
    }
}

/// What becomes of packets with the SYN or RST bit. Those that begin no connection here and are not
/// logged, as floods and reflection bring them, are counted; other packets pay nothing for that.
fn control(lines: &mut Lines) {
    for name in ["syn_ack", "rst"] {
        lines.add(format_args!("counter {name} {{ }}"));
    }
    lines.block("chain control", |lines| {
        lines.add(format_args!("{SYN} goto choose"));
        look_up(lines, "follow", &SOURCE);
        lines.add("tcp flags & rst == rst counter name rst return");
        lines.add("tcp flags & (syn|ack) == (syn|ack) counter name syn_ack");
    });
}

/// RSTs that servers send on connections in the set. They are taken where packets leave this host,
/// after address translation, so that they have the addresses that the client knows, whether the
/// server is here or behind. `!=` looks an element up without using up its count of packets
/// ([`count`]). As a client can make a closed port send any number of RSTs, [`AGAIN`] limits them, with
/// keys that no SYN has.
fn server_resets(lines: &mut Lines, sampling: &Sampling) {
    lines.add("counter server_rst { }");
    // The kernel gives no time to what it sends: without waiting it is when it is received.
    record(lines, "record_rst", sampling, 1);
    lines.block("chain sent_rst", |lines| {
        for Version { name, number, ip } in &VERSIONS {
            lines.add(format_args!("meta nfproto {name} {} != @flows{number} return", DESTINATION.key(ip)));
        }
        lines.add("counter name server_rst");
        for Version { name, number, ip } in &VERSIONS {
            let key = SOURCE.key(ip);
            lines.add(format_args!(
                "meta nfproto {name} update @again{number} {{ {key} {AGAIN} }} goto record_rst"
            ));
        }
    });
    // A packet without RST passes a single rule.
    lines.block("chain egress", |lines| {
        lines.add("type filter hook postrouting priority srcnat + 1; policy accept;");
        lines.add("tcp flags & rst == rst goto sent_rst");
    });
}

/// Leaves the loopback out, or all but some.
pub(super) fn interfaces(lines: &mut Lines, field: &str, sampling: &Sampling) {
    let quoted = sampling.interfaces.iter().map(|name| format!("\"{name}\""));
    match list(quoted) {
        Some(names) => lines.add(format_args!("{field}name != {names} return")),
        None => lines.add(format_args!("{field} lo return")),
    }
}

pub(super) fn ports(lines: &mut Lines, field: &str, sampling: &Sampling) {
    if let Some(ports) = list(Ports::merged(&sampling.ports).iter()) {
        lines.add(format_args!("{field} != {ports} return"));
    }
}

pub(super) fn excluded(lines: &mut Lines, side: &Side, sampling: &Sampling) {
    // nft refuses networks of a list that overlap.
    let all = IpNet::aggregate(&sampling.exclude);
    for Version { number, ip, .. } in &VERSIONS {
        let nets = all.iter().filter(|net| matches!(net, IpNet::V4(_)) == (*number == 4));
        if let Some(nets) = list(nets) {
            lines.add(format_args!("{ip} {} {nets} return", side.excluded));
        }
    }
}
