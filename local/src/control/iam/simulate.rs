//! `SimulatePrincipalPolicy`: what the policy in force says, asked beforehand. Source: IAM API Reference.

use super::{Form, ServiceError, State, Xml, input, no_such_entity};
use crate::control::Call;
use crate::control::guard::{Asked, Decision, caller};
use crate::control::validate::{Checks, Text};

/// Model `iam 2010-05-08`, shapes `arnType` and `ActionNameType`.
const ARN: Text = Text { length_min: 20, length_max: 2048, pattern: None };
const ACTION: Text = Text { length_min: 3, length_max: 128, pattern: None };

pub(super) fn simulate(state: &State, form: &Form, call: &Call) -> Result<Option<Xml>, ServiceError> {
    let mut checks = Checks::default();
    let source = checks.required("policySourceArn", form.get("PolicySourceArn"), &ARN);
    let actions = form.strings("ActionNames");
    for action in &actions {
        checks.optional("actionNames", Some(action), &ACTION);
    }
    if actions.is_empty() {
        checks.required("actionNames", None, &ACTION);
    }
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    if source.starts_with("arn:aws:sts:") {
        let text = format!("Invalid Entity Arn: {source} does not clearly define entity type and name.");
        return Err(ServiceError::new(400, "InvalidInput", text));
    }
    if source != caller(call.account) && state.role(source).is_none() {
        return Err(no_such_entity(format!("{source} does not exist.")));
    }
    let resources = match form.strings("ResourceArns") {
        none if none.is_empty() => vec!["*"],
        some => some,
    };
    let context = context(form);
    let questions =
        resources.iter().flat_map(|resource| actions.iter().map(move |action| (*resource, *action)));
    let keyed = questions.enumerate().map(|(number, question)| (format!("{number:08}"), question));
    let page = input::one_page(keyed, form, call)?;
    let mut result = Xml::default();
    result.element("EvaluationResults", |xml| {
        for (resource, action) in &page.entries {
            let asked = Asked::with(action, *resource, context.clone());
            let decision = call.guard.decide(&asked);
            xml.element("member", |xml| evaluation(xml, &asked, decision));
        }
    });
    input::page_end(&mut result, &page);
    Ok(Some(result))
}

fn evaluation(xml: &mut Xml, asked: &Asked, decision: Decision) {
    xml.leaf("EvalActionName", &asked.action);
    xml.leaf("EvalResourceName", &asked.resource);
    let word = match decision {
        Decision::Allowed => "allowed",
        Decision::Denied => "explicitDeny",
        Decision::NotAllowed => "implicitDeny",
    };
    xml.leaf("EvalDecision", word);
    xml.element("MatchedStatements", |_| ());
    xml.element("MissingContextValues", |_| ());
}

/// `ContextEntries.member.N.{ContextKeyName, ContextKeyValues.member.M}`.
fn context(form: &Form) -> Vec<(String, String)> {
    let mut context = Vec::new();
    for number in 1.. {
        let entry = format!("ContextEntries.member.{number}");
        let Some(key) = form.get(&format!("{entry}.ContextKeyName")) else { break };
        for value in form.strings(&format!("{entry}.ContextKeyValues")) {
            context.push((key.to_owned(), value.to_owned()));
        }
    }
    context
}
