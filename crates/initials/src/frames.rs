//! The frames of Initial packets (RFC 9000, 19; docs/quic.md#frames).

use cutshort_packet::quic::{Frames, varint};

/// What is kept of the frames of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) frames: Frames,
    /// The error code of the first CONNECTION_CLOSE.
    pub(crate) close_code: Option<u64>,
}

impl Seen {
    /// Walks frames by their lengths, to the first that is not one of an Initial packet or not whole.
    pub(crate) fn of(mut plaintext: &[u8]) -> Self {
        let mut seen = Self::default();
        while let Some((kind, rest)) = plaintext.split_first() {
            let Some(rest) = seen.frame(*kind, rest) else { break };
            plaintext = rest;
        }
        seen
    }

    /// Takes the frame of this type, and returns what follows it.
    fn frame<'a>(&mut self, kind: u8, rest: &'a [u8]) -> Option<&'a [u8]> {
        const PADDING: u8 = 0x00;
        const PING: u8 = 0x01;
        const ACK: u8 = 0x02;
        const ACK_ECN: u8 = 0x03;
        const CRYPTO: u8 = 0x06;
        const CONNECTION_CLOSE: u8 = 0x1c;
        match kind {
            PADDING | PING => Some(rest),
            ACK | ACK_ECN => {
                let rest = behind_ack(rest, kind == ACK_ECN)?;
                self.frames |= Frames::ACK;
                Some(rest)
            }
            CRYPTO => behind_bytes(behind_numbers(rest, 1)?),
            CONNECTION_CLOSE => {
                let (code, rest) = varint(rest)?;
                // The type of the frame that was wrong, and the reason phrase.
                let rest = behind_bytes(behind_numbers(rest, 1)?)?;
                self.frames |= Frames::CLOSE;
                self.close_code = self.close_code.or(Some(code));
                Some(rest)
            }
            _ => None,
        }
    }
}

/// Largest acknowledged, delay, number of ranges, first range; then a gap and a length for each range; and three counts of
/// ECN.
fn behind_ack(rest: &[u8], has_ecn: bool) -> Option<&[u8]> {
    let (ranges, rest) = varint(behind_numbers(rest, 2)?)?;
    let rest = behind_numbers(rest, 1)?;
    let rest = behind_numbers(rest, ranges.checked_mul(2)?)?;
    behind_numbers(rest, if has_ecn { 3 } else { 0 })
}

fn behind_numbers(mut rest: &[u8], count: u64) -> Option<&[u8]> {
    for _ in 0..count {
        (_, rest) = varint(rest)?;
    }
    Some(rest)
}

/// What follows a length and so many bytes.
fn behind_bytes(rest: &[u8]) -> Option<&[u8]> {
    let (len, rest) = varint(rest)?;
    rest.get(usize::try_from(len).ok()?..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACK: [u8; 5] = [0x02, 7, 0x40, 25, 0];
    const CLOSE: [u8; 6] = [0x1c, 0x41, 0x2a, 6, 1, b'x'];

    fn seen(frames: &[&[u8]]) -> (u8, Option<u64>) {
        // The number of ranges, and the first, are part of the ACK.
        let seen = Seen::of(&frames.concat());
        (seen.frames.bits(), seen.close_code)
    }

    #[test]
    fn acknowledgements_and_closes_are_seen_behind_others() {
        let ack = [&ACK[..], &[3]].concat();
        assert_eq!(seen(&[]), (0, None));
        assert_eq!(seen(&[&ack]), (1, None));
        assert_eq!(seen(&[&CLOSE]), (2, Some(0x12a)));
        let crypto = [&[0x06, 0, 3][..], &[0x1c; 3]].concat();
        assert_eq!(seen(&[&[0, 1, 0], &crypto, &ack, &[1], &CLOSE, &[0; 9]]), (3, Some(0x12a)));
        assert_eq!(seen(&[&CLOSE, &[0x1c, 2, 0, 0]]), (2, Some(0x12a)), "of the first");
    }

    #[test]
    fn ranges_and_counts_belong_to_an_acknowledgement() {
        // Two ranges; the bytes of ranges and counts would be frames.
        let ranges = [0x02, 7, 1, 2, 0, 0x1c, 0x1c, 0x1c, 0x1c];
        let counts = [0x03, 7, 1, 0, 0, 0x1c, 0x1c, 0x1c];
        assert_eq!(seen(&[&ranges, &CLOSE]), (3, Some(0x12a)));
        assert_eq!(seen(&[&counts, &CLOSE]), (3, Some(0x12a)));
        for frame in [&ranges[..], &counts] {
            (1..frame.len()).for_each(|len| assert_eq!(seen(&[&frame[..len]]), (0, None), "{len} bytes"));
        }
        let endless = [&[0x02, 7, 1][..], &[0xff; 8], &[0; 30]].concat();
        assert_eq!(seen(&[&endless]), (0, None));
    }

    #[test]
    fn other_frames_and_longer_types_end_the_walk() {
        for kind in (0..=255_u8).filter(|kind| ![0, 1, 2, 3, 6, 0x1c].contains(kind)) {
            assert_eq!(seen(&[&[kind], &CLOSE]), (0, None), "{kind:#x}");
        }
        assert_eq!(seen(&[&[0x40, 0x1c], &CLOSE[1..]]), (0, None));
        assert_eq!(seen(&[&CLOSE, &[0x1d], &[0x02, 0, 0, 0, 0]]), (2, Some(0x12a)), "what was read counts");
    }

    #[test]
    fn a_frame_beyond_the_plaintext_does_not_count() {
        (1..CLOSE.len()).for_each(|len| assert_eq!(seen(&[&CLOSE[..len]]), (0, None), "{len} bytes"));
        let beyond = [0x06, 0, 0x80, 0xff, 0xff, 0xff, 0];
        assert_eq!(seen(&[&CLOSE, &beyond]), (2, Some(0x12a)));
    }
}
