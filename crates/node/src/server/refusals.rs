//! Why a call is refused, as people read it in both languages: what happened, why, what to do.

use heliu_api::status::{CallRefusal, Sort};
use heliu_record::conflict::Explanation;
use heliu_record::id::RecordId;
use heliu_record::kind::{Kind, Label};
use heliu_storage::StoreError;
use tonic::{Code, Status};

use crate::access::Role;
use crate::connections::{Full, Whose};
use crate::error::{AskError, ExecuteError, in_words};
use crate::region::RegionError;

/// Bad rows of one list that are told at once.
const FAULTS_TOLD: usize = 20;

pub(super) fn of_execute(error: &ExecuteError) -> Status {
    let refusal = match error {
        ExecuteError::Refused(refusal) => heliu_wire::messages::refusal(refusal),
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

pub(super) fn shutting_down() -> CallRefusal {
    let what = ("本节点正在停止,不再接受请求。", "This node is shutting down and takes no more requests.");
    CallRefusal::new(Code::Unavailable, "shutting_down", what.0, what.1)
        .next("节点重新启动后再试。", "Try again when it is back.")
}

/// The store takes no writes; nothing of the command happened.
pub(super) fn of_write(error: &StoreError) -> CallRefusal {
    let (code, reason) = match error {
        StoreError::Full { .. } => (Code::ResourceExhausted, "store_full"),
        StoreError::Quota { .. } => (Code::ResourceExhausted, "store_quota"),
        _ => (Code::Unavailable, "store_failed"),
    };
    let next = match error {
        StoreError::Quota { .. } => (
            "请调大 heliu.toml 的 store.quota_mib(0 为不限)并重启节点,再重试。",
            "Raise store.quota_mib in heliu.toml (0: no limit) and start the node again. Then try again.",
        ),
        _ => (
            "请清理空间或修复磁盘;节点会自动恢复,届时重试。",
            "Make space or repair the disk; the node goes on by itself. Then try again.",
        ),
    };
    let why = in_words(error);
    // Of this command: a program that gives many tells of the others itself.
    CallRefusal::new(code, reason, "此命令没有写入任何内容。", "Nothing was written by this command.")
        .sort(Sort::Store)
        .why(&format!("存储现在无法写入:{}。", why.zh), &format!("The store takes no writes now: {}.", why.en))
        .next(next.0, next.1)
}

pub(super) fn of_read(error: &StoreError) -> Status {
    let why = in_words(error);
    CallRefusal::new(Code::Internal, "store_failed", "读取存储失败。", "The store cannot be read.")
        .sort(Sort::Store)
        .why(&format!("{}。", why.zh), &format!("{}.", why.en))
        .next("请检查磁盘。", "Check the disk.")
        .into()
}

pub(super) fn too_many_commands(given: usize, max: usize) -> CallRefusal {
    let (zh, en) = (
        format!("一次调用有 {given} 个命令,最多 {max} 个。"),
        format!("One call has {given} commands; {max} at most."),
    );
    CallRefusal::new(Code::InvalidArgument, "too_many_commands", &zh, &en)
        .next("请分几次调用。", "Make several calls of it.")
        .field("commands")
}

/// One record; the others can be read.
pub(super) fn damaged(record: RecordId) -> CallRefusal {
    let short = record.short();
    let zh = format!("记录 {short} 在本节点的存储中已损坏。");
    let en = format!("Record {short} is damaged in this node's store.");
    CallRefusal::new(Code::Unavailable, "record_damaged", &zh, &en)
        .sort(Sort::Store)
        .why("读到的内容与写入时不符。", "What is read is not what was written.")
        .next(
            "节点正在修复,请稍后再试;隔离区有详情。",
            "The node is mending it: try again in a moment. The quarantine says more.",
        )
}

pub(super) fn of_ask(error: &AskError) -> Status {
    match error {
        AskError::Store(error) => of_read(error),
        AskError::Stopped => stopped().into(),
        AskError::NoSuchPeer(peer) => {
            let (zh, en) = (format!("没有到 {peer} 的链路。"), format!("There is no link to {peer:?}."));
            CallRefusal::new(Code::NotFound, "unknown_peer", &zh, &en)
                .next(
                    "请用 heliu peers 查看;可用节点编号(至少 8 位)或区划代码。",
                    "heliu peers shows them; give a node id (8 digits or more) or a region code.",
                )
                .field("peer")
                .into()
        }
    }
}

pub(super) fn stopped() -> CallRefusal {
    CallRefusal::new(Code::Unavailable, "stopped", "节点已停止。", "The node has stopped.")
}

pub(super) fn no_certificate() -> CallRefusal {
    let what = ("只有节点才能建立链路。", "Only nodes may open links.");
    CallRefusal::new(Code::Unauthenticated, "no_certificate", what.0, what.1)
        .why("本次连接没有出示节点证书。", "This connection showed no certificate of a node.")
        .next("请检查对端节点是否以 TLS 方式运行。", "Check that the other node runs with TLS.")
}

pub(super) fn no_token() -> CallRefusal {
    let what = ("本次请求没有访问令牌。", "This request has no access token.");
    CallRefusal::new(Code::Unauthenticated, "no_token", what.0, what.1).next(
        "请使用访问文件(*.access);节点目录里的 local.access 供本机管理员使用,也可请管理员签发令牌。",
        "Use an access file (*.access): local.access in the node's directory is for its administrators; they also make \
         tokens for others.",
    )
}

pub(super) fn bad_token() -> CallRefusal {
    let what = ("本节点不认识此访问令牌。", "This node does not know this access token.");
    CallRefusal::new(Code::Unauthenticated, "bad_token", what.0, what.1)
        .why("它已被撤销、抄写有误,或属于别的节点。", "It was revoked, is mistyped, or is for another node.")
        .next("请核对访问文件,或请管理员重新签发。", "Check the access file, or ask an administrator for a new one.")
}

/// The token may be good: it cannot be told.
pub(super) fn no_access_list() -> CallRefusal {
    let what =
        ("本节点的访问令牌清单不能用,或是空的。", "This node's list of access tokens cannot be used, or is empty.");
    CallRefusal::new(Code::Unauthenticated, "no_access_list", what.0, what.1)
        .why("令牌是否有效无从判断。", "Whether this token is good cannot be told.")
        .next(
            "请在节点的机器上运行 heliu doctor,按它说的修复 access.json;令牌可用 heliu access add 新建。",
            "Run heliu doctor on the node's machine, and mend access.json as it says; heliu access add makes a new token.",
        )
}

pub(super) fn expired_token() -> CallRefusal {
    let what = ("访问令牌已过期。", "This access token has expired.");
    CallRefusal::new(Code::Unauthenticated, "expired_token", what.0, what.1)
        .next("请管理员重新签发。", "Ask an administrator for a new one.")
}

/// `code` says of what.
pub(super) fn too_many(code: &str, limit: usize) -> CallRefusal {
    let (zh, en) = match code {
        "too_many_links" => (
            format!("已有 {limit} 条链路,本节点不再接受。"),
            format!("{limit} links are open, and this node takes no more."),
        ),
        _ => (
            format!("已有 {limit} 个连接,本节点不再接受。"),
            format!("{limit} connections are open, and this node takes no more."),
        ),
    };
    CallRefusal::new(Code::ResourceExhausted, code, &zh, &en).next("请稍后再试。", "Try again later.")
}

/// Answers of whom fill the room that there is for them.
pub(super) fn busy(full: Full) -> CallRefusal {
    let Full { whose, streams } = full;
    let (zh, en) = match (whose, streams) {
        (Whose::Connection, false) => {
            ("这个连接上未取走的答复太多。", "This connection has too many answers that it does not take.")
        }
        (Whose::Caller, false) => (
            "这个访问令牌或地址未取走的答复太多。",
            "This access token or address has too many answers that it does not take.",
        ),
        (Whose::Node, _) => ("本节点此刻等待取走的答复太多。", "Too many answers wait at this node to be taken."),
        (Whose::Connection, true) => {
            ("这个连接上的状态订阅太多。", "This connection watches the node's health too many times.")
        }
        (Whose::Caller, true) => ("这个地址的状态订阅太多。", "This address watches the node's health too many times."),
    };
    let next = if streams {
        ("每个连接订阅一次即可。", "Once on a connection is enough.")
    } else {
        (
            "请先取走已有的答复,再请求;什么也没有执行。",
            "Take the answers that are there, and ask again. Nothing was done.",
        )
    };
    CallRefusal::new(Code::ResourceExhausted, "too_busy", zh, en).next(next.0, next.1)
}

pub(super) fn stranger_has_a_link() -> CallRefusal {
    let what = ("本次连接已有一条链路。", "This connection has a link already.");
    CallRefusal::new(Code::ResourceExhausted, "one_link", what.0, what.1).why(
        "名录尚不认识的节点,每个连接只能有一条链路。",
        "A node that the directory does not know has one link in a connection.",
    )
}

pub(super) fn too_late() -> CallRefusal {
    let what = ("请求历时太久,已放弃。", "The call took too long and was given up.");
    CallRefusal::new(Code::DeadlineExceeded, "call_too_long", what.0, what.1)
        .why("请求没有及时到齐,或未能及时办完。", "It did not come in time as a whole, or could not be done in time.")
        .next("是否已执行未知,请先查看再重试。", "Whether it was done is not known: look before you do it again.")
}

pub(super) fn too_many_attempts() -> CallRefusal {
    let what = ("来自此地址的无效令牌太多。", "Too many bad tokens came from this address.");
    CallRefusal::new(Code::ResourceExhausted, "too_many_attempts", what.0, what.1)
        .next("一分钟后再试,并核对访问文件。", "Try again in a minute, and check the access file.")
}

pub(super) fn missing_role(needed: Role, has: &[Role]) -> CallRefusal {
    let labels: Vec<_> = has.iter().map(|role| role.label()).collect();
    let zh_has = labels.iter().map(|label| label.zh).collect::<Vec<_>>().join("、");
    let en_has = labels.iter().map(|label| label.en).collect::<Vec<_>>().join(", ");
    let zh = format!("此访问令牌没有“{}”权限。", needed.label().zh);
    let en = format!("This access token lacks the role {}.", needed.label().en);
    CallRefusal::new(Code::PermissionDenied, "missing_role", &zh, &en)
        .why(&format!("它的权限是:{zh_has}。"), &format!("It has: {en_has}."))
        .next("请管理员签发含此权限的令牌。", "Ask an administrator for a token with that role.")
}

/// Also for what a token does not show: which records there are is not told by the difference.
pub(super) fn out_of_scope(what: &str, field: &str) -> CallRefusal {
    let (zh, en) = (format!("此访问令牌不能用于 {what}。"), format!("This access token is not for {what}."));
    CallRefusal::new(Code::PermissionDenied, "out_of_scope", &zh, &en)
        .why("它只限于某些席位或类别。", "It is limited to some seats or kinds.")
        .next("请管理员签发范围合适的令牌。", "Ask an administrator for one that covers it.")
        .field(field)
}

pub(super) fn invalid(field: &str, zh: &str, en: &str) -> CallRefusal {
    CallRefusal::new(Code::InvalidArgument, "bad_value", zh, en).field(field)
}

/// Why a list of seats is not taken: its first bad rows, which are enough to see what is wrong with all.
pub(super) fn bad_seats(error: &RegionError) -> CallRefusal {
    let faults = error.words();
    let told = |words: fn(&Explanation) -> &str, between: &str| {
        let first: Vec<&str> = faults.iter().take(FAULTS_TOLD).map(words).collect();
        let more = if faults.len() > first.len() { "…" } else { "" };
        first.join(between) + more
    };
    let (zh, en) = (told(|words| &words.zh, ";"), told(|words| &words.en, "; "));
    invalid("seats_csv", "席位表不能采用。", "The list of seats cannot be taken.")
        .why(&format!("{zh}。"), &format!("{en}."))
        .next("请按 code,name,parent_code 三列改正后再试。", "Correct it; the columns are code,name,parent_code.")
}

/// A word that is none of the known ones is refused: an empty answer would say that there is nothing of that kind. None at
/// all means any.
pub(super) fn known<'k>(field: &str, word: &str, known: impl Iterator<Item = (&'k str, Label)>) -> Result<(), Status> {
    let known: Vec<(&str, Label)> = known.collect();
    if word.is_empty() || known.iter().any(|(known, _)| *known == word) {
        return Ok(());
    }
    let (zh, en) = (format!("没有“{word}”这一种。"), format!("There is no {field} {word:?}."));
    let (names, codes): (Vec<&str>, Vec<&str>) = known.iter().map(|(code, label)| (label.zh, *code)).unzip();
    let (names, codes) = (names.join("、"), codes.join(", "));
    let refusal = invalid(field, &zh, &en).next(&format!("可用的有:{names}。"), &format!("Take one of: {codes}."));
    Err(refusal.into())
}

pub(super) fn not_here(field: &str, zh: &str, en: &str) -> CallRefusal {
    CallRefusal::new(Code::NotFound, "not_here", zh, en).field(field)
}

/// A seat that is named by its id or code.
pub(super) fn no_seat(text: &str, field: &str) -> CallRefusal {
    let shown: String = text.chars().take(40).collect();
    let (zh, en) = (format!("名录中没有席位 {shown}。"), format!("The directory has no seat {shown:?}."));
    not_here(field, &zh, &en)
        .next("这里要区划代码(12 位)或席位编号。", "It takes a region code (12 digits) or the id of a seat.")
}

/// A field by which records of a kind cannot be asked for.
pub(super) fn no_column(kind: Option<&Kind>, text: &str, field: &str) -> CallRefusal {
    let shown: String = text.chars().take(40).collect();
    let Some(kind) = kind else {
        let (zh, en) =
            (format!("不限种类时不能按“{shown}”查询。"), format!("Of any kind nothing is asked by {shown:?}."));
        return invalid(field, &zh, &en).next("请先指明记录种类。", "Name a kind of record.");
    };
    let named: Vec<_> = kind.columns().map(|column| (kind.column_label(&column), column.name)).collect();
    let zh: Vec<&str> = named.iter().map(|(label, name)| label.map_or(*name, |label| label.zh)).collect();
    let en: Vec<&str> = named.iter().map(|(_, name)| *name).collect();
    let what = (
        format!("{}不能按“{shown}”查询、排序或计数。", kind.label.zh),
        format!("A {} is not found, sorted or counted by {shown:?}.", kind.label.en),
    );
    let next = (
        format!("可用的有:{};计数还可按席位。", zh.join("、")),
        format!("Take one of: {}; counts may go by seat as well.", en.join(", ")),
    );
    invalid(field, &what.0, &what.1).next(&next.0, &next.1)
}

/// What is asked for is being listed: any answer would be short.
/// A ledger would take more records one by one than a node holds in memory for anybody.
pub(super) fn too_much_asked() -> CallRefusal {
    let what = ("要逐条查看的记录太多。", "It takes too many records one by one.");
    CallRefusal::new(Code::FailedPrecondition, "too_much_asked", what.0, what.1)
        .sort(Sort::Usage)
        .next("请用 --at 缩小范围,或用较近的日期。", "Narrow it with --at, or take a later day.")
}

pub(super) fn being_listed() -> CallRefusal {
    let what =
        ("本节点正在重建检索表,暂不能查询。", "This node is listing its records anew and answers no queries yet.");
    CallRefusal::new(Code::Unavailable, "being_listed", what.0, what.1)
        .sort(Sort::Busy)
        .why("现在回答会有遗漏。", "An answer would leave records out.")
        .next(
            "请稍后再试;heliu get 和命令照常可用。",
            "Try again in a moment. Reading single records and commands work as always.",
        )
}

/// A part of a record that is asked for by its path.
pub(super) fn no_part(path: &str) -> CallRefusal {
    let shown: String = path.chars().take(80).collect();
    let (zh, en) = (format!("此记录中没有 {shown}。"), format!("This record has no {shown:?}."));
    not_here("path", &zh, &en)
        .next("记录的 cuts 列出未完整显示的部分。", "The record's cuts name the parts that are not shown whole.")
}

pub(super) fn ambiguous(field: &str, text: &str) -> CallRefusal {
    let (zh, en) = (format!("有多个编号以 {text} 开头。"), format!("More than one id begins with {text}."));
    CallRefusal::new(Code::InvalidArgument, "ambiguous_id", &zh, &en)
        .next("请多输入几位。", "Give more digits of it.")
        .field(field)
}

#[cfg(test)]
mod tests {
    use heliu_record::seats::Seats;
    use heliu_trust::id::RealmId;

    use super::*;
    use crate::region::{ROWS_MAX, parse_more};

    #[test]
    fn a_full_disk_says_where_and_what_to_do() {
        let error = ExecuteError::StoreFailed(StoreError::Full { path: "/var/lib/heliu".to_owned() });
        let told = CallRefusal::of(&of_execute(&error)).expect("ours");
        assert_eq!((told.code, told.reason.as_str()), (Code::ResourceExhausted, "store_full"));
        assert!(told.why.en.contains("/var/lib/heliu") && told.next.en.contains("space"), "{told:?}");
        assert!(!told.what.zh.is_empty() && !told.next.zh.is_empty() && told.why.zh.contains("磁盘已满"));
        assert_eq!(told.sort, Sort::Store);
    }

    #[test]
    fn each_bad_row_of_a_list_of_seats_is_told_in_the_language_of_who_reads() {
        let text = "code,name,parent_code\n1,甲,371726000000\n371726101000,乙,371799000000\n";
        let error = parse_more(&RealmId([7; 16]), text.as_bytes(), &Seats::default()).expect_err("it is wrong");
        let told = CallRefusal::of(&bad_seats(&error).into()).expect("ours");
        assert_eq!(&*told.why.zh, "第 2 行:“1”不是 12 位代码;第 3 行:上级 371799000000 不在文件中。");
        assert!(told.why.en.starts_with("line 2: \"1\" is not a code of 12 digits; line 3:"), "{told:?}");
        let many = format!("code,name,parent_code\n{}", "1,甲,\n".repeat(ROWS_MAX));
        let error = parse_more(&RealmId([7; 16]), many.as_bytes(), &Seats::default()).expect_err("it is wrong");
        assert!(bad_seats(&error).why.en.len() < 2_000, "an answer stays short");
    }

    #[test]
    fn a_quota_that_is_reached_is_no_full_disk_and_too_many_of_something_is_neither() {
        let error = StoreError::Quota { path: "/var/lib/heliu".to_owned(), mib: 64 };
        let told = CallRefusal::of(&of_execute(&ExecuteError::StoreFailed(error))).expect("ours");
        assert_eq!((told.sort, told.reason.as_str()), (Sort::Store, "store_quota"));
        assert!(told.why.en.contains("64 MiB") && told.next.en.contains("store.quota_mib"), "{told:?}");
        assert!(!format!("{told:?}").contains("pace"), "there may be 70 GiB of it: {told:?}");
        for refusal in [too_many_attempts(), too_many("too_many_links", 1), stranger_has_a_link()] {
            let told = CallRefusal::of(&refusal.into()).expect("ours");
            assert_eq!((told.code, told.sort), (Code::ResourceExhausted, Sort::Busy), "{told:?}");
        }
        let away = [shutting_down(), stopped(), too_late()].map(|refusal| refusal.sort);
        assert_eq!(away, [Sort::Away; 3]);
    }
}
