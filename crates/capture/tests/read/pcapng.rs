//! pcapng.

use cutshort_packet::LinkType;

use crate::write::{COMMENT, IF_TSOFFSET, IF_TSRESOL, Order, Pcapng, Record, SHB_USERAPPL};
use crate::{read, some_records};

const LITTLE: Pcapng = Pcapng(Order::Little);

/// A record whose time is in the units of its interface.
fn at(units: i64) -> Record {
    Record { ts: units, wire_len: 1500, bytes: vec![7; 61] }
}

fn times(bytes: &[u8]) -> Vec<i64> {
    read(bytes).whole().records.iter().map(|record| record.ts).collect()
}

#[test]
fn both_byte_orders() {
    for order in Order::BOTH {
        let outcome = read(&Pcapng(order).file(&some_records())).whole();
        assert_eq!(outcome.records, some_records(), "{order:?}");
        assert_eq!(outcome.links, [Ok(LinkType::Ethernet); 6]);
    }
}

#[test]
fn interfaces_have_their_own_link_types_and_resolutions() {
    const IEEE802_11_PRISM: u16 = 119;
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let bytes = [
            ng.section(&[]),
            // Microseconds unless told otherwise.
            ng.interface(1, 0, &[]),
            ng.interface(276, 0, &[(IF_TSRESOL, &[9])]),
            ng.enhanced(1, &at(1_700_000_000_123_456_789), &[]),
            ng.enhanced(0, &at(1_700_000_000_123_456), &[]),
            // Interfaces may be described later on.
            ng.interface(IEEE802_11_PRISM, 0, &[(IF_TSRESOL, &[0x80 | 10])]),
            ng.interface(228, 0, &[(IF_TSRESOL, &[3])]),
            ng.enhanced(2, &at((1_700_000_000 << 10) + 512), &[]),
            ng.enhanced(3, &at(1_700_000_000_123), &[]),
            ng.enhanced(1, &at(1), &[]),
        ];
        let outcome = read(&bytes.concat()).whole();
        let expected = [
            (Ok(LinkType::LinuxSll2), 1_700_000_000_123_456_789),
            (Ok(LinkType::Ethernet), 1_700_000_000_123_456_000),
            (Err(119), 1_700_000_000_500_000_000),
            (Ok(LinkType::Ipv4), 1_700_000_000_123_000_000),
            (Ok(LinkType::LinuxSll2), 1),
        ];
        let times = outcome.records.iter().map(|record| record.ts);
        assert_eq!(outcome.links.iter().copied().zip(times).collect::<Vec<_>>(), expected, "{order:?}");
    }
}

#[test]
fn time_offsets_are_added() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let offset = |seconds| order.i64(seconds);
        let bytes = [
            ng.section(&[]),
            ng.interface(1, 0, &[(IF_TSOFFSET, &offset(1_700_000_000))]),
            ng.interface(1, 0, &[(IF_TSRESOL, &[9]), (IF_TSOFFSET, &offset(-10))]),
            ng.enhanced(0, &at(5_000_001), &[]),
            ng.enhanced(1, &at(1_700_000_000_000_000_001), &[]),
            ng.enhanced(1, &at(0), &[]),
        ];
        let expected = [1_700_000_005_000_001_000, 1_699_999_990_000_000_001, -10_000_000_000];
        assert_eq!(times(&bytes.concat()), expected, "{order:?}");
    }
}

#[test]
fn sections_of_different_byte_order_and_interfaces_of_their_own() {
    let section = |order: Order, resolution, application: &[u8]| {
        let ng = Pcapng(order);
        [
            ng.section(&[(SHB_USERAPPL, application)]),
            ng.interface(1, 0, &[(IF_TSRESOL, &[resolution])]),
            ng.enhanced(0, &at(3), &[]),
        ]
        .concat()
    };
    let bytes = [
        section(Order::Little, 9, b"first"),
        section(Order::Big, 6, b"second"),
        section(Order::Big, 3, b"third"),
        section(Order::Little, 0, b"fourth"),
    ]
    .concat();
    assert_eq!(times(&bytes), [3, 3_000, 3_000_000, 3_000_000_000]);
    assert_eq!(read(&bytes).application.as_deref(), Some("fourth"));
}

#[test]
fn application_without_its_padding() {
    for (order, name) in [(Order::Little, "dumpcap"), (Order::Big, "x"), (Order::Little, "four")] {
        let ng = Pcapng(order);
        let section = ng.section(&[(COMMENT, b"hello"), (SHB_USERAPPL, name.as_bytes())]);
        let bytes = [section, ng.interface(1, 0, &[]), ng.enhanced(0, &at(0), &[])].concat();
        assert_eq!(read(&bytes).whole().application.as_deref(), Some(name));
    }
    assert_eq!(read(&LITTLE.file(&some_records())).whole().application, None);
    // No text, no name: but the capture is read.
    let bytes = [LITTLE.section(&[(SHB_USERAPPL, &[0xff, 0xfe])]), LITTLE.interface(1, 0, &[])].concat();
    assert_eq!(read(&bytes).whole().application, None);
}

#[test]
fn simple_packets_have_the_time_of_the_record_before() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let simple = Record { ts: 0, wire_len: 61, bytes: vec![7; 61] };
        let bytes = [
            ng.start(),
            ng.simple(&simple),
            ng.enhanced(0, &at(5), &[]),
            ng.simple(&simple),
            ng.simple(&simple),
            ng.enhanced(0, &at(6), &[]),
            ng.simple(&simple),
        ];
        let outcome = read(&bytes.concat()).whole();
        let of = |ts| Record { ts, ..simple.clone() };
        assert_eq!(outcome.records, [of(0), at(5), of(5), of(5), at(6), of(6)], "{order:?}");
        assert_eq!(outcome.without_time, 4);
    }
}

/// Their captured length is not written: it is the interface's snap length if the packet was
/// longer. Padding behind it is no part of the frame.
#[test]
fn simple_packets_are_cut_at_the_snap_length() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        for snap_len in 60..=64 {
            let snapped = Record { ts: 0, wire_len: 1500, bytes: vec![7; snap_len as usize] };
            let start = [ng.section(&[]), ng.interface(1, snap_len, &[])].concat();
            let outcome = read(&[start, ng.simple(&snapped)].concat()).whole();
            assert_eq!(outcome.records, [snapped], "{order:?}");
        }
    }
}

#[test]
fn obsolete_packets() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let bytes = [
            ng.section(&[]),
            ng.interface(1, 0, &[(IF_TSRESOL, &[9])]),
            ng.interface(101, 0, &[(IF_TSRESOL, &[9])]),
            ng.obsolete(0, &at(1 << 40)),
            ng.obsolete(1, &at((1 << 40) + 1)),
            ng.enhanced(0, &at((1 << 40) + 2), &[]),
        ];
        let outcome = read(&bytes.concat()).whole();
        assert_eq!(outcome.records, [at(1 << 40), at((1 << 40) + 1), at((1 << 40) + 2)], "{order:?}");
        assert_eq!(outcome.links, [Ok(LinkType::Ethernet), Ok(LinkType::Raw), Ok(LinkType::Ethernet)]);
        assert_eq!(outcome.without_time, 0);
    }
}

#[test]
fn blocks_without_packets_are_skipped() {
    const NAME_RESOLUTION: u32 = 4;
    const INTERFACE_STATISTICS: u32 = 5;
    const SYSTEMD_JOURNAL: u32 = 9;
    const DECRYPTION_SECRETS: u32 = 10;
    const CUSTOM: u32 = 0x0bad;
    const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
    const NOBODY_S: u32 = 0x1234_5678;
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let address = [&order.u16(1)[..], &order.u16(8), &[192, 0, 2, 1], b"abc\0", &[0; 4]].concat();
        let statistics = [&[0; 12][..], &ng.options(&[(4, &[9; 8]), (5, &[1; 8])])].concat();
        let secrets = [&order.u32(0x544c_534b)[..], &order.u32(5), b"a b c\0\0\0"].concat();
        let others = [
            ng.block(NAME_RESOLUTION, &address),
            ng.block(INTERFACE_STATISTICS, &statistics),
            ng.block(SYSTEMD_JOURNAL, b"__REALTIME_TIMESTAMP=1\n"),
            ng.block(DECRYPTION_SECRETS, &secrets),
            ng.block(CUSTOM, &[0, 0, 0x7e, 0xd9, 1, 2, 3, 4]),
            ng.block(CUSTOM_NOT_COPIED, &[0, 0, 0x7e, 0xd9]),
            ng.block(NOBODY_S, &[]),
            ng.block(NOBODY_S, &[1; 99]),
            // Larger than what is read at once.
            ng.block(NOBODY_S, &vec![2; 1 << 20]),
        ];
        let mut bytes = ng.start();
        for (other, record) in others.iter().zip(0..) {
            bytes.extend(other);
            bytes.extend(ng.enhanced(0, &at(record), &[]));
        }
        assert_eq!(times(&bytes), (0..others.len() as i64).collect::<Vec<_>>(), "{order:?}");
    }
}

#[test]
fn options_are_skipped() {
    const IF_NAME: u16 = 2;
    const IF_SPEED: u16 = 8;
    const IF_FILTER: u16 = 11;
    const EPB_FLAGS: u16 = 2;
    const EPB_HASH: u16 = 3;
    const CUSTOM: u16 = 2988;
    const NOBODY_S: u16 = 0x7777;
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let bytes = [
            ng.section(&[(COMMENT, b"one"), (2, b"hardware"), (3, b"os"), (NOBODY_S, &[])]),
            ng.interface(
                1,
                0,
                &[(IF_NAME, b"eth0"), (IF_SPEED, &[0; 8]), (IF_FILTER, b"\0tcp"), (IF_TSRESOL, &[9])],
            ),
            ng.enhanced(0, &at(1), &[(COMMENT, b"a comment"), (EPB_FLAGS, &[1, 0, 0, 0])]),
            ng.enhanced(0, &at(2), &[(EPB_HASH, &[2, 1, 2, 3, 4]), (CUSTOM, &[0, 0, 0, 1, 9])]),
            ng.enhanced(0, &at(3), &[(NOBODY_S, &[0xff; 300])]),
        ];
        assert_eq!(read(&bytes.concat()).whole().records, [at(1), at(2), at(3)], "{order:?}");
    }
}

#[test]
fn no_records() {
    assert_eq!(times(&LITTLE.section(&[])), []);
    assert_eq!(times(&LITTLE.start()), []);
    assert_eq!(times(&[LITTLE.section(&[]), Pcapng(Order::Big).section(&[])].concat()), []);
}

#[test]
fn records_of_any_size() {
    let records = [60, 262_144, 1 << 20, 65_535, 1, 0].map(|len| Record {
        ts: 0,
        wire_len: len,
        bytes: vec![len as u8 | 1; len as usize],
    });
    for order in Order::BOTH {
        assert_eq!(read(&Pcapng(order).file(&records)).whole().records, records);
    }
}

const IFRECV: u16 = 4;
const IFDROP: u16 = 5;
const OSDROP: u16 = 7;
const DROP_COUNT: u16 = 4;

/// Statistics of an interface: received, dropped by it, and by the operating system.
fn statistics(ng: Pcapng, interface: u32, [received, dropped, system]: [i64; 3]) -> Vec<u8> {
    let Pcapng(order) = ng;
    let counts = [(IFRECV, order.i64(received)), (IFDROP, order.i64(dropped)), (OSDROP, order.i64(system))];
    let options: Vec<_> = counts.iter().map(|(code, count)| (*code, &count[..])).collect();
    ng.block(5, &[&order.u32(interface)[..], &[0; 8], &ng.options(&options)].concat())
}

#[test]
fn losses_that_the_capture_tells() {
    for order in Order::BOTH {
        let ng = Pcapng(order);
        let packet = ng.enhanced(0, &some_records()[0], &[(DROP_COUNT, &order.i64(500))]);
        let file = [
            ng.start(),
            ng.interface(1, 0, &[]),
            packet.clone(),
            // The latest statistics of an interface are all of it.
            statistics(ng, 0, [10, 1, 0]),
            statistics(ng, 0, [1000, 20, 3]),
            statistics(ng, 1, [100, 5, 0]),
            statistics(ng, 7, [9, 9, 9]),
            ng.start(),
            packet,
            statistics(ng, 0, [1, 1, 1]),
        ];
        let drops = read(&file.concat()).whole().drops;
        assert_eq!((drops.received, drops.interface, drops.system, drops.between), (1101, 26, 4, 1000));
    }
    assert_eq!(read(&Pcapng(Order::Big).file(&some_records())).whole().drops, Default::default());
}
