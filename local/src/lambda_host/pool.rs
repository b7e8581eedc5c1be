//! Which processes are warm, and how many may run.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::process::Process;
use super::{Invokable, Owner};

/// Processes of one version at a time; further events wait for one to be free.
const PROCESSES_PER_VERSION_MAX: usize = 8;
/// Processes of all functions at a time.
const PROCESSES_MAX: usize = 64;
/// A process without an event for so long is ended.
const IDLE_MAX: Duration = Duration::from_mins(5);

/// What makes two invocations able to share a process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    owner: Owner,
    version: String,
    role_id: String,
    package: String,
    environment: BTreeMap<String, String>,
    timeout: Duration,
    memory_mb: u32,
    handler: String,
    log_group: Option<String>,
}

impl Kind {
    fn of(function: &Invokable) -> Self {
        let Invokable { region, function: name, function_id: id, .. } = function;
        Self {
            owner: Owner { region: region.clone(), name: name.clone(), id: id.clone() },
            version: function.version.clone(),
            role_id: function.role_id.clone(),
            package: function.package.clone(),
            environment: function.environment.clone(),
            timeout: function.timeout,
            memory_mb: function.memory_mb,
            handler: function.handler.clone(),
            log_group: function.log_group.clone(),
        }
    }

    /// Whether both are one version of functions of one name; when it changes, the processes of what it was
    /// are ended.
    fn is_version_of(&self, other: &Self) -> bool {
        self.owner.region == other.owner.region
            && self.owner.name == other.owner.name
            && self.version == other.version
    }
}

/// A process that waits for its next event. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Idle {
    kind: Kind,
    process: Process,
    since: Instant,
}

#[derive(Debug, Default)]
struct Slots {
    /// Oldest first.
    idle: Vec<Idle>,
    busy: HashMap<Kind, usize>,
}

/// All processes of a host.
#[derive(Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
    /// Its end ends the thread that looks for idle processes.
    _reaper: Sender<()>,
}

#[derive(Debug, Default)]
struct Shared {
    slots: Mutex<Slots>,
    freed: Condvar,
}

/// The right to run one process: a warm one, or a new one. Given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pool: Arc<Shared>,
    kind: Kind,
    /// A warm process; put it back here if it can take another event.
    pub(super) process: Option<Process>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The function works on as many events as are reserved for it.
    Reserved,
    /// None was freed in time.
    InTime,
}

impl Default for Pool {
    fn default() -> Self {
        let (sender, receiver) = channel();
        let shared = Arc::new(Shared::default());
        let weak = Arc::downgrade(&shared);
        // Without the thread idle processes merely live until the host ends.
        let _thread = thread::Builder::new().name("lambda-idle".into()).spawn(move || reap(&receiver, &weak));
        Self { shared, _reaper: sender }
    }
}

impl Pool {
    /// Takes out the idle processes of functions that are gone.
    pub(super) fn take_orphans(&self, is_gone: impl Fn(&Owner) -> bool) -> Vec<Idle> {
        self.shared.lock().idle.extract_if(.., |idle| is_gone(&idle.kind.owner)).collect()
    }

    /// Waits for a place, unless the function's reserved concurrency is used up: then nobody waits. (Lambda
    /// Developer Guide, "Understanding Lambda function scaling": a request beyond it is throttled.)
    pub(super) fn place(&self, function: &Invokable, until: Instant) -> Result<Place, NoPlace> {
        let kind = Kind::of(function);
        let mut slots = self.shared.lock();
        loop {
            if function.concurrency_max.is_some_and(|most| slots.busy_of(&kind.owner) >= most as usize) {
                return Err(NoPlace::Reserved);
            }
            // Ended outside of the lock: ending a process waits for it.
            let mut ended = slots.replaced_by(&kind);
            let mut process = slots.warm(&kind);
            let alive = process.as_mut().is_some_and(|idle| idle.process.alive());
            if !alive {
                ended.extend(process.take());
            }
            let room = process.is_some() || slots.room_for(&kind, &mut ended);
            if room {
                *slots.busy.entry(kind.clone()).or_default() += 1;
                drop(slots);
                drop(ended);
                let process = process.map(|idle| idle.process);
                return Ok(Place { pool: Arc::clone(&self.shared), kind, process });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoPlace::InTime);
            }
            if !ended.is_empty() {
                drop(slots);
                drop(ended);
                // A place may have been freed meanwhile.
                slots = self.shared.lock();
                continue;
            }
            slots = self.shared.freed.wait_timeout(slots, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_idle(&self, now: Instant) {
        let mut slots = self.lock();
        let (ended, kept) = std::mem::take(&mut slots.idle)
            .into_iter()
            .partition::<Vec<_>, _>(|idle| now.saturating_duration_since(idle.since) >= IDLE_MAX);
        slots.idle = kept;
        drop(slots);
        drop(ended);
    }
}

impl Slots {
    /// Takes out the idle processes of what this version of the function was before.
    fn replaced_by(&mut self, kind: &Kind) -> Vec<Idle> {
        self.idle.extract_if(.., |idle| idle.kind.is_version_of(kind) && idle.kind != *kind).collect()
    }

    /// How many events the function works on, all its versions together.
    fn busy_of(&self, owner: &Owner) -> usize {
        self.busy.iter().filter(|(kind, _)| kind.owner == *owner).map(|(_, count)| count).sum()
    }

    fn warm(&mut self, kind: &Kind) -> Option<Idle> {
        let position = self.idle.iter().rposition(|idle| idle.kind == *kind)?;
        Some(self.idle.remove(position))
    }

    fn room_for(&mut self, kind: &Kind, ended: &mut Vec<Idle>) -> bool {
        if self.busy.get(kind).copied().unwrap_or_default() >= PROCESSES_PER_VERSION_MAX {
            return false;
        }
        let busy: usize = self.busy.values().sum();
        if busy + self.idle.len() < PROCESSES_MAX {
            return true;
        }
        if self.idle.is_empty() {
            return false;
        }
        ended.push(self.idle.remove(0));
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut slots = self.pool.lock();
        if let Some(count) = slots.busy.get_mut(&self.kind) {
            *count -= 1;
            if *count == 0 {
                slots.busy.remove(&self.kind);
            }
        }
        if let Some(process) = self.process.take() {
            slots.idle.push(Idle { kind: self.kind.clone(), process, since: Instant::now() });
        }
        drop(slots);
        self.pool.freed.notify_all();
    }
}

/// Ends what was idle too long, until the pool is gone.
fn reap(pool_ended: &Receiver<()>, pool: &Weak<Shared>) {
    while pool_ended.recv_timeout(IDLE_MAX / 10) == Err(RecvTimeoutError::Timeout) {
        let Some(pool) = pool.upgrade() else { return };
        pool.end_idle(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(version: &str, concurrency_max: Option<u32>) -> Invokable {
        Invokable {
            arn: "arn:aws:lambda:eu-west-1:000000000000:function:f".into(),
            region: "eu-west-1".into(),
            function: "f".into(),
            function_id: "first".into(),
            role_id: "AROA".into(),
            version: version.into(),
            package: "abc123".into(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            memory_mb: 128,
            handler: "bootstrap".into(),
            log_group: None,
            concurrency_max,
        }
    }

    #[test]
    fn reserved_concurrency_caps_all_versions_together_and_nobody_waits() {
        let pool = Pool::default();
        let in_an_hour = Instant::now() + Duration::from_hours(1);
        let (one, two) = (function("1", Some(2)), function("2", Some(2)));
        let first = pool.place(&one, in_an_hour).unwrap();
        let second = pool.place(&two, in_an_hour).unwrap();
        for version in [&one, &two] {
            assert_eq!(pool.place(version, in_an_hour).unwrap_err(), NoPlace::Reserved);
        }
        let other = Invokable { function: "g".into(), ..one.clone() };
        drop(pool.place(&other, in_an_hour).unwrap());
        drop(first);
        let third = pool.place(&two, in_an_hour).unwrap();
        assert_eq!(pool.place(&one, in_an_hour).unwrap_err(), NoPlace::Reserved);
        drop((second, third));
        let unreserved = function("1", None);
        let all: Vec<_> = (0..8).map(|_| pool.place(&unreserved, in_an_hour).unwrap()).collect();
        assert_eq!(pool.place(&unreserved, Instant::now()).unwrap_err(), NoPlace::InTime);
        drop(all);
    }
}
