//! Commands in the documentation exist, with their options; those of the first chapter run.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{capture, root, run};

/// README and the pages in `docs`.
fn pages() -> Vec<(PathBuf, String)> {
    let documents = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = documents.chain([root().join("README.md")]);
    pages.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The commands in blocks of code, each on one line and without its comment.
fn commands(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in page.split("```").skip(1).step_by(2) {
        let block = block.replace("\\\n", " ");
        let lines = block.lines().map(|line| line.split(" #").next().unwrap_or_default());
        let own = lines.flat_map(parts).filter(|part| part.starts_with("cutshort "));
        // A list of names is no command.
        found.extend(own.filter(|part| !part.contains(", ")));
    }
    found
}

/// The commands of a line of shell.
fn parts(line: &str) -> Vec<String> {
    let mut quote = None;
    let split = |c: char| match quote {
        Some(open) => {
            quote = Some(open).filter(|open| c != *open);
            false
        }
        None => {
            quote = Some(c).filter(|c| matches!(c, '\'' | '"'));
            matches!(c, '|' | ';' | '&')
        }
    };
    line.split(split).map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What `--help` says of commands, as it was asked for.
#[derive(Default)]
struct Helps(BTreeMap<String, Option<String>>);

impl Helps {
    /// The help of a command; none if there is no such command.
    fn of(&mut self, command: &str) -> Option<&String> {
        let ask = || {
            let ran = run(&format!("{command} --help"), &[] as &[&str]);
            ran.stderr.is_empty().then_some(ran.stdout)
        };
        self.0.entry(command.to_owned()).or_insert_with(ask).as_ref()
    }
}

/// Why a command cannot be as it is written.
fn wrong(helps: &mut Helps, command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let verb = words.first().filter(|word| !word.starts_with('-'))?;
    let help = helps.of(verb)?.clone();
    let is_verb =
        |word: &&&str| !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let inner = words.get(1).filter(is_verb).map(|inner| format!("{verb} {inner}"));
    let help = match inner.filter(|_| help.contains("\nCommands:")) {
        Some(inner) => match helps.of(&inner) {
            Some(help) => help.clone(),
            None => return Some(format!("there is no command {inner}")),
        },
        None => help,
    };
    let options = words.iter().filter(|word| word.starts_with("--") && word.len() > 2);
    let mut options = options.map(|word| word.split('=').next().unwrap_or_default());
    let is_known =
        |option: &str| help.split_whitespace().any(|word| word.trim_end_matches([',', ']']) == option);
    options.find(|option| !is_known(option)).map(|option| format!("there is no option {option}"))
}

#[test]
fn commands_and_options_exist() {
    let (mut helps, mut failures, mut checked) = (Helps::default(), Vec::new(), 0);
    for (path, page) in pages() {
        for command in commands(&page) {
            checked += 1;
            let why = wrong(&mut helps, &command);
            failures.extend(why.map(|why| format!("{}: {command}: {why}", path.display())));
        }
    }
    let verbs = helps.0.into_iter().filter_map(|(verb, help)| help.is_none().then_some(verb));
    failures.extend(verbs.map(|verb| format!("there is no command {verb}")));
    assert!(checked > 80, "{checked} commands were found");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_first_chapter_runs_as_it_is_written() {
    let page = fs::read_to_string(root().join("docs/first-capture.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(capture("client-abort.pcapng"), folder.path().join("server.pcap")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_cutshort"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let lines: Vec<String> =
        commands(&page).into_iter().filter(|line| !line.starts_with("cutshort serve")).collect();
    assert!(lines.len() >= 5, "{lines:?}");
    for line in lines {
        let mut shell = Command::new("sh");
        let ran = shell.args(["-c", &line]).env("PATH", &path).current_dir(folder.path()).output().unwrap();
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn wrong_commands_are_found() {
    assert_eq!(parts("a 'b | c' | d"), ["a 'b | c'", "d"]);
    let page =
        "```\na | cutshort classify --nosuch x   # --other\ncutshort store nosuch --data a \\\n  --b\n```\n";
    let found = commands(page);
    assert_eq!(found, ["cutshort classify --nosuch x", "cutshort store nosuch --data a --b"]);
    let mut helps = Helps::default();
    assert_eq!(wrong(&mut helps, &found[0]).unwrap(), "there is no option --nosuch");
    assert_eq!(wrong(&mut helps, &found[1]).unwrap(), "there is no command store nosuch");
    assert_eq!(wrong(&mut helps, "cutshort classify --origin a.pcap"), None);
}
