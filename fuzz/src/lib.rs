//! What the fuzz targets run: pure modules of the product, taken in by path, and beside each what must hold,
//! with a slow and obvious second reading where there is one (`check`).

#![allow(dead_code, unused_imports, reason = "the modules are taken in whole, and only a part of each is run")]

// The names are hashed with aws-lc-rs, which has the interface of ring and takes minutes to build.
extern crate ring as aws_lc_rs;

pub mod check;

#[path = "../../local/src/control/iot/answer.rs"]
mod answer;
#[path = "../../local/src/data/credentials.rs"]
mod credentials;
#[path = "../../src/names.rs"]
mod names;
#[path = "../../local/src/partition.rs"]
mod partition;
#[path = "../../local/src/data/policy/mod.rs"]
mod policy;
#[path = "../../src/stack/mod.rs"]
mod stack;
#[path = "../../local/src/strict_json.rs"]
mod strict_json;
#[path = "../../local/src/data/topic.rs"]
mod topic;

/// Where the modules look for each other.
mod control {
    pub(crate) mod iot {
        pub(crate) use crate::answer;
    }
}

type Request = http::Request<bytes::Bytes>;
