//! A flood fills the rules' set: all that is said of the sample says so, too.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::network::Network;
use crate::processes::{COLLECTOR, METRICS, Place, Running, number, until};
use crate::{CUTSHORT, SERVER};

/// SYNs of the flood, and how many a set of 20 for each IP version leaves out. Up to 99 are not reported.
const FLOOD: &str = "2000";
const LEFT_OUT: std::ops::RangeInclusive<u64> = 1_861..=1_960;

fn begin() -> Option<Network> {
    let network = Network::new().map(Network::without_offloads)?;
    network.server(&format!("{CUTSHORT} rules apply --rate 1 --size 20"));
    Some(network)
}

#[test]
fn classify_tells_when_sampling_was_incomplete() {
    let Some(network) = begin() else { return };
    let classify = |format: &str| {
        let mut command = network.command(SERVER, CUTSHORT);
        command.args(["classify", "--format", format, "--for", "4s", "nflog:5"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_secs(2));
        network.craft("syns", FLOOD);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let [summary, said] = classify("json");
    assert!(said.contains(" chosen connections were left out: the rules cannot remember more"), "{said}");
    assert!(said.contains("--size") && !said.contains("could not be read"), "{said}");
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["packets"], &summary["records"]), (&40.into(), &40.into()));
    let incomplete = summary["incomplete"].as_array().unwrap();
    assert_eq!(incomplete.len(), 1, "{summary}");
    assert!(LEFT_OUT.contains(&incomplete[0]["connections"].as_u64().unwrap()), "{summary}");
    assert!(incomplete[0]["first_us"].as_i64() < incomplete[0]["last_us"].as_i64(), "{summary}");
    assert!(summary["notes"].to_string().contains("Sampling was incomplete from 20"), "{summary}");
}

#[test]
fn agent_and_collector_tell_when_sampling_was_incomplete() {
    let Some(network) = begin() else { return };
    let place = Place::new(SERVER, COLLECTOR);
    let collector = place.collector(&network);
    let mut agent = place.agent(&network, "nflog:5");
    agent.args(["--node", "edge", "--metrics", METRICS, "--spool"]).arg(place.path("spool"));
    let agent = Running::start(agent, "receiving from");
    network.craft("syns", FLOOD);
    agent.awaits("sampling is incomplete since 20");
    until("it is a number", || number(&network, "connections_left_out_total") >= *LEFT_OUT.start() as f64);
    assert_eq!(number(&network, "packets_taken_total"), 40.0);
    let live = || place.ask(&network, "status")["nodes"][0]["live"].clone();
    until("the collector knows", || {
        live()["leftOut"].as_u64().is_some_and(|count| LEFT_OUT.contains(&count))
    });
    let (live, status) = (live(), place.ask(&network, "status"));
    assert!(live["leftOutFrom"].is_string() && live["leftOutTo"].is_string(), "{live}");
    assert!(status["hints"].to_string().contains("Sampling at edge was incomplete from"), "{status}");

    let (status, said) = agent.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    let lines = |text: &str| said.matches(text).count();
    assert_eq!((lines("is incomplete since"), lines("was incomplete from")), (1, 1), "{said}");
    assert!(said.contains(" UTC: at least 1,"), "{said}");
    assert!(said.contains(" chosen connections left out"), "at the end, in a line: {said}");
    assert_eq!(collector.terminate().0.code(), Some(0));
}
