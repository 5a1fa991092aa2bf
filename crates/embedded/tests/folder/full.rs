//! A disk without room: nothing is lost, nothing is half done, and it goes on when there is room again.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use cutshort_model::Window;
use cutshort_packet::Packet;
use cutshort_store::{Store, StoreError};

use super::{files, open};
use crate::conformance::{START, file, groups, made, packet, replace};

const FOLDER: &str = "CUTSHORT_SMALL_DISK";

/// Runs the test below once more, in a namespace in which a small disk can be mounted.
#[test]
fn a_full_disk_is_survived() {
    let folder = super::new();
    let test = std::env::current_exe().unwrap();
    let script = "mount -t tmpfs -o size=1500k tmpfs \"$1\" && exec \"$2\" --exact folder::full::on_a_small_disk --ignored";
    let mut mount = Command::new("unshare");
    mount.args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs \"$0\""]).arg(folder.path());
    if !mount.status().is_ok_and(|status| status.success()) {
        // Past the capture of the test's output, so that it is seen.
        let _ = writeln!(std::io::stderr(), "NOT RUN: a small disk cannot be mounted here (unshare -rm)");
        return;
    }
    let ran = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, "sh"])
        .args([folder.path(), &test])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && output.contains("1 passed"), "{output}");
}

#[test]
#[ignore = "run by the test above"]
fn on_a_small_disk() {
    let folder = std::env::var(FOLDER).unwrap();
    let folder = Path::new(&folder);
    let store = open(folder);
    store.append(&file(vec![packet(1, START)])).unwrap();
    replace(&store, START, &[made(1, START)]);
    let ballast = folder.join("open/ballast");
    let before = (store.status().unwrap(), files(folder).len());
    // There is room for a page or two, not for a segment.
    let large = file((0..20_000_u32).map(noise).collect());
    assert!(large.bytes().len() > 300_000);
    let mut room = 1_400_000;
    while std::fs::write(&ballast, vec![1; room]).is_err() {
        room -= 4096;
    }
    assert!(matches!(store.append(&large), Err(StoreError::Full(_))));
    let replaced = write_many(&store);
    assert!(matches!(replaced, Err(StoreError::Full(_))), "{replaced:?}");
    assert_eq!((store.status().unwrap(), files(folder).len()), (before.0, before.1 + 1));
    assert_eq!(groups(&store, START, 1).len(), 1, "it still answers");
    std::fs::remove_file(&ballast).unwrap();
    store.append(&large).unwrap();
    replace(&store, START, &[made(2, START)]);
    drop(store);
    let status = open(folder).status().unwrap();
    assert_eq!((status.segments, status.windows, status.damaged.len()), (2, 1, 0));
}

/// A packet that cannot be compressed.
fn noise(at: u32) -> Packet {
    let (seq, ack) = (at.wrapping_mul(0x9e37_79b9), at.wrapping_mul(0x85eb_ca6b) ^ 0x5bd1_e995);
    Packet {
        seq,
        ack,
        ip_id: (seq >> 9) as u16,
        tcp_window: (ack >> 7) as u16,
        payload_len: seq ^ ack,
        ..packet(at as u8, START + i64::from(seq))
    }
}

fn write_many(store: &dyn Store) -> cutshort_store::Result<()> {
    let replacement = store.replace(Window::containing(START))?;
    let mut sink = replacement.sink()?;
    for at in 0..200_000_u32 {
        let mut connection = made(at as u8, START + i64::from(at) * 7919);
        connection.verdict.silent = i64::from(at.wrapping_mul(0x9e37)) * 1_000;
        sink.write(&connection.connection())?;
    }
    sink.finish()?;
    replacement.commit(Default::default(), Default::default(), &cutshort_store::cell::Cells::default())
}
