//! Findings: what the rules take from a connection's rows alone.

use cutshort_packet::Flags;

use crate::signature::Pattern;
use crate::{DataSet, Progress, Row, Signature, Stage, Tag, TagRule, Tags, origin};

/// The meaning of a row for a connection whose SYN is known (docs/spec.md#connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A SYN packet.
    Syn,
    /// A RST at or after the latest SYN packet.
    Rst,
    /// A RST bit before the latest SYN packet: it belongs to an older connection (RFC 9293, 3.5.1).
    EarlierRst,
    /// A SYN bit together with ACK or FIN.
    OddSyn,
    /// `rel` ≥ 2^31: the tail of an older connection.
    Tail,
    /// Any other row.
    Segment {
        /// Has the ACK bit.
        ack: bool,
        /// Has payload and is no keep-alive.
        data: bool,
        /// Has the FIN bit.
        fin: bool,
        /// `rel` + payload length: where its data ends.
        end: u64,
    },
}

impl Meaning {
    #[inline]
    pub(crate) fn of(row: &Row, syn: &Syn) -> Self {
        if row.is_syn() {
            return Self::Syn;
        }
        if row.has_rst() {
            return if row.ts >= syn.latest_ts { Self::Rst } else { Self::EarlierRst };
        }
        if row.flags.intersects(Flags::SYN) {
            return Self::OddSyn;
        }
        let rel = row.seq.wrapping_sub(syn.seq);
        if rel >= 1 << 31 {
            return Self::Tail;
        }
        let keep_alive = rel == 0 && row.payload_len == 1;
        Self::Segment {
            ack: row.flags.intersects(Flags::ACK),
            data: row.payload_len > 0 && !keep_alive,
            fin: row.flags.intersects(Flags::FIN),
            end: u64::from(rel) + u64::from(row.payload_len),
        }
    }
}

/// The SYN packets of a connection, which all have the same sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syn {
    pub(crate) seq: u32,
    pub(crate) latest_ts: i64,
    pub(crate) count: u32,
    pub(crate) payload: bool,
    pub(crate) ttl: u8,
    pub(crate) sample_rate: u32,
    /// The tags that the earliest of them decides.
    tags: Tags,
}

impl Syn {
    /// Describes the SYN of a connection with this SYN packet only.
    const fn only(row: &Row) -> Self {
        Self {
            seq: row.seq,
            latest_ts: row.ts,
            count: 1,
            payload: row.payload_len > 0,
            ttl: row.ttl,
            sample_rate: row.sample_rate,
            tags: syn_tags(row),
        }
    }
}

/// The tags of the data set `tcp` that the SYN packet decides.
const fn syn_tags(row: &Row) -> Tags {
    let mut tags = Tags::NONE;
    let mut all: &[Tag] = &Tag::OF_SYN;
    while let [tag, rest @ ..] = all {
        let holds = match tag.rule() {
            Some(TagRule::Syn { ip_id, window }) => row.ip_id == ip_id && row.tcp_window == window,
            Some(TagRule::SynMark(mark)) => row.flags.intersects(mark),
            Some(TagRule::SynOptionsLen(len)) => row.options_len == len,
            Some(TagRule::SynTtlAbove(ttl)) => row.ttl > ttl,
            _ => false,
        };
        tags.set_if(*tag, holds);
        all = rest;
    }
    tags
}

impl Syn {
    /// Describes the SYN of one connection; `None` if the rows have no SYN packet.
    pub(crate) fn of(rows: &[Row]) -> Option<Self> {
        let mut syns = rows.iter().filter(|row| row.is_syn());
        let first = syns.next()?;
        let mut earliest = first;
        let mut syn = Self::only(first);
        for row in syns {
            if row.syn_order() < earliest.syn_order() {
                earliest = row;
            }
            syn.latest_ts = syn.latest_ts.max(row.ts);
            syn.count += 1;
            syn.payload |= row.payload_len > 0;
        }
        let Self { ttl, sample_rate, tags, .. } = Self::only(earliest);
        Some(Self { ttl, sample_rate, tags, ..syn })
    }
}

/// The findings in the rows of one connection: all that the rules take from them, in 64 bytes.
///
/// They do not depend on the order of the rows (docs/spec.md#verdict-function). Together with the connection's
/// [`ConnectionContext`](crate::ConnectionContext) they give its [`Verdict`](crate::Verdict).
///
/// ```
/// use cutshort_packet::Flags;
/// use cutshort_verdict::{DataSet, Findings, Row, Rules, FlowContext, Termination};
///
/// const SECOND: i64 = 1_000_000_000;
/// let syn = Row { flags: Flags::SYN, seq: 1000, sample_rate: 1, ..Row::default() };
/// let ack = Row { ts: SECOND, flags: Flags::ACK, seq: 1001, ack: 5001, ..syn };
/// let findings = Findings::of(&[ack, syn], DataSet::Tcp);
/// assert_eq!((findings.first_ts, findings.last_ts, findings.packets), (0, SECOND, 2));
///
/// // Silent for 899 seconds when the window ends: a timeout.
/// let around = FlowContext { cutoff: 900 * SECOND, other_rsts: &[] };
/// let verdict = findings.judge(&Rules::default(), &around.around(None))?;
/// assert_eq!((verdict.termination, verdict.silent), (Termination::Timeout, 899 * SECOND));
///
/// // In a connection that the server has reset, the client is silent as well.
/// let around = FlowContext { other_rsts: &[2 * SECOND], ..around };
/// let verdict = findings.judge(&Rules::default(), &around.around(None))?;
/// assert_eq!(verdict.termination, Termination::ServerReset);
/// # Ok::<(), cutshort_verdict::Exclusion>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Findings {
    pub(crate) kind: Kind,
    /// Time of the earliest row, in nanoseconds since the Unix epoch.
    pub first_ts: i64,
    /// Time of the latest row, in nanoseconds since the Unix epoch.
    pub last_ts: i64,
    /// [`i64::MIN`] where there is none.
    pub(crate) latest_rst_ts: i64,
    /// [`i64::MIN`] where there is none.
    pub(crate) latest_syn_ts: i64,
    /// Number of rows that were taken.
    pub packets: u32,
}

/// Whether the rows are a connection at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NoSyn,
    /// Source and destination are the same (data set `origin`).
    Itself,
    /// Of the data set `tcp`.
    Connection(Shape),
    /// Of the data set `origin`.
    Origin(origin::Shape),
}

/// The shape of a connection as its client's packets show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) sample_rate: u32,
    /// Rows that only repeat a SYN packet or data.
    pub(crate) repeats: u16,
    /// All tags but those that depend on the termination.
    pub(crate) tags: Tags,
    pub(crate) progress: Progress,
    pub(crate) syn_ttl: u8,
    pub(crate) single_ack: bool,
    pub(crate) fin: bool,
    /// RSTs without and with the ACK bit, 255 meaning that many or more.
    pub(crate) rst: u8,
    pub(crate) rst_ack: u8,
    pub(crate) rst_ttl_delta: Option<i16>,
    pub(crate) rst_ip_id_delta: Option<u16>,
}

impl Shape {
    #[inline]
    pub(crate) const fn is_reset(&self) -> bool {
        self.rst > 0 || self.rst_ack > 0
    }

    pub(crate) fn signature(&self, stage: Stage, tags: Tags) -> Option<Signature> {
        Signature::matching(Pattern {
            stage,
            tags,
            rst: u32::from(self.rst),
            rst_ack: u32::from(self.rst_ack),
            single_ack: self.single_ack,
        })
    }
}

impl Findings {
    /// Reads the rows of one [`Part`](crate::Part) of a 5-tuple, in any order, by the rules of a data set. There must be at
    /// least one.
    #[must_use]
    pub fn of(rows: &[Row], data_set: DataSet) -> Self {
        match data_set {
            DataSet::Origin => origin::findings(rows),
            _ => Self::of_tcp(rows),
        }
    }

    /// Reads rows of the data set `tcp`.
    pub(crate) fn of_tcp(rows: &[Row]) -> Self {
        let (mut first_ts, mut last_ts, mut latest_rst_ts) = (i64::MAX, i64::MIN, i64::MIN);
        for row in rows {
            first_ts = first_ts.min(row.ts);
            last_ts = last_ts.max(row.ts);
            if row.has_rst() {
                latest_rst_ts = latest_rst_ts.max(row.ts);
            }
        }
        let syn = Syn::of(rows);
        let kind = match &syn {
            None => Kind::NoSyn,
            Some(syn) => Kind::Connection(shape(rows, syn, latest_rst_ts)),
        };
        Self {
            kind,
            first_ts,
            last_ts,
            latest_rst_ts,
            latest_syn_ts: syn.map_or(i64::MIN, |syn| syn.latest_ts),
            packets: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Findings {
    /// Returns the time of the latest row with the RST bit, in nanoseconds since the Unix epoch, for the verdict on the
    /// other direction; also if the RST is ignored here.
    #[must_use]
    pub const fn latest_rst_ts(&self) -> Option<i64> {
        if self.latest_rst_ts == i64::MIN { None } else { Some(self.latest_rst_ts) }
    }

    /// Returns true if one of the rows is a SYN packet.
    #[must_use]
    pub const fn has_syn(&self) -> bool {
        matches!(self.kind, Kind::Connection(_) | Kind::Origin(_))
    }

    /// Turns the findings into those of a 5-tuple that equals its reverse, which the data set `origin` leaves out
    /// (docs/origin.md#self).
    #[must_use]
    pub const fn of_itself(mut self) -> Self {
        self.kind = Kind::Itself;
        self
    }

    /// Merges the findings in two groups of rows without a SYN packet.
    pub(crate) fn without_syn(&self, others: &Self) -> Self {
        Self {
            kind: Kind::NoSyn,
            first_ts: self.first_ts.min(others.first_ts),
            last_ts: self.last_ts.max(others.last_ts),
            latest_rst_ts: self.latest_rst_ts.max(others.latest_rst_ts),
            latest_syn_ts: i64::MIN,
            packets: self.packets.saturating_add(others.packets),
        }
    }
}

/// The findings in the rows of an ordinary flow (see `table::flow`) in one word, without their times,
/// their number and what the SYN packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outline(u32);

impl Outline {
    const REPEATS: u32 = 0xff;
    const PROGRESS_AT: u32 = 8;
    const SINGLE_ACK: u32 = 1 << 10;
    const FIN: u32 = 1 << 11;
    const ANSWERED: u32 = 1 << 12;
    const ZERO_WINDOW: u32 = 1 << 13;

    /// Reads the rows of an ordinary flow, of which `first` is the SYN packet.
    pub(crate) fn of(first: &Row, rows: &[Row]) -> Self {
        let syn = Syn::only(first);
        let segments = Segments::of(rows, &syn);
        let flag = |bit: u32, holds: bool| if holds { bit } else { 0 };
        Self(
            segments.repeated_data.min(Self::REPEATS)
                | (segments.progress() as u32) << Self::PROGRESS_AT
                | flag(Self::SINGLE_ACK, segments.acks.single())
                | flag(Self::FIN, segments.fin)
                | flag(Self::ANSWERED, segments.acks.answered())
                | flag(Self::ZERO_WINDOW, segments.zero_window),
        )
    }

    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The findings, given the first row, the SYN packet.
    #[inline]
    pub(crate) fn findings(self, first: &Row, last_ts: i64, packets: u32) -> Findings {
        let has = |bit: u32| self.0 & bit != 0;
        let mut tags = syn_tags(first);
        tags.set_if(Tag::Answered, has(Self::ANSWERED));
        tags.set_if(Tag::ZeroWindow, has(Self::ZERO_WINDOW));
        let shape = Shape {
            sample_rate: 1,
            repeats: (self.0 & Self::REPEATS) as u16,
            tags,
            progress: Progress::ALL[(self.0 >> Self::PROGRESS_AT & 3) as usize],
            syn_ttl: first.ttl,
            single_ack: has(Self::SINGLE_ACK),
            fin: has(Self::FIN),
            rst: 0,
            rst_ack: 0,
            rst_ttl_delta: None,
            rst_ip_id_delta: None,
        };
        Findings {
            kind: Kind::Connection(shape),
            first_ts: first.ts,
            last_ts,
            latest_rst_ts: i64::MIN,
            latest_syn_ts: first.ts,
            packets,
        }
    }
}

fn shape(rows: &[Row], syn: &Syn, latest_rst_ts: i64) -> Shape {
    let segments = Segments::of(rows, syn);
    let is_reset = latest_rst_ts >= syn.latest_ts;
    let rsts = rows.iter().filter(|row| Meaning::of(row, syn) == Meaning::Rst);
    let resets = if is_reset { Resets::of(rsts, Some(syn.ttl)) } else { Resets::default() };
    let mut tags = syn.tags | resets.tags;
    tags.set_if(Tag::RstTtlDiffers, rst_ttl_differs(resets.ttl_delta));
    tags.set_if(Tag::ZeroWindow, segments.zero_window);
    tags.set_if(Tag::Answered, segments.acks.answered());
    tags.set_if(Tag::SynPayload, syn.payload);
    tags.set_if(Tag::SynRetransmitted, syn.count > 1);
    Shape {
        sample_rate: syn.sample_rate,
        repeats: u16::try_from(syn.count - 1 + segments.repeated_data).unwrap_or(u16::MAX),
        tags,
        progress: segments.progress(),
        syn_ttl: syn.ttl,
        single_ack: segments.acks.single(),
        fin: segments.fin,
        rst: resets.plain,
        rst_ack: resets.with_ack,
        rst_ttl_delta: resets.ttl_delta,
        rst_ip_id_delta: if is_reset { ip_id_delta(rows, syn) } else { None },
    }
}

fn rst_ttl_differs(ttl_delta: Option<i16>) -> bool {
    let Some(TagRule::RstTtlDelta { at_least }) = Tag::RstTtlDiffers.rule() else { return false };
    ttl_delta.is_some_and(|delta| delta.unsigned_abs() >= at_least)
}

/// The findings in the rows that are neither SYN nor RST.
#[derive(Default)]
pub(crate) struct Segments<'a> {
    acks: Acks<'a>,
    fin: bool,
    /// One that is an acknowledgement or data has the window 0.
    zero_window: bool,
    data: u32,
    /// Each data row begins behind the beginning of the one before: none repeats another.
    rising: bool,
    /// Where the data row before begins.
    rel: u64,
    repeated_data: u32,
    /// Where the first message ends: the smallest end of data with PSH.
    pub(crate) first_message: Option<u64>,
    /// Where all data ends.
    end: u64,
}

impl<'a> Segments<'a> {
    pub(crate) fn of(rows: &'a [Row], syn: &Syn) -> Self {
        let mut segments = Self { rising: true, ..Self::default() };
        for row in rows {
            if let Meaning::Segment { ack, data, fin, end } = Meaning::of(row, syn) {
                segments.fin |= fin;
                segments.zero_window |= (ack || data) && row.tcp_window == 0;
                if ack {
                    segments.acks.add(row);
                }
                if data {
                    segments.add_data(row, end);
                }
            }
        }
        // The costliest part, and mostly in vain.
        if !segments.rising {
            segments.repeated_data = repeated_data(rows, syn);
        }
        segments
    }

    fn add_data(&mut self, row: &Row, end: u64) {
        let rel = end - u64::from(row.payload_len);
        self.rising &= self.data == 0 || rel > self.rel;
        self.rel = rel;
        self.data += 1;
        self.end = self.end.max(end);
        if row.flags.intersects(Flags::PSH) {
            self.first_message = Some(self.first_message.map_or(end, |first| first.min(end)));
        }
    }

    fn progress(&self) -> Progress {
        match (self.data, self.first_message) {
            (0, _) if self.acks.first.is_none() => Progress::PostSyn,
            (0, _) => Progress::PostAck,
            (_, Some(first)) if self.end > first => Progress::Later,
            _ => Progress::PostPsh,
        }
    }
}

/// The acknowledgements: whether they differ at all, and in their number.
#[derive(Default)]
struct Acks<'a> {
    first: Option<&'a Row>,
    distinct: bool,
    numbers: bool,
}

impl<'a> Acks<'a> {
    fn add(&mut self, row: &'a Row) {
        let first = *self.first.get_or_insert(row);
        self.distinct |= !row.repeats(first);
        self.numbers |= row.ack != first.ack;
    }

    fn single(&self) -> bool {
        self.first.is_some() && !self.distinct
    }

    fn answered(&self) -> bool {
        self.numbers
    }
}

/// Counts the data rows that equal an earlier one. Quadratic: rows are a few dozen at most.
fn repeated_data(rows: &[Row], syn: &Syn) -> u32 {
    let is_data = |row: &Row| matches!(Meaning::of(row, syn), Meaning::Segment { data: true, .. });
    let repeats = |(at, row): &(usize, &Row)| {
        is_data(row) && rows[..*at].iter().any(|earlier| row.repeats(earlier) && is_data(earlier))
    };
    rows.iter().enumerate().filter(repeats).count() as u32
}

/// The findings in the RSTs.
#[derive(Default)]
pub(crate) struct Resets {
    plain: u8,
    with_ack: u8,
    /// The tags that depend on the RSTs alone.
    pub(crate) tags: Tags,
    pub(crate) ttl_delta: Option<i16>,
}

impl Resets {
    /// Reads the RSTs of a connection, and compares their TTLs to `ttl`.
    pub(crate) fn of<'a>(rsts: impl Iterator<Item = &'a Row>, ttl: Option<u8>) -> Self {
        let mut resets = Self::default();
        let mut numbers = AckNumbers::default();
        for row in rsts {
            if let Some(ttl) = ttl {
                resets.add_ttl(i16::from(row.ttl) - i16::from(ttl));
            }
            if row.flags.intersects(Flags::ACK) {
                resets.with_ack = resets.with_ack.saturating_add(1);
            } else {
                resets.plain = resets.plain.saturating_add(1);
                numbers.add(row.ack);
            }
        }
        if resets.plain > 0 || resets.with_ack > 0 {
            resets.set_tags(&numbers);
        }
        resets
    }

    /// Finds the signature of a connection that these RSTs, or silence, ended.
    pub(crate) fn signature(&self, stage: Stage, tags: Tags, single_ack: bool) -> Option<Signature> {
        let (rst, rst_ack) = (self.plain.into(), self.with_ack.into());
        Signature::matching(Pattern { stage, tags, rst, rst_ack, single_ack })
    }

    /// Keeps the TTL delta of largest magnitude; of x and −x the positive one.
    fn add_ttl(&mut self, delta: i16) {
        let largest = self.ttl_delta.into_iter().chain([delta]).max_by_key(|delta| (delta.abs(), *delta));
        self.ttl_delta = largest;
    }

    fn set_tags(&mut self, numbers: &AckNumbers) {
        self.tags |= match (self.plain, self.with_ack) {
            (1, 0) => Tag::SingleRst,
            (_, 0) => Tag::MultipleRsts,
            (0, 1) => Tag::SingleRstAck,
            (0, _) => Tag::MultipleRstAcks,
            _ => Tag::RstAndRstAcks,
        };
        if self.tags.contains(Tag::MultipleRsts) {
            self.tags |= numbers.tag();
        }
    }
}

/// The acknowledgement numbers of the RSTs without ACK bit.
#[derive(Default)]
struct AckNumbers {
    first: Option<u32>,
    differ: bool,
    zero: bool,
}

impl AckNumbers {
    fn add(&mut self, number: u32) {
        self.differ |= *self.first.get_or_insert(number) != number;
        self.zero |= number == 0;
    }

    const fn tag(&self) -> Tag {
        match (self.differ, self.zero) {
            (false, false) => Tag::AckNumSame,
            (false, true) => Tag::AckNumSame0,
            (true, false) => Tag::AckNumDiff,
            (true, true) => Tag::AckNumDiff0,
        }
    }
}

/// Over the RSTs: the distance of an IP id to the nearest of any row that is no RST (docs/spec.md#rst-ip-id-delta).
fn ip_id_delta(rows: &[Row], syn: &Syn) -> Option<u16> {
    let with_id = || rows.iter().filter(|row| row.ip_id != 0);
    let is_rst = |row: &&Row| Meaning::of(row, syn) == Meaning::Rst;
    let nearest =
        |rst: &Row| with_id().filter(|row| !is_rst(row)).map(|row| circular(row.ip_id, rst.ip_id)).min();
    with_id().filter(is_rst).filter_map(nearest).max()
}

pub(crate) fn circular(a: u16, b: u16) -> u16 {
    a.wrapping_sub(b).min(b.wrapping_sub(a))
}

/// Kept small because a reader holds one for each connection of a window.
const _: () = assert!(size_of::<Findings>() <= 64);
