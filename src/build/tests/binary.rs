//! What is refused before an upload, and the zip's bytes.

use std::io::{Cursor, Read as _};

use super::super::{check, zip};
use super::*;

/// A 64-bit little-endian ELF file with one program header, as the System V ABI lays it out.
struct Elf {
    machine: u16,
    kind: u16,
    entry: u64,
    segment: u32,
    content: Vec<u8>,
}

/// `EM_X86_64`, `ET_EXEC` and an entry point, and a `PT_LOAD` segment.
fn sound() -> Elf {
    Elf { machine: 62, kind: 2, entry: 0x40_0000, segment: 1, content: vec![0; 16] }
}

impl Elf {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
        bytes.resize(16, 0);
        for half in [self.kind, self.machine] {
            bytes.extend(half.to_le_bytes());
        }
        bytes.extend(1_u32.to_le_bytes());
        for word in [self.entry, 64, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(0_u32.to_le_bytes());
        for half in [64_u16, 56, 1, 64, 0, 0] {
            bytes.extend(half.to_le_bytes());
        }
        bytes.extend(self.segment.to_le_bytes());
        bytes.extend(5_u32.to_le_bytes());
        let length = self.content.len() as u64;
        for word in [120, 0x40_0000, 0x40_0000, length, length, 8] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(&self.content);
        bytes
    }

    fn check(&self) -> Result<(), String> {
        check::runs_on_lambda(&self.bytes(), Architecture::X8664)
    }
}

#[test]
fn a_static_executable_for_the_right_processor_runs() {
    assert_eq!(sound().check(), Ok(()));
    assert_eq!(Elf { kind: 3, ..sound() }.check(), Ok(()), "position-independent");
    let arm = Elf { machine: 183, ..sound() };
    assert_eq!(check::runs_on_lambda(&arm.bytes(), Architecture::Arm64), Ok(()));
    // A static position-independent executable has a dynamic section, which needs nothing.
    assert_eq!(Elf { segment: 2, content: vec![0; 16], ..sound() }.check(), Ok(()));
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    // DT_NEEDED with an offset, then DT_NULL.
    let needs: Vec<u8> = [1_u64, 7, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
    let interpreter = b"/lib64/ld-linux-x86-64.so.2\0".to_vec();
    let cases = [
        (Elf { machine: 183, ..sound() }, "built for arm64; the function's architecture is x86_64"),
        (Elf { machine: 243, ..sound() }, "built for RISC-V"),
        (Elf { kind: 1, ..sound() }, "an object file"),
        (Elf { kind: 4, ..sound() }, "not an executable"),
        (Elf { kind: 3, entry: 0, ..sound() }, "a shared library"),
        (Elf { segment: 3, content: interpreter, ..sound() }, "the interpreter /lib64/ld-linux-x86-64.so.2"),
        (Elf { segment: 2, content: needs, ..sound() }, "needs 1 shared libraries"),
    ];
    for (elf, expected) in cases {
        let reason = elf.check().unwrap_err();
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
    let mut narrow = sound().bytes();
    narrow[4] = 1;
    let cut = sound().bytes()[..70].to_vec();
    let texts: [(&[u8], &str); 8] = [
        (b"", "empty"),
        (b"#!/bin/sh\n", "a script"),
        (b"PK\x03\x04", "a zip"),
        (b"MZ\x90\x00", "Windows"),
        (b"\xcf\xfa\xed\xfe", "macOS"),
        (b"hello", "not an ELF"),
        (&narrow, "32-bit"),
        (&cut, "damaged"),
    ];
    for (bytes, expected) in texts {
        let reason = check::runs_on_lambda(bytes, Architecture::X8664).unwrap_err();
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

/// The test program itself is what a plain `cargo build` gives: linked dynamically.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[tokio::test]
async fn a_plain_build_is_refused() {
    let recipe = Recipe {
        source: Source::Bootstrap(std::env::current_exe().unwrap()),
        architecture: host(),
        configuration: b"{}\n".to_vec(),
    };
    let files = Files::default();
    let problem = package(&files, &recipe, &tools(), &|_| {}).await.unwrap_err();
    assert_eq!(problem.code, "bootstrap_unusable");
    assert!(problem.because[0].contains("interpreter"), "{problem}");
}

#[test]
fn the_zip_has_two_entries_and_the_same_bytes_every_time() {
    let bootstrap = b"\x7fELF".repeat(1000);
    let packed = zip::pack(b"{}\n", &bootstrap).unwrap();
    assert_eq!(packed, zip::pack(b"{}\n", &bootstrap).unwrap());
    // APPNOTE.TXT 4.3.7: signature, version, flags, method 8, time 0, date 0x21 (1980-01-01).
    assert_eq!(packed[..4], *b"PK\x03\x04");
    assert_eq!(packed[8..14], [8, 0, 0, 0, 0x21, 0]);
    assert_eq!(packed[26..30], [15, 0, 0, 0], "the name's length, and no extra fields");
    let mut archive = ::zip::ZipArchive::new(Cursor::new(packed)).unwrap();
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        entries.push((entry.name().unwrap().into_owned(), entry.unix_mode(), bytes));
    }
    let expected = [
        ("authorizer.json".to_owned(), Some(0o10_0644), b"{}\n".to_vec()),
        ("bootstrap".to_owned(), Some(0o10_0755), bootstrap),
    ];
    assert_eq!(entries, expected);
}
