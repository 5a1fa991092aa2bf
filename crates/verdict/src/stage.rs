use std::fmt;

/// How far a connection got, from its SYN on (docs/spec.md#progress).
///
/// The four steps are those of all data sets; [`DataSet::progress_name`](crate::DataSet::progress_name) has their names
/// in one.
///
/// It grows with what was seen; a value is greater if the connection got further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Progress {
    /// Neither an acknowledgement nor data came after the SYN.
    PostSyn,
    /// The client completed the handshake; no data came.
    PostAck,
    /// Data came, but none beyond the first message.
    PostPsh,
    /// Data beyond the first message came.
    Later,
}

impl Progress {
    /// All values, from the least progress to the most.
    pub const ALL: [Self; 4] = [Self::PostSyn, Self::PostAck, Self::PostPsh, Self::Later];

    /// Returns the name in data: `post_syn`, `post_ack`, `post_psh`, `later`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PostSyn => "post_syn",
            Self::PostAck => "post_ack",
            Self::PostPsh => "post_psh",
            Self::Later => "later",
        }
    }
}

/// The stage at which a connection was cut short, or none (docs/spec.md#stage).
///
/// The five stages are a closed set, so a `match` needs no wildcard. They are those of all data sets;
/// [`DataSet::stage_name`](crate::DataSet::stage_name) has their names in one.
///
/// ```
/// use cutshort_verdict::{Progress, Stage, Termination};
///
/// let stage = Stage::of(Termination::Reset, Progress::PostPsh);
/// assert_eq!((stage, stage.name(), stage.title()), (Stage::PostPsh, "post_psh", "Post-PSH"));
/// assert!(stage.about().starts_with("The client's first message"));
/// // A connection that was closed with a FIN was not cut short, however far it got.
/// assert_eq!(Stage::of(Termination::Fin, Progress::PostPsh), Stage::None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stage {
    /// Reset or silent after the SYN.
    PostSyn,
    /// Reset or silent after the handshake.
    PostAck,
    /// Reset or silent after the first message.
    PostPsh,
    /// Reset after more data than the first message.
    Later,
    /// Not anomalous: closed, still open, or reset by the server.
    None,
}

impl Stage {
    /// The five stages, in the order in which they are shown everywhere.
    pub const ALL: [Self; 5] = [Self::PostSyn, Self::PostAck, Self::PostPsh, Self::Later, Self::None];

    /// Returns the stage of a connection of the data set `tcp` from how it ended and how far it got.
    #[must_use]
    pub const fn of(termination: Termination, progress: Progress) -> Self {
        match (termination, progress) {
            (Termination::Reset | Termination::Timeout, Progress::PostSyn) => Self::PostSyn,
            (Termination::Reset | Termination::Timeout, Progress::PostAck) => Self::PostAck,
            (Termination::Reset | Termination::Timeout, Progress::PostPsh)
            | (Termination::Timeout, Progress::Later) => Self::PostPsh,
            (Termination::Reset, Progress::Later) => Self::Later,
            _ => Self::None,
        }
    }

    /// Returns the name in data: `post_syn`, `post_ack`, `post_psh`, `later`, `none`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PostSyn => "post_syn",
            Self::PostAck => "post_ack",
            Self::PostPsh => "post_psh",
            Self::Later => "later",
            Self::None => "none",
        }
    }

    /// Returns the name in Cloudflare Radar's API, where the two differ: `later_in_flow` for [`Later`](Self::Later) and `no_match` for
    /// [`None`](Self::None). Both names are read.
    ///
    /// ```
    /// use cutshort_verdict::{DataSet, Stage};
    /// assert_eq!(Stage::None.radar_name(), "no_match");
    /// assert_eq!(DataSet::Tcp.stage("no_match"), Ok(Stage::None));
    /// assert_eq!(DataSet::Tcp.stage("none"), Ok(Stage::None));
    /// ```
    #[must_use]
    pub const fn radar_name(self) -> &'static str {
        match self {
            Self::Later => "later_in_flow",
            Self::None => "no_match",
            other => other.name(),
        }
    }

    /// Returns the name for people: `Post-SYN`, ..., `None`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::PostSyn => "Post-SYN",
            Self::PostAck => "Post-ACK",
            Self::PostPsh => "Post-PSH",
            Self::Later => "Later",
            Self::None => "None",
        }
    }

    /// Says in one sentence what was seen.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::PostSyn => {
                "The client sent a SYN, and then a RST or nothing: the handshake was never completed."
            }
            Self::PostAck => "The handshake was completed, and then a RST or nothing came: no data arrived.",
            Self::PostPsh => {
                "The client's first message (a request, a TLS ClientHello) arrived, and then a RST or nothing."
            }
            Self::Later => "Data beyond the first message arrived, and then a RST.",
            Self::None => {
                "Not cut short: closed with a FIN, reset by the server, or alive when last seen. This is what ordinary connections look like."
            }
        }
    }

    /// Lists what is known to cause it, innocent causes first; nothing for `none`. Passive data proves none of them.
    #[must_use]
    pub const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::PostSyn => &[
                "Scanners: ZMap sends one SYN, and its host's kernel answers the SYN+ACK with a RST.",
                "Browsers that try IPv6 and IPv4 at once and drop the slower one (Happy Eyeballs, RFC 8305).",
                "A lost return path, a client that went away, or a port where the server refuses.",
                "SYN floods with spoofed source addresses: then the place says nothing about the sender.",
                "Blocking by IP address, also for a while after an earlier trigger; shutdowns of a network.",
            ],
            Self::PostAck => &[
                "Sockets that browsers open ahead of need and never use.",
                "Health checks of load balancers and uptime monitors (connect, then RST+ACK); connect scans.",
                "Protocols in which the server speaks first, while the client waits.",
                "The first data packet was dropped on the way: zero-rating in mobile networks, filters that drop a ClientHello.",
            ],
            Self::PostPsh => &[
                "The client cancelled or timed out, a tab was closed, an application crashed.",
                "A NAT or firewall on the way lost its state.",
                "The request was answered and the idle connection closed by a RST (tag answered).",
                "Resets injected after the ClientHello or the request; an answer that was dropped on the way.",
            ],
            Self::Later => &[
                "A tab was closed or a download cancelled.",
                "A keep-alive connection was closed by a RST.",
                "Filters that see clear-text or decrypted content, such as company firewalls.",
            ],
            Self::None => &[],
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a connection ended (docs/spec.md#termination). The discriminant never changes.
///
/// The first of the rules that holds decides. These are the terminations of all data sets; [`DataSet::terminations`] lists
/// those of one.
///
/// [`DataSet::terminations`]: crate::DataSet::terminations
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Termination {
    /// The client's side sent a RST.
    Reset,
    /// Only the server's side sent a RST.
    ServerReset,
    /// The client sent a FIN: closed in the ordinary way.
    Fin,
    /// The client fell silent and never acknowledged anything that the server sent after its SYN+ACK.
    Timeout,
    /// The connection was alive when last seen, or fell silent after it was answered.
    Open,
    /// Of the data set `origin`: the network said that the server cannot be reached.
    Unreachable,
    /// Of the data set `origin`: we closed the connection without an answer.
    GaveUp,
    /// Of the data set `quic`: our own side said by ICMP that the server cannot be reached.
    ServerUnreachable,
    /// Of the data set `quic`: the client closed the connection in an Initial packet.
    Close,
    /// Of the data set `quic`: the client's host said by ICMP that it has no such socket.
    ClientGone,
}

impl Termination {
    /// The terminations of all data sets, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Reset,
        Self::ServerReset,
        Self::Fin,
        Self::Timeout,
        Self::Open,
        Self::Unreachable,
        Self::GaveUp,
        Self::ServerUnreachable,
        Self::Close,
        Self::ClientGone,
    ];

    /// Returns the name in data, such as `reset` or `server_reset`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::ServerReset => "server_reset",
            Self::Fin => "fin",
            Self::Timeout => "timeout",
            Self::Open => "open",
            Self::Unreachable => "unreachable",
            Self::GaveUp => "gave_up",
            Self::ServerUnreachable => "server_unreachable",
            Self::Close => "close",
            Self::ClientGone => "client_gone",
        }
    }

    /// Returns the name for people, such as `Reset` or `Server's RST`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reset => "Reset",
            Self::ServerReset => "Server's RST",
            Self::Fin => "FIN",
            Self::Timeout => "Timeout",
            Self::Open => "Still open",
            Self::Unreachable => "Unreachable",
            Self::GaveUp => "Gave up",
            Self::ServerUnreachable => "Server unreachable",
            Self::Close => "Closed in an Initial",
            Self::ClientGone => "Client's port closed",
        }
    }

    /// Says in one sentence what was seen.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::Reset => "The client's side sent a RST.",
            Self::ServerReset => "Only the server's side sent a RST.",
            Self::Fin => "The client sent a FIN: closed in the ordinary way.",
            Self::Timeout => {
                "The client fell silent, and never acknowledged anything that the server sent after its SYN+ACK."
            }
            Self::Open => "Still alive when last seen, or silent after it was answered.",
            Self::Unreachable => "An ICMP error said that the server cannot be reached.",
            Self::GaveUp => "We closed the connection, and the server had not sent a byte.",
            Self::ServerUnreachable => {
                "An ICMP error of our own side said that the server cannot be reached, and the client got no answer."
            }
            Self::Close => "The client closed the connection in an Initial packet.",
            Self::ClientGone => {
                "The client's host said by ICMP that it had no such socket when the server last sent something."
            }
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The reason why rows are left out of all totals (docs/spec.md#exclusions). The discriminant never changes.
///
/// These are the reasons of all data sets; [`DataSet::exclusions`](crate::DataSet::exclusions) lists those of one.
///
/// ```
/// use cutshort_packet::Flags;
/// use cutshort_verdict::{DataSet, Exclusion, Findings, Row, Rules, FlowContext};
///
/// let ack = Row { flags: Flags::ACK, ..Row::default() };
/// let around = FlowContext { cutoff: 900_000_000_000, other_rsts: &[] };
/// let error = Findings::of(&[ack], DataSet::Tcp).judge(&Rules::default(), &around.around(None)).unwrap_err();
/// assert_eq!((error, error.name()), (Exclusion::NoSyn, "no_syn"));
/// let error: Box<dyn std::error::Error> = error.into();
/// assert_eq!(error.to_string(), "no_syn");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Exclusion {
    /// There is no SYN packet: an older connection, the other direction, or backscatter.
    NoSyn,
    /// The ports were reused by another connection before this one was decided.
    MultipleSyn,
    /// The last packet is too close to the end of the window or of the input to tell silence.
    Incomplete,
    /// Of the data set `origin`: source and destination are the same.
    SelfConnected,
    /// Of the data set `quic`: the datagrams are the server's.
    NotClient,
    /// Of the data set `quic`: the client spoke a version that is not known here.
    OtherVersion,
    /// Of the data set `quic`: there is no Initial packet.
    NoInitial,
    /// Of the data set `quic`: several connections used the same ports, and cannot be separated.
    MultipleConnections,
}

impl Exclusion {
    /// The reasons of all data sets, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::NoSyn,
        Self::MultipleSyn,
        Self::Incomplete,
        Self::SelfConnected,
        Self::NotClient,
        Self::OtherVersion,
        Self::NoInitial,
        Self::MultipleConnections,
    ];

    /// Returns the name in data, such as `no_syn` or `incomplete`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSyn => "no_syn",
            Self::MultipleSyn => "multiple_syn",
            Self::Incomplete => "incomplete",
            Self::SelfConnected => "self",
            Self::NotClient => "not_client",
            Self::OtherVersion => "other_version",
            Self::NoInitial => "no_initial",
            Self::MultipleConnections => "multiple_connections",
        }
    }

    /// Returns the name for people, such as `No SYN`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::NoSyn => "No SYN",
            Self::MultipleSyn => "Several SYNs",
            Self::Incomplete => "Incomplete",
            Self::SelfConnected => "Connected to itself",
            Self::NotClient => "From the server",
            Self::OtherVersion => "Unknown QUIC version",
            Self::NoInitial => "No Initial",
            Self::MultipleConnections => "Several connections",
        }
    }

    /// Returns the reason in words.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::NoSyn => "no SYN seen: older connections, or the other direction",
            Self::MultipleSyn => "the ports were used again before the connection was decided",
            Self::Incomplete => "still going on when the window or the capture ended",
            Self::SelfConnected => "a socket that is connected to itself",
            Self::NotClient => "datagrams of the server",
            Self::OtherVersion => "a version of QUIC that is not known here; version scanners send those",
            Self::NoInitial => "no Initial seen: migrated or older connections, or no QUIC",
            Self::MultipleConnections => "several connections on the same ports, which cannot be separated",
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::error::Error for Exclusion {}
