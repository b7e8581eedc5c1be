//! Looks at the credentials as they are given: when their session ends, and why there are none.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use aws_runtime::env_config::file::EnvConfigFiles;

use super::cause::{Told, understood};
use super::login::Login;

/// A session that ends sooner is warned of: a first deploy with its waits takes some minutes.
const SOON: Duration = Duration::from_mins(15);

/// What was seen of the credentials so far. Clones see the same.
#[derive(Clone, Debug)]
pub struct Watch {
    environment_until: Option<SystemTime>,
    seen: Arc<Mutex<Option<SessionEnd>>>,
}

/// When a session ends that nobody but a person renews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// When.
    pub at: SystemTime,
    /// How it is renewed.
    pub next: String,
}

impl Watch {
    pub(super) fn new(environment_until: Option<SystemTime>) -> Self {
        Self { environment_until, seen: Arc::default() }
    }

    /// The end of the session, if it is near or past at `now`.
    pub fn ends_soon(&self, now: SystemTime) -> Option<SessionEnd> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seen.filter(|end| end.at.duration_since(now).is_ok_and(|left| left < SOON) || end.at <= now)
    }

    /// Notes the end of the credentials' session, unless what gave them gives new ones by itself: a container's or
    /// a machine's service, or a role that is assumed again.
    async fn note(&self, credentials: &Credentials, login: &Login<'_>) {
        let features = credentials.get_property::<Vec<AwsCredentialFeature>>();
        let has = |feature| features.is_some_and(|features| features.contains(&feature));
        let end = if has(AwsCredentialFeature::CredentialsEnvVars) {
            let next =
                "get new credentials and put them into the environment, then run the same command again";
            let until = self.environment_until.filter(|_| credentials.session_token().is_some());
            until.map(|at| SessionEnd { at, next: next.to_owned() })
        } else if has(AwsCredentialFeature::CredentialsProcess) {
            let next = "renew the session that the profile's `credential_process` gives";
            credentials.expiry().map(|at| SessionEnd { at, next: next.to_owned() })
        } else if has(AwsCredentialFeature::CredentialsSso) {
            let next = login.command().await;
            credentials.expiry().map(|at| SessionEnd { at, next })
        } else {
            None
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }
}

/// A provider that is looked at.
#[derive(Debug)]
pub(super) struct Watched {
    inner: Arc<dyn ProvideCredentials>,
    profile: Option<String>,
    watch: Watch,
    files: EnvConfigFiles,
}

impl Watched {
    /// `profile`: the one that `inner` reads, if it was told one.
    pub(super) fn new(inner: Arc<dyn ProvideCredentials>, profile: Option<String>, watch: Watch) -> Self {
        Self { inner, profile, watch, files: EnvConfigFiles::default() }
    }

    /// The same, with these configuration files.
    #[cfg(test)]
    pub(super) fn with_files(self, files: EnvConfigFiles) -> Self {
        Self { files, ..self }
    }

    async fn provide(&self) -> Result<Credentials, CredentialsError> {
        let login = Login { profile: self.profile.as_deref(), files: self.files.clone() };
        match self.inner.provide_credentials().await {
            Ok(credentials) => {
                self.watch.note(&credentials, &login).await;
                Ok(credentials)
            }
            Err(error) => match understood(&error, &login).await {
                Some(cause) => Err(Told::error(cause, error)),
                None => Err(error),
            },
        }
    }
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}
