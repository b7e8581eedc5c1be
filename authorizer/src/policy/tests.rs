use serde_json::{Value, json};

use super::{
    Action, DOCUMENT_CHARACTERS, DOCUMENT_CHARACTERS_MAX, DOCUMENTS_MAX, Document, Draft, Grant, Grants,
    STATEMENT_CHARACTERS, Statement, VERSION, check, check_text, for_claims,
};
use crate::deny::Deny;
use crate::json::Object;
use crate::template::{Place, Template};

const PREFIX: &str = "arn:aws:iot:eu-west-1:000000000000";

fn grants(sources: &[(Action, &str)]) -> Grants {
    let grants = sources.iter().map(|(action, source)| {
        let place = if *action == Action::Subscribe { Place::Filter } else { Place::Topic };
        Grant { action: *action, template: Template::parse(source, place).unwrap() }
    });
    Grants { arn_prefix: PREFIX.to_owned(), grants: grants.collect() }
}

/// Actions and resources of documents, read from their texts.
fn resources(documents: &[Document]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for document in documents {
        let document: Value = serde_json::from_str(document.as_str()).unwrap();
        for statement in document["Statement"].as_array().unwrap() {
            for resource in statement["Resource"].as_array().unwrap() {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                all.push((text(&statement["Action"]), text(resource)));
            }
        }
    }
    all
}

/// The sizes that the packer reckons with are those of the serializer.
#[test]
fn sizes_are_those_of_the_text() {
    let size =
        |statements| serde_json::to_string(&Draft { version: VERSION, statements }).unwrap().chars().count();
    let statement = |resources: &[&str]| Statement {
        effect: "Allow",
        action: Action::Publish,
        resources: resources.iter().map(|&resource| resource.to_owned()).collect(),
    };
    assert_eq!(size(vec![]), DOCUMENT_CHARACTERS);
    let one = DOCUMENT_CHARACTERS + STATEMENT_CHARACTERS + "iot:Publish".len() + "'abc'".len();
    // Reckoned with a comma after each; the last has none.
    assert!((one - 2..=one).contains(&size(vec![statement(&["abc"])])));
    assert_eq!(size(vec![statement(&["abc", "de"])]), size(vec![statement(&["abc"])]) + "'de',".len());
}

/// Any number of grants of any length: all are there, in order, in documents that are full but not
/// too full.
#[test]
fn documents_are_split_and_lose_nothing() {
    for length in [1, 40, 97, 150, 250] {
        for count in 1..=150 {
            let sources: Vec<_> = (0..count)
                .map(|n| {
                    let action = [Action::Connect, Action::Publish, Action::Receive][n * 3 / count];
                    (action, format!("{n:03}{}", "x".repeat(length - 1)))
                })
                .collect();
            let all: Vec<_> = sources.iter().map(|(action, source)| (*action, source.as_str())).collect();
            let characters: usize = all.iter().map(|(_, source)| source.len() + PREFIX.len() + 10).sum();
            match for_claims(&Object::new(), &grants(&all)) {
                Ok(documents) => {
                    assert!(documents.len() <= DOCUMENTS_MAX);
                    let found = resources(&documents);
                    assert_eq!(found.len(), count);
                    for ((action, source), (found_action, resource)) in all.iter().zip(&found) {
                        assert_eq!(action.name(), found_action);
                        assert!(resource.ends_with(&format!("/{source}")), "{resource}");
                    }
                    for document in &documents {
                        let text = document.as_str();
                        assert!(text.chars().count() <= DOCUMENT_CHARACTERS_MAX, "{}", text.len());
                    }
                    // No document is left half empty: two in a row hold more than one could.
                    for pair in documents.windows(2) {
                        let both = pair.iter().map(|document| document.as_str().len()).sum::<usize>();
                        assert!(both > DOCUMENT_CHARACTERS_MAX);
                    }
                }
                Err(reason) => {
                    assert_eq!(reason, Deny::PolicyTooLarge);
                    assert!(characters > 7 * DOCUMENT_CHARACTERS_MAX, "{count} of {length}");
                }
            }
        }
    }
}

/// What an injected value would have to look like, handed to the last check by hand.
#[test]
fn a_document_that_was_not_configured_is_refused() {
    let grants = grants(&[(Action::Publish, "devices/{sub}/events"), (Action::Receive, "devices/{sub}")]);
    let good = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": [format!("{PREFIX}:topic/devices/a/events")]},
        {"Effect": "Allow", "Action": "iot:Receive", "Resource": [format!("{PREFIX}:topic/devices/a")]}]});
    let verdict = |text: &str| {
        let mut expected = grants.grants.iter();
        check_text(text, PREFIX, &mut expected).is_some() && expected.next().is_none()
    };
    assert!(verdict(&good.to_string()));

    let change = |pointer: &str, value: Value| {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        document.to_string()
    };
    let resource = |rest: &str| change("/Statement/0/Resource/0", json!(format!("{PREFIX}:{rest}")));
    let mut wrong: Vec<String> = [
        "topic/*",
        "topic/devices/*/events",
        "topic/devices/a/b/events",
        "topic/devices//events",
        "topic/devices/${iot:ClientId}/events",
        "topic/devices/a/events*",
        "topicfilter/devices/a/events",
        "client/a",
        "*",
    ]
    .map(resource)
    .into();
    wrong.extend([
        change("/Version", json!("2008-10-17")),
        change("/Statement/0/Effect", json!("Deny")),
        change("/Statement/0/Action", json!("iot:*")),
        change("/Statement/0/Action", json!("iot:Receive")),
        change("/Statement/0/Action", json!(["iot:Publish"])),
        change("/Statement/0/Resource", json!("*")),
        change("/Statement/0/Resource", json!([])),
        change("/Statement/0/Resource/0", json!("*")),
        change("/Statement/0/Resource/0", json!(1)),
        change("/Statement/1", json!(null)),
        change("/Statement", json!([])),
        change("/Statement", json!({})),
        good.to_string().replacen("\"Action\"", "\"NotAction\"", 1),
        good.to_string().replacen("\"Resource\"", "\"NotResource\"", 1),
        good.to_string().replacen("\"Effect\"", "\"Condition\":{},\"Effect\"", 1),
        good.to_string().replacen("\"Version\"", "\"Id\":\"a\",\"Version\"", 1),
        good.to_string().replacen("\"Effect\"", "\"Effect\":\"Allow\",\"Effect\"", 1),
        format!("{good}{}", " ".repeat(2048)),
    ]);
    for text in wrong {
        assert!(!verdict(&text), "{text}");
    }
}

/// As the product calls the last check: too little, too much, nothing.
#[test]
fn documents_that_grant_other_than_was_configured_are_refused() {
    let grants = grants(&[(Action::Publish, "devices/{sub}/events"), (Action::Receive, "devices/{sub}")]);
    let draft = |actions: &[(Action, &str)]| Draft {
        version: VERSION,
        statements: actions
            .iter()
            .map(|(action, rest)| Statement {
                effect: "Allow",
                action: *action,
                resources: vec![format!("{PREFIX}:topic/{rest}")],
            })
            .collect(),
    };
    let (publish, receive) = ((Action::Publish, "devices/a/events"), (Action::Receive, "devices/a"));
    assert!(check(&[draft(&[publish, receive])], &grants).is_ok());
    assert!(check(&[draft(&[publish]), draft(&[receive])], &grants).is_ok());
    for drafts in [
        vec![],
        vec![draft(&[publish])],
        vec![draft(&[publish, receive, receive])],
        vec![draft(&[publish, receive]), draft(&[publish])],
        vec![draft(&[receive, publish])],
    ] {
        assert_eq!(check(&drafts, &grants), Err(Deny::PolicyRefused));
    }
}

/// AWS IoT, "Action resources": which kind of resource an action is about.
#[test]
fn resources_of_actions() {
    let sources = [
        (Action::Connect, "a"),
        (Action::Publish, "b"),
        (Action::Subscribe, "c/+/#"),
        (Action::Receive, "c/*/*"),
    ];
    let documents = for_claims(&Object::new(), &grants(&sources)).unwrap();
    let found: Vec<_> = resources(&documents)
        .into_iter()
        .map(|(action, resource)| (action, resource.replace(PREFIX, "")))
        .collect();
    let expected = [
        ("iot:Connect", ":client/a"),
        ("iot:Publish", ":topic/b"),
        ("iot:Subscribe", ":topicfilter/c/+/#"),
        ("iot:Receive", ":topic/c/*/*"),
    ];
    assert_eq!(found, expected.map(|(action, resource)| (action.to_owned(), resource.to_owned())));
}
