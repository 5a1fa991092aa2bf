//! What is said of captures whose causes are known is what happened in them.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};

use cutshort_capture::{Captures, Reading};
use cutshort_initials::Opener;
use cutshort_packet::quic::{Found, HashKey, ServerPorts};
use cutshort_verdict::{DataSet, Outcome, Rules, Tag, Tracker};

/// Captures of QUIC clients with known causes, which are not part of this project.
fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/quic/captures");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    if paths.is_empty() {
        let _ = writeln!(std::io::stderr(), "NOT RUN: captures of QUIC clients are not here");
    }
    paths
}

/// The outcomes of the 5-tuples of clients, in the order of their first datagrams. The capture goes on for a minute without a
/// record, as a longer one would.
fn outcomes(path: &Path, opens: bool) -> Vec<Outcome> {
    let mut captures = Captures::open(&[path], &Reading::default());
    let mut opener = opens.then(Opener::default);
    let mut tracker = Tracker::new(Rules::of(DataSet::Quic));
    let mut last = 0;
    while let Some(record) = captures.record() {
        last = record.frame.ts;
        assert!(!tracker.record(last, None));
        match Found::parse(record.link.unwrap(), record.frame, &ServerPorts::default()) {
            Ok(Found::Udp(udp)) => {
                let mut row = udp.row(&HashKey::new([0; 16]));
                opener.iter_mut().for_each(|opener| opener.open(&udp, &mut row));
                tracker.add_datagram(&row);
            }
            Ok(Found::Icmp(rows)) => rows.iter().for_each(|row| tracker.add_datagram(row)),
            Err(_) => {}
        }
        captures.advance();
    }
    assert!(!tracker.record(last + 60_000_000_000, None));
    let mut outcomes = Vec::new();
    for window in tracker.finish() {
        window.for_each(|five_tuple, outcome, _| {
            if five_tuple.dst_port == 443 {
                outcomes.push(*outcome);
            }
        });
    }
    outcomes
}

/// `post_initial timeout; Initial; Initial → ∅; initial_repeated`, without the tag of the termination.
fn words(outcome: &Outcome) -> String {
    let verdict = match outcome {
        Ok(verdict) => verdict,
        Err(exclusion) => return exclusion.name().to_owned(),
    };
    let signature = verdict.signature.map_or("–", |signature| signature.name());
    let tags = verdict.tags.iter(DataSet::Quic).map(Tag::name);
    let tags: Vec<_> = tags.filter(|tag| *tag != verdict.termination.name()).collect();
    let stage = DataSet::Quic.stage_name(verdict.stage);
    format!("{stage} {} [{signature}] {}", verdict.termination.name(), tags.join(" "))
}

/// By what the router did, and who the client was if that makes a difference: what is said of each 5-tuple, without opening
/// Initial packets.
const EXPECTED: [(&str, &[&str]); 17] = [
    ("ok", &["none open [–] answered server_answered"]),
    ("retry", &["none open [–] answered retry server_answered"]),
    ("answer_lost", &[UNANSWERED]),
    ("c2s_after1", &[ONE_INITIAL]),
    // After two datagrams: a ClientHello of two; the whole handshake; a Handshake packet without 1-RTT.
    ("chrome_c2s_after2", &[ONE_INITIAL]),
    ("aio_c2s_after2", &[ONE_SHORT]),
    ("ngt_c2s_after2", &["post_answer timeout [Handshake → ∅] answered server_answered"]),
    // After four: from the second 1-RTT datagram on nothing is called cut short. Chromium tries again, and each time from a
    // new port as well.
    ("aio_c2s_after4", &["none client_gone [–] answered server_answered"]),
    ("ngt_c2s_after4", &["none open [–] answered server_answered"]),
    ("chrome_c2s_after4", &[ONE_SHORT, "no_initial", ONE_SHORT, "no_initial", ONE_SHORT, "no_initial"]),
    ("aio_c2s_short", &[ONE_SHORT]),
    ("chrome_c2s_short", &[ONE_SHORT, ONE_SHORT, ONE_SHORT]),
    ("ngt_c2s_short", &["post_handshake client_gone [1-RTT → ICMP] answered server_answered"]),
    ("s2c_short", &[UNCONFIRMED]),
    // The client's handshake was confirmed before.
    ("s2c_after3", &["none open [–] answered server_answered"]),
    ("chrome_noserver", &[REFUSED, REFUSED, REFUSED]),
    ("noserver", &["none server_unreachable [–] initial_repeated server_refused"]),
];
const UNANSWERED: &str = "post_initial timeout [Initial; Initial → ∅] initial_repeated server_answered";
const CLOSED: &str = "post_initial close [Initial; Initial → CLOSE] initial_repeated server_answered";
const ONE_INITIAL: &str = "post_initial timeout [Initial → ∅] server_answered";
const ONE_SHORT: &str = "post_handshake timeout [1-RTT → ∅] answered server_answered";
const UNCONFIRMED: &str =
    "post_handshake timeout [Handshake; Handshake → ∅] answered handshake_repeated server_answered";
const REFUSED: &str = "none server_unreachable [–] server_refused";

fn expected(name: &str) -> Vec<&'static str> {
    if name == "chrome_s2c_after3" {
        // It moved to another port, and then tried again; that time the handshake was not confirmed.
        return vec!["none open [–] answered server_answered", "no_initial", UNCONFIRMED];
    }
    let found = EXPECTED.iter().filter(|(end, _)| name == *end || name.ends_with(&format!("_{end}")));
    found.max_by_key(|(end, _)| end.len()).unwrap_or_else(|| panic!("{name} is new")).1.to_vec()
}

#[test]
fn verdicts_are_what_the_router_did() {
    for path in captures() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let all = |opens| outcomes(&path, opens).iter().map(words).collect::<Vec<_>>();
        assert_eq!(all(false), expected(name), "{name}");
        let close = |words| if words == UNANSWERED { CLOSED } else { words };
        let opened: Vec<_> = expected(name).into_iter().map(close).collect();
        assert_eq!(all(true), opened, "{name}, with Initial packets opened");
    }
}
