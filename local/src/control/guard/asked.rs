//! What each call asks for: actions and resources of AWS's Service Authorization Reference ("Actions,
//! resources, and condition keys for" IAM, IoT, Lambda, CloudWatch Logs, Systems Manager).

use serde_json::Value;

use crate::control::lambda::reference::{self, Reference};
use crate::control::protocol::query::Form;
use crate::control::route::Service;
use crate::control::{Call, iam, iot, logs, ssm};

/// One question to a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// `service:Action`.
    pub(crate) action: String,
    /// An ARN, or `*` where the action knows no resource.
    pub(crate) resource: String,
    /// Condition keys with their values.
    pub(crate) context: Vec<(String, String)>,
}

impl Asked {
    fn new(action: &str, resource: impl Into<String>) -> Self {
        Self::with(action, resource, Vec::new())
    }

    /// A question with what is known about the request.
    pub(crate) fn with(action: &str, resource: impl Into<String>, context: Vec<(String, String)>) -> Self {
        Self { action: action.to_owned(), resource: resource.into(), context }
    }

    fn know(&mut self, key: &str, value: &str) {
        self.context.push((key.to_owned(), value.to_owned()));
    }
}

/// Everything that a call needs a permission for, the call's own action first. A call that is not in these
/// tables asks for an action that only `*` allows: a new operation must get its row.
pub(crate) fn asked(service: Service, call: &Call, roles: &iam::State) -> Vec<Asked> {
    match service {
        Service::Sts => sts(call),
        Service::Iam => iam_call(call, roles),
        Service::Lambda => lambda(call),
        Service::Iot => iot_call(call),
        Service::Logs => logs_call(call),
        Service::Ssm => ssm_call(call),
    }
}

/// `GetCallerIdentity` needs no permission (STS API Reference). Who may assume a role is decided together with the
/// role's trust policy, by the service itself.
fn sts(call: &Call) -> Vec<Asked> {
    match Form::read(call.query, call.body).get("Action") {
        Some("GetCallerIdentity" | "AssumeRole" | "AssumeRoleWithWebIdentity") => Vec::new(),
        other => vec![Asked::new(&format!("sts:{}", other.unwrap_or("Unknown")), "*")],
    }
}

fn iam_call(call: &Call, roles: &iam::State) -> Vec<Asked> {
    let form = Form::read(call.query, call.body);
    let action = form.get("Action").unwrap_or("Unknown");
    let path = form.get("Path").unwrap_or("/");
    let name = form.get("RoleName").unwrap_or_default();
    let resource = if let Some(source) = form.get("PolicySourceArn") {
        source.to_owned()
    } else if action == "CreateRole" {
        iam::role_arn(call, path, name)
    } else {
        // A list names no role: it is asked for on what all roles begin with.
        roles.arn_of(name).unwrap_or_else(|| iam::role_arn(call, "/", name))
    };
    let mut asked = vec![Asked::new(&format!("iam:{action}"), resource.clone())];
    if action == "CreateRole" && form.get("Tags.member.1.Key").is_some() {
        asked.push(Asked::new("iam:TagRole", resource));
    }
    for one in &mut asked {
        for (key, parameter) in
            [("iam:PermissionsBoundary", "PermissionsBoundary"), ("iam:PolicyARN", "PolicyArn")]
        {
            if let Some(arn) = form.get(parameter) {
                one.know(key, arn);
            }
        }
    }
    asked
}

fn lambda(call: &Call) -> Vec<Asked> {
    let body = json(call);
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let qualifier =
        |query: &str| call.query.iter().find(|(key, _)| key == query).map(|(_, value)| value.as_str());
    let function = |name: &str| function_arn(call, name, qualifier("Qualifier"));
    let (action, resource) = match (call.method.as_str(), path.as_slice()) {
        ("POST", [_, "functions"]) => ("CreateFunction", function(text(&body, "FunctionName"))),
        ("GET", [_, "functions"]) => ("ListFunctions", "*".to_owned()),
        ("GET", [_, "functions", name]) => ("GetFunction", function(name)),
        ("DELETE", [_, "functions", name]) => ("DeleteFunction", function(name)),
        ("GET", [_, "functions", name, "configuration"]) => ("GetFunctionConfiguration", function(name)),
        ("PUT", [_, "functions", name, "configuration"]) => ("UpdateFunctionConfiguration", function(name)),
        ("PUT", [_, "functions", name, "code"]) => ("UpdateFunctionCode", function(name)),
        ("POST", [_, "functions", name, "versions"]) => ("PublishVersion", function(name)),
        ("GET", [_, "functions", name, "versions"]) => ("ListVersionsByFunction", function(name)),
        ("POST", [_, "functions", name, "aliases"]) => ("CreateAlias", function(name)),
        ("GET", [_, "functions", name, "aliases"]) => ("ListAliases", function(name)),
        ("GET", [_, "functions", name, "aliases", _]) => ("GetAlias", function(name)),
        ("PUT", [_, "functions", name, "aliases", _]) => ("UpdateAlias", function(name)),
        ("DELETE", [_, "functions", name, "aliases", _]) => ("DeleteAlias", function(name)),
        ("POST", [_, "functions", name, "policy"]) => ("AddPermission", function(name)),
        ("GET", [_, "functions", name, "policy"]) => ("GetPolicy", function(name)),
        ("DELETE", [_, "functions", name, "policy", _]) => ("RemovePermission", function(name)),
        ("POST", [_, "functions", name, "invocations"]) => ("InvokeFunction", function(name)),
        ("PUT", [_, "functions", name, "concurrency"]) => ("PutFunctionConcurrency", function(name)),
        ("DELETE", [_, "functions", name, "concurrency"]) => ("DeleteFunctionConcurrency", function(name)),
        ("GET", [_, "functions", name, "concurrency"]) => ("GetFunctionConcurrency", function(name)),
        ("GET", [_, "functions", name, "code-signing-config"]) => {
            ("GetFunctionCodeSigningConfig", function(name))
        }
        ("POST", [_, "functions", name, "url"]) => ("CreateFunctionUrlConfig", function(name)),
        ("GET", [_, "functions", name, "url"]) => ("GetFunctionUrlConfig", function(name)),
        ("DELETE", [_, "functions", name, "url"]) => ("DeleteFunctionUrlConfig", function(name)),
        ("GET", [_, "functions", name, "provisioned-concurrency"]) if qualifier("List").is_some() => {
            ("ListProvisionedConcurrencyConfigs", function(name))
        }
        ("GET", [_, "functions", name, "provisioned-concurrency"]) => {
            ("GetProvisionedConcurrencyConfig", function(name))
        }
        ("PUT", [_, "functions", name, "provisioned-concurrency"]) => {
            ("PutProvisionedConcurrencyConfig", function(name))
        }
        ("DELETE", [_, "functions", name, "provisioned-concurrency"]) => {
            ("DeleteProvisionedConcurrencyConfig", function(name))
        }
        ("GET", [_, "functions", name, "urls"]) => ("ListFunctionUrlConfigs", function(name)),
        ("GET", [_, "tags", resource]) => ("ListTags", (*resource).to_owned()),
        ("POST", [_, "tags", resource]) => ("TagResource", (*resource).to_owned()),
        ("DELETE", [_, "tags", resource]) => ("UntagResource", (*resource).to_owned()),
        _ => ("Unknown", "*".to_owned()),
    };
    let mut first = Asked::new(&format!("lambda:{action}"), resource.clone());
    if action == "AddPermission" {
        first.know("lambda:Principal", text(&body, "Principal"));
    }
    let mut asked = vec![first];
    if action == "CreateFunction" && has_members(&body, "Tags") {
        asked.push(Asked::new("lambda:TagResource", resource));
    }
    // "Granting a user permissions to pass a role": whoever hands a role to a service needs it.
    if matches!(action, "CreateFunction" | "UpdateFunctionConfiguration") && !text(&body, "Role").is_empty() {
        let mut pass = Asked::new("iam:PassRole", text(&body, "Role"));
        pass.know("iam:PassedToService", "lambda.amazonaws.com");
        asked.push(pass);
    }
    asked
}

fn function_arn(call: &Call, name: &str, qualifier: Option<&str>) -> String {
    let reference = Reference::parse(name);
    let own = reference.as_ref().map_or(name, |reference| reference.name.as_str());
    let qualifier =
        qualifier.or_else(|| reference.as_ref().and_then(|reference| reference.qualifier.as_deref()));
    reference::arn(call.region, call.account, own, qualifier)
}

fn iot_call(call: &Call) -> Vec<Asked> {
    let body = json(call);
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    let queried = |key: &str| {
        let found = call.query.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let action = iot::operation(call.method.as_str(), &path).unwrap_or("Unknown");
    let resource = match (action, path.as_slice()) {
        ("Unknown", _) => "*".to_owned(),
        (_, ["authorizer", name, ..]) => iot::authorizer_arn(call, name),
        ("SetDefaultAuthorizer", _) => iot::authorizer_arn(call, text(&body, "authorizerName")),
        ("TagResource" | "UntagResource", _) => text(&body, "resourceArn").to_owned(),
        ("ListTagsForResource", _) => queried("resourceArn"),
        _ => "*".to_owned(),
    };
    let mut asked = vec![Asked::new(&format!("iot:{action}"), resource.clone())];
    if action == "CreateAuthorizer" && has_members(&body, "tags") {
        asked.push(Asked::new("iot:TagResource", resource));
    }
    asked
}

/// Tag operations are asked for on the group's ARN, all others on the same with `:*` (CloudWatch Logs User
/// Guide, "Actions, resources, and condition keys": "log-group").
fn logs_call(call: &Call) -> Vec<Asked> {
    let body = json(call);
    let target = call.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.split('.').nth(1).unwrap_or("Unknown");
    let group = match (text(&body, "logGroupName"), text(&body, "logGroupIdentifier")) {
        ("", identifier) if identifier.starts_with("arn:") => identifier.to_owned(),
        ("", name) | (name, _) => logs::group_arn(call, name),
    };
    let resource = match action {
        "TagResource" | "UntagResource" | "ListTagsForResource" => text(&body, "resourceArn").to_owned(),
        "DescribeLogGroups" => "*".to_owned(),
        _ => format!("{group}:*"),
    };
    let mut asked = vec![Asked::new(&format!("logs:{action}"), resource)];
    if action == "CreateLogGroup" && has_members(&body, "tags") {
        asked.push(Asked::new("logs:TagResource", group));
    }
    asked
}

/// Whoever makes a parameter with tags needs the permission to tag it (`PutParameter`, "Tags").
fn ssm_call(call: &Call) -> Vec<Asked> {
    let body = json(call);
    let target = call.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.split('.').nth(1).unwrap_or("Unknown");
    let named = [text(&body, "Name"), text(&body, "ResourceId")].into_iter().find(|name| !name.is_empty());
    let resource = match named {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(name) => ssm::parameter_arn(call, name),
        None => "*".to_owned(),
    };
    let mut asked = vec![Asked::new(&format!("ssm:{action}"), resource.clone())];
    if action == "PutParameter" && has_members(&body, "Tags") {
        asked.push(Asked::new("ssm:AddTagsToResource", resource));
    }
    asked
}

fn json(call: &Call) -> Value {
    serde_json::from_slice(call.body).unwrap_or_default()
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn has_members(body: &Value, member: &str) -> bool {
    match body.get(member) {
        Some(Value::Object(members)) => !members.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    }
}
