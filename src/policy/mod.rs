//! What a principal must be allowed to do: for each kind and step, and as least-privilege IAM policies.
//!
//! Names of actions, and what they are asked for on, are those of AWS's Service Authorization Reference.

use serde::Serialize;
use serde_json::{Value, json};

use crate::names::{Identity, ParameterName};
use crate::resource::{Action, Kind};

/// What somebody is going to do with a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `plan` and `deploy`.
    Deploy,
    /// `plan`, `drift` and `outputs`: reads only.
    Drift,
    /// `destroy`.
    Destroy,
    /// `device publish`: asks for the endpoint. A device itself needs no AWS credentials.
    Device,
}

/// What an action is asked for on. Each scope becomes one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Actions that know no resource.
    Any,
    /// The function's role.
    Role,
    /// The same role, handed to Lambda and to no other service.
    PassedRole,
    /// The function's log group.
    LogGroup,
    /// The function, its versions and its alias.
    Function,
    /// The function's versions and its alias, without the function: what only they can have.
    Published,
    /// The same function, opened to AWS IoT and to nobody else.
    Invoker,
    /// The IoT authorizer.
    Authorizer,
    /// Whoever asks what it may do: users and roles of the account.
    Caller,
    /// The list of parameters, in which a key store at `ssm:` finds its keys; it knows no resource.
    KeyList,
    /// The parameters of the key store.
    KeyStore,
    /// The parameters that a deploy reads.
    DeployParameters,
    /// The parameters that the device tool reads.
    DeviceParameters,
}

/// One permission: an action, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// On what.
    pub scope: Scope,
    /// `service:Action`.
    pub action: &'static str,
}

/// An IAM policy document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "Statement")]
    statements: Vec<Statement>,
}

impl Document {
    /// Indented JSON, members in the order in which people write them.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Statement {
    #[serde(rename = "Sid")]
    id: &'static str,
    #[serde(rename = "Effect")]
    effect: &'static str,
    #[serde(rename = "Action")]
    actions: Vec<&'static str>,
    #[serde(rename = "Resource")]
    resources: Vec<String>,
    #[serde(rename = "Condition", skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

impl Scope {
    const ALL: [Self; 13] = [
        Self::Any,
        Self::Role,
        Self::PassedRole,
        Self::LogGroup,
        Self::Function,
        Self::Published,
        Self::Invoker,
        Self::Authorizer,
        Self::Caller,
        Self::KeyList,
        Self::KeyStore,
        Self::DeployParameters,
        Self::DeviceParameters,
    ];

    const fn statement_id(self) -> &'static str {
        match self {
            Self::Any => "NoResource",
            Self::Role => "Role",
            Self::PassedRole => "PassRoleToLambda",
            Self::LogGroup => "LogGroup",
            Self::Function => "Function",
            Self::Published => "VersionsAndAlias",
            Self::Invoker => "OpenFunctionToIot",
            Self::Authorizer => "Authorizer",
            Self::Caller => "AskBeforehand",
            Self::KeyList => "ListParameters",
            Self::KeyStore => "KeyStore",
            Self::DeployParameters => "ReadSecrets",
            Self::DeviceParameters => "ReadClientSecret",
        }
    }

    /// The ARNs: the resource's own first, then patterns for what belongs to it. `*` for [`Self::Any`]. None: this
    /// stack has nothing of the kind, and nothing is asked for.
    pub fn resources(self, identity: &Identity) -> Vec<String> {
        let with_parts = |arn: String| {
            let parts = format!("{arn}:*");
            vec![arn, parts]
        };
        let parameters = &identity.parameters;
        let arns = |names: &[ParameterName]| {
            names.iter().map(|name| identity.parameter_arn(name.as_str())).collect::<Vec<_>>()
        };
        match self {
            Self::Any => vec!["*".to_owned()],
            Self::Role | Self::PassedRole => vec![identity.role_arn()],
            Self::LogGroup => with_parts(identity.log_group_arn()),
            Self::Function | Self::Invoker => with_parts(identity.function_arn()),
            Self::Published => vec![format!("{}:*", identity.function_arn())],
            Self::Authorizer => vec![identity.authorizer_arn()],
            Self::Caller => ["role", "user"]
                .map(|kind| format!("arn:{}:iam::{}:{kind}/*", identity.partition, identity.account))
                .to_vec(),
            Self::KeyList => parameters.key_store.iter().map(|_| "*".to_owned()).collect(),
            Self::KeyStore => {
                parameters.key_store.iter().map(|path| identity.parameter_arn(&format!("{path}/*"))).collect()
            }
            Self::DeployParameters => arns(&parameters.of_deploy),
            Self::DeviceParameters => arns(&parameters.of_device),
        }
    }

    /// The one ARN on which a call asks, where the scope covers several: the form with `:*` for a log
    /// group's own calls would not be found under the plain one, so the plain one stands for all. A key store's
    /// keys stand below its path. `None`: this stack has nothing of the kind.
    pub fn asked_on(self, identity: &Identity) -> Option<String> {
        let first = self.resources(identity).into_iter().next()?;
        Some(match self {
            Self::Published => identity.alias_arn(),
            Self::KeyStore => first.replace('*', "1"),
            _ => first,
        })
    }

    /// The condition key that limits the scope further, and its one value.
    pub const fn condition(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::PassedRole => Some(("iam:PassedToService", "lambda.amazonaws.com")),
            Self::Invoker => Some(("lambda:Principal", "iot.amazonaws.com")),
            Self::Any
            | Self::Role
            | Self::LogGroup
            | Self::Function
            | Self::Published
            | Self::Authorizer
            | Self::Caller
            | Self::KeyList
            | Self::KeyStore
            | Self::DeployParameters
            | Self::DeviceParameters => None,
        }
    }
}

/// What looking at a kind needs.
pub fn to_read(kind: Kind) -> Vec<Need> {
    match kind {
        Kind::SigningKey => [
            on(Scope::KeyList, &["ssm:DescribeParameters"]),
            on(Scope::KeyStore, &["ssm:ListTagsForResource"]),
        ]
        .concat(),
        Kind::Role => on(
            Scope::Role,
            &["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
        ),
        Kind::LogGroup => {
            [on(Scope::Any, &["logs:DescribeLogGroups"]), on(Scope::LogGroup, &["logs:ListTagsForResource"])]
                .concat()
        }
        Kind::Function => on(
            Scope::Function,
            &[
                "lambda:GetFunction",
                "lambda:ListFunctionUrlConfigs",
                "lambda:ListProvisionedConcurrencyConfigs",
            ],
        ),
        Kind::Release => {
            on(Scope::Function, &["lambda:GetAlias", "lambda:GetFunction", "lambda:ListAliases"])
        }
        Kind::Permission => on(Scope::Function, &["lambda:GetAlias", "lambda:GetPolicy"]),
        Kind::Authorizer => on(Scope::Authorizer, &["iot:DescribeAuthorizer", "iot:ListTagsForResource"]),
        Kind::DefaultAuthorizer => on(Scope::Any, &["iot:DescribeDefaultAuthorizer"]),
    }
}

/// What a step needs beyond looking.
pub fn to_change(kind: Kind, action: Action) -> Vec<Need> {
    match action {
        Action::Keep => Vec::new(),
        Action::Create => to_create(kind),
        Action::Update => to_update(kind),
        Action::Delete => to_delete(kind),
        Action::Replace => [to_delete(kind), to_create(kind)].concat(),
    }
}

fn to_create(kind: Kind) -> Vec<Need> {
    match kind {
        Kind::SigningKey => on(Scope::KeyStore, &["ssm:AddTagsToResource", "ssm:PutParameter"]),
        Kind::Role => on(Scope::Role, &["iam:CreateRole", "iam:PutRolePolicy", "iam:TagRole"]),
        Kind::LogGroup => {
            on(Scope::LogGroup, &["logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:TagResource"])
        }
        Kind::Function => [
            on(
                Scope::Function,
                &["lambda:CreateFunction", "lambda:GetFunctionConfiguration", "lambda:TagResource"],
            ),
            on(Scope::PassedRole, &["iam:PassRole"]),
        ]
        .concat(),
        Kind::Release => on(
            Scope::Function,
            &[
                "lambda:CreateAlias",
                "lambda:GetFunctionConfiguration",
                "lambda:PublishVersion",
                "lambda:UpdateAlias",
            ],
        ),
        Kind::Permission => on(Scope::Invoker, &["lambda:AddPermission"]),
        Kind::Authorizer => on(Scope::Authorizer, &["iot:CreateAuthorizer", "iot:TagResource"]),
        Kind::DefaultAuthorizer => on(Scope::Authorizer, &["iot:SetDefaultAuthorizer"]),
    }
}

fn to_update(kind: Kind) -> Vec<Need> {
    match kind {
        Kind::Role => on(
            Scope::Role,
            &[
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
            ],
        ),
        Kind::LogGroup => on(
            Scope::LogGroup,
            &["logs:PutLogGroupDeletionProtection", "logs:PutRetentionPolicy", "logs:TagResource"],
        ),
        Kind::Function => [
            on(
                Scope::Function,
                &[
                    "lambda:DeleteFunctionConcurrency",
                    "lambda:DeleteFunctionUrlConfig",
                    "lambda:GetFunctionConfiguration",
                    "lambda:TagResource",
                    "lambda:UpdateFunctionCode",
                    "lambda:UpdateFunctionConfiguration",
                ],
            ),
            on(Scope::Published, &["lambda:DeleteProvisionedConcurrencyConfig"]),
            on(Scope::PassedRole, &["iam:PassRole"]),
        ]
        .concat(),
        Kind::Release => [to_create(kind), on(Scope::Function, &["lambda:DeleteAlias"])].concat(),
        Kind::Permission => [to_create(kind), to_delete(kind)].concat(),
        Kind::Authorizer => on(Scope::Authorizer, &["iot:TagResource", "iot:UpdateAuthorizer"]),
        Kind::SigningKey | Kind::DefaultAuthorizer => to_create(kind),
    }
}

fn to_delete(kind: Kind) -> Vec<Need> {
    match kind {
        Kind::SigningKey => on(Scope::KeyStore, &["ssm:DeleteParameter"]),
        Kind::Role => on(Scope::Role, &["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"]),
        Kind::LogGroup => on(Scope::LogGroup, &["logs:DeleteLogGroup"]),
        Kind::Function => on(Scope::Function, &["lambda:DeleteFunction", "lambda:GetFunctionConfiguration"]),
        Kind::Release => on(Scope::Function, &["lambda:DeleteAlias"]),
        Kind::Permission => on(Scope::Function, &["lambda:RemovePermission"]),
        Kind::Authorizer => on(Scope::Authorizer, &["iot:DeleteAuthorizer", "iot:UpdateAuthorizer"]),
        Kind::DefaultAuthorizer => on(Scope::Any, &["iot:ClearDefaultAuthorizer"]),
    }
}

fn on(scope: Scope, actions: &[&'static str]) -> Vec<Need> {
    actions.iter().map(|action| Need { scope, action }).collect()
}

/// What the device tool needs: the endpoint, and where a parameter holds it, the key that signs, and the
/// client's secret.
fn to_be_a_device() -> Vec<Need> {
    let mut needs = [
        on(Scope::Any, &["iot:DescribeEndpoint"]),
        to_read(Kind::SigningKey),
        on(Scope::KeyStore, &["ssm:GetParameter"]),
        on(Scope::DeviceParameters, &["ssm:GetParameter"]),
    ]
    .concat();
    needs.sort_unstable();
    needs
}

/// Everything a purpose needs, sorted, each once. `GetCallerIdentity` needs no permission (STS reference).
pub fn needs(purpose: Purpose) -> Vec<Need> {
    let steps: &[Action] = match purpose {
        Purpose::Device => return to_be_a_device(),
        Purpose::Deploy => &[Action::Create, Action::Update, Action::Replace],
        Purpose::Drift => &[],
        Purpose::Destroy => &[Action::Delete],
    };
    let mut needs = match purpose {
        Purpose::Drift | Purpose::Deploy => on(Scope::Any, &["iot:DescribeEndpoint"]),
        Purpose::Destroy | Purpose::Device => Vec::new(),
    };
    if purpose == Purpose::Deploy {
        needs.extend(on(Scope::DeployParameters, &["ssm:GetParameter"]));
    }
    if purpose != Purpose::Drift {
        needs.extend(on(Scope::Caller, &["iam:SimulatePrincipalPolicy"]));
    }
    for kind in Kind::ALL {
        needs.extend(to_read(kind));
        for step in steps {
            // Only these two are ever replaced: AWS cannot change what makes them differ. The default is
            // cleared where the stack file no longer asks for it.
            let may_be = *step != Action::Replace
                || matches!(kind, Kind::Authorizer | Kind::Permission | Kind::DefaultAuthorizer);
            if may_be {
                needs.extend(to_change(kind, *step));
            }
        }
    }
    needs.sort_unstable();
    needs.dedup();
    needs
}

/// The least policy for a purpose: every statement limited to the stack's own resources where AWS can.
pub fn document(identity: &Identity, purpose: Purpose) -> Document {
    let needs = needs(purpose);
    let statement = |scope: Scope| {
        let mut actions: Vec<&str> =
            needs.iter().filter(|need| need.scope == scope).map(|need| need.action).collect();
        actions.sort_unstable();
        let resources = scope.resources(identity);
        (!actions.is_empty() && !resources.is_empty()).then(|| Statement {
            id: scope.statement_id(),
            effect: "Allow",
            actions,
            resources,
            condition: scope.condition().map(|(key, value)| json!({ "StringEquals": { key: value } })),
        })
    };
    Document { version: "2012-10-17", statements: Scope::ALL.into_iter().filter_map(statement).collect() }
}

#[cfg(test)]
mod tests;
