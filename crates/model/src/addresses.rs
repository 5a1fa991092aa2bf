/// How addresses are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Addresses {
    /// As they are.
    #[default]
    Full,
    /// Only their networks: the first 24 bits of IPv4 addresses, the first 48 of IPv6 addresses.
    Truncated,
    /// Encrypted with ipcrypt-pfx: addresses that share a prefix share one of the same length afterwards, and
    /// who has the key can turn them back.
    Encrypted,
}

impl Addresses {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Full, Self::Truncated, Self::Encrypted];

    /// The name in data and settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Truncated => "truncated",
            Self::Encrypted => "encrypted",
        }
    }

    /// The one with a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|addresses| addresses.name() == name)
    }
}
