//! `cutshort classify --explain`: one connection packet by packet.

use std::io;

use clap::ColorChoice;
use cutshort_capture::{Captures, Reading};
use cutshort_console::Progress;
use cutshort_packet::FiveTuple;
use cutshort_reader::{SIMULATED, Traced, is_simulated};
use cutshort_report::{write_quic_trace, write_trace};
use cutshort_verdict::{DataSet, Rules};

use super::{Classify, report_problems};
use crate::error::{Done, Error};
use crate::stopping::stop_on_signals;
use crate::terminal;

pub(super) fn run(
    arguments: &Classify,
    rules: Rules,
    five_tuple: FiveTuple,
    color: ColorChoice,
) -> Result<Done, Error> {
    let files = arguments.inputs.paths()?;
    let reading = Reading::default();
    stop_on_signals(&reading)?;
    let mut captures = Captures::open(&files, &reading);
    let mut progress = Progress::new(&files);
    let (outer_only, open_initials) = (arguments.inputs.outer, arguments.open_initials);
    let traced = Traced::read(&mut captures, rules, five_tuple, outer_only, open_initials, |records| {
        progress.tick(records, &reading);
    });
    progress.finish();
    traced.input.future_note().iter().for_each(terminal::message);
    let done = report_problems(&captures, &reading).and(traced.input.is_whole());
    traced.input.sentences().iter().for_each(terminal::message);
    if is_simulated(&captures) {
        terminal::message(&SIMULATED);
    }
    let written: Vec<Vec<u8>> = match rules.data_set {
        DataSet::Quic => written(&traced.quic_traces(), |trace, text| {
            write_quic_trace(&five_tuple, trace, terminal::width(), text)
        })?,
        _ => written(&traced.traces(), |trace, text| {
            write_trace(&five_tuple, trace, traced.syn(trace), terminal::width(), text)
        })?,
    };
    terminal::print(color, |text| {
        text.extend(written.join(&b'\n'));
        Ok(())
    })?;
    if written.is_empty() { Err(Error::Failed(traced.not_found())) } else { Ok(done) }
}

/// The text of each trace.
fn written<T>(
    traces: &[T],
    write: impl Fn(&T, &mut Vec<u8>) -> io::Result<()>,
) -> Result<Vec<Vec<u8>>, Error> {
    let text = |trace| {
        let mut text = Vec::new();
        write(trace, &mut text)?;
        Ok(text)
    };
    traces.iter().map(text).collect()
}
