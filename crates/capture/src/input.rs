use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::CaptureError;
use crate::pipe;

/// The progress of reading, and a request to stop; shared between threads.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    bytes: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Reading {
    /// The number of bytes read from files and streams, before decompression.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Stops reading at the next record, as if the input ended there. Inputs that wait for data stop waiting.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    #[inline]
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A stream of bytes that may be a capture.
pub struct Input {
    reader: Box<dyn Read + Send>,
    pub(crate) regular: bool,
}

impl Input {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// [`CaptureError`] if it cannot be opened or is a directory.
    pub fn open(path: &Path, reading: &Reading) -> Result<Self, CaptureError> {
        let file = File::open(path)?;
        let kind = file.metadata()?.file_type();
        if kind.is_dir() {
            return Err(CaptureError::Directory);
        }
        Ok(Self::new(file, kind.is_file(), reading))
    }

    /// The standard input.
    #[must_use]
    pub fn stdin(reading: &Reading) -> Self {
        Self::new(io::stdin(), false, reading)
    }

    fn new(reader: impl Read + Send + 'static, regular: bool, reading: &Reading) -> Self {
        let counted = CountedReader { reader, bytes: Arc::clone(&reading.bytes) };
        // A read of a pipe may wait for ever; only another thread can wait for it.
        let reader: Box<dyn Read + Send> =
            if regular { Box::new(counted) } else { Box::new(pipe::reader(counted, reading)) };
        Self { reader, regular }
    }

    /// The bytes of the capture, decompressed if they begin like gzip, zstd or xz.
    pub(crate) fn decompressed(mut self, reading: &Reading) -> Result<Box<dyn Read + Send>, CaptureError> {
        const GZIP: &[u8] = &[0x1f, 0x8b];
        const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
        const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
        let mut head = Vec::new();
        self.reader.by_ref().take(XZ.len() as u64).read_to_end(&mut head)?;
        if head.is_empty() {
            return Err(CaptureError::Empty);
        }
        let magic = head.clone();
        let whole = io::Cursor::new(head).chain(self.reader);
        Ok(match magic {
            magic if magic.starts_with(GZIP) => {
                Box::new(pipe::reader(flate2::read::MultiGzDecoder::new(whole), reading))
            }
            magic if magic.starts_with(ZSTD) => Box::new(pipe::reader(zstd::Decoder::new(whole)?, reading)),
            magic if magic.starts_with(XZ) => {
                Box::new(pipe::reader(liblzma::read::XzDecoder::new_multi_decoder(whole), reading))
            }
            _ => Box::new(whole),
        })
    }
}

struct CountedReader<R> {
    reader: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for CountedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
