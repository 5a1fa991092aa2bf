//! Agents and collectors, each a process in a namespace, which end with the test.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use cutshort_packet::Packet;
use cutshort_store::{Segment, SegmentId};
use serde_json::Value;

use crate::network::{Network, PORT};
use crate::{CUTSHORT, SERVER};

/// Where the agent has its numbers.
pub(crate) const METRICS: &str = "127.0.0.1:9180";

/// A program that runs, and all that it says.
pub(crate) struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    /// Ends when all that it says was heard.
    hearing: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a program and waits until it says something.
    pub(crate) fn start(mut command: Command, ready: &str) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (lines, heard) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&said));
        let hearing = thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| *heard.lock().unwrap() += &format!("{line}\n"));
        });
        let running = Self { child, said, hearing: Some(hearing) };
        running.awaits(ready);
        running
    }

    /// Waits until it has said something.
    #[track_caller]
    pub(crate) fn awaits(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(15);
        while !self.said().contains(text) {
            assert!(Instant::now() < end, "not said: {text}\n{}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        // What it said last is still on its way.
        if let Some(hearing) = self.hearing.take() {
            hearing.join().unwrap();
        }
        (status, self.said())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A collector on the server itself, whose loopback rules leave out.
pub(crate) const COLLECTOR: &str = "127.0.0.1:9000";

/// Three hosts with rules that log everything, and a place for a collector.
pub(crate) fn begin() -> Option<(Network, Place)> {
    let network = Network::new().map(Network::without_offloads)?;
    apply(&network);
    Some((network, Place::new(SERVER, COLLECTOR)))
}

pub(crate) fn apply(network: &Network) {
    network.server(&format!("{CUTSHORT} rules apply --rate 1 --ports {PORT} --size 1000000"));
}

/// A collector's folder, and an agent's.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) token: String,
    /// Host and port of the collector.
    host: usize,
    address: &'static str,
}

impl Place {
    /// For a collector on this host of the network.
    pub(crate) fn new(host: usize, address: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Agents run as somebody else.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        let created = Command::new(CUTSHORT)
            .args(["token", "create", "agent", "--scope", "ingest", "--scope", "read", "--data"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(created.status.success(), "{created:?}");
        let token = String::from_utf8(created.stdout).unwrap().trim().to_owned();
        Self { folder, token, host, address }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn collector(&self, network: &Network) -> Running {
        let mut command = network.command(self.host, CUTSHORT);
        command.args(["serve", "--listen", self.address, "--data"]).arg(self.path("data"));
        Running::start(command, "is served on")
    }

    /// An agent's command; it delivers every second, and tries again as often.
    pub(crate) fn agent(&self, network: &Network, source: &str) -> Command {
        self.agent_for(network, source, &format!("http://{}", self.address))
    }

    /// An agent's command for a collector at another address.
    pub(crate) fn agent_for(&self, network: &Network, source: &str, url: &str) -> Command {
        let mut command = agent(network, source);
        command.args(["--collector", url]).env("CUTSHORT_TOKEN", &self.token);
        command
    }

    /// What the collector has; each segment is there once.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let files = files(&self.path("data/packets"));
        let segments = files.iter().map(|file| Segment::parse(std::fs::read(file).unwrap()).unwrap());
        let segments: Vec<Segment> = segments.collect();
        let ids: BTreeSet<SegmentId> = segments.iter().map(|segment| segment.info().id).collect();
        assert_eq!(ids.len(), segments.len(), "{files:?}");
        segments
    }

    /// Packets that the collector has, by node.
    pub(crate) fn stored(&self) -> BTreeMap<String, Vec<Packet>> {
        let mut stored: BTreeMap<String, Vec<Packet>> = BTreeMap::new();
        for segment in self.segments() {
            stored.entry(segment.info().node.clone()).or_default().extend(segment.packets().unwrap());
        }
        stored.values_mut().for_each(|packets| packets.sort_by_key(|packet| packet.ts));
        stored
    }

    /// What the store makes of its packets; nobody may serve it. The window that is running is computed as if
    /// it were over.
    pub(crate) fn judged(&self) -> Vec<Value> {
        self.judged_of("tcp")
    }

    /// The same of a data set.
    pub(crate) fn judged_of(&self, data_set: &str) -> Vec<Value> {
        let run = |arguments: &[&str]| {
            let output = Command::new(CUTSHORT).args(arguments).arg("--data").arg(self.path("data")).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        run(&["recompute", "--from", "-1h", "--to", "now"]);
        let lines = run(&["export", "connections", "--dataset", data_set, "--format", "jsonl"]);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The result of a question to the API of the collector, which runs.
    pub(crate) fn ask(&self, network: &Network, path: &str) -> Value {
        let (address, token) = (self.address, &self.token);
        let url = format!("http://{address}/client/v4/radar/{path}");
        let host = network
            .command(self.host, "curl")
            .args(["-gsS", "-H"])
            .arg(format!("Authorization: Bearer {token}"))
            .arg(&url)
            .output()
            .unwrap();
        let answer: Value = serde_json::from_slice(&host.stdout).unwrap();
        assert!(answer["success"] == true, "{url}: {answer}");
        answer["result"].clone()
    }

    /// How many packets the collector has of a node.
    pub(crate) fn count(&self, node: &str) -> usize {
        self.stored().get(node).map_or(0, Vec::len)
    }
}

/// Waits for the next window if this one is over so soon: it would split connections.
pub(crate) fn wait_for_window(needed: Duration) {
    const WINDOW: u64 = 900;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let left = Duration::from_secs(WINDOW - now % WINDOW);
    if left < needed {
        thread::sleep(left + Duration::from_secs(1));
    }
}

/// An agent's command; it delivers every second, and tries again as often.
pub(crate) fn agent(network: &Network, source: &str) -> Command {
    let mut command = network.command(SERVER, CUTSHORT);
    command.args(["agent", "--capture", source]);
    quick(&mut command);
    command
}

/// Classifies as packets come; it is ready when this returns.
pub(crate) fn classify(network: &Network, source: &str, options: &[&str]) -> Child {
    classify_on(network, SERVER, source, options)
}

/// The same on any host.
pub(crate) fn classify_on(network: &Network, host: usize, source: &str, options: &[&str]) -> Child {
    let mut command = network.command(host, CUTSHORT);
    command.args(["classify", "--format", "jsonl"]).args(options).arg(source);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("until Ctrl-C; kept"), "{line}");
    child
}

/// Ends it; gives its connections.
pub(crate) fn interrupt(classify: Child) -> Vec<Value> {
    assert!(Command::new("kill").args(["-INT", &classify.id().to_string()]).status().unwrap().success());
    let output = classify.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Short times, so that tests are.
pub(crate) fn quick(command: &mut Command) {
    command.env("CUTSHORT_SEGMENT_TIME", "1s").env("CUTSHORT_RETRY_TIME", "1s");
    command.env("CUTSHORT_UPLOAD_TIMEOUT", "2s");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let all = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    all.filter(|path| path.extension().is_some_and(|extension| extension == "parquet")).collect()
}

/// One of the agent's numbers.
pub(crate) fn number(network: &Network, name: &str) -> f64 {
    let text = network.server(&format!("curl -sf http://{METRICS}/metrics || true"));
    let found = text.lines().find_map(|line| line.strip_prefix(&format!("cutshort_agent_{name} ")));
    found.map_or(-1.0, |number| number.parse().unwrap())
}

/// Waits until something holds; longer than anything should take.
#[track_caller]
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "not within 20 s: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}
