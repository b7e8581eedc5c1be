//! The look at the end of a run, where AWS answers from copies that lag behind.

use std::sync::Mutex;

use super::bench::Bench;
use crate::cli::commands::{Work, until_settled};
use crate::cli::load;
use crate::problem::Problem;
use crate::report::Command;

/// What each look finds, in order; the last one again and again.
async fn ends_in(looks: &[Result<(), &'static str>]) -> Result<(), &'static str> {
    let bench = Bench::new();
    let session = bench.session().await;
    let loaded = load::one(&session, &bench.root.join("stack.toml")).unwrap();
    let work = Work::begin(&session, Command::Deploy, loaded.stack).await.unwrap();
    let seen = Mutex::new(0);
    let look = || async {
        let mut seen = seen.lock().unwrap();
        *seen += 1;
        looks[(*seen - 1).min(looks.len() - 1)].map_err(|code| Problem::failed(code, "a look"))
    };
    until_settled(work.aws(), "not_settled", look).await.map_err(|problem| problem.code)
}

#[tokio::test(start_paused = true)]
async fn what_settles_late_is_waited_for() {
    let late = [Err("not_settled"), Err("not_found"), Err("not_settled"), Ok(())];
    assert_eq!(ends_in(&late).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_never_settles_and_what_fails_is_told() {
    assert_eq!(ends_in(&[Err("not_settled")]).await, Err("not_settled"));
    assert_eq!(ends_in(&[Err("access_denied"), Ok(())]).await, Err("access_denied"));
}
