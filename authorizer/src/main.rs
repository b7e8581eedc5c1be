//! The executable that Lambda starts: reads the configuration once, then answers events.

#![cfg_attr(
    not(test),
    deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use authorizer::config::{self, ConfigError, FILE_NAME, Rules};
use authorizer::key::Keys;
use authorizer::log;
use authorizer::runtime::Host;

fn main() -> ExitCode {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let Some(address) = variable("AWS_LAMBDA_RUNTIME_API") else {
        complain("AWS_LAMBDA_RUNTIME_API is not set: this program is started by AWS Lambda");
        return ExitCode::FAILURE;
    };
    let mut host = Host::new(&address);
    match configuration(&variable) {
        Ok((keys, rules)) => {
            let Err(error) = host.run(&keys, &rules, &now_seconds, &mut io::stdout());
            complain(&error.to_string());
        }
        Err(error) => {
            let line = log::bad_configuration_line(&error.to_string());
            let _ = io::stdout().write_all(line.as_bytes());
            if let Err(error) = host.refuse_start(&error) {
                complain(&error.to_string());
            }
        }
    }
    ExitCode::FAILURE
}

/// Lambda unpacks the package into `LAMBDA_TASK_ROOT`, and starts the executable from there.
fn configuration(variable: &dyn Fn(&str) -> Option<String>) -> Result<(Keys, Rules), ConfigError> {
    let folder = match variable("LAMBDA_TASK_ROOT") {
        Some(folder) => PathBuf::from(folder),
        None => env::current_exe()
            .ok()
            .and_then(|path| path.parent().map(PathBuf::from))
            .ok_or_else(|| ConfigError::new("the folder of the executable is unknown"))?,
    };
    let path = folder.join(FILE_NAME);
    let bytes = fs::read(&path)
        .map_err(|error| ConfigError::new(format!("cannot read {}: {error}", path.display())))?;
    config::read(&bytes, variable)
}

/// Seconds since 1970; `None` if the clock stands before that.
fn now_seconds() -> Option<u64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// The last words of a process that ends. Lambda puts standard error into the same log.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}
