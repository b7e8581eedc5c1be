//! The default chain of credentials: variables, profiles, container and instance metadata.

use aws_config::BehaviorVersion;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::names::Region;
use crate::problem::{Problem, ProblemKind};

/// The credentials that AWS's own tools would use, fetched through the door.
pub async fn default_credentials(
    http: &SharedHttpClient,
    region: &Region,
    profile: Option<&str>,
) -> Result<SharedCredentialsProvider, Problem> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .region(aws_config::Region::new(region.as_str().to_owned()));
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    loader.load().await.credentials_provider().ok_or_else(|| {
        Problem::new(ProblemKind::Credentials, "no_credentials", "no AWS credentials were found")
            .because("neither variables nor a profile nor a metadata service has some")
            .next("set AWS_PROFILE, or log in with `aws configure`")
    })
}
