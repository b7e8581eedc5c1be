//! What the policies of a role allow to its sessions: the inline ones, and those of AWS's own that are known here.

use super::{Asked, Decision, Document};
use crate::control::iam::Role;
use crate::partition::after_partition;

/// Policies that AWS manages, by name, as far as they speak of the services here (AWS Managed Policy Reference).
const MANAGED: [(&str, &str); 3] = [
    ("AdministratorAccess", r#""Action":"*""#),
    ("PowerUserAccess", r#""NotAction":["iam:*","organizations:*","account:*"]"#),
    (
        "ReadOnlyAccess",
        r#""Action":["iam:Get*","iam:List*","iam:Simulate*","iot:Describe*","iot:Get*","iot:List*","lambda:Get*",
        "lambda:List*","logs:Describe*","logs:FilterLogEvents","logs:Get*","logs:List*","sts:GetCallerIdentity"]"#,
    ),
];

/// The decision of a role's policies, within its boundary. A policy that is not understood whole denies.
pub(crate) fn of_role(role: &Role, asked: &Asked) -> Decision {
    let inline = role.inline_policies.values().map(|policy| Document::read(policy).ok());
    let attached = role.attached_policies.iter().map(|arn| managed(arn));
    let mut decision = Decision::NotAllowed;
    for document in inline.chain(attached) {
        match document.map_or(Decision::Denied, |document| document.decide(asked)) {
            Decision::Denied => return Decision::Denied,
            Decision::Allowed => decision = Decision::Allowed,
            Decision::NotAllowed => {}
        }
    }
    let boundary = role
        .permissions_boundary
        .as_deref()
        .map(|arn| managed(arn).map_or(Decision::Denied, |document| document.decide(asked)));
    match boundary {
        None | Some(Decision::Allowed) => decision,
        Some(other) => other,
    }
}

/// A managed policy; one that is not known allows nothing.
fn managed(arn: &str) -> Option<Document> {
    let name = after_partition(arn)?.strip_prefix("iam::aws:policy/")?;
    let says = MANAGED.iter().find(|(known, _)| *known == name).map(|(_, says)| *says);
    let statement = says.map(|says| format!(r#"{{"Effect":"Allow",{says},"Resource":"*"}}"#));
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statement.unwrap_or_default());
    Document::read(&text).ok()
}
