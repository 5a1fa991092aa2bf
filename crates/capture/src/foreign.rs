//! Files that are often mistaken for captures.

use std::fmt;

/// A kind of file that cannot be read, and the tool that converts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    name: &'static str,
    remedy: &'static str,
}

const EDITCAP: &str = "convert it with 'editcap -F pcap IN OUT'";

/// Detected by bytes at fixed positions.
const KINDS: [(usize, &[u8], Foreign); 26] = [
    kind(b"snoop\0\0\0", "a Solaris snoop capture", EDITCAP),
    kind(b"btsnoop\0", "a Bluetooth snoop capture", "it holds no TCP connections of a network"),
    kind(b"RTSS", "a Microsoft Network Monitor 1 capture", EDITCAP),
    kind(b"GMBU", "a Microsoft Network Monitor 2 capture", EDITCAP),
    kind(&[0x1c, 0, 1, 0xac], "an IXIA hardware capture", EDITCAP),
    kind(&[0xac, 1, 0, 0x1c], "an IXIA hardware capture", EDITCAP),
    kind(&[0x1c, 0, 1, 0xab], "an IXIA software capture", EDITCAP),
    kind(&[0xab, 1, 0, 0x1c], "an IXIA software capture", EDITCAP),
    kind(b"TRSNIFF data    \x1a", "a Sniffer capture", EDITCAP),
    kind(b"XCP\0", "a NetXRay capture", EDITCAP),
    kind(b"iptrace ", "an AIX iptrace capture", EDITCAP),
    kind(b"\x7fver", "an OmniPeek capture", EDITCAP),
    kind(b"PK\x03\x04", "a zip archive", "take the captures out with 'unzip'"),
    kind(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "take the captures out with '7z x'"),
    kind(b"Rar!\x1a\x07", "a RAR archive", "take the captures out with 'unrar x'"),
    (257, b"ustar", Foreign { name: "a tar archive", remedy: "take the captures out with 'tar xf'" }),
    kind(b"BZh", "compressed with bzip2", "'bzip2 -dc FILE | cutshort classify -' reads it"),
    kind(&[4, 0x22, 0x4d, 0x18], "compressed with lz4", "'lz4 -dc FILE | cutshort classify -' reads it"),
    kind(&[2, 0x21, 0x4c, 0x18], "compressed with lz4", "'lz4 -dc FILE | cutshort classify -' reads it"),
    kind(&[0xff, 6, 0, 0, b's', b'N', b'a', b'P'], "compressed with snappy", "decompress it first"),
    kind(b"LZIP", "compressed with lzip", "'lzip -dc FILE | cutshort classify -' reads it"),
    kind(&[0x1f, 0x9d], "compressed with compress", "'gzip -dc FILE | cutshort classify -' reads it"),
    kind(&[0x1f, 0x8b], "compressed twice", "decompress it once"),
    kind(&[0x28, 0xb5, 0x2f, 0xfd], "compressed twice", "decompress it once"),
    kind(&[0xfd, b'7', b'z', b'X', b'Z', 0], "compressed twice", "decompress it once"),
    kind(b"PAR1", "a Parquet file", "a cutshort store reads its own segments: 'cutshort query --data DIR'"),
];

const fn kind(
    magic: &'static [u8],
    name: &'static str,
    remedy: &'static str,
) -> (usize, &'static [u8], Foreign) {
    (0, magic, Foreign { name, remedy })
}

impl Foreign {
    /// The number of bytes that are needed for detection.
    pub(crate) const ENOUGH: usize = 512;
    const ERF: Self = Self { name: "an Endace ERF capture", remedy: EDITCAP };
    const ETL: Self = Self { name: "a Windows event trace", remedy: "convert it with 'etl2pcapng IN OUT'" };

    /// The kind of file that begins with `bytes`.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let is =
            |(at, magic, _): &&(usize, &[u8], Self)| bytes.get(*at..).is_some_and(|at| at.starts_with(magic));
        let known = KINDS.iter().find(is).map(|(_, _, kind)| *kind);
        known.or_else(|| is_erf(bytes).then_some(Self::ERF)).or_else(|| is_etl(bytes).then_some(Self::ETL))
    }
}

/// ERF has no header: records with a time in 2^-32 s, a type, and their length.
fn is_erf(bytes: &[u8]) -> bool {
    const HEADER: usize = 16;
    const YEARS: std::ops::Range<u32> = 631_152_000..4_102_444_800;
    let (mut rest, mut records, mut before) = (bytes, 0, None);
    while let Some(header) = rest.first_chunk::<HEADER>() {
        let seconds = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        let len = usize::from(u16::from_be_bytes([header[10], header[11]]));
        let is_close = before.is_none_or(|before| seconds.abs_diff(before) < 86_400);
        if !YEARS.contains(&seconds) || !matches!(header[8] & 0x7f, 1..=48) || len < HEADER || !is_close {
            return false;
        }
        (records, before) = (records + 1, Some(seconds));
        rest = rest.get(len..).unwrap_or_default();
    }
    records >= 2
}

/// An event trace begins with a buffer whose size its first event repeats: a header `WMI_BUFFER_HEADER` (72 bytes),
/// then the trace's own (`TRACE_LOGFILE_HEADER`).
fn is_etl(bytes: &[u8]) -> bool {
    let size = bytes.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    let used = bytes.get(4..).and_then(<[u8]>::first_chunk).map_or(0, |used| u32::from_le_bytes(*used));
    let marker = bytes.get(74..76);
    size.is_power_of_two()
        && (4096..=16 << 20).contains(&size)
        && used <= size
        && marker == Some(&[2, 0xc0][..])
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is {}; {}", self.name, self.remedy)
    }
}
