//! The code that should serve: hashed always, built only where the live release has other inputs.

use std::sync::Arc;

use super::Sources;
use crate::build::{self, Recipe, Source};
use crate::keys::{Jwks, PublicKeyPem};
use crate::names::Identity;
use crate::problem::Problem;
use crate::resource::release::needs_package;
use crate::resource::{Code, Live};
use crate::stack::{Architecture, PublicKeys, Stack, TokenKey};

/// What is done about code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMode {
    /// Built where it differs: `plan`, `deploy`.
    Build,
    /// Left as it is: `--keep-code`.
    Keep,
    /// Hashed and compared, never built: `drift`.
    Compare,
    /// Not looked at: `destroy`, `outputs`.
    Ignore,
}

pub(super) async fn gather(
    stack: &Stack,
    identity: &Identity,
    sources: &Sources<'_>,
    live: &Live,
) -> Result<Code, Problem> {
    let unknown = |because: &str| Ok(Code { inputs: Err(because.to_owned()), package: None });
    match sources.code {
        CodeMode::Ignore => return unknown("this command does not look at code"),
        CodeMode::Keep if live.function.is_none() || live.release.is_none() => return Err(nothing_to_keep()),
        CodeMode::Keep => return unknown("--keep-code leaves the deployed code as it is"),
        CodeMode::Build | CodeMode::Compare => {}
    }
    let recipe = match recipe(stack, identity, sources) {
        Ok(recipe) => recipe,
        Err(problem) if sources.code == CodeMode::Compare => return unknown(&problem.what),
        Err(problem) => return Err(problem),
    };
    let inputs = build::inputs(sources.files, &recipe)?;
    if sources.code == CodeMode::Compare || needs_package(live, &Ok(inputs.clone())).is_none() {
        return Ok(Code { inputs: Ok(inputs), package: None });
    }
    let package = build::package(sources.files, &recipe, sources.progress).await?;
    Ok(Code { inputs: Ok(inputs), package: Some(Arc::new(package)) })
}

/// Refused here, before the plan: a deploy that finds out half-way has already written.
fn nothing_to_keep() -> Problem {
    Problem::refused(
        "nothing_to_keep",
        "--keep-code keeps deployed code, and none is deployed; nothing was changed",
    )
    .next(
        "the same command without --keep-code, where the authorizer's sources or a `function.bootstrap` are",
    )
}

fn recipe(stack: &Stack, identity: &Identity, sources: &Sources<'_>) -> Result<Recipe, Problem> {
    let keys = match &stack.token.key {
        TokenKey::Hs256 { .. } => None,
        TokenKey::Rs256(PublicKeys::Jwks(reference)) => {
            let text = sources.references.text(reference)?;
            Some(
                Jwks::parse(text.as_bytes())
                    .map_err(|error| unusable("token.rs256.jwks", &error.to_string()))?,
            )
        }
        TokenKey::Rs256(PublicKeys::Pem(reference)) => {
            let text = sources.references.text(reference)?;
            let key = PublicKeyPem::parse(&text)
                .map_err(|error| unusable("token.rs256.pem", &error.to_string()))?;
            Some(Jwks { keys: vec![key.components()] })
        }
    };
    let source = match &stack.function.bootstrap {
        Some(path) => Source::Bootstrap(path.clone()),
        None => Source::Crate(build::find_source(sources.files, stack)?),
    };
    Ok(Recipe {
        source,
        architecture: stack.function.architecture.unwrap_or(Architecture::X8664),
        configuration: build::configuration(stack, identity, keys.as_ref(), super::SECRET_VARIABLE),
    })
}

fn unusable(key: &str, because: &str) -> Problem {
    Problem::usage("bad_public_key", "the provider's public keys cannot be used").at(key).because(because)
}
