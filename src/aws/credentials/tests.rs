//! The real providers, on configuration files in memory, and what is told of them.

use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use super::watch::Watched;
use super::*;
use crate::door::{NetworkOptions, Tolls};

/// What is told of the profile `company` in a configuration file `config`.
async fn told(config: &str) -> Option<Cause> {
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, config).build();
    let sources = ProviderConfig::without_region()
        .with_http_client(Http::network(NetworkOptions::default(), Tolls::default()).credentials_client(None))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_region(Some(aws_config::Region::new("eu-west-1")));
    let provider = ProfileFileCredentialsProvider::builder().configure(&sources);
    let provider = provider.profile_files(files.clone()).profile_name("company").build();
    let watched = Watched::new(Arc::new(provider), Some("company".to_owned()), Watch::new(None));
    let error = watched.with_files(files).provide_credentials().await.unwrap_err();
    cause(&error)
}

#[tokio::test]
async fn what_is_wrong_with_a_profile_is_told_without_what_it_said() {
    let arn = "arn:aws:iam::123456789012";
    let session =
        "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://nowhere.example/start-never\n";
    let cases = [
        (
            "[profile other]\nregion = eu-west-1\n".to_owned(),
            "the profile `company` is not in the AWS configuration files",
        ),
        (format!("[profile company]\nlogin_session = {arn}:user/me\n"), "a session of `aws login`"),
        (
            format!("[profile company]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n{session}"),
            "there is no single sign-on session",
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
        let Cause { because, next } = told(&config).await.unwrap_or_else(|| panic!("{config}: not told"));
        assert!(because.contains(expected), "{config}: {because}");
        assert!(!next.is_empty() && !format!("{because}{next}").contains("hunter2"), "{because} {next}");
    }
    // Nothing is wrong; there are none.
    for config in ["[profile company]\nregion = eu-west-1\n", ""] {
        assert_eq!(told(config).await, None, "{config}");
    }
}

/// A session of the profile, or of the one that it draws on; a profile of the older form has none.
#[tokio::test]
async fn a_missing_sign_on_says_which_command_to_run() {
    let session =
        "[sso-session team]\nsso_region = eu-west-1\nsso_start_url = https://nowhere.example/start-never\n";
    let account = "sso_account_id = 1\nsso_role_name = r\n";
    let old = "sso_region = eu-west-1\nsso_start_url = https://nowhere.example/start-never\n";
    let role = "role_arn = arn:aws:iam::123456789012:role/a\nsource_profile";
    for (config, command) in [
        (
            format!("[profile company]\nsso_session = team\n{account}{session}"),
            "aws sso login --sso-session team",
        ),
        (
            format!("[profile company]\n{role} = b\n[profile b]\nsso_session = team\n{account}{session}"),
            "aws sso login --sso-session team",
        ),
        (format!("[profile company]\n{old}{account}"), "aws sso login --profile company"),
        (format!("[profile company]\n{role} = b\n[profile b]\n{old}{account}"), "aws sso login --profile b"),
    ] {
        assert_eq!(told(&config).await.map(|cause| cause.next).as_deref(), Some(command), "{config}");
    }
}

/// Gives credentials that end at 1,000,000 s, as a source with this mark would.
#[derive(Debug)]
struct Giving(AwsCredentialFeature);

impl ProvideCredentials for Giving {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let token = Some("token".to_owned());
        let until = Some(UNIX_EPOCH + Duration::from_secs(1_000_000));
        let mut given = Credentials::new("AKIDEXAMPLE", "secret", token, until, "test");
        given.set_property(vec![self.0.clone()]);
        future::ProvideCredentials::ready(Ok::<_, CredentialsError>(given))
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_near_for_a_quarter_of_an_hour() {
    use AwsCredentialFeature::{CredentialsEnvVars, CredentialsHttp, CredentialsImds, CredentialsProcess};
    let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
    let watch = Watch::new(None);
    let watched = Watched::new(Arc::new(Giving(CredentialsProcess)), None, watch.clone());
    assert_eq!(watch.ends_soon(at(999_999)), None, "nothing was given yet");
    watched.provide_credentials().await.unwrap();
    for (now, is_near) in
        [(999_100, false), (999_101, true), (999_999, true), (1_000_000, true), (1_000_001, true)]
    {
        assert_eq!(watch.ends_soon(at(now)).map(|end| end.at), is_near.then(|| at(1_000_000)), "{now}");
    }
    // The variables' own end; who gives new credentials by itself has none.
    for (mark, until, expected) in [
        (CredentialsEnvVars, Some(at(999_990)), Some(at(999_990))),
        (CredentialsEnvVars, None, None),
        (CredentialsImds, Some(at(999_990)), None),
        (CredentialsHttp, None, None),
    ] {
        let watch = Watch::new(until);
        Watched::new(Arc::new(Giving(mark)), None, watch.clone()).provide_credentials().await.unwrap();
        assert_eq!(watch.ends_soon(at(999_980)).map(|end| end.at), expected);
    }
}
