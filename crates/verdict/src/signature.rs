use std::fmt;

use crate::names::Unknown;
use crate::quic::signatures as quic;
use crate::{DataSet, Stage, Tag, Tags, Termination};

/// The number of RSTs of one kind that a rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// There must be none.
    Never,
    /// There must be exactly one.
    Once,
    /// There must be one or more.
    AtLeastOnce,
    /// There must be two or more.
    AtLeastTwice,
}

impl Occurrence {
    /// Returns true if `count` is a number that the rule allows.
    #[must_use]
    pub const fn holds(self, count: u32) -> bool {
        match self {
            Self::Never => count == 0,
            Self::Once => count == 1,
            Self::AtLeastOnce => count >= 1,
            Self::AtLeastTwice => count >= 2,
        }
    }
}

/// A signature: a stage and the RSTs, the silence or whatever else ended the connection there
/// (docs/spec.md#signatures; table 1 of doi:10.1145/3603269.3604875 has the 19 of TCP).
///
/// A signature says what was seen, never who did it or why. [`DataSet::signatures`] lists those of a data set.
///
/// ```
/// use cutshort_verdict::{DataSet, Signature, Stage};
///
/// let signature = DataSet::Tcp.signature("PSH+ACK -> RST != RST")?;
/// assert_eq!((signature.id(), signature.name()), (16, "PSH+ACK → RST ≠ RST"));
/// assert_eq!(signature.stage(), Stage::PostPsh);
/// assert!(signature.causes()[0].contains("stack"), "innocent causes first");
/// assert_eq!(DataSet::Tcp.signatures().len(), 19);
/// assert_eq!(Signature::from_id(201).unwrap().name(), "SYN → CLOSE");
/// # Ok::<(), cutshort_verdict::Unknown>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature(u8);

/// The rule by which a signature matches, for evaluation elsewhere (in SQL, say).
///
/// All conditions must hold. Connections with the tag `fin` have no signature (docs/spec.md#signature-fin).
///
/// ```
/// use cutshort_verdict::{Signature, Occurrence};
///
/// let rule = Signature::from_id(13).and_then(Signature::rule).unwrap();
/// assert_eq!((rule.rst, rule.rst_ack), (Occurrence::AtLeastOnce, Occurrence::AtLeastOnce));
/// assert!(rule.rst.holds(3) && !rule.rst.holds(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignatureRule {
    /// The stage that the connection must have.
    pub stage: Stage,
    /// The number of RSTs without the ACK bit.
    pub rst: Occurrence,
    /// The number of RSTs with the ACK bit.
    pub rst_ack: Occurrence,
    /// Whether exactly one distinct acknowledgement is needed (docs/spec.md#repeat).
    pub single_ack: bool,
    /// The tags of which one is needed; if the list is empty, none is.
    pub one_of: &'static [Tag],
}

#[derive(Clone, Copy)]
pub(crate) struct Entry {
    name: &'static str,
    stage: Stage,
    /// RSTs without the ACK bit.
    rst: Occurrence,
    /// RSTs with the ACK bit.
    rst_ack: Occurrence,
    /// The tags of which one is needed; if the list is empty, none is.
    one_of: &'static [Tag],
    seen: &'static str,
    causes: &'static [&'static str],
}

/// The properties of a connection by which the table is searched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) stage: Stage,
    pub(crate) tags: Tags,
    pub(crate) rst: u32,
    pub(crate) rst_ack: u32,
    /// Exactly one distinct acknowledgement.
    pub(crate) single_ack: bool,
}

impl Signature {
    /// The signatures of the data set `tcp`, 1 to 19.
    pub(crate) const TCP: &'static [Self] = Self::ALL.split_at(ENTRIES.len()).0;

    /// The signatures of the data set `origin`: those of `tcp` and four more.
    pub(crate) const ORIGIN: &'static [Self] = Self::ALL.split_at(ENTRIES.len() + ORIGIN.len()).0;

    /// The signatures of the data set `quic`.
    pub(crate) const QUIC: &'static [Self] = Self::ALL.split_at(ENTRIES.len() + ORIGIN.len()).1;

    /// The signatures of all data sets.
    const ALL: &'static [Self] = &numbered::<{ ENTRIES.len() + ORIGIN.len() + quic::ENTRIES.len() }>();

    /// Finds the signature with the number `id`, in whichever data set.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|signature| signature.id() == id)
    }

    /// Finds the signature of a connection of the data set `origin` that ended in another way than by a RST or silence
    /// (docs/origin.md#signatures).
    #[must_use]
    pub fn without_rst(termination: Termination, stage: Stage) -> Option<Self> {
        let id = match (termination, stage) {
            (Termination::GaveUp, Stage::PostSyn) => 201,
            (Termination::GaveUp, Stage::PostAck) => 205,
            (Termination::GaveUp, Stage::PostPsh) => 210,
            (Termination::Unreachable, _) => 221,
            _ => return None,
        };
        Self::from_id(id)
    }

    /// Returns the number, which never changes: 1 to 19, above 200 in the data set `origin`, and 101 to 127 in `quic`.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self.numbered_entry() {
            None => self.0 + 1,
            Some((id, _)) => *id,
        }
    }

    /// Returns the name, such as `PSH+ACK → RST; RST₀`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// Returns the stage at which the connection ended.
    #[must_use]
    pub const fn stage(self) -> Stage {
        self.entry().stage
    }

    /// Says in one sentence what was seen.
    #[must_use]
    pub const fn about(self) -> &'static str {
        self.entry().seen
    }

    /// Lists what is known to cause it, innocent causes first, and who described it. Passive data proves none of them.
    #[must_use]
    pub const fn causes(self) -> &'static [&'static str] {
        self.entry().causes
    }

    /// Returns the rule by which it matches; `None` if it is not one of the 19 of TCP.
    #[must_use]
    pub const fn rule(self) -> Option<SignatureRule> {
        if self.0 as usize >= ENTRIES.len() {
            return None;
        }
        let Entry { stage, rst, rst_ack, one_of, .. } = *self.entry();
        Some(SignatureRule { stage, rst, rst_ack, single_ack: needs_single_ack(stage), one_of })
    }

    const fn entry(self) -> &'static Entry {
        match self.numbered_entry() {
            None => &ENTRIES[self.0 as usize],
            Some((_, entry)) => entry,
        }
    }

    /// Its number and entry if it is not one of the 19 of TCP.
    const fn numbered_entry(self) -> Option<&'static (u8, Entry)> {
        const AFTER_ORIGIN: usize = ENTRIES.len() + ORIGIN.len();
        match self.0 as usize {
            0..AFTER_TCP => None,
            at @ AFTER_TCP..AFTER_ORIGIN => Some(&ORIGIN[at - AFTER_TCP]),
            at => Some(&quic::ENTRIES[at - AFTER_ORIGIN]),
        }
    }

    /// Finds a signature of a data set by its number or name.
    pub(crate) fn find(data_set: DataSet, text: &str) -> Result<Self, Unknown> {
        let all = data_set.signatures();
        let wanted = plain(text);
        let number = wanted.parse().ok();
        let is_it = |signature: &Self| Some(signature.id()) == number || plain(signature.name()) == wanted;
        all.iter().copied().find(is_it).ok_or_else(|| {
            let (numbers, name) = data_set.signature_numbers();
            Unknown::new("signature", text, [numbers.to_owned(), format!("a name such as '{name}'")])
        })
    }

    /// Finds the signature of the 19 that matches. Connections with the tag `fin` have none.
    #[inline]
    pub(crate) fn matching(pattern: Pattern) -> Option<Self> {
        if pattern.stage == Stage::None || pattern.tags.contains(Tag::Fin) {
            return None;
        }
        Self::TCP.iter().copied().find(|signature| signature.entry().matches(pattern))
    }
}

const fn numbered<const COUNT: usize>() -> [Signature; COUNT] {
    let mut all = [Signature(0); COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = Signature(at as u8);
        at += 1;
    }
    all
}

const fn needs_single_ack(stage: Stage) -> bool {
    matches!(stage, Stage::PostAck)
}

impl Entry {
    pub(crate) const fn without_rst(
        name: &'static str,
        stage: Stage,
        seen: &'static str,
        causes: &'static [&'static str],
    ) -> Self {
        let never = Occurrence::Never;
        Self { name, stage, rst: never, rst_ack: never, one_of: &[], seen, causes }
    }

    fn matches(&self, pattern: Pattern) -> bool {
        self.stage == pattern.stage
            && self.rst.holds(pattern.rst)
            && self.rst_ack.holds(pattern.rst_ack)
            && (!needs_single_ack(self.stage) || pattern.single_ack)
            && (self.one_of.is_empty() || self.one_of.iter().any(|tag| pattern.tags.contains(*tag)))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id(), self.name())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name without what is hard to type.
fn plain(name: &str) -> String {
    let name = name.replace("->", "→").replace("!=", "≠").replace(['∅', '₀'], "0").to_ascii_lowercase();
    name.chars().filter(|c| !c.is_whitespace()).collect()
}

const AFTER_TCP: usize = ENTRIES.len();

const ENTRIES: [Entry; 19] = [
    Entry {
        name: "SYN → ∅",
        stage: Stage::PostSyn,
        rst: Occurrence::Never,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "A SYN, and then silence.",
        causes: &[
            "Scanners that only look whether a SYN+ACK comes, and whose host drops it.",
            "The loser of a Happy Eyeballs race (RFC 8305), dropped while it connects.",
            "A SYN+ACK that was lost on the way back, or a client that went away.",
            "SYN floods with spoofed source addresses.",
            "Described for blocking by IP address, for filters that only pass known protocols (Iran), and for network shutdowns.",
        ],
    },
    Entry {
        name: "SYN → RST",
        stage: Stage::PostSyn,
        rst: Occurrence::AtLeastOnce,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "A SYN, and then one or more RSTs without the ACK bit.",
        causes: &[
            "Scanners that send raw SYNs (ZMap, masscan, nmap -sS): their own kernel answers the SYN+ACK with a RST.",
            "Browsers that give up the slower of two attempts (Happy Eyeballs, RFC 8305).",
            "A NAT or host that forgot the connection before the SYN+ACK arrived.",
            "Injected resets: described by Weaver et al. 2009.",
        ],
    },
    Entry {
        name: "SYN → RST+ACK",
        stage: Stage::PostSyn,
        rst: Occurrence::Never,
        rst_ack: Occurrence::AtLeastOnce,
        one_of: &[],
        seen: "A SYN, and then one or more RSTs with the ACK bit.",
        causes: &[
            "Connect checks and scanners that abort at the SYN+ACK.",
            "Applications that abort while they connect; firewalls that reject the SYN+ACK.",
            "Injected resets: described by Weaver et al. 2009.",
        ],
    },
    Entry {
        name: "SYN → RST; RST+ACK",
        stage: Stage::PostSyn,
        rst: Occurrence::AtLeastOnce,
        rst_ack: Occurrence::AtLeastOnce,
        one_of: &[],
        seen: "A SYN, and then RSTs with and without the ACK bit.",
        causes: &[
            "An attempt that was aborted, and whose closed socket was then hit by another SYN+ACK.",
            "A NAT that resets on its own while the client aborts as well.",
            "Injectors that send both kinds: described for HTTPS in China.",
        ],
    },
    Entry {
        name: "SYN; ACK → ∅",
        stage: Stage::PostAck,
        rst: Occurrence::Never,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "A completed handshake, and then silence.",
        causes: &[
            "Sockets that browsers open ahead of need and never use.",
            "Health checks that connect and go; clients that wait for the server to speak first.",
            "A client that lost its network right after it connected.",
            "The first data was dropped on the way: zero-rating in mobile networks (name not on the free list), and filters of TLS ClientHellos (described for Iran, 2013-2020).",
        ],
    },
    Entry {
        name: "SYN; ACK → RST",
        stage: Stage::PostAck,
        rst: Occurrence::Once,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "A completed handshake, and then one RST without the ACK bit.",
        causes: &[
            "Connect scans and health checks that end with a RST.",
            "A preconnected socket whose host or NAT dropped its state.",
            "Injected resets while the triggering data is dropped: described for Iran (2013), for filters of encrypted SNI, and for HTTP in Turkmenistan.",
        ],
    },
    Entry {
        name: "SYN; ACK → RST; RST",
        stage: Stage::PostAck,
        rst: Occurrence::AtLeastTwice,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "A completed handshake, and then two or more RSTs without the ACK bit.",
        causes: &[
            "A closed socket that was hit by several late segments of the server.",
            "A client behind a NAT that lost its state, with a server that repeats itself.",
            "Injected resets while the triggering data is dropped: described for Iran (2013) and for HTTP in Turkmenistan.",
        ],
    },
    Entry {
        name: "SYN; ACK → RST+ACK",
        stage: Stage::PostAck,
        rst: Occurrence::Never,
        rst_ack: Occurrence::Once,
        one_of: &[],
        seen: "A completed handshake, and then one RST with the ACK bit.",
        causes: &[
            "Health checks of load balancers and uptime monitors, which connect and abort.",
            "Connect scans (nmap -sT); browsers that abort a preconnected socket.",
            "Injected resets while the triggering data is dropped: described by Weaver et al. 2009, and seen from Uzbekistan and Kazakhstan in the paper's data.",
        ],
    },
    Entry {
        name: "SYN; ACK → RST+ACK; RST+ACK",
        stage: Stage::PostAck,
        rst: Occurrence::Never,
        rst_ack: Occurrence::AtLeastTwice,
        one_of: &[],
        seen: "A completed handshake, and then two or more RSTs with the ACK bit.",
        causes: &[
            "An abort whose RST was seen twice, by retransmission or by a capture at two points.",
            "A firewall that resets on behalf of a client that aborts as well.",
            "Injected resets: first described in the paper.",
        ],
    },
    Entry {
        name: "PSH+ACK → ∅",
        stage: Stage::PostPsh,
        rst: Occurrence::Never,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "The first message arrived, and then silence: the client never acknowledged an answer.",
        causes: &[
            "A client that lost its network, was suspended or timed out while it waited.",
            "A NAT or firewall that lost its state; an answer that was lost on the way.",
            "A server that was slow or refused to answer, and a client that gave up in silence.",
            "Everything after the trigger is dropped: described for Iran (2020), for encrypted SNI in China (2020), and for Russia (2022).",
        ],
    },
    Entry {
        name: "PSH+ACK → RST",
        stage: Stage::PostPsh,
        rst: Occurrence::Once,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "The first message arrived, and then one RST without the ACK bit.",
        causes: &[
            "A client that closed or crashed, and whose closed socket was hit by the answer.",
            "A NAT or firewall that lost its state.",
            "An answered request on a connection that was then dropped (tag answered).",
            "Injected resets: many filters send one.",
        ],
    },
    Entry {
        name: "PSH+ACK → RST+ACK",
        stage: Stage::PostPsh,
        rst: Occurrence::Never,
        rst_ack: Occurrence::Once,
        one_of: &[],
        seen: "The first message arrived, and then one RST with the ACK bit.",
        causes: &[
            "A client that cancelled: a tab closed, a timeout, an abort with unread data.",
            "An answered request on an idle connection that was then aborted (tag answered).",
            "Injected resets: many filters send one.",
        ],
    },
    Entry {
        name: "PSH+ACK → RST; RST+ACK",
        stage: Stage::PostPsh,
        rst: Occurrence::AtLeastOnce,
        rst_ack: Occurrence::AtLeastOnce,
        one_of: &[],
        seen: "The first message arrived, and then RSTs with and without the ACK bit.",
        causes: &[
            "A client that aborted with RST+ACK, and whose closed socket was then hit by the answer.",
            "A firewall that resets on its own besides.",
            "Injectors that send both kinds: described for China (2017, 2021).",
        ],
    },
    Entry {
        name: "PSH+ACK → RST+ACK; RST+ACK",
        stage: Stage::PostPsh,
        rst: Occurrence::Never,
        rst_ack: Occurrence::AtLeastTwice,
        one_of: &[],
        seen: "The first message arrived, and then two or more RSTs with the ACK bit.",
        causes: &[
            "An abort whose RST was seen twice, by a capture at two points.",
            "A middlebox that resets on behalf of a client that aborts as well.",
            "Injectors that repeat themselves: described for China (2017, 2021).",
        ],
    },
    Entry {
        name: "PSH+ACK → RST = RST",
        stage: Stage::PostPsh,
        rst: Occurrence::AtLeastTwice,
        rst_ack: Occurrence::Never,
        one_of: &[Tag::AckNumSame, Tag::AckNumSame0],
        seen: "The first message arrived, and then two or more RSTs without the ACK bit and with equal acknowledgement numbers.",
        causes: &[
            "An ordinary closed socket that was hit by several late segments (acknowledgement numbers 0).",
            "A client behind a NAT that lost its state, with a server that repeats itself.",
            "Injectors that repeat themselves: described in the paper.",
        ],
    },
    Entry {
        name: "PSH+ACK → RST ≠ RST",
        stage: Stage::PostPsh,
        rst: Occurrence::AtLeastTwice,
        rst_ack: Occurrence::Never,
        one_of: &[Tag::AckNumDiff],
        seen: "The first message arrived, and then RSTs without the ACK bit whose acknowledgement numbers differ, none being 0.",
        causes: &[
            "A stack that fills in the acknowledgement number and was hit by several late segments.",
            "A NAT or firewall that resets on its own besides the client.",
            "Injectors that guess the next acknowledgement: described by Weaver et al. 2009; in the paper's data a third came from one Korean network.",
        ],
    },
    Entry {
        name: "PSH+ACK → RST; RST₀",
        stage: Stage::PostPsh,
        rst: Occurrence::AtLeastTwice,
        rst_ack: Occurrence::Never,
        one_of: &[Tag::AckNumDiff0],
        seen: "The first message arrived, and then RSTs without the ACK bit whose acknowledgement numbers differ, at least one being 0.",
        causes: &[
            "A client's own RST (acknowledgement number 0) besides one of a NAT or firewall.",
            "A stack that fills in the acknowledgement number at times.",
            "Injectors: the paper saw it from China and from some networks of Korea.",
        ],
    },
    Entry {
        name: "PSH+ACK; Data → RST",
        stage: Stage::Later,
        rst: Occurrence::AtLeastOnce,
        rst_ack: Occurrence::Never,
        one_of: &[],
        seen: "Data beyond the first message arrived, and then one or more RSTs without the ACK bit.",
        causes: &[
            "A tab was closed or a download cancelled, and the closed socket was hit by late segments.",
            "A keep-alive connection whose client, NAT or firewall had forgotten it.",
            "Firewalls with insight into the content: described in the paper.",
        ],
    },
    Entry {
        name: "PSH+ACK; Data → RST+ACK",
        stage: Stage::Later,
        rst: Occurrence::Never,
        rst_ack: Occurrence::AtLeastOnce,
        one_of: &[],
        seen: "Data beyond the first message arrived, and then one or more RSTs with the ACK bit.",
        causes: &[
            "A tab was closed or a download cancelled: the application aborted the connection.",
            "A keep-alive connection that was aborted when idle.",
            "Firewalls with insight into the content: described in the paper.",
        ],
    },
];

/// The signatures that only the data set `origin` has, with their numbers. They have no RST.
const ORIGIN: [(u8, Entry); 4] = [
    (
        201,
        Entry::without_rst(
            "SYN → CLOSE",
            Stage::PostSyn,
            "A SYN whose SYN+ACK came too late: our socket was closed, and answered it with a RST.",
            &[
                "The server or the way to it is slow: our time for a connection ended before its SYN+ACK arrived.",
                "A short connect timeout in the proxy or its health check.",
                "A first SYN or SYN+ACK that was lost: its repetition took a second or more.",
                "Your proxy may have logged 522, or 'connect timed out'.",
            ],
        ),
    ),
    (
        205,
        Entry::without_rst(
            "SYN; ACK → CLOSE",
            Stage::PostAck,
            "The connection was accepted and we sent a request; the server never acknowledged it, and we closed.",
            &[
                "A server, or a load balancer in front of it, that accepts and then does nothing (a full queue, a stopped process).",
                "The request was lost or dropped on the way: a wrong path MTU, a firewall that lost its state.",
                "Filters that drop a TLS ClientHello.",
                "Your proxy may have logged 504 or 524.",
            ],
        ),
    ),
    (
        210,
        Entry::without_rst(
            "PSH+ACK → CLOSE",
            Stage::PostPsh,
            "The server acknowledged our request, sent nothing, and we closed.",
            &[
                "A server that is slower than our timeout.",
                "Our own client went away, so we cancelled the request.",
                "The answer was lost or dropped on the way.",
                "Your proxy may have logged 504 or 524.",
            ],
        ),
    ),
    (
        221,
        Entry::without_rst(
            "SYN → ICMP",
            Stage::PostSyn,
            "A SYN, and then an ICMP error: the server cannot be reached.",
            &[
                "The server is down, so the last router cannot find it.",
                "No route to its network; a wrong address or an old DNS record.",
                "A firewall that rejects the connection with an ICMP error.",
                "Your proxy may have logged 502, 521 or 523.",
            ],
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// No two entries may match the same connection: the order of the table must not matter.
    #[test]
    fn at_most_one_signature_matches() {
        let ack_tags = [
            None,
            Some(Tag::AckNumSame),
            Some(Tag::AckNumSame0),
            Some(Tag::AckNumDiff),
            Some(Tag::AckNumDiff0),
        ];
        for stage in Stage::ALL {
            for (rst, rst_ack) in (0..4).flat_map(|r| (0..4).map(move |ra| (r, ra))) {
                for tag in ack_tags {
                    let pattern =
                        Pattern { stage, tags: tag.into_iter().collect(), rst, rst_ack, single_ack: true };
                    assert!(
                        ENTRIES.iter().filter(|entry| entry.matches(pattern)).count() <= 1,
                        "{pattern:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn signatures_are_found_by_number_and_by_name() {
        let tcp = |text: &str| DataSet::Tcp.signature(text);
        for signature in Signature::TCP {
            assert_eq!(signature.stage(), signature.entry().stage);
        }
        assert_eq!(tcp("psh+ack -> rst != rst"), Ok(Signature::from_id(16).unwrap()));
        assert_eq!(tcp("SYN->0"), Ok(Signature::from_id(1).unwrap()));
        assert!(tcp("20").is_err());
        assert!(tcp("0").is_err());
        assert_eq!(DataSet::Origin.signature("syn -> close").unwrap().id(), 201);
        assert!(Signature::from_id(0).is_none() && Signature::from_id(20).is_none());
        let quic = |text: &str| DataSet::Quic.signature(text).unwrap().id();
        assert_eq!(
            [quic("initial -> 0"), quic("Initial; Initial->CLOSE"), quic("1-RTT → ICMP")],
            [101, 112, 126]
        );
        assert_eq!(quic("handshake;handshake -> icmp"), 127);
    }

    #[test]
    fn numbers_are_unique_and_rise() {
        for signatures in [Signature::ORIGIN, Signature::QUIC] {
            assert!(signatures.is_sorted_by(|a, b| a.id() < b.id()), "{signatures:?}");
        }
        assert!(Signature::QUIC.iter().all(|signature| !Signature::ORIGIN.contains(signature)));
        let numbers: Vec<u8> = Signature::QUIC.iter().map(|signature| signature.id()).collect();
        assert_eq!(numbers, (101..108).chain(111..118).chain(121..128).collect::<Vec<_>>());
    }

    #[test]
    fn every_signature_names_innocent_causes_too() {
        assert!(Signature::ALL.iter().all(|signature| signature.causes().len() >= 3));
    }
}
