//! The true stage, termination and tags of simulated connections.
use crate::profile::Resets;
use crate::{GUARD_NS, PACKET_LIMIT};
use cutshort_packet::FiveTuple;

/// What is true of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// Addresses and ports, client first.
    pub five_tuple: FiveTuple,
    /// Whether an attempt on the same ports came seconds before, a SYN with another sequence number: left out as
    /// `multiple_syn`.
    pub after_attempt: bool,
    /// Time of its first packet, ns since the epoch.
    pub first_ts: i64,
    /// Time of the last of its first ten packets.
    pub last_ts: i64,
    /// How many packets capturing takes of it: at most ten.
    pub packets: u8,
    /// Country of the source address, ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// AS number of the source address.
    pub asn: u32,
    /// What a classifier has to say at the end of the window.
    pub outcome: Outcome,
    pub(crate) waits: bool,
}

impl Truth {
    /// The outcome where the input ends before the window does: `cutoff` is the time of the latest
    /// record of the input. Only the last window of a file is concerned.
    #[must_use]
    pub fn outcome_at(&self, cutoff: i64) -> Outcome {
        if self.waits && self.last_ts > cutoff - GUARD_NS { Outcome::Incomplete } else { self.outcome }
    }
}

/// A verdict, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A connection of the data set.
    Judged(Verdict),
    /// Left out: no SYN packet.
    NoSyn,
    /// Left out: not yet silent for long enough at the window's end.
    Incomplete,
}

impl Outcome {
    /// The verdict, if the connection is in the data set.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        if let Self::Judged(verdict) = self { Some(*verdict) } else { None }
    }
}

/// Stage, termination, tags and signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verdict {
    /// How far the connection had got when it was cut short.
    pub stage: Stage,
    /// How it ended.
    pub termination: Termination,
    /// One bit a tag; the names are in [`TAGS`], the bits in [`tag`].
    pub tags: u32,
    /// 1 to 19, where a signature matches.
    pub signature: Option<u8>,
}

impl Verdict {
    /// Names of the tags, lowest bit first.
    pub fn tag_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let tags = self.tags;
        TAGS.iter().filter(move |(bit, _)| tags >> bit & 1 == 1).map(|(_, name)| *name)
    }

    /// Whether the connection was cut short: reset or timed out.
    #[must_use]
    pub fn is_anomalous(&self) -> bool {
        self.stage != Stage::None
    }
}

/// How far a connection had got when it was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Only the SYN.
    PostSyn,
    /// The handshake, no data.
    PostAck,
    /// The first message.
    PostPsh,
    /// Data beyond the first message.
    Later,
    /// It was not cut short.
    None,
}

impl Stage {
    /// The name in output: `post_syn`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PostSyn => "post_syn",
            Self::PostAck => "post_ack",
            Self::PostPsh => "post_psh",
            Self::Later => "later",
            Self::None => "none",
        }
    }
}

/// How a connection ended. Simulated packets are one-way, so no server resets are among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Termination {
    /// A RST from the client's side.
    Reset,
    /// Closed with a FIN.
    Fin,
    /// Silence without an answer having been acknowledged.
    Timeout,
    /// None of them: still open when last seen.
    Open,
}

impl Termination {
    /// The name in output: `reset`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Fin => "fin",
            Self::Timeout => "timeout",
            Self::Open => "open",
        }
    }
}

/// The tags: the number of the bit, lowest first, and the name.
pub const TAGS: [(u32, &str); 24] = [
    (0, "timeout"),
    (1, "reset"),
    (2, "fin"),
    (3, "single_rst"),
    (4, "multiple_rsts"),
    (5, "acknumsame"),
    (6, "acknumsame0"),
    (7, "acknumdiff"),
    (8, "acknumdiff0"),
    (9, "single_rstack"),
    (10, "multiple_rstacks"),
    (11, "rst_and_rstacks"),
    (12, "zmap"),
    (13, "answered"),
    (14, "syn_payload"),
    (15, "syn_retransmitted"),
    (16, "server_rst"),
    (21, "zmap4"),
    (22, "masscan"),
    (23, "mirai"),
    (24, "no_syn_options"),
    (25, "high_ttl"),
    (26, "zero_window"),
    (27, "rst_ttl_differs"),
];

/// The bits of tags that simulated connections can carry.
pub mod tag {
    /// Termination is timeout.
    pub const TIMEOUT: u32 = 1;
    /// Termination is reset.
    pub const RESET: u32 = 1 << 1;
    /// A FIN beside the reset.
    pub const FIN: u32 = 1 << 2;
    /// One RST without ACK.
    pub const SINGLE_RST: u32 = 1 << 3;
    /// Several RSTs without ACK.
    pub const MULTIPLE_RSTS: u32 = 1 << 4;
    /// … of one acknowledgement number, not 0.
    pub const ACKNUM_SAME: u32 = 1 << 5;
    /// … of the acknowledgement number 0.
    pub const ACKNUM_SAME0: u32 = 1 << 6;
    /// … of different ones, none 0.
    pub const ACKNUM_DIFF: u32 = 1 << 7;
    /// … of different ones, one 0.
    pub const ACKNUM_DIFF0: u32 = 1 << 8;
    /// One RST with ACK.
    pub const SINGLE_RSTACK: u32 = 1 << 9;
    /// Several RSTs with ACK.
    pub const MULTIPLE_RSTACKS: u32 = 1 << 10;
    /// RSTs with and without ACK.
    pub const RST_AND_RSTACKS: u32 = 1 << 11;
    /// A SYN as ZMap before 4.1 sends it.
    pub const ZMAP: u32 = 1 << 12;
    /// The client acknowledged something that the server sent after its SYN+ACK.
    pub const ANSWERED: u32 = 1 << 13;
    /// A SYN with payload.
    pub const SYN_PAYLOAD: u32 = 1 << 14;
    /// The SYN came more than once.
    pub const SYN_RETRANSMITTED: u32 = 1 << 15;
    /// A SYN as ZMap sends it since 4.1.
    pub const ZMAP4: u32 = 1 << 21;
    /// A SYN whose IP id is that of masscan.
    pub const MASSCAN: u32 = 1 << 22;
    /// A SYN whose sequence number is that of Mirai.
    pub const MIRAI: u32 = 1 << 23;
    /// A SYN without options.
    pub const NO_SYN_OPTIONS: u32 = 1 << 24;
    /// A SYN with a TTL above 200.
    pub const HIGH_TTL: u32 = 1 << 25;
    /// A RST with another TTL than the SYN.
    pub const RST_TTL_DIFFERS: u32 = 1 << 27;
}

/// What was played of a connection within its first ten packets, in the words of the script.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ScriptFacts {
    pub(crate) no_syn: bool,
    pub(crate) after_attempt: bool,
    pub(crate) handshake: bool,
    pub(crate) request: bool,
    pub(crate) more: bool,
    /// Acknowledgements that differ in anything.
    pub(crate) acks: u8,
    pub(crate) answered: bool,
    pub(crate) fin: bool,
    pub(crate) resets: Option<Resets>,
    pub(crate) zmap: bool,
    pub(crate) syn_payload: bool,
    /// Tags of the SYN packet.
    pub(crate) syn_tags: u32,
    pub(crate) rst_ttl_differs: bool,
    pub(crate) syn_repeats: u8,
    pub(crate) data_repeats: u8,
    pub(crate) packets: u8,
}

impl ScriptFacts {
    /// Whether the verdict needs silence to be told from a connection that goes on.
    pub(crate) fn waits(&self) -> bool {
        let full = usize::from(self.packets) >= PACKET_LIMIT
            && usize::from(self.syn_repeats + self.data_repeats) < PACKET_LIMIT / 2;
        !(self.no_syn || self.resets.is_some() || self.fin || full)
    }

    /// The outcome, silence taken for granted.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.no_syn {
            return Outcome::NoSyn;
        }
        let termination = self.termination();
        let stage = self.stage(termination);
        let signature = self.signature(stage);
        Outcome::Judged(Verdict { stage, termination, tags: self.tags(termination), signature })
    }

    fn termination(&self) -> Termination {
        match (self.resets.is_some(), self.fin) {
            (true, _) => Termination::Reset,
            (_, true) => Termination::Fin,
            _ if self.waits() && !self.answered => Termination::Timeout,
            _ => Termination::Open,
        }
    }

    fn stage(&self, termination: Termination) -> Stage {
        match termination {
            Termination::Fin | Termination::Open => Stage::None,
            Termination::Reset if self.more => Stage::Later,
            _ if self.more || self.request => Stage::PostPsh,
            _ if self.handshake => Stage::PostAck,
            _ => Stage::PostSyn,
        }
    }

    fn tags(&self, termination: Termination) -> u32 {
        let ended = match termination {
            Termination::Timeout => tag::TIMEOUT,
            Termination::Reset if self.fin => tag::RESET | tag::FIN,
            Termination::Reset => tag::RESET,
            Termination::Fin | Termination::Open => 0,
        };
        let when = |holds, tag| if holds { tag } else { 0 };
        ended
            | self.syn_tags
            | self.resets.map_or(0, Resets::tags)
            | when(self.zmap, tag::ZMAP)
            | when(self.resets.is_some() && self.rst_ttl_differs, tag::RST_TTL_DIFFERS)
            | when(self.answered, tag::ANSWERED)
            | when(self.syn_payload, tag::SYN_PAYLOAD)
            | when(self.syn_repeats > 0, tag::SYN_RETRANSMITTED)
    }

    fn signature(&self, stage: Stage) -> Option<u8> {
        if self.fin {
            return None;
        }
        match stage {
            Stage::PostSyn => {
                Some(self.resets.map_or(1, |r| if r.mixed() { 4 } else { 2 + u8::from(r.acked()) }))
            }
            Stage::PostAck if self.acks == 1 => match self.resets {
                None => Some(5),
                Some(Resets::One) => Some(6),
                Some(Resets::OneAck) => Some(8),
                Some(Resets::ManyAck) => Some(9),
                Some(Resets::Mixed) => None,
                Some(_) => Some(7),
            },
            Stage::PostPsh => Some(self.resets.map_or(10, Resets::after_data)),
            Stage::Later => self.resets.filter(|r| !r.mixed()).map(|r| 18 + u8::from(r.acked())),
            Stage::PostAck | Stage::None => None,
        }
    }
}
