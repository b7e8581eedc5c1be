//! `policy`: the least IAM policy for one purpose, offline.

use std::path::Path;

use serde_json::json;

use crate::cli::args::{PolicyFor, Variables};
use crate::cli::load;
use crate::cli::session::Session;
use crate::cli::target::identity_in;
use crate::names::{AccountId, Identity};
use crate::policy::{self, Purpose};
use crate::problem::Problem;
use crate::stack::{Stack, Target};

/// Prints the policy document of one stack.
pub(in crate::cli) fn run(
    session: &Session,
    file: &Path,
    variables: &Variables,
    purpose: PolicyFor,
) -> Result<(), Problem> {
    let stack = load::with_variables(session, file, &variables.var)?.stack;
    let document = policy::document(&identity(&stack)?, purpose_of(purpose));
    session.printer.result(&format!("{}\n", document.text()), &json!(document));
    Ok(())
}

/// Where the stack lives. The account is the stack file's: nobody is asked.
pub(in crate::cli) fn identity(stack: &Stack) -> Result<Identity, Problem> {
    let account = match (&stack.account, stack.target) {
        (Some(account), _) => account.clone(),
        (None, Target::Local) => AccountId::new(local::ACCOUNT)
            .map_err(|_| Problem::failed("local_account", "the local target's account is none"))?,
        (None, Target::Aws) => {
            return Err(Problem::usage("account_missing", "the policy's ARNs need the stack's account")
                .at(format!("{}: account", stack.file.display()))
                .next("write the account into the stack file"));
        }
    };
    Ok(identity_in(stack, account, stack.region.partition().to_owned()))
}

fn purpose_of(purpose: PolicyFor) -> Purpose {
    match purpose {
        PolicyFor::Deploy => Purpose::Deploy,
        PolicyFor::Drift => Purpose::Drift,
        PolicyFor::Destroy => Purpose::Destroy,
        PolicyFor::Device => Purpose::Device,
    }
}
