//! Initial packets of real clients can be opened, and tell what these did.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};

use cutshort_capture::{Captures, Reading};
use cutshort_initials::Opener;
use cutshort_packet::quic::{Datagram, Found, Frames, HashKey, Kinds, Opened, ServerPorts};

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

/// The opened rows of what clients sent to port 443.
fn rows(path: &Path) -> Vec<Datagram> {
    let (mut captures, mut opener) = (Captures::open(&[path], &Reading::default()), Opener::default());
    let (ports, key) = (ServerPorts::default(), HashKey::new([0; 16]));
    let mut rows = Vec::new();
    while let Some(record) = captures.record() {
        if let Ok(Found::Udp(udp)) = Found::parse(record.link.unwrap(), record.frame, &ports) {
            let mut row = udp.row(&key);
            opener.open(&udp, &mut row);
            rows.push(row);
        }
        captures.advance();
    }
    rows.retain(|row| {
        ports.only_of(row.five_tuple.src_port, row.five_tuple.dst_port) == Some(row.five_tuple.dst_port)
    });
    rows
}

fn is_named(path: &Path, part: &str) -> bool {
    path.file_stem().unwrap().to_str().unwrap().contains(part)
}

#[test]
fn every_initial_packet_of_a_client_is_opened() {
    for path in captures() {
        for row in rows(&path) {
            let is_tried = row.opened != Opened::No;
            assert_eq!(is_tried, row.kinds.intersects(Kinds::INITIAL), "{}: {row:?}", path.display());
            assert_ne!(row.opened, Opened::Failed, "{}: {row:?}", path.display());
            assert_eq!(row.close_code.is_some(), row.frames.intersects(Frames::CLOSE));
        }
    }
}

#[test]
fn clients_acknowledge_answers_with_their_first_keys() {
    for path in captures().iter().filter(|path| is_named(path, "_ok")) {
        let rows = rows(path);
        assert_eq!(rows[0].opened, Opened::OwnId);
        let answered: Vec<_> = rows.iter().filter(|row| row.frames.intersects(Frames::ACK)).collect();
        assert!(!answered.is_empty(), "{}", path.display());
        for row in answered {
            assert_eq!(row.opened, Opened::EarlierId, "{}: the id is the server's now", path.display());
        }
    }
}

#[test]
fn a_retry_begins_with_new_keys() {
    for path in captures().iter().filter(|path| is_named(path, "_retry")) {
        let rows = rows(path);
        let initials = |token: bool| {
            rows.iter()
                .filter(move |row| row.kinds.intersects(Kinds::INITIAL) && row.has_token() == Some(token))
        };
        let (without, mut with) = (initials(false).count(), initials(true));
        assert!(without > 0 && with.all(|row| row.opened != Opened::Failed), "{}", path.display());
        assert_eq!(initials(true).next().unwrap().opened, Opened::OwnId, "{}", path.display());
    }
}

#[test]
fn clients_that_are_not_answered_close() {
    for path in captures().iter().filter(|path| is_named(path, "answer_lost")) {
        let rows = rows(path);
        assert!(rows.last().unwrap().frames.intersects(Frames::CLOSE), "{}", path.display());
        assert!(!rows.iter().any(|row| row.frames.intersects(Frames::ACK)), "{}", path.display());
    }
}
