//! A function with reserved concurrency, asked by more devices at once.

use std::time::Duration;

use serde_json::json;

use super::{FUNCTION, World, json_call};

#[test]
fn the_second_device_at_once_is_refused_where_one_is_reserved() {
    let world = World::with(&json!({ "BEHAVIOUR": "hang" }), &json!({}), Duration::from_secs(2));
    let path = format!("/2017-10-31/functions/{FUNCTION}/concurrency");
    json_call(&world.target, "lambda", "PUT", &path, &json!({ "ReservedConcurrentExecutions": 1 }));
    let (device, both) = (world.device(), std::sync::Barrier::new(2));
    let send = || (both.wait(), world.publish(&device, 403, "Forbidden"));
    let mut why = std::thread::scope(|scope| {
        [scope.spawn(send), scope.spawn(send)]
            .map(|sent| sent.join().unwrap().1)
            .map(|entry| (entry.why.name(), entry.invocations))
    });
    why.sort();
    assert_eq!(why, [("function_timeout".to_owned(), 1), ("function_unavailable".to_owned(), 0)]);
}
