//! What can be explained beyond stages, tags and signatures: patterns in many connections.

/// A pattern, and what is known about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Topic {
    /// The name in data, where it has one.
    pub name: &'static str,
    pub(super) title: &'static str,
    pub(super) about: &'static str,
    /// Innocent causes come first.
    pub(super) causes: &'static [&'static str],
    pub(super) todo: &'static [&'static str],
    pub(super) unknown: &'static [&'static str],
}

/// All topics.
pub static TOPICS: [Topic; 5] = [
    Topic {
        name: "flood",
        title: "Flood of SYNs",
        about: "Single SYNs from most networks at once, with hardly any completed handshake among them. An event of this kind belongs to the world: while it lasts, the share of Post-SYN says nothing about any country or network, and none of them gets an event.",
        causes: &[
            "Your own answers get lost everywhere: a failed uplink, firewall or load balancer that drops SYN+ACKs or the clients' ACKs. Completed handshakes become fewer then; in a flood they do not.",
            "A widely used program or device that suddenly connects to you, such as after a faulty update.",
            "A scan that many hosts share, such as a botnet's.",
            "SYNs with forged source addresses. The countries and networks shown are those of the forged addresses.",
        ],
        todo: &[
            "SYN cookies keep a Linux host reachable when its queue of half-open connections is full: sysctl net.ipv4.tcp_syncookies (1 is the default); 'cutshort doctor' checks it. net.ipv4.tcp_max_syn_backlog and the program's listen backlog set the size of the queue.",
            "nstat -az TcpExtSyncookiesSent TcpExtListenOverflows TcpExtListenDrops shows whether it was full.",
            "If the rules' set of sampled connections fills up, 'cutshort rules status' and answers say so. A larger N in --rate (1 in N), or a larger --size, makes room.",
            "Rankings count completed handshakes only unless you choose otherwise, so forged sources do not appear in them.",
        ],
        unknown: &[
            "Counts of 15 minutes do not show how fast SYNs came, nor floods of less than two windows, nor from which addresses they came.",
            "Forged and real sources look alike. Only real ones complete handshakes.",
        ],
    },
    Topic {
        name: "scan",
        title: "Scan",
        about: "Single SYNs from one network or country, of whose connections fewer than one in five complete a handshake. Pauses of up to 26 hours belong to the same event, and after a week it is what is usual there.",
        causes: &[
            "Search engines of devices and research projects scan everybody, often from one network, at fixed hours.",
            "A monitoring system that probes with single SYNs.",
            "Worms and botnets that look for open ports; the tags 'mirai', 'masscan', 'zmap' and 'zmap4' name known tools.",
            "A flood that few hosts send under their own addresses.",
        ],
        todo: &[
            "Nothing, as a rule: a SYN that is refused or not answered costs little.",
            "To look at the rest: --filter scanner=false, 'cutshort query --scanner false', or the switch in the dashboard.",
        ],
        unknown: &[
            "How many of your addresses were tried: counts have ports, but no addresses of servers. 'cutshort export connections' and 'cutshort classify' have them.",
            "Ports beyond the 32 most frequent ones of a window are counted together.",
        ],
    },
    Topic {
        name: "reflection",
        title: "Reflection",
        about: "Single SYNs from one network or country, nearly all to one port, nearly all ended by a RST from there, and without marks of a known scanner. It looks as if somebody sent SYNs in the name of these addresses: you answer with SYN+ACKs, and their real owners, who never asked, reject them with RSTs.",
        causes: &[
            "A scanner that cutshort does not know: its host rejects your SYN+ACK with a RST as well. From the counts, the two cannot be told apart.",
            "Health checks that open and reset without completing the handshake.",
            "An attack on the network that is shown, for which many servers are used as reflectors. Each of them sees little of it.",
        ],
        todo: &[
            "A SYN+ACK is hardly larger than the SYN, but it is repeated if nothing comes back: sysctl net.ipv4.tcp_synack_retries=2 sends fewer. SYN cookies do not help here.",
            "Do not block the network shown: it is the victim, if it is one.",
            "'cutshort rules status' counts SYN+ACKs and RSTs that come in without a connection, which shows the opposite case: that your addresses are forged elsewhere.",
        ],
        unknown: &[
            "Whether many of your addresses are used: look at the servers in 'cutshort export connections'.",
            "Victims behind a firewall send no RST; then it is a scan, or nothing.",
        ],
    },
    Topic {
        name: "half_open",
        title: "Half-open connections",
        about: "A SYN was answered, and neither an ACK nor a RST came: the signature SYN → ∅. Until the server gives up, which takes about a minute, each of them takes a place in its queue.",
        causes: &[
            "Packets are lost on the way to the client or back.",
            "The client is gone: a phone that changed networks, a browser that lost interest (Happy Eyeballs).",
            "The client's firewall drops your answer.",
            "Scanners that do not wait for answers, and forged sources behind which nobody is.",
        ],
        todo: &[
            "ss -tn state syn-recv | wc -l counts them now; net.ipv4.tcp_max_syn_backlog limits them; SYN cookies (net.ipv4.tcp_syncookies=1) take over when it is reached.",
            "net.ipv4.tcp_synack_retries=2 shortens a minute to about seven seconds.",
        ],
        unknown: &["Whether the server answered at all: clients' packets alone do not show it."],
    },
    Topic {
        name: "zero_window",
        title: "Closed windows",
        about: "Clients that complete the handshake and then announce a window of 0 or a few bytes: the server cannot send, and its connection, memory and process stay occupied. The tag zero_window marks such connections.",
        causes: &[
            "A client that cannot keep up: a slow disk, a paused video, a suspended laptop, an overloaded proxy.",
            "A program that has stopped reading without closing.",
            "Tools that hold many connections open on purpose so that a server runs out of them.",
        ],
        todo: &[
            "Limit the time for sending an answer and the connections per address in your web server (nginx: send_timeout, limit_conn; Apache: RequestReadTimeout and mod_reqtimeout; HAProxy: timeout client).",
            "ss -tno state established '( sport = :443 )' shows connections with a timer named 'persist': they wait for a window.",
        ],
        unknown: &[
            "How long the window stays closed: only the first packets of a connection are kept.",
            "There is no event for it; compare the share of the tag with 'cutshort query timeseries --by tag'.",
        ],
    },
];

/// The topic with a name.
#[must_use]
pub fn topic(name: &str) -> Option<&'static Topic> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    TOPICS.iter().find(|topic| topic.name == name)
}
