use std::path::PathBuf;

use super::*;

const SMALLEST: &str = r#"
name = "demo"
target = "local"
region = "eu-west-1"
[token]
issuer = "https://id.example.com"
audience = ["deviceagent"]
types = ["at+jwt"]
[token.rs256]
jwks = "local:jwks"
[[allow]]
connect = ["{sub}/*"]
"#;

#[track_caller]
fn stack(text: &str) -> (Stack, Vec<Warning>) {
    parse(Path::new("folder/demo.toml"), text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[track_caller]
fn errors(text: &str) -> Vec<String> {
    let errors = parse(Path::new("demo.toml"), text).unwrap_err();
    errors
        .errors
        .iter()
        .map(|error| format!("{}:{} {} {}", error.line, error.column, error.code, error.key))
        .collect()
}

fn codes(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn the_smallest_stack_gets_every_default() {
    let (stack, warnings) = stack(SMALLEST);
    assert!(warnings.is_empty(), "{warnings:?}");
    assert!(!stack.protect);
    assert_eq!(stack.account, None);
    assert_eq!(
        stack.signing,
        Signing::Generated { bits: 2048, store: KeyStore::Folder("folder/keys/demo@eu-west-1".into()) }
    );
    assert_eq!(stack.token.audience_claims, ["aud"]);
    assert_eq!(stack.token.scope_claims, ["scope", "scp"]);
    assert_eq!(stack.token.leeway_seconds, 60);
    assert_eq!(stack.token.key, TokenKey::Rs256(PublicKeys::Jwks(Reference::LocalJwks)));
    assert_eq!(stack.identity, None);
    assert_eq!((stack.authorizer.name.as_str(), stack.authorizer.token_key_name.as_str()), ("demo", "token"));
    assert_eq!((stack.function.memory_mb, stack.function.log_retention_days), (256, 30));
    assert_eq!(stack.function.architecture, None);
}

#[test]
fn aws_is_protected_and_needs_its_account() {
    let text = SMALLEST.replace("\"local\"", "\"aws\"").replace("local:jwks", "file:jwks.json");
    assert_eq!(errors(&text), ["1:1 missing_key account"]);
    let (stack, _) = stack(&format!("account = \"123456789012\"\n{text}"));
    assert!(stack.protect);
    assert_eq!(stack.account.map(|account| account.to_string()), Some("123456789012".to_owned()));
    assert_eq!(
        stack.token.key,
        TokenKey::Rs256(PublicKeys::Jwks(Reference::File(PathBuf::from("folder/jwks.json"))))
    );
}

#[test]
fn paths_start_at_the_stack_file_unless_absolute() {
    let (stack, _) = stack(&format!("{SMALLEST}[function]\nbootstrap = \"/opt/bootstrap\"\n"));
    assert_eq!(stack.function.bootstrap, Some(PathBuf::from("/opt/bootstrap")));
    let (stack, _) = self::stack(&format!("{SMALLEST}[function]\nsource = \"../authorizer\"\n"));
    assert_eq!(stack.function.source, Some(PathBuf::from("folder/../authorizer")));
}

#[test]
fn every_mistake_is_told_at_once() {
    let text =
        "nam = 1\nname = \"Demo\"\ntarget = \"cloud\"\nregion = \"eu-west-9\"\nprotect = \"yes\"\n= 3\n";
    assert_eq!(
        errors(text),
        [
            "1:1 unknown_key nam",
            "2:8 bad_name name",
            "3:10 bad_value target",
            "4:10 bad_region region",
            "5:11 wrong_type protect",
            "6:1 syntax ",
        ]
    );
}

#[test]
fn places_name_every_key() {
    let (stack, _) = stack(SMALLEST);
    let place = |key: &str| stack.places.0.get(key).map(|origin| (origin.place.line, origin.place.column));
    assert_eq!(place("token.issuer"), Some((6, 1)));
    assert_eq!(place("token.rs256"), Some((9, 8)));
    assert_eq!(place("allow[0].connect"), Some((12, 1)));
    assert_eq!(place("allow[0].connect[0]"), Some((12, 12)));
    assert_eq!(place("authorizer"), None);
}

#[test]
fn what_weakens_a_stack_is_remarked() {
    let hs256 = "[token.hs256]\nsecret = \"env:A\"\nin_environment = true\nallow_short_secret = true\n";
    let text = SMALLEST.replace("[token.rs256]\njwks = \"local:jwks\"\n", hs256);
    assert_eq!(codes(&stack(&text).1), ["in_environment", "short_secret"]);
    let text = SMALLEST.replace("connect = [\"{sub}/*\"]", "publish = [\"a\"]\nsubscribe = [\"+/a\"]");
    assert_eq!(codes(&stack(&text).1), ["no_connect", "wide_filter"]);
    let (stack, warnings) = stack(&format!("{SMALLEST}[signing.off]\n"));
    assert_eq!((stack.signing, codes(&warnings)), (Signing::Off, vec!["signing_off"]));
}

#[test]
fn a_client_without_a_secret_is_public() {
    let identity =
        "[identity]\ndevice_url = \"https://a/d\"\ntoken_url = \"https://a/t\"\nclient_id = \"c\"\n";
    let (stack, _) = stack(&format!("{SMALLEST}{identity}"));
    let identity = stack.identity.unwrap();
    assert_eq!((identity.client_auth, identity.client_secret), (ClientAuth::None, None));
}

#[test]
fn a_stack_file_has_a_greatest_length() {
    let text = format!("{SMALLEST}#{}", "x".repeat(STACK_FILE_LENGTH_MAX));
    assert_eq!(errors(&text), ["1:1 too_large "]);
}

#[test]
fn errors_are_counted_and_then_cut() {
    let keys = (0..500).map(|number| format!("key{number} = 1")).collect::<Vec<_>>().join("\n");
    let text = format!("name = \"demo\"\n{keys}");
    let errors = parse(Path::new("demo.toml"), &text).unwrap_err().errors;
    assert_eq!(errors.len(), 100);
    assert!(errors[99].help.as_ref().is_some_and(|help| help.contains("the first 100")), "{:?}", errors[99]);
}

#[test]
fn a_deep_file_is_refused_without_a_crash() {
    let text = format!("a = {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    assert!(errors(&text).iter().any(|error| error.contains("syntax")));
    let text = format!("[{}a]\n", "a.".repeat(20_000));
    parse(Path::new("demo.toml"), &text).unwrap_err();
}
