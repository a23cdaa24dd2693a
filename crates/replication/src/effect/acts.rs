//! What people who look after a node decide about, and how it gets into the audit log.

/// A row for the audit log: never what was read or written, only that it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEvent {
    pub who: String,
    /// By which right.
    pub role: String,
    pub action: String,
    /// What it was done to, by its id.
    pub subject: String,
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StrandedAction {
    /// Write the same again on top of what is there now, whatever that is.
    Reissue,
    Discard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignAction {
    /// Take nothing new of it. What is here stays.
    Decline,
    /// Take it again, what was left out too, as far as the bound goes.
    Accept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuarantineAction {
    /// Judge it again. What is no leaf of a record that is here is let go, to be taken when it comes again.
    Requeue,
    Drop,
}

/// Whether a command is carried out, or only tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    No,
    /// It is planned, and nothing of it is written.
    Planned,
    /// As [`Trial::Planned`], and what would come of it is told; the rules are asked twice for that.
    Foreseen,
}
