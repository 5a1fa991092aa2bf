//! The command line: what can be asked, and who answers.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum};
use cutshort_packet::FiveTuple;
use cutshort_report::Filter;
use ipnet::IpNet;
use jiff::SignedDuration;

#[cfg(target_os = "linux")]
use crate::agent;
#[cfg(target_os = "linux")]
use crate::doctor;
use crate::error::{Done, Error};
#[cfg(target_os = "linux")]
use crate::user;
use crate::{
    annotate, classify, clickhouse, completions, config, demo, explain_connection, export, geo, import,
    privacy, query, recompute, rules, serve, simulate, store_copy, terms, token,
};

/// Which of your TCP connections are cut short: where, when and how.
///
/// cutshort rebuilds connections from the packets that clients send, and counts where each one ended
/// (after the SYN, after the handshake, after the first message, later) and how (reset or silence,
/// one RST or several). It reports what was seen, never who did it or why.
#[derive(Parser)]
#[command(version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 fine, 1 some input could not be read in full (the rest is still used), 2 usage."
)]
struct Cutshort {
    #[command(subcommand)]
    verb: Verb,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto, display_order = 999)]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Verb {
    Classify(Classify),
    Import(import::Import),
    Serve(serve::Serve),
    #[cfg(target_os = "linux")]
    Agent(agent::Agent),
    #[cfg(target_os = "linux")]
    Doctor(doctor::Doctor),
    Query(query::Query),
    #[command(subcommand)]
    Annotate(annotate::Annotate),
    #[command(subcommand)]
    Token(token::Tokens),
    Config(config::Config),
    Recompute(recompute::Recompute),
    Export(export::Export),
    Demo(demo::Demo),
    #[command(subcommand)]
    Store(store_copy::Stores),
    #[command(subcommand)]
    Clickhouse(clickhouse::Tables),
    Explain(Explain),
    #[command(subcommand)]
    Geo(Geo),
    #[command(subcommand)]
    Address(privacy::Address),
    Rules(rules::RulesOf),
    Simulate(Simulate),
    Completions(Completions),
    Man(Man),
}

/// Classify the connections in captures
///
/// Reads pcap and pcapng, plain or compressed with gzip, zstd or xz, and merges several captures by
/// time. Or receives packets until Ctrl-C or for the time given by --for: nflog:GROUP receives what
/// firewall rules log ('cutshort rules' writes such rules), af_packet:INTERFACE what arrives on an
/// interface.
#[derive(Args)]
#[command(after_long_help = CLASSIFY_EXAMPLES)]
pub(crate) struct Classify {
    /// Capture files; '-' or none reads standard input
    #[arg(value_name = "FILES")]
    pub(crate) files: Vec<PathBuf>,
    /// How long to receive (nflog: and af_packet: only)
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<SignedDuration>,
    /// Output format
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Only connections with KEY=VALUE[,VALUE...] or KEY!=...; may be repeated
    ///
    /// Keys: stage, termination, tag, signature (number or name), location (client's country),
    /// asn (client's network), port (server's), prefix (client's, CIDR).
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) filter: Vec<Filter>,
    /// Only connections to servers in this network
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) server_net: Vec<IpNet>,
    /// Only connections to these ports
    #[arg(long, value_name = "PORT,...", value_delimiter = ',', value_parser = port)]
    pub(crate) server_port: Vec<u16>,
    /// Leave out connections from this network, such as those of health checks
    #[arg(long, value_name = "CIDR", value_parser = net)]
    pub(crate) ignore_src: Vec<IpNet>,
    #[command(flatten)]
    pub(crate) geo: GeoFiles,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// Show one connection packet by packet with the reason for its verdict
    ///
    /// Write the 5-tuple as CLIENT:PORT > SERVER:PORT, with IPv6 addresses in brackets, or as the four
    /// fields separated by spaces or commas.
    #[arg(long, value_name = "5-TUPLE", value_parser = five_tuple)]
    #[arg(conflicts_with_all = ["format", "output", "filter", "server_net", "server_port", "ignore_src", "geo"])]
    pub(crate) explain: Option<FiveTuple>,
}

const CLASSIFY_EXAMPLES: &str = "Examples:
  cutshort classify server.pcap
  cutshort classify --server-port 443 captures/*.pcapng.zst
  tcpdump -i eth0 -w - 'tcp dst port 443' | cutshort classify -
  cutshort classify --for 1m nflog:5
  cutshort classify --filter stage=post_ack --format jsonl server.pcap
  cutshort classify --explain '198.51.100.7:40112 > 203.0.113.5:443' server.pcap";

/// The settings of the rules. Other values than the defaults change what the terms mean.
#[derive(Args)]
pub(crate) struct Rules {
    /// Length of a window, 1s to 24h; connections are classified within one
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = window, allow_hyphen_values = true)]
    window: SignedDuration,
    /// Silence before the end of a window or capture that makes a connection a timeout
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = guard, allow_hyphen_values = true)]
    guard: SignedDuration,
    /// Packets to keep of each connection, 1 to 1000
    #[arg(long = "limit", value_name = "PACKETS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

impl Rules {
    pub(crate) fn rules(&self) -> cutshort_verdict::Rules {
        let nanoseconds = |time: SignedDuration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        cutshort_verdict::Rules {
            data_set: cutshort_verdict::DataSet::Tcp,
            window: nanoseconds(self.window),
            guard: nanoseconds(self.guard),
            packet_limit: self.limit,
        }
    }
}

/// Formats of `classify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Summary for people
    Table,
    /// Summary for programs
    Json,
    /// One JSON object per connection, one per line
    Jsonl,
    /// One line per connection, with a header
    Csv,
    /// Apache Parquet file, one row per connection
    Parquet,
    /// Zeek log, one line per connection
    Zeek,
}

/// Where addresses are.
#[derive(Args)]
pub(crate) struct GeoFiles {
    /// Geo data: countries and networks from this file take precedence over the built-in ones
    ///
    /// MaxMind DB (GeoLite2, GeoIP2, IPinfo, DB-IP) or CSV; the format is detected. May be repeated;
    /// later files take precedence over earlier ones.
    #[arg(long = "geo", value_name = "FILE")]
    pub(crate) geo: Vec<PathBuf>,
}

/// Explain a stage, tag or signature
///
/// Without a name, all of them are listed.
#[derive(Args)]
pub(crate) struct Explain {
    /// Name of a stage or tag; name or number of a signature
    #[arg(value_name = "SIGNATURE|TAG|STAGE")]
    pub(crate) names: Vec<String>,
}

/// Look up the country and network of addresses
#[derive(Subcommand)]
enum Geo {
    /// Show country, continent and network of addresses, with the source
    Lookup(Lookup),
}

#[derive(Args)]
pub(crate) struct Lookup {
    /// IPv4 or IPv6 addresses
    #[arg(value_name = "ADDR", required = true)]
    pub(crate) addresses: Vec<IpAddr>,
    #[command(flatten)]
    pub(crate) geo: GeoFiles,
}

/// Write a capture of a simulated internet
///
/// For demonstrations and tests: countries, networks, scanners, filters and shutdowns are invented,
/// and the same seed gives the same packets. The capture is marked as simulated.
#[derive(Args)]
pub(crate) struct Simulate {
    /// Capture to write (pcapng); '-' is standard output
    ///
    /// The simulated networks are written beside it as a file for 'classify --geo', with the suffix
    /// .geo.csv.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Start of the capture (UTC), rounded down to 15 minutes
    #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z", value_parser = time)]
    pub(crate) start: jiff::Timestamp,
    /// Duration, rounded up to 15 minutes
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub(crate) duration: SignedDuration,
    /// Mean number of new connections per second
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 20.0, value_parser = rate)]
    pub(crate) rate: f64,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Bytes to keep of each packet; 0 keeps all
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    pub(crate) snaplen: u32,
}

/// Print a shell completion script
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the manual page
#[derive(Args)]
pub(crate) struct Man {
    /// Write a page for each command into this directory instead of one to standard output
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

#[cfg(target_os = "linux")]
impl Verb {
    /// Whether it writes files with packets, connections or tokens into a folder of its own. What others write goes where
    /// they are told to, for whoever the user wants.
    const fn keeps_packets(&self) -> bool {
        matches!(
            self,
            Self::Import(_)
                | Self::Serve(_)
                | Self::Agent(_)
                | Self::Annotate(_)
                | Self::Token(_)
                | Self::Recompute(_)
                | Self::Demo(_)
                | Self::Store(_)
        )
    }
}

/// Does what the command line asks for.
pub(crate) fn run() -> Result<Done, Error> {
    let Cutshort { verb, color } = Cutshort::parse();
    #[cfg(target_os = "linux")]
    if verb.keeps_packets() {
        user::hide_new_files();
    }
    match verb {
        Verb::Classify(Classify { explain: Some(five_tuple), files, rules, .. }) => {
            explain_connection::run(&files, &rules.rules(), &five_tuple, color)
        }
        Verb::Classify(arguments) => classify::run(&arguments, color),
        Verb::Import(arguments) => import::run(&arguments, color),
        Verb::Serve(arguments) => serve::run(&arguments),
        #[cfg(target_os = "linux")]
        Verb::Agent(arguments) => agent::run(&arguments),
        #[cfg(target_os = "linux")]
        Verb::Doctor(arguments) => doctor::run(&arguments, color),
        Verb::Query(arguments) => query::run(&arguments, color),
        Verb::Annotate(arguments) => annotate::run(&arguments, color),
        Verb::Token(arguments) => token::run(&arguments, color),
        Verb::Config(arguments) => config::run(&arguments, color),
        Verb::Recompute(arguments) => recompute::run(&arguments, color),
        Verb::Export(arguments) => export::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Store(arguments) => store_copy::run(&arguments, color),
        Verb::Clickhouse(arguments) => clickhouse::run(&arguments, color),
        Verb::Explain(arguments) => terms::run(&arguments, color),
        Verb::Geo(Geo::Lookup(arguments)) => geo::lookup(&arguments, color),
        Verb::Address(arguments) => privacy::run(&arguments, color),
        Verb::Rules(arguments) => rules::run(&arguments),
        Verb::Simulate(arguments) => simulate::run(&arguments),
        Verb::Completions(arguments) => completions::completions(Cutshort::command(), &arguments),
        Verb::Man(arguments) => completions::man(Cutshort::command(), &arguments),
    }
}

pub(crate) fn net(text: &str) -> Result<IpNet, String> {
    cutshort_report::parse_net(text)
}

pub(crate) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write port numbers, 0 to 65535, separated by commas".to_owned())
}

/// A point in time, or the beginning of a day.
fn time(text: &str) -> Result<jiff::Timestamp, String> {
    crate::time_argument::absolute(text).ok_or_else(|| {
        "write a time in UTC, such as 2026-01-05T00:00:00Z, or a day, such as 2026-01-05".to_owned()
    })
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "write a number from 0.001 to 1000000".to_owned())
}

pub(crate) fn duration(text: &str) -> Result<SignedDuration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| "write a time with its unit, such as 10s, 15m or 1h".to_owned())?;
    if duration.is_negative() { Err("a time cannot be negative".to_owned()) } else { Ok(duration) }
}

fn window(text: &str) -> Result<SignedDuration, String> {
    let range = SignedDuration::from_secs(1)..=SignedDuration::from_hours(24);
    duration(text).and_then(|window| match range.contains(&window) {
        true => Ok(window),
        false => Err("a window is 1s to 24h long".to_owned()),
    })
}

fn guard(text: &str) -> Result<SignedDuration, String> {
    duration(text).and_then(|guard| {
        if guard.as_hours() < 24 { Ok(guard) } else { Err("a guard is below 24h".to_owned()) }
    })
}

/// Reads `A:P > B:Q` and its kin.
fn five_tuple(text: &str) -> Result<FiveTuple, String> {
    let spaced = text.replace(['>', '-', ',', '→'], " ");
    let fields: Vec<&str> = spaced.split_whitespace().collect();
    let parsed = match fields[..] {
        [source, target] => pair(source, target),
        [source, source_port, target, target_port] => four(source, source_port, target, target_port),
        _ => None,
    };
    parsed.ok_or_else(|| {
        "write CLIENT:PORT > SERVER:PORT, such as '198.51.100.7:40112 > 203.0.113.5:443' \
         or '[2001:db8::1]:40112 > [2001:db8::2]:443'"
            .to_owned()
    })
}

fn pair(source: &str, target: &str) -> Option<FiveTuple> {
    let source: std::net::SocketAddr = source.parse().ok()?;
    let target: std::net::SocketAddr = target.parse().ok()?;
    Some(FiveTuple::new(source.ip(), source.port(), target.ip(), target.port()))
}

fn four(source: &str, source_port: &str, target: &str, target_port: &str) -> Option<FiveTuple> {
    let ports = (source_port.parse().ok()?, target_port.parse().ok()?);
    Some(FiveTuple::new(source.parse().ok()?, ports.0, target.parse().ok()?, ports.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cutshort::command().debug_assert();
    }

    #[test]
    fn five_tuples_are_read_in_many_forms() {
        let v4 = "198.51.100.7:40112 > 203.0.113.5:443";
        for text in [
            v4,
            "198.51.100.7:40112 -> 203.0.113.5:443",
            "198.51.100.7:40112-203.0.113.5:443",
            "198.51.100.7 40112 203.0.113.5 443",
            "198.51.100.7,40112,203.0.113.5,443",
        ] {
            assert_eq!(five_tuple(text).unwrap().to_string(), v4);
        }
        let v6 = "[2001:db8::1]:1 > [2001:db8::2]:2";
        assert_eq!(five_tuple(v6).unwrap().to_string(), v6);
        assert!(five_tuple("198.51.100.7 > 203.0.113.5").is_err());
    }

    #[test]
    fn times_have_bounds() {
        assert!(window("15m").is_ok() && window("0s").is_err() && window("25h").is_err());
        assert!(guard("0s").is_ok() && guard("-1s").is_err() && guard("10").is_err());
    }
}
