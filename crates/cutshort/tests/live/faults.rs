//! Whatever goes wrong, what is acknowledged or still spooled is there once, and what is lost is a number.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::network::Network;
use crate::processes::{COLLECTOR, METRICS, Place, Running, apply, begin, number, quick, until};
use crate::{CUTSHORT, SERVER};

const NODE: &str = "edge";

fn start(network: &Network, place: &Place) -> Running {
    let mut command = place.agent(network, "nflog:5");
    command.args(["--node", NODE, "--metrics", METRICS, "--spool"]).arg(place.path("spool"));
    Running::start(command, "receiving from")
}

/// So many new connections of three packets.
fn flood(network: &Network, connections: usize) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let first = NEXT.fetch_add(connections / 2, Ordering::Relaxed);
    network.craft("flood", &format!("{connections} {first}"));
    3 * connections
}

#[test]
fn the_collector_is_away_and_the_agent_is_killed() {
    let Some((network, place)) = begin() else { return };
    // Nobody listens yet.
    let agent = start(&network, &place);
    let mut sent = flood(&network, 100);
    until("segments wait", || number(&network, "spool_packets") as usize == sent);
    agent.awaits("segments wait in the spool");
    let collector = place.collector(&network);
    until("they are delivered", || place.count(NODE) == sent);
    // Killed and started again while uploads run.
    let mut collector = Some(collector);
    for _ in 0..3 {
        collector.take().unwrap().kill();
        sent += flood(&network, 200);
        collector = Some(place.collector(&network));
        thread::sleep(Duration::from_millis(700));
    }
    until("all is delivered", || place.count(NODE) == sent);
    assert!(number(&network, "delivery_failures_total") >= 1.0);
    // The agent is killed with packets in its open segment, and with no collector to give them to.
    drop(collector.take());
    sent += flood(&network, 300);
    let written = sent as f64;
    until("packets are written", || number(&network, "packets_written_total") >= written);
    agent.kill();
    let agent = start(&network, &place);
    sent += flood(&network, 50);
    let _collector = place.collector(&network);
    until("nothing is lost", || place.count(NODE) == sent);
    let (status, said) = agent.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.contains("150 packets written, 0 segments waiting"), "{said}");
    assert_eq!(place.count(NODE), sent, "once");
}

#[test]
fn rules_are_removed_and_loaded_again() {
    let Some((network, place)) = begin() else { return };
    let _collector = place.collector(&network);
    let agent = start(&network, &place);
    let mut sent = flood(&network, 50);
    network.server(&format!("{CUTSHORT} rules remove"));
    flood(&network, 50);
    apply(&network);
    sent += flood(&network, 50);
    until("all that was logged is stored", || place.count(NODE) == sent);
    assert_eq!(agent.terminate().0.code(), Some(0));
}

#[test]
fn an_interface_goes_and_comes_back() {
    let Some((network, place)) = begin() else { return };
    let _collector = place.collector(&network);
    let make = "ip link add d0 type veth peer name d1; ip link set d0 up; ip link set d1 up";
    network.server(make);
    let mut command = place.agent(&network, "af_packet:d0");
    command.args(["--node", NODE, "--user", "nobody", "--spool"]).arg(place.path("spool"));
    let agent = Running::start(command, "receiving from");
    // Down first, which is no reason to look for another; then gone.
    network.server("ip link set d0 down");
    thread::sleep(Duration::from_millis(500));
    assert!(!agent.said().contains("is gone"), "{}", agent.said());
    network.server("ip link del d0");
    agent.awaits("is gone");
    network.server(make);
    agent.awaits("is back");
    // It receives from the new one.
    let send = "import socket; s = socket.socket(17, 3); s.bind(('d1', 0)); \
                s.send(bytes.fromhex('ffffffffffff020000000001080045000028000100004006f97cc6336407cb007105' \
                '9c4001bb00000001000000005002ffff00000000'))";
    until("its packets are stored", || {
        network.server(&format!("/usr/bin/python3 -c \"{send}\""));
        thread::sleep(Duration::from_millis(500));
        place.count(NODE) > 0
    });
    assert_eq!(agent.terminate().0.code(), Some(0));
}

#[test]
fn a_wrong_token_loses_nothing_and_can_be_mended() {
    let Some((network, place)) = begin() else { return };
    let _collector = place.collector(&network);
    let token = place.path("token");
    std::fs::write(&token, "wrong\n").unwrap();
    let mut command = place.agent(&network, "nflog:5");
    command.args(["--node", NODE, "--metrics", METRICS, "--spool"]).arg(place.path("spool"));
    command.arg("--token-file").arg(&token);
    let agent = Running::start(command, "receiving from");
    let sent = flood(&network, 20);
    agent.awaits("does not know the token");
    until("it is a number", || number(&network, "delivery_blocked") == 1.0);
    until("they wait", || number(&network, "spool_packets") as usize == sent);
    // Replaced, as editors do.
    let new = place.path("token.new");
    std::fs::write(&new, &place.token).unwrap();
    std::fs::rename(&new, &token).unwrap();
    until("they are delivered", || place.count(NODE) == sent);
    until("it is a number again", || number(&network, "delivery_blocked") == 0.0);
    assert_eq!(agent.terminate().0.code(), Some(0));
}

/// In the place of the collector: answers as it is told, until it is dropped.
struct Impostor {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Impostor {
    fn new(network: &Network, answer: &'static [u8], pause: Duration) -> Self {
        let listener = network.on_server(|| TcpListener::bind(COLLECTOR).unwrap());
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(10));
                let Ok((mut stream, _)) = listener.accept() else { continue };
                stream.set_nonblocking(false).unwrap();
                let _ = stream.read(&mut [0; 65536]);
                thread::sleep(pause);
                let _ = stream.write_all(answer);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn slow_answers_and_garbage_are_no_acknowledgement() {
    let Some((network, place)) = begin() else { return };
    let agent = start(&network, &place);
    let sent = flood(&network, 20);
    let silence = Duration::from_secs(3);
    for (answer, pause, said) in [
        (&b"\x16\x03\x01 what?"[..], Duration::ZERO, "http://127.0.0.1:9000/ingest/v1/segments: "),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            Duration::ZERO,
            "does not answer as a collector",
        ),
        (b"", silence, "does not answer in time"),
    ] {
        let failures = number(&network, "delivery_failures_total");
        let _impostor = Impostor::new(&network, answer, pause);
        agent.awaits(said);
        until("it is tried again", || number(&network, "delivery_failures_total") > failures);
    }
    let _collector = place.collector(&network);
    until("they are delivered", || place.count(NODE) == sent);
    assert_eq!(agent.terminate().0.code(), Some(0));
    assert_eq!(place.count(NODE), sent);
}

/// In a file system that holds a few hundred kilobytes and nobody empties: what cannot be written is a
/// number, and when there is room again it goes on.
#[test]
fn a_full_disk_is_a_number_and_it_goes_on() {
    let Some((network, place)) = begin() else { return };
    let (spool, port) = (place.path("small"), COLLECTOR);
    std::fs::create_dir(&spool).unwrap();
    let mut command = network.command(SERVER, "sh");
    // Mounted where only this process sees it.
    let spool = spool.display();
    let script = format!(
        "mount -t tmpfs -o size=300k tmpfs {spool} && exec {CUTSHORT} agent --capture nflog:5 --node {NODE} \
         --metrics {METRICS} --collector http://{port} --spool {spool}"
    );
    command.args(["-c", &script]).env("CUTSHORT_TOKEN", &place.token);
    quick(&mut command);
    let agent = Running::start(command, "receiving from");
    let mut sent = 0;
    while number(&network, "disk_full") < 1.0 || number(&network, "packets_unwritten_total") < 1.0 {
        assert!(sent < 300_000, "{}", agent.said());
        sent += flood(&network, 4_000);
    }
    agent.awaits("packets cannot be written");
    let lost = || number(&network, "packets_unwritten_total") as usize;
    until("all are counted", || number(&network, "packets_written_total") as usize + lost() == sent);
    assert!(lost() > 0);
    let lost = lost();
    let _collector = place.collector(&network);
    until("what was written is delivered", || place.count(NODE) == sent - lost);
    until("it is no longer full", || number(&network, "disk_full") == 0.0);
    let more = flood(&network, 10);
    until("it goes on", || place.count(NODE) == sent - lost + more);
    assert_eq!(agent.terminate().0.code(), Some(0));
}

/// A spool that is too small for what waits loses the oldest, and says how much.
#[test]
fn a_full_spool_loses_the_oldest_and_counts_it() {
    let Some((network, place)) = begin() else { return };
    let mut command = place.agent(&network, "nflog:5");
    command.args(["--node", NODE, "--metrics", METRICS, "--spool"]).arg(place.path("spool"));
    command.env("CUTSHORT_SPOOL_BYTES", "60000");
    let agent = Running::start(command, "receiving from");
    until("segments are dropped", || {
        flood(&network, 1000);
        number(&network, "segments_dropped_total") >= 1.0
    });
    let _collector = place.collector(&network);
    let packets = |name| number(&network, &format!("segment_packets_{name}_total")) as usize;
    let written = || number(&network, "packets_written_total") as usize;
    until("each is delivered or dropped", || packets("delivered") + packets("dropped") == written());
    assert_eq!(place.count(NODE), packets("delivered"));
    assert_eq!(agent.terminate().0.code(), Some(0));
}

/// Serving and receiving in one process.
#[test]
fn a_server_receives_into_its_own_store() {
    let Some((network, place)) = begin() else { return };
    let serve = || {
        let mut command = network.command(SERVER, CUTSHORT);
        command.args(["serve", "--listen", COLLECTOR, "--capture", "nflog:5", "--node", NODE, "--data"]);
        command.arg(place.path("data"));
        quick(&mut command);
        Running::start(command, "is served on")
    };
    let server = serve();
    assert!(server.said().contains("receiving from nflog:5; kept no capability"), "{}", server.said());
    let mut sent = flood(&network, 50);
    until("packets are stored", || place.count(NODE) == sent);
    sent += flood(&network, 50);
    // What it has in its hands is stored at the end.
    let (status, said) = server.terminate();
    assert_eq!(status.code(), Some(0), "{said}");
    assert_eq!(place.count(NODE), sent, "{said}");
    let server = serve();
    sent += flood(&network, 50);
    until("packets are received", || place.path("data/spool/open").read_dir().unwrap().count() > 0);
    thread::sleep(Duration::from_millis(500));
    server.kill();
    let server = serve();
    until("a crash loses nothing", || place.count(NODE) == sent);
    assert_eq!(server.terminate().0.code(), Some(0));
}
