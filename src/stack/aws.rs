//! `[aws]`: how AWS is reached.

use super::checks::Checks;
use super::model::Aws;
use super::reader::TableReader;

/// Keys of later versions, with what to do until then.
const LATER: [(&str, &str); 4] = [
    ("assume_role", "name a profile that assumes the role"),
    ("external_id", "name a profile that has it"),
    ("endpoints", "AWS's own endpoints are used; private DNS of a VPC endpoint needs no setting here"),
    ("rate", "the default rates stay below AWS's limits"),
];

/// Reads `[aws]`.
pub(super) fn aws(checks: &mut Checks<'_>, top: &mut TableReader<'_>) -> Aws {
    let Some(mut table) = top.table(checks, "aws") else { return Aws::default() };
    let profile = table.text(checks, "profile").map(|found| found.value);
    for (key, instead) in LATER {
        table.not_yet(checks, key, instead);
    }
    table.finish(checks);
    Aws { profile }
}
