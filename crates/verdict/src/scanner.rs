//! SYN packets as scanners send them.

use cutshort_packet::OptionKind::{EndOfList, Mss, Nop, SackPermitted, Timestamps, WindowScale};
use cutshort_packet::{Flags, OptionKind, Packet, SynOptions};

/// The TCP window of ZMap's SYN packets. Those of masscan have another one.
pub const ZMAP_WINDOW: u16 = 65535;

/// The options of ZMap's SYN packets since version 4.1: as Windows (the default), Linux and BSD send them. ZMap does not
/// set "don't fragment", as all operating systems with these options do.
pub const ZMAP4_OPTIONS: [SynOptions; 3] = [
    SynOptions {
        kinds: OptionKind::list(&[Mss, Nop, WindowScale, Nop, Nop, SackPermitted]),
        mss: 1460,
        wscale: 8,
    },
    SynOptions {
        kinds: OptionKind::list(&[Mss, SackPermitted, Timestamps, Nop, WindowScale]),
        mss: 1460,
        wscale: 7,
    },
    SynOptions {
        kinds: OptionKind::list(&[Mss, Nop, WindowScale, Nop, Nop, Timestamps, SackPermitted, EndOfList]),
        mss: 1460,
        wscale: 6,
    },
];

/// The marks of a SYN packet's row (docs/spec.md#tag-zmap4).
pub(crate) fn marks(syn: &Packet) -> Flags {
    if !syn.five_tuple.is_ipv4() {
        return Flags::default();
    }
    let (has_zmap_window, target) = (syn.tcp_window == ZMAP_WINDOW, syn.five_tuple.dst_ip.to_bits() as u32);
    let masscan_id = target as u16 ^ syn.five_tuple.dst_port ^ syn.seq as u16;
    let marks = [
        (Flags::ZMAP4, has_zmap_window && !syn.df && ZMAP4_OPTIONS.contains(&syn.syn)),
        (Flags::MASSCAN, !has_zmap_window && syn.ip_id == masscan_id),
        (Flags::MIRAI, syn.seq == target),
    ];
    marks.into_iter().filter(|(_, holds)| *holds).fold(Flags::default(), |marks, (mark, _)| marks | mark)
}

#[cfg(test)]
mod tests {
    use cutshort_packet::FiveTuple;

    use super::*;

    /// 203.0.113.5 as a number.
    const TARGET: u32 = 0xcb00_7105;

    fn syn() -> Packet {
        let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
        Packet { five_tuple, flags: Flags::SYN, seq: 1000, tcp_window: 1024, sample_rate: 1, ..Packet::ZERO }
    }

    fn over_ipv6(packet: &Packet) -> Packet {
        let five_tuple =
            FiveTuple::new("2001:db8::1".parse().unwrap(), 1, "2001:db8::cb00:7105".parse().unwrap(), 443);
        Packet { five_tuple, ..*packet }
    }

    #[test]
    fn zmap4_is_one_of_three_lists_of_options_without_dont_fragment() {
        let [windows, linux, bsd] = ZMAP4_OPTIONS;
        assert_eq!((windows.kinds, linux.kinds, bsd.kinds), (0x41_1312, 0x3_1542, 0x6451_1312));
        for options in ZMAP4_OPTIONS {
            let zmap = Packet { tcp_window: 65535, syn: options, ip_id: 1, ..syn() };
            assert_eq!(marks(&zmap), Flags::ZMAP4);
            let others = [
                Packet { df: true, ..zmap },
                Packet { tcp_window: 65534, ..zmap },
                Packet { syn: SynOptions { mss: 1400, ..options }, ..zmap },
                Packet { syn: SynOptions { wscale: options.wscale + 1, ..options }, ..zmap },
                Packet { syn: SynOptions { kinds: options.kinds | 1 << 60, ..options }, ..zmap },
                Packet { syn: SynOptions::UNKNOWN, ..zmap },
                over_ipv6(&zmap),
            ];
            for other in others {
                assert_eq!(marks(&other), Flags::default(), "{other:?}");
            }
        }
    }

    #[test]
    fn masscan_derives_the_ip_id() {
        let ip_id = 0x7105 ^ 443 ^ 1000;
        assert_eq!(marks(&Packet { ip_id, ..syn() }), Flags::MASSCAN);
        let high = Packet { ip_id, seq: 0xabcd_0000 | 1000, ..syn() };
        assert_eq!(marks(&high), Flags::MASSCAN, "the lower 16 bits count");
        for other in [
            Packet { ip_id: ip_id ^ 1, ..syn() },
            Packet { ip_id, seq: 1001, ..syn() },
            Packet { ip_id, tcp_window: 65535, ..syn() },
            over_ipv6(&Packet { ip_id, ..syn() }),
        ] {
            assert_eq!(marks(&other), Flags::default(), "{other:?}");
        }
    }

    #[test]
    fn mirai_takes_the_target_for_the_sequence_number() {
        assert_eq!(marks(&Packet { seq: TARGET, ip_id: 1, ..syn() }), Flags::MIRAI);
        assert_eq!(marks(&Packet { seq: TARGET, ip_id: 443, ..syn() }), Flags::MIRAI | Flags::MASSCAN);
        for other in [
            Packet { seq: TARGET + 1, ip_id: 1, ..syn() },
            Packet { seq: TARGET.swap_bytes(), ip_id: 1, ..syn() },
            over_ipv6(&Packet { seq: TARGET, ..syn() }),
        ] {
            assert_eq!(marks(&other), Flags::default(), "{other:?}");
        }
    }
}
