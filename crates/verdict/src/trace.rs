//! Explains verdicts packet by packet.

use std::fmt;

use cutshort_packet::Flags;

use crate::findings::{Kind, Meaning, Segments, Shape, Syn};
use crate::verdict::{Ending, SECOND};
use crate::{
    ConnectionContext, DataSet, Findings, FlowContext, Outcome, Progress, Row, Rules, Split, Stage, Tag,
    origin,
};

/// The explanation of one verdict: each packet with its meaning, and the rules that decided.
///
/// ```
/// use cutshort_packet::Flags;
/// use cutshort_verdict::{Row, Rules, FlowContext, Trace};
///
/// let syn = Row { flags: Flags::SYN, seq: 1000, sample_rate: 1, ..Row::default() };
/// let rows = [
///     syn,
///     Row { ts: 30_000_000, flags: Flags::ACK, seq: 1001, ack: 5001, ..syn },
///     Row { ts: 31_000_000, flags: Flags::PSH | Flags::ACK, seq: 1001, ack: 5001, payload_len: 517, ..syn },
///     Row { ts: 40_000_000, flags: Flags::RST, seq: 1518, ..syn },
/// ];
/// let around = FlowContext { cutoff: 900_000_000_000, other_rsts: &[] };
/// let traces = Trace::of(&rows, &Rules::default(), &around);
///
/// let meanings: Vec<&str> = traces[0].steps.iter().map(|step| step.meaning).collect();
/// assert_eq!(meanings, ["SYN", "ack", "first message", "RST"]);
/// assert_eq!(traces[0].steps[3].rel, Some(518));
/// assert_eq!(traces[0].reasons[1], "It has a RST: reset (rule 1).");
/// assert!(traces[0].reasons[3].starts_with("Signature 11 (PSH+ACK → RST)"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// The data set by whose rules it was judged.
    pub data_set: DataSet,
    /// The rows in the order of time; in the data set `origin` in the order of arrival.
    pub steps: Vec<Step>,
    /// The outcome; `None` if the rows are the tail of an older connection.
    pub outcome: Option<Outcome>,
    /// The rules that led to the outcome, one sentence each.
    pub reasons: Vec<String>,
}

/// One row and its meaning for the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The row itself.
    pub row: Row,
    /// Sequence number relative to that of the SYN (docs/spec.md#rel); `None` without a SYN. In the data set `origin`, that of
    /// the acknowledgement of received rows.
    pub rel: Option<u32>,
    /// The meaning in a few words: `SYN`, `ack`, `first message`, `RST+ACK`, ...
    pub meaning: &'static str,
    /// Whether it repeats an earlier row and is not a RST (docs/spec.md#repeat).
    pub is_repeat: bool,
}

impl Trace {
    /// Judges the rows of one 5-tuple and window, which may be in any order (but see [`Split::of`]), and explains each
    /// verdict.
    ///
    /// Returns one trace per connection in the order of time; rows before the first SYN packet have a trace of their own,
    /// which comes first.
    #[must_use]
    pub fn of(rows: &[Row], rules: &Rules, around: &FlowContext<'_>) -> Vec<Self> {
        let mut rows = rows.to_vec();
        let set = rules.data_set;
        if set == DataSet::Tcp {
            rows.sort_by_key(|row| row.ts);
        }
        let split = Split::of(&mut rows, set);
        let tail = (!split.tail().is_empty()).then(|| Self::of_tail(split.tail(), set));
        let connections =
            split.parts().map(|part| Self::of_part(part.rows, rules, &around.around(part.next)));
        tail.into_iter().chain(connections).collect()
    }

    /// Returns the SYN packet that counts, the earliest one (docs/spec.md#one-syn); `None` if there is none.
    #[must_use]
    pub fn syn(&self) -> Option<&Row> {
        let rows = self.steps.iter().map(|step| &step.row);
        rows.filter(|row| row.is_syn()).min_by_key(|row| row.syn_order())
    }

    fn of_part(rows: &[Row], rules: &Rules, around: &ConnectionContext) -> Self {
        let findings = Findings::of(rows, rules.data_set);
        let outcome = findings.judge(rules, around);
        let reasons = reasons(&findings, rules, around, &outcome);
        let data_set = rules.data_set;
        Self { data_set, steps: steps(rows, data_set), outcome: Some(outcome), reasons }
    }

    fn of_tail(rows: &[Row], data_set: DataSet) -> Self {
        let reason =
            "These packets came before the first SYN on these ports: the tail of an older connection.";
        Self { data_set, steps: steps(rows, data_set), outcome: None, reasons: vec![reason.to_owned()] }
    }
}

fn steps(rows: &[Row], data_set: DataSet) -> Vec<Step> {
    if data_set == DataSet::Origin {
        return origin::trace::steps(rows);
    }
    let syn = Syn::of(rows);
    let step = |(at, row): (usize, &Row)| Step {
        row: *row,
        rel: syn.map(|syn| row.seq.wrapping_sub(syn.seq)),
        meaning: syn.as_ref().map_or("no SYN to count from", |syn| meaning(row, rows, syn)),
        is_repeat: !row.has_rst() && rows[..at].iter().any(|earlier| row.repeats(earlier)),
    };
    rows.iter().enumerate().map(step).collect()
}

fn meaning(row: &Row, rows: &[Row], syn: &Syn) -> &'static str {
    match Meaning::of(row, syn) {
        Meaning::Syn if row.payload_len > 0 => "SYN with payload",
        Meaning::Syn => "SYN",
        Meaning::Rst if row.flags.intersects(Flags::ACK) => "RST+ACK",
        Meaning::Rst => "RST",
        Meaning::EarlierRst => "earlier RST, of an older connection: ignored",
        Meaning::OddSyn => "SYN with other bits: ignored",
        Meaning::Tail => "tail of an older connection: ignored",
        Meaning::Segment { fin: true, data: false, .. } => "FIN",
        Meaning::Segment { data: true, end, .. } => match Segments::of(rows, syn).first_message {
            Some(first) if end > first => "more data",
            _ => "first message",
        },
        Meaning::Segment { .. } if row.payload_len > 0 => "keep-alive",
        Meaning::Segment { ack: true, .. } => "ack",
        Meaning::Segment { .. } => "neither ack nor data",
    }
}

fn reasons(findings: &Findings, rules: &Rules, around: &ConnectionContext, outcome: &Outcome) -> Vec<String> {
    let set = rules.data_set;
    let mut reasons = match &findings.kind {
        Kind::NoSyn | Kind::Itself => Vec::new(),
        Kind::Connection(shape) => {
            vec![progress(shape).to_owned(), ending(findings, shape, rules, around)]
        }
        Kind::Origin(shape) => origin::trace::reasons(findings, shape, rules, around).to_vec(),
    };
    reasons.extend(conclusion(set, outcome));
    reasons
}

/// What follows from the rules that held, in one or two sentences.
pub(crate) fn conclusion(set: DataSet, outcome: &Outcome) -> Vec<String> {
    let verdict = match outcome {
        Err(exclusion) => return vec![format!("Left out: {}.", set.exclusion_about(*exclusion))],
        Ok(verdict) => verdict,
    };
    let stage = match (verdict.stage, verdict.termination) {
        (Stage::None, termination) => format!("Stage none: {termination} is not anomalous."),
        (stage, _) => format!("Stage {}: {}", set.stage_title(stage), set.stage_about(stage)),
    };
    let signature = match verdict.signature {
        Some(signature) => {
            let (id, name) = (signature.id(), signature.name());
            format!("Signature {id} ({name}): {}", set.signature_about(signature))
        }
        None => "No signature matches.".to_owned(),
    };
    vec![stage, signature]
}

fn progress(shape: &Shape) -> &'static str {
    match (shape.progress, shape.tags.contains(Tag::Answered)) {
        (Progress::PostSyn, _) => "Neither an acknowledgement nor data came after the SYN.",
        (Progress::PostAck, false) => "The handshake was completed; no data came.",
        (Progress::PostAck, true) => "The handshake was completed and the server answered; no data came.",
        (Progress::PostPsh, false) => "The first message came, and no acknowledgement of an answer.",
        (Progress::PostPsh, true) => "The first message came, and an answer was acknowledged.",
        (Progress::Later, false) => {
            "Data beyond the first message came, and no acknowledgement of an answer."
        }
        (Progress::Later, true) => "Data beyond the first message came, and an answer was acknowledged.",
    }
}

fn ending(findings: &Findings, shape: &Shape, rules: &Rules, around: &ConnectionContext) -> String {
    let silent = Seconds(around.cutoff.saturating_sub(findings.last_ts));
    let guard = Seconds(rules.guard);
    match findings.ending(shape, rules, around) {
        Ending::Reset => "It has a RST: reset (rule 1).".to_owned(),
        Ending::ServerReset => "The other direction has a RST: server_reset (rule 2).".to_owned(),
        Ending::Fin => "It has a FIN: fin (rule 3).".to_owned(),
        Ending::Full => format!(
            "All of the {} packets that are kept were used, and {} of them only repeat: open (rule 4).",
            rules.packet_limit, shape.repeats
        ),
        Ending::TooLate => {
            format!(
                "It was silent for {silent} when the window or the capture ended, less than {guard} (rule 5)."
            )
        }
        Ending::RunsInto => {
            format!("It was silent for {silent} when its ports were used again, less than {guard} (rule 5).")
        }
        Ending::Timeout => format!("It was silent for {silent} and not answered: timeout (rule 6)."),
        Ending::Answered => {
            format!("It was silent for {silent}, but had been answered: open (rule 7).")
        }
    }
}

/// Nanoseconds, shown as seconds.
pub(crate) struct Seconds(pub(crate) i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0 as f64 / SECOND as f64)
    }
}
