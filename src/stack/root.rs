//! The top of the file: name, target, Region, account, protection; and the whole stack put together.

use std::path::Path;

use crate::names::{AccountId, NameError, Region, StackName};

use super::checks::{Checks, Found};
use super::finding::{alike, quoted};
use super::model::{Places, Stack, Target};
use super::reader::TableReader;
use super::regions::REGIONS;
use super::{allow, authorizer, aws, function, identity, signing, tags, token};

/// Keys of later versions, with what to do until then.
const LATER: [(&str, &str); 2] = [
    ("role", "the role is made as `thinggate-NAME-REGION`"),
    ("verify", "a release is reported as not proven"),
];

/// Reads the whole file. `None` leaves at least one error behind.
pub(super) fn stack(
    checks: &mut Checks<'_>,
    file: &Path,
    mut top: TableReader<'_>,
    places: Places,
) -> Option<Stack> {
    let name_text =
        top.required_text(checks, "name", "every resource name derives from it: `name = \"demo\"`");
    let name = name_text.as_ref().and_then(|found| named(checks, found, StackName::new));
    top.require(checks, "target", "`target = \"local\"` or `target = \"aws\"`");
    let target = top.choice(checks, "target", &[("local", Target::Local), ("aws", Target::Aws)]);
    let region = region(checks, &mut top);
    let account = account(checks, &mut top, target);
    remark_shared(checks, &top, target);
    let protect = top.boolean(checks, "protect").map(|found| found.value);
    for key in ["extends", "vars"] {
        top.is_read(checks, key);
    }
    for (key, instead) in LATER {
        top.not_yet(checks, key, instead);
    }
    let place = aws::Place { target, region: region.as_ref(), account: account.as_ref() };
    let aws = aws::aws(checks, &mut top, &place);
    let tags = tags::tags(checks, &mut top);
    let signing = signing::signing(checks, &mut top, name.as_ref(), region.as_ref());
    let token = token::token(checks, &mut top, target);
    let identity = identity::identity(checks, &mut top, target);
    let allow = allow::allow(checks, &mut top);
    let strict_expiry = token.as_ref().is_some_and(|token| token.strict_expiry);
    let authorizer = authorizer::authorizer(checks, &mut top, name.as_ref(), strict_expiry);
    let function = function::function(checks, &mut top);
    top.finish(checks);
    let target = target?;
    Some(Stack {
        file: file.to_owned(),
        name: name?,
        target,
        region: region?,
        account,
        protect: protect.unwrap_or(target == Target::Aws),
        aws,
        tags,
        signing: signing?,
        token: token?,
        identity,
        allow,
        authorizer: authorizer?,
        function,
        places,
    })
}

/// Remarks a stack whose identity is written in a file that others may extend as well.
fn remark_shared(checks: &mut Checks<'_>, top: &TableReader<'_>, target: Option<Target>) {
    let identity = ["name", "region", "account"];
    let is_shared = identity.iter().all(|key| top.start_of(key).is_some_and(|at| checks.is_shared(at)));
    if target == Some(Target::Aws) && is_shared {
        let message = "every file that extends this one is the same stack";
        let help = "write `name` into the file of each environment, or with a variable: `name = \"demo-${var.stage}\"`";
        checks.warn(&top.place_of("name"), "shared_name", message, Some(help));
    }
}

/// A checked name, or an error that says what is wrong with it.
pub(super) fn named<T>(
    checks: &mut Checks<'_>,
    found: &Found<String>,
    new: impl Fn(&str) -> Result<T, NameError>,
) -> Option<T> {
    new(&found.value).map_err(|error| checks.error(&found.place, "bad_name", error.to_string())).ok()
}

fn region(checks: &mut Checks<'_>, top: &mut TableReader<'_>) -> Option<Region> {
    let found = top.required_text(checks, "region", "for example `region = \"eu-west-1\"`")?;
    if !REGIONS.contains(&found.value.as_str()) {
        let message = format!("{} is not a Region that has AWS IoT", quoted(&found.value));
        match alike(&found.value, REGIONS) {
            Some(region) => {
                checks.error_with_help(
                    &found.place,
                    "bad_region",
                    message,
                    format!("did you mean `{region}`?"),
                );
            }
            None => checks.error(&found.place, "bad_region", message),
        }
        return None;
    }
    named(checks, &found, Region::new)
}

/// `None`: not given, which only `local` allows, or an error was recorded.
fn account(checks: &mut Checks<'_>, top: &mut TableReader<'_>, target: Option<Target>) -> Option<AccountId> {
    if target == Some(Target::Aws) {
        let help = "`account = \"123456789012\"`: any other account is refused before the first write";
        top.require(checks, "account", help);
    }
    let found = top.text(checks, "account")?;
    named(checks, &found, AccountId::new)
}
