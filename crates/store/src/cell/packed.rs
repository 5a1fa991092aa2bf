//! A cell's key as one number, which sorts cells by network, then location, and so on.

use std::sync::LazyLock;

use cutshort_geo::Country;
use cutshort_verdict::{Exclusion, Signature, Stage, Tags, Termination};

use super::{CellKey, CellOutcome, Network, Port};

/// From the highest bit: network (34 bits), location (10), IP version (1), port (17), node (16), outcome (50). These
/// numbers are stored: they must not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packed(u128);

const OUTCOME: u32 = 50;
const CONTEXT: u32 = 34;
const LOCATION: u32 = 10;
const GROUP_SHIFT: u32 = OUTCOME + CONTEXT;

/// Network and location: the key of a row in a bucket of networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(pub u64);

/// IP version, port and node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Context(pub u64);

/// A packed [`CellOutcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackedOutcome(pub u64);

impl Packed {
    /// Combines the three parts.
    pub const fn new(group: Group, context: Context, outcome: PackedOutcome) -> Self {
        Self((group.0 as u128) << GROUP_SHIFT | (context.0 as u128) << OUTCOME | outcome.0 as u128)
    }

    /// Network and location of the client.
    pub const fn group(self) -> Group {
        Group((self.0 >> GROUP_SHIFT) as u64)
    }

    /// IP version, port and node.
    pub const fn context(self) -> Context {
        Context((self.0 >> OUTCOME) as u64 & ((1 << CONTEXT) - 1))
    }

    /// The verdict, or why there is none.
    pub const fn outcome(self) -> PackedOutcome {
        PackedOutcome(self.0 as u64 & ((1 << OUTCOME) - 1))
    }

    /// The same cell with another network and location.
    pub const fn with_group(self, group: Group) -> Self {
        Self::new(group, self.context(), self.outcome())
    }

    /// The index of the node.
    pub const fn node(self) -> u16 {
        self.context().node()
    }

    /// The same cell on another node.
    pub const fn with_node(self, node: u16) -> Self {
        Self(self.0 & !(0xffff << OUTCOME) | (node as u128) << OUTCOME)
    }

    /// The same cell in another network.
    pub fn with_network(self, network: Network) -> Self {
        self.with_group(Group::new(network_number(network), self.group().location_code()))
    }

    /// The same cell on another port.
    pub fn with_port(self, port: Port) -> Self {
        let context = Context::new(self.context().ip_version(), port, self.node());
        Self::new(self.group(), context, self.outcome())
    }

    /// The AS number, unless the network is unknown or `other`.
    pub fn as_number(self) -> Option<u32> {
        match self.group().network() {
            Network::As(number) => Some(number),
            Network::Unknown | Network::Other => None,
        }
    }

    /// The port number, unless it is `other`.
    pub fn port_number(self) -> Option<u32> {
        match self.context().port() {
            Port::Number(number) => Some(u32::from(number)),
            Port::Other => None,
        }
    }

    /// Whether it counts connections, rather than 5-tuples that are excluded.
    pub const fn is_connection(self) -> bool {
        self.outcome().0 & EXCLUDED == 0
    }

    /// Unpacks the key.
    pub fn key(self) -> CellKey {
        let context = self.context();
        CellKey {
            location: self.group().location().unwrap_or(None),
            network: self.group().network(),
            ip_version: context.ip_version(),
            port: context.port(),
            node: context.node(),
            // What was packed from an outcome is one.
            outcome: self.outcome().get().unwrap_or(CellOutcome::Excluded(Exclusion::NoSyn)),
        }
    }
}

impl From<&CellKey> for Packed {
    #[inline]
    fn from(key: &CellKey) -> Self {
        let group = Group::new(network_number(key.network), location_code(key.location));
        let context = Context::new(key.ip_version, key.port, key.node);
        Self::new(group, context, PackedOutcome::from(key.outcome))
    }
}

const OTHER_NETWORK: u64 = (1 << 32) + 1;

/// The code of a network: 0 if unknown, AS number + 1, or a number above all of these for `other`.
const fn network_number(network: Network) -> u64 {
    match network {
        Network::Unknown => 0,
        Network::As(number) => number as u64 + 1,
        Network::Other => OTHER_NETWORK,
    }
}

/// The code of a location: 0 if unknown, otherwise 1 + the two letters as a number to base 26. Countries have codes
/// of their own because their [`index`](Country::index) must not be stored.
pub fn location_code(location: Option<Country>) -> u16 {
    static CODES: LazyLock<Vec<u16>> = LazyLock::new(|| Country::all().map(code_of).collect());
    location.map_or(0, |country| CODES[country.index()])
}

fn code_of(country: Country) -> u16 {
    country.alpha2().bytes().fold(0, |code, letter| code * 26 + u16::from(letter - b'A')) + 1
}

/// The location with a code; none if no country has this code.
pub fn location_of(code: u16) -> Option<Option<Country>> {
    static LOCATIONS: LazyLock<Vec<Option<Option<Country>>>> = LazyLock::new(|| {
        let mut locations = vec![None; 1 + 26 * 26];
        locations[0] = Some(None);
        Country::all().for_each(|country| locations[usize::from(code_of(country))] = Some(Some(country)));
        locations
    });
    *LOCATIONS.get(usize::from(code))?
}

impl Group {
    /// Combines the codes of a network and of a location.
    pub const fn new(network: u64, location: u16) -> Self {
        Self(network << LOCATION | location as u64)
    }

    /// The same location without the network.
    pub const fn of_location(self) -> Self {
        Self(self.location_code() as u64)
    }

    /// The code of the location, see [`location_code`].
    pub const fn location_code(self) -> u16 {
        (self.0 & ((1 << LOCATION) - 1)) as u16
    }

    /// The location; none if no country has this code.
    pub fn location(self) -> Option<Option<Country>> {
        location_of(self.location_code())
    }

    /// The network, from its code.
    pub const fn network(self) -> Network {
        match self.network_code() {
            0 => Network::Unknown,
            OTHER_NETWORK.. => Network::Other,
            number => Network::As((number - 1) as u32),
        }
    }

    /// The code of the network.
    pub const fn network_code(self) -> u64 {
        self.0 >> LOCATION
    }

    /// The group with this code of a network, and no location.
    pub const fn of_network_code(code: u64) -> Self {
        Self::new(code, 0)
    }

    /// The greatest value.
    pub const MAX: Self = Self::new(OTHER_NETWORK, (1 << LOCATION) - 1);
}

const OTHER_PORT: u64 = 1 << 16;

impl Context {
    /// The greatest value.
    pub const MAX: Self = Self((1 << CONTEXT) - 1);

    /// Combines IP version, port and the index of a node.
    pub const fn new(ip_version: u8, port: Port, node: u16) -> Self {
        let port = match port {
            Port::Number(number) => number as u64,
            Port::Other => OTHER_PORT,
        };
        Self(((ip_version == 6) as u64) << 33 | port << 16 | node as u64)
    }

    /// The IP version, 4 or 6.
    pub const fn ip_version(self) -> u8 {
        if self.0 >> 33 == 0 { 4 } else { 6 }
    }

    /// The code of the port.
    pub const fn port_code(self) -> u64 {
        self.0 >> 16 & 0x1ffff
    }

    /// The context with this code of a port, IPv4, and the node with index 0.
    pub const fn of_port_code(code: u64) -> Self {
        Self(code << 16)
    }

    /// The server's port.
    pub const fn port(self) -> Port {
        match self.port_code() {
            OTHER_PORT.. => Port::Other,
            number => Port::Number(number as u16),
        }
    }

    /// The index of the node.
    pub const fn node(self) -> u16 {
        self.0 as u16
    }
}

// The outcome: bit 45 for exclusions, whose reason is in the lowest bits; else tags (32 bits), signature (6), completed (1),
// termination (3), stage (3). From bit 46 on is what did not fit at first: the rest of the signature (2 bits) and of the
// termination (1). Each enumeration is stored by its position.
const EXCLUDED: u64 = 1 << 45;

impl From<CellOutcome> for PackedOutcome {
    #[inline]
    fn from(outcome: CellOutcome) -> Self {
        match outcome {
            CellOutcome::Excluded(reason) => Self(EXCLUDED | reason as u64),
            CellOutcome::Connection { stage, termination, completed, signature, tags } => {
                let signature = signature.map_or(0, |signature| u64::from(signature.id()));
                let termination = termination as u64;
                Self(
                    (termination >> 3) << 48
                        | (signature >> 6) << 46
                        | (stage as u64) << 42
                        | (termination & 7) << 39
                        | u64::from(completed) << 38
                        | (signature & 63) << 32
                        | u64::from(tags.bits()),
                )
            }
        }
    }
}

impl PackedOutcome {
    /// Unpacks the outcome; none if the number does not stand for one.
    pub fn get(self) -> Option<CellOutcome> {
        let bits = |shift: u32, width: u32| (self.0 >> shift & ((1 << width) - 1)) as usize;
        if self.0 & EXCLUDED != 0 {
            return Exclusion::ALL.get(bits(0, 45)).map(|reason| CellOutcome::Excluded(*reason));
        }
        let signature = match bits(32, 6) | bits(46, 2) << 6 {
            0 => None,
            id => Some(Signature::from_id(id as u8)?),
        };
        Some(CellOutcome::Connection {
            stage: *Stage::ALL.get(bits(42, 3))?,
            termination: *Termination::ALL.get(bits(39, 3) | bits(48, 1) << 3)?,
            completed: bits(38, 1) == 1,
            signature,
            tags: Tags::from_bits(self.0 as u32),
        })
    }
}
