//! Scenario files of the data set `origin`; tests/scenarios/README.md explains the format.

use std::path::Path;

use cutshort_packet::{FiveTuple, Flags, Packet, Unreachable};
use cutshort_verdict::{DataSet, FlowContext, Outcome, Rules, Signature, Tag, Trace};
use serde::Deserialize;

use crate::oracle::Record;
use crate::random::SECOND;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    packets: Vec<String>,
    #[serde(default = "isn")]
    isn: u32,
    input_ends: Option<f64>,
    packet_limit: Option<u32>,
    #[serde(default)]
    itself: bool,
    expect: Vec<Expect>,
}

const fn isn() -> u32 {
    1000
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    excluded: Option<String>,
    #[serde(default)]
    by_server: bool,
    stage: Option<String>,
    termination: Option<String>,
    progress: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    signature: Option<u8>,
    packets: Option<u32>,
    completed: Option<bool>,
    rst_ttl_delta: Option<i16>,
    rst_ip_id_delta: Option<u16>,
    handshake_us: Option<i64>,
    first_byte_us: Option<i64>,
    sample_rate: Option<u32>,
    silent_us: Option<i64>,
}

#[test]
fn scenarios_are_judged_as_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/origin");
    let page = std::fs::read_to_string(folder.join("../../../docs/origin.md")).unwrap();
    let (mut failures, mut files) = (String::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: File = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let anchor = file.about.split_once('#').and_then(|(_, rest)| rest.split_once(':')).unwrap().0;
        let has_anchor = page.contains(&format!("<a id=\"{anchor}\"></a>"));
        assert!(has_anchor, "{}: docs/origin.md has no anchor {anchor}", path.display());
        files += 1;
        for wrong in check(&file) {
            failures += &format!("{}: {wrong}\n", path.file_name().unwrap().display());
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(files > 50, "{files} scenarios");
}

fn five_tuple(itself: bool) -> FiveTuple {
    let (opener, server) = (([198, 51, 100, 7], 40112), ([203, 0, 113, 5], 443));
    let server = if itself { opener } else { server };
    FiveTuple::new(opener.0.into(), opener.1, server.0.into(), server.1)
}

fn check(file: &File) -> Vec<String> {
    let usual = Rules::of(DataSet::Origin);
    let rules = Rules { packet_limit: file.packet_limit.unwrap_or(usual.packet_limit), ..usual };
    let records: Vec<Record> = file.packets.iter().map(|line| record(line, file)).collect();
    let last = records.iter().map(Record::ts).max().unwrap();
    let window_ends = rules.window_start(rules.window_of(last) + 1);
    let ends = file.input_ends.map_or(window_ends, nanoseconds);
    let (judged, _) = crate::judge(&records, ends, &rules);
    let mut wrong = Vec::new();
    if judged.len() != file.expect.len() {
        wrong.push(format!("{} outcomes, expected {}: {judged:?}", judged.len(), file.expect.len()));
    }
    for (at, ((opener, _, outcome), expect)) in judged.iter().zip(&file.expect).enumerate() {
        let expected = expect.fields(outcome);
        for (name, found, expected) in expected.into_iter().filter(|(_, found, expected)| found != expected) {
            wrong.push(format!("connection {}: {name}: expected {expected}, found {found}", at + 1));
        }
        if expect.by_server != (*opener != five_tuple(false)) && !file.itself {
            wrong.push(format!("connection {}: opened by {opener}", at + 1));
        }
    }
    for window in crate::windows(&records, ends, &rules) {
        for five_tuple in window.five_tuples() {
            let Some((rows, _)) = window.rows(&five_tuple) else { continue };
            let around = FlowContext { cutoff: window.cutoff(), other_rsts: &[] };
            let traced: Vec<Option<Outcome>> =
                Trace::of(rows, &rules, &around).into_iter().map(|trace| trace.outcome).collect();
            let mut own = Vec::new();
            window.for_each(|opener, outcome, _| {
                if *opener == five_tuple {
                    own.push(Some(*outcome));
                }
            });
            if traced != own {
                wrong.push("a trace differs".to_owned());
            }
        }
    }
    wrong
}

impl Expect {
    /// Names, found and expected values.
    fn fields(&self, outcome: &Outcome) -> Vec<(&'static str, String, String)> {
        let show = |value: &dyn std::fmt::Debug| format!("{value:?}");
        let verdict = match outcome {
            Err(exclusion) => {
                return vec![("excluded", exclusion.to_string(), show_name(self.excluded.as_ref()))];
            }
            Ok(verdict) => verdict,
        };
        let stage = self.stage.clone().unwrap_or_else(|| "none".to_owned());
        let tags: Vec<&str> = verdict.tags.iter(DataSet::Origin).map(Tag::name).collect();
        let mut fields = vec![
            ("excluded", "null".to_owned(), show_name(self.excluded.as_ref())),
            ("stage", verdict.stage.to_string(), stage.clone()),
            ("termination", verdict.termination.to_string(), show_name(self.termination.as_ref())),
            ("tags", tags.join(", "), self.tags.join(", ")),
            ("signature", show(&verdict.signature.map(Signature::id)), show(&self.signature)),
            ("rst_ttl_delta", show(&verdict.rst_ttl_delta), show(&self.rst_ttl_delta)),
            ("rst_ip_id_delta", show(&verdict.rst_ip_id_delta), show(&self.rst_ip_id_delta)),
        ];
        let micros = |nanos: Option<i64>| nanos.map(|nanos| nanos / 1000);
        let numbers = [
            ("packets", Some(i64::from(verdict.packets)), self.packets.map(i64::from)),
            ("sample_rate", Some(i64::from(verdict.sample_rate)), self.sample_rate.map(i64::from)),
            ("silent_us", micros(Some(verdict.silent)), self.silent_us),
        ];
        let given = numbers.into_iter().filter(|(_, _, expected)| expected.is_some());
        fields.extend(given.map(|(name, found, expected)| (name, show(&found), show(&expected))));
        // -1 stands for null; what is not given is not compared.
        let times = [
            ("handshake_us", micros(verdict.handshake), self.handshake_us),
            ("first_byte_us", micros(verdict.first_byte), self.first_byte_us),
        ];
        for (name, found, expected) in times {
            if let Some(expected) = expected {
                fields.push((name, show(&found.unwrap_or(-1)), show(&expected)));
            }
        }
        if let Some(completed) = self.completed {
            fields.push(("completed", show(&verdict.completed_handshake()), show(&completed)));
        }
        if let Some(progress) = &self.progress {
            fields.push(("progress", verdict.progress.name().to_owned(), progress.clone()));
        }
        fields
    }
}

fn show_name(name: Option<&String>) -> String {
    name.cloned().unwrap_or_else(|| "null".to_owned())
}

fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64 * (SECOND / 1_000_000)
}

fn record(line: &str, file: &File) -> Record {
    let mut words = line.split_whitespace().peekable();
    let ts = nanoseconds(words.next().unwrap().parse().unwrap());
    let is_received = words.next_if_eq(&"<").is_some();
    let flags = words.next().unwrap_or_else(|| panic!("`{line}`: no flags"));
    let is_icmp = flags == "ICMP";
    let own = five_tuple(file.itself);
    let flags = if is_icmp { Flags::default() } else { Flags::from_letters(flags).unwrap() };
    let mut packet = Packet {
        ts,
        five_tuple: if is_received { own.reversed() } else { own },
        ttl: 64,
        flags,
        seq: if is_received && !is_icmp { 5000 } else { file.isn },
        tcp_window: 64_240,
        sample_rate: 1,
        ..Packet::ZERO
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or_else(|| panic!("`{line}`: {word} has no ="));
        let number: u32 = value.parse().unwrap_or_else(|_| panic!("`{line}`: {word}"));
        match key {
            "seq" => packet.seq = number,
            "rel" => packet.seq = packet.seq.wrapping_add(number),
            "ack" => packet.ack = number,
            "to" => packet.ack = file.isn.wrapping_add(number),
            "len" => packet.payload_len = number,
            "ttl" => packet.ttl = number.try_into().unwrap(),
            "id" => packet.ip_id = number.try_into().unwrap(),
            "rate" => packet.sample_rate = number,
            _ => panic!("`{line}`: {key} is unknown"),
        }
    }
    if is_icmp {
        let Packet { five_tuple, seq, ip_id, ttl, .. } = packet;
        return Record::Icmp(Unreachable { ts, five_tuple: five_tuple.reversed(), seq, ip_id, ttl });
    }
    Record::Packet(packet)
}
