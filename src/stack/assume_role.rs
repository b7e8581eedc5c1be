//! `[[aws.assume_role]]`: roles that are assumed before anything else, one with the session of the one before.

use std::ops::RangeInclusive;

use super::aws::Place;
use super::checks::{Checks, Found};
use super::finding::quoted;
use super::model::{AssumeRole, Target};
use super::reader::TableReader;

/// The most roles in a chain: more than any company's, and few enough to be waited for.
pub(super) const ROLES_MAX: usize = 5;
/// How long a session may last, in seconds (STS API Reference, `AssumeRole`, `DurationSeconds`).
pub(super) const DURATION_S: RangeInclusive<u16> = 900..=43_200;
/// The same for a role that another role's session assumes (the same page, "role chaining").
pub(super) const CHAINED_DURATION_MAX_S: u16 = 3600;

/// What a text of STS may be: the model `sts 2011-06-15` of botocore 1.43.11, `externalIdType` and
/// `roleSessionNameType`.
struct Rule {
    length: RangeInclusive<usize>,
    letters: &'static str,
}

const EXTERNAL_ID: Rule = Rule { length: 2..=1224, letters: "_+=,.@:/-" };
const SESSION_NAME: Rule = Rule { length: 2..=64, letters: "_+=,.@-" };

/// Reads every role.
pub(super) fn roles(
    checks: &mut Checks<'_>,
    table: &mut TableReader<'_>,
    stack: &Place<'_>,
) -> Vec<AssumeRole> {
    if table.has("external_id") {
        let place = table.place_of("external_id");
        table.is_read(checks, "external_id");
        let help = "put it below `[[aws.assume_role]]`, beside the `arn` of that role";
        checks.error_with_help(&place, "misplaced_key", "`external_id` belongs to one role", help);
    }
    let place = table.place_of("assume_role");
    let Some(tables) = table.tables(checks, "assume_role") else { return Vec::new() };
    if stack.target == Some(Target::Local) {
        let message = "`aws.assume_role` is for `target = \"aws\"`; the local target has its own credentials";
        checks.error(&place, "conflict", message);
    }
    if tables.is_empty() || tables.len() > ROLES_MAX {
        let message = format!("there are 1 to {ROLES_MAX} `[[aws.assume_role]]` tables");
        checks.error(&place, "bad_value", message);
    }
    let count = tables.len();
    let tables = tables.into_iter().enumerate();
    tables.filter_map(|(number, table)| one(checks, table, stack, number == 0, number + 1 == count)).collect()
}

fn one(
    checks: &mut Checks<'_>,
    mut table: TableReader<'_>,
    stack: &Place<'_>,
    is_first: bool,
    is_last: bool,
) -> Option<AssumeRole> {
    let help = "`arn = \"arn:aws:iam::123456789012:role/deploy\"`";
    let arn = table.required_text(checks, "arn", help);
    let arn = arn.filter(|arn| is_role(checks, arn, stack, is_last));
    let external_id = table.text(checks, "external_id");
    let external_id = external_id.filter(|found| fits(checks, found, &EXTERNAL_ID)).map(|found| found.value);
    let session_name = table.text(checks, "session_name");
    let session_name =
        session_name.filter(|found| fits(checks, found, &SESSION_NAME)).map(|found| found.value);
    let duration = table.number(checks, "duration_s", &DURATION_S);
    if let Some(found) = &duration
        && !is_first
        && found.value > CHAINED_DURATION_MAX_S
    {
        let message = format!("`{}` is at most {CHAINED_DURATION_MAX_S}", found.place.key);
        let help = "AWS gives a role that another role's session assumes an hour at most";
        checks.error_with_help(&found.place, "out_of_range", message, help);
    }
    table.finish(checks);
    let duration_seconds = duration.map(|found| found.value);
    Some(AssumeRole { arn: arn?.value, external_id, session_name, duration_seconds })
}

/// Whether a text is the ARN of a role that this stack can be deployed with.
fn is_role(checks: &mut Checks<'_>, arn: &Found<String>, stack: &Place<'_>, is_last: bool) -> bool {
    let parts: Vec<&str> = arn.value.splitn(6, ':').collect();
    let key = &arn.place.key;
    let found = match parts[..] {
        ["arn", partition @ ("aws" | "aws-cn" | "aws-us-gov"), "iam", "", account, resource]
            if is_account(account) && resource.strip_prefix("role/").is_some_and(is_path_and_name) =>
        {
            Some((partition, account))
        }
        _ => None,
    };
    let Some((partition, account)) = found else {
        let message = format!("`{key}` is the ARN of a role, not {}", quoted(&arn.value));
        let help =
            "such as `arn:aws:iam::123456789012:role/deploy`; `aws iam get-role --role-name deploy` shows it";
        checks.error_with_help(&arn.place, "bad_value", message, help);
        return false;
    };
    if let Some(region) = stack.region
        && partition != region.partition()
    {
        let (wanted, region) = (region.partition(), region.as_str());
        let message = format!("`{key}` is in the partition `{partition}`, and `{region}` in `{wanted}`");
        checks.error(&arn.place, "conflict", message);
        return false;
    }
    if let Some(wanted) = stack.account.filter(|wanted| is_last && wanted.as_str() != account) {
        let message = format!("the last role is in the account {account}, and the stack's is {wanted}");
        checks.error_with_help(&arn.place, "conflict", message, "the last role is the one that deploys");
        return false;
    }
    true
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A role's name with its path before it, without the first `/` (the model `iam 2010-05-08`, `pathType` and
/// `roleNameType`).
fn is_path_and_name(text: &str) -> bool {
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let is_letter =
        |byte: u8| byte.is_ascii_alphanumeric() || SESSION_NAME.letters.as_bytes().contains(&byte);
    (1..=64).contains(&name.len())
        && name.bytes().all(is_letter)
        && path.len() <= 510
        && path.bytes().all(|byte| byte.is_ascii_graphic())
}

fn fits(checks: &mut Checks<'_>, found: &Found<String>, rule: &Rule) -> bool {
    let key = &found.place.key;
    let message = if !rule.length.contains(&found.value.len()) {
        format!("`{key}` has {} to {} characters", rule.length.start(), rule.length.end())
    } else if let Some(odd) =
        found.value.chars().find(|one| !one.is_ascii_alphanumeric() && !rule.letters.contains(*one))
    {
        format!("`{key}` cannot have {}", quoted(&odd.to_string()))
    } else {
        return true;
    };
    let letters: Vec<String> = rule.letters.chars().map(String::from).collect();
    let help = format!("letters, digits and {}", letters.join(" "));
    checks.error_with_help(&found.place, "bad_value", message, &help);
    false
}
