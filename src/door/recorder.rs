//! The toll that remembers: proof of zero writes, and the source of least-privilege policies.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::toll::{Crossing, Gate, Toll};

/// Keeps every crossing that was let through, in the order in which they ended; a crossing that lost
/// its answer counts, because its effect may have happened. Clones share one record.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Crossing>>>);

impl Recorder {
    /// An empty record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything so far.
    pub fn crossings(&self) -> Vec<Crossing> {
        self.lock().clone()
    }

    /// How many requests changed something, or may have.
    pub fn http_writes(&self) -> usize {
        self.count_http(true)
    }

    /// How many requests only read.
    pub fn http_reads(&self) -> usize {
        self.count_http(false)
    }

    /// The AWS operations used, as (service, operation): what a policy must allow.
    pub fn operations(&self) -> BTreeSet<(String, String)> {
        let aws = |crossing: &Crossing| match crossing {
            Crossing::Http { service, operation, .. } if !service.is_empty() => {
                Some((service.clone(), operation.clone()))
            }
            Crossing::Http { .. } | Crossing::File { .. } => None,
        };
        self.lock().iter().filter_map(aws).collect()
    }

    fn count_http(&self, writing: bool) -> usize {
        let counts =
            |crossing: &&Crossing| matches!(crossing, Crossing::Http { writes, .. } if *writes == writing);
        self.lock().iter().filter(counts).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Crossing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Toll for Recorder {
    fn before(&self, _: &Crossing) -> Gate {
        Gate::Open
    }

    fn after(&self, crossing: &Crossing, _answered: bool) {
        self.lock().push(crossing.clone());
    }
}
