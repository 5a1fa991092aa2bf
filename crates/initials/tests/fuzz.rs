//! No bytes make the opener panic or contradict itself.
//!
//! Runs for ten seconds; `BOLERO_RANDOM_TEST_TIME_MS` sets another time.

use std::time::Duration;

use bolero::generator::produce;
use cutshort_initials::Opener;
use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, HashKey, Opened, Udp};

/// The header of an Initial packet of version 1 and 2 and of a draft.
const HEADERS: [[u8; 7]; 3] =
    [[0xc0, 0, 0, 0, 1, 1, 9], [0xd3, 0x6b, 0x33, 0x43, 0xcf, 1, 9], [0xc1, 0xff, 0, 0, 0x1d, 1, 9]];

#[test]
fn any_packets() {
    let payload = produce::<Vec<u8>>().with().len(0..120_usize);
    bolero::check!()
        .with_generator((0..HEADERS.len(), produce::<i64>(), payload, produce::<Option<u8>>()))
        .with_test_time(Duration::from_secs(10))
        .for_each(|(header, ts, payload, cut)| {
            let datagram = [&HEADERS[*header][..], payload].concat();
            let captured = &datagram[..cut.map_or(datagram.len(), usize::from).min(datagram.len())];
            let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
            let len = datagram.len() as u16;
            let udp = Udp { ts: *ts, five_tuple, ip_id: 0, ttl: 64, len, captured };
            let row = udp.row(&HashKey::new([0; 16]));
            let mut opener = Opener::default();
            for _ in 0..2 {
                let mut opened = row;
                opener.open(&udp, &mut opened);
                assert!(matches!(opened.opened, Opened::No | Opened::Failed), "{opened:?}");
                assert_eq!(Datagram { opened: Opened::No, ..opened }, row, "nothing was seen");
            }
        });
}
