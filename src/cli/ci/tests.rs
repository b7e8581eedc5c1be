//! Subjects are those of GitHub's OIDC reference ("Example subject claims", "Immutable subject claims") and of
//! GitLab's "Configure `OpenID` Connect in AWS".

use serde_json::{Value, json};

use super::name::Checked;
use super::roles::Roles;
use crate::cli::args::{CiInit, CiService, Variables};
use crate::names::{AccountId, AuthorizerName, Identity, Region, StackName};
use crate::problem::Problem;

fn identity(region: &str) -> Identity {
    let region = Region::new(region).unwrap();
    Identity {
        stack: StackName::new("printers").unwrap(),
        partition: region.partition().to_owned(),
        region,
        account: AccountId::new("123456789012").unwrap(),
        authorizer: AuthorizerName::new("printers").unwrap(),
        parameters: Box::default(),
    }
}

fn wishes(service: CiService, repository: &str) -> CiInit {
    CiInit {
        service,
        stack: "stack.toml".into(),
        variables: Variables::default(),
        repository: repository.to_owned(),
        branch: "main".to_owned(),
        environment: Some("Production".to_owned()),
        host: "gitlab.com".to_owned(),
        force: false,
    }
}

/// The conditions of both roles: to read, and to deploy.
fn conditions(wishes: &CiInit, region: &str) -> Result<[Value; 2], Problem> {
    let identity = identity(region);
    let roles = Roles::of(&identity, &Checked::of(wishes, &identity)?);
    Ok([roles.read, roles.deploy].map(|role| {
        let trust: Value = serde_json::from_str(&role.trust).unwrap();
        trust["Statement"][0]["Condition"].clone()
    }))
}

#[test]
fn githubs_subjects_are_exact() {
    const AUD: &str = "token.actions.githubusercontent.com:aud";
    const SUB: &str = "token.actions.githubusercontent.com:sub";
    for (repository, subject) in [
        ("octo-org/octo-repo", "repo:octo-org/octo-repo"),
        ("Octo-Org/Octo.Repo_2", "repo:Octo-Org/Octo.Repo_2"),
        ("octo-org@123456/octo-repo@456789", "repo:octo-org@123456/octo-repo@456789"),
    ] {
        let [read, deploy] = conditions(&wishes(CiService::Github, repository), "eu-west-1").unwrap();
        let pull = format!("{subject}:pull_request");
        let main = format!("{subject}:ref:refs/heads/main");
        assert_eq!(read, json!({ "StringEquals": { AUD: "sts.amazonaws.com", SUB: [pull, main] } }));
        let environment = format!("{subject}:environment:Production");
        assert_eq!(deploy, json!({ "StringEquals": { AUD: "sts.amazonaws.com", SUB: environment } }));
    }
    let [_, china] = conditions(&wishes(CiService::Github, "o/r"), "cn-north-1").unwrap();
    assert_eq!(china["StringEquals"][AUD], "sts.amazonaws.com.cn");
}

#[test]
fn gitlabs_subjects_are_exact_but_for_the_branch_that_only_reads() {
    let wishes = wishes(CiService::Gitlab, "My-Group/sub/Project");
    let [read, deploy] = conditions(&wishes, "eu-west-1").unwrap();
    let project = "project_path:My-Group/sub/Project:ref_type:branch:ref:";
    assert_eq!(
        read,
        json!({ "StringEquals": { "gitlab.com:aud": "https://gitlab.com" },
                "StringLike": { "gitlab.com:sub": format!("{project}*") } })
    );
    assert_eq!(
        deploy,
        json!({ "StringEquals": { "gitlab.com:aud": "https://gitlab.com", "gitlab.com:sub": format!("{project}main") } })
    );
    let own = CiInit { host: "git.example.com".to_owned(), ..wishes };
    let [_, deploy] = conditions(&own, "eu-west-1").unwrap();
    assert_eq!(deploy["StringEquals"]["git.example.com:aud"], "https://git.example.com");
}

#[test]
fn the_provider_is_in_the_partition_of_the_stack() {
    let (identity, wishes) = (identity("us-gov-west-1"), wishes(CiService::Github, "o/r"));
    let roles = Roles::of(&identity, &Checked::of(&wishes, &identity).unwrap());
    let provider = "arn:aws-us-gov:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    assert!(roles.read.trust.contains(provider), "{}", roles.read.trust);
    assert_eq!(
        roles.deploy.arn,
        "arn:aws-us-gov:iam::123456789012:role/thinggate-ci-printers-us-gov-west-1-deploy"
    );
}

#[test]
fn names_that_are_none_are_refused() {
    for repository in [
        "",
        "o",
        "o/",
        "/r",
        "o/r/x",
        "o/*",
        "*/r",
        "o?/r",
        "o/r ",
        " o/r",
        "-o/r",
        "o-/r",
        "o/r.git",
        "o/..",
        "ö/r",
        "o/r\n",
        "o@1/r",
        "o/r@1",
        "o@0/r@1",
        "o@x/r@1",
        "o@1/r@",
        "o/r:pull_request",
        "o/$(id)",
        "o/r'",
        "o/r\"",
        "https://github.com/o/r",
        &format!("{}/r", "o".repeat(40)),
        &format!("o/{}", "r".repeat(101)),
    ] {
        let problem = conditions(&wishes(CiService::Github, repository), "eu-west-1").unwrap_err();
        assert_eq!(
            (problem.code, problem.place.as_deref()),
            ("bad_name", Some("--repository")),
            "{repository:?}"
        );
    }
    for project in
        ["p", "g/", "/p", "g//p", "g/*", "g/p.git", "g/-p", "g/p.", "g/p:ref", "g/p q", &"g/".repeat(30)]
    {
        let problem = conditions(&wishes(CiService::Gitlab, project), "eu-west-1").unwrap_err();
        assert_eq!(problem.place.as_deref(), Some("--repository"), "{project:?}");
    }
    for branch in ["", "*", "a b", "-x", "/x", "x/", "a..b", "a//b", "refs/heads/main", "x.", "m'", "x\"y"] {
        let wishes = CiInit { branch: branch.to_owned(), ..wishes(CiService::Github, "o/r") };
        assert_eq!(
            conditions(&wishes, "eu-west-1").unwrap_err().place.as_deref(),
            Some("--branch"),
            "{branch:?}"
        );
    }
    for environment in ["", "a:b", "*", "a b", "a\"", &"e".repeat(101)] {
        let wishes = CiInit { environment: Some(environment.to_owned()), ..wishes(CiService::Github, "o/r") };
        let problem = conditions(&wishes, "eu-west-1").unwrap_err();
        assert_eq!(problem.place.as_deref(), Some("--environment"), "{environment:?}");
    }
    for host in
        ["", "localhost", "Git.example.com", "git.example.com:8443", "https://git.example.com", "a..b"]
    {
        let wishes = CiInit { host: host.to_owned(), ..wishes(CiService::Gitlab, "g/p") };
        assert_eq!(
            conditions(&wishes, "eu-west-1").unwrap_err().place.as_deref(),
            Some("--host"),
            "{host:?}"
        );
    }
}
