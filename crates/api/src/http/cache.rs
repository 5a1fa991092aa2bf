//! Answers that were given, for those who ask the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::reply::Reply;

/// What an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Path and query.
    pub(super) address: String,
    /// The quarter of an hour in which it was asked for: relative ranges end there.
    pub(super) quarter: i64,
}

/// Answers made from the same facts, up to so many bytes.
pub(super) struct Cache {
    room: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    generation: u64,
    used: usize,
    replies: HashMap<Key, Reply>,
}

/// Larger answers are not kept, as a share of the room.
const LARGEST: usize = 8;

impl Cache {
    pub(super) fn new(room: usize) -> Self {
        Self { room, inner: Mutex::default() }
    }

    /// The answer that was given before, if the facts are still the same.
    pub(super) fn get(&self, key: &Key, generation: u64) -> Option<Reply> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation == generation { inner.replies.get(key).cloned() } else { None }
    }

    /// Keeps an answer; throws away all of them when facts have changed, or there is no room.
    pub(super) fn put(&self, key: Key, generation: u64, reply: &Reply) {
        let size = reply.body.len() + key.address.len() + size_of::<(Key, Reply)>();
        if size > self.room / LARGEST {
            return;
        }
        let inner = &mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.generation > generation {
            return;
        }
        if inner.generation < generation || inner.used + size > self.room {
            *inner = Inner { generation, ..Inner::default() };
        }
        if inner.replies.insert(key, reply.clone()).is_none() {
            inner.used += size;
        }
    }
}
