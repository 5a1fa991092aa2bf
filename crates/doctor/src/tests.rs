//! What a person reads, of made-up states.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cutshort_agent::{DeliveryReport, Probe, Report, SpoolReport};
use cutshort_capture::LiveSource;
use cutshort_capture::rules::{Chains, Counter, Loaded, Sampling};
use cutshort_pipeline::live::Delivered;
use snapbox::{Data, assert_data_eq};

use crate::*;

const NOW: i64 = 1_795_323_600_000_000_000;
const SECOND: i64 = 1_000_000_000;
const URL: &str = "https://collector.example.org";

fn report() -> Report {
    Report {
        pid: 1234,
        time: NOW - 3 * SECOND,
        started: NOW - 7_530 * SECOND,
        node: "edge1".to_owned(),
        source: "nflog:5".to_owned(),
        received: 5_400,
        last_minute: 42,
        seen: 5_404,
        latest: Some(NOW - 4 * SECOND),
        logged_before: [("cutshort".to_owned(), 100)].into(),
        spool: SpoolReport { limit: 1 << 30, ..SpoolReport::default() },
        delivery: DeliveryReport { acknowledged: Some(NOW - 40 * SECOND), ..DeliveryReport::default() },
        ..Report::default()
    }
}

fn rules() -> Loaded {
    let counts = [("syn", 123_456), ("chosen", 600), ("full", 0), ("logged", 5_504), ("busy", 0)];
    let counter = |(name, packets): (&str, u64)| Counter { name: name.to_owned(), packets };
    Loaded {
        table: "cutshort".to_owned(),
        about: Sampling::default().to_string(),
        options: Some("--rate 100 --interfaces 'eth*' --ports 80,443 --exclude 192.0.2.0/24".to_owned()),
        counters: counts.map(counter).into(),
        outdated: false,
    }
}

fn station(report: Reported) -> Station {
    let folder = PathBuf::from("/var/lib/cutshort-agent");
    Station {
        is_agent: true,
        start: format!(
            "cutshort agent --capture nflog:5 --collector {URL} --token-file /etc/cutshort/token --spool {}",
            folder.display()
        ),
        spool: folder.clone(),
        folder,
        report,
        later: None,
    }
}

fn collector(status: Option<u16>, delivered: Delivered, offset: Option<f64>) -> Collector {
    let probe = Probe { delivered, status, date: None, took: Duration::from_millis(12) };
    Collector { url: URL.to_owned(), token: Ok(()), probe: Ok(probe), proxy: None, offset }
}

/// An agent that is well.
fn well() -> Seen {
    Seen {
        now: NOW,
        command: "cutshort doctor --settings /etc/cutshort/agent.toml".to_owned(),
        may_look: true,
        is_root: true,
        kernel: Kernel {
            nf_tables: Some(true),
            nfnetlink_log: Some(true),
            bpf_links: true,
            seccomp: true,
            landlock: true,
        },
        source: Some(LiveSource::Nflog(5.into())),
        rules: Some((vec![rules()], Chains::default())),
        is_unit: false,
        paths: Paths::default(),
        listener: Some(Some(1234)),
        interface: None,
        station: Some(station(Reported::Read(Box::new(report())))),
        store: None,
        collector: Some(collector(Some(400), Delivered::Refused("400, empty".to_owned()), Some(0.4))),
        server: None,
        geo: None,
        exposed: Vec::new(),
        disks: vec![disk(52_000_000_000)],
    }
}

fn disk(free: u64) -> Disk {
    Disk { path: PathBuf::from("/var/lib/cutshort-agent"), room: Ok((free, 100_000_000_000)) }
}

/// A server without packets of its own.
fn server() -> Seen {
    let url = "http://127.0.0.1:8080".to_owned();
    Seen {
        source: None,
        listener: None,
        station: None,
        collector: None,
        store: None,
        server: Some(Server { url, ready: Ok((200, String::new())), took: Duration::from_millis(2) }),
        geo: Some(Ok(vec![("DB-IP country lite".to_owned(), "2026-11-01".to_owned())])),
        ..well()
    }
}

fn shown(seen: &Seen, width: usize) -> String {
    let mut text = Vec::new();
    table(&checks(seen), width, &mut text).unwrap();
    String::from_utf8(anstream::adapter::strip_bytes(&text).into_vec()).unwrap()
}

#[track_caller]
fn assert_shown(text: &str, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/snapshots");
    assert_data_eq!(text, Data::read_from(&folder.join(name), None));
}

#[test]
fn secrets_that_are_sent_unencrypted_are_named() {
    let seen = Seen { exposed: vec!["receiver 'a': http://h/: unencrypted".to_owned()], ..server() };
    let check = checks(&seen).into_iter().find(|check| check.name == "alarms").unwrap();
    assert_eq!((check.status, check.found.as_str()), (Status::Warning, seen.exposed[0].as_str()));
}

#[test]
fn all_is_well() {
    assert_shown(&shown(&well(), 100), "well.txt");
    assert_shown(&shown(&server(), 100), "server.txt");
}

/// Everything that can be wrong with an agent at once.
#[test]
fn much_is_wrong() {
    let troubled = Report {
        lost: 90,
        unwritten: 3,
        last_minute: 0,
        latest: Some(NOW - 4_000 * SECOND),
        spool: SpoolReport {
            segments: 12,
            packets: 3_400,
            bytes: 1_000_000_000,
            limit: 1 << 30,
            oldest: Some(NOW - 100_000 * SECOND),
            dropped: 77,
            refused: 5,
        },
        delivery: DeliveryReport {
            trouble: Some("the collector does not know the token".to_owned()),
            blocked: true,
            ..DeliveryReport::default()
        },
        ..report()
    };
    let mut seen = well();
    seen.kernel.landlock = false;
    seen.rules = Some((Vec::new(), Chains::default()));
    seen.listener = Some(None);
    seen.station = Some(station(Reported::Read(Box::new(troubled))));
    let unknown =
        Delivered::Blocked("the collector does not know the token (401, not known here)".to_owned());
    seen.collector = Some(collector(Some(401), unknown, Some(-75.2)));
    seen.disks = vec![disk(40_000_000), Disk { room: Err("No such file".to_owned()), ..disk(0) }];
    assert_shown(&shown(&seen, 100), "troubled.txt");
    assert_shown(&shown(&seen, 40), "narrow.txt");
    let mut text = Vec::new();
    json(&checks(&seen), &mut text).unwrap();
    assert_shown(&String::from_utf8(text).unwrap(), "troubled.json");
}

#[test]
fn without_rights_little_is_known() {
    let mut seen = well();
    (seen.may_look, seen.is_root, seen.rules, seen.listener) = (false, false, None, None);
    seen.kernel.nf_tables = None;
    seen.station = Some(station(Reported::NotAllowed));
    let away = Delivered::Later(format!("{URL}/ingest/v1/segments does not answer in time"));
    seen.collector = Some(collector(None, away, None));
    assert_shown(&shown(&seen, 80), "not-root.txt");
}

fn find(seen: &Seen, name: &str) -> Check {
    let found = checks(seen).into_iter().find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("{name} is not looked at"))
}

#[track_caller]
fn assert_is(seen: &Seen, name: &str, status: Status, found: &str, fix: &str) {
    let check = find(seen, name);
    let (text, to_fix) = (&check.found, check.fix.as_deref().unwrap_or_default());
    assert!(check.status == status && text.contains(found) && to_fix.contains(fix), "{check:?}");
}

#[test]
fn what_is_wrong_is_told_with_what_fixes_it() {
    use Status::{Failing, Ok as Fine, Warning};
    let with = |change: &dyn Fn(&mut Seen)| {
        let mut seen = well();
        change(&mut seen);
        seen
    };
    let of_rules = |name: &'static str, packets: u64| {
        move |seen: &mut Seen| {
            let tables = &mut seen.rules.as_mut().unwrap().0;
            tables[0].counters.iter_mut().find(|counter| counter.name == name).unwrap().packets = packets;
        }
    };
    assert_is(&with(&of_rules("syn", 0)), "rules", Warning, "no connection", "--forwarded (if clients");
    assert_is(&with(&of_rules("full", 9)), "rules", Warning, "9 SYNs left out", "--size");
    assert_is(&with(&of_rules("busy", 9)), "rules", Warning, "9 SYNs left out", "--rate N");
    let outdated = with(&|seen| {
        let table = &mut seen.rules.as_mut().unwrap().0[0];
        (table.outdated, table.options) = (true, None);
    });
    assert_is(
        &outdated,
        "rules",
        Warning,
        "of an older version",
        "rules apply (and the same options as before",
    );
    let origin = with(&|seen| {
        let table = "cutshort_origin".to_owned();
        seen.rules.as_mut().unwrap().0.push(Loaded { table, ..rules() });
    });
    assert_is(&origin, "origin", Fine, "chosen", "");
    let quic = |initial, full| {
        with(&|seen| {
            let counters = [("initial", initial), ("chosen", 12), ("full", full), ("logged", 0)];
            let counters = counters.map(|(name, packets)| Counter { name: name.to_owned(), packets }).into();
            let (table, options) = ("cutshort_quic".to_owned(), Some("--quic --rate 100".to_owned()));
            seen.rules.as_mut().unwrap().0.push(Loaded { table, options, counters, ..rules() });
        })
    };
    assert_is(&quic(40, 0), "quic", Fine, "40 datagrams looked at, 12 chosen", "");
    assert_is(
        &quic(40, 9),
        "quic",
        Warning,
        "9 datagrams left out",
        "apply --quic --rate 100 --size 1000000",
    );
    assert_is(&quic(0, 0), "quic", Warning, "no connection", "--quic --rate 100 --forwarded (if clients");
    assert_is(&quic(40, 9), "rules", Fine, "123,456 SYNs", "");
    let of_paths = |forwards, translations: &[&str]| {
        let mut seen = with(&|seen| {
            let table = "cutshort_origin".to_owned();
            seen.rules.as_mut().unwrap().0 = vec![Loaded { table, ..rules() }];
        });
        let translations = translations.iter().map(|chain| (*chain).to_owned()).collect();
        seen.paths = Paths { forwards, translations, ..Paths::default() };
        seen
    };
    assert!(checks(&of_paths(false, &[])).iter().all(|check| !["rules", "paths"].contains(&check.name)));
    assert_is(&of_paths(true, &[]), "paths", Fine, "forwarded connections, such as those of containers", "");
    assert_is(
        &of_paths(false, &["ip nat OUTPUT"]),
        "paths",
        Warning,
        "unanswered in the data set origin (ip nat OUTPUT)",
        "af_packet",
    );
    assert_is(
        &of_paths(true, &["IPVS"]),
        "paths",
        Warning,
        "(IPVS); forwarded",
        "CUTSHORT_CAPTURE_DATASETS=origin",
    );
    let other = with(&|seen| seen.source = Some(LiveSource::Nflog(6.into())));
    assert_is(&other, "rules", Failing, "do not log to group 6", "--exclude 192.0.2.0/24 --group 6");
    let none = with(&|seen| {
        (seen.source, seen.rules) =
            (Some(LiveSource::Nflog(6.into())), Some((Vec::new(), Chains::default())));
    });
    assert_is(&none, "rules", Failing, "none of cutshort's rules", "cutshort rules apply --group 6");
    let iptables = with(&|seen| {
        seen.rules = Some((
            Vec::new(),
            Chains {
                shown: vec!["-A CUTSHORT -j NFLOG --nflog-group 5 --nflog-size 128".to_owned()],
                options: None,
            },
        ));
    });
    assert_is(&iptables, "rules", Fine, "iptables", "");
    assert_is(&iptables, "loss", Fine, "none of 5,404 packets", "");
    let socket = with(&|seen| {
        (seen.source, seen.rules) = (Some(LiveSource::AfPacket("eth0".to_owned())), None);
        seen.station = Some(station(Reported::Read(Box::new(Report { left_out: 9, ..report() }))));
    });
    assert_is(&socket, "loss", Warning, "9 chosen connections left out", "CUTSHORT_SAMPLE_RATE=N");
    let no_module = with(&|seen| seen.kernel.nfnetlink_log = Some(false));
    assert_is(&no_module, "kernel", Failing, "no nfnetlink_log", "modprobe nfnetlink_log");
    let old = with(&|seen| {
        (seen.source, seen.rules) = (Some(LiveSource::Ebpf("eth0".to_owned())), None);
        (seen.kernel.bpf_links, seen.interface) = (false, Some(Interface::Up));
    });
    assert_is(&old, "kernel", Failing, "is older than Linux 6.6", "af_packet:eth0");
    assert_is(&old, "interface", Fine, "eth0 is up", "");
    for (interface, found) in [(Interface::Down, "eth0 is down"), (Interface::Missing, "no eth0")] {
        let seen = with(&|seen| {
            (seen.source, seen.interface) = (Some(LiveSource::AfPacket("eth0".to_owned())), Some(interface));
        });
        assert_is(&seen, "interface", Failing, found, "ip link");
    }
    let read =
        |report: Report| with(&|seen| seen.station = Some(station(Reported::Read(Box::new(report.clone())))));
    let missing = with(&|seen| seen.station = Some(station(Reported::Missing)));
    assert_is(&missing, "agent", Failing, "none has run yet", "cutshort agent --capture nflog:5");
    let still = read(Report { time: NOW - 31 * SECOND, ..report() });
    assert_is(&still, "agent", Failing, "has said nothing for 31s", "cutshort agent");
    let ended = read(Report { ended: true, ..report() });
    assert_is(&ended, "agent", Failing, "has ended 3s ago", "cutshort agent");
    let full = read(Report { trouble: Some("the disk is full".to_owned()), ..report() });
    assert_is(&full, "agent", Failing, "the disk is full", "df -h /var/lib/cutshort-agent");
    let old = with(&|seen| seen.geo = Some(Ok(vec![("a".to_owned(), "2026-01-01".to_owned())])));
    assert_is(&old, "geo", Warning, "a of 2026-01-01: old", "--geo");
    let busy = "{\"ready\":false,\"reasons\":[\"the store is full\"]}";
    let mut full = server();
    full.server.as_mut().unwrap().ready = Ok((503, busy.to_owned()));
    assert_is(&full, "server", Failing, "the store is full", "curl");
    let none = with(&|seen| seen.collector.as_mut().unwrap().token = Err("there is none".to_owned()));
    assert_is(&none, "token", Failing, "there is none", "token create --scope ingest");
}

/// A cure changes nothing else about what is sampled.
#[test]
fn cures_keep_the_other_options() {
    use Status::Warning;
    let options = "--rate 100 --interfaces 'eth*' --ports 80,443 --exclude 192.0.2.0/24";
    let full = |seen: &mut Seen| seen.rules.as_mut().unwrap().0[0].counters[2].packets = 9;
    let mut seen = well();
    full(&mut seen);
    let larger = format!("{options} --size 1000000");
    assert_is(&seen, "rules", Warning, "left out", &format!("cutshort rules apply {larger}"));
    seen.is_unit = true;
    let unit =
        format!("systemctl reload cutshort-rules, after CUTSHORT_RULES={larger} in /etc/cutshort/rules.env");
    assert_is(&seen, "rules", Warning, "left out", &unit);
    let large = Some("--nft-conntrack --rate 7 --size 3000000".to_owned());
    (seen.is_unit, seen.rules.as_mut().unwrap().0[0].options) = (false, large);
    assert_is(&seen, "rules", Warning, "left out", "--nft-conntrack --rate 7 --size 6000000");

    let mut lossy = well();
    let report = Report { lost: 900, ..report() };
    lossy.station = Some(station(Reported::Read(Box::new(report.clone()))));
    let rate = options.replace("100", "N");
    assert_is(
        &lossy,
        "loss",
        Status::Failing,
        "lost on",
        &format!("cutshort rules apply {rate} (with a higher N"),
    );
    let quiet = Report { last_minute: 0, ..report };
    lossy.station = Some(station(Reported::Read(Box::new(quiet))));
    assert_is(&lossy, "packets", Warning, "none in", &format!("cutshort rules apply {rate} (with a lower N"));
    // iptables has no table.
    let options = Some("--iptables --rate 7 --ports 25".to_owned());
    let shown = vec!["-A CUTSHORT -j NFLOG --nflog-group 5 ".to_owned()];
    lossy.rules = Some((Vec::new(), Chains { shown, options }));
    assert_is(&lossy, "packets", Warning, "none in", "cutshort rules apply --iptables --rate N --ports 25");
}

/// What was received a moment ago is in the next report.
#[test]
fn a_receiver_that_has_just_begun_is_not_called_quiet() {
    let began =
        Report { started: NOW - 8 * SECOND, received: 0, seen: 0, last_minute: 0, latest: None, ..report() };
    let mut seen = well();
    seen.station = Some(station(Reported::Read(Box::new(began.clone()))));
    assert_is(&seen, "packets", Status::Ok, "none yet; it started 8s ago", "");
    let later = Report { received: 30, last_minute: 30, time: NOW + SECOND, ..began };
    seen.station.as_mut().unwrap().later = Some(later);
    assert_is(&seen, "packets", Status::Ok, "30 packets in all", "");
}

/// `classify` needs no agent.
#[test]
fn a_source_alone_is_looked_at() {
    let mut seen = Seen { station: None, collector: None, disks: Vec::new(), ..well() };
    assert_is(&seen, "group", Status::Ok, "another process (netlink port 1234) listens to group 5", "");
    seen.listener = Some(None);
    assert_is(&seen, "group", Status::Failing, "nobody listens", "cutshort classify nflog:5");
}

/// The rules' own counter against what was received, now and a report later.
#[test]
fn losses_of_the_kernel_are_found() {
    use Status::{Failing, Ok as Fine, Warning};
    let logged = |packets: u64, later: Option<u64>| {
        let mut seen = well();
        seen.rules.as_mut().unwrap().0[0].counters[3].packets = packets;
        let later = later.map(|count| Report { seen: count, ..report() });
        seen.station.as_mut().unwrap().later = later;
        seen
    };
    assert_is(&logged(5_504, None), "loss", Fine, "own count agrees", "");
    assert_is(&logged(5_510, Some(5_410)), "loss", Fine, "own count agrees", "");
    assert_is(&logged(5_514, Some(5_410)), "loss", Warning, "4 packets logged by the rules", "--rate");
    assert_is(&logged(9_000, Some(5_410)), "loss", Failing, "3,490 packets logged", "--rate");
    // They may still come; or the rules were loaded anew.
    for unknown in [logged(9_000, None), logged(5_000, None), logged(7, None)] {
        let check = find(&unknown, "loss");
        assert_eq!((check.status, check.found.as_str()), (Fine, "none of 5,404 packets"));
    }
}

#[test]
fn a_host_without_syn_cookies_is_told() {
    let off =
        |source| Seen { source, paths: Paths { syn_cookies: Some(false), ..Paths::default() }, ..well() };
    let told = |seen: &Seen| checks(seen).into_iter().find(|check| check.name == "floods");
    let check = told(&off(Some(LiveSource::Nflog(5.into())))).unwrap();
    assert!(check.status == Status::Warning && check.fix.unwrap().contains("tcp_syncookies=1"));
    assert_eq!(told(&off(None)), None, "a collector serves others");
    assert_eq!(told(&well()), None);
}
