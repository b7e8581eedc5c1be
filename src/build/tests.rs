use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::keys::{Jwks, PublicKey};
use crate::names::{AccountId, Identity};
use crate::stack::{self, Stack};

mod binary;

/// The workspace of a small crate that gives a `bootstrap`.
struct Workspace {
    folder: tempfile::TempDir,
    files: Files,
}

const LOCK: &str = "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n";
const ROOT: &str = "[workspace]\nresolver = \"3\"\nmembers = [\"authorizer\"]\n\n[profile.lambda]\ninherits = \"release\"\nstrip = true\n";
const CRATE: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[[bin]]\nname = \"bootstrap\"\npath = \"src/main.rs\"\n";

impl Workspace {
    fn new(main: &str) -> Self {
        let workspace = Self { folder: tempfile::tempdir().unwrap(), files: Files::default() };
        workspace.files.create_folder(&workspace.path("authorizer/src/inner")).unwrap();
        for (path, text) in [
            ("Cargo.toml", ROOT),
            ("Cargo.lock", LOCK),
            ("authorizer/Cargo.toml", CRATE),
            ("authorizer/src/main.rs", main),
            ("authorizer/src/inner/a.rs", "// a"),
        ] {
            workspace.write(path, text);
        }
        workspace
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        self.files.replace(&self.path(path), text.as_bytes()).unwrap();
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            source: Source::Crate(self.path("authorizer")),
            architecture: host(),
            configuration: b"{}\n".to_vec(),
        }
    }

    fn inputs(&self) -> InputsHash {
        inputs(&self.files, &self.recipe()).unwrap()
    }
}

/// The tools of this machine.
pub(super) fn tools() -> Tools {
    let variables: Vec<(String, String)> = std::env::vars().collect();
    let variables = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Tools::new(variables, crate::door::Stop::new())
}

fn host() -> Architecture {
    if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X8664 }
}

fn stack_of(text: &str) -> Stack {
    stack::parse(Path::new("stacks/test.toml"), text).map(|(stack, _)| stack).unwrap()
}

fn identity(stack: &Stack) -> Identity {
    Identity {
        stack: stack.name.clone(),
        region: stack.region.clone(),
        account: AccountId::new("123456789012").unwrap(),
        partition: "aws".to_owned(),
        authorizer: stack.authorizer.name.clone(),
        parameters: Box::default(),
    }
}

const STACK: &str = r#"
name = "demo"
target = "local"
region = "eu-west-1"
[signing.generated]
[token]
issuer = "https://id.example/oauth2"
audience = ["deviceagent"]
scopes = ["mail"]
require = { tokenName = "access_token" }
KEY
[[allow]]
connect = ["{sub}/*"]
publish = ["customauthtesting"]
[authorizer]
name = "demo-authorizer"
token_key_name = "token"
"#;

/// The form is a contract with `authorizer/src/config.rs`: every member, in this order.
#[test]
fn the_configuration_has_every_member_in_order() {
    let hs256 = stack_of(&STACK.replace(
        "KEY",
        "[token.hs256]\nsecret = \"env:SECRET\"\nencoding = \"utf8\"\nin_environment = true",
    ));
    let found = configuration(&hs256, &identity(&hs256), None, "THINGGATE_HS256_SECRET");
    let types = serde_json::to_string(&hs256.token.types).unwrap();
    let text = String::from_utf8(found).unwrap();
    assert!(
        text.starts_with("{\n  \"version\": 1,\n  \"arn_prefix\": \"arn:aws:iot:eu-west-1:123456789012\",\n")
    );
    assert!(text.ends_with("}\n"));
    let compact: String =
        text.split('\n').map(str::trim_start).collect::<Vec<_>>().concat().replace("\": ", "\":");
    let expected = format!(
        "{}{types}{}",
        r#"{"version":1,"arn_prefix":"arn:aws:iot:eu-west-1:123456789012","issuer":"https://id.example/oauth2","audience":["deviceagent"],"audience_claims":["aud"],"scopes":["mail"],"scope_claims":["scope","scp"],"types":"#,
        r#","require":{"tokenName":"access_token"},"leeway_seconds":60,"strict_expiry":false,"key":{"hs256":{"secret_variable":"THINGGATE_HS256_SECRET","encoding":"utf8","allow_short_secret":false}},"allow":[{"connect":["{sub}/*"],"publish":["customauthtesting"],"subscribe":[]}]}"#
    );
    assert_eq!(compact, expected);
}

#[test]
fn public_keys_travel_reduced() {
    let rs256 = stack_of(&STACK.replace("KEY", "[token.rs256]\njwks = \"file:jwks.json\""));
    let key = |kid: Option<&str>| PublicKey {
        kid: kid.map(str::to_owned),
        n: "AQAB".to_owned(),
        e: "Aw".to_owned(),
    };
    let keys = Jwks { keys: vec![key(Some("k+/=")), key(None)] };
    let found = configuration(&rs256, &identity(&rs256), Some(&keys), "UNUSED");
    let found: serde_json::Value = serde_json::from_slice(&found).unwrap();
    let expected = serde_json::json!({"rs256": {"keys": [
        {"kid": "k+/=", "n": "AQAB", "e": "Aw"}, {"kid": null, "n": "AQAB", "e": "Aw"}]}});
    assert_eq!(found["key"], expected);
}

#[test]
fn the_inputs_are_what_is_built_and_nothing_else() {
    let (one, other) = (Workspace::new("fn main() {}"), Workspace::new("fn main() {}"));
    let before = one.inputs();
    assert_eq!(before.0.len(), 64);
    assert_eq!(before, other.inputs(), "the folder is no input");
    for unrelated in ["README.md", "authorizer/README.md", "authorizer/tests.rs"] {
        one.write(unrelated, "x");
    }
    one.write("Cargo.toml", &format!("# a comment\n{ROOT}\n[profile.dev]\nopt-level = 1\n"));
    one.write("Cargo.lock", &format!("{LOCK}\n[[package]]\nname = \"other\"\nversion = \"1.0.0\"\n"));
    assert_eq!(before, one.inputs(), "neither are other crates, profiles and comments");
    let changes = [
        ("authorizer/src/main.rs", "fn main() { }"),
        ("authorizer/src/inner/a.rs", "// b"),
        ("authorizer/src/inner/b.rs", ""),
        ("authorizer/build.rs", "fn main() {}"),
        ("authorizer/Cargo.toml", &CRATE.replace("2021", "2024")),
        ("Cargo.toml", &ROOT.replace("true", "false")),
        ("Cargo.toml", &format!("{ROOT}\n[profile.release]\nlto = true\n")),
    ];
    for (path, text) in changes {
        let workspace = Workspace::new("fn main() {}");
        workspace.write(path, text);
        assert_ne!(before, workspace.inputs(), "{path}: {text}");
    }
    let other_rules = Recipe { configuration: b"{ }\n".to_vec(), ..other.recipe() };
    assert_ne!(before, inputs(&other.files, &other_rules).unwrap());
    let other_processor = match host() {
        Architecture::X8664 => Architecture::Arm64,
        Architecture::Arm64 => Architecture::X8664,
    };
    let elsewhere = Recipe { architecture: other_processor, ..other.recipe() };
    assert_ne!(before, inputs(&other.files, &elsewhere).unwrap());
}

/// Makes a source file in the target folder, whose absolute path then is in the binary.
const BUILD: &str = r#"fn main() {
    let folder = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{folder}/made.rs"), "pub fn place() -> &'static str { file!() }").unwrap();
}"#;

/// The real Cargo, twice, in two folders: one static binary, the same bytes, and the same package.
#[tokio::test]
async fn two_folders_give_the_same_package() {
    let main = "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\")); fn main() { println!(\"{}\", place()); }";
    let mut packages = Vec::new();
    for _ in 0..2 {
        let workspace = Workspace::new(main);
        workspace.write("authorizer/build.rs", BUILD);
        let heard = Mutex::new(Vec::new());
        let listen = |line: &str| heard.lock().unwrap().push(line.to_owned());
        let made = package(&workspace.files, &workspace.recipe(), &tools(), &listen).await.unwrap();
        let heard = heard.into_inner().unwrap();
        assert!(
            heard[0].starts_with("building tiny for ")
                && heard.iter().any(|line| line.starts_with("Finished"))
        );
        assert_eq!(made.inputs, workspace.inputs());
        let ready = workspace.path("ready");
        let target = workspace.path("target/thinggate").join(triple(host())).join("lambda/bootstrap");
        workspace
            .files
            .replace(&ready, &workspace.files.read(&target, BOOTSTRAP_BYTES_MAX).unwrap())
            .unwrap();
        let recipe = Recipe { source: Source::Bootstrap(ready), ..workspace.recipe() };
        let again = package(&workspace.files, &recipe, &tools(), &|_| {}).await.unwrap();
        assert_eq!(again.zip, made.zip, "a ready binary is packed the same way");
        packages.push(made);
    }
    assert_eq!(packages[0], packages[1]);
    assert_eq!(packages[0].configuration_sha256, sha256_hex(b"{}\n"));
}

#[tokio::test]
async fn a_build_that_fails_says_why_and_what_helps() {
    let workspace = Workspace::new("fn main() { not_defined_anywhere(); }");
    let problem = package(&workspace.files, &workspace.recipe(), &tools(), &|_| {}).await.unwrap_err();
    assert_eq!(problem.code, "build_failed");
    assert!(problem.to_string().contains("cannot find function `not_defined_anywhere`"), "{problem}");
    assert!(problem.next.unwrap().contains("--keep-code"));
    let long = Recipe { configuration: vec![b' '; CONFIGURATION_BYTES_MAX + 1], ..workspace.recipe() };
    let problem = package(&workspace.files, &long, &tools(), &|_| {}).await.unwrap_err();
    assert_eq!(problem.code, "configuration_too_long");
}

/// Somebody saves a file while Cargo is at work.
#[tokio::test]
async fn sources_that_change_during_the_build_are_refused() {
    let workspace = Workspace::new("fn main() {}");
    let save = |_: &str| workspace.write("authorizer/src/inner/a.rs", "// saved meanwhile");
    let problem = package(&workspace.files, &workspace.recipe(), &tools(), &save).await.unwrap_err();
    assert_eq!(problem.code, "inputs_changed");
}

/// Edits of a path dependency would not change the hash: there is none.
#[test]
fn a_path_dependency_has_no_hash() {
    let workspace = Workspace::new("fn main() {}");
    workspace.write(
        "authorizer/Cargo.toml",
        &format!("{CRATE}\n[dependencies]\nshared = {{ path = \"../shared\" }}\n"),
    );
    workspace.write(
        "Cargo.lock",
        &format!(
            "{LOCK}dependencies = [\"shared\"]\n\n[[package]]\nname = \"shared\"\nversion = \"0.1.0\"\n"
        ),
    );
    let problem = inputs(&workspace.files, &workspace.recipe()).unwrap_err();
    assert_eq!(problem.code, "lock_file");
    assert!(problem.to_string().contains("depends on `shared` by its path"), "{problem}");
}

/// A workspace whose authorizer has the right name, and a stack file deep in it.
fn found_from() -> (Workspace, Stack) {
    let workspace = Workspace::new("fn main() {}");
    workspace.write("authorizer/Cargo.toml", &CRATE.replace("tiny", "thinggate-authorizer"));
    workspace.files.create_folder(&workspace.path("deep/stacks")).unwrap();
    workspace.write("deep/stacks/test.toml", "");
    let key = "[token.rs256]\njwks = \"file:jwks.json\"";
    let mut stack = stack_of(&STACK.replace("KEY", key));
    stack.file = workspace.path("deep/stacks/test.toml");
    (workspace, stack)
}

#[test]
fn sources_are_found_from_the_stack_file() {
    let (workspace, mut stack) = found_from();
    let found = find_source(&workspace.files, &stack).unwrap();
    assert_eq!(found, workspace.files.canonical(&workspace.path("authorizer")).unwrap());
    workspace.write("deep/Cargo.toml", "[workspace]\n");
    let problem = find_source(&workspace.files, &stack).unwrap_err();
    assert!(problem.to_string().contains("has no authorizer/"), "{problem}");
    stack.function.source = Some(workspace.path("authorizer"));
    assert_eq!(find_source(&workspace.files, &stack).unwrap(), found);
    stack.function.source = Some(workspace.path("deep/stacks"));
    assert_eq!(find_source(&workspace.files, &stack).unwrap_err().code, "no_source");
}

/// What a stranger could have put above the stack file is never built.
#[cfg(unix)]
#[test]
fn the_way_up_ends_where_strangers_write() {
    use std::os::unix::fs::PermissionsExt as _;
    let refused = |workspace: &Workspace, stack: &Stack| {
        let problem = find_source(&workspace.files, stack).unwrap_err();
        assert_eq!(problem.code, "no_source");
        problem.to_string()
    };
    let (workspace, stack) = found_from();
    let mode =
        |mode| std::fs::set_permissions(workspace.path(""), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o1777);
    assert!(refused(&workspace, &stack).contains("no Cargo workspace above"));
    mode(0o775);
    assert!(find_source(&workspace.files, &stack).is_ok(), "a group is the owner's own");

    workspace.files.create_folder(&workspace.path("deep/.git")).unwrap();
    assert!(refused(&workspace, &stack).contains("no Cargo workspace above"));

    let (workspace, stack) = found_from();
    workspace.write("authorizer/Cargo.toml", CRATE);
    assert!(refused(&workspace, &stack).contains("of another name: tiny, not thinggate-authorizer"));
    // Only root can give a folder away.
    if std::os::unix::fs::chown(workspace.path("deep"), Some(12_345), None).is_ok() {
        assert!(refused(&workspace, &stack).contains("of the same owner"));
    }
}
