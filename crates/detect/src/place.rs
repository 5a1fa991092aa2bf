use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// What is watched: the source of connections, at one of three levels, or the other side of them.
///
/// As text: `world`, `country:IQ`, `as:64500`, `server:NAME`, `node:NAME`. The order is that of levels, then of keys.
///
/// ```
/// use cutshort_detect::SeriesPlace;
/// assert_eq!("as:64500".parse(), Ok(SeriesPlace::Network(64_500)));
/// assert_eq!(SeriesPlace::Country(*b"IQ").to_string(), "country:IQ");
/// assert!("country:Iraq".parse::<SeriesPlace>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeriesPlace {
    /// All connections together.
    World,
    /// Connections from a country: its ISO 3166-1 alpha-2 code, in capitals.
    Country([u8; 2]),
    /// Connections from an autonomous system: its number.
    Network(u32),
    /// Connections to a server, in data sets that watch these: its name, or its address and port.
    Server(String),
    /// One of our own nodes. Only events of [`Channel::Observer`] have it.
    Node(String),
}

impl SeriesPlace {
    /// The kinds of places.
    pub const KINDS: [&'static str; 5] = ["world", "country", "network", "server", "node"];

    /// Its kind, one of [`KINDS`](Self::KINDS).
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::World => "world",
            Self::Country(_) => "country",
            Self::Network(_) => "network",
            Self::Server(_) => "server",
            Self::Node(_) => "node",
        }
    }

    /// The address of a server that has no name.
    #[must_use]
    pub fn server_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Server(name) => name.parse().ok(),
            _ => None,
        }
    }

    /// Whether it is of the lowest level: a network or a server.
    pub(crate) const fn is_leaf(&self) -> bool {
        matches!(self, Self::Network(_) | Self::Server(_))
    }
}

impl fmt::Display for SeriesPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::World => f.write_str("world"),
            Self::Country([a, b]) => write!(f, "country:{}{}", char::from(*a), char::from(*b)),
            Self::Network(number) => write!(f, "as:{number}"),
            Self::Server(name) => write!(f, "server:{name}"),
            Self::Node(name) => write!(f, "node:{name}"),
        }
    }
}

/// A text that names no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPlace(String);

impl fmt::Display for UnknownPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown place \"{}\": expected world, country:IQ, as:64500 or server:NAME", self.0)
    }
}

impl std::error::Error for UnknownPlace {}

/// Reads a country code of two letters.
///
/// # Errors
/// If it has another form.
pub fn country_code(text: &str) -> Result<[u8; 2], UnknownPlace> {
    match text.as_bytes() {
        &[a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Ok([a.to_ascii_uppercase(), b.to_ascii_uppercase()])
        }
        _ => Err(UnknownPlace(text.to_owned())),
    }
}

impl FromStr for SeriesPlace {
    type Err = UnknownPlace;

    fn from_str(text: &str) -> Result<Self, UnknownPlace> {
        let unknown = || UnknownPlace(text.to_owned());
        if text == "world" {
            return Ok(Self::World);
        }
        let (kind, key) = text.split_once(':').ok_or_else(unknown)?;
        match kind {
            "country" => country_code(key).map(Self::Country).map_err(|_| unknown()),
            "as" => key.parse().map(Self::Network).map_err(|_| unknown()),
            "server" if !key.is_empty() => Ok(Self::Server(key.to_owned())),
            "node" if !key.is_empty() => Ok(Self::Node(key.to_owned())),
            _ => Err(unknown()),
        }
    }
}

/// What of a place is watched. Each channel is one-sided: fewer connections, or a greater share of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Channel {
    /// Connections whose handshake was completed: fewer than usual. Forged sources cannot raise it, and scanners do not.
    Traffic,
    /// The share of Post-SYN among all connections: more than usual.
    PostSyn,
    /// The share of Post-ACK among completed handshakes: more than usual.
    PostAck,
    /// The share of Post-PSH among completed handshakes: more than usual.
    PostPsh,
    /// The share of Later among completed handshakes: more than usual.
    Later,
    /// Single SYNs from most networks at once: their sources are forged, or very many. Only the world has it. Like the next two, it
    /// is seen in the share of Post-SYN, and tells it from what happens to a place.
    Flood,
    /// Single SYNs from a place of which hardly any handshake was completed: it scans, or few of its hosts send a flood.
    Scan,
    /// The same, and nearly all end with a RST, go to one port, and have no marks of a scanner: perhaps somebody sends us SYNs in the
    /// name of that place, so that our answers hit it.
    Reflection,
    /// Connections that we did not see: a node lost much of what it should have seen everywhere, or all places dropped at
    /// once. Never an event of the place that seemed to drop.
    Observer,
}

impl Channel {
    /// The channels of each place, in the order of their numbers.
    pub const WATCHED: [Self; CHANNELS] =
        [Self::Traffic, Self::PostSyn, Self::PostAck, Self::PostPsh, Self::Later];

    /// All channels.
    pub const ALL: [Self; CHANNELS + 4] = [
        Self::Traffic,
        Self::PostSyn,
        Self::PostAck,
        Self::PostPsh,
        Self::Later,
        Self::Flood,
        Self::Scan,
        Self::Reflection,
        Self::Observer,
    ];

    /// The channel that is watched in which its events are seen; none for those that are seen in no channel of a place.
    ///
    /// ```
    /// use cutshort_detect::Channel;
    /// assert_eq!(Channel::Flood.watched(), Some(Channel::PostSyn));
    /// assert_eq!(Channel::Observer.watched(), None);
    /// ```
    #[must_use]
    pub const fn watched(self) -> Option<Self> {
        match self {
            Self::Flood | Self::Scan | Self::Reflection => Some(Self::PostSyn),
            Self::Observer => None,
            watched => Some(watched),
        }
    }

    /// Whether its events are floods and scans, which say nothing about what happens to the connections of a place.
    #[must_use]
    pub const fn is_of_syns(self) -> bool {
        matches!(self, Self::Flood | Self::Scan | Self::Reflection)
    }

    /// Its position among the channels that are watched.
    pub(crate) fn position(self) -> Option<usize> {
        self.watched().and_then(|watched| Self::WATCHED.iter().position(|one| *one == watched))
    }

    /// The channel with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// The name in data: `traffic`, `post_syn`, `post_ack`, `post_psh`, `later`, `flood`, `scan`, `reflection`, `observer`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::PostSyn => "post_syn",
            Self::PostAck => "post_ack",
            Self::PostPsh => "post_psh",
            Self::Later => "later",
            Self::Flood => "flood",
            Self::Scan => "scan",
            Self::Reflection => "reflection",
            Self::Observer => "observer",
        }
    }

    /// Whether its events are drops (the others are rises of a share).
    #[must_use]
    pub const fn is_drop(self) -> bool {
        matches!(self, Self::Traffic | Self::Observer)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The number of channels of a place.
pub(crate) const CHANNELS: usize = 5;
