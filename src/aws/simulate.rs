//! Asks IAM beforehand what the caller may do (`iam:SimulatePrincipalPolicy`). The answer covers the caller's
//! own policies, its boundary and the organisation's, not those of a session or of a resource.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use super::connection::Aws;

/// Actions on one resource, under at most one condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `service:Action`, each once.
    pub actions: Vec<&'static str>,
    /// An ARN, or `*`.
    pub resource: String,
    /// A condition key and its value, as the call will have it.
    pub context: Option<(&'static str, &'static str)>,
}

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// The account's root user, or a federated one: IAM has no policy to look at.
    NoPrincipal,
    /// IAM did not answer; the reason, for people.
    NoAnswer(String),
}

/// Whose policies count.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Principal {
    /// This very ARN.
    Arn(String),
    /// The role of this name: the ARN of a session leaves out the role's path.
    Role(String),
}

/// From the caller's ARN, as `GetCallerIdentity` answers it (IAM User Guide, "IAM identifiers").
fn principal(caller: &str) -> Option<Principal> {
    let mut parts = caller.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    match (service, resource.split_once('/')) {
        ("iam", Some(("user", _))) => Some(Principal::Arn(caller.to_owned())),
        ("sts", Some(("assumed-role", rest))) => Some(Principal::Role(rest.split('/').next()?.to_owned())),
        _ => None,
    }
}

impl Aws {
    /// What of `questions` the caller may not do, as (action, resource), in order.
    pub async fn not_allowed(
        &self,
        caller: &str,
        questions: &[Question],
    ) -> Result<Vec<(String, String)>, Unasked> {
        let source = match principal(caller).ok_or(Unasked::NoPrincipal)? {
            Principal::Arn(arn) => arn,
            Principal::Role(name) => self.role_arn(caller, &name).await?,
        };
        let mut refused = Vec::new();
        for question in questions {
            refused.extend(self.refused(&source, question).await?);
        }
        Ok(refused)
    }

    /// The role's own ARN. Who may not look it up has the one without a path: most roles have none.
    async fn role_arn(&self, session: &str, name: &str) -> Result<String, Unasked> {
        let answer = self.call("GetRole", || self.iam.get_role().role_name(name).send()).await;
        let arn = match answer {
            Ok(answer) => answer.role.map(|role| role.arn),
            Err(fault) if fault.answer == super::Answer::AccessDenied => without_path(session, name),
            Err(fault) => return Err(unanswered(&fault)),
        };
        arn.ok_or_else(|| Unasked::NoAnswer("IAM named no role".to_owned()))
    }

    async fn refused(&self, source: &str, question: &Question) -> Result<Vec<(String, String)>, Unasked> {
        let context: Option<Vec<ContextEntry>> = question.context.map(|(key, value)| {
            vec![
                ContextEntry::builder()
                    .context_key_name(key)
                    .context_key_values(value)
                    .context_key_type(ContextKeyTypeEnum::String)
                    .build(),
            ]
        });
        let actions: Vec<String> = question.actions.iter().map(|action| (*action).to_owned()).collect();
        let (mut refused, mut marker) = (Vec::new(), None);
        loop {
            let request = || {
                self.iam
                    .simulate_principal_policy()
                    .policy_source_arn(source)
                    .set_action_names(Some(actions.clone()))
                    .resource_arns(&question.resource)
                    .set_context_entries(context.clone())
                    .set_marker(marker.clone())
                    .send()
            };
            let answer =
                self.call("SimulatePrincipalPolicy", request).await.map_err(|fault| unanswered(&fault))?;
            for result in answer.evaluation_results() {
                if result.eval_decision != PolicyEvaluationDecisionType::Allowed {
                    refused.push((result.eval_action_name.clone(), question.resource.clone()));
                }
            }
            marker = answer.marker.filter(|_| answer.is_truncated);
            if marker.is_none() {
                return Ok(refused);
            }
        }
    }
}

fn without_path(session: &str, name: &str) -> Option<String> {
    let mut parts = session.split(':');
    let (partition, account) = (parts.nth(1)?, parts.nth(2)?);
    Some(format!("arn:{partition}:iam::{account}:role/{name}"))
}

fn unanswered(fault: &super::Fault) -> Unasked {
    Unasked::NoAnswer(fault.cause())
}

#[cfg(test)]
mod tests {
    use super::{Principal, principal, without_path};

    #[test]
    fn a_session_names_partition_and_account_of_its_role() {
        let session = "arn:aws-cn:sts::123456789012:assumed-role/deploy/ci-17";
        assert_eq!(
            without_path(session, "deploy").as_deref(),
            Some("arn:aws-cn:iam::123456789012:role/deploy")
        );
    }

    /// The forms of the IAM User Guide, "IAM identifiers" and `GetCallerIdentity`.
    #[test]
    fn a_session_stands_for_its_role() {
        let arn = |text: &str| Some(Principal::Arn(text.to_owned()));
        let role = |name: &str| Some(Principal::Role(name.to_owned()));
        for (caller, wanted) in [
            ("arn:aws:iam::123456789012:user/Alice", arn("arn:aws:iam::123456789012:user/Alice")),
            (
                "arn:aws-cn:iam::123456789012:user/division/a/Bob",
                arn("arn:aws-cn:iam::123456789012:user/division/a/Bob"),
            ),
            ("arn:aws:sts::123456789012:assumed-role/deploy/ci-17", role("deploy")),
            (
                "arn:aws-us-gov:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/a@b.example",
                role("AWSReservedSSO_Admin_0123456789abcdef"),
            ),
            ("arn:aws:iam::123456789012:root", None),
            ("arn:aws:sts::123456789012:federated-user/Carol", None),
            ("", None),
        ] {
            assert_eq!(principal(caller), wanted, "{caller}");
        }
    }
}
