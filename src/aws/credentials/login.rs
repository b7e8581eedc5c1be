//! Which command signs a person in, by the shared configuration files.

use std::borrow::Cow;

use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

/// Profiles that lead to each other, at most.
const PROFILES_MAX: usize = 8;

/// The profile that credentials come from, and the files that it stands in.
#[derive(Debug)]
pub(super) struct Login<'a> {
    /// `None`: the one of `AWS_PROFILE`, else `default`.
    pub(super) profile: Option<&'a str>,
    pub(super) files: EnvConfigFiles,
}

impl Login<'_> {
    /// The profile's name.
    pub(super) async fn profile(&self) -> String {
        match (self.profile, self.profiles().await) {
            (Some(profile), _) => profile.to_owned(),
            (None, Some(profiles)) => profiles.selected_profile().to_owned(),
            (None, None) => "default".to_owned(),
        }
    }

    /// `aws sso login` for the session that the profile, or one that it draws on, has.
    pub(super) async fn command(&self) -> String {
        let name = self.profile().await;
        let mut at = name.clone();
        if let Some(profiles) = self.profiles().await {
            for _ in 0..PROFILES_MAX {
                let Some(profile) = profiles.get_profile(&at) else { break };
                if let Some(session) = profile.get("sso_session") {
                    return format!("aws sso login --sso-session {}", word(session));
                }
                if profile.get("sso_start_url").is_some() {
                    return format!("aws sso login --profile {}", word(&at));
                }
                let Some(source) = profile.get("source_profile") else { break };
                source.clone_into(&mut at);
            }
        }
        format!("aws sso login --profile {}", word(&name))
    }

    async fn profiles(&self) -> Option<ProfileSet> {
        let selected = self.profile.map(|profile| Cow::Owned(profile.to_owned()));
        aws_config::profile::load(&Fs::real(), &Env::real(), &self.files, selected).await.ok()
    }
}

/// A name as one word of a shell.
fn word(name: &str) -> String {
    let is_plain = name.chars().all(|one| one.is_ascii_alphanumeric() || "/:._-+=@".contains(one));
    if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}
