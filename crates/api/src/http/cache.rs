//! Answers that were given, for those who ask the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::reply::Reply;

/// What an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    /// Path and query.
    pub(super) address: String,
    /// The quarter of an hour in which it was asked for: relative ranges end there.
    pub(super) quarter: i64,
}

/// Which facts and which geo data an answer is made of. Both numbers only ever grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) facts: u64,
    pub(super) geo: u64,
}

impl Generation {
    /// Whether something is newer in the other one.
    const fn is_older(self, other: Self) -> bool {
        self.facts < other.facts || self.geo < other.geo
    }
}

/// Answers made from the same facts and geo data, up to so many bytes.
pub(super) struct Cache {
    room: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    generation: Generation,
    used: usize,
    replies: HashMap<CacheKey, Reply>,
}

/// Larger answers are not kept, as a share of the room.
const LARGEST: usize = 8;

impl Cache {
    pub(super) fn new(room: usize) -> Self {
        Self { room, inner: Mutex::default() }
    }

    /// The answer that was given before, if all that it was made of is still the same.
    pub(super) fn get(&self, key: &CacheKey, generation: Generation) -> Option<Reply> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation == generation { inner.replies.get(key).cloned() } else { None }
    }

    /// Keeps an answer; throws away all of them when these have changed, or there is no room.
    pub(super) fn put(&self, key: CacheKey, generation: Generation, reply: &Reply) {
        let size = reply.body.len() + key.address.len() + size_of::<(CacheKey, Reply)>();
        if size > self.room / LARGEST {
            return;
        }
        let inner = &mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if generation.is_older(inner.generation) {
            return;
        }
        if inner.generation != generation || inner.used + size > self.room {
            *inner = Inner { generation, ..Inner::default() };
        }
        if inner.replies.insert(key, reply.clone()).is_none() {
            inner.used += size;
        }
    }
}
