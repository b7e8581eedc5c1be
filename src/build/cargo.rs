//! Runs Cargo: one static binary, the same bytes in any folder.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::door::Files;
use crate::problem::Problem;
use crate::stack::Architecture;

use super::source::{manifest, workspace_of};
use super::tools::Tools;
use super::triple;

/// The profile of the workspace that the authorizer is built with.
pub(super) const PROFILE: &str = "lambda";

/// What makes the binary static, whatever the machine's configuration says.
pub(super) const FLAGS: [&str; 1] = ["-Ctarget-feature=+crt-static"];

/// The longest build. A cold one takes half a minute on two cores.
const BUILD_TIMEOUT: Duration = Duration::from_mins(20);

/// How many lines of a failed build are told.
const TAIL_LINES: usize = 20;

/// The longest that a tool may take to say something about itself; `cargo metadata` may download.
const TOOL_TIMEOUT: Duration = Duration::from_mins(5);

/// Builds the crate in `folder` and says where its `bootstrap` is.
pub(super) async fn build(
    files: &Files,
    folder: &Path,
    architecture: Architecture,
    tools: &Tools,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, Problem> {
    let workspace = workspace_of(files, folder)?;
    let manifest = manifest(files, &folder.join("Cargo.toml"))?;
    let name = manifest.get("package").and_then(|package| package.get("name")?.as_str()).unwrap_or_default();
    let toolchain = Toolchain::find(tools, &workspace).await?;
    let how = How::choose(files, tools, &toolchain, architecture, &workspace).await;
    let how = how.map_err(|problem| tools.interruption().unwrap_or(problem))?;
    let target_folder = workspace.join("target").join("thinggate");
    let mut command = tools.command("cargo", &workspace);
    command.args(["--color", "never"]).arg(how.subcommand).args(["-p", name, "--bin", "bootstrap"]);
    command.args(["--profile", PROFILE, "--locked", "--target", how.triple]);
    command.arg("--target-dir").arg(&target_folder);
    toolchain.remap(&workspace, &mut command);
    if let Some((variable, linker)) = how.linker {
        command.env(variable, linker);
    }
    progress(&format!("building {name} for {}", architecture.as_str()));
    let (status, tail) = run(tools, command, progress).await?;
    if !status.success() {
        return Err(failed(tail, how.triple));
    }
    Ok(target_folder.join(how.triple).join(PROFILE).join("bootstrap"))
}

/// The Rust toolchain that Cargo uses in a workspace.
struct Toolchain {
    /// Such as `x86_64-unknown-linux-gnu`.
    host: String,
    /// Where its libraries are.
    root: PathBuf,
    /// Where Cargo keeps the sources of dependencies.
    home: Option<PathBuf>,
}

impl Toolchain {
    async fn find(tools: &Tools, workspace: &Path) -> Result<Self, Problem> {
        let version = output(tools, workspace, "rustc", &["-vV"]).await?;
        let host =
            version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        let root = output(tools, workspace, "rustc", &["--print", "sysroot"]).await?.trim().into();
        let home = cargo_home(tools, workspace, &host).await;
        Ok(Self { host, root, home })
    }

    /// Takes this machine's folders out of the binary.
    fn remap(&self, workspace: &Path, command: &mut Command) {
        let mut folders = vec![(workspace, "/thinggate"), (self.root.as_path(), "/rust")];
        folders.extend(self.home.as_deref().map(|home| (home, "/cargo")));
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        let mut c_flags = Vec::new();
        for (folder, name) in folders {
            flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
            c_flags.push(format!("-ffile-prefix-map={}={name}", folder.display()));
        }
        // Cargo's own separator: folders may have spaces.
        command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        // The C compiler's flags are split at spaces; a folder with one stays as it is.
        c_flags.retain(|flag| !flag.contains(char::is_whitespace));
        command.env("CFLAGS", c_flags.join(" "));
    }
}

/// Where Cargo keeps the sources of dependencies. Asked of Cargo, first without the network, because it
/// also looks at dependencies that this build does not need; where that fails, the usual folder.
async fn cargo_home(tools: &Tools, workspace: &Path, host: &str) -> Option<PathBuf> {
    const METADATA: [&str; 5] = ["metadata", "--format-version", "1", "--locked", "--filter-platform"];
    for offline in [&["--offline"][..], &[]] {
        let arguments = [&METADATA[..], &[host], offline].concat();
        if let Ok(metadata) = output(tools, workspace, "cargo", &arguments).await {
            return home_of(&metadata);
        }
    }
    std::env::home_dir().map(|home| home.join(".cargo"))
}

/// The folder above `registry/src/…` or `git/checkouts/…` of any dependency; none where all are vendored.
fn home_of(metadata: &str) -> Option<PathBuf> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(serde::Deserialize)]
    struct Package {
        manifest_path: String,
    }
    let metadata: Metadata = serde_json::from_str(metadata).ok()?;
    metadata.packages.iter().find_map(|package| {
        let path = package.manifest_path.as_str();
        let end = path.find("/registry/src/").or_else(|| path.find("/git/checkouts/"))?;
        Some(PathBuf::from(&path[..end]))
    })
}

/// How one architecture is built on this machine.
struct How {
    subcommand: &'static str,
    triple: &'static str,
    linker: Option<(&'static str, &'static str)>,
}

impl How {
    /// The host's own target; else cargo-zigbuild, which brings a linker and a C library for every
    /// target; else the target with its usual cross-linker.
    async fn choose(
        files: &Files,
        tools: &Tools,
        toolchain: &Toolchain,
        architecture: Architecture,
        workspace: &Path,
    ) -> Result<Self, Problem> {
        let gnu = triple(architecture);
        let installed =
            |triple: &str| files.is_folder(&toolchain.root.join("lib/rustlib").join(triple).join("lib"));
        if toolchain.host == gnu && installed(gnu)? {
            return Ok(Self { subcommand: "build", triple: gnu, linker: None });
        }
        // zig has no static glibc, so its targets are those of musl.
        let musl = match architecture {
            Architecture::X8664 => "x86_64-unknown-linux-musl",
            Architecture::Arm64 => "aarch64-unknown-linux-musl",
        };
        let zig = output(tools, workspace, "cargo-zigbuild", &["--version"]).await.is_ok();
        if zig && installed(musl)? {
            return Ok(Self { subcommand: "zigbuild", triple: musl, linker: None });
        }
        let (variable, linker) = match architecture {
            Architecture::X8664 => ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "x86_64-linux-gnu-gcc"),
            Architecture::Arm64 => ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc"),
        };
        if installed(gnu)? && output(tools, workspace, linker, &["--version"]).await.is_ok() {
            return Ok(Self { subcommand: "build", triple: gnu, linker: Some((variable, linker)) });
        }
        let missing = match (zig, toolchain.host == gnu) {
            (true, _) => format!("rustup target add {musl}"),
            (false, true) => format!("rustup target add {gnu}"),
            (false, false) => {
                format!("rustup target add {musl} && cargo install cargo-zigbuild && pip install ziglang")
            }
        };
        Err(ways_out(
            Problem::failed("no_target", "this machine cannot build for the function's architecture")
                .because(format!(
                    "{} is built on {} only with more tools",
                    architecture.as_str(),
                    toolchain.host
                )),
            &missing,
        ))
    }
}

/// The three ways out for who cannot build.
fn ways_out(problem: Problem, install: &str) -> Problem {
    problem.next(format!(
        "{install}; or set `[function] bootstrap = \"FILE\"` to a binary built elsewhere; or keep what is deployed with --keep-code"
    ))
}

/// What a tool says on stdout.
async fn output(
    tools: &Tools,
    workspace: &Path,
    program: &str,
    arguments: &[&str],
) -> Result<String, Problem> {
    let mut command = tools.command(program, workspace);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| no_tool(program, &error))?;
    let output = tools
        .wait(child.id(), TOOL_TIMEOUT, child.wait_with_output())
        .await?
        .map_err(|error| no_tool(program, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let tail: Vec<String> = said.lines().map(str::to_owned).collect();
        return Err(failed(tail, "this machine"));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a build; its lines on stderr go to `progress`, the last ones come back.
async fn run(
    tools: &Tools,
    mut command: Command,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<(ExitStatus, Vec<String>), Problem> {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| no_tool("cargo", &error))?;
    let id = child.id();
    let mut tail = Vec::new();
    let building = async {
        if let Some(stderr) = child.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                progress(line.trim());
                tail.push(line);
                if tail.len() > 10 * TAIL_LINES {
                    tail.drain(..TAIL_LINES);
                }
            }
        }
        child.wait().await
    };
    let ended = tools.wait(id, BUILD_TIMEOUT, building).await?;
    let status = ended.map_err(|error| no_tool("cargo", &error))?;
    Ok((status, tail))
}

fn no_tool(program: &str, error: &std::io::Error) -> Problem {
    let because = match error.kind() {
        std::io::ErrorKind::NotFound => format!("`{program}` is not on the PATH"),
        _ => format!("`{program}` does not start: {error}"),
    };
    ways_out(
        Problem::failed("no_toolchain", "there is no Rust toolchain to build the authorizer with")
            .because(because),
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
    )
}

/// A build that failed: its errors, or its last lines.
fn failed(tail: Vec<String>, target: &str) -> Problem {
    let text = tail.join("\n");
    let next = if text.contains("cannot find -lc") {
        "install the static C library: apt install libc6-dev, or dnf install glibc-static"
    } else if text.contains("linker `cc` not found") || text.contains("failed to find tool") {
        "install a C compiler: apt install gcc libc6-dev, or dnf install gcc glibc-static"
    } else if text.contains("no default toolchain") || text.contains("could not choose a version") {
        "rustup default stable"
    } else if text.contains("--locked") {
        "cargo update -p thinggate-authorizer, and commit Cargo.lock"
    } else {
        "mend the sources, or set `[function] bootstrap = \"FILE\"`, or keep what is deployed with --keep-code"
    };
    let problem =
        Problem::failed("build_failed", format!("the authorizer cannot be built for {target}")).next(next);
    let skipped = tail.len().saturating_sub(TAIL_LINES);
    tail.into_iter().skip(skipped).filter(|line| !line.trim().is_empty()).fold(problem, Problem::because)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_found_from_any_dependency() {
        let metadata = |path: &str| {
            serde_json::json!({"packages": [{"manifest_path": "/work space/a/Cargo.toml"}, {"manifest_path": path}]})
                .to_string()
        };
        let home = |path: &str| home_of(&metadata(path)).map(|home| home.display().to_string());
        let registry = "/opt/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/ring-0.17.14/Cargo.toml";
        assert_eq!(home(registry).as_deref(), Some("/opt/me/.cargo"));
        assert_eq!(home("/c/git/checkouts/x-1/2/Cargo.toml").as_deref(), Some("/c"));
        assert_eq!(home("/work space/vendor/ring/Cargo.toml"), None);
    }

    #[test]
    fn who_cannot_build_has_three_ways_out() {
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let problem = no_tool("rustc", &missing);
        assert_eq!(problem.because, ["`rustc` is not on the PATH"]);
        let next = problem.next.unwrap();
        for way in ["sh.rustup.rs", "[function] bootstrap", "--keep-code"] {
            assert!(next.contains(way), "{next}");
        }
    }

    #[test]
    fn a_failure_names_what_helps() {
        // Texts of rustc 1.95, GNU ld, and rustup 1.28.
        let cases = [
            ("= note: /usr/bin/ld: cannot find -lc: No such file or directory", "glibc-static"),
            ("error: linker `cc` not found", "apt install gcc"),
            ("error: rustup could not choose a version of cargo to run", "rustup default stable"),
            ("error[E0425]: cannot find function `x` in this scope", "--keep-code"),
        ];
        for (said, expected) in cases {
            let problem = failed(vec![said.to_owned()], "x86_64-unknown-linux-gnu");
            assert!(problem.next.unwrap().contains(expected), "{said}");
            assert_eq!(problem.because, [said]);
        }
        let long = failed((0..50).map(|number| format!("line {number}")).collect(), "x");
        assert_eq!((long.because.len(), long.because[0].as_str()), (TAIL_LINES, "line 30"));
    }

    /// Another processor's target is named with what to install, unless this machine has it all.
    #[tokio::test]
    async fn another_processor_needs_more_tools() {
        let folder = tempfile::tempdir().unwrap();
        let toolchain = Toolchain {
            host: "x86_64-unknown-linux-gnu".to_owned(),
            root: folder.path().to_owned(),
            home: None,
        };
        let files = Files::default();
        let tools = super::super::tests::tools();
        let arm =
            How::choose(&files, &tools, &toolchain, Architecture::Arm64, folder.path()).await.err().unwrap();
        assert_eq!(arm.code, "no_target");
        assert!(arm.next.unwrap().contains("rustup target add aarch64-unknown-linux-musl"));
        let own =
            How::choose(&files, &tools, &toolchain, Architecture::X8664, folder.path()).await.err().unwrap();
        assert!(own.next.unwrap().contains("rustup target add x86_64-unknown-linux-"));
        files.create_folder(&folder.path().join("lib/rustlib/x86_64-unknown-linux-gnu/lib")).unwrap();
        let own =
            How::choose(&files, &tools, &toolchain, Architecture::X8664, folder.path()).await.ok().unwrap();
        assert_eq!((own.subcommand, own.triple), ("build", "x86_64-unknown-linux-gnu"));
    }
}
