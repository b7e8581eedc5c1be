//! The credentials: those of the profile that the stack file names, else AWS's default chain of
//! variables, profiles, container and instance metadata.

use std::error::Error;

use aws_config::BehaviorVersion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::names::Region;
use crate::problem::{Problem, ProblemKind};

/// The credentials that AWS's own tools would use, fetched through the door. A named profile is the only
/// source: variables that happen to be set in the environment do not win over the stack file.
pub async fn default_credentials(
    http: &SharedHttpClient,
    region: &Region,
    profile: Option<&str>,
) -> Result<SharedCredentialsProvider, Problem> {
    let region = aws_config::Region::new(region.as_str().to_owned());
    if let Some(profile) = profile {
        let sources = ProviderConfig::without_region()
            .with_http_client(http.clone())
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_region(Some(region));
        let provider =
            ProfileFileCredentialsProvider::builder().configure(&sources).profile_name(profile).build();
        return Ok(SharedCredentialsProvider::new(provider));
    }
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone()).region(region);
    loader.load().await.credentials_provider().ok_or_else(|| {
        Problem::new(ProblemKind::Credentials, "no_credentials", "no AWS credentials were found")
            .because("neither variables nor a profile nor a metadata service has some")
            .next("set AWS_PROFILE, or log in with `aws configure`")
    })
}

/// What the causes of a provider mean, with what helps, by words of theirs (aws-config 1.13). Their texts
/// themselves are not shown: they can hold what a process printed, or a part of a file with keys.
const CAUSES: [(&str, &str, &str); 15] = [
    ("was not defined", "the profile is not in the AWS configuration files", "aws configure list-profiles"),
    (
        "credentials-login",
        "the profile is a session of `aws login`, which this program cannot read itself",
        LOGIN_NEXT,
    ),
    ("the SSO token has expired", "the single sign-on session has expired", "aws sso login --profile NAME"),
    ("cached SSO token", "the single sign-on session is not there any more", "aws sso login --profile NAME"),
    ("in the SSO cache", "the single sign-on session is not there any more", "aws sso login --profile NAME"),
    ("sso-session named", "the profile names a single sign-on session that is not configured", SSO_NEXT),
    ("invalid SSO config", "the profile's single sign-on settings are not whole", SSO_NEXT),
    ("resolve an access token instead", "the profile's single sign-on settings are not whole", SSO_NEXT),
    ("external process exited", "the profile's `credential_process` failed", PROCESS_NEXT),
    ("external process", "the profile's `credential_process` printed no credentials", PROCESS_NEXT),
    ("infinite loop", "the profile's `source_profile` leads back to itself", PROFILE_NEXT),
    ("credential source in", "the profile's source of credentials is missing or wrong", PROFILE_NEXT),
    ("provider is not supported", "the profile's `credential_source` is unknown", PROFILE_NEXT),
    ("could not parse profile file", "an AWS configuration file cannot be read", PROFILE_NEXT),
    (
        "from HTTP credential provider",
        "the container's credentials service refused",
        "check the role of the container",
    ),
];

const LOGIN_NEXT: &str = "add a profile with `credential_process = aws configure export-credentials --profile NAME --format \
                          process`, and name that one in AWS_PROFILE or `aws.profile`";
const SSO_NEXT: &str = "aws configure sso --profile NAME";
const PROCESS_NEXT: &str = "run the command of `credential_process` by hand to see why";
const PROFILE_NEXT: &str = "mend the profile in ~/.aws/config or ~/.aws/credentials";

/// What a provider's error means, and what helps. Without secrets.
pub(super) fn cause(error: &CredentialsError) -> Option<(&'static str, &'static str)> {
    let mut said = String::new();
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    let mut depth_left: u8 = 16;
    while let Some(current) = next.filter(|_| depth_left > 0) {
        said.push_str(&current.to_string());
        next = current.source();
        depth_left -= 1;
    }
    let known = CAUSES.iter().find(|(words, _, _)| said.contains(words));
    known.map(|(_, because, next)| (*because, *next))
}

#[cfg(test)]
mod tests;
