//! Changes by hand on a served target: `drift` names them, `deploy` repairs or refuses, and a deploy of
//! nothing writes nothing.

use aws_sdk_iot::config::{BehaviorVersion, Credentials, Region};
use thinggate::door::{Http, NetworkOptions, Tolls};

use crate::support::{Bench, Proxy, Served, shown};

/// What every client of a served target is made from.
pub(crate) fn configuration(served: &Served) -> aws_config::SdkConfig {
    let (id, secret) = (served.text("access_key_id"), served.text("secret_access_key"));
    let http = Http::network(NetworkOptions::default(), Tolls::new(Vec::new()));
    aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(served.text("control_url"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            Credentials::new(id, secret, None, None, "test"),
        ))
        .http_client(http.client())
        .build()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_hand_are_named_and_repaired() {
    let bench = Bench::new();
    let served = Served::start(&bench, &[]);
    bench.ends(0, &["deploy", "stack.toml"]);

    let (lambda, logs) = {
        let configuration = configuration(&served);
        (aws_sdk_lambda::Client::new(&configuration), aws_sdk_cloudwatchlogs::Client::new(&configuration))
    };
    let function = "thinggate-local-demo";
    lambda.update_function_configuration().function_name(function).memory_size(512).send().await.unwrap();
    logs.put_retention_policy()
        .log_group_name("/thinggate/local-demo")
        .retention_in_days(7)
        .send()
        .await
        .unwrap();
    lambda
        .remove_permission()
        .function_name(function)
        .qualifier("live")
        .statement_id("thinggate-iot")
        .send()
        .await
        .unwrap();
    shown!(bench.run(&["drift", "stack.toml"]), "changed-drift");
    shown!(bench.run(&["plan", "stack.toml", "--quiet"]), "changed-plan");
    shown!(bench.run(&["deploy", "stack.toml"]), "changed-deploy");
    bench.ends(0, &["drift", "stack.toml"]);
}

#[test]
fn a_second_deploy_makes_no_write_call_seen_from_outside() {
    let bench = Bench::new();
    let served = Served::start(&bench, &[]);
    let proxy = Proxy::start(served.text("control_url"));
    let through = ["--local-endpoint", &proxy.url];
    bench.ends(0, &[&["deploy", "stack.toml"][..], &through].concat());
    let counted =
        |served: &Served| served.admin("GET", "/_local/faults", "")["mutating_calls"].as_u64().unwrap();
    served.admin("POST", "/_local/faults", "{}");
    for command in ["deploy", "plan", "drift"] {
        let run = bench.ends(0, &[&[command, "stack.toml", "--output", "json"][..], &through].concat());
        assert!(run.output.contains("\"writes\": 0"), "{run}");
        assert_eq!(counted(&served), 0, "{command}");
    }
    bench.ends(0, &["destroy", "stack.toml", "--yes", through[0], through[1]]);
    assert!(counted(&served) >= 6, "the count counts");
    let seen = String::from_utf8_lossy(&proxy.seen()).into_owned();
    assert!(seen.contains("CreateRole") && seen.contains("DeleteRole"), "the proxy saw it all");
}

#[test]
fn a_device_logs_in_and_publishes_from_the_command_line() {
    let bench = Bench::new();
    let served = Served::start(&bench, &[]);
    served.admin("POST", "/_local/identity", "{\"interval_seconds\": 0, \"enforce_interval\": false}");
    bench.ends(0, &["deploy", "stack.toml"]);
    shown!(bench.run(&["outputs", "stack.toml", "--for", "device"]), @r#"
    exit 0
    -- output
    curl --cacert FOLDER/.thinggate/ca.pem --connect-to thinggatelocal-ats.iot.eu-west-1.amazonaws.com:443:127.0.0.1:PORT -H "x-amz-customauthorizer-name: iot-openam-authorizer" -H "x-amz-customauthorizer-signature: $TOKEN_SIGNATURE" -H "token: $ACCESS_TOKEN" --data 'hello' https://thinggatelocal-ats.iot.eu-west-1.amazonaws.com/topics/customauthtesting
    "#);
    bench.write("token.jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJkZW1vIn0.AAAA\n");
    shown!(bench.run(&["device", "publish", "stack.toml", "customauthtesting", "--token", "file:token.jwt"]), @r#"
    exit 4
    -- errors
    error: a secret file is open to others
      at: token.jwt
      because: its mode is 0644; only its owner may have access

    next: chmod 600 'token.jwt', and replace the secret if others may have seen it
    "#);
}
