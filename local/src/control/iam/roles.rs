//! Roles as such.

use std::collections::BTreeMap;

use super::answer::Shown;
use super::{Role, State, answer, document, input, limit_exceeded, no_such_entity, tags};
use crate::control::protocol::query::{Form, Xml};
use crate::control::validate::Checks;
use crate::control::{Call, ServiceError};
use crate::random;

/// Roles per account. Source: "IAM and AWS STS quotas".
const ROLES_MAX: usize = 1000;
/// Characters of a trust policy, white space not counted. Source: the same.
const TRUST_CHARACTERS_MAX: usize = 2048;
/// The session's length when none is given, and its bounds, in seconds. Source: `CreateRole`.
const SESSION_SECONDS: (i64, i64, i64) = (3600, 3600, 43_200);

pub(super) fn create(state: &mut State, form: &Form, call: &Call) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let path = checks.optional("path", form.get("Path"), &input::PATH).unwrap_or("/");
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let trust =
        checks.required("assumeRolePolicyDocument", form.get("AssumeRolePolicyDocument"), &input::DOCUMENT);
    let description = checks.optional("description", form.get("Description"), &input::DESCRIPTION);
    let seconds = session_seconds(&mut checks, form)?;
    let boundary = checks.optional("permissionsBoundary", form.get("PermissionsBoundary"), &input::ARN);
    let sent_tags = tags::read(form, &mut checks);
    checks.finish("ValidationError")?;
    if state.roles.contains_key(&name.to_ascii_lowercase()) {
        let text = format!("Role with name {name} already exists.");
        return Err(ServiceError::new(409, "EntityAlreadyExists", text));
    }
    if state.roles.len() >= ROLES_MAX {
        return Err(limit_exceeded(format!("Cannot exceed quota for RolesPerAccount: {ROLES_MAX}")));
    }
    check_trust(state, trust)?;
    if let Some(arn) = boundary {
        boundary_exists(arn)?;
    }
    let mut role_tags = BTreeMap::new();
    tags::merge(&mut role_tags, sent_tags)?;
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        role_id: random::unique_id("AROA"),
        arn: super::role_arn(call, path, name),
        created_at: call.now,
        trust_policy: trust.to_owned(),
        description: description.map(str::to_owned),
        max_session_seconds: seconds.unwrap_or(SESSION_SECONDS.0).try_into().unwrap_or(u32::MAX),
        permissions_boundary: boundary.map(str::to_owned),
        inline_policies: BTreeMap::new(),
        attached_policies: Vec::new(),
        tags: role_tags,
    };
    let mut result = Xml::default();
    result.element("Role", |xml| answer::role(xml, &role, Shown::Created));
    state.roles.insert(name.to_ascii_lowercase(), role);
    Ok(Some(result))
}

pub(super) fn get(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let role = state.named(input::role_name(form)?)?;
    let mut result = Xml::default();
    result.element("Role", |xml| answer::role(xml, role, Shown::Whole));
    Ok(Some(result))
}

/// What is not sent is reset, which is easily overlooked: `UpdateRole` without `MaxSessionDuration` sets the
/// default, and without Description leaves it. Source: `UpdateRole` of the IAM API Reference: "If you do not
/// specify a value for this setting, the default value of one hour is applied."
pub(super) fn update(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let description = checks.optional("description", form.get("Description"), &input::DESCRIPTION);
    let seconds = session_seconds(&mut checks, form)?;
    checks.finish("ValidationError")?;
    let role = state.named(name)?;
    if let Some(description) = description {
        role.description = Some(description.to_owned());
    }
    role.max_session_seconds = seconds.unwrap_or(SESSION_SECONDS.0).try_into().unwrap_or(u32::MAX);
    Ok(Some(Xml::default()))
}

pub(super) fn update_trust(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let trust = checks.required("policyDocument", form.get("PolicyDocument"), &input::DOCUMENT);
    checks.finish("ValidationError")?;
    state.named(name)?;
    check_trust(state, trust)?;
    trust.clone_into(&mut state.named(name)?.trust_policy);
    Ok(None)
}

pub(super) fn delete(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let name = input::role_name(form)?;
    let role = state.named(name)?;
    let conflict = |what: &str| {
        ServiceError::new(409, "DeleteConflict", format!("Cannot delete entity, must {what} first."))
    };
    if !role.attached_policies.is_empty() {
        return Err(conflict("detach all policies"));
    }
    if !role.inline_policies.is_empty() {
        return Err(conflict("delete policies"));
    }
    state.roles.remove(&name.to_ascii_lowercase());
    Ok(None)
}

pub(super) fn list(state: &mut State, form: &Form, call: &Call) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let prefix = checks.optional("pathPrefix", form.get("PathPrefix"), &input::PATH_PREFIX).unwrap_or("/");
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    let roles = state.roles.iter().filter(|(_, role)| role.path.starts_with(prefix));
    let page = input::one_page(roles.map(|(key, role)| (key.clone(), role)), form, call)?;
    let mut result = Xml::default();
    result.element("Roles", |xml| {
        for role in &page.entries {
            xml.element("member", |xml| answer::role(xml, role, Shown::Listed));
        }
    });
    input::page_end(&mut result, &page);
    Ok(Some(result))
}

/// The account has no instance profiles, so the list is empty for every role that exists.
pub(super) fn list_instance_profiles(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    state.named(name)?;
    let mut result = Xml::default();
    result.element("InstanceProfiles", |_| {});
    result.leaf("IsTruncated", "false");
    Ok(Some(result))
}

pub(super) fn put_boundary(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let name = checks.required("roleName", form.get("RoleName"), &input::ROLE_NAME);
    let arn = checks.required("permissionsBoundary", form.get("PermissionsBoundary"), &input::ARN);
    checks.finish("ValidationError")?;
    let role = state.named(name)?;
    boundary_exists(arn)?;
    role.permissions_boundary = Some(arn.to_owned());
    Ok(None)
}

pub(super) fn delete_boundary(state: &mut State, form: &Form) -> Result<Option<Xml>, ServiceError> {
    let role = state.named(input::role_name(form)?)?;
    if role.permissions_boundary.take().is_none() {
        let text = format!("Role {} does not have a permissions boundary.", role.name);
        return Err(no_such_entity(text));
    }
    Ok(None)
}

fn session_seconds(checks: &mut Checks, form: &Form) -> Result<Option<i64>, ServiceError> {
    let (_, least, most) = SESSION_SECONDS;
    Ok(checks.number("maxSessionDuration", form.number("MaxSessionDuration")?, least, most))
}

fn check_trust(state: &State, trust: &str) -> Result<(), ServiceError> {
    document::check_trust(trust, |arn| state.role(arn).is_some())?;
    if document::counted_characters(trust) > TRUST_CHARACTERS_MAX {
        return Err(limit_exceeded(format!(
            "Cannot exceed quota for ACLSizePerRole: {TRUST_CHARACTERS_MAX}"
        )));
    }
    Ok(())
}

fn boundary_exists(arn: &str) -> Result<(), ServiceError> {
    input::attachable(arn).map_err(|error| match error.code {
        "NoSuchEntity" => no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")),
        _ => error,
    })
}
