//! The stack file's roles, each assumed with the session of the one before.

use std::time::SystemTime;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::types::Credentials as Given;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;

use super::Sources;
use super::cause::{self, Cause, Told};
use crate::stack::AssumeRole;

/// What signs after all roles are assumed.
pub(super) fn chain(base: SharedCredentialsProvider, sources: &Sources<'_>) -> SharedCredentialsProvider {
    sources.roles.iter().fold(base, |before, role| {
        SharedCredentialsProvider::new(Assumed {
            sts: client(before.clone(), sources),
            before,
            role: role.clone(),
            session_name: role.session_name.clone().unwrap_or_else(|| sources.session_name.clone()),
        })
    })
}

fn client(credentials: SharedCredentialsProvider, sources: &Sources<'_>) -> aws_sdk_sts::Client {
    let shared = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(sources.http.credentials_client(None))
        .credentials_provider(credentials)
        .region(aws_config::Region::new(sources.region.as_str().to_owned()))
        .time_source(sources.time.clone())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build();
    let mut builder = aws_sdk_sts::config::Builder::from(&shared);
    builder.set_endpoint_url(sources.sts.map(str::to_owned));
    aws_sdk_sts::Client::from_conf(builder.build())
}

/// One role.
#[derive(Debug)]
struct Assumed {
    before: SharedCredentialsProvider,
    sts: aws_sdk_sts::Client,
    role: AssumeRole,
    session_name: String,
}

impl Assumed {
    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        // Asked for first: why there are none is then told as such, and not as a refusal of the role.
        self.before.provide_credentials().await?;
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.role.arn)
            .role_session_name(&self.session_name)
            .set_external_id(self.role.external_id.clone())
            .set_duration_seconds(self.role.duration_seconds.map(i32::from))
            .send()
            .await;
        match answer {
            Ok(answer) => answer.credentials.and_then(read).ok_or_else(|| {
                CredentialsError::unhandled("AssumeRole gave no credentials that can be used")
            }),
            Err(refused) => Err(self.told(refused)),
        }
    }

    fn told(&self, refused: SdkError<AssumeRoleError, HttpResponse>) -> CredentialsError {
        let code = refused.code().map(str::to_owned);
        let source = CredentialsError::provider_error(refused);
        if cause::of(&source).is_some() {
            return source;
        }
        let arn = &self.role.arn;
        let because = |what: String| format!("the role {arn} of `aws.assume_role` cannot be assumed: {what}");
        let (because, next) = match code.as_deref() {
            Some("AccessDenied") if self.role.external_id.is_some() => (
                because("its trust policy does not let the caller in, or wants another `external_id`".to_owned()),
                trust_next(arn),
            ),
            Some("AccessDenied") => (
                because("its trust policy does not let the caller in, or wants an `external_id`".to_owned()),
                trust_next(arn),
            ),
            Some("ExpiredToken" | "ExpiredTokenException") => (
                because("the credentials that should assume it have expired".to_owned()),
                "log in again, then run the same command again".to_owned(),
            ),
            Some("ValidationError") if self.role.duration_seconds.is_some() => (
                because("AWS does not accept `duration_s`".to_owned()),
                "leave `duration_s` out, or ask for no more than the role's own maximum, and an hour when a session \
                 assumes it"
                    .to_owned(),
            ),
            Some(code) => (because(format!("STS answered {code}")), "check with `aws sts get-caller-identity`".to_owned()),
            None => (
                because("STS cannot be reached".to_owned()),
                "check the network and the proxy, then run the same command again".to_owned(),
            ),
        };
        Told::error(Cause { because, next }, source)
    }
}

fn trust_next(arn: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or_default();
    format!(
        "compare the role's trust policy with the caller: aws iam get-role --role-name {name}, aws sts get-caller-identity"
    )
}

/// The SDK's credentials of what STS answered.
fn read(given: Given) -> Option<Credentials> {
    let until = SystemTime::try_from(given.expiration).ok()?;
    let token = Some(given.session_token);
    Some(Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        token,
        Some(until),
        "aws.assume_role",
    ))
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
