use std::collections::HashMap;
use std::net::Ipv6Addr;

use cutshort_geo::Country;
use cutshort_model::Addresses;
use cutshort_packet::quic::Version;
use cutshort_verdict::{DataSet, Signature, Stage, Tag, Termination};
use foldhash::fast::RandomState;
use parquet::data_type::ByteArray;

/// The maximum number of texts of each kind that are cached.
const REMEMBERED: usize = 16_384;

/// A cache of texts, so that each is allocated once.
pub(super) struct Texts {
    stages: Vec<ByteArray>,
    terminations: Vec<ByteArray>,
    tags: Vec<ByteArray>,
    signatures: Vec<ByteArray>,
    countries: Vec<ByteArray>,
    addresses: Vec<ByteArray>,
    versions: Vec<(Version, ByteArray)>,
    node: ByteArray,
    src_ip: (Ipv6Addr, ByteArray),
    dst_ips: HashMap<Ipv6Addr, ByteArray, RandomState>,
    networks: HashMap<Option<u32>, ByteArray, RandomState>,
}

impl Default for Texts {
    fn default() -> Self {
        Self::new(DataSet::Tcp)
    }
}

impl Texts {
    /// Texts of a data set.
    pub(super) fn new(data_set: DataSet) -> Self {
        let all = |names: &mut dyn Iterator<Item = &'static str>| names.map(ByteArray::from).collect();
        Self {
            stages: all(&mut Stage::ALL.iter().map(|stage| data_set.stage_name(*stage))),
            terminations: all(&mut Termination::ALL.iter().map(|termination| termination.name())),
            tags: numbered(data_set.tags().iter().map(|tag| (tag.number(), tag.name()))),
            signatures: numbered(data_set.signatures().iter().map(|own| (own.id(), own.name()))),
            countries: all(&mut Country::all().map(Country::alpha2)),
            addresses: all(&mut Addresses::ALL.iter().map(|addresses| addresses.name())),
            versions: Version::ALL.map(|version| (version, ByteArray::from(version.name()))).to_vec(),
            node: ByteArray::from(""),
            src_ip: (Ipv6Addr::UNSPECIFIED, address(Ipv6Addr::UNSPECIFIED)),
            dst_ips: HashMap::default(),
            networks: HashMap::default(),
        }
    }
}

impl Texts {
    pub(super) fn stage(&self, stage: Stage) -> ByteArray {
        self.stages[stage as usize].clone()
    }

    pub(super) fn termination(&self, termination: Termination) -> ByteArray {
        self.terminations[termination as usize].clone()
    }

    pub(super) fn tag(&self, tag: Tag) -> ByteArray {
        self.tags[usize::from(tag.number())].clone()
    }

    pub(super) fn signature(&self, signature: Signature) -> ByteArray {
        self.signatures[usize::from(signature.id())].clone()
    }

    pub(super) fn country(&self, country: Country) -> ByteArray {
        self.countries[country.index()].clone()
    }

    pub(super) fn addresses(&self, addresses: Addresses) -> ByteArray {
        self.addresses[addresses as usize].clone()
    }

    pub(super) fn version(&self, version: Version) -> ByteArray {
        let known = self.versions.iter().find(|(known, _)| *known == version);
        known.map_or_else(|| ByteArray::from(version.name()), |(_, text)| text.clone())
    }

    pub(super) fn node(&mut self, name: &str) -> ByteArray {
        if self.node.data() != name.as_bytes() {
            self.node = ByteArray::from(name);
        }
        self.node.clone()
    }

    /// Connections are mostly sorted by this.
    pub(super) fn src_ip(&mut self, addr: Ipv6Addr) -> ByteArray {
        if self.src_ip.0 != addr {
            self.src_ip = (addr, address(addr));
        }
        self.src_ip.1.clone()
    }

    pub(super) fn dst_ip(&mut self, addr: Ipv6Addr) -> ByteArray {
        if self.dst_ips.len() == REMEMBERED {
            self.dst_ips.clear();
        }
        self.dst_ips.entry(addr).or_insert_with(|| address(addr)).clone()
    }

    pub(super) fn network(&mut self, asn: Option<u32>, name: &str) -> ByteArray {
        if self.networks.len() == REMEMBERED {
            self.networks.clear();
        }
        let known = self.networks.entry(asn).or_insert_with(|| ByteArray::from(name));
        if known.data() != name.as_bytes() {
            *known = ByteArray::from(name);
        }
        known.clone()
    }
}

/// Texts by their numbers.
fn numbered(names: impl Iterator<Item = (u8, &'static str)>) -> Vec<ByteArray> {
    let mut texts = vec![ByteArray::from(""); 1 << u8::BITS];
    names.for_each(|(number, name)| texts[usize::from(number)] = ByteArray::from(name));
    texts
}

fn address(addr: Ipv6Addr) -> ByteArray {
    ByteArray::from(addr.to_canonical().to_string().into_bytes())
}
