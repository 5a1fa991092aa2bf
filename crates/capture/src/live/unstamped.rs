//! Packets that the kernel gave no time: those that leave this host, such as a server's RSTs. They are
//! given the time of being received, but that may be later than the kernel's time of what came
//! after them: an answer, or the SYN of the next connection on the same ports.

use cutshort_packet::Packet;

/// How long an answer may take to be received, in nanoseconds: longer than the kernel gathers packets.
pub(super) const PATIENCE: i64 = 300_000_000;

/// Packets that wait for their answers.
#[derive(Default)]
pub(super) struct Unstamped(Vec<Packet>);

impl Unstamped {
    pub(super) fn hold(&mut self, packet: Packet) {
        self.0.push(packet);
    }

    /// Puts what waits for this packet not later than it, and before it if that begins a connection:
    /// what has the time of a SYN packet belongs to its connection.
    pub(super) fn answered_by(&mut self, answer: &Packet) {
        if self.0.is_empty() {
            return;
        }
        let latest = answer.ts.saturating_sub(i64::from(answer.flags.is_syn()));
        let asked = answer.five_tuple.reversed();
        for packet in self.0.iter_mut().filter(|packet| packet.five_tuple == asked) {
            packet.ts = packet.ts.min(latest);
        }
    }

    /// Returns the packets that have waited long enough, or all.
    pub(super) fn release(&mut self, now: i64, all: bool, mut give: impl FnMut(Packet)) {
        self.0.retain(|packet| {
            // A clock that was set back must not hold them for ever.
            let wait = !all && (0..PATIENCE).contains(&now.saturating_sub(packet.ts));
            if !wait {
                give(*packet);
            }
            wait
        });
    }
}

#[cfg(test)]
mod tests {
    use cutshort_packet::Flags;

    use super::*;
    use crate::live::sampler::tests::packet;

    /// What the packet's receiver sends.
    fn back(packet: Packet) -> Packet {
        Packet { five_tuple: packet.five_tuple.reversed(), ..packet }
    }

    #[test]
    fn answers_are_not_before_what_they_answer() {
        let mut unstamped = Unstamped::default();
        unstamped.hold(packet(100, 1, Flags::SYN));
        unstamped.answered_by(&packet(90, 1, Flags::SYN));
        unstamped.answered_by(&back(packet(95, 1, Flags::RST)));
        unstamped.answered_by(&back(packet(99, 1, Flags::RST)));
        let mut given = Vec::new();
        unstamped.release(200, false, |packet| given.push(packet.ts));
        assert_eq!(given, []);
        unstamped.release(95 + PATIENCE, false, |packet| given.push(packet.ts));
        assert_eq!(given, [95]);
        unstamped.hold(packet(100, 1, Flags::SYN));
        unstamped.release(101, true, |packet| given.push(packet.ts));
        assert_eq!(given, [95, 100]);
    }

    /// A client uses its port again before the server's RST is received.
    #[test]
    fn a_reset_is_before_the_next_connection() {
        let mut unstamped = Unstamped::default();
        unstamped.hold(back(packet(100, 1, Flags::RST)));
        unstamped.answered_by(&packet(95, 1, Flags::SYN));
        let mut given = Vec::new();
        unstamped.release(101, true, |packet| given.push(packet.ts));
        assert_eq!(given, [94]);
    }
}
