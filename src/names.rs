//! Checked names: a value of one of these types is legal for the service that owns it.
//!
//! Limits and patterns are those of the AWS service models (botocore 1.43.11); each doc line gives
//! its own. Everything AWS sees is derived here from a stack's [`Identity`], so that all names and
//! ARNs are known before anything exists.

use std::fmt::{self, Write as _};

/// Why a text is not a legal name. Ends a sentence that begins with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError(pub String);

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NameError {}

/// Makes a checked name: its type, its noun for messages, its greatest length, what it is made of.
macro_rules! checked_name {
    ($(#[$doc:meta])* $type:ident, $noun:literal, $length_max:literal, $made_of:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(String);

        impl $type {
            /// Checks `text` whole, both ends included.
            pub fn new(text: &str) -> Result<Self, NameError> {
                check(text, $noun, $length_max, $made_of, $allowed)?;
                Ok(Self(text.to_owned()))
            }

            /// The name as AWS sees it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

fn check(
    text: &str,
    noun: &str,
    length_max: usize,
    made_of: &str,
    allowed: fn(char) -> bool,
) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError(format!("{noun} must not be empty")));
    }
    if let Some(odd) = text.chars().find(|c| !allowed(*c)) {
        return Err(NameError(format!("{noun} is made of {made_of}; found {odd:?}")));
    }
    let length = text.chars().count();
    if length > length_max {
        return Err(NameError(format!("{noun} has at most {length_max} characters; this one has {length}")));
    }
    Ok(())
}

checked_name!(
    /// A stack's name. Lower case only, because IAM role names are unique without regard to case.
    StackName, "a stack name", 100, "lower-case letters, digits and `-`",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);
checked_name!(
    /// An AWS Region, such as `eu-west-1`.
    Region, "a Region", 32, "lower-case letters, digits and `-`",
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
);
checked_name!(
    /// An IoT authorizer's name: `[\w=,@-]{1,128}`.
    AuthorizerName, "an authorizer name", 128, "letters, digits and `_ = , @ -`",
    |c| c.is_ascii_alphanumeric() || "_=,@-".contains(c)
);
checked_name!(
    /// The name of the header or parameter that carries the token: `[a-zA-Z0-9_-]{1,128}`.
    TokenKeyName, "a token key name", 128, "letters, digits, `_` and `-`",
    |c| c.is_ascii_alphanumeric() || "_-".contains(c)
);
checked_name!(
    /// The name of a registered public key: `[a-zA-Z0-9:_-]{1,128}`.
    KeyName, "a key name", 128, "letters, digits, `:`, `_` and `-`",
    |c| c.is_ascii_alphanumeric() || ":_-".contains(c)
);
checked_name!(
    /// A Lambda function's name: `[a-zA-Z0-9-_]{1,64}`.
    FunctionName, "a function name", 64, "letters, digits, `-` and `_`",
    |c| c.is_ascii_alphanumeric() || "-_".contains(c)
);
checked_name!(
    /// An IAM role's name: `[\w+=,.@-]{1,64}`.
    RoleName, "a role name", 64, "letters, digits and `_ + = , . @ -`",
    |c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
);
checked_name!(
    /// A CloudWatch Logs group's name: `[.\-_/#A-Za-z0-9]{1,512}`.
    LogGroupName, "a log group name", 512, "letters, digits and `. - _ / #`",
    |c| c.is_ascii_alphanumeric() || ".-_/#".contains(c)
);

/// An AWS account: exactly twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

impl AccountId {
    /// Checks that `text` is twelve digits.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(NameError("an account is twelve digits".to_owned()))
    }

    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Region {
    /// The partition that it belongs to: `aws`, `aws-cn` or `aws-us-gov` (the three that have AWS IoT).
    pub fn partition(&self) -> &'static str {
        match self.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// A parameter's name in Systems Manager: `NAME`, or `/PATH/…/NAME`, each of letters, digits and `_ . -`.
///
/// AWS takes 1,011 characters together with the ARN before it, and 15 levels (`PutParameter`, "Name"); the
/// limits here leave room for the ARN, which has up to 57, and for what a key store appends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterName(String);

impl ParameterName {
    /// Characters of a name.
    pub const LENGTH_MAX: usize = 900;
    /// Levels of a path.
    pub const LEVELS_MAX: usize = 14;

    /// Checks `text` whole.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
        let noun = "a parameter name";
        check(text, noun, Self::LENGTH_MAX, "letters, digits and `_ . - /`", allowed)?;
        let refuse = |because: &str| Err(NameError(format!("{noun} {because}")));
        let inner = text.strip_prefix('/').unwrap_or(text);
        if inner.split('/').any(str::is_empty) {
            return refuse("has no empty level: neither `//` nor a `/` at its end");
        }
        if inner.contains('/') && !text.starts_with('/') {
            return refuse("with a `/` in it begins with one");
        }
        let beginning = inner.get(..3).unwrap_or_default().to_ascii_lowercase();
        if ["aws", "ssm"].contains(&beginning.as_str()) {
            return refuse("does not begin with `aws` or `ssm`: AWS keeps those for itself");
        }
        if inner.split('/').count() > Self::LEVELS_MAX {
            return Err(NameError(format!("{noun} has at most {} levels", Self::LEVELS_MAX)));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as AWS sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a path, so that others can stand below it.
    pub fn is_path(&self) -> bool {
        self.0.starts_with('/')
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The parameters that a stack reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// What its key store's parameters stand below, where that is `ssm:`.
    pub key_store: Option<ParameterName>,
    /// Those that a deploy reads.
    pub of_deploy: Vec<ParameterName>,
    /// Those that the device tool reads.
    pub of_device: Vec<ParameterName>,
}

/// The alias that devices are served through.
pub const ALIAS: &str = "live";

/// The tag that says which stack owns a resource; its value is [`Identity::owner`].
pub const OWNER_TAG: &str = "thinggate:stack";

/// The tag that keeps, on the function, the unique id of the role it was given.
pub const ROLE_ID_TAG: &str = "thinggate:role-id";

/// The id of the one statement that lets AWS IoT invoke the function.
pub const STATEMENT_ID: &str = "thinggate-iot";

/// The name of the role's one inline policy.
pub const INLINE_POLICY: &str = "thinggate-logs";

/// Where a stack lives: everything that names and ARNs derive from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The stack's name.
    pub stack: StackName,
    /// Its Region.
    pub region: Region,
    /// The account, as STS answered.
    pub account: AccountId,
    /// `aws`, `aws-cn` or `aws-us-gov`, taken from the caller's ARN.
    pub partition: String,
    /// The authorizer's name, from the stack file.
    pub authorizer: AuthorizerName,
    /// The parameters of the stack file. Aside, as an identity is part of much.
    pub parameters: Box<Parameters>,
}

impl Identity {
    /// The value of [`OWNER_TAG`]: `NAME@REGION`.
    pub fn owner(&self) -> String {
        owner(&self.stack, &self.region)
    }

    /// `thinggate-NAME`.
    pub fn function(&self) -> FunctionName {
        FunctionName(function_text(&self.stack))
    }

    /// `thinggate-NAME-REGION`: IAM is global, and two Regions must not share a role.
    pub fn role(&self) -> RoleName {
        RoleName(role_text(&self.stack, &self.region))
    }

    /// The role that a pipeline's jobs take on for one purpose: `thinggate-ci-NAME-REGION-PURPOSE`.
    pub fn pipeline_role(&self, purpose: &str) -> RoleName {
        let name = within(&format!("thinggate-ci-{}-{}", self.stack, self.region), 56);
        RoleName(format!("{name}-{purpose}"))
    }

    /// `/thinggate/NAME`: a group of our own, so that no old `/aws/lambda/…` group collides.
    pub fn log_group(&self) -> LogGroupName {
        LogGroupName(format!("/thinggate/{}", self.stack))
    }

    /// The function's ARN without a qualifier.
    pub fn function_arn(&self) -> String {
        format!("{}:function:{}", self.regional("lambda"), self.function())
    }

    /// The ARN of the alias that serves devices.
    pub fn alias_arn(&self) -> String {
        format!("{}:{ALIAS}", self.function_arn())
    }

    /// The role's ARN.
    pub fn role_arn(&self) -> String {
        format!("arn:{}:iam::{}:role/{}", self.partition, self.account, self.role())
    }

    /// The log group's ARN, without the trailing `:*`.
    pub fn log_group_arn(&self) -> String {
        format!("{}:log-group:{}", self.regional("logs"), self.log_group())
    }

    /// The authorizer's ARN: what the invoke permission names as its source.
    pub fn authorizer_arn(&self) -> String {
        format!("{}:authorizer/{}", self.regional("iot"), self.authorizer)
    }

    /// A parameter's ARN. The `/` that a path begins with is the one after `parameter`.
    pub fn parameter_arn(&self, name: &str) -> String {
        format!("{}:parameter/{}", self.regional("ssm"), name.strip_prefix('/').unwrap_or(name))
    }

    fn regional(&self, service: &str) -> String {
        format!("arn:{}:{service}:{}:{}", self.partition, self.region, self.account)
    }
}

/// The value of [`OWNER_TAG`] on what a stack owns: `NAME@REGION`.
pub fn owner(stack: &StackName, region: &Region) -> String {
    format!("{stack}@{region}")
}

fn function_text(stack: &StackName) -> String {
    within(&format!("thinggate-{stack}"), 64)
}

fn role_text(stack: &StackName, region: &Region) -> String {
    within(&format!("thinggate-{stack}-{region}"), 64)
}

/// Cuts a name that is too long, and ends it in a hash of the whole, so that two long names differ.
fn within(whole: &str, length_max: usize) -> String {
    const HASH_LENGTH: usize = 8;
    if whole.len() <= length_max {
        return whole.to_owned();
    }
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, whole.as_bytes());
    let mut cut: String = whole.chars().take(length_max - HASH_LENGTH - 1).collect();
    cut.push('-');
    for byte in hash.as_ref().iter().take(HASH_LENGTH / 2) {
        let _ = write!(cut, "{byte:02x}");
    }
    cut
}

#[cfg(test)]
mod tests;
