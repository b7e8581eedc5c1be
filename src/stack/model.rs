//! What a stack file says, after every check that needs no network.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::names::{AccountId, AuthorizerName, KeyName, ParameterName, Region, StackName, TokenKeyName};

/// One stack, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The file it came from, as the user named it.
    pub file: PathBuf,
    /// Its name, from which every resource name derives.
    pub name: StackName,
    /// Where it lives.
    pub target: Target,
    /// Its Region.
    pub region: Region,
    /// The one account it may be deployed to; required for `aws`, left out for `local`, which has its own.
    pub account: Option<AccountId>,
    /// Whether `destroy` and the like are refused. Default: true for `aws`, false for `local`.
    pub protect: bool,
    /// How AWS is reached.
    pub aws: Aws,
    /// Tags for every resource that takes some.
    pub tags: BTreeMap<String, String>,
    /// Who signs tokens for AWS IoT.
    pub signing: Signing,
    /// Which access tokens are good.
    pub token: Token,
    /// Where devices log in; read by `device` and `demo` only.
    pub identity: Option<IdentityProvider>,
    /// What a good token may do. At least one entry.
    pub allow: Vec<Allow>,
    /// The IoT authorizer.
    pub authorizer: Authorizer,
    /// The Lambda function.
    pub function: Function,
    /// Where each key stands: `authorizer.token_key_name` → file, line and column.
    pub places: Places,
}

/// Where each key stands that the file has, or one that it extends, by the key's dotted path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(pub BTreeMap<String, Origin>);

/// Where one value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Where its key stands.
    pub place: KeyPlace,
    /// The variables that were filled in there, in their order.
    pub variables: Vec<(String, VariableOrigin)>,
}

/// A place in a stack file, or in one that it extends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The file, as the user named it, or as reached from there.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableOrigin {
    /// `--var`.
    CommandLine,
    /// The environment variable of `--var`.
    Environment,
    /// `[vars]`, in this place.
    File(KeyPlace),
}

impl std::fmt::Display for VariableOrigin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CommandLine => formatter.write_str("--var"),
            Self::Environment => formatter.write_str("THINGGATE_VAR"),
            Self::File(place) => write!(formatter, "{}:{}", place.file.display(), place.line),
        }
    }
}

/// Where a stack lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The AWS embedded in this binary.
    Local,
    /// AWS.
    Aws,
}

/// `[aws]`: how AWS is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aws {
    /// The profile of the shared configuration files.
    pub profile: Option<String>,
    /// Services that are asked elsewhere than at AWS's own address: scheme, host and port.
    pub endpoints: BTreeMap<AwsService, String>,
    /// The roles that are assumed, one with the session of the one before it.
    pub assume_role: Vec<AssumeRole>,
}

/// `[[aws.assume_role]]`: a role that is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssumeRole {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy wants as `sts:ExternalId`. No secret (IAM User Guide, "Access to AWS accounts
    /// owned by third parties").
    pub external_id: Option<String>,
    /// The session's name, which logs show; `None`: `thinggate-` and the stack's.
    pub session_name: Option<String>,
    /// How long the session lasts, 900 to 43,200; `None`: an hour.
    pub duration_seconds: Option<u16>,
}

/// A service of AWS that a stack is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AwsService {
    /// AWS Identity and Access Management.
    Iam,
    /// AWS IoT Core.
    Iot,
    /// AWS Lambda.
    Lambda,
    /// Amazon CloudWatch Logs.
    Logs,
    /// AWS Systems Manager.
    Ssm,
    /// AWS Security Token Service.
    Sts,
}

impl AwsService {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Iam, Self::Iot, Self::Lambda, Self::Logs, Self::Ssm, Self::Sts];

    /// Its name in the stack file, the same as in `aws NAME …`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Iot => "iot",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
        }
    }

    /// Its id in AWS's own models, from which the names of variables and of keys in AWS's configuration
    /// files derive: `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Iam => "IAM",
            Self::Iot => "IoT",
            Self::Lambda => "Lambda",
            Self::Logs => "CloudWatch Logs",
            Self::Ssm => "SSM",
            Self::Sts => "STS",
        }
    }
}

/// Where a secret or a file is kept. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// `env:NAME`.
    Environment(String),
    /// `file:PATH`, relative to the stack file; already joined to its folder.
    File(PathBuf),
    /// `ssm:NAME`: a parameter in the stack's account and Region.
    Parameter(ParameterName),
    /// `local:hs256`: the embedded provider's own secret. Local target only.
    LocalHs256,
    /// `local:jwks`: the embedded provider's own public keys. Local target only.
    LocalJwks,
    /// `local:client`: the secret of the embedded provider's client. Local target only.
    LocalClient,
}

/// `[signing.…]`: who signs tokens for AWS IoT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// `[signing.generated]`: we make the RSA pair and keep it in a store.
    Generated {
        /// Key length in bits: 2048, 3072 or 4096.
        bits: u16,
        /// Where the pair is kept.
        store: KeyStore,
    },
    /// `[signing.public]`: others hold the private halves; each value is a PEM file.
    Public {
        /// Key name → file with a `BEGIN PUBLIC KEY`.
        keys: BTreeMap<KeyName, Reference>,
    },
    /// `[signing.off]`: AWS IoT checks no signature. `validate` warns.
    Off,
}

/// Where signing keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStore {
    /// `file:`: a folder, already joined to the stack file's folder.
    Folder(PathBuf),
    /// `ssm:/PATH`: parameters below a path.
    Parameters(ParameterName),
}

impl std::fmt::Display for KeyStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(formatter),
            Self::Parameters(path) => write!(formatter, "ssm:{path}"),
        }
    }
}

/// `[token]`: which access tokens are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The exact `iss`.
    pub issuer: String,
    /// Any of these in the audience claim.
    pub audience: Vec<String>,
    /// The claims looked at for the audience, first present wins. Default: `aud`.
    pub audience_claims: Vec<String>,
    /// All of these must be in the scope claim.
    pub scopes: Vec<String>,
    /// The claims looked at for scopes, first present wins. Default: `scope`, `scp`.
    pub scope_claims: Vec<String>,
    /// Allowed header `typ` values; an empty text stands for "absent".
    pub types: Vec<String>,
    /// Claims that must equal these values.
    pub require: BTreeMap<String, String>,
    /// Tolerance for clocks, in seconds: 0 to 300. Default 60.
    pub leeway_seconds: u16,
    /// Whether MQTT is denied when under 300 s are left (AWS's floor).
    pub strict_expiry: bool,
    /// How a token is verified.
    pub key: TokenKey,
}

/// `[token.hs256]` or `[token.rs256]`: how an access token is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKey {
    /// A secret shared with the provider.
    Hs256 {
        /// Where the secret is.
        secret: Reference,
        /// How the secret's text becomes bytes.
        encoding: Encoding,
        /// Takes a secret under 32 bytes; every plan warns.
        allow_short_secret: bool,
        /// Puts the secret in the function's environment; every plan says so. Must be true for now.
        in_environment: bool,
    },
    /// The provider's public keys.
    Rs256(PublicKeys),
}

/// Where RS256 public keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKeys {
    /// `pem = "file:…"`: one key.
    Pem(Reference),
    /// `jwks = "file:…"` or `"local:jwks"`: a key set.
    Jwks(Reference),
}

/// How a secret's text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Standard base64, as in OpenAM's setting.
    Base64,
    /// The text itself.
    Utf8,
}

/// `[identity]`: where devices log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityProvider {
    /// The device authorization endpoint.
    pub device_url: String,
    /// The token endpoint.
    pub token_url: String,
    /// The OAuth client.
    pub client_id: String,
    /// Its secret; none for public clients.
    pub client_secret: Option<Reference>,
    /// Space-separated scopes to ask for.
    pub scope: String,
    /// Which device flow the provider speaks.
    pub dialect: Dialect,
    /// How the client authenticates.
    pub client_auth: ClientAuth,
    /// Further parameters of the device request, such as OpenAM's `response_type = "token"`.
    pub extra: BTreeMap<String, String>,
}

/// Which device flow a provider speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Found out from the answers.
    Auto,
    /// RFC 8628.
    Rfc8628,
    /// OpenAM 13.5 to 14.4.
    OpenamLegacy,
}

/// How an OAuth client authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// Secret in the form.
    Post,
    /// HTTP Basic.
    Basic,
    /// A public client.
    None,
}

/// `[[allow]]`: what a good token may do. `{claim}` is filled in per token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// MQTT client ids.
    pub connect: Vec<String>,
    /// Topics it may publish to.
    pub publish: Vec<String>,
    /// Topic filters it may subscribe to; implies receiving on the same topics.
    pub subscribe: Vec<String>,
}

/// `[authorizer]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Its name in the account and Region.
    pub name: AuthorizerName,
    /// The header or parameter that carries the token.
    pub token_key_name: TokenKeyName,
    /// Whether it is the account's default in this Region.
    pub default: bool,
    /// Whether AWS caches answers on kept-alive HTTP connections.
    pub http_caching: bool,
}

/// `[function]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// `None`: the host for `local`, `x86_64` for `aws`; set in `cli::target`.
    pub architecture: Option<Architecture>,
    /// 128 to 10,240. Default 256.
    pub memory_mb: u16,
    /// One of AWS's retention values. Default 30.
    pub log_retention_days: u16,
    /// The authorizer's sources; `None`: `authorizer/` in the nearest workspace above the stack file.
    pub source: Option<PathBuf>,
    /// A ready binary, instead of a build.
    pub bootstrap: Option<PathBuf>,
}

/// A processor architecture that Lambda has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// 64-bit x86.
    X8664,
    /// 64-bit ARM.
    Arm64,
}

impl Architecture {
    /// Lambda's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X8664 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}
