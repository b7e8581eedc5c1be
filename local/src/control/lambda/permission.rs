//! `AddPermission`, `RemovePermission`, `GetPolicy`. Every qualifier has a policy of its own, and so has the
//! function itself. Texts: `TestLambdaPermissions` of aws-facts \[R\].

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{
    RevisionOf, Violations, conflict, function_not_found, invalid_parameter, not_found, revision_mismatch,
    user,
};
use super::input::{NameForm, Named, body, parameter};
use super::policy::Policy;
use super::reference::{self, is_word};
use super::resolve::milliseconds;
use super::state::{Function, Milliseconds};
use super::{empty, json};
use crate::control::{Call, ServiceError};
use crate::partition::after_partition;
use crate::state::World;
use crate::{Response, random};

/// Of the whole policy. (aws-facts 3.5)
const POLICY_BYTES_MAX: usize = 20_480;

/// What `AddPermission` takes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Add {
    statement_id: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    source_arn: Option<String>,
    source_account: Option<String>,
    event_source_token: Option<String>,
    revision_id: Option<String>,
    #[serde(rename = "PrincipalOrgID")]
    principal_organisation: Option<String>,
    function_url_auth_type: Option<String>,
}

impl Add {
    fn check(&self) -> Result<(), ServiceError> {
        let mut violations = Violations::default();
        for (member, given) in
            [("statementId", &self.statement_id), ("action", &self.action), ("principal", &self.principal)]
        {
            if given.is_none() {
                violations.missing(member);
            }
        }
        if let Some(sid) = &self.statement_id {
            let constraint = "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)";
            violations.check(is_word(sid), "statementId", sid, constraint);
            violations.check(sid.len() <= 100, "statementId", sid, "have length less than or equal to 100");
        }
        if let Some(action) = &self.action {
            let good = action == "*"
                || action.strip_prefix("lambda:").is_some_and(|name| {
                    name == "*" || (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic()))
                });
            let constraint = "satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])";
            violations.check(good, "action", action, constraint);
        }
        if let Some(account) = &self.source_account {
            let good = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
            violations.check(good, "sourceAccount", account, r"satisfy regular expression pattern: \d{12}");
        }
        if let Some(arn) = &self.source_arn {
            let constraint = r"satisfy regular expression pattern: arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)";
            violations.check(is_arn(arn), "sourceArn", arn, constraint);
        }
        self.check_conditions(&mut violations);
        violations.refuse()
    }

    fn check_conditions(&self, violations: &mut Violations) {
        if let Some(principal) = &self.principal {
            let good = !principal.is_empty() && !principal.contains(char::is_whitespace);
            violations.check(good, "principal", principal, r"satisfy regular expression pattern: [^\s]+");
        }
        if let Some(token) = &self.event_source_token {
            let good =
                !token.is_empty() && token.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            let constraint = r"satisfy regular expression pattern: [a-zA-Z0-9._\-]+";
            violations.check(good, "eventSourceToken", token, constraint);
            violations.length(0..=256, "eventSourceToken", token);
        }
        if let Some(organisation) = &self.principal_organisation {
            let good = organisation.strip_prefix("o-").is_some_and(|id| {
                (10..=32).contains(&id.len())
                    && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            });
            let constraint = "satisfy regular expression pattern: o-[a-z0-9]{10,32}";
            violations.check(good, "principalOrgID", organisation, constraint);
        }
        if let Some(kind) = &self.function_url_auth_type {
            let good = ["NONE", "AWS_IAM"].contains(&kind.as_str());
            violations.check(good, "functionUrlAuthType", kind, "satisfy enum value set: [NONE, AWS_IAM]");
        }
    }

    /// The statement, as AWS writes it.
    fn statement(&self, sid: &str, resource: &str, partition: &str) -> Result<Value, ServiceError> {
        let mut equals = Map::new();
        let mut like = Map::new();
        let conditions = [
            ("AWS:SourceAccount", &self.source_account),
            ("lambda:EventSourceToken", &self.event_source_token),
            ("aws:PrincipalOrgID", &self.principal_organisation),
            ("lambda:FunctionUrlAuthType", &self.function_url_auth_type),
        ];
        for (key, value) in conditions {
            if let Some(value) = value {
                equals.insert(key.to_owned(), json!(value));
            }
        }
        if let Some(arn) = &self.source_arn {
            like.insert("AWS:SourceArn".to_owned(), json!(arn));
        }
        let mut statement = json!({
            "Sid": sid,
            "Effect": "Allow",
            "Principal": principal(self.principal.as_deref().unwrap_or_default(), partition)?,
            "Action": self.action,
            "Resource": resource,
        });
        let mut condition = Map::new();
        for (operator, keys) in [("StringEquals", equals), ("ArnLike", like)] {
            if !keys.is_empty() {
                condition.insert(operator.to_owned(), Value::Object(keys));
            }
        }
        if !condition.is_empty() {
            statement["Condition"] = Value::Object(condition);
        }
        Ok(statement)
    }
}

/// The model's shape `Arn`: a Region or an account may be empty, and is no wildcard.
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, _] = parts[..] else { return false };
    let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    partition.starts_with("aws")
        && word(partition)
        && !service.is_empty()
        && word(service)
        && (region.is_empty() || reference::is_region(region))
        && (account.is_empty() || reference::is_account(account))
}

/// A service, an account, an identity, or everybody: `test_add_lambda_permission_fields` \[R\].
fn principal(text: &str, partition: &str) -> Result<Value, ServiceError> {
    let is_service = [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com"].iter().any(|suffix| {
        text.strip_suffix(suffix).is_some_and(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
        })
    });
    if text == "*" {
        return Ok(json!("*"));
    }
    if is_service {
        return Ok(json!({ "Service": text }));
    }
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Ok(json!({ "AWS": format!("arn:{partition}:iam::{text}:root") }));
    }
    if after_partition(text).is_some_and(|rest| rest.starts_with("iam::")) {
        return Ok(json!({ "AWS": text }));
    }
    Err(invalid_parameter("The provided principal was invalid. Please check the principal and try again."))
}

/// Refuses `$LATEST`, and a qualifier that is not there.
fn check_qualifier(call: &Call, function: &Function, qualifier: Option<&str>) -> Result<(), ServiceError> {
    let Some(qualifier) = qualifier else { return Ok(()) };
    let exists = function.version(Some(qualifier)).is_some();
    if exists {
        return Ok(());
    }
    let arn = reference::arn(call.region, call.account, &function.name, Some(qualifier));
    let is_alias = is_word(qualifier) && !qualifier.chars().all(|c| c.is_ascii_digit());
    // `add_permission_fn_alias_doesnotexist`, `add_permission_fn_version_doesnotexist` [R].
    Err(if is_alias { not_found(format!("Cannot find alias arn: {arn}")) } else { function_not_found(&arn) })
}

fn refuse_latest(named: &Named) -> Result<(), ServiceError> {
    match named.qualifier.as_deref() {
        Some("$LATEST") => Err(invalid_parameter("We currently do not support adding policies for $LATEST.")),
        _ => Ok(()),
    }
}

pub(super) fn add(world: &mut World, call: &Call, function: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, function, NameForm::Namespaced, parameter(call, "Qualifier"))?;
    let wanted: Add = body(call)?;
    wanted.check()?;
    refuse_latest(&named)?;
    let arn = named.arn(call);
    let now = milliseconds(call.now);
    let functions = &mut world.region(call.region).lambda.functions;
    let function =
        functions.get_mut(&named.name).ok_or_else(|| function_not_found(&named.function_arn(call)))?;
    let qualifier = named.qualifier.as_deref();
    check_qualifier(call, function, qualifier)?;
    if let Some(revision) = &wanted.revision_id
        && *revision != revision_of(function, qualifier, now)
    {
        // `test_function_revisions_permissions` [R].
        return Err(revision_mismatch(RevisionOf::Policy));
    }
    let sid = wanted.statement_id.as_deref().unwrap_or_default();
    let known = function.policies.get(qualifier.unwrap_or_default());
    if known.is_some_and(|policy| policy.statements.iter().any(|statement| statement["Sid"] == sid)) {
        return Err(conflict(format!(
            "The statement id ({sid}) provided already exists. Please provide a new statement id, or remove \
             the existing statement."
        )));
    }
    let statement = wanted.statement(sid, &arn, call.partition())?;
    let mut statements = known.map(|policy| policy.statements.clone()).unwrap_or_default();
    statements.push(statement.clone());
    let size_bytes = Policy::document(&statements).len();
    if size_bytes > POLICY_BYTES_MAX {
        let text =
            format!("The final policy size ({size_bytes}) is bigger than the limit ({POLICY_BYTES_MAX}).");
        return Err(user(400, "PolicyLengthExceededException", text));
    }
    set(function, qualifier, statements, now);
    Ok(json(201, &json!({ "Statement": Policy::statement(&statement) })))
}

/// The revision that a change of this policy must name: the policy's, or, before there is one, that of
/// what it would be on. (aws-facts 3.3)
fn revision_of(function: &Function, qualifier: Option<&str>, now: Milliseconds) -> String {
    if let Some(policy) = function.policies.get(qualifier.unwrap_or_default()) {
        return policy.revision.clone();
    }
    match qualifier.and_then(|name| function.aliases.get(name)) {
        Some(alias) => alias.revision.clone(),
        None => function
            .version(qualifier)
            .map(|(_, version)| version.revision(now).to_owned())
            .unwrap_or_default(),
    }
}

/// Puts the policy there, or takes an empty one away. What it is on gets the policy's revision.
fn set(function: &mut Function, qualifier: Option<&str>, statements: Vec<Value>, now: Milliseconds) {
    let revision = random::uuid();
    let key = qualifier.unwrap_or_default();
    if statements.is_empty() {
        function.policies.remove(key);
    } else {
        function.policies.insert(key.to_owned(), Policy { statements, revision: revision.clone() });
    }
    if let Some(alias) = function.aliases.get_mut(key) {
        alias.revision = revision;
    } else if let Some(version) = key.parse().ok().and_then(|number: u64| function.versions.get_mut(&number))
    {
        version.set_revision(now, revision);
    } else {
        function.latest.set_revision(now, revision);
    }
}

pub(super) fn get(world: &mut World, call: &Call, function: &str) -> Result<Response, ServiceError> {
    let named = Named::read(call, function, NameForm::Namespaced, parameter(call, "Qualifier"))?;
    let key = named.qualifier.as_deref().unwrap_or_default();
    let functions = &world.region(call.region).lambda.functions;
    let policy = functions.get(&named.name).and_then(|function| function.policies.get(key));
    let policy = policy.ok_or_else(|| not_found("The resource you requested does not exist."))?;
    Ok(json(200, &json!({ "Policy": Policy::document(&policy.statements), "RevisionId": policy.revision })))
}

pub(super) fn remove(
    world: &mut World,
    call: &Call,
    function: &str,
    sid: &str,
) -> Result<Response, ServiceError> {
    let named = Named::read(call, function, NameForm::Namespaced, parameter(call, "Qualifier"))?;
    let mut violations = Violations::default();
    let good = !sid.is_empty() && sid.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let constraint = "satisfy regular expression pattern: ([a-zA-Z0-9-_.]+)";
    violations.check(good, "statementId", sid, constraint);
    violations.check(sid.len() <= 100, "statementId", sid, "have length less than or equal to 100");
    violations.refuse()?;
    let arn = named.function_arn(call);
    let now = milliseconds(call.now);
    let functions = &mut world.region(call.region).lambda.functions;
    let function =
        functions.get_mut(&named.name).ok_or_else(|| not_found(format!("No policy found for: {arn}")))?;
    let qualifier = named.qualifier.as_deref();
    check_qualifier(call, function, qualifier)?;
    let policy = function
        .policies
        .get(qualifier.unwrap_or_default())
        .ok_or_else(|| not_found("No policy is associated with the given resource."))?;
    let rest: Vec<Value> =
        policy.statements.iter().filter(|statement| statement["Sid"] != sid).cloned().collect();
    if rest.len() == policy.statements.len() {
        return Err(not_found(format!("Statement {sid} is not found in resource policy.")));
    }
    if parameter(call, "RevisionId").is_some_and(|revision| revision != policy.revision) {
        return Err(revision_mismatch(RevisionOf::Policy));
    }
    set(function, qualifier, rest, now);
    Ok(empty(204))
}
