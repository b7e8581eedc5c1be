//! The credentials: those of the profile that the stack file names, else AWS's default chain of
//! variables, profiles, container and instance metadata.

use aws_config::BehaviorVersion;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
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
