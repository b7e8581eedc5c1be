//! Stack files that must be refused, each with one defect, and what the user then reads.
//!
//! `stack_errors/NAME.toml` has the defect that its name tells; `NAME.txt` beside it is the whole output.

use std::fs;
use std::path::{Path, PathBuf};

use thinggate::stack::{StackErrors, parse, render, render_warnings};

/// A word that stands where a secret belongs in some of the files, and must not come out anywhere.
const CANARY: &str = "hunter2";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The files of a folder that end in `.ending`, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == ending)).collect();
    files.sort();
    files
}

fn file_name(path: &Path) -> PathBuf {
    PathBuf::from(path.file_name().expect("a file has a name"))
}

/// Everything that a program can learn from a refused file, in one text.
fn everything(errors: &StackErrors, source: &str) -> String {
    [render(errors, source, false), render(errors, source, true), format!("{errors} {errors:?}")].join("\n")
}

#[test]
fn every_invalid_file_says_what_is_wrong_and_where() {
    let files = files(&folder("tests/it/stack_errors"), "toml");
    assert!(files.len() >= 40, "only {} invalid files", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let source = fs::read_to_string(file).unwrap();
        let expected = fs::read_to_string(file.with_extension("txt")).unwrap_or_default();
        let found = match parse(&file_name(file), &source) {
            Ok(_) => "accepted\n".to_owned(),
            Err(errors) => render(&errors, &source, false),
        };
        if found != expected {
            let lines = similar::TextDiff::from_lines(expected.as_str(), found.as_str());
            wrong.push(format!("{}\n{}", file.display(), lines.unified_diff()));
        }
    }
    assert!(wrong.is_empty(), "{} of {} files\n{}", wrong.len(), files.len(), wrong.join("\n"));
}

#[test]
fn every_expected_output_has_its_file() {
    for expected in files(&folder("tests/it/stack_errors"), "txt") {
        assert!(expected.with_extension("toml").exists(), "{} is left over", expected.display());
    }
}

#[test]
fn every_stack_of_ours_is_accepted() {
    let files = files(&folder("stacks"), "toml");
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        if let Err(errors) = parse(&file_name(&file), &source) {
            panic!("{}", render(&errors, &source, false));
        }
    }
}

#[test]
fn a_remark_is_drawn_beside_its_line() {
    let source = fs::read_to_string(folder("stacks/local.toml")).unwrap();
    let (_, warnings) = parse(Path::new("local.toml"), &source).unwrap();
    let drawn = render_warnings(Path::new("local.toml"), &warnings, &source, false);
    assert!(drawn.starts_with("warning[in_environment]: the function's environment will hold"), "{drawn}");
    assert!(drawn.contains("--> local.toml:23:18"), "{drawn}");
}

/// Ways to write a secret into a stack file, from likely to strange.
const LITERALS: [&str; 24] = [
    "[token.hs256]\nsecret = \"hunter2\"\n",
    "[token.hs256]\nsecret = { value = \"hunter2\" }\n",
    "[token.hs256]\nsecret = [\"hunter2\"]\n",
    "[token.hs256]\nsecret = [\n  \"hunter2\",\n  7,\n  = \"hunter2\n]\n",
    "[token.hs256]\nsecret = hunter2\n",
    "[token.hs256]\nsecret = \"hunter2\n",
    "[token.hs256]\nsecret = 'hunter2\n",
    "[token.hs256]\nsecret = \"\"\"\nhunter2\nhunter2 = = \"\n",
    "[token.hs256]\nsecret = '''\nhunter2\n''' x\n",
    "[token.hs256]\nsecret\n= \"hunter2\"\n",
    "[token.hs256]\nsecret =\n\"hunter2\"\n",
    "[token.hs256]\nsecret : \"hunter2\"\n",
    "[token.hs256]\nsecret = \"env:hunter2!\"\n",
    "[token.hs256]\nsecret = \"local:hunter2\"\n",
    "[token.hs256]\nsecrt = \"hunter2\"\n",
    "[token.hs256]\n\"\\u0073ecret\" = hunter2\n",
    "[token.hs256.secret]\nvalue = \"hunter2\"\nhunter2 = 3\nhunter2 hunter2\n",
    "[token]\nhs256 = \"hunter2\"\n",
    "[token]\nhs256 = { secret = \"hunter2\", encoding = \"base65\" }\n",
    "[token]\nhs256.secret.value = \"hunter2\"\n",
    "[identity]\nclient_secret = \"hunter2\"\n",
    "[identity]\nclient_secret = 7 hunter2\n",
    "[identity]\ntoken_url = \"https://user:hunter2@id.example.com/token\"\n",
    "[token.rs256]\npem = \"\"\"-----BEGIN PRIVATE KEY-----\nhunter2\n\"\"\"\nbad = = hunter2\n",
];

#[test]
fn a_literal_secret_is_never_repeated() {
    for literal in LITERALS {
        for source in [
            literal.to_owned(),
            format!("{literal}[function]\nmemory_mb = 1\n"),
            literal.replace('\n', "\r\n"),
        ] {
            let errors = parse(Path::new("demo.toml"), &source).unwrap_err();
            let told = everything(&errors, &source);
            assert!(!told.contains(CANARY), "from\n{source}\ncomes\n{told}");
        }
    }
}

#[test]
fn a_literal_secret_is_never_repeated_wherever_the_file_is_cut() {
    for literal in LITERALS {
        for end in 0..literal.len() {
            let source = &literal[..end];
            if let Err(errors) = parse(Path::new("demo.toml"), source) {
                let told = everything(&errors, source);
                assert!(!told.contains(CANARY), "from\n{source}\ncomes\n{told}");
            }
        }
    }
}

/// Parses and draws; all that matters is that it ends, with every place inside the text.
fn survive(source: &str) {
    let lines = source.split('\n').count();
    match parse(Path::new("demo.toml"), source) {
        Ok((_, warnings)) => drop(render_warnings(Path::new("demo.toml"), &warnings, source, false)),
        Err(errors) => {
            assert!(!errors.errors.is_empty(), "refused without a word:\n{source}");
            assert!(errors.errors.iter().all(|error| (1..=lines).contains(&error.line)), "{errors:?}");
            let drawn = render(&errors, source, false);
            assert!(!drawn.is_empty());
        }
    }
}

#[test]
fn a_file_cut_anywhere_is_survived() {
    let source = fs::read_to_string(folder("stacks/openam-hs256.toml")).unwrap();
    for end in (0..source.len()).filter(|end| source.is_char_boundary(*end)) {
        survive(&source[..end]);
    }
}

#[test]
fn a_changed_byte_anywhere_is_survived() {
    let source = fs::read_to_string(folder("stacks/openam-hs256.toml")).unwrap();
    let odd =
        ["", "\"", "'", "[", "]", "{", "}", "=", "\n", "\r", "\u{0}", "\\", "#", ".", "9", "é", "\u{202e}"];
    for (number, (at, old)) in source.char_indices().enumerate() {
        let new = odd[number % odd.len()];
        survive(&format!("{}{new}{}", &source[..at], &source[at + old.len_utf8()..]));
    }
}
