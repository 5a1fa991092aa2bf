//! Looking up many addresses.

use std::iter::Fuse;
use std::net::Ipv6Addr;

use crate::{Geo, Place};

/// How many addresses are looked up at once.
const BATCH: usize = 64;

/// The places of addresses, in the order of the addresses. See [`Geo::places`].
///
/// A look-up reads from three arrays, one after the other, and waits for memory most of the time. So each array
/// is read for a batch of addresses before the next is: the processor then waits for many of them at once.
pub struct Places<'a, I> {
    geo: &'a Geo,
    addrs: Fuse<I>,
    batch: Vec<Ipv6Addr>,
    taken: usize,
}

impl<'a, I: Iterator<Item = Ipv6Addr>> Places<'a, I> {
    pub(crate) fn new(geo: &'a Geo, addrs: I) -> Self {
        Self { geo, addrs: addrs.fuse(), batch: Vec::with_capacity(BATCH), taken: 0 }
    }

    fn refill(&mut self) {
        self.taken = 0;
        self.batch.clear();
        self.batch.extend(self.addrs.by_ref().take(BATCH));
        let Geo { v4, v6, .. } = self.geo;
        near(self.batch.iter().map(|addr| match addr.to_ipv4_mapped() {
            Some(addr) => v4.touch_head(addr.to_bits()),
            None => v6.touch_head(addr.to_bits()),
        }));
        near(self.batch.iter().map(|addr| match addr.to_ipv4_mapped() {
            Some(addr) => v4.touch_steps(addr.to_bits()),
            None => v6.touch_steps(addr.to_bits()),
        }));
    }
}

impl<I: Iterator<Item = Ipv6Addr>> Iterator for Places<'_, I> {
    type Item = Place;

    #[inline]
    fn next(&mut self) -> Option<Place> {
        if self.taken == self.batch.len() {
            self.refill();
        }
        let addr = self.batch.get(self.taken)?;
        self.taken += 1;
        Some(self.geo.lookup_v6(addr.to_bits()))
    }
}

/// Reads from memory whose content is not needed yet.
fn near(words: impl Iterator<Item = u64>) {
    std::hint::black_box(words.fold(0, u64::wrapping_add));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_single_look_ups() {
        let geo = Geo::builtin();
        let v4 = (0..150_u32).map(|n| std::net::Ipv4Addr::from(n.wrapping_mul(0x0123_4567)).to_ipv6_mapped());
        let v6 = (0..150_u128).map(|n| Ipv6Addr::from(0x2000 << 112 | n << 104));
        let addrs: Vec<Ipv6Addr> = v4.chain(v6).collect();
        let single: Vec<Place> = addrs.iter().map(|addr| geo.lookup((*addr).into())).collect();
        assert_eq!(geo.places(addrs.into_iter()).collect::<Vec<_>>(), single);
    }
}
