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

/// Python with what is required.
pub(crate) fn python() -> Result<PathBuf, String> {
    static PYTHON: std::sync::OnceLock<Result<PathBuf, String>> = std::sync::OnceLock::new();
    let install = || {
        let folder = installed("python");
        let python = folder.join("bin/python");
        if !python.exists() {
            done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        }
        let requirements = super::root().join("tests/sdk/requirements.txt");
        done(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(requirements),
        )?;
        Ok(python)
    };
    PYTHON.get_or_init(install).clone()
}
