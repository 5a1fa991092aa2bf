//! The order of connections in a list.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::Ipv6Addr;

use cutshort_model::ConnectionRecord;

/// What connections are ordered by. Connections with the same value are ordered by time, the newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
    /// The time of their earliest packet.
    #[default]
    Time,
    /// The number of packets that were classified.
    Packets,
    /// How far they got before they were cut short.
    Stage,
    /// The number of the signature that matches.
    Signature,
    /// The client's country, by its code, then the client's AS number.
    Location,
    /// The client's address and port.
    Client,
    /// The server's address and port.
    Server,
}

impl OrderBy {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Time, Self::Packets, Self::Stage, Self::Signature, Self::Location, Self::Client, Self::Server];

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Packets => "packets",
            Self::Stage => "stage",
            Self::Signature => "signature",
            Self::Location => "location",
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The order of a list of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what connections are ordered.
    pub by: OrderBy,
    /// Whether the highest values come first. Unknown values are last in both directions.
    pub descending: bool,
}

impl Order {
    /// The newest connections first.
    pub const NEWEST: Self = Self { by: OrderBy::Time, descending: true };
}

impl Default for Order {
    fn default() -> Self {
        Self::NEWEST
    }
}

/// A position in an order: what comes first is less.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_unknown: bool,
    value: (u128, u64),
    newest: Reverse<i64>,
    tuple: (Ipv6Addr, u16, Ipv6Addr, u16),
    last_us: i64,
}

impl Rank {
    fn of(record: &ConnectionRecord<'_>, order: Order) -> Self {
        let value = value(record, order.by);
        let turned = |(high, low): (u128, u64)| if order.descending { (!high, !low) } else { (high, low) };
        let tuple = &record.five_tuple;
        Self {
            is_unknown: value.is_none(),
            value: value.map_or((0, 0), turned),
            newest: Reverse(record.first_us),
            tuple: (tuple.src_ip, tuple.src_port, tuple.dst_ip, tuple.dst_port),
            last_us: record.last_us,
        }
    }
}

/// A number that orders connections; none if the property is not known.
fn value(record: &ConnectionRecord<'_>, by: OrderBy) -> Option<(u128, u64)> {
    let tuple = &record.five_tuple;
    let endpoint = |ip: Ipv6Addr, port: u16| (u128::from(ip), u64::from(port));
    Some(match by {
        // Shifted, so that times before 1970 are numbers, too.
        OrderBy::Time => (0, record.first_us.cast_unsigned() ^ (1 << 63)),
        OrderBy::Packets => (0, record.packets.into()),
        OrderBy::Stage => (0, record.stage as u64),
        OrderBy::Signature => (0, record.signature?.id().into()),
        OrderBy::Location => {
            let code = record.location?.alpha2().bytes().fold(0, |code, byte| code << 8 | u128::from(byte));
            (code, record.asn.unwrap_or(u32::MAX).into())
        }
        OrderBy::Client => endpoint(tuple.src_ip, tuple.src_port),
        OrderBy::Server => endpoint(tuple.dst_ip, tuple.dst_port),
    })
}

/// The connections that come first in an order, of all that are offered. Holds only as many as it returns.
#[derive(Debug)]
pub struct First {
    order: Order,
    most: usize,
    heap: BinaryHeap<Ranked>,
}

impl First {
    /// The first `most` in an order.
    #[must_use]
    pub const fn new(order: Order, most: usize) -> Self {
        Self { order, most, heap: BinaryHeap::new() }
    }

    /// Considers a connection. It is copied only if it is among the first so far.
    pub fn offer(&mut self, record: &ConnectionRecord<'_>) {
        if self.most == 0 {
            return;
        }
        let rank = Rank::of(record, self.order);
        if self.heap.len() == self.most {
            if self.heap.peek().is_some_and(|last| last.rank <= rank) {
                return;
            }
            self.heap.pop();
        }
        self.heap.push(Ranked { rank, record: record.clone().into_owned() });
    }

    /// Returns them in order, without the first `skip`.
    pub fn into_records(self, skip: usize) -> impl Iterator<Item = ConnectionRecord<'static>> {
        self.heap.into_sorted_vec().into_iter().skip(skip).map(|ranked| ranked.record)
    }
}

#[derive(Debug)]
struct Ranked {
    rank: Rank,
    record: ConnectionRecord<'static>,
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}
