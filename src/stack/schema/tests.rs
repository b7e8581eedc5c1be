use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::stack::reader::TableReader;
use crate::stack::{Places, checks, root};

/// Every key that the readers ask for, as `table.key`, over stacks that have every table.
fn asked() -> BTreeSet<String> {
    let all = "[aws]\n[aws.endpoints]\n[tags]\n[identity]\n[authorizer]\n[function]\n[[allow]]\n[signing.generated]\n\
               [signing.public]\n[signing.off]\n[token.hs256]\n[token.rs256]\n";
    let sources = crate::stack::Sources::one(Path::new("all.toml"), all);
    let mut checks = checks::Checks::new(sources.laid_out());
    let (document, _) = toml::de::DeTable::parse_recoverable(all);
    let start = checks::Place { key: String::new(), span: 0..0 };
    let top = TableReader::new(document.get_ref(), start);
    root::stack(&mut checks, Path::new("all.toml"), top, Places::default());
    checks.asked_keys().map(|key| key.replace("[0]", "")).collect()
}

/// Every key of the schema, as `table.key`.
fn keys(path: &str, schema: &Value, found: &mut BTreeSet<String>) {
    let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
    for (key, below) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        keys(&path, below, found);
        found.insert(path);
    }
}

#[test]
fn the_schema_has_the_keys_that_are_read_and_no_other() {
    let mut found = BTreeSet::new();
    keys("", &schema(), &mut found);
    assert!(found.len() > 50, "{found:?}");
    let asked = asked();
    let missing: Vec<&String> = asked.difference(&found).collect();
    let invented: Vec<&String> = found.difference(&asked).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing {missing:?}, invented {invented:?}");
}

#[test]
fn every_key_says_what_it_is() {
    fn check(path: &str, schema: &Value) {
        let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
        for (key, below) in schema["properties"].as_object().into_iter().flatten() {
            let is_endpoint = path.ends_with(".endpoints");
            assert!(is_endpoint || below["description"].is_string(), "{path}.{key}");
            check(&format!("{path}.{key}"), below);
        }
    }
    check("", &schema());
}
