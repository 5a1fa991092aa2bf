//! Where results go.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::common::{capture, captures, cutshort, ended_within, run, spawn};

const NONE: &[&Path] = &[];
const FORMATS: [&str; 6] = ["table", "json", "jsonl", "csv", "parquet", "zeek"];

/// Names of what is in a folder.
fn content(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_has_what_the_standard_output_would_have() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format);
        let ran = run(&format!("classify -f {format} -o {}", path.display()), &[capture("https")]).fine();
        assert_eq!(ran.stdout, "");
        let mut direct = cutshort();
        direct.args(["classify", "-f", format]).arg(capture("https"));
        assert_eq!(fs::read(&path).unwrap(), direct.output().unwrap().stdout, "{format}");
    }
    assert_eq!(content(folder.path()).len(), FORMATS.len());
}

#[test]
fn a_table_in_a_file_has_no_colours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.txt");
    run(&format!("classify --color always -o {}", path.display()), &[capture("https")]).fine();
    assert!(!fs::read_to_string(&path).unwrap().contains('\u{1b}'));
}

#[test]
fn nothing_is_left_of_an_output_after_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let output = folder.path().join(format);
        let missing = folder.path().join("missing.pcap");
        run(&format!("classify -f {format} -o {}", output.display()), &[missing]).ended(1);
    }
    assert_eq!(content(folder.path()), [""; 0]);
}

#[test]
fn an_output_from_before_survives_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("summary.json");
    fs::write(&output, "from before").unwrap();
    let arguments = format!("classify -f json -o {}", output.display());
    run(&arguments, &[folder.path().join("missing.pcap")]).ended(1);
    assert_eq!(fs::read_to_string(&output).unwrap(), "from before");
    run(&arguments, &[capture("https")]).fine();
    assert!(fs::read_to_string(&output).unwrap().contains("connections"));
    assert_eq!(content(folder.path()), ["summary.json"]);
}

#[test]
fn an_input_is_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("https.pcapng");
    let original = fs::read(capture("https")).unwrap();
    fs::write(&path, &original).unwrap();
    // By another name of the same file.
    let other = folder.path().join("../").join(folder.path().file_name().unwrap()).join("https.pcapng");
    for output in [&path, &other] {
        let ran = run(&format!("classify -o {}", output.display()), &[&path]).ended(2);
        assert!(ran.stderr.contains("input and output are the same file"), "{}", ran.stderr);
    }
    assert_eq!(fs::read(&path).unwrap(), original);
}

/// `--geo` names an input, too.
#[test]
fn geo_data_are_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let geo = folder.path().join("networks.csv");
    fs::write(&geo, "198.51.100.0,198.51.100.255,PE,64500,Net\n").unwrap();
    let arguments = format!("classify -f csv --geo {0} -o {0}", geo.display());
    run(&arguments, &[capture("https")]).ended(2);
    assert!(fs::read_to_string(&geo).unwrap().starts_with("198.51.100.0"));
}

#[track_caller]
fn cannot_write(output: &Path) -> String {
    let ran = run(&format!("classify -o {}", output.display()), &[capture("https")]).ended(1);
    assert!(ran.stdout.is_empty() && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    assert!(ran.stderr.contains(&output.display().to_string()), "{}", ran.stderr);
    ran.stderr
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    cannot_write(&folder.path().join("missing/summary.txt"));
    assert_eq!(content(folder.path()), [""; 0]);
}

/// Names of temporary files mean nothing to who named another one.
#[test]
fn no_temporary_name_in_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let said = cannot_write(&folder.path().join("missing/summary.txt"));
    assert!(!said.contains("missing/."), "{said}");
}

#[test]
fn a_folder_as_output_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let said = cannot_write(folder.path());
    assert!(said.contains("directory"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    for format in FORMATS {
        let ran = run(&format!("classify -f {format} -o /dev/full"), &[capture("https")]).ended(1);
        assert!(ran.stderr.contains("No space left"), "{format}: {}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_device_as_output_is_not_replaced() {
    run("classify -f jsonl -o /dev/null", &[capture("https")]).fine();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

/// The mode of the file that the program makes under a umask.
#[cfg(unix)]
fn mode_with_umask(umask: &str, output: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    let mut shell = std::process::Command::new("sh");
    let script = format!("umask {umask}; exec \"$0\" classify -f csv -o \"$1\" \"$2\"");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_cutshort")]).arg(output).arg(capture("https"));
    assert!(shell.status().unwrap().success());
    fs::metadata(output).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn an_output_can_be_read_as_any_new_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(mode_with_umask("022", &folder.path().join("csv")), 0o644);
}

/// The lines have addresses of people: who asks for private files must get them.
#[cfg(unix)]
#[test]
fn an_output_keeps_to_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(mode_with_umask("077", &folder.path().join("csv")), 0o600);
}

#[cfg(unix)]
#[test]
fn an_output_behind_a_link_leaves_the_link() {
    let folder = tempfile::tempdir().unwrap();
    let (target, link) = (folder.path().join("target.csv"), folder.path().join("link.csv"));
    fs::write(&target, "from before").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    run(&format!("classify -f csv -o {}", link.display()), &[capture("https")]).fine();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the link was replaced");
    assert!(fs::read_to_string(&target).unwrap().starts_with("first_us"));
}

/// A capture with more output than pipes and buffers hold.
fn simulated(folder: &Path) -> PathBuf {
    let path = folder.join("simulated.pcapng");
    run(&format!("simulate --duration 15m --rate 20 --snaplen 80 -o {}", path.display()), &[] as &[&Path])
        .ended(0);
    path
}

/// As with `| head -1`.
#[track_caller]
fn quiet_after_a_line(format: &str, path: &Path) {
    let mut child = spawn(cutshort().args(["classify", "-f", format]).arg(path));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ran = ended_within(child, Duration::from_secs(10));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{format}");
    assert!(line.len() > 10, "{line}");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let path = simulated(folder.path());
    quiet_after_a_line("jsonl", &path);
    quiet_after_a_line("zeek", &path);
}

#[test]
fn a_closed_pipe_is_quiet_with_csv() {
    let folder = tempfile::tempdir().unwrap();
    quiet_after_a_line("csv", &simulated(folder.path()));
}

/// Nobody reads at all.
#[test]
fn a_closed_pipe_is_quiet_from_the_start() {
    let files = captures();
    for arguments in [
        vec!["classify", "-f", "table"],
        vec!["classify", "-f", "json"],
        vec!["explain"],
        vec!["man"],
        vec!["completions", "bash"],
        vec!["geo", "lookup", "198.51.100.7"],
        vec!["simulate", "--duration", "15m", "-o", "-"],
    ] {
        let files = if arguments[0] == "classify" { &files[..] } else { &[] };
        let mut child = spawn(cutshort().args(&arguments).args(files));
        drop(child.stdout.take());
        let ran = ended_within(child, Duration::from_secs(10));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn pages_and_scripts_are_written() {
    let folder = tempfile::tempdir().unwrap();
    run(&format!("man --dir {}", folder.path().join("man").display()), &[] as &[&Path]).fine();
    let pages = content(&folder.path().join("man"));
    assert!(pages.contains(&"cutshort-classify.1".to_owned()) && pages.len() >= 6, "{pages:?}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&format!("completions {shell}"), &[] as &[&Path]).fine().stdout;
        assert!(script.contains("classify") && script.contains("server-net"), "{shell}");
    }
}

/// Captures of several windows, some with records that have no TCP packet, and one of both directions with ICMP errors.
#[test]
fn two_threads_tell_what_one_tells() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = |data_set: &str| {
        let path = folder.path().join(format!("simulated{data_set}.pcapng"));
        let command = format!("simulate {data_set} --duration 40m --rate 20 --seed 5 -o {}", path.display());
        run(&command, NONE).ended(0);
        path
    };
    let mut inputs = captures();
    inputs.push(simulated(""));
    for (data_set, inputs) in [("", inputs), ("--origin", vec![simulated("--origin")])] {
        for format in FORMATS {
            let ran = |threads: u8| {
                run(&format!("classify {data_set} -f {format} --threads {threads}"), &inputs).ended(0)
            };
            let (one, two) = (ran(1), ran(2));
            assert!(one.stdout == two.stdout, "{data_set} {format}");
            assert_eq!(one.stderr, two.stderr, "{data_set} {format}");
            assert!(one.stdout.len() > 100);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_both_threads() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long.pcapng");
    run(&format!("simulate --duration 2h --rate 20 --seed 5 -o {}", long.display()), NONE).ended(0);
    let ran = run("classify -f jsonl --threads 2 -o /dev/full", &[long]).ended(1);
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
}
