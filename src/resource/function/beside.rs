//! What hangs on a function beside its configuration: function URLs, which are other ways to call it, and
//! provisioned concurrency, which costs by the hour. An authorizer has neither.

use std::collections::BTreeMap;

use super::super::Impact;
use super::super::compare::Comparison;
use crate::aws::{Answer, Aws, Fault};

/// What AWS has beside a function's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Function URLs by alias, `$LATEST` for the function's own, with who may call: `NONE` is everybody. Or
    /// why this caller cannot see them.
    pub urls: Result<BTreeMap<String, String>, String>,
    /// Provisioned concurrency by alias or version. Or why this caller cannot see it.
    pub provisioned: Result<BTreeMap<String, i32>, String>,
}

/// Compares with nothing.
pub(super) fn compare(comparison: &mut Comparison, live: &Beside) {
    let Beside { urls, provisioned } = live;
    match urls {
        Ok(urls) => {
            for (qualifier, kind) in urls {
                let callers = if kind == "NONE" { "everybody" } else { "signed callers" };
                let found = format!("of {qualifier}, for {callers}");
                comparison.differs(Impact::None, "function URL", None, found, "none");
            }
        }
        Err(because) => comparison.unseen("function URLs", because.clone()),
    }
    match provisioned {
        Ok(provisioned) => {
            for (qualifier, count) in provisioned {
                let found = format!("{count} of {qualifier}");
                comparison.differs(Impact::None, "provisioned concurrency", None, found, "none");
            }
        }
        Err(because) => comparison.unseen("provisioned concurrency", because.clone()),
    }
}

/// Both lists.
pub(super) async fn read(aws: &Aws, function: &str) -> Result<Beside, Fault> {
    let (urls, provisioned) = tokio::try_join!(urls(aws, function), provisioned(aws, function))?;
    Ok(Beside { urls, provisioned })
}

async fn urls(aws: &Aws, function: &str) -> Result<Result<BTreeMap<String, String>, String>, Fault> {
    let mut found = BTreeMap::new();
    let mut marker: Option<String> = None;
    loop {
        let request = || {
            aws.lambda.list_function_url_configs().function_name(function).set_marker(marker.clone()).send()
        };
        let page = match seen(aws.call("ListFunctionUrlConfigs", request).await)? {
            Seen::Page(page) => page,
            Seen::Gone => return Ok(Ok(found)),
            Seen::Denied => return Ok(Err("`lambda:ListFunctionUrlConfigs` is missing".to_owned())),
        };
        for url in page.function_url_configs {
            found.insert(qualifier(&url.function_arn), url.auth_type.as_str().to_owned());
        }
        match page.next_marker.filter(|next| !next.is_empty()) {
            Some(next) => marker = Some(next),
            None => return Ok(Ok(found)),
        }
    }
}

async fn provisioned(aws: &Aws, function: &str) -> Result<Result<BTreeMap<String, i32>, String>, Fault> {
    let mut found = BTreeMap::new();
    let mut marker: Option<String> = None;
    loop {
        let request = || {
            let list = aws.lambda.list_provisioned_concurrency_configs().function_name(function);
            list.set_marker(marker.clone()).send()
        };
        let page = match seen(aws.call("ListProvisionedConcurrencyConfigs", request).await)? {
            Seen::Page(page) => page,
            Seen::Gone => return Ok(Ok(found)),
            Seen::Denied => {
                return Ok(Err("`lambda:ListProvisionedConcurrencyConfigs` is missing".to_owned()));
            }
        };
        for one in page.provisioned_concurrency_configs.unwrap_or_default() {
            let count = one.requested_provisioned_concurrent_executions.unwrap_or_default();
            found.insert(qualifier(&one.function_arn.unwrap_or_default()), count);
        }
        match page.next_marker.filter(|next| !next.is_empty()) {
            Some(next) => marker = Some(next),
            None => return Ok(Ok(found)),
        }
    }
}

/// A page, or why there is none.
enum Seen<T> {
    Page(T),
    /// The function went meanwhile.
    Gone,
    Denied,
}

fn seen<T>(answer: Result<T, Fault>) -> Result<Seen<T>, Fault> {
    match answer {
        Ok(page) => Ok(Seen::Page(page)),
        Err(fault) if fault.not_found() => Ok(Seen::Gone),
        Err(fault) if fault.answer == Answer::AccessDenied => Ok(Seen::Denied),
        Err(fault) => Err(fault),
    }
}

/// What stands behind the function's name in `arn:aws:lambda:REGION:ACCOUNT:function:NAME:QUALIFIER`.
fn qualifier(arn: &str) -> String {
    arn.split(':').nth(7).unwrap_or(LATEST).to_owned()
}

const LATEST: &str = "$LATEST";

/// Takes away what was found.
pub(super) async fn take_away(aws: &Aws, function: &str, found: &Beside) -> Result<(), Fault> {
    for url in found.urls.iter().flat_map(BTreeMap::keys) {
        let request = || {
            let delete = aws.lambda.delete_function_url_config().function_name(function);
            delete.set_qualifier((url != LATEST).then(|| url.clone())).send()
        };
        gone_is_fine(aws.call("DeleteFunctionUrlConfig", request).await)?;
    }
    for place in found.provisioned.iter().flat_map(BTreeMap::keys) {
        let delete = aws.lambda.delete_provisioned_concurrency_config();
        let request = || delete.clone().function_name(function).qualifier(place).send();
        gone_is_fine(aws.call("DeleteProvisionedConcurrencyConfig", request).await)?;
    }
    Ok(())
}

fn gone_is_fine<T>(result: Result<T, Fault>) -> Result<(), Fault> {
    match result {
        Err(fault) if !fault.not_found() => Err(fault),
        _ => Ok(()),
    }
}
