//! Files of the user's: every layout of mmdb, precedence, and what is said about wrong files.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cutshort_geo::{Country, Geo, GeoError, Provides, pack, pack_merged};

static BUILTIN: LazyLock<Geo> = LazyLock::new(Geo::builtin);

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A file with this content, in a folder of the tests' own.
fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn with(paths: &[&Path]) -> Geo {
    Geo::with_files(paths).unwrap()
}

fn lookup(geo: &Geo, addr: &str) -> (Option<&'static str>, Option<u32>) {
    let place = geo.lookup(addr.parse().unwrap());
    (place.country.map(Country::alpha2), place.asn)
}

fn problem(path: &Path) -> String {
    let message = Geo::with_files(&[path]).unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains("expected a MaxMind DB (.mmdb) with countries or AS numbers"), "{message}");
    assert!(message.contains("start,end,country,asn,name"), "{message}");
    message
}

/// 32 nodes, each with both records on the next one: 2^32 networks.
#[test]
fn a_tree_with_shared_nodes_is_refused() {
    const NODES: u32 = 32;
    let node = |at: u32| [(at + 1).to_be_bytes(), (at + 1).to_be_bytes()].concat();
    let mut bytes: Vec<u8> = (0..NODES).flat_map(node).collect();
    bytes.extend([0; 16]);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    let text = |text: &str| [&[0x40 | text.len() as u8], text.as_bytes()].concat();
    let mut map = vec![0xe0 | 9];
    for (key, value) in [
        ("node_count", vec![0xc1, NODES as u8]),
        ("record_size", vec![0xa1, 32]),
        ("ip_version", vec![0xa1, 4]),
        ("binary_format_major_version", vec![0xa1, 2]),
        ("binary_format_minor_version", vec![0xa1, 0]),
        ("languages", vec![0x00, 0x04]),
        ("description", vec![0xe0]),
        ("build_epoch", vec![0x01, 0x02, 1]),
        ("database_type", text("Country")),
    ] {
        map.extend(text(key));
        map.extend(value);
    }
    bytes.extend(map);
    let since = std::time::Instant::now();
    let message = problem(&file("shared.mmdb", &bytes));
    assert!(message.contains("used twice"), "{message}");
    assert!(since.elapsed().as_secs() < 5);
}

/// The fixtures know two networks, where the shipped data knows nothing.
fn check_layout(name: &str, provides: Provides, source: &str) {
    let geo = with(&[&fixture(name)]);
    let expect = |country, asn| {
        (Some(country).filter(|_| provides.country()), Some(asn).filter(|_| provides.network()))
    };
    assert_eq!(lookup(&geo, "192.0.2.0"), expect("DE", 64500), "{name}");
    assert_eq!(lookup(&geo, "::ffff:192.0.2.255"), expect("DE", 64500), "{name}");
    assert_eq!(lookup(&geo, "2001:db8:1:ffff::9"), expect("JP", 64501), "{name}");
    for beside in ["192.0.1.255", "192.0.3.0", "2001:db8:2::"] {
        assert_eq!(lookup(&geo, beside), lookup(&BUILTIN, beside), "{name} {beside}");
    }
    let names = [64500, 64501].map(|asn| geo.as_name(asn));
    let expected = [Some("Example Net"), Some("Other")].map(|name| name.filter(|_| provides.network()));
    assert_eq!(names, expected, "{name}");
    let first = &geo.sources()[0];
    assert_eq!((first.to_string().as_str(), first.provides), (source, provides));
    assert_eq!(first.path.as_deref(), Some(&*fixture(name)));
    assert_eq!(geo.sources().len(), 3);
}

#[test]
fn maxmind() {
    let notes = "(GeoLite2 EULA, https://www.maxmind.com)";
    check_layout("maxmind-country.mmdb", Provides::Country, &format!("GeoLite2-Country, 2026-01-02 {notes}"));
    check_layout("maxmind-asn.mmdb", Provides::Network, &format!("GeoLite2-ASN, 2026-01-02 {notes}"));
    let city = "GeoIP2-City, 2026-01-02 (https://www.maxmind.com)";
    check_layout("maxmind-city.mmdb", Provides::Country, city);
}

/// Larger files have the network under `traits`.
#[test]
fn maxmind_enterprise() {
    let source = "GeoIP2-Enterprise, 2026-01-02 (https://www.maxmind.com)";
    check_layout("maxmind-enterprise.mmdb", Provides::Both, source);
}

/// As the readers of the format's makers answer.
#[test]
fn networks_that_have_all_of_ipv4_or_end_with_mapped_addresses() {
    for name in ["spans-80.mmdb", "spans-8.mmdb"] {
        let geo = with(&[&fixture(name)]);
        for inside in
            ["0.0.0.0", "8.8.8.8", "255.255.255.255", "::ffff:8.8.8.8", "::5", "::fffe:0:1", "2001:db8::1"]
        {
            assert_eq!(lookup(&geo, inside).0, Some("DE"), "{name} {inside}");
        }
        let beside = "2a00:1450:4001::1";
        assert_eq!(lookup(&geo, beside), lookup(&BUILTIN, beside), "{name}");
    }
    let geo = with(&[&fixture("spans-95.mmdb")]);
    assert_eq!(lookup(&geo, "::fffe:1.2.3.4").0, Some("DE"));
    assert_eq!(lookup(&geo, "192.0.2.1").0, Some("JP"));
    assert_eq!(lookup(&geo, "8.8.8.8"), lookup(&BUILTIN, "8.8.8.8"), "IPv4 is below ::/96 only");
}

#[test]
fn db_ip() {
    let source = "DBIP-Country-Lite, 2026-01-02 (CC BY 4.0, https://db-ip.com)";
    check_layout("dbip-country.mmdb", Provides::Country, source);
}

#[test]
fn ipinfo() {
    let lite = "ipinfo generic_lite_free.mmdb, 2026-01-02 (CC BY-SA 4.0, https://ipinfo.io)";
    check_layout("ipinfo-lite.mmdb", Provides::Both, lite);
    let older = "ipinfo generic_country_asn.mmdb, 2026-01-02 (https://ipinfo.io)";
    check_layout("ipinfo-older.mmdb", Provides::Both, older);
}

#[test]
fn flat_country_codes_of_a_nameless_file() {
    check_layout("flat-country.mmdb", Provides::Country, "flat-country.mmdb, 2026-01-02");
}

#[test]
fn values_that_say_unknown_are_unknown() {
    let geo = with(&[&fixture("unknown.mmdb")]);
    assert_eq!(lookup(&geo, "192.0.2.1"), (None, None));
    assert_eq!(lookup(&geo, "198.51.100.1"), (Some("NZ"), None));
    assert_eq!(lookup(&geo, "198.51.100.128"), (None, None));
    assert_eq!(geo.sources()[0].provides, Provides::Country);
}

#[test]
fn the_last_file_counts_and_what_it_lacks_falls_through() {
    let first = file("first.csv", b"8.8.8.0,8.8.8.255,FR,64501,First\n8.8.4.0,8.8.4.255,FR,64501,First\n");
    let last = file("last.csv", b"# source: Mine\n# date: 2026-03-04\n8.8.8.0,8.8.8.127,SE\n");
    let geo = with(&[&first, &last]);
    assert_eq!(lookup(&geo, "8.8.8.8"), (Some("SE"), Some(64501)));
    assert_eq!(lookup(&geo, "8.8.8.128"), (Some("FR"), Some(64501)));
    assert_eq!(lookup(&geo, "8.8.4.4"), (Some("FR"), Some(64501)));
    assert_eq!(lookup(&geo, "1.1.1.1").1, Some(13335));
    assert_eq!(geo.as_name(64501), Some("First"));
    assert!(geo.as_name(15169).unwrap().starts_with("Google"));
    let sources: Vec<String> = geo.sources().iter().map(ToString::to_string).collect();
    assert_eq!(sources[..2], ["Mine, 2026-03-04", "first.csv, date unknown"]);
    assert!(sources[2].starts_with("DB-IP") && sources[3].starts_with("RouteViews"));

    let geo = with(&[&last, &first]);
    assert_eq!(lookup(&geo, "8.8.8.8"), (Some("FR"), Some(64501)));
    assert_eq!(geo.sources()[0].name, "first.csv");
}

#[test]
fn a_file_of_countries_leaves_the_shipped_networks() {
    let csv =
        file("countries.csv", b"start,end,country\n8.8.8.0,8.8.8.255,AU\n2001:4860::,2001:4860:ffff::,AU\n");
    let geo = with(&[&csv]);
    assert_eq!(lookup(&geo, "8.8.8.8"), (Some("AU"), Some(15169)));
    assert_eq!(lookup(&geo, "2001:4860:4860::8888"), (Some("AU"), Some(15169)));
}

#[test]
fn the_name_of_a_network_comes_from_the_last_file_that_has_one() {
    let renamed = file("renamed.csv", b"192.0.2.0,192.0.2.255,15169,Renamed\n");
    let nameless = file("nameless.csv", b"192.0.2.0,192.0.2.255,15169,\n");
    assert_eq!(with(&[&renamed, &nameless]).as_name(15169), Some("Renamed"));
}

#[test]
fn a_packed_file_is_accepted_and_says_the_same() {
    let packed = file("packed", &pack(&fixture("ipinfo-lite.mmdb")).unwrap());
    let geo = with(&[&packed]);
    assert_eq!(lookup(&geo, "192.0.2.7"), (Some("DE"), Some(64500)));
    assert_eq!(geo.as_name(64501), Some("Other"));
    assert!(geo.sources()[0].to_string().starts_with("ipinfo generic_lite_free.mmdb, 2026-01-02 (CC BY-SA"));
    let mut bytes = std::fs::read(&packed).unwrap();
    bytes.truncate(bytes.len() - 9);
    let cut = problem(&file("packed-cut", &bytes));
    assert!(cut.contains(": a damaged file of packed geo data ("), "{cut}");
}

#[test]
fn files_packed_together_answer_as_they_do_on_their_own() {
    let base =
        file("base.csv", b"# source: Base\n192.0.2.0,192.0.2.255,64500,Base\n192.0.2.0,192.0.2.9,FR\n");
    let top = file("top.csv", b"# source: Top\n192.0.2.0,192.0.2.127,SE\n");
    let packed = file("packed-merged", &pack_merged(&base, &[&top]).unwrap());
    let (geo, parts) = (with(&[&packed]), with(&[&base, &top]));
    for addr in ["192.0.1.255", "192.0.2.0", "192.0.2.127", "192.0.2.128", "192.0.3.0"] {
        assert_eq!(lookup(&geo, addr), lookup(&parts, addr), "{addr}");
    }
    assert_eq!(geo.as_name(64500), Some("Base"));
    let lines = |geo: &Geo| geo.sources().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(lines(&geo), lines(&parts));
    assert_eq!(geo.sources()[0].provides, Provides::Country);
    assert_eq!(geo.sources()[0].path, Some(packed));
}

#[test]
fn missing_files_and_folders() {
    let missing = problem(&fixture("missing.mmdb"));
    assert!(missing.starts_with("cannot read ") && missing.contains("No such file"), "{missing}");
    let folder = problem(&fixture(""));
    assert!(folder.starts_with("cannot read ") && folder.contains("directory"), "{folder}");
    let error = Geo::with_files(&[fixture("missing.mmdb")]).unwrap_err();
    assert!(matches!(error, GeoError::Read { .. }) && std::error::Error::source(&error).is_some());
}

#[test]
fn compressed_files_are_read_as_they_are() {
    let text = b"198.51.100.0/24,PT\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text).unwrap();
    for (name, bytes) in [
        ("country.csv.gz", gzip.finish().unwrap()),
        ("country.csv.zst", zstd::encode_all(&text[..], 1).unwrap()),
    ] {
        assert_eq!(lookup(&with(&[&file(name, &bytes)]), "198.51.100.7"), (Some("PT"), None), "{name}");
    }
}

#[test]
fn empty_and_foreign_files() {
    assert!(problem(&file("empty", b"")).contains(": the file is empty; expected"));
    assert!(problem(&file("blank", b" \n\n")).contains(": the file is empty; expected"));
    assert!(problem(&file("zip", b"PK\x03\x04rest")).contains(": compressed in a form that is not read:"));
    assert!(problem(&file("gzip", b"\x1f\x8b\x08rest")).contains(": cannot be unpacked:"));
    assert!(problem(&file("garbage", b"Lorem ipsum dolor\nsit amet\n")).contains(": line 1: 1 columns;"));
    let page = b"<!DOCTYPE html>\n<p>404, not found, at all</p>\n";
    assert!(problem(&file("page", page)).contains(": line 1: 1 columns;"));
    let prose = b"one, two, three\nfour, five, six\n";
    assert!(problem(&file("prose", prose)).contains(": its header names no network,"));
    let binary = problem(&file("binary", &[7, 0, 0, 3, 255]));
    assert!(binary.contains(": neither text nor a whole MaxMind DB (its end is missing);"), "{binary}");
}

#[test]
fn damaged_mmdb_files() {
    let whole = std::fs::read(fixture("maxmind-city.mmdb")).unwrap();
    let cut = problem(&file("cut.mmdb", &whole[..whole.len() / 2]));
    assert!(cut.contains(": neither text nor a whole MaxMind DB (its end is missing);"), "{cut}");
    let beheaded = problem(&file("beheaded.mmdb", &whole[whole.len() / 2..]));
    assert!(beheaded.contains(": a damaged MaxMind DB ("), "{beheaded}");
    let no_metadata = problem(&file("tail.mmdb", &whole[..whole.len() - 40]));
    assert!(no_metadata.contains(": a damaged MaxMind DB ("), "{no_metadata}");
}

#[test]
fn an_mmdb_of_something_else() {
    let other = problem(&fixture("no-geo.mmdb"));
    let expected = ": a MaxMind DB (GeoIP2-Anonymous-IP) without countries and AS numbers; expected";
    assert!(other.contains(expected), "{other}");
}

#[test]
fn csv_files_with_nothing_in_them() {
    let nothing = ": no row has a country or an AS number; expected";
    assert!(problem(&file("header.csv", b"start,end,country\n")).contains(nothing));
    assert!(problem(&file("zero.csv", b"192.0.2.0,192.0.2.255,0,None\n")).contains(nothing));
}

#[test]
fn addresses_that_moved_are_counted() {
    let before = file("before.csv", b"10.0.0.0,10.0.0.255,PT,64500,a\n10.0.2.0,10.0.2.255,ES,64500,a\n");
    let now = file("now.csv", b"10.0.0.128,10.0.1.127,PT,64501,b\n10.0.2.0,10.0.2.255,FR,64500,a\n");
    let difference = with(&[&before]).difference(&with(&[&now]));
    // Half of the first range is gone, half of the next has come, and the third has moved.
    assert_eq!(difference.v4.country, 128 + 128 + 256);
    assert_eq!(difference.v4.network, 128 + 128 + 128);
    assert_eq!(difference.moved[0].addresses, 256);
    assert!(difference.to_string().contains("  ES → FR  256 IPv4 addresses\n"), "{difference}");
}
