//! Stack files: any text is read or refused, with at least one error, each at a place that exists and can be
//! drawn; the same text twice gives the same.

use std::path::Path;

use crate::stack::{self, Given, Opened};

/// Any text as a stack file that stands alone.
pub fn stack(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let file = Path::new("stacks/fuzz.toml");
    let read = || {
        let opened = Opened { identity: file.to_owned(), text: text.clone() };
        stack::read(file, opened, &Given::default(), &|_| Err("it has to stand alone".to_owned()))
    };
    match (read(), read()) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first.stack, second.stack);
            let _ = stack::values(&first.stack);
            for warning in &first.warnings {
                assert!(!warning.message.is_empty());
            }
        }
        (Err(first), Err(second)) => {
            assert!(!first.errors.errors.is_empty(), "refused without an error");
            assert_eq!(first.errors, second.errors);
            let drawn = stack::render_all(&first.errors, &first.sources, data.len() % 2 == 0);
            assert!(!drawn.is_empty());
        }
        _ => panic!("read once, and refused once"),
    }
}
