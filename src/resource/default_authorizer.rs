//! The account's default authorizer in this Region: one slot, which devices that name no authorizer
//! meet.
//!
//! The slot is ours only if it names our authorizer. Another's is never taken and never cleared.

use super::compare::Comparison;
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource};
use crate::aws::retry::DEFAULT_SETTLED;
use crate::aws::wait::Look;
use crate::aws::{Aws, Fault};
use crate::names::{AuthorizerName, Identity, Region};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefaultAuthorizer;

/// What the stack asks for: that the slot names this authorizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Our authorizer.
    pub authorizer: AuthorizerName,
    /// For the command that a refusal prints.
    pub region: Region,
}

/// What the slot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The authorizer that it names.
    pub authorizer: String,
    /// Ours, if it names our authorizer.
    pub owner: Owner,
}

impl Resource for DefaultAuthorizer {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::DefaultAuthorizer;

    fn desired(facts: &Facts) -> Option<Desired> {
        facts.stack.authorizer.default.then(|| Desired {
            authorizer: facts.identity.authorizer.clone(),
            region: facts.identity.region.clone(),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            // Another's default is no business of ours.
            (None, Some(live)) if live.owner != Owner::Ours => return Change::keep(),
            (None, Some(_)) => return Change::delete(Impact::NewConnections),
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            authorizer,
            // Whether it names our authorizer, which is what is compared.
            owner: _,
        } = live;
        let mut comparison = Comparison::new();
        if authorizer != desired.authorizer.as_str() {
            let key = Some("authorizer.default");
            let (found, wanted) = (authorizer.clone(), desired.authorizer.to_string());
            comparison.differs(Impact::NewConnections, "authorizer", key, found, wanted);
            comparison.refuse(foreign(desired, authorizer));
        }
        comparison.finish()
    }

    fn owner(live: &Live) -> Owner {
        live.owner.clone()
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let name = current(aws).await.map_err(|fault| fault.problem(PLACE))?;
        Ok(name.map(|authorizer| {
            let ours = authorizer == identity.authorizer.as_str();
            let owner = if ours { Owner::Ours } else { Owner::Foreign(Some(authorizer.clone())) };
            Live { authorizer, owner }
        }))
    }

    /// Looks before it sets, and again after a refusal: whether setting overwrites is undocumented. That
    /// the slot names ours already is believed only when it stays so: a copy may be from before a clear.
    async fn apply(aws: &Aws, desired: &Desired, _live: Option<&Live>) -> Result<(), Problem> {
        let name = desired.authorizer.as_str();
        let look = || async { current(aws).await.map_err(|fault| fault.problem(PLACE)) };
        let request = || aws.iot.set_default_authorizer().authorizer_name(name).send();
        let set = aws.until(DEFAULT_SETTLED, || async {
            if let Some(other) = look().await?.filter(|current| current != name) {
                return Err(taken(desired, &other));
            }
            match aws.call("SetDefaultAuthorizer", request).await {
                Ok(_) => Ok(Look::Yes(())),
                Err(fault) if fault.already_exists() => Ok(Look::NotYet),
                Err(fault) => Err(fault.problem(PLACE)),
            }
        });
        match set.await {
            Err(problem) if problem.code == "timed_out" => match look().await? {
                Some(current) if current == name => Ok(()),
                Some(other) => Err(taken(desired, &other)),
                None => Err(problem.at(PLACE)),
            },
            result => result,
        }
    }

    /// Clears the slot only while it still names what was read as ours.
    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        let current = current(aws).await.map_err(|fault| fault.problem(PLACE))?;
        if live.owner != Owner::Ours || current.as_ref() != Some(&live.authorizer) {
            return Ok(());
        }
        match aws.call("ClearDefaultAuthorizer", || aws.iot.clear_default_authorizer().send()).await {
            Err(fault) if !fault.not_found() => Err(fault.problem(PLACE)),
            _ => Ok(()),
        }
    }
}

const PLACE: &str = "default authorizer";

/// What the slot names now. No default is "not found" (IoT model; AWS does not document it).
async fn current(aws: &Aws) -> Result<Option<String>, Fault> {
    let request = || aws.iot.describe_default_authorizer().send();
    match aws.call("DescribeDefaultAuthorizer", request).await {
        Ok(answer) => Ok(answer.authorizer_description.and_then(|description| description.authorizer_name)),
        Err(fault) if fault.not_found() => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn foreign(desired: &Desired, other: &str) -> Refusal {
    Refusal {
        code: "default_is_foreign",
        because: format!(
            "the default authorizer of this account and Region is `{other}`, which this stack does not own: \
             devices that name no authorizer depend on it"
        ),
        next: format!(
            "aws iot clear-default-authorizer --region {}   # then run this again, or set `authorizer.default \
             = false`",
            desired.region
        ),
    }
}

fn taken(desired: &Desired, other: &str) -> Problem {
    let Refusal { code, because, next } = foreign(desired, other);
    Problem::refused(code, "the default authorizer is not taken over").at(PLACE).because(because).next(next)
}

#[cfg(test)]
mod tests;
