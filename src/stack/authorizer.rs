//! `[authorizer]`: the AWS IoT authorizer itself.

use crate::names::{AuthorizerName, StackName, TokenKeyName};

use super::checks::Checks;
use super::model::Authorizer;
use super::reader::TableReader;
use super::root::named;

/// The header or parameter of a stack that names none; the article's.
const TOKEN_KEY_NAME_DEFAULT: &str = "token";
/// Headers that mean something else already, in lower case.
const TAKEN_HEADERS: [&str; 6] =
    ["connection", "content-length", "content-type", "host", "qos", "transfer-encoding"];

/// Reads `[authorizer]`; without it, the stack's name and `token`. `strict_expiry` is what `[token]` asks for.
pub(super) fn authorizer(
    checks: &mut Checks<'_>,
    top: &mut TableReader<'_>,
    stack: Option<&StackName>,
    strict_expiry: bool,
) -> Option<Authorizer> {
    let from_stack = |stack: Option<&StackName>| AuthorizerName::new(stack?.as_str()).ok();
    let default_key = || TokenKeyName::new(TOKEN_KEY_NAME_DEFAULT).ok();
    let Some(mut table) = top.table(checks, "authorizer") else {
        let (name, token_key_name) = (from_stack(stack)?, default_key()?);
        return Some(Authorizer { name, token_key_name, default: false, http_caching: false });
    };
    let name = match table.text(checks, "name") {
        Some(found) => named(checks, &found, AuthorizerName::new),
        None => from_stack(stack),
    };
    let token_key_name = match table.text(checks, "token_key_name") {
        Some(found) => {
            let lower = found.value.to_ascii_lowercase();
            if lower.starts_with("x-amz-") || TAKEN_HEADERS.contains(&lower.as_str()) {
                let message = "this header means something else already; choose another, such as `token`";
                checks.error(&found.place, "reserved", message);
            }
            named(checks, &found, TokenKeyName::new)
        }
        None => default_key(),
    };
    let default = table.boolean(checks, "default").is_some_and(|found| found.value);
    let http_caching = table.boolean(checks, "http_caching").is_some_and(|found| found.value);
    if http_caching && strict_expiry {
        let message =
            "with `http_caching` a token publishes after its end, which `token.strict_expiry` forbids";
        let help =
            "AWS keeps an answer for 300 s or more on a connection that stays open: leave one of the two out";
        checks.error_with_help(&table.place_of("http_caching"), "conflict", message, help);
    }
    table.finish(checks);
    Some(Authorizer { name: name?, token_key_name: token_key_name?, default, http_caching })
}
