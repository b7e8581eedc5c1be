//! A stack's life: every command, its whole output.

use crate::support::{Bench, shown};

#[test]
fn a_stack_lives_and_dies() {
    let bench = Bench::new();
    shown!(bench.run(&["validate", "stack.toml"]), @r#"
    exit 0
    -- output
    stack.toml: valid
    -- errors
    note: the function's environment will hold the secret, for everybody who may read its configuration
          next: `[token.rs256]` needs no secret, where the provider can sign so
    "#);
    shown!(bench.run(&["plan", "stack.toml", "--exit-code"]), "story-plan");
    shown!(bench.run(&["outputs", "stack.toml"]), "story-outputs");
    shown!(bench.run(&["drift", "stack.toml"]), "story-drift");
    shown!(bench.run(&["deploy", "stack.toml"]), "story-deploy");
    shown!(bench.run(&["deploy", "stack.toml"]), "story-deploy-2");
    shown!(bench.run(&["plan", "stack.toml", "--exit-code"]), "story-plan-2");
    shown!(bench.run(&["drift", "stack.toml"]), "story-drift-2");
    shown!(bench.run(&["outputs", "stack.toml", "--for", "device"]), @r#"
    exit 1
    -- errors
    error: no device can reach the local target
      because: it is not served, and its name leads nowhere

    next: thinggate local up, in another terminal and the same folder
    "#);
    shown!(bench.run(&["destroy", "stack.toml"]), "story-destroy");
    shown!(bench.run(&["destroy", "stack.toml", "--yes"]), "story-destroy-yes");
    shown!(bench.run(&["destroy", "stack.toml", "--yes", "--delete-key"]), @r#"
    exit 0
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

      - signing key  keys/local-demo@eu-west-1  deleted  devices: all devices

    destroyed: nothing is left
    -- errors
      local-demo: - signing key deleted (TIME)
    "#);
    shown!(bench.run(&["destroy", "stack.toml", "--yes", "--delete-key"]), @r#"
    exit 0
    -- output
    local-demo in eu-west-1, account 000000000000 (local)

    nothing left to destroy
    "#);
}
