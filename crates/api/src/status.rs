//! Refusals as `google.rpc.Status`: a stable reason code, the offending field, and in both languages what happened, why,
//! and what to do next. Servers write them, clients read them; both use this file, so that they mean the same.

use std::collections::HashMap;

use heliu_words::Explanation;
use heliu_words::reason::{Facts, Reason};
use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _, pb};

/// The domain of every reason code in an ErrorInfo.
pub const DOMAIN: &str = "heliu";

/// Headers of an answer are small (16 KiB in all, and base64): details that do not fit would lose the whole status.
const TEXT_BYTES: usize = 768;

impl From<&Explanation> for crate::records::Label {
    fn from(said: &Explanation) -> Self {
        crate::records::Label { zh: said.zh.to_string(), en: said.en.to_string() }
    }
}

impl From<&Reason> for crate::records::Reason {
    fn from(reason: &Reason) -> Self {
        let facts = reason.facts.iter().map(|(fact, value)| (fact.name().to_owned(), value.to_owned()));
        crate::records::Reason { code: reason.code.clone(), facts: facts.collect() }
    }
}

/// Facts that this version does not know are left out.
impl From<&crate::records::Reason> for Reason {
    fn from(said: &crate::records::Reason) -> Self {
        let facts = said.facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Reason { code: said.code.clone(), facts: Facts::of(facts) }
    }
}

/// What can be done about a refusal. Whoever refuses says it, and it travels with the reason: a gRPC code stands for
/// several of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// What was asked is not right, and never will be.
    Usage,
    /// What it is about is not here.
    Missing,
    /// By a rule, or for lack of authority.
    Refused,
    /// There is too much of it now: later it may be done.
    Busy,
    /// The node stops, or did not get to it in time.
    Away,
    /// The node's store, or what is kept in it.
    Store,
    /// Something that nobody can do anything about from here.
    Failed,
}

impl Sort {
    const ALL: [Sort; 7] =
        [Sort::Usage, Sort::Missing, Sort::Refused, Sort::Busy, Sort::Away, Sort::Store, Sort::Failed];

    fn name(self) -> &'static str {
        match self {
            Sort::Usage => "usage",
            Sort::Missing => "missing",
            Sort::Refused => "refused",
            Sort::Busy => "busy",
            Sort::Away => "away",
            Sort::Store => "store",
            Sort::Failed => "failed",
        }
    }

    /// Where nothing else is said.
    #[must_use]
    pub fn usual(code: Code) -> Self {
        match code {
            Code::InvalidArgument | Code::OutOfRange => Sort::Usage,
            Code::NotFound => Sort::Missing,
            Code::ResourceExhausted | Code::Aborted => Sort::Busy,
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Sort::Away,
            Code::DataLoss => Sort::Store,
            Code::Internal | Code::Unknown | Code::Unimplemented => Sort::Failed,
            _ => Sort::Refused,
        }
    }
}

/// Why a request was refused. Texts are whole sentences; a text that there is nothing to say in is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRefusal {
    pub code: Code,
    pub sort: Sort,
    /// Stable, such as `unknown_command`. Programs go by it.
    pub reason: String,
    pub what: Explanation,
    pub why: Explanation,
    pub next: Explanation,
    /// The field of the request that is wrong, such as `arguments.joined_on`.
    pub field: Option<String>,
}

/// A refusal in one sentence of one language, with the gRPC code that fits most: INVALID_ARGUMENT if a field is to blame,
/// else FAILED_PRECONDITION. For others see [`CallRefusal`].
#[must_use]
pub fn refusal(reason: &str, message: &str, field: Option<&str>) -> Status {
    let code = if field.is_some() { Code::InvalidArgument } else { Code::FailedPrecondition };
    let refusal = CallRefusal::new(code, reason, message, message);
    CallRefusal { field: field.map(str::to_owned), ..refusal }.into()
}

/// A status as it travels inside of an answer: an encoded `google.rpc.Status`.
#[must_use]
pub fn encode_status(status: &Status) -> Vec<u8> {
    if !status.details().is_empty() {
        return status.details().to_vec();
    }
    let plain = pb::Status { code: status.code().into(), message: status.message().to_owned(), details: Vec::new() };
    plain.encode_to_vec()
}

/// None: it is no status.
#[must_use]
pub fn decode_status(encoded: &[u8]) -> Option<Status> {
    let pb::Status { code, message, .. } = pb::Status::decode(encoded).ok()?;
    Some(Status::with_details(Code::from_i32(code), message, encoded.to_vec().into()))
}

impl CallRefusal {
    #[must_use]
    pub fn new(code: Code, reason: &str, zh: &str, en: &str) -> Self {
        let (why, next) = (Explanation::new("", ""), Explanation::new("", ""));
        CallRefusal {
            code,
            sort: Sort::usual(code),
            reason: reason.to_owned(),
            what: Explanation::new(zh, en),
            why,
            next,
            field: None,
        }
    }

    /// For a refusal that is not of the sort that its gRPC code stands for as a rule.
    #[must_use]
    pub fn sort(self, sort: Sort) -> Self {
        CallRefusal { sort, ..self }
    }

    #[must_use]
    pub fn why(self, zh: &str, en: &str) -> Self {
        CallRefusal { why: Explanation::new(zh, en), ..self }
    }

    #[must_use]
    pub fn next(self, zh: &str, en: &str) -> Self {
        CallRefusal { next: Explanation::new(zh, en), ..self }
    }

    #[must_use]
    pub fn field(self, field: &str) -> Self {
        CallRefusal { field: Some(field.to_owned()), ..self }
    }

    /// Reads a status. None if it holds no reason code of ours: the transport or a proxy made it, or it cannot be read.
    #[must_use]
    pub fn of(status: &Status) -> Option<Self> {
        let details = status.check_error_details().ok()?;
        let info = details.error_info().filter(|info| info.domain == DOMAIN)?;
        let text = |key: &str| info.metadata.get(key).cloned().unwrap_or_default();
        let violation = details.bad_request().and_then(|request| request.field_violations.first());
        Some(CallRefusal {
            code: status.code(),
            sort: Sort::ALL.into_iter().find(|sort| sort.name() == text("sort")).unwrap_or(Sort::usual(status.code())),
            reason: info.reason.clone(),
            what: Explanation::new(text("what.zh"), text("what.en")),
            why: Explanation::new(text("why.zh"), text("why.en")),
            next: Explanation::new(text("next.zh"), text("next.en")),
            field: violation.map(|violation| violation.field.clone()),
        })
    }
}

impl From<CallRefusal> for Status {
    fn from(refusal: CallRefusal) -> Self {
        let CallRefusal { code, sort, reason, what, why, next, field } = refusal;
        let message = [&*what.en, &*why.en].join(" ");
        let texts = [
            ("what.zh", what.zh),
            ("what.en", what.en),
            ("why.zh", why.zh),
            ("why.en", why.en),
            ("next.zh", next.zh),
            ("next.en", next.en),
        ];
        let said = texts.iter().filter(|(_, text)| !text.is_empty());
        let mut metadata: HashMap<_, _> = said.map(|(key, text)| ((*key).to_owned(), cut(text).to_owned())).collect();
        metadata.insert("sort".to_owned(), sort.name().to_owned());
        let mut details = ErrorDetails::with_error_info(cut(&reason), DOMAIN, metadata);
        if let Some(field) = &field {
            details.add_bad_request_violation(cut(field), "");
        }
        Status::with_error_details(code, cut(message.trim_end()), details)
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
        let said = CallRefusal::new(Code::NotFound, "not_here", "没有这条记录。", "There is no such record.")
            .why("它尚未到达。", "It has not arrived.")
            .next("请核对编号。", "Check the id.")
            .field("subject");
        let said = said.sort(Sort::Store);
        let status = Status::from(said.clone());
        assert_eq!(status.message(), "There is no such record. It has not arrived.");
        assert_eq!(CallRefusal::of(&status), Some(said));
    }

    #[test]
    fn the_short_form_blames_the_request_if_it_names_a_field() {
        assert_eq!(refusal("bad_value", "not a date", Some("arguments.on")).code(), Code::InvalidArgument);
        assert_eq!(refusal("read_only", "the disk is full", None).code(), Code::FailedPrecondition);
    }

    #[test]
    fn a_status_of_somebody_else_is_none_of_ours() {
        assert_eq!(CallRefusal::of(&Status::unavailable("proxy")), None);
        assert_eq!(CallRefusal::of(&Status::with_details(Code::Internal, "x", vec![0xff; 9].into())), None);
    }

    #[test]
    fn a_text_without_end_is_cut_and_still_read() {
        let status = refusal("long", &"长".repeat(10_000), Some("reason"));
        let read = CallRefusal::of(&status).expect("it is ours");
        assert_eq!(read.reason, "long");
        assert!(read.what.zh.len() <= TEXT_BYTES);
    }
}
