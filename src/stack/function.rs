//! `[function]`: the Lambda function that decides.

use super::checks::{Checks, Found};
use super::model::{Architecture, Function};
use super::reader::TableReader;
use super::reference::path_of;

/// Retention values that CloudWatch Logs takes, in days (API reference, `PutRetentionPolicy`).
pub(super) const RETENTION_DAYS: [u16; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// The retention of a stack that names none.
const RETENTION_DEFAULT_DAYS: u16 = 30;
/// The memory of a stack that names none.
const MEMORY_DEFAULT_MB: u16 = 256;

/// Reads `[function]`.
pub(super) fn function(checks: &mut Checks<'_>, top: &mut TableReader<'_>) -> Function {
    let Some(mut table) = top.table(checks, "function") else {
        return Function {
            architecture: None,
            memory_mb: MEMORY_DEFAULT_MB,
            log_retention_days: RETENTION_DEFAULT_DAYS,
            source: None,
            bootstrap: None,
        };
    };
    let architectures = [("x86_64", Architecture::X8664), ("arm64", Architecture::Arm64)];
    let architecture = table.choice(checks, "architecture", &architectures);
    // botocore 1.43.11, `lambda`, `MemorySize`: 128 to 10,240.
    let memory = table.number(checks, "memory_mb", &(128..=10_240));
    let retention = table.number(checks, "log_retention_days", &(0..=u16::MAX));
    if let Some(days) = &retention {
        check_retention(checks, days);
    }
    let source = table.text(checks, "source");
    let bootstrap = table.text(checks, "bootstrap");
    if let (Some(_), Some(bootstrap)) = (&source, &bootstrap) {
        let message = "the code comes from one place: keep `source` or `bootstrap`, not both";
        checks.error(&bootstrap.place, "conflict", message);
    }
    let mut path = |found: Option<Found<String>>| {
        let found = found?;
        let path = found.value.strip_prefix("file:").unwrap_or(&found.value);
        path_of(checks, &found.place, path)
    };
    let (source, bootstrap) = (path(source), path(bootstrap));
    table.finish(checks);
    Function {
        architecture,
        memory_mb: memory.map_or(MEMORY_DEFAULT_MB, |found| found.value),
        log_retention_days: retention.map_or(RETENTION_DEFAULT_DAYS, |found| found.value),
        source,
        bootstrap,
    }
}

fn check_retention(checks: &mut Checks<'_>, days: &Found<u16>) {
    if RETENTION_DAYS.contains(&days.value) {
        return;
    }
    let below = RETENTION_DAYS.iter().rev().find(|value| **value < days.value);
    let above = RETENTION_DAYS.iter().find(|value| **value > days.value);
    let nearest: Vec<String> = below.into_iter().chain(above).map(u16::to_string).collect();
    let message = format!("CloudWatch Logs does not keep logs for {} days", days.value);
    let help = format!("the nearest it takes: {}", nearest.join(" and "));
    checks.error_with_help(&days.place, "bad_value", message, help);
}
