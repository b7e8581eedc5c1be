//! `[aws]`: how AWS is reached.

use std::collections::BTreeMap;

use super::checks::Checks;
use super::model::{Aws, AwsService, Target};
use super::reader::TableReader;
use super::web::service_address;

/// Keys of later versions, with what to do until then.
const LATER: [(&str, &str); 3] = [
    ("assume_role", "name a profile that assumes the role"),
    ("external_id", "name a profile that has it"),
    ("rate", "the default rates stay below AWS's limits"),
];

/// Reads `[aws]`.
pub(super) fn aws(checks: &mut Checks<'_>, top: &mut TableReader<'_>, target: Option<Target>) -> Aws {
    let Some(mut table) = top.table(checks, "aws") else { return Aws::default() };
    let profile = table.text(checks, "profile").map(|found| found.value);
    let endpoints = endpoints(checks, &mut table, target);
    for (key, instead) in LATER {
        table.not_yet(checks, key, instead);
    }
    table.finish(checks);
    Aws { profile, endpoints }
}

/// `[aws.endpoints]`: services that are asked elsewhere, such as at a VPC endpoint without private DNS.
fn endpoints(
    checks: &mut Checks<'_>,
    table: &mut TableReader<'_>,
    target: Option<Target>,
) -> BTreeMap<AwsService, String> {
    let mut endpoints = BTreeMap::new();
    let Some(mut table) = table.table(checks, "endpoints") else { return endpoints };
    if target == Some(Target::Local) {
        let message =
            "`aws.endpoints` is for `target = \"aws\"`; the local target is found by its state directory";
        checks.error(&table.place, "conflict", message);
    }
    for service in AwsService::ALL {
        if let Some(found) = table.text(checks, service.as_str())
            && let Some(address) = service_address(checks, &found)
        {
            endpoints.insert(service, address);
        }
    }
    table.finish(checks);
    endpoints
}
