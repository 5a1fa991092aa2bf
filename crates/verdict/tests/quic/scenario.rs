//! Scenario files of the data set `quic`; tests/scenarios/README.md explains the format.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cutshort_packet::FiveTuple;
use cutshort_packet::quic::{Datagram, Frames, Icmp, Kinds, Opened, ServerPorts, Version};
use cutshort_verdict::{DataSet, Outcome, Rules, Signature, Tag};
use serde::Deserialize;

use crate::oracle;
use crate::random::SECOND;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    about: String,
    rows: Vec<String>,
    #[serde(default = "client_port")]
    client_port: u16,
    #[serde(default = "server_port")]
    server_port: u16,
    /// The server ports; none for any.
    #[serde(default = "server_ports")]
    server_ports: Vec<u16>,
    input_ends: Option<f64>,
    packet_limit: Option<u32>,
    expect: Vec<Expect>,
}

const fn client_port() -> u16 {
    40112
}

const fn server_port() -> u16 {
    443
}

fn server_ports() -> Vec<u16> {
    vec![443]
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
    version: Option<String>,
    close_code: Option<u64>,
    packets: Option<u32>,
    sample_rate: Option<u32>,
    silent_us: Option<i64>,
    first: Option<f64>,
    last: Option<f64>,
}

fn files() -> Vec<(PathBuf, File)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/quic");
    let read = |path: PathBuf| {
        let file = toml::from_str(&std::fs::read_to_string(&path).unwrap());
        (path.clone(), file.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    std::fs::read_dir(folder).unwrap().map(|entry| read(entry.unwrap().path())).collect()
}

#[test]
fn scenarios_are_judged_as_they_say() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/quic.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (mut failures, files) = (String::new(), files());
    for (path, file) in &files {
        let anchor = file.about.strip_prefix("quic.md#").and_then(|rest| rest.split_once(':')).unwrap().0;
        let has_anchor = page.contains(&format!("<a id=\"{anchor}\"></a>"));
        assert!(has_anchor, "{}: docs/quic.md has no anchor {anchor}", path.display());
        for wrong in check(file) {
            failures += &format!("{}: {wrong}\n", path.file_name().unwrap().display());
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(files.len() > 80, "{} scenarios", files.len());
}

#[test]
fn scenarios_cover_every_term() {
    let set = DataSet::Quic;
    let files = files();
    let all = || files.iter().flat_map(|(_, file)| &file.expect);
    let assert_all = |what: &str, known: BTreeSet<String>, used: BTreeSet<String>| {
        assert_eq!(used, known, "every {what} is expected by a scenario");
    };
    let stages = set.stages().iter().map(|stage| set.stage_name(*stage).to_owned()).collect();
    let used = all().filter(|expect| expect.excluded.is_none());
    assert_all("stage", stages, used.map(|expect| expect.stage.clone().unwrap_or_else(none)).collect());
    let terminations = set.terminations().iter().map(ToString::to_string).collect();
    assert_all("termination", terminations, all().filter_map(|expect| expect.termination.clone()).collect());
    let exclusions = set.exclusions().iter().map(ToString::to_string).collect();
    assert_all("exclusion", exclusions, all().filter_map(|expect| expect.excluded.clone()).collect());
    let tags = set.tags().iter().map(ToString::to_string).collect();
    assert_all("tag", tags, all().flat_map(|expect| expect.tags.clone()).collect());
    let ids = set.signatures().iter().map(|signature| signature.id().to_string()).collect();
    assert_all("signature", ids, all().filter_map(|expect| Some(expect.signature?.to_string())).collect());
}

fn none() -> String {
    "none".to_owned()
}

fn five_tuple(file: &File) -> FiveTuple {
    FiveTuple::new([198, 51, 100, 7].into(), file.client_port, [203, 0, 113, 5].into(), file.server_port)
}

fn check(file: &File) -> Vec<String> {
    let usual = Rules::of(DataSet::Quic);
    let rules = Rules {
        packet_limit: file.packet_limit.unwrap_or(usual.packet_limit),
        server_ports: ServerPorts::new(&file.server_ports).unwrap_or(ServerPorts::ANY),
        ..usual
    };
    let rows: Vec<Datagram> = file.rows.iter().map(|line| row(line, file)).collect();
    let last = rows.iter().map(|row| row.ts).max().unwrap();
    let window_ends = rules.window_start(rules.window_of(last) + 1);
    let ends = file.input_ends.map_or(window_ends, nanoseconds);
    let mut judged: Vec<(FiveTuple, Outcome)> = Vec::new();
    let mut wrong = Vec::new();
    for window in crate::windows(&rows, ends, &rules) {
        let mut of_window = Vec::new();
        window.for_each(|five_tuple, outcome, _| of_window.push((*five_tuple, *outcome)));
        let arrived: Vec<Datagram> = rows
            .iter()
            .filter(|row| rules.window_of(row.ts) == rules.window_of(window.start()))
            .copied()
            .collect();
        let expected = oracle::outcomes(&arrived, window.cutoff(), &rules);
        if of_window.iter().copied().collect::<std::collections::BTreeMap<_, _>>() != expected {
            wrong.push(format!("the oracle differs: {expected:#?}"));
        }
        judged.extend(of_window);
    }
    if judged.len() != file.expect.len() {
        wrong.push(format!("{} outcomes, expected {}: {judged:?}", judged.len(), file.expect.len()));
    }
    for (at, ((of, outcome), expect)) in judged.iter().zip(&file.expect).enumerate() {
        for (name, found, expected) in expect.fields(outcome) {
            if found != expected {
                wrong.push(format!("connection {}: {name}: expected {expected}, found {found}", at + 1));
            }
        }
        if expect.by_server != (*of != five_tuple(file)) {
            wrong.push(format!("connection {}: of {of}", at + 1));
        }
    }
    wrong
}

impl Expect {
    /// Names, found and expected values.
    fn fields(&self, outcome: &Outcome) -> Vec<(&'static str, String, String)> {
        let show = |value: &dyn std::fmt::Debug| format!("{value:?}");
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "null".to_owned());
        let verdict = match outcome {
            Err(exclusion) => return vec![("excluded", exclusion.to_string(), name(&self.excluded))],
            Ok(verdict) => verdict,
        };
        let set = DataSet::Quic;
        let tags: Vec<&str> = verdict.tags.iter(set).map(Tag::name).collect();
        let mut fields = vec![
            ("excluded", "null".to_owned(), name(&self.excluded)),
            ("stage", set.stage_name(verdict.stage).to_owned(), self.stage.clone().unwrap_or_else(none)),
            ("termination", verdict.termination.to_string(), name(&self.termination)),
            ("tags", tags.join(", "), self.tags.join(", ")),
            ("signature", show(&verdict.signature.map(Signature::id)), show(&self.signature)),
            ("close_code", show(&verdict.close_code), show(&self.close_code)),
        ];
        if let Some(progress) = &self.progress {
            fields.push(("progress", set.progress_name(verdict.progress).to_owned(), progress.clone()));
        }
        if let Some(expected) = &self.version {
            fields.push(("version", show(&verdict.version), show(&version(expected))));
        }
        let micros = |seconds: f64| nanoseconds(seconds) / 1000;
        let numbers = [
            ("packets", i64::from(verdict.packets), self.packets.map(i64::from)),
            ("sample_rate", i64::from(verdict.sample_rate), self.sample_rate.map(i64::from)),
            ("silent_us", verdict.silent / 1000, self.silent_us),
            ("first", verdict.first_ts / 1000, self.first.map(micros)),
            ("last", verdict.last_ts / 1000, self.last.map(micros)),
        ];
        let given = numbers.into_iter().filter_map(|(name, found, expected)| Some((name, found, expected?)));
        fields.extend(given.map(|(name, found, expected)| (name, found.to_string(), expected.to_string())));
        fields
    }
}

fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64 * (SECOND / 1_000_000)
}

fn version(text: &str) -> u32 {
    let known = Version::ALL.into_iter().find(|version| version.name() == text);
    known.map_or_else(|| u32::from_str_radix(text, 16).unwrap(), Version::number)
}

const KINDS: [(&str, Kinds); 7] = [
    ("I", Kinds::INITIAL),
    ("Z", Kinds::ZERO_RTT),
    ("H", Kinds::HANDSHAKE),
    ("S", Kinds::SHORT),
    ("V", Kinds::OTHER_VERSION),
    ("J", Kinds::JUNK),
    ("C", Kinds::CUT),
];

/// `0.031 I+H dcid=2`
fn row(line: &str, file: &File) -> Datagram {
    let mut words = line.split_whitespace().peekable();
    let ts = nanoseconds(words.next().unwrap().parse().unwrap());
    let own = five_tuple(file);
    let five_tuple = if words.next_if_eq(&"<").is_some() { own.reversed() } else { own };
    let mut row = Datagram { ts, five_tuple, ttl: 64, sample_rate: 1, ..Datagram::ZERO };
    let what = words.next().unwrap_or_else(|| panic!("`{line}`: no kinds"));
    if let Some(icmp) = what.strip_prefix("ICMP=") {
        row.kinds = Kinds::ICMP;
        row.icmp = Some(Icmp::from_number(icmp.parse().unwrap()).unwrap());
        return row;
    }
    for kind in what.split('+') {
        let kind = KINDS.into_iter().find(|(letter, _)| *letter == kind);
        row.kinds |= kind.unwrap_or_else(|| panic!("`{line}`: no kind")).1;
    }
    row.len = 1200;
    let is_long = row.kinds.intersects(Kinds::LONG);
    if is_long {
        (row.version, row.dcid, row.scid, row.dcid_len) = (1, Some(1), Some(100), 8);
    } else if row.kinds.intersects(Kinds::OTHER_VERSION) {
        row.version = 0x1a1a_1a1a;
    }
    row.token = row.kinds.intersects(Kinds::INITIAL).then_some(Datagram::NO_TOKEN);
    words.for_each(|word| set(&mut row, word, line));
    row
}

fn set(row: &mut Datagram, word: &str, line: &str) {
    let (key, value) = word.split_once('=').unwrap_or((word, ""));
    let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("`{line}`: {word}"));
    let hash = || (value != "-").then(number);
    match key {
        "len" => row.len = number() as u16,
        "version" => row.version = version(value),
        "dcid" => row.dcid = hash(),
        "scid" => row.scid = hash(),
        "dcid_len" => row.dcid_len = number() as u8,
        "token" => row.token = hash(),
        "opened" => row.opened = Opened::from_number(number() as u8).unwrap(),
        "ack" => row.frames |= Frames::ACK,
        "close" => {
            row.frames |= Frames::CLOSE;
            row.close_code = (!value.is_empty()).then(number);
        }
        "ttl" => row.ttl = number() as u8,
        "rate" => row.sample_rate = number() as u32,
        _ => panic!("`{line}`: {key} is unknown"),
    }
}
