//! Packets per connection: open addressing, linear probing, the key in the slot.

/// A 5-tuple in 36 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Key {
    pub addresses: [u64; 4],
    pub ports: u32,
}

/// 40 bytes; a count of 0 marks a free slot.
#[derive(Clone, Copy, Default)]
struct Slot {
    addresses: [u64; 4],
    ports: u32,
    count: u32,
}

impl Slot {
    #[inline(always)]
    fn is(&self, key: &Key) -> bool {
        self.ports == key.ports && self.addresses == key.addresses
    }
}

pub struct Table {
    slots: Vec<Slot>,
    used: usize,
}

/// Both halves of the 128-bit product: the mixing step of wyhash and its kin.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

#[inline(always)]
fn hash(key: &Key) -> u64 {
    let [a, b, c, d] = key.addresses;
    let source = fold(a ^ 0xa076_1d64_78bd_642f, b ^ 0xe703_7ed1_a0b4_28db);
    let target = fold(c ^ 0x8ebc_6af0_9c88_c6e3, d ^ 0x5899_65cc_7537_4cc3);
    fold(source ^ u64::from(key.ports), target ^ 0x1d8e_4e27_c47d_124f)
}

impl Table {
    pub fn new() -> Self {
        Self { slots: vec![Slot::default(); 1 << 16], used: 0 }
    }

    pub fn len(&self) -> usize {
        self.used
    }

    pub fn largest(&self) -> u32 {
        self.slots.iter().map(|slot| slot.count).max().unwrap_or(0)
    }

    /// Counts one packet of `key`: the one look-up or insertion.
    #[inline(always)]
    pub fn count(&mut self, key: Key) {
        let mask = self.slots.len() - 1;
        let mut at = hash(&key) as usize & mask;
        loop {
            let slot = &mut self.slots[at];
            if slot.count == 0 {
                return self.insert(at, key);
            }
            if slot.is(&key) {
                slot.count += 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, at: usize, key: Key) {
        self.slots[at] = Slot { addresses: key.addresses, ports: key.ports, count: 1 };
        self.used += 1;
        if self.used * 8 > self.slots.len() * MAX_LOAD_EIGHTHS {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let doubled = vec![Slot::default(); self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, doubled);
        let mask = self.slots.len() - 1;
        for slot in old.into_iter().filter(|slot| slot.count > 0) {
            let key = Key { addresses: slot.addresses, ports: slot.ports };
            let mut at = hash(&key) as usize & mask;
            while self.slots[at].count > 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = slot;
        }
    }
}

/// Above this share of used slots the table doubles.
const MAX_LOAD_EIGHTHS: usize = 6;
