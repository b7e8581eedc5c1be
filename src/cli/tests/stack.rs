//! The stack files of these tests, and programs that a package can be made of.

/// A stack that uses every kind.
pub(super) fn file(region: &str) -> String {
    format!(
        r#"name = "demo"
target = "local"
region = "{region}"
protect = false

[tags]
team = "iot"

[signing.generated]
bits = 2048

[token]
issuer = "https://identity.thinggate.local/oauth2/local"
audience = ["deviceagent"]
scopes = ["mail"]
require = {{ tokenName = "access_token" }}

[token.hs256]
secret = "local:hs256"
encoding = "base64"
in_environment = true

[[allow]]
publish = ["customauthtesting"]

[authorizer]
name = "door"
token_key_name = "token"
default = true

[function]
bootstrap = "bootstrap-1"
memory_mb = 256
log_retention_days = 30
"#
    )
}

/// The same stack with other code, other rules and another configuration.
pub(super) fn changed(region: &str) -> String {
    file(region)
        .replace("bootstrap-1", "bootstrap-2")
        .replace("memory_mb = 256", "memory_mb = 512")
        .replace("log_retention_days = 30", "log_retention_days = 60")
        .replace("publish = [\"customauthtesting\"]", "publish = [\"elsewhere\"]")
        .replace("team = \"iot\"", "team = \"devices\"")
}

/// The same stack without token signatures: AWS keeps that for an authorizer's life, so that it is replaced.
pub(super) fn unsigned(region: &str) -> String {
    file(region).replace("[signing.generated]\nbits = 2048\n", "[signing.off]\n")
}

/// A program that the checks before an upload take: a 64-bit executable of this host's processor with
/// one segment, as the System V ABI lays it out. It is never run.
pub(super) fn bootstrap(content: u8) -> Vec<u8> {
    let machine: u16 = if cfg!(target_arch = "aarch64") { 183 } else { 62 };
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    bytes.resize(16, 0);
    for half in [2, machine] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes());
    for word in [0x40_0000_u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for word in [1_u32, 5] {
        bytes.extend(word.to_le_bytes());
    }
    for word in [120_u64, 0x40_0000, 0x40_0000, 16, 16, 8] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([content; 16]);
    bytes
}
