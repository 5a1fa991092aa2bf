//! Tells the program which commit it is built from, if that is known: from `BUILD_COMMIT`, for builds of a source
//! archive, or from git.

// Build scripts speak to cargo on standard output.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=BUILD_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = std::env::var("BUILD_COMMIT").ok().or_else(of_git);
    if let Some(commit) = commit {
        println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    }
}

/// The commit that is checked out. A crate that was unpacked within someone else's repository is none of its commits.
fn of_git() -> Option<String> {
    let logs = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    if Path::new(&logs).is_file() {
        println!("cargo::rerun-if-changed={logs}");
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
