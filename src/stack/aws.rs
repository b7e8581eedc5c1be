//! `[aws]`: how AWS is reached.

use std::collections::BTreeMap;

use super::assume_role;
use super::checks::Checks;
use super::model::{Aws, AwsService, Target};
use super::reader::TableReader;
use super::web::service_address;
use crate::names::{AccountId, Region};

/// Keys of later versions, with what to do until then.
const LATER: [(&str, &str); 1] = [("rate", "the default rates stay below AWS's limits")];

/// Where the stack is, as far as the file says it rightly.
pub(super) struct Place<'a> {
    pub(super) target: Option<Target>,
    pub(super) region: Option<&'a Region>,
    pub(super) account: Option<&'a AccountId>,
}

/// Reads `[aws]`.
pub(super) fn aws(checks: &mut Checks<'_>, top: &mut TableReader<'_>, place: &Place<'_>) -> Aws {
    let Some(mut table) = top.table(checks, "aws") else { return Aws::default() };
    let profile = table.text(checks, "profile").map(|found| found.value);
    let endpoints = endpoints(checks, &mut table, place.target);
    let assume_role = assume_role::roles(checks, &mut table, place);
    for (key, instead) in LATER {
        table.not_yet(checks, key, instead);
    }
    table.finish(checks);
    Aws { profile, endpoints, assume_role }
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
