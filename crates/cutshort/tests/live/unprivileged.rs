//! Messages to somebody who lacks privileges, or has just the one that receiving needs.

use std::process::{Command, Output};

use crate::network::{self, Network, PORT};
use crate::processes::{COLLECTOR, Place, Running, until};
use crate::{CUTSHORT, SERVER};

/// Runs the program on the server as nobody, who has these capabilities.
fn as_nobody(network: &Network, capabilities: &str, arguments: &str) -> Output {
    let mut command = network.command(SERVER, "setpriv");
    command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--bounding-set"]);
    command.arg(format!("-all{capabilities}"));
    if !capabilities.is_empty() {
        let own = capabilities.trim_start_matches(',');
        command.args(["--inh-caps", own, "--ambient-caps", own]);
    }
    command.arg(CUTSHORT).args(arguments.split_whitespace()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn can_run() -> bool {
    let has_setpriv = Command::new("setpriv").arg("--version").output().is_ok();
    if !has_setpriv {
        network::not_run("setpriv is not installed");
    }
    has_setpriv
}

/// Only root can see who listens, and the kernel has one answer for both.
#[test]
fn a_group_that_is_taken_is_told_from_a_missing_privilege() {
    let Some(network) = Network::new().filter(|_| can_run()) else { return };
    let classify = "classify --for 1s nflog:5";
    let listener = {
        let mut command = network.command(SERVER, CUTSHORT);
        command.args(["classify", "nflog:5"]);
        Running::start(command, "receiving from")
    };
    let output = as_nobody(&network, ",+net_admin", classify);
    assert!(said(&output).contains("another program receives group 5"), "{output:?}");
    let output = as_nobody(&network, "", classify);
    assert!(said(&output).contains("needs root or CAP_NET_ADMIN"), "{output:?}");
    drop(listener);
    let output = as_nobody(&network, ",+net_admin", classify);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn rules_without_privileges_name_the_one_that_is_missing() {
    let Some(network) = Network::new().filter(|_| can_run()) else { return };
    for verb in ["apply", "apply --nft-conntrack", "apply --iptables", "remove", "status"] {
        let output = as_nobody(&network, "", &format!("rules {verb}"));
        assert_eq!(output.status.code(), Some(1), "{verb}: {output:?}");
        assert!(said(&output).contains("needs root or CAP_NET_ADMIN"), "{verb}: {output:?}");
    }
    for verb in
        ["apply --ports 80,8000-8100 --interfaces eth*,s0 --exclude 192.0.2.0/24,2001:db8::/32", "remove"]
    {
        let output = as_nobody(&network, ",+net_admin", &format!("rules {verb}"));
        assert!(output.status.success(), "{verb}: {output:?}");
    }
}

/// The program is loaded and attached with three capabilities; nothing is kept of them, nor the system call.
#[test]
fn a_program_in_the_kernel_is_loaded_with_three_capabilities() {
    let Some(network) = Network::new().filter(|_| can_run() && network::has_bpf_links()) else { return };
    let classify = "classify --for 1s ebpf:s0";
    for missing in ["", ",+net_admin", ",+bpf,+net_admin"] {
        let output = as_nobody(&network, missing, classify);
        assert!(said(&output).contains("needs root or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"), "{output:?}");
    }
    for classify in [classify, "classify --quic --for 1s ebpf:s0", "classify --origin --for 1s ebpf:s0"] {
        let output = as_nobody(&network, ",+bpf,+net_admin,+perfmon", classify);
        assert!(output.status.success(), "{classify}: {output:?}");
    }

    let network = network.without_offloads();
    let place = Place::new(SERVER, COLLECTOR);
    let collector = place.collector(&network);
    let mut agent = place.agent(&network, "ebpf:s0");
    agent.args(["--node", "edge", "--user", "nobody", "--spool"]).arg(place.path("spool"));
    agent.env("CUTSHORT_CAPTURE_PORTS", PORT.to_string());
    let agent = Running::start(agent, "receiving from");
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.id())).unwrap();
    assert!(status.contains("CapPrm:\t0000000000000000") && status.contains("Seccomp:\t2"), "{status}");
    network.craft("flood", "200");
    until("all is delivered", || place.count("edge") == 600);
    let (status, said) = agent.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(collector.terminate().0.success());
}
