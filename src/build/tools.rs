//! What a build may see and how it ends: Cargo, the compiler, build scripts and macros get a chosen
//! environment, and are ended, with all that they started, when the user stops the run.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;

use crate::door::Stop;
use crate::problem::{Problem, ProblemKind};

/// The variables that reach a build, if they are set; `docs/build.md` lists them. Everything else stays out: a build script reads
/// whatever it gets, and the deployer's environment has the HMAC secret and the keys to the account.
const PASSED: [&str; 36] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    // Where Rust's tools are.
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "RUSTUP_AUTO_INSTALL",
    "RUSTUP_DIST_SERVER",
    "RUSTUP_UPDATE_ROOT",
    "DEVELOPER_DIR",
    "SDKROOT",
    "XDG_CACHE_HOME",
    "ZIG_GLOBAL_CACHE_DIR",
    // How registries are reached. A proxy's own password, if it has one, is needed to get through.
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "CARGO_HTTP_PROXY",
    "CARGO_HTTP_TIMEOUT",
    "CARGO_HTTP_MULTIPLEXING",
    "CARGO_HTTP_CHECK_REVOKE",
    "CARGO_NET_OFFLINE",
    "CARGO_NET_RETRY",
    "CARGO_NET_GIT_FETCH_WITH_CLI",
];

/// What a build is done with.
#[derive(Clone, Debug)]
pub struct Tools {
    environment: BTreeMap<String, String>,
    stop: Stop,
}

impl Tools {
    /// Takes from `environment` what a build may see; `stop` ends it.
    pub fn new<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>, stop: Stop) -> Self {
        let passed = environment.into_iter().filter(|(name, _)| PASSED.contains(name));
        let environment = passed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { environment, stop }
    }

    /// The problem of a run that the user stopped, if this one is: a tool that was ended is not missing.
    pub(super) fn interruption(&self) -> Option<Problem> {
        self.stop.is_stopped().then(interrupted)
    }

    /// A program in `folder`, in a process group of its own: a terminal's Ctrl-C reaches thinggate alone,
    /// which then ends the group.
    pub(super) fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true).process_group(0);
        command.env_clear().envs(&self.environment);
        command
    }

    /// Waits for `work`, which the process `id` does, at most `time_max`. What does not end by itself is
    /// ended with its whole group, and the problem says why.
    pub(super) async fn wait<T>(
        &self,
        id: Option<u32>,
        time_max: Duration,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<io::Result<T>, Problem> {
        let mut work = Box::pin(work);
        let cut = tokio::select! {
            biased;
            () = self.stop.stopped() => interrupted(),
            ended = tokio::time::timeout(time_max, &mut work) => match ended {
                Ok(ended) => return Ok(ended),
                Err(_) => Problem::failed("build_timeout", "the authorizer's build did not end")
                    .because(format!("it was stopped after {} minutes", time_max.as_secs() / 60)),
            }
        };
        let group = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // It may have ended this very moment: then there is nobody to end.
            let _ = kill_process_group(group, Signal::KILL);
        }
        Err(cut)
    }
}

fn interrupted() -> Problem {
    Problem::new(ProblemKind::Interrupted, "interrupted", "the authorizer's build was stopped")
        .next("run the same command again")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What users read is what is passed.
    #[test]
    fn the_page_lists_what_a_build_sees() {
        let page = include_str!("../../docs/build.md");
        let (_, list) = page.split_once("and no other:").unwrap();
        let (list, rest) = list.split_once("The build itself").unwrap();
        let mut listed: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
        let mut passed = PASSED.to_vec();
        listed.sort_unstable();
        passed.sort_unstable();
        assert_eq!(listed, passed);
        for kept in rest.split('`').filter(|word| word.contains('_')) {
            assert!(!PASSED.contains(&kept), "{kept}");
        }
    }
}
