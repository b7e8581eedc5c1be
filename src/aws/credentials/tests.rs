//! The real providers, on configuration files in memory.

use aws_credential_types::provider::ProvideCredentials as _;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::*;
use crate::door::{Http, NetworkOptions, Tolls};

/// What is told of the profile `company` in a configuration file `config`.
async fn told(config: &str) -> Option<(&'static str, &'static str)> {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, config).build();
    let sources = ProviderConfig::without_region()
        .with_http_client(Http::network(NetworkOptions::default(), Tolls::default()).client())
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(Some(aws_config::Region::new("eu-west-1")));
    let provider = ProfileFileCredentialsProvider::builder().configure(&sources);
    let provider = provider.profile_files(files).profile_name("company").build();
    let error = provider.provide_credentials().await.unwrap_err();
    cause(&error)
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_is_told_without_what_it_said() {
    let arn = "arn:aws:iam::123456789012";
    let session =
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://nowhere.example/start-never\n";
    let cases = [
        ("[profile other]\nregion = eu-west-1\n".to_owned(), "is not in the AWS configuration files"),
        (format!("[profile company]\nlogin_session = {arn}:user/me\n"), "a session of `aws login`"),
        (
            format!("[profile company]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n{session}"),
            "single sign-on session is not there",
        ),
        (
            "[profile company]\nsso_session = gone\nsso_account_id = 1\nsso_role_name = r\n".to_owned(),
            "session that is not configured",
        ),
        (
            "[profile company]\ncredential_process = echo hunter2 >&2; exit 3\n".to_owned(),
            "`credential_process` failed",
        ),
        ("[profile company]\ncredential_process = echo hunter2\n".to_owned(), "printed no credentials"),
        (
            format!(
                "[profile company]\nrole_arn = {arn}:role/a\nsource_profile = b\n\
                 [profile b]\nrole_arn = {arn}:role/b\nsource_profile = company\n"
            ),
            "leads back to itself",
        ),
        (
            format!("[profile company]\nrole_arn = {arn}:role/a\ncredential_source = Moon\n"),
            "`credential_source` is unknown",
        ),
    ];
    for (config, expected) in cases {
        let (because, next) = told(&config).await.unwrap_or_else(|| panic!("{config}: not told"));
        assert!(because.contains(expected), "{config}: {because}");
        assert!(!next.is_empty() && !format!("{because}{next}").contains("hunter2"), "{because} {next}");
    }
    // Nothing is wrong; there are none.
    for config in ["[profile company]\nregion = eu-west-1\n", ""] {
        assert_eq!(told(config).await, None, "{config}");
    }
}
