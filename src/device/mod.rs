//! The device: logs in with the device flow, looks into its token, publishes.
//!
//! Values in, values out: nothing here prints, reads a file or an environment variable, or names an SDK
//! type. Requests go through [`crate::door::Http`]. What a provider or a gateway says is made safe to
//! show ([`printable`]) before it leaves this module, and tokens leave as [`crate::keys::Secret`].

mod answer;
mod grant;
mod publish;
mod text;
mod token;

pub use grant::{Flow, Login, Pace, Pending};
pub use publish::{Answer, Publish};
pub use text::printable;
pub use token::{Kind, Seen};
