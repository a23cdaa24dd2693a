//! `heliu.enrolment.v1`: letting a new machine in. Whoever asks here has proven nothing yet: requests are small, few wait at
//! once, and a source whose requests are refused too often is not heard for a while, but for a request that holds: machines
//! behind one address do not shut each other out, and to look at two signatures costs no more than to read the request.

use heliu_api::enrolment as pb;
use heliu_api::enrolment::enrolment_service_server::EnrolmentService;
use heliu_api::status::{CallRefusal, Sort};
use heliu_record::reason::{Fact, Facts};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::signature::Verifier as _;
use heliu_trust::token::{self, JoinRequest, judge_join};
use tonic::{Code, Request, Response, Status};

use super::refusals::{invalid, of_write, shutting_down, stopped};
use crate::connections::Visitor;
use crate::error::JoinError;
use crate::handle::NodeHandle;

/// Bytes of directory entries in one answer; less than the largest answer.
const DIRECTORY_BYTES_MAX: usize = 30 * 1024 * 1024;

pub(super) struct Enrolment {
    node: NodeHandle,
}

impl Enrolment {
    pub fn new(node: NodeHandle) -> Self {
        Enrolment { node }
    }

    /// Whether a request is good by the directory as it is here, or has been granted before.
    fn holds(&self, asked: &JoinRequest) -> bool {
        let directory = self.node.0.directory.borrow();
        let has_joined = directory.token_used(asked.token.id).and_then(|used| used.node);
        if has_joined.is_some() {
            return has_joined == Some(asked.node(Ed25519.scheme()));
        }
        let judged = judge_join(asked, &directory, self.node.0.clock.now().wall_ms, &Ed25519);
        matches!(judged, Ok(_) | Err(token::JoinError::NeedsSecondSignature))
    }

    /// Notes that somebody was not let in.
    fn refuse(&self, visitor: Option<&Visitor>, facts: Facts, reason: &str, refusal: CallRefusal) -> Status {
        if let Some(visitor) = visitor {
            self.node.0.join_attempts.failed(visitor.address.ip());
            self.node.0.connections.refused.note(visitor.address, ("join_refused", facts), reason, None);
        }
        refusal.into()
    }
}

#[tonic::async_trait]
impl EnrolmentService for Enrolment {
    async fn join(&self, request: Request<pb::JoinRequest>) -> Result<Response<pb::JoinResponse>, Status> {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let too_many =
            visitor.as_ref().is_some_and(|visitor| self.node.0.join_attempts.are_too_many(visitor.address.ip()));
        let asked = match JoinRequest::decode(&request.into_inner().request) {
            Ok(asked) if too_many && !self.holds(&asked) => return Err(too_many_attempts().into()),
            Ok(asked) => asked,
            Err(_) if too_many => return Err(too_many_attempts().into()),
            Err(error) => {
                let why = format!("its join request cannot be read: {error}");
                return Err(self.refuse(visitor.as_ref(), Facts::none(), &why, unreadable()));
            }
        };
        let joined = match self.node.join(asked).await {
            Ok(joined) => joined,
            Err(JoinError::Refused { code, facts }) => {
                let refusal = in_words(&code, &facts);
                // Who has to wait, or asks twice, has done nothing wrong.
                return Err(match code.as_str() {
                    "join.pending" | "join.busy" | "join.asked-again" => refusal.into(),
                    _ => self.refuse(visitor.as_ref(), facts, &format!("its join request is refused: {code}"), refusal),
                });
            }
            Err(JoinError::StoreFailed(error)) => return Err(of_write(&error).into()),
            Err(JoinError::ShuttingDown) => return Err(shutting_down().into()),
            Err(JoinError::Stopped) => return Err(stopped().into()),
        };
        let directory: Vec<Vec<u8>> = joined.directory.entries_from(0).iter().map(|entry| entry.encode()).collect();
        if directory.iter().map(Vec::len).sum::<usize>() > DIRECTORY_BYTES_MAX {
            return Err(Status::internal("the directory does not fit into one answer"));
        }
        let upstreams = joined.upstreams.into_iter();
        let upstreams = upstreams.map(|(node, addresses)| pb::Upstream { node: node.to_string(), addresses }).collect();
        Ok(Response::new(pb::JoinResponse { directory, upstreams }))
    }
}

fn unreadable() -> CallRefusal {
    let what = ("无法读取加入请求。", "The join request cannot be read.");
    invalid("request", what.0, what.1).next("请核对两端程序的版本。", "Check the versions of both programs.")
}

fn too_many_attempts() -> CallRefusal {
    let what = ("来自此地址的加入请求被拒绝的次数太多。", "Too many join requests from this address were refused.");
    CallRefusal::new(Code::ResourceExhausted, "too_many_attempts", what.0, what.1)
        .next("一分钟后再试,并核对令牌。", "Try again in a minute, and check the token.")
}

/// The engine's codes in words. Another node may have refused, and have a code that is not known here.
fn in_words(code: &str, facts: &Facts) -> CallRefusal {
    let again = ("请向签发者另要一个令牌。", "Ask whoever made the token for another one.");
    let (kind, what, next) = match code {
        "join.foreign" => (
            Code::InvalidArgument,
            ("此令牌属于另一个域。", "The token is of another realm."),
            ("请核对令牌与所连的节点。", "Check the token, and which node this is."),
        ),
        "join.bad-signature" => (
            Code::PermissionDenied,
            ("令牌或请求的签名不符。", "A signature of the token or of the request does not match."),
            again,
        ),
        "join.used" => (
            Code::FailedPrecondition,
            ("此令牌已被另一台机器用过。", "The token was used by another machine."),
            (
                "若不是您的机器,请立即告知县级管理员;再向签发者另要一个令牌。",
                "If that was none of yours, tell the county's administrator at once. Then ask for another token.",
            ),
        ),
        "join.revoked" => (Code::FailedPrecondition, ("此令牌已被撤销。", "The token was revoked."), again),
        "join.expired" => (Code::FailedPrecondition, ("此令牌已过期。", "The token has expired."), again),
        "join.no-seat" => {
            (Code::FailedPrecondition, ("令牌所指的席位不存在。", "The seat of the token does not exist."), again)
        }
        "join.not-allowed" => (
            Code::PermissionDenied,
            ("签发此令牌的节点无权为该席位签发。", "The node that made the token may not enrol nodes for this seat."),
            ("请由县级签发,或请县级授权。", "Ask the county for a token, or to delegate it to that node's seat."),
        ),
        "join.node-twice" => (
            Code::AlreadyExists,
            ("此机器的密钥已经登记过。", "This machine's key is enrolled already."),
            ("请直接启动节点,或用新密钥重新加入。", "Start the node, or join with a new key."),
        ),
        "join.needs-second-signature" => (
            Code::FailedPrecondition,
            (
                "该席位已有节点,增加节点须两人签署。",
                "The seat has a node already, and another one needs two signatures.",
            ),
            ("请县级管理员与会签人办理。", "Ask the county's administrator and a cosigner to enrol it."),
        ),
        "join.forked" => (
            Code::FailedPrecondition,
            (
                "名录出现分叉,在根密钥裁决前不接纳新节点。",
                "The directory is forked, and takes nobody in before the root has decided.",
            ),
            ("请联系县级管理员。", "Ask the county's administrator."),
        ),
        "join.pending" => (
            Code::Unavailable,
            (
                "县级签署节点暂时联系不上;请求已保留,线路恢复后自动上报。",
                "The node that enters new ones is out of reach; the request is kept and goes up as soon as the way is free.",
            ),
            (
                "稍后用同一令牌和同一密钥再次运行 heliu join。",
                "Run heliu join again later, with the same token and the same keys.",
            ),
        ),
        "join.busy" => (
            Code::ResourceExhausted,
            ("等待加入的机器太多。", "Too many machines wait to join."),
            ("稍后再试。", "Try again later."),
        ),
        "join.asked-again" => (
            Code::Aborted,
            (
                "同一请求已在另一连接上重发。",
                "The same was asked again over another connection, and is answered there.",
            ),
            ("请等待那一次的答复。", "Wait for that answer."),
        ),
        _ => (
            Code::FailedPrecondition,
            ("加入请求被拒绝。", "The join request was refused."),
            ("请联系签发令牌的管理员。", "Ask the administrator who made the token."),
        ),
    };
    let short = code.strip_prefix("join.").unwrap_or(code).replace('-', "_");
    let refusal = CallRefusal::new(kind, &short, what.0, what.1);
    let refusal = if code == "join.pending" { refusal.sort(Sort::Busy) } else { refusal };
    let node = facts.iter().find(|(fact, _)| *fact == Fact::Node).map(|(_, node)| node);
    let why = node.map(|node| (format!("所涉节点:{node}。"), format!("The node that it is about: {node}.")));
    let (zh, en) = why.unwrap_or_default();
    refusal.why(&zh, &en).next(next.0, next.1)
}

#[cfg(test)]
mod tests {
    use heliu_trust::id::NodeId;

    use super::*;

    #[test]
    fn every_refusal_of_a_token_has_words_of_its_own_in_both_languages() {
        let node = NodeId([1; 16]);
        let errors = [
            token::JoinError::Foreign,
            token::JoinError::BadSignature,
            token::JoinError::Used { node },
            token::JoinError::Revoked,
            token::JoinError::Expired { expires_ms: 1 },
            token::JoinError::NoSeat,
            token::JoinError::NotAllowed(node),
            token::JoinError::NodeTwice(node),
            token::JoinError::NeedsSecondSignature,
        ];
        let other = in_words("join.new", &Facts::read("a newer node says so"));
        assert_eq!((&*other.why.zh, &*other.why.en), ("", ""), "it may be anybody's");
        for error in errors {
            let told = in_words(error.code(), &error.facts());
            assert!(told.what != other.what && !told.next.zh.is_empty() && !told.next.en.is_empty(), "{told:?}");
        }
    }
}
