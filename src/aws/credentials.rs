//! The credentials: those of the profile that the stack file names, else AWS's default chain of
//! variables, profiles, container and instance metadata; with them the roles that the stack file names.

mod assume;
mod cause;
mod login;
mod watch;

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::time::SharedTimeSource;

use crate::door::Http;
use crate::names::Region;
use crate::stack::AssumeRole;

pub(super) use cause::Cause;
pub(super) use cause::of as cause;
pub use watch::{SessionEnd, Watch};

/// What credentials are made of.
#[derive(Clone, Debug)]
pub struct Sources<'a> {
    /// The door that all of it goes through.
    pub http: &'a Http,
    /// The Region whose STS is asked.
    pub region: &'a Region,
    /// Where STS is asked instead, if the stack file says so.
    pub sts: Option<&'a str>,
    /// The stack file's profile: then the only source, and variables that happen to be set do not win over it.
    pub profile: Option<&'a str>,
    /// The roles to assume with what the source gives.
    pub roles: &'a [AssumeRole],
    /// The name of a role's session that has none of its own.
    pub session_name: String,
    /// When the session of the environment's credentials ends, as `AWS_CREDENTIAL_EXPIRATION` says.
    pub environment_until: Option<SystemTime>,
    /// The time that requests to STS are signed with.
    pub time: SharedTimeSource,
}

/// Who signs. Nothing is fetched before the first request; [`Watch`] tells then when the session ends.
pub async fn credentials(sources: &Sources<'_>) -> (SharedCredentialsProvider, Watch) {
    let configuration = ProviderConfig::without_region()
        .with_http_client(sources.http.credentials_client(sources.sts))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_time_source(sources.time.clone())
        .with_region(Some(aws_config::Region::new(sources.region.as_str().to_owned())));
    let base: Arc<dyn ProvideCredentials> = if let Some(profile) = sources.profile {
        let builder = ProfileFileCredentialsProvider::builder().configure(&configuration);
        Arc::new(builder.profile_name(profile).build())
    } else {
        let builder = DefaultCredentialsChain::builder().configure(configuration);
        let region = aws_config::Region::new(sources.region.as_str().to_owned());
        Arc::new(builder.region(region).build().await)
    };
    let watch = Watch::new(sources.environment_until);
    let watched = watch::Watched::new(base, sources.profile.map(str::to_owned), watch.clone());
    (assume::chain(SharedCredentialsProvider::new(watched), sources), watch)
}

#[cfg(test)]
mod tests;
