//! What agents write and send of addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cutshort_model::Addresses;
use cutshort_packet::Packet;
use cutshort_pipeline::{AddressCipher, AddressKey};
use cutshort_store::{FlowKey, Protected, Protection};

use crate::network::{Network, PORT};
use crate::processes::{Place, Running, until};
use crate::{CUTSHORT, ROUTER};

/// The same connections, truncated and encrypted: nothing but addresses is missing at the collector, connections stay
/// apart, and only the key turns addresses back.
#[test]
fn addresses_do_not_leave_the_server() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    network.serve();
    network.server(&format!("{CUTSHORT} rules apply --rate 1 --ports {PORT}"));
    let place = Place::new(ROUTER, "203.0.113.1:9000");
    let _collector = place.collector(&network);
    let agents = [("truncated", "nflog:5"), ("encrypted", "af_packet:s0")].map(|(addresses, source)| {
        let mut command = place.agent(&network, source);
        command.args(["--node", addresses, "--user", "nobody", "--spool"]).arg(place.path(addresses));
        command.env("CUTSHORT_CAPTURE_PORTS", PORT.to_string()).env("CUTSHORT_PRIVACY_ADDRESSES", addresses);
        let agent = Running::start(command, "receiving from");
        assert!(agent.said().contains("created a key for addresses"), "{}", agent.said());
        (addresses, agent)
    });
    let recording = network.record();
    network.craft("connections", "");
    let mut arrived = recording.stop();
    arrived.retain(|packet| packet.five_tuple.dst_port == PORT);
    for (addresses, agent) in agents {
        let (status, said) = agent.terminate();
        assert_eq!(status.code(), Some(0), "{said}");
        until("all is delivered", || place.count(addresses) > 0);
    }
    let connections = by_flow(arrived.iter().map(|packet| Protected::from(*packet)));
    let truncated = by_flow(stored(&place, Addresses::Truncated).into_iter());
    assert_eq!(sizes(&truncated), sizes(&connections));
    let ends: Vec<IpAddr> =
        truncated.keys().flat_map(|flow| [flow.five_tuple.src(), flow.five_tuple.dst()]).collect();
    let is_network = |address: &IpAddr| match address {
        IpAddr::V4(v4) => v4.octets()[3] == 0,
        IpAddr::V6(v6) => v6.segments()[3..] == [0; 5],
    };
    assert!(ends.iter().all(is_network), "{ends:?}");

    let key = key(&place.path("encrypted").join("address.key"));
    assert!(key != self::key(&place.path("truncated").join("address.key")));
    let cipher = AddressCipher::new(&key);
    let decrypted = stored(&place, Addresses::Encrypted).into_iter().map(|kept| {
        let tuple = kept.packet.five_tuple;
        let (src, dst) = (cipher.decrypt(tuple.src()), cipher.decrypt(tuple.dst()));
        let five_tuple = cutshort_packet::FiveTuple::new(src, tuple.src_port, dst, tuple.dst_port);
        Protected::from(Packet { five_tuple, ..kept.packet })
    });
    let decrypted = by_flow(decrypted);
    assert!(decrypted.keys().eq(connections.keys()));
    assert_eq!(sizes(&decrypted), sizes(&connections));
}

/// One server that receives itself, in a new directory: the key is there before the store.
#[test]
fn a_server_that_protects_addresses_starts_in_a_new_directory() {
    let Some(network) = Network::new() else { return };
    for user in [None, Some("nobody")] {
        let place = Place::new(ROUTER, "127.0.0.1:9000");
        let data = place.path(user.unwrap_or("root"));
        for made in [true, false] {
            let mut command = network.command(ROUTER, CUTSHORT);
            command
                .args(["serve", "--listen", "127.0.0.1:9000", "--capture", "af_packet:lo", "--data"])
                .arg(&data);
            command.args(user.map(|user| ["--user", user]).into_iter().flatten());
            command.env("CUTSHORT_PRIVACY_ADDRESSES", "truncated");
            let server = Running::start(command, "is served on");
            assert_eq!(server.said().contains("created a key for addresses"), made, "{}", server.said());
            let (status, said) = server.terminate();
            assert_eq!(status.code(), Some(0), "{said}");
        }
        key(&data.join("address.key"));
    }
}

/// What the collector has of an agent that is called as it protects.
fn stored(place: &Place, addresses: Addresses) -> Vec<Protected> {
    let segments = place.segments().into_iter().filter(|segment| segment.info().node == addresses.name());
    let segments: Vec<_> = segments.filter(|segment| segment.info().rows > 0).collect();
    assert!(segments.iter().all(|segment| segment.info().addresses == addresses));
    segments.iter().flat_map(|segment| segment.protected().unwrap()).collect()
}

/// How many of the first ten packets each flow has.
fn by_flow(packets: impl Iterator<Item = Protected>) -> BTreeMap<FlowKey, usize> {
    let mut flows = BTreeMap::new();
    for Protected { packet, protection } in packets {
        let Protection { addresses, flow, .. } = protection;
        let count = flows.entry(FlowKey { five_tuple: packet.five_tuple, addresses, flow }).or_default();
        *count = 10.min(*count + 1);
    }
    flows
}

fn sizes(flows: &BTreeMap<FlowKey, usize>) -> Vec<(u16, usize)> {
    let mut sizes: Vec<_> = flows.iter().map(|(flow, count)| (flow.five_tuple.src_port, *count)).collect();
    sizes.sort_unstable();
    sizes
}

/// A key that an agent has made.
fn key(path: &Path) -> AddressKey {
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    AddressKey::read(path).unwrap()
}

/// Geo files are read again from behind the fence, and by another user than the one that has started the agent.
#[test]
fn sighup_has_an_agent_read_geo_files_again_and_never_ends_it() {
    let Some(network) = Network::new() else { return };
    let place = Place::new(ROUTER, "203.0.113.1:9000");
    let (geo, new) = (place.path("networks.csv"), place.path("new.csv"));
    let replace = |text: &str| {
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &geo).unwrap();
    };
    for (addresses, reloaded, broken) in [
        ("truncated", "geo data was read again: networks.csv of", "geo data cannot be read again"),
        ("full", "SIGHUP: nothing is read again", "SIGHUP: nothing is read again"),
    ] {
        replace("198.51.100.0,198.51.100.255,PT,64500,Old\n");
        let mut command = place.agent(&network, "af_packet:s0");
        command.args(["--node", addresses, "--user", "nobody", "--spool"]).arg(place.path(addresses));
        command.env("CUTSHORT_GEO", &geo).env("CUTSHORT_PRIVACY_ADDRESSES", addresses);
        let agent = Running::start(command, "receiving from");
        replace("198.51.100.0,198.51.100.255,PT,64501,New\n");
        agent.signal("HUP");
        agent.awaits(reloaded);
        replace("nonsense");
        agent.signal("HUP");
        agent.awaits(broken);
        let (status, said) = agent.terminate();
        assert_eq!(status.code(), Some(0), "{said}");
    }
}
