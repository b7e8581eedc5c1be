//! `SimulatePrincipalPolicy`: what the policy in force says, or those of a role, asked beforehand. Source: IAM API Reference.

use super::{Form, ServiceError, State, Xml, input, no_such_entity};
use crate::control::Call;
use crate::control::caller::Caller;
use crate::control::guard::{Asked, Decision, of_role};
use crate::control::validate::{Checks, Text};

/// Shapes of the model `iam 2010-05-08`.
const ACTION: Text = Text { length_min: 3, length_max: 128, pattern: None };
const RESOURCE: Text = Text { length_min: 1, length_max: 2048, pattern: None };
const CONTEXT_KEY: Text = Text { length_min: 5, length_max: 256, pattern: None };
const HANDLING: Text = Text { length_min: 1, length_max: 64, pattern: None };
const CONTEXT_TYPES: [&str; 12] = [
    "string",
    "stringList",
    "numeric",
    "numericList",
    "boolean",
    "booleanList",
    "ip",
    "ipList",
    "binary",
    "binaryList",
    "date",
    "dateList",
];
/// What would change the answer, and is not looked at here.
const ELSEWHERE: [&str; 6] = [
    "PolicyInputList.member.1",
    "PermissionsBoundaryPolicyInputList.member.1",
    "ResourcePolicy",
    "ResourceOwner",
    "CallerArn",
    "ResourceHandlingOption",
];

/// What the caller asks about.
struct Wanted<'a> {
    source: &'a str,
    actions: Vec<&'a str>,
    resources: Vec<&'a str>,
}

fn checked(form: &Form) -> Result<Wanted<'_>, ServiceError> {
    let mut checks = Checks::default();
    let source = checks.required("policySourceArn", form.get("PolicySourceArn"), &input::ARN);
    let actions = form.strings("ActionNames");
    if actions.is_empty() {
        checks.missing("actionNames");
    }
    let resources = form.strings("ResourceArns");
    let lists = [
        ("actionNames", &actions, &ACTION),
        ("resourceArns", &resources, &RESOURCE),
        ("policyInputList", &form.strings("PolicyInputList"), &input::DOCUMENT),
        (
            "permissionsBoundaryPolicyInputList",
            &form.strings("PermissionsBoundaryPolicyInputList"),
            &input::DOCUMENT,
        ),
    ];
    for (member, texts, rule) in lists {
        for (index, text) in texts.iter().enumerate() {
            checks.optional(&format!("{member}.{}.member", index + 1), Some(text), rule);
        }
    }
    checks.optional("resourcePolicy", form.get("ResourcePolicy"), &input::DOCUMENT);
    checks.optional("resourceOwner", form.get("ResourceOwner"), &RESOURCE);
    checks.optional("callerArn", form.get("CallerArn"), &RESOURCE);
    checks.optional("resourceHandlingOption", form.get("ResourceHandlingOption"), &HANDLING);
    for (number, entry) in entries(form).enumerate() {
        let place = format!("contextEntries.{}.member", number + 1);
        let key = form.get(&format!("{entry}.ContextKeyName"));
        checks.optional(&format!("{place}.contextKeyName"), key, &CONTEXT_KEY);
        let kind = form.get(&format!("{entry}.ContextKeyType"));
        checks.word(&format!("{place}.contextKeyType"), kind, &CONTEXT_TYPES);
    }
    input::paging(&mut checks, form)?;
    checks.finish("ValidationError")?;
    if let Some(name) = ELSEWHERE.iter().find(|name| form.get(name).is_some()) {
        let text = format!("The local target does not simulate {}.", name.trim_end_matches(".member.1"));
        return Err(ServiceError::new(400, "InvalidInput", text));
    }
    Ok(Wanted { source, actions, resources: if resources.is_empty() { vec!["*"] } else { resources } })
}

/// The names before the dot of all context entries.
fn entries(form: &Form) -> impl Iterator<Item = String> + '_ {
    let entry = |number: usize| format!("ContextEntries.member.{number}");
    (1..).map(entry).take_while(|entry| {
        ["ContextKeyName", "ContextKeyType", "ContextKeyValues.member.1"]
            .iter()
            .any(|member| form.get(&format!("{entry}.{member}")).is_some())
    })
}

pub(super) fn simulate(state: &State, form: &Form, call: &Call) -> Result<Option<Xml>, ServiceError> {
    let Wanted { source, actions, resources } = checked(form)?;
    if source.split(':').nth(2) == Some("sts") {
        let text = format!("Invalid Entity Arn: {source} does not clearly define entity type and name.");
        return Err(ServiceError::new(400, "InvalidInput", text));
    }
    let role = state.role(source);
    if source != Caller::User.arn(call.partition(), call.account) && role.is_none() {
        return Err(no_such_entity(format!("{source} does not exist.")));
    }
    let context = context(form);
    let questions =
        resources.iter().flat_map(|resource| actions.iter().map(move |action| (*resource, *action)));
    let keyed = questions.enumerate().map(|(number, question)| (format!("{number:08}"), question));
    let page = input::one_page(keyed, form, call)?;
    let mut result = Xml::default();
    result.element("EvaluationResults", |xml| {
        for (resource, action) in &page.entries {
            let asked = Asked::with(action, *resource, context.clone());
            let decision = role.map_or_else(|| call.guard.decide(&asked), |role| of_role(role, &asked));
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

/// Every context key with each of its values.
fn context(form: &Form) -> Vec<(String, String)> {
    let mut context = Vec::new();
    for entry in entries(form) {
        let Some(key) = form.get(&format!("{entry}.ContextKeyName")) else { continue };
        for value in form.strings(&format!("{entry}.ContextKeyValues")) {
            context.push((key.to_owned(), value.to_owned()));
        }
    }
    context
}
