//! Rules come and go as a whole, and leave others alone.

use std::net::IpAddr;
use std::num::NonZeroU32;

use cutshort_capture::LiveSettings;
use cutshort_capture::rules::{self, Applied, Method, Sampling};

use crate::network::{Network, PORT};

const FOREIGN: &str = "\
table inet foreign {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 9 counter packets 0 bytes 0 drop
	}
}
table inet cutshort_not_ours {
}
";

const METHODS: [Method; 3] = [Method::Set, Method::Conntrack, Method::Origin];

/// Every setting that ends up in the text.
fn full(method: Method) -> Sampling {
    Sampling {
        method,
        rate: NonZeroU32::new(1000).unwrap(),
        interfaces: ["s0", "eth0.42", "wg*", "name-of-15-char"].map(str::to_owned).to_vec(),
        ports: vec![80.into(), 443.into(), "8000-8100".parse().unwrap()],
        // Overlapping ones, too.
        exclude: ["10.0.0.0/8", "10.1.0.0/16", "2001:db8:aaaa::/48"].map(|net| net.parse().unwrap()).to_vec(),
        forwarded: method == Method::Set,
        ..Sampling::default()
    }
}

#[test]
fn loading_and_removing_leaves_others_alone() {
    let Some(network) = Network::new() else { return };
    network.load("nft -f -", FOREIGN);
    let before = network.server("nft list ruleset");
    let loaded = || network.on_server(|| rules::status().unwrap());
    assert_eq!(loaded(), []);
    for method in METHODS {
        for sampling in [full(method), Sampling { method, ..Sampling::default() }] {
            network.on_server(|| rules::apply(&sampling)).unwrap();
            let tables = loaded();
            let table = tables.iter().find(|table| table.about == sampling.to_string());
            assert_eq!(table.unwrap().packets("logged"), Some(0));
            assert_eq!(table.unwrap().options, Some(sampling.options()));
        }
        assert!(network.server("nft list ruleset").contains(before.trim()));
    }
    assert_eq!(loaded().len(), 2);
    assert!(matches!(network.on_server(rules::remove), Ok(Applied::Changed(_))));
    assert_eq!(network.server("nft list ruleset"), before);
    assert_eq!(network.on_server(rules::remove), Ok(Applied::Unchanged));
}

/// iptables keeps its own empty chains once it was used, so rules are compared.
#[test]
fn iptables_rules_come_and_go() {
    let Some(network) = Network::new() else { return };
    network.server(
        "iptables -t mangle -A PREROUTING -p udp --dport 9 -j ACCEPT; ip6tables -t mangle -A INPUT -j ACCEPT",
    );
    let listed = || network.server("iptables -t mangle -S; ip6tables -t mangle -S");
    let before = listed();
    for sampling in [full(Method::Iptables), Sampling { method: Method::Iptables, ..Sampling::default() }] {
        network.on_server(|| rules::apply(&sampling)).unwrap();
        assert_eq!(network.on_server(rules::chains).options, Some(sampling.options()));
    }
    // Applied twice, there once.
    assert_eq!(listed().matches("-j CUTSHORT").count(), 2);
    assert_eq!(network.on_server(rules::chains).shown.len(), 2);
    // One method takes the other's place.
    network.on_server(|| rules::apply(&full(Method::Set))).unwrap();
    assert_eq!(listed(), before);
    network.on_server(|| rules::apply(&full(Method::Iptables))).unwrap();
    assert_eq!(network.on_server(|| rules::status().unwrap()), []);
    network.on_server(rules::remove).unwrap();
    assert_eq!(listed(), before);
}

/// Rules that the kernel refuses change nothing.
#[test]
fn loading_is_atomic() {
    let Some(network) = Network::new() else { return };
    let good = Sampling { ports: vec![PORT.into()], ..Sampling::default() };
    network.on_server(|| rules::apply(&good)).unwrap();
    let before = network.server("nft list ruleset");
    let bad = Sampling { size: 0, keep: std::time::Duration::MAX, ..good };
    let error = network.on_server(|| rules::apply(&bad)).unwrap_err();
    assert!(error.contains("nft does not load the rules"), "{error}");
    assert_eq!(network.server("nft list ruleset"), before);
}

/// Loading what is loaded goes on with what is remembered, also with other ports; another rate
/// begins anew.
#[test]
fn loading_again_goes_on() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let apply = |sampling: &Sampling| network.on_server(|| rules::apply(sampling)).unwrap();
    let logged = || network.on_server(|| rules::status().unwrap())[0].packets("logged");
    let list = "nft list set inet cutshort flows4; nft list set inet cutshort flows6";
    let remembered = || network.server(list).matches(" expires ").count();
    let sampling = Sampling { rate: NonZeroU32::MIN, ..Sampling::default() };
    apply(&sampling);
    network.craft("flood", "20");
    apply(&sampling);
    apply(&Sampling { ports: vec![PORT.into()], ..sampling.clone() });
    assert_eq!((logged(), remembered()), (Some(60), 20));
    let options = network.on_server(|| rules::status().unwrap())[0].options.clone();
    assert_eq!(options, Some(format!("--rate 1 --ports {PORT}")));
    apply(&Sampling { size: 100, ..sampling.clone() });
    assert_eq!((logged(), remembered()), (Some(0), 0));
    apply(&Sampling { rate: NonZeroU32::new(2).unwrap(), ..sampling });
    assert_eq!((logged(), remembered()), (Some(0), 0));
}

/// A flood of single SYNs holds no places for a window's length; what goes on is remembered so long.
#[test]
fn a_syn_that_nothing_follows_is_forgotten_early() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    for method in [Method::Set, Method::Origin] {
        let sampling = Sampling { method, rate: NonZeroU32::MIN, ..Sampling::default() };
        let text = sampling.text();
        assert_eq!(text.matches("timeout 30s").count(), 4, "{text}");
    }
    let sampling = Sampling { rate: NonZeroU32::MIN, ..Sampling::default() };
    network.on_server(|| rules::apply(&sampling)).unwrap();
    // In seconds.
    let ends = |set: &str| -> Vec<u64> {
        let listed = network.server(&format!("nft list set inet cutshort {set}"));
        let ends = listed.split(" expires ").skip(1).map(|rest| match rest.split_once('m') {
            Some((minutes, rest)) if !minutes.contains('s') && !rest.starts_with('s') => {
                60 * minutes.parse::<u64>().unwrap()
                    + rest.split('s').next().unwrap().parse::<u64>().unwrap_or(0)
            }
            _ => rest.split('s').next().unwrap().parse().unwrap(),
        });
        ends.collect()
    };
    let sets = ["places4", "places6", "flows4", "flows6"];
    network.craft("syns", "20");
    for set in sets {
        let ends = ends(set);
        assert!(ends.len() == 10 && ends.iter().all(|end| (10..=30).contains(end)), "{set}: {ends:?}");
    }
    // The same connections, with a message each.
    network.craft("flood", "20");
    for set in sets {
        let ends = ends(set);
        assert!(ends.len() == 10 && ends.iter().all(|end| (880..=900).contains(end)), "{set}: {ends:?}");
    }
}

/// Rules of older versions are known, and replaced as a whole although they sample alike.
#[test]
fn older_rules_are_known_and_replaced() {
    let Some(network) = Network::new() else { return };
    let sampling = Sampling { group: 7, ..Sampling::default() };
    let older = format!(
        "table inet cutshort {{
            comment \"{sampling}\"
            counter logged {{ packets 7 bytes 700 }}
            set flows4 {{
                type ipv4_addr . inet_service . ipv4_addr . inet_service
                flags dynamic
                size 65536
                timeout 900s
            }}
        }}"
    );
    network.load("nft -f -", &older);
    let loaded = || {
        let loaded = network.on_server(|| rules::status().unwrap()).pop().unwrap();
        (loaded.group(), loaded.packets("logged"), loaded.outdated)
    };
    assert_eq!(loaded(), (Some(7), Some(7), true));
    let silent =
        "add set inet cutshort again4 { typeof ip saddr . tcp sport . ip daddr . tcp dport; flags dynamic; }";
    network.load("nft -f -", silent);
    assert_eq!(loaded(), (Some(7), Some(7), true), "a full set is not reported");
    for method in [Method::Set, Method::Conntrack, Method::Set] {
        network.on_server(|| rules::apply(&Sampling { method, ..sampling.clone() })).unwrap();
        assert_eq!(loaded(), (Some(7), Some(0), false));
    }
}

/// Ports, exclusions and interfaces are respected.
#[test]
fn only_what_is_meant_is_sampled() {
    let Some(network) = Network::new().map(Network::without_offloads) else { return };
    let count = |sampling: Sampling| {
        network.load("nft -f -", &sampling.text());
        let receiver = network.receive("nflog:5", &LiveSettings::default());
        network.craft("flood", "20");
        let (packets, _) = receiver.stop();
        let ipv4 = packets.iter().filter(|packet| packet.five_tuple.is_ipv4()).count();
        (ipv4, packets.len() - ipv4)
    };
    let all = || Sampling { rate: NonZeroU32::MIN, ..Sampling::default() };
    let net = |address: &str| vec![address.parse::<IpAddr>().unwrap().into()];
    assert_eq!(count(all()), (30, 30));
    assert_eq!(count(Sampling { ports: vec![PORT.into(), 9.into()], ..all() }), (30, 30));
    assert_eq!(count(Sampling { ports: vec![9.into()], ..all() }), (0, 0));
    let range = |text: &str| vec![text.parse().unwrap(), 9.into()];
    assert_eq!(count(Sampling { ports: range("8000-8100"), ..all() }), (30, 30));
    assert_eq!(count(Sampling { ports: range("8081-8100"), ..all() }), (0, 0));
    assert_eq!(count(Sampling { interfaces: vec!["s*".to_owned()], ..all() }), (30, 30));
    assert_eq!(count(Sampling { interfaces: vec!["t*".to_owned()], ..all() }), (0, 0));
    assert_eq!(count(Sampling { interfaces: vec!["s0".to_owned()], ..all() }), (30, 30));
    assert_eq!(count(Sampling { interfaces: vec!["s1".to_owned()], ..all() }), (0, 0));
    assert_eq!(count(Sampling { exclude: net("198.51.100.100"), ..all() }), (0, 30));
    assert_eq!(count(Sampling { exclude: net("2001:db8:1::100"), ..all() }), (30, 0));
    // A set that is full ends sampling, and says so.
    assert_eq!(count(Sampling { size: 5, ..all() }), (15, 15));
    let loaded = network.on_server(|| rules::status().unwrap());
    assert_eq!(loaded[0].packets("full"), Some(20));
    // The packets are not for this host: on a router they are only taken if that is asked for.
    network.server("ip addr del 203.0.113.2/24 dev s0; ip -6 addr del 2001:db8:2::2/64 dev s0");
    assert_eq!(count(all()), (0, 0));
    assert_eq!(count(Sampling { forwarded: true, ..all() }), (30, 30));
}
