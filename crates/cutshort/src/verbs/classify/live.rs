//! `cutshort classify nflog:5`: packets that come now.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use cutshort_capture::rules;
use cutshort_capture::{
    Batch, LeftOut, Live, LiveCount, LiveError, LiveSettings, LiveSource, Reading, Spell,
};
use cutshort_model::grouped;
use cutshort_packet::Packet;
use cutshort_report::Incomplete;
use cutshort_sandbox::{Kept, Needs};
use cutshort_verdict::{DataSet, Tracker};
use jiff::SignedDuration;

use super::sink::Sink;
use crate::error::{Done, Error};
use crate::terminal::message;

/// The live source among what is to be read. It cannot be merged with others.
pub(super) fn source(files: &[PathBuf]) -> Result<Option<LiveSource>, Error> {
    let is_live = |file: &&PathBuf| file.to_str().is_some_and(LiveSource::is_meant);
    let Some(source) = files.iter().find(is_live) else { return Ok(None) };
    if files.len() > 1 {
        return Err(Error::Usage(format!(
            "{}: a live source cannot be combined with other input",
            source.display()
        )));
    }
    source.to_string_lossy().parse().map(Some).map_err(Error::Usage)
}

pub(super) fn check_duration(
    duration: Option<SignedDuration>,
    source: Option<&LiveSource>,
) -> Result<(), Error> {
    match (duration, source) {
        (Some(_), None) => {
            Err(Error::Usage("--for is for nflog: and af_packet:; captures are read to their end".to_owned()))
        }
        _ => Ok(()),
    }
}

/// A live source that was opened.
pub(super) struct Receiving {
    source: LiveSource,
    live: Live,
    /// Why nothing may come, by what was loaded then; afterwards that cannot be seen any more.
    silence: String,
    duration: Option<SignedDuration>,
}

/// After so long without a packet, the reason is worth a line.
const SILENCE: Duration = Duration::from_secs(5);

impl Receiving {
    fn failed(&self, error: &LiveError) -> Error {
        Error::Failed(format!("{}: {error}", self.source))
    }

    /// Receives and classifies until it is stopped or the time is over.
    pub(super) fn classify(
        mut self,
        mut tracker: Tracker,
        reading: &Reading,
        sink: &mut Sink<'_>,
    ) -> Result<Done, Error> {
        let begin = Instant::now();
        let end = self.duration.map(|duration| begin + duration.unsigned_abs());
        let mut incomplete = Vec::new();
        let mut is_silent = true;
        let mut is_said = false;
        loop {
            let batch = match self.live.next_batch() {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(error) => return Err(self.failed(&error)),
            };
            take(batch, sink.data_set(), &mut tracker, sink);
            let is_empty = batch.is_empty();
            let counts = self.live.counts();
            is_silent &= is_empty && counts.left_out.connections == 0;
            note_incomplete(&mut incomplete, &counts.left_out);
            if is_silent && !is_said && begin.elapsed() >= SILENCE {
                message(&self.silence);
                is_said = true;
            }
            sink.check()?;
            if end.is_some_and(|end| Instant::now() >= end) {
                reading.stop();
            }
        }
        if is_silent && !is_said {
            message(&self.silence);
        }
        sink.summary.input.incomplete = incomplete;
        finish(tracker, sink, &self)
    }
}

/// Opens the source, then drops all privileges: nothing needs them any more, but for writing to `output`.
pub(super) fn open(
    source: LiveSource,
    settings: &LiveSettings,
    output: Option<&Path>,
    duration: Option<SignedDuration>,
    reading: &Reading,
) -> Result<Receiving, Error> {
    let live = Live::open(&source, settings, reading);
    let live = live.map_err(|error| Error::Failed(format!("{source}: {error}")))?;
    let silence = silence(&source);
    let kept = drop_privileges(output)?;
    message(&format!("receiving from {source}{}; {kept}", until(duration)));
    Ok(Receiving { source, live, silence, duration })
}

fn silence(source: &LiveSource) -> String {
    match source {
        LiveSource::Nflog(groups) if groups.iter().all(|group| is_logged(group) == Some(false)) => format!(
            "nothing has come from {source}, and none of cutshort's rules log to group {groups}: 'cutshort rules apply' \
             loads some (--group {})",
            groups.first()
        ),
        LiveSource::Nflog(_) => format!(
            "nothing has come from {source}: rules choose 1 in N connections ('cutshort rules apply --rate N'), and none \
             over the loopback interface unless --interfaces lo names it; 'cutshort doctor --capture {source}' tells more"
        ),
        LiveSource::AfPacket(interface) => {
            format!(
                "nothing has come from {source}: no TCP packets came in by {interface} ('tcpdump -ni {interface} tcp' shows some)"
            )
        }
    }
}

/// Whether cutshort's own rules log to the group; none if the kernel does not tell.
fn is_logged(group: u16) -> Option<bool> {
    let loaded = rules::status().ok()?.iter().any(|loaded| loaded.group() == Some(group));
    let target = format!("--nflog-group {group} ");
    Some(loaded || rules::chains().shown.iter().any(|chain| chain.contains(&target)))
}

fn drop_privileges(output: Option<&Path>) -> Result<Kept, Error> {
    // The output gets its name at the end.
    let output = output.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let folder =
        output.as_ref().and_then(|path| path.parent()).map(|folder| match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        });
    let folders = folder.into_iter().map(Path::to_owned).collect();
    Ok(cutshort_sandbox::enter(&Needs { folders, ..Needs::default() })?)
}

fn until(duration: Option<SignedDuration>) -> String {
    duration.map_or_else(|| " until Ctrl-C".to_owned(), |duration| format!(" for {duration:#}"))
}

/// Takes what came of a data set.
fn take(batch: Batch<'_>, data_set: DataSet, tracker: &mut Tracker, sink: &mut Sink<'_>) {
    if data_set == DataSet::Origin {
        batch.opened.iter().for_each(|row| take_row(row, tracker, sink));
    } else {
        batch.packets.iter().for_each(|packet| take_record(packet.ts, Some(packet), tracker, sink));
    }
}

/// Takes a row of a connection that this host opens, as the packet or the ICMP error that it was.
fn take_row(row: &Packet, tracker: &mut Tracker, sink: &mut Sink<'_>) {
    match row.unreachable() {
        Some(error) => {
            take_record(row.ts, None, tracker, sink);
            tracker.add_unreachable(&error);
        }
        None => take_record(row.ts, Some(&row.of_row()), tracker, sink),
    }
}

fn take_record(ts: i64, packet: Option<&Packet>, tracker: &mut Tracker, sink: &mut Sink<'_>) {
    sink.summary.input.add_record(ts);
    sink.summary.input.packets += 1;
    if tracker.record(ts, packet) {
        while let Some(window) = tracker.next_closed() {
            sink.window(window);
        }
    }
}

/// Keeps every spell in which connections were left out: of the latest it may be another, or more of it.
fn note_incomplete(all: &mut Vec<Incomplete>, left_out: &LeftOut) {
    let Some(Spell { connections, from, to }) = left_out.latest else { return };
    // Its beginning may move a little, as packets of several processors are out of order.
    all.pop_if(|last| from <= last.to);
    all.push(Incomplete { connections, from, to });
}

fn finish(mut tracker: Tracker, sink: &mut Sink<'_>, receiving: &Receiving) -> Result<Done, Error> {
    let counts = receiving.live.counts();
    // Silence until now was seen, too.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let _ = tracker.record(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX), None);
    let input = &mut sink.summary.input;
    input.late = tracker.late();
    input.records += counts.refused.iter().sum::<u64>();
    input.refused = counts.refused;
    tracker.finish().for_each(|window| sink.window(window));
    sink.end()?;
    Ok(report(counts, &receiving.source, sink.data_set()))
}

/// Says what was not received.
fn report(counts: &LiveCount, source: &LiveSource, data_set: DataSet) -> Done {
    let left_out = format!("chosen connections were left out: {}", LeftOut::help(source));
    let (other, other_help) = match data_set {
        DataSet::Origin => {
            (counts.packets, "packets of clients' connections were left out, because of --origin")
        }
        _ => (
            counts.opened,
            "packets of connections that this host opens were left out ('cutshort rules --origin' logged them): \
             --origin classifies these instead",
        ),
    };
    let lines = [
        ("", counts.lost, "packets were lost: they came faster than they were received"),
        ("at least ", counts.left_out.connections, &left_out),
        ("", other, other_help),
        ("", counts.malformed, "messages from the kernel could not be read"),
    ];
    let mut done = Done::Whole;
    for (least, count, what) in lines.into_iter().filter(|(_, count, _)| *count > 0) {
        message(&format!("{least}{} {what}", grouped(count)));
        done = Done::InPart;
    }
    done
}
