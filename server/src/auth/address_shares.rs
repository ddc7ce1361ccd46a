//! A share of something for each client address, so that one address can't take all of it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many each address has taken. Addresses that have none are not kept.
#[derive(Debug)]
pub(super) struct AddressShares {
    limit: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// One of those that an address may take, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    of: Option<(Arc<AddressShares>, IpAddr)>,
}

impl AddressShares {
    /// Each address may take `limit` at a time.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: Mutex::default() }
    }

    /// Takes one for `address`; `None` if it has all of its share. Without an address there is no
    /// share to respect.
    pub(super) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Share> {
        let Some(address) = address else { return Some(Share { of: None }) };
        let mut taken = self.taken();
        let of_address = taken.entry(address).or_default();
        if *of_address >= self.limit {
            return None;
        }
        *of_address += 1;
        Some(Share { of: Some((self.clone(), address)) })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, address)) = &self.of else { return };
        let mut taken = shares.taken();
        if let Some(of_address) = taken.get_mut(address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.remove(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_takes_its_share_and_leaves_the_others_theirs() {
        let shares = Arc::new(AddressShares::new(2));
        let [one, other] = [1, 2].map(|last| Some(IpAddr::from([192, 0, 2, last])));
        let taken = [shares.take(one), shares.take(one)];
        assert!(taken.iter().all(Option::is_some));
        assert!(shares.take(one).is_none());
        assert!(shares.take(other).is_some());
        assert!(shares.take(None).is_some());
        drop(taken);
        assert!(shares.take(one).is_some());
    }

    #[test]
    fn an_address_that_has_nothing_is_not_kept() {
        let shares = Arc::new(AddressShares::new(1));
        for last in 0..=255 {
            drop(shares.take(Some(IpAddr::from([192, 0, 2, last]))));
        }
        assert!(shares.taken().is_empty());
    }
}
