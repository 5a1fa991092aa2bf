//! How fast packets are made: `cargo run --release -p cutshort-simulate --example speed`.
//!
//! Arguments: connections a second, windows, `whole` for all packets of each connection; with a file
//! name as the fourth, the packets also go into it as pcapng.
use cutshort_simulate::{Event, PcapngWriter, Simulation, Stage, WINDOW_NS, World};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write, stdout};
use std::time::Instant;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let number = |n: usize, or: i64| arguments.get(n).and_then(|a| a.parse().ok()).unwrap_or(or);
    let (rate, windows) = (number(0, 1000), number(1, 2));
    let start = 1_980_000 * WINDOW_NS;
    let simulation = Simulation::new(World::standard(), start, start + windows * WINDOW_NS, rate as f64, 1);
    let whole = arguments.get(2).is_some_and(|a| a == "whole");
    let simulation = if whole { simulation.whole_connections() } else { simulation };
    speed(&simulation)?;
    arguments.get(3).map_or(Ok(()), |path| save(&simulation, path))
}

fn speed(simulation: &Simulation) -> io::Result<()> {
    let (mut packets, mut connections, mut judged) = (0_u64, 0_u64, 0_u64);
    let mut stages = BTreeMap::<Stage, u64>::new();
    let begin = Instant::now();
    simulation.for_each(|event| match event {
        Event::Packet(_) => packets += 1,
        Event::Connection(truth) => {
            connections += 1;
            if let Some(verdict) = truth.outcome.verdict() {
                judged += 1;
                *stages.entry(verdict.stage).or_default() += 1;
            }
        }
    });
    let seconds = begin.elapsed().as_secs_f64();
    let speed = packets as f64 / seconds / 1e6;
    writeln!(
        stdout(),
        "{packets} packets of {connections} connections in {seconds:.2} s: {speed:.2} M packets/s"
    )?;
    for (stage, n) in stages {
        writeln!(stdout(), "{:9} {:5.2} %", stage.name(), 100.0 * n as f64 / judged as f64)?;
    }
    Ok(())
}

fn save(simulation: &Simulation, path: &str) -> io::Result<()> {
    let mut file = PcapngWriter::new(BufWriter::new(File::create(path)?), 0)?;
    simulation.packets().try_for_each(|packet| file.write(&packet))?;
    file.into_inner().map(drop)
}
