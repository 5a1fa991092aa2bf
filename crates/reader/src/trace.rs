//! One connection, packet by packet.

use cutshort_capture::Captures;
use cutshort_packet::{FiveTuple, Packet, Unreachable};
use cutshort_pipeline::reader_clock;
use cutshort_report::InputCount;
use cutshort_verdict::{ClosedWindow, DataSet, FlowContext, Row, Rules, Trace, Tracker, quic};

use crate::captures::{dropped, parse};
use crate::classifier::NO_SECRET;
use crate::datagrams::Datagrams;

/// The connections of a 5-tuple in captures, and what else was read.
pub struct Traced {
    /// All records that were read.
    pub input: InputCount,
    windows: Vec<ClosedWindow>,
    five_tuple: FiveTuple,
    rules: Rules,
    /// The SYN packets of the 5-tuple, with what rows do not keep; of many that repeat each other only the first.
    syns: Vec<Packet>,
}

impl Traced {
    /// Reads captures to their end, or until reading is stopped. `tick` gets the number of records read so far, again
    /// and again.
    ///
    /// Packets inside tunnels are left alone if `outer_only` says so. In the data set `quic`, Initial packets are opened if
    /// `open_initials` says so.
    ///
    /// Only the packets of the 5-tuple and of its other direction are kept, but the times of all records count.
    pub fn read(
        captures: &mut Captures,
        rules: Rules,
        five_tuple: FiveTuple,
        outer_only: bool,
        open_initials: bool,
        mut tick: impl FnMut(u64),
    ) -> Self {
        let mut input = InputCount::read_at(reader_clock());
        input.outer_only = outer_only;
        let mut tracker = Tracker::new(rules).read_at(reader_clock()).keep_rows();
        let mut datagrams = (rules.data_set == DataSet::Quic)
            .then(|| Datagrams::new(rules.server_ports, NO_SECRET, open_initials));
        let (mut windows, mut syns) = (Vec::new(), Vec::new());
        let both = [five_tuple, five_tuple.reversed()];
        while let Some(record) = captures.record() {
            let packet = match &datagrams {
                Some(_) => None,
                None => parse(record, &mut input).filter(|packet| both.contains(&packet.five_tuple)),
            };
            if let Some(syn) = packet.filter(|packet| packet.is_syn() && packet.five_tuple == five_tuple) {
                keep(&mut syns, syn, &rules);
            }
            if tracker.record(record.frame.ts, packet.as_ref()) {
                windows.extend(std::iter::from_fn(|| tracker.next_closed()));
            }
            if let Some(datagrams) = &mut datagrams {
                datagrams.add_record(record, &mut input, |row| {
                    if both.contains(&row.five_tuple) {
                        tracker.add_datagram(row);
                    }
                });
            }
            if rules.data_set == DataSet::Origin && packet.is_none() {
                let error = record.link.ok().and_then(|link| Unreachable::parse(link, record.frame));
                let error = error.filter(|error| both.contains(&error.five_tuple));
                error.iter().for_each(|error| tracker.add_unreachable(error));
            }
            captures.advance();
            tick(input.records);
        }
        input.late = tracker.late();
        input.dropped = dropped(captures);
        windows.extend(tracker.finish());
        Self { input, windows, five_tuple, rules, syns }
    }

    /// The same of the data set `quic`: one a window.
    #[must_use]
    pub fn quic_traces(&self) -> Vec<quic::Trace> {
        self.windows.iter().filter_map(|window| window.quic_trace(&self.five_tuple)).collect()
    }

    /// The connections in all windows, in order of time.
    #[must_use]
    pub fn traces(&self) -> Vec<Trace> {
        let of = |window: &ClosedWindow| {
            let Some((rows, other_rsts)) = window.rows(&self.five_tuple) else { return Vec::new() };
            Trace::of(rows, &self.rules, &FlowContext { cutoff: window.cutoff(), other_rsts: &other_rsts })
        };
        self.windows.iter().flat_map(of).collect()
    }

    /// The SYN packet that counts of a connection.
    #[must_use]
    pub fn syn(&self, trace: &Trace) -> Option<&Packet> {
        let row = trace.syn()?;
        self.syns.iter().find(|syn| Row::from(*syn) == *row)
    }

    /// Why there are none.
    #[must_use]
    pub fn not_found(&self) -> String {
        let (five_tuple, reversed) = (self.five_tuple, self.five_tuple.reversed());
        let is_there = |window: &ClosedWindow| {
            window.rows(&reversed).is_some() || window.quic_trace(&reversed).is_some()
        };
        if self.windows.iter().any(is_there) {
            format!("{five_tuple} is not in the capture, but its other direction is: try '{reversed}'")
        } else {
            format!("{five_tuple} is not in the capture")
        }
    }
}

/// Keeps a SYN packet, unless as many as count have the same sequence number.
fn keep(syns: &mut Vec<Packet>, syn: Packet, rules: &Rules) {
    let same = syns.iter().rev().take_while(|before| before.seq == syn.seq).count();
    if same < rules.row_limit() as usize {
        syns.push(syn);
    }
}
