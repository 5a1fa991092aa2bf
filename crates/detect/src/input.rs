use crate::SeriesPlace;

/// The counts of one window of 15 minutes.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Windows from the Unix epoch to this one: its start in seconds, divided by 900.
    pub number: i64,
    /// The nodes that were known at that time. A node that the detector knows and that is not listed saw nothing of the
    /// window.
    pub nodes: &'a [ObservedNode<'a>],
    /// What came from each place to each node. A place without counts had no connections at the nodes that are listed. If no
    /// server has counts, no server was observed.
    pub counts: &'a [SeriesCounts],
}

/// A node and how much of the window it observed.
#[derive(Clone, Copy, Debug)]
pub struct ObservedNode<'a> {
    /// The name of the node.
    pub name: &'a str,
    /// The part of the window that it observed, from 0 to 1.
    pub coverage: f64,
}

/// What came from a place to a node, in weighted connections: each counts as often as its sampling rate says.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesCounts {
    /// The place. Counts of countries and of the world are given as those of networks are: nothing is added up.
    pub place: SeriesPlace,
    /// The country of a network or server, with whose events its own are grouped. The last one given counts.
    pub country: Option<[u8; 2]>,
    /// The network of a server, with whose events those of the server are grouped. The last one given counts.
    pub network: Option<u32>,
    /// The node: its position in [`Window::nodes`].
    pub node: usize,
    /// The sum of the weights of all connections.
    pub all: f64,
    /// The sum of the squares of these weights.
    pub squares: f64,
    /// The sums of the weights of connections that were cut short, by stage: Post-SYN, Post-ACK, Post-PSH, Later.
    pub stages: [f64; 4],
    /// What the connections of Post-SYN were like; none if it is not known. Then all of their events are of [`Channel::PostSyn`].
    ///
    /// [`Channel::PostSyn`]: crate::Channel::PostSyn
    pub single: Option<SingleSyns>,
}

/// What connections were like of which nothing came but SYNs and RSTs: sums of weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SingleSyns {
    /// Those that a RST ended.
    pub reset: f64,
    /// Those whose SYN has the marks of a known scanner.
    pub scanner: f64,
    /// Those to the port that most of them went to.
    pub port: f64,
}

impl SeriesCounts {
    /// The weight of connections whose handshake was completed.
    #[must_use]
    pub fn completed(&self) -> f64 {
        (self.all - self.stages[0]).max(0.0)
    }
}
