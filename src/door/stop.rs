//! The toll of Ctrl-C.

use tokio_util::sync::CancellationToken;

use super::toll::{Crossing, Gate, Refusal, Toll};

/// Once told to stop, it refuses every new request, reads included; requests in flight finish, and
/// files can still be written, so that what is half done on disk gets whole. Clones are the same stop.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// A stop that nobody asked for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops. A second call changes nothing.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until it is told to stop.
    pub async fn stopped(&self) {
        self.0.cancelled().await;
    }
}

impl Toll for Stop {
    fn before(&self, crossing: &Crossing) -> Gate {
        match crossing {
            Crossing::Http { .. } if self.is_stopped() => Gate::Refused(Refusal::Stopped),
            Crossing::Http { .. } | Crossing::File { .. } => Gate::Open,
        }
    }

    fn during_delay(&self) -> Option<Refusal> {
        self.is_stopped().then_some(Refusal::Stopped)
    }
}
