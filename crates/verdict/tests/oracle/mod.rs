//! The rules once more, sentence by sentence and slow: a second opinion on what `src` computes.
//!
//! Nothing here is shared with `src` but the types of the answer, and nothing is clever.
use std::collections::BTreeSet;

use cutshort_packet::{Flags, Packet};
use cutshort_verdict::{
    DataSet, Exclusion, Outcome, Progress, Row, Rules, Signature, Stage, Tag, Tags, Termination, Verdict,
};

fn bit(row: &Row, flag: Flags) -> bool {
    row.flags.intersects(flag)
}

/// docs/spec.md#syn-packet: SYN set, and none of ACK, RST, FIN.
fn is_syn(row: &Row) -> bool {
    bit(row, Flags::SYN) && !bit(row, Flags::ACK) && !bit(row, Flags::RST) && !bit(row, Flags::FIN)
}

/// docs/spec.md#repeat: what two rows must share for one to be a repeat.
fn identity(row: &Row) -> (u16, u32, u32, u32) {
    (row.flags.unmarked().bits(), row.seq, row.ack, row.payload_len)
}

fn distinct(rows: &[&Row]) -> usize {
    rows.iter().map(|row| identity(row)).collect::<BTreeSet<_>>().len()
}

/// Where a connection of a 5-tuple lies among the rows.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    /// The first SYN packet of the connection that follows it on its ports.
    next: Option<i64>,
}

impl Span {
    fn holds(self, ts: i64) -> bool {
        self.start <= ts && self.next.is_none_or(|next| ts < next)
    }
}

/// What is to be said of the rows of one 5-tuple and window: how many are the tail of an older
/// connection, and each connection in order of time, as its rows in the order in which they came
/// and its outcome. `other` are all rows of the other direction, `cutoff` is the window's.
pub(crate) fn judge(
    rows: &[Row],
    other: &[Row],
    cutoff: i64,
    rules: &Rules,
) -> (u32, Vec<(Vec<Row>, Outcome)>) {
    // docs/spec.md#split: the SYN packets by (ts, seq); each whose seq differs from that of the one before
    // begins a connection.
    let mut syns: Vec<(i64, u32)> =
        rows.iter().filter(|row| is_syn(row)).map(|row| (row.ts, row.seq)).collect();
    syns.sort_unstable();
    let mut begins: Vec<(i64, u32)> = Vec::new();
    for syn in syns {
        if begins.last().is_none_or(|(_, seq)| *seq != syn.1) {
            begins.push(syn);
        }
    }
    let Some((earliest, _)) = begins.first().copied() else {
        return (0, vec![(rows.to_vec(), Err(Exclusion::NoSyn))]);
    };
    let tail = rows.iter().filter(|row| row.ts < earliest).count() as u32;
    let judged = (0..begins.len()).map(|at| {
        let span = Span { start: begins[at].0, next: begins.get(at + 1).map(|next| next.0) };
        let own = |row: &&Row| {
            if is_syn(row) { belongs(row, &begins) == at } else { span.holds(row.ts) }
        };
        let own: Vec<Row> = rows.iter().filter(own).copied().collect();
        let other: Vec<Row> = other.iter().filter(|row| span.holds(row.ts)).copied().collect();
        let outcome = connection(&own, &other, cutoff, span.next, rules);
        (own, outcome)
    });
    (tail, judged.collect())
}

/// To which connection a SYN packet belongs: to the last that begins at or before it, by (ts, seq).
fn belongs(syn: &Row, begins: &[(i64, u32)]) -> usize {
    begins.iter().rposition(|begin| *begin <= (syn.ts, syn.seq)).unwrap()
}

/// What the rows of one connection are to be taken for; `next` is the time of the SYN packet of the
/// connection that follows it on its ports.
fn connection(rows: &[Row], other: &[Row], cutoff: i64, next: Option<i64>, rules: &Rules) -> Outcome {
    let syns: Vec<&Row> = rows.iter().filter(|row| is_syn(row)).collect();
    let isn = syns[0].seq;
    assert!(syns.iter().all(|row| row.seq == isn), "one SYN, perhaps repeated");
    let marks = |row: &Row| row.flags.bits() & !row.flags.unmarked().bits();
    let earliest = |row: &&&Row| {
        (row.ts, row.ip_id, row.ttl, row.tcp_window, row.sample_rate, row.options_len, marks(row))
    };
    let syn = **syns.iter().min_by_key(earliest).unwrap();
    let latest_syn = syns.iter().map(|row| row.ts).max().unwrap();

    // docs/spec.md#ignored: what remains once the rows that mean nothing are gone.
    let is_rst = |row: &Row| bit(row, Flags::RST) && row.ts >= latest_syn;
    let rsts: Vec<&Row> = rows.iter().filter(|row| is_rst(row)).collect();
    let rel = |row: &Row| row.seq.wrapping_sub(isn);
    let others: Vec<&Row> = rows
        .iter()
        .filter(|row| !bit(row, Flags::SYN) && !bit(row, Flags::RST) && rel(row) < 0x8000_0000)
        .collect();

    // docs/spec.md#progress
    let acks: Vec<&Row> = others.iter().copied().filter(|row| bit(row, Flags::ACK)).collect();
    let is_keep_alive = |row: &Row| row.payload_len == 1 && row.seq == isn;
    let data: Vec<&Row> =
        others.iter().copied().filter(|row| row.payload_len > 0 && !is_keep_alive(row)).collect();
    let end = |row: &Row| u128::from(rel(row)) + u128::from(row.payload_len);
    let first_message = data.iter().filter(|row| bit(row, Flags::PSH)).map(|row| end(row)).min();
    let beyond = data.iter().any(|row| first_message.is_some_and(|first| end(row) > first));
    let progress = if beyond {
        Progress::Later
    } else if !data.is_empty() {
        Progress::PostPsh
    } else if !acks.is_empty() {
        Progress::PostAck
    } else {
        Progress::PostSyn
    };
    let answered = acks.iter().map(|row| row.ack).collect::<BTreeSet<_>>().len() >= 2;

    // docs/spec.md#termination
    let server_rst = other.iter().any(is_rst);
    let fin = others.iter().any(|row| bit(row, Flags::FIN));
    let only_repeat = (syns.len() - 1) + (data.len() - distinct(&data));
    let limit = rules.packet_limit as usize;
    let last_ts = rows.iter().map(|row| row.ts).max().unwrap();
    let termination = if !rsts.is_empty() {
        Termination::Reset
    } else if server_rst {
        Termination::ServerReset
    } else if fin {
        Termination::Fin
    } else if rows.len() >= limit && (only_repeat as f64) < limit as f64 / 2.0 {
        Termination::Open
    } else if last_ts > next.unwrap_or(cutoff) - rules.guard {
        return Err(if next.is_some() { Exclusion::MultipleSyn } else { Exclusion::Incomplete });
    } else if answered {
        Termination::Open
    } else {
        Termination::Timeout
    };
    let reached = match progress {
        Progress::PostSyn => Stage::PostSyn,
        Progress::PostAck => Stage::PostAck,
        Progress::PostPsh => Stage::PostPsh,
        Progress::Later => Stage::Later,
    };
    let stage = match termination {
        Termination::Reset => reached,
        Termination::Timeout => reached.min(Stage::PostPsh),
        _ => Stage::None,
    };

    // docs/spec.md#tags
    let plain: Vec<&Row> = rsts.iter().copied().filter(|row| !bit(row, Flags::ACK)).collect();
    let (r, ra) = (plain.len(), rsts.len() - plain.len());
    let numbers: BTreeSet<u32> = plain.iter().map(|row| row.ack).collect();
    let zero = numbers.contains(&0);
    let (several, equal) = (r >= 2 && ra == 0, numbers.len() == 1);
    let tagged = [
        (Tag::Timeout, termination == Termination::Timeout),
        (Tag::Reset, termination == Termination::Reset),
        (Tag::Fin, termination == Termination::Reset && fin),
        (Tag::SingleRst, r == 1 && ra == 0),
        (Tag::MultipleRsts, several),
        (Tag::AckNumSame, several && equal && !zero),
        (Tag::AckNumSame0, several && equal && zero),
        (Tag::AckNumDiff, several && !equal && !zero),
        (Tag::AckNumDiff0, several && !equal && zero),
        (Tag::SingleRstAck, r == 0 && ra == 1),
        (Tag::MultipleRstAcks, r == 0 && ra >= 2),
        (Tag::RstAndRstAcks, r >= 1 && ra >= 1),
        (Tag::Zmap, syn.ip_id == 54321 && syn.tcp_window == 65535),
        (Tag::Answered, answered),
        (Tag::SynPayload, syns.iter().any(|row| row.payload_len > 0)),
        (Tag::SynRetransmitted, syns.len() >= 2),
        (Tag::ServerRst, server_rst),
        (Tag::Zmap4, bit(&syn, Flags::ZMAP4)),
        (Tag::Masscan, bit(&syn, Flags::MASSCAN)),
        (Tag::Mirai, bit(&syn, Flags::MIRAI)),
        (Tag::NoSynOptions, syn.options_len == 0),
        (Tag::HighTtl, syn.ttl >= 201),
        (Tag::ZeroWindow, acks.iter().chain(&data).any(|row| row.tcp_window == 0)),
        (Tag::RstTtlDiffers, ttl_delta(&rsts, &syn).is_some_and(|delta| !(-2..=2).contains(&delta))),
    ];
    let tags: Tags = tagged.into_iter().filter(|(_, holds)| *holds).map(|(tag, _)| tag).collect();

    Ok(Verdict {
        data_set: DataSet::Tcp,
        handshake: None,
        first_byte: None,
        version: 0,
        close_code: None,
        progress,
        termination,
        stage,
        tags,
        signature: signature(stage, tags, (r, ra), distinct(&acks)),
        rst_ttl_delta: ttl_delta(&rsts, &syn),
        rst_ip_id_delta: ip_id_delta(rows, is_rst),
        syn_ttl: syn.ttl,
        sample_rate: syn.sample_rate,
        packets: rows.len() as u32,
        first_ts: rows.iter().map(|row| row.ts).min().unwrap(),
        last_ts,
        silent: (next.unwrap_or(cutoff) - last_ts).max(0),
    })
}

/// docs/spec.md#tag-zmap4 to #tag-mirai: the tags that the fields of a SYN packet decide, which its row does not have.
pub(crate) fn scanners(packet: &Packet) -> Vec<Tag> {
    let Some(server) = packet.five_tuple.dst_ip.to_ipv4_mapped() else { return Vec::new() };
    let is_syn = packet.flags.to_string().replace(['P', 'U', 'E', 'W', 'N'], "") == "S";
    let [_, _, c, d] = server.octets();
    let low = |number: u32| (number % 65536) as u16;
    let masscan = (u16::from(c) * 256 + u16::from(d)) ^ packet.five_tuple.dst_port ^ low(packet.seq);
    // The options as hexadecimal digits, the first one last.
    let options = (format!("{:x}", packet.syn.kinds), packet.syn.mss, packet.syn.wscale);
    let of_zmap = [("411312", 8), ("31542", 7), ("64511312", 6)];
    let is_of_zmap = of_zmap.iter().any(|(kinds, wscale)| options == ((*kinds).to_owned(), 1460, *wscale));
    let tagged = [
        (Tag::Zmap4, !packet.df && packet.tcp_window == 65535 && is_of_zmap),
        (Tag::Masscan, packet.ip_id == masscan && packet.tcp_window != 65535),
        (Tag::Mirai, packet.seq.to_be_bytes() == server.octets()),
    ];
    tagged.into_iter().filter(|(_, holds)| is_syn && *holds).map(|(tag, _)| tag).collect()
}

/// docs/spec.md#signatures: the numbers of the signatures by stage, R and RA.
fn signature(stage: Stage, tags: Tags, counts: (usize, usize), acks: usize) -> Option<Signature> {
    let any = |of: &[Tag]| of.iter().any(|tag| tags.contains(*tag));
    let id = match (stage, counts) {
        _ if tags.contains(Tag::Fin) => None,
        (Stage::PostSyn, (0, 0)) => Some(1),
        (Stage::PostSyn, (1.., 0)) => Some(2),
        (Stage::PostSyn, (0, 1..)) => Some(3),
        (Stage::PostSyn, (1.., 1..)) => Some(4),
        (Stage::PostAck, (0, 0)) if acks == 1 => Some(5),
        (Stage::PostAck, (1, 0)) if acks == 1 => Some(6),
        (Stage::PostAck, (2.., 0)) if acks == 1 => Some(7),
        (Stage::PostAck, (0, 1)) if acks == 1 => Some(8),
        (Stage::PostAck, (0, 2..)) if acks == 1 => Some(9),
        (Stage::PostPsh, (0, 0)) => Some(10),
        (Stage::PostPsh, (1, 0)) => Some(11),
        (Stage::PostPsh, (0, 1)) => Some(12),
        (Stage::PostPsh, (1.., 1..)) => Some(13),
        (Stage::PostPsh, (0, 2..)) => Some(14),
        (Stage::PostPsh, (2.., 0)) if any(&[Tag::AckNumSame, Tag::AckNumSame0]) => Some(15),
        (Stage::PostPsh, (2.., 0)) if any(&[Tag::AckNumDiff]) => Some(16),
        (Stage::PostPsh, (2.., 0)) if any(&[Tag::AckNumDiff0]) => Some(17),
        (Stage::Later, (1.., 0)) => Some(18),
        (Stage::Later, (0, 1..)) => Some(19),
        _ => None,
    };
    Signature::from_id(id?)
}

/// docs/spec.md#rst-ttl-delta
fn ttl_delta(rsts: &[&Row], syn: &Row) -> Option<i16> {
    let mut deltas: Vec<i16> = rsts.iter().map(|row| i16::from(row.ttl) - i16::from(syn.ttl)).collect();
    // Of ± equal ones the positive comes last.
    deltas.sort_unstable();
    deltas.sort_by_key(|delta| delta.abs());
    deltas.last().copied()
}

/// docs/spec.md#rst-ip-id-delta
fn ip_id_delta(rows: &[Row], is_rst: impl Fn(&Row) -> bool) -> Option<u16> {
    let mut largest = None;
    for rst in rows.iter().filter(|row| is_rst(row) && row.ip_id != 0) {
        let mut nearest = None;
        for row in rows.iter().filter(|row| !is_rst(row) && row.ip_id != 0) {
            let apart = (i32::from(row.ip_id) - i32::from(rst.ip_id)).rem_euclid(65536);
            let distance = apart.min(65536 - apart) as u16;
            nearest = Some(nearest.map_or(distance, |other: u16| other.min(distance)));
        }
        // None is smaller than any distance.
        largest = largest.max(nearest);
    }
    largest
}
