//! The rules of docs/quic.md, sentence by sentence: slow, and written without looking at the code that it checks.

use std::collections::{BTreeMap, BTreeSet};

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened};
use cutshort_verdict::{
    DataSet, Exclusion, Outcome, Progress, Rules, Signature, Stage, Tag, Tags, Termination, Verdict,
};

const MS: i64 = 1_000_000;
const V2: u32 = 0x6b33_43cf;

/// The outcomes of one window, from what arrived in it.
pub(crate) fn outcomes(arrived: &[Datagram], cutoff: i64, rules: &Rules) -> BTreeMap<FiveTuple, Outcome> {
    let tuples: BTreeSet<FiveTuple> = arrived.iter().map(|row| row.five_tuple).collect();
    let taken: BTreeMap<FiveTuple, Vec<Datagram>> =
        tuples.into_iter().map(|tuple| (tuple, taken(arrived, tuple, rules))).collect();
    let mut all = BTreeMap::new();
    for (tuple, rows) in &taken {
        // ICMP rows alone are nothing.
        if rows.iter().all(|row| row.icmp.is_some()) {
            continue;
        }
        let reverse = taken.get(&tuple.reversed()).map_or(&[][..], Vec::as_slice);
        let outcome = judge(tuple, rows, reverse, cutoff, rules);
        // A pair of 5-tuples counts once.
        let is_counted = outcome == Err(Exclusion::NoInitial)
            && tuple.reversed() != *tuple
            && all.get(&tuple.reversed()) == Some(&Err(Exclusion::NoInitial));
        if !is_counted {
            all.insert(*tuple, outcome);
        }
    }
    all
}

fn is(row: &Datagram, kind: Kinds) -> bool {
    row.kinds.intersects(kind)
}

/// The first `packet_limit` datagrams in order of arrival, and of the ICMP rows not earlier than the first Initial row the first
/// three of each value.
fn taken(arrived: &[Datagram], tuple: FiveTuple, rules: &Rules) -> Vec<Datagram> {
    let of_tuple = || arrived.iter().filter(|row| row.five_tuple == tuple).copied();
    let mut rows: Vec<Datagram> =
        of_tuple().filter(|row| row.icmp.is_none()).take(rules.packet_limit as usize).collect();
    let initial = rows.iter().filter(|row| is(row, Kinds::INITIAL)).map(|row| row.ts).min();
    let Some(initial) = initial else { return rows };
    for value in [Icmp::Port, Icmp::Other, Icmp::Server] {
        rows.extend(of_tuple().filter(|row| row.icmp == Some(value) && row.ts >= initial).take(3));
    }
    rows
}

fn judge(tuple: &FiveTuple, rows: &[Datagram], reverse: &[Datagram], cutoff: i64, rules: &Rules) -> Outcome {
    let datagrams: Vec<Datagram> = rows.iter().filter(|row| row.icmp.is_none()).copied().collect();
    let initial: Vec<Datagram> = datagrams.iter().filter(|row| is(row, Kinds::INITIAL)).copied().collect();
    if is_not_client(tuple, &initial, reverse, rules) {
        return Err(Exclusion::NotClient);
    }
    if initial.is_empty() {
        let other = datagrams.iter().any(|row| is(row, Kinds::OTHER_VERSION) && row.len >= 1200);
        return Err(if other { Exclusion::OtherVersion } else { Exclusion::NoInitial });
    }
    let known = Known::of(&datagrams, &initial);
    if known.is_multiple() {
        return Err(Exclusion::MultipleConnections);
    }
    known.verdict(rows, reverse, cutoff, rules)
}

fn is_not_client(tuple: &FiveTuple, initial: &[Datagram], reverse: &[Datagram], rules: &Rules) -> bool {
    let is_server = |port| rules.server_ports.contains(port);
    if is_server(tuple.src_port) != is_server(tuple.dst_port) {
        return is_server(tuple.src_port);
    }
    let theirs = reverse.iter().filter(|row| is(row, Kinds::INITIAL)).map(|row| row.ts).min();
    let ours = initial.iter().map(|row| row.ts).min();
    match (ours, theirs) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(ours), Some(theirs)) if ours == theirs => {
            (tuple.dst_port, tuple.dst_ip) > (tuple.src_port, tuple.src_ip)
        }
        (Some(ours), Some(theirs)) => ours > theirs,
    }
}

/// What section 3 defines.
struct Known<'a> {
    datagrams: &'a [Datagram],
    initial: &'a [Datagram],
    earliest: i64,
    d: usize,
    r: usize,
    s: usize,
    t: usize,
    answered: bool,
    handshake_repeated: bool,
}

impl<'a> Known<'a> {
    fn of(datagrams: &'a [Datagram], initial: &'a [Datagram]) -> Self {
        let mut ids: BTreeMap<u32, BTreeSet<u64>> = BTreeMap::new();
        for row in datagrams {
            let not_counted = is(row, Kinds::INITIAL) && row.opened == Opened::Failed;
            if let (Some(id), false) = (row.dcid, not_counted) {
                ids.entry(row.version).or_default().insert(id);
            }
        }
        let d = ids.values().map(BTreeSet::len).max().unwrap_or(0);
        let tokens: BTreeSet<u64> = initial.iter().filter_map(|row| row.token).collect();
        let r = if d >= 2 && tokens.len() >= 2 { 1 } else { 0 };
        let s = datagrams.iter().filter(|row| is(row, Kinds::SHORT)).count();
        let t = datagrams.iter().filter(|row| is(row, Kinds::SHORT) && !is(row, Kinds::HANDSHAKE)).count();
        let every_tried = initial.iter().all(|row| row.opened != Opened::No);
        let answered = datagrams.iter().any(|row| is(row, Kinds::HANDSHAKE))
            || s >= 1
            || datagrams.iter().any(|row| row.frames.intersects(Frames::ACK))
            || initial.iter().any(|row| row.opened == Opened::EarlierId)
            || (!every_tried && d >= 2 + r);
        let mut handshakes: Vec<i64> =
            datagrams.iter().filter(|row| is(row, Kinds::HANDSHAKE)).map(|row| row.ts).collect();
        handshakes.sort_unstable();
        let handshake_repeated = match handshakes[..] {
            [first, _, .., last] => {
                last - first >= 150 * MS && datagrams.iter().filter(|row| row.ts > last).count() <= 3
            }
            _ => false,
        };
        let earliest = initial.iter().map(|row| row.ts).min().unwrap();
        Self { datagrams, initial, earliest, d, r, s, t, answered, handshake_repeated }
    }

    fn is_multiple(&self) -> bool {
        let scids: BTreeSet<u64> = self.datagrams.iter().filter_map(|row| row.scid).collect();
        let of_earliest: Vec<Option<u64>> =
            self.initial.iter().filter(|row| row.ts == self.earliest).map(|row| row.dcid).collect();
        let opened_by_another = |row: &Datagram| {
            row.opened == Opened::OwnId && row.dcid.is_some() && !of_earliest.contains(&row.dcid)
        };
        let late = |row: &Datagram| {
            row.opened != Opened::EarlierId
                && row.ts - self.earliest > 10_000 * MS
                && row.dcid.is_some()
                && !self.datagrams.iter().any(|other| other.ts < row.ts && other.dcid == row.dcid)
        };
        let without_token = |row: &&Datagram| row.token == Some(Datagram::NO_TOKEN);
        scids.len() >= 2
            || self.d > 2 + self.r
            || self.initial.iter().filter(without_token).any(opened_by_another)
            || self.initial.iter().filter(without_token).any(late)
    }

    fn progress(&self) -> Progress {
        if !self.answered {
            return Progress::PostSyn;
        }
        if self.s == 0 {
            return Progress::PostAck;
        }
        if self.t <= 1 || self.handshake_repeated { Progress::PostPsh } else { Progress::Later }
    }

    fn initial_repeated(&self) -> bool {
        let mut spans: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
        for row in self.initial.iter().filter(|row| !row.frames.intersects(Frames::CLOSE)) {
            if let Some(id) = row.dcid {
                spans.entry(id).or_default().push(row.ts);
            }
        }
        let spans_enough =
            |times: &Vec<i64>| times.iter().max().unwrap() - times.iter().min().unwrap() >= 150 * MS;
        !self.answered && spans.values().any(spans_enough)
    }

    fn verdict(&self, rows: &[Datagram], reverse: &[Datagram], cutoff: i64, rules: &Rules) -> Outcome {
        let says = |value| rows.iter().any(|row| row.icmp == Some(value));
        let first = self.datagrams.iter().map(|row| row.ts).min().unwrap();
        let latest = self.datagrams.iter().map(|row| row.ts).max().unwrap();
        let full = self.datagrams.len() >= rules.packet_limit as usize;
        let close = self.datagrams.iter().any(|row| row.frames.intersects(Frames::CLOSE));
        let gone = rows
            .iter()
            .any(|row| row.icmp == Some(Icmp::Port) && row.ts > latest && row.ts - latest <= 2_000 * MS);
        let progress = self.progress();
        let termination = if !self.answered && says(Icmp::Server) {
            Termination::ServerUnreachable
        } else if close {
            Termination::Close
        } else if full && (self.answered && !self.handshake_repeated || latest - first <= 150 * MS) {
            Termination::Open
        } else if gone {
            Termination::ClientGone
        } else if latest > cutoff - rules.guard {
            return Err(Exclusion::Incomplete);
        } else if progress == Progress::Later {
            Termination::Open
        } else {
            Termination::Timeout
        };
        let cut = [Termination::Close, Termination::ClientGone, Termination::Timeout].contains(&termination);
        let stage = match progress {
            Progress::PostSyn if cut => Stage::PostSyn,
            Progress::PostAck if cut => Stage::PostAck,
            Progress::PostPsh if cut => Stage::PostPsh,
            _ => Stage::None,
        };
        let last_ts = rows.iter().map(|row| row.ts).max().unwrap();
        let at_first = || self.initial.iter().filter(|row| row.ts == self.earliest);
        let codes = self.datagrams.iter().filter_map(|row| row.close_code.map(|code| (row.ts, code)));
        Ok(Verdict {
            data_set: DataSet::Quic,
            progress,
            termination,
            stage,
            tags: self.tags(termination, &says, reverse),
            signature: self.signature(termination, stage),
            rst_ttl_delta: None,
            rst_ip_id_delta: None,
            syn_ttl: at_first().map(|row| row.ttl).min().unwrap(),
            sample_rate: at_first().map(|row| row.sample_rate).min().unwrap(),
            packets: self.datagrams.len() as u32,
            first_ts: first,
            last_ts,
            silent: (cutoff - last_ts).max(0),
            handshake: None,
            first_byte: None,
            version: at_first().map(|row| row.version).min().unwrap(),
            close_code: codes.min().map(|(_, code)| code),
        })
    }

    fn signature(&self, termination: Termination, stage: Stage) -> Option<Signature> {
        let with_handshake = self.datagrams.iter().any(|row| is(row, Kinds::HANDSHAKE));
        let n = match stage {
            Stage::PostSyn if self.r == 1 => 3,
            Stage::PostSyn if self.initial_repeated() => 2,
            Stage::PostSyn => 1,
            Stage::PostAck | Stage::PostPsh if self.handshake_repeated => 7,
            Stage::PostAck if with_handshake => 5,
            Stage::PostAck => 4,
            Stage::PostPsh => 6,
            Stage::Later | Stage::None => return None,
        };
        let end = match termination {
            Termination::Timeout => 100,
            Termination::Close => 110,
            Termination::ClientGone => 120,
            _ => unreachable!(),
        };
        Signature::from_id(n + end)
    }

    fn tags(&self, termination: Termination, says: &dyn Fn(Icmp) -> bool, reverse: &[Datagram]) -> Tags {
        let has_token = |row: &Datagram| row.token.is_some_and(|token| token != Datagram::NO_TOKEN);
        let versions: BTreeSet<u32> = self.initial.iter().map(|row| row.version).collect();
        let mut with_id = self.datagrams.iter().filter(|row| row.dcid.is_some()).peekable();
        let short = with_id.peek().is_some() && with_id.all(|row| row.dcid_len < 8);
        let answers = Kinds::INITIAL | Kinds::HANDSHAKE | Kinds::SHORT;
        let when = [
            termination == Termination::Timeout,
            termination == Termination::Close,
            termination == Termination::ClientGone,
            self.answered,
            self.r == 1,
            self.initial.iter().all(has_token),
            self.datagrams.iter().any(|row| is(row, Kinds::ZERO_RTT)),
            self.initial_repeated(),
            self.handshake_repeated,
            versions.contains(&V2),
            versions.iter().any(|version| (0xff00_001d..=0xff00_0022).contains(version)),
            versions.len() >= 2 || self.datagrams.iter().any(|row| is(row, Kinds::OTHER_VERSION)),
            !self.initial.iter().any(|row| row.len >= 1200),
            !self.answered && self.r == 0 && !self.initial.iter().any(has_token) && short,
            !self.answered && self.initial.iter().all(|row| row.opened == Opened::Failed),
            says(Icmp::Other),
            reverse.iter().any(|row| is(row, answers)),
            says(Icmp::Server),
        ];
        let bits = when.iter().enumerate().map(|(bit, holds)| u32::from(*holds) << bit).sum();
        let tags = Tags::from_bits(bits);
        assert_eq!(
            tags.iter(DataSet::Quic).map(Tag::number).count(),
            when.iter().filter(|holds| **holds).count()
        );
        tags
    }
}
