//! The data sets, and which terms belong to which.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use cutshort_packet::FiveTuple;

use crate::names::{Unknown, find};
use crate::{Exclusion, Progress, Signature, Stage, Tag, Tags, Termination, origin, quic};

/// A set of connections with rules of its own. Counts of different data sets are never added up.
///
/// Stages and steps of progress are shared by all data sets, but their names and texts are not. Terminations, exclusions,
/// tags and signatures are unions: a data set uses some of them.
///
/// ```
/// use cutshort_verdict::{DataSet, Stage, Tag};
///
/// let origin: DataSet = "origin".parse()?;
/// assert_eq!(origin.tag("gave_up")?, Tag::GaveUp);
/// assert!(DataSet::Tcp.tag("gave_up").unwrap_err().to_string().contains("server_rst"));
/// assert_eq!(origin.stage_name(Stage::PostSyn), "post_syn");
/// assert_eq!(DataSet::Quic.stage_name(Stage::PostSyn), "post_initial");
/// # Ok::<(), cutshort_verdict::Unknown>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum DataSet {
    /// TCP connections that clients open to servers, by the clients' packets (docs/spec.md).
    #[default]
    Tcp,
    /// TCP connections that this host opens to other servers (docs/origin.md).
    Origin,
    /// QUIC connections that clients open to servers, by the clients' datagrams (docs/quic.md).
    Quic,
}

impl DataSet {
    /// All data sets, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Origin, Self::Quic];

    /// The data sets that have rules here. Packets of others cannot be classified, and no store takes them.
    pub const WITH_RULES: [Self; 3] = Self::ALL;

    /// Returns the name in data: `tcp`, `origin`, `quic`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Origin => "origin",
            Self::Quic => "quic",
        }
    }

    /// Returns its stages, in the order in which they are shown.
    #[must_use]
    pub const fn stages(self) -> &'static [Stage] {
        match self {
            Self::Tcp | Self::Origin => &Stage::ALL,
            Self::Quic => &[Stage::PostSyn, Stage::PostAck, Stage::PostPsh, Stage::None],
        }
    }

    /// Returns its terminations, in the order in which they are tested.
    #[must_use]
    pub const fn terminations(self) -> &'static [Termination] {
        use Termination::{
            ClientGone, Close, Fin, GaveUp, Open, Reset, ServerReset, ServerUnreachable, Timeout, Unreachable,
        };
        match self {
            Self::Tcp => &[Reset, ServerReset, Fin, Timeout, Open],
            Self::Origin => &[Reset, Fin, Unreachable, GaveUp, Open, Timeout],
            Self::Quic => &[ServerUnreachable, Close, Open, ClientGone, Timeout],
        }
    }

    /// Returns its reasons to leave something out, in the order in which they are tested.
    #[must_use]
    pub const fn exclusions(self) -> &'static [Exclusion] {
        use Exclusion::{
            Incomplete, MultipleConnections, MultipleSyn, NoInitial, NoSyn, NotClient, OtherVersion,
            SelfConnected,
        };
        match self {
            Self::Tcp => &[NoSyn, MultipleSyn, Incomplete],
            Self::Origin => &[SelfConnected, NoSyn, MultipleSyn, Incomplete],
            Self::Quic => &[NotClient, OtherVersion, NoInitial, MultipleConnections, Incomplete],
        }
    }

    /// Returns its tags, in the order of their bits.
    #[must_use]
    pub const fn tags(self) -> &'static [Tag] {
        match self {
            Self::Tcp => &Tag::TCP,
            Self::Origin => &Tag::ORIGIN,
            Self::Quic => &Tag::QUIC,
        }
    }

    /// Returns the names of its tags by the numbers of their bits; empty where no tag has the number.
    #[must_use]
    pub fn tag_names(self) -> [&'static str; Tags::BITS] {
        let mut names = [""; Tags::BITS];
        for tag in self.tags() {
            names[usize::from(tag.number())] = tag.name();
        }
        names
    }

    /// Returns its tags for SYN packets as known scanners send them: the filter `scanner`. The data set `origin` has none.
    #[must_use]
    pub fn scanners(self) -> Tags {
        match self {
            Self::Tcp => Tag::SCANNERS.into_iter().collect(),
            Self::Origin | Self::Quic => Tags::default(),
        }
    }

    /// Returns its signatures, in the order of their numbers.
    #[must_use]
    pub const fn signatures(self) -> &'static [Signature] {
        match self {
            Self::Tcp => Signature::TCP,
            Self::Origin => Signature::ORIGIN,
            Self::Quic => Signature::QUIC,
        }
    }

    /// Returns the numbers of its signatures in words, and a name of one as an example.
    #[must_use]
    pub const fn signature_numbers(self) -> (&'static str, &'static str) {
        match self {
            Self::Tcp => ("1 to 19", "SYN; ACK -> RST"),
            Self::Origin => ("1 to 19, 201, 205, 210, 221", "SYN; ACK -> RST"),
            Self::Quic => ("101 to 107, 111 to 117, 121 to 127", "Initial; Initial -> CLOSE"),
        }
    }

    /// Returns the address of the other end, whose place counts: of the client, or in the data set `origin` of the server
    /// (docs/origin.md#place).
    #[must_use]
    pub const fn other_end(self, five_tuple: &FiveTuple) -> Ipv6Addr {
        match self {
            Self::Origin => five_tuple.dst_ip,
            Self::Tcp | Self::Quic => five_tuple.src_ip,
        }
    }

    /// Returns what a progress is called in its data, such as `post_syn` or `post_initial`.
    #[must_use]
    pub const fn progress_name(self, progress: Progress) -> &'static str {
        match (self, progress) {
            (Self::Quic, Progress::PostSyn) => "post_initial",
            (Self::Quic, Progress::PostAck) => "post_answer",
            (Self::Quic, Progress::PostPsh) => "post_handshake",
            _ => progress.name(),
        }
    }

    /// Returns what a stage is called in its data, such as `post_syn` or `post_initial`.
    #[must_use]
    pub const fn stage_name(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Self::Quic, Stage::PostSyn) => "post_initial",
            (Self::Quic, Stage::PostAck) => "post_answer",
            (Self::Quic, Stage::PostPsh) => "post_handshake",
            _ => stage.name(),
        }
    }

    /// Returns what a stage is called in the API: as in Cloudflare Radar's where that has it, such as `no_match` for
    /// [`None`](Stage::None).
    #[must_use]
    pub const fn radar_name(self, stage: Stage) -> &'static str {
        match stage {
            Stage::Later | Stage::None => stage.radar_name(),
            _ => self.stage_name(stage),
        }
    }

    /// Returns a stage's name for people: `Post-SYN`, ..., `None`.
    #[must_use]
    pub const fn stage_title(self, stage: Stage) -> &'static str {
        match (self, stage) {
            (Self::Quic, Stage::PostSyn) => "Post-Initial",
            (Self::Quic, Stage::PostAck) => "Post-Answer",
            (Self::Quic, Stage::PostPsh) => "Post-Handshake",
            _ => stage.title(),
        }
    }

    /// Says in one sentence what was seen of connections at a stage.
    #[must_use]
    pub const fn stage_about(self, stage: Stage) -> &'static str {
        match self {
            Self::Tcp => stage.about(),
            Self::Origin => origin::words::stage_about(stage),
            Self::Quic => quic::words::stage_about(stage),
        }
    }

    /// Lists what is known to cause a stage, innocent causes first; nothing for `none`. Passive data proves none of them.
    #[must_use]
    pub const fn stage_causes(self, stage: Stage) -> &'static [&'static str] {
        match self {
            Self::Tcp => stage.causes(),
            Self::Origin => origin::words::stage_causes(stage),
            Self::Quic => quic::words::stage_causes(stage),
        }
    }

    /// Says in one sentence what was seen of connections that ended so.
    #[must_use]
    pub const fn termination_about(self, termination: Termination) -> &'static str {
        let own = match self {
            Self::Tcp => None,
            Self::Origin => origin::words::termination_about(termination),
            Self::Quic => quic::words::termination_about(termination),
        };
        match own {
            Some(text) => text,
            None => termination.about(),
        }
    }

    /// Returns the reason of an exclusion in words.
    #[must_use]
    pub const fn exclusion_about(self, exclusion: Exclusion) -> &'static str {
        match (self, origin::words::exclusion_about(exclusion)) {
            (Self::Origin, Some(text)) => text,
            _ => exclusion.about(),
        }
    }

    /// Says what was seen of connections with a tag, and how to read it.
    #[must_use]
    pub const fn tag_about(self, tag: Tag) -> &'static str {
        let own = match self {
            Self::Tcp => None,
            Self::Origin => origin::words::tag_about(tag),
            Self::Quic => quic::words::tag_about(tag),
        };
        match own {
            Some(text) => text,
            None => tag.about(),
        }
    }

    /// Says in one sentence what was seen of connections with a signature.
    #[must_use]
    pub const fn signature_about(self, signature: Signature) -> &'static str {
        match (self, origin::words::signature_about(signature.id())) {
            (Self::Origin, Some(text)) => text,
            _ => signature.about(),
        }
    }

    /// Lists what is known to cause a signature, innocent causes first. Passive data proves none of them.
    #[must_use]
    pub const fn signature_causes(self, signature: Signature) -> &'static [&'static str] {
        match (self, origin::words::signature_causes(signature.id())) {
            (Self::Origin, Some(causes)) => causes,
            _ => signature.causes(),
        }
    }

    /// Returns the tag of connections whose client got an answer.
    #[must_use]
    pub const fn answered_tag(self) -> Tag {
        match self {
            Self::Tcp | Self::Origin => Tag::Answered,
            Self::Quic => Tag::QuicAnswered,
        }
    }

    /// Finds a stage by its name, here or in Radar's API; capitals and `-` for `_` do not matter, as in all look-ups below.
    ///
    /// # Errors
    /// If no stage of this data set is called so. The error lists those that exist, as in all look-ups below.
    pub fn stage(self, name: &str) -> Result<Stage, Unknown> {
        find("stage", self.stages(), |stage| self.stage_name(stage), name).or_else(|unknown| {
            find("stage", self.stages(), |stage| self.radar_name(stage), name).map_err(|_| unknown)
        })
    }

    /// Finds a termination by its name.
    ///
    /// # Errors
    /// If no termination of this data set is called so.
    pub fn termination(self, name: &str) -> Result<Termination, Unknown> {
        find("termination", self.terminations(), Termination::name, name)
    }

    /// Finds an exclusion by its name.
    ///
    /// # Errors
    /// If no exclusion of this data set is called so.
    pub fn exclusion(self, name: &str) -> Result<Exclusion, Unknown> {
        find("exclusion", self.exclusions(), Exclusion::name, name)
    }

    /// Finds a tag by its name.
    ///
    /// # Errors
    /// If no tag of this data set is called so.
    pub fn tag(self, name: &str) -> Result<Tag, Unknown> {
        find("tag", self.tags(), Tag::name, name)
    }

    /// Finds a signature by its number, or by its name, in which `->` may stand for `→`, `!=` for `≠`, `0` for `∅` and `₀`;
    /// spaces and capitals do not matter.
    ///
    /// # Errors
    /// If no signature of this data set is called so.
    pub fn signature(self, text: &str) -> Result<Signature, Unknown> {
        Signature::find(self, text)
    }
}

impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DataSet {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Unknown> {
        find("data set", &Self::ALL, Self::name, name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn terms_are_found_by_their_names_in_their_data_set() {
        for set in DataSet::ALL {
            assert_eq!(set.name().parse(), Ok(set));
            for stage in set.stages() {
                assert_eq!(set.stage(set.stage_name(*stage)), Ok(*stage));
            }
            for termination in set.terminations() {
                assert_eq!(set.termination(termination.name()), Ok(*termination));
            }
            for exclusion in set.exclusions() {
                assert_eq!(set.exclusion(exclusion.name()), Ok(*exclusion));
            }
            for tag in set.tags() {
                assert_eq!(set.tag(tag.name()), Ok(*tag));
            }
            for signature in set.signatures() {
                assert_eq!(set.signature(signature.name()), Ok(*signature));
                assert_eq!(set.signature(&signature.id().to_string()), Ok(*signature));
                assert_eq!(Signature::from_id(signature.id()), Some(*signature));
            }
        }
        assert!(DataSet::Tcp.signature("201").is_err());
        assert!(DataSet::Origin.stage("post_initial").is_err());
        assert!(DataSet::Quic.stage("post_syn").is_err() && DataSet::Quic.stage("later").is_err());
        assert_eq!(DataSet::Quic.stage("no_match"), Ok(Stage::None));
        let error = DataSet::Origin.termination("server_reset").unwrap_err().to_string();
        assert!(error.ends_with("reset, fin, unreachable, gave_up, open, timeout"), "{error}");
    }

    #[test]
    fn bits_of_tags_are_unique_in_a_data_set_and_in_order() {
        for set in DataSet::ALL {
            let bits: Vec<u32> = set.tags().iter().map(|tag| tag.bit()).collect();
            assert!(bits.is_sorted_by(|a, b| a < b), "{set}");
            let names: HashSet<_> = set.tags().iter().map(|tag| tag.name()).collect();
            assert_eq!(names.len(), bits.len());
        }
    }
}
