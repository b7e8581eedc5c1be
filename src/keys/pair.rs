//! An RSA pair in memory: `rsa` makes it and writes its PEM, aws-lc signs and verifies.

use std::convert::Infallible;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroizing;

use crate::problem::Problem;

use super::PublicKeyPem;

/// What the self-test signs.
const SELF_TEST: &[u8] = b"thinggate pairwise self-test";

/// A private key; `rsa` wipes it when it is dropped.
pub(super) struct Pair(rsa::PrivateKey);

impl Pair {
    /// A new pair of `bits`, which passed the self-test. Takes 0.1 to 3 s.
    fn make(bits: u16) -> Result<Self, Problem> {
        let key = rsa::PrivateKey::new(&mut OperatingSystem, usize::from(bits))
            .map_err(|error| wrong("the key could not be made", &error.to_string()))?;
        let pair = Self(key);
        pair.self_test()?;
        Ok(pair)
    }

    /// The same on a thread where it keeps nobody waiting.
    pub(super) async fn make_aside(bits: u16) -> Result<Self, Problem> {
        let made = tokio::task::spawn_blocking(move || Self::make(bits)).await;
        made.map_err(|_| wrong("the key could not be made", "its task died"))?
    }

    /// Reads a PKCS#8 PEM.
    pub(super) fn parse(pem: &[u8]) -> Result<Self, Problem> {
        let what = "this is not a private key that can be used";
        let text = std::str::from_utf8(pem).map_err(|_| wrong(what, "it is not text"))?;
        if text.contains("-----BEGIN RSA PRIVATE KEY") {
            let next = "openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW, then chmod 600";
            return Err(wrong(what, "it is in PKCS#1 form (`BEGIN RSA PRIVATE KEY`)").next(next));
        }
        if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY") {
            return Err(wrong(what, "it is encrypted, and there is nobody to ask for the passphrase"));
        }
        // The decoder's own words could quote the key.
        let key = rsa::PrivateKey::from_pkcs8_pem(text)
            .map_err(|_| wrong(what, "it is not a whole PKCS#8 PEM (`BEGIN PRIVATE KEY`) of an RSA key"))?;
        Ok(Self(key))
    }

    /// PKCS#8 PEM, LF.
    pub(super) fn pem(&self) -> Result<Zeroizing<String>, Problem> {
        self.0
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| wrong("the key could not be written", "encoding failed"))
    }

    /// The public half.
    pub(super) fn public(&self) -> Result<PublicKeyPem, Problem> {
        let der = self
            .0
            .to_public_key()
            .to_public_key_der()
            .map_err(|_| wrong("the public half could not be made", "encoding failed"))?;
        PublicKeyPem::from_der(der.as_bytes())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let failed = |because: &str| wrong("the signing key does not sign", because);
        let der = self.0.to_pkcs8_der().map_err(|_| failed("encoding failed"))?;
        let pair = KeyPair::from_pkcs8(der.as_bytes()).map_err(|error| failed(&error.to_string()))?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| failed("aws-lc refused"))?;
        Ok(signature)
    }

    /// What `rsa` signs, aws-lc verifies, and what aws-lc signs is the same bytes: two libraries agree
    /// on the key before anybody depends on it.
    fn self_test(&self) -> Result<(), Problem> {
        let failed = |because: &str| wrong("a new key failed its self-test and was dropped", because);
        let ours = self
            .0
            .pkcs1v15_sign::<rsa::sha2::Sha256>(SELF_TEST)
            .map_err(|error| failed(&error.to_string()))?;
        if !self.public()?.verifies(SELF_TEST, &ours) {
            return Err(failed("aws-lc does not verify what rsa signed"));
        }
        if self.sign(SELF_TEST)? != ours {
            return Err(failed("rsa and aws-lc sign differently"));
        }
        Ok(())
    }
}

fn wrong(what: &str, because: &str) -> Problem {
    Problem::failed("private_key", what).because(because)
}

/// The operating system's random numbers, through aws-lc.
struct OperatingSystem;

impl TryRng for OperatingSystem {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        aws_lc_rs::rand::fill(bytes).expect("aws-lc aborts the process itself when there is no randomness");
        Ok(())
    }
}

impl TryCryptoRng for OperatingSystem {}
