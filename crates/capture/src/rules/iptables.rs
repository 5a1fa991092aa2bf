//! The published recipe, for iptables-restore and ip6tables-restore.

use std::fmt::Write;
use std::num::NonZeroU32;

use ipnet::IpNet;

use super::{Method, Ports, Sampling};

/// The chain that holds the rules; PREROUTING has only the jump.
pub(super) const CHAIN: &str = "CUTSHORT";
const LABEL: u32 = 7;
/// The maximum number of ports in `-m multiport`.
const MAX_PORTS: usize = 15;

pub(super) fn check(sampling: &Sampling) -> Result<(), String> {
    let ports = Ports::merged(&sampling.ports);
    let ranges = ports.iter().map(|ports| ports.bounds()).filter(|(first, last)| first != last).count();
    if ports.len() + ranges > MAX_PORTS {
        return Err(format!(
            "iptables takes {MAX_PORTS} ports, and a range counts as two; the rules for nft take any number"
        ));
    }
    Ok(())
}

const ABOUT: &str = "\
# The published recipe: a lottery per SYN, remembered as a conntrack label. Conntrack calls many forged resets
# invalid, and an invalid packet carries no label: a RST at the initial sequence number, below what was acknowledged
# or far outside the window, an ACK or RST+ACK with a wrong acknowledgement number, a RST with a wrong checksum, and
# whatever comes more than 10 s after a RST are NOT RECORDED. Fewer are missed with
#     sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1 net.netfilter.nf_conntrack_tcp_ignore_invalid_rst=1
# Packets are counted as soon as such a rule is loaded, but by some older kernels only with
#     sysctl -w net.netfilter.nf_conntrack_acct=1
# Each SYN takes part in the lottery, also one that is repeated before it is answered, and a SYN on ports whose
# earlier connection conntrack still takes for open is recorded with that one.
# The default rules ('cutshort rules --nft') miss none of them, decide once for each connection and need no conntrack.
#
# Load this with 'iptables-restore -n' and 'ip6tables-restore -n' (-n: without flushing other rules), or with
# 'cutshort rules apply --iptables'.
";

pub(super) fn text(sampling: &Sampling) -> String {
    text_with(sampling, "")
}

/// The rules, after lines that remove old jumps.
pub(super) fn text_with(sampling: &Sampling, before: &str) -> String {
    let mut text = format!("# cutshort: {sampling}\n{ABOUT}*mangle\n:{CHAIN} - [0:0]\n{before}");
    let mut line = |line: String| {
        let _ = writeln!(text, "{line}");
    };
    for net in IpNet::aggregate(&sampling.exclude) {
        let version = if matches!(net, IpNet::V4(_)) { 4 } else { 6 };
        line(format!("-{version} -A {CHAIN} -s {net} -j RETURN"));
    }
    line(choose(sampling));
    line(record(sampling));
    for jump in jumps(sampling) {
        line(format!("-A PREROUTING {jump} -j {CHAIN}"));
    }
    line("COMMIT".to_owned());
    text
}

fn choose(sampling: &Sampling) -> String {
    let probability = 1.0 / f64::from(sampling.rate.get());
    let chance = match sampling.rate.get() {
        1 => String::new(),
        _ => format!(" -m statistic --mode random --probability {probability:.10}"),
    };
    format!("-A {CHAIN} -p tcp --syn -m state --state NEW{chance} -m connlabel --label {LABEL} --set")
}

fn record(sampling: &Sampling) -> String {
    let Sampling { group, snaplen, queue, limit, .. } = sampling;
    let beyond = limit.saturating_add(1);
    format!(
        "-A {CHAIN} -m connlabel --label {LABEL} -m connbytes ! --connbytes {beyond} --connbytes-dir original \
         --connbytes-mode packets -j NFLOG --nflog-group {group} --nflog-size {snaplen} --nflog-threshold {queue} \
         --nflog-prefix \"{}\"",
        sampling.prefix()
    )
}

/// Conditions on the packets to look at, one per interface.
fn jumps(sampling: &Sampling) -> Vec<String> {
    let ports: Vec<String> =
        Ports::merged(&sampling.ports).iter().map(|ports| ports.to_string().replace('-', ":")).collect();
    let ports = match ports[..] {
        [] => String::new(),
        _ => format!(" -m multiport --dports {}", ports.join(",")),
    };
    if sampling.interfaces.is_empty() {
        return vec![format!("! -i lo -p tcp{ports}")];
    }
    let name = |name: &String| match name.strip_suffix('*') {
        Some(beginning) => format!("{beginning}+"),
        None => name.clone(),
    };
    sampling.interfaces.iter().map(|interface| format!("-i {} -p tcp{ports}", name(interface))).collect()
}

/// Reads rules back as `iptables -S` and `ip6tables -S` show them, one after the other. None if the
/// chain is not among them.
pub(super) fn read(saved: &str) -> Option<Sampling> {
    let mut sampling = Sampling { method: Method::Iptables, ..Sampling::default() };
    let mut is_found = false;
    for line in saved.lines() {
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches('"')).collect();
        let value = |option: &str| Some(*words.get(words.iter().position(|word| *word == option)? + 1)?);
        match (value("-A"), value("-j")) {
            (Some(CHAIN), Some("RETURN")) => {
                sampling.exclude.extend(value("-s").and_then(|net| net.parse::<IpNet>().ok()));
            }
            (Some(CHAIN), Some("NFLOG")) => {
                is_found = true;
                read_log(&mut sampling, value);
            }
            (Some(_), Some(CHAIN)) => read_jump(&mut sampling, &words, value),
            _ => {}
        }
    }
    is_found.then_some(sampling)
}

fn read_log<'a>(sampling: &mut Sampling, value: impl Fn(&str) -> Option<&'a str>) {
    let number = |option: &str| value(option).and_then(|text| text.parse::<u32>().ok());
    let rate = value("--nflog-prefix").and_then(|prefix| prefix.rsplit(':').next()?.parse().ok());
    sampling.rate = rate.unwrap_or(sampling.rate);
    let beyond = value("--connbytes").and_then(|range| range.split(':').next()?.parse::<u32>().ok());
    let limit = beyond.and_then(|beyond| NonZeroU32::new(beyond.saturating_sub(1)));
    sampling.limit = limit.unwrap_or(sampling.limit);
    // It does not show a 0.
    sampling.group = number("--nflog-group").and_then(|group| group.try_into().ok()).unwrap_or(0);
    sampling.snaplen = number("--nflog-size").unwrap_or(sampling.snaplen);
    sampling.queue = number("--nflog-threshold").unwrap_or(sampling.queue);
}

fn read_jump<'a>(sampling: &mut Sampling, words: &[&str], value: impl Fn(&str) -> Option<&'a str>) {
    let interface = value("-i").filter(|_| !words.contains(&"!"));
    let interface = interface.map(|name| match name.strip_suffix('+') {
        Some(beginning) => format!("{beginning}*"),
        None => name.to_owned(),
    });
    let ports: Vec<Ports> = value("--dports")
        .into_iter()
        .flat_map(|list| list.split(','))
        .filter_map(|ports| ports.replace(':', "-").parse().ok())
        .collect();
    sampling.interfaces.extend(interface.filter(|name| !sampling.interfaces.contains(name)));
    sampling.ports = Ports::merged(&[&sampling.ports[..], &ports].concat());
}

#[cfg(test)]
mod tests {
    use super::super::tests::changed;
    use super::*;

    #[test]
    fn rules_are_read_back() {
        let all = Sampling { method: Method::Iptables, ..Sampling::default() };
        for sampling in [changed(Method::Iptables), all] {
            let text = text(&sampling);
            assert_eq!(read(&text).unwrap().options(), sampling.options());
        }
        assert!(read("-A PREROUTING -i eth0 -j OTHER").is_none());
    }
}
