//! Orders of administrators: who gives them, and why they are refused.

use heliu_api::status::CallRefusal;
use tonic::{Code, Status};

use super::refusals::{of_write, shutting_down, stopped};
use crate::access::{Caller, Role};
use crate::error::OrderError;
use crate::status::Actor;

/// Who acts, for the audit log: as he says, or as the access list calls the bearer.
pub(super) fn actor(caller: &Caller, role: Role, who: &str) -> Actor {
    let who = if who.is_empty() { caller.name() } else { who };
    Actor { who: who.to_owned(), role: caller.right(role) }
}

pub(super) fn of_order(error: &OrderError) -> Status {
    let refusal = match error {
        OrderError::Refused(refusal) => heliu_wire::messages::refusal(refusal),
        OrderError::BadEntries(why) => {
            let what = ("条目接不上本节点的名录。", "The entries do not follow this node's directory.");
            CallRefusal::new(Code::FailedPrecondition, "bad_entries", what.0, what.1)
                .why(&format!("{}。", why.zh), &format!("{}.", why.en))
                .next("请按最新的名录重新拟制。", "Draw them up anew on the newest directory.")
        }
        OrderError::StoreFailed(error) => of_write(error),
        OrderError::ShuttingDown => shutting_down(),
        OrderError::Stopped => stopped().why("是否已执行未知。", "Whether it was done is not known."),
        OrderError::Random => {
            let what = ("系统没有给出随机数。", "The system gives no random bytes.");
            CallRefusal::new(Code::Internal, "no_random", what.0, what.1)
        }
    };
    refusal.into()
}
