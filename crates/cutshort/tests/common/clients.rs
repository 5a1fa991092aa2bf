//! Clients from PyPI and npm.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where the clients are installed, kept between runs.
pub(crate) fn installed(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

pub(crate) fn done(command: &mut Command) -> Result<Output, String> {
    let output =
        command.output().map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason was given").to_owned())
}

/// Python with what the tests of the API require.
pub(crate) fn python() -> Result<PathBuf, String> {
    static PYTHON: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    PYTHON.get_or_init(|| python_with("python", "tests/sdk/requirements.txt")).clone()
}

/// Python with what a file requires, in a folder with this name.
pub(crate) fn python_with(name: &str, requirements: &str) -> Result<PathBuf, String> {
    let folder = installed(name);
    let python = folder.join("bin/python");
    if !python.exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    done(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(super::root().join(requirements)),
    )?;
    Ok(python)
}
