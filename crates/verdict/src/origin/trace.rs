//! Explains verdicts packet by packet.

use cutshort_packet::Flags;

use super::reading::{Meaning, Reading, Sent, has};
use super::{Ending, Shape};
use crate::trace::Seconds;
use crate::{ConnectionContext, Findings, Progress, Row, Rules, Step, Tag};

/// The rows of one connection, in their order, with what each of them means.
pub(crate) fn steps(rows: &[Row]) -> Vec<Step> {
    let reading = Reading::of(rows);
    let step = |(at, row): (usize, &Row)| Step {
        row: *row,
        rel: reading.as_ref().map(|reading| relative(reading, row)),
        meaning: reading.as_ref().map_or("no SYN to count from", |reading| meaning(reading, row)),
        is_repeat: !row.has_rst() && rows[..at].iter().any(|earlier| row.repeats(earlier)),
    };
    rows.iter().enumerate().map(step).collect()
}

/// Counted from our SYN: the sequence number of what we sent, and the acknowledgement number of what we received, since that
/// says how far we got.
fn relative(reading: &Reading<'_>, row: &Row) -> u32 {
    let number = if row.is_received() && !row.is_icmp() { row.ack } else { row.seq };
    reading.rel(number).wrapping_add(1)
}

fn meaning(reading: &Reading<'_>, row: &Row) -> &'static str {
    let with_ack = has(row, Flags::ACK);
    match reading.meaning(row) {
        Meaning::Syn if row.payload_len > 0 => "our SYN with payload",
        Meaning::Syn => "our SYN",
        Meaning::Old => "numbers of an older connection: ignored",
        Meaning::Other => "other bits: ignored",
        Meaning::Icmp => "ICMP error: unreachable",
        Meaning::Sent(Sent::Rst) if with_ack => "our RST+ACK",
        Meaning::Sent(Sent::Rst) => "our RST",
        Meaning::Sent(Sent::OtherRst) => "our RST, not of our decision",
        Meaning::Sent(Sent::Fin) => "our FIN",
        Meaning::Sent(Sent::EarlierFin) => "our FIN, before the latest SYN",
        Meaning::Sent(Sent::Data) if row.payload_len > 0 => "our data",
        Meaning::Sent(Sent::Data) => "ours, without data",
        Meaning::Rst if with_ack => "RST+ACK of the server",
        Meaning::Rst => "RST of the server",
        Meaning::EarlierRst => "earlier RST, of an older connection: ignored",
        Meaning::SynAck if row.payload_len > 0 => "SYN+ACK with an answer",
        Meaning::SynAck => "SYN+ACK",
        Meaning::Segment if has(row, Flags::FIN) && row.payload_len > 0 => "answer and FIN of the server",
        Meaning::Segment if has(row, Flags::FIN) => "FIN of the server",
        Meaning::Segment if row.payload_len > 0 => "answer",
        Meaning::Segment => "ack of the server",
        Meaning::Late => "late, we had closed: ignored",
    }
}

/// Why the verdict is what it is: how far the connection got, and which rule decided.
pub(crate) fn reasons(
    findings: &Findings,
    shape: &Shape,
    rules: &Rules,
    around: &ConnectionContext,
) -> [String; 2] {
    [progress(shape).to_owned(), ending(findings, shape, rules, around)]
}

const fn progress(shape: &Shape) -> &'static str {
    match (shape.progress, shape.tags.contains(Tag::Answered)) {
        (Progress::PostSyn, _) => "Nothing shows that the server accepted the connection.",
        (Progress::PostAck, false) => {
            "The server accepted the connection, and acknowledged nothing that we sent."
        }
        (Progress::PostAck, true) => {
            "The server accepted the connection and sent something, and acknowledged nothing that we sent."
        }
        (Progress::PostPsh, false) => "The server acknowledged our first message, and sent no answer.",
        (Progress::PostPsh, true) => "The server acknowledged our first message, and sent something.",
        (Progress::Later, _) => "The server answered our first message, and acknowledged more.",
    }
}

fn ending(findings: &Findings, shape: &Shape, rules: &Rules, around: &ConnectionContext) -> String {
    let silent = Seconds(around.cutoff.saturating_sub(findings.last_ts));
    let guard = Seconds(rules.guard);
    match shape.ending(findings, rules, around) {
        Ending::Reset => "It has a RST of the server: reset (rule 1).".to_owned(),
        Ending::ServerFin => "It has a FIN of the server: fin (rule 2).".to_owned(),
        Ending::Unreachable => {
            "An ICMP error says that the server cannot be reached: unreachable (rule 3).".to_owned()
        }
        Ending::Closed => "We closed it after the server had sent something: fin (rule 4).".to_owned(),
        Ending::GaveUp => "We closed it, and the server had sent nothing: gave_up (rule 4).".to_owned(),
        Ending::Full => format!(
            "All of the {} packets that are kept were used, and {} of them only repeat: open (rule 5).",
            rules.row_limit(),
            shape.repeats
        ),
        Ending::TooLate => format!(
            "It was silent for {silent} when the window or the capture ended, less than {guard} (rule 6)."
        ),
        Ending::RunsInto => {
            format!("It was silent for {silent} when its ports were used again, less than {guard} (rule 6).")
        }
        Ending::Answered => {
            format!("It was silent for {silent}, but the server had sent something: open (rule 7).")
        }
        Ending::Unused => {
            format!("It was silent for {silent}, but we had asked for nothing: open (rule 8).")
        }
        Ending::Timeout => format!("It was silent for {silent} and not answered: timeout (rule 9)."),
    }
}
