//! What `cutshort doctor` says of agents and servers that run.

use serde_json::Value;

use crate::network::Network;
use crate::processes::{COLLECTOR, Place, Running, apply, begin, quick, until};
use crate::{CUTSHORT, SERVER};

/// Nobody is there.
const PROXY: &str = "http://127.0.0.1:1";

/// What it says, and with which status it ends.
fn doctor(network: &Network, place: &Place, arguments: &[&str], token: &str) -> (i32, Value) {
    let mut command = network.command(SERVER, CUTSHORT);
    command.args(["doctor", "--format", "json"]).args(arguments);
    command.env("CUTSHORT_LISTEN", COLLECTOR).env("CUTSHORT_TOKEN", token).env("http_proxy", PROXY);
    let output = command.current_dir(place.path("")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), serde_json::from_str(&said).unwrap())
}

/// What is said of one thing: status, what was found, and what fixes it.
fn check<'a>(said: &'a Value, name: &str) -> [&'a str; 3] {
    let checks = said["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("{name}: {said}"));
    ["status", "found", "fix"].map(|key| check[key].as_str().unwrap_or_default())
}

#[track_caller]
fn assert_fails(said: &(i32, Value), name: &str, found: &str, fix: &str) {
    let [status, text, to_fix] = check(&said.1, name);
    assert_eq!((said.0, status), (1, "failing"), "{said:?}");
    assert!(text.contains(found) && to_fix.contains(fix), "{said:?}");
}

/// Nothing fails; these are fine. Of the machine's disk and the age of what is shipped nothing is known here.
#[track_caller]
fn assert_well(said: &(i32, Value), names: &[&str]) {
    assert_eq!(said.0, 0, "{said:?}");
    for name in names {
        assert_eq!(check(&said.1, name)[0], "ok", "{said:?}");
    }
}

/// Waits until a station's file says so.
fn awaits(place: &Place, folder: &str, holds: impl Fn(&Value) -> bool) {
    until("its file says so", || {
        let state = std::fs::read(place.path(folder).join("state.json")).unwrap_or_default();
        serde_json::from_slice(&state).is_ok_and(|state: Value| holds(&state))
    });
}

#[test]
fn an_agent_is_well_until_something_is_taken_away() {
    let Some((network, place)) = begin() else { return };
    let collector = place.collector(&network);
    let mut command = place.agent(&network, "nflog:5");
    command.args(["--user", "nobody", "--spool"]).arg(place.path("spool"));
    command.env("http_proxy", PROXY).env("ALL_PROXY", PROXY);
    let agent = Running::start(command, "receiving from");
    agent.awaits("http_proxy in the environment is not used; --proxy URL names a proxy");
    network.craft("flood", "100 0");
    awaits(&place, "spool", |state| state["received"] == 300 && state["delivery"]["acknowledged"].is_i64());
    let url = format!("http://{COLLECTOR}");
    let of_agent = ["--spool", "spool", "--collector", &url];
    let doctor = |token: &str| doctor(&network, &place, &of_agent, token);

    let said = doctor(&place.token);
    let names = ["kernel", "rules", "group", "privileges", "agent", "packets", "loss", "spool"];
    assert_well(&said, &names);
    assert_well(&said, &["collector", "token", "clock"]);
    assert!(check(&said.1, "group")[1].contains(&agent.id().to_string()), "{said:?}");
    assert!(check(&said.1, "loss")[1].contains("own count agrees"), "{said:?}");
    assert!(check(&said.1, "rules")[1].contains("300 packets logged"), "{said:?}");

    assert_fails(
        &doctor("wrong"),
        "token",
        "does not know the token",
        "cutshort token create --scope ingest",
    );
    // What is loaded names itself, so that a cure can repeat it.
    network.server(&format!(
        "{CUTSHORT} rules apply --rate 7 --ports 443,9000-9100 --exclude 192.0.2.0/24,198.18.0.0/15"
    ));
    let quiet = doctor(&place.token);
    let [status, _, fix] = check(&quiet.1, "rules");
    let same = "cutshort rules apply --rate 7 --ports 443,9000-9100 --exclude 192.0.2.0/24,198.18.0.0/15 --forwarded";
    assert!(status == "warning" && fix.starts_with(same), "{quiet:?}");
    network.server(&format!("{CUTSHORT} rules remove"));
    assert_fails(&doctor(&place.token), "rules", "none of cutshort's rules", "cutshort rules apply");
    apply(&network);
    assert_eq!(doctor(&place.token).0, 0);
    drop(collector);
    assert_fails(&doctor(&place.token), "collector", "refused", "curl");
    assert_eq!(agent.terminate().0.code(), Some(0));
    let said = doctor(&place.token);
    assert_fails(&said, "agent", "has ended", "cutshort agent --capture nflog:5");
    assert_fails(&said, "group", "nobody listens", "cutshort agent --capture nflog:5");
}

/// What README begins with: rules and 'classify', without an agent.
#[test]
fn a_source_alone_is_looked_at() {
    let Some((network, place)) = begin() else { return };
    let doctor = || doctor(&network, &place, &["--capture", "nflog:5"], "");
    assert_fails(&doctor(), "group", "nobody listens", "cutshort classify nflog:5");
    let mut command = network.command(SERVER, CUTSHORT);
    command.args(["classify", "nflog:5"]);
    let _classifying = Running::start(command, "receiving from");
    network.craft("flood", "100 0");
    assert_well(&doctor(), &["kernel", "rules", "group"]);
}

/// A store in ClickHouse is asked whether it lets in, also without an agent.
#[test]
fn a_store_elsewhere_is_looked_at() {
    let Some((network, place)) = begin() else { return };
    let said = doctor(&network, &place, &["--store", "clickhouse://somebody@127.0.0.1:1/cutshort"], "");
    assert_fails(&said, "store", "127.0.0.1:1", "cutshort clickhouse migrate");
}

#[test]
fn a_server_that_receives_is_well_until_it_ends() {
    let Some((network, place)) = begin() else { return };
    let mut command = network.command(SERVER, CUTSHORT);
    command.args(["serve", "--listen", COLLECTOR, "--capture", "nflog:5", "--user", "nobody", "--data"]);
    // Of somebody else than root, who made the token.
    network.server(&format!("chown -R nobody {}", place.path("data").display()));
    command.arg(place.path("data"));
    quick(&mut command);
    let server = Running::start(command, "is served on");
    network.craft("flood", "100 0");
    awaits(&place, "data", |state| state["received"] == 300 && state["delivery"]["acknowledged"].is_i64());
    let of_server = || doctor(&network, &place, &["--data", "data"], "");
    let said = of_server();
    assert_well(&said, &["rules", "group", "receiver", "packets", "loss", "spool", "server"]);
    // Without a store's folder, and another address than the environment's.
    assert_well(&doctor(&network, &place, &["--listen", COLLECTOR], ""), &["server"]);
    let other = doctor(&network, &place, &["--listen", "127.0.0.1:1"], "");
    assert_fails(&other, "server", "refused", "--listen ADDR:PORT");
    assert_eq!(server.terminate().0.code(), Some(0));
    let said = of_server();
    assert_fails(&said, "receiver", "has ended", "cutshort serve --data data --capture nflog:5");
    assert_fails(&said, "server", "refused", "cutshort serve");
}
