//! The format of scenario files; `tests/scenarios/README.md` explains it.
use std::net::SocketAddr;

use cutshort_packet::{FiveTuple, Flags, Packet, SynOptions};
use cutshort_verdict::{Outcome, Progress, Rules, Signature, Tag, ZMAP4_OPTIONS};
use serde::Deserialize;

/// Some time in 2024; the scenarios' first window is the one that holds it.
const SOME_TIME: i64 = 1_718_000_000 * SECOND;
const SECOND: i64 = 1_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    about: String,
    #[serde(default = "client")]
    client: SocketAddr,
    #[serde(default = "server")]
    server: SocketAddr,
    #[serde(default = "isn")]
    isn: u32,
    packets: Vec<String>,
    #[serde(default)]
    second_node: Vec<String>,
    #[serde(default)]
    other: Vec<String>,
    /// Whether the two directions arrive in order of time; else one arrives after the other, in
    /// either order.
    #[serde(default)]
    interleaved: bool,
    input_ends: Option<f64>,
    #[serde(default)]
    rules: RuleChanges,
    #[serde(default)]
    tail: u32,
    #[serde(default)]
    tail_next: u32,
    #[serde(default)]
    tail_other: u32,
    expect: Expected,
    expect_next: Option<Expected>,
    expect_other: Option<Expected>,
}

/// What is expected of a 5-tuple: of one connection, a table, or of several in order of time, an
/// array of tables.
#[derive(Deserialize)]
#[serde(try_from = "toml::Value")]
struct Expected(Vec<Expect>);

impl TryFrom<toml::Value> for Expected {
    type Error = toml::de::Error;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        Ok(Self(if value.is_array() { value.try_into()? } else { vec![value.try_into()?] }))
    }
}

fn client() -> SocketAddr {
    ([198, 51, 100, 7], 40112).into()
}

fn server() -> SocketAddr {
    ([203, 0, 113, 5], 443).into()
}

const fn isn() -> u32 {
    1000
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleChanges {
    window: Option<f64>,
    guard: Option<f64>,
    packet_limit: Option<u32>,
}

/// What a file says about one connection. What is left out is null, 1 or obvious; `first`, `last`,
/// `silent_us` and `syn_ttl` are compared where they are given.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) excluded: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) termination: Option<String>,
    progress: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    pub(crate) signature: Option<u8>,
    packets: Option<u32>,
    rst_ttl_delta: Option<i16>,
    rst_ip_id_delta: Option<u16>,
    sample_rate: Option<u32>,
    syn_ttl: Option<u8>,
    first: Option<f64>,
    last: Option<f64>,
    silent_us: Option<i64>,
}

/// A file's packets, ready to be judged.
pub(crate) struct Scenario {
    pub(crate) rules: Rules,
    /// The client's packets in order of arrival, as each node saw them.
    pub(crate) nodes: Vec<Vec<Packet>>,
    /// The other direction's.
    pub(crate) other: Vec<Packet>,
    pub(crate) interleaved: bool,
    /// Time of the latest record of the input.
    pub(crate) input_ends: i64,
    /// Every 5-tuple and window, and what is to be said of it.
    pub(crate) subjects: Vec<Subject>,
}

/// Of what outcomes are expected, and which.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) five_tuple: FiveTuple,
    /// The window's number since the epoch.
    pub(crate) window: i64,
    /// How many rows are the tail of an older connection.
    pub(crate) tail: u32,
    /// Of each connection, in order of time.
    pub(crate) connections: Vec<Fields>,
}

/// Names and values, as they are compared and shown.
pub(crate) type Fields = Vec<(&'static str, String)>;

impl File {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let file: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if file.about.strip_prefix("spec.md").is_some_and(|rest| rest.starts_with('#')) {
            Ok(file)
        } else {
            Err("`about` names no section".to_owned())
        }
    }

    /// All expectations of the file.
    pub(crate) fn expectations(&self) -> impl Iterator<Item = &Expect> {
        let all = [Some(&self.expect), self.expect_next.as_ref(), self.expect_other.as_ref()];
        all.into_iter().flatten().flat_map(|expected| &expected.0)
    }

    pub(crate) fn scenario(&self) -> Result<Scenario, String> {
        let rules = self.rules.applied();
        let first = rules.window_of(SOME_TIME);
        let start = rules.window_start(first);
        let five_tuple = tuple(self.client, self.server);
        let parse = |lines: &[String], five_tuple: &FiveTuple| -> Result<Vec<Packet>, String> {
            lines.iter().map(|line| packet(line, five_tuple, self.isn, start)).collect()
        };
        let mut nodes = vec![parse(&self.packets, &five_tuple)?];
        if !self.second_node.is_empty() {
            nodes.push(parse(&self.second_node, &five_tuple)?);
        }
        let other = parse(&self.other, &five_tuple.reversed())?;
        let all = || nodes.iter().flatten().chain(&other);
        let last_window = all().map(|packet| rules.window_of(packet.ts)).max().unwrap_or(first);
        let input_ends =
            self.input_ends.map_or(rules.window_start(last_window + 1), |ends| start + nanoseconds(ends));
        if all().any(|packet| packet.ts > input_ends) {
            return Err("a packet comes after the end of the input".to_owned());
        }
        if all().any(|packet| ![first, first + 1].contains(&rules.window_of(packet.ts))) {
            return Err("a packet is in neither the first nor the next window".to_owned());
        }
        let seen = |five_tuple: &FiveTuple, window| {
            let is_his =
                |packet: &&Packet| packet.five_tuple == *five_tuple && rules.window_of(packet.ts) == window;
            all().filter(is_his).count()
        };
        // Nearly always the other direction has no SYN packet, and is not worth a word.
        let no_syn = Expect { excluded: Some("no_syn".to_owned()), ..Expect::default() };
        let no_syn = Expected(vec![no_syn]);
        let reversed = five_tuple.reversed();
        let mut expected = vec![
            ("expect", five_tuple, first, Some(&self.expect), self.tail),
            ("expect_next", five_tuple, first + 1, self.expect_next.as_ref(), self.tail_next),
        ];
        let with_others = [first, first + 1].into_iter().filter(|window| seen(&reversed, *window) > 0);
        if !other.is_empty() {
            let expect = self.expect_other.as_ref().unwrap_or(&no_syn);
            let of_window = |window| ("expect_other", reversed, window, Some(expect), self.tail_other);
            expected.extend(with_others.map(of_window));
        } else if self.expect_other.is_some() {
            return Err("expect_other: there are no packets".to_owned());
        }
        let mut subjects = Vec::new();
        for (name, five_tuple, window, expect, tail) in expected {
            match (seen(&five_tuple, window), expect) {
                (0, None) => {}
                (0, Some(_)) => return Err(format!("{name}: there are no packets")),
                (_, None) => return Err(format!("{name} is missing")),
                (seen, Some(expect)) => {
                    // Where there are several connections, a file has to say how many packets each has.
                    let only = expect.0.len() == 1 && tail == 0;
                    let seen = only.then_some(seen);
                    let fields = expect.0.iter().map(|expect| expect.fields(&rules, seen, start));
                    let connections = fields.collect::<Result<_, _>>()?;
                    subjects.push(Subject { name, five_tuple, window, tail, connections });
                }
            }
        }
        Ok(Scenario { rules, nodes, other, interleaved: self.interleaved, input_ends, subjects })
    }
}

impl RuleChanges {
    fn applied(&self) -> Rules {
        let usual = Rules::default();
        Rules {
            window: self.window.map_or(usual.window, nanoseconds),
            guard: self.guard.map_or(usual.guard, nanoseconds),
            packet_limit: self.packet_limit.unwrap_or(usual.packet_limit),
            ..usual
        }
    }
}

impl Expect {
    fn fields(&self, rules: &Rules, seen: Option<usize>, start: i64) -> Result<Fields, String> {
        if let Some(reason) = &self.excluded {
            let says_more = self.stage.is_some() || self.termination.is_some() || !self.tags.is_empty();
            return match says_more {
                true => Err("what is excluded has no verdict".to_owned()),
                false => Ok(vec![("excluded", reason.clone())]),
            };
        }
        let stage = self.stage.clone().ok_or("`stage` is missing")?;
        // With a stage the progress is the same, but for timeouts after later data.
        let progress = match (&self.progress, stage.as_str()) {
            (Some(progress), _) => progress.clone(),
            (None, "none") => return Err("`progress` is missing where the stage is none".to_owned()),
            (None, stage) => stage.to_owned(),
        };
        let taken = seen.map(|seen| rules.packet_limit.min(u32::try_from(seen).unwrap_or(u32::MAX)));
        let packets = self.packets.or(taken).ok_or("`packets` is missing where some are another's")?;
        let mut fields = vec![
            ("excluded", show(None::<&str>)),
            ("stage", stage),
            ("termination", self.termination.clone().ok_or("`termination` is missing")?),
            ("progress", progress),
            ("tags", self.tags.join(", ")),
            ("signature", show(self.signature)),
            ("packets", packets.to_string()),
            ("rst_ttl_delta", show(self.rst_ttl_delta)),
            ("rst_ip_id_delta", show(self.rst_ip_id_delta)),
            ("sample_rate", self.sample_rate.unwrap_or(1).to_string()),
        ];
        let time = |seconds: Option<f64>| seconds.map(|seconds| (start + nanoseconds(seconds)).to_string());
        let on_demand = [
            ("syn_ttl", self.syn_ttl.map(|ttl| ttl.to_string())),
            ("first", time(self.first)),
            ("last", time(self.last)),
            ("silent_us", self.silent_us.map(|silent| silent.to_string())),
        ];
        fields.extend(on_demand.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Ok(fields)
    }
}

/// An outcome as it is compared.
pub(crate) fn fields_of(outcome: &Outcome) -> Fields {
    let verdict = match outcome {
        Err(exclusion) => return vec![("excluded", exclusion.to_string())],
        Ok(verdict) => verdict,
    };
    let progress = match verdict.progress {
        Progress::PostSyn => "post_syn",
        Progress::PostAck => "post_ack",
        Progress::PostPsh => "post_psh",
        Progress::Later => "later",
    };
    let tags: Vec<_> = verdict.tags.iter(verdict.data_set).map(Tag::name).collect();
    vec![
        ("excluded", show(None::<&str>)),
        ("stage", verdict.stage.to_string()),
        ("termination", verdict.termination.to_string()),
        ("progress", progress.to_owned()),
        ("tags", tags.join(", ")),
        ("signature", show(verdict.signature.map(Signature::id))),
        ("packets", verdict.packets.to_string()),
        ("rst_ttl_delta", show(verdict.rst_ttl_delta)),
        ("rst_ip_id_delta", show(verdict.rst_ip_id_delta)),
        ("sample_rate", verdict.sample_rate.to_string()),
        ("syn_ttl", verdict.syn_ttl.to_string()),
        ("first", verdict.first_ts.to_string()),
        ("last", verdict.last_ts.to_string()),
        ("silent_us", verdict.silent.div_euclid(1000).to_string()),
    ]
}

fn show<T: ToString>(value: Option<T>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

fn tuple(from: SocketAddr, to: SocketAddr) -> FiveTuple {
    FiveTuple::new(from.ip(), from.port(), to.ip(), to.port())
}

/// `0.031 PA rel=1 ack=5001 len=517`
fn packet(line: &str, five_tuple: &FiveTuple, isn: u32, start: i64) -> Result<Packet, String> {
    let wrong = |what: &str| format!("`{line}`: {what}");
    let mut words = line.split_whitespace();
    let ts = words.next().and_then(exact_time).ok_or_else(|| wrong("no time"))?;
    let flags = words.next().ok_or_else(|| wrong("no flags"))?;
    let flags = Flags::from_letters(flags).map_err(|letter| wrong(&format!("{letter} is no flag")))?;
    let mut packet = Packet {
        ts: start + ts,
        five_tuple: *five_tuple,
        ip_id: 0,
        ttl: 64,
        flags,
        seq: isn,
        ack: 0,
        tcp_window: 64_240,
        options_len: if flags.is_syn() { 20 } else { 0 },
        payload_len: 0,
        sample_rate: 1,
        df: five_tuple.is_ipv4(),
        syn: if flags.is_syn() { of_linux() } else { SynOptions::NONE },
    };
    if let Some(options) = words.clone().find_map(|word| word.strip_prefix("options=")) {
        (packet.options_len, packet.syn) = syn_options(options).ok_or_else(|| wrong("no options"))?;
    }
    let words = words.filter(|word| !word.starts_with("options="));
    // Only what begins a connection can do without.
    let mut has_seq = flags.intersects(Flags::SYN);
    for word in words {
        let (key, value) = word.split_once('=').ok_or_else(|| wrong(&format!("{word} has no =")))?;
        let number: u32 = value.parse().map_err(|_| wrong(&format!("{word} is out of range")))?;
        let short = || u16::try_from(number).map_err(|_| wrong(&format!("{word} is out of range")));
        let byte = || u8::try_from(number).map_err(|_| wrong(&format!("{word} is out of range")));
        match key {
            "seq" => packet.seq = number,
            "rel" => packet.seq = isn.wrapping_add(number),
            "ack" => packet.ack = number,
            "len" => packet.payload_len = number,
            "ttl" => packet.ttl = byte()?,
            "id" => packet.ip_id = short()?,
            "win" => packet.tcp_window = short()?,
            "opt" => packet.options_len = byte()?,
            "df" => packet.df = number > 0,
            "rate" => packet.sample_rate = number,
            _ => return Err(wrong(&format!("{key} is unknown"))),
        }
        has_seq |= matches!(key, "seq" | "rel");
    }
    if has_seq { Ok(packet) } else { Err(wrong("neither seq nor rel")) }
}

/// The options of Linux: `mss:1460,sok,ts,nop,ws:7`.
const fn of_linux() -> SynOptions {
    ZMAP4_OPTIONS[1]
}

/// `mss:1460,nop,ws:8,nop,nop,sok`, padded to words: their length in bytes, and what a row keeps of them. `cut`: the capture
/// has cut them.
fn syn_options(text: &str) -> Option<(u8, SynOptions)> {
    if text == "cut" {
        return Some((20, SynOptions::UNKNOWN));
    }
    let mut bytes = Vec::new();
    for option in text.split(',').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once(':').unwrap_or((option, "0"));
        match name {
            "mss" => bytes.extend([&[2, 4], &value.parse::<u16>().ok()?.to_be_bytes()[..]].concat()),
            "ws" => bytes.extend([3, 3, value.parse().ok()?]),
            "sok" => bytes.extend([4, 2]),
            "ts" => bytes.extend([8, 10, 0, 0, 0, 1, 0, 0, 0, 0]),
            "nop" => bytes.push(1),
            "eol" => bytes.push(0),
            "tfo" => bytes.extend([34, 2]),
            _ => return None,
        }
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    Some((u8::try_from(bytes.len()).ok()?, SynOptions::parse(&bytes)))
}

/// Seconds with up to nine digits behind the point, without rounding.
fn exact_time(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds = format!("{fraction:0<9}");
    let exact = nanoseconds.len() == 9;
    exact.then_some(i64::from(seconds.parse::<u32>().ok()?) * SECOND + nanoseconds.parse::<i64>().ok()?)
}

fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}
