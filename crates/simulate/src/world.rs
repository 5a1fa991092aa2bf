//! The made-up internet: countries, networks, addresses.
use crate::country;
use crate::incident::Plan;
use crate::profile::Behaviour;
use crate::{COMMENT, SIMULATED};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The first private-use AS number of 32 bits is 4200000000; networks count from the one after it.
const FIRST_ASN: u32 = 4_200_000_001;
/// Blocks are /18s of 240.0.0.0/4 without 255.0.0.0/8.
const BLOCK_BITS: u32 = 14;
const BLOCKS: u32 = 15 << (24 - BLOCK_BITS);
const FIRST_V4: u32 = 0xf000_0000;
/// Networks have one /36 each out of 3fff::/20.
const FIRST_V6: u128 = 0x3fff << 112;
const V6_BITS: u32 = 92;
const MOST_NETWORKS: usize = 5000;
/// Servers of each family; the last byte counts from 1.
pub(crate) const SERVERS: u64 = 250;

/// A country of the simulated world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: [u8; 2],
    /// Local time ahead of UTC, in quarter-hours.
    pub quarters_ahead: i64,
    /// Share of the world's traffic, relative to the other countries' weights.
    pub weight: u32,
}

/// A network: an autonomous system in one country.
#[derive(Clone, Debug)]
pub struct Network {
    /// Private-use AS number.
    pub asn: u32,
    /// A name that says that it is invented.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: [u8; 2],
    /// What its connections are like while nothing happens.
    pub behaviour: Behaviour,
    /// Share of the world's traffic, relative to the other networks' weights.
    pub weight: u32,
    pub(crate) country_index: usize,
    blocks: Vec<u32>,
    v6: u128,
}

impl Network {
    /// Its blocks as first and last address.
    pub fn ranges(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        let v4 = |block: &u32| {
            (Ipv4Addr::from(*block).into(), Ipv4Addr::from(block | ((1 << BLOCK_BITS) - 1)).into())
        };
        let last = Ipv6Addr::from(self.v6 | ((1 << V6_BITS) - 1));
        self.blocks.iter().map(v4).chain([(Ipv6Addr::from(self.v6).into(), last.into())])
    }

    /// An address: `host` chooses among `hosts` of each block.
    #[inline]
    pub(crate) fn address(&self, v6: bool, random: u64, hosts: u64) -> Ipv6Addr {
        if v6 {
            let host = u128::from(random % hosts);
            return Ipv6Addr::from(
                self.v6 | (host & 0xfff_ffff) << 64 | u128::from(crate::rng::mix(host as u64)),
            );
        }
        let block = self.blocks[(random >> 32) as usize % self.blocks.len()];
        let host = (random % hosts.min((1 << BLOCK_BITS) - 2)) as u32 + 1;
        Ipv4Addr::from(block | host).to_ipv6_mapped()
    }
}

/// Countries, networks and what happens to them.
#[derive(Clone, Debug)]
pub struct World {
    countries: Vec<Country>,
    networks: Vec<Network>,
    owners: Vec<u32>,
    plans: Vec<Plan>,
    weight: u64,
}

impl World {
    /// 37 countries and 150 networks, with all incidents.
    #[must_use]
    pub fn standard() -> Self {
        Self::builder().build()
    }

    /// A world of another size.
    #[must_use]
    pub fn builder() -> WorldBuilder {
        WorldBuilder { countries: 37, networks: 150, incidents: true }
    }

    /// All countries, in the order in which they were created.
    #[must_use]
    pub fn countries(&self) -> &[Country] {
        &self.countries
    }

    /// All networks, in the order in which they were created.
    #[must_use]
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// The network of a source address.
    #[must_use]
    pub fn network_of(&self, address: IpAddr) -> Option<&Network> {
        let index = match address {
            IpAddr::V4(v4) => {
                *self.owners.get((u32::from(v4).checked_sub(FIRST_V4)? >> BLOCK_BITS) as usize)?
            }
            IpAddr::V6(v6) => u32::try_from(u128::from(v6).checked_sub(FIRST_V6)? >> V6_BITS).ok()?,
        };
        self.networks.get(index as usize)
    }

    /// The blocks of all networks as a table for the geo look-up: `start,end,CC,asn,name`, sorted,
    /// IPv4 first.
    #[must_use]
    pub fn geo_csv(&self) -> String {
        let with = |network| move |range| (range, network);
        let mut rows: Vec<_> = self.networks.iter().flat_map(|n| n.ranges().map(with(n))).collect();
        rows.sort_by_key(|(range, _)| *range);
        let mut csv = format!("# source: simulated by cutshort\n# date: 2026-01-01\n# {COMMENT}\n");
        for ((start, end), Network { country, asn, name, .. }) in rows {
            // Writing to a string cannot fail.
            let _ = writeln!(csv, "{start},{end},{},{asn},{name}", code(*country));
        }
        csv
    }

    pub(crate) fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// Sum of the networks' weights.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }
}

/// A country code as text.
pub(crate) fn code(country: [u8; 2]) -> String {
    country.into_iter().map(char::from).collect()
}

/// Sets the size of a world.
#[derive(Clone, Debug)]
pub struct WorldBuilder {
    countries: usize,
    networks: usize,
    incidents: bool,
}

/// Networks that are not like others: behaviour, name, country, traffic in 1,000 of the ordinary
/// networks'. The countries are chosen so that nobody takes them for findings.
const SPECIAL: [(Behaviour, &str, [u8; 2], u64); 12] = [
    (Behaviour::ZeroRating, "Zero-Rating Mobile", *b"CH", 9),
    (Behaviour::ZeroRating, "Zero-Rating Mobile", *b"CL", 9),
    (Behaviour::ResetAfterData, "Fixed with Resets", *b"SE", 16),
    (Behaviour::VaryingAcks, "Mobile with Resets", *b"NL", 8),
    (Behaviour::HealthChecker, "Uptime Checks", *b"DE", 7),
    (Behaviour::Zmap, "Scans", *b"US", 14),
    (Behaviour::Masscan, "Fast Scans", *b"FR", 6),
    (Behaviour::SynPayload, "SYN Requests", *b"GB", 3),
    (Behaviour::Research, "Research Scanner", *b"US", 9),
    (Behaviour::Crawler, "Crawler", *b"CA", 14),
    (Behaviour::Hosting, CAMPAIGNER, *b"IS", 1),
    (Behaviour::Hosting, "Cloud", *b"US", 12),
];

/// The network that the scanning campaign comes from.
pub(crate) const CAMPAIGNER: &str = "Small Cloud";

impl WorldBuilder {
    /// How many countries, at most 216: as many as there are in the table.
    #[must_use]
    pub fn countries(mut self, n: usize) -> Self {
        self.countries = n.max(1);
        self
    }

    /// How many networks: at least one a country beside the twelve special ones, at most 5,000.
    #[must_use]
    pub fn networks(mut self, n: usize) -> Self {
        self.networks = n.min(MOST_NETWORKS);
        self
    }

    /// Whether there are incidents in addition to day and night; true by default.
    #[must_use]
    pub fn incidents(mut self, happen: bool) -> Self {
        self.incidents = happen;
        self
    }

    /// Creates the world with these settings.
    #[must_use]
    pub fn build(self) -> World {
        let countries = countries(self.countries);
        let mut networks = Vec::new();
        let ordinary = self.networks.saturating_sub(SPECIAL.len()).max(countries.len());
        for (index, n) in allot(&countries, ordinary).into_iter().enumerate() {
            add_ordinary(&mut networks, &countries, index, n);
        }
        add_special(&mut networks, &countries);
        let owners = give_blocks(&mut networks);
        let plans = if self.incidents { Plan::all(&countries, &networks) } else { Vec::new() };
        let weight = networks.iter().map(|n| u64::from(n.weight)).sum();
        World { countries, networks, owners, plans, weight }
    }
}

fn countries(n: usize) -> Vec<Country> {
    let country = |(code, quarters_ahead, weight)| Country { code, quarters_ahead, weight };
    country::first(n).into_iter().map(country).collect()
}

/// How many ordinary networks each country has: one, and more by weight.
fn allot(countries: &[Country], ordinary: usize) -> Vec<usize> {
    let spare = ordinary - countries.len();
    let total: usize = countries.iter().map(|c| c.weight as usize).sum();
    let mut allotted: Vec<_> = countries.iter().map(|c| 1 + spare * c.weight as usize / total).collect();
    let missing = ordinary - allotted.iter().sum::<usize>();
    allotted.iter_mut().take(missing).for_each(|n| *n += 1);
    allotted
}

/// Networks of a country, each next one smaller (Zipf).
fn add_ordinary(networks: &mut Vec<Network>, countries: &[Country], index: usize, n: usize) {
    let zipf: u64 = (0..n).map(zipf).sum();
    for rank in 0..n {
        let (behaviour, what) = match rank % 7 {
            1 | 3 | 5 => (Behaviour::Mobile, "Mobile"),
            6 => (Behaviour::Hosting, "Hosting"),
            _ => (Behaviour::Fixed, "Fixed"),
        };
        let name = format!("{what} {}", rank + 1);
        let weight = u64::from(countries[index].weight) * 100_000 * self::zipf(rank) / zipf;
        add(networks, countries, (index, behaviour, &name, weight));
    }
}

fn zipf(rank: usize) -> u64 {
    1_000_000 / (rank as u64 + 1)
}

fn add_special(networks: &mut Vec<Network>, countries: &[Country]) {
    let ordinary: u64 = networks.iter().map(|n| u64::from(n.weight)).sum();
    for (nth, (behaviour, name, home, share)) in SPECIAL.into_iter().enumerate() {
        let index = home_of(countries, home, nth);
        add(networks, countries, (index, behaviour, name, ordinary * share / 1000));
    }
}

/// The index of a country, or of another one where a small world has no such country.
pub(crate) fn home_of(countries: &[Country], home: [u8; 2], otherwise: usize) -> usize {
    countries.iter().position(|c| c.code == home).unwrap_or(otherwise % countries.len())
}

fn add(
    networks: &mut Vec<Network>,
    countries: &[Country],
    (country_index, behaviour, what, weight): (usize, Behaviour, &str, u64),
) {
    let country = countries[country_index].code;
    let index = networks.len() as u32;
    networks.push(Network {
        asn: FIRST_ASN + index,
        name: format!("{SIMULATED} {what} ({})", code(country)),
        country,
        behaviour,
        weight: u32::try_from(weight).unwrap_or(u32::MAX).max(1),
        country_index,
        blocks: Vec::new(),
        v6: FIRST_V6 + (u128::from(index) << V6_BITS),
    });
}

/// One to three blocks each, scattered as they are in life. Returns the owner of each block.
fn give_blocks(networks: &mut [Network]) -> Vec<u32> {
    let mut owners = vec![u32::MAX; BLOCKS as usize];
    let mut given = 0;
    for (index, network) in networks.iter_mut().enumerate() {
        for _ in 0..=index % 3 {
            // A prime, and so a permutation.
            let block = given * 7919 % BLOCKS;
            owners[block as usize] = index as u32;
            network.blocks.push(FIRST_V4 + (block << BLOCK_BITS));
            given += 1;
        }
    }
    owners
}
