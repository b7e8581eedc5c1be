//! From two sides, field by field, to a [`Change`]. Every kind's `diff` is written with it.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::change::{Action, Change, Difference, Impact, NotCompared, Refusal};

/// The differences found so far between what is wanted and what is there.
#[derive(Debug)]
pub(crate) struct Comparison {
    differences: Vec<Difference>,
    not_compared: Vec<NotCompared>,
    impact: Impact,
    replace: bool,
    refusal: Option<Refusal>,
}

impl Comparison {
    /// Nothing differs yet.
    pub(crate) const fn new() -> Self {
        Self {
            differences: Vec::new(),
            not_compared: Vec::new(),
            impact: Impact::None,
            replace: false,
            refusal: None,
        }
    }

    /// Compares one field whose change no device notices.
    pub(crate) fn field<L, D>(&mut self, field: &str, key: Option<&'static str>, live: &L, desired: &D)
    where
        L: Display + PartialEq<D> + ?Sized,
        D: Display + ?Sized,
    {
        self.field_cutting(Impact::None, field, key, live, desired);
    }

    /// Compares one field whose change does `impact` to devices.
    pub(crate) fn field_cutting<L, D>(
        &mut self,
        impact: Impact,
        field: &str,
        key: Option<&'static str>,
        live: &L,
        desired: &D,
    ) where
        L: Display + PartialEq<D> + ?Sized,
        D: Display + ?Sized,
    {
        if live != desired {
            self.differs(impact, field, key, live.to_string(), desired.to_string());
        }
    }

    /// Compares a field that must not be set. `None` and an empty text are the same.
    pub(crate) fn absent(&mut self, field: &str, live: Option<&str>) {
        if let Some(live) = live.filter(|text| !text.is_empty()) {
            self.differs(Impact::None, field, None, live, "none");
        }
    }

    /// Compares a list that must be empty.
    pub(crate) fn none_of(&mut self, field: &str, live: &[String]) {
        for extra in live {
            self.differs(Impact::None, field, None, extra.clone(), "none");
        }
    }

    /// Compares the tags that count: ours and the declared ones. Foreign tags are no drift.
    pub(crate) fn tags(&mut self, live: &BTreeMap<String, String>, desired: &BTreeMap<String, String>) {
        for (tag, wanted) in desired {
            if live.get(tag) != Some(wanted) {
                let found = live.get(tag).map_or("none", String::as_str);
                let key = (!tag.starts_with("thinggate:")).then_some("tags");
                self.differs(Impact::None, &format!("tag {tag}"), key, found, wanted);
            }
        }
    }

    /// Says that a field differs.
    pub(crate) fn differs(
        &mut self,
        impact: Impact,
        field: &str,
        key: Option<&'static str>,
        live: impl Into<String>,
        desired: impl Into<String>,
    ) {
        self.impact = self.impact.max(impact);
        self.differences.push(Difference {
            field: field.to_owned(),
            key,
            live: live.into(),
            desired: desired.into(),
        });
    }

    /// Says that a field differs and that AWS cannot change it in place; its reason comes first.
    pub(crate) fn immutable(
        &mut self,
        impact: Impact,
        field: &str,
        key: Option<&'static str>,
        live: impl Into<String>,
        desired: impl Into<String>,
    ) {
        self.replace = true;
        self.differs(impact, field, key, live, desired);
        self.differences.rotate_right(1);
    }

    /// Says that this reader cannot compare a field.
    pub(crate) fn unseen(&mut self, field: &str, because: impl Into<String>) {
        self.not_compared.push(NotCompared { field: field.to_owned(), because: because.into() });
    }

    /// Refuses the repair; the first refusal stays.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refusal.get_or_insert(refusal);
    }

    /// The change that these differences need.
    pub(crate) fn finish(self) -> Change {
        let action = if self.replace {
            Action::Replace
        } else if self.differences.is_empty() {
            Action::Keep
        } else {
            Action::Update
        };
        Change {
            action,
            differences: self.differences,
            not_compared: self.not_compared,
            impact: self.impact,
            refusal: self.refusal,
        }
    }
}

impl Change {
    /// Nothing to do.
    pub(crate) const fn keep() -> Self {
        Self::of(Action::Keep, Impact::None)
    }

    /// It is not there and should be. No device can depend on what is not there.
    pub(crate) const fn create() -> Self {
        Self::of(Action::Create, Impact::None)
    }

    /// It is there and should not be.
    pub(crate) const fn delete(impact: Impact) -> Self {
        Self::of(Action::Delete, impact)
    }

    const fn of(action: Action, impact: Impact) -> Self {
        Self { action, differences: Vec::new(), not_compared: Vec::new(), impact, refusal: None }
    }
}
