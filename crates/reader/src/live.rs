//! Packets as they arrive.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use cutshort_capture::rules;
use cutshort_capture::{Batch, LeftOut, Live, LiveError, LiveSettings, LiveSource, Reading, Spell};
use cutshort_model::grouped;
use cutshort_packet::Packet;
use cutshort_packet::quic::{Datagram, Kinds};
use cutshort_report::Incomplete;
use cutshort_verdict::DataSet;

use crate::classifier::{Classified, Classifier};

/// After so long without a packet, the reason is worth a line.
const SILENCE: Duration = Duration::from_secs(5);

/// A live source that was opened.
pub struct LiveInput {
    source: LiveSource,
    live: Live,
    /// Why nothing may come, by what was loaded then; afterwards that cannot be seen any more.
    silence: String,
    /// What was classified.
    data_set: DataSet,
}

/// Why receiving ends early.
#[derive(Debug)]
pub enum ReceiveError {
    /// Nothing can be received from the source, or no longer.
    Source(LiveSource, LiveError),
    /// The output fails.
    Output(io::Error),
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source, error) => write!(f, "{source}: {error}"),
            Self::Output(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ReceiveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Source(_, error) => Some(error),
            Self::Output(error) => Some(error),
        }
    }
}

impl From<io::Error> for ReceiveError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl LiveInput {
    /// Opens a source, which may need privileges. Afterwards nothing needs them any more.
    ///
    /// # Errors
    /// [`ReceiveError::Source`].
    pub fn open(
        source: LiveSource,
        settings: &LiveSettings,
        reading: &Reading,
    ) -> Result<Self, ReceiveError> {
        match Live::open(&source, settings, reading) {
            Ok(live) => Ok(Self { silence: silence(&source), source, live, data_set: DataSet::Tcp }),
            Err(error) => Err(ReceiveError::Source(source, error)),
        }
    }

    /// The source that was opened.
    #[must_use]
    pub const fn source(&self) -> &LiveSource {
        &self.source
    }

    /// Receives and classifies until reading is stopped, or for a time. `say` gets the reason why nothing may come,
    /// if nothing does for some seconds.
    ///
    /// # Errors
    /// Both kinds.
    pub fn classify<'a>(
        &mut self,
        mut classifier: Classifier<'a>,
        duration: Option<Duration>,
        reading: &Reading,
        say: impl Fn(&str),
    ) -> Result<Classified<'a>, ReceiveError> {
        self.data_set = classifier.sink.data_set();
        let begin = Instant::now();
        let end = duration.map(|duration| begin + duration);
        let mut incomplete = Vec::new();
        let mut is_silent = true;
        let mut is_said = false;
        loop {
            let batch = match self.live.next_batch() {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(error) => return Err(ReceiveError::Source(self.source.clone(), error)),
            };
            classifier.take(batch);
            let is_empty = batch.is_empty();
            let counts = self.live.counts();
            is_silent &= is_empty && counts.left_out.connections == 0;
            note_incomplete(&mut incomplete, &counts.left_out);
            if is_silent && !is_said && begin.elapsed() >= SILENCE {
                say(&self.silence);
                is_said = true;
            }
            classifier.sink.check()?;
            if end.is_some_and(|end| Instant::now() >= end) {
                reading.stop();
            }
        }
        if is_silent && !is_said {
            say(&self.silence);
        }
        classifier.sink.summary.input.incomplete = incomplete;
        let counts = self.live.counts();
        // Silence until now was seen, too.
        let _ = classifier.tracker.record(cutshort_model::now(), None);
        let input = &mut classifier.sink.summary.input;
        input.records += counts.refused.iter().sum::<u64>();
        input.refused = counts.refused;
        Ok(classifier.end()?)
    }

    /// What was not received, one sentence each.
    #[must_use]
    pub fn losses(&self) -> Vec<String> {
        let counts = self.live.counts();
        let left_out = format!("chosen connections were left out: {}", LeftOut::help(&self.source));
        let of_others = |own: DataSet, count: u64| if own == self.data_set { 0 } else { count };
        let of_clients = match self.data_set {
            DataSet::Quic => "packets of clients' TCP connections were left out, because of --quic",
            _ => "packets of clients' connections were left out, because of --origin",
        };
        let lines = [
            ("", counts.lost, "packets were lost: they came faster than they were received"),
            ("at least ", counts.left_out.connections, &left_out),
            ("", of_others(DataSet::Tcp, counts.packets), of_clients),
            (
                "",
                of_others(DataSet::Origin, counts.opened),
                "packets of connections that this host opens were left out ('cutshort rules --origin' logged them): \
                 --origin classifies these instead",
            ),
            (
                "",
                of_others(DataSet::Quic, counts.datagrams),
                "datagrams of QUIC connections were left out ('cutshort rules --quic' logged them): --quic classifies \
                 these instead",
            ),
            ("", counts.malformed, "messages from the kernel could not be read"),
        ];
        let some = lines.into_iter().filter(|(_, count, _)| *count > 0);
        some.map(|(least, count, what)| format!("{least}{} {what}", grouped(count))).collect()
    }
}

impl Classifier<'_> {
    /// Takes what came of its data set.
    fn take(&mut self, batch: Batch<'_>) {
        match self.sink.data_set() {
            DataSet::Origin => batch.opened.iter().for_each(|row| self.row(row)),
            DataSet::Quic => batch.datagrams.iter().for_each(|row| self.datagram(row)),
            _ => batch.packets.iter().for_each(|packet| self.record(packet.ts, Some(packet))),
        }
    }

    /// Takes a row of a QUIC connection.
    fn datagram(&mut self, row: &Datagram) {
        self.record(row.ts, None);
        let input = &mut self.sink.summary.input;
        input.of_quic = true;
        input.cut_datagrams += u64::from(row.kinds.intersects(Kinds::CUT));
        input.icmp_errors += u64::from(row.is_icmp());
        self.tracker.add_datagram(row);
    }

    /// Takes a row of a connection that this host opens, as the packet or the ICMP error that it was.
    fn row(&mut self, row: &Packet) {
        match row.unreachable() {
            Some(error) => {
                self.record(row.ts, None);
                self.tracker.add_unreachable(&error);
            }
            None => self.record(row.ts, Some(&row.of_row())),
        }
    }

    fn record(&mut self, ts: i64, packet: Option<&Packet>) {
        let Self { tracker, sink, .. } = self;
        sink.summary.input.add_record(ts);
        sink.summary.input.packets += 1;
        if tracker.record(ts, packet) {
            while let Some(window) = tracker.next_closed() {
                sink.window(window);
            }
        }
    }
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
        LiveSource::AfPacket(interface) | LiveSource::Ebpf(interface) => {
            format!(
                "nothing has come from {source}: no packets to the ports that are sampled came in by {interface} \
                 ('tcpdump -ni {interface}' shows what comes in)"
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

/// Keeps every spell in which connections were left out: of the latest it may be another, or more of it.
fn note_incomplete(all: &mut Vec<Incomplete>, left_out: &LeftOut) {
    let Some(Spell { connections, from, to }) = left_out.latest else { return };
    // Its beginning may move a little, as packets of several processors are out of order.
    all.pop_if(|last| from <= last.to);
    all.push(Incomplete { connections, from, to });
}
