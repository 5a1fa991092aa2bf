//! How many connections there may be, in all and of one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::limiter::network;

/// What connections of clients are limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many there are at most. A client has an eighth of them at most, and the last eighth is kept for clients
    /// with few.
    pub connections: usize,
    /// How long a client may take for its first request, from the first byte to the end of the head.
    pub head: Duration,
    /// How long a connection stays open on which nothing is asked, or on which an answer is not taken.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 2048, head: Duration::from_secs(15), idle: Duration::from_secs(30) }
    }
}

impl Limits {
    /// Open files that the store, its jobs and received packets need.
    const OTHER_FILES: u64 = 512;

    /// How many open files these limits may take, with those of the rest of the server.
    #[must_use]
    pub const fn files(&self) -> u64 {
        self.connections as u64 + Self::OTHER_FILES
    }

    /// Reduces the number of connections to what this many open files allow. Connections get at least a quarter of them.
    #[must_use]
    pub fn within(self, files: u64) -> Self {
        let most = files.saturating_sub(Self::OTHER_FILES).max(files / 4);
        Self { connections: self.connections.min(usize::try_from(most).unwrap_or(usize::MAX)), ..self }
    }

    /// How many a client may have.
    fn share(&self) -> usize {
        (self.connections / 8).max(1)
    }

    /// How many a client may have when there is little room.
    fn few(&self) -> usize {
        (self.share() / 8).max(1)
    }

    /// From how many connections on there is little room.
    fn nearly_all(&self) -> usize {
        self.connections - self.share()
    }
}

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no room for anybody, or none for those who have more than a few connections.
    Full,
    /// The client has its share.
    Share,
}

impl Refusal {
    const ALL: [Self; 2] = [Self::Full, Self::Share];

    /// A name for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Share => "share",
        }
    }
}

/// The connections that are open.
pub(super) struct Room {
    limits: Limits,
    open: Mutex<OpenConnections>,
    refused: [AtomicU64; 2],
    idle: AtomicU64,
}

#[derive(Default)]
struct OpenConnections {
    all: usize,
    of_clients: HashMap<u128, usize>,
}

/// A connection's place, which is free again when it is dropped.
pub(super) struct Admission {
    room: Arc<Room>,
    client: Option<u128>,
}

impl Room {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: Mutex::default(),
            refused: [AtomicU64::new(0), AtomicU64::new(0)],
            idle: AtomicU64::new(0),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Takes a place for a client, or for a proxy, which may have any number.
    pub(super) fn admit(self: &Arc<Self>, client: Option<IpAddr>) -> Result<Admission, Refusal> {
        let client = client.map(network);
        let admitted = self.count(client);
        if let Err(refusal) = admitted {
            self.refused[refusal as usize].fetch_add(1, Ordering::Relaxed);
        }
        admitted.map(|()| Admission { room: Arc::clone(self), client })
    }

    fn count(&self, client: Option<u128>) -> Result<(), Refusal> {
        let (limits, mut open) = (&self.limits, self.lock());
        let own = client.and_then(|client| open.of_clients.get(&client)).copied().unwrap_or(0);
        let is_tight = client.is_some() && open.all >= limits.nearly_all();
        if own >= limits.share() {
            return Err(Refusal::Share);
        }
        if open.all >= limits.connections || (is_tight && own >= limits.few()) {
            return Err(Refusal::Full);
        }
        open.all += 1;
        if let Some(client) = client {
            *open.of_clients.entry(client).or_default() += 1;
        }
        Ok(())
    }

    /// Notes that a connection was ended because nothing was asked on it.
    pub(super) fn note_idle(&self) {
        self.idle.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.lock().all
    }

    /// How many were ended because nothing was asked on them.
    pub(super) fn ended_idle(&self) -> u64 {
        self.idle.load(Ordering::Relaxed)
    }

    /// How many were refused, by reason.
    pub(super) fn refused(&self) -> [(Refusal, u64); 2] {
        Refusal::ALL.map(|refusal| (refusal, self.refused[refusal as usize].load(Ordering::Relaxed)))
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.room.lock();
        open.all -= 1;
        let Some(client) = self.client else { return };
        if let Some(own) = open.of_clients.get_mut(&client) {
            *own -= 1;
            if *own == 0 {
                open.of_clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(connections: usize) -> Arc<Room> {
        Arc::new(Room::new(Limits { connections, ..Limits::default() }))
    }

    #[test]
    fn open_files_limit_connections() {
        let within = |files| Limits::default().within(files).connections;
        assert_eq!(Limits::default().files(), 2048 + 512);
        assert_eq!([within(1 << 20), within(2560), within(1024), within(256)], [2048, 2048, 512, 64]);
    }

    fn fill(room: &Arc<Room>, client: &str) -> Vec<Admission> {
        let client: IpAddr = client.parse().unwrap();
        std::iter::from_fn(|| room.admit(Some(client)).ok()).collect()
    }

    #[test]
    fn a_client_has_its_share_and_a_network_of_ipv6_is_one_client() {
        let room = room(160);
        let places = fill(&room, "2001:db8::1");
        assert_eq!((places.len(), room.open()), (20, 20));
        assert!(matches!(room.admit(Some("2001:db8::2".parse().unwrap())), Err(Refusal::Share)));
        assert!(room.admit(Some("2001:db8:0:1::1".parse().unwrap())).is_ok());
        assert!(room.refused()[Refusal::Share as usize].1 > 0);
        drop(places);
        assert_eq!((room.open(), room.lock().of_clients.len()), (0, 0));
    }

    #[test]
    fn the_last_places_are_for_clients_with_few() {
        let room = room(160);
        let full: Vec<_> = (0..20).flat_map(|last| fill(&room, &format!("192.0.2.{last}"))).collect();
        assert_eq!(full.len(), 7 * 20 + 10 * 2);
        let room = self::room(160);
        let full: Vec<_> = (0..9).flat_map(|last| fill(&room, &format!("192.0.2.{last}"))).collect();
        assert!(matches!(room.admit(Some([192, 0, 2, 8].into())), Err(Refusal::Full)), "{}", full.len());
        assert!(room.admit(Some([192, 0, 2, 99].into())).is_ok());
    }

    #[test]
    fn a_proxy_may_have_all() {
        let room = room(160);
        let places: Vec<_> = std::iter::from_fn(|| room.admit(None).ok()).collect();
        assert_eq!(places.len(), 160);
        assert!(matches!(room.admit(Some([192, 0, 2, 1].into())), Err(Refusal::Full)));
    }
}
