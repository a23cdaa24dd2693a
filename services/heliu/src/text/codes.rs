//! The one place that turns a code into what people read for it. Kinds, commands and what rules find are called as the node
//! says that is spoken to; here are the names of everything else that a node says by a code. Codes are for `--json`.

use heliu_client::Schema;
use heliu_node::access::Role;
use heliu_record::kind::Label;
use heliu_record::seats::Tier;

use super::{labelled, spoken, tr};

/// A kind of record; one that the node does not know has its code alone.
pub fn kind(schema: &Schema, code: &str) -> String {
    schema.kind(code).map_or(code, |kind| spoken(&kind.label)).to_owned()
}

/// The kind of a conflict.
pub fn finding(schema: &Schema, code: &str) -> String {
    schema.finding(code).map_or(code, |finding| spoken(&finding.label)).to_owned()
}

/// The code of a conflict's kind, by its code or by what people read for it.
pub fn finding_called(schema: &Schema, text: &str) -> String {
    schema.finding_called(text).map_or(text, |finding| &finding.name).to_owned()
}

/// The code of a kind of record, by its code or by what people read for it.
pub fn kind_called(schema: &Schema, text: &str) -> String {
    schema.kind_called(text).map_or(text, |kind| &kind.name).to_owned()
}

pub fn tier(code: &str) -> String {
    let known = Tier::ALL.into_iter().find(|tier| tier.name() == code);
    known.map_or_else(|| code.to_owned(), |tier| labelled(tier.label()).to_owned())
}

/// A role; in the audit log what the token is called stands after it.
pub fn role(code: &str) -> String {
    let (name, bearer) = code.split_once(' ').map_or((code, String::new()), |(name, rest)| (name, format!(" {rest}")));
    let known = Role::ALL.into_iter().find(|role| role.name() == name);
    known.map_or_else(|| code.to_owned(), |role| format!("{}{bearer}", labelled(role.label())))
}

/// A command by its name for people; with its code, which is what one types.
pub fn command(schema: &Schema, code: &str) -> String {
    schema.command(code).map_or(code, |known| spoken(&known.label)).to_owned()
}

/// How grave a conflict is.
pub fn severity(code: &str) -> String {
    match code {
        "hard" => tr!("必须处置", "must be settled"),
        "advisory" => tr!("请过目", "please look"),
        "info" => tr!("知会", "for information"),
        other => other.to_owned(),
    }
}

/// Who signed an entry of the directory.
pub fn signer(code: &str) -> String {
    match code {
        "root" => tr!("根密钥", "root"),
        "issuer" => tr!("签发密钥", "issuer"),
        "cosigner" => tr!("副签人", "second signer"),
        other => other.to_owned(),
    }
}

/// What somebody did, as the audit log has it.
pub fn action(code: &str) -> String {
    found(ACTIONS, code)
}

/// Why something was refused: a leaf, a commit, a connection, a request.
pub fn refusal(code: &str) -> String {
    found(REFUSALS, code)
}

fn found(labels: &[(&str, Label)], code: &str) -> String {
    let known = labels.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| code.to_owned(), |(_, label)| labelled(*label).to_owned())
}

const fn of(code: &'static str, zh: &'static str, en: &'static str) -> (&'static str, Label) {
    (code, Label { zh, en })
}

const ACTIONS: &[(&str, Label)] = &[
    of("addresses", "更改节点地址", "change a node's addresses"),
    of("delegate", "授权或收回授权", "delegate, or take it back"),
    of("directory.append", "提交名录条目", "enter directory entries"),
    of("fence", "隔离节点", "fence a node"),
    of("join", "节点入域", "let a node join"),
    of("policy", "更改两人签字", "change two signatures"),
    of("quarantine.drop", "从隔离区去掉", "drop from the quarantine"),
    of("quarantine.requeue", "重新判断", "judge anew"),
    of("record.erase", "抹除记录", "erase a record"),
    of("record.erased", "已抹除记录", "a record was erased"),
    of("record.reveal", "打开密封字段", "open sealed fields"),
    of("seats", "新增席位", "add seats"),
    of("stranded.discard", "放弃编辑", "discard an edit"),
    of("stranded.reissue", "重新提交编辑", "write an edit anew"),
    of("token.mint", "签发入域令牌", "make a join token"),
    of("token.revoke", "撤销入域令牌", "revoke a join token"),
    of("unreadable", "读不出的一条", "an entry that cannot be read"),
];

const REFUSALS: &[(&str, Label)] = &[
    of("audit.cut-off", "审计日志被截断", "the audit log was cut off"),
    of("audit.hash", "审计日志的散列不符", "a hash of the audit log is wrong"),
    of("audit.order", "审计日志的次序不对", "the audit log is out of order"),
    of("audit.rewritten", "审计日志被改写", "the audit log was rewritten"),
    of("bad_token", "不认识的访问令牌", "unknown access token"),
    of("closed", "连接提前断开", "closed before it was secured"),
    of("commit.bad-signature", "提交的签名无效", "bad signature of a commit"),
    of("commit.bounds", "提交超出限度", "a commit beyond the limits"),
    of("commit.unknown-author", "提交的作者不明", "unknown author of a commit"),
    of("commit.unknown-version", "提交的版本不明", "unknown version of a commit"),
    of("commit.wrong-id", "提交的编号不符", "wrong id of a commit"),
    of("commit.wrong-realm", "提交属于别的域", "a commit of another realm"),
    of("evicted", "等候太久,让位给新来的", "made room for a newcomer"),
    of("excluded.fenced", "作者已被隔离", "its author is fenced"),
    of("excluded.fork", "同一位置的两个变更之一", "one of two changes in one place"),
    of("excluded.predecessor", "所依据的变更已被排除", "builds on an excluded change"),
    of("expired", "证书已过期", "certificate expired"),
    of("expired_token", "访问令牌已过期", "access token expired"),
    of("fenced", "节点已被隔离", "the node is fenced"),
    of("grant.bad-signature", "数据钥匙的签名无效", "bad signature of a data key"),
    of("grant.bounds", "数据钥匙超出限度", "a data key beyond the limits"),
    of("grant.preimage", "数据钥匙属于别的记录", "a data key of another record"),
    of("grant.too-many", "同一作者的数据钥匙太多", "too many data keys of one author"),
    of("grant.unknown-author", "数据钥匙的作者不明", "unknown author of a data key"),
    of("grant.unreadable", "数据钥匙读不懂", "unreadable data key"),
    of("grant.wrong-hash", "数据钥匙的散列不符", "wrong hash of a data key"),
    of("grant.wrong-realm", "数据钥匙属于别的域", "a data key of another realm"),
    of("handshake", "握手失败", "handshake failed"),
    of("handshake_timeout", "握手超时", "handshake timed out"),
    of("held.directory", "等待名录更新", "waits for the directory"),
    of("held.newer-kind", "由更新的版本写成", "written by a newer version"),
    of("held.predecessor", "等待前序变更", "waits for earlier changes"),
    of("held.unknown-kind", "不认识的记录种类", "unknown kind of record"),
    of("join_refused", "入域请求被拒", "refused to join"),
    of("leaf.exceeds", "变更超出限度", "a change beyond the limits"),
    of("leaf.not-a-change", "不是变更", "not a change"),
    of("leaf.not-canonical", "变更的写法不合规范", "a change not written as it should be"),
    of("leaf.not-in-commit", "变更不在其提交中", "a change that is not in its commit"),
    of("leaf.operation", "变更中有不允许的操作", "a change with an operation that is not allowed"),
    of("leaf.preimage", "变更与记录不符", "a change that does not fit its record"),
    of("leaf.too-long", "变更过长", "a change that is too long"),
    of("leaf.unknown-version", "变更的版本不明", "unknown version of a change"),
    of("leaf.unreadable", "变更读不懂", "unreadable change"),
    of("leaf.wrong-actor", "变更的书写者不符", "wrong writer of a change"),
    of("malformed", "证书不合格式", "malformed certificate"),
    of("missing_role", "访问令牌没有这项权限", "access token lacks the role"),
    of("no_certificate", "没有出示节点证书", "showed no certificate"),
    of("no_token", "没有访问令牌", "no access token"),
    of("not_http2", "不是 HTTP/2", "not HTTP/2"),
    of("not_signed", "证书不是该节点签的", "certificate not signed by the node"),
    of("not_tls", "没有加密", "not TLS"),
    of("not_yet_valid", "证书尚未生效", "certificate not valid yet"),
    of("old_tls", "TLS 版本过旧", "old version of TLS"),
    of("other_node", "是另一个节点", "another node"),
    of("other_realm", "属于别的域", "another realm"),
    of("refused.authority", "作者无权这样写", "its author may not write this"),
    of("refused.dangling", "引用了不存在的内容", "refers to what is not there"),
    of("refused.directory-backwards", "引用的名录倒退", "cites an older directory than before"),
    of("refused.predecessor", "所依据的变更已被拒收", "builds on a refused change"),
    of("refused.predecessors", "所依据的变更不对", "builds on the wrong changes"),
    of("refused.seq", "序号不对", "wrong number in its author's sequence"),
    of("refused.start-op", "操作序号不对", "wrong number of its first operation"),
    of("refused.unknown-author", "作者不明", "unknown author"),
    of("refused_there", "被对方拒绝", "refused by the other end"),
    of("statement.bad-signature", "声明的签名无效", "bad signature of a statement"),
    of("statement.fenced", "声明的作者已被隔离", "a statement of a fenced node"),
    of("statement.no-evidence", "声明没有凭据", "a statement without evidence"),
    of("statement.not-superior", "声明的作者不是上级", "a statement by somebody who is no superior"),
    of("statement.unknown-node", "声明提到不明的节点", "a statement about an unknown node"),
    of("statement.unknown-seat", "声明提到不明的席位", "a statement about an unknown seat"),
    of("statement.unreadable", "声明读不懂", "unreadable statement"),
    of("statement.wrong-hash", "声明的散列不符", "wrong hash of a statement"),
    of("statement.wrong-realm", "声明属于别的域", "a statement of another realm"),
    of("store.damaged", "本节点的存储有损坏", "damaged in this node's store"),
    of("too_many_attempts", "无效令牌太多", "too many bad tokens"),
    of("too_many_connections", "连接太多", "too many connections"),
    of("too_many_links", "链路太多", "too many links"),
    of("unknown_node", "名录中没有的节点", "not in the directory"),
    of("wrong_use", "证书用途不符", "certificate for another use"),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Literals of the sources that look like a code of these sorts: what a node may say, a person has words for.
    fn codes(places: &[&str], sorts: &[&str]) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = Vec::new();
        let mut open: Vec<_> = places.iter().map(|place| root.join(place)).collect();
        while let Some(at) = open.pop() {
            if at.is_dir() {
                open.extend(std::fs::read_dir(&at).expect("it is ours").flatten().map(|entry| entry.path()));
                continue;
            }
            let text = std::fs::read_to_string(&at).unwrap_or_default();
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let is_code = |part: &&str| {
                let (sort, rest) = part.split_once('.').unwrap_or((part, ""));
                sorts.contains(&sort) && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            };
            found.extend(text.split('"').filter(is_code).map(str::to_owned));
        }
        found
    }

    #[test]
    fn whatever_a_node_refuses_or_notes_has_words_in_both_languages() {
        let sources = ["crates/trust/src", "crates/replication/src"];
        let refused =
            codes(&sources, &["audit", "commit", "excluded", "grant", "held", "leaf", "refused", "statement"]);
        assert!(refused.len() > 40, "the sources are there: {refused:?}");
        for code in refused {
            assert!(REFUSALS.iter().any(|(known, _)| *known == code), "{code} has no words");
        }
        let noted = codes(
            &["crates/node/src", "crates/replication/src"],
            &["directory", "quarantine", "record", "stranded", "token"],
        );
        let served = crate::served::schema();
        for code in noted.iter().filter(|code| served.command(code).is_none()) {
            let is_known = ACTIONS.iter().any(|(known, _)| known == code);
            assert!(is_known || code.as_str() == "directory.bin", "{code} has no words");
        }
        for why in [
            "no_certificate",
            "malformed",
            "other_realm",
            "expired",
            "not_yet_valid",
            "not_signed",
            "other_node",
            "wrong_use",
        ] {
            assert_ne!(refusal(why), why);
        }
    }

    #[test]
    fn a_conflict_may_be_named_by_what_people_read() {
        let schema = crate::served::schema();
        let called = |text: &str| finding_called(&schema, text);
        assert_eq!([called("重复转接"), called("MULTI_HOME"), called("X")], ["MULTI_HOME", "MULTI_HOME", "X"]);
        assert_eq!([role("write (clerk)"), role("registry"), role("x y")], ["write (clerk)", "registry", "x y"]);
        assert_eq!(super::super::speaking(super::super::Language::Zh, || role("write (张三)")), "发命令 (张三)");
        let called = |text: &str| kind_called(&schema, text);
        assert_eq!([called("党员"), called("org"), called("x")], ["member", "org", "x"]);
    }
}
