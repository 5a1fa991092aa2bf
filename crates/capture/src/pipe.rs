//! Reading on another thread: for sources that wait (pipes) or work (decompression).

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::Reading;

const CHUNK: usize = 256 << 10;
const CHUNKS: usize = 4;
/// How long a stop may go unnoticed.
const PATIENCE: Duration = Duration::from_millis(50);

/// What `source` yields, read ahead by a thread of its own. Ends early when `reading` is
/// stopped; the thread ends with its next read.
pub(crate) fn reader<R: Read + Send + 'static>(source: R, reading: &Reading) -> impl Read + Send + use<R> {
    let (sender, chunks) = sync_channel(CHUNKS);
    thread::spawn(move || send_all(source, &sender));
    Pipe { chunks, chunk: Cursor::default(), reading: reading.clone() }
}

fn send_all(mut source: impl Read, chunks: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let result = source.read(&mut chunk).map(|read| {
            chunk.truncate(read);
            chunk
        });
        let end = !matches!(&result, Ok(chunk) if !chunk.is_empty());
        let interrupted = matches!(&result, Err(error) if error.kind() == io::ErrorKind::Interrupted);
        if !interrupted && (chunks.send(result).is_err() || end) {
            return;
        }
    }
}

struct Pipe {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Cursor<Vec<u8>>,
    reading: Reading,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.position() as usize == self.chunk.get_ref().len() {
            match self.next_chunk() {
                Some(chunk) => self.chunk = Cursor::new(chunk?),
                None => return Ok(0),
            }
        }
        self.chunk.read(buffer)
    }
}

impl Pipe {
    fn next_chunk(&self) -> Option<io::Result<Vec<u8>>> {
        while !self.reading.is_stopped() {
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => return Some(chunk),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }
}
