use crate::findings::{Kind, Shape};
use crate::{Exclusion, Findings, Progress, Signature, Stage, Tag, Tags, Termination};

/// The settings of the rules. Changing them changes what the terms mean: compare like with like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Length of a window in nanoseconds; windows are aligned to the Unix epoch.
    pub window: i64,
    /// How long before the cutoff a connection must have been silent to be a timeout, in
    /// nanoseconds.
    pub guard: i64,
    /// How many packets of a connection are taken: 1 to 65,535.
    pub packet_limit: u32,
}

impl Default for Rules {
    /// 15 minutes, 10 seconds, 10 packets.
    fn default() -> Self {
        Self { window: 900 * SECOND, guard: 10 * SECOND, packet_limit: 10 }
    }
}

pub(crate) const SECOND: i64 = 1_000_000_000;

impl Rules {
    /// Rises whenever the same packets are judged otherwise than before.
    pub const VERSION: u32 = 2;

    /// A number that changes with the settings and with the [version](Self::VERSION), for those
    /// who keep what was judged. Never 0.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest_of(Self::VERSION)
    }

    /// Whether a [digest](Self::digest) is that of the usual settings in an earlier [version](Self::VERSION): what
    /// was judged by them is to be judged again.
    #[must_use]
    pub fn is_outdated(digest: u64) -> bool {
        (1..Self::VERSION).any(|version| Self::default().digest_of(version) == digest)
    }

    const fn digest_of(&self, version: u32) -> u64 {
        // FNV-1a over words.
        const PRIME: u64 = 0x0100_0000_01b3;
        let mut digest = 0xcbf2_9ce4_8422_2325;
        digest = (digest ^ version as u64).wrapping_mul(PRIME);
        digest = (digest ^ self.window.cast_unsigned()).wrapping_mul(PRIME);
        digest = (digest ^ self.guard.cast_unsigned()).wrapping_mul(PRIME);
        digest = (digest ^ self.packet_limit as u64).wrapping_mul(PRIME);
        digest | 1
    }

    /// The window that holds a time: its number since the epoch.
    #[must_use]
    pub const fn window_of(&self, ts: i64) -> i64 {
        ts.div_euclid(self.window)
    }

    /// Where the window with a number begins.
    #[must_use]
    pub const fn window_start(&self, number: i64) -> i64 {
        number.saturating_mul(self.window)
    }
}

/// What the rules need to know about a 5-tuple and window in addition to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surroundings<'a> {
    /// The window's end, or the time of the latest record of the input if that is earlier.
    pub cutoff: i64,
    /// Times of the other direction's rows in the same window that have the RST bit, in any order.
    pub other_rsts: &'a [i64],
}

impl Surroundings<'_> {
    /// What surrounds a connection that is followed by another on its ports at `next`, if it is.
    #[must_use]
    pub fn around(&self, next: Option<i64>) -> Context {
        let rsts = self.other_rsts.iter().copied();
        Context {
            cutoff: next.unwrap_or(self.cutoff),
            is_followed: next.is_some(),
            other_rst_ts: rsts.filter(|ts| next.is_none_or(|next| *ts < next)).max(),
        }
    }
}

/// What the rules need to know about a connection in addition to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The time of the next connection's first SYN packet where [`is_followed`](Self::is_followed), else the
    /// window's cutoff.
    pub cutoff: i64,
    /// Whether its ports were used again.
    pub is_followed: bool,
    /// Of the other direction's rows before the next connection: the time of the latest with the RST bit.
    pub other_rst_ts: Option<i64>,
}

/// Rows are a connection, or left out of all totals for a reason.
pub type Outcome = Result<Verdict, Exclusion>;

/// What is said of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How far it got.
    pub progress: Progress,
    /// How it ended.
    pub termination: Termination,
    /// Where it was cut short.
    pub stage: Stage,
    /// Its properties.
    pub tags: Tags,
    /// The signature that it matches.
    pub signature: Option<Signature>,
    /// TTL(RST) - TTL(SYN), of largest magnitude over the RSTs; `None` without a RST.
    pub rst_ttl_delta: Option<i16>,
    /// Distance of a RST's IP id to the nearest other, the largest over the RSTs; IPv4 only.
    pub rst_ip_id_delta: Option<u16>,
    /// TTL or hop limit of its SYN.
    pub syn_ttl: u8,
    /// For how many connections it stands.
    pub sample_rate: u32,
    /// Rows taken.
    pub packets: u32,
    /// Time of the earliest row, in nanoseconds since the Unix epoch.
    pub first_ts: i64,
    /// Time of the latest row, in nanoseconds since the Unix epoch.
    pub last_ts: i64,
    /// From the latest row to the cutoff, in nanoseconds.
    pub silent: i64,
}

impl Verdict {
    /// Whether it was cut short: its stage is not `none`.
    #[must_use]
    pub const fn is_anomalous(&self) -> bool {
        !matches!(self.stage, Stage::None)
    }

    /// Whether the handshake was completed, which a spoofed source address cannot do.
    #[must_use]
    pub const fn completed_handshake(&self) -> bool {
        !matches!(self.progress, Progress::PostSyn)
    }
}

/// Why a connection's termination is what it is: the rule of SPEC 4 that held first.
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
    /// Applies the rules.
    ///
    /// # Errors
    /// Why the rows are in no total.
    #[inline]
    pub fn judge(&self, rules: &Rules, around: &Context) -> Outcome {
        let shape = self.shape()?;
        let server_rst = shape.server_rst(around);
        let termination = self.ending(shape, rules, around).termination()?;
        let stage = Stage::of(termination, shape.progress);
        let mut tags = shape.tags;
        tags.set_if(Tag::Timeout, termination == Termination::Timeout);
        tags.set_if(Tag::Reset, termination == Termination::Reset);
        tags.set_if(Tag::Fin, termination == Termination::Reset && shape.fin);
        tags.set_if(Tag::ServerRst, server_rst);
        Ok(Verdict {
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
            silent: around.cutoff.saturating_sub(self.last_ts),
        })
    }

    pub(crate) const fn shape(&self) -> Result<&Shape, Exclusion> {
        match &self.kind {
            Kind::NoSyn => Err(Exclusion::NoSyn),
            Kind::Connection(shape) => Ok(shape),
        }
    }

    /// The first rule of SPEC 4 that holds.
    pub(crate) fn ending(&self, shape: &Shape, rules: &Rules, around: &Context) -> Ending {
        let full = self.packets >= rules.packet_limit
            && u64::from(shape.repeats) * 2 < u64::from(rules.packet_limit);
        match () {
            () if shape.is_reset() => Ending::Reset,
            () if shape.server_rst(around) => Ending::ServerReset,
            () if shape.fin => Ending::Fin,
            () if full => Ending::Full,
            () if self.last_ts > around.cutoff.saturating_sub(rules.guard) => around.too_late(),
            () if !shape.tags.contains(Tag::Answered) => Ending::Timeout,
            () => Ending::Answered,
        }
    }
}

impl Context {
    const fn too_late(&self) -> Ending {
        if self.is_followed { Ending::RunsInto } else { Ending::TooLate }
    }
}

impl Shape {
    fn server_rst(&self, around: &Context) -> bool {
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
