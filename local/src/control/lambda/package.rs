//! The uploaded zip: checked as AWS checks it, kept by its content.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use zip::ZipArchive;

use super::errors::{Violations, invalid_parameter, too_large, user};
use super::state::Code;
use crate::control::{Call, ServiceError};
use crate::lambda_host;

/// The zip itself. (aws-facts 3.1)
const ZIP_BYTES_MAX: usize = 52_428_800;
/// The whole request. (aws-facts 3.1)
const REQUEST_BYTES_MAX: usize = 70_167_211;
/// What is in the zip, unpacked. (aws-facts 3.1)
const UNZIPPED_BYTES_MAX: u64 = 262_144_000;

/// Where the code of a function comes from.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WantedCode {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    #[serde(rename = "SourceKMSKeyArn")]
    source_kms_key_arn: Option<String>,
    image_uri: Option<String>,
}

impl WantedCode {
    /// Refuses what the model forbids, and what the local target has not.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let mut violations = Violations::default();
        if let Some(bucket) = &self.s3_bucket {
            let good = bucket.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
            let constraint = r"satisfy regular expression pattern: [0-9A-Za-z\.\-_]*(?<!\.)";
            violations.check(good && !bucket.ends_with('.'), "code.s3Bucket", bucket, constraint);
            violations.length(3..=63, "code.s3Bucket", bucket);
        }
        if let Some(key) = &self.s3_key {
            violations.length(1..=1024, "code.s3Key", key);
        }
        if let Some(version) = &self.s3_object_version {
            violations.length(1..=1024, "code.s3ObjectVersion", version);
        }
        if let Some(arn) = &self.source_kms_key_arn {
            let good = arn.is_empty() || is_arn(arn);
            let constraint = "satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()";
            violations.check(good, "code.sourceKMSKeyArn", arn, constraint);
        }
        violations.refuse()?;
        match self.source_kms_key_arn.as_deref() {
            None | Some("") => Ok(()),
            Some(_) => Err(invalid_parameter("The local target has no SourceKMSKeyArn.")),
        }
    }

    /// The zip, when the request has one that may be used.
    pub(super) fn zip(&self, package_type: PackageType) -> Result<Bytes, ServiceError> {
        if self.s3_bucket.is_some() || self.s3_key.is_some() || self.s3_object_version.is_some() {
            return Err(invalid_parameter(
                "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified \
                 bucket does not exist",
            ));
        }
        if self.image_uri.is_some() {
            return Err(invalid_parameter(match package_type {
                PackageType::New => "The local target has no container images.",
                PackageType::Zip => {
                    "Please don't provide ImageUri when updating a function with packageType Zip."
                }
            }));
        }
        let Some(text) = &self.zip_file else {
            return Err(invalid_parameter("Please provide a source for function code."));
        };
        let zip = STANDARD
            .decode(text)
            .map_err(|_| user(400, "SerializationException", "ZipFile is not base64"))?;
        check_zip(&zip)?;
        Ok(Bytes::from(zip))
    }
}

/// `arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*`
fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    let ["arn", partition, service, _] = parts[..] else { return false };
    (partition.is_empty() || partition.starts_with("aws"))
        && partition.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
        && !service.is_empty()
        && service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
}

/// What the function that gets the code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageType {
    /// It is being created.
    New,
    /// It is one of zips.
    Zip,
}

/// Refuses a request that is too large for `operation` as a whole.
pub(super) fn check_request_size(call: &Call, operation: &str) -> Result<(), ServiceError> {
    if call.body.len() <= REQUEST_BYTES_MAX {
        return Ok(());
    }
    Err(too_large(format!(
        "Request must be smaller than {REQUEST_BYTES_MAX} bytes for the {operation} operation"
    )))
}

fn check_zip(zip: &[u8]) -> Result<(), ServiceError> {
    if zip.len() > ZIP_BYTES_MAX {
        return Err(too_large(format!("Zipped size must be smaller than {ZIP_BYTES_MAX} bytes")));
    }
    if zip.is_empty() {
        return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
    }
    let not_a_zip = || {
        invalid_parameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
    };
    let mut archive = ZipArchive::new(Cursor::new(zip)).map_err(|_| not_a_zip())?;
    if archive.is_empty() {
        return Err(invalid_parameter("Uploaded file must be a non-empty zip"));
    }
    let mut unzipped: u64 = 0;
    for place in 0..archive.len() {
        let entry = archive.by_index_raw(place).map_err(|_| not_a_zip())?;
        unzipped = unzipped.saturating_add(entry.size());
    }
    if unzipped > UNZIPPED_BYTES_MAX {
        let text = format!("Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes");
        return Err(invalid_parameter(text));
    }
    // The sizes were the package's word. What cannot be unpacked must not be released.
    lambda_host::check_package(zip).map_err(|because| {
        let refused = "Could not unzip uploaded file. Please check your file, then try to upload again.";
        invalid_parameter(format!("{refused} ({because})"))
    })
}

/// Keeps the zip in the target's store.
pub(super) fn keep(call: &Call, zip: &Bytes) -> Result<Code, ServiceError> {
    let sha256_hex = call.packages.put(zip).map_err(|error| {
        let because = format!("the local target cannot write the package: {}", error.kind());
        ServiceError::new(500, "ServiceException", because)
    })?;
    Ok(Code { sha256_hex, size_bytes: zip.len() as u64 })
}

/// The hash as Lambda shows it: base64 of the bytes.
pub(super) fn sha256_base64(sha256_hex: &str) -> String {
    let digits = sha256_hex.as_bytes().chunks(2);
    let bytes: Vec<u8> =
        digits.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::bench::zip_of;

    fn refusal(zip: &[u8]) -> Option<(u16, String)> {
        check_zip(zip).err().map(|error| (error.status, error.message))
    }

    #[test]
    fn sizes_have_limits() {
        // [R] TestLambdaSizeLimits.
        let text = "Zipped size must be smaller than 52428800 bytes";
        assert_eq!(refusal(&vec![0; ZIP_BYTES_MAX + 1]), Some((413, text.to_owned())));
        let mut zip = zip_of("small");
        assert_eq!(refusal(&zip), None);
        // The unpacked size stands 24 bytes into the entry of the central directory (APPNOTE 4.3.12).
        let entry = zip.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        zip[entry + 24..entry + 28].copy_from_slice(&262_144_001_u32.to_le_bytes());
        let text = "Unzipped size must be smaller than 262144000 bytes";
        assert_eq!(refusal(&zip), Some((400, text.to_owned())));
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused_at_once() {
        let text = "Could not unzip uploaded file. Please check your file, then try to upload again.";
        let mut zip = zip_of("one content, stored or deflated");
        // The CRC-32 stands 14 bytes into the local header, and 16 into the central one (APPNOTE 4.3.7, 4.3.12).
        let entry = zip.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        zip[entry + 16] ^= 1;
        zip[14] ^= 1;
        let (status, found) = refusal(&zip).unwrap();
        assert!(status == 400 && found.starts_with(text), "{found}");
        let mut zip = zip_of("two");
        // A symbolic link: the upper half of the external attributes, 38 bytes into it (APPNOTE 4.3.12).
        let entry = zip.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
        zip[entry + 40..entry + 42].copy_from_slice(&0o120_777_u16.to_le_bytes());
        let (status, found) = refusal(&zip).unwrap();
        assert!(status == 400 && found.contains("is a symbolic link"), "{found}");
    }

    #[test]
    fn the_hash_is_shown_as_base64() {
        // SHA-256 of nothing: FIPS 180-4 test vector.
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_base64(hex), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
