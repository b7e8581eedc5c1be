//! The deployer refuses what the authorizer would not start with: one table of cases goes to both, to
//! the deployer's checks and, in the deployer's own file, to the authorizer's reader.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::build;
use crate::keys::Jwks;
use crate::names::AccountId;
use crate::stack;

/// The modulus of RFC 7517 A.1.
const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

const RS256: &str = "[token.rs256]\njwks = \"file:jwks.json\"";

/// What a reference gives: one text.
struct Given(String);

impl References for Given {
    fn secret(&self, _: &Reference) -> Result<Secret, Problem> {
        Ok(Secret::new(self.0.clone()))
    }

    fn text(&self, _: &Reference) -> Result<String, Problem> {
        Ok(self.0.clone())
    }
}

fn text_of(token: &str, key: &str, allow: &str) -> String {
    format!(
        "name = \"demo\"\ntarget = \"local\"\nregion = \"eu-west-1\"\n[signing.generated]\n\
         [token]\nissuer = \"https://id.example/oauth2\"\n{token}\n{key}\n{allow}\n\
         [authorizer]\nname = \"demo-authorizer\"\ntoken_key_name = \"token\"\n"
    )
}

const TOKEN: &str = "audience = [\"deviceagent\"]\nrequire = { tokenName = \"access_token\" }";
const ALLOW: &str = "[[allow]]\nconnect = [\"{sub}/*\"]\npublish = [\"customauthtesting\"]";

fn stack_of(text: &str) -> Result<Stack, String> {
    let parsed = stack::parse(Path::new("stacks/demo.toml"), text);
    parsed.map(|(stack, _)| stack).map_err(|errors| format!("{errors:?}"))
}

/// What the deployer says to `stack` with `given` for its reference.
fn deployer(stack: &Stack, given: &str) -> Result<Option<Jwks>, String> {
    let given = Given(given.to_owned());
    environment(stack, &given, CodeMode::Build, false).map_err(|problem| told(&problem, &given.0))?;
    code::provider_keys(stack, &given).map_err(|problem| told(&problem, &given.0))
}

/// A problem's words, none of which may be the secret's.
fn told(problem: &Problem, secret: &str) -> String {
    let said = format!("{problem:?}");
    assert!(secret.len() < 20 || !said.contains(&secret[..20]), "it shows the secret: {said}");
    said
}

/// What the authorizer says at its start, in the function that the deployer would make.
fn authorizer(stack: &Stack, keys: Option<&Jwks>, secret: &str) -> Result<(), String> {
    let identity = Identity {
        stack: stack.name.clone(),
        region: stack.region.clone(),
        account: AccountId::new("123456789012").unwrap(),
        partition: "aws".to_owned(),
        authorizer: stack.authorizer.name.clone(),
        parameters: Box::default(),
    };
    let file = build::configuration(stack, &identity, keys, SECRET_VARIABLE);
    let variable = |name: &str| (name == SECRET_VARIABLE).then(|| secret.to_owned());
    authorizer::config::read(&file, &variable).map(drop).map_err(|error| error.to_string())
}

#[test]
fn both_sides_take_the_same_secrets() {
    let bytes = [0xfb; 32];
    let good = STANDARD.encode(bytes);
    let der = [&[0x30, 0x81, 200][..], &[7; 200]].concat();
    // RFC 7515, appendix A.1: the JWK as a whole is no secret.
    let key =
        json!({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"}).to_string();
    let pem = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----";
    let cases: Vec<(&str, bool, String, bool)> = vec![
        ("base64", false, good.clone(), true),
        ("base64", false, STANDARD_NO_PAD.encode(bytes), true),
        ("base64", false, URL_SAFE_NO_PAD.encode(bytes), false),
        ("base64", false, format!("{good}\n"), false),
        ("base64", false, format!(" {good}"), false),
        ("base64", false, good[..20].to_owned(), false),
        ("base64", false, STANDARD.encode([1; 31]), false),
        ("base64", true, STANDARD.encode([1; 31]), true),
        ("base64", true, String::new(), false),
        ("base64", false, STANDARD.encode(&der), false),
        ("base64", false, STANDARD.encode([&der[..], b"\n"].concat()), false),
        ("base64", false, STANDARD.encode(STANDARD.encode(&der)), false),
        ("utf8", false, STANDARD.encode(&der), false),
        ("base64", false, STANDARD.encode([&[0x30, 0x81, 48][..], &[7; 48]].concat()), true),
        ("base64", false, STANDARD.encode(pem), false),
        ("base64", false, STANDARD.encode([1; 3072]), true),
        ("base64", false, STANDARD.encode([1; 3073]), false),
        ("utf8", false, "é".repeat(16), true),
        ("utf8", false, "a".repeat(31), false),
        ("utf8", true, "a".repeat(31), true),
        ("utf8", true, String::new(), false),
        ("utf8", false, "a".repeat(4097), false),
        ("utf8", false, pem.to_owned(), false),
        ("utf8", false, key, false),
        ("utf8", false, format!("ssh-rsa {}", "A".repeat(40)), false),
        ("utf8", false, format!("SK-SSH-ed25519 {}", "A".repeat(40)), false),
        ("utf8", false, format!("ecdsa-sha2-nistp256 {}", "A".repeat(40)), false),
    ];
    for (encoding, short, secret, taken) in cases {
        let key = format!(
            "[token.hs256]\nsecret = \"env:SECRET\"\nin_environment = true\nencoding = \"{encoding}\"\n\
             allow_short_secret = {short}"
        );
        let stack = stack_of(&text_of(TOKEN, &key, ALLOW)).unwrap();
        let (ours, theirs) = (deployer(&stack, &secret), authorizer(&stack, None, &secret));
        assert_eq!(
            (ours.is_ok(), theirs.is_ok()),
            (taken, taken),
            "{encoding} {secret:?} {ours:?} {theirs:?}"
        );
    }
    // Stricter than the authorizer: nobody means the line break to be a part of the secret.
    let key = "[token.hs256]\nsecret = \"env:SECRET\"\nin_environment = true\nencoding = \"utf8\"";
    let stack = stack_of(&text_of(TOKEN, key, ALLOW)).unwrap();
    let said = deployer(&stack, &format!("{}\n", "a".repeat(40))).unwrap_err();
    assert!(said.contains("bad_secret") && said.contains("line break"), "{said}");
}

fn modulus(bits: usize) -> String {
    let mut n = vec![0xa5; bits / 8];
    n[0] = 0xc5;
    URL_SAFE_NO_PAD.encode(n)
}

#[test]
fn both_sides_take_the_same_key_sets() {
    let key = |kid: Option<&str>, n: &str, e: &[u8]| {
        let mut key = json!({"kty": "RSA", "n": n, "e": URL_SAFE_NO_PAD.encode(e)});
        if let Some(kid) = kid {
            key["kid"] = json!(kid);
        }
        key
    };
    let one = |n: &str, e: &[u8]| vec![key(None, n, e)];
    let usual = [1, 0, 1];
    let even = URL_SAFE_NO_PAD.encode([&[0xc5; 255][..], &[2]].concat());
    let (long, too_long) = ("k".repeat(128), "k".repeat(129));
    let many = |count: usize| -> Vec<Value> {
        (0..count).map(|number| key(Some(&number.to_string()), N, &usual)).collect()
    };
    let cases: Vec<(Vec<Value>, bool)> = vec![
        (one(N, &usual), true),
        (one(&modulus(8192), &usual), true),
        (one(&modulus(8200), &usual), false),
        (one(&modulus(2040), &usual), false),
        (one(&even, &usual), false),
        (one(N, &[3]), false),
        (one(N, &[17]), false),
        (one(N, &[0xff, 0xff]), false),
        (one(N, &[1, 0, 0]), false),
        (one(N, &[1, 0, 2]), false),
        (one(N, &[1, 0, 3]), true),
        (one(N, &[1, 0xff, 0xff, 0xff, 0xff]), true),
        (one(N, &[2, 0, 0, 0, 1]), false),
        (vec![key(Some("a"), N, &usual), key(Some("b"), N, &usual)], true),
        (vec![key(Some("a"), N, &usual), key(None, N, &usual)], false),
        (vec![key(Some("a"), N, &usual), key(Some("a"), N, &usual)], false),
        (vec![key(Some(&long), N, &usual)], true),
        (vec![key(Some(&too_long), N, &usual)], false),
        (many(64), true),
        (many(65), false),
        (vec![], false),
    ];
    let stack = stack_of(&text_of(TOKEN, RS256, ALLOW)).unwrap();
    for (set, taken) in cases {
        let ours = deployer(&stack, &json!({ "keys": set }).to_string());
        // To the authorizer goes the set itself, as if the deployer had passed it on unseen.
        let text = |key: &Value, name: &str| key[name].as_str().map(str::to_owned);
        let unseen = Jwks {
            keys: set
                .iter()
                .map(|key| crate::keys::PublicKey {
                    kid: text(key, "kid"),
                    n: text(key, "n").unwrap(),
                    e: text(key, "e").unwrap(),
                })
                .collect(),
        };
        let theirs = authorizer(&stack, Some(&unseen), "");
        assert_eq!((ours.is_ok(), theirs.is_ok()), (taken, taken), "{set:?} {ours:?} {theirs:?}");
        if let Ok(keys) = ours {
            assert_eq!(authorizer(&stack, keys.as_ref(), ""), Ok(()));
        }
    }
}

#[test]
fn a_lone_key_as_pem_has_the_same_bounds() {
    use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
    let pem_stack =
        stack_of(&text_of(TOKEN, "[token.rs256]\npem = \"file:provider.pub.pem\"", ALLOW)).unwrap();
    for (exponent, taken) in [(3_u32, false), (65_537, true)] {
        let n = rsa::BoxedUint::from_be_slice_vartime(&URL_SAFE_NO_PAD.decode(N).unwrap());
        let key = rsa::PublicKey::new(n, rsa::BoxedUint::from(exponent)).unwrap();
        let pem = key.to_public_key_pem(LineEnding::LF).unwrap();
        let ours = deployer(&pem_stack, &pem);
        assert_eq!(ours.is_ok(), taken, "{exponent}: {ours:?}");
        if let Ok(keys) = ours {
            assert_eq!(authorizer(&pem_stack, keys.as_ref(), ""), Ok(()));
        }
    }
}

fn list(texts: &[String]) -> String {
    json!(texts).to_string()
}

/// Variants of `[token]`, good and bad.
fn token_variants() -> Vec<String> {
    let odd = ["a", " ", "a b", "é", "a\\u0007", "a\\nb", "\\u0085", "", "{sub}", "\\\"", "\\\\"];
    let long = [1023, 1024, 1025, 2048, 2049].map(|length| "x".repeat(length));
    let texts = odd.iter().map(|text| (*text).to_owned()).chain(long);
    let mut tokens = vec![TOKEN.to_owned()];
    for text in texts {
        tokens.extend([
            format!("audience = [\"{text}\"]\ntypes = [\"at+jwt\"]"),
            format!("{TOKEN}\naudience_claims = [\"{text}\"]"),
            format!("{TOKEN}\nscopes = [\"{text}\"]"),
            format!("{TOKEN}\nscope_claims = [\"{text}\"]\nscopes = [\"a\"]"),
            format!("{TOKEN}\ntypes = [\"{text}\"]"),
            format!("audience = [\"a\"]\nrequire = {{ \"{text}\" = \"x\" }}"),
            format!("audience = [\"a\"]\nrequire = {{ x = \"{text}\" }}"),
        ]);
    }
    for count in [0, 1, 64, 65] {
        let texts = list(&(0..count).map(|number| format!("a{number}")).collect::<Vec<_>>());
        let lists = ["audience_claims", "scopes", "scope_claims", "types"];
        tokens.extend(lists.map(|key| format!("{TOKEN}\n{key} = {texts}")));
        tokens.push(format!("audience = {texts}\ntypes = [\"at+jwt\"]"));
        let claims = (0..count).map(|number| format!("c{number} = \"x\"")).collect::<Vec<_>>().join(", ");
        tokens.push(format!("audience = [\"a\"]\nrequire = {{ {claims} }}"));
    }
    tokens
        .extend([0, 300, 301].map(|seconds| format!("{TOKEN}\nleeway_s = {seconds}\nstrict_expiry = true")));
    tokens
}

/// Variants of `[[allow]]`, good and bad.
fn allow_variants() -> Vec<String> {
    let mut allows = vec![ALLOW.to_owned(), format!("{ALLOW}\n{ALLOW}")];
    let entries = [
        "a",
        "{sub}",
        "{sub}/x",
        "x{sub}/y",
        "{a}/{b}",
        "{sub}x",
        "{}",
        "{",
        "}",
        "a}b",
        "${sub}",
        "a/+/b",
        "+",
        "#",
        "/#",
        "a/#",
        "{sub}/#",
        "a#",
        "#/a",
        "a+",
        "*",
        "a?b",
        "a b",
        "é",
        "$aws/things/{sub}/x",
        "a//b",
        "/",
        "{https://e.example/t}",
        "{sub}/+/#",
        "$share/g/a",
        "{a}{b}",
        "{a}/{b}/",
    ];
    for entry in entries
        .iter()
        .map(|entry| (*entry).to_owned())
        .chain([128, 129, 256, 257].map(|length| "x".repeat(length)))
    {
        allows.extend(
            ["connect", "publish", "subscribe"].map(|key| format!("[[allow]]\n{key} = [\"{entry}\"]")),
        );
    }
    for (count, length) in
        [(64, 1), (65, 1), (64, 100), (64, 150), (64, 180), (64, 200), (64, 240), (70, 200)]
    {
        for key in ["publish", "subscribe"] {
            let topics: Vec<_> = (0..count).map(|number| format!("{number}{}", "t".repeat(length))).collect();
            allows.push(format!("[[allow]]\n{key} = {}", list(&topics)));
            let tables = topics.iter().map(|topic| format!("[[allow]]\n{key} = [\"{topic}/{{sub}}\"]"));
            allows.push(tables.collect::<Vec<_>>().join("\n"));
        }
    }
    allows
}

/// Whatever the stack's reader takes, the authorizer starts with.
#[test]
fn the_authorizer_reads_every_stack_that_is_taken() {
    let set = json!({"keys": [{"kty": "RSA", "n": N, "e": "AQAB"}]}).to_string();
    let mut taken = 0;
    let stacks = token_variants().into_iter().map(|token| text_of(&token, RS256, ALLOW));
    for text in stacks.chain(allow_variants().iter().map(|allow| text_of(TOKEN, RS256, allow))) {
        let Ok(stack) = stack_of(&text) else { continue };
        let keys = deployer(&stack, &set).unwrap();
        assert_eq!(authorizer(&stack, keys.as_ref(), ""), Ok(()), "{text}");
        taken += 1;
    }
    assert!(taken > 100, "{taken} were taken: the table says little");
}
