//! Agents that deliver straight into a real ClickHouse, with no more rights than the documentation names.

use std::fs;
use std::process::{Command, Stdio};

use crate::database::{Server, not_run, started};
use crate::network::Network;
use crate::processes::{METRICS, Running, agent, apply, number, until};
use crate::{CUTSHORT, SERVER};

const NODE: &str = "edge";

/// A ClickHouse on the server's loopback.
fn database(network: &Network) -> Option<Server> {
    // There is no way out from there.
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/clickhouse");
    let fetched = Command::new("python3").args([script, "fetch"]).stdout(Stdio::null()).status().unwrap();
    if !fetched.success() {
        not_run("it cannot be fetched");
        return None;
    }
    started(Server::of(network.command(SERVER, "python3"), "run"))
}

/// The statements of the documentation, for the agents' user.
fn documented() -> String {
    let page = include_str!("../../../../docs/clickhouse.md");
    let section = page.split("## Agents without a collector").nth(1).unwrap();
    section.split("```sql").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

#[test]
fn agents_deliver_straight_into_a_store() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    apply(&network);
    let Some(mut server) = database(&network) else { return };
    let port = server.port;
    let ask = |sql: &str| {
        let mut curl = network.command(SERVER, "curl");
        let output = curl.args(["-sS", &format!("http://127.0.0.1:{port}/"), "--data-binary", sql]).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    };
    for statement in documented().split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
        assert_eq!(ask(statement), "");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let password = folder.path().join("password");
    fs::write(&password, "wrong\n").unwrap();
    fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let start = || {
        let mut command = agent(&network, "nflog:5");
        command.args(["--node", NODE, "--metrics", METRICS, "--user", "nobody", "--spool"]);
        command.arg(folder.path().join("spool"));
        command.args(["--deliver", &format!("clickhouse://agent@127.0.0.1:{port}/cutshort")]);
        command.env("CUTSHORT_CLICKHOUSE_PASSWORD_FILE", &password);
        Running::start(command, "receiving from")
    };
    let running = start();
    let mut sent = 0;
    let mut flood = |connections: usize| {
        network.craft("flood", &format!("{connections} {sent}"));
        sent += connections;
        3 * sent
    };
    let count = || ask("SELECT count() FROM cutshort.packet").parse::<usize>().unwrap_or(0);
    // What has to be mended is said, and nothing is lost meanwhile.
    let packets = flood(50);
    running.awaits("does not let this user in");
    until("it is a number", || number(&network, "delivery_blocked") == 1.0);
    fs::write(&password, "secret\n").unwrap();
    running.awaits("cutshort clickhouse migrate");
    let store = format!("clickhouse://default@127.0.0.1:{port}/cutshort");
    network.server(&format!("{CUTSHORT} clickhouse migrate --store {store}"));
    until("they are delivered", || count() == packets);
    // It crashes, and so does the agent.
    server.tell("kill");
    let packets = flood(100);
    until("packets are written", || number(&network, "packets_written_total") as usize == packets);
    running.kill();
    let running = start();
    let packets = packets.max(flood(50));
    until("a delivery has failed", || number(&network, "delivery_failures_total") >= 1.0);
    server.tell("start");
    until("all is there", || count() == packets);
    let (status, said) = running.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains("packets written, 0 segments waiting"), "{said}");
    assert!(said.contains("file access restricted, system calls restricted"), "{said}");
    let kept = "SELECT sum(rows) FROM cutshort.segment FINAL WHERE state = 'kept'";
    assert_eq!((count(), ask(kept)), (packets, packets.to_string()));
    // And the store counts them as those of a collector.
    network.server(&format!("{CUTSHORT} recompute --store {store} --from -1h --to now"));
    assert_eq!(ask("SELECT sum(packets) FROM cutshort.result FINAL WHERE level = 0"), packets.to_string());
}
