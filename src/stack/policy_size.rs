//! Whether the policy that a stack grants fits into what AWS IoT takes from an authorizer.
//!
//! The authorizer denies a token whose policy does not fit. A stack that never fits would lock the
//! fleet out, so it is refused here; one that does not fit with long claim values is worth a remark.

use super::model::Allow;

/// The most policy documents in one answer (AWS IoT developer guide, "config-custom-auth").
const DOCUMENTS_MAX: usize = 10;
/// The most characters of one document (same page).
const DOCUMENT_LENGTH_MAX: usize = 2048;
/// The longest value of a claim that the authorizer fills in, in characters.
const CLAIM_VALUE_LENGTH_MAX: usize = 128;
/// `arn:aws-us-gov:iot:ap-southeast-1:123456789012:topicfilter/`: no resource begins longer.
const RESOURCE_START_LENGTH: usize = 60;
/// `{"Version":"2012-10-17","Statement":[]}`.
const DOCUMENT_FRAME_LENGTH: usize = 39;
/// `{"Effect":"Allow","Action":"iot:Subscribe","Resource":[]},`.
const STATEMENT_FRAME_LENGTH: usize = 58;
/// Two quotes and a comma.
const RESOURCE_FRAME_LENGTH: usize = 3;

/// How a policy fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Whatever the claims hold.
    Always,
    /// Unless claims are long.
    Sometimes,
    /// With no claims at all.
    Never,
}

/// How the policy of `allow` fits.
pub(super) fn fit(allow: &[Allow]) -> Fit {
    if fits(allow, CLAIM_VALUE_LENGTH_MAX) {
        Fit::Always
    } else if fits(allow, 1) {
        Fit::Sometimes
    } else {
        Fit::Never
    }
}

/// Whether it fits with claims of this length: documents are filled one after the other.
fn fits(allow: &[Allow], claim_length: usize) -> bool {
    let mut documents = 0;
    let mut used = DOCUMENT_LENGTH_MAX;
    for group in groups(allow) {
        let mut is_open = false;
        for template in group {
            let resource =
                RESOURCE_START_LENGTH + filled_length(template, claim_length) + RESOURCE_FRAME_LENGTH;
            let more = if is_open { resource } else { STATEMENT_FRAME_LENGTH + resource };
            if used + more > DOCUMENT_LENGTH_MAX {
                documents += 1;
                used = DOCUMENT_FRAME_LENGTH + STATEMENT_FRAME_LENGTH + resource;
            } else {
                used += more;
            }
            is_open = true;
        }
    }
    documents <= DOCUMENTS_MAX
}

/// The templates of each action, each once: connect, publish, subscribe, and receive, which is granted
/// for every filter, twice where it ends in `/#`.
fn groups(allow: &[Allow]) -> [Vec<&str>; 4] {
    let all = |entries: fn(&Allow) -> &Vec<String>| {
        let mut templates: Vec<&str> = allow.iter().flat_map(entries).map(String::as_str).collect();
        templates.sort_unstable();
        templates.dedup();
        templates
    };
    let subscribe = all(|one| &one.subscribe);
    let above = subscribe.iter().filter_map(|filter| filter.strip_suffix("/#"));
    let receive = subscribe.iter().copied().chain(above).collect();
    [all(|one| &one.connect), all(|one| &one.publish), subscribe, receive]
}

/// The length of a template with every `{claim}` filled in.
fn filled_length(template: &str, claim_length: usize) -> usize {
    let mut length = 0;
    let mut rest = template;
    while let Some((literal, claim)) = rest.split_once('{') {
        length += literal.len() + claim_length;
        rest = claim.split_once('}').map_or("", |(_, after)| after);
    }
    length + rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(topics: impl Iterator<Item = String>) -> Vec<Allow> {
        vec![Allow { publish: topics.collect(), ..Allow::default() }]
    }

    #[test]
    fn a_template_is_as_long_as_its_claims() {
        assert_eq!(filled_length("devices/{sub}/x/{tenant}", 10), 8 + 10 + 3 + 10);
        assert_eq!(filled_length("plain", 10), 5);
    }

    #[test]
    fn few_topics_always_fit() {
        assert_eq!(fit(&publish((0..20).map(|number| format!("devices/{{sub}}/{number}")))), Fit::Always);
    }

    #[test]
    fn many_topics_fit_unless_claims_are_long() {
        assert_eq!(fit(&publish((0..120).map(|number| format!("devices/{{sub}}/{number}")))), Fit::Sometimes);
    }

    #[test]
    fn too_many_topics_never_fit() {
        assert_eq!(fit(&publish((0..120).map(|number| format!("{}{number}", "t".repeat(200))))), Fit::Never);
    }

    #[test]
    fn what_is_granted_twice_counts_once() {
        let twice = vec![Allow { publish: vec!["t".repeat(250)], ..Allow::default() }; 60];
        assert_eq!(fit(&twice), Fit::Always);
    }

    #[test]
    fn a_subscription_is_received_too() {
        let filters = (0..40).map(|number| format!("{}{number}/#", "t".repeat(100))).collect();
        assert_eq!(fit(&[Allow { subscribe: filters, ..Allow::default() }]), Fit::Never);
        let filters = (0..40).map(|number| format!("{}{number}/+", "t".repeat(100))).collect();
        assert_eq!(fit(&[Allow { subscribe: filters, ..Allow::default() }]), Fit::Always);
    }
}
