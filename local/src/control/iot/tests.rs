//! What the IoT control plane answers.
