//! The workload of the benches: one window of simulated packets, as values and as a capture.

use cutshort_packet::Packet;
use cutshort_simulate::{PcapngWriter, Simulation, WINDOW_NS, World};

/// Connections a second.
const RATE: f64 = 500.0;

/// The packets of one window, in the order of time.
#[must_use]
pub fn packets() -> Vec<Packet> {
    let from = 2_000_000 * WINDOW_NS;
    let simulation = Simulation::new(World::standard(), from, from + WINDOW_NS, RATE, 1).whole_connections();
    simulation.packets().collect()
}

/// The packets as a pcapng with 128 bytes of each.
///
/// # Panics
/// Never: memory takes all writes.
#[must_use]
pub fn capture(packets: &[Packet]) -> Vec<u8> {
    let mut writer = PcapngWriter::new(Vec::new(), 128).expect("memory takes all writes");
    packets.iter().for_each(|packet| writer.write(packet).expect("memory takes all writes"));
    writer.into_inner().expect("memory takes all writes")
}
