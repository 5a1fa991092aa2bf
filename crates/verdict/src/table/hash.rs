//! Hashes of 5-tuples.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv6Addr;

use cutshort_packet::FiveTuple;

/// Folded multiplication, as in wyhash and its kin. The seeds are random, so that nobody can choose
/// addresses and ports that collide.
#[derive(Clone, Copy)]
pub(crate) struct Seeds([u64; 4]);

impl Seeds {
    pub(crate) fn random() -> Self {
        Self(std::array::from_fn(|_| RandomState::new().build_hasher().finish()))
    }

    #[inline]
    pub(crate) fn hash(&self, five_tuple: &FiveTuple) -> u32 {
        let fold = |a: u64, b: u64| {
            let product = u128::from(a) * u128::from(b);
            product as u64 ^ (product >> 64) as u64
        };
        let (src_a, src_b) = halves(five_tuple.src_ip);
        let (dst_a, dst_b) = halves(five_tuple.dst_ip);
        let ports = u64::from(five_tuple.src_port) << 16 | u64::from(five_tuple.dst_port);
        let src = fold(src_a ^ self.0[0], src_b ^ self.0[1]);
        let dst = fold(dst_a ^ self.0[2], dst_b ^ self.0[3]);
        (fold(src ^ ports, dst ^ self.0[0]) >> 32) as u32
    }
}

/// Returns the halves of an address in native byte order, which needs no swapping.
#[inline]
const fn halves(addr: Ipv6Addr) -> (u64, u64) {
    let bits = u128::from_ne_bytes(addr.octets());
    (bits as u64, (bits >> 64) as u64)
}
