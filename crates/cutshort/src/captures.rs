//! Reading captures: what `classify` and `import` have in common.

use cutshort_capture::{Captures, Drops, Reading, Record};
use cutshort_packet::{Packet, Unreachable};
use cutshort_report::{Dropped, InputCount};

use crate::error::Done;
use crate::terminal::message;

/// Where a capture has no summary to say it in.
pub(crate) const SIMULATED: &str = "the capture is SIMULATED: nothing in it is real";

/// Counts a record and gives its packet if it is one.
#[inline(always)]
pub(crate) fn parse(record: Record<'_>, input: &mut InputCount) -> Option<Packet> {
    input.add_record(record.frame.ts);
    let link = record.link.map_err(|number| input.add_unknown_link(number)).ok()?;
    match Packet::parse(link, record.frame) {
        Ok(packet) => {
            input.packets += 1;
            Some(packet)
        }
        Err(refusal) => {
            input.add_refused(link, record.frame, refusal);
            None
        }
    }
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

/// Says what could not be read.
pub(crate) fn report_problems(captures: &Captures, reading: &Reading) -> Done {
    captures.problems().iter().for_each(message);
    if captures.without_time() > 0 {
        let count = captures.without_time();
        message(&format!(
            "{count} records carry no time (pcapng simple packet blocks): taken as of the one before"
        ));
    }
    let whole = captures.problems().is_empty() && !reading.is_stopped();
    if whole { Done::Whole } else { Done::InPart }
}

/// What the captures themselves say was lost.
pub(crate) fn dropped(captures: &Captures) -> Dropped {
    let Drops { received, interface, system, between } = *captures.drops();
    Dropped { received, interface, system, between }
}

/// Whether one of the captures says that it is simulated.
pub(crate) fn is_simulated(captures: &Captures) -> bool {
    captures.applications().iter().any(|name| name == cutshort_simulate::APPLICATION)
}
