//! Capture files of simulated packets.
use crate::{COMMENT, frame};
use cutshort_packet::Packet;
use cutshort_packet::quic::Udp;
use std::io::{self, Write};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const ETHERNET: u16 = 1;
/// What a file of simulated packets names as the program that wrote it.
pub const APPLICATION: &str = "cutshort simulate";

/// Writes packets as Ethernet frames into a pcapng file that says that it is simulated. Writes often
/// and little: give it a buffered writer.
#[derive(Debug)]
pub struct PcapngWriter<W: Write> {
    out: W,
    snaplen: u32,
    frame: Vec<u8>,
    block: Vec<u8>,
}

impl<W: Write> PcapngWriter<W> {
    /// A file of frames of at most `snaplen` bytes; 0 is no limit. Headers are written at once.
    pub fn new(out: W, snaplen: u32) -> io::Result<Self> {
        let mut writer = Self { out, snaplen, frame: Vec::new(), block: Vec::new() };
        writer.section()?;
        writer.interface()?;
        Ok(writer)
    }

    fn section(&mut self) -> io::Result<()> {
        self.block.extend(0x1a2b_3c4d_u32.to_le_bytes());
        self.block.extend([1, 0, 0, 0]);
        // The section's length is not known.
        self.block.extend([0xff; 8]);
        self.option(1, COMMENT.as_bytes());
        self.option(4, APPLICATION.as_bytes());
        self.option(0, &[]);
        self.finish(SECTION_HEADER)
    }

    fn interface(&mut self) -> io::Result<()> {
        self.block.extend(ETHERNET.to_le_bytes());
        self.block.extend([0, 0]);
        self.block.extend(self.snaplen.to_le_bytes());
        self.option(2, b"simulated0");
        // if_tsresol: nanoseconds.
        self.option(9, &[9]);
        self.option(0, &[]);
        self.finish(INTERFACE)
    }

    /// Writes one packet. Times before 1970 become 1970.
    pub fn write(&mut self, packet: &Packet) -> io::Result<()> {
        let length = frame::write(packet, self.snaplen(), &mut self.frame);
        self.frame(packet.ts, length)
    }

    /// Writes one UDP datagram, as [`write`](Self::write) does.
    pub fn write_udp(&mut self, udp: &Udp<'_>) -> io::Result<()> {
        let length = frame::write_udp(udp, self.snaplen(), &mut self.frame);
        self.frame(udp.ts, length)
    }

    const fn snaplen(&self) -> usize {
        if self.snaplen == 0 { usize::MAX } else { self.snaplen as usize }
    }

    /// Writes the frame, which had this length on the wire.
    fn frame(&mut self, ts: i64, length: usize) -> io::Result<()> {
        let ts = ts.max(0) as u64;
        let head = [0, (ts >> 32) as u32, ts as u32, self.frame.len() as u32, length as u32];
        head.iter().for_each(|field| self.block.extend(field.to_le_bytes()));
        self.block.extend(&self.frame);
        self.pad();
        self.finish(ENHANCED_PACKET)
    }

    /// Flushes and returns the writer.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.block.extend(code.to_le_bytes());
        self.block.extend((value.len() as u16).to_le_bytes());
        self.block.extend(value);
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }

    /// Writes the body collected so far as a block.
    fn finish(&mut self, kind: u32) -> io::Result<()> {
        let length = (self.block.len() as u32 + 12).to_le_bytes();
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&length)?;
        self.out.write_all(&self.block)?;
        self.block.clear();
        self.out.write_all(&length)
    }
}
