//! Opens the Initial packets of datagrams.

use cutshort_packet::quic::{Datagram, Kinds, Opened, Udp, Version, Whole};

use crate::frames::Seen;
use crate::keys::ClientKeys;
use crate::recent::{Id, RecentIds};

/// Opens the Initial packets of clients, in the order in which their datagrams arrive.
///
/// ```
/// use cutshort_initials::Opener;
/// use cutshort_packet::quic::{Found, HashKey, Opened, ServerPorts};
/// use cutshort_packet::{Frame, LinkType};
///
/// // An Initial packet of random bytes.
/// let mut bytes = vec![0x45, 0, 0, 88, 0, 1, 0, 0, 57, 17, 0, 0, 198, 51, 100, 7, 203, 0, 113, 5];
/// bytes.extend([0x9c, 0xb0, 0x01, 0xbb, 0, 68, 0, 0]);
/// bytes.extend([0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 42]);
/// bytes.resize(88, 0xa5);
/// let frame = Frame { ts: 0, wire_len: 88, bytes: &bytes };
/// let Found::Udp(udp) = Found::parse(LinkType::Raw, frame, &ServerPorts::default())? else { panic!("UDP") };
///
/// let mut row = udp.row(&HashKey::new([0; 16]));
/// assert_eq!(row.opened, Opened::No);
/// Opener::default().open(&udp, &mut row);
/// assert_eq!(row.opened, Opened::Failed);
/// # Ok::<(), cutshort_packet::Refusal>(())
/// ```
#[derive(Default)]
pub struct Opener {
    recent: RecentIds,
    /// One packet: zeros but while it is looked at.
    buffer: Vec<u8>,
}

/// What looks at a datagram, and fills in its row.
type Open = dyn FnMut(&Udp<'_>, &mut Datagram) + Send;

/// Returns what opens the Initial packets of datagrams one after the other: [`Opener::open`] of an opener of its own.
#[must_use]
pub fn opener() -> Box<Open> {
    let mut opener = Opener::default();
    Box::new(move |udp, row| opener.open(udp, row))
}

impl Opener {
    /// Tries to open the Initial packets of a datagram, and puts what was seen into its row: [`Datagram::opened`],
    /// [`Datagram::frames`] and [`Datagram::close_code`]. Their destination ids are remembered for two minutes.
    pub fn open(&mut self, udp: &Udp<'_>, row: &mut Datagram) {
        for part in udp.parts().filter(|part| part.kinds.intersects(Kinds::INITIAL)) {
            let (Some(header), Some(version)) = (part.header, Version::from_number(part.version)) else {
                continue;
            };
            let Some(id) = Id::of(header.dcid) else { continue };
            if let Some(whole) = header.whole {
                let (opened, seen) = self.tried(udp, version, &id, whole);
                if row.opened == Opened::No {
                    row.opened = opened;
                }
                row.frames |= seen.frames;
                row.close_code = row.close_code.or(seen.close_code);
            }
            self.recent.remember(udp.five_tuple, id, udp.ts);
        }
    }

    /// Tries a packet with its own id and then with earlier ones.
    fn tried(&mut self, udp: &Udp<'_>, version: Version, own: &Id, whole: Whole<'_>) -> (Opened, Seen) {
        if let Some(seen) = self.seen(version, own, whole) {
            return (Opened::OwnId, seen);
        }
        let mut others = self.recent.others(&udp.five_tuple, own, udp.ts);
        let seen = others.find_map(|id| self.seen(version, &id, whole));
        seen.map_or((Opened::Failed, Seen::default()), |seen| (Opened::EarlierId, seen))
    }

    /// What is kept of a packet, if these are its keys. Afterwards the buffer has no plaintext.
    fn seen(&mut self, version: Version, id: &Id, whole: Whole<'_>) -> Option<Seen> {
        let keys = ClientKeys::of(version, id.bytes())?;
        // It grows while it has zeros only: nothing else is left where it was.
        self.buffer.resize(whole.bytes.len(), 0);
        self.buffer.copy_from_slice(whole.bytes);
        let frames = keys.open(&mut self.buffer, whole.number_at);
        let seen = frames.and_then(|frames| self.buffer.get(frames)).map(Seen::of);
        self.buffer.fill(0);
        seen
    }
}

#[cfg(test)]
mod tests {
    use cutshort_packet::FiveTuple;
    use cutshort_packet::quic::{Frames, HashKey};

    use super::*;
    use crate::keys::tests::initial;

    fn udp(ts: i64, captured: &[u8]) -> Udp<'_> {
        let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
        Udp { ts, five_tuple, ip_id: 0, ttl: 64, len: captured.len() as u16, captured }
    }

    fn opened(opener: &mut Opener, ts: i64, datagram: &[u8]) -> Datagram {
        let udp = udp(ts, datagram);
        let mut row = udp.row(&HashKey::new([0; 16]));
        opener.open(&udp, &mut row);
        assert!(opener.buffer.iter().all(|byte| *byte == 0), "the plaintext is overwritten");
        row
    }

    const ACK: [u8; 20] = [0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const CLOSE: [u8; 20] = [0x1c, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    #[test]
    fn a_client_keeps_its_first_keys_when_it_takes_over_the_server_s_id() {
        let mut opener = Opener::default();
        let first = opened(&mut opener, 0, &initial(b"chosen by client", b"chosen by client", &[1; 20]));
        assert_eq!((first.opened, first.frames, first.close_code), (Opened::OwnId, Frames::default(), None));
        let later = opened(&mut opener, 9, &initial(b"chosen by client", b"of the server", &ACK));
        assert_eq!((later.opened, later.frames, later.close_code), (Opened::EarlierId, Frames::ACK, None));
        let unknown = opened(&mut opener, 9, &initial(b"never seen", b"of the server", &CLOSE));
        assert_eq!(
            (unknown.opened, unknown.frames, unknown.close_code),
            (Opened::Failed, Frames::default(), None)
        );
        let too_late =
            opened(&mut opener, 121_000_000_000, &initial(b"chosen by client", b"of the server", &ACK));
        assert_eq!(too_late.opened, Opened::Failed);
    }

    #[test]
    fn all_packets_of_a_datagram_are_opened_and_the_first_says_how() {
        let own = initial(b"one", b"one", &ACK);
        let other = initial(b"one", b"two", &CLOSE);
        let row = opened(&mut Opener::default(), 0, &[&own[..], &other].concat());
        assert_eq!(
            (row.opened, row.frames, row.close_code),
            (Opened::OwnId, Frames::ACK | Frames::CLOSE, Some(7))
        );
        let row = opened(&mut Opener::default(), 0, &[&other[..], &own].concat());
        assert_eq!((row.opened, row.frames, row.close_code), (Opened::Failed, Frames::ACK, None));
    }

    #[test]
    fn only_whole_packets_are_tried() {
        let datagram = initial(b"one", b"one", &CLOSE);
        let cut = Udp { len: datagram.len() as u16, ..udp(0, &datagram[..datagram.len() - 1]) };
        let mut row = cut.row(&HashKey::new([0; 16]));
        let mut opener = Opener::default();
        opener.open(&cut, &mut row);
        assert_eq!(row.opened, Opened::No);
        let later = opened(&mut opener, 1, &initial(b"one", b"two", &ACK));
        assert_eq!(later.opened, Opened::EarlierId, "its id was seen");
    }
}
