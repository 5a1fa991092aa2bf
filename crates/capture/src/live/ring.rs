//! Blocks of a packet socket's ring (TPACKET_V3; linux/if_packet.h), walked without trust in what
//! their lengths say.

use super::filter::OUTGOING;

/// The block's header up to the place where the number of packets and of the first one stand.
const STATUS: usize = 8;
const COUNT: usize = 12;
const FIRST: usize = 16;
/// Where in a packet's header its kind stands: in the address (`sockaddr_ll`) after the `tpacket3_hdr`.
const KIND: usize = 48 + 10;

/// A packet in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot<'a> {
    /// In nanoseconds since the Unix epoch.
    pub(crate) ts: i64,
    pub(crate) wire_len: u32,
    /// This host sends it.
    pub(crate) outgoing: bool,
    pub(crate) bytes: &'a [u8],
}

/// Where in a block its status stands.
pub(crate) const fn status_offset() -> usize {
    STATUS
}

/// The packets of a block that the kernel has handed over.
pub(crate) fn slots(block: &[u8]) -> impl Iterator<Item = Slot<'_>> {
    let mut left = word(block, COUNT).unwrap_or(0);
    let mut at = word(block, FIRST).unwrap_or(0) as usize;
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let header = block.get(at..)?;
        let slot = slot(header)?;
        // The last one says 0, and is the last anyway.
        let next = word(header, 0)? as usize;
        at = at.checked_add(next)?;
        left = if next == 0 { 0 } else { left };
        Some(slot)
    })
}

/// The packet whose header (`tpacket3_hdr`) is at the beginning.
fn slot(header: &[u8]) -> Option<Slot<'_>> {
    let (seconds, nanoseconds) = (word(header, 4)?, word(header, 8)?);
    let (len, wire_len) = (word(header, 12)? as usize, word(header, 16)?);
    let start = usize::from(u16::from_ne_bytes(*header.get(24..)?.first_chunk()?));
    Some(Slot {
        ts: i64::from(seconds) * 1_000_000_000 + i64::from(nanoseconds),
        wire_len,
        outgoing: header.get(KIND).is_some_and(|kind| u32::from(*kind) == OUTGOING),
        bytes: header.get(start..start.checked_add(len)?)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A block with these packets, as the kernel lays it out.
    fn block(packets: &[&[u8]]) -> Vec<u8> {
        let mut block = vec![0; 48];
        block[COUNT..COUNT + 4].copy_from_slice(&(packets.len() as u32).to_ne_bytes());
        block[FIRST..FIRST + 4].copy_from_slice(&48_u32.to_ne_bytes());
        for (number, packet) in packets.iter().enumerate() {
            let size = (68 + packet.len()).next_multiple_of(16);
            let last = number + 1 == packets.len();
            let len = packet.len() as u32;
            let next = if last { 0 } else { size as u32 };
            let mut header = vec![0; size];
            for (at, value) in [next, 5, number as u32, len, len + 100].into_iter().enumerate() {
                header[at * 4..at * 4 + 4].copy_from_slice(&value.to_ne_bytes());
            }
            header[24..26].copy_from_slice(&68_u16.to_ne_bytes());
            header[KIND] = if last { OUTGOING as u8 } else { 0 };
            header[68..68 + packet.len()].copy_from_slice(packet);
            block.extend(header);
        }
        block
    }

    #[test]
    fn all_packets_of_a_block_are_found() {
        let block = block(&[b"one", b"", b"three"]);
        let found: Vec<_> = slots(&block).collect();
        assert_eq!(found.iter().map(|slot| slot.bytes).collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!((found[2].ts, found[2].wire_len), (5_000_000_002, 105));
        assert_eq!(found.iter().map(|slot| slot.outgoing).collect::<Vec<_>>(), [false, false, true]);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(block in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(slots(&block).all(|slot| slot.bytes.len() <= block.len()));
        }

        /// No loop, whatever the headers say of each other.
        #[test]
        fn damaged_blocks_do_no_harm(at in 0_usize..300, byte: u8) {
            let mut block = block(&[b"one", b"two", b"three"]);
            let len = block.len();
            block[at % len] = byte;
            prop_assert!(slots(&block).take(1_000).count() < 1_000);
        }
    }
}
