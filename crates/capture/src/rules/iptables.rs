//! The published recipe, for iptables-restore and ip6tables-restore.

use std::fmt::Write;

use ipnet::IpNet;

use super::Sampling;

/// The chain that holds the rules; PREROUTING has only the jump.
pub(super) const CHAIN: &str = "CUTSHORT";
const LABEL: u32 = 7;
/// What `-m multiport` takes.
const MAX_PORTS: usize = 15;

pub(super) fn check(sampling: &Sampling) -> Result<(), String> {
    if sampling.ports.len() > MAX_PORTS {
        return Err(format!("iptables takes {MAX_PORTS} ports; the rules for nft take any number"));
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

/// The rules, with lines before them that remove old jumps.
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

/// Which packets are looked at, once for each interface.
fn jumps(sampling: &Sampling) -> Vec<String> {
    let ports: Vec<String> = sampling.ports.iter().map(ToString::to_string).collect();
    let ports = match ports[..] {
        [] => String::new(),
        _ => format!(" -m multiport --dports {}", ports.join(",")),
    };
    if sampling.interfaces.is_empty() {
        return vec![format!("! -i lo -p tcp{ports}")];
    }
    sampling.interfaces.iter().map(|name| format!("-i {name} -p tcp{ports}")).collect()
}
