//! SYN packets in the notation of p0f.

use std::fmt;

use crate::{Flags, OptionKind, Packet, SynOptions};

/// A SYN packet in the notation of p0f 3: version, TTL and assumed distance, length of IP options, MSS, window and its
/// scale, TCP options, quirks, and whether there is payload.
///
/// A row keeps less than p0f reads: the length of IP options is taken for 0, kinds of options that have no name in
/// [`SynOptions`] are `?`, and quirks of timestamps, padding, reserved bits and the flow label are not seen.
///
/// ```
/// use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
///
/// let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// let options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
/// let syn = Packet {
///     five_tuple,
///     flags: Flags::SYN,
///     seq: 1,
///     ip_id: 7,
///     ttl: 52,
///     tcp_window: 64_240,
///     options_len: 20,
///     df: true,
///     syn: SynOptions::parse(&options),
///     ..Packet::ZERO
/// };
/// assert_eq!(syn.p0f().unwrap().to_string(), "4:52+12:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0");
/// assert!(Packet { syn: SynOptions::UNKNOWN, ..syn }.p0f().is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct P0f(Packet);

impl Packet {
    /// Returns this SYN packet in the notation of p0f; none if it is another packet, or if its options are not known.
    #[must_use]
    pub fn p0f(&self) -> Option<P0f> {
        (self.is_syn() && self.syn.is_known()).then_some(P0f(*self))
    }
}

/// The header lengths without options, of TCP over IPv4 and IPv6.
const HEADERS_V4: u16 = 40;
const HEADERS_V6: u16 = 60;
/// The usual MTU.
const MTU: u16 = 1500;
/// What timestamps take of each segment.
const TIMESTAMPS: u16 = 12;
/// The largest distance that is likely.
const MAX_DISTANCE: u8 = 35;

impl P0f {
    const fn is_ipv4(&self) -> bool {
        self.0.five_tuple.dst_ip.to_bits() >> 32 == 0xffff
    }

    /// The window as a multiple of the MSS or MTU, tested in p0f's order.
    fn multiple(&self) -> Option<(&'static str, u16)> {
        let Packet { tcp_window, syn: SynOptions { mss, .. }, options_len, .. } = self.0;
        if tcp_window == 0 || mss < 100 {
            return None;
        }
        let is_v6 = !self.is_ipv4();
        let has_timestamps = self.0.syn.iter().any(|kind| kind == OptionKind::Timestamps);
        let headers = if is_v6 { HEADERS_V6 } else { HEADERS_V4 };
        let divisors = [
            ("mss", true, Some(mss)),
            ("mss", has_timestamps, Some(mss - TIMESTAMPS)),
            ("mss", true, Some(MTU - HEADERS_V4)),
            ("mss", true, Some(MTU - HEADERS_V4 - TIMESTAMPS)),
            ("mss", is_v6, Some(MTU - HEADERS_V6)),
            ("mss", is_v6, Some(MTU - HEADERS_V6 - TIMESTAMPS)),
            ("mtu", true, mss.checked_add(HEADERS_V4)),
            ("mtu", true, mss.checked_add(headers + u16::from(options_len))),
            ("mtu", is_v6, mss.checked_add(HEADERS_V6)),
            ("mtu", true, Some(MTU)),
        ];
        let divides = |(name, applies, by): (&'static str, bool, Option<u16>)| {
            let by = by.filter(|by| applies && tcp_window.is_multiple_of(*by))?;
            Some((name, tcp_window / by))
        };
        divisors.into_iter().find_map(divides)
    }

    /// How many bytes follow the end of the list, if all options before it have a known length.
    fn padding(&self) -> Option<usize> {
        let length = |kind: OptionKind| match kind {
            OptionKind::Nop | OptionKind::EndOfList => Some(1),
            OptionKind::SackPermitted => Some(2),
            OptionKind::WindowScale => Some(3),
            OptionKind::Mss => Some(4),
            OptionKind::Timestamps => Some(10),
            _ => None,
        };
        let used = self.0.syn.iter().map(length).sum::<Option<usize>>()?;
        usize::from(self.0.options_len).checked_sub(used)
    }

    fn option(&self, kind: OptionKind) -> String {
        match kind {
            OptionKind::Nop => "nop".to_owned(),
            OptionKind::Mss => "mss".to_owned(),
            OptionKind::WindowScale => "ws".to_owned(),
            OptionKind::SackPermitted => "sok".to_owned(),
            OptionKind::Timestamps => "ts".to_owned(),
            OptionKind::EndOfList => {
                self.padding().map_or("eol+?".to_owned(), |bytes| format!("eol+{bytes}"))
            }
            OptionKind::FastOpen => "?34".to_owned(),
            OptionKind::Multipath => "?30".to_owned(),
            OptionKind::Signed => "?19".to_owned(),
            OptionKind::Other => "?".to_owned(),
        }
    }

    fn quirks(&self) -> impl Iterator<Item = &'static str> {
        let Packet { ip_id, df, flags, seq, ack, syn, .. } = self.0;
        let is_ipv4 = self.is_ipv4();
        let is_scaled_too_far = syn.wscale > 14 && syn.wscale != SynOptions::NONE.wscale;
        let quirks = [
            ("ecn", flags.intersects(Flags::ECE | Flags::CWR)),
            ("df", df),
            ("id+", df && ip_id != 0),
            ("id-", is_ipv4 && !df && ip_id == 0),
            ("seq-", seq == 0),
            ("ack+", ack != 0),
            ("urgf+", flags.intersects(Flags::URG)),
            ("pushf+", flags.intersects(Flags::PSH)),
            ("exws", is_scaled_too_far),
        ];
        quirks.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name)
    }
}

/// The TTL with which a packet was probably sent: the next one that is usual.
const fn initial_ttl(ttl: u8) -> u8 {
    match ttl {
        0..=32 => 32,
        33..=64 => 64,
        65..=128 => 128,
        _ => 255,
    }
}

/// Writes `4:52+12:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0`.
impl fmt::Display for P0f {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Packet { ttl, tcp_window, payload_len, syn, .. } = self.0;
        let distance = initial_ttl(ttl) - ttl;
        write!(f, "{}:{ttl}+", if self.is_ipv4() { 4 } else { 6 })?;
        if distance > MAX_DISTANCE {
            f.write_str("?")?;
        } else {
            write!(f, "{distance}")?;
        }
        write!(f, ":0:{}:", syn.mss)?;
        match self.multiple() {
            Some((name, times)) => write!(f, "{name}*{times}")?,
            None => write!(f, "{tcp_window}")?,
        }
        let scale = if syn.wscale == SynOptions::NONE.wscale { 0 } else { syn.wscale };
        let options: Vec<String> = syn.iter().map(|kind| self.option(kind)).collect();
        let quirks: Vec<&str> = self.quirks().collect();
        let payload = if payload_len > 0 { "+" } else { "0" };
        write!(f, ",{scale}:{}:{}:{payload}", options.join(","), quirks.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FiveTuple;

    fn syn(options: &[u8]) -> Packet {
        let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
        let options_len = options.len() as u8;
        let syn = SynOptions::parse(options);
        Packet { five_tuple, flags: Flags::SYN, ttl: 64, seq: 1, options_len, syn, ..Packet::ZERO }
    }

    fn text(packet: Packet) -> String {
        packet.p0f().unwrap().to_string()
    }

    #[test]
    fn known_systems_are_written_as_p0f_does() {
        let linux = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
        let linux = Packet { tcp_window: 64240, df: true, ..syn(&linux) };
        assert_eq!(text(linux), "4:64+0:0:1460:mss*44,7:mss,sok,ts,nop,ws:df:0");
        let bsd = [2, 4, 5, 180, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 4, 2, 0, 0];
        let bsd = Packet { tcp_window: 65535, df: true, ttl: 57, ..syn(&bsd) };
        assert_eq!(text(bsd), "4:57+7:0:1460:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0");
        let windows = [2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2];
        let windows = Packet { tcp_window: 65535, ttl: 116, ip_id: 9, df: true, ..syn(&windows) };
        assert_eq!(text(windows), "4:116+12:0:1460:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0");
    }

    #[test]
    fn scanners_and_odd_packets() {
        let bare = Packet { ttl: 200, tcp_window: 1024, ..syn(&[]) };
        assert_eq!(text(bare), "4:200+?:0:0:1024,0::id-:0");
        let odd = Packet {
            flags: Flags::SYN | Flags::PSH | Flags::URG | Flags::ECE,
            seq: 0,
            ack: 9,
            payload_len: 5,
            tcp_window: 3000,
            ip_id: 4,
            ..syn(&[2, 4, 2, 24, 3, 3, 15, 34, 2, 77, 2, 0])
        };
        assert_eq!(text(odd), "4:64+0:0:536:mtu*2,15:mss,ws,?34,?,eol+?:ecn,seq-,ack+,urgf+,pushf+,exws:+");
        let five_tuple = FiveTuple::new("2001:db8::1".parse().unwrap(), 1, "2001:db8::2".parse().unwrap(), 2);
        let v6 = Packet { five_tuple, tcp_window: 64800, ..syn(&[2, 4, 5, 160, 4, 2, 1, 1]) };
        assert_eq!(text(v6), "6:64+0:0:1440:mss*45,0:mss,sok,nop,nop::0");
        assert!(Packet { flags: Flags::ACK, ..bare }.p0f().is_none());
    }
}
