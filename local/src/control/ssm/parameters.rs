//! Parameters: put, get, delete.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{self, Tag};
use super::{
    Call, DEFAULT_KEY, Parameter, SECRET, ServiceError, State, input, invalid, milliseconds, not_found,
    parameter_arn, read, seconds,
};
use crate::control::validate::Checks;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    name: Option<String>,
    description: Option<String>,
    value: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    key_id: Option<String>,
    overwrite: Option<bool>,
    allowed_pattern: Option<String>,
    tags: Option<Vec<Tag>>,
    tier: Option<String>,
    policies: Option<String>,
    data_type: Option<String>,
}

impl Put {
    /// Name and value, checked by the model.
    fn checked(&self) -> Result<(String, String), ServiceError> {
        let mut checks = Checks::default();
        let name = checks.required("name", self.name.as_deref(), &input::NAME).trim().to_owned();
        // A value is never told: it may be a secret.
        match self.value.as_deref() {
            None => checks.missing("value"),
            Some(value) if value.is_empty() => {
                checks.required("value", Some(value), &input::VALUE);
            }
            Some(_) => {}
        }
        checks.optional("description", self.description.as_deref(), &input::DESCRIPTION);
        checks.word("type", self.kind.as_deref(), input::KINDS);
        checks.optional("keyId", self.key_id.as_deref(), &input::KEY_ID);
        checks.optional("allowedPattern", self.allowed_pattern.as_deref(), &input::ALLOWED_PATTERN);
        checks.word("tier", self.tier.as_deref(), input::TIERS);
        checks.optional("policies", self.policies.as_deref(), &input::POLICIES);
        checks.optional("dataType", self.data_type.as_deref(), &input::DATA_TYPE);
        tags::check(&mut checks, self.tags.as_deref().unwrap_or_default());
        checks.finish(input::INVALID)?;
        Ok((name, self.value.clone().unwrap_or_default()))
    }

    /// What this target does not have.
    fn refuse_what_is_not_here(&self) -> Result<(), ServiceError> {
        if self.kind.as_deref() != Some(SECRET) && self.key_id.is_some() {
            return Err(invalid("KeyId is only valid for parameters of the type SecureString."));
        }
        if self.key_id.as_deref().is_some_and(|key| key != DEFAULT_KEY) {
            let text = "The local target has no KMS keys but the default one.";
            return Err(ServiceError::new(400, "InvalidKeyId", text));
        }
        if self.tier.as_deref() == Some("Advanced") || self.policies.is_some() {
            return Err(invalid("The local target has the standard tier only."));
        }
        if self.allowed_pattern.as_deref().is_some_and(|pattern| !pattern.is_empty()) {
            return Err(invalid("The local target takes no AllowedPattern."));
        }
        if self.data_type.as_deref().is_some_and(|data_type| !["", "text"].contains(&data_type)) {
            return Err(invalid("The following data type is not supported here: DataType is text."));
        }
        Ok(())
    }
}

pub(super) fn put(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Put = read(call)?;
    let (name, value) = sent.checked()?;
    input::new_name(call, &name)?;
    input::new_value(&value)?;
    sent.refuse_what_is_not_here()?;
    let overwrite = sent.overwrite.unwrap_or(false);
    let former = state.parameters.get(&name);
    if former.is_some() && !overwrite {
        let text = "The parameter already exists. To overwrite this value, set the overwrite option in the \
                    request to true.";
        return Err(ServiceError::new(400, "ParameterAlreadyExists", text));
    }
    // Source: moto 5.2.1, `ssm/models.py`.
    if overwrite && sent.tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please \
             remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or \
             RemoveTagsFromResource.",
        ));
    }
    let Some(kind) = sent.kind.or_else(|| former.map(|former| former.kind.clone())) else {
        return Err(invalid("A parameter type is required when you create a parameter."));
    };
    let parameter = Parameter {
        value,
        kind,
        description: sent.description.or_else(|| former.and_then(|former| former.description.clone())),
        version: former.map_or(1, |former| former.version + 1),
        modified_ms: milliseconds(call.now),
        tags: former.map(|former| former.tags.clone()).unwrap_or_default(),
    };
    let version = parameter.version;
    state.parameters.insert(name.clone(), parameter);
    tags::put(state, &name, sent.tags.unwrap_or_default())?;
    Ok(json!({ "Version": version, "Tier": "Standard" }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    name: Option<String>,
    with_decryption: Option<bool>,
}

/// By name or by ARN. Versions and labels (`name:1`) are not here.
pub(super) fn get(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Get = read(call)?;
    let mut checks = Checks::default();
    let asked = checks.required("name", sent.name.as_deref(), &input::NAME);
    checks.finish(input::INVALID)?;
    let found = state.parameters.iter().find(|(name, _)| {
        *name == asked || (asked.starts_with("arn:") && parameter_arn(call, name) == asked)
    });
    let Some((name, parameter)) = found else { return Err(not_found(asked)) };
    let is_open = parameter.kind != SECRET || sent.with_decryption.unwrap_or(false);
    let value = if is_open { parameter.value.clone() } else { sealed(name, parameter.version) };
    Ok(json!({ "Parameter": {
        "Name": name,
        "Type": parameter.kind,
        "Value": value,
        "Version": parameter.version,
        "LastModifiedDate": seconds(parameter.modified_ms),
        "ARN": parameter_arn(call, name),
        "DataType": "text",
    } }))
}

/// What stands for the ciphertext: it tells the name and the version, and nothing about the value.
fn sealed(name: &str, version: i64) -> String {
    STANDARD.encode(format!("sealed {name} {version}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    name: Option<String>,
}

pub(super) fn delete(state: &mut State, call: &Call) -> Result<Value, ServiceError> {
    let sent: Delete = read(call)?;
    let mut checks = Checks::default();
    let name = checks.required("name", sent.name.as_deref(), &input::NAME);
    checks.finish(input::INVALID)?;
    state.parameters.remove(name).ok_or_else(|| not_found(name))?;
    Ok(json!({}))
}
