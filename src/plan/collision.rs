//! Resources of our names that are not ours, and what to do about them.

use crate::names::{Identity, OWNER_TAG};
use crate::problem::Problem;
use crate::resource::Kind;

/// A resource of our name that somebody else owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The owner that its tag names; `None`: it has no such tag.
    pub owner: Option<String>,
    /// The command that gives it the tag again. Only where it has none and other resources are this
    /// stack's: then somebody has most likely removed the tag.
    pub claim: Option<String>,
}

/// The problem of all collisions; `None` when there is none.
pub(super) fn problem(collisions: &[Collision]) -> Option<Problem> {
    if collisions.is_empty() {
        return None;
    }
    let mut problem = Problem::refused(
        "foreign_resource",
        "resources of this stack's names exist and are not this stack's; nothing was changed",
    );
    for Collision { kind, name, owner, .. } in collisions {
        let whose = owner.as_ref().map_or_else(
            || format!("it has no tag `{OWNER_TAG}`"),
            |owner| format!("its tag `{OWNER_TAG}` says {owner}"),
        );
        problem = problem.because(format!("{} {name}: {whose}", kind.noun()));
    }
    let claims: Option<Vec<&str>> = collisions.iter().map(|one| one.claim.as_deref()).collect();
    Some(match claims {
        Some(claims) => problem.next(format!(
            "{}   # if only the tag was lost; otherwise choose another `name` in the stack file",
            claims.join(" && ")
        )),
        None => problem
            .next("choose another `name` in the stack file, or delete what is listed if nobody needs it"),
    })
}

/// The command that tags a resource as this stack's. `None` for kinds without a tag of their own.
pub(super) fn claim(kind: Kind, identity: &Identity) -> Option<String> {
    let (region, owner) = (&identity.region, identity.owner());
    match kind {
        Kind::Role => Some(format!(
            "aws iam tag-role --role-name {} --tags Key={OWNER_TAG},Value={owner}",
            identity.role()
        )),
        Kind::LogGroup => Some(format!(
            "aws logs tag-resource --region {region} --resource-arn {} --tags {OWNER_TAG}={owner}",
            identity.log_group_arn()
        )),
        Kind::Function => Some(format!(
            "aws lambda tag-resource --region {region} --resource {} --tags {OWNER_TAG}={owner}",
            identity.function_arn()
        )),
        Kind::Authorizer => Some(format!(
            "aws iot tag-resource --region {region} --resource-arn {} --tags Key={OWNER_TAG},Value={owner}",
            identity.authorizer_arn()
        )),
        Kind::SigningKey | Kind::Release | Kind::Permission | Kind::DefaultAuthorizer => None,
    }
}
