//! What the rules take from the rows of one connection.

use cutshort_packet::Flags;

use super::judge::Ending;
use super::reading::{Meaning, Reading, Sent, has};
use crate::findings::{Kind, Resets, circular};
use crate::{Findings, Progress, Row, Signature, Stage, Tag, Tags, Termination};

const MILLISECOND: i64 = 1_000_000;
/// The least time in nanoseconds from a SYN packet to a SYN+ACK that came to a socket whose attempt had timed out
/// (docs/origin.md#stage).
pub const SLOW: i64 = 500 * MILLISECOND;
/// No number of microseconds, and no distances.
const NONE: u32 = u32::MAX;
const NO_TTL_DELTA: i16 = i16::MIN;
const NO_IP_ID_DELTA: u16 = u16::MAX;

/// The shape of a connection that we opened, as its rows show it, in 28 bytes: [`Findings`] must stay small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) sample_rate: u32,
    /// All tags but those that depend on the termination.
    pub(crate) tags: Tags,
    /// Microseconds from the SYN to the SYN+ACK and to the first byte.
    handshake: u32,
    first_byte: u32,
    rst_ttl_delta: i16,
    rst_ip_id_delta: u16,
    pub(crate) repeats: u16,
    pub(crate) icmp: u8,
    /// The first rule that holds, without the rules 5 and 6.
    pub(crate) ending: Ending,
    pub(crate) progress: Progress,
    /// The stage if it is neither complete nor left out.
    pub(crate) stage: Stage,
    /// The number of the signature at that stage, or 0.
    pub(crate) signature: u8,
    pub(crate) syn_ttl: u8,
}

/// Reads the rows of one connection, in any order.
pub(crate) fn findings(rows: &[Row]) -> Findings {
    let times = || rows.iter().map(|row| row.ts);
    Findings {
        kind: Reading::of(rows).map_or(Kind::NoSyn, |reading| Kind::Origin(Shape::of(&reading))),
        first_ts: times().min().unwrap_or(i64::MAX),
        last_ts: times().max().unwrap_or(i64::MIN),
        latest_rst_ts: i64::MIN,
        latest_syn_ts: i64::MIN,
        packets: u32::try_from(rows.len()).unwrap_or(u32::MAX),
    }
}

impl Shape {
    fn of(reading: &Reading<'_>) -> Self {
        let facts = Facts::of(reading);
        let ending = facts.ending();
        let stage = facts.stage(ending);
        let resets = facts.resets(reading);
        let tags = facts.tags(reading, ending, &resets);
        let syn = facts.syn;
        Self {
            sample_rate: syn.sample_rate,
            tags,
            handshake: facts.micros(facts.syn_ack.map(|(ts, _)| ts)),
            first_byte: facts.micros(facts.first_answer),
            rst_ttl_delta: resets.ttl_delta.unwrap_or(NO_TTL_DELTA),
            rst_ip_id_delta: rst_ip_id_delta(reading).unwrap_or(NO_IP_ID_DELTA),
            repeats: u16::try_from(repeats(reading)).unwrap_or(u16::MAX),
            icmp: u8::try_from(reading.all(Meaning::Icmp).count()).unwrap_or(u8::MAX),
            ending,
            progress: facts.progress,
            stage,
            signature: facts.signature(ending, stage, &resets, tags).map_or(0, Signature::id),
            syn_ttl: syn.ttl,
        }
    }

    /// Nanoseconds from the SYN to the SYN+ACK, to the microsecond.
    pub(crate) fn handshake(&self) -> Option<i64> {
        nanos(self.handshake)
    }

    pub(crate) fn rst_ttl_delta(&self) -> Option<i16> {
        (self.rst_ttl_delta != NO_TTL_DELTA).then_some(self.rst_ttl_delta)
    }

    pub(crate) fn rst_ip_id_delta(&self) -> Option<u16> {
        (self.rst_ip_id_delta != NO_IP_ID_DELTA).then_some(self.rst_ip_id_delta)
    }

    /// Nanoseconds from the SYN to the first byte, to the microsecond.
    pub(crate) fn first_byte(&self) -> Option<i64> {
        nanos(self.first_byte)
    }
}

fn nanos(micros: u32) -> Option<i64> {
    (micros != NONE).then(|| i64::from(micros) * 1000)
}

/// What is known of all rows together.
struct Facts<'a> {
    /// The earliest SYN packet.
    syn: &'a Row,
    syns: usize,
    has_icmp: bool,
    /// The earliest SYN+ACK: its time and TTL.
    syn_ack: Option<(i64, u8)>,
    /// The largest number of equal SYN+ACKs.
    syn_acks: usize,
    /// The earliest segment.
    segment: Option<(i64, u8)>,
    first_answer: Option<i64>,
    /// Whether the rows that the server acknowledged us with are all equal, and there is one.
    single_ack: bool,
    reset: bool,
    /// A segment with the FIN bit, and one that ends the connection by rule 2.
    fin: bool,
    fin_ends: bool,
    closed: bool,
    our_fin: bool,
    /// All that closes are RSTs without the ACK bit.
    closed_by_plain_rsts: bool,
    asked: bool,
    progress: Progress,
}

impl<'a> Facts<'a> {
    fn of(reading: &Reading<'a>) -> Self {
        let all = |meaning| reading.all(meaning);
        let syn = all(Meaning::Syn).min_by_key(|row| row.syn_order()).unwrap_or(&reading.rows[0]);
        let from_server = || reading.such(is_from_server);
        let answers = || from_server().filter(|row| row.payload_len > 0);
        let earliest = |meaning| all(meaning).map(|row| (row.ts, row.ttl)).min();
        let told = told(reading);
        let taken = |row: &Row| {
            let rel = u64::from(reading.rel(row.ack));
            if reading.is_closed() { rel.min(told) } else { rel }
        };
        let most = from_server().map(taken).max().unwrap_or(0);
        let first = answers().map(taken).filter(|taken| *taken > 0).min();
        let answered = answers().next().is_some();
        let first_fin = all(Meaning::Segment).filter(|row| has(row, Flags::FIN)).map(|row| row.ts).min();
        let equal = |row: &Row| all(Meaning::SynAck).filter(|other| other.repeats(row)).count();
        Self {
            syn,
            syns: all(Meaning::Syn).count(),
            has_icmp: all(Meaning::Icmp).any(|row| row.ts >= syn.ts),
            syn_ack: earliest(Meaning::SynAck),
            syn_acks: all(Meaning::SynAck).map(equal).max().unwrap_or(0),
            segment: earliest(Meaning::Segment),
            first_answer: answers().map(|row| row.ts).min(),
            single_ack: from_server().next().is_some_and(|first| from_server().all(|row| row.repeats(first))),
            reset: all(Meaning::Rst).next().is_some(),
            fin: first_fin.is_some(),
            fin_ends: first_fin.is_some_and(|fin| answered || reading.our_fin.is_none_or(|ours| ours >= fin)),
            closed: reading.is_closed(),
            our_fin: reading.our_fin.is_some(),
            closed_by_plain_rsts: reading.our_fin.is_none()
                && all(Meaning::Sent(Sent::Rst)).all(|row| !has(row, Flags::ACK)),
            asked: most > 0 || told > 0,
            progress: match () {
                () if from_server().next().is_none() && !shows_syn_ack(reading) => Progress::PostSyn,
                () if most == 0 => Progress::PostAck,
                () if first.is_some_and(|first| most > first) => Progress::Later,
                () => Progress::PostPsh,
            },
        }
    }

    const fn answered(&self) -> bool {
        self.first_answer.is_some()
    }

    /// The first rule that holds, without the rules 5 and 6 (docs/origin.md#termination).
    const fn ending(&self) -> Ending {
        let is_waiting = matches!(self.progress, Progress::PostAck) && !self.asked && self.syn_acks < 3;
        match () {
            () if self.reset => Ending::Reset,
            () if self.fin_ends => Ending::ServerFin,
            () if matches!(self.progress, Progress::PostSyn) && self.has_icmp => Ending::Unreachable,
            () if self.closed && self.answered() => Ending::Closed,
            () if self.closed => Ending::GaveUp,
            () if self.answered() => Ending::Answered,
            () if is_waiting => Ending::Unused,
            () => Ending::Timeout,
        }
    }

    /// Whether the SYN+ACK came to a socket whose attempt had timed out (docs/origin.md#stage).
    fn is_late(&self) -> bool {
        let is_slow = |(ts, _): (i64, u8)| ts.saturating_sub(self.syn.ts) >= SLOW || self.syns >= 2;
        !self.asked && self.closed_by_plain_rsts && self.syn_ack.is_some_and(is_slow)
    }

    fn stage(&self, ending: Ending) -> Stage {
        match ending {
            Ending::Reset | Ending::Unreachable | Ending::Timeout => at(self.progress),
            Ending::GaveUp if self.asked => at(self.progress),
            Ending::GaveUp if self.is_late() => Stage::PostSyn,
            _ => Stage::None,
        }
    }

    fn micros(&self, ts: Option<i64>) -> u32 {
        // Which of several SYN packets was answered is not known (Karn's algorithm, RFC 6298, 3).
        let since = ts.filter(|_| self.syns == 1).map(|ts| ts.saturating_sub(self.syn.ts));
        since.filter(|since| *since >= 0).map_or(NONE, |since| u32::try_from(since / 1000).unwrap_or(NONE))
    }

    /// The RSTs, with TTLs against that of the earliest SYN+ACK, or else the earliest segment.
    fn resets(&self, reading: &Reading<'_>) -> Resets {
        let ttl = self.syn_ack.or(self.segment).map(|(_, ttl)| ttl);
        Resets::of(reading.all(Meaning::Rst), ttl)
    }

    fn tags(&self, reading: &Reading<'_>, ending: Ending, resets: &Resets) -> Tags {
        let is_reset = ending == Ending::Reset;
        let mut tags = resets.tags;
        tags.set_if(Tag::Reset, is_reset);
        tags.set_if(Tag::Fin, is_reset && (self.fin || self.our_fin));
        tags.set_if(Tag::Answered, self.answered());
        tags.set_if(Tag::SynPayload, reading.all(Meaning::Syn).any(|syn| syn.payload_len > 0));
        tags.set_if(Tag::SynRetransmitted, self.syns > 1);
        tags.set_if(Tag::GaveUp, ending == Ending::GaveUp);
        tags.set_if(Tag::Refused, is_reset && self.progress == Progress::PostSyn && is_refused(reading));
        tags.set_if(Tag::EmptyAnswer, ending == Ending::ServerFin && self.asked && !self.answered());
        tags.set_if(Tag::SynAckRetransmitted, self.syn_acks > 1);
        tags.set_if(Tag::SynAckLate, ending == Ending::GaveUp && self.is_late());
        tags.set_if(Tag::Unreachable, ending == Ending::Unreachable);
        tags
    }

    fn signature(&self, ending: Ending, stage: Stage, resets: &Resets, tags: Tags) -> Option<Signature> {
        match ending {
            Ending::GaveUp => Signature::without_rst(Termination::GaveUp, stage),
            Ending::Unreachable => Signature::without_rst(Termination::Unreachable, stage),
            Ending::Reset | Ending::Timeout => resets.signature(stage, tags, self.single_ack),
            _ => None,
        }
    }
}

/// What is known of a connection at a progress that was cut short there.
const fn at(progress: Progress) -> Stage {
    match progress {
        Progress::PostSyn => Stage::PostSyn,
        Progress::PostAck => Stage::PostAck,
        Progress::PostPsh => Stage::PostPsh,
        Progress::Later => Stage::Later,
    }
}

/// SYN+ACKs and segments.
const fn is_from_server(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::SynAck | Meaning::Segment)
}

/// Packets that we sent, without the SYN and the RST bit.
const fn is_own_segment(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Sent(Sent::Fin | Sent::EarlierFin | Sent::Data))
}

/// We acknowledge only once the SYN+ACK was here.
fn shows_syn_ack(reading: &Reading<'_>) -> bool {
    reading.such(is_own_segment).any(|row| has(row, Flags::ACK))
}

/// Where what we are known to have sent ends.
fn told(reading: &Reading<'_>) -> u64 {
    let has_fin = reading.our_fin.is_some();
    let counts = |meaning| match meaning {
        // Behind a FIN they carry its number.
        Meaning::Sent(Sent::Rst | Sent::OtherRst) => !has_fin,
        Meaning::Sent(_) => true,
        _ => false,
    };
    let end = |row: &Row| u64::from(reading.rel(row.seq)) + u64::from(row.payload_len);
    reading.such(counts).map(end).max().unwrap_or(0)
}

/// A RST+ACK has exactly the numbers of a closed port (RFC 9293, 3.10.7.1).
fn is_refused(reading: &Reading<'_>) -> bool {
    let answers = |rst: &Row, syn: &Row| reading.rel(rst.ack) == syn.payload_len;
    let mut rsts = reading.all(Meaning::Rst).filter(|rst| has(rst, Flags::ACK) && rst.seq == 0);
    rsts.any(|rst| reading.all(Meaning::Syn).any(|syn| answers(rst, syn)))
}

/// Rows that equal an earlier one of their kind.
fn repeats(reading: &Reading<'_>) -> usize {
    let syns = count_repeats(&reading.all(Meaning::Syn));
    let sent = count_repeats(&reading.such(is_own_segment));
    let received = count_repeats(&reading.such(is_from_server));
    syns + sent + received
}

/// Quadratic: rows are a few dozen at most.
fn count_repeats<'a>(rows: &(impl Iterator<Item = &'a Row> + Clone)) -> usize {
    let repeats = |(at, row): &(usize, &Row)| rows.clone().take(*at).any(|earlier| row.repeats(earlier));
    rows.clone().enumerate().filter(repeats).count()
}

/// As docs/spec.md#rst-ip-id-delta, over the received TCP packets.
fn rst_ip_id_delta(reading: &Reading<'_>) -> Option<u16> {
    let received = || reading.each().filter(|(row, _)| row.is_received() && !row.is_icmp() && row.ip_id != 0);
    let of_such = |is_rst| received().filter(move |(_, meaning)| (*meaning == Meaning::Rst) == is_rst);
    let nearest = |rst: &Row| of_such(false).map(|(row, _)| circular(row.ip_id, rst.ip_id)).min();
    of_such(true).filter_map(|(rst, _)| nearest(rst)).max()
}
