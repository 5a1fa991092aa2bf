//! Sampling: which connections are selected, with the same decision as the rules in the kernel.

use cutshort_packet::{FiveTuple, Packet};

/// Whether the connection that this SYN begins is one of 1 in `rate`: the decision of `jhash ... mod RATE seed SEED
/// == 0` in the nft rules. With the same seed, the same connections are selected.
///
/// The initial sequence number is part of the key, so that repeats of a SYN have the same decision while a later
/// connection on the same ports gets its own.
pub(crate) fn is_chosen(packet: &Packet, rate: u32, seed: u32) -> bool {
    let mut key = HashInput::of(&packet.five_tuple);
    key.push(packet.seq.to_be_bytes());
    key.is_chosen(rate, seed)
}

/// The same of a QUIC connection, by its first datagram: the decision of `jhash ... . meta day mod RATE seed SEED == 0`.
///
/// The day of the week is part of the key, so that addresses and ports that stay the same do not always have the same
/// decision. It begins at midnight UTC, as that of the kernel does unless its time zone is set.
pub(crate) fn is_chosen_datagram(five_tuple: &FiveTuple, ts: i64, rate: u32, seed: u32) -> bool {
    let mut key = HashInput::of(five_tuple);
    key.push([day_of_week(ts), 0, 0, 0]);
    key.is_chosen(rate, seed)
}

/// The day of the week of a time in nanoseconds since the Unix epoch: 0 is Sunday. The epoch began on a Thursday.
fn day_of_week(ts: i64) -> u8 {
    const DAY: i64 = 86_400_000_000_000;
    (ts.div_euclid(DAY) + 4).rem_euclid(7) as u8
}

/// The kernel's `reciprocal_scale`: maps a hash to a number below `below`.
fn scale(hash: u32, below: u32) -> u32 {
    ((u64::from(hash) * u64::from(below)) >> 32) as u32
}

/// The fields that nft concatenates, in words as they are in its registers.
struct HashInput {
    words: [u32; 11],
    len: usize,
}

impl HashInput {
    /// Addresses and ports.
    fn of(five_tuple: &FiveTuple) -> Self {
        let FiveTuple { src_ip, src_port, dst_ip, dst_port } = *five_tuple;
        let mut key = Self { words: [0; 11], len: 0 };
        // Of an IPv4-mapped address only the last word.
        let skip = if five_tuple.is_ipv4() { 12 } else { 0 };
        for octets in [src_ip.octets(), dst_ip.octets()] {
            octets[skip..].chunks_exact(4).for_each(|word| key.push([word[0], word[1], word[2], word[3]]));
        }
        for port in [src_port, dst_port] {
            let [high, low] = port.to_be_bytes();
            key.push([high, low, 0, 0]);
        }
        key
    }

    fn is_chosen(&self, rate: u32, seed: u32) -> bool {
        scale(jhash(self.as_slice(), seed), rate) == 0
    }

    fn as_slice(&self) -> &[u32] {
        &self.words[..self.len]
    }

    fn push(&mut self, octets: [u8; 4]) {
        self.words[self.len] = u32::from_ne_bytes(octets);
        self.len += 1;
    }
}

/// Bob Jenkins' lookup3 over whole words, as the kernel's `jhash` (include/linux/jhash.h) is over
/// their bytes.
fn jhash(words: &[u32], seed: u32) -> u32 {
    let bytes = (words.len() * 4) as u32;
    lookup3(words, 0xdead_beef_u32.wrapping_add(bytes).wrapping_add(seed))
}

fn lookup3(words: &[u32], start: u32) -> u32 {
    let mut state = [start; 3];
    let mut rest = words;
    while rest.len() > 3 {
        add(&mut state, &rest[..3]);
        mix(&mut state);
        rest = &rest[3..];
    }
    add(&mut state, rest);
    if rest.is_empty() { state[2] } else { last(state) }
}

fn add(state: &mut [u32; 3], words: &[u32]) {
    state.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
}

fn mix([a, b, c]: &mut [u32; 3]) {
    let step = |x: &mut u32, y: &mut u32, z: &mut u32, by: u32| {
        *x = x.wrapping_sub(*z) ^ z.rotate_left(by);
        *z = z.wrapping_add(*y);
    };
    step(a, b, c, 4);
    step(b, c, a, 6);
    step(c, a, b, 8);
    step(a, b, c, 16);
    step(b, c, a, 19);
    step(c, a, b, 4);
}

fn last([mut a, mut b, mut c]: [u32; 3]) -> u32 {
    let step = |x: &mut u32, y: u32, by: u32| *x = (*x ^ y).wrapping_sub(y.rotate_left(by));
    step(&mut c, b, 14);
    step(&mut a, c, 11);
    step(&mut b, a, 25);
    step(&mut c, b, 16);
    step(&mut a, c, 4);
    step(&mut b, a, 14);
    step(&mut c, b, 24);
    c
}

#[cfg(test)]
mod tests {
    use cutshort_packet::Flags;

    use super::*;
    use crate::live::sampler::tests::packet;

    fn syn(port: u16) -> Packet {
        packet(0, port, Flags::SYN)
    }

    /// The values that lookup3.c's own test prints. Its text has 30 bytes, here followed by zeros.
    #[test]
    fn the_hash_is_lookup3() {
        let text = b"Four score and seven years ago\0\0";
        let words = text.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let words: Vec<u32> = words.collect();
        assert_eq!(lookup3(&words, 0xdead_beef + 30), 0x1777_0551);
        assert_eq!(lookup3(&words, 0xdead_beef + 30 + 1), 0xcd62_8161);
        assert_eq!(jhash(&[], 0), 0xdead_beef);
    }

    #[test]
    fn each_day_of_the_week_has_a_lottery_of_its_own() {
        const DAY: i64 = 86_400_000_000_000;
        // 29 November 2026 was a Sunday.
        let sunday = 20_786 * DAY;
        assert_eq!([sunday - 1, sunday, sunday + DAY - 1, sunday + DAY].map(day_of_week), [6, 0, 0, 1]);
        assert_eq!([-1, 0].map(day_of_week), [3, 4]);
        let chosen = |day: i64| -> Vec<u16> {
            let ports = 0..2_000_u16;
            ports.filter(|port| is_chosen_datagram(&syn(*port).five_tuple, day * DAY, 4, 7)).collect()
        };
        // 500 are expected; 4 sigma are 78.
        assert!((0..7).all(|day| (422..=578).contains(&chosen(day).len())));
        let days: std::collections::BTreeSet<Vec<u16>> = (0..14).map(chosen).collect();
        assert_eq!(days.len(), 7);
    }

    #[test]
    fn repeated_syns_share_a_decision_and_the_share_is_right() {
        let chosen = |seed| {
            let syns = (0..=u16::MAX).map(syn);
            syns.filter(|syn| is_chosen(syn, 100, seed)).count()
        };
        // 655 are expected; 4 sigma are 102.
        for seed in [0, 1, 0xdead_beef] {
            assert!((553..=757).contains(&chosen(seed)), "{}", chosen(seed));
        }
        assert!((0..100).all(|port| is_chosen(&syn(port), 1, 5)));
    }
}
