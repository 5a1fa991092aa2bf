//! What a person reads, word for word: `cli/*.md` have commands and their output. To take over
//! changed output after reading it: `TRYCMD=overwrite cargo test -p cutshort --test cli`.
//! What comes from the shipped geographic data, which changes, is left out there (`...`).

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{captures, fixture, root, run};

/// The captures are named without their folder.
#[test]
fn texts() {
    std::env::set_current_dir(root().join("tests/captures")).unwrap();
    let cases = trycmd::TestCases::new();
    cases.register_bin("cutshort", Path::new(env!("CARGO_BIN_EXE_cutshort")));
    // With the name, as the number alone is also a part of addresses.
    cases.insert_var("[PROGRAM]", concat!("cutshort ", env!("CARGO_PKG_VERSION"))).unwrap();
    cases.env("TERM", "dumb");
    cases.case(fixture("*.md"));
}

/// Escape codes as `‹1m›`.
fn visible(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut shown = parts.next().unwrap().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('m').expect("only colours");
        shown.push_str(&format!("‹{code}m›{rest}"));
    }
    shown
}

/// Of a summary what does not depend on the shipped data.
fn without_shipped(text: &str) -> &str {
    text.split_once("‹2m›Geo: ").map_or(text, |(text, _)| text)
}

#[test]
fn colours() {
    let geo = fixture("networks.csv");
    let files = ["inject-rst", "inject-syn", "inject-later", "nflog"].map(common::capture);
    let summary = run(&format!("classify --color always --geo {}", geo.display()), &files).fine();
    let term = run("explain --color always 16 fin", &[] as &[&str]).fine();
    let shown = format!("{}\n{}", without_shipped(&visible(&summary.stdout)), visible(&term.stdout));
    snapbox::assert_data_eq!(shown, snapbox::Data::read_from(&fixture("colours.txt"), None));
}

#[test]
fn without_a_terminal_there_are_no_colours() {
    let plain = |arguments: &str| {
        let text = run(arguments, &[common::capture("inject-rst")]).fine().stdout;
        assert!(!text.contains('\u{1b}'), "{arguments}: {text}");
        text
    };
    assert_eq!(plain("classify"), plain("classify --color never"));
    let always = run("classify --color always", &[common::capture("inject-rst")]).fine().stdout;
    assert!(always.contains('\u{1b}'));
}

/// A width that is no number, or none at all, is as if it was not told.
#[test]
fn strange_widths_do_no_harm() {
    for width in ["", "wide", "0", "1", "-5", "100000000000000000000", "4294967295"] {
        let mut command = common::cutshort();
        command.args(["classify"]).arg(common::capture("inject-rst")).env("COLUMNS", width);
        let ran = common::Ran::from(command.output().unwrap()).fine();
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{width}");
    }
}

#[track_caller]
fn fits(width: usize, arguments: &[&str]) {
    let mut command = common::cutshort();
    command.args(arguments).env("COLUMNS", width.to_string());
    let text = common::Ran::from(command.output().unwrap()).fine().stdout;
    for line in text.lines() {
        assert!(line.chars().count() <= width, "{width} columns: {line}");
    }
}

#[test]
fn no_line_of_a_summary_is_wider_than_the_terminal() {
    let (files, geo) = (captures(), fixture("networks.csv"));
    let mut arguments = vec!["classify", "--geo", geo.to_str().unwrap()];
    arguments.extend(files.iter().map(|path| path.to_str().unwrap()));
    for width in [30, 31, 50, 71, 72, 80, 120] {
        fits(width, &arguments);
    }
}

#[test]
fn no_line_of_a_selection_is_wider_than_the_terminal() {
    let path = common::capture("inject-rst");
    let net = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:0/112";
    let filter = "tag=reset,single_rst,multiple_rsts,acknumsame,acknumsame0,acknumdiff,acknumdiff0";
    for width in [30, 50, 80] {
        let path = path.to_str().unwrap();
        fits(width, &["classify", "--ignore-src", net, "--filter", filter, path]);
    }
}

#[test]
fn no_line_of_an_explanation_is_wider_than_the_terminal() {
    for width in [30, 50, 80] {
        fits(width, &["explain"]);
        fits(width, &["explain", "9", "14", "multiple_rsts", "post_psh"]);
    }
}

#[test]
fn no_line_of_help_is_wider_than_80_columns() {
    let commands = [
        "",
        "classify",
        "doctor",
        "geo",
        "geo lookup",
        "geo update",
        "rules",
        "rules apply",
        "rules remove",
        "rules status",
        "import",
        "recompute",
        "export",
        "demo",
        "simulate",
        "explain",
        "completions",
        "man",
    ];
    for command in commands {
        for help in ["-h", "--help"] {
            fits(80, &command.split_whitespace().chain([help]).collect::<Vec<_>>());
        }
    }
}

/// The table of packets is what it is; the words below it have no reason to be wider.
#[test]
fn no_line_of_a_trace_is_wider_than_80_columns() {
    let (reuse, inject) = (common::capture("port-reuse"), common::capture("inject-2rst-diff"));
    let reuse = ("198.51.100.2:40001 > 203.0.113.2:80", reuse.to_str().unwrap());
    let inject = ("198.51.100.2:37796 > 203.0.113.2:80", inject.to_str().unwrap());
    for (tuple, path) in [inject, reuse] {
        fits(80, &["classify", "--explain", tuple, path]);
    }
}

#[test]
fn geo_data_are_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let [used, new] = ["used.csv", "new.csv"].map(|name| folder.path().join(name));
    std::fs::write(&new, "10.0.0.0,10.0.0.255,PT,64500,Own\n").unwrap();
    let update = |to: &str| run(&format!("geo update --from {}{to}", new.display()), &[] as &[&str]);
    let to = format!(" --to {}", used.display());
    let compared = update("").ended(0);
    assert!(compared.stdout.contains("  unknown → PT  256 IPv4 addresses\n"), "{compared:?}");
    assert!(compared.stderr.contains("nothing is written"), "{compared:?}");
    update(&to).ended(0);
    assert!(update(&to).ended(0).stdout.starts_with("0.00 % of IPv4 addresses have another country, 0.00 %"));
    std::fs::write(&new, "no data\n").unwrap();
    assert!(update(&to).ended(2).stderr.contains("new.csv: "));
    assert_eq!(std::fs::read_to_string(&used).unwrap(), "10.0.0.0,10.0.0.255,PT,64500,Own\n");
}
