//! The rate limit per client.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A token bucket: each request takes one token, and tokens are refilled over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The number of tokens that are refilled per second.
    pub per_second: f64,
    /// The maximum number of tokens.
    pub burst: f64,
}

impl Default for Rate {
    /// More than a dashboard or a script needs, but less than a flood.
    fn default() -> Self {
        Self { per_second: 250.0, burst: 500.0 }
    }
}

/// The buckets of all clients, in a fixed amount of memory: clients with the same keyed hash share one.
pub(super) struct Limiter {
    rate: Rate,
    keys: RandomState,
    buckets: Mutex<Vec<Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

const BUCKETS: usize = 1 << 14;

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        let full = Bucket { tokens: rate.burst, at: Instant::now() };
        Self { rate, keys: RandomState::new(), buckets: Mutex::new(vec![full; BUCKETS]) }
    }

    /// Takes a token from a client's bucket.
    ///
    /// # Errors
    /// The number of seconds until there is a token again.
    pub(super) fn take(&self, client: IpAddr, now: Instant) -> Result<(), u32> {
        let at = self.keys.hash_one(network(client)) as usize % BUCKETS;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = &mut buckets[at];
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * self.rate.per_second).min(self.rate.burst);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - bucket.tokens) / self.rate.per_second;
        Err(seconds.ceil().clamp(1.0, 3600.0) as u32)
    }
}

/// The network of a client: IPv6 clients have at least a /64.
pub(super) fn network(client: IpAddr) -> u128 {
    match client.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn tokens_run_out_and_come_back() {
        let limiter = Limiter::new(Rate { per_second: 2.0, burst: 3.0 });
        let (client, now) = (IpAddr::from([192, 0, 2, 1]), Instant::now());
        assert_eq!((0..5).filter(|_| limiter.take(client, now).is_ok()).count(), 3);
        assert_eq!(limiter.take(client, now), Err(1));
        assert_eq!(limiter.take(client, now + Duration::from_millis(600)), Ok(()));
        assert_eq!(limiter.take(client, now + Duration::from_millis(600)), Err(1));
        let rested = now + Duration::from_secs(3600);
        assert_eq!(
            (0..5).filter(|_| limiter.take(client, rested).is_ok()).count(),
            3,
            "no more than the burst"
        );
    }

    #[test]
    fn clients_do_not_share_except_within_a_network_of_ipv6() {
        let limiter = Limiter::new(Rate { per_second: 0.001, burst: 1.0 });
        let now = Instant::now();
        let take = |client: &str| limiter.take(client.parse().unwrap(), now).is_ok();
        assert!(take("2001:db8::1"));
        assert!(!take("2001:db8::2"));
        assert!(take("2001:db8:0:1::1") || take("2001:db8:0:2::1"), "two more cannot both collide");
    }
}
