//! Why there are no credentials, for a person. The texts of providers are not shown: they can hold what a process
//! printed, or a part of a file with keys.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;

use super::login::Login;

/// What an error means, and what helps. Without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What it means.
    pub because: String,
    /// What helps.
    pub next: String,
}

/// A provider's error with its cause, which travels through the SDK to where it is told.
#[derive(Debug)]
pub(super) struct Told {
    cause: Cause,
    source: CredentialsError,
}

impl Told {
    /// `source`, told as `cause`.
    pub(super) fn error(cause: Cause, source: CredentialsError) -> CredentialsError {
        CredentialsError::provider_error(Self { cause, source })
    }
}

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.cause.because)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The cause that an error was given, if it was.
pub(in crate::aws) fn of(error: &(dyn Error + 'static)) -> Option<Cause> {
    chain(error).find_map(|error| error.downcast_ref::<Told>()).map(|told| told.cause.clone())
}

/// Words of providers (aws-config 1.13) with what they mean; a `NAME` stands for the profile, and `LOGIN` for the
/// command that signs in.
const WORDS: [(&str, &str, &str); 15] = [
    (
        "was not defined",
        "the profile `NAME` is not in the AWS configuration files",
        "aws configure list-profiles",
    ),
    (
        "credentials-login",
        "the profile `NAME` is a session of `aws login`, which this program cannot read itself",
        LOGIN_NEXT,
    ),
    ("the SSO token has expired", "the single sign-on session has expired", "LOGIN"),
    ("UnauthorizedException", "the single sign-on session is not accepted any more", "LOGIN"),
    ("cached SSO token", "there is no single sign-on session", "LOGIN"),
    ("sso/cache", "there is no single sign-on session", "LOGIN"),
    (
        "sso-session named",
        "the profile `NAME` names a single sign-on session that is not configured",
        SSO_NEXT,
    ),
    ("invalid SSO config", "the profile's single sign-on settings are not whole", SSO_NEXT),
    ("resolve an access token instead", "the profile's single sign-on settings are not whole", SSO_NEXT),
    ("external process exited", "the profile's `credential_process` failed", PROCESS_NEXT),
    ("external process", "the profile's `credential_process` printed no credentials", PROCESS_NEXT),
    ("infinite loop", "the profile's `source_profile` leads back to itself", PROFILE_NEXT),
    ("credential source in", "the profile's source of credentials is missing or wrong", PROFILE_NEXT),
    ("provider is not supported", "the profile's `credential_source` is unknown", PROFILE_NEXT),
    ("could not parse profile file", "an AWS configuration file cannot be read", PROFILE_NEXT),
];

const LOGIN_NEXT: &str = "add a profile with `credential_process = aws configure export-credentials --profile NAME --format \
                          process`, and name that one in AWS_PROFILE or `aws.profile`";
const SSO_NEXT: &str = "aws configure sso --profile NAME";
const PROCESS_NEXT: &str = "run the command of `credential_process` by hand to see why";
const PROFILE_NEXT: &str = "mend the profile in ~/.aws/config or ~/.aws/credentials";

/// What a provider's error means; `None` when there simply are no credentials.
pub(super) async fn understood(error: &CredentialsError, login: &Login<'_>) -> Option<Cause> {
    let said: String = chain(error).map(ToString::to_string).collect();
    // Words of a service stand in the debug text of its error only, and are no one's secret: codes.
    let code = chain(error).find_map(service_code).unwrap_or_default();
    let known = WORDS.iter().find(|(words, _, _)| said.contains(words) || code.contains(words));
    if let Some((_, because, next)) = known {
        let profile = login.profile().await;
        let command = if *next == "LOGIN" { login.command().await } else { next.replace("NAME", &profile) };
        return Some(Cause { because: because.replace("NAME", &profile), next: command });
    }
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return None;
    }
    sts(error).or_else(|| metadata(error, &said))
}

/// What STS says to whoever assumes a role by itself: with a token, or as a profile tells.
fn sts(error: &CredentialsError) -> Option<Cause> {
    let cause =
        |because: &str, next: &str| Some(Cause { because: because.to_owned(), next: next.to_owned() });
    if let Some(refused) =
        chain(error).find_map(|one| one.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>())
    {
        return match refused.code() {
            Some(code) => cause(
                &format!("the role of the profile cannot be assumed: STS answered {code}"),
                "check the role's trust policy, and `external_id` in the profile",
            ),
            None => unreachable(refused, "STS"),
        };
    }
    let refused = chain(error)
        .find_map(|one| one.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>())?;
    match refused.code() {
        Some("ExpiredTokenException") => cause(
            "the token of AWS_WEB_IDENTITY_TOKEN_FILE, or of the profile, has expired",
            "have the CI job, or the cluster, write a new token into the file",
        ),
        Some("InvalidIdentityToken") => cause(
            "AWS does not accept the token of AWS_WEB_IDENTITY_TOKEN_FILE, or of the profile",
            "check its audience, and that its issuer is an identity provider of the account: \
             aws iam list-open-id-connect-providers",
        ),
        Some("AccessDenied") => cause(
            "the role's trust policy does not let the holder of the token in",
            "compare the `sub` and `aud` of the trust policy's conditions with the token's: upper and lower case differ",
        ),
        Some(code) => cause(
            &format!("STS answered {code} to the token of AWS_WEB_IDENTITY_TOKEN_FILE, or of the profile"),
            "check AWS_ROLE_ARN and the role",
        ),
        None => unreachable(refused, "STS"),
    }
}

/// A container's or a machine's own service, a token file, or a service that is not there.
fn metadata(error: &CredentialsError, said: &str) -> Option<Cause> {
    let cause =
        |because: &str, next: &str| Some(Cause { because: because.to_owned(), next: next.to_owned() });
    if said.contains("from HTTP credential provider") {
        return cause("the container's credentials service refused", "check the role of the container");
    }
    if said.contains("IMDS") {
        return cause(
            "the machine's metadata service gave no credentials",
            "check the machine's instance profile",
        );
    }
    if chain(error).any(|one| one.downcast_ref::<std::io::Error>().is_some_and(is_about_a_file)) {
        return cause(
            "the token file cannot be read",
            "check AWS_WEB_IDENTITY_TOKEN_FILE, or the profile's `web_identity_token_file`",
        );
    }
    unreachable(error, "the service that gives the credentials")
}

fn is_about_a_file(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied)
}

/// Whether a connection failed on the way.
fn unreachable(error: &(dyn Error + 'static), what: &str) -> Option<Cause> {
    let failed = chain(error).any(|one| one.downcast_ref::<ConnectorError>().is_some());
    failed.then(|| Cause {
        because: format!("{what} cannot be reached"),
        next: "check the network and the proxy, then run the same command again".to_owned(),
    })
}

/// The code of an answer of the single sign-on portal, whose types are not known here.
fn service_code(error: &(dyn Error + 'static)) -> Option<String> {
    let said = error.to_string();
    said.starts_with("UnauthorizedException").then_some(said)
}

/// An error and its causes, 16 at most.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    fn source<'e>(error: &&'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
        (*error).source()
    }
    std::iter::successors(Some(error), source).take(16)
}
