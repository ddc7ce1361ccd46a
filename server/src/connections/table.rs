//! The open connections of a listener: how many there may be, and which one makes room for another.

use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use super::{
    Bounds,
    activity::Activity,
    metrics::{Closed, ListenerMetrics},
};
use crate::{
    client_address::{TrustedProxies, block},
    readiness::Saturation,
};

/// What `/readyz` says while the table is full of connections with requests.
const SATURATED: &str = "all connections are in use (MCP_MAX_CONCURRENT_REQUESTS)";

/// The open connections, bounded in total and per address.
pub(super) struct Table {
    bounds: Bounds,
    trusted: Arc<TrustedProxies>,
    metrics: ListenerMetrics,
    saturation: Saturation,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    connections: BTreeMap<u64, Entry>,
    /// How many each address has; trusted proxies are not counted.
    per_address: HashMap<IpAddr, usize>,
    last_id: u64,
}

struct Entry {
    /// What the connection is counted by; `None`: a trusted proxy's.
    address: Option<IpAddr>,
    activity: Arc<Activity>,
    evicted: CancellationToken,
}

/// A connection's place in the table, until it is dropped.
pub(super) struct Place {
    table: Arc<Table>,
    id: u64,
    /// What the connection does; the table reads it to find one that is idle.
    pub(super) activity: Arc<Activity>,
    /// Cancelled once the connection must make room. It is no longer counted then.
    pub(super) evicted: CancellationToken,
}

impl Table {
    pub(super) fn new(
        bounds: Bounds,
        trusted: Arc<TrustedProxies>,
        metrics: ListenerMetrics,
    ) -> Self {
        metrics.set_limits(bounds.total, bounds.per_address);
        Self { bounds, trusted, metrics, saturation: Saturation::default(), open: Mutex::default() }
    }

    /// A place for a connection from `peer`. Above a bound it is the place of the connection that
    /// has been idle for the longest. `None`: there is no idle one, so the new one must be closed.
    pub(super) fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Place> {
        let address = (!self.trusted.contains(peer.ip())).then(|| block(peer.ip()));
        let mut open = self.open();
        let of_address =
            address.and_then(|address| open.per_address.get(&address)).copied().unwrap_or(0);
        let (victim, closed) = if of_address >= self.bounds.per_address {
            let Some(victim) = open.longest_idle(|entry| entry.address == address) else {
                self.metrics.closed(Closed::AddressRefused);
                return None;
            };
            (Some(victim), Closed::AddressLimit)
        } else if open.connections.len() >= self.bounds.total {
            let victim = open.longest_idle(|_| true).or_else(|| self.busiest(&open));
            let Some(victim) = victim else {
                self.saturation.refused();
                self.metrics.closed(Closed::Refused);
                return None;
            };
            (Some(victim), Closed::TotalLimit)
        } else {
            (None, Closed::TotalLimit)
        };
        if let Some(victim) = victim {
            open.evict(victim);
            self.metrics.closed(closed);
        }
        self.saturation.admitted();
        let (activity, evicted) = (Arc::new(Activity::new()), CancellationToken::new());
        let id = open.insert(Entry {
            address,
            activity: Arc::clone(&activity),
            evicted: evicted.clone(),
        });
        self.count(&open);
        Some(Place { table: Arc::clone(self), id, activity, evicted })
    }

    /// Closes the connection that has been idle for the longest: the system can hold no more.
    pub(super) fn make_room(&self) {
        let mut open = self.open();
        if let Some(victim) = open.longest_idle(|_| true) {
            open.evict(victim);
            self.metrics.closed(Closed::TotalLimit);
            self.count(&open);
        }
    }

    /// Why no connection can be taken now, if that has lasted.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let full = || {
            let open = self.open();
            open.connections.len() >= self.bounds.total && open.longest_idle(|_| true).is_none()
        };
        (self.saturation.lasts() && full()).then_some(SATURATED)
    }

    /// The connection whose request has been answered for the longest, if it may be closed.
    fn busiest(&self, open: &Open) -> Option<u64> {
        let longest = || open.connections.iter().min_by_key(|(_, entry)| entry.activity.phase().1);
        self.bounds.close_busy.then(longest).flatten().map(|(id, _)| *id)
    }

    fn count(&self, open: &Open) {
        let most = open.per_address.values().max().copied().unwrap_or(0);
        self.metrics.set_in_flight(open.connections.len(), most);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn longest_idle(&self, counts: impl Fn(&Entry) -> bool) -> Option<u64> {
        let idle = self
            .connections
            .iter()
            .filter(|(_, entry)| counts(entry))
            .filter_map(|(id, entry)| Some((entry.activity.idle_since()?, *id)));
        idle.min().map(|(_, id)| id)
    }

    fn insert(&mut self, entry: Entry) -> u64 {
        if let Some(address) = entry.address {
            *self.per_address.entry(address).or_default() += 1;
        }
        self.last_id += 1;
        self.connections.insert(self.last_id, entry);
        self.last_id
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.connections.remove(&id)?;
        if let Some(address) = entry.address
            && let Some(count) = self.per_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&address);
            }
        }
        Some(entry)
    }

    fn evict(&mut self, id: u64) {
        if let Some(entry) = self.remove(id) {
            entry.evicted.cancel();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.table.open();
        open.remove(self.id);
        self.table.count(&open);
    }
}
