//! One message of the netfilter log: a packet, or that connections were left out.

use cutshort_packet::{LEFT_OUT_PREFIX, ORIGIN_PREFIX, QUIC_PREFIX};

use super::{LiveSets, OWN_PREFIX};
use crate::netlink::{Message, attributes, text};

// Attributes (linux/netfilter/nfnetlink_log.h).
const HEADER: u16 = 1;
const TIMESTAMP: u16 = 3;
const PAYLOAD: u16 = 9;
const PREFIX: u16 = 10;
const SEQUENCE: u16 = 12;
const AF_INET6: u8 = 10;
/// The hooks that packets pass as they leave this host (linux/netfilter.h).
const OUTPUT: u8 = 3;
const POSTROUTING: u8 = 4;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Logged<'a> {
    pub(crate) ipv6: bool,
    /// In nanoseconds since the Unix epoch. Packets that this host sends have none.
    pub(crate) ts: Option<i64>,
    /// Counts all packets of the group since it was bound.
    pub(crate) sequence: Option<u32>,
    /// N of "1 in N", where the rule tells it in its prefix.
    pub(crate) rate: Option<u32>,
    /// The data set of the rules that logged it: `tcp` if it was logged by those of somebody else.
    pub(crate) set: LiveSets,
    /// It was logged where packets leave this host.
    pub(crate) outgoing: bool,
    /// How many connections the rules could not remember, if that is what they report. Then there is no packet.
    pub(crate) left_out: Option<u64>,
    /// From the IP header on, as much of it as the rule takes.
    pub(crate) packet: &'a [u8],
}

impl<'a> Logged<'a> {
    /// None if the message contradicts itself or has no packet.
    pub(crate) fn of(message: &Message<'a>) -> Option<Self> {
        let (family, bytes) = message.netfilter()?;
        let (mut ts, mut sequence, mut prefix, mut packet) = (None, None, "", None);
        let mut outgoing = false;
        for (kind, value) in attributes(bytes) {
            match kind {
                // EtherType (16 bits), hook.
                HEADER => outgoing = matches!(value.get(2), Some(&(OUTPUT | POSTROUTING))),
                TIMESTAMP => ts = time(value),
                SEQUENCE => sequence = Some(u32::from_be_bytes(*value.first_chunk()?)),
                PREFIX => prefix = text(value).unwrap_or_default(),
                PAYLOAD => packet = Some(value),
                _ => {}
            }
        }
        let left_out = left_out_of(prefix);
        Some(Self {
            ipv6: family == AF_INET6,
            ts,
            sequence,
            rate: rate_of(prefix),
            set: set_of(prefix),
            outgoing,
            left_out,
            packet: packet.or(left_out.map(|_| &[][..]))?,
        })
    }

    /// How many packets are missing before this one, of which `next` was expected to be the number.
    pub(crate) fn gap(&self, next: &mut u32) -> u64 {
        let Some(sequence) = self.sequence else { return 0 };
        let gap = sequence.wrapping_sub(std::mem::replace(next, sequence.wrapping_add(1)));
        // Netlink keeps the order: what seems to lie far behind is a new beginning.
        if gap > u32::MAX / 2 { 0 } else { u64::from(gap) }
    }
}

/// Seconds and microseconds, 64 bits each. Zero is no time.
fn time(value: &[u8]) -> Option<i64> {
    let (seconds, rest) = value.split_first_chunk()?;
    let microseconds = i64::from_be_bytes(*rest.first_chunk()?);
    let seconds = i64::from_be_bytes(*seconds);
    let ts = seconds.checked_mul(1_000_000_000)?.checked_add(microseconds.checked_mul(1_000)?)?;
    (ts > 0).then_some(ts)
}

fn left_out_of(prefix: &str) -> Option<u64> {
    prefix.strip_prefix(LEFT_OUT_PREFIX)?.parse().ok()
}

fn set_of(prefix: &str) -> LiveSets {
    match () {
        () if prefix.starts_with(ORIGIN_PREFIX) => LiveSets::ORIGIN,
        () if prefix.starts_with(QUIC_PREFIX) => LiveSets::QUIC,
        () => LiveSets::TCP,
    }
}

fn rate_of(prefix: &str) -> Option<u32> {
    let (_, rate) = prefix.strip_prefix(OWN_PREFIX)?.rsplit_once(':')?;
    rate.parse().ok().filter(|rate| *rate > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::netlink::{Request, messages};

    fn bytes(prefix: &[u8], sequence: u32) -> Vec<u8> {
        let time = [1_760_000_000_i64.to_be_bytes(), 123_456_i64.to_be_bytes()].concat();
        Request::new(4 << 8, 0, AF_INET6, 5)
            .attribute(HEADER, &[0x86, 0xdd, OUTPUT, 0])
            .attribute(PREFIX, prefix)
            .attribute(TIMESTAMP, &time)
            .attribute(SEQUENCE, &sequence.to_be_bytes())
            .attribute(PAYLOAD, b"packet")
            .finish(0)
    }

    #[test]
    fn all_that_a_message_says_is_read() {
        let bytes = bytes(b"cutshort:100\0", 7);
        let logged = Logged::of(&messages(&bytes).next().unwrap()).unwrap();
        assert_eq!(
            logged,
            Logged {
                ipv6: true,
                ts: Some(1_760_000_000_123_456_000),
                sequence: Some(7),
                rate: Some(100),
                set: LiveSets::TCP,
                outgoing: true,
                left_out: None,
                packet: b"packet"
            }
        );
    }

    #[test]
    fn prefixes_say_which_data_set_it_is() {
        let set = |prefix: &[u8]| {
            let bytes = bytes(prefix, 7);
            Logged::of(&messages(&bytes).next().unwrap()).unwrap().set
        };
        assert_eq!(set(b"cutshort-origin:10000\0"), LiveSets::ORIGIN);
        assert_eq!(set(b"cutshort-quic:10000\0"), LiveSets::QUIC);
        assert_eq!([set(b"cutshort:10000\0"), set(b"origin:1\0"), set(b"quic:1\0")], [LiveSets::TCP; 3]);
    }

    #[test]
    fn reports_of_connections_that_were_left_out_are_known() {
        let of = |prefix: &[u8]| {
            let bytes = Request::new(4 << 8, 0, AF_INET6, 5)
                .attribute(PREFIX, prefix)
                .attribute(SEQUENCE, &7_u32.to_be_bytes())
                .finish(0);
            Logged::of(&messages(&bytes).next().unwrap()).map(|logged| (logged.left_out, logged.sequence))
        };
        assert_eq!(of(b"cutshort-left-out:1\0"), Some((Some(1), Some(7))));
        assert_eq!(of(b"cutshort-left-out:100\0"), Some((Some(100), Some(7))));
        // Anything else without a packet is malformed.
        for other in [&b"cutshort-left-out:\0"[..], b"cutshort-left-out:-1\0", b"cutshort:1\0", b"\0"] {
            assert_eq!(of(other), None, "{other:?}");
        }
        let bytes = bytes(b"cutshort:1\0", 7);
        assert_eq!(Logged::of(&messages(&bytes).next().unwrap()).unwrap().left_out, None);
    }

    #[test]
    fn rates_are_only_read_from_own_prefixes() {
        assert_eq!(rate_of("cutshort:1"), Some(1));
        assert_eq!(rate_of("cutshort-origin:10000"), Some(10_000));
        assert_eq!(rate_of("cutshort-quic:7"), Some(7));
        for other in ["", "tcpanom", "tcpanom:5", "cutshort", "cutshort:", "cutshort:0", "cutshort:-1"] {
            assert_eq!(rate_of(other), None, "{other}");
        }
    }

    #[test]
    fn gaps_are_what_is_missing() {
        let mut next = 0;
        let gaps: Vec<u64> = [0, 1, 5, u32::MAX - 1, u32::MAX, 0, 3]
            .into_iter()
            .map(|sequence| {
                Logged {
                    ipv6: false,
                    ts: None,
                    sequence: Some(sequence),
                    rate: None,
                    set: LiveSets::TCP,
                    outgoing: false,
                    left_out: None,
                    packet: b"",
                }
                .gap(&mut next)
            })
            .collect();
        assert_eq!(gaps, [0, 0, 3, 0, 0, 0, 2]);
    }

    proptest! {
        #[test]
        fn damaged_messages_do_no_harm(at in 0_usize..80, byte: u8, cut in 0_usize..90) {
            let mut bytes = bytes(b"cutshort:100\0", 7);
            let len = bytes.len();
            bytes[at % len] = byte;
            bytes.truncate(cut.max(1));
            for message in messages(&bytes) {
                if let Some(logged) = Logged::of(&message) {
                    prop_assert!(logged.packet.len() <= bytes.len());
                }
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(body in proptest::collection::vec(any::<u8>(), 0..100), mut next: u32) {
            let message = Message { kind: 4 << 8, sequence: 0, body: &body };
            if let Some(logged) = Logged::of(&message) {
                prop_assert!(logged.gap(&mut next) <= u64::from(u32::MAX / 2));
            }
        }
    }
}
