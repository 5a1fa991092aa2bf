//! Packets that the kernel gave no time: those that this host sends, as rules for the origin side
//! log them. They are given the time of being received, but that may be later than the kernel's
//! time of the answer, and a reset must not seem to come before the SYN that it answers.

use cutshort_packet::Packet;

/// How long an answer may take to be received, in nanoseconds: longer than the kernel gathers.
const PATIENCE: i64 = 300_000_000;

/// Packets that wait for their answers.
#[derive(Default)]
pub(super) struct Unstamped(Vec<Packet>);

impl Unstamped {
    pub(super) fn hold(&mut self, packet: Packet) {
        self.0.push(packet);
    }

    /// Puts what waits for this packet not later than it.
    pub(super) fn answered_by(&mut self, answer: &Packet) {
        if self.0.is_empty() {
            return;
        }
        let asked = answer.five_tuple.reversed();
        for packet in self.0.iter_mut().filter(|packet| packet.five_tuple == asked) {
            packet.ts = packet.ts.min(answer.ts);
        }
    }

    /// Gives what has waited long enough, or all.
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
    use cutshort_packet::{FiveTuple, Flags};

    use super::*;

    #[test]
    fn answers_are_not_before_what_they_answer() {
        let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 1, [203, 0, 113, 5].into(), 443);
        let packet = |ts, five_tuple| Packet {
            ts,
            five_tuple,
            ip_id: 1,
            ttl: 64,
            flags: Flags::SYN,
            seq: 0,
            ack: 0,
            window: 0,
            options_len: 0,
            payload_len: 0,
            sample_rate: 1,
        };
        let mut unstamped = Unstamped::default();
        unstamped.hold(packet(100, five_tuple));
        unstamped.answered_by(&packet(90, five_tuple));
        unstamped.answered_by(&packet(95, five_tuple.reversed()));
        unstamped.answered_by(&packet(99, five_tuple.reversed()));
        let mut given = Vec::new();
        unstamped.release(200, false, |packet| given.push(packet.ts));
        assert_eq!(given, []);
        unstamped.release(95 + PATIENCE, false, |packet| given.push(packet.ts));
        assert_eq!(given, [95]);
        unstamped.hold(packet(100, five_tuple));
        unstamped.release(101, true, |packet| given.push(packet.ts));
        assert_eq!(given, [95, 100]);
    }
}
