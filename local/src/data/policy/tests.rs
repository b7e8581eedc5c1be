use serde::Deserialize;
use serde_json::json;

use super::*;

/// Rows that share their policies.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    /// The page, and where on it.
    source: String,
    policies: Vec<Value>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    expect: String,
    action: String,
    /// `topic/…`, `topicfilter/…` or `client/…`, of account 123456789012 in us-east-1.
    resource: String,
    client_id: Option<String>,
    /// What the page says, or what follows from it.
    because: String,
}

fn groups() -> Vec<Group> {
    serde_json::from_str(include_str!("cases.json")).unwrap()
}

fn action(name: &str) -> Action {
    use Action::{Connect, Publish, Receive, RetainPublish, Subscribe};
    let all = [Connect, Publish, RetainPublish, Receive, Subscribe];
    all.into_iter().find(|action| action.name() == name).unwrap()
}

#[test]
fn documented_examples_are_decided_as_documented() {
    let mut rows = 0;
    let mut wrong = Vec::new();
    for group in groups() {
        assert!(group.source.starts_with("https://docs.aws.amazon.com/"), "{}", group.source);
        let documents: Vec<String> = group.policies.iter().map(Value::to_string).collect();
        let policies = Policies::read(&documents).unwrap();
        for row in group.rows {
            rows += 1;
            assert!(!row.because.is_empty());
            let resource = format!("arn:aws:iot:us-east-1:123456789012:{}", row.resource);
            let variables = Variables { client_id: row.client_id.as_deref() };
            let verdict = match policies.verdict(action(&row.action), &resource, &variables) {
                Verdict::Allowed => "allow",
                Verdict::NotAllowed => "no allow",
                Verdict::Denied { .. } => "explicit deny",
            };
            if verdict != row.expect {
                wrong.push(format!(
                    "{verdict}: {} {} as {:?}\n  {}: {}",
                    row.action, row.resource, row.client_id, group.source, row.because
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(rows >= 100, "{rows} rows");
}

#[test]
fn an_action_is_done_to_its_own_type_of_resource() {
    for (action, expected) in [
        (Action::Connect, "arn:aws:iot:eu-west-1:000000000000:client/a/b"),
        (Action::Publish, "arn:aws:iot:eu-west-1:000000000000:topic/a/b"),
        (Action::RetainPublish, "arn:aws:iot:eu-west-1:000000000000:topic/a/b"),
        (Action::Receive, "arn:aws:iot:eu-west-1:000000000000:topic/a/b"),
        (Action::Subscribe, "arn:aws:iot:eu-west-1:000000000000:topicfilter/a/b"),
    ] {
        assert_eq!(action.resource("eu-west-1", "000000000000", "a/b"), expected);
    }
}

#[test]
fn what_is_no_policy_is_refused() {
    let good = json!({"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"});
    let with = |member: &str, value: Value| {
        let mut statement = good.clone();
        statement[member] = value;
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    let without = |member: &str| {
        let mut statement = good.clone();
        statement.as_object_mut().unwrap().remove(member);
        json!({"Version": "2012-10-17", "Statement": statement})
    };
    let read = |document: &Value| Policies::read(&[document.to_string()]);
    assert!(read(&json!({"Version": "2012-10-17", "Statement": good})).is_ok());
    for bad in [
        json!([]),
        json!({"Statement": []}),
        json!({"Version": "2008-10-17", "Statement": []}),
        json!({"Version": "2012-10-17"}),
        json!({"Version": "2012-10-17", "Statement": "x"}),
        json!({"Version": "2012-10-17", "Statement": [], "statement": []}),
        json!({"Version": "2012-10-17", "Statement": [1]}),
        with("Effect", json!("allow")),
        with("Effect", json!(true)),
        with("Action", json!([])),
        with("Action", json!([1])),
        with("Resource", json!({})),
        with("NotResource", json!("x")),
        with("Principal", json!("*")),
        with("resource", json!("*")),
        without("Effect"),
        without("Action"),
        without("Resource"),
    ] {
        assert!(read(&bad).is_err(), "{bad}");
    }
    let document = json!({"Version": "2012-10-17", "Statement": []}).to_string();
    assert_eq!(Policies::read(&vec![document.clone(); 11]).unwrap_err().document, 11);
    let long = format!("{document}{}", " ".repeat(2049 - document.len()));
    assert!(Policies::read(&[long]).is_err());
}
