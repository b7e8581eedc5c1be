//! A path of Systems Manager's Parameter Store as a key store: `PATH/1` is a `SecureString` with the private
//! half, and its description is the public one; `PATH/1.retired` says that it is retired.
//!
//! One call writes both halves, so that there is no state between them. A description can be read without the
//! value and without the key that encrypts it: a deploy from a machine that may not sign needs no more.
//! `PutParameter` without `Overwrite` makes what is absent, and is what two runs at a time are told apart by.

use std::collections::BTreeMap;

use aws_sdk_ssm::types::{ParameterStringFilter, ParameterTier, ParameterType, ResourceTypeForTagging, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::pair::Pair;
use super::{Contents, Foreign, Generation, PublicKeyPem, Secret};
use crate::aws::retry::KEY_SEEN;
use crate::aws::wait::Look;
use crate::aws::{Aws, Fault};
use crate::names::{OWNER_TAG, ParameterName};
use crate::problem::Problem;

/// What a description begins with. A key of 4,096 bits makes it 780 characters long; AWS takes 1,024.
const PUBLIC_HALF: &str = "public half of a thinggate signing key: ";
/// The mark of a retired generation.
const RETIRED: &str = ".retired";
/// The most parameters below the path that are looked at.
const PARAMETERS_MAX: usize = 1000;

/// A key store in Parameter Store.
#[derive(Clone, Debug)]
pub struct ParameterStore {
    aws: Aws,
    path: ParameterName,
    /// The value of [`OWNER_TAG`] on parameters of this stack.
    owner: String,
}

/// What there is for one number.
#[derive(Debug, Default)]
struct Found {
    /// The description of the parameter with the private half.
    description: Option<String>,
    is_there: bool,
    retired: bool,
}

impl ParameterStore {
    /// The store below `path`, of the stack that `owner` names.
    pub fn new(aws: Aws, path: ParameterName, owner: String) -> Self {
        Self { aws, path, owner }
    }

    /// What is there, told without private halves; of somebody else's parameter only that it is.
    pub(super) async fn contents(&self) -> Result<Contents, Problem> {
        let mut contents = Contents::default();
        for (number, found) in self.numbers().await? {
            contents.next_number = contents.next_number.max(number.saturating_add(1));
            if !found.is_there {
                continue;
            }
            let name = self.name(number);
            // Deleted since the list was made.
            let Some(tags) = self.tags(&name).await? else { continue };
            if tags.get(OWNER_TAG) != Some(&self.owner) {
                let owner = tags.get(OWNER_TAG).cloned();
                contents.foreign.get_or_insert(Foreign { place: place(&name), owner });
                continue;
            }
            let public = public_half(&name, found.description.as_deref())?;
            contents.generations.push(Generation { number, retired: found.retired, public });
            contents.tags.insert(number, tags);
        }
        Ok(contents)
    }

    /// Makes generation `number`, unless it is there, and waits until everybody is told that it is.
    pub(super) async fn create(
        &self,
        number: u32,
        bits: u16,
        tags: &BTreeMap<String, String>,
    ) -> Result<Generation, Problem> {
        let pair = Pair::make_aside(bits).await?;
        let (value, public) = (pair.pem()?, pair.public()?);
        let name = self.name(number);
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let tags = tags.iter().map(tag).collect::<Result<Vec<Tag>, _>>().map_err(|_| bad_tag(&name))?;
        let put = || {
            self.aws
                .ssm
                .put_parameter()
                .name(&name)
                .description(format!("{PUBLIC_HALF}{}", STANDARD.encode(public.as_der())))
                .value(value.as_str())
                .r#type(ParameterType::SecureString)
                .tier(ParameterTier::Standard)
                .overwrite(false)
                .set_tags(Some(tags.clone()))
                .send()
        };
        match self.aws.call("PutParameter", put).await {
            Ok(_) => {}
            // Another run was quicker, or this one, whose answer was lost: that key is the generation.
            Err(fault) if fault.already_exists() => {}
            Err(fault) => return Err(fault.problem(place(&name))),
        }
        self.seen(number).await
    }

    /// Waits until a generation that is there is seen with our tag.
    async fn seen(&self, number: u32) -> Result<Generation, Problem> {
        let look = || async {
            let contents = self.contents().await?;
            let found = contents.generations.into_iter().find(|generation| generation.number == number);
            Ok(match (found, contents.foreign) {
                (Some(generation), _) => Look::Yes(generation),
                // Its tags may come later than it does.
                (None, None | Some(Foreign { owner: None, .. })) => Look::NotYet,
                (None, Some(foreign)) => Look::Never(foreign.problem()),
            })
        };
        match self.aws.until(KEY_SEEN, look).await {
            Err(problem) if problem.code == "timed_out" => match self.contents().await?.foreign {
                Some(foreign) => Err(foreign.problem()),
                None => Err(problem.at(place(&self.name(number)))),
            },
            result => result,
        }
    }

    /// Gives a generation these tags too.
    pub(super) async fn tag(&self, number: u32, tags: &BTreeMap<String, String>) -> Result<(), Problem> {
        let name = self.name(number);
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let tags = tags.iter().map(tag).collect::<Result<Vec<Tag>, _>>().map_err(|_| bad_tag(&name))?;
        let add = || {
            let add = self.aws.ssm.add_tags_to_resource().resource_type(ResourceTypeForTagging::Parameter);
            add.resource_id(&name).set_tags(Some(tags.clone())).send()
        };
        self.aws.call("AddTagsToResource", add).await.map_err(|fault| fault.problem(place(&name)))?;
        Ok(())
    }

    /// Signs with the oldest live generation: right in every state that a rotation can be in. Base64.
    pub(super) async fn sign(&self, message: &[u8]) -> Result<String, Problem> {
        let contents = self.contents().await?;
        let Some(generation) = contents.generations.iter().find(|generation| !generation.retired) else {
            return Err(match contents.foreign {
                Some(foreign) => foreign.problem(),
                None => Problem::failed("no_signing_key", "there is no signing key")
                    .at(format!("ssm:{}", self.path))
                    .next("thinggate deploy STACK"),
            });
        };
        let name = self.name(generation.number);
        let value = read(&self.aws, &name).await.map_err(|fault| fault.problem(place(&name)))?;
        let pair = Pair::parse(value.expose().as_bytes()).map_err(|problem| problem.at(place(&name)))?;
        if pair.public()? != generation.public {
            return Err(Problem::failed(
                "key_halves_differ",
                "the two halves of a signing key do not belong together",
            )
            .at(place(&name))
            .because("its description is not the public half of its value")
            .next(history(&name)));
        }
        Ok(STANDARD.encode(pair.sign(message)?))
    }

    /// Deletes every generation, private halves first.
    pub(super) async fn delete_all(&self) -> Result<(), Problem> {
        if let Some(foreign) = self.contents().await?.foreign {
            return Err(foreign.problem());
        }
        let numbers = self.numbers().await?;
        for number in numbers.iter().filter(|(_, found)| found.is_there).map(|(number, _)| *number) {
            self.delete(&self.name(number)).await?;
        }
        for number in numbers.iter().filter(|(_, found)| found.retired).map(|(number, _)| *number) {
            self.delete(&format!("{}{RETIRED}", self.name(number))).await?;
        }
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), Problem> {
        let delete = || self.aws.ssm.delete_parameter().name(name).send();
        match self.aws.call("DeleteParameter", delete).await {
            Err(fault) if !fault.not_found() => Err(fault.problem(place(name))),
            _ => Ok(()),
        }
    }

    /// What there is, by number. Other parameters below the path are the user's.
    async fn numbers(&self) -> Result<BTreeMap<u32, Found>, Problem> {
        let at = |fault: Fault| fault.problem(format!("parameters below {}", self.path));
        let filter =
            ParameterStringFilter::builder().key("Path").option("OneLevel").values(self.path.as_str());
        let filter = filter.build().map_err(|_| at(Fault::odd("DescribeParameters")))?;
        let (mut numbers, mut seen, mut token) = (BTreeMap::<u32, Found>::new(), 0, None::<String>);
        loop {
            let describe = || {
                let describe = self.aws.ssm.describe_parameters().parameter_filters(filter.clone());
                describe.max_results(50).set_next_token(token.clone()).send()
            };
            let page = self.aws.call("DescribeParameters", describe).await.map_err(at)?;
            for parameter in page.parameters.unwrap_or_default() {
                seen += 1;
                let name = parameter.name.as_deref().unwrap_or_default();
                let Some((number, retired)) = self.numbered(name) else { continue };
                let found = numbers.entry(number).or_default();
                if retired {
                    found.retired = true;
                } else {
                    found.is_there = true;
                    found.description = parameter.description;
                }
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(numbers);
            }
            if seen > PARAMETERS_MAX {
                return Err(Problem::failed(
                    "too_many_parameters",
                    "there is too much below the key store's path",
                )
                .at(format!("ssm:{}", self.path))
                .because(format!("more than {PARAMETERS_MAX} parameters stand there"))
                .next("give the stack a path of its own in `signing.generated.store`"));
            }
        }
    }

    /// The number of a generation's parameter, and whether it is the mark of a retired one.
    fn numbered(&self, name: &str) -> Option<(u32, bool)> {
        let rest = name.strip_prefix(self.path.as_str())?.strip_prefix('/')?;
        let (digits, retired) = rest.strip_suffix(RETIRED).map_or((rest, false), |digits| (digits, true));
        let number = digits.parse::<u32>().ok()?;
        (number > 0 && number.to_string() == digits).then_some((number, retired))
    }

    /// The tags of a parameter; `None`: there is no such parameter.
    async fn tags(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, Problem> {
        let list = || {
            let list = self.aws.ssm.list_tags_for_resource();
            list.resource_type(ResourceTypeForTagging::Parameter).resource_id(name).send()
        };
        match self.aws.call("ListTagsForResource", list).await {
            Ok(answer) => {
                let tags = answer.tag_list.unwrap_or_default().into_iter();
                Ok(Some(tags.map(|tag| (tag.key, tag.value)).collect()))
            }
            Err(fault) if fault.not_found() => Ok(None),
            Err(fault) => Err(fault.problem(place(name))),
        }
    }

    fn name(&self, number: u32) -> String {
        format!("{}/{number}", self.path)
    }
}

/// The value of a parameter of the stack's account and Region, decrypted.
pub async fn read_parameter(aws: &Aws, name: &ParameterName) -> Result<Secret, Problem> {
    match read(aws, name.as_str()).await {
        Ok(secret) => Ok(secret),
        Err(fault) if fault.not_found() => {
            Err(Problem::usage("parameter_missing", format!("there is no parameter `{name}`"))
                .because("the stack file refers to it")
                .next(format!("aws ssm put-parameter --type SecureString --name {name} --value file://FILE")))
        }
        Err(fault) => Err(fault.problem(place(name.as_str()))),
    }
}

async fn read(aws: &Aws, name: &str) -> Result<Secret, Fault> {
    let get = || aws.ssm.get_parameter().name(name).with_decryption(true).send();
    let answer = aws.call("GetParameter", get).await?;
    let value = answer.parameter.and_then(|parameter| parameter.value);
    value.map(Secret::new).ok_or_else(|| Fault::odd("GetParameter"))
}

/// The public half that a description holds.
fn public_half(name: &str, description: Option<&str>) -> Result<PublicKeyPem, Problem> {
    let encoded = description.and_then(|text| text.strip_prefix(PUBLIC_HALF));
    let der = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    let public = der.and_then(|der| PublicKeyPem::from_der(&der).ok());
    public.ok_or_else(|| {
        Problem::failed("public_half", "the public half of a signing key cannot be read")
            .at(place(name))
            .because("its description is not the one that it was made with")
            .next(history(name))
    })
}

/// Earlier versions have what was there before.
fn history(name: &str) -> String {
    format!(
        "put back the description that it had: aws ssm get-parameter-history --name {name} --query \
         'Parameters[].Description'"
    )
}

fn place(name: &str) -> String {
    format!("parameter {name}")
}

fn bad_tag(name: &str) -> Problem {
    Problem::failed("bad_tag", "a tag cannot be written").at(place(name))
}
