//! Inputs that are cut, empty, of another kind, or not there.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::common::{Ran, capture, not_run, run, run_with_input};

const NONE: &[&Path] = &[];

/// A folder with a bad file in it.
fn bad(name: &str, content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

fn https() -> Vec<u8> {
    std::fs::read(capture("https")).unwrap()
}

fn classify(files: &[&Path]) -> Ran {
    run("classify --format json", files).ended(1)
}

/// What was said of a file, without its name; nothing else may be said.
#[track_caller]
fn said_of<'a>(ran: &'a Ran, path: &Path) -> &'a str {
    let start = format!("cutshort: {}: ", path.display());
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let said = ran.stderr.strip_prefix(&start).unwrap_or_else(|| panic!("{}", ran.stderr));
    said.trim_end()
}

/// A file of which nothing can be read, with a good one: that one is counted.
#[track_caller]
fn with_a_good_one(path: &Path, about: &str) {
    let good = capture("https");
    for files in [[path, &good], [&good, path]] {
        let ran = classify(&files);
        let said = said_of(&ran, path);
        assert!(said.contains(about), "{said}");
        assert_eq!(ran.json()["connections"], 4);
    }
}

/// A file of which nothing can be read, alone: no summary of nothing.
#[track_caller]
fn alone(path: &Path, about: &str) {
    let ran = classify(&[path]);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains(about), "{}", ran.stderr);
    assert!(ran.stderr.starts_with(&format!("cutshort: {}: ", path.display())), "{}", ran.stderr);
}

#[track_caller]
fn unreadable(path: &Path, about: &str) {
    with_a_good_one(path, about);
    alone(path, about);
}

#[test]
fn empty() {
    let (_folder, path) = bad("empty.pcap", b"");
    unreadable(&path, "is empty");
}

#[test]
fn text() {
    let (_folder, path) = bad("notes.pcap", "No capture at all, but a text.\n".repeat(50).as_bytes());
    unreadable(&path, "is neither pcap nor pcapng");
}

#[test]
fn another_kind_of_file() {
    let (_folder, path) = bad("picture.pcap", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02");
    unreadable(&path, "is neither pcap nor pcapng");
}

#[test]
fn compressed_but_no_capture() {
    let (_folder, path) = bad("notes.zst", &zstd::encode_all(&b"a text, no capture"[..], 3).unwrap());
    unreadable(&path, "is neither pcap nor pcapng");
}

#[test]
fn cut_within_the_header() {
    let (_folder, path) = bad("cut.pcapng", &https()[..20]);
    unreadable(&path, "the file is cut off");
}

#[test]
fn missing() {
    let folder = tempfile::tempdir().unwrap();
    unreadable(&folder.path().join("nothing.pcap"), "No such file");
}

#[test]
fn a_directory() {
    let folder = tempfile::tempdir().unwrap();
    unreadable(folder.path(), "is a directory");
}

/// Requirement: each gives one clear line. 'nothing could be read' is a second one.
#[test]
fn one_bad_file_gets_one_line() {
    let (_folder, path) = bad("empty.pcap", b"");
    let ran = classify(&[&path]);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn not_permitted() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = bad("secret.pcapng", &https());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        return again_without_capabilities("inputs::not_permitted");
    }
    unreadable(&path, "Permission denied");
}

/// Runs a test once more as a root that permissions apply to.
#[cfg(unix)]
fn again_without_capabilities(test: &str) {
    const AGAIN: &str = "CUTSHORT_WITHOUT_CAPABILITIES";
    assert!(std::env::var_os(AGAIN).is_none(), "it may still read any file");
    let mut setpriv = std::process::Command::new("setpriv");
    setpriv.args(["--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]);
    let ran = setpriv.arg(std::env::current_exe().unwrap()).args(["--exact", test]).env(AGAIN, "1").output();
    match ran {
        Err(error) => not_run(&format!("a file without permission to read: setpriv: {error}")),
        Ok(ran) => {
            let output = String::from_utf8_lossy(&ran.stdout);
            assert!(ran.status.success() && output.contains("1 passed"), "{output}");
        }
    }
}

/// A file that is readable up to a point: what there is counts, and one line says so.
#[track_caller]
fn cut_in_the_middle(name: &str, content: &[u8]) {
    let (_folder, path) = bad(name, content);
    let ran = classify(&[&path]);
    assert!(said_of(&ran, &path).contains("the file is cut off after"), "{}", ran.stderr);
    let summary = ran.json();
    let records = summary["records"].as_u64().unwrap();
    assert!((1..56).contains(&records), "{records} records");
    assert!(ran.stderr.contains(&format!("after {records} whole records")), "{}", ran.stderr);
    let together = classify(&[&path, &capture("http")]);
    assert_eq!(together.json()["records"], records + 20);
    said_of(&together, &path);
}

#[test]
fn cut() {
    let file = https();
    for len in [1000, file.len() / 2, file.len() - 1] {
        cut_in_the_middle("cut.pcapng", &file[..len]);
    }
}

/// A capture of which a compressed half has whole blocks of every compression.
fn big() -> Vec<u8> {
    let blocks = crate::common::pcapng::Blocks::of(&https());
    blocks.repeated(2000)
}

#[track_caller]
fn half_downloaded(name: &str, compressed: &[u8]) {
    let (_folder, path) = bad(name, &compressed[..compressed.len() / 2]);
    let ran = classify(&[&path]);
    assert!(said_of(&ran, &path).contains("cut off"), "{}", ran.stderr);
    let records = ran.json()["records"].as_u64().unwrap();
    assert!((1000..112_000).contains(&records), "{records} records");
}

#[test]
fn half_downloaded_gzip() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&big()).unwrap();
    half_downloaded("half.pcapng.gz", &encoder.finish().unwrap());
}

#[test]
fn half_downloaded_zstd() {
    half_downloaded("half.pcapng.zst", &zstd::encode_all(&big()[..], 1).unwrap());
}

#[test]
fn half_downloaded_xz() {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(&big()).unwrap();
    half_downloaded("half.pcapng.xz", &encoder.finish().unwrap());
}

/// So little of a compressed file that nothing of it can be unpacked.
#[track_caller]
fn barely_downloaded(compressed: &[u8]) {
    let (_folder, path) = bad("barely.pcapng", &compressed[..compressed.len().min(40)]);
    let ran = classify(&[&path]);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("cut off"), "unclear: {}", ran.stderr);
}

#[test]
fn barely_downloaded_gzip_is_said_to_be_cut_off() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&https()).unwrap();
    barely_downloaded(&encoder.finish().unwrap()[..12]);
}

#[test]
fn barely_downloaded_zstd_is_said_to_be_cut_off() {
    barely_downloaded(&zstd::encode_all(&https()[..], 3).unwrap());
}

#[test]
fn barely_downloaded_xz_is_said_to_be_cut_off() {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(&https()).unwrap();
    barely_downloaded(&encoder.finish().unwrap()[..20]);
}

#[test]
fn several_bad_files_get_a_line_each() {
    let (_folder, empty) = bad("empty.pcap", b"");
    let missing = empty.with_file_name("missing.pcap");
    let ran = classify(&[&empty, &missing, &capture("https")]);
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    assert_eq!(ran.json()["connections"], 4);
}

#[test]
fn the_standard_input_is_read_for_a_dash_and_for_nothing() {
    let expected = run("classify --format json", &[capture("https")]).fine().stdout;
    for arguments in ["classify --format json -", "classify --format json"] {
        assert_eq!(run_with_input(arguments, NONE, &https()).fine().stdout, expected);
    }
}

#[test]
fn the_standard_input_goes_together_with_files() {
    let both = run("classify --format json", &[capture("https"), capture("http")]).fine().stdout;
    let http = capture("http");
    assert_eq!(run_with_input("classify --format json -", &[http], &https()).fine().stdout, both);
}

#[test]
fn the_standard_input_is_read_once_only() {
    let ran = run_with_input("classify - -", NONE, &https()).ended(2);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("only once"), "{}", ran.stderr);
}

#[test]
fn an_empty_standard_input_is_said() {
    for arguments in ["classify", "classify -"] {
        let ran = run(arguments, NONE).ended(1);
        assert!(ran.stderr.contains("empty") && ran.stdout.is_empty(), "{}", ran.stderr);
    }
}

/// A file that is named twice has every packet twice: the note says so.
#[test]
fn a_file_named_twice_is_noticed() {
    let path = capture("https");
    let ran = run("classify --format json", &[&path, &path]).fine();
    assert!(ran.json()["notes"].to_string().contains("capture at one"), "{}", ran.stdout);
}

#[test]
fn usage_errors_end_with_two() {
    for arguments in [
        "",
        "clasify",
        "classify --format xml",
        "classify --filter stage",
        "classify --filter land=PE",
        "classify --filter stage=post_fin",
        "classify --server-net 203.0.113",
        "classify --server-port 70000",
        "classify --ignore-src 203.0.113.0/33",
        "classify --window 10",
        "classify --window 25h",
        "classify --guard=-1s",
        "classify --limit 0",
        "classify --explain 198.51.100.7",
        "explain post_fin",
        "geo lookup example.com",
        "geo lookup",
        "simulate",
        "completions tcsh",
        "--color sometimes",
    ] {
        let ran = run(arguments, NONE).ended(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{arguments}: {ran:?}");
    }
}

#[test]
fn a_negative_guard_is_said_to_be_negative() {
    let ran = run("classify --guard -1s", &[capture("https")]).ended(2);
    assert!(ran.stderr.contains("cannot be negative"), "{}", ran.stderr);
}

/// Captures that overlap are open at once: the limit of open files is raised as far as it may be.
#[cfg(target_os = "linux")]
#[test]
fn more_captures_than_files_may_be_open() {
    let folder = tempfile::tempdir().unwrap();
    let https = https();
    for at in 0..100 {
        std::fs::write(folder.path().join(format!("{at}.pcapng")), &https).unwrap();
    }
    let script = format!(
        "ulimit -Sn 40; exec {} classify -f json {}/*.pcapng",
        env!("CARGO_BIN_EXE_cutshort"),
        folder.path().display()
    );
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(Ran::from(output).fine().json()["records"], 5600);
}
