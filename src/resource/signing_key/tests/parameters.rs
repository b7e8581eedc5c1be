//! The key store at `ssm:`, against the local target through the real SDK.

use std::time::Duration;

use aws_sdk_ssm::types::ParameterType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::Options;
use local::switches::Switches;

use super::super::super::testing::World;
use super::*;
use crate::keys::ParameterStore;
use crate::names::{OWNER_TAG, ParameterName};
use crate::problem::ProblemKind;

const PATH: &str = "/thinggate/demo/keys";

struct Bench {
    world: World,
    store: Store,
}

impl Bench {
    fn new(options: Options) -> Self {
        let world = World::with(options);
        let store = Self::store_of(&world, &world.facts.identity.owner());
        Self { world, store }
    }

    fn store_of(world: &World, owner: &str) -> Store {
        let path = ParameterName::new(PATH).unwrap();
        Store::Parameters(Box::new(ParameterStore::new(world.aws.clone(), path, owner.to_owned())))
    }

    fn desired(&self) -> Desired {
        let mut facts = self.world.facts.clone();
        let store = KeyStore::Parameters(ParameterName::new(PATH).unwrap());
        facts.stack.signing = Signing::Generated { bits: 2048, store };
        SigningKey::desired(&facts).unwrap()
    }

    async fn read(&self) -> Option<Live> {
        SigningKey::read(&self.store, &self.world.facts.identity).await.unwrap()
    }

    async fn change(&self) -> Change {
        SigningKey::diff(Some(&self.desired()), self.read().await.as_ref())
    }

    async fn apply(&self) -> Result<(), Problem> {
        let live = self.read().await;
        SigningKey::apply(&self.store, &self.desired(), live.as_ref()).await
    }

    /// A parameter made by hand.
    async fn put(&self, name: &str, tags: &[(&str, &str)]) {
        let tag = |(key, value): &(&str, &str)| {
            aws_sdk_ssm::types::Tag::builder().key(*key).value(*value).build().unwrap()
        };
        let put = self.world.aws.ssm.put_parameter().name(format!("{PATH}/{name}")).value("by hand");
        let put = put.r#type(ParameterType::String).set_tags(Some(tags.iter().map(tag).collect()));
        put.send().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_made_in_one_call_and_deleted_twice() {
    let bench = Bench::new(Options::default());
    assert_eq!(bench.change().await.action, Action::Create);
    bench.apply().await.unwrap();
    assert_eq!(bench.world.writes(), ["PutParameter"]);
    assert_eq!(bench.change().await, Change::keep());
    let first = bench.read().await.unwrap();
    // A plan that was made before: the same key again.
    SigningKey::apply(&bench.store, &bench.desired(), None).await.unwrap();
    assert_eq!(bench.read().await, Some(first.clone()));
    assert_eq!(bench.world.writes(), Vec::<String>::new());
    SigningKey::delete(&bench.store, &first).await.unwrap();
    assert_eq!(bench.read().await, None);
    SigningKey::delete(&bench.store, &first).await.unwrap();
}

/// A deploy and a drift read the public half alone; only a signature reads the private one.
#[tokio::test(start_paused = true)]
async fn who_does_not_sign_never_asks_for_the_private_half() {
    let bench = Bench::new(Options::default());
    bench.apply().await.unwrap();
    bench.change().await;
    let asked = bench.world.operations();
    assert!(asked.iter().all(|operation| operation != "GetParameter"), "{asked:?}");
    let signature = bench.store.sign(b"a token").await.unwrap();
    assert!(bench.world.operations().contains(&"GetParameter".to_owned()));
    let public = &bench.read().await.unwrap().generations[0].public;
    assert!(public.verifies(b"a token", &STANDARD.decode(signature).unwrap()));
    let shown = format!("{:?} {:?}", bench.store, bench.read().await);
    assert!(!shown.contains("PRIVATE"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn lost_answers_converge_at_once() {
    let bench = Bench::new(Options::default());
    bench.world.lose_answer("PutParameter");
    bench.apply().await.unwrap();
    bench.world.assert_answer_was_lost();
    assert_eq!(bench.change().await, Change::keep());
    let live = bench.read().await.unwrap();
    bench.world.lose_answer("DeleteParameter");
    SigningKey::delete(&bench.store, &live).await.unwrap();
    bench.world.assert_answer_was_lost();
    assert_eq!(bench.read().await, None);
}

#[tokio::test(start_paused = true)]
async fn of_two_runs_at_a_time_one_makes_the_key_and_both_use_it() {
    let bench = Bench::new(Options::default());
    let tags = bench.desired().tags;
    let (one, other) = tokio::join!(bench.store.create(1, 2048, &tags), bench.store.create(1, 2048, &tags));
    assert_eq!(one.unwrap(), other.unwrap());
}

/// Lists lag behind, tags lag behind them, and pages have one entry.
#[tokio::test(start_paused = true)]
async fn it_is_waited_for_until_everybody_is_told() {
    let switches = Switches { ssm_delay_ms: 10_000, tags_delay_ms: 20_000, ..Switches::default() };
    let bench = Bench::new(Options { switches, page_size: 1, ..Options::default() });
    bench.apply().await.unwrap();
    assert_eq!(bench.change().await, Change::keep());
    let live = bench.read().await.unwrap();
    SigningKey::delete(&bench.store, &live).await.unwrap();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(bench.read().await, None);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_parameter_is_never_touched() {
    for (tags, owner) in
        [(&[][..], None), (&[(OWNER_TAG, "other@eu-west-1")][..], Some("other@eu-west-1".to_owned()))]
    {
        let bench = Bench::new(Options::default());
        bench.put("1", tags).await;
        bench.world.writes();
        let live = bench.read().await.unwrap();
        assert_eq!(SigningKey::owner(&live), Owner::Foreign(owner));
        assert_eq!(bench.change().await.action, Action::Update);
        // A plan that was made before it came.
        let tags = bench.desired().tags;
        let problem = bench.store.create(1, 2048, &tags).await.unwrap_err();
        assert_eq!((problem.kind, problem.code), (ProblemKind::Refused, "not_ours"), "{problem:?}");
        assert_eq!(SigningKey::delete(&bench.store, &live).await.unwrap_err().code, "not_ours");
        assert_eq!(bench.store.sign(b"a token").await.unwrap_err().code, "not_ours");
        assert_eq!(bench.world.writes(), ["PutParameter"], "refused by AWS, as it is there");
    }
}

/// Whose names are not numbers, or stand deeper, are the user's own.
#[tokio::test(start_paused = true)]
async fn other_parameters_below_the_path_are_left_alone() {
    let bench = Bench::new(Options::default());
    for name in ["0", "01", "readme", "1/deep", "x.retired"] {
        bench.put(name, &[]).await;
    }
    assert_eq!(bench.read().await, None);
    bench.apply().await.unwrap();
    let live = bench.read().await.unwrap();
    SigningKey::delete(&bench.store, &live).await.unwrap();
    let left = bench.world.aws.ssm.describe_parameters().send().await.unwrap().parameters.unwrap();
    assert_eq!(left.len(), 5, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_retired_generation_keeps_its_number() {
    let bench = Bench::new(Options::default());
    bench.apply().await.unwrap();
    let owned = [(OWNER_TAG, "demo@eu-west-1")];
    bench.put("1.retired", &owned).await;
    bench.put("7.retired", &owned).await;
    let live = bench.read().await.unwrap();
    assert!(live.generations[0].retired);
    bench.apply().await.unwrap();
    let live = bench.read().await.unwrap();
    assert_eq!(
        live.generations.iter().map(|one| (one.number, one.retired)).collect::<Vec<_>>(),
        [(1, true), (8, false)]
    );
    SigningKey::delete(&bench.store, &live).await.unwrap();
    assert_eq!(bench.world.aws.ssm.describe_parameters().send().await.unwrap().parameters.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn missing_tags_are_put_back_and_a_damaged_description_is_told() {
    let bench = Bench::new(Options::default());
    bench.apply().await.unwrap();
    let ssm = &bench.world.aws.ssm;
    let kind = aws_sdk_ssm::types::ResourceTypeForTagging::Parameter;
    let untag = ssm.remove_tags_from_resource().resource_type(kind).resource_id(format!("{PATH}/1"));
    untag.tag_keys("team").send().await.unwrap();
    let change = bench.change().await;
    assert_eq!(change.differences[0].field, "tag team");
    bench.apply().await.unwrap();
    assert_eq!(bench.change().await, Change::keep());
    let put = ssm.put_parameter().name(format!("{PATH}/1")).value("x").overwrite(true);
    put.description("by hand").send().await.unwrap();
    let problem = SigningKey::read(&bench.store, &bench.world.facts.identity).await.unwrap_err();
    assert_eq!(problem.code, "public_half", "{problem:?}");
}

/// The description is the public half, and the value another key.
#[tokio::test(start_paused = true)]
async fn halves_that_do_not_belong_together_sign_nothing() {
    let bench = Bench::new(Options::default());
    bench.apply().await.unwrap();
    bench.store.create(2, 2048, &bench.desired().tags).await.unwrap();
    let ssm = &bench.world.aws.ssm;
    let other = ssm.get_parameter().name(format!("{PATH}/2")).with_decryption(true).send().await.unwrap();
    let other = other.parameter.unwrap().value.unwrap();
    ssm.put_parameter().name(format!("{PATH}/1")).value(other).overwrite(true).send().await.unwrap();
    assert_eq!(bench.store.sign(b"a token").await.unwrap_err().code, "key_halves_differ");
}
