//! What the tests share: packages made of the test bootstrap.

use std::io::{Cursor, Write};
use std::sync::OnceLock;

use bytes::Bytes;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Returns a zip of `bootstrap` alone.
pub(crate) fn package_of(bootstrap: &[u8]) -> Bytes {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    writer.start_file("bootstrap", options).unwrap();
    writer.write_all(bootstrap).unwrap();
    Bytes::from(writer.finish().unwrap().into_inner())
}

/// Returns the package of the test bootstrap.
pub(crate) fn package() -> Bytes {
    static PACKAGE: OnceLock<Bytes> = OnceLock::new();
    PACKAGE.get_or_init(|| package_of(&std::fs::read(env!("CARGO_BIN_EXE_test-bootstrap")).unwrap())).clone()
}
