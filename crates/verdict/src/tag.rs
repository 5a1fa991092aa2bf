use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use cutshort_packet::Flags;

use crate::{DataSet, Occurrence, Termination};

/// A property of a connection (docs/spec.md#tags). The number of its bit never changes.
///
/// These are the tags of all data sets; [`DataSet::tags`] lists those of one. Bits are unique within a data set only.
///
/// ```
/// use cutshort_verdict::{DataSet, Tag, TagRule, Occurrence};
///
/// let tag = DataSet::Tcp.tag("multiple_rsts")?;
/// assert_eq!((tag, tag.bit(), tag.parent()), (Tag::MultipleRsts, 1 << 4, Some(Tag::Reset)));
/// let twice = TagRule::Resets { rst: Occurrence::AtLeastTwice, rst_ack: Occurrence::Never };
/// assert_eq!(tag.rule(), Some(twice));
/// assert!(tag.about().contains("so do injectors"));
/// # Ok::<(), cutshort_verdict::Unknown>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Tag {
    /// The termination is timeout.
    Timeout,
    /// The termination is reset.
    Reset,
    /// There is a FIN as well as a RST.
    Fin,
    /// Exactly one RST without ACK bit and none with it.
    SingleRst,
    /// Two or more RSTs without ACK bit and none with it.
    MultipleRsts,
    /// The acknowledgement numbers of multiple RSTs are equal and not 0.
    AckNumSame,
    /// The acknowledgement numbers of multiple RSTs are all 0.
    AckNumSame0,
    /// The acknowledgement numbers of multiple RSTs differ, and none is 0.
    AckNumDiff,
    /// The acknowledgement numbers of multiple RSTs differ, and at least one is 0.
    AckNumDiff0,
    /// Exactly one RST with ACK bit and none without it.
    SingleRstAck,
    /// Two or more RSTs with ACK bit and none without it.
    MultipleRstAcks,
    /// RSTs with the ACK bit and RSTs without it.
    RstAndRstAcks,
    /// The SYN looks like ZMap's before version 4.1.
    Zmap,
    /// The client acknowledged something that the server sent after its SYN+ACK.
    Answered,
    /// A SYN carries payload.
    SynPayload,
    /// More than one SYN with the same sequence number.
    SynRetransmitted,
    /// A RST in the other direction.
    ServerRst,
    /// Of the data set `origin`: we closed without an answer.
    GaveUp,
    /// Of the data set `origin`: the answer to the SYN was that the port is closed.
    Refused,
    /// Of the data set `origin`: the server took the request and closed without a byte.
    EmptyAnswer,
    /// Of the data set `origin`: the SYN+ACK came twice.
    SynAckRetransmitted,
    /// The SYN looks like ZMap's since version 4.1.
    Zmap4,
    /// The SYN's IP id is derived as masscan does it.
    Masscan,
    /// The SYN's sequence number is the server's address, as with Mirai.
    Mirai,
    /// The SYN has no TCP options.
    NoSynOptions,
    /// The TTL of the SYN is above 200.
    HighTtl,
    /// The client's window was 0 in an acknowledgement or data.
    ZeroWindow,
    /// The TTL of a RST differs from that of the SYN.
    RstTtlDiffers,
    /// Of the data set `origin`: the SYN+ACK came to a socket that was closed by then.
    SynAckLate = 28,
    /// Of the data set `origin`: an ICMP error said that the server cannot be reached.
    Unreachable,
    /// Of the data set `quic`: the termination is close.
    QuicClose = 32 + 1,
    /// Of the data set `quic`: the termination is client_gone.
    ClientGone,
    /// Of the data set `quic`: the client got an answer from the server.
    QuicAnswered,
    /// Of the data set `quic`: the server demanded a Retry.
    Retry,
    /// Of the data set `quic`: every Initial packet carries a token.
    Token,
    /// Of the data set `quic`: there is a 0-RTT packet.
    ZeroRtt,
    /// Of the data set `quic`: the client repeated its Initial and got no answer.
    InitialRepeated,
    /// Of the data set `quic`: the client repeated its Handshake packets until it fell silent.
    HandshakeRepeated,
    /// Of the data set `quic`: an Initial packet has version 2.
    V2,
    /// Of the data set `quic`: an Initial packet has the version of a draft.
    Draft,
    /// Of the data set `quic`: there are packets of more than one version.
    VersionChanged,
    /// Of the data set `quic`: no datagram with an Initial packet has 1,200 bytes.
    Undersized,
    /// Of the data set `quic`: the destination connection ids are shorter than clients may choose them.
    ShortDcid,
    /// Of the data set `quic`: no Initial packet could be opened.
    NotOpened,
    /// Of the data set `quic`: an ICMP error says that the client cannot be reached.
    IcmpOther,
    /// Of the data set `quic`: the server sent an answer.
    ServerAnswered,
    /// Of the data set `quic`: an ICMP error of our own side refused the client.
    ServerRefused,
}

/// The rule by which a tag holds, for evaluation elsewhere (in SQL, say).
///
/// A tag with a [`parent`](Tag::parent) holds only if the parent's rule does, too. The enum is exhaustive, so that
/// whoever translates it notices a new kind of rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagRule {
    /// The connection has this termination.
    Termination(Termination),
    /// There is at least one FIN packet.
    Fin,
    /// The numbers of RSTs without and with the ACK bit are these.
    Resets {
        /// RSTs without the ACK bit.
        rst: Occurrence,
        /// RSTs with the ACK bit.
        rst_ack: Occurrence,
    },
    /// The acknowledgement numbers of the RSTs without the ACK bit are like this.
    AckNumbers {
        /// Whether they differ.
        differ: bool,
        /// Whether at least one of them is 0.
        zero: bool,
    },
    /// The SYN packet has these values.
    Syn {
        /// IPv4 identification of the SYN packet.
        ip_id: u16,
        /// TCP window of the SYN packet, without window scaling.
        window: u16,
    },
    /// The row of the SYN packet has this mark, one of [`Flags::SCANNERS`].
    SynMark(Flags),
    /// The SYN packet has options of this length in bytes.
    SynOptionsLen(u8),
    /// The SYN packet has a TTL above this one.
    SynTtlAbove(u8),
    /// An acknowledgement or data has the TCP window 0.
    ZeroWindow,
    /// A RST's TTL differs from that of the SYN packet.
    RstTtlDelta {
        /// By so much or more, in either direction.
        at_least: u16,
    },
    /// The client sent at least two different acknowledgement numbers.
    Answered,
    /// A SYN packet carries payload.
    SynPayload,
    /// There is more than one SYN packet.
    SynRetransmitted,
    /// The other direction has a RST, not before the latest SYN packet.
    ServerRst,
}

impl Tag {
    /// The tags of the data set `tcp`, in the order of their bits.
    pub(crate) const TCP: [Self; 24] = [
        Self::Timeout,
        Self::Reset,
        Self::Fin,
        Self::SingleRst,
        Self::MultipleRsts,
        Self::AckNumSame,
        Self::AckNumSame0,
        Self::AckNumDiff,
        Self::AckNumDiff0,
        Self::SingleRstAck,
        Self::MultipleRstAcks,
        Self::RstAndRstAcks,
        Self::Zmap,
        Self::Answered,
        Self::SynPayload,
        Self::SynRetransmitted,
        Self::ServerRst,
        Self::Zmap4,
        Self::Masscan,
        Self::Mirai,
        Self::NoSynOptions,
        Self::HighTtl,
        Self::ZeroWindow,
        Self::RstTtlDiffers,
    ];

    /// Those of them that the SYN packet decides, the earliest one.
    pub(crate) const OF_SYN: [Self; 6] =
        [Self::Zmap, Self::Zmap4, Self::Masscan, Self::Mirai, Self::NoSynOptions, Self::HighTtl];

    /// Those of them that known scanners cause.
    pub(crate) const SCANNERS: [Self; 4] = [Self::Zmap, Self::Zmap4, Self::Masscan, Self::Mirai];

    /// The tags of the data set `origin`, in the order of their bits.
    pub(crate) const ORIGIN: [Self; 21] = [
        Self::Timeout,
        Self::Reset,
        Self::Fin,
        Self::SingleRst,
        Self::MultipleRsts,
        Self::AckNumSame,
        Self::AckNumSame0,
        Self::AckNumDiff,
        Self::AckNumDiff0,
        Self::SingleRstAck,
        Self::MultipleRstAcks,
        Self::RstAndRstAcks,
        Self::Answered,
        Self::SynPayload,
        Self::SynRetransmitted,
        Self::GaveUp,
        Self::Refused,
        Self::EmptyAnswer,
        Self::SynAckRetransmitted,
        Self::SynAckLate,
        Self::Unreachable,
    ];

    /// The tags of the data set `quic`, in the order of their bits.
    pub(crate) const QUIC: [Self; 18] = [
        Self::Timeout,
        Self::QuicClose,
        Self::ClientGone,
        Self::QuicAnswered,
        Self::Retry,
        Self::Token,
        Self::ZeroRtt,
        Self::InitialRepeated,
        Self::HandshakeRepeated,
        Self::V2,
        Self::Draft,
        Self::VersionChanged,
        Self::Undersized,
        Self::ShortDcid,
        Self::NotOpened,
        Self::IcmpOther,
        Self::ServerAnswered,
        Self::ServerRefused,
    ];

    /// Returns the number of the tag's bit in [`Tags::bits`], 0 to 31.
    #[must_use]
    #[inline]
    pub const fn number(self) -> u8 {
        self as u8 % Tags::BITS as u8
    }

    /// Returns the mask of the tag's bit in [`Tags::bits`].
    #[must_use]
    #[inline]
    pub const fn bit(self) -> u32 {
        1 << self.number()
    }

    /// Returns the name in data, such as `multiple_rsts`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Fin => "fin",
            Self::SingleRst => "single_rst",
            Self::MultipleRsts => "multiple_rsts",
            Self::AckNumSame => "acknumsame",
            Self::AckNumSame0 => "acknumsame0",
            Self::AckNumDiff => "acknumdiff",
            Self::AckNumDiff0 => "acknumdiff0",
            Self::SingleRstAck => "single_rstack",
            Self::MultipleRstAcks => "multiple_rstacks",
            Self::RstAndRstAcks => "rst_and_rstacks",
            Self::Zmap => "zmap",
            Self::Answered | Self::QuicAnswered => "answered",
            Self::SynPayload => "syn_payload",
            Self::SynRetransmitted => "syn_retransmitted",
            Self::ServerRst => "server_rst",
            Self::Zmap4 => "zmap4",
            Self::Masscan => "masscan",
            Self::Mirai => "mirai",
            Self::NoSynOptions => "no_syn_options",
            Self::HighTtl => "high_ttl",
            Self::ZeroWindow => "zero_window",
            Self::RstTtlDiffers => "rst_ttl_differs",
            Self::GaveUp => "gave_up",
            Self::Refused => "refused",
            Self::EmptyAnswer => "empty_answer",
            Self::SynAckRetransmitted => "syn_ack_retransmitted",
            Self::SynAckLate => "syn_ack_late",
            Self::Unreachable => "unreachable",
            Self::QuicClose => "close",
            Self::ClientGone => "client_gone",
            Self::Retry => "retry",
            Self::Token => "token",
            Self::ZeroRtt => "zero_rtt",
            Self::InitialRepeated => "initial_repeated",
            Self::HandshakeRepeated => "handshake_repeated",
            Self::V2 => "v2",
            Self::Draft => "draft",
            Self::VersionChanged => "version_changed",
            Self::Undersized => "undersized",
            Self::ShortDcid => "short_dcid",
            Self::NotOpened => "not_opened",
            Self::IcmpOther => "icmp_other",
            Self::ServerAnswered => "server_answered",
            Self::ServerRefused => "server_refused",
        }
    }

    /// Returns the name for people, such as `Several RSTs`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Timeout => "Timeout",
            Self::Reset => "Reset",
            Self::Fin => "FIN beside the RST",
            Self::SingleRst => "One RST",
            Self::MultipleRsts => "Several RSTs",
            Self::AckNumSame => "RSTs with the same ACK number",
            Self::AckNumSame0 => "RSTs with ACK number 0",
            Self::AckNumDiff => "RSTs with different ACK numbers",
            Self::AckNumDiff0 => "RSTs with different ACK numbers and 0",
            Self::SingleRstAck => "One RST+ACK",
            Self::MultipleRstAcks => "Several RST+ACKs",
            Self::RstAndRstAcks => "RSTs and RST+ACKs",
            Self::Zmap => "ZMap (before 4.1)",
            Self::Answered | Self::QuicAnswered => "Answered",
            Self::SynPayload => "SYN with payload",
            Self::SynRetransmitted => "SYN retransmitted",
            Self::ServerRst => "Server's RST",
            Self::Zmap4 => "ZMap (since 4.1)",
            Self::Masscan => "masscan",
            Self::Mirai => "Mirai",
            Self::NoSynOptions => "SYN without TCP options",
            Self::HighTtl => "High TTL",
            Self::ZeroWindow => "Zero window",
            Self::RstTtlDiffers => "RST's TTL differs",
            Self::GaveUp => "Gave up",
            Self::Refused => "Refused",
            Self::EmptyAnswer => "Empty answer",
            Self::SynAckRetransmitted => "SYN+ACK retransmitted",
            Self::SynAckLate => "SYN+ACK too late",
            Self::Unreachable => "Unreachable",
            Self::QuicClose => "Closed in an Initial",
            Self::ClientGone => "Client's port closed",
            Self::Retry => "Retry",
            Self::Token => "Token",
            Self::ZeroRtt => "0-RTT",
            Self::InitialRepeated => "Initial repeated",
            Self::HandshakeRepeated => "Handshake repeated",
            Self::V2 => "QUIC version 2",
            Self::Draft => "Draft version",
            Self::VersionChanged => "Version changed",
            Self::Undersized => "Undersized Initial",
            Self::ShortDcid => "Short connection ID",
            Self::NotOpened => "Not opened",
            Self::IcmpOther => "Other ICMP error",
            Self::ServerAnswered => "Server answered",
            Self::ServerRefused => "Server refused",
        }
    }

    /// Returns the tag without which this one never holds.
    #[must_use]
    pub const fn parent(self) -> Option<Self> {
        match self {
            Self::Fin
            | Self::SingleRst
            | Self::MultipleRsts
            | Self::SingleRstAck
            | Self::MultipleRstAcks
            | Self::RstAndRstAcks
            | Self::RstTtlDiffers
            | Self::Refused => Some(Self::Reset),
            Self::SynAckLate => Some(Self::GaveUp),
            Self::AckNumSame | Self::AckNumSame0 | Self::AckNumDiff | Self::AckNumDiff0 => {
                Some(Self::MultipleRsts)
            }
            _ => None,
        }
    }

    /// Returns the rule by which the tag holds in the data set `tcp`; `None` for tags of other data sets.
    #[must_use]
    pub const fn rule(self) -> Option<TagRule> {
        use Occurrence::{AtLeastOnce, AtLeastTwice, Never, Once};
        const fn resets(rst: Occurrence, rst_ack: Occurrence) -> TagRule {
            TagRule::Resets { rst, rst_ack }
        }
        Some(match self {
            Self::Timeout => TagRule::Termination(Termination::Timeout),
            Self::Reset => TagRule::Termination(Termination::Reset),
            Self::Fin => TagRule::Fin,
            Self::SingleRst => resets(Once, Never),
            Self::MultipleRsts => resets(AtLeastTwice, Never),
            Self::AckNumSame => TagRule::AckNumbers { differ: false, zero: false },
            Self::AckNumSame0 => TagRule::AckNumbers { differ: false, zero: true },
            Self::AckNumDiff => TagRule::AckNumbers { differ: true, zero: false },
            Self::AckNumDiff0 => TagRule::AckNumbers { differ: true, zero: true },
            Self::SingleRstAck => resets(Never, Once),
            Self::MultipleRstAcks => resets(Never, AtLeastTwice),
            Self::RstAndRstAcks => resets(AtLeastOnce, AtLeastOnce),
            Self::Zmap => TagRule::Syn { ip_id: 54321, window: 65535 },
            Self::Answered => TagRule::Answered,
            Self::SynPayload => TagRule::SynPayload,
            Self::SynRetransmitted => TagRule::SynRetransmitted,
            Self::ServerRst => TagRule::ServerRst,
            Self::Zmap4 => TagRule::SynMark(Flags::ZMAP4),
            Self::Masscan => TagRule::SynMark(Flags::MASSCAN),
            Self::Mirai => TagRule::SynMark(Flags::MIRAI),
            Self::NoSynOptions => TagRule::SynOptionsLen(0),
            Self::HighTtl => TagRule::SynTtlAbove(200),
            Self::ZeroWindow => TagRule::ZeroWindow,
            Self::RstTtlDiffers => TagRule::RstTtlDelta { at_least: 3 },
            Self::GaveUp
            | Self::Refused
            | Self::EmptyAnswer
            | Self::SynAckRetransmitted
            | Self::SynAckLate
            | Self::Unreachable
            | Self::QuicClose
            | Self::ClientGone
            | Self::QuicAnswered
            | Self::Retry
            | Self::Token
            | Self::ZeroRtt
            | Self::InitialRepeated
            | Self::HandshakeRepeated
            | Self::V2
            | Self::Draft
            | Self::VersionChanged
            | Self::Undersized
            | Self::ShortDcid
            | Self::NotOpened
            | Self::IcmpOther
            | Self::ServerAnswered
            | Self::ServerRefused => return None,
        })
    }

    /// Says what was seen, and how to read it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Timeout => {
                "The client fell silent without FIN or RST, and never acknowledged anything that the server sent after its SYN+ACK. \
                 A server that refused or reset the connection itself looks the same when only the client's direction is seen."
            }
            Self::Reset => "At least one RST came from the client's side after its SYN.",
            Self::Fin => {
                "A FIN came besides the RST. Clients that close a connection while data is still arriving do this."
            }
            Self::SingleRst => {
                "Exactly one RST without the ACK bit. Operating systems send it when a segment hits a closed socket."
            }
            Self::MultipleRsts => {
                "Two or more RSTs without the ACK bit. A closed socket that is hit by several late segments does this; so do injectors."
            }
            Self::AckNumSame => {
                "The RSTs' acknowledgement numbers are all equal and not 0. Operating systems leave 0 there (RFC 9293, 3.10.7.1)."
            }
            Self::AckNumSame0 => {
                "The RSTs' acknowledgement numbers are all 0: ordinary where a closed socket is hit by late segments."
            }
            Self::AckNumDiff => {
                "The RSTs' acknowledgement numbers differ and none is 0: known of injectors that guess the next acknowledgement."
            }
            Self::AckNumDiff0 => {
                "The RSTs' acknowledgement numbers differ and at least one is 0: more than one sender, or an injector."
            }
            Self::SingleRstAck => {
                "Exactly one RST with the ACK bit. Applications that abort a connection (close with unread data, SO_LINGER 0) cause it."
            }
            Self::MultipleRstAcks => {
                "Two or more RSTs with the ACK bit. One abort sends one; several are known of injectors, and of captures that see packets twice."
            }
            Self::RstAndRstAcks => {
                "RSTs with and without the ACK bit. An abort followed by late segments does this; so do injectors that send both."
            }
            Self::Zmap => {
                "The SYN has IPv4 identification 54321 and window 65535, as the scanner ZMap sent it before version 4.1."
            }
            Self::Answered => {
                "The client acknowledged at least two different numbers: it received something from the server after the SYN+ACK, whatever the stage."
            }
            Self::SynPayload => {
                "A SYN carries payload: TCP Fast Open (RFC 7413), or an attempt at amplification."
            }
            Self::SynRetransmitted => {
                "The SYN came more than once: the client did not get its answer in time. Real clients do this; most scanners do not."
            }
            Self::ServerRst => {
                "The other direction has a RST: the server refused or reset the connection. Known only where the server's packets are captured too, or rules log its RSTs (cutshort rules --server-resets)."
            }
            Self::Zmap4 => {
                "The SYN has the window and the TCP options that ZMap sends since version 4.1, and lacks 'don't fragment'. No operating system is known to send these options without it; other tools built on ZMap's packets do, and so does an ordinary host behind a router that clears the bit."
            }
            Self::Masscan => {
                "The SYN's IPv4 identification is computed from the server's address, port and sequence number, as masscan does. Of all other senders, one SYN in 65,536 matches by chance, and so do tools that use masscan's code."
            }
            Self::Mirai => {
                "The SYN's sequence number is the server's IPv4 address, as Mirai and its descendants send it. Some other scanners have adopted it; by chance it matches once in four billion."
            }
            Self::NoSynOptions => {
                "The SYN has no TCP options. Operating systems always send at least the MSS; scanners and floods from raw sockets often send none (Spoki, USENIX Security 2022). So do minimal TCP stacks of embedded devices, and middleboxes that strip options."
            }
            Self::HighTtl => {
                "The SYN arrived with a TTL above 200. Raw-socket tools often start at 255 (Spoki, USENIX Security 2022); common clients start at 64 or 128. Network equipment, some Unix systems and embedded devices start at 255 as well."
            }
            Self::ZeroWindow => {
                "An acknowledgement or data had the TCP window 0: the client could not take more at that moment (RFC 9293, 3.8.6). Slow or overloaded clients, paused downloads and players with full buffers do this; so do attacks that hold connections open."
            }
            Self::RstTtlDiffers => {
                "The TTL of a RST differs by 3 or more from that of the SYN: perhaps another sender. Injected resets do this. So do raw-socket scanners, whose kernel sends the RST, so read it with zmap, zmap4, masscan, mirai, no_syn_options and high_ttl; and hosts or NATs that use another TTL for resets, and routes that change."
            }
            Self::GaveUp => "We closed the connection, and the server had not sent a byte of an answer.",
            Self::Refused => {
                "The SYN was answered by a RST with exactly the numbers of a closed port (RFC 9293, 3.10.7.1): nothing listens there, or somebody says so."
            }
            Self::EmptyAnswer => "The server took the request and closed the connection without a byte.",
            Self::SynAckRetransmitted => {
                "The same SYN+ACK came at least twice: our ACK did not reach the server in time."
            }
            Self::SynAckLate => {
                "The SYN+ACK came when our attempt to connect had already timed out: its socket answered with a RST."
            }
            Self::Unreachable => "An ICMP error that quotes our SYN said that the server cannot be reached.",
            Self::QuicClose => {
                "The client closed the connection in an Initial packet that could be opened: it was cancelled, or gave up."
            }
            Self::ClientGone => {
                "The client's host said by ICMP that it had no such socket when the server last sent something: its process ended."
            }
            Self::QuicAnswered => {
                "The client got an answer from the server, whatever the stage. Nothing of this is authenticated: whoever spoofs an address can pretend it."
            }
            Self::Retry => {
                "The client began again with a token: the server demanded a Retry (RFC 9000, 8.1.2)."
            }
            Self::Token => "Every Initial carries a token: a client that was here before (RFC 9000, 8.1.3).",
            Self::ZeroRtt => "The client sent 0-RTT data: it resumed an earlier session.",
            Self::InitialRepeated => {
                "The client repeated its Initial over 150 ms or more, and nothing shows an answer. Real clients do this; most scanners do not."
            }
            Self::HandshakeRepeated => {
                "The client repeated Handshake packets over 150 ms or more, and little else followed: nothing shows that the server confirmed its handshake."
            }
            Self::V2 => "An Initial has version 2 (RFC 9369).",
            Self::Draft => "An Initial has the version of a draft (draft-29 to draft-34).",
            Self::VersionChanged => {
                "Initials have two versions, or a version came that is not known here: the version was negotiated, or somebody looks for versions."
            }
            Self::Undersized => {
                "No datagram with an Initial has 1,200 bytes, so no server may answer (RFC 9000, 14.1): a probe, or another protocol."
            }
            Self::ShortDcid => {
                "All destination connection ids are shorter than 8 bytes, and nothing shows an answer: no conforming client begins so (RFC 9000, 7.2). Scanners and floods do."
            }
            Self::NotOpened => {
                "No Initial could be opened, and nothing shows an answer: random bytes, or the first Initial is missing here."
            }
            Self::IcmpOther => {
                "An ICMP error said that the client cannot be reached, for another reason than its port."
            }
            Self::ServerAnswered => {
                "The server sent QUIC packets to the client. Known only where the server's datagrams are captured too."
            }
            Self::ServerRefused => {
                "An ICMP error told the client that the server cannot be reached: our own side refused. Known only where both directions are captured."
            }
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A set of tags of one data set in 32 bits.
///
/// ```
/// use cutshort_verdict::{DataSet, Tag, Tags};
///
/// let mut tags: Tags = [Tag::Reset, Tag::SingleRst].into_iter().collect();
/// assert!(tags.contains(Tag::Reset) && !tags.contains(Tag::Fin));
/// tags |= Tag::Answered;
/// assert!(tags.iter(DataSet::Tcp).eq([Tag::Reset, Tag::SingleRst, Tag::Answered]));
/// assert_eq!(Tags::from_bits(tags.bits()), tags);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tags(u32);

impl Tags {
    /// The number of bits of a set.
    pub const BITS: usize = 32;

    /// No tags.
    pub(crate) const NONE: Self = Self(0);

    /// Returns true if the sets have a tag in common.
    #[must_use]
    #[inline]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Creates the set with the given [`bits`](Self::bits); unknown bits are kept.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns the set as one bit per tag, at [`Tag::bit`].
    #[must_use]
    #[inline]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns true if the tag is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, tag: Tag) -> bool {
        self.0 & tag.bit() != 0
    }

    /// Adds the tag if `holds`.
    #[inline]
    pub(crate) const fn set_if(&mut self, tag: Tag, holds: bool) {
        if holds {
            self.0 |= tag.bit();
        }
    }

    /// Returns the tags of the set that the data set knows, in the order of their bits.
    pub fn iter(self, data_set: DataSet) -> impl Iterator<Item = Tag> {
        let by_bit: &[Option<Tag>; Self::BITS] = match data_set {
            DataSet::Tcp => &const { by_bit(DataSet::Tcp) },
            DataSet::Origin => &const { by_bit(DataSet::Origin) },
            DataSet::Quic => &const { by_bit(DataSet::Quic) },
        };
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            by_bit.get(bit).copied()
        })
        .flatten()
    }
}

/// The tags of a data set, each at the number of its bit.
const fn by_bit(data_set: DataSet) -> [Option<Tag>; Tags::BITS] {
    let mut all = [None; Tags::BITS];
    let mut tags = data_set.tags();
    while let [tag, rest @ ..] = tags {
        all[tag.number() as usize] = Some(*tag);
        tags = rest;
    }
    all
}

impl BitOr for Tags {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign<Tag> for Tags {
    #[inline]
    fn bitor_assign(&mut self, tag: Tag) {
        self.0 |= tag.bit();
    }
}

impl FromIterator<Tag> for Tags {
    fn from_iter<I: IntoIterator<Item = Tag>>(tags: I) -> Self {
        tags.into_iter().fold(Self::default(), |set, tag| Self(set.0 | tag.bit()))
    }
}

#[cfg(test)]
mod tests {
    use cutshort_packet::Flags;

    use super::*;
    use crate::{ConnectionContext, Findings, Row, Rules};

    /// The rules as data agree with the code that sets the tags.
    #[test]
    fn tags_of_resets_are_as_their_rules_say() {
        let numbers =
            [vec![], vec![7], vec![0], vec![7, 7], vec![0, 0], vec![7, 8, 7], vec![7, 0], vec![0, 0, 9]];
        for (plain, with_ack) in numbers.iter().flat_map(|plain| (0..4).map(move |count| (plain, count))) {
            let row = |flags, ack| Row { flags, ack, ..Row::default() };
            let mut rows = vec![row(Flags::SYN, 0)];
            rows.extend(plain.iter().map(|ack| row(Flags::RST, *ack)));
            rows.extend((0..with_ack).map(|ack| row(Flags::RST | Flags::ACK, ack)));
            let around = ConnectionContext { cutoff: i64::MAX, is_followed: false, other_rst_ts: None };
            let tags = Findings::of(&rows, DataSet::Tcp).judge(&Rules::default(), &around).unwrap().tags;
            let differ = plain.iter().any(|number| *number != plain[0]);
            let own = |tag: Tag| match tag.rule()? {
                TagRule::Termination(Termination::Reset) => Some(rows.len() > 1),
                TagRule::Resets { rst, rst_ack } => {
                    Some(rst.holds(plain.len() as u32) && rst_ack.holds(with_ack))
                }
                TagRule::AckNumbers { differ: needed, zero } => {
                    Some(differ == needed && plain.contains(&0) == zero)
                }
                _ => None,
            };
            for tag in Tag::TCP {
                let parent = tag.parent().is_none_or(|parent| tags.contains(parent));
                if let Some(own) = own(tag) {
                    assert_eq!(tags.contains(tag), own && parent, "{tag}: {plain:?}, {with_ack}");
                }
            }
        }
    }
}
