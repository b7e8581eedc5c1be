//! The toll that injects faults and remembers every crossing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use crate::door::{Crossing, Gate, Refusal, Stop, Toll};

/// What happens at one crossing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused, without effect, once.
    Refused,
    /// It takes effect, and its answer is lost, once.
    NoAnswer,
    /// The process dies before it: from here on everything is refused.
    CrashBefore,
    /// The process dies after it: it takes effect, and nothing follows: everything else is refused.
    CrashAfter,
    /// Ctrl-C while it is in flight.
    Stop,
}

/// One crossing: what it is, and the how manieth of its name in a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) nth: usize,
    pub(super) writes: bool,
}

impl Place {
    /// Whether it is a request; else it is a file operation.
    pub(super) fn is_request(&self) -> bool {
        self.name.starts_with("http ")
    }
}

/// The toll. One run at a time.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    armed: Option<(Fault, Place)>,
    stop: Option<Stop>,
    fired: bool,
    dead: bool,
    /// How often each was seen, by name and whether it changes something.
    seen: BTreeMap<(String, bool), usize>,
    writes: Vec<String>,
}

impl Faults {
    /// A new run begins, in which `armed` is to happen; `stop` is its Ctrl-C.
    pub(super) fn begin(&self, armed: Option<(Fault, Place)>, stop: Stop) {
        *self.kept() = Kept { armed, stop: Some(stop), ..Kept::default() };
    }

    /// Whether the fault has happened.
    pub(super) fn fired(&self) -> bool {
        self.kept().fired
    }

    /// Every crossing of the run so far.
    pub(super) fn places(&self) -> Vec<Place> {
        let kept = self.kept();
        let mut places = Vec::new();
        for ((name, writes), count) in &kept.seen {
            places.extend((1..=*count).map(|nth| Place { name: name.clone(), nth, writes: *writes }));
        }
        places
    }

    /// The crossings of the run so far that changed something, or tried to.
    pub(super) fn writes(&self) -> Vec<String> {
        self.kept().writes.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }
}

impl Toll for Faults {
    fn before(&self, crossing: &Crossing) -> Gate {
        let name = name(crossing);
        let mut kept = self.kept();
        if crossing.writes() {
            kept.writes.push(name.clone());
        }
        if kept.dead {
            // The one refusal that nobody waits after: a dead process takes no time.
            return Gate::Refused(Refusal::Stopped);
        }
        let count = kept.seen.entry((name.clone(), crossing.writes())).or_default();
        *count += 1;
        let here = Place { name, nth: *count, writes: crossing.writes() };
        let Some((fault, _)) = kept.armed.take_if(|(_, place)| *place == here) else { return Gate::Open };
        kept.fired = true;
        match fault {
            Fault::Refused => Gate::Refused(Refusal::Injected),
            Fault::NoAnswer => Gate::LoseAnswer,
            Fault::CrashBefore => {
                kept.dead = true;
                Gate::Refused(Refusal::Stopped)
            }
            Fault::CrashAfter => {
                kept.dead = true;
                Gate::Open
            }
            Fault::Stop => {
                kept.stop.as_ref().expect("every run has one").stop();
                Gate::Open
            }
        }
    }
}

/// The same in every run: temporary files have random names.
fn name(crossing: &Crossing) -> String {
    match crossing {
        Crossing::Http { service, operation, target, .. } => {
            let path = target.splitn(4, '/').nth(3).unwrap_or_default();
            format!("http {service}.{operation} /{path}")
        }
        Crossing::File { operation, path, .. } => format!("file {operation} {}", file_name(path)),
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(".tmp") { "*.tmp".to_owned() } else { name.into_owned() }
}
