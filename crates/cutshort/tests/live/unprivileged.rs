//! Messages to somebody who lacks privileges, or has just the one that receiving needs.

use std::process::{Command, Output};

use crate::network::{self, Network};
use crate::processes::Running;
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
