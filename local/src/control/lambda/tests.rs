//! What Lambda answers.
