//! Looking at everything, without changing anything.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use caps::{CapSet, Capability};
use cutshort_agent::{HttpCollector, HttpSettings, Report, Token};
use cutshort_capture::LiveSource;
use cutshort_capture::rules;
use cutshort_clickhouse::Address;
use cutshort_geo::Geo;
use cutshort_model::nanoseconds;
use cutshort_store::DataDir;

use super::reports::may_have_changed;
use super::seen::{Collector, Disk, Interface, Kernel, Reported, Seen, Server, Station, Store};
use crate::backends::{address, connect};
use crate::deliver;
use crate::error::Error;
use crate::settings::Settings;

/// Nobody waits longer for an answer to a look.
const PATIENCE: Duration = Duration::from_secs(5);
/// A link that systemd keeps while the unit is active.
const UNIT: &str = "/run/systemd/units/invocation:cutshort-rules.service";
/// The netfilter log's group where nothing else is said.
const GROUP: u16 = 5;

/// `serves` tells whether a server is to be asked.
pub(super) fn look(settings: &Settings, serves: bool) -> Result<Seen, Error> {
    let mut station = station(settings);
    let source = source(settings, station.as_ref());
    if let Some(station) = &mut station {
        station.start = start(settings, station.is_agent, source.as_ref());
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
        listener: listener(source.as_ref()),
        interface: interface(source.as_ref()),
        source,
        is_unit: Path::new(UNIT).symlink_metadata().is_ok(),
        rules: tables.ok().map(|tables| (tables, rules::chains())),
        station,
        collector: settings.collector.as_ref().map(|url| collector(settings, url)),
        store: settings.deliver.as_deref().or(settings.store.as_deref()).map(store),
        server: serves.then(|| server(settings.listen)),
        geo: looks_up(settings).then(|| geo(&settings.geo)),
        disks: settings.spool.iter().chain(&settings.data).map(|path| disk(path)).collect(),
    };
    await_report(&mut seen);
    Ok(seen)
}

/// Whether places are looked up here: by a server, or by an agent that does not keep addresses in full.
fn looks_up(settings: &Settings) -> bool {
    settings.data.is_some() || !settings.geo.is_empty() || settings.addresses != Settings::default().addresses
}

/// The one who receives: an agent, or a server if it does.
fn station(settings: &Settings) -> Option<Station> {
    let station = |is_agent, folder: &PathBuf, spool| Station {
        is_agent,
        start: String::new(),
        report: read(folder),
        folder: folder.clone(),
        spool,
        later: None,
    };
    if let Some(spool) = &settings.spool {
        return Some(station(true, spool, spool.clone()));
    }
    let data = settings.data.as_ref()?;
    let receives = settings.capture.is_some() || Report::path(data).exists();
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
fn source(settings: &Settings, station: Option<&Station>) -> Option<LiveSource> {
    let told = station.and_then(|station| match &station.report {
        Reported::Read(report) => report.source.parse().ok(),
        _ => None,
    });
    let is_agent = settings.spool.is_some() || settings.collector.is_some() || settings.deliver.is_some();
    settings.capture.clone().or(told).or(is_agent.then_some(LiveSource::Nflog(GROUP)))
}

/// The command that starts the one who receives.
fn start(settings: &Settings, is_agent: bool, source: Option<&LiveSource>) -> String {
    let path = |path: &Option<PathBuf>, other: &str| {
        path.as_ref().map_or_else(|| other.to_owned(), |path| path.display().to_string())
    };
    let source = source.map_or_else(|| format!("nflog:{GROUP}"), ToString::to_string);
    if !is_agent {
        return format!("cutshort serve --data {} --capture {source}", path(&settings.data, "DIR"));
    }
    let spool = path(&settings.spool, "DIR");
    if let Some(url) = &settings.deliver {
        return format!(
            "cutshort agent --capture {source} --deliver {} --spool {spool}",
            without_secret(url)
        );
    }
    // It may have a password.
    let proxy = if settings.proxy.is_some() { " --proxy URL" } else { "" };
    let ca_file = settings.ca_file.as_ref().map(|file| format!(" --ca-file {}", file.display()));
    format!(
        "cutshort agent --capture {source} --collector {} --token-file {}{}{proxy} --spool {spool}",
        settings.collector.as_deref().unwrap_or("URL"),
        path(&settings.token_file, "FILE"),
        ca_file.unwrap_or_default(),
    )
}

fn kernel(nf_tables: Option<bool>) -> Kernel {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    Kernel {
        nf_tables,
        nfnetlink_log: has_log(),
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
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let modules = Path::new("/lib/modules").join(release.trim());
    let lists = ["modules.dep", "modules.builtin"].map(|name| fs::read_to_string(modules.join(name)));
    if lists.iter().all(Result::is_err) {
        return None;
    }
    Some(lists.iter().flatten().any(|list| list.contains("nfnetlink_log")))
}

/// Who listens to the group, by its port number; none if that is not told.
fn listener(source: Option<&LiveSource>) -> Option<Option<u32>> {
    let Some(LiveSource::Nflog(group)) = source else { return None };
    match fs::read_to_string(LOG) {
        Ok(lines) => Some(lines.lines().find_map(|line| port(line, *group))),
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
    let Some(LiveSource::AfPacket(name)) = source else { return None };
    let Ok(flags) = fs::read_to_string(Path::new("/sys/class/net").join(name).join("flags")) else {
        return Some(Interface::Missing);
    };
    let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap_or(0);
    Some(if flags & UP == UP { Interface::Up } else { Interface::Down })
}

fn collector(settings: &Settings, url: &str) -> Collector {
    let token = deliver::token(settings);
    let http = HttpCollector::new(&HttpSettings {
        url: url.to_owned(),
        // Without one, it is asked all the same: whether it answers is worth knowing.
        token: token.as_ref().map_or_else(|_| Token::Text("none".to_owned()), Clone::clone),
        ca_file: settings.ca_file.clone(),
        proxy: settings.proxy.clone(),
        timeout: PATIENCE.min(settings.upload_timeout),
    });
    let proxy = http.as_ref().ok().and_then(HttpCollector::proxy);
    let probe = http.map(|http| http.probe());
    let now = SystemTime::now();
    let offset = probe.as_ref().ok().and_then(|probe| offset(probe.date.as_deref()?, probe.took, now));
    Collector {
        url: url.to_owned(),
        token: token.map(drop).map_err(|error| error.to_string()),
        probe,
        proxy: proxy.map(|(host, port)| format!("{host}:{port}")),
        offset,
    }
}

fn store(url: &str) -> Store {
    let begin = Instant::now();
    let opened = address(url).map_err(|error| error.to_string()).and_then(|address| {
        let store = connect(&address).map_err(|error| format!("{error:#}"))?;
        drop(store);
        Ok(begin.elapsed())
    });
    Store { url: without_secret(url), opened }
}

fn without_secret(url: &str) -> String {
    Address::parse(url).map_or_else(|_| "URL".to_owned(), |address| address.to_string())
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
    if report.ended || super::checks::is_old(seen.now, report) || !may_have_changed(seen, report) {
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
    fn listeners_are_found() {
        assert_eq!(port("    5   1234     0 2  128   10  1", 5), Some(1234));
        assert_eq!(port("   55   1234     0 2  128   10  1", 5), None);
        assert_eq!(port("", 0), None);
    }
}
