use std::collections::BTreeMap;
use std::ops::Range;

use cutshort_model::Window;

/// When the packets of a node were collected, whether there were any or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeCoverage {
    /// The node's name; empty for imported captures, all together.
    pub node: String,
    /// The times that its segments cover, in nanoseconds since the Unix epoch: rising, and apart from each other by a
    /// second or more.
    pub spans: Vec<Range<i64>>,
}

/// Shorter gaps are not counted: where one capture file ends and the next begins, or a receiver was restarted.
const SHORTEST_GAP: i64 = 1_000_000_000;

/// Puts together what segments cover.
#[derive(Debug, Default)]
pub struct CoverageBuilder {
    nodes: BTreeMap<String, Vec<Range<i64>>>,
}

impl CoverageBuilder {
    /// Adds a time that a segment of a node covers, both ends included, in any order. It is fastest in the order of
    /// time.
    pub fn add(&mut self, node: &str, (from, to): (i64, i64)) {
        let span = from..to.saturating_add(1);
        match self.nodes.get_mut(node) {
            Some(spans) => push(spans, span),
            None => {
                self.nodes.insert(node.to_owned(), vec![span]);
            }
        }
    }

    /// The coverage of each node, by name. `windows` are those with results, rising: if nothing covers any part of
    /// one, what its results were made from is no longer known, and it counts as covered by a capture.
    #[must_use]
    pub fn finish(mut self, windows: impl IntoIterator<Item = Window>) -> Vec<NodeCoverage> {
        self.nodes.values_mut().for_each(merge);
        let mut all: Vec<Range<i64>> = self.nodes.values().flatten().cloned().collect();
        merge(&mut all);
        for window in windows {
            let first = all.partition_point(|span| span.end <= window.start());
            if all.get(first).is_none_or(|span| span.start >= window.end()) {
                self.add("", (window.start(), window.end() - 1));
            }
        }
        if let Some(spans) = self.nodes.get_mut("") {
            merge(spans);
        }
        self.nodes.into_iter().map(|(node, spans)| NodeCoverage { node, spans }).collect()
    }
}

/// Adds a span behind others, and to the last one if it follows it or lies within.
fn push(spans: &mut Vec<Range<i64>>, span: Range<i64>) {
    match spans.last_mut() {
        Some(last) if span.start >= last.start && span.start.saturating_sub(last.end) < SHORTEST_GAP => {
            last.end = last.end.max(span.end);
        }
        _ => spans.push(span),
    }
}

fn merge(spans: &mut Vec<Range<i64>>) {
    spans.sort_unstable_by_key(|span| span.start);
    let sorted = std::mem::take(spans);
    sorted.into_iter().for_each(|span| push(spans, span));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn coverage(segments: &[(&str, i64, i64)], windows: &[i64]) -> Vec<(String, Vec<(i64, i64)>)> {
        let mut builder = CoverageBuilder::default();
        segments.iter().for_each(|(node, from, to)| builder.add(node, (from * SECOND, to * SECOND - 1)));
        let coverage = builder.finish(windows.iter().map(|number| Window::from_number(*number)));
        let spans = |spans: Vec<Range<i64>>| {
            spans.iter().map(|span| (span.start / SECOND, span.end / SECOND)).collect()
        };
        coverage.into_iter().map(|one| (one.node, spans(one.spans))).collect()
    }

    #[test]
    fn times_that_touch_are_one() {
        let merged =
            coverage(&[("b", 60, 120), ("a", 0, 60), ("b", 0, 60), ("a", 60, 90), ("a", 61, 70)], &[]);
        assert_eq!(merged, [("a".to_owned(), vec![(0, 90)]), ("b".to_owned(), vec![(0, 120)])]);
        let apart = coverage(&[("a", 0, 60), ("a", 61, 90), ("a", 20, 40)], &[]);
        assert_eq!(apart, [("a".to_owned(), vec![(0, 60), (61, 90)])]);
    }

    #[test]
    fn results_without_known_packets_cover_their_window() {
        // Windows 0 to 3; the first is covered in part.
        let merged = coverage(&[("a", 100, 200)], &[0, 2, 3]);
        assert_eq!(merged, [(String::new(), vec![(1800, 3600)]), ("a".to_owned(), vec![(100, 200)])]);
        assert!(coverage(&[], &[]).is_empty());
    }
}
