//! Simulated upstreams end as they were meant to.

use std::collections::HashMap;

use cutshort_packet::FiveTuple;
use cutshort_simulate::{Fate, Upstreams, World};
use cutshort_verdict::{DataSet, Progress, Rules, Stage, Tag, Termination, Tracker, Verdict};

const WINDOW: i64 = cutshort_simulate::WINDOW_NS;

/// Four days, which contain nights and evenings.
fn upstreams() -> Upstreams {
    Upstreams::new(&World::standard(), 20_000 * 96 * WINDOW, (20_000 + 4) * 96 * WINDOW, 60, 3)
}

fn is_as_meant(fate: Fate, verdict: &Verdict) -> bool {
    let (end, stage) = (verdict.termination, verdict.stage);
    match fate {
        Fate::Answered => {
            end == Termination::Fin && stage == Stage::None && verdict.tags.contains(Tag::Answered)
        }
        Fate::Refused => {
            end == Termination::Reset && stage == Stage::PostSyn && verdict.tags.contains(Tag::Refused)
        }
        Fate::Silent => end == Termination::Timeout && stage == Stage::PostSyn,
        Fate::Stuck => end == Termination::GaveUp && stage == Stage::PostAck,
        Fate::TooSlow => end == Termination::GaveUp && stage == Stage::PostPsh,
        Fate::Empty => end == Termination::Fin && verdict.tags.contains(Tag::EmptyAnswer),
        Fate::Cut => {
            end == Termination::Reset
                && verdict.progress == Progress::PostPsh
                && verdict.tags.contains(Tag::Answered)
        }
    }
}

#[test]
fn every_connection_ends_as_it_was_meant_to() {
    let upstreams = upstreams();
    let mut meant: HashMap<(i64, FiveTuple), Fate> = HashMap::new();
    let mut tracker = Tracker::new(Rules::of(DataSet::Origin));
    for window in upstreams.windows() {
        meant.extend(
            upstreams.connections(window).into_iter().map(|(opener, fate, _)| ((window, opener), fate)),
        );
        for packet in upstreams.packets(window) {
            let _ = tracker.record(packet.ts, Some(&packet));
        }
    }
    let mut counts: HashMap<Fate, u32> = HashMap::new();
    for window in tracker.finish() {
        window.for_each(|opener, outcome, _| {
            let verdict = outcome.as_ref().unwrap_or_else(|why| panic!("{opener}: {why:?}"));
            let fate = meant.remove(&(verdict.first_ts.div_euclid(WINDOW), *opener));
            let fate = fate.unwrap_or_else(|| panic!("{opener} was not meant, or came twice"));
            assert!(is_as_meant(fate, verdict), "{opener}: {fate:?}, but {verdict:?}");
            *counts.entry(fate).or_default() += 1;
        });
    }
    assert!(meant.is_empty(), "{} connections were not found", meant.len());
    assert_eq!(counts.len(), 7, "each fate occurs: {counts:?}");
}

#[test]
fn rows_are_those_that_the_limiter_takes() {
    let upstreams = upstreams();
    let window = upstreams.windows().start + 80;
    let mut limiter = cutshort_verdict::OriginLimiter::new(Rules::of(DataSet::Origin));
    let taken: Vec<_> =
        upstreams.packets(window).iter().flat_map(|packet| limiter.record(packet.ts, Some(packet))).collect();
    let rows = upstreams.rows(window);
    let same = |((opener, row), packet): (&(FiveTuple, cutshort_verdict::Row), &cutshort_packet::Packet)| {
        *opener == packet.five_tuple && *row == packet.into()
    };
    assert_eq!(taken.len(), rows.len());
    assert!(taken.iter().zip(&rows).all(same));
}
