//! The rules of docs/origin.md once more, sentence by sentence and without regard to speed.

use std::collections::BTreeSet;

use cutshort_packet::{FiveTuple, Flags, Packet, Unreachable};
use cutshort_verdict::{
    DataSet, Exclusion, Outcome, Progress, Row, Rules, Signature, Stage, Tag, Termination, Verdict,
};

/// One record of a capture.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Record {
    Packet(Packet),
    Icmp(Unreachable),
}

impl Record {
    pub(crate) const fn ts(&self) -> i64 {
        match self {
            Self::Packet(packet) => packet.ts,
            Self::Icmp(icmp) => icmp.ts,
        }
    }
}

/// A connection's 5-tuple, its rows in the order of arrival, and its outcome.
pub(crate) type Judged = (FiveTuple, Vec<Row>, Outcome);

fn bit(row: &Row, flag: Flags) -> bool {
    row.flags.intersects(flag)
}

fn is_syn_packet(flags: Flags) -> bool {
    flags.intersects(Flags::SYN)
        && !flags.intersects(Flags::ACK)
        && !flags.intersects(Flags::RST)
        && !flags.intersects(Flags::FIN)
}

/// Judges what one window has of one pair of 5-tuples, in the order of arrival.
pub(crate) fn pair(records: &[Record], one: FiveTuple, cutoff: i64, rules: &Rules) -> Vec<Judged> {
    let is_tcp = records.iter().any(|record| matches!(record, Record::Packet(_)));
    if !is_tcp {
        return Vec::new();
    }
    if one == one.reversed() {
        return vec![(one, Vec::new(), Err(Exclusion::SelfConnected))];
    }
    let judged: Vec<Judged> = [one, one.reversed()]
        .into_iter()
        .flat_map(|opener| of_opener(records, opener, cutoff, rules))
        .collect();
    if judged.is_empty() { vec![(one, Vec::new(), Err(Exclusion::NoSyn))] } else { judged }
}

fn of_opener(records: &[Record], opener: FiveTuple, cutoff: i64, rules: &Rules) -> Vec<Judged> {
    // Which rows there are, and of which connection.
    let mut connections: Vec<(u32, Vec<Row>)> = Vec::new();
    for record in records {
        match record {
            Record::Packet(packet) if packet.five_tuple == opener => {
                let is_syn = is_syn_packet(packet.flags);
                let others = [Flags::PSH, Flags::FIN, Flags::RST];
                let is_other = others.iter().any(|flag| packet.flags.intersects(*flag))
                    && !packet.flags.intersects(Flags::SYN);
                if is_syn && connections.last().is_none_or(|(isn, _)| *isn != packet.seq) {
                    connections.push((packet.seq, Vec::new()));
                }
                if let (Some((_, rows)), true) = (connections.last_mut(), is_syn || is_other) {
                    rows.push(Row::from(packet));
                }
            }
            Record::Packet(packet) => {
                if let Some((_, rows)) = connections.last_mut() {
                    let row = Row::from(packet);
                    rows.push(Row { flags: row.flags | Flags::RECEIVED, ..row });
                }
            }
            Record::Icmp(icmp) => {
                let quotes = |isn: u32| icmp.five_tuple == opener && icmp.seq == isn;
                if let Some((_, rows)) = connections.last_mut().filter(|(isn, _)| quotes(*isn)) {
                    rows.push(Row::from(icmp));
                }
            }
        }
    }
    // The cap.
    for (_, rows) in &mut connections {
        let (mut tcp, mut icmp) = (0, 0);
        rows.retain(|row| {
            let (count, most) =
                if row.is_icmp() { (&mut icmp, 3) } else { (&mut tcp, rules.packet_limit + 6) };
            *count += 1;
            *count <= most
        });
    }
    let mut judged = Vec::new();
    for (at, (_, rows)) in connections.iter().enumerate() {
        let next = connections.get(at + 1).map(|(_, rows)| {
            let syns = rows.iter().filter(|row| !bit(row, Flags::RECEIVED) && is_syn_packet(row.flags));
            syns.map(|row| row.ts).min().unwrap()
        });
        judged.push((opener, rows.clone(), connection(rows, cutoff, next, rules)));
    }
    judged
}

/// What the rows of one connection are to be taken for, in any order.
pub(crate) fn connection(rows: &[Row], cutoff: i64, next: Option<i64>, rules: &Rules) -> Outcome {
    let tcp: Vec<&Row> = rows.iter().filter(|row| !bit(row, Flags::ICMP)).collect();
    let (received, sent): (Vec<&Row>, Vec<&Row>) = tcp.iter().partition(|row| bit(row, Flags::RECEIVED));
    let syns: Vec<&Row> = sent.iter().copied().filter(|row| is_syn_packet(row.flags)).collect();
    let isn = syns[0].seq;
    let since = syns.iter().map(|row| row.ts).max().unwrap();
    let first_syn = syns.iter().map(|row| row.ts).min().unwrap();
    let order = |row: &&&Row| (row.ts, row.ip_id, row.ttl, row.tcp_window, row.sample_rate);
    let syn = **syns.iter().min_by_key(order).unwrap();
    let rel = |x: u32| x.wrapping_sub(isn.wrapping_add(1));
    let is_old = |x: u32| rel(x) >= 0x8000_0000;

    // What a row means.
    let own: Vec<&Row> = sent
        .iter()
        .copied()
        .filter(|row| !is_syn_packet(row.flags) && !bit(row, Flags::SYN) && !is_old(row.seq))
        .collect();
    let all_rsts: Vec<&Row> =
        received.iter().copied().filter(|row| bit(row, Flags::RST) && row.ts >= since).collect();
    let our_rsts: Vec<&Row> = own
        .iter()
        .copied()
        .filter(|row| bit(row, Flags::RST) && row.ts >= since && all_rsts.iter().all(|rst| row.ts < rst.ts))
        .collect();
    let our_fins: Vec<&Row> = own
        .iter()
        .copied()
        .filter(|row| bit(row, Flags::FIN) && !bit(row, Flags::RST) && row.ts >= since)
        .collect();
    let has_close = !our_rsts.is_empty() || !our_fins.is_empty();
    let meant = received
        .iter()
        .copied()
        .filter(|row| bit(row, Flags::RST) || !bit(row, Flags::ACK) || !is_old(row.ack));
    let meant: Vec<&Row> = meant.collect();
    let is_syn_ack = |row: &Row| {
        bit(row, Flags::SYN) && bit(row, Flags::ACK) && !bit(row, Flags::RST) && !bit(row, Flags::FIN)
    };
    let is_segment = |row: &Row| bit(row, Flags::ACK) && !bit(row, Flags::SYN) && !bit(row, Flags::RST);
    let closed = our_rsts.iter().map(|row| row.ts).min().map(|rst| {
        let Some(fin) = our_fins.iter().map(|row| row.ts).min().filter(|fin| *fin < rst) else { return rst };
        let between: Vec<i64> = meant
            .iter()
            .filter(|row| is_segment(row) && row.payload_len > 0 && row.ts > fin && row.ts <= rst)
            .map(|row| row.ts)
            .collect();
        if between.iter().all(|ts| rst - ts <= 100_000_000) { fin } else { rst }
    });
    let in_time = |row: &&&Row| closed.is_none_or(|closed| row.ts <= closed);
    let rsts: Vec<&Row> = all_rsts.iter().filter(in_time).copied().collect();
    let syn_acks: Vec<&Row> = meant.iter().filter(in_time).copied().filter(|row| is_syn_ack(row)).collect();
    let segments: Vec<&Row> = meant.iter().filter(in_time).copied().filter(|row| is_segment(row)).collect();
    let from_server: Vec<&Row> = syn_acks.iter().chain(&segments).copied().collect();
    let answers: Vec<&Row> = from_server.iter().copied().filter(|row| row.payload_len > 0).collect();
    let answered = !answers.is_empty();

    let told = own
        .iter()
        .filter(|row| !bit(row, Flags::RST) || our_fins.is_empty())
        .map(|row| u128::from(rel(row.seq)) + u128::from(row.payload_len))
        .max()
        .unwrap_or(0);
    let taken = |row: &Row| {
        let all = u128::from(rel(row.ack));
        if has_close && all > told { told } else { all }
    };
    let largest = from_server.iter().map(|row| taken(row)).max().unwrap_or(0);
    let first = answers.iter().map(|row| taken(row)).filter(|taken| *taken > 0).min();
    let asked = largest > 0 || told > 0;

    // How far it got.
    let own_ack = own.iter().any(|row| bit(row, Flags::ACK) && !bit(row, Flags::RST));
    let progress = if from_server.is_empty() && !own_ack {
        Progress::PostSyn
    } else if largest == 0 {
        Progress::PostAck
    } else if first.is_some_and(|first| from_server.iter().any(|row| taken(row) > first)) {
        Progress::Later
    } else {
        Progress::PostPsh
    };

    // How it ended.
    let same = |row: &Row| (row.flags.bits(), row.seq, row.ack, row.payload_len);
    let repeats_in =
        |rows: &[&Row]| rows.len() - rows.iter().map(|row| same(row)).collect::<BTreeSet<_>>().len();
    let own_segments: Vec<&Row> = own.iter().copied().filter(|row| !bit(row, Flags::RST)).collect();
    let repeats = repeats_in(&syns) + repeats_in(&own_segments) + repeats_in(&from_server);
    let times = |row: &Row| syn_acks.iter().filter(|other| same(other) == same(row)).count();
    let most_syn_acks = syn_acks.iter().map(|row| times(row)).max().unwrap_or(0);
    let server_fins: Vec<&Row> = segments.iter().copied().filter(|row| bit(row, Flags::FIN)).collect();
    let latest = rows.iter().map(|row| row.ts).max().unwrap();
    let until = next.unwrap_or(cutoff);
    let mut by_rule_2 = false;
    let icmp = rows.iter().any(|row| bit(row, Flags::ICMP) && row.ts >= first_syn);
    let termination = if !rsts.is_empty() {
        Termination::Reset
    } else if server_fins.iter().any(|fin| answered || !our_fins.iter().any(|ours| ours.ts < fin.ts)) {
        by_rule_2 = true;
        Termination::Fin
    } else if progress == Progress::PostSyn && icmp {
        Termination::Unreachable
    } else if has_close {
        if answered { Termination::Fin } else { Termination::GaveUp }
    } else if tcp.len() >= rules.packet_limit as usize + 6 && repeats * 2 < rules.packet_limit as usize {
        Termination::Open
    } else if latest > until - rules.guard {
        return Err(if next.is_some() { Exclusion::MultipleSyn } else { Exclusion::Incomplete });
    } else if answered || (progress == Progress::PostAck && !asked && most_syn_acks < 3) {
        Termination::Open
    } else {
        Termination::Timeout
    };

    // Where it was cut short.
    let reached = match progress {
        Progress::PostSyn => Stage::PostSyn,
        Progress::PostAck => Stage::PostAck,
        Progress::PostPsh => Stage::PostPsh,
        Progress::Later => Stage::Later,
    };
    let first_syn_ack = syn_acks.iter().map(|row| row.ts).min();
    let only_plain_rsts = our_fins.is_empty() && our_rsts.iter().all(|row| !bit(row, Flags::ACK));
    let came_late = first_syn_ack.is_some_and(|ts| ts - first_syn >= 500_000_000 || syns.len() >= 2);
    let is_late = termination == Termination::GaveUp && !asked && only_plain_rsts && came_late;
    let stage = match termination {
        Termination::Reset | Termination::Unreachable | Termination::Timeout => reached,
        Termination::GaveUp if asked => reached,
        Termination::GaveUp if is_late => Stage::PostSyn,
        _ => Stage::None,
    };

    // Tags.
    let plain: Vec<&Row> = rsts.iter().copied().filter(|row| !bit(row, Flags::ACK)).collect();
    let (r, ra) = (plain.len(), rsts.len() - plain.len());
    let numbers: BTreeSet<u32> = plain.iter().map(|row| row.ack).collect();
    let (zero, equal, several) = (numbers.contains(&0), numbers.len() == 1, r >= 2 && ra == 0);
    let is_reset = termination == Termination::Reset;
    let refused = is_reset
        && progress == Progress::PostSyn
        && rsts.iter().any(|rst| {
            let is_answer = |syn: &&Row| rst.ack == isn.wrapping_add(1).wrapping_add(syn.payload_len);
            bit(rst, Flags::ACK) && rst.seq == 0 && syns.iter().any(is_answer)
        });
    let tags = [
        (Tag::Timeout, termination == Termination::Timeout),
        (Tag::Reset, is_reset),
        (Tag::Fin, is_reset && (!server_fins.is_empty() || !our_fins.is_empty())),
        (Tag::SingleRst, r == 1 && ra == 0),
        (Tag::MultipleRsts, several),
        (Tag::AckNumSame, several && equal && !zero),
        (Tag::AckNumSame0, several && equal && zero),
        (Tag::AckNumDiff, several && !equal && !zero),
        (Tag::AckNumDiff0, several && !equal && zero),
        (Tag::SingleRstAck, r == 0 && ra == 1),
        (Tag::MultipleRstAcks, r == 0 && ra >= 2),
        (Tag::RstAndRstAcks, r >= 1 && ra >= 1),
        (Tag::Answered, answered),
        (Tag::SynPayload, syns.iter().any(|row| row.payload_len > 0)),
        (Tag::SynRetransmitted, syns.len() > 1),
        (Tag::GaveUp, termination == Termination::GaveUp),
        (Tag::Refused, refused),
        (Tag::EmptyAnswer, termination == Termination::Fin && by_rule_2 && asked && !answered),
        (Tag::SynAckRetransmitted, most_syn_acks >= 2),
        (Tag::SynAckLate, is_late),
        (Tag::Unreachable, termination == Termination::Unreachable),
    ];
    let has_fin_tag = tags[2].1;

    // Signatures.
    let distinct = from_server.iter().map(|row| same(row)).collect::<BTreeSet<_>>().len();
    let acknum_same = several && equal;
    let id = match (termination, stage) {
        (Termination::GaveUp, Stage::PostSyn) => Some(201),
        (Termination::GaveUp, Stage::PostAck) => Some(205),
        (Termination::GaveUp, Stage::PostPsh) => Some(210),
        (Termination::Unreachable, _) => Some(221),
        (Termination::Reset | Termination::Timeout, _) if !has_fin_tag => match (stage, r, ra) {
            (Stage::PostSyn, 0, 0) => Some(1),
            (Stage::PostSyn, 1.., 0) => Some(2),
            (Stage::PostSyn, 0, 1..) => Some(3),
            (Stage::PostSyn, _, _) => Some(4),
            (Stage::PostAck, _, _) if distinct != 1 => None,
            (Stage::PostAck, 0, 0) => Some(5),
            (Stage::PostAck, 1, 0) => Some(6),
            (Stage::PostAck, 2.., 0) => Some(7),
            (Stage::PostAck, 0, 1) => Some(8),
            (Stage::PostAck, 0, _) => Some(9),
            (Stage::PostAck, _, _) => None,
            (Stage::PostPsh, 0, 0) => Some(10),
            (Stage::PostPsh, 1, 0) => Some(11),
            (Stage::PostPsh, 0, 1) => Some(12),
            (Stage::PostPsh, 1.., 1..) => Some(13),
            (Stage::PostPsh, 0, _) => Some(14),
            (Stage::PostPsh, _, _) if acknum_same => Some(15),
            (Stage::PostPsh, _, _) if !zero => Some(16),
            (Stage::PostPsh, _, _) => Some(17),
            (Stage::Later, 1.., 0) => Some(18),
            (Stage::Later, 0, 1..) => Some(19),
            _ => None,
        },
        _ => None,
    };

    // Numbers.
    let since_syn = |ts: Option<i64>| {
        let delta = ts? - syns[0].ts;
        (syns.len() == 1 && delta >= 0).then_some(delta / 1000 * 1000)
    };
    let earliest =
        |rows: &[&Row]| rows.iter().map(|row| (row.ts, row.ttl)).min().map(|(_, ttl)| i16::from(ttl));
    let ttl = earliest(&syn_acks).or(earliest(&segments));
    let deltas = rsts.iter().filter_map(|rst| Some(i16::from(rst.ttl) - ttl?));
    let rst_ttl_delta = deltas.max_by_key(|delta| (delta.abs(), *delta));
    let others: Vec<u16> = received
        .iter()
        .filter(|row| !rsts.iter().any(|rst| std::ptr::eq(*rst, **row)))
        .map(|row| row.ip_id)
        .filter(|id| *id != 0)
        .collect();
    let distance = |a: u16, b: u16| a.wrapping_sub(b).min(b.wrapping_sub(a));
    let nearest = |id: u16| others.iter().map(|other| distance(id, *other)).min();
    let rst_ip_id_delta = rsts.iter().filter(|rst| rst.ip_id != 0).filter_map(|rst| nearest(rst.ip_id)).max();
    Ok(Verdict {
        data_set: DataSet::Origin,
        progress,
        termination,
        stage,
        tags: tags.into_iter().filter_map(|(tag, holds)| holds.then_some(tag)).collect(),
        signature: id.and_then(Signature::from_id),
        rst_ttl_delta,
        rst_ip_id_delta,
        syn_ttl: syn.ttl,
        sample_rate: syn.sample_rate,
        packets: rows.len() as u32,
        first_ts: rows.iter().map(|row| row.ts).min().unwrap(),
        last_ts: latest,
        silent: (until - latest).max(0),
        handshake: since_syn(first_syn_ack),
        first_byte: since_syn(answers.iter().map(|row| row.ts).min()),
        version: 0,
        close_code: None,
    })
}
