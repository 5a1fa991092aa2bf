//! Links of the documentation lead somewhere, and so do references to it in sources.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// Text files of the repository by their paths, but this one, whose literals would be taken for references.
fn sources() -> BTreeMap<PathBuf, String> {
    let (root, mut found) = (root(), BTreeMap::new());
    collect(&root, &mut found);
    let relative = |(path, text): (PathBuf, String)| (path.strip_prefix(&root).unwrap().to_owned(), text);
    let own = Path::new("crates/cutshort/tests/documentation.rs");
    found.into_iter().map(relative).filter(|(path, _)| path != own).collect()
}

fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
    const FOREIGN: [&str; 4] = ["target", "node_modules", "dist", ".git"];
    const TEXT: [&str; 9] = ["rs", "md", "toml", "py", "ts", "sh", "css", "html", ""];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_foreign = path.file_name().is_some_and(|name| FOREIGN.iter().any(|foreign| name == *foreign));
        let kind = path.extension().unwrap_or_default();
        if path.is_dir() && !is_foreign {
            collect(&path, found);
        } else if path.is_file()
            && TEXT.iter().any(|text| kind == *text)
            && let Ok(text) = fs::read_to_string(&path)
        {
            found.insert(path, text);
        }
    }
}

fn pages() -> BTreeMap<PathBuf, String> {
    sources().into_iter().filter(|(path, _)| path.extension().is_some_and(|kind| kind == "md")).collect()
}

/// Its lines outside blocks of code, with their numbers.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    page.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        (!in_code && !is_fence).then_some((at + 1, line))
    })
}

/// What stands between `begin` and `end` in a line, each time.
fn between<'a>(line: &'a str, begin: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    line.split(begin).skip(1).filter_map(move |rest| rest.split_once(end).map(|(inside, _)| inside))
}

/// The names that a link into the page can have: explicit ones, and those that headings get.
fn anchors(page: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in prose(page) {
        anchors.extend(between(line, "<a id=\"", '"').map(str::to_owned));
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            anchors.push(slug(title.trim()));
        }
    }
    anchors
}

/// The name of a heading, as GitHub makes it.
fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The targets of a line's links, outside of code.
fn links(line: &str) -> Vec<String> {
    let text: String = line.split('`').step_by(2).collect();
    between(&text, "](", ')').filter(|target| !target.contains("://")).map(str::to_owned).collect()
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// Why a link from a page leads nowhere.
fn broken(pages: &BTreeMap<PathBuf, String>, page: &Path, link: &str) -> Option<String> {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = match file {
        "" => page.to_owned(),
        file => normal(&page.parent().unwrap().join(file)),
    };
    if !root().join(&target).exists() {
        return Some("there is no such file".to_owned());
    }
    let anchor = anchor?;
    let known = pages.get(&target).map(|text| anchors(text)).unwrap_or_default();
    (!known.iter().any(|known| known == anchor)).then(|| format!("{} has no such anchor", target.display()))
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    assert!(pages.contains_key(Path::new("docs/spec.md")) && pages.contains_key(Path::new("README.md")));
    let mut failures = Vec::new();
    for (path, text) in &pages {
        for (at, line) in prose(text) {
            for link in links(line) {
                let why = broken(&pages, path, &link);
                failures.extend(why.map(|why| format!("{}:{at}: {link}: {why}", path.display())));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn no_anchor_is_there_twice() {
    for (path, text) in pages().iter().filter(|(path, _)| path.starts_with("docs")) {
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = anchors(text).into_iter().filter(|anchor| !seen.insert(anchor.clone())).collect();
        assert!(twice.is_empty(), "{}: {twice:?}", path.display());
    }
}

#[test]
fn every_rule_of_the_specification_has_an_anchor() {
    let page = &pages()[Path::new("docs/spec.md")];
    let lines: Vec<(usize, &str)> = prose(page).collect();
    let is_numbered = |text: &str| {
        let (number, point) = text.split_once('.').unwrap_or_default();
        point.starts_with(|c: char| c == ' ' || c.is_ascii_digit()) && number.parse::<u8>().is_ok()
    };
    let (mut rules, mut without) = (0, Vec::new());
    for pair in lines.windows(2) {
        let [(_, before), (at, line)] = *pair else { continue };
        if is_numbered(line.trim_start_matches("**")) || is_numbered(line.trim_start_matches("## ")) {
            rules += 1;
            if !line.contains("<a id=\"") && !before.contains("<a id=\"") {
                without.push(format!("docs/spec.md:{at}: {line}"));
            }
        }
    }
    assert!(rules > 60, "{rules} rules were found");
    assert!(without.is_empty(), "{}", without.join("\n"));
}

/// References to pages in `docs` as they stand in sources: `docs/spec.md#split`, or `spec.md#split` for short.
fn references(line: &str) -> impl Iterator<Item = (String, String)> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let is_anchor = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    line.match_indices(".md#").filter_map(move |(at, _)| {
        let path = &line[line[..at].rfind(|c| !is_path(c)).map_or(0, |before| before + 1)..at + 3];
        let rest = &line[at + 4..];
        let anchor = &rest[..rest.find(|c| !is_anchor(c)).unwrap_or(rest.len())];
        let page = if path == "spec.md" { "docs/spec.md" } else { path };
        page.starts_with("docs/").then(|| (page.to_owned(), anchor.to_owned()))
    })
}

#[test]
fn references_in_sources_lead_somewhere() {
    let sources = sources();
    let known: BTreeMap<&Path, Vec<String>> =
        pages_of(&sources).map(|(path, text)| (path, anchors(text))).collect();
    let mut failures = Vec::new();
    for (path, text) in &sources {
        for (at, line) in text.lines().enumerate() {
            for (page, anchor) in references(line) {
                if !known.get(Path::new(&page)).is_some_and(|anchors| anchors.contains(&anchor)) {
                    failures.push(format!("{}:{}: {page}#{anchor}", path.display(), at + 1));
                }
            }
        }
    }
    assert!(failures.is_empty(), "these lead nowhere:\n{}", failures.join("\n"));
}

fn pages_of(sources: &BTreeMap<PathBuf, String>) -> impl Iterator<Item = (&Path, &String)> {
    let pages = sources.iter().map(|(path, text)| (path.as_path(), text));
    pages.filter(|(path, _)| path.extension().is_some_and(|kind| kind == "md"))
}

#[test]
fn references_are_found() {
    let found = |line: &str| references(line).map(|(page, anchor)| page + "#" + &anchor).collect::<Vec<_>>();
    assert_eq!(found("/// Closes windows (docs/spec.md#late)."), ["docs/spec.md#late"]);
    assert_eq!(found("about = \"spec.md#tag-fin: and spec.md#\""), ["docs/spec.md#tag-fin", "docs/spec.md#"]);
    assert_eq!(found("[here](../../docs/api.md#csv)"), [""; 0]);
    assert_eq!(slug("2. Of Radar's API: `x_y`"), "2-of-radars-api-x_y");
    assert_eq!(links("[a](b.md#c) `[x](y)` [d](https://e)"), ["b.md#c"]);
}

/// Before there was docs/spec.md, sections of the specification were cited by number.
#[test]
fn nothing_cites_the_specification_by_number() {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let cites = |line: &str| {
        line.match_indices("SPEC")
            .any(|(at, word)| !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
    };
    let mut left = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().enumerate().filter(|(_, line)| cites(line));
        left.extend(lines.map(|(at, line)| format!("{}:{}: {}", path.display(), at + 1, line.trim())));
    }
    assert!(left.is_empty(), "cite an anchor of docs/spec.md instead:\n{}", left.join("\n"));
}
