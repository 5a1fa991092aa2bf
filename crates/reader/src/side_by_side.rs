//! Reads captures in one thread, and classifies what was read in another.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use cutshort_capture::{Captures, Record, Visitor};
use cutshort_packet::{Frame, LinkType, Packet, Refusal, Unreachable};
use cutshort_report::InputCount;
use cutshort_verdict::{DataSet, Tracker};

use crate::captures::add_record;
use crate::classifier::Sink;

/// The number of packets, or of other records, that are handed over together.
const LENGTH: usize = 2_048;
/// How many such chunks may wait for the other thread.
const WAITING: usize = 4;

/// Records in reading order.
#[derive(Default)]
struct Chunk {
    packets: Vec<Packet>,
    /// Other records, each with the number of packets before it.
    others: Vec<(usize, OtherRecord)>,
}

enum OtherRecord {
    /// One without a usable packet, at a time.
    Unused(i64),
    Unreachable(Unreachable),
}

impl Chunk {
    const fn is_full(&self) -> bool {
        self.packets.len() >= LENGTH || self.others.len() >= LENGTH
    }

    const fn len(&self) -> usize {
        self.packets.len() + self.others.len()
    }

    fn clear(&mut self) {
        self.packets.clear();
        self.others.clear();
    }

    /// Parses a frame and keeps its packet, and of the data set `origin` its ICMP error.
    #[inline(always)]
    fn parse(&mut self, data_set: DataSet, link: LinkType, frame: Frame<'_>) -> Result<(), Refusal> {
        self.packets.push(Packet::ZERO);
        let Some(packet) = self.packets.last_mut() else { return Ok(()) };
        let parsed = packet.parse_in_place(link, frame);
        if let Err(refusal) = parsed {
            self.packets.pop();
            if data_set == DataSet::Origin && refusal == Refusal::NotTcp {
                let found = Unreachable::parse(link, frame).map(OtherRecord::Unreachable);
                self.others.extend(found.map(|found| (self.packets.len(), found)));
            }
        }
        parsed
    }

    /// Passes the records to a tracker, and the windows that they close to a sink.
    fn classify(&self, tracker: &mut Tracker, sink: &mut Sink<'_>) -> io::Result<()> {
        let mut others = self.others.iter().peekable();
        for at in 0..=self.packets.len() {
            while let Some((_, other)) = others.next_if(|(before, _)| *before == at) {
                let closes = match other {
                    OtherRecord::Unused(ts) => tracker.record(*ts, None),
                    OtherRecord::Unreachable(error) => {
                        let closes = tracker.record(error.ts, None);
                        tracker.add_unreachable(error);
                        closes
                    }
                };
                if closes {
                    sink.closed(tracker)?;
                }
            }
            if let Some(packet) = self.packets.get(at)
                && tracker.record(packet.ts, Some(packet))
            {
                sink.closed(tracker)?;
            }
        }
        Ok(())
    }
}

/// Takes records until a chunk is full.
struct Filling<'a> {
    chunk: &'a mut Chunk,
    input: &'a mut InputCount,
    data_set: DataSet,
}

impl Visitor for Filling<'_> {
    #[inline(always)]
    fn record(&mut self, record: Record<'_>) -> bool {
        let (ts, before) = (record.frame.ts, self.chunk.len());
        add_record(record, self.input, |link, frame| self.chunk.parse(self.data_set, link, frame));
        if self.chunk.len() == before {
            self.chunk.others.push((self.chunk.packets.len(), OtherRecord::Unused(ts)));
        }
        !self.chunk.is_full()
    }
}

/// Reads captures to their end, or until the output fails. `input` counts the records.
///
/// # Errors
/// An error of the output.
pub(crate) fn read(
    captures: &mut Captures,
    (tracker, sink): (&mut Tracker, &mut Sink<'_>),
    input: &mut InputCount,
    mut tick: impl FnMut(u64),
) -> io::Result<()> {
    let data_set = sink.data_set();
    let (full, to_classify) = sync_channel(WAITING);
    let (used, empty) = channel();
    std::thread::scope(|scope| {
        let classifying = scope.spawn(move || classify(tracker, sink, &to_classify, &used));
        let mut chunk = Chunk::default();
        loop {
            let more = captures.show(&mut Filling { chunk: &mut chunk, input, data_set });
            if chunk.is_full() || !more {
                tick(input.records);
                let next = empty.try_recv().unwrap_or_default();
                // The other thread ends early only if the output fails.
                if full.send(std::mem::replace(&mut chunk, next)).is_err() || !more {
                    break;
                }
            }
        }
        drop(full);
        classifying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn classify(
    tracker: &mut Tracker,
    sink: &mut Sink<'_>,
    chunks: &Receiver<Chunk>,
    used: &Sender<Chunk>,
) -> io::Result<()> {
    for mut chunk in chunks {
        chunk.classify(tracker, sink)?;
        chunk.clear();
        // At the end nobody needs it.
        let _ = used.send(chunk);
    }
    Ok(())
}
