//! Lists that come in pages. A page's token holds the key after which the next one begins, so that entries
//! made or deleted between two pages neither repeat nor hide others.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One page of a sorted list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    /// The entries.
    pub(crate) entries: Vec<T>,
    /// The token of the next page; `None` when this is the last.
    pub(crate) next: Option<String>,
}

/// The token is not one that this target gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidToken;

/// At most `most` of `entries`, which are sorted by the key that comes first, after the one that `token`
/// holds.
pub(crate) fn page<T>(
    entries: impl Iterator<Item = (String, T)>,
    token: Option<&str>,
    most: usize,
) -> Result<Page<T>, InvalidToken> {
    let after = token.map(decode).transpose()?;
    let mut rest = entries.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let mut page = Page { entries: Vec::new(), next: None };
    let mut last = None;
    for (key, entry) in rest.by_ref().take(most.max(1)) {
        page.entries.push(entry);
        last = Some(key);
    }
    if rest.next().is_some() {
        page.next = last.map(|key| URL_SAFE_NO_PAD.encode(format!("after:{key}")));
    }
    Ok(page)
}

fn decode(token: &str) -> Result<String, InvalidToken> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
    let text = String::from_utf8(bytes).map_err(|_| InvalidToken)?;
    text.strip_prefix("after:").map(str::to_owned).ok_or(InvalidToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(keys: &'static [&str]) -> impl Iterator<Item = (String, &'static str)> {
        keys.iter().map(|key| ((*key).to_owned(), *key))
    }

    #[test]
    fn pages_go_on_after_the_last_key_even_when_it_is_gone() {
        let first = page(keyed(&["a", "b", "c"]), None, 2).unwrap();
        assert_eq!(first.entries, ["a", "b"]);
        let second = page(keyed(&["a", "bb", "c"]), first.next.as_deref(), 2).unwrap();
        assert_eq!(second, Page { entries: vec!["bb", "c"], next: None });
        assert_eq!(page(keyed(&["a"]), Some("!"), 2), Err(InvalidToken));
        assert_eq!(page(keyed(&[]), None, 0).unwrap(), Page { entries: vec![], next: None });
    }
}
