//! Where the function logs. A group of our own name, named in the function's configuration, so that no
//! old `/aws/lambda/…` group collides and nothing makes it again after its deletion.
//!
//! AWS keeps its name and class for life.

use std::collections::{BTreeMap, HashMap};

use super::compare::Comparison;
use super::made::made;
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource, not_ours};
use crate::aws::retry::LOG_GROUP_SEEN;
use crate::aws::{Aws, Fault};
use crate::names::{Identity, LogGroupName};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogGroup;

/// The class that can be searched and followed.
const CLASS: &str = "STANDARD";

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Its name.
    pub name: LogGroupName,
    /// How long events are kept.
    pub retention_days: u16,
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
    /// Its ARN, without the trailing `:*`.
    pub arn: String,
    /// How long events are kept; `None`: forever.
    pub retention_days: Option<i32>,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`.
    pub class: String,
    /// The KMS key that encrypts it, if not AWS's own.
    pub key: Option<String>,
    /// Whether deleting it is refused.
    pub deletion_protected: bool,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// Whose it is.
    pub owner: Owner,
}

impl Resource for LogGroup {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::LogGroup;

    fn desired(facts: &Facts) -> Option<Desired> {
        Some(Desired {
            name: facts.identity.log_group(),
            retention_days: facts.stack.function.log_retention_days,
            tags: super::tags(facts),
            identity: facts.identity.clone(),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            (None, Some(_)) => return Change::delete(Impact::None),
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            // Read under the wanted name.
            name: _,
            // Derived from the name.
            arn: _,
            retention_days,
            class,
            key,
            deletion_protected,
            tags,
            // Judged before any write, by the plan.
            owner: _,
        } = live;
        let mut comparison = Comparison::new();
        if class != CLASS {
            comparison.immutable(Impact::None, "class", None, class.clone(), CLASS);
            comparison.refuse(other_class(desired));
        }
        let wanted = i32::from(desired.retention_days);
        if *retention_days != Some(wanted) {
            let found = retention_days.map_or_else(|| "never expires".to_owned(), |days| days.to_string());
            let key = Some("function.log_retention_days");
            comparison.differs(Impact::None, "retention_days", key, found, wanted.to_string());
        }
        comparison.absent("key", key.as_deref());
        if key.as_deref().is_some_and(|key| !key.is_empty()) {
            comparison.refuse(encrypted(desired));
        }
        if *deletion_protected {
            comparison.differs(Impact::None, "deletion protection", None, "on", "off");
        }
        comparison.tags(tags, &desired.tags);
        comparison.finish()
    }

    fn owner(live: &Live) -> Owner {
        live.owner.clone()
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let name = identity.log_group();
        read(aws, &name, identity).await.map_err(|fault| fault.problem(place(name.as_str())))
    }

    async fn apply(aws: &Aws, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        let place = place(desired.name.as_str());
        let found;
        let live = if let Some(live) = live {
            live
        } else {
            let create =
                || async { create(aws, desired).await.map_err(|fault| fault.problem(place.clone())) };
            let read = || Self::read(aws, &desired.identity);
            found = made(aws, (&place, LOG_GROUP_SEEN), create, read, Self::owner).await?.live;
            &found
        };
        if let Owner::Foreign(owner) = &live.owner {
            return Err(not_ours(place, owner.as_deref()));
        }
        update(aws, desired, live).await.map_err(|fault| fault.problem(place))
    }

    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        let place = place(&live.name);
        if live.deletion_protected {
            unprotect(aws, &live.name).await.map_err(|fault| fault.problem(place.clone()))?;
        }
        let request = || aws.logs.delete_log_group().log_group_name(&live.name).send();
        match aws.call("DeleteLogGroup", request).await {
            Err(fault) if !fault.not_found() => Err(fault.problem(place)),
            _ => Ok(()),
        }
    }
}

fn place(name: &str) -> String {
    format!("log group {name}")
}

/// Only a new group has another class, and the old one's events go with it.
fn other_class(desired: &Desired) -> Refusal {
    let (region, name) = (&desired.identity.region, &desired.name);
    Refusal {
        code: "log_group_class",
        because: format!(
            "AWS cannot change the class of the log group `{name}`: making it anew deletes every event in it"
        ),
        next: format!(
            "aws logs delete-log-group --region {region} --log-group-name {name}   # deletes its events; then \
             deploy again"
        ),
    }
}

/// A key is somebody's guard: taking it away would store what follows less well protected.
fn encrypted(desired: &Desired) -> Refusal {
    let (region, name) = (&desired.identity.region, &desired.name);
    Refusal {
        code: "foreign_log_key",
        because: format!("the log group `{name}` was given a KMS key by something else"),
        next: format!(
            "aws logs disassociate-kms-key --region {region} --log-group-name {name}   # if nothing demands it"
        ),
    }
}

/// AWS searches by prefix: the group of exactly this name.
async fn read(aws: &Aws, name: &LogGroupName, identity: &Identity) -> Result<Option<Live>, Fault> {
    let mut token: Option<String> = None;
    let group = loop {
        let request = || {
            let describe = aws.logs.describe_log_groups().log_group_name_prefix(name.as_str());
            describe.set_next_token(token.clone()).send()
        };
        let page = aws.call("DescribeLogGroups", request).await?;
        let mut groups = page.log_groups.unwrap_or_default().into_iter();
        if let Some(group) = groups.find(|group| group.log_group_name() == Some(name.as_str())) {
            break group;
        }
        match page.next_token {
            Some(next) => token = Some(next),
            None => return Ok(None),
        }
    };
    let arn = identity.log_group_arn();
    let request = || aws.logs.list_tags_for_resource().resource_arn(&arn).send();
    let tags = match aws.call("ListTagsForResource", request).await {
        Ok(answer) => answer.tags.unwrap_or_default().into_iter().collect(),
        // Deleted since the first look.
        Err(fault) if fault.not_found() => return Ok(None),
        Err(fault) => return Err(fault),
    };
    Ok(Some(Live {
        name: name.to_string(),
        arn,
        retention_days: group.retention_in_days,
        class: group.log_group_class().map_or(CLASS, |class| class.as_str()).to_owned(),
        key: group.kms_key_id.clone(),
        deletion_protected: group.deletion_protection_enabled.unwrap_or(false),
        owner: Owner::by_tags(&tags, identity),
        tags,
    }))
}

/// Creates it with its tags; false if one of its name is there already.
async fn create(aws: &Aws, desired: &Desired) -> Result<bool, Fault> {
    let tags: HashMap<String, String> = desired.tags.clone().into_iter().collect();
    let request = || {
        let create = aws.logs.create_log_group().log_group_name(desired.name.as_str());
        create.set_tags(Some(tags.clone())).send()
    };
    match aws.call("CreateLogGroup", request).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.already_exists() => Ok(false),
        Err(fault) => Err(fault),
    }
}

async fn update(aws: &Aws, desired: &Desired, live: &Live) -> Result<(), Fault> {
    let name = desired.name.as_str();
    let days = i32::from(desired.retention_days);
    if live.retention_days != Some(days) {
        let request = || aws.logs.put_retention_policy().log_group_name(name).retention_in_days(days).send();
        aws.call("PutRetentionPolicy", request).await?;
    }
    if live.deletion_protected {
        unprotect(aws, name).await?;
    }
    let missing: HashMap<String, String> = super::missing(&live.tags, &desired.tags).into_iter().collect();
    if !missing.is_empty() {
        let request =
            || aws.logs.tag_resource().resource_arn(&live.arn).set_tags(Some(missing.clone())).send();
        aws.call("TagResource", request).await?;
    }
    Ok(())
}

async fn unprotect(aws: &Aws, name: &str) -> Result<(), Fault> {
    let request = || {
        let put = aws.logs.put_log_group_deletion_protection().log_group_identifier(name);
        put.deletion_protection_enabled(false).send()
    };
    aws.call("PutLogGroupDeletionProtection", request).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
