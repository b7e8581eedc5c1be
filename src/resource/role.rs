//! The function's execution role with its one inline policy: it may write to the stack's log group and
//! do nothing else.
//!
//! AWS keeps a role's name and path for life. A role deleted and made again keeps its ARN but not its
//! id, and what was granted to the old one is dead: `Live` carries the id, and the function remembers
//! the one that it was given.

use std::collections::BTreeMap;

use aws_sdk_iam::types::Tag;
use serde_json::{Value as Json, json};

use super::compare::Comparison;
use super::made::made;
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource, json as normal, not_ours};
use crate::aws::retry::ROLE_SEEN;
use crate::aws::wait::Look;
use crate::aws::{Aws, Fault};
use crate::names::{INLINE_POLICY, Identity, OWNER_TAG, RoleName};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role;

/// AWS's default, 1 hour. Lambda does not use it.
const SESSION_SECONDS_MAX: i32 = 3_600;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: RoleName,
    /// For people.
    pub description: String,
    /// Who may assume it.
    pub trust: Json,
    /// What it may do.
    pub policy: Json,
    /// The tags that count.
    pub tags: BTreeMap<String, String>,
    /// To judge what is found under its name.
    pub identity: Identity,
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its name.
    pub name: String,
    /// Its unique id, `AROA…`: another one after each creation.
    pub id: String,
    /// Where it is filed.
    pub path: String,
    /// For people.
    pub description: String,
    /// Who may assume it.
    pub trust: Json,
    /// Inline policies by name.
    pub inline: BTreeMap<String, Json>,
    /// ARNs of attached policies.
    pub attached: Vec<String>,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// The longest session.
    pub session_seconds_max: i32,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Whose it is.
    pub owner: Owner,
}

impl Resource for Role {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Role;

    fn desired(facts: &Facts) -> Option<Desired> {
        let identity = &facts.identity;
        Some(Desired {
            name: identity.role(),
            description: format!("Lets the function of thinggate {} write its log", identity.owner()),
            trust: trust(),
            policy: policy(identity),
            tags: super::tags(facts),
            identity: identity.clone(),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            (None, Some(_)) => return Change::delete(Impact::All),
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            // Read under the wanted name.
            name: _,
            // Compared with what the function remembers, by the function.
            id: _,
            path,
            description,
            trust,
            inline,
            attached,
            boundary,
            session_seconds_max,
            tags,
            // Judged before any write, by the plan.
            owner: _,
        } = live;
        let mut comparison = Comparison::new();
        if path != "/" {
            // The function's grant dies with the old role.
            comparison.immutable(Impact::NewConnections, "path", None, path.clone(), "/");
        }
        comparison.field("description", None, description, &desired.description);
        if normal::normal(trust) != normal::normal(&desired.trust) {
            comparison.differs(
                Impact::None,
                "trust policy",
                None,
                trust.to_string(),
                desired.trust.to_string(),
            );
        }
        match inline.get(INLINE_POLICY) {
            None => comparison.differs(Impact::None, INLINE_FIELD, None, "none", desired.policy.to_string()),
            Some(found) if normal::normal(found) != normal::normal(&desired.policy) => {
                let (found, wanted) = (found.to_string(), desired.policy.to_string());
                comparison.differs(Impact::None, INLINE_FIELD, None, found, wanted);
            }
            Some(_) => {}
        }
        for extra in inline.keys().filter(|name| *name != INLINE_POLICY) {
            comparison.differs(Impact::None, &format!("inline policy {extra}"), None, "present", "none");
        }
        comparison.none_of("attached policy", attached);
        comparison.absent("permissions boundary", boundary.as_deref());
        if let Some(boundary) = boundary {
            comparison.refuse(bounded(desired, boundary));
        }
        comparison.field("session_seconds_max", None, session_seconds_max, &SESSION_SECONDS_MAX);
        comparison.tags(&spelled(tags, &desired.tags), &desired.tags);
        comparison.finish()
    }

    fn owner(live: &Live) -> Owner {
        live.owner.clone()
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let name = identity.role();
        let place = place(name.as_str());
        match read(aws, name.as_str(), identity).await {
            Ok(live) => Ok(Some(live)),
            Err(fault) if fault.not_found() => Ok(None),
            Err(fault) => Err(fault.problem(place)),
        }
    }

    async fn apply(aws: &Aws, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        let place = place(desired.name.as_str());
        let found;
        let live = if let Some(live) = live {
            live
        } else {
            let (create, read) = (|| create(aws, desired), || Self::read(aws, &desired.identity));
            found = made(aws, (&place, ROLE_SEEN), create, read, Self::owner).await?.live;
            &found
        };
        if let Owner::Foreign(owner) = &live.owner {
            return Err(not_ours(place, owner.as_deref()));
        }
        update(aws, desired, live).await.map_err(|fault| fault.problem(place))
    }

    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        let result = delete(aws, live).await;
        match result {
            Err(fault) if !fault.not_found() => Err(fault.problem(place(&live.name))),
            _ => Ok(()),
        }
    }
}

/// The field of our inline policy.
const INLINE_FIELD: &str = "inline policy thinggate-logs";

fn place(name: &str) -> String {
    format!("role {name}")
}

/// A boundary is somebody's guard: taking it away would widen what the role may do.
fn bounded(desired: &Desired, boundary: &str) -> Refusal {
    Refusal {
        code: "foreign_boundary",
        because: format!(
            "the permissions boundary {boundary} was set on the role `{}` by something else, and taking it \
             away would widen what the role may do",
            desired.name
        ),
        next: format!(
            "aws iam delete-role-permissions-boundary --role-name {}   # if nothing demands it",
            desired.name
        ),
    }
}

/// Lambda may assume it.
fn trust() -> Json {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }],
    })
}

/// It may write to its log group. It may not make the group: a late write would bring a deleted one
/// back, without its retention.
fn policy(identity: &Identity) -> Json {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": format!("{}:*", identity.log_group_arn()),
        }],
    })
}

/// `live` with its keys spelled as in `desired`. To IAM keys that differ in case only are one, and the spelling
/// of who wrote last stays (IAM user guide, "Tags for AWS Identity and Access Management resources").
fn spelled(live: &BTreeMap<String, String>, desired: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let spelling = |key: &String| {
        let folded = key.to_lowercase();
        desired.keys().find(|wanted| wanted.to_lowercase() == folded).unwrap_or(key).clone()
    };
    live.iter().map(|(key, value)| (spelling(key), value.clone())).collect()
}

async fn read(aws: &Aws, name: &str, identity: &Identity) -> Result<Live, Fault> {
    let role = aws.call("GetRole", || aws.iam.get_role().role_name(name).send()).await?;
    let role = role.role.ok_or_else(|| Fault::odd("GetRole"))?;
    let mut inline = BTreeMap::new();
    for policy in inline_names(aws, name).await? {
        let request = || aws.iam.get_role_policy().role_name(name).policy_name(&policy).send();
        let answer = aws.call("GetRolePolicy", request).await?;
        inline.insert(policy, normal::from_percent_encoded(answer.policy_document()));
    }
    let tags = role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect();
    let ours = BTreeMap::from([(OWNER_TAG.to_owned(), identity.owner())]);
    let owner = Owner::by_tags(&spelled(&tags, &ours), identity);
    let trust = role.assume_role_policy_document().unwrap_or_default();
    Ok(Live {
        name: role.role_name().to_owned(),
        id: role.role_id().to_owned(),
        path: role.path().to_owned(),
        description: role.description().unwrap_or_default().to_owned(),
        trust: normal::from_percent_encoded(trust),
        inline,
        attached: attached(aws, name).await?,
        boundary: role
            .permissions_boundary()
            .and_then(|boundary| boundary.permissions_boundary_arn())
            .map(str::to_owned),
        session_seconds_max: role.max_session_duration().unwrap_or(SESSION_SECONDS_MAX),
        tags,
        owner,
    })
}

/// The role's unique id, for the function to remember. A new role is not seen everywhere at once, and
/// the one that it replaces, whose id is `stale`, may still be.
pub(crate) async fn id(aws: &Aws, name: &RoleName, stale: Option<&str>) -> Result<String, Problem> {
    let id = || async {
        match aws.call("GetRole", || aws.iam.get_role().role_name(name.as_str()).send()).await {
            Ok(answer) => Ok(answer.role.map(|role| role.role_id)),
            Err(fault) if fault.not_found() => Ok(None),
            Err(fault) => Err(fault.problem(place(name.as_str()))),
        }
    };
    let fresh = aws.until(ROLE_SEEN, || async {
        let id = id().await?;
        Ok(id.filter(|id| Some(id.as_str()) != stale).map_or(Look::NotYet, Look::Yes))
    });
    match fresh.await {
        // It was not replaced after all.
        Err(problem) if problem.code == "timed_out" => id().await?.ok_or(problem),
        result => result,
    }
}

async fn inline_names(aws: &Aws, name: &str) -> Result<Vec<String>, Fault> {
    let mut names = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let request = || aws.iam.list_role_policies().role_name(name).set_marker(marker.clone()).send();
        let page = aws.call("ListRolePolicies", request).await?;
        names.extend(page.policy_names);
        match page.marker.filter(|_| page.is_truncated) {
            Some(next) => marker = Some(next),
            None => return Ok(names),
        }
    }
}

async fn attached(aws: &Aws, name: &str) -> Result<Vec<String>, Fault> {
    let mut arns = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let request =
            || aws.iam.list_attached_role_policies().role_name(name).set_marker(marker.clone()).send();
        let page = aws.call("ListAttachedRolePolicies", request).await?;
        let policies = page.attached_policies.unwrap_or_default();
        arns.extend(policies.into_iter().filter_map(|policy| policy.policy_arn));
        match page.marker.filter(|_| page.is_truncated) {
            Some(next) => marker = Some(next),
            None => return Ok(arns),
        }
    }
}

/// Creates it with its tags; false if one of its name is there already.
async fn create(aws: &Aws, desired: &Desired) -> Result<bool, Problem> {
    let request = || {
        aws.iam
            .create_role()
            .role_name(desired.name.as_str())
            .description(&desired.description)
            .assume_role_policy_document(desired.trust.to_string())
            .set_tags(Some(tags(&desired.tags)))
            .send()
    };
    match aws.call("CreateRole", request).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.already_exists() => Ok(false),
        Err(fault) => Err(fault.problem(place(desired.name.as_str()))),
    }
}

async fn update(aws: &Aws, desired: &Desired, live: &Live) -> Result<(), Fault> {
    let name = desired.name.as_str();
    if live.description != desired.description || live.session_seconds_max != SESSION_SECONDS_MAX {
        let request = || {
            let update = aws.iam.update_role().role_name(name).description(&desired.description);
            update.max_session_duration(SESSION_SECONDS_MAX).send()
        };
        aws.call("UpdateRole", request).await?;
    }
    if normal::normal(&live.trust) != normal::normal(&desired.trust) {
        let document = desired.trust.to_string();
        let request =
            || aws.iam.update_assume_role_policy().role_name(name).policy_document(&document).send();
        aws.call("UpdateAssumeRolePolicy", request).await?;
    }
    let ours = live.inline.get(INLINE_POLICY).map(normal::normal);
    if ours != Some(normal::normal(&desired.policy)) {
        let document = desired.policy.to_string();
        let request = || {
            let put = aws.iam.put_role_policy().role_name(name).policy_name(INLINE_POLICY);
            put.policy_document(&document).send()
        };
        aws.call("PutRolePolicy", request).await?;
    }
    for extra in live.inline.keys().filter(|policy| *policy != INLINE_POLICY) {
        delete_inline(aws, name, extra).await?;
    }
    for policy in &live.attached {
        detach(aws, name, policy).await?;
    }
    let missing = super::missing(&spelled(&live.tags, &desired.tags), &desired.tags);
    if !missing.is_empty() {
        let request = || aws.iam.tag_role().role_name(name).set_tags(Some(tags(&missing))).send();
        aws.call("TagRole", request).await?;
    }
    Ok(())
}

/// What is on it now, not when it was read: a policy added meanwhile would keep it alive.
async fn delete(aws: &Aws, live: &Live) -> Result<(), Fault> {
    let name = &live.name;
    for policy in inline_names(aws, name).await? {
        delete_inline(aws, name, &policy).await?;
    }
    for policy in attached(aws, name).await? {
        detach(aws, name, &policy).await?;
    }
    aws.call("DeleteRole", || aws.iam.delete_role().role_name(name).send()).await?;
    Ok(())
}

async fn delete_inline(aws: &Aws, role: &str, policy: &str) -> Result<(), Fault> {
    let request = || aws.iam.delete_role_policy().role_name(role).policy_name(policy).send();
    gone_is_fine(aws.call("DeleteRolePolicy", request).await)
}

async fn detach(aws: &Aws, role: &str, policy: &str) -> Result<(), Fault> {
    let request = || aws.iam.detach_role_policy().role_name(role).policy_arn(policy).send();
    gone_is_fine(aws.call("DetachRolePolicy", request).await)
}

fn gone_is_fine<T>(result: Result<T, Fault>) -> Result<(), Fault> {
    match result {
        Err(fault) if !fault.not_found() => Err(fault),
        _ => Ok(()),
    }
}

fn tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().expect("key and value are set"))
        .collect()
}

#[cfg(test)]
mod tests;
