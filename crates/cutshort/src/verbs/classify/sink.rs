//! Takes the connections of closed windows, and counts or writes those that were asked for.

use std::io;

use clap::Args;
use cutshort_geo::{Geo, Place};
use cutshort_model::JudgedConnection;
use cutshort_packet::FiveTuple;
use cutshort_pipeline::reader_clock;
use cutshort_report::connection::{self, Writer};
use cutshort_report::{Filter, InputCount, Selection, Summary};
use cutshort_verdict::{ClosedWindow, DataSet, Exclusion, Outcome, Row, Verdict};
use ipnet::IpNet;

use crate::error::Error;
use crate::options::Ends;
use crate::output::Output;

/// The connections that are wanted.
#[derive(Args)]
pub(crate) struct Selected {
    /// Only connections with KEY=VALUE[,VALUE...] or KEY!=...; may be repeated
    ///
    /// Keys: stage, termination, tag, signature (number or name), location (client's country),
    /// asn (client's network), port (server's), prefix (client's, CIDR). With --origin, location and asn
    /// are the server's.
    #[arg(long, value_name = "KEY=VALUE")]
    filter: Vec<Filter>,
    #[command(flatten)]
    pub(super) ends: Ends,
}

impl Selected {
    /// The filters, if the data set has their terms.
    fn filters(&self, data_set: DataSet) -> Result<Vec<Filter>, Error> {
        let of = |filter: &Filter| Filter::of(&filter.to_string(), data_set);
        self.filter.iter().map(of).collect::<Result<_, _>>().map_err(|why| Error::Usage(why.to_string()))
    }

    /// What was asked for, in words.
    fn describe(&self) -> Option<String> {
        let any = |items: Vec<String>, what: &str| {
            (!items.is_empty()).then(|| format!("{what} {}", items.join(" or ")))
        };
        let texts = |nets: &[IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>();
        let Ends { server_net, server_port, client_net, ignore_src } = &self.ends;
        let ports = server_port.iter().map(ToString::to_string).collect();
        let servers = any(texts(server_net), "server in").into_iter().chain(any(ports, "server port"));
        let clients = any(texts(client_net), "client in").into_iter();
        let clients = clients.chain(any(texts(ignore_src), "client not in"));
        let all: Vec<String> =
            servers.chain(clients).chain(self.filter.iter().map(ToString::to_string)).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// Takes connections and counts or writes them.
pub(super) struct Sink<'a> {
    geo: &'a Geo,
    data_set: DataSet,
    filters: Vec<Filter>,
    selection: Selection,
    pub(super) summary: Summary,
    writer: Option<Box<dyn Writer + 'a>>,
    pub(super) needs_rows: bool,
    failed: Option<io::Error>,
    /// Of the data set `origin`: windows that wait until it is known that both directions were captured
    /// (docs/origin.md#one-direction).
    held: Vec<ClosedWindow>,
    has_received: bool,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        selected: &Selected,
        data_set: DataSet,
        format: Option<connection::Format>,
        geo: &'a Geo,
        output: &'a mut Output,
    ) -> Result<Self, Error> {
        let mut summary = Summary::of(data_set, selected.describe());
        summary.input = InputCount::read_at(reader_clock());
        Ok(Self {
            geo,
            data_set,
            filters: selected.filters(data_set)?,
            selection: selected.ends.selection(),
            summary,
            writer: format.map(|format| format.writer_of(output, data_set, false)).transpose()?,
            needs_rows: format.is_some_and(connection::Format::needs_rows),
            failed: None,
            held: Vec::new(),
            has_received: data_set != DataSet::Origin,
        })
    }

    pub(super) const fn data_set(&self) -> DataSet {
        self.data_set
    }

    /// Takes a window.
    pub(super) fn window(&mut self, window: ClosedWindow) {
        self.has_received |= window.received() > 0;
        self.held.push(window);
        if self.has_received {
            self.take_held();
        }
    }

    fn take_held(&mut self) {
        std::mem::take(&mut self.held).iter().for_each(|window| self.take(window));
    }

    fn take(&mut self, window: &ClosedWindow) {
        let data_set = self.data_set;
        let mut places =
            self.geo.places(window.five_tuples().map(|five_tuple| data_set.other_end(&five_tuple)));
        let (mut latest, mut place) = (None, Place::default());
        let rows = window.for_each(|five_tuple, outcome, rows| {
            // The connections of a 5-tuple follow each other.
            if latest != Some(*five_tuple) {
                latest = Some(*five_tuple);
                place = places.next().unwrap_or_default();
            }
            self.outcome(five_tuple, place, outcome, rows);
        });
        self.summary.input.add_rows(rows);
    }

    fn outcome(&mut self, five_tuple: &FiveTuple, place: Place, outcome: &Outcome, rows: &[Row]) {
        // Nobody knows who opened what has no SYN packet.
        let is_either = self.data_set == DataSet::Origin && *outcome == Err(Exclusion::NoSyn);
        if !(self.selection.has(five_tuple) || is_either && self.selection.has(&five_tuple.reversed())) {
            return self.summary.add_not_meant();
        }
        match outcome {
            Ok(verdict) => self.verdict(five_tuple, place, verdict, rows),
            Err(exclusion) => self.summary.add_excluded(*exclusion),
        }
    }

    fn verdict(&mut self, five_tuple: &FiveTuple, place: Place, verdict: &Verdict, rows: &[Row]) {
        let mut connection = JudgedConnection {
            five_tuple,
            addresses: cutshort_model::Addresses::Full,
            verdict,
            node: "",
            place,
            as_name: None,
        };
        if !self.filters.iter().all(|filter| filter.matches(&connection)) {
            return self.summary.add_not_selected();
        }
        self.summary.add(&connection);
        if let Some(writer) = &mut self.writer {
            connection.as_name = as_name(self.geo, place);
            if self.failed.is_none() {
                self.failed = writer.write(&connection, rows).err();
            }
        }
    }

    /// Stops at the first error of the output.
    pub(super) fn check(&mut self) -> Result<(), Error> {
        self.failed.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Takes the windows that wait, at the end of the input.
    pub(super) fn end(&mut self) -> Result<(), Error> {
        self.summary.one_direction = self.held.iter().any(|window| window.sent_acks() > 0);
        if self.summary.one_direction {
            for window in std::mem::take(&mut self.held) {
                self.summary.input.add_rows(window.for_each(|_, _, _| ()));
            }
        }
        self.take_held();
        self.check()
    }

    pub(super) fn finish(mut self, simulated: bool, interrupted: bool) -> Result<Summary, Error> {
        if let Some(writer) = self.writer {
            writer.finish()?;
        }
        self.summary.simulated = simulated;
        self.summary.interrupted = interrupted;
        Ok(self.summary)
    }
}

fn as_name(geo: &Geo, place: Place) -> Option<&str> {
    geo.as_name(place.asn?)
}
