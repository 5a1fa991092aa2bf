use std::fmt;
use std::str::FromStr;

/// Groups of the netfilter log, one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups {
    first: u16,
    /// Those behind the first, without gaps.
    others: [Option<u16>; Self::MOST - 1],
}

impl Groups {
    /// The largest number of groups: one for each data set.
    pub const MOST: usize = 3;

    /// The only group, or the first one.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// Returns all groups in order.
    pub fn iter(self) -> impl Iterator<Item = u16> {
        std::iter::once(self.first).chain(self.others.into_iter().flatten())
    }

    /// Whether a group is one of them.
    #[must_use]
    pub fn has(self, group: u16) -> bool {
        self.iter().any(|own| own == group)
    }

    /// The same with another group; `None` if it is one of them, or if there are as many as can be.
    fn with(mut self, group: u16) -> Option<Self> {
        let free = self.others.iter().position(Option::is_none).filter(|_| !self.has(group))?;
        self.others[free] = Some(group);
        Some(self)
    }
}

impl From<u16> for Groups {
    fn from(first: u16) -> Self {
        Self { first, others: [None; Self::MOST - 1] }
    }
}

/// Writes `5` or `5,6`.
impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.others.iter().flatten().try_for_each(|group| write!(f, ",{group}"))
    }
}

impl FromStr for Groups {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut groups = text.split(',').map(|text| text.parse::<u16>().map_err(drop));
        let first = Self::from(groups.next().ok_or(())??);
        groups.try_fold(first, |all, group| all.with(group?).ok_or(()))
    }
}

/// A source of live packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveSource {
    /// `nflog:GROUP`: packets that firewall rules log to a group; `cutshort rules` writes such rules. `nflog:GROUP,GROUP`
    /// for those of several data sets with a group each.
    Nflog(Groups),
    /// `af_packet:INTERFACE`: packets that an interface receives, sampled in user space.
    AfPacket(String),
    /// `ebpf:INTERFACE`: packets that enter an interface or leave it, sampled by a program in the kernel.
    Ebpf(String),
}

impl LiveSource {
    /// Whether a text names a live source and not a file.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        ["nflog:", "af_packet:", "ebpf:"].iter().any(|start| text.starts_with(start))
    }
}

impl FromStr for LiveSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(group) = text.strip_prefix("nflog:") {
            let groups = group.parse();
            return groups.map(Self::Nflog).map_err(|()| {
                "write nflog:GROUP with a group from 0 to 65535, as in nflog:5, or up to three groups as in nflog:5,6"
                    .to_owned()
            });
        }
        match text.split_once(':') {
            Some(("af_packet", interface)) => check_interface(interface).map(Self::AfPacket),
            Some(("ebpf", interface)) => check_interface(interface).map(Self::Ebpf),
            _ => Err("write nflog:GROUP, af_packet:INTERFACE or ebpf:INTERFACE, as in nflog:5, af_packet:eth0 or ebpf:eth0"
                .to_owned()),
        }
    }
}

impl fmt::Display for LiveSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nflog(group) => write!(f, "nflog:{group}"),
            Self::AfPacket(interface) => write!(f, "af_packet:{interface}"),
            Self::Ebpf(interface) => write!(f, "ebpf:{interface}"),
        }
    }
}

/// Whether an interface can have this name. Quotes and the like are refused, because names are written into rules.
pub(crate) fn check_interface(name: &str) -> Result<String, String> {
    let is_harmless = |letter: char| letter.is_ascii_alphanumeric() || ".-_@:+".contains(letter);
    match name.len() {
        1..=15 if name.chars().all(is_harmless) => Ok(name.to_owned()),
        _ => Err(format!("'{name}' cannot be the name of an interface; 'ip link' lists them")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_back() {
        for text in [
            "nflog:0",
            "nflog:65535",
            "nflog:5,6",
            "nflog:5,6,7",
            "af_packet:eth0",
            "af_packet:br-0.42",
            "ebpf:eth0",
        ] {
            assert!(LiveSource::is_meant(text));
            assert_eq!(text.parse::<LiveSource>().unwrap().to_string(), text);
        }
        for text in [
            "nflog:",
            "nflog:65536",
            "nflog:5,5",
            "nflog:5,",
            "nflog:5,6,5",
            "nflog:5,6,7,8",
            "nflog:x",
            "af_packet:",
            "af_packet:a b",
            "af_packet:\"",
            "ebpf:",
            "ebpf:a b",
            "eth0",
        ] {
            assert!(text.parse::<LiveSource>().is_err(), "{text}");
        }
        assert!(!LiveSource::is_meant("server.pcap"));
    }
}
