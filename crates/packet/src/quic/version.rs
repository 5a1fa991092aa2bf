//! The versions of QUIC whose packets can be named.

/// A version of QUIC whose packet types are known (docs/quic.md#versions): of any other, the type bits mean nothing.
///
/// ```
/// use cutshort_packet::quic::Version;
///
/// let names: Vec<&str> = Version::ALL.iter().map(|version| version.name()).collect();
/// assert_eq!(names, ["1", "2", "draft-29", "draft-30", "draft-31", "draft-32", "draft-33", "draft-34"]);
/// assert_eq!(Version::from_number(0x6b33_43cf), Some(Version::V2));
/// assert_eq!(Version::from_number(0x1a1a_1a1a), None, "reserved (RFC 9000, 15)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
#[non_exhaustive]
pub enum Version {
    /// RFC 9000.
    V1 = 1,
    /// RFC 9369, which gives the packet types other numbers.
    V2 = 0x6b33_43cf,
    /// draft-ietf-quic-transport-29; its keys of Initial packets differ from those of RFC 9001.
    Draft29 = 0xff00_001d,
    /// As draft 29.
    Draft30 = 0xff00_001e,
    /// As draft 29.
    Draft31 = 0xff00_001f,
    /// As draft 29.
    Draft32 = 0xff00_0020,
    /// From here on with the keys of RFC 9001.
    Draft33 = 0xff00_0021,
    /// As draft 33.
    Draft34 = 0xff00_0022,
}

impl Version {
    /// All of them: those of RFCs first.
    pub const ALL: [Self; 8] = [
        Self::V1,
        Self::V2,
        Self::Draft29,
        Self::Draft30,
        Self::Draft31,
        Self::Draft32,
        Self::Draft33,
        Self::Draft34,
    ];

    /// Finds a version by its number on the wire; `None` if it is not known.
    #[must_use]
    #[inline]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::V1,
            0x6b33_43cf => Self::V2,
            0xff00_001d => Self::Draft29,
            0xff00_001e => Self::Draft30,
            0xff00_001f => Self::Draft31,
            0xff00_0020 => Self::Draft32,
            0xff00_0021 => Self::Draft33,
            0xff00_0022 => Self::Draft34,
            _ => return None,
        })
    }

    /// Returns the number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Returns the name: `1`, `2`, `draft-29`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "1",
            Self::V2 => "2",
            Self::Draft29 => "draft-29",
            Self::Draft30 => "draft-30",
            Self::Draft31 => "draft-31",
            Self::Draft32 => "draft-32",
            Self::Draft33 => "draft-33",
            Self::Draft34 => "draft-34",
        }
    }

    /// Returns true for a version that was a draft of version 1.
    #[must_use]
    pub const fn is_draft(self) -> bool {
        !matches!(self, Self::V1 | Self::V2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_by_their_numbers_and_no_others() {
        for version in Version::ALL {
            assert_eq!(Version::from_number(version.number()), Some(version));
        }
        for number in [0, 3, 0xff00_001c, 0xff00_0023, 0x6b33_43d0, u32::MAX] {
            assert_eq!(Version::from_number(number), None, "{number:#x}");
        }
    }
}
