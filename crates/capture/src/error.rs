use std::fmt;
use std::io;

/// Why a capture could not be read, or not to its end.
#[derive(Debug)]
pub enum CaptureError {
    /// The file could not be opened, or reading it failed.
    Io(io::Error),
    /// A directory was given instead of a file.
    Directory,
    /// There is not a single byte.
    Empty,
    /// It begins like neither pcap nor pcapng.
    NotACapture,
    /// It ends inside its header.
    HeaderCut,
    /// It ends inside a record: cut off while it was written or copied.
    Cut {
        /// Whole records before.
        records: u64,
    },
    /// A record contradicts itself; what follows cannot be found.
    Damaged {
        /// Whole records before.
        records: u64,
        /// Where the record begins, in bytes of the (uncompressed) capture.
        offset: u64,
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
            Self::Damaged { records, offset } => write!(
                f,
                "is damaged at byte {offset}, after {records} whole records: what follows was not read"
            ),
        }
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
