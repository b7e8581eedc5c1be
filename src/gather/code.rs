//! The code that should serve: hashed always, built only where the live release has other inputs.

use std::sync::Arc;

use super::{References, Sources};
use crate::build::{self, Inputs, Recipe, Source};
use crate::keys::Jwks;
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

/// What the stack asks for, before the target is looked at.
pub(super) enum Wanted {
    /// Nothing is said about code, and why.
    Unknown(String),
    /// A package of this recipe.
    Recipe(Recipe),
}

/// Finds the recipe; what is wrong with a stack's own files is known before anything is asked of AWS.
pub(super) fn wanted(stack: &Stack, identity: &Identity, sources: &Sources<'_>) -> Result<Wanted, Problem> {
    match sources.code {
        CodeMode::Ignore => Ok(Wanted::Unknown("this command does not look at code".to_owned())),
        CodeMode::Keep => Ok(Wanted::Unknown("--keep-code leaves the deployed code as it is".to_owned())),
        CodeMode::Build | CodeMode::Compare => match recipe(stack, identity, sources) {
            Ok(recipe) => Ok(Wanted::Recipe(recipe)),
            Err(problem) if sources.code == CodeMode::Compare => Ok(Wanted::Unknown(problem.what)),
            Err(problem) => Err(problem),
        },
    }
}

pub(super) async fn gather(wanted: Wanted, sources: &Sources<'_>, live: &Live) -> Result<Code, Problem> {
    let recipe = match wanted {
        Wanted::Unknown(_) if sources.code == CodeMode::Keep && !can_keep(live) => {
            return Err(nothing_to_keep());
        }
        Wanted::Unknown(because) => return Ok(Code::unknown(because)),
        Wanted::Recipe(recipe) => recipe,
    };
    let Inputs { hash: inputs, parts } = build::listed(sources.files, &recipe)?;
    if sources.code == CodeMode::Compare || needs_package(live, Some(&inputs)).is_none() {
        return Ok(Code { inputs: Ok(inputs), parts, package: None });
    }
    let package = build::package(sources.files, &recipe, sources.tools, sources.progress).await?;
    Ok(Code { inputs: Ok(inputs), parts, package: Some(Arc::new(package)) })
}

/// Whether code is deployed that can stay: a function that has to be made anew takes its code with it.
fn can_keep(live: &Live) -> bool {
    live.release.is_some()
        && live.function.as_ref().is_some_and(|function| !function.configuration.is_fixed())
}

/// Refused here, before the plan: a deploy that finds out half-way has already written.
fn nothing_to_keep() -> Problem {
    Problem::refused(
        "nothing_to_keep",
        "--keep-code keeps deployed code, and there is none that can stay; nothing was changed",
    )
    .next(
        "the same command without --keep-code, where the authorizer's sources or a `function.bootstrap` are",
    )
}

/// The provider's public keys, where tokens are verified with some.
pub(super) fn provider_keys(stack: &Stack, references: &dyn References) -> Result<Option<Jwks>, Problem> {
    let (key, found) = match &stack.token.key {
        TokenKey::Hs256 { .. } => return Ok(None),
        TokenKey::Rs256(PublicKeys::Jwks(reference)) => {
            ("token.rs256.jwks", Jwks::parse(references.text(reference)?))
        }
        TokenKey::Rs256(PublicKeys::Pem(reference)) => {
            ("token.rs256.pem", Jwks::of_pem(&references.text(reference)?))
        }
    };
    found.map(Some).map_err(|error| {
        Problem::usage("bad_public_key", "the provider's public keys cannot be used")
            .at(key)
            .because(error.to_string())
    })
}

fn recipe(stack: &Stack, identity: &Identity, sources: &Sources<'_>) -> Result<Recipe, Problem> {
    let keys = provider_keys(stack, sources.references)?;
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
