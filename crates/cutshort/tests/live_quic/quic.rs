//! Real QUIC clients through a router that drops: what it did beside what cutshort says, by way of rules, agent, collector and
//! store, and of a packet socket that opens Initial packets. docs/quic.md#clients has the table.

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::network::{self, Network};
use crate::processes::{Place, Running, until, wait_for_window};
use crate::{CLIENT, CUTSHORT, SERVER, clients, root};

/// A client's connection to an address of its own.
struct Meant {
    /// The server's address.
    host: &'static str,
    client: Client,
    what: &'static str,
    /// What the router does to packets that it forwards.
    router: Router,
    /// Stage, termination and signature without opened Initial packets, and with; none where no datagram arrives.
    said: Option<[(&'static str, &'static str, Option<u64>); 2]>,
    /// Tags that it has.
    tags: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Client {
    Aioquic,
    /// Of Debian's ngtcp2.
    Ngtcp2,
    /// Opens more connections than one, and some are given up.
    Chromium,
    /// Of PyPI, with a newer ngtcp2 and BoringSSL. It gives up without a word.
    Curl,
}

#[derive(Clone, Copy)]
enum Router {
    Nothing,
    /// Drops all of the client's datagrams but the first so many.
    After(u8),
    /// Drops the client's datagrams that begin with a short header.
    Short,
    /// Drops all that the server sends.
    Answers,
    /// The same, until the client was killed.
    UntilKilled,
}

const NONE: (&str, &str, Option<u64>) = ("none", "open", None);
const INITIAL: (&str, &str, Option<u64>) = ("post_initial", "timeout", Some(101));
const REPEATED: (&str, &str, Option<u64>) = ("post_initial", "timeout", Some(102));
const REPEATED_CLOSE: (&str, &str, Option<u64>) = ("post_initial", "close", Some(112));
const KILLED: (&str, &str, Option<u64>) = ("post_initial", "client_gone", Some(121));

#[rustfmt::skip]
const MEANT: [Meant; 24] = [
    Meant { host: "203.0.113.10", client: Client::Aioquic, what: "nothing", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered"] },
    Meant { host: "203.0.113.11", client: Client::Aioquic, what: "dropped everything", router: Router::After(0), said: None, tags: &[] },
    Meant { host: "203.0.113.12", client: Client::Aioquic, what: "dropped everything after the ClientHello", router: Router::After(1), said: Some([INITIAL, INITIAL]), tags: &["timeout"] },
    Meant { host: "203.0.113.13", client: Client::Aioquic, what: "dropped the answers", router: Router::Answers, said: Some([REPEATED, REPEATED_CLOSE]), tags: &["initial_repeated"] },
    Meant { host: "203.0.113.14", client: Client::Aioquic, what: "client killed", router: Router::UntilKilled, said: Some([KILLED, KILLED]), tags: &["client_gone"] },
    Meant { host: "203.0.113.15", client: Client::Aioquic, what: "dropped what begins with a short header", router: Router::Short, said: Some([("post_handshake", "timeout", Some(106)); 2]), tags: &["answered", "timeout"] },
    Meant { host: "203.0.113.16", client: Client::Aioquic, what: "server demanded a Retry", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered", "retry"] },
    Meant { host: "203.0.113.17", client: Client::Aioquic, what: "server demanded a Retry, everything dropped after it", router: Router::After(2), said: Some([("post_initial", "timeout", Some(103)); 2]), tags: &["retry", "timeout"] },
    Meant { host: "203.0.113.20", client: Client::Ngtcp2, what: "nothing", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered"] },
    Meant { host: "203.0.113.21", client: Client::Ngtcp2, what: "dropped everything", router: Router::After(0), said: None, tags: &[] },
    Meant { host: "203.0.113.22", client: Client::Ngtcp2, what: "dropped everything after the ClientHello", router: Router::After(1), said: Some([INITIAL, INITIAL]), tags: &["timeout"] },
    Meant { host: "203.0.113.23", client: Client::Ngtcp2, what: "dropped the answers", router: Router::Answers, said: Some([REPEATED, REPEATED_CLOSE]), tags: &["initial_repeated"] },
    Meant { host: "203.0.113.24", client: Client::Ngtcp2, what: "client killed", router: Router::UntilKilled, said: Some([KILLED, KILLED]), tags: &["client_gone"] },
    Meant { host: "203.0.113.30", client: Client::Chromium, what: "nothing", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered"] },
    Meant { host: "203.0.113.31", client: Client::Chromium, what: "dropped the answers", router: Router::Answers, said: Some([REPEATED, REPEATED_CLOSE]), tags: &["initial_repeated"] },
    Meant { host: "203.0.113.40", client: Client::Curl, what: "nothing", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered"] },
    Meant { host: "2001:db8:2::41", client: Client::Curl, what: "dropped everything", router: Router::After(0), said: None, tags: &[] },
    Meant { host: "2001:db8:2::42", client: Client::Curl, what: "dropped everything after the ClientHello", router: Router::After(1), said: Some([INITIAL, INITIAL]), tags: &["timeout"] },
    Meant { host: "2001:db8:2::43", client: Client::Curl, what: "dropped the answers", router: Router::Answers, said: Some([REPEATED, REPEATED]), tags: &["initial_repeated"] },
    Meant { host: "2001:db8:2::44", client: Client::Curl, what: "client killed", router: Router::UntilKilled, said: Some([KILLED, KILLED]), tags: &["client_gone"] },
    Meant { host: "2001:db8:2::20", client: Client::Ngtcp2, what: "nothing", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered"] },
    Meant { host: "2001:db8:2::15", client: Client::Aioquic, what: "dropped what begins with a short header", router: Router::Short, said: Some([("post_handshake", "timeout", Some(106)); 2]), tags: &["answered", "timeout"] },
    Meant { host: "2001:db8:2::16", client: Client::Aioquic, what: "server demanded a Retry", router: Router::Nothing, said: Some([NONE, NONE]), tags: &["answered", "retry"] },
    Meant { host: "2001:db8:2::17", client: Client::Aioquic, what: "server demanded a Retry, everything dropped after it", router: Router::After(2), said: Some([("post_initial", "timeout", Some(103)); 2]), tags: &["retry", "timeout"] },
];

impl Meant {
    const fn is_ipv6(&self) -> bool {
        // An IPv4 address begins with three digits and a dot.
        self.host.as_bytes()[3] != b'.'
    }

    /// What the router calls the chain of this address.
    fn chain(&self) -> String {
        format!("a{}", self.host.replace(['.', ':'], "_"))
    }

    fn url(&self) -> String {
        match self.is_ipv6() {
            true => format!("https://[{}]/index.html", self.host),
            false => format!("https://{}/index.html", self.host),
        }
    }
}

/// A program that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
// So that the log of a run that passes shows how often it does only then.
#[allow(clippy::print_stderr)]
fn quic_clients_end_as_the_router_lets_them() {
    let wrong = run();
    if wrong.is_empty() {
        return;
    }
    // A client that gets too little time repeats what it sent, or gives up, as if the router had dropped something.
    eprintln!("once more, as a client may have been delayed:\n{wrong}");
    assert_eq!(run(), "");
}

/// Runs all clients, and returns what is not as meant.
fn run() -> String {
    let nothing = String::new();
    let Some(network) = Network::new().map(Network::without_offloads) else { return nothing };
    let python = match clients::python_with("quic", "tests/live/requirements.txt") {
        Ok(python) => python,
        Err(why) => {
            network::not_run(&format!("aioquic cannot be installed: {why}"));
            return nothing;
        }
    };
    let has =
        |program: &&str| Command::new("which").arg(program).output().is_ok_and(|out| out.status.success());
    let needed = |client: Client| match client {
        Client::Aioquic => &["openssl"][..],
        Client::Ngtcp2 => &["gtlsclient", "gtlsserver"],
        Client::Curl => &["gtlsserver"],
        Client::Chromium => &["chromium", "gtlsserver"],
    };
    for program in ["gtlsclient", "gtlsserver", "chromium"].iter().filter(|program| !has(program)) {
        network::not_run(&format!("{program} is not installed"));
    }
    let meant: Vec<&Meant> = MEANT.iter().filter(|meant| needed(meant.client).iter().all(has)).collect();
    let folder = tempfile::tempdir().unwrap();
    let _servers = servers(&network, &python, folder.path(), &meant);
    network.load_on_router(&rules(&meant));
    network.server(&format!("{CUTSHORT} rules apply --quic --rate 1 --group 7"));
    wait_for_window(Duration::from_secs(30));
    let places = ["127.0.0.1:9000", "127.0.0.1:9001"].map(|address| Place::new(SERVER, address));
    let (collector, agent) = (places[0].collector(&network), agent(&network, &places[0]));
    let server = server(&network, &places[1]);
    run_clients(&network, &python, folder.path(), &meant);
    // Silence is only known to be one after ten seconds.
    thread::sleep(Duration::from_millis(11_500));
    until("all is delivered", || number(&network, "datagrams_of_quic_connections_total") > 0.0);
    for running in [agent, server] {
        let (status, said) = running.terminate();
        assert_eq!(status.code(), Some(0), "{said}");
    }
    drop(collector);
    let mut wrong = String::new();
    for (at, place) in places.iter().enumerate() {
        let of_others = place.segments();
        assert!(
            of_others.is_empty(),
            "of a data set that is not sampled not even silence is known: {of_others:?}"
        );
        let connections = place.judged_of("quic");
        for meant in &meant {
            check(meant, at, &connections, &mut wrong);
        }
    }
    wrong
}

/// Compares what is said of a connection with what is meant; `at` is 1 where Initial packets were opened.
fn check(meant: &Meant, at: usize, connections: &[Value], wrong: &mut String) {
    let name = format!("{} {}, {}", meant.host, meant.what, ["closed", "opened"][at]);
    let own: Vec<&Value> = connections.iter().filter(|line| line["dst_ip"] == meant.host).collect();
    let Some(said) = meant.said else {
        own.iter().for_each(|line| writeln!(wrong, "{name}: {line}").unwrap());
        return;
    };
    let (stage, termination, signature) = said[at];
    let is_meant = |line: &Value| {
        let has = |tag: &&str| line["tags"].as_array().unwrap().iter().any(|own| own == tag);
        line["stage"] == stage
            && line["termination"] == termination
            && line["signature_id"].as_u64() == signature
            && meant.tags.iter().all(has)
            && line["sample_rate"] == 1
    };
    let is_well = match meant.client {
        Client::Chromium => own.iter().any(|line| is_meant(line)),
        _ => own.len() == 1 && is_meant(own[0]),
    };
    if !is_well {
        writeln!(wrong, "{name}: {own:?}").unwrap();
    }
}

/// The agent's command: what rules log goes to the collector.
fn agent(network: &Network, place: &Place) -> Running {
    let mut command = place.agent(network, "nflog:7");
    command
        .args(["--node", "edge", "--metrics", crate::processes::METRICS, "--spool"])
        .arg(place.path("spool"));
    Running::start(command, "receiving from")
}

/// A server that receives from the interface itself, and opens Initial packets.
fn server(network: &Network, place: &Place) -> Running {
    let mut command = network.command(SERVER, CUTSHORT);
    command.args(["serve", "--listen", "127.0.0.1:9001", "--capture", "af_packet:s0", "--open-initials"]);
    command.args(["--node", "edge", "--data"]).arg(place.path("data"));
    command.env("CUTSHORT_CAPTURE_DATASETS", "quic").env("CUTSHORT_SEGMENT_TIME", "1s");
    Running::start(command, "is served on")
}

fn number(network: &Network, name: &str) -> f64 {
    crate::processes::number(network, name)
}

/// Both kinds of servers, each of which answers from the address that it was asked at.
fn servers(network: &Network, python: &Path, folder: &Path, meant: &[&Meant]) -> Vec<Ending> {
    let [certificate, key] = ["server.crt", "server.key"].map(|name| folder.join(name));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=server", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::write(folder.join("index.html"), "ok").unwrap();
    for meant in meant {
        let (length, flags) = if meant.is_ipv6() { (64, "nodad") } else { (24, "") };
        network.server(&format!("ip addr add {}/{length} dev s0 {flags}", meant.host));
        // Without link-local addresses the router cannot ask for it.
        network.router(&format!(
            "ip neigh replace {} lladdr 02:00:00:00:02:02 dev ms nud permanent",
            meant.host
        ));
    }
    let mut aioquic = network.command(SERVER, &python.display().to_string());
    aioquic.arg(root().join("tests/live/quic_server.py")).arg(&certificate).arg(&key);
    for meant in meant.iter().filter(|meant| meant.client == Client::Aioquic) {
        let retry = if meant.what.contains("Retry") { "+" } else { "" };
        aioquic.arg(format!("{retry}{}", meant.host));
    }
    let mut aioquic = aioquic.stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(aioquic.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let mut all = vec![Ending(aioquic)];
    assert_eq!(ready, "ready\n");
    for meant in meant.iter().filter(|meant| meant.client != Client::Aioquic) {
        let mut command = network.command(SERVER, "gtlsserver");
        command.args(["-q", "-d"]).arg(folder).args([meant.host, "443"]).arg(&key).arg(&certificate);
        all.push(Ending(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()));
    }
    let listening = || network.server("ss -Hlun").matches(":443 ").count() >= meant.len();
    network::eventually("all servers listen", listening);
    all
}

/// What the router does. Each address has a chain of its own, which can be emptied.
fn rules(meant: &[&Meant]) -> String {
    let (mut chains, mut jumps) = (String::new(), String::new());
    for meant in meant {
        let (host, ip) = (meant.host, if meant.is_ipv6() { "ip6" } else { "ip" });
        let rule = match meant.router {
            Router::Nothing => continue,
            Router::After(0) => format!("{ip} daddr {host} drop"),
            Router::After(count) => format!("{ip} daddr {host} ct original packets > {count} drop"),
            Router::Short => format!("{ip} daddr {host} @th,64,8 & 0x80 == 0 drop"),
            Router::Answers => format!("{ip} saddr {host} drop"),
            Router::UntilKilled => format!("{ip} saddr {host} counter drop"),
        };
        writeln!(chains, "chain {} {{ {rule}; }}", meant.chain()).unwrap();
        writeln!(jumps, "jump {}", meant.chain()).unwrap();
    }
    format!(
        "table inet middlebox {{
            {chains}
            chain named {{ {jumps} }}
            chain forward {{ type filter hook forward priority 0; udp dport 443 jump named; udp sport 443 jump named; }}
        }}"
    )
}

impl Network {
    /// Loads rules on the router.
    fn load_on_router(&self, text: &str) {
        let path = std::env::temp_dir().join(format!("middlebox-{}.nft", std::process::id()));
        std::fs::write(&path, text).unwrap();
        self.router(&format!("nft -f {}", path.display()));
        std::fs::remove_file(&path).unwrap();
    }
}

/// Runs all clients, until they have given up or were killed.
fn run_clients(network: &Network, python: &Path, folder: &Path, meant: &[&Meant]) {
    let certificate = folder.join("server.crt");
    let start = |meant: &Meant| {
        let mut command = match meant.client {
            Client::Aioquic => {
                let mut command = network.command(CLIENT, &python.display().to_string());
                command.arg(root().join("tests/live/quic_client.py")).args([meant.host, "3"]);
                command
            }
            Client::Ngtcp2 => {
                let mut command = network.command(CLIENT, "gtlsclient");
                command.args(["-q", "--exit-on-all-streams-close", "--handshake-timeout=3s"]);
                command.args([meant.host, "443", &meant.url()]);
                command
            }
            Client::Chromium => chromium(network, &certificate, folder, meant),
            Client::Curl => {
                let mut command = network.command(CLIENT, &python.display().to_string());
                command.arg(root().join("tests/live/curl_client.py")).args([&meant.url(), "3"]);
                command
            }
        };
        Ending(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let is_killed = |meant: &&&Meant| matches!(meant.router, Router::UntilKilled);
    for meant in meant.iter().filter(is_killed) {
        let client = start(meant);
        let is_unanswered = || {
            network.router(&format!("nft list chain inet middlebox {}", meant.chain())).contains("packets 0 ")
        };
        let end = Instant::now() + Duration::from_secs(5);
        while is_unanswered() {
            assert!(Instant::now() < end, "{} does not answer", meant.host);
            thread::sleep(Duration::from_millis(10));
        }
        // Killed at once; then what the server repeats comes to a closed port.
        drop(client);
        network.router(&format!("nft flush chain inet middlebox {}", meant.chain()));
    }
    let clients: Vec<Ending> =
        meant.iter().filter(|meant| !is_killed(meant)).map(|meant| start(meant)).collect();
    // Some go on for as long as the server repeats itself; the browser ends before.
    let end = Instant::now() + Duration::from_secs(16);
    for mut client in clients {
        while client.0.try_wait().unwrap().is_none() && Instant::now() < end {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A browser that opens a page over QUIC, and ends after some seconds.
fn chromium(network: &Network, certificate: &Path, folder: &Path, meant: &Meant) -> Command {
    let host = meant.host;
    let digest = format!(
        "openssl x509 -in {} -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64",
        certificate.display()
    );
    let digest = Command::new("sh").args(["-c", &digest]).output().unwrap();
    let digest = String::from_utf8(digest.stdout).unwrap();
    let mut command = network.command(CLIENT, "timeout");
    command
        .args(["14", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--no-proxy-server", "--enable-quic", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join(host).display()))
        .arg(format!("--origin-to-force-quic-on={host}:443"))
        .arg(format!("--ignore-certificate-errors-spki-list={}", digest.trim()))
        .arg(meant.url());
    command
}
