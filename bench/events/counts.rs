//! The counts of a benchmark in the format of `cutshort detect`.

use std::io::{self, BufWriter, Write};

use cutshort_simulate::series::{Benchmark, SimulatedPlace, StageCounts, WindowCounts};

use crate::ours::{NAMES, code, place};

/// 2026-01-05, a Monday, 00:00 UTC.
const BEGIN: i64 = 1_767_571_200;

/// Writes the counts of these places, or of all.
pub(crate) fn write(seed: u64, places: &[String]) {
    let benchmark = Benchmark::standard(seed);
    let mut output = BufWriter::new(io::stdout().lock());
    let mut written = writeln!(output, "time,place,country,node,w,w2,post_syn,post_ack,post_psh,later");
    benchmark.run(|window| {
        if written.is_ok() {
            written = write_window(&benchmark, window, places, &mut output);
        }
    });
    if let Err(error) = written.and_then(|()| output.flush()) {
        eprintln!("{error}");
    }
}

fn write_window(
    benchmark: &Benchmark,
    window: &WindowCounts,
    places: &[String],
    mut output: impl Write,
) -> io::Result<()> {
    let time = BEGIN + 900 * window.number;
    for (at, by_node) in benchmark.places().zip(&window.counts) {
        let name = place(at).to_string();
        if !places.is_empty() && !places.contains(&name) {
            continue;
        }
        let country = match at {
            SimulatedPlace::Network(network) => {
                code(benchmark.country(network)).map(char::from).iter().collect()
            }
            _ => String::new(),
        };
        for (node, counts) in by_node.iter().enumerate().filter(|&(node, _)| window.observed[node]) {
            let StageCounts { stages } = counts;
            let [syn, ack, psh, later, _] = stages.map(|stage| stage * window.rate);
            let (w, w2) = (counts.all() * window.rate, counts.all() * window.rate * window.rate);
            writeln!(output, "{time},{name},{country},{},{w},{w2},{syn},{ack},{psh},{later}", NAMES[node])?;
        }
    }
    Ok(())
}
