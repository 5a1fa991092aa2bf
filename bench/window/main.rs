//! How long a window takes from its segments to its replaced results, and the demo to be filled.
//!
//! `bench-window generate DIR [CONNECTIONS]` makes a store with one window of simulated packets;
//! `bench-window compute DIR` computes its results and says what that took, for itself, so that
//! nothing else counts into the memory; `bench-window demo DIR` fills a new store with the demo.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Instant, SystemTime};

use cutshort_geo::Geo;
use cutshort_pipeline::demo::Demo;
use cutshort_pipeline::{Arrival, Due, Privacy, Share, WindowJob, import};
use cutshort_report::grouped;
use cutshort_simulate::{Simulation, WINDOW_NS, World};
use cutshort_store::embedded::Options;
use cutshort_store::{Embedded, Store};
use cutshort_verdict::Rules;

/// Of the simulated window; a number of a window.
const WINDOW: i64 = 1_980_000;
const CONNECTIONS: u64 = 1_800_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["generate", folder] => generate(Path::new(folder), CONNECTIONS),
        ["generate", folder, connections] => generate(Path::new(folder), connections.parse()?),
        ["compute", folder] => compute(Path::new(folder)),
        ["demo", folder] => demo(Path::new(folder), &Demo::until(SystemTime::now())),
        ["demo", folder, connections] => {
            demo(Path::new(folder), &Demo::of(SystemTime::now(), 28 * 96, connections.parse()?))
        }
        _ => Err("generate DIR [CONNECTIONS] | compute DIR | demo DIR [CONNECTIONS]".into()),
    }
}

/// Seconds, seconds of the processor, and the most memory in MiB so far.
fn usage(since: Instant) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let stat = read("/proc/self/stat");
    let ticks = stat.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<u64>().ok());
    let status = read("/proc/self/status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next());
    let peak = peak.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024;
    let cpu = ticks.sum::<u64>() as f64 / 100.0;
    format!("{:.2} s, {cpu:.2} CPU-s of the whole process, {peak} MiB at most", since.elapsed().as_secs_f64())
}

fn simulation(connections: u64) -> Simulation {
    let from = WINDOW * WINDOW_NS;
    Simulation::with_total(World::standard(), from, from + WINDOW_NS, connections, 1)
}

fn generate(folder: &Path, connections: u64) -> Result<(), Box<dyn Error>> {
    let store = Embedded::open(folder, Options { durable: true })?;
    let simulation = simulation(connections);
    let since = Instant::now();
    let packets = simulation.packets();
    let records = packets.map(|packet| Arrival { ts: packet.ts, packet: Some(packet), simulated: true });
    let imported = import(&store, &Rules::default(), &mut Privacy::full(), records, || true)?;
    let (packets, bytes) = (imported.packets, imported.bytes);
    println!(
        "simulated and imported {} packets into {} segments: {}; {:.2} bytes a row",
        grouped(packets),
        imported.new,
        usage(since),
        bytes as f64 / packets as f64
    );
    Ok(())
}

/// The made-up networks.
fn geo(csv: &str) -> Result<Geo, Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("bench-window-{}.csv", std::process::id()));
    std::fs::write(&path, csv)?;
    let geo = Geo::with_files(&[&path]);
    std::fs::remove_file(&path)?;
    Ok(geo?)
}

fn compute(folder: &Path) -> Result<(), Box<dyn Error>> {
    let geo = geo(&simulation(1).world().geo_csv())?;
    let store = Embedded::open(folder, Options { durable: true })?;
    let since = Instant::now();
    let job = WindowJob::default();
    let report = job.recompute(&store, &geo, i64::MIN..i64::MAX, Share::default(), &mut |progress| {
        if progress.done.is_some() {
            println!("window: {:.2} s", progress.took.as_secs_f64());
        }
        ControlFlow::Continue(())
    })?;
    let counts = store.status()?.counts;
    println!(
        "{} windows, {} rows, {} connections on {} threads: {}",
        report.done,
        grouped(counts.packets),
        grouped(counts.connections),
        job.threads,
        usage(since)
    );
    assert!(job.due(&store, Due::All)?.is_empty(), "something is still due");
    Ok(())
}

fn demo(folder: &Path, demo: &Demo) -> Result<(), Box<dyn Error>> {
    let since = Instant::now();
    let geo = geo(&demo.geo_csv())?;
    let store = Embedded::open(folder, Options { durable: false })?;
    demo.fill(&store, &geo, &|filled| {
        if filled.windows == filled.all {
            println!("all windows: {}", usage(since));
        }
        ControlFlow::Continue(())
    })?;
    let counts = store.status()?.counts;
    println!(
        "{} packets, {} connections: {}",
        grouped(counts.packets),
        grouped(counts.connections),
        usage(since)
    );
    Ok(())
}
