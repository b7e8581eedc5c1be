//! AWS that asks for patience: throttling, a role that takes long, credentials that expire, and every
//! answer to an open question.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use local::Options;
use local::fault::Order;
use local::switches::{
    Check, DeactivateDefault, DeleteRefusal, FunctionAsSource, KeysOnUpdate, SetDefaultAgain, Switches,
    UnpropagatedRole,
};
use tokio::time::Instant;

use super::bench::{Bench, Command, one_key};
use crate::apply::{self, Event};
use crate::cli::commands::Work;
use crate::cli::load;
use crate::gather::CodeMode;
use crate::plan::{Intent, plan};
use crate::problem::{ProblemKind, Verdict};
use crate::report;
use crate::resource::Kind;

async fn bench(options: Options) -> Bench {
    let bench = Bench::with(options);
    bench.put_keys(one_key().await);
    bench
}

/// Every command that writes, each followed by a deploy or a look that finds nothing to do.
async fn expect_whole_life(bench: &Bench, because: &str) {
    let life = [
        (Command::Deploy, "stack.toml"),
        (Command::Deploy, "changed.toml"),
        (Command::Destroy, "changed.toml"),
    ];
    for (command, file) in life {
        let ended = bench.run(command, file, None).await;
        assert_eq!(ended.verdict, Verdict::Done, "{because}: {command:?} {file}: {:#?}", ended.problem);
        let again = bench.run(command, file, None).await;
        again.expect_done();
        assert_eq!(again.writes, Vec::<String>::new(), "{because}: {command:?} {file} again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_run_writes_nothing() {
    expect_whole_life(&bench(Options::default()).await, "no trouble").await;
}

#[tokio::test(start_paused = true)]
async fn every_call_may_be_throttled() {
    for throttle_each in [1, 2] {
        let bench = bench(Options::default()).await;
        bench.target.faults().order(Order { throttle_each, ..Order::default() });
        expect_whole_life(&bench, &format!("throttled {throttle_each} times")).await;
    }
}

/// Longer than is worth waiting for: told as what it is, and the next run goes on.
#[tokio::test(start_paused = true)]
async fn throttling_without_end_is_told() {
    let bench = bench(Options::default()).await;
    bench.target.faults().order(Order { throttle_each: 1000, ..Order::default() });
    let ended = bench.run(Command::Deploy, "stack.toml", None).await;
    assert_eq!(ended.problem.map(|problem| problem.code), Some("throttled"));
    bench.target.faults().clear();
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
}

#[tokio::test(start_paused = true)]
async fn a_role_may_take_a_minute() {
    for unpropagated_role in [UnpropagatedRole::CannotBeAssumed, UnpropagatedRole::LacksPermissions] {
        let role_propagation = Duration::from_mins(1);
        let switches = Switches { unpropagated_role, ..Switches::default() };
        let bench = bench(Options { role_propagation, switches, ..Options::default() }).await;
        let began = Instant::now();
        let waits = deploy_and_listen(&bench).await;
        assert!(began.elapsed() >= role_propagation, "{:?}", began.elapsed());
        // One after 2 s, and one about every 10 s from then on.
        assert!((5..=8).contains(&waits.len()), "{waits:?}");
        assert!(waits.iter().all(|(kind, until)| {
            (*kind, *until) == (Kind::Function, "the role can be assumed by Lambda")
        }));
        let settled = bench.run(Command::Deploy, "stack.toml", None).await;
        settled.expect_done();
        assert_eq!(settled.writes, Vec::<String>::new());
    }
}

/// Five minutes are the limit; then the words are AWS's, and the next run goes on.
#[tokio::test(start_paused = true)]
async fn a_role_that_takes_too_long_is_told() {
    let role_propagation = Duration::from_mins(6);
    let bench = bench(Options { role_propagation, ..Options::default() }).await;
    let ended = bench.run(Command::Deploy, "stack.toml", None).await;
    let problem = ended.problem.unwrap();
    assert_eq!(problem.code, "timed_out");
    assert!(problem.to_string().contains("cannot be assumed by Lambda"), "{problem}");
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
}

/// Carries out a plan as `deploy` does; what it waited for.
async fn deploy_and_listen(bench: &Bench) -> Vec<(Kind, &'static str)> {
    let session = bench.session().await;
    bench.faults.begin(None, session.stop.clone());
    let loaded = load::one(&session, &bench.root.join("stack.toml")).unwrap();
    let work = Work::begin(&session, report::Command::Deploy, loaded.stack).await.unwrap();
    let facts = work.gather(CodeMode::Build).await.unwrap();
    let plan = plan(Intent::Deploy, &facts, &work.connected.store_text());
    let world = apply::World { aws: work.aws().clone(), store: work.connected.store.clone() };
    let waits = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&waits);
    let listen = move |event: Event| {
        if let Event::Waiting { kind, until, .. } = event {
            heard.lock().unwrap().push((kind, until));
        }
    };
    let applied = apply::apply(&plan, &world, || false, listen).await;
    assert_eq!(applied.ran.problem, None);
    waits.lock().unwrap().clone()
}

/// Credentials that expire before each call in turn: told as such, and with fresh ones the next run ends
/// where a run without trouble ends.
#[tokio::test(start_paused = true)]
async fn credentials_may_expire_anywhere() {
    let bench = bench(Options::default()).await;
    let start = bench.state();
    bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
    let end = bench.dump();
    let mut converged = 0;
    for call in 1.. {
        bench.restore(&start);
        bench.target.faults().order(Order { expire_from: Some(call), ..Order::default() });
        let ended = bench.run(Command::Deploy, "stack.toml", None).await;
        let fired = bench.target.faults().status().calls >= call;
        bench.target.faults().clear();
        assert_eq!(bench.broken_invariants(), Vec::<String>::new(), "call {call}");
        if !fired {
            ended.expect_done();
            break;
        }
        assert_eq!(ended.verdict, Verdict::Problem(ProblemKind::Credentials), "{call}: {:#?}", ended.problem);
        bench.run(Command::Deploy, "stack.toml", None).await.expect_done();
        assert_eq!(bench.dump(), end, "call {call}");
        converged += 1;
    }
    println!("in process: credentials expired: converged {converged}/{converged}");
    assert!(converged > 40, "only {converged} calls");
}

/// Whatever AWS turns out to do where its documentation is silent.
#[tokio::test(start_paused = true)]
async fn every_answer_to_an_open_question_works() {
    let strict = Switches::default();
    let settings = [
        Switches { set_default_again: SetDefaultAgain::Overwrite, ..strict },
        Switches { delete_refusal: DeleteRefusal::InvalidRequest, ..strict },
        Switches { deactivate_default: DeactivateDefault::Allow, ..strict },
        Switches { function_existence: Check::Unchecked, signing_keys: Check::Unchecked, ..strict },
        Switches { keys_on_update: KeysOnUpdate::Merge, ..strict },
        Switches { function_as_source: FunctionAsSource::Accept, ..strict },
    ];
    for switches in settings {
        let bench = bench(Options { switches, page_size: 1, ..Options::default() }).await;
        expect_whole_life(&bench, &format!("{switches:?}")).await;
    }
}
