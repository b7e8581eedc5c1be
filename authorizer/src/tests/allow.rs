//! What a good token gets.

use serde_json::{Value, json};

use super::support::*;
use crate::answer;

#[test]
fn a_good_token_gets_the_whole_answer() {
    for (file, token) in [
        (hs256_file(), hs256(&header("HS256"), &claims())),
        (rs256_file(), rs256(&header("RS256"), &claims())),
    ] {
        let answer = answer::write(&decide_token(&file, &token).verdict).unwrap();
        // The shape is that of AWS IoT, "Defining your Lambda function"; the principal is
        // printf 'https://identity.example.com:443/oauth2\0demo' | sha256sum | cut -c1-32
        assert_eq!(
            serde_json::from_slice::<Value>(&answer).unwrap(),
            json!({
                "isAuthenticated": true, "principalId": "600202927cc0cc67ecba4c139d3ceb6b",
                "disconnectAfterInSeconds": 3590, "refreshAfterInSeconds": 3590,
                "policyDocuments": [{"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "iot:Connect",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:client/demo/*"]},
                    {"Effect": "Allow", "Action": "iot:Publish",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:topic/customauthtesting"]},
                    {"Effect": "Allow", "Action": "iot:Subscribe",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:topicfilter/devices/demo/commands"]},
                    {"Effect": "Allow", "Action": "iot:Receive",
                     "Resource": ["arn:aws:iot:eu-west-1:000000000000:topic/devices/demo/commands"]},
                ]}],
            })
        );
    }
}
