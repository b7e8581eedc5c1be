//! The two roles of a pipeline, and who may take them on: jobs whose token says where they run.

use serde::Serialize;
use serde_json::{Value, json};

use super::super::args::CiService;
use super::name::Checked;
use crate::names::Identity;

/// A role.
#[derive(Debug)]
pub(super) struct Role {
    /// `read` or `deploy`.
    pub(super) word: &'static str,
    pub(super) name: String,
    pub(super) arn: String,
    /// Its trust policy, as JSON.
    pub(super) trust: String,
}

/// Both of them.
#[derive(Debug)]
pub(super) struct Roles {
    /// Plans and compares; writes nothing.
    pub(super) read: Role,
    /// Deploys.
    pub(super) deploy: Role,
}

/// A trust policy, with its members in the order in which people write them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Trust {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: &'static str,
    principal: Value,
    action: &'static str,
    condition: Value,
}

/// Which operator compares the subject, and with what. Operators and wildcards: IAM User Guide, "IAM JSON policy
/// elements: Condition operators".
struct Subjects(&'static str, Vec<String>);

impl Roles {
    pub(super) fn of(identity: &Identity, checked: &Checked) -> Self {
        let (subject, branch) = (&checked.subject, &checked.branch);
        let (read, deploy) = match checked.service {
            // GitHub's OIDC reference, "Example subject claims": a job with an environment has that in its
            // subject, and neither branch nor pull request. Schedules run on the default branch.
            CiService::Github => (
                Subjects(
                    "StringEquals",
                    vec![format!("{subject}:pull_request"), format!("{subject}:ref:refs/heads/{branch}")],
                ),
                Subjects("StringEquals", vec![format!("{subject}:environment:{}", checked.environment)]),
            ),
            // GitLab's documentation, "Configure OpenID Connect in AWS": a merge request's job runs on its
            // source branch, whichever that is.
            CiService::Gitlab => (
                Subjects("StringLike", vec![format!("{subject}:ref_type:branch:ref:*")]),
                Subjects("StringEquals", vec![format!("{subject}:ref_type:branch:ref:{branch}")]),
            ),
        };
        Self {
            read: role(identity, checked, "read", read),
            deploy: role(identity, checked, "deploy", deploy),
        }
    }
}

fn role(identity: &Identity, checked: &Checked, word: &'static str, subjects: Subjects) -> Role {
    let name = identity.pipeline_role(word);
    let (partition, account) = (&identity.partition, &identity.account);
    let arn = format!("arn:{partition}:iam::{account}:role/{name}");
    let provider = format!("arn:{partition}:iam::{account}:oidc-provider/{}", checked.provider);
    let statement = Statement {
        effect: "Allow",
        principal: json!({ "Federated": provider }),
        action: "sts:AssumeRoleWithWebIdentity",
        condition: condition(checked, subjects),
    };
    let trust = Trust { version: "2012-10-17", statement: [statement] };
    let trust = serde_json::to_string_pretty(&trust).unwrap_or_default();
    Role { word, name: name.to_string(), arn, trust }
}

fn condition(checked: &Checked, Subjects(operator, subjects): Subjects) -> Value {
    let (audience, subject) = (format!("{}:aud", checked.provider), format!("{}:sub", checked.provider));
    let subjects = if let [one] = &subjects[..] { json!(one) } else { json!(subjects) };
    let mut condition = json!({ "StringEquals": { audience: checked.audience } });
    condition[operator][subject] = subjects;
    condition
}
