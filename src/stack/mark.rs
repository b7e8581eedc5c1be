//! Sixteen bits of a secret: enough to see that it is another one, too few to guess it by.

use aws_lc_rs::digest::{Context, SHA256, digest};

/// What keeps a mark from being the beginning of any other hash of the same secret.
const PURPOSE: &[u8] = b"thinggate mark 1\0";

/// The mark of a secret, by the SHA-256 of its value: four hex digits.
///
/// Whoever reads it learns sixteen bits and no more: of the secrets that somebody would try, one in 65,536 has
/// the same mark, so that a guess is never confirmed. It is the same in each file that has one, on purpose: with
/// a salt, each further file would tell sixteen bits more.
pub(crate) fn mark_of_hash(sha256: &[u8; 32]) -> String {
    let mut context = Context::new(&SHA256);
    context.update(PURPOSE);
    context.update(sha256);
    context.finish().as_ref().iter().take(2).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The mark of a secret text.
pub(crate) fn mark(secret: &str) -> String {
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
    mark_of_hash(&sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a thousand guesses at a weak secret, none can be told from the many that share its mark.
    #[test]
    fn a_mark_is_short_and_says_that_a_secret_changed() {
        assert_eq!(mark("a").len(), 4);
        assert_eq!(mark("a"), mark("a"));
        assert_ne!(mark("a"), mark("b"));
        let shared = (0..200_000).filter(|number| mark(&format!("guess {number}")) == mark("a")).count();
        assert!(shared > 0, "others have the same mark");
    }
}
