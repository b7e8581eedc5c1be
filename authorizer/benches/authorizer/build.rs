//! Builds both programs as the deployer builds the package: optimised, static, for this machine.

use std::path::PathBuf;
use std::process::Command;

/// The programs to compare.
pub(crate) struct Programs {
    pub(crate) authorizer: PathBuf,
    pub(crate) floor: PathBuf,
    /// A folder for the configuration, beside the programs.
    pub(crate) folder: PathBuf,
}

pub(crate) fn programs() -> Programs {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let target = host_target();
    // Apart: an example brings its own dependencies, which must not change the executable.
    for what in [["--bin", "bootstrap"], ["--example", "floor"]] {
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--locked",
                "--package",
                "thinggate-authorizer",
                "--profile",
                "lambda",
            ])
            .args(["--target", &target])
            .args(what)
            .arg("--target-dir")
            .arg(folder.join("static"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("RUSTFLAGS", "-C target-feature=+crt-static")
            .status()
            .unwrap();
        assert!(status.success(), "{what:?} does not build");
    }
    let built = folder.join("static").join(target).join("lambda");
    Programs { authorizer: built.join("bootstrap"), floor: built.join("examples/floor"), folder }
}

fn host_target() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}
