//! Probes: looking at everything, without changing anything.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use caps::{CapSet, Capability};
use cutshort_agent::{HttpCollector, HttpSettings, Report, Token};
use cutshort_capture::LiveSource;
use cutshort_capture::rules;
use cutshort_geo::Geo;
use cutshort_model::nanoseconds;
use cutshort_store::DataDir;

use crate::reports::may_have_changed;
use crate::seen::{Collector, Disk, Interface, Kernel, Paths, Reported, Seen, Server, Station, Store};
use crate::subject::{CollectorSubject, StoreSubject, Subject};
use crate::text::is_old;

/// Nobody waits longer for an answer to a look.
const PATIENCE: Duration = Duration::from_secs(5);
/// A link that systemd keeps while the unit is active.
const UNIT: &str = "/run/systemd/units/invocation:cutshort-rules.service";
/// The netfilter log's group where nothing else is said.
const GROUP: u16 = 5;

/// Looks at everything that belongs to an agent or server. It may wait some seconds for answers, and for the next report
/// of a process that receives.
#[must_use]
pub fn look(subject: &Subject) -> Seen {
    let mut station = station(subject);
    let source = source(subject, station.as_ref());
    if let Some(station) = &mut station {
        station.start = start(subject, station.is_agent, source.as_ref());
    }
    let is_admin = caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap_or(false);
    let tables = rules::status();
    let nf_tables = match &tables {
        Ok(_) => Some(true),
        Err(_) if is_admin => Some(false),
        Err(_) => None,
    };
    let mut seen = Seen {
        now: nanoseconds(SystemTime::now()),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        may_look: is_admin,
        is_root: rustix::process::geteuid().is_root(),
        kernel: kernel(nf_tables),
        paths: paths(),
        listener: listener(source.as_ref()),
        interface: interface(source.as_ref()),
        source,
        is_unit: Path::new(UNIT).symlink_metadata().is_ok(),
        rules: tables.ok().map(|tables| (tables, rules::chains())),
        station,
        collector: subject.collector.as_ref().map(collector),
        store: subject.deliver.as_ref().or(subject.store.as_ref()).map(store),
        server: subject.server.map(server),
        geo: subject.geo.as_deref().map(geo),
        exposed: subject.exposed.clone(),
        disks: subject.spool.iter().chain(&subject.data).map(|path| disk(path)).collect(),
    };
    await_report(&mut seen);
    seen
}

/// The one who receives: an agent, or a server if it does.
fn station(subject: &Subject) -> Option<Station> {
    let station = |is_agent, folder: &PathBuf, spool| Station {
        is_agent,
        start: String::new(),
        report: read(folder),
        folder: folder.clone(),
        spool,
        later: None,
    };
    if let Some(spool) = &subject.spool {
        return Some(station(true, spool, spool.clone()));
    }
    let data = subject.data.as_ref()?;
    let receives = subject.source.is_some() || Report::path(data).exists();
    receives.then(|| station(false, data, DataDir::new(data).spool()))
}

fn read(folder: &Path) -> Reported {
    match Report::read(folder) {
        Ok(report) => Reported::Read(Box::new(report)),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Reported::Missing,
            ErrorKind::PermissionDenied => Reported::NotAllowed,
            _ => Reported::Wrong(error.to_string()),
        },
    }
}

/// Where packets come from: as is set, else as the one who receives says.
fn source(subject: &Subject, station: Option<&Station>) -> Option<LiveSource> {
    let told = station.and_then(|station| match &station.report {
        Reported::Read(report) => report.source.parse().ok(),
        _ => None,
    });
    let is_agent = subject.spool.is_some() || subject.collector.is_some() || subject.deliver.is_some();
    subject.source.clone().or(told).or(is_agent.then_some(LiveSource::Nflog(GROUP.into())))
}

/// The command that starts the one who receives.
fn start(subject: &Subject, is_agent: bool, source: Option<&LiveSource>) -> String {
    let path = |path: Option<&PathBuf>, other: &str| {
        path.map_or_else(|| other.to_owned(), |path| path.display().to_string())
    };
    let source = source.map_or_else(|| format!("nflog:{GROUP}"), ToString::to_string);
    if !is_agent {
        return format!("cutshort serve --data {} --capture {source}", path(subject.data.as_ref(), "DIR"));
    }
    let spool = path(subject.spool.as_ref(), "DIR");
    if let Some(StoreSubject { url, .. }) = &subject.deliver {
        return format!("cutshort agent --capture {source} --deliver {url} --spool {spool}");
    }
    let collector = subject.collector.as_ref();
    let http = collector.map(|collector| &collector.http);
    // It may have a password.
    let proxy = if http.is_some_and(|http| http.proxy.is_some()) { " --proxy URL" } else { "" };
    let ca_file = http.and_then(|http| http.ca_file.as_ref());
    let ca_file = ca_file.map(|file| format!(" --ca-file {}", file.display()));
    format!(
        "cutshort agent --capture {source} --collector {} --token-file {}{}{proxy} --spool {spool}",
        http.map_or("URL", |http| &http.url),
        path(collector.and_then(|collector| collector.token_file.as_ref()), "FILE"),
        ca_file.unwrap_or_default(),
    )
}

fn kernel(nf_tables: Option<bool>) -> Kernel {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    Kernel {
        nf_tables,
        nfnetlink_log: has_log(),
        bpf_links: has_bpf_links(&release()),
        seccomp: status.lines().any(|line| line.starts_with("Seccomp:")),
        landlock: cutshort_sandbox::supports_landlock(),
    }
}

const LOG: &str = "/proc/thread-self/net/netfilter/nfnetlink_log";

/// Whether packets can be logged: the kernel can already, or has a module for it.
fn has_log() -> Option<bool> {
    if Path::new(LOG).exists() {
        return Some(true);
    }
    let modules = Path::new("/lib/modules").join(release().trim());
    let lists = ["modules.dep", "modules.builtin"].map(|name| fs::read_to_string(modules.join(name)));
    if lists.iter().all(Result::is_err) {
        return None;
    }
    Some(lists.iter().flatten().any(|list| list.contains("nfnetlink_log")))
}

/// The version of the kernel.
fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}

/// Whether a kernel is of Linux 6.6 or newer.
fn has_bpf_links(release: &str) -> bool {
    let mut numbers = release.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(6))
}

fn paths() -> Paths {
    let forwards = ["ipv4/ip_forward", "ipv6/conf/all/forwarding"].into_iter().any(|name| {
        fs::read_to_string(Path::new("/proc/sys/net").join(name)).is_ok_and(|value| value.trim() == "1")
    });
    let mut translations = rules::translations().unwrap_or_default();
    // Three lines of headings come before the services.
    if fs::read_to_string("/proc/net/ip_vs").is_ok_and(|services| services.lines().count() > 3) {
        translations.push("IPVS".to_owned());
    }
    let cookies = fs::read_to_string("/proc/sys/net/ipv4/tcp_syncookies");
    Paths { forwards, translations, syn_cookies: cookies.ok().map(|value| value.trim() != "0") }
}

/// Who listens to the group, by its port number; none if that is not told.
fn listener(source: Option<&LiveSource>) -> Option<Option<u32>> {
    let Some(LiveSource::Nflog(groups)) = source else { return None };
    match fs::read_to_string(LOG) {
        Ok(lines) => Some(lines.lines().find_map(|line| port(line, groups.first()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Some(None),
        Err(_) => None,
    }
}

/// `5 1234 0 2 128 10 1`: group, port and more.
fn port(line: &str, group: u16) -> Option<u32> {
    let mut fields = line.split_whitespace();
    (fields.next()?.parse() == Ok(group)).then_some(())?;
    fields.next()?.parse().ok()
}

fn interface(source: Option<&LiveSource>) -> Option<Interface> {
    /// `IFF_UP` in what the kernel shows as flags.
    const UP: u32 = 1;
    let Some(LiveSource::AfPacket(name) | LiveSource::Ebpf(name)) = source else { return None };
    let Ok(flags) = fs::read_to_string(Path::new("/sys/class/net").join(name).join("flags")) else {
        return Some(Interface::Missing);
    };
    let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap_or(0);
    Some(if flags & UP == UP { Interface::Up } else { Interface::Down })
}

fn collector(subject: &CollectorSubject) -> Collector {
    let CollectorSubject { http: settings, token, .. } = subject;
    let http =
        HttpCollector::new(&HttpSettings { timeout: PATIENCE.min(settings.timeout), ..settings.clone() });
    let proxy = http.as_ref().ok().and_then(HttpCollector::proxy);
    let probe = http.map(|http| http.probe());
    let now = SystemTime::now();
    let offset = probe.as_ref().ok().and_then(|probe| offset(probe.date.as_deref()?, probe.took, now));
    Collector {
        url: settings.url.clone(),
        token: token.clone(),
        probe,
        proxy: proxy.map(|(host, port)| format!("{host}:{port}")),
        offset,
    }
}

fn store(subject: &StoreSubject) -> Store {
    let begin = Instant::now();
    let opened = (subject.open)().map(|()| begin.elapsed());
    Store { url: subject.url.clone(), opened }
}

/// How much later it is there, in seconds, by the middle of the second that was told and the middle of asking.
fn offset(date: &str, took: Duration, now: SystemTime) -> Option<f64> {
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second() as f64 + 0.5;
    let here = nanoseconds(now) as f64 / 1e9 - took.as_secs_f64() / 2.0;
    Some(there - here)
}

fn server(listen: SocketAddr) -> Server {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!("http://{}", SocketAddr::new(ip, listen.port()));
    let token = Token::Text("none".to_owned());
    let http = HttpCollector::new(&HttpSettings {
        url: url.clone(),
        token,
        ca_file: None,
        proxy: None,
        timeout: PATIENCE,
    });
    let begin = Instant::now();
    Server { ready: http.and_then(|http| http.ready()), took: begin.elapsed(), url }
}

fn geo(files: &[PathBuf]) -> Result<Vec<(String, String)>, String> {
    let geo = Geo::with_files(files).map_err(|error| error.to_string())?;
    Ok(geo.sources().iter().map(|source| (source.name.clone(), source.date.clone())).collect())
}

fn disk(path: &Path) -> Disk {
    let room = rustix::fs::statvfs(path).map_err(|error| std::io::Error::from(error).to_string());
    let room = room.map(|room| (room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize));
    Disk { path: path.to_owned(), room }
}

/// If packets may have come since the report was written, waits for the next one, so that what is on its way is not
/// taken for lost, and a host that has just begun to receive not for a quiet one.
fn await_report(seen: &mut Seen) {
    /// Packets wait in the kernel and for their time.
    const ON_ITS_WAY: i64 = 1_500_000_000;
    let Some(Station { report: Reported::Read(report), folder, .. }) = &seen.station else { return };
    if report.ended || is_old(seen.now, report) || !may_have_changed(seen, report) {
        return;
    }
    let until = Instant::now() + 2 * Report::EVERY;
    let mut later = None;
    while later.is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
        later = Report::read(folder).ok().filter(|later| later.time > seen.now + ON_ITS_WAY);
    }
    if let Some(station) = &mut seen.station {
        station.later = later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_by_the_middle() {
        let date = "Sun, 22 Nov 2026 05:00:00 GMT";
        let at = |seconds: f64| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(1_795_323_600.5 + seconds);
        for (now, took, expected) in [(0.0, 0.0, 0.0), (1.0, 2.0, 0.0), (-40.0, 0.0, 40.0), (7.0, 0.0, -7.0)]
        {
            let offset = offset(date, Duration::from_secs_f64(took), at(now)).unwrap();
            assert!((offset - expected).abs() < 0.001, "{offset}");
        }
        assert_eq!(offset("soon", Duration::ZERO, at(0.0)), None);
    }

    #[test]
    fn versions_are_compared_by_number() {
        for (release, expected) in
            [("6.6.0", true), ("6.18.44-amd64", true), ("7.0.1", true), ("6.1.0-32", false), ("", false)]
        {
            assert_eq!(has_bpf_links(release), expected, "{release}");
        }
    }

    #[test]
    fn listeners_are_found() {
        assert_eq!(port("    5   1234     0 2  128   10  1", 5), Some(1234));
        assert_eq!(port("   55   1234     0 2  128   10  1", 5), None);
        assert_eq!(port("", 0), None);
    }
}
