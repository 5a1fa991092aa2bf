//! The ports of our servers.

use crate::FiveTuple;

/// The UDP ports of our servers, up to 16 of them, or any port (docs/quic.md#server-port).
///
/// A datagram is a row if one of its ports is among them. Where exactly one is, it also says who is the server.
///
/// ```
/// use cutshort_packet::quic::ServerPorts;
///
/// let ports = ServerPorts::new(&[443, 8443]).unwrap();
/// assert!(ports.contains(443) && !ports.contains(53));
/// assert_eq!(ports.only_of(40112, 443), Some(443));
/// assert_eq!(ports.only_of(8443, 443), None, "both are");
/// assert!(ServerPorts::ANY.contains(53) && ServerPorts::ANY.only_of(40112, 443).is_none());
/// assert!(ServerPorts::new(&[]).is_none());
/// assert_eq!(ServerPorts::default(), ServerPorts::new(&[443]).unwrap());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerPorts {
    /// In ascending order; those behind the last one are 0.
    ports: [u16; Self::MOST],
    /// 0 for any.
    count: u8,
}

/// Returns the port of HTTP/3: 443.
impl Default for ServerPorts {
    fn default() -> Self {
        let mut ports = Self::ANY;
        (ports.ports[0], ports.count) = (443, 1);
        ports
    }
}

impl ServerPorts {
    /// The largest number of ports.
    pub const MOST: usize = 16;

    /// Any port.
    pub const ANY: Self = Self { ports: [0; Self::MOST], count: 0 };

    /// Returns the set of these ports, in any order; `None` if there are none, or more than [`MOST`](Self::MOST) different
    /// ones.
    #[must_use]
    pub fn new(named: &[u16]) -> Option<Self> {
        let mut set = Self::ANY;
        for port in named {
            if !set.ports().contains(port) {
                *set.ports.get_mut(usize::from(set.count))? = *port;
                set.count += 1;
            }
        }
        set.ports[..usize::from(set.count)].sort_unstable();
        (set.count > 0).then_some(set)
    }

    /// Returns the ports in ascending order; none if it is any port.
    #[must_use]
    #[inline]
    pub fn ports(&self) -> &[u16] {
        &self.ports[..usize::from(self.count)]
    }

    /// Returns true if it is any port.
    #[must_use]
    #[inline]
    pub const fn is_any(&self) -> bool {
        self.count == 0
    }

    /// Returns true if a server has this port.
    #[must_use]
    #[inline]
    pub fn contains(&self, port: u16) -> bool {
        self.is_any() || self.ports().contains(&port)
    }

    /// Returns true if a server has at least one of the ports of a 5-tuple.
    #[must_use]
    #[inline]
    pub fn has_either(&self, five_tuple: &FiveTuple) -> bool {
        self.contains(five_tuple.dst_port) || self.contains(five_tuple.src_port)
    }

    /// Returns the one of two ports that a server has; `None` if both or neither are.
    #[must_use]
    pub fn only_of(&self, one: u16, other: u16) -> Option<u16> {
        match (self.contains(one), self.contains(other)) {
            (true, false) => Some(one),
            (false, true) => Some(other),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_few_and_each_counts_once() {
        assert_eq!(ServerPorts::new(&[8443, 443, 443]).unwrap().ports(), [443, 8443]);
        assert_eq!(ServerPorts::new(&[0]).unwrap().ports(), [0]);
        let many: Vec<u16> = (1..=17).collect();
        assert_eq!(ServerPorts::new(&many[..16]).unwrap().ports(), &many[..16]);
        assert_eq!(ServerPorts::new(&many), None);
    }

    #[test]
    fn either_end_may_have_the_port() {
        let of = |src, dst| FiveTuple::new([192, 0, 2, 1].into(), src, [192, 0, 2, 2].into(), dst);
        let ports = ServerPorts::default();
        assert!(ports.has_either(&of(443, 40112)) && ports.has_either(&of(40112, 443)));
        assert!(!ports.has_either(&of(53, 40112)) && ServerPorts::ANY.has_either(&of(53, 40112)));
    }
}
