//! The rules as nft reads them (nftables 1.0.6 takes only literals for `mod` and `group`).

use std::fmt::Display;

use ipnet::IpNet;

use super::{Method, Sampling};

/// SYN packets as SPEC 2 has them.
const SYN: &str = "tcp flags & (fin|syn|rst|ack) == syn";

/// Without conntrack.
pub(super) fn set(sampling: &Sampling) -> String {
    table(
        sampling,
        "\
# Which connections: a keyed hash of 4-tuple and initial sequence number. Repeated SYNs share one decision, and
# nobody without the seed can aim at the sample or avoid it. A chosen connection is remembered in a set, whose
# element counts its packets. A full set ends sampling, not traffic. Nothing is dropped, changed or tracked.
",
        |lines| {
            counters(lines, true);
            sets(lines, sampling);
            record(lines, "record", sampling, sampling.queue);
            choose(lines, sampling, &SOURCE);
            lines.block("chain ingress", |lines| {
                lines.add("type filter hook prerouting priority raw; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "iif", sampling);
                ports(lines, "dport", sampling);
                lines.add(format_args!("{SYN} jump choose"));
                look_up(lines);
            });
        },
    )
}

/// The connections that this host opens.
pub(super) fn origin(sampling: &Sampling) -> String {
    table(
        sampling,
        "\
# Connections that this host opens: chosen by their SYN as it leaves, as a keyed hash of 4-tuple and initial
# sequence number has it; recorded are the SYN and the packets that come back. Not for connections whose source
# address this host itself translates (masquerading): what comes back has another destination here.
",
        |lines| {
            counters(lines, true);
            sets(lines, sampling);
            // The kernel gives no time to what it sends: without waiting it is when it is received.
            record(lines, "record_syn", sampling, 1);
            record(lines, "record", sampling, sampling.queue);
            choose(lines, sampling, &DESTINATION);
            lines.block("chain egress", |lines| {
                lines.add("type filter hook output priority raw; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "oif", sampling);
                ports(lines, "dport", sampling);
                lines.add(format_args!("{SYN} jump choose"));
            });
            lines.block("chain ingress", |lines| {
                lines.add("type filter hook prerouting priority raw; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "iif", sampling);
                ports(lines, "sport", sampling);
                look_up(lines);
            });
        },
    )
}

/// The published recipe.
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
# The default rules ('cutshort rules --nft') miss none of them and need no conntrack.
",
        |lines| {
            counters(lines, false);
            lines.block("chain ingress", |lines| {
                let Sampling { rate, limit, .. } = sampling;
                lines.add("type filter hook prerouting priority mangle; policy accept;");
                lines.add("meta l4proto != tcp return");
                interfaces(lines, "iif", sampling);
                ports(lines, "dport", sampling);
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

/// Text in blocks.
#[derive(Default)]
struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn add(&mut self, line: impl Display) {
        self.text.push_str(&"\t".repeat(self.depth));
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    fn block(&mut self, head: impl Display, inside: impl FnOnce(&mut Self)) {
        self.add(format_args!("{head} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.add("}");
    }
}

fn table(sampling: &Sampling, about: &str, inside: impl FnOnce(&mut Lines)) -> String {
    let table = sampling.method.table();
    let mut lines = Lines::default();
    lines.add(format_args!("# cutshort: {sampling}"));
    lines.text.push_str(about);
    // Replaces what is loaded, in one transaction.
    lines.add(format_args!("add table inet {table}"));
    lines.add(format_args!("delete table inet {table}"));
    lines.block(format_args!("table inet {table}"), |lines| {
        lines.add(format_args!("comment \"{sampling}\""));
        inside(lines);
    });
    lines.text
}

fn counters(lines: &mut Lines, with_set: bool) {
    let full = with_set.then_some("full");
    for name in ["syn", "chosen", "logged"].into_iter().chain(full) {
        lines.add(format_args!("counter {name} {{ }}"));
    }
}

fn sets(lines: &mut Lines, sampling: &Sampling) {
    for (name, address) in [("flows4", "ipv4_addr"), ("flows6", "ipv6_addr")] {
        lines.block(format_args!("set {name}"), |lines| {
            lines.add(format_args!("type {address} . inet_service . {address} . inet_service"));
            lines.add("flags dynamic");
            lines.add(format_args!("size {}", sampling.size));
            lines.add(format_args!("timeout {}s", sampling.keep.as_secs()));
        });
    }
}

fn record(lines: &mut Lines, name: &str, sampling: &Sampling, queue: u32) {
    lines.block(format_args!("chain {name}"), |lines| {
        // The verdict ends this hook's chain only; without it a SYN would be logged twice.
        lines.add(format_args!("counter name logged {} accept", log(sampling, queue)));
    });
}

fn log(sampling: &Sampling, queue: u32) -> String {
    let Sampling { group, snaplen, .. } = sampling;
    format!("log prefix \"{}\" group {group} snaplen {snaplen} queue-threshold {queue}", sampling.prefix())
}

/// From whose side a connection is looked at: what tells its client or server, and the key under
/// which its packets will come in.
struct Side {
    excluded: &'static str,
    key: [(&'static str, &'static str); 4],
    /// Whether a connection is not this host's own.
    foreign: Option<&'static str>,
    target: &'static str,
}

/// Clients that connect to us.
const SOURCE: Side = Side {
    excluded: "saddr",
    key: [("ip", "saddr"), ("tcp", "sport"), ("ip", "daddr"), ("tcp", "dport")],
    foreign: Some("fib daddr type != local return"),
    target: "record",
};

/// Servers that we connect to: their packets have source and destination the other way round.
const DESTINATION: Side = Side {
    excluded: "daddr",
    key: [("ip", "daddr"), ("tcp", "dport"), ("ip", "saddr"), ("tcp", "sport")],
    foreign: None,
    target: "record_syn",
};

impl Side {
    /// The key in the words of one IP version (`ip` or `ip6`).
    fn key(&self, ip: &str) -> String {
        let words =
            self.key.map(|(header, field)| format!("{} {field}", if header == "ip" { ip } else { header }));
        words.join(" . ")
    }
}

fn choose(lines: &mut Lines, sampling: &Sampling, side: &Side) {
    for (ip, set, chain) in [("ip", "flows4", "chosen4"), ("ip6", "flows6", "chosen6")] {
        let key = side.key(ip);
        // The SYN of a connection that is the other way round in the set counts there too.
        let burst = sampling.limit.get() + u32::from(sampling.method == Method::Origin);
        lines.block(format_args!("chain {chain}"), |lines| {
            lines.add("counter name chosen");
            lines.add(format_args!(
                "add @{set} {{ {key} limit rate 1/day burst {burst} packets }} goto {}",
                side.target
            ));
            lines.add(format_args!("{key} != @{set} counter name full"));
        });
    }
    lines.block("chain choose", |lines| {
        excluded(lines, side, sampling);
        if let Some(foreign) = side.foreign.filter(|_| !sampling.forwarded) {
            lines.add(foreign);
        }
        lines.add("counter name syn");
        let seed = sampling.seed.map(|seed| format!(" seed {:#010x}", seed.number())).unwrap_or_default();
        for (version, ip, chain) in [("ipv4", "ip", "chosen4"), ("ipv6", "ip6", "chosen6")] {
            lines.add(format_args!(
                "meta nfproto {version} jhash {ip} saddr . {ip} daddr . tcp sport . tcp dport . tcp sequence mod {}{seed} == 0 goto {chain}",
                sampling.rate
            ));
        }
    });
}

fn look_up(lines: &mut Lines) {
    for (version, ip, set) in [("ipv4", "ip", "flows4"), ("ipv6", "ip6", "flows6")] {
        lines.add(format_args!("meta nfproto {version} {} @{set} goto record", SOURCE.key(ip)));
    }
}

/// Leaves the loopback out, or all but some.
fn interfaces(lines: &mut Lines, field: &str, sampling: &Sampling) {
    let quoted = sampling.interfaces.iter().map(|name| format!("\"{name}\""));
    match list(quoted) {
        Some(names) => lines.add(format_args!("{field}name != {names} return")),
        None => lines.add(format_args!("{field} lo return")),
    }
}

fn ports(lines: &mut Lines, field: &str, sampling: &Sampling) {
    if let Some(ports) = list(sampling.ports.iter()) {
        lines.add(format_args!("tcp {field} != {ports} return"));
    }
}

fn excluded(lines: &mut Lines, side: &Side, sampling: &Sampling) {
    // nft refuses networks of a list that overlap.
    let all = IpNet::aggregate(&sampling.exclude);
    for (ip, version) in [("ip", 4), ("ip6", 6)] {
        let nets = all.iter().filter(|net| matches!(net, IpNet::V4(_)) == (version == 4));
        if let Some(nets) = list(nets) {
            lines.add(format_args!("{ip} {} {nets} return", side.excluded));
        }
    }
}

/// `{ 80, 443 }`; none of nothing.
fn list(items: impl Iterator<Item = impl Display>) -> Option<String> {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| format!("{{ {} }}", items.join(", ")))
}
