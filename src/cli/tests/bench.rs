//! One target in memory, one folder with stack files and keys, and commands run as the program runs them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use local::clock::Clock;
use local::state::World;
use local::{Options, Target};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::stack;
use super::toll::{Fault, Faults, Place};
use crate::cli::args::{Global, OutputFlag, ReportFlag};
use crate::cli::commands::{deploy, destroy, drift};
use crate::cli::environment::Environment;
use crate::cli::load::{self, Loaded};
use crate::cli::local_target::LocalTarget;
use crate::cli::session::Session;
use crate::door::{Files, Toll};
use crate::keys::FileStore;
use crate::problem::{Problem, Verdict};

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `deploy --allow-impact`.
    Deploy,
    /// `destroy --yes --delete-key`.
    Destroy,
    /// `drift`.
    Drift,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    pub(super) problem: Option<Problem>,
    /// Crossings that changed something, or tried to.
    pub(super) writes: Vec<String>,
}

impl Ended {
    /// Expects that it is done.
    #[track_caller]
    pub(super) fn expect_done(&self) {
        assert_eq!(self.verdict, Verdict::Done, "{:#?}", self.problem);
    }

    /// Expects that it was refused with this code, and that nothing was written.
    #[track_caller]
    pub(super) fn expect_refused(&self, code: &str) -> &Problem {
        let problem = self.problem.as_ref().expect("a refusal has a problem");
        assert_eq!((problem.code, self.verdict.exit()), (code, 4), "{problem:#?}");
        assert_eq!(self.writes, Vec::<String>::new(), "a refused run writes nothing");
        problem
    }
}

/// The files of a key store, by name.
pub(super) type KeyFiles = BTreeMap<String, Vec<u8>>;

/// Everything that lasts between two runs.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) keys: KeyFiles,
}

/// The place where commands run.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    pub(super) root: PathBuf,
    pub(super) target: Target,
    time: PausedTime,
    pub(super) faults: Arc<Faults>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    /// A target with these options, and the files of one stack: `stack.toml`, `changed.toml` and
    /// `unsigned.toml`.
    pub(super) fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let time = PausedTime(Instant::now());
        let clock = Clock::from_source(move || time.now());
        let target = Target::in_memory(clock, options);
        let bench = Self { folder, root, target, time, faults: Arc::default() };
        bench.write("bootstrap-1", &stack::bootstrap(1));
        bench.write("bootstrap-2", &stack::bootstrap(2));
        bench.write("stack.toml", stack::file("eu-west-1").as_bytes());
        bench.write("unsigned.toml", stack::unsigned("eu-west-1").as_bytes());
        bench.write("changed.toml", stack::changed("eu-west-1").as_bytes());
        bench
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// One run of the program.
    pub(super) async fn session(&self) -> Session {
        let global = Global {
            output: OutputFlag::Human,
            report: ReportFlag::None,
            quiet: true,
            state_dir: Some(self.root.clone()),
            local_endpoint: None,
            lock_timeout: 0,
        };
        let tolls = vec![Arc::clone(&self.faults) as Arc<dyn Toll>];
        let session = Session::with(Environment::default(), global, tolls, SharedTimeSource::new(self.time));
        let hosted = LocalTarget::Hosted { target: self.target.clone(), _directory: None };
        session.adopt_local(&self.root, hosted).await;
        session
    }

    /// Runs a command on a stack file, with a fault or without.
    pub(super) async fn run(&self, command: Command, file: &str, fault: Option<(Fault, Place)>) -> Ended {
        self.run_edited(command, file, fault, |_| ()).await
    }

    /// Runs a command on a stack that is edited after its file was read.
    pub(super) async fn run_edited(
        &self,
        command: Command,
        file: &str,
        fault: Option<(Fault, Place)>,
        edit: impl FnOnce(&mut Loaded),
    ) -> Ended {
        let session = self.session().await;
        self.faults.begin(fault, session.stop.clone());
        let (verdict, problem) = match load::one(&session, &self.root.join(file)) {
            Err(problem) => (Verdict::Problem(problem.kind), Some(problem)),
            Ok(mut loaded) => {
                edit(&mut loaded);
                let report = match command {
                    Command::Deploy => {
                        let wishes = deploy::Wishes { allow_impact: true, keep_code: false };
                        Box::pin(deploy::run(&session, loaded, wishes)).await
                    }
                    Command::Destroy => {
                        let wishes = destroy::Wishes { yes: true, delete_key: true };
                        Box::pin(destroy::run(&session, loaded, wishes)).await
                    }
                    Command::Drift => Box::pin(drift::run(&session, loaded, false)).await,
                };
                (report.verdict, report.problem)
            }
        };
        Ended { verdict, problem, writes: self.faults.writes() }
    }

    /// The state now.
    pub(super) fn state(&self) -> State {
        State { world: self.target.with_world(|world| world.clone()), keys: read_keys(&self.key_folder()) }
    }

    /// Goes back to a state.
    pub(super) fn restore(&self, state: &State) {
        self.target.with_world(|world| *world = state.world.clone());
        // It need not be there.
        let _ = fs::remove_dir_all(self.key_folder());
        self.put_keys(&state.keys);
    }

    /// Puts a key into the store, as an earlier run would have left it.
    pub(super) fn put_keys(&self, keys: &KeyFiles) {
        self.put_keys_of("demo@eu-west-1", keys);
    }

    /// The same for another stack, told by its `NAME@REGION`.
    pub(super) fn put_keys_of(&self, stack: &str, keys: &KeyFiles) {
        if keys.is_empty() {
            return;
        }
        let folder = self.root.join("keys").join(stack);
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in keys {
            fs::write(folder.join(name), bytes).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// Everything in the account, to see that nothing was touched.
    pub(super) fn everything(&self) -> Value {
        self.target.with_world(|world| serde_json::to_value(world).unwrap())
    }

    pub(super) fn key_folder(&self) -> PathBuf {
        self.root.join("keys/demo@eu-west-1")
    }

    /// What two runs that end alike have in common: everything but ids, dates, revisions and key texts.
    pub(super) fn dump(&self) -> Value {
        let State { world, keys } = self.state();
        let roles = serde_json::to_value(&world.iam).unwrap();
        let mut ids = BTreeMap::new();
        find_role_ids(&roles, &mut ids);
        // What a crash left of a public half beside its private one stays until the next write there: a
        // reader does not sweep, because a writer may be at work.
        let swept_later =
            |name: &&String| !(name.starts_with(".1.pub.pem.") && name.ends_with(".thinggate.tmp"));
        let files: Vec<&String> = keys.keys().filter(swept_later).collect();
        json!({ "world": masked(serde_json::to_value(&world).unwrap(), &ids), "files": files })
    }

    /// What must hold at any time: whatever is registered can be signed for, there is one key, and
    /// nothing exists without our tag. Empty when it holds.
    pub(super) fn broken_invariants(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let state = self.state();
        let store = FileStore::new(Files::default(), self.key_folder());
        let generations = match store.contents() {
            Ok(contents) => contents.generations,
            Err(problem) => return vec![format!("the key store cannot be read: {problem}")],
        };
        if generations.iter().filter(|generation| !generation.retired).count() > 1 {
            broken.push(format!("{} live generations", generations.len()));
        }
        let durable: Vec<String> = generations
            .iter()
            .filter(|generation| state.keys.contains_key(&format!("{}.pem", generation.number)))
            .map(|generation| generation.public.as_str().trim().to_owned())
            .collect();
        for (region, regional) in &state.world.regions {
            for authorizer in regional.iot.authorizers.values() {
                for (name, key) in &authorizer.public_keys {
                    if !durable.contains(&key.trim().to_owned()) {
                        broken.push(format!("{region}: {name} is registered without a durable private half"));
                    }
                }
            }
        }
        untagged(&serde_json::to_value(&state.world).unwrap(), "", &mut broken);
        broken
    }
}

/// Every object with tags must have ours.
fn untagged(value: &Value, place: &str, broken: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Object(tags)) = members.get("tags")
                && tags.get("thinggate:stack") != Some(&json!("demo@eu-west-1"))
            {
                broken.push(format!("{place} has no owner"));
            }
            for (name, member) in members {
                untagged(member, &format!("{place}/{name}"), broken);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| untagged(item, place, broken)),
        _ => {}
    }
}

fn find_role_ids(value: &Value, ids: &mut BTreeMap<String, String>) {
    let Value::Object(members) = value else { return };
    if let (Some(Value::String(id)), Some(Value::String(name))) =
        (members.get("role_id"), members.get("name"))
    {
        ids.insert(id.clone(), format!("id of {name}"));
    }
    members.values().for_each(|member| find_role_ids(member, ids));
}

/// Without what differs from run to run. A role's id becomes the role's name, wherever it is recorded.
fn masked(value: Value, ids: &BTreeMap<String, String>) -> Value {
    const VARYING: [&str; 11] = [
        "created",
        "created_at",
        "created_ms",
        "modified",
        "last_modified",
        "settled_at",
        "revision",
        "revision_before",
        "revision_after",
        "change",
        "serving",
    ];
    match value {
        Value::Object(members) => {
            // A function's own id is 36 random characters.
            let is_random =
                |name: &str, value: &Value| name == "id" && value.as_str().is_some_and(|id| id.len() == 36);
            let varies = |name: &str, value: &Value| VARYING.contains(&name) || is_random(name, value);
            let kept = members.into_iter().filter(|(name, value)| !varies(name, value));
            let mask = |(name, value): (String, Value)| {
                if let ("public_keys", Value::Object(keys)) = (name.as_str(), &value) {
                    let names: Vec<&String> = keys.keys().collect();
                    return (name, json!(names));
                }
                (name, masked(value, ids))
            };
            Value::Object(kept.map(mask).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| masked(item, ids)).collect()),
        Value::String(text) => {
            Value::String(ids.iter().fold(text, |text, (id, meaning)| text.replace(id, meaning)))
        }
        other => other,
    }
}

fn read_keys(folder: &Path) -> KeyFiles {
    let Ok(listing) = fs::read_dir(folder) else { return KeyFiles::new() };
    listing
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// The files of a store with one generation, made once for all tests.
pub(super) async fn one_key() -> &'static KeyFiles {
    static KEYS: OnceCell<KeyFiles> = OnceCell::const_new();
    let make = async || {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(Files::default(), folder.path().to_owned());
        store.create(1, 2048).await.unwrap();
        read_keys(folder.path())
    };
    KEYS.get_or_init(make).await
}

/// Tokio's paused clock as wall time.
#[derive(Clone, Copy, Debug)]
struct PausedTime(Instant);

impl TimeSource for PausedTime {
    /// 2026-01-01 when the test begins.
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(490_896) + self.0.elapsed()
    }
}
