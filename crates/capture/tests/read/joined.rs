//! Captures that were joined with `cat`: a header where a record could begin is the next capture's.

use cutshort_capture::CaptureError;

use crate::write::{Compression, ETHERNET, Order, Pcap, Pcapng, Record, SHB_USERAPPL};
use crate::{read, some_records};

/// Captures of all kinds, with the same records.
fn kinds() -> Vec<Vec<u8>> {
    let mut kinds = Vec::new();
    for order in Order::BOTH {
        for kind in [Pcap::Microseconds, Pcap::Nanoseconds, Pcap::Modified] {
            kinds.push(kind.file(order, ETHERNET, &some_records()));
        }
        kinds.push(Pcapng(order).file(&some_records()));
    }
    kinds
}

fn twice() -> Vec<Record> {
    [some_records(), some_records()].concat()
}

#[test]
fn of_any_two_kinds() {
    for first in kinds() {
        for second in kinds() {
            assert_eq!(read(&[&first[..], &second].concat()).whole().records, twice());
        }
    }
}

#[test]
fn of_compressed_members() {
    for compression in Compression::COMPRESSED {
        for second in kinds() {
            let stored = [&kinds()[0], &second].map(|part| compression.compress(part)).concat();
            assert_eq!(read(&stored).whole().records, twice(), "{compression:?}");
        }
    }
}

#[test]
fn without_records_and_many() {
    let empty = Pcap::Nanoseconds.header(Order::Big, ETHERNET);
    let file = [&empty[..], &empty, &kinds()[3], &empty, &kinds()[1], &empty].concat();
    assert_eq!(read(&file).whole().records, twice());
}

#[test]
fn each_has_its_own_link_type() {
    let raw = Pcap::Nanoseconds.file(Order::Big, 101, &some_records());
    let links = read(&[&kinds()[0][..], &raw, &kinds()[3]].concat()).whole().links;
    assert_eq!((links[0] == links[6], links[0] == links[12], links.len()), (false, true, 18));
}

#[test]
fn what_one_says_is_not_lost_in_the_next() {
    let ng = Pcapng(Order::Little);
    let of = |name: &[u8]| [ng.section(&[(SHB_USERAPPL, name)]), ng.interface(1, 0, &[])].concat();
    let simple = ng.simple(&some_records()[0]);
    let file =
        [of(b"first"), simple.clone(), of(b"second"), kinds()[0].clone(), of(b"first"), simple].concat();
    let outcome = read(&file).whole();
    assert_eq!(outcome.applications, ["first", "second", "first"]);
    assert_eq!(outcome.without_time, 2);
}

#[test]
fn second_one_cut() {
    for first in kinds() {
        for second in kinds() {
            let cut = &second[..second.len() - 1];
            let outcome = read(&[&first[..], cut].concat());
            assert_eq!(outcome.records, twice()[..11]);
            assert!(matches!(outcome.error, Some(CaptureError::Cut { records: 11 })), "{:?}", outcome.error);
        }
    }
}

/// What is between two captures is damage.
#[test]
fn with_something_between() {
    for first in kinds() {
        for second in kinds() {
            let outcome = read(&[&first[..], &[0xff; 50], &second].concat());
            assert_eq!(outcome.records, twice());
            assert!(
                matches!(outcome.error, Some(CaptureError::Damaged { records: 12, unread: 50, .. })),
                "{:?}",
                outcome.error
            );
        }
    }
}
