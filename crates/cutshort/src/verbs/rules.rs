//! `cutshort rules`: what makes the kernel sample connections.

use std::io::Write;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use clap::{Args, ColorChoice, Subcommand};
use cutshort_capture::rules::{self, Applied, Loaded, Method, Ports, Sampling, Seed};
use cutshort_model::grouped;
use cutshort_settings::values::{keep_time, net, one_in, packet_limit, whole};
use ipnet::IpNet;
use jiff::SignedDuration;

use crate::error::{Done, Error};
use crate::terminal::{self, message};

/// Write firewall rules that sample connections, or load them
///
/// The rules choose 1 in N connections and log the first packets of each to a group of the
/// netfilter log, from which 'cutshort classify nflog:GROUP' receives them. They neither drop nor
/// change anything. Without 'apply' or 'remove' they are written to the standard output only.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = EXAMPLES)]
pub(crate) struct RulesOf {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    sampling: SamplingOf,
}

const EXAMPLES: &str = "Examples:
  cutshort rules --rate 1000 --ports 80,443
  cutshort rules --rate 1000 --ports 80,443 | nft -f -
  cutshort rules apply --rate 1000 --ports 80,443
  cutshort classify --for 1m nflog:5
  cutshort rules apply --origin --rate 100 --group 6
  cutshort classify --origin --for 1m nflog:6
  cutshort rules apply --quic --rate 100 --group 7
  cutshort classify --quic --for 1m nflog:7
  cutshort rules remove";

// Rules log as many packets as the data set takes.
const _: () = assert!(
    cutshort_capture::OPENED_MORE == cutshort_verdict::Rules::ORIGIN_MORE
        && cutshort_capture::OPENED_ERRORS == cutshort_verdict::Rules::ICMP_LIMIT
);

#[derive(Subcommand)]
enum Verb {
    /// Load the rules in place of cutshort's own, in one step; other rules are not touched
    Apply(SamplingOf),
    /// Remove all of cutshort's own rules
    Remove,
    /// Show which rules are loaded and what they have counted
    Status,
}

#[derive(Args)]
struct SamplingOf {
    #[command(flatten)]
    method: MethodOf,
    /// Take 1 in N connections
    #[arg(long, value_name = "N", default_value = "10000", value_parser = one_in)]
    rate: NonZeroU32,
    /// How many packets of each connection are logged [default: 10, with --quic 24]
    ///
    /// More are of use only to 'cutshort classify --limit N nflog:GROUP': 'agent' and 'serve' use as many as
    /// the default. With --origin 6 more are logged, as both directions are.
    #[arg(long, value_name = "PACKETS", value_parser = packet_limit)]
    limit: Option<NonZeroU32>,
    /// Group of the netfilter log
    #[arg(long, default_value_t = 5, value_parser = whole(0..=u16::MAX))]
    group: u16,
    /// Bytes that are taken of each packet [default: 128, with --quic 2048]
    #[arg(long, value_name = "BYTES", value_parser = whole(80..=65_535_u32))]
    snaplen: Option<u32>,
    /// Packets that the kernel gathers before it hands them over, or for a tenth of a second
    #[arg(long, value_name = "PACKETS", default_value_t = 64)]
    #[arg(value_parser = whole(1..=64_u32))]
    queue: u32,
    /// Only these interfaces, such as eth0 or 'eth*'; otherwise all but the loopback
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    interfaces: Vec<String>,
    /// Only connections to these ports, such as 80,443 or 8000-8100 [with --quic: 443 by default]
    #[arg(long, value_name = "PORT,...", value_delimiter = ',')]
    ports: Vec<Ports>,
    /// Leave out connections from (with --origin: to) these networks, such as those of health checks
    #[arg(long, value_name = "CIDR,...", value_delimiter = ',', value_parser = net)]
    exclude: Vec<IpNet>,
    /// Also connections that this host only forwards
    #[arg(long)]
    forwarded: bool,
    /// Also log the RSTs that the server sends on these connections (default method only)
    ///
    /// A connection that the server itself refuses or resets then ends as 'server_reset', as in a capture of
    /// both directions, and not as a timeout. RSTs are logged as they leave this host, which sends or
    /// forwards them; at most 30 a second for each connection.
    #[arg(long)]
    server_resets: bool,
    /// How long a connection is remembered, 1s to 24h; a SYN that nothing follows, 30s at most [default: 15m,
    /// with --quic 2m after its latest datagram]
    #[arg(long, value_name = "TIME", value_parser = keep_time)]
    keep: Option<SignedDuration>,
    /// How many connections are remembered at a time, of each IP version
    #[arg(long, value_name = "CONNECTIONS", default_value_t = 65536)]
    #[arg(value_parser = whole(1..=16_777_216_u32))]
    size: u32,
    /// File with the secret of the sampling hash, for 'apply': eight hexadecimal digits
    ///
    /// Only needed where several hosts should choose the same connections. Otherwise the kernel
    /// chooses a random secret of its own each time the rules are loaded, and shows it to nobody.
    #[arg(long, value_name = "FILE")]
    seed_file: Option<PathBuf>,
}

#[derive(Args)]
#[group(multiple = false)]
struct MethodOf {
    /// For nft, without conntrack: a keyed hash of addresses, ports and initial sequence number
    #[arg(long)]
    nft: bool,
    /// For nft, with conntrack: the published recipe, which misses many forged resets
    #[arg(long)]
    nft_conntrack: bool,
    /// For iptables-restore: the published recipe, which misses many forged resets
    #[arg(long)]
    iptables: bool,
    /// For nft, without conntrack: connections that this host opens to other servers (data set 'origin')
    #[arg(long)]
    origin: bool,
    /// For nft, without conntrack: QUIC connections of clients, by a keyed hash of addresses and ports that
    /// chooses others each day (data set 'quic')
    #[arg(long)]
    quic: bool,
}

pub(crate) fn run(arguments: &RulesOf) -> Result<Done, Error> {
    match &arguments.verb {
        None => print(&arguments.sampling),
        Some(Verb::Apply(sampling)) => apply(sampling),
        Some(Verb::Remove) => remove(),
        Some(Verb::Status) => status(),
    }
}

impl SamplingOf {
    fn method(&self) -> Method {
        match self.method {
            MethodOf { nft_conntrack: true, .. } => Method::Conntrack,
            MethodOf { iptables: true, .. } => Method::Iptables,
            MethodOf { origin: true, .. } => Method::Origin,
            MethodOf { quic: true, .. } => Method::Quic,
            _ => Method::Set,
        }
    }

    fn sampling(&self) -> Result<Sampling, Error> {
        let usual = Sampling::of(self.method());
        let sampling = Sampling {
            rate: self.rate,
            limit: self.limit.unwrap_or(usual.limit),
            group: self.group,
            snaplen: self.snaplen.unwrap_or(usual.snaplen),
            queue: self.queue,
            interfaces: self.interfaces.clone(),
            ports: if self.ports.is_empty() { usual.ports } else { self.ports.clone() },
            exclude: self.exclude.clone(),
            forwarded: self.forwarded,
            server_resets: self.server_resets,
            keep: self.keep.map_or(usual.keep, SignedDuration::unsigned_abs),
            size: self.size,
            seed: self.seed_file.as_deref().map(seed).transpose()?,
            method: usual.method,
        };
        sampling.check().map_err(Error::Usage)?;
        Ok(sampling)
    }
}

fn seed(path: &Path) -> Result<Seed, Error> {
    Seed::read(path).map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
}

/// Says what of the options is not used by everybody.
fn remark(sampling: &Sampling) {
    let usual = Sampling::of(sampling.method).limit;
    if sampling.limit > usual {
        let Sampling { limit, group, .. } = sampling;
        message(&format!(
            "'agent' and 'serve' use the first {usual} packets of a connection; only 'cutshort classify --limit {limit} \
             nflog:{group}' uses {limit}"
        ));
    }
}

fn print(arguments: &SamplingOf) -> Result<Done, Error> {
    if arguments.seed_file.is_some() {
        return Err(Error::Usage(
            "--seed-file is for 'cutshort rules apply': printed rules would reveal the secret".to_owned(),
        ));
    }
    let sampling = arguments.sampling()?;
    remark(&sampling);
    let text = sampling.text();
    terminal::print(ColorChoice::Never, |output| Ok(output.write_all(text.as_bytes())?))?;
    Ok(Done::Whole)
}

fn apply(arguments: &SamplingOf) -> Result<Done, Error> {
    let sampling = arguments.sampling()?;
    rules::apply(&sampling).map_err(Error::Failed)?;
    remark(&sampling);
    say(&format!("loaded: {sampling}"))
}

fn remove() -> Result<Done, Error> {
    match rules::remove().map_err(Error::Failed)? {
        Applied::Unchanged => say("none of cutshort's rules were loaded"),
        Applied::Changed(what) => say(&format!("removed: {}", what.join(", "))),
    }
}

fn status() -> Result<Done, Error> {
    let loaded = rules::status().map_err(|error| Error::Failed(rules::untold(&error)))?;
    let chains = rules::chains();
    if loaded.is_empty() && chains.shown.is_empty() {
        return say("none of cutshort's rules are loaded; 'cutshort rules apply' loads them");
    }
    let mut texts: Vec<String> = loaded.iter().map(describe).chain(chains.shown).collect();
    texts.extend(chains.options.map(|options| loaded_with(&options)));
    say(&texts.join("\n"))
}

fn describe(loaded: &Loaded) -> String {
    let mut text = format!("table inet {}: {}", loaded.table, loaded.about);
    if loaded.outdated {
        text.push_str(&format!(
            "\n    {}; load them again: cutshort rules apply, with the same options",
            Loaded::OUTDATED
        ));
    }
    if let Some(options) = &loaded.options {
        text.push_str(&format!("\n    {}", loaded_with(options)));
    }
    for counter in &loaded.counters {
        text.push_str(&format!("\n{:>15}  {}", grouped(counter.packets), counter.about()));
    }
    text
}

fn loaded_with(options: &str) -> String {
    format!("loaded by: cutshort rules apply {options}")
}

fn say(text: &str) -> Result<Done, Error> {
    terminal::print(ColorChoice::Never, |output| Ok(writeln!(output, "{text}")?))?;
    Ok(Done::Whole)
}

#[cfg(test)]
mod tests {
    use cutshort_verdict::{DataSet, Rules};

    #[test]
    fn rules_log_as_many_datagrams_as_the_data_set_takes() {
        assert_eq!(cutshort_capture::DATAGRAMS, Rules::of(DataSet::Quic).packet_limit);
    }
}
