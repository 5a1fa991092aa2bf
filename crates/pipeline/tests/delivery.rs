//! Spool and uploader: what is kept until it is delivered, and how often that is tried.
// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use cutshort_files::durable::watched;
use cutshort_packet::Packet;
use cutshort_pipeline::live::{Collector, Delivered, Retry, Spool, Uploader};
use cutshort_store::{Provenance, Segment, SegmentId, SegmentSource};

fn segment(number: u8) -> Segment {
    let (id, from) = (Some(SegmentId(number.into())), i64::from(number));
    Segment::encode(Vec::<Packet>::new(), &SegmentSource::tcp("edge", Provenance::Live, (from, from)), id)
        .unwrap()
}

/// As a whole, before it has its name, and then its name: after a loss of power it is there.
#[test]
fn what_was_put_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), 1 << 20).unwrap();
    let segment = segment(1);
    let ((), synced) = watched(|| spool.put(&segment).unwrap());
    let [content, named] = &synced[..] else { panic!("{synced:?}") };
    assert_eq!(content.path.extension().unwrap(), "tmp");
    assert_eq!(content.len, segment.bytes().len() as u64);
    let segments = folder.path().join("segments");
    let names =
        fs::read_dir(&segments).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!((&named.path, &named.names), (&segments, &names.collect::<Vec<_>>()));
    assert!(named.names.len() == 1 && !named.names[0].ends_with(".tmp"), "{named:?}");
}

/// Tells when it was asked.
struct Away(Sender<Instant>);

impl Collector for Away {
    fn deliver(&mut self, _id: &str, _segment: Vec<u8>) -> Delivered {
        let _ = self.0.send(Instant::now());
        Delivered::Later("down".into())
    }
}

/// Neither sooner nor in a loop that spins; and a segment that comes meanwhile is no reason to try again.
#[test]
fn between_attempts_the_courier_rests() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    spool.put(&segment(1)).unwrap();
    let (asked, attempts) = channel();
    let rest = Duration::from_millis(200);
    let retry = Retry { first: rest, most: rest };
    let uploader = Uploader::start(Arc::clone(&spool), Box::new(Away(asked)), retry);
    let next = || attempts.recv_timeout(Duration::from_secs(30)).unwrap();
    let mut before = next();
    for number in 2..=4 {
        spool.put(&segment(number)).unwrap();
        let attempt = next();
        assert!(attempt - before >= rest / 2, "{:?}", attempt - before);
        before = attempt;
    }
    assert!(!uploader.finish(Duration::ZERO));
}
