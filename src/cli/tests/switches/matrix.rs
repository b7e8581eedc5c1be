//! Settings, the flows under each of them side by side, and the table of how they ended.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::thread;

use local::Options;
use local::switches::TABLE;

use super::life::{Cell, Flow, Life};

/// Options with the name that the table shows, which is also how they are set on a command line.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) options: Options,
}

impl Setting {
    pub(super) fn of(switches: &[(&str, &str)]) -> Self {
        let mut options = Options::default();
        for (name, value) in switches {
            options.set(name, value).unwrap();
        }
        let names: Vec<String> = switches.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Self { name: names.join(","), options }
    }
}

/// The combination of a seed: every switch has any of its values, with one exception: an AWS that takes no
/// alias hides what the others do, so that it is met in one combination of eight.
pub(super) fn combination(seed: u64) -> Setting {
    let mut random = SplitMix(seed);
    let mut chosen = Vec::new();
    for row in TABLE {
        let odds = if row.name == "qualified_function" { 8 } else { row.values.len() };
        let value =
            row.values[if odds == 8 { usize::from(random.below(8) == 0) } else { random.below(odds) }];
        if value != row.values[0] {
            chosen.push((row.name, value));
        }
    }
    let setting = Setting::of(&chosen);
    Setting { name: format!("seed {seed}: {}", setting.name), ..setting }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).unwrap()
    }
}

/// Leads the life of each setting, each on a virtual clock of its own, as many at a time as there are
/// processors; what ended elsewhere than under the defaults is marked. In the order given.
pub(super) fn in_parallel<F>(
    settings: Vec<Setting>,
    lead: impl Fn(&Setting) -> F + Sync,
) -> Vec<(Setting, Life)>
where
    F: Future<Output = Life>,
{
    let model = on_virtual_clock(Life::lead(Options::default(), None));
    assert!(model.cells.iter().all(|(_, cell)| *cell == Cell::Converged), "{model:?}");
    let left = Mutex::new(settings.into_iter().enumerate().collect::<VecDeque<_>>());
    let ended = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = left.lock().unwrap().pop_front();
            let Some((place, setting)) = next else { return };
            let mut life = on_virtual_clock(lead(&setting));
            life.compare(&model);
            ended.lock().unwrap().push((place, setting, life));
        }
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let mut ended = ended.into_inner().unwrap();
    ended.sort_by_key(|(place, ..)| *place);
    ended.into_iter().map(|(_, setting, life)| (setting, life)).collect()
}

fn on_virtual_clock<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

/// Prints settings × flows, and how many converge. The failures, one line each.
pub(super) fn print(title: &str, lives: &[(Setting, Life)]) -> Vec<String> {
    let mut table = format!("switches: {title}\n");
    for flow in Flow::ALL {
        let _ = write!(table, "{:<9}", format!("{flow:?}").to_lowercase());
    }
    table.push_str("setting\n");
    let mut failures = Vec::new();
    let mut good = 0;
    for (setting, life) in lives {
        for (flow, cell) in &life.cells {
            let word = match cell {
                Cell::Converged => "ok",
                Cell::Refused => "refused",
                Cell::Failed(_) => "FAILED",
            };
            let _ = write!(table, "{word:<9}");
            if let Cell::Failed(because) = cell {
                failures.push(format!("{} × {flow:?}: {because}", setting.name));
            }
        }
        good += usize::from(life.cells.iter().all(|(_, cell)| !matches!(cell, Cell::Failed(_))));
        let _ = writeln!(table, "{}", setting.name);
    }
    print!("{table}switches: {title}: {good}/{} converge\n", lives.len());
    failures
}
