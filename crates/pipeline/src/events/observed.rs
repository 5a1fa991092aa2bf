//! Which windows were observed, by whom, and what was read of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use cutshort_detect::{Channel, Event, EventState, SeriesPlace, Severity};
use cutshort_model::Window;
use cutshort_store::{FILE_NODE, Folded, NodeCoverage, REPLAY_WINDOWS, Result, Store};
use sha2::{Digest, Sha256};

/// Windows after the end of one until which nodes are waited for.
const PATIENCE: i64 = 2;
/// Windows for which a node is expected after the last one that it observed: a day.
const EXPECTED: i64 = 96;

/// What a store says of its windows at one moment. Windows are numbers.
pub(super) struct Observed {
    /// Windows with results.
    generations: BTreeMap<i64, u64>,
    /// Windows with packets and without results.
    waiting: BTreeSet<i64>,
    nodes: Vec<NodeCoverage>,
    /// The windows that some node observed at least in part: rising, and apart.
    covered: Vec<Range<i64>>,
}

impl Observed {
    pub(super) fn read(store: &dyn Store) -> Result<Self> {
        let waiting = store.due()?;
        let generations = store.generations(i64::MIN..i64::MAX)?;
        Ok(Self::new(
            generations.into_iter().map(|(window, generation)| (window.number(), generation)).collect(),
            waiting
                .into_iter()
                .filter(|state| state.done.is_none())
                .map(|state| state.window.number())
                .collect(),
            store.coverage()?,
        ))
    }

    fn new(generations: BTreeMap<i64, u64>, waiting: BTreeSet<i64>, nodes: Vec<NodeCoverage>) -> Self {
        let windows = |span: &Range<i64>| {
            Window::containing(span.start).number()..Window::containing(span.end - 1).number() + 1
        };
        let mut spans: Vec<_> = nodes.iter().flat_map(|node| node.spans.iter().map(windows)).collect();
        spans.sort_unstable_by_key(|span| span.start);
        let mut covered: Vec<Range<i64>> = Vec::new();
        for span in spans {
            match covered.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => covered.push(span),
            }
        }
        Self { generations, waiting, nodes, covered }
    }

    /// The first window from `t` on that was observed.
    pub(super) fn next(&self, t: i64) -> Option<i64> {
        let with_results = self.generations.range(t..).next().map(|(&window, _)| window);
        let at = self.covered.partition_point(|span| span.end <= t);
        let covered = self.covered.get(at).map(|span| span.start.max(t));
        with_results.into_iter().chain(covered).min()
    }

    /// The windows of a range that were observed.
    pub(super) fn within(&self, range: Range<i64>) -> impl Iterator<Item = i64> {
        let mut t = range.start;
        std::iter::from_fn(move || {
            let next = self.next(t).filter(|&next| next < range.end)?;
            t = next + 1;
            Some(next)
        })
    }

    pub(super) fn has_results(&self, t: i64) -> bool {
        self.generations.contains_key(&t)
    }

    /// The nodes that observed some of a window, and how much of it.
    pub(super) fn nodes(&self, t: i64) -> Vec<(&str, f64)> {
        let part = |node: &NodeCoverage| covered_time(node, t) as f64 / Window::LENGTH as f64;
        self.nodes
            .iter()
            .map(|node| (node.node.as_str(), part(node)))
            .filter(|&(_, part)| part > 0.0)
            .collect()
    }

    /// A digest of what is read of a window.
    pub(super) fn digest(&self, t: i64) -> u64 {
        let mut hash =
            Sha256::new().chain_update(self.generations.get(&t).copied().unwrap_or(0).to_be_bytes());
        for node in &self.nodes {
            let time = covered_time(node, t);
            if time > 0 {
                hash.update(node.node.as_bytes());
                hash.update(time.to_be_bytes());
            }
        }
        hash.finalize().iter().take(8).fold(0, |digest, byte| digest << 8 | u64::from(*byte))
    }

    /// The first window that has changed since events were found in it, or the one after those; none if all windows are to be
    /// read, because there are none yet, or some before the first.
    pub(super) fn first_change(&self, folded: &Folded) -> Option<i64> {
        let windows = folded.windows.clone()?;
        if self.next(i64::MIN).is_some_and(|first| first < windows.start) {
            return None;
        }
        let from = windows.start.max(windows.end - REPLAY_WINDOWS);
        let now = self.within(from..windows.end).map(|t| (t, self.digest(t)));
        let mut before = folded.digests.iter().copied().filter(|(t, _)| *t >= from);
        for one in now {
            match before.next() {
                Some(other) if other == one => {}
                Some((t, _)) => return Some(t.min(one.0)),
                None => return Some(one.0),
            }
        }
        Some(before.next().map_or(windows.end, |(t, _)| t))
    }

    /// The window after the last one that can be read at a time: nothing is waited for in those before it.
    pub(super) fn end(&self, from: i64, now: i64) -> i64 {
        let open = Window::containing(now).number();
        let past = open - PATIENCE;
        for t in self.within(past.max(from)..open) {
            if !self.is_complete(t) {
                return t;
            }
        }
        let last = self.within(past.max(from)..open).last().map(|t| t + 1);
        // While somebody is expected, windows without anybody count, too.
        let expected = self.live().filter_map(|node| Some(last_window(node)? + 1));
        let expected =
            expected.filter(|&next| past - next <= EXPECTED).max().map(|next| next.max(past).min(open));
        let known = self.generations.keys().next_back().map(|&t| t + 1);
        let known = known.into_iter().chain(self.covered.last().map(|span| span.end)).max();
        let known = known.map(|known| known.min(past));
        last.into_iter().chain(expected).chain(known).max().unwrap_or(from).max(from)
    }

    /// Whether all nodes that were there before a window have delivered it, and it has results if it has packets.
    fn is_complete(&self, t: i64) -> bool {
        let last = |t: i64| Window::from_number(t).end() - 1;
        let is_there =
            |node: &NodeCoverage, time: i64| node.spans.iter().rev().any(|span| span.contains(&time));
        let is_late = |node: &NodeCoverage| is_there(node, last(t - 1)) && !is_there(node, last(t));
        !self.waiting.contains(&t) && !self.live().any(is_late)
    }

    fn live(&self) -> impl Iterator<Item = &NodeCoverage> {
        self.nodes.iter().filter(|node| !node.node.is_empty() && node.node != FILE_NODE)
    }

    /// What nodes missed of the windows from `from` to `to`, though they were expected: whole windows. A node that is away for a
    /// day was taken out of service, as far as one can tell.
    pub(super) fn absences(&self, from: i64, to: i64) -> Vec<Event> {
        let mut events = Vec::new();
        for node in self.live() {
            let mut last = None;
            for span in &node.spans {
                if let Some(last) = last {
                    events.extend(absence(
                        &node.node,
                        last,
                        Some(Window::containing(span.start).number()),
                        to,
                    ));
                }
                // The first window that it did not observe to the end is lost only in part.
                last = Some(Window::containing(span.end - 1).number() + 1);
            }
            events.extend(last.and_then(|last| absence(&node.node, last, None, to)));
        }
        events.retain(|event| event.closed.is_none_or(|closed| closed >= from));
        events
    }
}

/// How many nanoseconds of a window a node covers.
fn covered_time(node: &NodeCoverage, t: i64) -> i64 {
    let window = Window::from_number(t).range();
    let first = node.spans.partition_point(|span| span.end <= window.start);
    let within = node.spans[first..].iter().take_while(|span| span.start < window.end);
    within.map(|span| span.end.min(window.end) - span.start.max(window.start)).sum()
}

/// The last window that a node covers some of.
fn last_window(node: &NodeCoverage) -> Option<i64> {
    node.spans.last().map(|span| Window::containing(span.end - 1).number())
}

/// That a node observed no part of the windows from `onset` on, until `back`, seen from the window before `to`.
fn absence(node: &str, onset: i64, back: Option<i64>, to: i64) -> Option<Event> {
    let back = back.filter(|&back| back <= to);
    let opened = onset + PATIENCE - 1;
    if back.is_some_and(|back| back <= onset) || (back.is_none() && opened >= to) {
        return None;
    }
    let is_gone = back.unwrap_or(to) - onset > EXPECTED;
    let state = match back {
        _ if is_gone => EventState::Usual,
        Some(_) => EventState::Closed,
        None => EventState::Open,
    };
    let place = SeriesPlace::Node(node.to_owned());
    let opened = opened.min(back.unwrap_or(opened));
    Some(Event {
        opened,
        end: back.filter(|_| !is_gone),
        closed: if is_gone { Some(onset + EXPECTED) } else { back },
        state,
        severity: Severity::of(Channel::Observer, 1.0),
        size: 1.0,
        alarm: Some(opened),
        ..Event::new(place, Channel::Observer, onset)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 2_000_000;

    fn node(name: &str, windows: Range<i64>) -> NodeCoverage {
        nodes(name, [windows])
    }

    fn nodes<const N: usize>(name: &str, windows: [Range<i64>; N]) -> NodeCoverage {
        let time = |t: i64| Window::from_number(START + t).start();
        let spans = windows.into_iter().map(|windows| time(windows.start)..time(windows.end)).collect();
        NodeCoverage { node: name.to_owned(), spans }
    }

    fn observed(results: Range<i64>, nodes: Vec<NodeCoverage>) -> Observed {
        Observed::new(results.map(|t| (START + t, 1)).collect(), BTreeSet::new(), nodes)
    }

    fn end(observed: &Observed, now: i64) -> i64 {
        observed.end(START, Window::from_number(START + now).start() + 1) - START
    }

    #[test]
    fn windows_wait_for_all_nodes_but_not_for_long() {
        let both = observed(0..10, vec![node("a", 0..10), node("b", 0..10)]);
        assert_eq!((end(&both, 10), end(&both, 9)), (10, 9), "the open one is left out");
        let one = observed(0..10, vec![node("a", 0..10), node("b", 0..9)]);
        assert_eq!([end(&one, 10), end(&one, 11), end(&one, 12)], [9, 9, 10]);
        let mut due = observed(0..9, vec![node("a", 0..10)]);
        due.waiting.insert(START + 9);
        assert_eq!([end(&due, 10), end(&due, 12)], [9, 10], "results are waited for, too");
        assert_eq!(end(&one, 60), 58, "somebody should be there");
        let capture = observed(0..10, vec![node("", 0..10)]);
        assert_eq!([end(&capture, 10), end(&capture, 60), end(&capture, 9_000)], [10, 10, 10]);
    }

    #[test]
    fn changes_are_found_wherever_they_are() {
        let before = observed(0..10, vec![node("a", 0..10)]);
        let folded = Folded {
            windows: Some(START..START + 10),
            digests: before.within(START..START + 10).map(|t| (t, before.digest(t))).collect(),
            checkpoint: None,
        };
        let change = |now: &Observed| now.first_change(&folded).map(|t| t - START);
        assert_eq!(change(&before), Some(10));
        assert_eq!(change(&observed(0..12, vec![node("a", 0..12)])), Some(10));
        let mut again = observed(0..10, vec![node("a", 0..10)]);
        again.generations.insert(START + 4, 2);
        assert_eq!(change(&again), Some(4), "computed again");
        assert_eq!(change(&observed(0..10, vec![node("a", 0..10), node("b", 7..10)])), Some(7));
        assert_eq!(change(&observed(0..5, vec![node("a", 0..5)])), Some(5), "forgotten");
        assert_eq!(change(&observed(-1..10, vec![node("a", 0..10)])), None, "before the first");
        assert_eq!(change(&observed(0..0, Vec::new())), Some(0));
    }

    #[test]
    fn a_node_that_is_away_is_an_event_of_our_own() {
        let observed = observed(0..500, vec![node("a", 0..500), nodes("b", [0..10, 14..20, 200..210])]);
        let told = |to: i64| -> Vec<(i64, i64, Option<i64>, &'static str)> {
            let events = observed.absences(START, START + to);
            let relative = |t: i64| t - START;
            events
                .iter()
                .map(|event| {
                    assert_eq!(event.place, SeriesPlace::Node("b".to_owned()));
                    (
                        relative(event.onset),
                        relative(event.opened),
                        event.end.map(relative),
                        event.state.name(),
                    )
                })
                .collect()
        };
        assert_eq!(told(11), []);
        assert_eq!(told(12), [(10, 11, None, "open")]);
        assert_eq!(told(18), [(10, 11, Some(14), "closed")]);
        assert_eq!(told(116)[1..], [(20, 21, None, "open")]);
        assert_eq!(told(117)[1..], [(20, 21, None, "usual")]);
        assert_eq!(told(212)[1..], [(20, 21, None, "usual"), (210, 211, None, "open")]);
        assert_eq!(observed.absences(START + 14, START + 18).len(), 1);
        assert_eq!(observed.absences(START + 15, START + 18).len(), 0, "over by then");
    }
}
