//! Every capture gives what its table says, in whatever way it is read.

// Helpers of tests are outside the functions in which the lint allows it.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use common::pcapng::Blocks;
use common::{Ran, captures, is_installed, name, not_run, root, run, run_with_input};
use serde::Deserialize;
use serde_json::Value;

/// The keys of `[expect]`; what is zero is left out (tests/captures/README.md).
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    connections: u64,
    #[serde(default)]
    excluded: BTreeMap<String, u64>,
    stages: BTreeMap<String, u64>,
    terminations: BTreeMap<String, u64>,
    tags: BTreeMap<String, u64>,
    signatures: BTreeMap<String, u64>,
    #[serde(default)]
    refused: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
struct Table {
    packets: u64,
    expect: Expect,
}

impl From<&Value> for Expect {
    fn from(summary: &Value) -> Self {
        let signatures = summary["signatures"].as_array().unwrap().iter();
        let counted = signatures.map(|one| (one["id"].to_string(), one["count"].as_u64().unwrap()));
        Self {
            connections: summary["connections"].as_u64().unwrap(),
            excluded: counts(&summary["excluded"]),
            stages: counts(&summary["stages"]),
            terminations: counts(&summary["terminations"]),
            tags: counts(&summary["tags"]),
            signatures: counted.filter(|(_, count)| *count > 0).collect(),
            refused: counts(&summary["refused"]),
        }
    }
}

/// Numbers, or the counts of shares, that are not zero.
fn counts(object: &Value) -> BTreeMap<String, u64> {
    let count = |value: &Value| value.as_u64().or_else(|| value["count"].as_u64()).unwrap();
    let all = object.as_object().unwrap().iter().map(|(name, value)| (name.clone(), count(value)));
    all.filter(|(_, count)| *count > 0).collect()
}

fn summary(files: &[PathBuf]) -> Value {
    run("classify --format json", files).fine().json()
}

/// Each capture with its summary as it is read from the file.
static PLAIN: LazyLock<Vec<(PathBuf, Value)>> = LazyLock::new(|| {
    let read = |path: PathBuf| (path.clone(), summary(&[path]));
    captures().into_iter().map(read).collect()
});

#[test]
fn own_captures_give_what_their_tables_say() {
    for (path, summary) in PLAIN.iter() {
        let text = std::fs::read_to_string(path.with_extension("toml")).unwrap();
        let Table { packets, expect } = toml::from_str(&text).unwrap();
        assert_eq!(Expect::from(summary), expect, "{}", path.display());
        assert_eq!(summary["records"], packets, "{}", path.display());
        assert_eq!(summary["simulated"], false, "{}", path.display());
    }
}

/// Compresses it in one of the ways that are understood.
type Compress = fn(&[u8]) -> Vec<u8>;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compares what is read of compressed copies, all at once. Their names must not matter: content
/// tells.
fn compressed_is_the_same(compress: Compress) {
    let folder = tempfile::tempdir().unwrap();
    let copy = |path: &PathBuf| {
        let copy = folder.path().join(name(path));
        std::fs::write(&copy, compress(&std::fs::read(path).unwrap())).unwrap();
        copy
    };
    let copies: Vec<_> = captures().iter().map(copy).collect();
    for format in ["json", "jsonl"] {
        let read = |files: &[PathBuf]| {
            let ran = run(&format!("classify --format {format}"), files).fine_with_unused();
            (ran.stdout, ran.stderr)
        };
        assert_eq!(read(&copies), read(&captures()), "{format}");
    }
}

#[test]
fn compressed_with_gzip_they_are_the_same() {
    compressed_is_the_same(gzip);
}

#[test]
fn compressed_with_zstd_they_are_the_same() {
    compressed_is_the_same(zstd);
}

#[test]
fn compressed_with_xz_they_are_the_same() {
    compressed_is_the_same(xz);
}

#[test]
fn from_the_standard_input_they_are_the_same() {
    for (at, (path, plain)) in PLAIN.iter().enumerate() {
        let ways: [Compress; 4] = [<[u8]>::to_vec, gzip, zstd, xz];
        let input = ways[at % ways.len()](&std::fs::read(path).unwrap());
        let ran = run_with_input("classify --format json -", &[] as &[&Path], &input).fine();
        assert_eq!(ran.json(), *plain, "{}", path.display());
    }
}

/// A capture as two files, of its first and its second half, or of every second record.
fn split(path: &Path, folder: &Path, halves: bool) -> [PathBuf; 2] {
    let blocks = Blocks::of(&std::fs::read(path).unwrap());
    let half = blocks.records.len() / 2;
    let in_first = |at: usize| if halves { at < half } else { at.is_multiple_of(2) };
    [true, false].map(|first| {
        let records = blocks.records.iter().enumerate().filter(|(at, _)| in_first(*at) == first);
        let part = folder.join(format!("{}-{first}", name(path)));
        std::fs::write(&part, blocks.file(records.map(|(_, record)| record))).unwrap();
        part
    })
}

#[test]
fn split_in_two_files_they_are_the_same_in_either_order() {
    let folder = tempfile::tempdir().unwrap();
    for (at, (path, plain)) in PLAIN.iter().enumerate() {
        let [first, second] = split(path, folder.path(), at.is_multiple_of(2));
        assert_eq!(summary(&[first.clone(), second.clone()]), *plain, "{}", path.display());
        assert_eq!(summary(&[second, first]), *plain, "{}, the other way round", path.display());
    }
}

/// What a newcomer sees first is what README shows, up to its three dots.
#[test]
fn readme_shows_what_is_printed() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let shown =
        readme.split("and prints:\n\n```\n").nth(1).and_then(|rest| rest.split("...\n```").next()).unwrap();
    let printed = run("classify", &captures()).fine().stdout;
    assert!(printed.starts_with(shown), "README has\n{shown}\nand this is printed\n{printed}");
}

/// More of them: `tests/captures/compare.py --rows 1000000`.
#[test]
fn random_captures_with_ports_used_again_are_judged_as_by_the_oracle() {
    if !is_installed("python3") {
        return not_run("random captures need python3, which is not installed");
    }
    let mut compare = Command::new("python3");
    compare
        .arg("-B")
        .arg(root().join("tests/captures/compare.py"))
        .args(["--rows", "30000", "--most", "3000"]);
    let compared = Ran::from(compare.arg(env!("CARGO_BIN_EXE_cutshort")).output().unwrap());
    assert_eq!(compared.code, Some(0), "{}{}", compared.stdout, compared.stderr);
}

/// Captures of other projects, which are not part of this one.
fn foreign() -> PathBuf {
    root().join("../shared/captures")
}

#[test]
fn captures_of_other_projects_give_what_was_computed_for_them() {
    let text = std::fs::read_to_string(root().join("tests/captures/foreign.toml")).unwrap();
    let tables: BTreeMap<String, Expect> = toml::from_str(&text).unwrap();
    if !foreign().is_dir() {
        return not_run(&format!("the {} captures of other projects are not here", tables.len()));
    }
    for (name, expect) in tables {
        let path = foreign().join(&name);
        if path.is_file() {
            assert_eq!(Expect::from(&summary(&[path])), expect, "{name}");
        } else {
            not_run(&format!("{name} is not here"));
        }
    }
}
