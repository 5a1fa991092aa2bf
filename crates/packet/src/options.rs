//! The TCP options of SYN packets.

use crate::Flags;
use crate::bytes::u16_at;

/// The TCP options of a SYN packet, as far as a row keeps them (docs/spec.md#syn-options). Packets other than SYN packets
/// have [`NONE`](Self::NONE).
///
/// ```
/// use cutshort_packet::{OptionKind, SynOptions};
///
/// // MSS 1460, NOP, window scale 8, and one NOP more.
/// let options = SynOptions::parse(&[2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1]);
/// let kinds = [OptionKind::Mss, OptionKind::Nop, OptionKind::WindowScale, OptionKind::Nop];
/// assert_eq!((options.kinds, options.mss, options.wscale), (OptionKind::list(&kinds), 1460, 8));
/// assert!(options.iter().eq(kinds));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SynOptions {
    /// The kinds of up to 16 options in their order, four bits each ([`OptionKind`]), the first one lowest. All bits are set
    /// if the kinds are not known.
    pub kinds: u64,
    /// The maximum segment size in bytes; 0 where there is none.
    pub mss: u16,
    /// The shift count of the window scale; 255 where there is none.
    pub wscale: u8,
}

/// The kind of a TCP option, as its number in [`SynOptions::kinds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OptionKind {
    /// No operation, kind 1 (RFC 9293, 3.2).
    Nop = 1,
    /// Maximum segment size, kind 2 (RFC 9293, 3.2).
    Mss = 2,
    /// Window scale, kind 3 (RFC 7323, 2).
    WindowScale = 3,
    /// SACK permitted, kind 4 (RFC 2018, 2).
    SackPermitted = 4,
    /// Timestamps, kind 8 (RFC 7323, 3).
    Timestamps = 5,
    /// End of list, kind 0 (RFC 9293, 3.2): nothing is read behind it.
    EndOfList = 6,
    /// Fast Open, kind 34 (RFC 7413, 4.1), and kind 254 with the magic number 0xf989.
    FastOpen = 7,
    /// Multipath TCP, kind 30 (RFC 8684, 3).
    Multipath = 8,
    /// A signature: MD5, kind 19 (RFC 2385), or AO, kind 29 (RFC 5925).
    Signed = 9,
    /// Any other kind; also an option whose length is below 2 or beyond the header, behind which nothing is read.
    Other = 15,
}

impl OptionKind {
    const ALL: [Self; 10] = [
        Self::Nop,
        Self::Mss,
        Self::WindowScale,
        Self::SackPermitted,
        Self::Timestamps,
        Self::EndOfList,
        Self::FastOpen,
        Self::Multipath,
        Self::Signed,
        Self::Other,
    ];

    /// Packs up to 16 kinds, as [`SynOptions::kinds`] has them.
    #[must_use]
    pub const fn list(kinds: &[Self]) -> u64 {
        let (mut list, mut at) = (0, 0);
        while at < kinds.len() && at < SynOptions::MOST {
            list |= (kinds[at] as u64) << (4 * at);
            at += 1;
        }
        list
    }

    /// The kind of an option that has a length.
    fn of(option: &[u8]) -> Self {
        match option[0] {
            2 => Self::Mss,
            3 => Self::WindowScale,
            4 => Self::SackPermitted,
            8 => Self::Timestamps,
            34 => Self::FastOpen,
            254 if u16_at(option, 2) == Some(FAST_OPEN_MAGIC) => Self::FastOpen,
            30 => Self::Multipath,
            19 | 29 => Self::Signed,
            _ => Self::Other,
        }
    }
}

/// What Fast Open had behind the length while its kind was an experimental one (RFC 7413, A.2).
const FAST_OPEN_MAGIC: u16 = 0xf989;

impl SynOptions {
    /// No options: also of packets that are no SYN packets.
    pub const NONE: Self = Self { kinds: 0, mss: 0, wscale: 255 };

    /// Options that nobody knows: the capture has cut them, or the row is of a version that did not keep them.
    pub const UNKNOWN: Self = Self { kinds: u64::MAX, ..Self::NONE };

    /// Returns what is known of a packet with these flags if options were not kept of it.
    #[must_use]
    pub const fn of_earlier(flags: Flags) -> Self {
        if flags.is_syn() { Self::UNKNOWN } else { Self::NONE }
    }

    /// The maximum number of kinds that are kept.
    pub const MOST: usize = 16;

    /// Reads the options of a TCP header, all of whose bytes are given.
    #[must_use]
    pub fn parse(options: &[u8]) -> Self {
        let (mut parsed, mut count, mut rest) = (Self::NONE, 0, options);
        while let Some(&first) = rest.first() {
            let (kind, length) = match first {
                0 => (OptionKind::EndOfList, rest.len()),
                1 => (OptionKind::Nop, 1),
                _ => match rest.get(1).map(|length| usize::from(*length)) {
                    Some(length) if (2..=rest.len()).contains(&length) => {
                        (OptionKind::of(&rest[..length]), length)
                    }
                    _ => (OptionKind::Other, rest.len()),
                },
            };
            let (option, behind) = rest.split_at(length);
            parsed.take(kind, option, count);
            (count, rest) = (count + 1, behind);
        }
        parsed
    }

    /// Takes an option, before which so many came. Of a value that comes twice the last one holds, as for receivers.
    fn take(&mut self, kind: OptionKind, option: &[u8], before: usize) {
        if before < Self::MOST {
            self.kinds |= (kind as u64) << (4 * before);
        }
        match (kind, option) {
            (OptionKind::Mss, [_, _, high, low]) => self.mss = u16::from_be_bytes([*high, *low]),
            (OptionKind::WindowScale, [_, _, shift]) => self.wscale = *shift,
            _ => {}
        }
    }

    /// Returns true if the kinds are known.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.kinds != Self::UNKNOWN.kinds
    }

    /// Returns the kinds in their order; none if they are not known.
    pub fn iter(&self) -> impl Iterator<Item = OptionKind> + use<> {
        let kinds = if self.is_known() { self.kinds } else { 0 };
        let numbers = (0..Self::MOST).map(move |at| (kinds >> (4 * at) & 15) as u8);
        numbers.map_while(|number| OptionKind::ALL.into_iter().find(|kind| *kind as u8 == number))
    }
}

impl Default for SynOptions {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(options: &[u8]) -> Vec<OptionKind> {
        SynOptions::parse(options).iter().collect()
    }

    #[test]
    fn each_kind_has_its_number() {
        use OptionKind::*;
        let options: [(&[u8], OptionKind, u64); 15] = [
            (&[1], Nop, 1),
            (&[2, 4, 5, 180], Mss, 2),
            (&[3, 3, 7], WindowScale, 3),
            (&[4, 2], SackPermitted, 4),
            (&[8, 10, 0, 0, 0, 1, 0, 0, 0, 0], Timestamps, 5),
            (&[0], EndOfList, 6),
            (&[34, 2], FastOpen, 7),
            (&[254, 4, 0xf9, 0x89], FastOpen, 7),
            (&[30, 4, 0, 0], Multipath, 8),
            (&[19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Signed, 9),
            (&[29, 4, 1, 2], Signed, 9),
            (&[254, 4, 0xf9, 0x88], Other, 15),
            (&[254, 2], Other, 15),
            (&[253, 4, 0xf9, 0x89], Other, 15),
            (&[5, 10, 0, 0, 0, 1, 0, 0, 0, 2], Other, 15),
        ];
        for (bytes, kind, number) in options {
            assert_eq!(SynOptions::parse(bytes).kinds, number, "{bytes:?}");
            assert_eq!(kinds(bytes), [kind]);
            // Between others.
            let between = [&[1][..], bytes, &[1]].concat();
            let behind = if kind == EndOfList { 0 } else { 1 << 8 };
            assert_eq!(SynOptions::parse(&between).kinds, 1 | number << 4 | behind, "{bytes:?}");
        }
    }

    #[test]
    fn nothing_is_read_behind_the_end_of_the_list() {
        let options = SynOptions::parse(&[1, 0, 2, 4, 5, 180, 0, 0]);
        assert_eq!(options, SynOptions { kinds: 0x61, ..SynOptions::NONE });
    }

    #[test]
    fn a_wrong_length_is_another_kind_and_the_end() {
        // Below 2, beyond the header, and cut off by its end.
        for bad in [&[2, 0, 1, 1][..], &[2, 1, 1, 1], &[2, 5, 1, 1], &[8, 255, 1, 1], &[2], &[3]] {
            let options = [&[4, 2][..], bad].concat();
            assert_eq!(
                SynOptions::parse(&options),
                SynOptions { kinds: 0xf4, ..SynOptions::NONE },
                "{bad:?}"
            );
        }
        // A length that is possible, but not of this kind.
        assert_eq!(SynOptions::parse(&[2, 3, 9, 3, 2, 1]), SynOptions { kinds: 0x132, ..SynOptions::NONE });
    }

    #[test]
    fn sixteen_kinds_are_kept_and_values_are_read_behind_them() {
        let options = [&[1; 17][..], &[2, 4, 2, 0, 3, 3, 14, 2, 4, 4, 0]].concat();
        let parsed = SynOptions::parse(&options);
        assert_eq!(parsed, SynOptions { kinds: 0x1111_1111_1111_1111, mss: 1024, wscale: 14 });
        assert_eq!(parsed.iter().count(), 16);
        assert_eq!(SynOptions::parse(&[]), SynOptions::NONE);
        assert_eq!(SynOptions::UNKNOWN.iter().count(), 0);
    }
}
