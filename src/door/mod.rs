//! The one door to the world: [`Http`] carries every request, the SDK's and ours, and [`Files`] is
//! the only user of the file system. Each crossing is announced to every [`Toll`].

mod files;
mod http;
mod limiter;
mod recorder;
mod stop;
mod toll;

pub use files::Files;
pub use http::{Http, HttpError};
pub use limiter::Limiter;
pub use recorder::Recorder;
pub use stop::Stop;
pub use toll::{Crossing, Gate, Refusal, Toll};
