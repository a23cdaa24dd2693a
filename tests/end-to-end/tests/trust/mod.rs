//! Who is let in and who is not, what becomes of personal data, and who did what: told with the built binary.

mod enrolment;
mod erasure;
mod fenced;
mod quarantined;
mod refused;
mod registry;
