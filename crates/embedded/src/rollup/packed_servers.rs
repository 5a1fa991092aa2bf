//! The servers of one window as bytes.
//!
//! First the common sample rate and a dictionary of names of networks; then for each server and node, in order: which
//! kind of address it has, its address and port, its node, its place, which counts are not zero, these, and the buckets
//! of its handshake times.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cutshort_counts::bytes::{Broken, Reader, Unpacked, common_rate, open, put, put_count, seal};
use cutshort_geo::{Country, Place};
use cutshort_model::{ServerCounts, TimeHistogram};
use cutshort_store::cell::{ServerCell, ServerKey};
use cutshort_verdict::WeightedCount;

const VERSION: u8 = 1;
/// The kinds of addresses.
const OTHER: u8 = 0;
const V4: u8 = 4;
const V6: u8 = 6;
const NO_COUNTRY: [u8; 2] = [0; 2];

/// Packs servers.
pub(super) fn pack(mut servers: Vec<(ServerKey, &ServerCell)>) -> Vec<u8> {
    servers.sort_unstable_by_key(|(key, _)| *key);
    let counts: Vec<_> = servers.iter().map(|(_, cell)| cell.counts.stored()).collect();
    let rate = common_rate(counts.iter().flatten());
    let mut names: Vec<&str> = servers.iter().filter_map(|(_, cell)| cell.as_name.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    seal(VERSION, |out| {
        put(out, rate);
        put(out, names.len() as u64);
        for name in &names {
            put(out, name.len() as u64);
            out.extend_from_slice(name.as_bytes());
        }
        put(out, servers.len() as u64);
        for ((key, cell), counts) in servers.iter().zip(&counts) {
            put_key(out, key);
            put_place(out, cell, &names);
            put_counts(out, counts, rate);
            put_times(out, &cell.counts.handshakes);
        }
    })
}

fn put_key(out: &mut Vec<u8>, key: &ServerKey) {
    match key.address() {
        None => out.push(OTHER),
        Some((IpAddr::V4(address), _)) => {
            out.push(V4);
            out.extend(address.octets());
        }
        Some((IpAddr::V6(address), _)) => {
            out.push(V6);
            out.extend(address.octets());
        }
    }
    put(out, key.server.map_or(0, |(_, port)| u64::from(port)));
    put(out, u64::from(key.node));
}

fn put_place(out: &mut Vec<u8>, cell: &ServerCell, names: &[&str]) {
    let country = cell.place.country.map_or(NO_COUNTRY, |country| {
        let letters = country.alpha2().as_bytes();
        [letters[0], letters[1]]
    });
    out.extend(country);
    put(out, u64::from(cell.place.asn.unwrap_or(0)));
    let name = cell.as_name.as_deref().and_then(|name| names.binary_search(&name).ok());
    put(out, name.map_or(0, |position| position as u64 + 1));
}

fn put_counts(out: &mut Vec<u8>, counts: &[WeightedCount], rate: u64) {
    let is_there = |count: &WeightedCount| *count != WeightedCount::default();
    let there = counts.iter().enumerate().filter(|(_, count)| is_there(count));
    put(out, there.clone().fold(0, |bits, (position, _)| bits | 1 << position));
    there.for_each(|(_, count)| put_count(out, count, rate));
}

fn put_times(out: &mut Vec<u8>, times: &TimeHistogram) {
    let buckets = times.buckets();
    put(out, buckets.len() as u64);
    // Times are at least one microsecond, so no bucket is below zero.
    buckets.fold(0, |last, (bucket, weight)| {
        put(out, u64::from(bucket.unsigned_abs() - last));
        put(out, weight);
        bucket.unsigned_abs()
    });
}

/// Calls `each` with every server.
pub(super) fn each(bytes: &[u8], mut each: impl FnMut(ServerKey, ServerCell)) -> Unpacked<()> {
    let mut reader = open(VERSION, bytes)?;
    let rate = reader.number()?;
    let names: Vec<String> = (0..reader.length()?).map(|_| name(&mut reader)).collect::<Unpacked<_>>()?;
    for _ in 0..reader.length()? {
        let key = key(&mut reader)?;
        let (place, as_name) = place(&mut reader, &names)?;
        let counts = counts(&mut reader, rate)?;
        let counts = ServerCounts::from_stored(&counts, times(&mut reader)?);
        each(key, ServerCell { place, as_name, counts });
    }
    if reader.is_empty() { Ok(()) } else { Err(Broken("there is something behind its end")) }
}

fn name(reader: &mut Reader<'_>) -> Unpacked<String> {
    let length = reader.length()?;
    let name = std::str::from_utf8(reader.bytes(length)?);
    name.map(str::to_owned).map_err(|_| Broken("the name of a network is not UTF-8"))
}

fn key(reader: &mut Reader<'_>) -> Unpacked<ServerKey> {
    let address = match reader.byte()? {
        OTHER => None,
        V4 => Some(Ipv4Addr::from(reader.array::<4>()?).to_ipv6_mapped()),
        V6 => Some(Ipv6Addr::from(reader.array::<16>()?)),
        _ => return Err(Broken("the address of a server is of an unknown kind")),
    };
    let (port, node) = (small(reader)?, small(reader)?);
    Ok(ServerKey { server: address.map(|address| (address, port)), node })
}

fn small(reader: &mut Reader<'_>) -> Unpacked<u16> {
    u16::try_from(reader.number()?).map_err(|_| Broken("a port or node is too large"))
}

fn place(reader: &mut Reader<'_>, names: &[String]) -> Unpacked<(Place, Option<String>)> {
    const COUNTRY: Broken = Broken("the country of a server is unknown");
    let country = match reader.array::<2>()? {
        NO_COUNTRY => None,
        letters => {
            let letters = std::str::from_utf8(&letters).map_err(|_| COUNTRY)?;
            Some(Country::from_alpha2(letters).ok_or(COUNTRY)?)
        }
    };
    let asn = u32::try_from(reader.number()?).map_err(|_| Broken("an AS number is too large"))?;
    let name = match usize::try_from(reader.number()?).unwrap_or(usize::MAX) {
        0 => None,
        position => Some(names.get(position - 1).ok_or(Broken("a name is outside of its list"))?.clone()),
    };
    Ok((Place { country, asn: (asn > 0).then_some(asn) }, name))
}

fn counts(reader: &mut Reader<'_>, rate: u64) -> Unpacked<[WeightedCount; ServerCounts::STORED.len()]> {
    let bits = reader.number()?;
    let mut counts = [WeightedCount::default(); ServerCounts::STORED.len()];
    if bits >> counts.len() != 0 {
        return Err(Broken("a server has counts that are unknown"));
    }
    for (position, count) in counts.iter_mut().enumerate() {
        if bits >> position & 1 != 0 {
            *count = reader.count(rate)?;
        }
    }
    Ok(counts)
}

fn times(reader: &mut Reader<'_>) -> Unpacked<TimeHistogram> {
    let mut times = TimeHistogram::default();
    let mut last = 0;
    for _ in 0..reader.length()? {
        let bucket = *reader.next_after(&mut last, 1 << 20)?;
        times.add_bucket(bucket as i32, reader.number()?);
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn server()(
            address in prop_oneof![
                Just(None),
                any::<[u8; 4]>().prop_map(|octets| Some(Ipv4Addr::from(octets).to_ipv6_mapped())),
                any::<[u8; 16]>().prop_map(|octets| Some(Ipv6Addr::from(octets))),
            ],
            port: u16,
            node: u16,
            country in prop::option::of(prop::sample::select(Country::all().collect::<Vec<_>>())),
            asn in prop::option::of(1_u32..),
            as_name in prop::option::of("[a-zé ]{0,12}"),
            counts in prop::collection::vec((0_u32..200, 1_u32..3), ServerCounts::STORED.len()),
            times in prop::collection::btree_map(0_i32..200, 1_u64..1000, 0..8),
        ) -> (ServerKey, ServerCell) {
            let mut stored = [WeightedCount::default(); ServerCounts::STORED.len()];
            for (stored, (sampled, rate)) in stored.iter_mut().zip(counts) {
                (0..sampled).for_each(|_| stored.add(rate));
            }
            let mut handshakes = TimeHistogram::default();
            times.into_iter().for_each(|(bucket, weight)| handshakes.add_bucket(bucket, weight));
            let counts = ServerCounts::from_stored(&stored, handshakes);
            let key = ServerKey { server: address.map(|address| (address, port)), node };
            (key, ServerCell { place: Place { country, asn }, as_name, counts })
        }
    }

    proptest! {
        #[test]
        fn servers_are_read_as_they_were_packed(servers in prop::collection::vec(server(), 0..20)) {
            let mut servers = servers;
            servers.sort_by_key(|(key, _)| *key);
            servers.dedup_by_key(|(key, _)| *key);
            let bytes = pack(servers.iter().map(|(key, cell)| (*key, cell)).collect());
            let mut found = Vec::new();
            each(&bytes, |key, cell| found.push((key, cell))).unwrap();
            prop_assert_eq!(found, servers);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let sealed = seal(VERSION, |out| out.extend_from_slice(&bytes));
            let _ = each(&sealed, |_, _| ());
            prop_assert!(each(&bytes, |_, _| ()).is_err());
        }
    }
}
