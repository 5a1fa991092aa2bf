//! The ports of our servers.

use crate::FiveTuple;

/// The most ports that can be named.
const MOST: usize = 16;

/// The ports at which our servers speak QUIC (docs/quic.md#server-port): some, or any.
///
/// ```
/// use cutshort_packet::FiveTuple;
/// use cutshort_packet::quic::ServerPorts;
///
/// let ports = ServerPorts::default();
/// assert_eq!(ports, ServerPorts::of(&[443]).unwrap());
/// let client = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// assert!(ports.has_either(&client) && ports.has_either(&client.reversed()));
/// assert_eq!(ports.is_from_server(&client.reversed()), Some(true));
/// assert_eq!(ServerPorts::ANY.is_from_server(&client), None, "ports do not say");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerPorts {
    /// In ascending order, then 0 where there are no more; none at all means any.
    ports: [u16; MOST],
}

impl Default for ServerPorts {
    /// Returns port 443 alone.
    fn default() -> Self {
        let mut ports = Self::ANY;
        ports.ports[0] = 443;
        ports
    }
}

impl ServerPorts {
    /// Any port.
    pub const ANY: Self = Self { ports: [0; MOST] };

    /// Takes 1 to 16 different ports, in any order; `None` if they are more, none, or one of them is 0.
    #[must_use]
    pub fn of(named: &[u16]) -> Option<Self> {
        let mut ports = Self::ANY;
        let mut count = 0;
        for port in named {
            if !ports.named().contains(port) {
                *ports.ports.get_mut(count)? = *port;
                count += 1;
            }
        }
        let is_some = count > 0 && !named.contains(&0);
        ports.ports[..count].sort_unstable();
        is_some.then_some(ports)
    }

    /// Returns the ports in ascending order; none if it is any.
    pub fn named(&self) -> &[u16] {
        let count = self.ports.iter().position(|port| *port == 0).unwrap_or(MOST);
        &self.ports[..count]
    }

    /// Returns true if this is any port.
    #[must_use]
    #[inline]
    pub const fn is_any(&self) -> bool {
        self.ports[0] == 0
    }

    /// Returns true for a server port.
    #[must_use]
    #[inline]
    pub fn has(&self, port: u16) -> bool {
        self.is_any() || self.ports.iter().take_while(|named| **named != 0).any(|named| *named == port)
    }

    /// Returns true if at least one of the ports of a 5-tuple is a server port.
    #[must_use]
    #[inline]
    pub fn has_either(&self, five_tuple: &FiveTuple) -> bool {
        self.has(five_tuple.dst_port) || self.has(five_tuple.src_port)
    }

    /// Returns whether the source is the server, if the ports say so: exactly one of them is a server port.
    #[must_use]
    #[inline]
    pub fn is_from_server(&self, five_tuple: &FiveTuple) -> Option<bool> {
        let (src, dst) = (self.has(five_tuple.src_port), self.has(five_tuple.dst_port));
        (src != dst).then_some(src)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_few_and_each_counts_once() {
        assert_eq!(ServerPorts::of(&[8443, 443, 443]).unwrap().named(), [443, 8443]);
        assert_eq!(ServerPorts::ANY.named(), [0; 0]);
        let many: Vec<u16> = (1..=17).collect();
        assert_eq!(ServerPorts::of(&many[..16]).unwrap().named(), &many[..16]);
        for wrong in [&many[..], &[], &[443, 0]] {
            assert_eq!(ServerPorts::of(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_a_port_at_one_end_says_who_is_the_server() {
        let ports = ServerPorts::of(&[443, 8443]).unwrap();
        let of = |src, dst| FiveTuple::new([192, 0, 2, 1].into(), src, [192, 0, 2, 2].into(), dst);
        assert_eq!(ports.is_from_server(&of(443, 40112)), Some(true));
        assert_eq!(ports.is_from_server(&of(40112, 8443)), Some(false));
        assert_eq!(ports.is_from_server(&of(443, 8443)), None);
        assert!(!ports.has_either(&of(53, 40112)));
    }
}
