//! The settings of the rules change what docs/spec.md says they change.

use serde_json::Value;

use crate::common::packets::{ACK, FIN, PSH, SYN, Tcp, pcap, record, request};
use crate::common::{capture, run, run_with_input};

fn summary(arguments: &str, file: &[u8]) -> Value {
    run_with_input(&format!("classify -f json {arguments} -"), &[] as &[&str], file).fine().json()
}

/// Connections, those that timed out, incomplete 5-tuples, and those without SYN.
fn counts(summary: &Value) -> [u64; 4] {
    let excluded = &summary["excluded"];
    let timeout = &summary["terminations"]["timeout"]["count"];
    [&summary["connections"], timeout, &excluded["incomplete"], &excluded["no_syn"]]
        .map(|count| count.as_u64().unwrap())
}

/// A request that is silent for exactly so long, and then something of another protocol.
fn silent_for(ms: u64) -> Vec<u8> {
    let packets = request(Tcp { ms: 1_764_000_000_000, ..Tcp::default() });
    let mut udp = Tcp::default().bytes();
    udp[9] = 17;
    let mut file = pcap(&packets);
    file.extend(record(packets[2].ms + ms, &udp));
    file
}

#[test]
fn the_guard_is_the_silence_that_makes_a_timeout() {
    for (arguments, ms, timeout) in [
        ("", 10_000, true),
        ("", 9_999, false),
        ("--guard 9s", 9_000, true),
        ("--guard 10500ms", 10_499, false),
        ("--guard 10500ms", 10_500, true),
        ("--guard 0s", 0, true),
    ] {
        let expected = if timeout { [1, 1, 0, 0] } else { [0, 0, 1, 0] };
        assert_eq!(counts(&summary(arguments, &silent_for(ms))), expected, "{arguments} after {ms} ms");
    }
}

#[test]
fn the_guard_decides_in_recorded_captures_too() {
    let read = |arguments| counts(&run(arguments, &[capture("unanswered")]).fine().json());
    assert_eq!(read("classify -f json"), [2, 2, 0, 2]);
    assert_eq!(read("classify -f json --guard 1m"), [0, 0, 2, 2]);
}

/// SYN, request, answer acknowledged and FIN, of which the last two lie in the next window.
fn across(boundary: u64) -> Vec<u8> {
    let mut packets = request(Tcp { ms: boundary - 500, ..Tcp::default() }).to_vec();
    let last = packets[2];
    packets.push(Tcp { ms: boundary, flags: ACK, seq: last.seq + 100, ack: 5100, payload: 0, ..last });
    packets.push(Tcp {
        ms: boundary + 1,
        flags: FIN | ACK,
        seq: last.seq + 100,
        ack: 5100,
        payload: 0,
        ..last
    });
    pcap(&packets)
}

#[test]
fn windows_are_aligned_and_cut_connections() {
    // 1_764_000_900 s is a multiple of 900 s; 30 s later begins a window of 30 s only.
    let boundary = 1_764_000_900_000;
    let in_the_middle = boundary + 30_000;
    let whole = [1, 0, 0, 0];
    // The SYN's part ends half a second before its window does: not silent for 10 s.
    let parted = [0, 0, 1, 1];
    for (arguments, at, expected) in [
        ("", boundary, parted),
        ("--window 15m", boundary, parted),
        ("--window 7m", boundary, whole),
        ("", in_the_middle, whole),
        ("--window 30s", in_the_middle, parted),
        ("--window 1h", in_the_middle, whole),
    ] {
        assert_eq!(counts(&summary(arguments, &across(at))), expected, "{arguments} at {at}");
    }
    assert_eq!(counts(&summary("--guard 100ms", &across(boundary))), [1, 1, 0, 1]);
}

/// A SYN, an ACK, ten data packets and a FIN.
fn long() -> Vec<u8> {
    let [syn, ack, data] = request(Tcp { flags: SYN, ..Tcp::default() });
    let part = |at: u32| Tcp { ms: data.ms + u64::from(at), seq: data.seq + 100 * at, ..data };
    let fin = Tcp { ms: data.ms + 20, flags: FIN | ACK, seq: data.seq + 1000, payload: 0, ..data };
    let packets: Vec<_> = [syn, ack].into_iter().chain((0..10).map(part)).chain([fin]).collect();
    assert!(packets[5].flags == PSH | ACK);
    pcap(&packets)
}

#[test]
fn the_limit_is_how_many_packets_are_taken() {
    for (arguments, termination, taken) in
        [("", "open", 10), ("--limit 13", "fin", 13), ("--limit 5", "open", 5)]
    {
        let read =
            |format| run_with_input(&format!("classify -f {format} {arguments} -"), &[] as &[&str], &long());
        let lines = read("jsonl").fine().lines();
        assert_eq!((lines.len(), &lines[0]["termination"]), (1, &termination.into()), "{arguments}");
        assert_eq!(lines[0]["packets"], taken, "{arguments}");
        assert_eq!(read("json").fine().json()["beyond_limit"], 13 - taken, "{arguments}");
    }
}
