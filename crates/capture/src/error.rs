use std::fmt;
use std::io;

use crate::Foreign;

/// Why a capture could not be read, or not to its end.
#[derive(Debug)]
pub enum CaptureError {
    /// The file could not be opened, or reading it failed.
    Io(io::Error),
    /// A directory was given instead of a file.
    Directory,
    /// The file is empty.
    Empty,
    /// It begins like neither pcap nor pcapng.
    NotACapture,
    /// It ends inside its header.
    HeaderCut,
    /// It ends inside a record: it was cut off while it was written or copied.
    Cut {
        /// The number of complete records before the end.
        records: u64,
    },
    /// It is a file of another known kind.
    Foreign(Foreign),
    /// A part of it is not a valid record, or a record contradicts itself. Complete records after it were read as far
    /// as they could be found.
    Damaged {
        /// The number of complete records that were read.
        records: u64,
        /// The position where the damage begins, in bytes of the (uncompressed) capture.
        offset: u64,
        /// The number of damaged places.
        places: u64,
        /// The number of bytes that were skipped.
        unread: u64,
        /// The number of bytes of the capture; `None` if unknown.
        total: Option<u64>,
        /// Whether all skipped bytes are zero.
        zeros: bool,
    },
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Directory => f.write_str("is a directory; give the captures in it, for example with a '*'"),
            Self::Empty => f.write_str("is empty: no capture was written to it"),
            Self::NotACapture => {
                f.write_str("is neither pcap nor pcapng (plain, or compressed with gzip, zstd or xz)")
            }
            Self::HeaderCut => f.write_str("ends within its header: the file is cut off"),
            Self::Cut { records } => {
                write!(f, "ends in the middle of a record: the file is cut off after {records} whole records")
            }
            Self::Foreign(foreign) => write!(f, "{foreign}"),
            Self::Damaged { offset, places, unread, total, zeros, .. } => {
                damaged(f, (*offset, *places), *unread, *total, *zeros)
            }
        }
    }
}

fn damaged(
    f: &mut fmt::Formatter<'_>,
    (offset, places): (u64, u64),
    unread: u64,
    total: Option<u64>,
    zeros: bool,
) -> fmt::Result {
    let Some(total) = total else {
        return write!(f, "is damaged at byte {offset}: nothing after it can be read");
    };
    match places {
        1 if zeros && offset + unread == total => write!(
            f,
            "ends with {unread} zero bytes, from byte {offset} on: they were never written, after a crash for \
             example, and what belongs there is missing"
        ),
        1 => write!(f, "is damaged at byte {offset}: {unread} of {total} bytes were not read"),
        _ => write!(
            f,
            "is damaged in {places} places, the first at byte {offset}: {unread} of {total} bytes were not read"
        ),
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for CaptureError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
