//! House rules about single files.

use super::source::{Source, block_end, is_test, line_of, words};

/// The longest Rust file, in lines, tests included.
const FILE_LINES_MAX: usize = 500;
/// The longest function, in lines, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// The longest map, in lines.
const MAP_LINES_MAX: usize = 150;

/// Modules of the deployer that may name a type of an AWS SDK.
const SDK_MODULES: [&str; 3] = ["aws", "resource", "keys"];

/// Where product code may take the time, the environment or a nap, by the beginning of the path.
const EDGES: [(&[&str], &[&str]); 3] = [
    (
        &["SystemTime::now"],
        &[
            "src/cli/",
            "src/main.rs",
            "src/door/",
            "authorizer/src/main.rs",
            "local/src/clock.rs",
            "local/src/serve/",
        ],
    ),
    (
        &["env::var", "env::vars", "env::var_os", "env::vars_os"],
        &["src/cli/", "src/main.rs", "authorizer/src/main.rs"],
    ),
    (
        &["time::sleep", "thread::sleep"],
        &["src/cli/", "src/door/", "src/aws/wait.rs", "local/src/serve/", "local/src/state_directory.rs"],
    ),
];

/// Tests that may pause between two looks at another process: each has a deadline.
const PATIENT_TESTS: [&str; 3] = ["tests/it/support", "local/tests/it/support", "local/tests/bootstrap/"];

/// The module of the deployer that a file belongs to: `aws` for `src/aws/wait.rs`.
pub(super) fn module(path: &str) -> Option<&str> {
    let name = path.strip_prefix("src/")?.split('/').next()?;
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (name != "lib" && name != "main").then_some(name)
}

fn broken(source: &Source, at: usize, message: &str) -> String {
    format!("{}:{}: {message}", source.path, line_of(&source.text, at))
}

/// Each place where product code has one of `words`.
fn uses(source: &Source, forbidden: &[&str], message: &str) -> Vec<String> {
    let found = forbidden.iter().flat_map(|word| {
        let at = words(&source.product, word);
        at.into_iter().map(move |at| broken(source, at, &format!("`{word}`: {message}")))
    });
    found.collect()
}

/// Only `aws`, `resource` and `keys` name an AWS SDK type.
pub(super) fn sdk_types(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/")
        || module(&source.path).is_some_and(|module| SDK_MODULES.contains(&module))
    {
        return Vec::new();
    }
    let found = ["aws_sdk_", "aws_config"].iter().flat_map(|word| source.product.match_indices(word));
    found.map(|(at, word)| broken(source, at, &format!("`{word}…` is for {SDK_MODULES:?} only"))).collect()
}

/// Only `report` prints.
pub(super) fn printing(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") || module(&source.path) == Some("report") {
        return Vec::new();
    }
    let printers = [
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "io::stdout",
        "io::stderr",
        "anstream::stdout",
        "anstream::stderr",
    ];
    uses(source, &printers, "only `report` prints")
}

/// Only `door` touches the file system.
pub(super) fn file_system(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/") || module(&source.path) == Some("door") {
        return Vec::new();
    }
    let mut found = uses(
        source,
        &["std::fs", "tokio::fs", "fs::", "tempfile", "OpenOptions"],
        "only `door` touches the file system",
    );
    for at in words(&source.product, "use std::") {
        let tree =
            &source.product[at..source.product[at..].find(';').map_or(source.product.len(), |end| at + end)];
        if tree.contains('{') && words(tree, "fs").iter().any(|at| !tree[*at..].starts_with("fs::")) {
            found.push(broken(source, at, "`fs`: only `door` touches the file system"));
        }
    }
    found
}

/// Planning is pure: nothing in `plan` waits.
pub(super) fn asynchronous_plan(source: &Source) -> Vec<String> {
    if module(&source.path) != Some("plan") {
        return Vec::new();
    }
    uses(source, &["async", ".await", "Future"], "planning never waits for the world")
}

/// Time, environment and sleep are arguments, except at the edge.
pub(super) fn edges(source: &Source) -> Vec<String> {
    let found = EDGES.iter().filter(|(_, allowed)| !allowed.iter().any(|edge| source.path.starts_with(edge)));
    found
        .flat_map(|(forbidden, _)| uses(source, forbidden, "only at the edge; take it as an argument"))
        .collect()
}

/// A test waits for something, never for a time.
pub(super) fn sleeping_tests(source: &Source) -> Vec<String> {
    if PATIENT_TESTS.iter().any(|patient| source.path.starts_with(patient)) {
        return Vec::new();
    }
    let naps = words(&source.code, "sleep(").into_iter().filter(|at| {
        let is_in_test = is_test(&source.path) || source.product.as_bytes().get(*at) == Some(&b' ');
        let before = source.code[..*at].trim_end();
        is_in_test
            && (before.ends_with("time::")
                || before.ends_with("thread::")
                || !before.ends_with(['.', ':', 'n']))
    });
    naps.map(|at| broken(source, at, "a test that sleeps is slow when it passes and flaky when it does not"))
        .collect()
}

/// Files of at most 500 lines.
pub(super) fn long_file(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let is_long = lines > FILE_LINES_MAX;
    is_long.then(|| format!("{}: {lines} lines; at most {FILE_LINES_MAX}", source.path)).into_iter().collect()
}

/// Functions of at most 70 lines.
pub(super) fn long_functions(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for at in words(&source.code, "fn") {
        let after = &source.code[at..];
        let Some(open) = after.find(['{', ';']).filter(|open| after[*open..].starts_with('{')) else {
            continue;
        };
        let function = &source.code[at..block_end(&source.code, at + open)];
        let lines = function.lines().count();
        if lines > FUNCTION_LINES_MAX {
            let name: String =
                after[2..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let message = format!("`{name}` has {lines} lines; at most {FUNCTION_LINES_MAX}");
            found.push(broken(source, at, &message));
        }
    }
    found
}

/// Nothing is unfinished, switched off, or expected to panic for whatever reason.
pub(super) fn left_for_later(source: &Source) -> Vec<String> {
    let macros = ["todo!", "unimplemented!", "#[ignore", "#[should_panic"];
    let mut found: Vec<String> = macros
        .iter()
        .flat_map(|word| source.code.match_indices(word))
        .map(|(at, word)| broken(source, at, &format!("`{word}` leaves something for later")))
        .collect();
    // Comments are looked at too, but not the texts of this very rule and its tests.
    if !source.path.starts_with("tests/it/tidy") {
        for word in ["TODO", "FIXME", "XXX"] {
            let places = words(&source.text, word);
            found.extend(
                places
                    .into_iter()
                    .map(|at| broken(source, at, &format!("`{word}` leaves something for later"))),
            );
        }
    }
    found
}

/// The authorizer and the local target depend on nothing of the deployer.
pub(super) fn manifest(path: &str, text: &str) -> Vec<String> {
    let names_it = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().replace([' ', '"'], "");
        line.starts_with("thinggate=")
            || line.starts_with("thinggate.")
            || line.contains("path=../")
            || line.contains("path=..}")
    };
    let found = text.lines().enumerate().filter(|(_, line)| names_it(line));
    found.map(|(at, line)| format!("{path}:{}: `{line}` names the deployer", at + 1)).collect()
}

/// No path of one machine. OpenAM's `/realms/root/` is none: a machine's path begins a word.
pub(super) fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for top in ["work", "root", "home"] {
        let machine = format!("/{top}/");
        for (at, _) in text.match_indices(&machine) {
            let before = text[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || "._-}~*".contains(c)) {
                found.push(format!("{path}:{}: `{machine}` is a path of one machine", line_of(text, at)));
            }
        }
    }
    found
}

/// A map of at most 150 lines.
pub(super) fn long_map(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    (lines > MAP_LINES_MAX)
        .then(|| format!("{path}: {lines} lines; at most {MAP_LINES_MAX}"))
        .into_iter()
        .collect()
}
