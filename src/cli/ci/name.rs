//! Repositories, branches and environments as a trust policy and a workflow name them. What is special in a
//! condition, a shell or YAML is refused here, so that nothing has to be escaped.

use super::super::args::{CiInit, CiService};
use crate::names::Identity;
use crate::problem::Problem;

/// Who hands out GitHub's tokens.
const GITHUB: &str = "token.actions.githubusercontent.com";

/// The answers, checked.
#[derive(Debug)]
pub(super) struct Checked {
    /// The host that hands out tokens, as IAM names the provider.
    pub(super) provider: String,
    /// The audience that tokens are asked for.
    pub(super) audience: String,
    /// What subjects begin with: `repo:OWNER/REPO`, or `project_path:GROUP/PROJECT`.
    pub(super) subject: String,
    pub(super) service: CiService,
    pub(super) branch: String,
    pub(super) environment: String,
    /// What a person must know about these answers.
    pub(super) notes: Vec<String>,
}

impl Checked {
    pub(super) fn of(wishes: &CiInit, identity: &Identity) -> Result<Self, Problem> {
        let environment = wishes.environment.clone().unwrap_or_else(|| identity.stack.to_string());
        check("--environment", &environment, 100, "letters, digits and `_ - .`", |c| {
            c.is_ascii_alphanumeric() || "_-.".contains(c)
        })?;
        let branch = wishes.branch.clone();
        check("--branch", &branch, 200, "letters, digits and `_ - . /`", |c| {
            c.is_ascii_alphanumeric() || "_-./".contains(c)
        })?;
        let odd = branch.starts_with(['-', '/', '.']) || branch.ends_with(['/', '.']);
        if odd || branch.contains("..") || branch.contains("//") || branch.starts_with("refs/") {
            return Err(refuse("--branch", "it is not the name of a branch").next("--branch main"));
        }
        match wishes.service {
            CiService::Github => Self::github(wishes, identity, branch, environment),
            CiService::Gitlab => Self::gitlab(wishes, branch, environment),
        }
    }

    /// Names: GitHub's own rules for user names and repositories; numbers: GitHub's OIDC reference, "Immutable
    /// subject claims".
    fn github(
        wishes: &CiInit,
        identity: &Identity,
        branch: String,
        environment: String,
    ) -> Result<Self, Problem> {
        let bad = |because: &str| {
            refuse("--repository", because).next(
                "--repository OWNER/REPO, or OWNER@ID/REPO@ID, with the case of letters that GitHub shows",
            )
        };
        let parts: Vec<&str> = wishes.repository.split('/').collect();
        let [owner, repository] = parts[..] else { return Err(bad("it is not OWNER/REPO")) };
        let ((owner, owner_id), (repository, repository_id)) = (numbered(owner), numbered(repository));
        let is_owner = owner.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if !is_owner || owner.is_empty() || owner.len() > 39 || owner.starts_with('-') || owner.ends_with('-')
        {
            return Err(bad("the owner has up to 39 letters and digits, with single `-` between them"));
        }
        let is_repository = repository.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let reserved = [".", ".."].contains(&repository)
            || [".git", ".wiki"].iter().any(|end| repository.to_ascii_lowercase().ends_with(end));
        if !is_repository || repository.is_empty() || repository.len() > 100 || reserved {
            return Err(bad(
                "the repository has up to 100 letters, digits and `- _ .`, and no `.git` at its end",
            ));
        }
        let is_id = |id: &str| {
            !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit()) && !id.starts_with('0')
        };
        let mut notes = Vec::new();
        let subject = match (owner_id, repository_id) {
            (Some(owner_id), Some(repository_id)) if is_id(owner_id) && is_id(repository_id) => {
                format!("repo:{owner}@{owner_id}/{repository}@{repository_id}")
            }
            (None, None) => {
                notes.push(format!(
                    "a repository made, renamed or moved after 15 July 2026 has numbers in the subject of its \
                     tokens: then name it as this prints, and run this again with --force: gh api \
                     repos/{owner}/{repository} --jq '\"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)\"'"
                ));
                format!("repo:{owner}/{repository}")
            }
            _ => return Err(bad("the owner and the repository have a number each, or none has")),
        };
        notes.push(format!(
            "the role for deploys is open to the environment `{environment}`: in the repository's settings, let \
             only `{branch}` deploy to it"
        ));
        // aws-actions/configure-aws-credentials, README, "audience".
        let audience =
            if identity.partition == "aws-cn" { "sts.amazonaws.com.cn" } else { "sts.amazonaws.com" };
        let (provider, audience, service) = (GITHUB.to_owned(), audience.to_owned(), wishes.service);
        Ok(Self { provider, audience, subject, service, branch, environment, notes })
    }

    /// GitLab's documentation: "Connect to cloud services", "Reserved names", and limits of paths.
    fn gitlab(wishes: &CiInit, branch: String, environment: String) -> Result<Self, Problem> {
        let project = &wishes.repository;
        let bad = |because: &str| {
            refuse("--repository", because)
                .next("--repository GROUP/PROJECT, as the address of the project has it, with its case")
        };
        let levels: Vec<&str> = project.split('/').collect();
        if !(2..=21).contains(&levels.len()) {
            return Err(bad("it is not GROUP/PROJECT"));
        }
        for level in levels {
            let legal = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            let odd = level.starts_with(['-', '.']) || level.ends_with(['-', '.', '_']);
            let reserved = [".git", ".atom"].iter().any(|end| level.ends_with(end));
            if level.is_empty() || level.len() > 255 || !level.chars().all(legal) || odd || reserved {
                return Err(bad("each of its parts is letters, digits and `_ - .`, none of them at its end"));
            }
        }
        let host = wishes.host.as_str();
        let is_host = host.split('.').all(|label| {
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !label.is_empty() && label.chars().all(legal) && !label.starts_with('-') && !label.ends_with('-')
        });
        if !is_host || !host.contains('.') || host.len() > 253 {
            return Err(refuse("--host", "it is not a host in lower case").next("--host gitlab.example.com"));
        }
        Ok(Self {
            provider: host.to_owned(),
            audience: format!("https://{host}"),
            subject: format!("project_path:{project}"),
            service: wishes.service,
            notes: vec![format!(
                "the role for deploys is open to jobs of `{branch}`: protect that branch in the project's settings"
            )],
            branch,
            environment,
        })
    }
}

/// A name, and the number after its `@`.
fn numbered(text: &str) -> (&str, Option<&str>) {
    text.split_once('@').map_or((text, None), |(name, number)| (name, Some(number)))
}

fn check(
    flag: &str,
    text: &str,
    length_max: usize,
    made_of: &str,
    allowed: fn(char) -> bool,
) -> Result<(), Problem> {
    if text.is_empty() || text.len() > length_max || !text.chars().all(allowed) {
        return Err(refuse(flag, &format!("it is 1 to {length_max} of {made_of}")));
    }
    Ok(())
}

fn refuse(flag: &str, because: &str) -> Problem {
    Problem::usage("bad_name", "this name cannot stand in a trust policy; nothing was written")
        .at(flag)
        .because(because)
}
