//! A second opinion: the rules for connections, word by word and slow, from packets alone.
use cutshort_packet::{Flags, Packet, SynOptions};
use cutshort_simulate::{Outcome, Stage, Termination, Verdict};
use std::collections::HashSet;

const LIMIT: usize = 10;
const GUARD: i64 = 10_000_000_000;

fn bit(packet: &Packet, flag: Flags) -> bool {
    packet.flags.intersects(flag)
}

fn is_syn(packet: &Packet) -> bool {
    bit(packet, Flags::SYN) && !bit(packet, Flags::ACK | Flags::RST | Flags::FIN)
}

/// What the packets of one 5-tuple in one window are, `cutoff` being the window's end.
pub(crate) fn classify(all: &[Packet], cutoff: i64) -> Outcome {
    let rows = &all[..all.len().min(LIMIT)];
    let syns: Vec<_> = rows.iter().filter(|p| is_syn(p)).collect();
    let Some(first) = syns.first() else { return Outcome::NoSyn };
    assert!(syns.iter().all(|p| p.seq == first.seq), "not one connection");
    let latest_syn = syns.iter().map(|p| p.ts).max().unwrap();
    let resets: Vec<_> = rows.iter().filter(|p| bit(p, Flags::RST) && p.ts >= latest_syn).collect();
    let rel = |p: &Packet| p.seq.wrapping_sub(first.seq);
    let rest: Vec<_> = rows.iter().filter(|p| !bit(p, Flags::SYN | Flags::RST) && rel(p) < 1 << 31).collect();
    let fin = rest.iter().any(|p| bit(p, Flags::FIN));
    let acks: Vec<_> = rest.iter().filter(|p| bit(p, Flags::ACK)).collect();
    let data: Vec<_> =
        rest.iter().filter(|p| p.payload_len > 0 && !(p.payload_len == 1 && rel(p) == 0)).collect();
    let answered = acks.iter().map(|p| p.ack).collect::<HashSet<_>>().len() >= 2;
    let end = |p: &Packet| rel(p) + p.payload_len;
    let message = data.iter().filter(|p| bit(p, Flags::PSH)).map(|p| end(p)).min();
    let beyond = message.is_some_and(|message| data.iter().any(|p| end(p) > message));
    let progress = match () {
        () if beyond => Stage::Later,
        () if !data.is_empty() => Stage::PostPsh,
        () if !acks.is_empty() => Stage::PostAck,
        () => Stage::PostSyn,
    };
    let key = |p: &Packet| (p.flags, p.seq, p.ack, p.payload_len);
    let data_keys: HashSet<_> = data.iter().map(|p| key(p)).collect();
    let repeats = (syns.len() - 1) + (data.len() - data_keys.len());
    let latest = rows.iter().map(|p| p.ts).max().unwrap();
    let termination = if !resets.is_empty() {
        Termination::Reset
    } else if fin {
        Termination::Fin
    } else if rows.len() >= LIMIT && 2 * repeats < LIMIT {
        Termination::Open
    } else if latest > cutoff - GUARD {
        return Outcome::Incomplete;
    } else if !answered {
        Termination::Timeout
    } else {
        Termination::Open
    };
    let stage = match termination {
        Termination::Reset => progress,
        Termination::Timeout if progress == Stage::Later => Stage::PostPsh,
        Termination::Timeout => progress,
        _ => Stage::None,
    };
    let distinct_acks = acks.iter().map(|p| key(p)).collect::<HashSet<_>>().len();
    let (with_ack, without): (Vec<&Packet>, Vec<&Packet>) =
        resets.into_iter().partition(|p| bit(p, Flags::ACK));
    let numbers: HashSet<_> = without.iter().map(|p| p.ack).collect();
    let (r, ra) = (without.len(), with_ack.len());
    let same = numbers.len() == 1;
    let zero = numbers.contains(&0);
    let many = r >= 2 && ra == 0;
    let holds = [
        termination == Termination::Timeout,
        termination == Termination::Reset,
        termination == Termination::Reset && fin,
        r == 1 && ra == 0,
        many,
        many && same && !zero,
        many && same && zero,
        many && !same && !zero,
        many && !same && zero,
        ra == 1 && r == 0,
        ra >= 2 && r == 0,
        r > 0 && ra > 0,
        first.five_tuple.is_ipv4() && first.ip_id == 54321 && first.tcp_window == 65535,
        answered,
        syns.iter().any(|p| p.payload_len > 0),
        syns.len() > 1,
    ];
    let later = later_tags(first, &rows_that_end(rows, latest_syn), &rest);
    let tags = holds.iter().enumerate().map(|(bit, holds)| u32::from(*holds) << bit).sum::<u32>() | later;
    let signature = if holds[2] { None } else { signature(stage, (r, ra), distinct_acks, same, zero) };
    Outcome::Judged(Verdict { stage, termination, tags, signature })
}

/// The RSTs among rows.
fn rows_that_end(rows: &[Packet], latest_syn: i64) -> Vec<&Packet> {
    rows.iter().filter(|p| bit(p, Flags::RST) && p.ts >= latest_syn).collect()
}

/// The tags from bit 21 on.
fn later_tags(syn: &Packet, resets: &[&Packet], rest: &[&Packet]) -> u32 {
    let is_ipv4 = syn.five_tuple.is_ipv4();
    let server = (syn.five_tuple.dst_ip.to_bits() & 0xffff_ffff) as u32;
    let masscan = (server ^ u32::from(syn.five_tuple.dst_port) ^ syn.seq) & 0xffff;
    let of_zmap = [(0x0041_1312, 8), (0x0003_1542, 7), (0x6451_1312, 6)];
    let has_options_of_zmap = of_zmap
        .iter()
        .any(|(kinds, wscale)| syn.syn == SynOptions { kinds: *kinds, mss: 1460, wscale: *wscale });
    let is_full = |p: &Packet| p.tcp_window == 0 && (bit(p, Flags::ACK) || p.payload_len > 0);
    [
        is_ipv4 && !syn.df && syn.tcp_window == 65535 && has_options_of_zmap,
        is_ipv4 && syn.tcp_window != 65535 && u32::from(syn.ip_id) == masscan,
        is_ipv4 && syn.seq == server,
        syn.options_len == 0,
        syn.ttl > 200,
        rest.iter().any(|p| is_full(p)),
        resets.iter().any(|p| p.ttl.abs_diff(syn.ttl) >= 3),
    ]
    .iter()
    .enumerate()
    .map(|(at, holds)| u32::from(*holds) << (21 + at))
    .sum()
}

fn signature(stage: Stage, (r, ra): (usize, usize), acks: usize, same: bool, zero: bool) -> Option<u8> {
    match (stage, r, ra) {
        (Stage::PostSyn, 0, 0) => Some(1),
        (Stage::PostSyn, _, 0) => Some(2),
        (Stage::PostSyn, 0, _) => Some(3),
        (Stage::PostSyn, _, _) => Some(4),
        (Stage::PostAck, ..) if acks != 1 => None,
        (Stage::PostAck, 0, 0) => Some(5),
        (Stage::PostAck, 1, 0) => Some(6),
        (Stage::PostAck, _, 0) => Some(7),
        (Stage::PostAck, 0, 1) => Some(8),
        (Stage::PostAck, 0, _) => Some(9),
        (Stage::PostPsh, 0, 0) => Some(10),
        (Stage::PostPsh, 1, 0) => Some(11),
        (Stage::PostPsh, 0, 1) => Some(12),
        (Stage::PostPsh, 0, _) => Some(14),
        (Stage::PostPsh, _, 0) if same => Some(15),
        (Stage::PostPsh, _, 0) if !zero => Some(16),
        (Stage::PostPsh, _, 0) => Some(17),
        (Stage::PostPsh, _, _) => Some(13),
        (Stage::Later, _, 0) => Some(18),
        (Stage::Later, 0, _) => Some(19),
        _ => None,
    }
}
