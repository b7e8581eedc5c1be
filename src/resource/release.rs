//! The release: the published version that the alias `live` names, together with that alias.
//!
//! A version never changes; what changes is which one the alias names, in one atomic call together with
//! the alias's description, which is the only record of what serves. Versions and aliases carry no
//! tags: they are ours because the function is.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_lambda::types as sdk;

use super::compare::Comparison;
use super::configuration::{self, Configuration, Found};
use super::function::Code;
use super::record::{Proof, Record};
use super::{Change, Facts, Impact, Kind, Owner, Resource};
use crate::aws::retry::{FUNCTION_SETTLED, RELEASE_SEEN};
use crate::aws::wait::Look;
use crate::aws::{Answer, Aws, Fault};
use crate::build::InputsHash;
use crate::names::{ALIAS, FunctionName, Identity};
use crate::problem::Problem;

/// The kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Release;

/// What the stack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The function.
    pub function: FunctionName,
    /// The version's configuration.
    pub configuration: Configuration,
    /// The version's code.
    pub code: Code,
}

/// What AWS has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The function's name.
    pub function: String,
    /// The version that the alias names; `$LATEST` if somebody moved it there.
    pub version: String,
    /// The alias's description, as it stands.
    pub description: String,
    /// Other versions that get a part of the calls, as `version: share`.
    pub routing: Vec<String>,
    /// Other aliases of the function, by name, with what each names; or why this caller cannot see them.
    pub aliases: Result<BTreeMap<String, String>, String>,
    /// The version's state; `Failed`: it cannot be invoked.
    pub state: String,
    /// The alias's revision.
    pub revision: String,
    /// Configuration and code of the version.
    pub configuration: Found,
}

/// Why a package is needed to bring the function and its release to what `inputs` make; `None`: what is
/// there is made from them and intact, so nothing need be built. `None` inputs are unknown and not compared.
pub fn needs_package(live: &super::Live, inputs: Option<&InputsHash>) -> Option<&'static str> {
    let (Some(function), Some(release)) = (&live.function, &live.release) else {
        return Some("nothing serves yet");
    };
    if function.configuration.is_fixed() || release.configuration.is_fixed() {
        return Some("the function has to be made anew");
    }
    let Some(record) = Record::parse(&release.description) else {
        return Some("the alias's description is no record of what serves");
    };
    if inputs.is_some_and(|inputs| *inputs != record.inputs) {
        return Some("the authorizer or its configuration changed");
    }
    if release.configuration.code_sha256 != record.package {
        return Some("the code that serves is not what was released");
    }
    if function.configuration.code_sha256 != record.package {
        return Some("the code in `$LATEST` is not what was released");
    }
    None
}

impl Resource for Release {
    type Via = Aws;
    type Desired = Desired;
    type Live = Live;

    const KIND: Kind = Kind::Release;

    fn desired(facts: &Facts) -> Option<Desired> {
        Some(Desired {
            function: facts.identity.function(),
            configuration: configuration::desired(facts),
            code: Code::wanted(facts),
        })
    }

    fn diff(desired: Option<&Desired>, live: Option<&Live>) -> Change {
        let (desired, live) = match (desired, live) {
            (None, None) => return Change::keep(),
            (None, Some(_)) => return Change::delete(Impact::All),
            (Some(_), None) => return Change::create(),
            (Some(desired), Some(live)) => (desired, live),
        };
        let Live {
            // Read under the wanted name.
            function: _,
            version,
            description,
            routing,
            aliases,
            state,
            // Moves with every change of the alias; the next change names it.
            revision: _,
            configuration,
        } = live;
        let mut comparison = Comparison::new();
        if version == LATEST {
            comparison.differs(Impact::None, "version", None, version.clone(), "a published version");
        }
        comparison.none_of("routing", routing);
        match aliases {
            Ok(aliases) => {
                for (alias, version) in aliases {
                    // Somebody may be served through it.
                    let impact = Impact::NewConnections;
                    comparison.differs(impact, &format!("alias {alias}"), None, version.clone(), "none");
                }
            }
            Err(because) => comparison.unseen("other aliases", because.clone()),
        }
        if state == "Failed" {
            comparison.differs(Impact::None, "version state", None, state.clone(), "Active");
        }
        configuration::compare(&mut comparison, "version ", &desired.configuration, configuration);
        let record = Record::parse(description);
        if let Some(record) = &record {
            let (found, wanted) = (configuration.code_sha256.as_str(), record.package.as_str());
            comparison.field("version code", None, found, wanted);
        } else {
            let found = if description.is_empty() { "none" } else { description };
            comparison.differs(Impact::None, "record", None, found, "what serves and what it is made from");
        }
        compare_code(&mut comparison, &desired.code, record.as_ref(), configuration);
        comparison.finish()
    }

    /// The function's, and the function is judged by its own tags.
    fn owner(_live: &Live) -> Owner {
        Owner::Ours
    }

    async fn read(aws: &Aws, identity: &Identity) -> Result<Option<Live>, Problem> {
        let function = identity.function();
        read(aws, function.as_str()).await.map_err(|fault| fault.problem(place(function.as_str())))
    }

    /// Publishes, then moves the alias and its record in one call. Publishing what is published already
    /// gives the same number, so a run that was interrupted between the two goes on.
    async fn apply(aws: &Aws, desired: &Desired, live: Option<&Live>) -> Result<(), Problem> {
        let function = desired.function.as_str();
        let version = publish(aws, desired).await?;
        let record = next_record(desired, live, &version).map_err(|problem| problem.at(place(function)))?;
        let alias = Alias { function, version: &version, description: &record.to_description() };
        let result = match live {
            Some(live) => alias.update(aws, &live.revision).await,
            None => alias.create(aws).await,
        };
        result.map_err(|fault| fault.problem(place(function)))?;
        for extra in live.and_then(|live| live.aliases.as_ref().ok()).into_iter().flat_map(BTreeMap::keys) {
            delete_alias(aws, function, extra).await.map_err(|fault| fault.problem(place(function)))?;
        }
        Ok(())
    }

    /// Its versions go with the function.
    async fn delete(aws: &Aws, live: &Live) -> Result<(), Problem> {
        let deleted = delete_alias(aws, &live.function, ALIAS).await;
        deleted.map_err(|fault| fault.problem(place(&live.function)))
    }
}

/// What Lambda calls the unpublished state.
const LATEST: &str = "$LATEST";

fn place(function: &str) -> String {
    format!("release {ALIAS} of function {function}")
}

/// Compares what serves with what should, as far as this reader knows it.
fn compare_code(comparison: &mut Comparison, wanted: &Code, record: Option<&Record>, live: &Found) {
    match wanted {
        Code::Package(package) => {
            let known = |hash: fn(&Record) -> &str| record.map_or("unknown", hash).to_owned();
            let rules = known(|record| &record.configuration);
            if rules != package.configuration_sha256 {
                // A tightened rule refuses tokens that were good: nobody can tell from two hashes, and
                // still less from none. The same package has the same rules.
                let same = live.code_sha256 == package.code_sha256;
                let impact = if same { Impact::None } else { Impact::NewConnections };
                let wanted = package.configuration_sha256.as_str();
                comparison.differs(impact, "rules", Some("token"), rules, wanted);
            }
            let binary = known(|record| &record.binary);
            comparison.field("binary", None, &binary, &package.binary_sha256);
            let inputs = known(|record| &record.inputs.0);
            comparison.field("inputs", None, &inputs, &package.inputs.0);
            let package_field = "package";
            comparison.field(package_field, None, live.code_sha256.as_str(), package.code_sha256.as_str());
        }
        Code::Recorded(_) => {}
        Code::NotBuilt { inputs, .. } => {
            let found = record.map_or("unknown", |record| record.inputs.0.as_str());
            comparison.field("inputs", None, found, inputs.0.as_str());
        }
        Code::Unseen { because, .. } => comparison.unseen("inputs", because.clone()),
    }
}

async fn read(aws: &Aws, function: &str) -> Result<Option<Live>, Fault> {
    let request = || aws.lambda.get_alias().function_name(function).name(ALIAS).send();
    let alias = match aws.call("GetAlias", request).await {
        Ok(alias) => alias,
        Err(fault) if fault.not_found() => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let version = alias.function_version().unwrap_or(LATEST);
    let request = || aws.lambda.get_function().function_name(function).qualifier(version).send();
    let answer = aws.call("GetFunction", request).await?;
    let found = answer.configuration().ok_or_else(|| Fault::odd("GetFunction"))?;
    let weights = alias.routing_config().and_then(|routing| routing.additional_version_weights());
    let mut routing: Vec<String> =
        weights.into_iter().flatten().map(|(version, share)| format!("{version}: {share}")).collect();
    routing.sort();
    Ok(Some(Live {
        function: function.to_owned(),
        version: version.to_owned(),
        description: alias.description().unwrap_or_default().to_owned(),
        routing,
        aliases: other_aliases(aws, function).await?,
        state: found.state().map_or("", sdk::State::as_str).to_owned(),
        revision: alias.revision_id().unwrap_or_default().to_owned(),
        configuration: Found::from_sdk(found),
    }))
}

/// The function's aliases besides ours.
async fn other_aliases(aws: &Aws, function: &str) -> Result<Result<BTreeMap<String, String>, String>, Fault> {
    let mut aliases = BTreeMap::new();
    let mut marker: Option<String> = None;
    loop {
        let request = || aws.lambda.list_aliases().function_name(function).set_marker(marker.clone()).send();
        let page = match aws.call("ListAliases", request).await {
            Ok(page) => page,
            Err(fault) if fault.answer == Answer::AccessDenied => {
                return Ok(Err("`lambda:ListAliases` is missing".to_owned()));
            }
            Err(fault) => return Err(fault),
        };
        for alias in page.aliases.unwrap_or_default() {
            aliases.insert(alias.name.unwrap_or_default(), alias.function_version.unwrap_or_default());
        }
        match page.next_marker.filter(|next| !next.is_empty()) {
            Some(next) => marker = Some(next),
            None => break,
        }
    }
    aliases.remove(ALIAS);
    Ok(Ok(aliases))
}

async fn delete_alias(aws: &Aws, function: &str, alias: &str) -> Result<(), Fault> {
    match aws
        .call("DeleteAlias", || aws.lambda.delete_alias().function_name(function).name(alias).send())
        .await
    {
        Err(fault) if !fault.not_found() => Err(fault),
        _ => Ok(()),
    }
}

/// Publishes `$LATEST`, if it is the code that is wanted, and waits until the version can be invoked.
async fn publish(aws: &Aws, desired: &Desired) -> Result<String, Problem> {
    let function = desired.function.as_str();
    let sha256 = desired.code.sha256().map(str::to_owned);
    let request =
        || aws.lambda.publish_version().function_name(function).set_code_sha256(sha256.clone()).send();
    let answer = aws.call("PublishVersion", request).await.map_err(|fault| fault.problem(place(function)))?;
    let version = answer.version.ok_or_else(|| Fault::odd("PublishVersion").problem(place(function)))?;
    aws.until(FUNCTION_SETTLED, || async {
        let request =
            || aws.lambda.get_function_configuration().function_name(function).qualifier(&version).send();
        match aws.call("GetFunctionConfiguration", request).await {
            Ok(answer) => Ok(match answer.state().map(sdk::State::as_str) {
                Some("Pending") => Look::NotYet,
                Some("Failed") => Look::Never(failed(function, &version)),
                _ => Look::Yes(()),
            }),
            Err(fault) if fault.not_found() => Ok(Look::NotYet),
            Err(fault) => Err(fault.problem(place(function))),
        }
    })
    .await?;
    Ok(version)
}

fn failed(function: &str, version: &str) -> Problem {
    Problem::failed("version_failed", format!("Lambda could not start version {version}"))
        .at(place(function))
        .next(format!(
            "see why: `aws lambda get-function-configuration --function-name {function} --qualifier {version} \
             --query StateReason`"
        ))
}

/// The record of the version that is about to serve.
fn next_record(desired: &Desired, live: Option<&Live>, version: &str) -> Result<Record, Problem> {
    let before = live.and_then(|live| Record::parse(&live.description));
    let moved = live.is_none_or(|live| live.version != version);
    let previous = match live {
        Some(live) if moved && live.version != LATEST => Some(live.version.clone()),
        _ => before.as_ref().and_then(|before| before.previous.clone()),
    };
    let kept_proof = before.as_ref().filter(|_| !moved).map(|before| before.proof);
    let proof = kept_proof.unwrap_or(Proof::None);
    let held = before.as_ref().and_then(|before| before.held.clone());
    let made_of = match &desired.code {
        Code::Package(package) => Record {
            package: package.code_sha256.clone(),
            binary: package.binary_sha256.clone(),
            configuration: package.configuration_sha256.clone(),
            inputs: package.inputs.clone(),
            previous: None,
            proof,
            held: None,
        },
        Code::Recorded(record)
        | Code::NotBuilt { record: Some(record), .. }
        | Code::Unseen { record: Some(record), .. } => record.clone(),
        Code::NotBuilt { record: None, .. } | Code::Unseen { record: None, .. } => {
            return Err(Problem::failed("no_package", "nothing says what the code was made from").next(
                "run `thinggate deploy` where the authorizer's sources or a `function.bootstrap` are",
            ));
        }
    };
    Ok(Record { previous, proof, held, ..made_of })
}

/// The alias as it should be.
struct Alias<'a> {
    function: &'a str,
    version: &'a str,
    description: &'a str,
}

impl Alias<'_> {
    /// Creates it. One that is there already is ours after a lost answer, or is updated.
    async fn create(&self, aws: &Aws) -> Result<(), Fault> {
        let request = || {
            let create = aws.lambda.create_alias().function_name(self.function).name(ALIAS);
            create.function_version(self.version).description(self.description).send()
        };
        match aws.call("CreateAlias", request).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.already_exists() => match self.seen(aws).await? {
                Some(live) if self.is(&live) => Ok(()),
                Some(live) => self.update(aws, &live.revision).await,
                None => Err(fault),
            },
            Err(fault) => Err(fault),
        }
    }

    /// The release as it is read: an alias that is there may be unknown to the copy that answers first, and
    /// so may the version that it names.
    async fn seen(&self, aws: &Aws) -> Result<Option<Live>, Fault> {
        let seen = aws.until(RELEASE_SEEN, || async {
            Ok(match read(aws, self.function).await {
                Ok(Some(live)) => Look::Yes(Ok(live)),
                Ok(None) => Look::NotYet,
                Err(fault) if fault.not_found() => Look::NotYet,
                Err(fault) => Look::Yes(Err(fault)),
            })
        });
        match seen.await {
            Ok(result) => result.map(Some),
            // Out of time: what is there now counts.
            Err(_) => read(aws, self.function).await,
        }
    }

    /// Moves it, if it is still at `revision`. One that moved is ours after a lost answer, or else
    /// somebody changed it meanwhile.
    async fn update(&self, aws: &Aws, revision: &str) -> Result<(), Fault> {
        let none = sdk::AliasRoutingConfiguration::builder()
            .set_additional_version_weights(Some(HashMap::new()))
            .build();
        let request = || {
            aws.lambda
                .update_alias()
                .function_name(self.function)
                .name(ALIAS)
                .function_version(self.version)
                .description(self.description)
                .routing_config(none.clone())
                .revision_id(revision)
                .send()
        };
        match aws.call("UpdateAlias", request).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.answer == Answer::Precondition => match self.seen(aws).await? {
                Some(live) if self.is(&live) => Ok(()),
                _ => Err(fault),
            },
            Err(fault) => Err(fault),
        }
    }

    fn is(&self, live: &Live) -> bool {
        live.version == self.version && live.description == self.description && live.routing.is_empty()
    }
}

#[cfg(test)]
mod tests;
