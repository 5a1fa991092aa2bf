//! Alarms of events: what receivers are told, at least once, whatever happens to the server or to them.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use common::hook::{Hook, Received};
use common::server::Server;
use common::{run, shutdown};
use cutshort_embedded::{Embedded, Options};
use cutshort_model::{Window, rfc3339};
use cutshort_store::Store;
use ring::hmac;
use serde_json::{Value, json};

const SECRET: &str = "a secret of the test";

/// For so many windows, Iraq is gone, up to the present one.
const GONE: i64 = 8;
/// So many of them turn out to be as usual.
const BACK: i64 = 5;

/// A store in which Iraq is gone now.
fn store(now: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let left = |t: i64| if t >= now - GONE { 0.02 } else { 1.0 };
    shutdown::fill_with(folder.path(), now - shutdown::FIVE_WEEKS..now, left);
    folder
}

/// Replaces the last results of a store: Iraq is back.
fn come_back(folder: &Path, now: i64) {
    let store = Embedded::open(folder, Options { durable: false }).unwrap();
    shutdown::compute(&store, now - BACK..now, |_| 1.0);
    store.roll().unwrap();
}

/// Settings with these receivers.
fn settings(folder: &Path, receivers: &str) -> PathBuf {
    let path = folder.join("alerts.toml");
    std::fs::write(&path, receivers).unwrap();
    path
}

fn webhook(hook: &Hook) -> String {
    format!(
        "[[alerts.receivers]]\nname = 'hook'\nkind = 'webhook'\nurl = '{}'\nsecret = '{SECRET}'\n\
         places = ['country:IQ']\nchannels = ['traffic']\n",
        hook.url
    )
}

fn serve(folder: tempfile::TempDir, settings: &Path) -> Server {
    Server::start(folder, &["--listen", "127.0.0.1:0", "--settings", settings.to_str().unwrap()])
}

/// Whether a request is signed with the secret, now.
fn check_signature(received: &Received) {
    let header = received.header("cutshort-signature");
    let (time, signature) = header.split_once(",v1=").unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert!(time.parse::<u64>().unwrap().abs_diff(now) < 300, "{header}");
    let pair = |at: usize| u8::from_str_radix(&signature[at..at + 2], 16).unwrap();
    let signature: Vec<u8> = (0..signature.len()).step_by(2).map(pair).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::verify(&key, format!("{time}.{}", received.body).as_bytes(), &signature).unwrap();
}

/// The bodies of what was accepted, by their keys: a repetition says the same.
fn by_key(received: &[Received]) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for one in received {
        let body = one.json();
        let known = found.entry(one.header("idempotency-key").to_owned()).or_insert_with(|| body.clone());
        assert_eq!(known, &body, "one key, one text");
    }
    found
}

fn changes(received: &[Received]) -> Vec<String> {
    let mut changes: Vec<_> =
        by_key(received).values().map(|body| body["change"].as_str().unwrap().to_owned()).collect();
    changes.sort();
    changes
}

#[test]
fn a_webhook_is_told_begin_and_end_once_across_kills() {
    let now = shutdown::end();
    let (folder, other) = (store(now), tempfile::tempdir().unwrap());
    let hook = Hook::answering(500);
    let settings = settings(other.path(), &webhook(&hook));

    // It fails at first, and is tried again, also by the next server.
    let server = serve(folder, &settings);
    server.until("two attempts", |_| hook.received().len() >= 2);
    let log = server.log();
    assert!(log.contains("alerts wait: http://127.0.0.1:"), "{log}");
    assert!(!log.contains("of-a-secret-name") && !log.contains(SECRET), "{log}");
    let waiting = server.send("GET", "/metrics", &[]).1;
    assert!(waiting.contains("cutshort_alerts_waiting{receiver=\"hook\"} 1"), "{waiting}");
    let folder = server.kill();
    let failed = hook.received();
    hook.answer(200);
    let server = serve(folder, &settings);
    server.until("the alarm", |_| !hook.accepted().is_empty());
    server.until("the count", |server| {
        server.send("GET", "/metrics", &[]).1.contains("cutshort_alerts_delivered_total{receiver=\"hook\"} 1")
    });
    let opened = hook.accepted()[0].clone();
    assert_eq!(
        by_key(&[failed, vec![opened.clone()]].concat()).len(),
        1,
        "the key is the same in each attempt"
    );
    check_signature(&opened);
    let body = opened.json();
    assert_eq!((&body["change"], &body["test"]), (&json!("opened"), &json!(false)));
    assert_eq!(body["event"]["place"], "country:IQ");
    assert_eq!(body["event"]["onset"], rfc3339(Window::from_number(now - GONE).start()));
    assert!(body["summary"].as_str().unwrap().starts_with("Iraq: 98 % fewer connections"), "{body}");

    // Killed again and again, it says nothing else, until the country is back.
    let mut folder = server.kill();
    for pause in [0, 300, 1200] {
        let server = serve(folder, &settings);
        std::thread::sleep(Duration::from_millis(pause));
        folder = server.kill();
    }
    assert_eq!(changes(&hook.accepted()), ["opened"]);
    come_back(folder.path(), now);
    for pause in [100, 700] {
        let server = serve(folder, &settings);
        std::thread::sleep(Duration::from_millis(pause));
        folder = server.kill();
    }
    let server = serve(folder, &settings);
    server.until("the end", |_| changes(&hook.accepted()).len() > 1);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(changes(&hook.accepted()), ["ended", "opened"]);
    let ended = by_key(&hook.accepted()).into_values().find(|body| body["change"] == "ended").unwrap();
    assert_eq!(ended["event"]["id"], body["event"]["id"]);
    assert_eq!(ended["event"]["end"], rfc3339(Window::from_number(now - BACK).start()));
    drop(server);
}

#[test]
fn what_happened_long_ago_is_told_to_nobody() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    shutdown::fill(folder.path(), shutdown::FIVE_WEEKS, shutdown::end());
    let hook = Hook::answering(200);
    let settings = settings(other.path(), &webhook(&hook));
    let server = serve(folder, &settings);
    server.until("an event", |server| {
        server.result("/traffic_anomalies")["trafficAnomalies"] != Value::Array(Vec::new())
    });
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(hook.received().len(), 0);
}

#[test]
fn a_command_gets_the_alarm_from_a_server_in_its_sandbox() {
    let (folder, other) = (store(shutdown::end()), tempfile::tempdir().unwrap());
    let got = other.path().join("got");
    let script =
        format!("{{ cat; echo; env | grep ^CUTSHORT_; }} > {0}.part; mv {0}.part {0}", got.display());
    let text = format!(
        "[[alerts.receivers]]\nname = 'page'\nkind = 'command'\ncommand = ['/bin/sh', '-c', '{script}']\n\
         places = ['country:IQ']\n"
    );
    let server = serve(folder, &settings(other.path(), &text));
    server.until("the command was run", |_| got.exists());
    let text = std::fs::read_to_string(&got).unwrap();
    let (body, environment) = text.split_once('\n').unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["change"], &body["event"]["place"]), (&json!("opened"), &json!("country:IQ")));
    for line in ["CUTSHORT_CHANGE=opened", "CUTSHORT_PLACE=country:IQ", "CUTSHORT_SEVERITY=severe"] {
        assert!(environment.lines().any(|found| found == line), "{environment}");
    }
    assert!(
        !environment.contains("CUTSHORT_CONNECTIONS"),
        "settings of the server are not for it: {environment}"
    );
}

#[test]
fn receivers_can_be_tested() {
    let (hook, folder) = (Hook::answering(200), tempfile::tempdir().unwrap());
    let command = |name: &str, program: &str| {
        format!("[[alerts.receivers]]\nname = '{name}'\nkind = 'command'\ncommand = ['{program}']\n")
    };
    let text = webhook(&hook) + &command("good", "/bin/true") + &command("bad", "/bin/false");
    let settings = settings(folder.path(), &text);
    let test = |name: &str| run(&format!("alerts test {name} --settings"), &[&settings]);
    let one = test("hook").ended(0);
    assert!(one.stdout.contains("hook") && one.stdout.contains("accepted"), "{one:?}");
    let received = &hook.received()[0];
    check_signature(received);
    assert_eq!(received.path, "/hook/of-a-secret-name");
    assert_eq!((&received.json()["test"], &received.json()["change"]), (&json!(true), &json!("test")));
    let all = test("").ended(1);
    let lines: Vec<&str> = all.stdout.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("good") && line.contains("accepted")), "{all:?}");
    let bad = lines.iter().find(|line| line.starts_with("bad")).unwrap();
    assert!(bad.contains("failed: /bin/false: exit status: 1"), "{all:?}");
    hook.answer(503);
    let failed = test("hook").ended(1);
    assert!(failed.stdout.contains("does not accept it (status 503)"), "{failed:?}");
    assert!(!failed.stdout.contains("of-a-secret-name"), "{failed:?}");
    let unknown = test("nobody").ended(2);
    assert!(unknown.stderr.contains("no receiver 'nobody'; known: hook, good, bad"), "{unknown:?}");
    assert!(run("alerts test", &[] as &[&str]).ended(2).stderr.contains("there are no receivers"));
}

#[test]
fn settings_of_receivers_are_checked_at_the_start_and_shown_without_secrets() {
    let (hook, folder) = (Hook::answering(200), tempfile::tempdir().unwrap());
    let path = settings(folder.path(), &webhook(&hook));
    let shown = run("config --settings", &[&path]).fine().stdout;
    assert!(shown.contains("secret = \"...\"") && shown.contains("places = [\"country:IQ\"]"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains("of-a-secret-name"), "{shown}");
    let store = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        let path = settings(folder.path(), &format!("[[alerts.receivers]]\nname = 'a'\n{text}"));
        let arguments = format!("serve --listen 127.0.0.1:0 --data {} --settings", store.path().display());
        run(&arguments, &[path]).ended(2).stderr
    };
    let wrong = refused("kind = 'webhook'\nurl = 'h'\n");
    assert!(wrong.contains("alerts.receivers: receiver 'a': url: write an address"), "{wrong}");
    let missing = refused("kind = 'webhook'\nurl = 'http://h'\nsecret_file = '/no/such'\n");
    assert!(missing.contains("receiver 'a': /no/such: No such file"), "{missing}");
}

/// A real Alertmanager, which ends with this.
struct Alertmanager {
    child: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl Alertmanager {
    const PROGRAM: &str = "prometheus-alertmanager";

    fn start() -> Option<Self> {
        if !common::is_installed(Self::PROGRAM) {
            common::not_run("prometheus-alertmanager is not installed (Debian: prometheus-alertmanager)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
        // A port that was free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(Self::PROGRAM);
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.path={}", folder.path().display()));
        command.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Self { child, address, _folder: folder };
        common::until("Alertmanager", || started.ask("/-/ready").is_some());
        Some(started)
    }

    /// The body of the answer to a GET request, if it was answered with 200.
    fn ask(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.contains(" 200 ").then(|| body.to_owned())
    }

    /// The alerts that it takes for firing.
    fn firing(&self) -> Vec<Value> {
        serde_json::from_str(&self.ask("/api/v2/alerts").unwrap()).unwrap()
    }

    fn receiver(&self) -> String {
        let url = &self.address;
        format!(
            "[[alerts.receivers]]\nname = 'am'\nkind = 'alertmanager'\nurl = 'http://{url}'\nplaces = ['country:IQ']\n"
        )
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn alertmanager_has_an_alert_that_fires_until_the_end() {
    let Some(alertmanager) = Alertmanager::start() else { return };
    let (now, other) = (shutdown::end(), tempfile::tempdir().unwrap());
    let settings = settings(other.path(), &alertmanager.receiver());
    let tested = run("alerts test --settings", &[&settings]).ended(0);
    assert!(tested.stdout.contains("accepted"), "{tested:?}");
    assert_eq!(alertmanager.firing()[0]["labels"]["alertname"], "CutshortTest");

    let server = serve(store(now), &settings);
    let of_iraq = || alertmanager.firing().into_iter().find(|one| one["labels"]["place"] == "country:IQ");
    server.until("the alert", |_| of_iraq().is_some());
    let alert = of_iraq().unwrap();
    assert_eq!(alert["labels"]["alertname"], "CutshortEvent");
    assert_eq!(
        (&alert["labels"]["channel"], &alert["labels"]["data_set"]),
        (&json!("traffic"), &json!("tcp"))
    );
    assert_eq!(alert["annotations"]["severity"], "severe");
    assert!(alert["annotations"]["summary"].as_str().unwrap().starts_with("Iraq: 98 % fewer"), "{alert}");
    let start = rfc3339(Window::from_number(now - GONE).start());
    assert_eq!(alert["startsAt"].as_str().unwrap()[..19], start[..19]);

    let folder = server.kill();
    assert!(of_iraq().is_some(), "it fires on while the server is away");
    come_back(folder.path(), now);
    let server = serve(folder, &settings);
    server.until("the end", |_| of_iraq().is_none());
}

/// One that has lost its memory, or that was away, is told again what is open.
#[test]
fn alertmanager_is_told_again_of_what_is_open() {
    let Some(alertmanager) = Alertmanager::start() else { return };
    let other = tempfile::tempdir().unwrap();
    let settings = settings(other.path(), &alertmanager.receiver());
    let server = serve(store(shutdown::end()), &settings);
    server.until("the alert", |_| !alertmanager.firing().is_empty());
    let folder = server.kill();
    drop(alertmanager);
    let Some(alertmanager) = Alertmanager::start() else { return };
    let path = self::settings(other.path(), &alertmanager.receiver());
    let server = serve(folder, &path);
    server.until("the alert again", |_| !alertmanager.firing().is_empty());
}
