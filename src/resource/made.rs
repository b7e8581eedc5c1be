//! Making something, and seeing that it is there: AWS answers reads from copies that lag behind, so what
//! was just made may be missing, or be there without its tags.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Owner, not_ours};
use crate::aws::Aws;
use crate::aws::wait::{Condition, Look};
use crate::problem::Problem;

/// What is there after a create.
#[derive(Debug)]
pub(super) struct Made<L> {
    /// As it was read.
    pub(super) live: L,
    /// Whether this call made it; false: one of its name was there already, and is ours.
    pub(super) by_us: bool,
}

/// Creates, and reads until it is seen with our tag. `create` says false when one of its name is there
/// already; one that is there and cannot be read, then or later, is being deleted, and is created again.
pub(super) async fn made<L, C, R>(
    aws: &Aws,
    (place, condition): (&str, Condition),
    create: impl Fn() -> C,
    read: impl Fn() -> R,
    owner: fn(&L) -> Owner,
) -> Result<Made<L>, Problem>
where
    C: Future<Output = Result<bool, Problem>>,
    R: Future<Output = Result<Option<L>, Problem>>,
{
    let sighted = AtomicBool::new(false);
    let by_us = aws.until(condition, || async {
        if create().await? {
            return Ok(Look::Yes(true));
        }
        let Some(live) = read().await? else {
            sighted.store(false, Ordering::Relaxed);
            return Ok(Look::NotYet);
        };
        // One of ours may be a deleted one that a copy still has: asked again, and believed the second time.
        let believed = owner(&live) != Owner::Ours || sighted.swap(true, Ordering::Relaxed);
        Ok(if believed { Look::Yes(false) } else { Look::NotYet })
    });
    let by_us = AtomicBool::new(by_us.await?);
    let seen = aws.until(condition, || async {
        let Some(live) = read().await? else {
            // What only a copy had is gone by now, and nobody else makes it.
            if !by_us.load(Ordering::Relaxed) {
                by_us.store(create().await?, Ordering::Relaxed);
            }
            return Ok(Look::NotYet);
        };
        Ok(match owner(&live) {
            Owner::Ours => Look::Yes(live),
            // Its tags may come later than it does.
            Owner::Foreign(None) => Look::NotYet,
            Owner::Foreign(Some(other)) => Look::Never(not_ours(place.to_owned(), Some(&other))),
        })
    });
    match seen.await {
        Ok(live) => Ok(Made { live, by_us: by_us.load(Ordering::Relaxed) }),
        Err(problem) if problem.code != "timed_out" => Err(problem),
        Err(problem) => match read().await? {
            Some(_) => Err(not_ours(place.to_owned(), None)),
            None => Err(problem.at(place)),
        },
    }
}

#[cfg(test)]
mod tests;
