//! Addresses of services that AWS's own configuration names.

use aws_config::BehaviorVersion;
use aws_types::service_config::ServiceConfigKey;

use crate::names::Region;

/// Services by their model's id whose address a configuration can change: those of a stack, and those that
/// credentials come from.
const SERVICES: [&str; 9] =
    ["IAM", "IoT", "Lambda", "CloudWatch Logs", "SSM", "STS", "SSO", "SSO OIDC", "Signin"];

/// An address that AWS's configuration files name, or a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredEndpoint {
    /// The model's id of the service, such as `CloudWatch Logs`.
    pub service: &'static str,
    /// What stands there.
    pub address: String,
}

/// What the shared configuration files say for `profile`, else the selected one: `endpoint_url`, for one
/// service or for all. Nothing is sent.
pub async fn configured_endpoints(region: &Region, profile: Option<&str>) -> Vec<ConfiguredEndpoint> {
    let region = aws_config::Region::new(region.as_str().to_owned());
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region).no_credentials();
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    let shared = loader.load().await;
    let Some(configuration) = shared.service_config() else { return Vec::new() };
    let named = SERVICES.into_iter().filter_map(|service| {
        // AWS's tools read `cloudwatch_logs`; this SDK (aws-runtime 1.10) reads `cloudwatch-logs` instead.
        let spelled = [service.to_owned(), service.replace(' ', "_")];
        let address = spelled.iter().find_map(|id| {
            let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL");
            configuration.load_config(key.profile("endpoint_url").build().ok()?)
        });
        address.map(|address| ConfiguredEndpoint { service, address })
    });
    named.collect()
}
