//! The calls that change an authorizer.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_iot::types::{AuthorizerStatus, Tag};

use super::super::{Action, Impact, Owner, Resource, missing, not_ours};
use super::{ACTIVE, Authorizer, Desired, Live, changed_meanwhile, keys, place};
use crate::aws::retry::KEYS_GONE;
use crate::aws::wait::Look;
use crate::aws::{Answer, Aws, Fault};
use crate::names::Region;
use crate::problem::Problem;

/// Creates it with its tags; false if one of its name is there already.
pub(super) async fn create(
    aws: &Aws,
    desired: &Desired,
    registered: Option<&HashMap<String, String>>,
) -> Result<bool, Fault> {
    let request = || {
        aws.iot
            .create_authorizer()
            .authorizer_name(desired.name.as_str())
            .authorizer_function_arn(&desired.function_arn)
            .token_key_name(desired.token_key_name.as_str())
            .set_token_signing_public_keys(registered.cloned())
            .signing_disabled(registered.is_none())
            .status(AuthorizerStatus::Active)
            .enable_caching_for_http(desired.http_caching)
            .set_tags(Some(sdk_tags(&desired.tags)))
            .send()
    };
    match aws.call("CreateAuthorizer", request).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.already_exists() => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// The problem of a create or an update. AWS documents neither that an alias may decide nor that it may
/// not, and its texts are not shown: a request that it does not accept is told with the alias.
pub(super) fn problem(fault: Fault, desired: &Desired) -> Problem {
    let invalid = fault.answer == Answer::Invalid;
    let problem = fault.problem(place(desired.name.as_str()));
    if !invalid {
        return problem;
    }
    problem.because(format!(
        "its function is the alias {}; AWS does not say whether it takes an alias there",
        desired.function_arn
    ))
}

/// That what is there `now` needs nothing that the plan, made on `planned`, did not ask about.
pub(super) fn check_unchanged(desired: &Desired, planned: Option<&Live>, now: &Live) -> Result<(), Problem> {
    let place = place(desired.name.as_str());
    if let Owner::Foreign(owner) = &now.owner {
        return Err(not_ours(place, owner.as_deref()));
    }
    if planned == Some(now) {
        return Ok(());
    }
    let change = Authorizer::diff(Some(desired), Some(now));
    if let Some(refusal) = change.refusal {
        return Err(Problem::refused(refusal.code, "the authorizer is not what the plan was made on")
            .at(place)
            .because(refusal.because)
            .next(refusal.next));
    }
    let asked = planned.map_or(Impact::None, |live| Authorizer::diff(Some(desired), Some(live)).impact);
    if change.impact > asked || change.action == Action::Replace {
        let fields: Vec<String> = change.differences.into_iter().map(|one| one.field).collect();
        return Err(changed_meanwhile(&format!("differs now: {}", fields.join(", "))).at(place));
    }
    Ok(())
}

/// With signing on, every field that can change is sent, the whole map of keys included: an update
/// replaces it. With signing off only the fields that differ are
/// (hashicorp/terraform-provider-awscc#1543). Says whether a key was to be taken away.
pub(super) async fn update(
    aws: &Aws,
    desired: &Desired,
    registered: Option<&HashMap<String, String>>,
    live: &Live,
) -> Result<bool, Fault> {
    let tagless = Desired { tags: BTreeMap::new(), ..desired.clone() };
    if !Authorizer::diff(Some(&tagless), Some(live)).differences.is_empty() {
        let all = registered.is_some();
        let differs = |differs: bool| all || differs;
        let request = || {
            let mut update = aws.iot.update_authorizer().authorizer_name(desired.name.as_str());
            update = update.set_token_signing_public_keys(registered.cloned());
            if differs(live.function_arn != desired.function_arn) {
                update = update.authorizer_function_arn(&desired.function_arn);
            }
            if differs(live.token_key_name.as_deref() != Some(desired.token_key_name.as_str())) {
                update = update.token_key_name(desired.token_key_name.as_str());
            }
            if differs(live.status != ACTIVE) {
                update = update.status(AuthorizerStatus::Active);
            }
            if differs(live.http_caching != desired.http_caching) {
                update = update.enable_caching_for_http(desired.http_caching);
            }
            update.send()
        };
        aws.call("UpdateAuthorizer", request).await?;
    }
    let missing = missing(&live.tags, &desired.tags);
    if !missing.is_empty() {
        let request =
            || aws.iot.tag_resource().resource_arn(&live.arn).set_tags(Some(sdk_tags(&missing))).send();
        aws.call("TagResource", request).await?;
    }
    Ok(live.keys.keys().any(|name| registered.is_some_and(|wanted| !wanted.contains_key(name))))
}

/// That an update takes away what it does not name is believed, not documented: a key that still lets
/// devices in must not be reported as gone. Its answer may lag behind.
pub(super) async fn keys_are_gone(
    aws: &Aws,
    desired: &Desired,
    registered: Option<&HashMap<String, String>>,
) -> Result<(), Problem> {
    let kept = || async {
        let live = Authorizer::read(aws, &desired.identity).await?;
        let mut keys = live.map(|live| live.keys).unwrap_or_default().into_keys();
        Ok(keys.find(|key| registered.is_some_and(|wanted| !wanted.contains_key(key))))
    };
    let gone = aws.until(KEYS_GONE, || async {
        Ok(if kept().await?.is_some() { Look::NotYet } else { Look::Yes(()) })
    });
    match gone.await {
        Err(problem) if problem.code == "timed_out" => {}
        result => return result,
    }
    let Some(kept) = kept().await? else { return Ok(()) };
    Err(Problem::failed("key_not_removed", format!("AWS kept the key `{kept}` that the update took away"))
        .at(place(desired.name.as_str()))
        .because("tokens signed with it are still accepted")
        .next(format!(
            "make the authorizer anew, which cuts every device until the next deploy: {}",
            keys::deletion(desired)
        )))
}

/// AWS refuses to delete an active one, and for some seconds one that was just switched off. One that
/// it refuses to delete at all is switched on again: it may be the only door that devices have.
pub(super) async fn switch_off_and_delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
    let name = &live.name;
    let switch = |status: AuthorizerStatus| async move {
        let request = || {
            let update = aws.iot.update_authorizer().authorizer_name(name);
            update.status(status.clone()).send()
        };
        aws.call("UpdateAuthorizer", request).await
    };
    match switch(AuthorizerStatus::Inactive).await {
        Err(fault) if fault.not_found() => return Ok(()),
        Err(fault) => return Err(fault.problem(place(name))),
        Ok(_) => {}
    }
    let request = || aws.iot.delete_authorizer().authorizer_name(name).send();
    let fault = match aws.call("DeleteAuthorizer", request).await {
        Err(fault) if !fault.not_found() => fault,
        _ => return Ok(()),
    };
    let on_again = live.status == ACTIVE && switch(AuthorizerStatus::Active).await.is_ok();
    Err(refused(&fault, live, on_again))
}

/// Why it was not deleted, and how it is now.
fn refused(fault: &Fault, live: &Live, on_again: bool) -> Problem {
    let name = &live.name;
    let mut problem = fault.clone().problem(place(name));
    // The ARN names the Region: `arn:aws:iot:REGION:…`.
    let region = live.arn.split(':').nth(3).and_then(|region| Region::new(region).ok());
    let region = region.map(|region| format!(" --region {region}")).unwrap_or_default();
    if matches!(fault.answer, Answer::NotYet(_) | Answer::Conflict) {
        problem.code = "authorizer_in_use";
        problem = problem
            .because("something holds the authorizer: a domain configuration, or the account's default")
            .next(format!(
                "find what names {name}: aws iot list-domain-configurations{region}, aws iot \
                 describe-domain-configuration{region} --domain-configuration-name NAME, aws iot \
                 describe-default-authorizer{region}; take it out there, then run this again"
            ));
    }
    problem.because(if on_again {
        format!(
            "it is switched on again; if it was the default authorizer, devices that name none need: aws iot \
             set-default-authorizer{region} --authorizer-name {name}"
        )
    } else {
        "it may be switched off, and devices are refused until the next deploy".to_owned()
    })
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build().expect("the key is set"))
        .collect()
}
