//! Explains verdicts datagram by datagram.

use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened};

use super::facts::ends;
use super::findings::{Connection, errors};
use super::judge::Ending;
use super::{Context, Findings};
use crate::trace::{Seconds, conclusion};
use crate::{DataSet, Exclusion, Outcome, Progress, Rules, Tag};

/// The explanation of one verdict of the data set `quic`: each row with its meaning, and the rules that decided.
///
/// ```
/// use cutshort_packet::FiveTuple;
/// use cutshort_packet::quic::{Datagram, Kinds};
/// use cutshort_verdict::quic::{Context, Trace};
/// use cutshort_verdict::{DataSet, Rules};
///
/// let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
/// let initial = Datagram { five_tuple, kinds: Kinds::INITIAL, dcid: Some(7), len: 1200, ..Datagram::ZERO };
/// let handshake = Datagram { ts: 1, kinds: Kinds::INITIAL | Kinds::HANDSHAKE, dcid: Some(9), ..initial };
/// let around = Context { cutoff: 900_000_000_000, other: None };
/// let trace = Trace::of(&[handshake, initial], &Rules::of(DataSet::Quic), &around).unwrap();
///
/// let meanings: Vec<&str> = trace.steps.iter().map(|step| step.meaning.as_str()).collect();
/// assert_eq!(meanings, ["Initial", "Initial + Handshake"]);
/// assert_eq!((trace.steps[0].dcid, trace.steps[1].dcid), (Some(0), Some(1)));
/// assert!(trace.reasons[0].starts_with("The client got an answer"));
/// assert!(trace.reasons[3].starts_with("Signature 105 (Handshake → ∅)"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// The rows in the order of time.
    pub steps: Vec<Step>,
    /// The outcome; `None` if the other direction counts for both.
    pub outcome: Option<Outcome>,
    /// The rules that led to the outcome, one sentence each.
    pub reasons: Vec<String>,
}

/// One row and its meaning for the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The row itself.
    pub row: Datagram,
    /// Which of the connection's destination ids it has, counted from 0 in the order of time.
    pub dcid: Option<usize>,
    /// The meaning in a few words: `Initial + Handshake`, `1-RTT`, ...
    pub meaning: String,
}

impl Trace {
    /// Judges the rows of one 5-tuple and window, in any order, and explains the verdict. Returns `None` if there is no
    /// datagram among them.
    #[must_use]
    pub fn of(rows: &[Datagram], rules: &Rules, around: &Context) -> Option<Self> {
        let findings = Findings::of(rows)?;
        if findings.counts_with_other(rules, around.other.as_ref()) {
            let reason =
                "Neither direction has an Initial packet: both count once, with the other direction.";
            return Some(Self { steps: steps(rows), outcome: None, reasons: vec![reason.to_owned()] });
        }
        let outcome = findings.judge(rules, around);
        let reasons = reasons(&findings, rules, around, &outcome);
        Some(Self { steps: steps(rows), outcome: Some(outcome), reasons })
    }
}

fn steps(rows: &[Datagram]) -> Vec<Step> {
    let initials = rows.iter().filter(|row| row.kinds.intersects(Kinds::INITIAL)).map(|row| row.ts);
    let since = ends(initials).map(|(first, _)| first);
    let datagrams = rows.iter().filter(|row| !row.is_icmp());
    let mut rows: Vec<Datagram> =
        datagrams.chain(since.into_iter().flat_map(|since| errors(rows, since))).copied().collect();
    rows.sort_by_key(|row| row.ts);
    let mut ids = Vec::new();
    let step = |row: Datagram| {
        let dcid = row.dcid.map(|id| {
            ids.iter().position(|known| *known == id).unwrap_or_else(|| {
                ids.push(id);
                ids.len() - 1
            })
        });
        Step { row, dcid, meaning: meaning(&row) }
    };
    rows.into_iter().map(step).collect()
}

/// Returns the datagrams among rows, without a verdict, in the order of time.
#[must_use]
pub fn datagrams(rows: &[Datagram]) -> Vec<Step> {
    let rows: Vec<Datagram> = rows.iter().filter(|row| !row.is_icmp()).copied().collect();
    steps(&rows)
}

impl Step {
    /// Returns the types of the packets that it has, in a fixed order: `Initial`, `0-RTT`, `Handshake`, `1-RTT`, `another
    /// version`, `no QUIC`, `cut`. None of an ICMP error.
    pub fn packets(&self) -> impl Iterator<Item = &'static str> + use<> {
        names(self.row.kinds)
    }
}

fn names(kinds: Kinds) -> impl Iterator<Item = &'static str> {
    NAMES.into_iter().filter(move |(kind, _)| kinds.intersects(*kind)).map(|(_, name)| name)
}

const NAMES: [(Kinds, &str); 7] = [
    (Kinds::INITIAL, "Initial"),
    (Kinds::ZERO_RTT, "0-RTT"),
    (Kinds::HANDSHAKE, "Handshake"),
    (Kinds::SHORT, "1-RTT"),
    (Kinds::OTHER_VERSION, "another version"),
    (Kinds::JUNK, "no QUIC"),
    (Kinds::CUT, "cut"),
];

fn meaning(row: &Datagram) -> String {
    match row.icmp {
        Some(Icmp::Port) => return "ICMP error: the client has no such socket".to_owned(),
        Some(Icmp::Other) => return "ICMP error: the client cannot be reached".to_owned(),
        Some(Icmp::Server) => return "ICMP error of our side: refused".to_owned(),
        None => {}
    }
    let mut meaning = names(row.kinds).collect::<Vec<_>>().join(" + ");
    if row.has_token() == Some(true) {
        meaning += ", with a token";
    }
    meaning += match row.opened {
        Opened::No | Opened::OwnId => "",
        Opened::Failed => ", not opened",
        Opened::EarlierId => ", opened by an earlier id",
    };
    if row.frames.intersects(Frames::ACK) {
        meaning += ", ACK";
    }
    match row.close_code {
        Some(code) => meaning += &format!(", CLOSE {code:#x}"),
        None if row.frames.intersects(Frames::CLOSE) => meaning += ", CLOSE",
        None => {}
    }
    meaning
}

fn reasons(findings: &Findings, rules: &Rules, around: &Context, outcome: &Outcome) -> Vec<String> {
    let mut reasons = match findings.connection(rules, around.other.as_ref()) {
        Err(_) => Vec::new(),
        Ok(connection) => {
            vec![progress(connection).to_owned(), ending(findings, connection, rules, around)]
        }
    };
    match outcome {
        Err(Exclusion::MultipleConnections) => {
            reasons.push("Its ids, tokens or times show more than one connection on these ports.".to_owned());
        }
        Err(Exclusion::NoInitial) => reasons.push("There is no Initial packet.".to_owned()),
        _ => {}
    }
    reasons.extend(conclusion(DataSet::Quic, outcome));
    reasons
}

const fn progress(connection: &Connection) -> &'static str {
    match connection.progress {
        Progress::PostSyn if connection.tags.contains(Tag::Retry) => {
            "Nothing shows an answer but a Retry, which is none."
        }
        Progress::PostSyn => "Nothing shows that the client got an answer.",
        Progress::PostAck => "The client got an answer; no 1-RTT packet came.",
        Progress::PostPsh => "1-RTT packets came, and nothing shows that the server confirmed the handshake.",
        Progress::Later => "More 1-RTT packets came than an unconfirmed handshake has.",
    }
}

fn ending(findings: &Findings, connection: &Connection, rules: &Rules, around: &Context) -> String {
    let silent = Seconds(around.cutoff.saturating_sub(findings.datagrams.1));
    let guard = Seconds(rules.guard);
    match findings.ending(connection, rules, around) {
        Ending::Refused => {
            "An ICMP error of our own side refused the client: server_unreachable (rule 1).".to_owned()
        }
        Ending::Closed => "An Initial packet has a CONNECTION_CLOSE: close (rule 2).".to_owned(),
        Ending::Full => format!(
            "All of the {} datagrams that are kept were used, and it was answered: open (rule 3).",
            rules.packet_limit
        ),
        Ending::Burst => format!(
            "All of the {} datagrams that are kept came within 150 ms: open (rule 4).",
            rules.packet_limit
        ),
        Ending::Gone => {
            "An ICMP error after its last datagram says that the client has no such socket: client_gone (rule 5)."
                .to_owned()
        }
        Ending::TooLate => format!(
            "It was silent for {silent} when the window or the capture ended, less than {guard} (rule 6)."
        ),
        Ending::Later => format!("It was silent for {silent}, after more 1-RTT packets: open (rule 7)."),
        Ending::Timeout => format!("It was silent for {silent}: timeout (rule 8)."),
    }
}
