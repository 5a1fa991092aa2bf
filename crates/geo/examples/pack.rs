//! Packs a file of geo data (CSV, mmdb) into the form that the crate ships: `pack FROM TO`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [from, to] = &paths[..] else { return Err("usage: pack FROM TO".into()) };
    std::fs::write(to, cutshort_geo::pack(from)?)?;
    Ok(ExitCode::SUCCESS)
}
