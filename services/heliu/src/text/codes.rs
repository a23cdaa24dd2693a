//! The one place that turns a code into what people read for it. Of kinds, fields, states and conflicts the names are declared
//! with the kinds, in `heliu_catalogue`; here are those of everything else that a node says by a code. Codes are for `--json`.

use heliu_catalogue::catalogue;
use heliu_node::access::Role;
use heliu_record::kind::Label;
use heliu_record::seats::Tier;

use super::{Say, labelled, tr};

pub fn kind(code: &str) -> String {
    Say::from(catalogue().say_kind(code)).now().to_owned()
}

/// The kind of a conflict.
pub fn finding(code: &str) -> String {
    Say::from(catalogue().say_finding(code)).now().to_owned()
}

/// The code of a conflict's kind, by its code or by what people read for it.
pub fn finding_called(text: &str) -> String {
    let called = catalogue().findings().find(|word| word.label.is(text));
    called.map_or_else(|| text.to_owned(), |word| word.name.to_owned())
}

/// The code of a kind of record, by its code or by what people read for it.
pub fn kind_called(text: &str) -> String {
    catalogue().kind_called(text).map_or_else(|| text.to_owned(), |kind| kind.name.to_owned())
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
pub fn command(code: &str) -> String {
    catalogue().command(code).map_or_else(|| code.to_owned(), |known| labelled(known.label).to_owned())
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
    let known = ACTIONS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| command(code), |(_, label)| labelled(*label).to_owned())
}

pub(super) const fn of(code: &'static str, zh: &'static str, en: &'static str) -> (&'static str, Label) {
    (code, Label { zh, en })
}

const ACTIONS: &[(&str, Label)] = &[
    of("addresses", "更改节点地址", "change a node's addresses"),
    of("delegate", "授权或收回授权", "delegate, or take it back"),
    of("directory.append", "提交名录条目", "enter directory entries"),
    of("fence", "隔离节点", "fence a node"),
    of("foreign.accept", "恢复接收", "take what a seat sends again"),
    of("foreign.decline", "拒收某席位", "decline what a seat sends"),
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
    of("time_zone", "更改域的时区", "change the realm's time zone"),
    of("token.mint", "签发入域令牌", "make a join token"),
    of("token.revoke", "撤销入域令牌", "revoke a join token"),
    of("unreadable", "读不出的一条", "an entry that cannot be read"),
];

#[cfg(test)]
mod tests {
    use super::super::reasons::tests::written;
    use super::*;

    #[test]
    fn whatever_a_node_notes_has_words_in_both_languages() {
        let sources = ["crates/node/src", "crates/replication/src"];
        let noted = written(&sources, |code| {
            let sort = code.split_once('.').map(|(sort, _)| sort);
            sort.is_some_and(|sort| {
                ["directory", "foreign", "quarantine", "record", "stranded", "token"].contains(&sort)
            })
        });
        for code in noted.iter().filter(|code| catalogue().command(code).is_none()) {
            let is_known = ACTIONS.iter().any(|(known, _)| known == code);
            assert!(is_known || code.as_str() == "directory.bin", "{code} has no words");
        }
    }

    #[test]
    fn a_conflict_may_be_named_by_what_people_read() {
        assert_eq!([finding_called("重复转接"), finding_called("MULTI_HOME")], ["MULTI_HOME", "MULTI_HOME"]);
        assert_eq!([role("write (clerk)"), role("registry"), role("x y")], ["write (clerk)", "registry", "x y"]);
        assert_eq!(super::super::speaking(super::super::Language::Zh, || role("write (张三)")), "发命令 (张三)");
        assert_eq!([kind_called("党员"), kind_called("org"), kind_called("x")], ["member", "org", "x"]);
    }
}
