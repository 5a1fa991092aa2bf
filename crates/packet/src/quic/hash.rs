//! Keyed hashes of connection ids and tokens.

use std::fmt;

use super::Datagram;
use crate::FiveTuple;

/// The key of the hashes in [`Datagram`](super::Datagram) (docs/quic.md#hashes).
///
/// They are SipHash-2-4 (Aumasson and Bernstein, 2012) of 5-tuple and id, so that without the key nothing about an id can be
/// learned from its hash, and with any key equal ids of different connections have different hashes. The same key
/// gives the same hashes in every process and on every machine.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey([u64; 2]);

/// Does not show the key.
impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

impl HashKey {
    /// Takes the key; 16 random bytes, unless the hashes are kept nowhere.
    #[must_use]
    pub const fn new(key: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = key;
        Self([u64::from_le_bytes([a, b, c, d, e, f, g, h]), u64::from_le_bytes([i, j, k, l, m, n, o, p])])
    }

    /// Begins the hashes of a 5-tuple.
    #[inline]
    pub(super) fn of(&self, five_tuple: &FiveTuple) -> Begun {
        let [k0, k1] = self.0;
        let mut state = State([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ]);
        for address in [five_tuple.src_ip, five_tuple.dst_ip] {
            let bits = address.to_bits();
            state.take((bits >> 64) as u64);
            state.take(bits as u64);
        }
        state.take(u64::from(five_tuple.src_port) << 16 | u64::from(five_tuple.dst_port));
        Begun(state)
    }
}

/// The length in bytes of what every hash begins with: addresses and ports in five words.
const BEGUN: usize = 40;

/// The hash of a 5-tuple, to which an id is still to be added.
#[derive(Clone, Copy)]
pub(super) struct Begun(State);

impl Begun {
    /// The hash of the 5-tuple and a token, which [`Datagram::NO_TOKEN`] is for none only.
    pub(super) fn token(&self, token: &[u8]) -> u64 {
        if token.is_empty() { Datagram::NO_TOKEN } else { self.hash(token).max(1) }
    }

    /// The hash of the 5-tuple and these bytes.
    #[inline]
    pub(super) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut state = self.0;
        let (words, rest) = bytes.as_chunks();
        for word in words {
            state.take(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The highest byte is the length of all that was taken, modulo 256.
        last[7] = (BEGUN + bytes.len()) as u8;
        state.take(u64::from_le_bytes(last));
        state.finish()
    }
}

#[derive(Clone, Copy)]
struct State([u64; 4]);

impl State {
    #[inline]
    fn round(&mut self) {
        let [a, b, c, d] = &mut self.0;
        *a = a.wrapping_add(*b);
        *c = c.wrapping_add(*d);
        *b = b.rotate_left(13) ^ *a;
        *d = d.rotate_left(16) ^ *c;
        *a = a.rotate_left(32);
        *c = c.wrapping_add(*b);
        *a = a.wrapping_add(*d);
        *b = b.rotate_left(17) ^ *c;
        *d = d.rotate_left(21) ^ *a;
        *c = c.rotate_left(32);
    }

    #[inline]
    fn take(&mut self, word: u64) {
        self.0[3] ^= word;
        self.round();
        self.round();
        self.0[0] ^= word;
    }

    #[inline]
    fn finish(mut self) -> u64 {
        self.0[2] ^= 0xff;
        for _ in 0..4 {
            self.round();
        }
        let [a, b, c, d] = self.0;
        a ^ b ^ c ^ d
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::*;

    /// The same of the standard library, which is deprecated there.
    #[allow(deprecated)]
    fn expected(key: [u8; 16], message: &[u8]) -> u64 {
        let half = |at: usize| u64::from_le_bytes(*key[at..].first_chunk().unwrap());
        let mut hasher = std::hash::SipHasher::new_with_keys(half(0), half(8));
        hasher.write(message);
        hasher.finish()
    }

    #[test]
    fn hashes_are_siphash_2_4() {
        let key: [u8; 16] = std::array::from_fn(|at| at as u8);
        assert_eq!(expected(key, &[]), 0x726f_db47_dd0e_0e31, "the first test vector of its authors");
        let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 40112, [203, 0, 113, 5].into(), 443);
        let mut message = Vec::new();
        for address in [five_tuple.src_ip, five_tuple.dst_ip] {
            let bits = address.to_bits();
            message.extend(((bits >> 64) as u64).to_le_bytes());
            message.extend((bits as u64).to_le_bytes());
        }
        message.extend((40112_u64 << 16 | 443).to_le_bytes());
        let begun = HashKey::new(key).of(&five_tuple);
        for len in 0..300_usize {
            let id: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
            assert_eq!(begun.hash(&id), expected(key, &[&message[..], &id].concat()), "{len} bytes");
        }
    }

    #[test]
    fn hashes_differ_by_direction_and_key() {
        let five_tuple = FiveTuple::new([198, 51, 100, 7].into(), 443, [203, 0, 113, 5].into(), 443);
        let hash = |key, five_tuple| HashKey::new([key; 16]).of(&five_tuple).hash(b"an id");
        let hashes = [hash(0, five_tuple), hash(1, five_tuple), hash(0, five_tuple.reversed())];
        assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2], "{hashes:?}");
        assert_eq!(format!("{:?}", HashKey::new([7; 16])), "HashKey");
    }
}
