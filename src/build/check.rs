//! Whether Lambda could start a binary: refused before the upload, because afterwards the only sign is
//! a fleet that is locked out.

use object::elf;
use object::endian::Endianness;
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _};

use crate::stack::Architecture;

type Header = elf::FileHeader64<Endianness>;

/// Checks that `binary` is a static 64-bit Linux executable for `architecture`; `Err` is the reason.
///
/// `provided.al2023` has glibc 2.34: a binary that was linked dynamically on a newer system does not
/// start there, and one with an interpreter depends on what that system has.
pub(super) fn runs_on_lambda(binary: &[u8], architecture: Architecture) -> Result<(), String> {
    other_format(binary)?;
    if binary.get(4) == Some(&1) {
        return Err("it is a 32-bit program; Lambda needs 64 bits".to_owned());
    }
    let damaged = |_| "it is a damaged ELF file".to_owned();
    let header = Header::parse(binary).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    let machine = header.e_machine.get(endian);
    let (wanted, found) = (architecture.as_str(), machine_name(machine));
    if found != wanted {
        return Err(format!("it is built for {found}; the function's architecture is {wanted}"));
    }
    match header.e_type.get(endian) {
        elf::ET_EXEC | elf::ET_DYN => {}
        elf::ET_REL => return Err("it is an object file, not an executable".to_owned()),
        _ => return Err("it is not an executable".to_owned()),
    }
    if header.e_entry.get(endian) == 0 {
        return Err("it is a shared library, not an executable: it has no entry point".to_owned());
    }
    for segment in header.program_headers(endian, binary).map_err(damaged)? {
        if let Some(interpreter) = segment.interpreter(endian, binary).map_err(damaged)? {
            let interpreter = String::from_utf8_lossy(interpreter).into_owned();
            return Err(format!("it is linked dynamically: it asks for the interpreter {interpreter}"));
        }
        let dynamic = segment.dynamic(endian, binary).map_err(damaged)?.unwrap_or_default();
        let needs = |entry: &&elf::Dyn64<Endianness>| entry.tag32(endian) == Some(elf::DT_NEEDED);
        let libraries = dynamic.iter().filter(needs).count();
        if libraries > 0 {
            return Err(format!("it is linked dynamically: it needs {libraries} shared libraries"));
        }
    }
    Ok(())
}

/// Names the usual things that are not ELF.
fn other_format(binary: &[u8]) -> Result<(), String> {
    let what = match binary {
        [0x7f, b'E', b'L', b'F', ..] => return Ok(()),
        [] => "it is empty",
        [b'#', b'!', ..] => {
            "it is a script; Lambda's provided.al2023 has no interpreter that can be relied on"
        }
        [b'P', b'K', ..] => "it is a zip; name the binary inside it",
        [b'M', b'Z', ..] => "it is a Windows program; Lambda runs Linux",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            "it is a macOS program; Lambda runs Linux"
        }
        _ => "it is not an ELF program",
    };
    Err(what.to_owned())
}

fn machine_name(machine: u16) -> &'static str {
    match machine {
        elf::EM_X86_64 => "x86_64",
        elf::EM_AARCH64 => "arm64",
        elf::EM_RISCV => "RISC-V",
        elf::EM_PPC64 => "PowerPC",
        elf::EM_S390 => "s390x",
        _ => "another processor",
    }
}
