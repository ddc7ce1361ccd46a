//! A fair share of the connections for each host: one that hangs delays its own servers only.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many hosts are probed at the same time, those of several servers counted each time.
const IN_TOTAL: usize = 32;
/// How many of these one host may have.
const FOR_ONE_HOST: usize = 8;

type Hosts = Mutex<HashMap<String, Arc<Semaphore>>>;

/// The places in which hosts are probed.
#[derive(Clone)]
pub(super) struct Shares {
    total: Arc<Semaphore>,
    hosts: Arc<Hosts>,
}

/// A place, until it is dropped.
pub(super) struct Place {
    host: String,
    hosts: Arc<Hosts>,
    permits: [Option<OwnedSemaphorePermit>; 2],
}

impl Default for Shares {
    fn default() -> Self {
        Self { total: Arc::new(Semaphore::new(IN_TOTAL)), hosts: Arc::default() }
    }
}

impl Shares {
    /// Waits for a place in which `host` may be probed. Who waits longest is first.
    pub(super) async fn place(&self, host: &str) -> Place {
        let of_host = {
            let mut hosts = lock(&self.hosts);
            Arc::clone(
                hosts
                    .entry(host.to_owned())
                    .or_insert_with(|| Arc::new(Semaphore::new(FOR_ONE_HOST))),
            )
        };
        // The host's place first: who waits for it takes none of the others.
        let of_host = of_host.acquire_owned().await.ok();
        let of_all = Arc::clone(&self.total).acquire_owned().await.ok();
        let hosts = Arc::clone(&self.hosts);
        Place { host: host.to_owned(), hosts, permits: [of_all, of_host] }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(mem::take(&mut self.permits));
        let mut hosts = lock(&self.hosts);
        if hosts.get(&self.host).is_some_and(|places| Arc::strong_count(places) == 1) {
            hosts.remove(&self.host);
        }
    }
}

/// A panic elsewhere leaves a map that is whole.
fn lock(hosts: &Hosts) -> MutexGuard<'_, HashMap<String, Arc<Semaphore>>> {
    hosts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test]
    async fn a_host_that_hangs_takes_its_own_share_only() {
        let shares = Shares::default();
        let hanging = join_all((0..FOR_ONE_HOST).map(|_| shares.place("hangs"))).await;
        let mut waiting = Box::pin(shares.place("hangs"));
        assert!(waiting.as_mut().now_or_never().is_none(), "a host has more than its share");
        let other = shares.place("another").now_or_never();
        assert!(other.is_some(), "another host has to wait");
        drop(hanging);
        assert!(waiting.now_or_never().is_some(), "a place that is free is not given on");
    }

    #[tokio::test]
    async fn all_hosts_share_a_limit_and_no_host_is_remembered_forever() {
        let shares = Shares::default();
        let hosts: Vec<_> = (0..IN_TOTAL).map(|host| host.to_string()).collect();
        let places = join_all(hosts.iter().map(|host| shares.place(host))).await;
        let mut more = Box::pin(shares.place("more"));
        assert!(more.as_mut().now_or_never().is_none(), "there is no limit");
        drop(places);
        drop(more.now_or_never());
        assert_eq!(lock(&shares.hosts).len(), 0);
    }
}
