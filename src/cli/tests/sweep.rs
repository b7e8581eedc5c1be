//! Every crossing × every fault: the next run ends where a run without faults ends.

use super::bench::{Bench, Command, KeyFiles, State, one_key};
use super::toll::{Fault, Place};
use crate::problem::Verdict;

/// A flow: from a state, a command on a stack file.
struct Flow {
    name: &'static str,
    bench: Bench,
    start: State,
    command: Command,
    file: &'static str,
}

impl Flow {
    /// The first deploy; the key is there already.
    async fn deploy() -> Self {
        let bench = Bench::new();
        bench.put_keys(one_key().await);
        let start = bench.state();
        Self { name: "deploy", bench, start, command: Command::Deploy, file: "stack.toml" }
    }

    /// The first deploy of all, with the key made in it.
    fn deploy_with_key() -> Self {
        let bench = Bench::new();
        let start = bench.state();
        Self { name: "deploy, key made", bench, start, command: Command::Deploy, file: "stack.toml" }
    }

    async fn deployed() -> Bench {
        let bench = Bench::new();
        bench.put_keys(one_key().await);
        bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
        bench
    }

    /// Other code, other rules and other settings.
    async fn change() -> Self {
        let bench = Self::deployed().await;
        let start = bench.state();
        Self { name: "change", bench, start, command: Command::Deploy, file: "changed.toml" }
    }

    /// An authorizer that must be deleted and made again, while it is the default.
    async fn replace() -> Self {
        let bench = Self::deployed().await;
        let start = bench.state();
        Self { name: "replace", bench, start, command: Command::Deploy, file: "unsigned.toml" }
    }

    /// Much was changed by hand: the role was made again, which gives it another id, and more.
    async fn repair() -> Self {
        let bench = Self::deployed().await;
        let mut world = serde_json::to_value(&bench.state().world).unwrap();
        world["iam"]["roles"]["thinggate-demo-eu-west-1"]["role_id"] = "AROAMADEAGAINBYHAND00".into();
        let regional = &mut world["regions"]["eu-west-1"];
        regional["logs"]["groups"] = serde_json::json!({});
        regional["iot"]["default"] = serde_json::Value::Null;
        regional["iot"]["authorizers"]["door"]["enable_caching_for_http"] = true.into();
        let function = &mut regional["lambda"]["functions"]["thinggate-demo"];
        function["policies"] = serde_json::json!({});
        function["latest"]["settings"]["memory_mb"] = 1024.into();
        let start = State { world: serde_json::from_value(world).unwrap(), ..bench.state() };
        Self { name: "repair", bench, start, command: Command::Deploy, file: "stack.toml" }
    }

    /// Everything goes, the key too.
    async fn destroy() -> Self {
        let bench = Self::deployed().await;
        let start = bench.state();
        Self { name: "destroy", bench, start, command: Command::Destroy, file: "stack.toml" }
    }

    /// Runs the flow once without a fault, and then once for each of its crossings that `chosen` takes,
    /// with `fault` there.
    async fn sweep(&self, fault: Fault, chosen: impl Fn(&Place) -> bool) {
        self.bench.restore(&self.start);
        self.bench.run(self.command, self.file, None).await.expect_done();
        let places: Vec<Place> = self.bench.faults.places().into_iter().filter(chosen).collect();
        let end = self.bench.dump();
        if self.command == Command::Destroy {
            assert!(self.bench.state().keys.is_empty() && !self.bench.key_folder().exists());
        }
        assert!(!places.is_empty(), "{}: nothing to sweep", self.name);
        let mut failures = Vec::new();
        for place in &places {
            let broken = self.case(fault, place, &end).await;
            if !broken.is_empty() {
                failures.push(format!("{place:?}:\n  {}", broken.join("\n  ")));
            }
        }
        let (total, converged) = (places.len(), places.len() - failures.len());
        println!("in process: {}, {fault:?}: converged {converged}/{total}", self.name);
        assert!(failures.is_empty(), "{} × {fault:?}:\n{}", self.name, failures.join("\n"));
    }

    /// One fault at one crossing, and what is broken afterwards.
    async fn case(&self, fault: Fault, place: &Place, end: &serde_json::Value) -> Vec<String> {
        let bench = &self.bench;
        let mut broken = Vec::new();
        bench.restore(&self.start);
        let first = bench.run(self.command, self.file, Some((fault, place.clone()))).await;
        if !bench.faults.fired() {
            broken.push("the fault was never met".to_owned());
        }
        broken.extend(bench.broken_invariants());
        // A request whose answer is lost is sent again, and converges at once. A file operation that
        // fails is told, whatever it did.
        if fault == Fault::NoAnswer && place.is_request() && first.verdict != Verdict::Done {
            broken.push(format!("the same run does not converge: {:#?}", first.problem));
        }
        if first.verdict != Verdict::Done {
            let second = bench.run(self.command, self.file, None).await;
            if second.verdict != Verdict::Done {
                broken.push(format!("the next run does not end: {:#?}", second.problem));
            }
        }
        let found = bench.dump();
        if found != *end {
            broken.push(format!("another end: {}", difference("", end, &found)));
        }
        broken.extend(bench.broken_invariants());
        if !place.writes {
            // What a fault at a read leaves is what a fault at the write before it leaves.
            return broken;
        }
        let settled = bench.run(self.command, self.file, None).await;
        if settled.verdict != Verdict::Done || !settled.writes.is_empty() {
            broken.push(format!("not settled: {:?} {:?}", settled.problem, settled.writes));
        }
        broken
    }
}

/// The first place where two dumps differ.
pub(super) fn difference(place: &str, one: &serde_json::Value, other: &serde_json::Value) -> String {
    use serde_json::Value;
    if let (Value::Object(ours), Value::Object(theirs)) = (one, other) {
        let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
        for name in names {
            let (mine, other) = (ours.get(name), theirs.get(name));
            if mine != other {
                let absent = Value::String("absent".to_owned());
                let (mine, other) = (mine.unwrap_or(&absent), other.unwrap_or(&absent));
                return difference(&format!("{place}/{name}"), mine, other);
            }
        }
    }
    format!("{place}: expected {one}, found {other}")
}

/// One test for each fault.
macro_rules! sweeps {
    ($($flow:ident: $make:expr),+ $(,)?) => {
        $(mod $flow {
            use super::*;

            #[tokio::test(start_paused = true)]
            async fn refused() {
                $make.await.sweep(Fault::Refused, |_| true).await;
            }

            #[tokio::test(start_paused = true)]
            async fn no_answer() {
                $make.await.sweep(Fault::NoAnswer, |_| true).await;
            }

            #[tokio::test(start_paused = true)]
            async fn crash_before() {
                $make.await.sweep(Fault::CrashBefore, |_| true).await;
            }

            #[tokio::test(start_paused = true)]
            async fn crash_after() {
                $make.await.sweep(Fault::CrashAfter, |_| true).await;
            }
        })+
    };
}

sweeps! {
    deploy: Flow::deploy(),
    change: Flow::change(),
    destroy: Flow::destroy(),
}

/// Replacement and repair: a fault at every crossing that changes something.
#[tokio::test(start_paused = true)]
async fn replaced_and_repaired() {
    for flow in [Flow::replace().await, Flow::repair().await] {
        for fault in [Fault::NoAnswer, Fault::CrashBefore, Fault::CrashAfter] {
            flow.sweep(fault, |place| place.writes).await;
        }
    }
}

/// With a real key, which takes long to make: the crossings in which it becomes durable and registered.
async fn key(fault: Fault) {
    let chosen = |place: &Place| {
        let writes = ["create_", "write ", "sync", "link ", "verify "];
        let of_key = place.name.contains("1.p") || place.name.contains("demo@");
        let file = writes.iter().any(|step| place.name.starts_with(&format!("file {step}")));
        (file && of_key) || place.name.contains("CreateAuthorizer")
    };
    Flow::deploy_with_key().sweep(fault, chosen).await;
}

#[tokio::test(start_paused = true)]
async fn key_crash_before() {
    key(Fault::CrashBefore).await;
}

#[tokio::test(start_paused = true)]
async fn key_crash_after() {
    key(Fault::CrashAfter).await;
}

/// Ctrl-C at every crossing: told as one, and the next run goes on.
#[tokio::test(start_paused = true)]
async fn stopped_anywhere() {
    for flow in [Flow::deploy().await, Flow::destroy().await] {
        flow.sweep(Fault::Stop, |_| true).await;
    }
}

/// The sweep itself sees a run that ends elsewhere.
#[tokio::test(start_paused = true)]
async fn another_end_is_seen() {
    let flow = Flow::deploy().await;
    flow.bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
    let end = flow.bench.dump();
    assert_eq!(flow.bench.broken_invariants(), Vec::<String>::new());
    flow.bench.restore(&State { keys: KeyFiles::new(), ..flow.bench.state() });
    assert_eq!(flow.bench.broken_invariants().len(), 1, "the private half is gone");
    flow.bench.target.with_world(|world| {
        world.region("eu-west-1").iot.default = None;
        world.region("eu-west-1").iot.authorizers.values_mut().for_each(|one| one.tags.clear());
    });
    assert_eq!(flow.bench.broken_invariants().len(), 2, "and the tag is");
    assert!(difference("", &end, &flow.bench.dump()).starts_with("/files"));
}
