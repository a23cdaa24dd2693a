//! Refusals as `google.rpc.Status`: a stable reason code, words for people, the offending field, and what to do next.
//! Servers write them, clients read them; both use this file, so that they mean the same.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// The domain of every reason code in an ErrorInfo.
pub const DOMAIN: &str = "heliu";

/// Where an ErrorInfo says what to do next.
const NEXT: &str = "next";

/// Headers of an answer are small: details that do not fit would lose the whole status.
const TEXT_BYTES: usize = 1_024;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    /// Stable, in capitals, such as `AMBIGUOUS_ID`. Programs go by it.
    pub reason: String,
    /// What happened and why. People read it.
    pub message: String,
    /// The field of the request that is wrong, such as `arguments.joined_on`.
    pub field: Option<String>,
    /// What can be done.
    pub next: Option<String>,
}

/// A refusal with the gRPC code that fits most: INVALID_ARGUMENT if a field is to blame, else FAILED_PRECONDITION. For
/// others see [`Refusal`].
#[must_use]
pub fn refusal(reason: &str, message: &str, field: Option<&str>) -> Status {
    let code = if field.is_some() { Code::InvalidArgument } else { Code::FailedPrecondition };
    let mut refusal = Refusal::new(code, reason, message);
    refusal.field = field.map(str::to_owned);
    refusal.into()
}

impl Refusal {
    #[must_use]
    pub fn new(code: Code, reason: &str, message: &str) -> Self {
        Refusal { code, reason: reason.to_owned(), message: message.to_owned(), field: None, next: None }
    }

    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    #[must_use]
    pub fn next(mut self, next: &str) -> Self {
        self.next = Some(next.to_owned());
        self
    }

    /// Reads a status. None if it holds no reason code of ours: the transport or a proxy made it, or it cannot be read.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        let details = status.check_error_details().ok()?;
        let info = details.error_info().filter(|info| info.domain == DOMAIN)?;
        let violation = details.bad_request().and_then(|request| request.field_violations.first());
        Some(Refusal {
            code: status.code(),
            reason: info.reason.clone(),
            message: status.message().to_owned(),
            field: violation.map(|violation| violation.field.clone()),
            next: info.metadata.get(NEXT).cloned(),
        })
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let message = cut(&refusal.message);
        let metadata: HashMap<_, _> = refusal.next.iter().map(|next| (NEXT.to_owned(), cut(next).to_owned())).collect();
        let mut details = ErrorDetails::with_error_info(cut(&refusal.reason), DOMAIN, metadata);
        if let Some(field) = &refusal.field {
            details.add_bad_request_violation(cut(field), message);
        }
        Status::with_error_details(refusal.code, message, details)
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_arrives_as_it_was_said() {
        let said = Refusal::new(Code::NotFound, "UNKNOWN_RECORD", "没有记录 ab12 here")
            .field("subject")
            .next("heliu list shows which there are");
        assert_eq!(Refusal::of(&Status::from(said.clone())), Some(said));
    }

    #[test]
    fn the_short_form_blames_the_request_if_it_names_a_field() {
        assert_eq!(refusal("BAD_DATE", "not a date", Some("arguments.on")).code(), Code::InvalidArgument);
        assert_eq!(refusal("READ_ONLY", "the disk is full", None).code(), Code::FailedPrecondition);
    }

    #[test]
    fn a_status_of_somebody_else_is_none_of_ours() {
        assert_eq!(Refusal::of(&Status::unavailable("proxy")), None);
        assert_eq!(Refusal::of(&Status::with_details(Code::Internal, "x", vec![0xff; 9].into())), None);
    }

    #[test]
    fn a_message_without_end_is_cut_and_still_read() {
        let status = refusal("LONG", &"长".repeat(10_000), Some("reason"));
        let read = Refusal::of(&status).expect("it is ours");
        assert_eq!(read.reason, "LONG");
        assert!(read.message.len() <= TEXT_BYTES);
    }
}
