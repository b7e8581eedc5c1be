use super::super::testing::{facts, generation};
use super::super::{Action, SigningKeys};
use super::*;
use crate::door::Files;
use crate::keys::FileStore;

fn desired() -> Desired {
    SigningKey::desired(&facts()).unwrap()
}

#[test]
fn one_live_generation_is_enough_and_none_makes_one() {
    let live = |retired: &[bool]| Live {
        generations: (1..).zip(retired).map(|(number, retired)| generation(number, *retired)).collect(),
    };
    let action = |live: Option<&Live>| SigningKey::diff(Some(&desired()), live).action;
    assert_eq!(action(None), Action::Create);
    assert_eq!(action(Some(&live(&[false]))), Action::Keep);
    assert_eq!(action(Some(&live(&[true, false]))), Action::Keep);
    assert_eq!(action(Some(&live(&[true]))), Action::Update);
    assert_eq!(SigningKey::diff(None, Some(&live(&[false]))).action, Action::Delete);
}

#[test]
fn where_others_hold_the_keys_there_is_no_store() {
    let mut facts = facts();
    facts.stack.signing = Signing::Off;
    facts.keys = SigningKeys::Off;
    assert_eq!(SigningKey::desired(&facts), None);
}

#[test]
fn a_key_is_not_made_where_it_would_die() {
    let forgetful = Desired { machine_forgets: true, ..desired() };
    let refusal = SigningKey::diff(Some(&forgetful), None).refusal.unwrap();
    assert_eq!(refusal.code, "key_would_be_lost");
    assert!(refusal.because.contains("keys/demo@eu-west-1"), "{refusal:?}");
    // A key that is there is used there.
    let live = Live { generations: vec![generation(1, false)] };
    assert_eq!(SigningKey::diff(Some(&forgetful), Some(&live)), Change::keep());
}

#[tokio::test]
async fn it_is_made_once_and_deleted_twice() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::File(FileStore::new(Files::default(), folder.path().join("keys")));
    let identity = facts().identity;
    assert_eq!(SigningKey::read(&store, &identity).await.unwrap(), None);
    SigningKey::apply(&store, &desired(), None).await.unwrap();
    let first = SigningKey::read(&store, &identity).await.unwrap().unwrap();
    // A plan that was made before: the same key again.
    SigningKey::apply(&store, &desired(), None).await.unwrap();
    assert_eq!(SigningKey::read(&store, &identity).await.unwrap(), Some(first.clone()));
    assert_eq!(SigningKey::diff(Some(&desired()), Some(&first)), Change::keep());
    SigningKey::delete(&store, &first).await.unwrap();
    assert_eq!(SigningKey::read(&store, &identity).await.unwrap(), None);
    SigningKey::delete(&store, &first).await.unwrap();
}
