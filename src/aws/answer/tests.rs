use super::*;

#[test]
fn placeholder() {
    assert_eq!(sort_code("X", "NoSuchEntity", "", Some(404)), Answer::NotFound);
}
