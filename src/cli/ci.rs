//! `ci init`: writes a workflow that plans, deploys and compares a stack, and the two roles that its jobs take
//! on, each as a trust policy and a permission policy.
//!
//! The trust policies name the repository letter by letter: an OIDC subject is compared with regard to case, and
//! a subject that is looser than it must be opens the account to others.

mod name;
mod roles;

use std::path::{Component, Path, PathBuf};

use serde_json::json;

use super::args::{CiInit, CiService};
use super::commands::policy::identity;
use super::session::Session;
use super::{load, references, shell_word};
use crate::door::Created;
use crate::names::Identity;
use crate::policy::{self, Purpose};
use crate::problem::Problem;
use crate::stack::{KeyStore, Reference, Signing, Stack, Target};
use name::Checked;
use roles::Roles;

const GITHUB: &str = include_str!("ci/github.yml");
const GITHUB_SETUP: &str = include_str!("ci/github-setup.yml");
const GITLAB: &str = include_str!("ci/gitlab.yml");

/// A file that is written, with its text.
type Written = (PathBuf, String);

/// Writes the files, or none of them when one is there.
pub(super) fn run(session: &Session, wishes: &CiInit) -> Result<(), Problem> {
    let stack = load::with_variables(session, &wishes.stack, &wishes.variables.var)?.stack;
    if stack.target == Target::Local {
        return Err(Problem::usage(
            "local_only",
            "a pipeline deploys to AWS, and this stack's target is `local`",
        )
        .at(stack.file.display().to_string())
        .next("write `target = \"aws\"` and the `account` into a stack file of its own"));
    }
    let below = below(&wishes.stack)?;
    let identity = identity(&stack)?;
    let checked = Checked::of(wishes, &identity)?;
    let roles = Roles::of(&identity, &checked);
    let folder = PathBuf::from("ci").join(identity.stack.as_str());
    let (workflow, text) = workflow(wishes, &stack, &below, (&identity, &checked, &roles), &folder);
    let mut files: Vec<Written> = vec![(workflow, text)];
    for (role, purpose) in [(&roles.read, Purpose::Drift), (&roles.deploy, Purpose::Deploy)] {
        let file = |what: &str| folder.join(format!("{}.{what}.json", role.word));
        files.push((file("trust"), format!("{}\n", role.trust)));
        files.push((file("policy"), format!("{}\n", policy::document(&identity, purpose).text())));
    }
    write(session, wishes, &files)?;
    tell(session, &stack, &identity, (&checked, &roles), &files);
    Ok(())
}

/// The stack file as the workflow names it: a path below the repository's folder, where this command runs.
fn below(file: &Path) -> Result<String, Problem> {
    let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let text = file.to_str().filter(|_| file.components().all(is_plain));
    let text = text.filter(|text| !text.chars().any(char::is_control));
    text.map(|text| text.trim_start_matches("./").to_owned()).ok_or_else(|| {
        Problem::usage("not_below", "the pipeline finds the stack file below the repository's folder")
            .at(file.display().to_string())
            .next("run this command in the repository's folder, and name the file by its path there")
    })
}

/// The workflow's place, and its text.
fn workflow(
    wishes: &CiInit,
    stack: &Stack,
    below: &str,
    (identity, checked, roles): (&Identity, &Checked, &Roles),
    folder: &Path,
) -> (PathBuf, String) {
    let name = identity.stack.as_str();
    let file = match wishes.service {
        CiService::Github => PathBuf::from(format!(".github/workflows/thinggate-{name}.yml")),
        CiService::Gitlab => PathBuf::from(format!(".gitlab/thinggate-{name}.yml")),
    };
    let given = wishes.variables.var.join("\n");
    let indent = if wishes.service == CiService::Github { "  " } else { "    " };
    let variables =
        if given.is_empty() { String::new() } else { format!("\n{indent}THINGGATE_VAR: {}", json!(given)) };
    let setup = |role: &str| fill(GITHUB_SETUP.trim_end(), &[("ROLE", role)]);
    let template = match wishes.service {
        CiService::Github => fill(
            GITHUB,
            &[
                ("SETUP_READ", setup(&roles.read.arn).as_str()),
                ("SETUP_DEPLOY", setup(&roles.deploy.arn).as_str()),
                ("SECRETS", secrets(stack).as_str()),
            ],
        ),
        CiService::Gitlab => {
            fill(GITLAB, &[("READ_ROLE", &roles.read.arn), ("DEPLOY_ROLE", &roles.deploy.arn)])
        }
    };
    let text = fill(
        &template,
        &[
            ("STACK_NAME", name),
            ("STACK", &json!(below).to_string()),
            ("REGION", identity.region.as_str()),
            ("BRANCH", &checked.branch),
            ("ENVIRONMENT", &checked.environment),
            ("AUDIENCE", &checked.audience),
            ("VERSION", env!("CARGO_PKG_VERSION")),
            ("REPOSITORY", env!("CARGO_PKG_REPOSITORY")),
            ("VARIABLES", &variables),
            ("ROLES", &format!("{}/", folder.display())),
            ("FILE", &format!("/{}", file.display())),
        ],
    );
    (file, text)
}

/// A template with its places filled in.
fn fill(template: &str, places: &[(&str, &str)]) -> String {
    places.iter().fold(template.to_owned(), |text, (place, value)| text.replace(&format!("@{place}@"), value))
}

/// The variables that a deploy reads, as GitHub hands a repository's secrets to a job.
fn secrets(stack: &Stack) -> String {
    let line = |reference: &Reference| match reference {
        Reference::Environment(name) => Some(format!("      {name}: ${{{{ secrets.{name} }}}}")),
        _ => None,
    };
    let lines: Vec<String> = references::of_deploy(stack).into_iter().filter_map(line).collect();
    if lines.is_empty() { String::new() } else { format!("\n    env:\n{}", lines.join("\n")) }
}

/// Writes all files or none. Only `--force` takes the place of one that is there.
fn write(session: &Session, wishes: &CiInit, files: &[Written]) -> Result<(), Problem> {
    let there = |file: &Path| {
        Problem::usage("file_exists", "a file is there already, and stays as it is; nothing was written")
            .at(file.display().to_string())
            .next("--force writes over it; or move it away")
    };
    if !wishes.force {
        for (file, text) in files {
            if session.files.exists(file)? && !is_same(session, file, text) {
                return Err(there(file));
            }
        }
    }
    for (file, text) in files {
        if let Some(folder) = file.parent() {
            session.files.create_folder(folder)?;
        }
        if wishes.force {
            session.files.replace(file, text.as_bytes())?;
        } else if session.files.create_public(file, text.as_bytes())? == Created::Existed
            && !is_same(session, file, text)
        {
            return Err(there(file));
        }
    }
    Ok(())
}

/// What is there already as it would be written is no obstacle.
fn is_same(session: &Session, file: &Path, text: &str) -> bool {
    session.files.read(file, 1024 * 1024).is_ok_and(|bytes| bytes == text.as_bytes())
}

fn tell(
    session: &Session,
    stack: &Stack,
    identity: &Identity,
    (checked, roles): (&Checked, &Roles),
    files: &[Written],
) {
    let mut next = vec![format!(
        "aws iam create-open-id-connect-provider --url https://{} --client-id-list {}   # once in an account",
        checked.provider, checked.audience
    )];
    let folder = format!("ci/{}", identity.stack);
    for role in [&roles.read, &roles.deploy] {
        let file = |what: &str| format!("file://{folder}/{}.{what}.json", role.word);
        let name = shell_word(&role.name);
        next.push(format!(
            "aws iam create-role --role-name {name} --assume-role-policy-document {}",
            file("trust")
        ));
        next.push(format!(
            "aws iam put-role-policy --role-name {name} --policy-name thinggate --policy-document {}",
            file("policy")
        ));
    }
    let notes = notes(stack, checked);
    let names: Vec<String> = files.iter().map(|(file, _)| file.display().to_string()).collect();
    let mut lines: Vec<String> = names.iter().map(|file| format!("{file}: written\n")).collect();
    lines.push(format!("\nnext, with credentials that may make roles:\n  {}\n", next.join("\n  ")));
    lines.extend(notes.iter().map(|note| format!("\nnote: {note}\n")));
    let human = lines.concat();
    let value = json!({ "exit": 0, "files": names, "next": next, "notes": notes });
    session.printer.result(&human, &value);
}

/// What the files cannot say for themselves.
fn notes(stack: &Stack, checked: &Checked) -> Vec<String> {
    let mut notes = checked.notes.clone();
    if let Signing::Generated { store: KeyStore::Folder(folder), .. } = &stack.signing {
        notes.push(format!(
            "a runner forgets what it makes: deploy once from here and commit {}/*.pub.pem, or write `store = \
             \"ssm:/PATH\"` below `[signing.generated]`",
            folder.display()
        ));
    }
    for reference in references::of_deploy(stack) {
        match reference {
            Reference::Environment(name) => {
                notes.push(format!("the pipeline reads `{name}`: put it into the repository's secrets"));
            }
            Reference::File(path) => {
                notes.push(format!(
                    "the pipeline reads {}: it must be in the repository, or made by a step before",
                    path.display()
                ));
            }
            Reference::Parameter(_)
            | Reference::LocalHs256
            | Reference::LocalJwks
            | Reference::LocalClient => {}
        }
    }
    notes
}

#[cfg(test)]
mod tests;
