//! Why a call is refused, as people read it in both languages: what happened, why, what to do.

use heliu_storage::StoreError;
use heliu_wire::status::Refusal;
use tonic::{Code, Status};

use crate::error::{AskError, ExecuteError};

pub(super) fn of_execute(error: &ExecuteError) -> Status {
    let refusal = match error {
        ExecuteError::Refused(refusal) => Refusal::from(refusal),
        ExecuteError::StoreFailed(error) => of_write(error),
        ExecuteError::ShuttingDown => shutting_down(),
        ExecuteError::Stopped => {
            stopped().why("命令是否已执行未知。", "Whether the command was carried out is not known.").next(
                "用同一个命令编号重发,不会重复执行。",
                "Repeat it with the same command id: it then has no second effect.",
            )
        }
    };
    refusal.into()
}

pub(super) fn shutting_down() -> Refusal {
    let what = ("本节点正在停止,不再接受请求。", "This node is shutting down and takes no more requests.");
    Refusal::new(Code::Unavailable, "shutting_down", what.0, what.1)
        .next("节点重新启动后再试。", "Try again when it is back.")
}

/// The store takes no writes; nothing of the command happened.
fn of_write(error: &StoreError) -> Refusal {
    let (code, reason) = match error {
        StoreError::Full { .. } => (Code::ResourceExhausted, "store_full"),
        _ => (Code::Unavailable, "store_failed"),
    };
    Refusal::new(code, reason, "什么也没有写入。", "Nothing was written.")
        .why(&format!("存储现在无法写入:{error}。"), &format!("The store takes no writes now: {error}."))
        .next(
            "请清理空间或修复磁盘;节点会自动恢复,届时用同一命令编号重发。",
            "Make space or repair the disk; the node goes on by itself. Then repeat the command with the same id.",
        )
}

pub(super) fn of_read(error: &StoreError) -> Status {
    Refusal::new(Code::Internal, "store_failed", "读取存储失败。", "The store cannot be read.")
        .why(&format!("{error}。"), &format!("{error}."))
        .next("请检查磁盘;节点日志有详情。", "Check the disk; the node's log says more.")
        .into()
}

pub(super) fn of_ask(error: &AskError) -> Status {
    match error {
        AskError::Store(error) => of_read(error),
        AskError::Stopped => stopped().into(),
        AskError::NoSuchPeer(peer) => {
            let (zh, en) = (format!("没有到 {peer} 的链路。"), format!("There is no link to {peer:?}."));
            Refusal::new(Code::NotFound, "unknown_peer", &zh, &en)
                .next(
                    "请用 heliu peers 查看;可用节点编号(至少 8 位)或区划代码。",
                    "heliu peers shows them; give a node id (8 digits or more) or a region code.",
                )
                .field("peer")
                .into()
        }
    }
}

fn stopped() -> Refusal {
    Refusal::new(Code::Unavailable, "stopped", "节点已停止。", "The node has stopped.")
}

pub(super) fn invalid(field: &str, zh: &str, en: &str) -> Refusal {
    Refusal::new(Code::InvalidArgument, "bad_value", zh, en).field(field)
}

/// A word that is none of the known ones is refused: an empty answer would say that there is nothing of that kind. None at
/// all means any.
pub(super) fn known<'k>(field: &str, word: &str, known: impl Iterator<Item = &'k str>) -> Result<(), Status> {
    let known: Vec<&str> = known.collect();
    if word.is_empty() || known.contains(&word) {
        return Ok(());
    }
    let (zh, en) = (format!("没有 {word} 这一种。"), format!("There is no {field} {word:?}."));
    let known = known.join(", ");
    let refusal = invalid(field, &zh, &en).next(&format!("可用的有:{known}。"), &format!("Take one of: {known}."));
    Err(refusal.into())
}

pub(super) fn not_here(field: &str, zh: &str, en: &str) -> Refusal {
    Refusal::new(Code::NotFound, "not_here", zh, en).field(field)
}

pub(super) fn ambiguous(field: &str, text: &str) -> Refusal {
    let (zh, en) = (format!("有多个编号以 {text} 开头。"), format!("More than one id begins with {text}."));
    Refusal::new(Code::InvalidArgument, "ambiguous_id", &zh, &en)
        .next("请多输入几位。", "Give more digits of it.")
        .field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_where_and_what_to_do() {
        let error = ExecuteError::StoreFailed(StoreError::Full { path: "/var/lib/heliu".to_owned() });
        let told = Refusal::of(&of_execute(&error)).expect("ours");
        assert_eq!((told.code, told.reason.as_str()), (Code::ResourceExhausted, "store_full"));
        assert!(told.why.en.contains("/var/lib/heliu") && told.next.en.contains("space"), "{told:?}");
        assert!(!told.what.zh.is_empty() && !told.next.zh.is_empty());
    }
}
