//! Kernel, rules and sources.

use cutshort_capture::rules::Loaded;
use cutshort_capture::{LiveSets, LiveSource};
use cutshort_model::{grouped, quantity};

use crate::check::Check;
use crate::cure::{self, group};
use crate::seen::{Interface, Kernel, Paths, Reported, Seen};

pub(crate) fn kernel(seen: &Seen) -> Check {
    let Kernel { nf_tables, nfnetlink_log, bpf_links, seccomp, landlock } = seen.kernel;
    if let Some(LiveSource::Ebpf(name)) = &seen.source
        && !bpf_links
    {
        let found = "is older than Linux 6.6, which ebpf: needs";
        let other = format!("cutshort rules apply, with --capture nflog:5; or --capture af_packet:{name}");
        return Check::failing("kernel", found, other);
    }
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
    let found = format!("has no {}: receivers are confined less", missing.join(", "));
    Check::warning("kernel", found, FENCES)
}

const FENCES: &str = "grep -E 'SECCOMP_FILTER|LANDLOCK' /boot/config-$(uname -r) (boot a kernel that has both, \
                      landlock also in lsm=)";

/// The same with all rights.
fn again(seen: &Seen) -> String {
    format!("sudo {}", seen.command)
}

pub(crate) fn privileges(seen: &Seen) -> Check {
    match (seen.is_root, seen.may_look) {
        (true, true) => Check::ok("privileges", "root: everything can be checked"),
        (false, true) => Check::ok("privileges", "CAP_NET_ADMIN: rules and groups can be checked"),
        (_, false) => Check::warning(
            "privileges",
            "no CAP_NET_ADMIN: the rules, their counters and the listeners of the log cannot be checked",
            again(seen),
        ),
    }
}

/// Whether a flood of SYNs can keep clients out; said only if it can.
pub(crate) fn floods(seen: &Seen) -> Option<Check> {
    const FIX: &str =
        "sysctl -w net.ipv4.tcp_syncookies=1 (and in /etc/sysctl.d); 'cutshort explain flood' says more";
    let found = "SYN cookies are off: a flood of SYNs can keep clients out";
    (seen.source.is_some() && seen.paths.syn_cookies == Some(false))
        .then(|| Check::warning("floods", found, FIX))
}

/// What rules there are for each of the data sets.
pub(crate) fn rules(seen: &Seen) -> Vec<Check> {
    let (Some(LiveSource::Nflog(groups)), Some((tables, chains))) = (&seen.source, &seen.rules) else {
        return Vec::new();
    };
    let is_received = |loaded: &&Loaded| loaded.group().is_some_and(|group| groups.has(group));
    let received: Vec<&Loaded> = tables.iter().filter(is_received).collect();
    let of = |set| received.iter().copied().filter(|loaded| loaded.data_set() == set).collect::<Vec<_>>();
    let mine = of(LiveSets::TCP);
    let mut checks = Vec::new();
    let targets: Vec<String> = groups.iter().map(|group| format!("--nflog-group {group} ")).collect();
    let has_target = |chain: &String| targets.iter().any(|target| chain.contains(target));
    if !mine.is_empty() {
        checks.push(of_tables(seen, "rules", &mine, &|changes| cure::apply(seen, changes)));
    } else if chains.shown.iter().any(has_target) {
        checks.push(Check::ok("rules", format!("iptables, group {groups}")));
    } else if received.is_empty() {
        checks.push(no_rules(seen, groups.first()));
    }
    for (set, name) in [(LiveSets::ORIGIN, "origin"), (LiveSets::QUIC, "quic")] {
        let own = of(set);
        if let Some(table) = own.first() {
            checks.push(of_tables(seen, name, &own, &|changes| cure::apply_again(table, changes)));
        }
    }
    if !of(LiveSets::ORIGIN).is_empty() {
        checks.extend(origin_paths(seen));
    }
    checks
}

fn no_rules(seen: &Seen, group: u16) -> Check {
    let is_loaded =
        seen.rules.as_ref().is_some_and(|(tables, chains)| !tables.is_empty() || !chains.shown.is_empty());
    let found = if is_loaded {
        format!("the rules that are loaded do not log to group {group}")
    } else {
        "none of cutshort's rules are loaded".to_owned()
    };
    let number = group.to_string();
    let change: &[(&str, &str)] = if is_loaded || group != GROUP { &[("--group", &number)] } else { &[] };
    Check::failing("rules", found, cure::apply(seen, change))
}

/// The group of rules for which none is named.
const GROUP: u16 = 5;

/// What rules do not see of connections that this host opens: they look at packets before they are translated, and only at
/// those of this host.
fn origin_paths(seen: &Seen) -> Option<Check> {
    const SOCKET: &str = "cutshort agent --capture af_packet:INTERFACE with CUTSHORT_CAPTURE_DATASETS=origin (on the interface \
                          to the servers, where packets are already translated)";
    let Paths { forwards, translations, .. } = &seen.paths;
    match (translations.is_empty(), forwards) {
        (true, false) => None,
        (true, true) => Some(Check::ok(
            "paths",
            "this host forwards packets; forwarded connections, such as those of containers, are not in the sample of \
             rules. To sample them, capture on an interface (af_packet)",
        )),
        (false, _) => {
            let forwarded = if *forwards { "; forwarded connections are not in the sample" } else { "" };
            Some(Check::warning(
                "paths",
                format!(
                    "connections whose address or port this host translates look unanswered in the data set origin ({}){forwarded}",
                    translations.join(", ")
                ),
                SOCKET,
            ))
        }
    }
}

/// What loads rules again, with changes to their options.
type Apply<'a> = dyn Fn(&[(&str, &str)]) -> String + 'a;

fn of_tables(seen: &Seen, name: &'static str, tables: &[&Loaded], apply: &Apply<'_>) -> Check {
    let count = |name| tables.iter().filter_map(|loaded| loaded.packets(name)).sum::<u64>();
    let [chosen, full, busy, logged] = ["chosen", "full", "busy", "logged"].map(count);
    let beginnings: u64 = tables.iter().map(|loaded| loaded.beginnings()).sum();
    let set = tables.first().map_or(LiveSets::TCP, |loaded| loaded.data_set());
    let beginning = if set == LiveSets::QUIC { "datagram" } else { "SYN" };
    let about = tables.iter().map(|loaded| loaded.about.as_str()).collect::<Vec<_>>().join("; ");
    let found = format!(
        "{about}: {} looked at, {} chosen, {} logged",
        quantity(beginnings, beginning),
        grouped(chosen),
        quantity(logged, "packet")
    );
    if tables.iter().any(|loaded| loaded.outdated) {
        return Check::warning(name, format!("{found}; {}", Loaded::OUTDATED), apply(&[]));
    }
    if beginnings == 0 {
        let found = format!("{found}; no connection was seen");
        let options = tables[0].options.as_deref();
        let fix = match set {
            LiveSets::ORIGIN => nothing_opens(apply),
            LiveSets::QUIC => nothing_comes(!cure::names(options, "--forwarded"), apply),
            _ => nothing_comes(takes_only_own(seen), apply),
        };
        return Check::warning(name, found, fix);
    }
    if full > 0 {
        let found = format!("{found}; {} left out, as too many are remembered", quantity(full, beginning));
        return Check::warning(name, found, cure::apply_larger(tables[0], apply));
    }
    if busy > 0 {
        let found =
            format!("{found}; {} left out, as their ports were used again too soon", quantity(busy, "SYN"));
        let fewer = format!("{} (with a higher N, fewer are chosen)", apply(&[("--rate", "N")]));
        return Check::warning(name, found, fewer);
    }
    Check::ok(name, found)
}

/// Rules for connections that this host opens see those over all interfaces but the loopback.
fn nothing_opens(apply: &Apply<'_>) -> String {
    let other = apply(&[("--interfaces", "NAME"), ("--ports", "PORT")]);
    format!("{other} (those of the servers that this host connects to; the loopback only if named)")
}

/// Whether rules take only what is sent to addresses of this host.
fn takes_only_own(seen: &Seen) -> bool {
    !["--forwarded", "--nft-conntrack"].iter().any(|option| cure::has(seen, option))
}

/// Rules take only what is sent to addresses of this host, unless they are told otherwise.
fn nothing_comes(takes_only_own: bool, apply: &Apply<'_>) -> String {
    if takes_only_own {
        let all = apply(&[("--forwarded", "")]);
        return format!(
            "{all} (if clients connect to addresses that no interface here has, as with TPROXY or anycast; \
             otherwise check interfaces and ports)"
        );
    }
    let other = apply(&[("--interfaces", "NAME"), ("--ports", "PORT")]);
    format!("{other} (those on which connections come in)")
}

pub(crate) fn listener(seen: &Seen) -> Option<Check> {
    let (group, listener) = (group(seen)?, seen.listener?);
    let station = seen.station.as_ref();
    let Some(port) = listener else {
        let found = format!("nobody listens to group {group} of the netfilter log");
        let start =
            station.map_or_else(|| format!("cutshort classify nflog:{group}"), |one| one.start.clone());
        return Some(Check::failing("group", found, start));
    };
    let report = station.map(|station| &station.report);
    let is_own = matches!(report, Some(Reported::Read(report)) if report.pid == port);
    let who =
        if is_own { format!("process {port}") } else { format!("another process (netlink port {port})") };
    Some(Check::ok("group", format!("{who} listens to group {group} of the netfilter log")))
}

pub(crate) fn interface(seen: &Seen) -> Option<Check> {
    let Some(LiveSource::AfPacket(name) | LiveSource::Ebpf(name)) = &seen.source else { return None };
    Some(match seen.interface? {
        Interface::Up => Check::ok("interface", format!("{name} is up")),
        Interface::Down => {
            Check::failing("interface", format!("{name} is down"), format!("ip link set {name} up"))
        }
        Interface::Missing => Check::failing("interface", format!("there is no {name}"), "ip link"),
    })
}
