use std::sync::{Arc, Mutex};

use super::*;

fn node(kind: Kind, after: &[usize]) -> Node {
    Node { kind, action: Action::Create, after: after.to_vec() }
}

/// {key, role} → function → release
fn diamond() -> Vec<Node> {
    vec![
        node(Kind::SigningKey, &[]),
        node(Kind::Role, &[]),
        node(Kind::Function, &[0, 1]),
        node(Kind::Release, &[2]),
    ]
}

async fn ran(nodes: &[Node], failing: Option<usize>, stop_after: usize) -> (Ran, Vec<usize>) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let stop = Arc::clone(&order);
    let result = run(
        nodes,
        move |index| {
            let seen = Arc::clone(&seen);
            async move {
                tokio::task::yield_now().await;
                seen.lock().unwrap().push(index);
                if failing == Some(index) { Err(Problem::failed("planted", "planted")) } else { Ok(()) }
            }
        },
        move || stop.lock().unwrap().len() >= stop_after,
        |_| {},
    )
    .await;
    let order = order.lock().unwrap().clone();
    (result, order)
}

#[tokio::test]
async fn dependants_come_after_what_they_need() {
    let (ran, order) = ran(&diamond(), None, usize::MAX).await;
    assert_eq!(ran.problem, None);
    assert_eq!(ran.outcomes, [Outcome::Done; 4]);
    assert_eq!(order[2..], [2, 3]);
}

#[tokio::test]
async fn a_failure_skips_dependants_and_lets_the_running_finish() {
    let (ran, _) = ran(&diamond(), Some(0), usize::MAX).await;
    assert_eq!(ran.outcomes, [Outcome::Failed, Outcome::Done, Outcome::NotStarted, Outcome::NotStarted]);
    assert_eq!(ran.problem.map(|problem| problem.code), Some("planted"));
}

#[tokio::test]
async fn a_stop_starts_nothing_new_and_is_told() {
    let (ran, order) = ran(&diamond(), None, 2).await;
    assert_eq!(order.len(), 2);
    assert_eq!(ran.outcomes[2..], [Outcome::NotStarted; 2]);
    assert_eq!(ran.problem.map(|problem| problem.kind), Some(ProblemKind::Interrupted));
}

#[tokio::test]
async fn nothing_to_do_is_done() {
    let (ran, _) = ran(&[], None, 0).await;
    assert_eq!(ran, Ran { outcomes: vec![], problem: None });
}
