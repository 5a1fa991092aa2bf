use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use cutshort_packet::Packet;
use cutshort_store::{Provenance, Segment, SegmentId, SegmentSource};

use super::*;

/// Gives the answers in turn, then keeps everything; tells what it was given.
struct Scripted {
    answers: VecDeque<Delivered>,
    given: Sender<String>,
}

impl Collector for Scripted {
    fn deliver(&mut self, id: &str, segment: Vec<u8>) -> Delivered {
        assert_eq!(Segment::parse(segment).unwrap().info().id.to_string(), id);
        self.given.send(id[30..].to_owned()).unwrap();
        self.answers.pop_front().unwrap_or(Delivered::Kept)
    }
}

const SHORT: Retry = Retry { first: Duration::from_millis(1), most: Duration::from_millis(4) };

fn start(answers: &[Delivered], retry: Retry) -> (tempfile::TempDir, Arc<Spool>, Uploader, Receiver<String>) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Arc::new(Spool::open(folder.path(), 1 << 20).unwrap());
    (1..=3).for_each(|number| put(&spool, number));
    let (given, attempts) = channel();
    let collector = Scripted { answers: answers.iter().cloned().collect(), given };
    let uploader = Uploader::start(Arc::clone(&spool), Box::new(collector), retry);
    (folder, spool, uploader, attempts)
}

fn put(spool: &Spool, number: u8) {
    let id = Some(SegmentId(number.into()));
    let from = i64::from(number);
    spool
        .put(
            &Segment::encode(
                Vec::<Packet>::new(),
                &SegmentSource::tcp("edge", Provenance::Live, (from, from)),
                id,
            )
            .unwrap(),
        )
        .unwrap();
}

fn next(attempts: &Receiver<String>, count: usize) -> Vec<String> {
    let wait = || attempts.recv_timeout(Duration::from_secs(10)).unwrap();
    (0..count).map(|_| wait()).collect()
}

#[test]
fn failures_are_tried_again_in_order_and_refusals_are_not() {
    let (later, blocked) = (Delivered::Later("down".into()), Delivered::Blocked("token".into()));
    let answers = [later.clone(), blocked, Delivered::Kept, Delivered::Refused("bad".into()), later];
    let (_folder, spool, uploader, attempts) = start(&answers, SHORT);
    assert_eq!(next(&attempts, 6), ["01", "01", "01", "02", "03", "03"]);
    put(&spool, 4);
    assert_eq!(next(&attempts, 1), ["04"], "it goes on");
    let end = Instant::now() + Duration::from_secs(10);
    while spool.state().segments > 0 {
        assert!(Instant::now() < end, "still not delivered: {:?}", spool.state());
        thread::sleep(Duration::from_millis(1));
    }
    let state = uploader.state();
    assert_eq!((state.failures, state.trouble), (3, None));
    assert!(state.acknowledged.is_some());
    assert_eq!(spool.state().counts.delivered.0, 3);
    assert_eq!(spool.state().counts.refused.0, 1);
    assert!(uploader.finish(Duration::from_secs(5)));
}

#[test]
fn at_the_end_what_is_left_is_tried_once_more_and_stays_if_it_cannot_be_delivered() {
    let hours = Retry { first: Duration::from_secs(3600), most: Duration::from_secs(3600) };
    let down = Delivered::Later("down".into());
    let (_folder, spool, uploader, attempts) = start(std::slice::from_ref(&down), hours);
    assert_eq!(next(&attempts, 1), ["01"]);
    assert!(uploader.finish(Duration::from_secs(5)), "the wait is cut short");
    assert_eq!(spool.state().segments, 0);
    let (_folder, spool, uploader, attempts) = start(&vec![down; 1000], hours);
    assert_eq!(next(&attempts, 1), ["01"]);
    let since = Instant::now();
    assert!(!uploader.finish(Duration::from_millis(500)));
    assert!(since.elapsed() < Duration::from_secs(3));
    assert_eq!(spool.state().segments, 3);
}

#[test]
fn waits_grow_to_a_bound_and_are_spread() {
    let retry = Retry { first: Duration::from_secs(1), most: Duration::from_secs(60) };
    let waits =
        |random| [1, 2, 6, 7, 40, u32::MAX].map(|failures| retry.wait(failures, false, random).as_secs_f64());
    assert_eq!(waits(0.0), [0.5, 1.0, 16.0, 30.0, 30.0, 30.0]);
    assert_eq!(waits(1.0), [1.0, 2.0, 32.0, 60.0, 60.0, 60.0]);
    assert_eq!(retry.wait(1, true, 1.0), Duration::from_secs(60), "mending takes somebody");
    assert!((0..100).all(|_| (0.0..1.0).contains(&random())));
}
