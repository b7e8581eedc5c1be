//! The statement that lets AWS IoT invoke the alias, and nobody else anything.
//!
//! It names the *authorizer's* ARN and the account. Statements stand per qualifier, so the function's
//! own policy, the alias's and the serving version's are read, and anything more than ours is removed.
//! Lambda cannot change a statement: a new one is added before the old one goes, so that no device
//! meets a moment without permission. Two `AddPermission` at the same time lose one, so there is never
//! more than one.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value as Json, json};

use super::compare::Comparison;
use super::{Change, Facts, Impact, Kind, Owner, Refusal, Resource, authorizer, json as normal};
use crate::aws::retry::RELEASE_SEEN;
use crate::aws::wait::Look;
use crate::aws::{Answer, Aws, Fault};
use crate::names::{ALIAS, FunctionName, Identity, STATEMENT_ID};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permission;

/// Who may invoke.
const PRINCIPAL: &str = "iot.amazonaws.com";
/// What they may do.
const ACTION: &str = "lambda:InvokeFunction";

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The function.
    pub function: FunctionName,
    /// The ARN of the alias, which the statement is on.
    pub alias_arn: String,
    /// The ARN of the authorizer, which may invoke.
    pub authorizer_arn: String,
    /// The account that the authorizer must be in.
    pub account: String,
}

/// What AWS has: every statement that lets somebody do something with the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The function's name.
    pub function: String,
    /// Every statement, each with the qualifier that it stands on. At least one.
    pub statements: Vec<Statement>,
    /// Authorizers of this stack that statements name and the stack file does not: one that was renamed
    /// in the file still serves its devices.
    pub renamed: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The alias or version it stands on; `None`: the function itself.
    pub qualifier: Option<String>,
    /// Its id.
    pub id: String,
    /// The whole of it.
    pub body: Json,
}

impl Resource for Permission {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Permission;

    fn desired(facts: &Facts) -> Option<Desired> {
        let identity = &facts.identity;
        Some(Desired {
            function: identity.function(),
            alias_arn: identity.alias_arn(),
            authorizer_arn: identity.authorizer_arn(),
            account: identity.account.to_string(),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            (None, Some(live)) => {
                let refusal = live.renamed.first().map(|name| renamed(name, None));
                return Change { refusal, ..Change::delete(Impact::All) };
            }
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            // Read under the wanted name.
            function: _,
            statements,
            renamed: former,
        } = live;
        let mut comparison = Comparison::new();
        if let Some(name) = former.first() {
            comparison.refuse(renamed(name, Some(desired)));
        }
        let ours = statements.iter().find(|statement| statement.is_slot());
        match ours {
            None => {
                comparison.differs(Impact::None, &field(Some(ALIAS), STATEMENT_ID), None, "none", "present");
            }
            Some(found) if !desired.means(found) => {
                let field = field(Some(ALIAS), STATEMENT_ID);
                // The authorizer that it names may serve every device that there is.
                let impact = if found.impact(desired) == Impact::None { Impact::None } else { Impact::All };
                let (found, wanted) = (found.body.to_string(), desired.statement(STATEMENT_ID).to_string());
                comparison.differs(impact, &field, None, found, wanted);
            }
            Some(_) => {}
        }
        for extra in statements.iter().filter(|statement| !statement.is_slot()) {
            let field = field(extra.qualifier.as_deref(), &extra.id);
            comparison.differs(extra.impact(desired), &field, None, extra.body.to_string(), "none");
        }
        comparison.finish()
    }

    /// The function's, and the function is judged by its own tags.
    fn owner(_live: &Live) -> Owner {
        Owner::Ours
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let function = identity.function();
        let live = read(aws, function.as_str(), identity).await;
        live.map_err(|fault| fault.problem(place(function.as_str())))
    }

    async fn apply(aws: &Aws, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        match live {
            Some(live) => update(aws, desired, &live.statements).await,
            None => update(aws, desired, &[]).await,
        }
    }

    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        for statement in &live.statements {
            remove(aws, &live.function, statement).await?;
        }
        Ok(())
    }
}

/// The id of a statement that stands in while ours is exchanged.
const STAND_IN_ID: &str = "thinggate-iot-stand-in";

fn place(function: &str) -> String {
    format!("permission on function {function}")
}

fn field(qualifier: Option<&str>, id: &str) -> String {
    match qualifier {
        Some(qualifier) => format!("statement {id} on {qualifier}"),
        None => format!("statement {id} on the function"),
    }
}

impl Desired {
    /// The statement as AWS makes it (Lambda, recorded `AddPermission` answers).
    fn statement(&self, id: &str) -> Json {
        json!({
            "Sid": id,
            "Effect": "Allow",
            "Principal": { "Service": PRINCIPAL },
            "Action": ACTION,
            "Resource": self.alias_arn,
            "Condition": {
                "StringEquals": { "AWS:SourceAccount": self.account },
                "ArnLike": { "AWS:SourceArn": self.authorizer_arn },
            },
        })
    }

    /// Whether a statement is the one that is wanted.
    fn means(&self, statement: &Statement) -> bool {
        normal::normal(&statement.body) == normal::normal(&self.statement(&statement.id))
    }
}

impl Statement {
    /// Whether it has the place of ours, whatever it says.
    fn is_slot(&self) -> bool {
        self.qualifier.as_deref() == Some(ALIAS) && self.id == STATEMENT_ID
    }

    /// What its removal does: devices of *another* authorizer may come through it.
    fn impact(&self, desired: &Desired) -> Impact {
        let another = self.authorizers().into_iter().any(|arn| arn != desired.authorizer_arn);
        if another { Impact::NewConnections } else { Impact::None }
    }

    /// The ARNs of authorizers that it names, wherever it does.
    fn authorizers(&self) -> Vec<&str> {
        let mut arns = Vec::new();
        let mut left = vec![&self.body];
        while let Some(value) = left.pop() {
            match value {
                Json::String(text) if text.contains(":authorizer/") => arns.push(text.as_str()),
                Json::Array(elements) => left.extend(elements),
                Json::Object(members) => left.extend(members.values()),
                _ => {}
            }
        }
        arns
    }
}

/// Why the authorizer `name`, which this stack made, is not cut off; with `desired` in a deploy, without
/// in a destroy.
fn renamed(name: &str, desired: Option<&Desired>) -> Refusal {
    let because = format!(
        "the authorizer `{name}` is this stack's, and the stack file names another: AWS cannot rename one, and \
         without this permission every device of `{name}` is refused"
    );
    let next = match desired {
        Some(desired) => {
            let wanted = desired.authorizer_arn.rsplit('/').next().unwrap_or_default();
            format!(
                "set `authorizer.name = \"{name}\"` in the stack file again; to move the devices to \
                 `{wanted}`, deploy it from a second stack file with another `name`, move them, then \
                 destroy this one"
            )
        }
        None => format!(
            "set `authorizer.name = \"{name}\"` in the stack file again, then run `thinggate destroy`: it \
             takes that authorizer down too"
        ),
    };
    Refusal { code: "authorizer_renamed", because, next }
}

/// The authorizers of this stack that `statements` name, other than the one of the stack file.
async fn former(aws: &Aws, statements: &[Statement], identity: &Identity) -> Result<Vec<String>, Fault> {
    let wanted = identity.authorizer_arn();
    let account = wanted.strip_suffix(identity.authorizer.as_str()).unwrap_or_default();
    let others = statements.iter().flat_map(Statement::authorizers).filter(|arn| *arn != wanted);
    let names: BTreeSet<&str> = others.filter_map(|arn| arn.strip_prefix(account)).collect();
    let mut former = Vec::new();
    // A pattern is no name.
    for name in names.into_iter().filter(|name| !name.contains(['*', '?'])) {
        match authorizer::read(aws, name, identity).await {
            Ok(Some(live)) if live.owner == Owner::Ours => former.push(name.to_owned()),
            Ok(_) => {}
            // A reader that may see its own authorizer only: what the statement says is drift anyway,
            // and its repair asks.
            Err(fault) if fault.answer == Answer::AccessDenied => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(former)
}

/// Every statement on the function, its alias and the versions that the alias names.
async fn read(aws: &Aws, function: &str, identity: &Identity) -> Result<Option<Live>, Fault> {
    let mut statements = policy(aws, function, None).await?;
    let alias = aws.call("GetAlias", || aws.lambda.get_alias().function_name(function).name(ALIAS).send());
    match alias.await {
        Ok(alias) => {
            statements.extend(policy(aws, function, Some(ALIAS)).await?);
            let weights = alias.routing_config().and_then(|routing| routing.additional_version_weights());
            let weighted = weights.into_iter().flat_map(HashMap::keys).map(String::as_str);
            let versions: BTreeSet<&str> = alias.function_version().into_iter().chain(weighted).collect();
            // `$LATEST` has no policy of its own.
            for version in versions.into_iter().filter(|version| *version != "$LATEST") {
                statements.extend(policy(aws, function, Some(version)).await?);
            }
        }
        Err(fault) if fault.not_found() => {}
        Err(fault) => return Err(fault),
    }
    if statements.is_empty() {
        return Ok(None);
    }
    let renamed = former(aws, &statements, identity).await?;
    Ok(Some(Live { function: function.to_owned(), statements, renamed }))
}

/// The statements on one qualifier. No policy and no function are the same answer.
async fn policy(aws: &Aws, function: &str, qualifier: Option<&str>) -> Result<Vec<Statement>, Fault> {
    let request = || {
        let get = aws.lambda.get_policy().function_name(function);
        get.set_qualifier(qualifier.map(str::to_owned)).send()
    };
    let answer = match aws.call("GetPolicy", request).await {
        Ok(answer) => answer,
        Err(fault) if fault.not_found() => return Ok(Vec::new()),
        Err(fault) => return Err(fault),
    };
    let policy: Json =
        serde_json::from_str(answer.policy().unwrap_or_default()).map_err(|_| Fault::odd("GetPolicy"))?;
    let statements = match policy.get("Statement") {
        Some(Json::Array(statements)) => statements.clone(),
        Some(one @ Json::Object(_)) => vec![one.clone()],
        _ => Vec::new(),
    };
    Ok(statements
        .into_iter()
        .map(|body| Statement {
            qualifier: qualifier.map(str::to_owned),
            id: body.get("Sid").and_then(Json::as_str).unwrap_or_default().to_owned(),
            body,
        })
        .collect())
}

/// Ours first, then away with the rest: no moment without permission. Where ours says something else,
/// a stand-in takes its place while it is exchanged.
async fn update(aws: &Aws, desired: &Desired, live: &[Statement]) -> Result<(), Problem> {
    let function = desired.function.as_str();
    match live.iter().find(|statement| statement.is_slot()) {
        None => add(aws, desired, STATEMENT_ID).await?,
        Some(found) if !desired.means(found) => {
            add(aws, desired, STAND_IN_ID).await?;
            remove(aws, function, found).await?;
            add(aws, desired, STATEMENT_ID).await?;
            let stand_in =
                Statement { qualifier: Some(ALIAS.to_owned()), id: STAND_IN_ID.to_owned(), body: Json::Null };
            remove(aws, function, &stand_in).await?;
        }
        Some(_) => {}
    }
    for extra in live.iter().filter(|statement| !statement.is_slot()) {
        remove(aws, function, extra).await?;
    }
    Ok(())
}

/// Adds our statement, and looks until it is seen. One of this id that is there already is ours after a
/// lost answer, or is exchanged, or is gone and a copy has not heard of it: then it is asked again.
async fn add(aws: &Aws, desired: &Desired, id: &str) -> Result<(), Problem> {
    let function = desired.function.as_str();
    let told = |fault: Fault| fault.problem(place(function));
    let request = || {
        aws.lambda
            .add_permission()
            .function_name(function)
            .qualifier(ALIAS)
            .statement_id(id)
            .action(ACTION)
            .principal(PRINCIPAL)
            .source_arn(&desired.authorizer_arn)
            .source_account(&desired.account)
            .send()
    };
    let added = AtomicBool::new(false);
    aws.until(RELEASE_SEEN, || async {
        if !added.load(Ordering::Relaxed) {
            match aws.call("AddPermission", request).await {
                Ok(_) => added.store(true, Ordering::Relaxed),
                Err(fault) if fault.already_exists() => {}
                Err(fault) => return Err(told(fault)),
            }
        }
        let there = policy(aws, function, Some(ALIAS)).await.map_err(told)?;
        match there.iter().find(|statement| statement.id == id) {
            Some(statement) if desired.means(statement) => return Ok(Look::Yes(())),
            Some(statement) if !added.load(Ordering::Relaxed) => {
                remove_once(aws, function, statement).await.map_err(told)?;
            }
            _ => {}
        }
        Ok(Look::NotYet)
    })
    .await
    .map_err(|problem| problem.at(place(function)))
}

/// Removes a statement, and looks until it is gone.
async fn remove(aws: &Aws, function: &str, statement: &Statement) -> Result<(), Problem> {
    let told = |fault: Fault| fault.problem(place(function));
    aws.until(RELEASE_SEEN, || async {
        remove_once(aws, function, statement).await.map_err(told)?;
        let there = policy(aws, function, statement.qualifier.as_deref()).await.map_err(told)?;
        let gone = there.iter().all(|found| found.id != statement.id);
        Ok(if gone { Look::Yes(()) } else { Look::NotYet })
    })
    .await
    .map_err(|problem| problem.at(place(function)))
}

async fn remove_once(aws: &Aws, function: &str, statement: &Statement) -> Result<(), Fault> {
    let request = || {
        let remove = aws.lambda.remove_permission().function_name(function).statement_id(&statement.id);
        remove.set_qualifier(statement.qualifier.clone()).send()
    };
    match aws.call("RemovePermission", request).await {
        Err(fault) if !fault.not_found() => Err(fault),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
