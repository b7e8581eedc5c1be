use std::path::PathBuf;

use super::super::testing::{facts, generation, stored};
use super::super::{Action, SigningKeys};
use super::*;
use crate::door::Files;
use crate::keys::FileStore;

mod parameters;

fn desired() -> Desired {
    SigningKey::desired(&facts()).unwrap()
}

#[test]
fn one_live_generation_is_enough_and_none_makes_one() {
    let live = |retired: &[bool]| {
        stored((1..).zip(retired).map(|(number, retired)| generation(number, *retired)).collect())
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
    let live = stored(vec![generation(1, false)]);
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

#[test]
fn a_key_that_others_may_read_is_never_in_step() {
    let path = PathBuf::from("keys/demo@eu-west-1/1.pem");
    let exposed = vec![Exposed { path, mode: 0o644 }];
    let change =
        SigningKey::diff(Some(&desired()), Some(&Live { exposed, ..stored(vec![generation(1, false)]) }));
    let [difference] = &change.differences[..] else { panic!("{change:?}") };
    assert_eq!(difference.field, "mode of keys/demo@eu-west-1/1.pem");
    assert_eq!((difference.live.as_str(), difference.desired.as_str()), ("0644", "0600"));
    let refusal = change.refusal.unwrap();
    assert_eq!(refusal.code, "secret_readable_by_others");
    assert!(refusal.next.starts_with("chmod 600 'keys/demo@eu-west-1/1.pem'"), "{refusal:?}");
}

/// A crash came between the halves: the plan says so, and the step writes the public one.
#[tokio::test]
async fn a_missing_public_half_is_a_difference_that_deploy_repairs() {
    let folder = tempfile::tempdir().unwrap();
    let (files, keys) = (Files::default(), folder.path().join("keys"));
    let store = Store::File(FileStore::new(files.clone(), keys.clone()));
    let identity = facts().identity;
    SigningKey::apply(&store, &desired(), None).await.unwrap();
    let whole = SigningKey::read(&store, &identity).await.unwrap().unwrap();
    files.remove(&keys.join("1.pub.pem")).unwrap();
    let live = SigningKey::read(&store, &identity).await.unwrap().unwrap();
    let change = SigningKey::diff(Some(&desired()), Some(&live));
    assert_eq!(
        (change.action, change.differences[0].field.as_str()),
        (Action::Update, "public half of key-1")
    );
    assert!(!files.exists(&keys.join("1.pub.pem")).unwrap(), "a reader writes nothing");
    SigningKey::apply(&store, &desired(), Some(&live)).await.unwrap();
    assert_eq!(SigningKey::read(&store, &identity).await.unwrap(), Some(whole));
}

/// What is left of retired generations are their marks: their numbers stay used.
#[tokio::test]
async fn a_number_that_only_has_a_mark_is_not_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (files, keys) = (Files::default(), folder.path().join("keys"));
    files.create_folder(&keys).unwrap();
    for number in [1, 7] {
        files.create_public(&keys.join(format!("{number}.retired")), b"").unwrap();
    }
    let store = Store::File(FileStore::new(files, keys));
    let identity = facts().identity;
    assert_eq!(SigningKey::read(&store, &identity).await.unwrap(), None);
    SigningKey::apply(&store, &desired(), None).await.unwrap();
    let live = SigningKey::read(&store, &identity).await.unwrap().unwrap();
    assert_eq!(live.generations.iter().map(|one| one.number).collect::<Vec<_>>(), [8]);
}
