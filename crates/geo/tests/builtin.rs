//! The shipped data: facts that have held for many years, and how long it is.

#![allow(clippy::unwrap_used)]

use std::net::IpAddr;
use std::sync::LazyLock;

use cutshort_geo::{Country, Geo, Place, Provides};

static GEO: LazyLock<Geo> = LazyLock::new(Geo::builtin);

fn lookup(addr: &str) -> Place {
    GEO.lookup(addr.parse().unwrap())
}

#[test]
fn well_known_addresses() {
    let us = Country::from_alpha2("US");
    for addr in ["8.8.8.8", "::ffff:8.8.8.8"] {
        assert_eq!(lookup(addr), Place { country: us, asn: Some(15169) }, "{addr}");
    }
    // Whose country DB-IP does not always hold to be the United States.
    assert_eq!(lookup("2001:4860:4860::8888").asn, Some(15169));
    assert_eq!(lookup("1.1.1.1").asn, Some(13335));
    assert_eq!(lookup("193.0.0.1").country, Country::from_alpha2("NL"));
    assert_eq!(lookup("2001:67c:2e8::1").country, Country::from_alpha2("NL"));
}

#[test]
fn names_of_networks() {
    assert!(GEO.as_name(15169).unwrap().starts_with("Google"));
    assert!(GEO.as_name(13335).unwrap().starts_with("Cloudflare"));
    assert_eq!(GEO.as_name(0), None);
    assert_eq!(GEO.as_name(64512), None, "a private number");
}

#[test]
fn addresses_for_special_purposes_are_nowhere() {
    let special = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 127.0.0.1 169.254.1.1 172.16.0.1 \
                   172.31.255.255 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 \
                   239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::ffff:10.0.0.1 64:ff9b::a00:1 fc00::1 \
                   fd12:3456::1 fe80::1 ff02::1 2001:db8::1 3fff::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    for addr in special.split_whitespace() {
        assert_eq!(lookup(addr), Place::default(), "{addr}");
    }
}

#[test]
fn most_addresses_are_somewhere_and_in_every_continent() {
    let mut countries = std::collections::HashSet::new();
    let mut networks = 0;
    for head in 0..=u16::MAX {
        let place = GEO.lookup(IpAddr::from([(head >> 8) as u8, head as u8, 100, 1]));
        countries.extend(place.country);
        networks += u32::from(place.asn.is_some());
        assert_ne!(place.asn, Some(0));
    }
    assert!(countries.len() > 150, "{}", countries.len());
    assert!(networks > 40_000, "{networks}");
    let continents: std::collections::BTreeSet<_> = countries.iter().map(|c| c.continent()).collect();
    assert!(continents.len() >= 6, "{continents:?}");
}

#[test]
fn sources_are_named_and_dated() {
    let [country, network] = GEO.sources() else { panic!("two sources") };
    assert_eq!(country.provides, Provides::Country);
    assert_eq!(network.provides, Provides::Network);
    assert!(country.to_string().starts_with("DB-IP country lite, 20"));
    assert!(country.to_string().ends_with(" (CC BY 4.0, https://db-ip.com)"));
    assert!(network.urls.iter().any(|url| url == "https://www.routeviews.org"));
    for source in GEO.sources() {
        assert_eq!((source.path.as_ref(), source.date.len()), (None, 10));
        assert_eq!(source.licence.as_deref(), Some("CC BY 4.0"));
    }
}

#[test]
fn it_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&*GEO);
}

#[test]
fn the_shipped_file_stays_small() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/builtin.cutshort-geo");
    let size = file.metadata().unwrap().len();
    assert!(size < 4_000_000, "{size}");
}
