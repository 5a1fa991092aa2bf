//! How much of a time was collected: what was not collected is not zero.

use std::collections::BTreeSet;
use std::ops::Range;

use cutshort_model::{Bucket, Window};
use cutshort_store::{FILE_NODE, NodeCoverage};
use serde::Serialize;
use utoipa::ToSchema;

use super::Share;
use crate::question::{Series, iso};

/// A live node is expected for so long after the last time that it covers, in nanoseconds. One that stays silent for
/// longer was taken out of service, as far as one can tell.
const EXPECTED: i64 = Bucket::Day.nanoseconds();
/// So many gaps are listed, the longest ones.
const MOST_GAPS: usize = 100;

/// How much of a range was collected. A live node is expected from the first time that it covers until a day after the
/// last one; imported captures never are.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The part of the range, in percent, in which packets of at least one node were collected.
    #[schema(value_type = String)]
    collected: Share,
    /// The part of the range, in percent, in which packets of all expected nodes were collected, of at least one.
    #[schema(value_type = String)]
    complete: Share,
    /// The nodes that cover some of the range or are expected in it, by name.
    nodes: Vec<CoveredNode>,
    /// When packets of no node, or not of all expected ones, were collected, in order. Of more than 100 gaps these are
    /// the longest.
    gaps: Vec<Gap>,
    /// How many gaps are not listed.
    gaps_omitted: usize,
    /// The same for each bucket of a time series, also for those without connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    intervals: Option<CoveredIntervals>,
    /// The fraction of the range's windows, 0 to 1, for which nothing was collected.
    #[serde(skip)]
    without: f64,
}

/// How much of a range was collected from a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoveredNode {
    /// Its name; `file` for imported captures.
    name: String,
    /// The part of the range, in percent, in which its packets were collected.
    #[schema(value_type = String)]
    collected: Share,
    /// The part of the range, in percent, in which they were expected but not collected.
    #[schema(value_type = String)]
    missing: Share,
}

/// A time in which packets were not collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The start of the gap.
    #[schema(format = DateTime)]
    start_time: String,
    /// The end of the gap, exclusive.
    #[schema(format = DateTime)]
    end_time: String,
    /// Whether nothing at all was collected.
    nothing: bool,
    /// The nodes that were expected and are missing; none where no node was expected.
    missing: Vec<String>,
    #[serde(skip)]
    span: Range<i64>,
}

/// How much of each bucket was collected, in percent of its time within the range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoveredIntervals {
    /// Where each begins: all of the range, unlike those of a series.
    timestamps: Vec<String>,
    /// From at least one node.
    #[schema(value_type = Vec<String>)]
    collected: Vec<Share>,
    /// From all expected nodes.
    #[schema(value_type = Vec<String>)]
    complete: Vec<Share>,
}

impl Coverage {
    /// How much of a series' range was collected from the nodes that it selects, also in each bucket, if there are any.
    #[must_use]
    pub fn of(coverage: &[NodeCoverage], series: &Series, bucket: Option<Bucket>) -> Self {
        let is_selected = |node: &&NodeCoverage| series.selection.nodes.has(Some(&node.node));
        let range = &series.range;
        let nodes: Vec<Seen<'_>> =
            coverage.iter().filter(is_selected).map(|node| Seen::new(node, range)).collect();
        let pieces = incomplete(&nodes, range);
        let (collected, complete) = parts(&pieces, range);
        let (gaps, gaps_omitted) = longest(&pieces, MOST_GAPS);
        let gap = |piece: &Piece| Gap {
            start_time: iso(piece.span.start),
            end_time: iso(piece.span.end),
            nothing: piece.nothing,
            missing: piece.missing.iter().map(|at| nodes[*at].name()).collect(),
            span: piece.span.clone(),
        };
        let is_there = |node: &&Seen<'_>| !node.spans.is_empty() || !node.expected.is_empty();
        Self {
            collected,
            complete,
            nodes: nodes.iter().filter(is_there).map(|node| node.covered(range)).collect(),
            gaps: gaps.into_iter().map(gap).collect(),
            gaps_omitted,
            intervals: bucket.map(|bucket| CoveredIntervals::new(&pieces, range, bucket)),
            without: without(&pieces, range),
        }
    }

    /// The fraction of the range's windows, 0 to 1, for which nothing was collected. A window that a capture covers partly
    /// counts as collected.
    #[must_use]
    pub const fn without(&self) -> f64 {
        self.without
    }

    /// The longest gaps of a window or more, in order, each with a sentence about it.
    pub(super) fn told(&self) -> impl Iterator<Item = (Range<i64>, String)> {
        /// So many are told of.
        const MOST: usize = 5;
        let long = |gap: &&Gap| gap.span.end - gap.span.start >= Window::LENGTH;
        let mut gaps: Vec<&Gap> = self.gaps.iter().filter(long).collect();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.span.end - gap.span.start));
        gaps.truncate(MOST);
        gaps.sort_by_key(|gap| gap.span.start);
        gaps.into_iter().map(|gap| (gap.span.clone(), gap.sentence()))
    }
}

impl Gap {
    fn sentence(&self) -> String {
        if self.nothing {
            return "No packets were collected during this time. This does not mean that there were no connections."
                .to_owned();
        }
        let (named, more) = self.missing.split_at(self.missing.len().min(3));
        let names = named.join(", ");
        match more.len() {
            0 => format!("No packets from {names} were collected during this time."),
            more => {
                format!("No packets from {names} and {more} more servers were collected during this time.")
            }
        }
    }
}

/// A node within a range.
struct Seen<'a> {
    node: &'a str,
    /// What it covers of the range.
    spans: Vec<Range<i64>>,
    /// When it is expected within the range; empty if not at all.
    expected: Range<i64>,
}

impl<'a> Seen<'a> {
    fn new(NodeCoverage { node, spans }: &'a NodeCoverage, range: &Range<i64>) -> Self {
        let first = spans.partition_point(|span| span.end <= range.start);
        let within = spans[first..].iter().take_while(|span| span.start < range.end);
        let expected = match (spans.first(), spans.last()) {
            (Some(first), Some(last)) if !node.is_empty() => {
                clipped(&(first.start..last.end.saturating_add(EXPECTED)), range)
            }
            _ => range.start..range.start,
        };
        Self { node, spans: within.map(|span| clipped(span, range)).collect(), expected }
    }

    fn name(&self) -> String {
        if self.node.is_empty() { FILE_NODE } else { self.node }.to_owned()
    }

    fn covered(&self, range: &Range<i64>) -> CoveredNode {
        let within = |limit: &Range<i64>| -> i64 {
            self.spans.iter().map(|span| clipped(span, limit)).map(|span| span.end - span.start).sum()
        };
        let expected = self.expected.end - self.expected.start;
        CoveredNode {
            name: self.name(),
            collected: share(within(range), range),
            missing: share(expected - within(&self.expected), range),
        }
    }
}

/// A time that is not complete.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    span: Range<i64>,
    nothing: bool,
    /// Positions of nodes.
    missing: Vec<usize>,
}

/// What changes at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Covered(bool),
    Expected(bool),
}

/// The times of a range that are not complete, in order: when nothing covers them, or not every expected node.
fn incomplete(nodes: &[Seen<'_>], range: &Range<i64>) -> Vec<Piece> {
    let mut changes: Vec<(i64, usize, Change)> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let mut add = |span: &Range<i64>, change: fn(bool) -> Change| {
            if !span.is_empty() {
                changes.extend([(span.start, at, change(true)), (span.end, at, change(false))]);
            }
        };
        node.spans.iter().for_each(|span| add(span, Change::Covered));
        add(&node.expected, Change::Expected);
    }
    changes.sort_unstable();
    let (mut covering, mut expected) = (BTreeSet::new(), BTreeSet::new());
    let mut pieces: Vec<Piece> = Vec::new();
    let mut since = range.start;
    for (time, at, change) in changes.into_iter().chain([(range.end, usize::MAX, Change::Covered(false))]) {
        if time > since {
            let missing = expected.difference(&covering).copied().collect();
            push(&mut pieces, Piece { span: since..time, nothing: covering.is_empty(), missing });
            since = time;
        }
        let (set, is_in) = match change {
            Change::Covered(is_in) => (&mut covering, is_in),
            Change::Expected(is_in) => (&mut expected, is_in),
        };
        if is_in {
            set.insert(at)
        } else {
            set.remove(&at)
        };
    }
    pieces
}

/// Adds a piece if it is not complete; to the last one if nothing changes between them.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if !piece.nothing && piece.missing.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(last)
            if last.span.end == piece.span.start
                && (last.nothing, &last.missing) == (piece.nothing, &piece.missing) =>
        {
            last.span.end = piece.span.end;
        }
        _ => pieces.push(piece),
    }
}

/// How much of a range was collected, and how much completely.
fn parts(pieces: &[Piece], range: &Range<i64>) -> (Share, Share) {
    let sum = |is_lost: fn(&&Piece) -> bool| -> i64 {
        pieces.iter().filter(is_lost).map(|piece| piece.span.end - piece.span.start).sum()
    };
    let rest = |lost| share(range.end - range.start - lost, range);
    (rest(sum(|piece| piece.nothing)), rest(sum(|_| true)))
}

/// The fraction of a range's windows for which nothing was collected.
fn without(pieces: &[Piece], range: &Range<i64>) -> f64 {
    // Whole windows within a span.
    let windows = |span: &Range<i64>| {
        let first = Window::containing(span.start.saturating_add(Window::LENGTH - 1));
        (Window::containing(span.end).number() - first.number()).max(0)
    };
    let nothing = pieces.iter().filter(|piece| piece.nothing).map(|piece| windows(&piece.span)).sum::<i64>();
    nothing as f64 / windows(range).max(1) as f64
}

/// The longest pieces, in order, and how many others there are.
fn longest(pieces: &[Piece], most: usize) -> (Vec<&Piece>, usize) {
    let mut longest: Vec<&Piece> = pieces.iter().collect();
    longest.sort_by_key(|piece| std::cmp::Reverse(piece.span.end - piece.span.start));
    longest.truncate(most);
    longest.sort_by_key(|piece| piece.span.start);
    let omitted = pieces.len() - longest.len();
    (longest, omitted)
}

impl CoveredIntervals {
    fn new(pieces: &[Piece], range: &Range<i64>, bucket: Bucket) -> Self {
        let (mut timestamps, mut collected, mut complete) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = bucket.start(range.start);
        let mut rest = pieces;
        while start < range.end {
            let interval = clipped(&(start..start + bucket.nanoseconds()), range);
            rest = &rest[rest.partition_point(|piece| piece.span.end <= interval.start)..];
            let within: Vec<Piece> = rest
                .iter()
                .take_while(|piece| piece.span.start < interval.end)
                .map(|piece| Piece { span: clipped(&piece.span, &interval), missing: Vec::new(), ..*piece })
                .collect();
            let parts = parts(&within, &interval);
            timestamps.push(iso(interval.start));
            collected.push(parts.0);
            complete.push(parts.1);
            start += bucket.nanoseconds();
        }
        Self { timestamps, collected, complete }
    }
}

/// The part of a span that is within a limit.
fn clipped(span: &Range<i64>, limit: &Range<i64>) -> Range<i64> {
    let start = span.start.clamp(limit.start, limit.end);
    start..span.end.clamp(start, limit.end)
}

fn share(part: i64, range: &Range<i64>) -> Share {
    Share::part(part.max(0).unsigned_abs(), (range.end - range.start).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = Bucket::Hour.nanoseconds();

    fn nodes(list: &[(&str, &[(i64, i64)])]) -> Vec<NodeCoverage> {
        let hours = |(from, to): &(i64, i64)| from * HOUR..to * HOUR;
        list.iter()
            .map(|(node, spans)| NodeCoverage {
                node: (*node).to_owned(),
                spans: spans.iter().map(hours).collect(),
            })
            .collect()
    }

    fn of(coverage: &[NodeCoverage], range: Range<i64>, only: &[&str]) -> Coverage {
        let mut series = Series {
            name: String::new(),
            range: range.start * HOUR..range.end * HOUR,
            selection: Default::default(),
            stages: Default::default(),
            unanswered: false,
        };
        series.selection.nodes.include = only.iter().map(|name| (*name).to_owned()).collect();
        Coverage::of(coverage, &series, Some(Bucket::Hour))
    }

    /// From, to, nothing, missing; in hours.
    fn gaps(coverage: &Coverage) -> Vec<(i64, i64, bool, String)> {
        let gap =
            |gap: &Gap| (gap.span.start / HOUR, gap.span.end / HOUR, gap.nothing, gap.missing.join(" "));
        coverage.gaps.iter().map(gap).collect()
    }

    #[test]
    fn a_node_is_expected_between_its_first_and_a_day_after_its_last_time() {
        let coverage = nodes(&[("a", &[(10, 14), (16, 100)]), ("b", &[(12, 50)])]);
        let whole = of(&coverage, 0..100, &[]);
        let text = |text: &str| text.to_owned();
        let expected = [(0, 10, true, text("")), (14, 16, false, text("a")), (50, 74, false, text("b"))];
        assert_eq!(gaps(&whole), expected);
        assert_eq!((whole.collected, whole.complete), (Share::of(0.9), Share::of(0.64)));
        let b = &whole.nodes[1];
        assert_eq!((b.name.as_str(), b.collected, b.missing), ("b", Share::of(0.38), Share::of(0.24)));
        let only = of(&coverage, 0..100, &["a"]);
        assert_eq!(gaps(&only), [(0, 10, true, text("")), (14, 16, true, text("a"))]);
        assert!(of(&coverage, 80..90, &[]).nodes.iter().all(|node| node.name == "a"));
    }

    #[test]
    fn captures_cover_but_are_not_expected() {
        let coverage = nodes(&[("", &[(1, 2), (5, 6)])]);
        let whole = of(&coverage, 0..7, &[]);
        let none = String::new;
        assert_eq!(gaps(&whole), [(0, 1, true, none()), (2, 5, true, none()), (6, 7, true, none())]);
        let intervals = whole.intervals.unwrap();
        let full = |at| if at == 1 || at == 5 { Share::of(1.0) } else { Share::default() };
        assert_eq!(intervals.collected, (0..7).map(full).collect::<Vec<_>>());
        assert_eq!(intervals.timestamps[5], "1970-01-01T05:00:00Z");
        assert_eq!(whole.nodes[0].name, "file");
        let beside = nodes(&[("", &[(1, 2), (5, 6)]), ("a", &[(0, 7)])]);
        assert_eq!(gaps(&of(&beside, 0..7, &[])), []);
    }

    #[test]
    fn only_long_gaps_are_told_and_the_longest_are_listed() {
        let spans: Vec<(i64, i64)> = (0..200).map(|at| (at * 3, at * 3 + 2)).collect();
        let coverage = of(&nodes(&[("a", &spans)]), 0..600, &[]);
        assert_eq!((coverage.gaps.len(), coverage.gaps_omitted), (MOST_GAPS, 100));
        assert_eq!(coverage.told().count(), 5);
        let short = NodeCoverage { node: String::new(), spans: vec![0..HOUR, HOUR + 1..2 * HOUR] };
        let short = of(&[short], 0..2, &[]);
        assert_eq!((short.gaps.len(), short.told().count(), short.without()), (1, 0, 0.0));
        let capture =
            NodeCoverage { node: String::new(), spans: std::iter::once(HOUR / 8..HOUR / 4).collect() };
        assert_eq!(of(&[capture], 0..1, &[]).without(), 0.75, "three windows of four");
    }

    proptest! {
        /// Each hour is judged as one would by looking at it alone.
        #[test]
        fn hours_add_up(spans in prop::collection::vec((0usize..4, 0i64..60, 1i64..10), 0..12), range in (0i64..50, 1i64..60)) {
            let names = ["", "a", "b", "c"];
            let mut builder = cutshort_store::CoverageBuilder::default();
            for (node, from, length) in &spans {
                builder.add(names[*node], (from * HOUR, (from + length) * HOUR - 1));
            }
            let coverage = builder.finish([]);
            let (from, to) = (range.0, range.0 + range.1);
            let whole = of(&coverage, from..to, &[]);
            let intervals = whole.intervals.unwrap();
            let (mut collected, mut complete) = (0, 0);
            for hour in from..to {
                let time = hour * HOUR;
                let covers = |node: &NodeCoverage| node.spans.iter().any(|span| span.contains(&time));
                let is_expected = |node: &NodeCoverage| {
                    !node.node.is_empty() && node.spans[0].start <= time && time < node.spans.last().unwrap().end + EXPECTED
                };
                let any = coverage.iter().any(covers);
                let all = any && coverage.iter().all(|node| covers(node) || !is_expected(node));
                let at = usize::try_from(hour - from).unwrap();
                prop_assert_eq!(intervals.collected[at], Share::of(f64::from(u8::from(any))));
                prop_assert_eq!(intervals.complete[at], Share::of(f64::from(u8::from(all))));
                collected += u64::from(any);
                complete += u64::from(all);
            }
            prop_assert_eq!(whole.collected, Share::part(collected, (to - from).unsigned_abs()));
            prop_assert_eq!(whole.complete, Share::part(complete, (to - from).unsigned_abs()));
        }
    }
}
