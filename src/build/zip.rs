//! The zip that Lambda takes: two entries, the same bytes every time.

use std::io::{Cursor, Write as _};

use ::zip::write::{SimpleFileOptions, ZipWriter};
use ::zip::{CompressionMethod, DateTime, System};

use crate::problem::Problem;

/// The greatest package that can be uploaded directly. Source: Lambda quotas, "Deployment package size".
const ZIP_BYTES_MAX: usize = 50 * 1024 * 1024;

/// Packs `authorizer.json` (0644) and `bootstrap` (0755), dated 1980-01-01, without extra fields.
pub(super) fn pack(configuration: &[u8], bootstrap: &[u8]) -> Result<Vec<u8>, Problem> {
    let zip = write(configuration, bootstrap).map_err(|error| {
        Problem::failed("package", "the package cannot be packed").because(error.to_string())
    })?;
    if zip.len() > ZIP_BYTES_MAX {
        return Err(Problem::failed("package_too_large", "the package is too large for Lambda")
            .because(format!("it has {} bytes; at most {ZIP_BYTES_MAX} can be uploaded", zip.len())));
    }
    Ok(zip)
}

fn write(configuration: &[u8], bootstrap: &[u8]) -> Result<Vec<u8>, ::zip::result::ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, bytes) in [("authorizer.json", 0o644, configuration), ("bootstrap", 0o755, bootstrap)] {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(mode);
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
