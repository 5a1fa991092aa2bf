//! The verdict (docs/origin.md#termination).

use super::Shape;
use crate::{
    ConnectionContext, DataSet, Exclusion, Findings, Outcome, Rules, Signature, Stage, Tag, Termination,
    Verdict,
};

/// The rule that decided a connection's termination: the first one that held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Rule 1: a RST of the server.
    Reset,
    /// Rule 2: a FIN of the server.
    ServerFin,
    /// Rule 3: an ICMP error says that the server is unreachable.
    Unreachable,
    /// Rule 4, answered.
    Closed,
    /// Rule 4, not answered.
    GaveUp,
    /// Rule 5: the packet limit was reached.
    Full,
    /// Rule 6: it was not silent for long enough.
    TooLate,
    /// Rule 6, where the ports were used again.
    RunsInto,
    /// Rule 7: silent after the server had sent something.
    Answered,
    /// Rule 8: silent, and nothing had been asked for.
    Unused,
    /// Rule 9: silent and not answered.
    Timeout,
}

impl Ending {
    /// Whether it comes after the rules 5 and 6.
    const fn needs_silence(self) -> bool {
        matches!(self, Self::Answered | Self::Unused | Self::Timeout)
    }

    pub(crate) const fn termination(self) -> Result<Termination, Exclusion> {
        Ok(match self {
            Self::Reset => Termination::Reset,
            Self::ServerFin | Self::Closed => Termination::Fin,
            Self::Unreachable => Termination::Unreachable,
            Self::GaveUp => Termination::GaveUp,
            Self::Full | Self::Answered | Self::Unused => Termination::Open,
            Self::TooLate => return Err(Exclusion::Incomplete),
            Self::RunsInto => return Err(Exclusion::MultipleSyn),
            Self::Timeout => Termination::Timeout,
        })
    }
}

impl Shape {
    /// Finds the first rule that holds.
    pub(crate) fn ending(&self, findings: &Findings, rules: &Rules, around: &ConnectionContext) -> Ending {
        let rows = findings.packets.saturating_sub(self.icmp.into());
        let is_full =
            rows >= rules.row_limit() && u64::from(self.repeats) * 2 < u64::from(rules.packet_limit);
        let is_too_late = findings.last_ts > around.cutoff.saturating_sub(rules.guard);
        match self.ending {
            ending if !ending.needs_silence() => ending,
            _ if is_full => Ending::Full,
            _ if is_too_late && around.is_followed => Ending::RunsInto,
            _ if is_too_late => Ending::TooLate,
            ending => ending,
        }
    }

    pub(crate) fn judge(&self, findings: &Findings, rules: &Rules, around: &ConnectionContext) -> Outcome {
        let ending = self.ending(findings, rules, around);
        let termination = ending.termination()?;
        let mut tags = self.tags;
        tags.set_if(Tag::Timeout, termination == Termination::Timeout);
        // The stage was found as if it were silent.
        let is_full = ending == Ending::Full;
        Ok(Verdict {
            data_set: DataSet::Origin,
            progress: self.progress,
            termination,
            stage: if is_full { Stage::None } else { self.stage },
            tags,
            signature: Signature::from_id(self.signature).filter(|_| !is_full),
            rst_ttl_delta: self.rst_ttl_delta(),
            rst_ip_id_delta: self.rst_ip_id_delta(),
            syn_ttl: self.syn_ttl,
            sample_rate: self.sample_rate,
            packets: findings.packets,
            first_ts: findings.first_ts,
            last_ts: findings.last_ts,
            silent: around.cutoff.saturating_sub(findings.last_ts).max(0),
            handshake: self.handshake(),
            first_byte: self.first_byte(),
            version: 0,
            close_code: None,
        })
    }
}
