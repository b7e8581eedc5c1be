use std::sync::Mutex;

use super::*;
use crate::aws::retry::AUTHORIZER_SEEN;
use crate::resource::testing::World;

/// What each create and each read answers, in order; the last one again and again.
async fn run(creates: &[bool], reads: &[Option<Owner>]) -> (Result<Made<Owner>, Problem>, usize) {
    let (tries, looks) = (Mutex::new(0), Mutex::new(0));
    let next = |count: &Mutex<usize>, length: usize| {
        let mut count = count.lock().unwrap();
        *count += 1;
        (*count - 1).min(length - 1)
    };
    let world = World::new();
    let made = made(
        &world.aws,
        ("authorizer door", AUTHORIZER_SEEN),
        || async { Ok(creates[next(&tries, creates.len())]) },
        || async { Ok(reads[next(&looks, reads.len())].clone()) },
        Owner::clone,
    );
    let result = made.await;
    (result, tries.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_seen_late_or_without_its_tags_is_waited_for() {
    let late = [None, None, Some(Owner::Foreign(None)), Some(Owner::Ours)];
    let (made, creates) = run(&[true], &late).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 1));
}

/// Being deleted: its name is taken, and it is not there.
#[tokio::test(start_paused = true)]
async fn what_is_there_and_cannot_be_read_is_created_again() {
    let (made, creates) = run(&[false, false, true], &[None, None, Some(Owner::Ours)]).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 3));
}

#[tokio::test(start_paused = true)]
async fn what_is_ours_already_is_not_made() {
    let (made, creates) = run(&[false], &[Some(Owner::Ours)]).await;
    assert_eq!((made.unwrap().by_us, creates), (false, 2));
}

/// Its name is taken, and it is read, by copies that have not heard that it was deleted.
#[tokio::test(start_paused = true)]
async fn what_only_a_copy_still_has_is_created_again() {
    let (made, creates) = run(&[false, true], &[Some(Owner::Ours)]).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 2));
    let (made, creates) = run(&[false, false, true], &[Some(Owner::Ours), None, Some(Owner::Ours)]).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 3));
}

/// The same, where its tags went before it did: it looks like one whose tags are still to come.
#[tokio::test(start_paused = true)]
async fn what_is_gone_after_it_was_believed_is_created_again() {
    let gone = [Some(Owner::Foreign(None)), None, Some(Owner::Ours)];
    let (made, creates) = run(&[false, true], &gone).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 2));
    // Two sightings by copies, and a third look that meets none.
    let gone = [Some(Owner::Ours), Some(Owner::Ours), None, None, Some(Owner::Ours)];
    let (made, creates) = run(&[false, false, false, true], &gone).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 4));
}

/// What was just made is not made twice because a copy does not have it.
#[tokio::test(start_paused = true)]
async fn what_was_made_is_not_created_again() {
    let late = [Some(Owner::Foreign(None)), None, None, Some(Owner::Ours)];
    let (made, creates) = run(&[true, false], &late).await;
    assert_eq!((made.unwrap().by_us, creates), (true, 1));
}

#[tokio::test(start_paused = true)]
async fn what_stays_without_our_tag_is_somebody_elses() {
    let other = Owner::Foreign(Some("demo@us-east-1".to_owned()));
    for owner in [Owner::Foreign(None), other] {
        let (made, creates) = run(&[false], &[Some(owner)]).await;
        assert_eq!((made.unwrap_err().code, creates), ("not_ours", 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_seen_is_told_with_the_condition() {
    let (made, _) = run(&[true], &[None]).await;
    let problem = made.unwrap_err();
    assert_eq!(problem.code, "timed_out");
    assert!(problem.what.contains("the new authorizer is seen"), "{problem:?}");
}
