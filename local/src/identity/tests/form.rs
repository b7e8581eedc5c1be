//! The page: what it refuses, and what it shows.

use super::*;

/// Typing a code that waits, up to the page that asks for the user.
fn at_login(world: &World) -> (Browser<'_>, String) {
    let begun = world.begin(Dialect::Rfc8628, "deviceagent");
    let mut browser = world.browser(Dialect::Rfc8628);
    browser.open("");
    let (status, _) = browser.submit(&[("user_code", text(&begun, "user_code"))]);
    assert_eq!(status, 200);
    (browser, text(&begun, "device_code").to_owned())
}

#[track_caller]
fn still_pending(world: &World, device_code: &str) {
    let poll = world.poll(Dialect::Rfc8628, "deviceagent", device_code);
    assert_eq!(error(&poll).1, "authorization_pending");
}

#[test]
fn no_step_can_be_left_out() {
    for fields in [
        &[("decision", "allow")][..],
        &[("decision", "allow"), ("username", USER), ("password", "wrong")],
        &[("username", USER), ("password", "")],
        &[("password", PASSWORD)],
    ] {
        let world = world();
        let (mut browser, device_code) = at_login(&world);
        let (_, page) = browser.submit(fields);
        assert!(page.contains("data-error=\"login\""), "{page}");
        let (_, page) = browser.submit(&[("decision", "allow")]);
        assert!(!page.contains("Device connected"));
        still_pending(&world, &device_code);
    }
}

#[test]
fn a_form_from_elsewhere_changes_nothing() {
    let world = world();
    let (mut browser, device_code) = at_login(&world);
    browser.submit(&[("username", USER), ("password", PASSWORD)]);
    let (cookie, csrf) = (browser.cookie.clone(), browser.csrf.clone());
    let allow = [("decision", "allow")];
    let (status, _) = browser.submit_with(&allow, "guessed", |request| request);
    assert_eq!(status, 403);
    browser.cookie.clone_from(&cookie);
    let foreign = |request: http::request::Builder| {
        request.header("host", "127.0.0.1:1").header("origin", "http://evil.example")
    };
    let (status, _) = browser.submit_with(&allow, &csrf, foreign);
    assert_eq!(status, 403);
    browser.cookie = "thinggate_identity=guessed".into();
    let (status, _) = browser.submit_with(&allow, &csrf, |request| request);
    assert_eq!(status, 403);
    still_pending(&world, &device_code);
    browser.cookie.clone_from(&cookie);
    let own = |request: http::request::Builder| {
        request.header("host", "127.0.0.1:1").header("origin", "http://127.0.0.1:1")
    };
    let (status, _) = browser.submit_with(&allow, &csrf, own);
    assert_eq!(status, 200, "the page's own form works");
    browser.cookie.clone_from(&cookie);
    let (status, _) = browser.submit_with(&allow, &csrf, |request| request);
    assert_eq!(status, 403, "a form works once");
}

#[test]
fn guessing_is_limited() {
    let world = world();
    let tries = || {
        let mut browser = world.browser(Dialect::Rfc8628);
        browser.open("");
        [(); 5].map(|()| browser.submit(&[("user_code", "BBBB-BBBB")]).0)
    };
    for _ in 0..sessions::FAILURES_PER_MINUTE_MAX / 5 {
        assert_eq!(tries(), [200, 200, 200, 200, 429], "five for one browser");
    }
    assert_eq!(tries()[0], 429, "enough for all browsers together");
    world.clock.advance(60_000);
    at_login(&world);
}

#[test]
fn a_password_guess_counts_too() {
    let world = world();
    let (mut browser, _) = at_login(&world);
    let statuses: Vec<u16> =
        (0..5).map(|_| browser.submit(&[("username", USER), ("password", "guess")]).0).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert_eq!(browser.submit(&[("username", USER), ("password", PASSWORD)]).0, 403);
}

#[test]
fn an_unknown_code_is_told_and_shown_escaped() {
    let world = world();
    let mut browser = world.browser(Dialect::OpenamLegacy);
    let (status, page) = browser.open("?user_code=%22%3E%3Cscript%3E");
    assert_eq!(status, 200);
    assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;\"") && !page.contains("<script"));
    let (status, page) = browser.submit(&[("user_code", "<b>'&")]);
    // identity-providers 1.2: a wrong user code is answered 200 HTML with `not_found`.
    assert_eq!(status, 200);
    assert!(page.contains("not_found") && page.contains("value=\"&lt;b&gt;&#39;&amp;\""), "{page}");
}

#[test]
fn a_scope_that_does_not_exist_is_refused_on_the_page() {
    let world = world();
    let form = [("client_id", "deviceagent"), ("scope", "mail nope"), ("response_type", "token")];
    let (status, begun) = world.post("/oauth2/legacy/device/code", &form);
    assert_eq!(status, 200, "OpenAM looks at the scope only on the page (openam-recipe, fact 9)");
    let mut browser = world.browser(Dialect::OpenamLegacy);
    browser.open("");
    let (_, page) = browser.submit(&[("user_code", text(&begun, "user_code"))]);
    assert!(page.contains("invalid_scope"));
}

#[test]
fn a_code_that_expires_on_the_way_is_not_approved() {
    let world = world();
    let (mut browser, device_code) = at_login(&world);
    browser.submit(&[("username", USER), ("password", PASSWORD)]);
    world.clock.advance(300_000);
    let (_, page) = browser.submit(&[("decision", "allow")]);
    assert!(page.contains("expired"));
    let poll = world.poll(Dialect::Rfc8628, "deviceagent", &device_code);
    assert_eq!(error(&poll).1, "expired_token");
}

#[test]
fn pages_need_no_script_and_have_no_foreign_parts() {
    let world = world();
    let mut browser = world.browser(Dialect::Rfc8628);
    let (_, page) = browser.open("");
    assert!(page.contains("width=device-width") && page.contains("<label for=\"user_code\">"));
    assert!(!page.contains("<script") && !page.contains("http"));
    let (_, style) = page.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, style.as_bytes());
    assert!(page::content_security_policy().contains(&STANDARD.encode(digest)));
}

#[test]
fn large_and_strange_bodies_are_refused() {
    let world = world();
    let post = |kind: &str, body: &str| {
        let request = http::Request::builder()
            .method("POST")
            .uri("/oauth2/local/access_token")
            .header("content-type", kind);
        world.send(request, body).status().as_u16()
    };
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    assert_eq!(post(form, &"a".repeat(16 * 1024 + 1)), 413);
    assert_eq!(post("application/json", "{}"), 400);
    let many: Vec<String> = (0..33).map(|index| format!("p{index}=1")).collect();
    assert_eq!(post(form, &many.join("&")), 400);
}

#[test]
fn the_documents_name_the_served_address_and_the_constant_issuer() {
    let world = world();
    world.provider.set_public_base("http://127.0.0.1:4010");
    let get = |path: &str| {
        let answer = world.send(http::Request::builder().uri(path), "");
        serde_json::from_slice::<Value>(answer.body()).unwrap()
    };
    let document = get("/oauth2/local/.well-known/openid-configuration");
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(document["token_endpoint"], "http://127.0.0.1:4010/oauth2/local/access_token");
    let keys = get("/oauth2/local/connect/jwk_uri");
    assert_eq!(keys.to_string(), serde_json::from_str::<Value>(&world.provider.jwks()).unwrap().to_string());
}
