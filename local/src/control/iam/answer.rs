//! The XML of a role.

use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use time::OffsetDateTime;
use time::macros::format_description;

use super::Role;
use crate::control::protocol::query::Xml;

/// RFC 3986: policies come back with all but unreserved characters encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Which call shows the role: they do not show the same members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// `CreateRole` leaves out the session's length (recorded from AWS by `LocalStack`,
    /// `tests/aws/services/iam/test_iam.snapshot.json`).
    Created,
    /// `GetRole` shows everything.
    Whole,
    /// `ListRoles` leaves out boundary, tags and last use. Source: IAM API Reference, `ListRoles`.
    Listed,
}

/// The members of a role.
pub(super) fn role(xml: &mut Xml, role: &Role, shown: Shown) {
    xml.leaf("Path", &role.path);
    xml.leaf("RoleName", &role.name);
    xml.leaf("RoleId", &role.role_id);
    xml.leaf("Arn", &role.arn);
    xml.leaf("CreateDate", &date(role.created_at));
    xml.leaf("AssumeRolePolicyDocument", &document(&role.trust_policy));
    if let Some(description) = &role.description {
        xml.leaf("Description", description);
    }
    if shown != Shown::Created {
        xml.leaf("MaxSessionDuration", &role.max_session_seconds.to_string());
    }
    if shown == Shown::Listed {
        return;
    }
    if let Some(arn) = &role.permissions_boundary {
        xml.element("PermissionsBoundary", |xml| {
            // The value of the API's documentation; the model's enum says PermissionsBoundaryPolicy.
            xml.leaf("PermissionsBoundaryType", "Policy");
            xml.leaf("PermissionsBoundaryArn", arn);
        });
    }
    if !role.tags.is_empty() {
        xml.element("Tags", |xml| {
            for (key, value) in &role.tags {
                tag(xml, key, value);
            }
        });
    }
    if shown == Shown::Whole {
        xml.element("RoleLastUsed", |_| {});
    }
}

/// One tag of a list.
pub(super) fn tag(xml: &mut Xml, key: &str, value: &str) {
    xml.element("member", |xml| {
        xml.leaf("Key", key);
        xml.leaf("Value", value);
    });
}

/// A policy document as it comes back.
pub(super) fn document(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// ISO 8601 in whole seconds, as awsQuery services write dates.
/// A moment as awsQuery writes it.
pub(crate) fn date(moment: SystemTime) -> String {
    OffsetDateTime::from(moment)
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .unwrap_or_default()
}
