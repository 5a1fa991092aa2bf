//! The rules for QUIC connections of clients (docs/quic.md#sampling).

use super::lines::{Lines, list};
use super::nft::{
    QUOTED, Quoted, SOURCE, Side, VERSIONS, Version, counters, excluded, foreign, four_tuples, hashed,
    interfaces, look_at_errors, ports, record, report_left_out, table, unreachable,
};
use super::{Ports, Sampling, Seed};

/// Clients that send us datagrams.
const DATAGRAM: Side =
    Side { key: [("ip", "saddr"), ("udp", "sport"), ("ip", "daddr"), ("udp", "dport")], ..SOURCE };

/// Two of the rules hash in the same way, so they need a seed that both have; without one, each would get another of the
/// kernel.
pub(super) fn text(sampling: &Sampling, seed: Option<Seed>) -> String {
    table(
        sampling,
        "\
# QUIC connections of clients: a keyed hash of 4-tuple and day of the week chooses them by their first datagram, which
# begins like an Initial packet. The connection id is not part of the hash, since a Retry would be a second ticket in the
# lottery; the day is, so that addresses and ports that stay the same are not always left out. A chosen connection is
# remembered in a set, whose element counts its datagrams, until two minutes after its last one. A full set ends
# sampling, not traffic; the log then says so, without the packets. Of ICMP errors those are logged that quote a datagram of
# this host to a client: by the same hash or, if the rules have no seed, all of them, of which the receiver keeps those
# of chosen connections. Datagrams are logged whole, and the receiver keeps nothing of their content. Nothing is dropped,
# changed or tracked.
",
        |lines| {
            counters(lines, &["initial", "chosen", "logged", "full", "icmp_error"]);
            four_tuples(lines, "flows", sampling.size, sampling.keep, "");
            record(lines, "record", sampling, sampling.queue);
            report_left_out(lines, sampling);
            remember(lines, sampling);
            choose(lines, sampling, seed);
            begin(lines);
            unreachable(lines, sampling, &[0, 1].map(|version| quoted(sampling, seed, version)));
            datagrams(lines, sampling);
            lines.block("chain ingress", |lines| {
                lines.add("type filter hook prerouting priority raw; policy accept;");
                interfaces(lines, "iif", sampling);
                lines.add("meta l4proto udp goto datagrams");
                look_at_errors(lines);
            });
        },
    )
}

/// The hash of addresses and ports, on a day.
fn hash_of_day(sampling: &Sampling, seed: Option<Seed>, key: &str) -> String {
    hashed(sampling, seed, &format!("{key} . meta day"))
}

/// What an element of `flows` has: each datagram puts off its end, and takes one of its count until there are no more.
fn kept(sampling: &Sampling) -> String {
    format!("timeout {}s limit rate 1/day burst {} packets", sampling.keep.as_secs(), sampling.limit)
}

/// What becomes of a chosen connection.
fn remember(lines: &mut Lines, sampling: &Sampling) {
    for Version { number, ip, .. } in &VERSIONS {
        let (key, kept) = (DATAGRAM.key(ip), kept(sampling));
        lines.block(format_args!("chain chosen{number}"), |lines| {
            lines.add("counter name chosen");
            lines.add(format_args!("add @flows{number} {{ {key} {kept} }} goto record"));
            lines.add("counter name full goto left_out");
        });
    }
}

fn choose(lines: &mut Lines, sampling: &Sampling, seed: Option<Seed>) {
    lines.block("chain choose", |lines| {
        excluded(lines, &DATAGRAM, sampling);
        foreign(lines, &DATAGRAM, sampling);
        lines.add("counter name initial");
        for Version { name, number, ip } in &VERSIONS {
            let key = format!("{ip} saddr . {ip} daddr . udp sport . udp dport");
            let hash = hash_of_day(sampling, seed, &key);
            lines.add(format_args!("meta nfproto {name} {hash} goto chosen{number}"));
        }
    });
}

/// Datagrams that may begin a connection, as `Udp::may_begin` in crates/packet has them: a long header with the type bits of
/// Initial. The fixed bit may be greased.
fn begin(lines: &mut Lines) {
    // In bits: the first byte of the payload, and the version behind it.
    const FIRST: &str = "@th,64,8 & 0xb0";
    const VERSION: &str = "@th,72,32";
    const V2: u32 = cutshort_packet::quic::Version::V2 as u32;
    lines.block("chain begin", |lines| {
        lines.add(format_args!("{FIRST} == 0x80 {VERSION} != 0 {VERSION} != {V2:#x} goto choose"));
        lines.add(format_args!("{FIRST} == 0x90 {VERSION} == {V2:#x} goto choose"));
    });
}

/// The condition that an ICMP error quotes a datagram from a server of ours to a client whose connection is chosen.
fn quoted(sampling: &Sampling, seed: Option<Seed>, version: usize) -> String {
    let Quoted { protocol, source, target, address, ports: server } = QUOTED[version];
    let client = server + 16;
    // Without options, behind which everything else would be elsewhere.
    let header = if VERSIONS[version].number == 4 { "@th,64,8 0x45 " } else { "" };
    let port = list(Ports::merged(&sampling.ports).iter());
    let port = port.map(|ports| format!(" @th,{server},16 {ports}")).unwrap_or_default();
    let chosen = seed.map(|seed| {
        let addresses = format!("@th,{target},{address} . @th,{source},{address}");
        let key = format!("{addresses} . @th,{client},16 . @th,{server},16");
        format!(" {}", hash_of_day(sampling, Some(seed), &key))
    });
    format!("{header}@th,{protocol},8 17{port}{}", chosen.unwrap_or_default())
}

fn datagrams(lines: &mut Lines, sampling: &Sampling) {
    lines.block("chain datagrams", |lines| {
        ports(lines, "udp dport", sampling);
        for Version { name, number, ip } in &VERSIONS {
            // Looks an element up without using up its count.
            let key = DATAGRAM.key(ip);
            lines.add(format_args!("meta nfproto {name} {key} != @flows{number} goto begin"));
        }
        for Version { name, number, ip } in &VERSIONS {
            let (key, kept) = (DATAGRAM.key(ip), kept(sampling));
            lines.add(format_args!(
                "meta nfproto {name} update @flows{number} {{ {key} {kept} }} goto record"
            ));
        }
    });
}
