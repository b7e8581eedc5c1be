//! The stack file that `init` writes.

use super::{Provider, TargetFlag};

/// Where comments beside a value begin.
const COMMENT_COLUMN: usize = 36;

/// All that is asked.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) target: TargetFlag,
    pub(super) provider: Provider,
    pub(super) name: String,
    pub(super) region: String,
    pub(super) account: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) audience: String,
    pub(super) device_url: String,
    pub(super) token_url: String,
}

impl Answers {
    /// Placeholders, each a good answer, until the real ones are known.
    pub(super) fn of(target: TargetFlag, provider: Provider) -> Self {
        Self {
            target,
            provider,
            name: "demo".to_owned(),
            region: super::REGION.to_owned(),
            account: "000000000000".to_owned(),
            issuer: "https://id.example.com".to_owned(),
            client_id: "device".to_owned(),
            audience: "device".to_owned(),
            device_url: "https://id.example.com/device".to_owned(),
            token_url: "https://id.example.com/token".to_owned(),
        }
    }
}

/// A text between quotes, as TOML takes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The whole file. In its parts a tab stands before a comment beside a value; no value has one.
pub(super) fn stack_file(answers: &Answers) -> String {
    let text = [head(answers), token(answers), identity(answers), rest(answers)].join("\n");
    let aligned = text.lines().map(|line| match line.split_once('\t') {
        Some((value, comment)) => format!("{value:<COMMENT_COLUMN$}  {comment}\n"),
        None => format!("{line}\n"),
    });
    aligned.collect()
}

fn head(answers: &Answers) -> String {
    let (name, region) = (quoted(&answers.name), quoted(&answers.region));
    let target = match answers.target {
        TargetFlag::Local => {
            "target = \"local\"\t# the AWS in this binary; \"aws\" wants an `account` as well\n".to_owned()
        }
        TargetFlag::Aws => format!(
            "target = \"aws\"\t# \"local\" tries the same on this machine\n\
             account = {}\t# any other account is refused before the first write\n\
             # protect = false\t# for \"aws\", `destroy` and the like are refused unless this says so\n",
            quoted(&answers.account)
        ),
    };
    format!(
        "# Written by `thinggate init`. docs/stack-file.md tells how environments share a file.\n\
         name = {name}\t# every resource name derives from it\n\
         region = {region}\t# any Region that has AWS IoT\n\
         {target}\n\
         # Tags for every resource that takes some.\n\
         # [tags]\n\
         # team = \"iot\"\n\n\
         # Who signs tokens for AWS IoT: an RSA pair of ours, in `keys/` beside this file. Commit its `.pub.pem`\n\
         # files only.\n\
         [signing.generated]\n\
         bits = 2048\n"
    )
}

fn token(answers: &Answers) -> String {
    let words = "# Which access tokens are good. All of this is checked for every token, after its signature.\n[token]\n";
    let (issuer, audience) = (quoted(&answers.issuer), quoted(&answers.audience));
    match answers.provider {
        Provider::Embedded => format!(
            "{words}issuer = \"https://identity.thinggate.local/oauth2/local\"\t# the embedded provider's, never an address\n\
             audience = [\"deviceagent\"]\n\
             scopes = [\"mail\"]\t# all of these must be in `scope`\n\
             require = {{ tokenName = \"access_token\" }}\t# a refresh token is a JWT too: this keeps it out\n\n\
             [token.hs256]\n\
             secret = \"local:hs256\"\t# the embedded provider's own; elsewhere env:NAME or file:PATH\n\
             in_environment = true\t# the function's environment holds the secret\n"
        ),
        Provider::Openam => format!(
            "{words}issuer = {issuer}\t# the exact `iss`, port and all\n\
             audience = [{audience}]\t# any of these must be in `aud`\n\
             require = {{ tokenName = \"access_token\" }}\t# a refresh token is a JWT too: this keeps it out\n\n\
             [token.hs256]\n\
             secret = \"env:OPENAM_HMAC_SECRET\"\t# or file:PATH; never the secret itself\n\
             encoding = \"base64\"\t# OpenAM's setting is base64\n\
             in_environment = true\t# the function's environment holds the secret\n"
        ),
        Provider::Oidc => format!(
            "{words}issuer = {issuer}\t# the exact `iss`; mind a trailing slash\n\
             audience = [{audience}]\t# any of these must be in `aud`\n\
             # `typ` of an access token (RFC 9068). A provider that writes \"JWT\", or nothing (\"\"), needs an entry in\n\
             # `require` that refresh tokens lack: they are JWTs too.\n\
             types = [\"at+jwt\"]\n\n\
             [token.rs256]\n\
             jwks = {}\t# the provider's key set, beside this file\n",
            quoted(&format!("file:{}", key_set(answers)))
        ),
    }
}

fn identity(answers: &Answers) -> String {
    let words = "# Where devices log in. Read by `thinggate device` and `thinggate demo` only.\n[identity]\n";
    let (device_url, token_url) = match answers.provider {
        Provider::Embedded => {
            let base = "https://identity.thinggate.local/oauth2/local";
            (format!("{base}/device/code"), format!("{base}/access_token"))
        }
        Provider::Openam => {
            let base = answers.issuer.trim_end_matches('/');
            (format!("{base}/device/code"), format!("{base}/access_token"))
        }
        Provider::Oidc => (answers.device_url.clone(), answers.token_url.clone()),
    };
    let client = match answers.provider {
        Provider::Embedded => {
            "client_id = \"deviceagent\"\nclient_secret = \"local:client\"\nscope = \"mail cn\"\n".to_owned()
        }
        Provider::Openam => format!(
            "client_id = {}\n\
             client_secret = \"env:DEVICE_CLIENT_SECRET\"\t# or file:PATH\n\
             scope = \"\"\t# with spaces between\n\
             extra = {{ response_type = \"token\" }}\t# OpenAM asks for it\n",
            quoted(&answers.client_id)
        ),
        Provider::Oidc => format!(
            "client_id = {}\n\
             client_auth = \"none\"\t# a public client; one with a secret has `client_secret = \"env:NAME\"`\n\
             scope = \"\"\t# with spaces between\n",
            quoted(&answers.client_id)
        ),
    };
    format!("{words}device_url = {}\ntoken_url = {}\n{client}", quoted(&device_url), quoted(&token_url))
}

fn rest(answers: &Answers) -> String {
    let publish = match answers.provider {
        Provider::Embedded => "[\"customauthtesting\", \"devices/{sub}/events\"]",
        Provider::Openam | Provider::Oidc => "[\"devices/{sub}/events\"]",
    };
    format!(
        "# What a good token may do. `{{sub}}` is filled in from the token; more `[[allow]]` tables may follow.\n\
         [[allow]]\n\
         connect = [\"{{sub}}/*\"]\t# MQTT client ids below the device's own subject\n\
         publish = {publish}\n\
         subscribe = [\"devices/{{sub}}/commands\"]\t# implies receiving there\n\n\
         [authorizer]\n\
         token_key_name = \"token\"\t# the header or parameter that carries the access token\n\
         default = false\t# one per account and Region; true moves all devices that name none\n\n\
         [function]\n\
         memory_mb = 256\t# 128 to 10240\n\
         log_retention_days = 30\n"
    )
}

fn key_set(answers: &Answers) -> String {
    format!("{}.jwks.json", answers.name)
}

/// What to do then, one line each.
pub(super) fn next(answers: &Answers, file: &str) -> Vec<String> {
    let mut next = match answers.provider {
        Provider::Embedded => Vec::new(),
        Provider::Openam => vec![
            "export OPENAM_HMAC_SECRET=…      # OpenAM's \"Token Signing HMAC Shared Secret\"".to_owned(),
            "export DEVICE_CLIENT_SECRET=…    # the OAuth client's".to_owned(),
        ],
        Provider::Oidc => {
            vec![format!("put the provider's key set into {}, beside the stack file", key_set(answers))]
        }
    };
    next.extend([format!("thinggate validate {file}"), format!("thinggate plan {file}")]);
    next
}
