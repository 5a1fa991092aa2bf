//! Truncation and encryption of addresses.
//!
//! This is applied where packets come from, after geo look-up and before anything is written: from then on nothing
//! has the original addresses. Both sides of a packet are treated alike. Packets are those of clients, but a capture
//! of both directions has clients also as destination, and nothing in a packet shows which side is ours. Of connections
//! that this host opens, the servers may be somebody's as well.

mod key;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use cutshort_geo::Geo;
use cutshort_model::Addresses;
use cutshort_packet::{FiveTuple, Packet};
use cutshort_store::{Protected, Protection, truncation};
use cutshort_verdict::DataSet;
use foldhash::fast::RandomState;
use ipcrypt_rs::IpcryptPfx;
use sha2::{Digest, Sha256};

use crate::GeoData;

pub use key::{AddressKey, AddressKeyError, KeyFileError};

/// The number of encrypted addresses that are cached: encrypting one takes 64 (IPv4) or 256 (IPv6) blocks of AES.
const REMEMBERED: usize = 1 << 16;

/// Truncates or encrypts the addresses of packets, or keeps them.
pub struct Privacy(AddressMethod);

enum AddressMethod {
    Full,
    Truncated { flows: FlowIds, places: Places },
    Encrypted { cipher: AddressCipher, places: Places, remembered: HashMap<Ipv6Addr, Ipv6Addr, RandomState> },
}

/// Looks up addresses in the geo data that was current when it was created or refreshed.
#[derive(Clone)]
struct Places {
    files: Arc<GeoData>,
    geo: Arc<Geo>,
}

impl Privacy {
    /// Keeps full addresses.
    #[must_use]
    pub const fn full() -> Self {
        Self(AddressMethod::Full)
    }

    /// Keeps as much of addresses as `addresses` says. The key is used for encryption, and for the number that
    /// distinguishes connections with truncated addresses. Countries and networks come from the current geo data,
    /// until [`refresh`](Self::refresh) is called.
    #[must_use]
    pub fn new(addresses: Addresses, key: &AddressKey, files: Arc<GeoData>) -> Self {
        let geo = files.current();
        let places = Places { files, geo };
        Self(match addresses {
            Addresses::Full => AddressMethod::Full,
            Addresses::Truncated => AddressMethod::Truncated { flows: FlowIds::new(key), places },
            Addresses::Encrypted => AddressMethod::Encrypted {
                cipher: AddressCipher::new(key),
                places,
                remembered: HashMap::default(),
            },
        })
    }

    /// With the key in a file, which is created if it is missing; `created` is told so. Full addresses need neither the key nor geo data.
    ///
    /// # Errors
    /// A [`KeyFileError`], or the error of `geo`.
    pub fn open<E: From<KeyFileError>>(
        addresses: Addresses,
        key: &Path,
        geo: impl FnOnce() -> Result<Arc<GeoData>, E>,
        created: impl FnOnce(&str),
    ) -> Result<Self, E> {
        if addresses == Addresses::Full {
            return Ok(Self::full());
        }
        let (address_key, is_new) = AddressKey::open(key)?;
        if is_new {
            let path = key.display();
            created(&format!(
                "created a key for addresses: {path}; anybody who has it can decrypt stored addresses"
            ));
        }
        Ok(Self::new(addresses, &address_key, geo()?))
    }

    /// Another one that protects addresses in the same way.
    #[must_use]
    pub fn again(&self) -> Self {
        Self(match &self.0 {
            AddressMethod::Full => AddressMethod::Full,
            AddressMethod::Truncated { flows, places } => {
                AddressMethod::Truncated { flows: flows.clone(), places: places.clone() }
            }
            AddressMethod::Encrypted { cipher, places, .. } => AddressMethod::Encrypted {
                cipher: cipher.clone(),
                places: places.clone(),
                remembered: HashMap::default(),
            },
        })
    }

    /// How much of addresses is kept.
    #[must_use]
    pub const fn addresses(&self) -> Addresses {
        match self.0 {
            AddressMethod::Full => Addresses::Full,
            AddressMethod::Truncated { .. } => Addresses::Truncated,
            AddressMethod::Encrypted { .. } => Addresses::Encrypted,
        }
    }

    /// Uses the geo data that is current now.
    pub fn refresh(&mut self) {
        match &mut self.0 {
            AddressMethod::Full => {}
            AddressMethod::Truncated { places, .. } | AddressMethod::Encrypted { places, .. } => {
                places.geo = places.files.current();
            }
        }
    }

    /// The packet of a data set as it may be written, with the place of the [other end](DataSet::other_end).
    pub fn protect(&mut self, packet: &Packet, data_set: DataSet) -> Protected {
        let (tuple, addresses) = (&packet.five_tuple, self.addresses());
        let other_end = data_set.other_end(tuple).to_canonical();
        let (five_tuple, flow, place) = match &mut self.0 {
            AddressMethod::Full => return Protected::from(*packet),
            AddressMethod::Truncated { flows, places } => {
                (truncated(tuple), flows.of(tuple), places.geo.lookup(other_end))
            }
            AddressMethod::Encrypted { cipher, places, remembered } => {
                let encrypt = |address| encrypted(address, cipher, remembered);
                (with_addresses(tuple, encrypt), 0, places.geo.lookup(other_end))
            }
        };
        let protection = Protection { addresses, flow, place };
        Protected { packet: Packet { five_tuple, ..*packet }, protection }
    }
}

fn with_addresses(tuple: &FiveTuple, mut change: impl FnMut(Ipv6Addr) -> Ipv6Addr) -> FiveTuple {
    FiveTuple { src_ip: change(tuple.src_ip), dst_ip: change(tuple.dst_ip), ..*tuple }
}

fn truncated(tuple: &FiveTuple) -> FiveTuple {
    with_addresses(tuple, |address| {
        Ipv6Addr::from_bits(address.to_bits() & truncation(address.to_ipv4_mapped().is_some()))
    })
}

fn encrypted(
    address: Ipv6Addr,
    cipher: &AddressCipher,
    remembered: &mut HashMap<Ipv6Addr, Ipv6Addr, RandomState>,
) -> Ipv6Addr {
    if remembered.len() >= REMEMBERED {
        remembered.clear();
    }
    *remembered.entry(address).or_insert_with(|| match cipher.encrypt(address.to_canonical()) {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    })
}

/// Encrypts and decrypts addresses (ipcrypt-pfx of draft-denis-ipcrypt).
#[derive(Clone)]
pub struct AddressCipher(Arc<IpcryptPfx>);

impl AddressCipher {
    /// A cipher with this key.
    #[must_use]
    pub fn new(key: &AddressKey) -> Self {
        Self(Arc::new(IpcryptPfx::new(*key.bytes())))
    }

    /// Encrypts an address; the result is of the same IP version.
    #[must_use]
    pub fn encrypt(&self, address: IpAddr) -> IpAddr {
        self.0.encrypt_ipaddr(address)
    }

    /// Decrypts an address.
    #[must_use]
    pub fn decrypt(&self, address: IpAddr) -> IpAddr {
        self.0.decrypt_ipaddr(address)
    }
}

/// Numbers of connections: a keyed hash of addresses and ports, the same in both directions. Other connections of the
/// same client have other numbers.
#[derive(Clone)]
struct FlowIds(Sha256);

impl FlowIds {
    /// Uses a key derived from that for addresses. It fills a block, so that hashing begins after it; the hashed data
    /// always has the same length, so nothing can be appended.
    fn new(key: &AddressKey) -> Self {
        let own = Sha256::new().chain_update(b"cutshort flow id").chain_update(key.bytes()).finalize();
        Self(Sha256::new().chain_update(own).chain_update([0; 32]))
    }

    fn of(&self, tuple: &FiveTuple) -> u64 {
        let ends = [(tuple.src_ip, tuple.src_port), (tuple.dst_ip, tuple.dst_port)];
        let [first, second] = if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] };
        let mut hash = self.0.clone();
        for (address, port) in [first, second] {
            hash.update(address.octets());
            hash.update(port.to_be_bytes());
        }
        hash.finalize().iter().take(8).fold(0, |id, byte| id << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests;
