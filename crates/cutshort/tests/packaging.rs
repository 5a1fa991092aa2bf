//! What is installed beside the program fits it: units, settings, rules and package.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{not_run, run};

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(packaging(name)).unwrap()
}

/// A unit and what is added to it, and how exposed it may be: 0 is not at all, 10 wholly (systemd-analyze(1)).
const UNITS: [(&str, Option<&str>, f64); 6] = [
    ("cutshort-agent", None, 1.7),
    ("cutshort-agent", Some("agent-af_packet"), 1.7),
    ("cutshort-agent", Some("agent-ebpf"), 1.7),
    ("cutshort-server", None, 1.1),
    ("cutshort-server", Some("server-capture"), 1.7),
    ("cutshort-rules", None, 1.1),
];

/// A unit in a folder, as it is together with what is added to it, and with the program that is tested.
fn unit(folder: &Path, name: &str, addition: Option<&str>) -> PathBuf {
    let program = env!("CARGO_BIN_EXE_cutshort");
    let unit = text(&format!("systemd/{name}.service")).replace("/usr/bin/cutshort", program);
    let path = folder.join(format!("{name}.service"));
    fs::write(&path, unit).unwrap();
    if let Some(addition) = addition {
        let folder = folder.join(format!("{name}.service.d"));
        fs::create_dir_all(&folder).unwrap();
        fs::copy(packaging(&format!("systemd/examples/{addition}.conf")), folder.join("own.conf")).unwrap();
    }
    path
}

/// Whether systemd's own look at units can be had here.
fn analyze(arguments: &[&str], folder: &Path, unit: &Path) -> Option<Output> {
    let known = Command::new("systemd-analyze").args(["security", "--help"]).output();
    if !known.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("--offline")) {
        not_run("systemd-analyze (250 or newer) is not installed");
        return None;
    }
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).arg(unit).env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()));
    Some(command.env("SYSTEMD_COLORS", "0").output().unwrap())
}

#[test]
fn units_are_as_tight_as_they_can_be() {
    for (name, addition, most) in UNITS {
        let folder = tempfile::tempdir().unwrap();
        let unit = unit(folder.path(), name, addition);
        let arguments = ["security", "--offline=true", "--no-pager"];
        let Some(output) = analyze(&arguments, folder.path(), &unit) else { return };
        let table = String::from_utf8_lossy(&output.stdout).into_owned();
        let level = table.split("Overall exposure level for").nth(1).and_then(|rest| rest.split(": ").nth(1));
        let level: f64 = level.unwrap().split_whitespace().next().unwrap().parse().unwrap();
        assert!(level <= most, "{name} {addition:?}: {level}\n{table}");
    }
}

#[test]
fn systemd_understands_all_of_a_unit() {
    for (name, addition, _) in UNITS {
        let folder = tempfile::tempdir().unwrap();
        let unit = unit(folder.path(), name, addition);
        let Some(output) = analyze(&["verify", "--man=no"], folder.path(), &unit) else { return };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let own: Vec<&str> = said.lines().filter(|line| line.contains("cutshort")).collect();
        assert!(output.status.success() && own.is_empty(), "{name} {addition:?}: {said}");
    }
}

/// systemd's groups of calls leave out what programs restrict themselves with. If a call is refused, they end.
#[test]
fn units_allow_programs_to_restrict_themselves() {
    const RESTRICT: [&str; 4] =
        ["seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"];
    let server = "systemd/cutshort-server.service";
    // Only programs that hold capabilities need to drop them.
    for (files, drops) in [
        (vec!["systemd/cutshort-agent.service"], true),
        (vec![server], false),
        (vec![server, "systemd/examples/server-capture.conf"], true),
    ] {
        let unit: String = files.iter().map(|file| text(file)).collect();
        let filters = unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter="));
        let allowed: Vec<&str> = filters.flat_map(|calls| calls.split(' ')).collect();
        for call in RESTRICT.into_iter().chain(drops.then_some("capset")) {
            assert!(allowed.contains(&call), "{files:?}: {call}");
        }
    }
}

/// The commands of units are those of the program, with manual pages.
#[test]
fn units_run_commands_that_there_are() {
    let folder = tempfile::tempdir().unwrap();
    run(&format!("man --dir {}", folder.path().display()), &[] as &[&Path]).fine();
    for (name, ..) in UNITS {
        let unit = text(&format!("systemd/{name}.service"));
        let values = |key: &'static str| unit.lines().filter_map(move |line| line.strip_prefix(key));
        // Services read files again on a signal.
        let reload = values("ExecReload=").filter(|command| *command != "/bin/kill -HUP $MAINPID");
        for command in values("ExecStart=").chain(values("ExecStop=")).chain(reload) {
            let words = command.strip_prefix("/usr/bin/cutshort ").unwrap().split(' ');
            let verbs: Vec<&str> = words.take_while(|word| !word.starts_with(['-', '$'])).collect();
            if has(verbs[0]) {
                run(&format!("{} --help", verbs.join(" ")), &[] as &[&Path]).fine();
                let page = values("Documentation=man:").next().unwrap().replace("(1)", ".1");
                assert!(folder.path().join(&page).exists(), "{page}");
            }
        }
    }
}

/// Whether programs for this system have a verb: `agent` is for Linux.
fn has(verb: &str) -> bool {
    let is_there = verb != "agent" || cfg!(target_os = "linux");
    if !is_there {
        not_run(&format!("this build has no 'cutshort {verb}'"));
    }
    is_there
}

#[test]
fn settings_are_accepted() {
    for (name, verb) in [("server.toml", "serve"), ("agent.toml", "agent")] {
        if has(verb) {
            let ran = run("config --settings", &[packaging(name)]).fine();
            // What is set there is what the program takes.
            for line in text(name).lines().filter(|line| line.contains(" = ") && !line.starts_with('#')) {
                let (key, value) = line.split_once(" = ").unwrap();
                let found = ran.stdout.lines().any(|line| {
                    let line = line.strip_prefix("privacy.").unwrap_or(line);
                    line.split_once(" = ") == Some((key, &value.replace('_', "")))
                        || line.split_once(" = ") == Some((key, value))
                });
                assert!(found, "{name}: {line}\n{}", ran.stdout);
            }
        }
    }
}

#[test]
fn rules_are_accepted() {
    let text = text("rules.env");
    let options = text.lines().find_map(|line| line.strip_prefix("CUTSHORT_RULES=")).unwrap();
    let ran = run(&format!("rules {options}"), &[] as &[&Path]).fine();
    assert!(ran.stdout.contains("table inet cutshort"), "{ran:?}");
}
