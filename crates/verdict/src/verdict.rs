use cutshort_packet::quic::ServerPorts;

use crate::findings::{Kind, Shape};
use crate::{DataSet, Exclusion, Findings, Progress, Signature, Stage, Tag, Tags, Termination};

/// The settings of the rules. Verdicts by different settings must not be compared.
///
/// ```
/// use cutshort_verdict::Rules;
///
/// const SECOND: i64 = 1_000_000_000;
/// let rules = Rules { packet_limit: 20, ..Rules::default() };
/// assert_eq!((rules.window, rules.guard), (900 * SECOND, 10 * SECOND));
/// assert_eq!(rules.window_of(1_000 * SECOND), 1);
/// assert_eq!(rules.window_start(1), 900 * SECOND);
/// assert_ne!(rules.digest(), Rules::default().digest());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The data set by whose rules is judged.
    pub data_set: DataSet,
    /// Length of a window in nanoseconds; windows are aligned to the Unix epoch.
    pub window: i64,
    /// Time in nanoseconds that a connection must have been silent before the cutoff to be a timeout
    /// (docs/spec.md#end-guard).
    pub guard: i64,
    /// Number of packets of a connection that are taken, 1 to 65,535 (docs/spec.md#cap). The data set `origin` takes six
    /// more, since it has both directions (docs/origin.md#cap).
    pub packet_limit: u32,
    /// Of the data set `quic`: the ports of servers (docs/quic.md#server-port).
    pub server_ports: ServerPorts,
}

impl Default for Rules {
    /// Returns the usual settings of the data set `tcp`: 15 minutes, 10 seconds, 10 packets.
    fn default() -> Self {
        Self::of(DataSet::Tcp)
    }
}

pub(crate) const SECOND: i64 = 1_000_000_000;

impl Rules {
    /// The version of the rules of `tcp`; it rises whenever the same packets are judged differently than before.
    pub const VERSION: u32 = 3;
    /// As [`VERSION`](Self::VERSION), of the data set `origin`.
    pub const ORIGIN_VERSION: u32 = 1;
    /// As [`VERSION`](Self::VERSION), of the data set `quic`.
    pub const QUIC_VERSION: u32 = 1;

    /// Returns the usual settings of a data set: 15 minutes, 10 seconds, 10 packets, or in the data set `quic` 24, since
    /// a client whose handshake is stuck repeats itself up to 21 times before it falls silent (docs/quic.md#connection).
    #[must_use]
    pub fn of(data_set: DataSet) -> Self {
        let packet_limit = match data_set {
            DataSet::Tcp | DataSet::Origin => 10,
            DataSet::Quic => 24,
        };
        let server_ports = ServerPorts::default();
        Self { data_set, window: 900 * SECOND, guard: 10 * SECOND, packet_limit, server_ports }
    }

    /// Returns the same settings for another data set: where the packet limit is the usual one, it is that of the data set.
    #[must_use]
    pub fn in_data_set(self, data_set: DataSet) -> Self {
        let usual = |data_set| Self::of(data_set).packet_limit;
        let is_usual = self.packet_limit == usual(self.data_set);
        let packet_limit = if is_usual { usual(data_set) } else { self.packet_limit };
        Self { data_set, packet_limit, ..self }
    }

    /// The number of ICMP errors that the data set `origin` takes of a connection besides its packets (docs/origin.md#cap),
    /// and `quic` of each kind (docs/quic.md#connection).
    pub const ICMP_LIMIT: u32 = 3;
    /// Packets of a connection that the data set `origin` takes beyond [`packet_limit`](Self::packet_limit), since it has
    /// both directions (docs/origin.md#cap).
    pub const ORIGIN_MORE: u32 = 6;

    /// Returns how many packets of a connection are taken: [`packet_limit`](Self::packet_limit), or in the data set `origin`
    /// six more.
    #[must_use]
    pub const fn row_limit(&self) -> u32 {
        match self.data_set {
            DataSet::Origin => self.packet_limit.saturating_add(Self::ORIGIN_MORE),
            _ => self.packet_limit,
        }
    }

    /// Returns a number that changes with the settings and with the [version](Self::VERSION), to be kept beside verdicts. It
    /// is never 0.
    #[must_use]
    pub fn digest(&self) -> u64 {
        match self.data_set {
            DataSet::Tcp => self.digest_of(Self::VERSION),
            DataSet::Origin => self.digest_of(Self::ORIGIN_VERSION),
            DataSet::Quic => self.digest_of(Self::QUIC_VERSION),
        }
    }

    /// Returns true if a [digest](Self::digest) is that of the usual settings in an earlier [version](Self::VERSION), so that
    /// verdicts kept beside it are outdated.
    #[must_use]
    pub fn is_outdated(digest: u64) -> bool {
        (1..Self::VERSION).any(|version| Self::default().digest_of(version) == digest)
    }

    fn digest_of(&self, version: u32) -> u64 {
        // FNV-1a over words.
        const PRIME: u64 = 0x0100_0000_01b3;
        let mut digest = 0xcbf2_9ce4_8422_2325;
        digest = (digest ^ u64::from(version)).wrapping_mul(PRIME);
        digest = (digest ^ self.window.cast_unsigned()).wrapping_mul(PRIME);
        digest = (digest ^ self.guard.cast_unsigned()).wrapping_mul(PRIME);
        digest = (digest ^ u64::from(self.packet_limit)).wrapping_mul(PRIME);
        // The digests of `tcp` are older than the other data sets.
        if !matches!(self.data_set, DataSet::Tcp) {
            digest = (digest ^ self.data_set as u64).wrapping_mul(PRIME);
        }
        if self.data_set == DataSet::Quic {
            for port in self.server_ports.ports() {
                digest = (digest ^ u64::from(*port)).wrapping_mul(PRIME);
            }
        }
        digest | 1
    }

    /// Returns the number, since the Unix epoch, of the window that contains `ts` (nanoseconds since the Unix epoch).
    #[must_use]
    pub const fn window_of(&self, ts: i64) -> i64 {
        ts.div_euclid(self.window)
    }

    /// Returns the beginning of the window with this number, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn window_start(&self, number: i64) -> i64 {
        number.saturating_mul(self.window)
    }
}

/// What the rules need to know about a 5-tuple and window apart from its rows.
///
/// ```
/// use cutshort_verdict::FlowContext;
///
/// let around = FlowContext { cutoff: 900, other_rsts: &[5, 40] };
/// // A connection that is followed by another one at 30 ends there, and does not see the later RST.
/// let context = around.around(Some(30));
/// assert_eq!((context.cutoff, context.is_followed, context.other_rst_ts), (30, true, Some(5)));
/// let context = around.around(None);
/// assert_eq!((context.cutoff, context.is_followed, context.other_rst_ts), (900, false, Some(40)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowContext<'a> {
    /// The window's end, or the time of the latest record of the input if that is earlier, in nanoseconds since the Unix
    /// epoch (docs/spec.md#cutoff).
    pub cutoff: i64,
    /// Times of the other direction's rows with the RST bit in the same window, in nanoseconds since the Unix epoch and in
    /// any order.
    pub other_rsts: &'a [i64],
}

impl FlowContext<'_> {
    /// Returns the context of one connection, where `next` is the time of the next one on its ports ([`Part::next`]).
    ///
    /// [`Part::next`]: crate::Part::next
    #[must_use]
    pub fn around(&self, next: Option<i64>) -> ConnectionContext {
        let rsts = self.other_rsts.iter().copied();
        ConnectionContext {
            cutoff: next.unwrap_or(self.cutoff),
            is_followed: next.is_some(),
            other_rst_ts: rsts.filter(|ts| next.is_none_or(|next| *ts < next)).max(),
        }
    }
}

/// What the rules need to know about a connection apart from its rows; made by [`FlowContext::around`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionContext {
    /// Time of the next connection's first SYN packet if [`is_followed`](Self::is_followed), else the window's cutoff, in
    /// nanoseconds since the Unix epoch.
    pub cutoff: i64,
    /// Whether another connection follows on its ports (docs/spec.md#followed).
    pub is_followed: bool,
    /// Time of the other direction's latest row with the RST bit before the next connection, in nanoseconds since the Unix
    /// epoch.
    pub other_rst_ts: Option<i64>,
}

/// A connection's verdict, or the reason why it is left out of all totals.
pub type Outcome = Result<Verdict, Exclusion>;

/// The verdict on one connection: how far it got, how it ended, and the evidence.
///
/// ```
/// use cutshort_packet::Flags;
/// use cutshort_verdict::{DataSet, Findings, Progress, Row, Rules, FlowContext, Tag};
///
/// // A SYN as ZMap sends it, and the RST of its host's kernel, over the same path.
/// let syn = Row { flags: Flags::SYN, ip_id: 54321, tcp_window: 65535, ttl: 52, sample_rate: 1, ..Row::default() };
/// let rst = Row { ts: 1_000, flags: Flags::RST, seq: 1, ip_id: 0, ..syn };
/// let around = FlowContext { cutoff: 900_000_000_000, other_rsts: &[] };
/// let verdict = Findings::of(&[syn, rst], DataSet::Tcp).judge(&Rules::default(), &around.around(None))?;
///
/// assert!(verdict.is_anomalous() && !verdict.completed_handshake());
/// assert_eq!(verdict.progress, Progress::PostSyn);
/// assert!(verdict.tags.iter(verdict.data_set).eq([Tag::Reset, Tag::SingleRst, Tag::Zmap, Tag::NoSynOptions]));
/// assert_eq!(verdict.signature.unwrap().id(), 2);
/// assert_eq!((verdict.rst_ttl_delta, verdict.rst_ip_id_delta), (Some(0), None));
/// # Ok::<(), cutshort_verdict::Exclusion>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The data set by whose rules it was judged.
    pub data_set: DataSet,
    /// How far the connection got.
    pub progress: Progress,
    /// How the connection ended.
    pub termination: Termination,
    /// The stage at which it was cut short, or none.
    pub stage: Stage,
    /// The set of its properties.
    pub tags: Tags,
    /// The signature that it matches, if any.
    pub signature: Option<Signature>,
    /// TTL of a RST minus TTL of the SYN, the one of largest magnitude; `None` without a RST (docs/spec.md#rst-ttl-delta).
    pub rst_ttl_delta: Option<i16>,
    /// Distance of a RST's IP id to the nearest one of other packets, the largest of all RSTs; `None` for IPv6 and where
    /// ids are 0 (docs/spec.md#rst-ip-id-delta).
    pub rst_ip_id_delta: Option<u16>,
    /// IPv4 TTL or IPv6 hop limit of its SYN.
    pub syn_ttl: u8,
    /// Number of connections for which it stands: the sample rate of its SYN (docs/spec.md#weight).
    pub sample_rate: u32,
    /// Number of its rows that were taken.
    pub packets: u32,
    /// Time of the earliest row, in nanoseconds since the Unix epoch.
    pub first_ts: i64,
    /// Time of the latest row, in nanoseconds since the Unix epoch.
    pub last_ts: i64,
    /// Time from the latest row to the cutoff, in nanoseconds.
    pub silent: i64,
    /// Of the data set `origin`: time from the SYN to the SYN+ACK in nanoseconds, where it is known
    /// (docs/origin.md#handshake).
    pub handshake: Option<i64>,
    /// Of the data set `origin`: time from the SYN to the first byte of the server in nanoseconds, where it is known
    /// (docs/origin.md#first-byte).
    pub first_byte: Option<i64>,
    /// Of the data set `quic`: version of the earliest Initial packet, as on the wire (RFC 8999, 5.1); 0 elsewhere.
    pub version: u32,
    /// Of the data set `quic`: error code of the client's first CONNECTION_CLOSE in an Initial packet that could be opened
    /// (RFC 9000, 20.1; 0x1xx is a TLS alert).
    pub close_code: Option<u64>,
}

impl Verdict {
    /// Returns true if it was cut short: its stage is not `none`.
    #[must_use]
    pub const fn is_anomalous(&self) -> bool {
        !matches!(self.stage, Stage::None)
    }

    /// Returns true if the client completed the handshake, which a spoofed source address cannot do
    /// (docs/spec.md#completed). In the data set `origin` a SYN+ACK that came too late does not count
    /// (docs/origin.md#stage). In the data set `quic` it means that the client got an answer, which is not authenticated
    /// (docs/quic.md#progress).
    #[must_use]
    pub const fn completed_handshake(&self) -> bool {
        let too_late = matches!(self.data_set, DataSet::Origin) && self.tags.contains(Tag::SynAckLate);
        !matches!(self.progress, Progress::PostSyn) && !too_late
    }
}

/// The rule that decided a connection's termination: the first one that held (docs/spec.md#termination).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Reset,
    ServerReset,
    Fin,
    /// Rows up to the packet limit, few of them repeats.
    Full,
    TooLate,
    /// As [`TooLate`](Self::TooLate), where the ports were used again.
    RunsInto,
    Timeout,
    Answered,
}

impl Ending {
    pub(crate) const fn termination(self) -> Result<Termination, Exclusion> {
        Ok(match self {
            Self::Reset => Termination::Reset,
            Self::ServerReset => Termination::ServerReset,
            Self::Fin => Termination::Fin,
            Self::TooLate => return Err(Exclusion::Incomplete),
            Self::RunsInto => return Err(Exclusion::MultipleSyn),
            Self::Timeout => Termination::Timeout,
            Self::Full | Self::Answered => Termination::Open,
        })
    }
}

impl Findings {
    /// Applies the rules to the findings and returns the verdict.
    ///
    /// # Errors
    /// Returns the [`Exclusion`] by which the rows are left out of all totals.
    #[inline]
    pub fn judge(&self, rules: &Rules, around: &ConnectionContext) -> Outcome {
        let shape = match &self.kind {
            Kind::NoSyn => return Err(Exclusion::NoSyn),
            Kind::Itself => return Err(Exclusion::SelfConnected),
            Kind::Connection(shape) => shape,
            Kind::Origin(shape) => return shape.judge(self, rules, around),
        };
        let server_rst = self.server_rst(around);
        let termination = self.ending(shape, rules, around).termination()?;
        let stage = Stage::of(termination, shape.progress);
        let mut tags = shape.tags;
        tags.set_if(Tag::Timeout, termination == Termination::Timeout);
        tags.set_if(Tag::Reset, termination == Termination::Reset);
        tags.set_if(Tag::Fin, termination == Termination::Reset && shape.fin);
        tags.set_if(Tag::ServerRst, server_rst);
        Ok(Verdict {
            data_set: DataSet::Tcp,
            progress: shape.progress,
            termination,
            stage,
            tags,
            signature: shape.signature(stage, tags),
            rst_ttl_delta: shape.rst_ttl_delta,
            rst_ip_id_delta: shape.rst_ip_id_delta,
            syn_ttl: shape.syn_ttl,
            sample_rate: shape.sample_rate,
            packets: self.packets,
            first_ts: self.first_ts,
            last_ts: self.last_ts,
            silent: around.cutoff.saturating_sub(self.last_ts).max(0),
            handshake: None,
            first_byte: None,
            version: 0,
            close_code: None,
        })
    }

    /// Finds the first rule that holds (docs/spec.md#termination).
    pub(crate) fn ending(&self, shape: &Shape, rules: &Rules, around: &ConnectionContext) -> Ending {
        let full = self.packets >= rules.packet_limit
            && u64::from(shape.repeats) * 2 < u64::from(rules.packet_limit);
        match () {
            () if shape.is_reset() => Ending::Reset,
            () if self.server_rst(around) => Ending::ServerReset,
            () if shape.fin => Ending::Fin,
            () if full => Ending::Full,
            () if self.last_ts > around.cutoff.saturating_sub(rules.guard) => around.too_late(),
            () if !shape.tags.contains(Tag::Answered) => Ending::Timeout,
            () => Ending::Answered,
        }
    }
}

impl ConnectionContext {
    const fn too_late(&self) -> Ending {
        if self.is_followed { Ending::RunsInto } else { Ending::TooLate }
    }
}

impl Findings {
    fn server_rst(&self, around: &ConnectionContext) -> bool {
        around.other_rst_ts.is_some_and(|ts| ts >= self.latest_syn_ts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_earlier_versions_of_the_usual_rules_are_outdated() {
        let rules = Rules::default();
        assert!(Rules::is_outdated(rules.digest_of(1)));
        assert!(!Rules::is_outdated(rules.digest()) && !Rules::is_outdated(0));
        assert!(!Rules::is_outdated(Rules { packet_limit: 5, ..rules }.digest_of(1)));
    }
}
