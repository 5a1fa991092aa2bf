//! Datagrams of the data set `quic`, from frames.

use cutshort_capture::Record;
use cutshort_initials::Opener;
use cutshort_packet::quic::{Datagram, Found, HashKey, Kinds, ServerPorts};
use cutshort_packet::{Frame, Inner, LinkType, Refusal};
use cutshort_report::InputCount;

use crate::captures::add_record_of;

/// Reads datagrams, and opens their Initial packets if that is wanted.
pub(crate) struct Datagrams {
    ports: ServerPorts,
    key: HashKey,
    opener: Option<Opener>,
}

impl Datagrams {
    /// The key is secret wherever hashes are kept.
    pub(crate) fn new(ports: ServerPorts, key: HashKey, open_initials: bool) -> Self {
        Self { ports, key, opener: open_initials.then(Opener::default) }
    }

    /// Counts a record, and gives its datagram to `each`, or the two rows of its ICMP error.
    pub(crate) fn add_record(
        &mut self,
        record: Record<'_>,
        input: &mut InputCount,
        each: impl FnMut(&Datagram),
    ) {
        let (ports, mut each) = (self.ports, each);
        let inner = |link, frame| Inner::of_datagram(link, frame, &ports).or_else(|| Inner::of(link, frame));
        input.of_quic = true;
        let (mut is_cut, mut is_icmp) = (false, false);
        add_record_of(record, input, inner, |link, frame| {
            self.read(link, frame, |row| {
                is_cut |= row.kinds.intersects(Kinds::CUT);
                is_icmp |= row.is_icmp();
                each(row);
            })
        });
        input.cut_datagrams += u64::from(is_cut);
        input.icmp_errors += u64::from(is_icmp);
    }

    /// Counts a record, and returns its datagram, or the two rows of its ICMP error.
    pub(crate) fn rows(&mut self, record: Record<'_>, input: &mut InputCount) -> [Option<Datagram>; 2] {
        let (mut rows, mut taken) = ([None; 2], 0);
        self.add_record(record, input, |row| {
            if let Some(free) = rows.get_mut(taken) {
                *free = Some(*row);
            }
            taken += 1;
        });
        rows
    }

    fn read(
        &mut self,
        link: LinkType,
        frame: Frame<'_>,
        mut each: impl FnMut(&Datagram),
    ) -> Result<(), Refusal> {
        match Found::parse(link, frame, &self.ports)? {
            Found::Udp(udp) => {
                let mut row = udp.row(&self.key);
                if let Some(opener) = &mut self.opener {
                    opener.open(&udp, &mut row);
                }
                each(&row);
            }
            Found::Icmp(rows) => rows.iter().for_each(each),
        }
        Ok(())
    }
}
