/// How much of its IP addresses a packet or connection keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Addresses {
    /// The addresses themselves.
    #[default]
    Full,
    /// Only the networks: the first 24 bits of IPv4 addresses, the first 48 bits of IPv6 addresses.
    Truncated,
    /// Encrypted with ipcrypt-pfx: addresses with a common prefix have a common prefix of the same length after
    /// encryption, and anybody who has the key can decrypt them.
    Encrypted,
}

impl Addresses {
    /// All variants, in the order of their codes in files.
    pub const ALL: [Self; 3] = [Self::Full, Self::Truncated, Self::Encrypted];

    /// The name in data and settings, such as `truncated`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Truncated => "truncated",
            Self::Encrypted => "encrypted",
        }
    }

    /// Finds the variant with this [name](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|addresses| addresses.name() == name)
    }
}
