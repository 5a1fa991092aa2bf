//! Packs files of geo data (CSV, mmdb) into one in the form that the crate ships: `pack FROM... TO`. A later file
//! goes before an earlier one.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [base, over @ .., to] = &paths[..] else { return Err("usage: pack FROM... TO".into()) };
    std::fs::write(to, cutshort_geo::pack_merged(base, over)?)?;
    Ok(ExitCode::SUCCESS)
}
