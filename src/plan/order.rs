//! Which kind needs which, and the order that follows. Destroy is the same graph turned round.

use super::{Intent, Step};
use crate::resource::{Action, Kind};

/// A kind, and the kinds that must be there before it.
///
/// The permission stands before the authorizer, so that no device meets an authorizer that AWS IoT may
/// not invoke; it names the authorizer's ARN, which is known before anything exists.
const fn needs(kind: Kind) -> &'static [Kind] {
    match kind {
        Kind::SigningKey | Kind::Role | Kind::LogGroup => &[],
        Kind::Function => &[Kind::SigningKey, Kind::Role, Kind::LogGroup],
        Kind::Release => &[Kind::Function],
        Kind::Permission => &[Kind::Release],
        Kind::Authorizer => &[Kind::SigningKey, Kind::Permission],
        Kind::DefaultAuthorizer => &[Kind::Authorizer],
    }
}

/// Whether `kind` needs `other`, directly or through others.
fn reaches(kind: Kind, other: Kind) -> bool {
    needs(kind).iter().any(|near| *near == other || reaches(*near, other))
}

/// Orders the steps and fills in `after`, so that each step stands behind everything it waits for.
pub(super) fn arrange(steps: &mut [Step], intent: Intent) {
    if matches!(intent, Intent::Destroy { .. }) {
        steps.reverse();
    }
    for index in 0..steps.len() {
        let after = (0..index).filter(|before| waits(&steps[index], &steps[*before])).collect();
        steps[index].after = after;
    }
}

/// Whether `step` waits for `before`, which stands before it.
fn waits(step: &Step, before: &Step) -> bool {
    if step.kind == before.kind {
        return true;
    }
    let deletes = |step: &Step| step.change.action == Action::Delete;
    match (deletes(step), deletes(before)) {
        // What needs another is taken away before it.
        (true, true) => reaches(before.kind, step.kind),
        // A delete beside something that stays is one half of a replacement, or makes room for it: it
        // waits until all that the other half needs is there. A failure before it cuts no device.
        (true, false) | (false, true) => reaches(before.kind, step.kind) || reaches(step.kind, before.kind),
        (false, false) => reaches(step.kind, before.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_stands_behind_what_it_needs() {
        for kind in Kind::ALL {
            for need in needs(kind) {
                assert!(*need < kind, "{kind:?} needs {need:?}, which stands behind it");
            }
        }
    }

    #[test]
    fn the_default_needs_everything() {
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::DefaultAuthorizer) {
            assert!(reaches(Kind::DefaultAuthorizer, kind), "{kind:?}");
        }
    }
}
