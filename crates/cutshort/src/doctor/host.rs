//! Kernel, rules and sources.

use cutshort_capture::LiveSource;
use cutshort_capture::rules::Loaded;
use cutshort_report::{grouped, quantity};

use super::Check;
use super::seen::{Interface, Kernel, Reported, Seen};
use crate::rules::OUTDATED;

pub(super) fn kernel(seen: &Seen) -> Check {
    let Kernel { nf_tables, nfnetlink_log, seccomp, landlock } = seen.kernel;
    let is_logged = matches!(seen.source, Some(LiveSource::Nflog(_)));
    let all = [
        ("nf_tables", nf_tables, is_logged),
        ("nfnetlink_log", nfnetlink_log, is_logged),
        ("seccomp", Some(seccomp), false),
        ("landlock", Some(landlock), false),
    ];
    let names = |wanted| {
        let names: Vec<&str> =
            all.iter().filter(|(_, has, _)| *has == wanted).map(|(name, ..)| *name).collect();
        names.join(", ")
    };
    let missing = all.iter().find(|(_, has, is_needed)| *has == Some(false) && *is_needed);
    if let Some((name, ..)) = missing {
        return Check::failing("kernel", format!("has no {name}"), format!("modprobe {name}"));
    }
    if is_logged && all.iter().any(|(_, has, _)| has.is_none()) {
        let found = format!("has {}; not known: {}", names(Some(true)), names(None));
        return Check::warning("kernel", found, again(seen));
    }
    let fences = [("seccomp", seccomp), ("landlock", landlock)];
    let missing: Vec<&str> = fences.iter().filter(|(_, has)| !has).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Check::ok("kernel", format!("has {}", names(Some(true))));
    }
    let found = format!("has no {}: who receives is fenced in less", missing.join(", "));
    Check::warning("kernel", found, FENCES)
}

const FENCES: &str = "grep -E 'SECCOMP_FILTER|LANDLOCK' /boot/config-$(uname -r) (boot a kernel that has both, \
                      landlock also in lsm=)";

/// The same with all rights.
fn again(seen: &Seen) -> String {
    format!("sudo {}", seen.command)
}

pub(super) fn privileges(seen: &Seen) -> Check {
    match (seen.is_root, seen.may_look) {
        (true, true) => Check::ok("privileges", "root: all can be looked at"),
        (false, true) => Check::ok("privileges", "CAP_NET_ADMIN: rules and groups can be looked at"),
        (_, false) => Check::warning(
            "privileges",
            "no CAP_NET_ADMIN: rules, their counters and who listens to the log cannot be looked at",
            again(seen),
        ),
    }
}

/// The group of the netfilter log, if packets come from there.
fn group_of(seen: &Seen) -> Option<u16> {
    match seen.source {
        Some(LiveSource::Nflog(group)) => Some(group),
        _ => None,
    }
}

pub(super) fn rules(seen: &Seen) -> Option<Check> {
    let group = group_of(seen)?;
    let (tables, chains) = seen.rules.as_ref()?;
    let (origin, mine): (Vec<&Loaded>, Vec<&Loaded>) =
        tables.iter().filter(|loaded| loaded.group() == Some(group)).partition(|loaded| loaded.is_origin());
    if !origin.is_empty() {
        return Some(Check::failing("rules", format!("{} {ORIGIN} {group}", origin[0].table), NOT_ORIGIN));
    }
    let target = format!("--nflog-group {group} ");
    if mine.is_empty() && chains.iter().any(|chain| chain.contains(&target)) {
        return Some(Check::ok("rules", format!("iptables, group {group}")));
    }
    let apply = if group == 5 {
        "cutshort rules apply".to_owned()
    } else {
        format!("cutshort rules apply --group {group}")
    };
    if mine.is_empty() {
        let found = if tables.is_empty() && chains.is_empty() {
            "none of cutshort's rules are loaded".to_owned()
        } else {
            format!("those that are loaded do not log to group {group}")
        };
        return Some(Check::failing("rules", found, apply));
    }
    Some(of_tables(&mine, &apply))
}

/// Packets of connections that this host opens cannot be classified yet.
const ORIGIN: &str = "(from 'cutshort rules apply --origin') logs packets that receivers leave out to group";
const NOT_ORIGIN: &str = "nft delete table inet cutshort_origin (or load these rules with another --group)";

fn of_tables(tables: &[&Loaded], apply: &str) -> Check {
    let count = |name| tables.iter().filter_map(|loaded| loaded.packets(name)).sum::<u64>();
    let [syn, chosen, full, busy, logged] = ["syn", "chosen", "full", "busy", "logged"].map(count);
    let about = tables.iter().map(|loaded| loaded.about.as_str()).collect::<Vec<_>>().join("; ");
    let found = format!(
        "{about}: {} looked at, {} chosen, {} logged",
        quantity(syn, "SYN"),
        grouped(chosen),
        quantity(logged, "packet")
    );
    if tables.iter().any(|loaded| loaded.outdated) {
        let same = format!("{apply} (with the same options as before)");
        return Check::warning("rules", format!("{found}; {OUTDATED}"), same);
    }
    if syn == 0 {
        let found = format!("{found}; no connection has come by");
        return Check::warning("rules", found, format!("{apply} --interfaces NAME --ports PORT"));
    }
    if full > 0 {
        let found = format!("{found}; {} left out, as too many are remembered", quantity(full, "SYN"));
        return Check::warning("rules", found, format!("{apply} --size 1000000"));
    }
    if busy > 0 {
        let found =
            format!("{found}; {} left out, as their ports were used again too soon", quantity(busy, "SYN"));
        let fewer = format!("{apply} --rate N (otherwise as before; with a higher N, fewer are chosen)");
        return Check::warning("rules", found, fewer);
    }
    Check::ok("rules", found)
}

pub(super) fn group(seen: &Seen) -> Option<Check> {
    let (group, listener) = (group_of(seen)?, seen.listener?);
    let station = seen.station.as_ref()?;
    let Some(port) = listener else {
        let found = format!("nobody listens to group {group} of the netfilter log");
        return Some(Check::failing("group", found, station.start.clone()));
    };
    let is_own = matches!(&station.report, Reported::Read(report) if report.pid == port);
    let who = if is_own { format!("process {port}") } else { format!("somebody (port {port})") };
    Some(Check::ok("group", format!("{who} listens to group {group} of the netfilter log")))
}

pub(super) fn interface(seen: &Seen) -> Option<Check> {
    let Some(LiveSource::AfPacket(name)) = &seen.source else { return None };
    Some(match seen.interface? {
        Interface::Up => Check::ok("interface", format!("{name} is up")),
        Interface::Down => {
            Check::failing("interface", format!("{name} is down"), format!("ip link set {name} up"))
        }
        Interface::Missing => Check::failing("interface", format!("there is no {name}"), "ip link"),
    })
}
