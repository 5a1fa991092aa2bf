//! `cutshort classify --explain`: one connection packet by packet.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ColorChoice;
use cutshort_capture::{Captures, Reading};
use cutshort_packet::{FiveTuple, Unreachable};
use cutshort_pipeline::reader_clock;
use cutshort_report::{InputCount, write_trace};
use cutshort_verdict::{ClosedWindow, DataSet, FlowContext, Rules, Trace, Tracker};

use crate::captures::{SIMULATED, dropped, is_simulated, parse, report_problems};
use crate::error::{Done, Error};
use crate::options::Inputs;
use crate::progress::Progress;
use crate::stopping::stop_on_signals;
use crate::terminal;

pub(super) fn run(
    inputs: &Inputs,
    rules: &Rules,
    five_tuple: &FiveTuple,
    color: ColorChoice,
) -> Result<Done, Error> {
    let files = inputs.paths()?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let mut captures = Captures::open(&files, &reading);
    let mut input = InputCount::read_at(reader_clock());
    let windows = read(&mut captures, &files, rules, five_tuple, &reading, &mut input);
    input.dropped = dropped(&captures);
    let done = report_problems(&captures, &reading).and(input.is_whole());
    input.sentences().iter().for_each(terminal::message);
    if is_simulated(&captures) {
        terminal::message(&SIMULATED);
    }
    let shown = show(&windows, rules, five_tuple, color)?;
    if shown { Ok(done) } else { Err(Error::Failed(not_found(&windows, five_tuple))) }
}

/// The windows with only the connection and its other direction in them; the times of all other
/// records count as well.
fn read(
    captures: &mut Captures,
    files: &[PathBuf],
    rules: &Rules,
    five_tuple: &FiveTuple,
    reading: &Reading,
    input: &mut InputCount,
) -> Vec<ClosedWindow> {
    let mut tracker = Tracker::new(*rules).read_at(reader_clock()).keep_rows();
    let mut progress = Progress::new(files);
    let mut windows = Vec::new();
    let both = [*five_tuple, five_tuple.reversed()];
    while let Some(record) = captures.record() {
        let packet = parse(record, input).filter(|packet| both.contains(&packet.five_tuple));
        if tracker.record(record.frame.ts, packet.as_ref()) {
            windows.extend(std::iter::from_fn(|| tracker.next_closed()));
        }
        if rules.data_set == DataSet::Origin && packet.is_none() {
            let error = record.link.ok().and_then(|link| Unreachable::parse(link, record.frame));
            let error = error.filter(|error| both.contains(&error.five_tuple));
            error.iter().for_each(|error| tracker.add_unreachable(error));
        }
        captures.advance();
        progress.tick(input.records, reading);
    }
    progress.finish();
    input.future_note().iter().for_each(terminal::message);
    input.late = tracker.late();
    windows.extend(tracker.finish());
    windows
}

/// Shows the connections of the 5-tuple in every window that has some; false if none has.
fn show(
    windows: &[ClosedWindow],
    rules: &Rules,
    five_tuple: &FiveTuple,
    color: ColorChoice,
) -> Result<bool, Error> {
    let traces: Vec<Trace> = windows.iter().flat_map(|window| traces(window, rules, five_tuple)).collect();
    terminal::print(color, |text| {
        for (at, trace) in traces.iter().enumerate() {
            if at > 0 {
                writeln!(text)?;
            }
            write_trace(five_tuple, trace, terminal::width(), &mut *text)?;
        }
        Ok(())
    })?;
    Ok(!traces.is_empty())
}

/// One for each connection of the 5-tuple in a window.
fn traces(window: &ClosedWindow, rules: &Rules, five_tuple: &FiveTuple) -> Vec<Trace> {
    let Some((rows, other_rsts)) = window.rows(five_tuple) else { return Vec::new() };
    Trace::of(rows, rules, &FlowContext { cutoff: window.cutoff(), other_rsts: &other_rsts })
}

fn not_found(windows: &[ClosedWindow], five_tuple: &FiveTuple) -> String {
    let reversed = five_tuple.reversed();
    if windows.iter().any(|window| window.rows(&reversed).is_some()) {
        format!("{five_tuple} is not in the capture, but its other direction is: try '{reversed}'")
    } else {
        format!("{five_tuple} is not in the capture")
    }
}

/// Reads `A:P > B:Q` and its kin.
pub(super) fn five_tuple(text: &str) -> Result<FiveTuple, String> {
    let spaced = text.replace(['>', '-', ',', '→'], " ");
    let fields: Vec<&str> = spaced.split_whitespace().collect();
    let parsed = match fields[..] {
        [source, target] => pair(source, target),
        [source, source_port, target, target_port] => four(source, source_port, target, target_port),
        _ => None,
    };
    parsed.ok_or_else(|| {
        "write CLIENT:PORT > SERVER:PORT, such as '198.51.100.7:40112 > 203.0.113.5:443' \
         or '[2001:db8::1]:40112 > [2001:db8::2]:443'"
            .to_owned()
    })
}

fn pair(source: &str, target: &str) -> Option<FiveTuple> {
    let source: SocketAddr = source.parse().ok()?;
    let target: SocketAddr = target.parse().ok()?;
    Some(FiveTuple::new(source.ip(), source.port(), target.ip(), target.port()))
}

fn four(source: &str, source_port: &str, target: &str, target_port: &str) -> Option<FiveTuple> {
    let ports = (source_port.parse().ok()?, target_port.parse().ok()?);
    Some(FiveTuple::new(source.parse().ok()?, ports.0, target.parse().ok()?, ports.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tuples_are_read_in_many_forms() {
        let v4 = "198.51.100.7:40112 > 203.0.113.5:443";
        for text in [
            v4,
            "198.51.100.7:40112 -> 203.0.113.5:443",
            "198.51.100.7:40112-203.0.113.5:443",
            "198.51.100.7 40112 203.0.113.5 443",
            "198.51.100.7,40112,203.0.113.5,443",
        ] {
            assert_eq!(five_tuple(text).unwrap().to_string(), v4);
        }
        let v6 = "[2001:db8::1]:1 > [2001:db8::2]:2";
        assert_eq!(five_tuple(v6).unwrap().to_string(), v6);
        assert!(five_tuple("198.51.100.7 > 203.0.113.5").is_err());
    }
}
