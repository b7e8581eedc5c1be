//! The files of the repository, and Rust text without what is not code.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours.
const FOREIGN_FOLDERS: [&str; 3] = ["target", ".git", ".thinggate"];

/// One Rust file.
pub(super) struct Source {
    /// From the top of the repository, with `/`.
    pub(super) path: String,
    /// As it is.
    pub(super) text: String,
    /// Comments and what stands between quotes replaced by spaces; every line stays where it is.
    pub(super) code: String,
    /// `code` without test modules; empty for a file that is a test as a whole.
    pub(super) product: String,
}

impl Source {
    /// Looks at `text` as the file `path`.
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let product = if is_test(path) { String::new() } else { without_tests(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, product }
    }
}

/// The top of the repository.
pub(super) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the repository.
pub(super) fn rust_sources() -> Vec<Source> {
    let files =
        text_files().into_iter().filter(|(path, _)| Path::new(path).extension() == Some("rs".as_ref()));
    files.map(|(path, text)| Source::new(&path, &text)).collect()
}

/// Every text file of the repository: its path from the top, and its text.
pub(super) fn text_files() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    walk(repository(), &mut paths);
    paths.sort();
    let texts = paths.into_iter().filter_map(|path| {
        let name = path.strip_prefix(repository()).ok()?.to_str()?.replace('\\', "/");
        Some((name, fs::read_to_string(&path).ok()?))
    });
    texts.collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // A work tree of its own has `.git` as a file.
        if FOREIGN_FOLDERS.contains(&name.as_str()) {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => walk(&path, paths),
            Ok(found) if found.is_file() => paths.push(path),
            _ => {}
        }
    }
}

/// Whether a file is a test as a whole.
pub(super) fn is_test(path: &str) -> bool {
    path.split('/').any(|part| ["tests", "tests.rs", "benches"].contains(&part))
}

/// The line, from 1, of byte `at`.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Where `word` stands in `code`, not as a part of a longer word.
pub(super) fn words(code: &str, word: &str) -> Vec<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let starts_with_part = word.starts_with(is_part);
    let ends_with_part = word.ends_with(is_part);
    let found = code.match_indices(word).map(|(at, _)| at).filter(|at| {
        let before = code[..*at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !(starts_with_part && before.is_some_and(is_part) || ends_with_part && after.is_some_and(is_part))
    });
    found.collect()
}

/// The end of what `{` at byte `open` begins: the byte after its `}`.
pub(super) fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

/// `code` with every `#[cfg(test)]` item blanked.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut rest = code;
    let mut product = String::new();
    while let Some(at) = rest.find(MARK) {
        product.push_str(&rest[..at]);
        let item = &rest[at..];
        let end_of_item = match (item.find(';'), item.find('{')) {
            (Some(end), Some(open)) if end < open => end + 1,
            (_, Some(open)) => block_end(item, open),
            (Some(end), None) => end + 1,
            (None, None) => item.len(),
        };
        product.extend(item[..end_of_item].chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = &item[end_of_item..];
    }
    product.push_str(rest);
    product
}

/// Rust text with comments, texts and characters replaced by spaces.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_in_word = false;
    while let Some(c) = rest.chars().next() {
        let skipped = if is_in_word && c != '"' { None } else { skipped_length(rest) };
        let length = skipped.unwrap_or(c.len_utf8());
        if skipped.is_some() {
            code.extend(rest[..length].chars().map(|c| if c == '\n' { c } else { ' ' }));
        } else {
            code.push(c);
        }
        is_in_word = skipped.is_none() && (c.is_alphanumeric() || c == '_');
        rest = &rest[length..];
    }
    code
}

/// How long the comment, text or character is that begins here; `None` where code begins.
fn skipped_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    for prefix in ["", "b", "c"] {
        let Some(after) = rest.strip_prefix(prefix) else { continue };
        if let Some(raw) = after.strip_prefix('r') {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw[hashes..].starts_with('"') {
                let close = format!("\"{}", "#".repeat(hashes));
                let start = prefix.len() + 1 + hashes + 1;
                let end = rest[start..].find(&close).map_or(rest.len(), |at| start + at + close.len());
                return Some(end);
            }
        }
        if let Some(text) = after.strip_prefix('"') {
            return Some(prefix.len() + 1 + closed_by(text, '"'));
        }
        if let Some(character) = after.strip_prefix('\'').filter(|character| is_character(character)) {
            return Some(prefix.len() + 1 + closed_by(character, '\''));
        }
    }
    None
}

/// Whether what follows a `'` is a character, not the name of a lifetime.
fn is_character(after_quote: &str) -> bool {
    let mut characters = after_quote.chars();
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

/// The length up to and with the closing quote, over escapes.
fn closed_by(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    text.len()
}

fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}
