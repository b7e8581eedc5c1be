//! The one door to the world: [`Http`] carries every request, the SDK's and ours, and [`Files`] is
//! the only user of the file system. Each crossing is announced to every [`Toll`].

mod files;
mod http;
mod limiter;
mod network;
mod recorder;
mod stop;
mod toll;

pub use self::http::{Answer, Http, HttpError, LabelOperation};
pub use files::{Created, Entry, Files, Holder};
pub use limiter::Limiter;
pub use network::{NetworkOptions, Roots};
pub use recorder::Recorder;
pub use stop::Stop;
pub use toll::{Crossing, Gate, Refusal, Toll, Tolls};
