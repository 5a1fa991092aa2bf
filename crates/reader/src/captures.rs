//! Records of captures, counted as they are read.

use cutshort_capture::{Captures, Drops, Record};
use cutshort_packet::{Frame, Inner, LinkType, Packet, Refusal, Unreachable};
use cutshort_report::{Dropped, InputCount};

/// The note about a capture that says that it is simulated.
pub const SIMULATED: &str = "the capture is SIMULATED: nothing in it is real";

/// Counts a record, and has `parse` take its packet if it is one, or the one inside labels, tags and tunnels.
#[inline(always)]
pub(crate) fn add_record<T>(
    record: Record<'_>,
    input: &mut InputCount,
    parse: impl FnMut(LinkType, Frame<'_>) -> Result<T, Refusal>,
) -> Option<T> {
    add_record_of(record, input, Inner::of, parse)
}

/// The same for packets of any protocol, which `inner` finds inside labels, tags and tunnels.
#[inline(always)]
pub(crate) fn add_record_of<'a, T>(
    record: Record<'a>,
    input: &mut InputCount,
    inner: impl FnOnce(LinkType, Frame<'a>) -> Option<Inner<'a>>,
    mut parse: impl FnMut(LinkType, Frame<'_>) -> Result<T, Refusal>,
) -> Option<T> {
    input.add_record(record.frame.ts);
    let link = record.link.map_err(|number| input.add_unknown_link(number)).ok()?;
    match parse(link, record.frame) {
        Ok(packet) => {
            input.packets += 1;
            Some(packet)
        }
        Err(Refusal::Encapsulated) if !input.outer_only => {
            let inner = inner(link, record.frame);
            unwrapped((link, record.frame), inner, input, parse)
        }
        Err(refusal) => {
            input.add_refused(link, record.frame, refusal);
            None
        }
    }
}

#[cold]
fn unwrapped<T>(
    outer: (LinkType, Frame<'_>),
    inner: Option<Inner<'_>>,
    input: &mut InputCount,
    mut parse: impl FnMut(LinkType, Frame<'_>) -> Result<T, Refusal>,
) -> Option<T> {
    match inner.map(|inner| (parse(inner.link, inner.frame), inner)) {
        Some((Ok(taken), inner)) => {
            input.packets += 1;
            input.add_unwrapped(inner.tunnels());
            return Some(taken);
        }
        // It was read, and is something else.
        Some((Err(Refusal::NotQuic), inner)) => {
            input.add_refused(inner.link, inner.frame, Refusal::NotQuic);
        }
        _ => input.add_refused(outer.0, outer.1, Refusal::Encapsulated),
    }
    None
}

/// Counts a record and returns its packet, if it is one.
pub(crate) fn parse(record: Record<'_>, input: &mut InputCount) -> Option<Packet> {
    add_record(record, input, Packet::parse)
}

/// The same with the packet's ICMP error if it quotes a SYN packet, as the data set `origin` needs it.
pub(crate) fn parse_both(
    record: Record<'_>,
    input: &mut InputCount,
) -> (Option<Packet>, Option<Unreachable>) {
    let (link, frame) = (record.link, record.frame);
    let packet = parse(record, input);
    let error = || Unreachable::parse(link.ok()?, frame);
    (packet, if packet.is_none() { error() } else { None })
}

/// What could not be read of captures, and records without a time, one sentence each.
#[must_use]
pub fn problems(captures: &Captures) -> Vec<String> {
    let mut problems: Vec<String> = captures.problems().iter().map(ToString::to_string).collect();
    if captures.without_time() > 0 {
        let count = captures.without_time();
        problems.push(format!(
            "{count} records carry no time (pcapng simple packet blocks): taken as of the one before"
        ));
    }
    problems
}

/// Whether any of several captures could be read at all.
#[must_use]
pub fn is_readable(captures: &Captures, files: usize) -> bool {
    captures.problems().iter().filter(|problem| problem.is_unreadable()).count() < files
}

/// The lost packets that the captures report.
pub(crate) fn dropped(captures: &Captures) -> Dropped {
    let Drops { received, interface, system, between } = *captures.drops();
    Dropped { received, interface, system, between }
}

/// Whether one of the captures is marked as simulated.
#[must_use]
pub fn is_simulated(captures: &Captures) -> bool {
    captures.applications().iter().any(|name| name == cutshort_simulate::APPLICATION)
}
