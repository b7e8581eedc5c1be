//! Open questions that only a device notices, both ways.

use local::Switches;
use local::switches::{FailedAuthentication, HeaderNames, SignatureInEvent};

use super::*;

fn world(switches: Switches) -> World {
    let options = Options { authorizer_limit: client::LONG, switches, ..Options::default() };
    World::under(options, &json!({ "BEHAVIOUR": "echo", "PRINT": "" }), &json!({}))
}

/// Question 6.
#[test]
fn a_failed_authentication_is_403_or_401() {
    for (failed_authentication, status, message) in [
        (FailedAuthentication::Forbidden, 403, "Forbidden"),
        (FailedAuthentication::Unauthorized, 401, "Unauthorized"),
    ] {
        let world = world(Switches { failed_authentication, ..Switches::default() });
        world.publish(&world.device().with("Token", "another"), status, message);
    }
}

/// Question 8.
#[test]
fn the_event_has_header_names_and_the_signature_as_told() {
    for (header_names, signature_in_event, token, signature) in [
        (HeaderNames::Lower, SignatureInEvent::Removed, "token", "x-amz-customauthorizer-signature"),
        (HeaderNames::Capitalised, SignatureInEvent::Kept, "Token", "X-Amz-Customauthorizer-Signature"),
    ] {
        let world = world(Switches { header_names, signature_in_event, ..Switches::default() });
        let event = echoed_event(&world, &world.device());
        let headers = &event["protocolData"]["http"]["headers"];
        assert_eq!(headers[token], "the-token", "{event}");
        let kept = signature_in_event == SignatureInEvent::Kept;
        assert_eq!(headers.get(signature).is_some(), kept, "{event}");
    }
}
