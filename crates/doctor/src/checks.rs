//! What is said about what was found.

use cutshort_pipeline::live::Delivered;

use crate::check::Check;
use crate::seen::{Collector, Disk, Seen, Server, Store};
use crate::text::bytes;
use crate::{host, reports};

/// Judges what was found, in the order in which the checks depend on each other.
#[must_use]
pub fn checks(seen: &Seen) -> Vec<Check> {
    let mut checks = vec![host::kernel(seen), host::privileges(seen)];
    checks.extend(host::rules(seen));
    checks.extend(host::listener(seen));
    checks.extend(host::interface(seen));
    checks.extend(host::floods(seen));
    if let Some(station) = &seen.station {
        checks.extend(reports::all(seen, station));
    }
    if let Some(one) = &seen.collector {
        checks.extend(collector(one));
    }
    checks.extend(seen.store.as_ref().map(store));
    checks.extend(seen.server.as_ref().map(server));
    checks.extend(seen.geo.as_ref().map(|found| geo(seen, found)));
    let exposed = |found: &String| Check::warning("alarms", found.clone(), "write an address with https://");
    checks.extend(seen.exposed.iter().map(exposed));
    checks.extend(seen.disks.iter().map(disk));
    checks
}

/// From this on the clocks differ noticeably, and so much that windows are computed without what comes, in seconds.
const OFFSET: f64 = 2.0;
const WRONG_OFFSET: f64 = 30.0;

fn collector(collector: &Collector) -> Vec<Check> {
    let url = &collector.url;
    let probe = match &collector.probe {
        Ok(probe) => probe,
        Err(why) => return vec![Check::failing("collector", why.clone(), "cutshort config")],
    };
    let is_right = matches!(probe.delivered, Delivered::Refused(_));
    let is_about_token = matches!(probe.status, Some(401 | 403));
    if !is_right && !is_about_token {
        let (Delivered::Later(why) | Delivered::Blocked(why) | Delivered::Refused(why)) = &probe.delivered
        else {
            return vec![Check::failing(
                "collector",
                "it acknowledges a segment that is empty",
                curl(collector),
            )];
        };
        return vec![Check::failing("collector", why.clone(), curl(collector))];
    }
    let answered = format!("{url} answers in {} ms", probe.took.as_millis());
    let mut checks = vec![Check::ok("collector", answered), token(collector, &probe.delivered)];
    checks.extend(collector.offset.map(clock));
    checks
}

/// What shows why there is no answer.
fn curl(collector: &Collector) -> String {
    let url = collector.url.trim_end_matches('/');
    match &collector.proxy {
        Some(proxy) => format!("curl -v --proxytunnel -x {proxy} {url}/healthz"),
        None => format!("curl -v {url}/healthz"),
    }
}

const NEW_TOKEN: &str =
    "cutshort token create --scope ingest NAME --data DIR (at the collector, with its DIR)";

fn token(collector: &Collector, delivered: &Delivered) -> Check {
    match (&collector.token, delivered) {
        (Err(why), _) => Check::failing("token", why.clone(), NEW_TOKEN),
        (Ok(()), Delivered::Refused(_)) => Check::ok("token", "allows sending packets"),
        (Ok(()), Delivered::Blocked(why) | Delivered::Later(why)) => {
            Check::failing("token", why.clone(), NEW_TOKEN)
        }
        (Ok(()), Delivered::Kept) => Check::ok("token", "is accepted"),
    }
}

fn clock(offset: f64) -> Check {
    const FIX: &str = "timedatectl set-ntp true (here or at the collector, whichever is wrong)";
    let (by, seconds) = (if offset > 0.0 { "behind" } else { "ahead of" }, offset.abs());
    let found = format!("{seconds:.0} s {by} the collector's");
    match seconds {
        _ if seconds >= WRONG_OFFSET => Check::failing("clock", found, FIX),
        _ if seconds >= OFFSET => Check::warning("clock", found, FIX),
        _ => Check::ok("clock", "agrees with the collector's to a second or two"),
    }
}

fn store(store: &Store) -> Check {
    const FIX: &str =
        "cutshort clickhouse migrate --store URL (if tables are missing); docs/clickhouse.md has the rights";
    match &store.opened {
        Ok(took) => Check::ok("store", format!("{} can be opened, in {} ms", store.url, took.as_millis())),
        Err(why) => Check::failing("store", why.clone(), FIX),
    }
}

fn server(server: &Server) -> Check {
    let Server { url, ready, took } = server;
    match ready {
        Ok((200, _)) => Check::ok("server", format!("{url} answers in {} ms and is ready", took.as_millis())),
        Ok((status, body)) => {
            Check::failing("server", reasons(*status, body), format!("curl {url}/client/v4/radar/status"))
        }
        Err(why) => Check::failing(
            "server",
            why.clone(),
            "cutshort serve (with the same settings; or name its address: --listen ADDR:PORT)",
        ),
    }
}

/// Why it is not ready, in its words.
fn reasons(status: u16, body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let reasons = body["reasons"].as_array().into_iter().flatten().filter_map(|reason| reason.as_str());
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    if reasons.is_empty() { format!("what answers is not cutshort (status {status})") } else { reasons }
}

/// Networks change hands: data that is older than this is wrong for many, in days.
const OLD_GEO: i64 = 180;

fn geo(seen: &Seen, found: &Result<Vec<(String, String)>, String>) -> Check {
    const NEWER: &str = "cutshort serve --geo FILE (newer data in MaxMind's format or CSV)";
    let sources = match found {
        Ok(sources) => sources,
        Err(why) => return Check::failing("geo", why.clone(), "cutshort config (which file is set as geo)"),
    };
    let names: Vec<String> = sources.iter().map(|(name, date)| format!("{name} of {date}")).collect();
    let is_old = |date: &str| {
        let date: Option<jiff::civil::Date> = date.parse().ok();
        let of = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
        of.is_some_and(|of| seen.now / 1_000_000_000 - of.timestamp().as_second() > OLD_GEO * 86_400)
    };
    // Some of it may be old for good: the newest counts.
    if !sources.is_empty() && sources.iter().all(|(_, date)| is_old(date)) {
        return Check::warning("geo", format!("{}: old", names.join(", ")), NEWER);
    }
    Check::ok("geo", names.join(", "))
}

/// Less than this is no room, and less than that share little.
const NO_ROOM: u64 = 64 << 20;
const LITTLE: f64 = 0.05;

fn disk(disk: &Disk) -> Check {
    let path = disk.path.display();
    let fix = format!("du -xh --max-depth=1 {path} | sort -h (what takes room there)");
    let (free, all) = match &disk.room {
        Ok(room) => *room,
        Err(why) => return Check::failing("disk", format!("{path}: {why}"), format!("mkdir -p {path}")),
    };
    let found = format!("{path}: {} free of {}", bytes(free), bytes(all));
    match free {
        0..NO_ROOM => Check::failing("disk", found, fix),
        _ if (free as f64) < LITTLE * all as f64 => Check::warning("disk", found, fix),
        _ => Check::ok("disk", found),
    }
}
