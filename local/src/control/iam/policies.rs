//! Inline and attached policies of a role.

use super::{State, answer, document, input, limit_exceeded, no_such_entity};
use crate::control::protocol::query::{Form, Xml};
use crate::control::validate::Checks;
use crate::control::{Call, ServiceError};

/// Characters of all inline policies of a role together, white space not counted. Source: "IAM and AWS STS
/// quotas".
const INLINE_CHARACTERS_MAX: usize = 10_240;
/// Managed policies per role. Source: the same.
const ATTACHED_MAX: usize = 10;

pub(super) fn put(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let (role_name, policy_name) = names(&mut checks, form);
    let text = checks.required("policyDocument", form.get("PolicyDocument"), &input::DOCUMENT);
    checks.finish("ValidationError")?;
    let role = state.named(role_name)?;
    document::check_inline(text)?;
    let others = role.inline_policies.iter().filter(|(name, _)| *name != policy_name);
    let total: usize = others.map(|(_, text)| document::counted_characters(text)).sum();
    if total + document::counted_characters(text) > INLINE_CHARACTERS_MAX {
        let text =
            format!("Maximum policy size of {INLINE_CHARACTERS_MAX} bytes exceeded for role {}", role.name);
        return Err(limit_exceeded(text));
    }
    role.inline_policies.insert(policy_name.to_owned(), text.to_owned());
    Ok(None)
}

pub(super) fn get(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let (role_name, policy_name) = names(&mut checks, form);
    checks.finish("ValidationError")?;
    let role = state.named(role_name)?;
    let text = role.inline_policies.get(policy_name).ok_or_else(|| no_such_policy(policy_name))?;
    let mut result = Xml::default();
    result.leaf("RoleName", &role.name);
    result.leaf("PolicyName", policy_name);
    result.leaf("PolicyDocument", &answer::document(text));
    Ok(Some(result))
}

pub(super) fn delete(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let (role_name, policy_name) = names(&mut checks, form);
    checks.finish("ValidationError")?;
    let role = state.named(role_name)?;
    role.inline_policies.remove(policy_name).ok_or_else(|| no_such_policy(policy_name))?;
    Ok(None)
}

pub(super) fn list(state: &mut State, form: &Form, call: &Call) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let role_name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    let names = state.named(role_name)?.inline_policies.keys();
    let page = input::one_page(names.map(|name| (name.clone(), name)), form, call)?;
    let mut result = Xml::default();
    result.element("PolicyNames", |xml| page.entries.iter().for_each(|name| xml.leaf("member", name)));
    input::page_end(&mut result, &page);
    Ok(Some(result))
}

/// Attaching twice is once.
pub(super) fn attach(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let (role_name, arn) = role_and_arn(&mut checks, form);
    checks.finish("ValidationError")?;
    let role = state.named(role_name)?;
    input::attachable(arn)?;
    if let Err(place) = role.attached_policies.binary_search_by(|attached| attached.as_str().cmp(arn)) {
        if role.attached_policies.len() >= ATTACHED_MAX {
            return Err(limit_exceeded(format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_MAX}")));
        }
        role.attached_policies.insert(place, arn.to_owned());
    }
    Ok(None)
}

pub(super) fn detach(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let (role_name, arn) = role_and_arn(&mut checks, form);
    checks.finish("ValidationError")?;
    let role = state.named(role_name)?;
    let place = role.attached_policies.iter().position(|attached| attached == arn);
    let place = place.ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))?;
    role.attached_policies.remove(place);
    Ok(None)
}

pub(super) fn list_attached(
    state: &mut State,
    form: &Form,
    call: &Call,
) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let role_name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let prefix = checks.optional("pathPrefix", form.get("PathPrefix"), &input::POLICY_PATH).unwrap_or("/");
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    let role = state.named(role_name)?;
    let in_path = role.attached_policies.iter().filter(|arn| path_of(arn).starts_with(prefix));
    let page = input::one_page(in_path.map(|arn| (arn.clone(), arn)), form, call)?;
    let mut result = Xml::default();
    result.element("AttachedPolicies", |xml| {
        for arn in &page.entries {
            xml.element("member", |xml| {
                xml.leaf("PolicyName", arn.rsplit('/').next().unwrap_or_default());
                xml.leaf("PolicyArn", arn);
            });
        }
    });
    input::page_end(&mut result, &page);
    Ok(Some(result))
}

fn names<'a>(checks: &mut Checks, form: &'a Form) -> (&'a str, &'a str) {
    let role = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    (role, checks.required("policyName", form.get("PolicyName"), &input::POLICY_NAME))
}

fn role_and_arn<'a>(checks: &mut Checks, form: &'a Form) -> (&'a str, &'a str) {
    let role = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    (role, checks.required("policyArn", form.get("PolicyArn"), &input::ARN))
}

fn no_such_policy(name: &str) -> ServiceError {
    no_such_entity(format!("The role policy with name {name} cannot be found."))
}

/// The path in a policy's ARN: `/service-role/` of `arn:aws:iam::aws:policy/service-role/X`.
fn path_of(arn: &str) -> &str {
    let after = arn.find(":policy/").map_or(arn, |place| &arn[place + ":policy".len()..]);
    after.rfind('/').map_or("/", |last| &after[..=last])
}
