//! Measures what the shipped data costs: time to load, memory, time per look-up.

use std::hint::black_box;
use std::io::Write;
use std::net::IpAddr;
use std::time::Instant;

use cutshort_geo::Geo;

const LOOKUPS: u32 = 1_500_000;
const ROUNDS: u32 = 5;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    let files: Vec<_> = std::env::args_os().skip(1).collect();
    let begin = Instant::now();
    let geo = Geo::with_files(&files).map_err(std::io::Error::other)?;
    writeln!(out, "load: {:?}", begin.elapsed())?;
    for source in geo.sources() {
        writeln!(out, "{source}")?;
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("Rss") || line.starts_with("VmHWM")) {
        writeln!(out, "{line}")?;
    }
    let mut state = 1;
    let v4: Vec<IpAddr> = (0..LOOKUPS).map(|_| IpAddr::V4((random(&mut state) as u32).into())).collect();
    writeln!(out, "IPv4: {:.1} ns", per_lookup(&geo, &v4))?;
    let v6: Vec<IpAddr> = (0..LOOKUPS).map(|_| v6(random(&mut state))).collect();
    writeln!(out, "IPv6: {:.1} ns", per_lookup(&geo, &v6))?;
    Ok(())
}

/// In 2a00::/12, the part of IPv6 that is divided most finely.
fn v6(random: u64) -> IpAddr {
    let high = 0x2a00_0000_0000_0000 | random >> 12;
    IpAddr::V6((u128::from(high) << 64).into())
}

/// The best of some rounds, in nanoseconds.
fn per_lookup(geo: &Geo, addrs: &[IpAddr]) -> f64 {
    let round = || {
        let begin = Instant::now();
        let found = addrs.iter().filter(|&&addr| geo.lookup(addr).asn.is_some()).count();
        black_box(found);
        begin.elapsed().as_secs_f64() * 1e9 / addrs.len() as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min)
}

/// SplitMix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
