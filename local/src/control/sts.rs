//! sts (skeleton).
