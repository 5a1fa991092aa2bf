//! What the one who receives says about itself.

use cutshort_agent::Report;
use cutshort_capture::LiveSource;
use cutshort_capture::rules::Loaded;
use cutshort_model::quantity;
use cutshort_report::percent;

use crate::check::Check;
use crate::cure;
use crate::seen::{Reported, Seen, Station};
use crate::text::{ago, bytes, is_old};

pub(crate) fn all(seen: &Seen, station: &Station) -> Vec<Check> {
    let name = if station.is_agent { "agent" } else { "receiver" };
    let report = match &station.report {
        Reported::Read(report) => report,
        other => return vec![unread(seen, station, name, other)],
    };
    let mut checks = vec![alive(seen, station, name, report)];
    if !report.ended && !is_old(seen.now, report) {
        let latest = station.later.as_ref().filter(|later| later.started == report.started);
        checks.extend([packets(seen, latest.unwrap_or(report)), loss(seen, station, report)]);
    }
    checks.push(spool(seen, station, report));
    checks
}

fn unread(seen: &Seen, station: &Station, name: &'static str, report: &Reported) -> Check {
    let path = Report::path(&station.folder);
    let path = path.display();
    match report {
        Reported::NotAllowed => {
            Check::warning(name, format!("{path} may not be read"), format!("sudo {}", seen.command))
        }
        Reported::Wrong(why) => Check::failing(name, format!("{path}: {why}"), station.start.clone()),
        Reported::Missing | Reported::Read(_) => {
            Check::failing(name, format!("none has run yet: there is no {path}"), station.start.clone())
        }
    }
}

fn alive(seen: &Seen, station: &Station, name: &'static str, report: &Report) -> Check {
    let Report { pid, node, source, .. } = report;
    if report.ended {
        let found = format!("has ended {} ago", ago(seen.now, report.time));
        return Check::failing(name, found, station.start.clone());
    }
    if is_old(seen.now, report) {
        let found = format!("process {pid} has said nothing for {}", ago(seen.now, report.time));
        return Check::failing(name, found, station.start.clone());
    }
    if let Some(trouble) = &report.trouble {
        let fix = format!("df -h {}", station.folder.display());
        return Check::failing(name, format!("cannot write packets: {trouble}"), fix);
    }
    let since = ago(seen.now, report.started);
    Check::ok(name, format!("process {pid} receives from {source} as {node} for {since}"))
}

/// Before it has received for so long, silence says nothing, in nanoseconds.
const MINUTE: i64 = 60_000_000_000;

fn packets(seen: &Seen, report: &Report) -> Check {
    let all = quantity(report.received, "packet");
    if report.last_minute > 0 {
        let last = report
            .latest
            .map_or_else(String::new, |latest| format!(", the latest {} ago", ago(seen.now, latest)));
        return Check::ok(
            "packets",
            format!("{} in the last minute{last}; {all} in all", report.last_minute),
        );
    }
    if report.time.saturating_sub(report.started) < MINUTE {
        let since = ago(seen.now, report.started);
        return Check::ok("packets", format!("none yet; it started {since} ago: check again in a minute"));
    }
    let found = match report.latest {
        Some(latest) => format!("none in the last minute; the latest was {} ago", ago(seen.now, latest)),
        None => "none so far".to_owned(),
    };
    let fix = match &seen.source {
        Some(LiveSource::AfPacket(name) | LiveSource::Ebpf(name)) => format!("tcpdump -ni {name} -c 5 tcp"),
        _ => {
            format!("{} (with a lower N, more connections are chosen)", cure::apply(seen, &[("--rate", "N")]))
        }
    };
    Check::warning("packets", found, fix)
}

/// For a source that samples as the settings of the receiver say.
const FEWER: &str = "CUTSHORT_SAMPLE_RATE=N cutshort agent (with a higher N, fewer are taken)";
/// From this share on, too much is lost for what is left to tell the truth.
const MUCH: f64 = 0.01;

fn loss(seen: &Seen, station: &Station, report: &Report) -> Check {
    let missing = missing(seen, report, station.later.as_ref());
    let counts = [
        (report.lost, "lost on receiving"),
        (report.unwritten, "not written"),
        (missing.unwrap_or(0), "logged by the rules, but never received"),
    ];
    let lost: u64 = counts.iter().map(|(count, _)| count).sum();
    let known = if missing.is_some() { "; the rules' own count agrees" } else { "" };
    if lost == 0 {
        let found = format!("none of {}{known}", quantity(report.seen, "packet"));
        return left_out(seen, report, &found).unwrap_or_else(|| Check::ok("loss", found));
    }
    let some = counts.iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> =
        some.map(|(count, what)| format!("{} {what}", quantity(*count, "packet"))).collect();
    let share = lost as f64 / (report.seen + missing.unwrap_or(0)).max(1) as f64;
    let found = format!("{}: {}", percent(share), some.join(", "));
    let fix = match &seen.source {
        Some(LiveSource::AfPacket(_) | LiveSource::Ebpf(_)) => FEWER.to_owned(),
        _ => format!(
            "{} (with a higher N, fewer connections are chosen)",
            cure::apply(seen, &[("--rate", "N")])
        ),
    };
    if share >= MUCH { Check::failing("loss", found, fix) } else { Check::warning("loss", found, fix) }
}

/// That connections were left out. Rules tell more of that themselves.
fn left_out(seen: &Seen, report: &Report, found: &str) -> Option<Check> {
    let has_no_rules = matches!(seen.source, Some(LiveSource::AfPacket(_) | LiveSource::Ebpf(_)));
    (has_no_rules && report.left_out > 0).then(|| {
        let found = format!(
            "{found}; {} left out, as too many are remembered",
            quantity(report.left_out, "chosen connection")
        );
        Check::warning("loss", found, FEWER.to_owned())
    })
}

/// Packets that rules have logged since the station began, and that have not come even later. None where it cannot
/// be known, as where rules were loaded anew.
fn missing(seen: &Seen, report: &Report, later: Option<&Report>) -> Option<u64> {
    let logged = logged(seen, report)?;
    let later = later.filter(|later| later.started == report.started);
    match later {
        _ if logged < report.seen => None,
        _ if logged == report.seen => Some(0),
        Some(later) => Some(logged.saturating_sub(later.seen)),
        // They may be on their way.
        None => None,
    }
}

/// What the rules' own counters say of the time since the station began.
fn logged(seen: &Seen, report: &Report) -> Option<u64> {
    let Some(LiveSource::Nflog(groups)) = seen.source else { return None };
    let (tables, _) = seen.rules.as_ref()?;
    let mut mine =
        tables.iter().filter(|loaded| loaded.group().is_some_and(|group| groups.has(group))).peekable();
    mine.peek()?;
    let since = |table: &Loaded| {
        let before = report.logged_before.get(&table.table).copied().unwrap_or(0);
        table.packets("logged")?.checked_sub(before)
    };
    mine.map(since).sum()
}

/// Whether a later report is worth awaiting: the rules have logged more than this one knows of, or it knows of
/// nothing and rules do not tell.
pub(crate) fn may_have_changed(seen: &Seen, report: &Report) -> bool {
    logged(seen, report).map_or(report.last_minute == 0, |logged| logged > report.seen)
}

/// So long may packets wait before it is a delay.
const WAIT: i64 = 600_000_000_000;
/// Beyond this share of its size the spool is nearly full.
const NEARLY_FULL: f64 = 0.8;

fn spool(seen: &Seen, station: &Station, report: &Report) -> Check {
    let (spool, delivery) = (&report.spool, &report.delivery);
    let waiting = match spool.oldest {
        Some(oldest) if spool.segments > 0 => format!(
            "{} ({}) wait, the oldest for {}",
            quantity(spool.segments, "segment"),
            quantity(spool.packets, "packet"),
            ago(seen.now, oldest)
        ),
        _ => "nothing waits".to_owned(),
    };
    let lost = [(spool.dropped, "dropped, as it was full"), (spool.refused, "refused by the collector")];
    let lost = lost.iter().filter(|(count, _)| *count > 0);
    let mut parts = vec![waiting];
    parts.extend(lost.map(|(count, what)| format!("{} {what}", quantity(*count, "packet"))));
    parts.extend(delivery.acknowledged.map(|at| format!("delivered last {} ago", ago(seen.now, at))));
    parts.extend(delivery.trouble.as_ref().map(|trouble| format!("delivery fails: {trouble}")));
    let found = parts.join("; ");
    let is_nearly_full = spool.limit > 0 && spool.bytes as f64 > NEARLY_FULL * spool.limit as f64;
    if is_nearly_full {
        let full = format!("{found}; {} of {} are used", bytes(spool.bytes), bytes(spool.limit));
        let fix = delivery.trouble.as_ref().map_or_else(|| larger(spool.limit), |_| FIX_DELIVERY.to_owned());
        return Check::failing("spool", full, fix);
    }
    let is_late = spool.oldest.is_some_and(|oldest| seen.now.saturating_sub(oldest) > WAIT);
    match () {
        () if delivery.blocked => Check::failing("spool", found, FIX_DELIVERY),
        () if delivery.trouble.is_some() || (is_late && spool.segments > 0) => {
            Check::warning("spool", found, FIX_DELIVERY)
        }
        () if spool.refused > 0 => {
            let fix = format!("ls {}/refused (each has its reason beside it)", station.spool.display());
            Check::warning("spool", found, fix)
        }
        () if spool.dropped > 0 => Check::warning("spool", found, larger(spool.limit)),
        () => Check::ok("spool", found),
    }
}

const FIX_DELIVERY: &str = "fix what 'collector' and 'token' report; delivery then resumes by itself";

fn larger(limit: u64) -> String {
    format!(
        "CUTSHORT_SPOOL_BYTES={} cutshort agent (or spool_bytes in its settings)",
        limit.saturating_mul(2)
    )
}
