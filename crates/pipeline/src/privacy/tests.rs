use std::sync::LazyLock;

use cutshort_geo::Place;
use cutshort_simulate::syn_packet;
use cutshort_store::FlowKey;
use proptest::prelude::*;

use super::*;

/// That of the draft's vectors.
fn key() -> AddressKey {
    let bytes = *b"\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10\
                   \x10\x32\x54\x76\x98\xba\xdc\xfe\xef\xcd\xab\x89\x67\x45\x23\x01";
    AddressKey::new(bytes).unwrap()
}

fn geo() -> Arc<GeoData> {
    static GEO: LazyLock<Arc<GeoData>> = LazyLock::new(|| Arc::new(Geo::builtin().into()));
    Arc::clone(&GEO)
}

fn privacy(addresses: Addresses) -> Privacy {
    Privacy::new(addresses, &key(), geo())
}

fn packet(five_tuple: FiveTuple) -> Packet {
    Packet { five_tuple, ..syn_packet(5, 40_000) }
}

/// Of draft-denis-ipcrypt, appendix "ipcrypt-pfx Test Vectors".
#[test]
fn encrypted_addresses_are_those_of_the_draft() {
    let cipher = AddressCipher::new(&key());
    for (address, expected) in [
        ("0.0.0.0", "151.82.155.134"),
        ("255.255.255.255", "94.185.169.89"),
        ("192.0.2.1", "100.115.72.131"),
        ("2001:db8::1", "c180:5dd4:2587:3524:30ab:fa65:6ab6:f88"),
    ] {
        let (address, expected): (IpAddr, IpAddr) = (address.parse().unwrap(), expected.parse().unwrap());
        assert_eq!(cipher.encrypt(address), expected);
        assert_eq!(cipher.decrypt(expected), address);
    }
}

/// Clients of few networks, so that much of two addresses is the same.
fn any_tuple() -> impl Strategy<Value = FiveTuple> {
    let v4 = (0..3_u8, 0..3_u8, any::<u8>()).prop_map(|(a, b, c)| IpAddr::from([81, a, b, c]));
    let v6 = (0..3_u16, 0..3_u16, any::<u64>()).prop_map(|(a, b, host)| {
        IpAddr::from(Ipv6Addr::from_bits(
            0x2a02 << 112 | u128::from(a) << 80 | u128::from(b) << 64 | u128::from(host),
        ))
    });
    let pair = prop_oneof![(v4.clone(), v4), (v6.clone(), v6)];
    (pair, 0..2_u16, 0..2_u16).prop_map(|((src, dst), one, other)| FiveTuple::new(src, one, dst, 443 + other))
}

fn common_prefix(one: Ipv6Addr, other: Ipv6Addr) -> u32 {
    (one.to_bits() ^ other.to_bits()).leading_zeros()
}

fn flow(protected: &Protected) -> FlowKey {
    let Protection { addresses, flow, .. } = protected.protection;
    FlowKey { five_tuple: protected.packet.five_tuple, addresses, flow }
}

proptest! {
    #[test]
    fn addresses_with_a_common_prefix_keep_it_when_encrypted(one in any_tuple(), other in any_tuple()) {
        let mut privacy = privacy(Addresses::Encrypted);
        let [a, b] = [one, other].map(|tuple| privacy.protect(&packet(tuple), DataSet::Tcp).packet.five_tuple);
        prop_assert_eq!(one.is_ipv4(), a.is_ipv4());
        if one.is_ipv4() == other.is_ipv4() {
            prop_assert_eq!(common_prefix(one.src_ip, other.src_ip), common_prefix(a.src_ip, b.src_ip));
            prop_assert_eq!(common_prefix(one.src_ip, one.dst_ip), common_prefix(a.src_ip, a.dst_ip));
        }
    }

    #[test]
    fn truncated_addresses_are_their_networks(tuple in any_tuple()) {
        let protected = privacy(Addresses::Truncated).protect(&packet(tuple), DataSet::Tcp).packet.five_tuple;
        match (tuple.src(), protected.src()) {
            (IpAddr::V4(real), IpAddr::V4(kept)) => {
                let [a, b, c, _] = real.octets();
                prop_assert_eq!(kept.octets(), [a, b, c, 0]);
            }
            (IpAddr::V6(real), IpAddr::V6(kept)) => {
                prop_assert_eq!(kept.segments()[..3].to_vec(), real.segments()[..3].to_vec());
                prop_assert_eq!(kept.segments()[3..].to_vec(), vec![0; 5]);
            }
            mixed => prop_assert!(false, "{mixed:?}"),
        }
    }

    #[test]
    fn connections_stay_distinct_and_directions_together(one in any_tuple(), other in any_tuple()) {
        for addresses in Addresses::ALL {
            let mut privacy = privacy(addresses);
            let [a, b] = [one, other].map(|tuple| flow(&privacy.protect(&packet(tuple), DataSet::Tcp)));
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.addresses, addresses);
            let back = flow(&privacy.protect(&packet(one.reversed()), DataSet::Tcp));
            prop_assert_eq!(back, a.reversed());
        }
    }

    #[test]
    fn nothing_else_changes_and_the_place_is_that_of_the_source(tuple in any_tuple()) {
        for addresses in Addresses::ALL {
            let (mut privacy, packet) = (privacy(addresses), packet(tuple));
            let protected = privacy.protect(&packet, DataSet::Tcp);
            prop_assert_eq!(Packet { five_tuple: tuple, ..protected.packet }, packet);
            prop_assert_eq!((protected.packet.five_tuple.src_port, protected.packet.five_tuple.dst_port), (tuple.src_port, tuple.dst_port));
            let place = if addresses == Addresses::Full { Place::default() } else { geo().current().lookup(tuple.src()) };
            prop_assert_eq!(protected.protection.place, place);
        }
    }
}

/// Who has no key cannot tell that two connections are of one client.
#[test]
fn flows_of_one_client_have_nothing_in_common() {
    let mut privacy = privacy(Addresses::Truncated);
    let flow = |privacy: &mut Privacy, port| {
        let tuple = FiveTuple::new([81, 2, 3, 4].into(), port, [203, 0, 113, 5].into(), 443);
        privacy.protect(&packet(tuple), DataSet::Tcp).protection.flow
    };
    let flows: std::collections::BTreeSet<u64> = (0..1000).map(|port| flow(&mut privacy, port)).collect();
    assert_eq!(flows.len(), 1000);
    let mut bytes = *key().bytes();
    bytes[31] ^= 1;
    let mut other = Privacy::new(Addresses::Truncated, &AddressKey::new(bytes).unwrap(), geo());
    assert_ne!(flow(&mut privacy, 7), flow(&mut other, 7));
}

#[test]
fn more_addresses_than_are_remembered_are_encrypted_rightly() {
    let (mut privacy, cipher) = (privacy(Addresses::Encrypted), AddressCipher::new(&key()));
    for number in 0..REMEMBERED as u32 + 10 {
        let client = std::net::Ipv4Addr::from(0x5100_0000 | number);
        let tuple = FiveTuple::new(client.into(), 1, [203, 0, 113, 5].into(), 443);
        let protected = privacy.protect(&packet(tuple), DataSet::Tcp);
        if number % 1000 == 0 {
            assert_eq!(cipher.decrypt(protected.packet.five_tuple.src()), IpAddr::from(client));
        }
    }
}

#[test]
fn a_key_is_made_once_and_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("address.key");
    assert!(AddressKey::read(&path).is_err());
    let (made, is_new) = AddressKey::read_or_create(&path).unwrap();
    assert!(is_new);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(AddressKey::read_or_create(&path).unwrap() == (made.clone(), false));
    assert!(AddressKey::read(&path).unwrap() == made);
    assert_eq!(format!("{made:?}"), "AddressKey(..)");
}

#[test]
fn files_that_are_no_keys_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("address.key");
    let wrong = |text: &str, mode| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        AddressKey::read_or_create(&path).unwrap_err().to_string()
    };
    let digits = "0123456789abcdef".repeat(3) + "fedcba9876543210";
    assert!(wrong(&digits, 0o640).contains("chmod 600"));
    for text in ["", "abc", &"ab".repeat(32), &"+1".repeat(32), &format!("{digits}0"), &"é".repeat(32)] {
        assert!(wrong(text, 0o600).contains("64 hexadecimal digits"), "{text}");
    }
}
