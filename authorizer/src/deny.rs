//! Why a request is denied. The log names the reason, the device never learns it.

/// Makes the closed list of reasons, each with its stable name and what it means.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $reason:ident = $name:literal,)+) => {
        /// The reason for a deny.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Deny {
            $($(#[doc = $doc])+ $reason,)+
        }

        impl Deny {
            /// Every reason, in the order in which they are checked.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)+];

            /// The name in the log. It never changes.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)+
                }
            }
        }
    };
}

reasons! {
    /// The event is over 256 KiB.
    EventTooLarge = "event_too_large",
    /// The event is not a JSON object, or a field that is read has another type than AWS documents.
    MalformedEvent = "malformed_event",
    /// The event carries no token, or an empty one.
    TokenMissing = "token_missing",
    /// The token is over 8,192 bytes.
    TokenTooLong = "token_too_long",
    /// The token is not made of exactly three segments.
    WrongSegmentCount = "wrong_segment_count",
    /// The header segment is over 1 KiB.
    HeaderTooLong = "header_too_long",
    /// A segment is not canonical unpadded base64url.
    BadBase64 = "bad_base64",
    /// The header is not a JSON object in UTF-8, repeats a key or is nested too deep.
    MalformedHeader = "malformed_header",
    /// The header's `alg` is not the configured algorithm.
    WrongAlgorithm = "wrong_algorithm",
    /// The header has `crit` or `b64`, extensions that are not understood here.
    CriticalHeader = "critical_header",
    /// The header asks for decompression.
    Compressed = "compressed",
    /// The header brings or points to a key of its own: `jwk`, `jku`, `x5u` or `x5c`.
    EmbeddedKey = "embedded_key",
    /// The header's `typ` is not one of the allowed ones.
    WrongType = "wrong_type",
    /// The header's `kid` is not a text of at most 128 bytes.
    BadKeyId = "bad_key_id",
    /// The header's `kid` names no configured key.
    UnknownKeyId = "unknown_key_id",
    /// The header has no `kid`, and several keys are configured.
    KeyIdMissing = "key_id_missing",
    /// The signature is not that of the configured key over these bytes.
    BadSignature = "bad_signature",
    /// The payload is not a JSON object in UTF-8, repeats a key or is nested too deep.
    MalformedPayload = "malformed_payload",
    /// `iss` is not exactly the configured issuer.
    WrongIssuer = "wrong_issuer",
    /// No audience claim is present.
    AudienceMissing = "audience_missing",
    /// The audience claim is neither a text nor a list of texts.
    MalformedAudience = "malformed_audience",
    /// The audience claim names none of the configured audiences.
    WrongAudience = "wrong_audience",
    /// `exp` is absent.
    ExpiryMissing = "expiry_missing",
    /// `exp`, `nbf` or `iat` is not a number from 0 to 2^53.
    MalformedTime = "malformed_time",
    /// The token has expired.
    Expired = "expired",
    /// `nbf` is in the future.
    NotYetValid = "not_yet_valid",
    /// `iat` is in the future.
    IssuedInFuture = "issued_in_future",
    /// `sub` is absent, empty or not a text.
    SubjectMissing = "subject_missing",
    /// `jti` is present and not a text.
    MalformedTokenId = "malformed_token_id",
    /// A configured `require` claim is absent or has another value: another kind of token.
    RequiredClaim = "required_claim",
    /// The scope claim is neither a text nor a list of texts.
    MalformedScope = "malformed_scope",
    /// A configured scope was not granted.
    ScopeMissing = "scope_missing",
    /// `strict_expiry` is set, and the token ends before AWS could disconnect.
    ExpiresTooSoon = "expires_too_soon",
    /// A claim that the policy is made from is absent or not a text.
    ClaimMissing = "claim_missing",
    /// A claim that the policy is made from has characters that are special in a policy or a topic.
    ClaimNotPlain = "claim_not_plain",
    /// The policy does not fit in 10 documents of 2,048 characters.
    PolicyTooLarge = "policy_too_large",
    /// The policy that was written is not the one that was configured. A defect, if it ever shows.
    PolicyRefused = "policy_refused",
}

#[cfg(test)]
mod tests {
    use super::Deny;

    #[test]
    fn names_are_distinct_and_snake_case() {
        let mut names: Vec<_> = Deny::ALL.iter().map(|reason| reason.name()).collect();
        for name in &names {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Deny::ALL.len());
    }
}
