//! Why something is not as it was to be, as people read it: words for the code, the facts beside it, and what to do. What
//! travels and is kept is `heliu_words::reason`; here alone it becomes a sentence. A code or a fact that is not known here
//! comes from a later version, or from somebody who means no good: of such a fact nothing is shown.

use heliu_client::{Schema, records};
use heliu_record::kind::{Label, label};
use heliu_record::reason::{Fact, Reason};
use serde_json::{Value, json};

use super::codes::of;
use super::{Language, Say, bytes, clean, say, time};

/// In the language of this process; empty if there is none.
pub fn told(said: Option<&records::Reason>) -> String {
    told_of_record(&Schema::default(), said)
}

/// As [`told`], of what is about a record: its fields are called as the node calls them.
pub fn told_of_record(schema: &Schema, said: Option<&records::Reason>) -> String {
    said.map(|said| words_by(schema, &said.into()).now().to_owned()).unwrap_or_default()
}

/// For programs.
pub fn shape(said: Option<&records::Reason>) -> Value {
    said.map_or(Value::Null, |said| json!({"code": said.code, "facts": facts(said)}))
}

/// The facts alone, beside a code of its own.
pub fn facts(said: &records::Reason) -> Value {
    said.facts.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
}

/// What to do about it, if that is known.
pub fn next(reason: &Reason) -> Option<Label> {
    NEXT.iter().find(|(sort, _)| reason.code.starts_with(sort)).map(|(_, next)| *next)
}

/// What is said for a code, and its facts.
pub fn words(reason: &Reason) -> Say {
    words_by(&Schema::default(), reason)
}

fn words_by(schema: &Schema, reason: &Reason) -> Say {
    let name = REASONS.iter().find(|(known, _)| *known == reason.code).map(|(_, label)| Say::from(*label));
    let name = name.unwrap_or_else(|| {
        let code = &reason.code;
        let is_code = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if is_code && (1..=CODE_CHARS).contains(&code.len()) {
            say!("本版本不认识的原因 {code}", "{code}, which this version does not know")
        } else {
            // A sentence of an older version, or of somebody else.
            say!("原因不明", "it is not known why")
        }
    });
    let facts = |language: Language| {
        let told = reason.facts.iter().filter_map(|(fact, value)| {
            let value = value_of(schema, fact, value)?;
            let name = Say::from(fact.label());
            Some(match language {
                Language::Zh => format!("{}:{}", name.zh, value.zh),
                Language::En => format!("{}: {}", name.en, value.en),
            })
        });
        told.collect::<Vec<_>>()
    };
    let (zh, en) = (facts(Language::Zh), facts(Language::En));
    if zh.is_empty() {
        return name;
    }
    Say { zh: format!("{}({})", name.zh, zh.join(",")), en: format!("{} ({})", name.en, en.join(", ")) }
}

fn value_of(schema: &Schema, fact: Fact, value: &str) -> Option<Say> {
    let value = clean(value);
    Some(match fact {
        Fact::Path => match schema.say_path(&value) {
            Some(said) => Say { zh: clean(&said.zh), en: clean(&said.en) },
            None => say!("“{value}”", "\"{value}\""),
        },
        Fact::Part => Say::from(PARTS.iter().find(|(known, _)| *known == value)?.1),
        Fact::FromMs | Fact::UntilMs | Fact::ClockMs => Say::verbatim(time::local(value.parse().ok()?)),
        Fact::QuotaMib => Say::verbatim(bytes(value.parse::<u64>().ok()?.saturating_mul(1 << 20))),
        Fact::System => say!("“{value}”", "\"{value}\""),
        Fact::Node | Fact::Seat | Fact::Id | Fact::File | Fact::Found | Fact::Expected | Fact::Bytes | Fact::Mode => {
            Say::verbatim(value)
        }
    })
}

/// Codes of ours are shorter.
const CODE_CHARS: usize = 40;

/// What to do, by the beginning of a code. The first that fits.
const NEXT: &[(&str, Label)] = &[
    ("access.mode", label("只许属主改写:chmod 600", "let its owner alone change it: chmod 600")),
    (
        "access.",
        label(
            "从备份恢复这个文件;或移开它,用 heliu access add 新建令牌",
            "restore the file from a backup; or move it away, and make a token with heliu access add",
        ),
    ),
    ("certificate.", label("运行 heliu rotate,另做一对", "run heliu rotate, which makes another pair")),
    (
        "expired",
        label(
            "先核对本机时钟;时钟对了,节点会自动更换证书,否则运行 heliu rotate",
            "check this machine's clock; once it is right the node makes a new certificate by itself, else run heliu rotate",
        ),
    ),
    (
        "not_yet_valid",
        label(
            "先核对本机时钟;时钟对了,节点会自动更换证书,否则运行 heliu rotate",
            "check this machine's clock; once it is right the node makes a new certificate by itself, else run heliu rotate",
        ),
    ),
    ("not_signed", label("运行 heliu rotate,另做一对", "run heliu rotate, which makes another pair")),
    ("other_", label("运行 heliu rotate,另做一对", "run heliu rotate, which makes another pair")),
    ("malformed", label("运行 heliu rotate,另做一对", "run heliu rotate, which makes another pair")),
    (
        "file.not-permitted",
        label(
            "检查文件和各级目录的属主与权限",
            "check who owns the file and the directories above it, and their modes",
        ),
    ),
    (
        "file.",
        label(
            "改正或从备份恢复这个文件;节点会自己重读",
            "correct the file, or restore it from a backup: the node reads it again by itself",
        ),
    ),
    (
        "store.quota",
        label(
            "调大 heliu.toml 的 store.quota_mib(0 为不限),再重启节点",
            "raise store.quota_mib in heliu.toml (0: no limit), and start the node again",
        ),
    ),
    (
        "store.",
        label(
            "清理空间或修复磁盘;读取照常,写入会自动重试",
            "make space or repair the disk; reads go on, and writes are tried again by themselves",
        ),
    ),
];

/// What of a record is damaged in a store.
const PARTS: &[(&str, Label)] = &[
    of("count", "变更的计数", "its count of changes"),
    of("grant", "一把数据钥匙", "a data key"),
    of("id", "记录的编号", "its id"),
    of("leaf", "一个变更", "a change"),
    of("own-commit", "本节点的一次提交,已重新签名", "a commit of this node, which was signed again"),
    of("row", "整条记录", "the whole record"),
    of("scope", "相关席位", "its seats"),
    of("signal", "标记", "its signal"),
    of("state", "状态", "its state"),
    of("sums", "校验和", "its sums"),
    of("view", "内容", "what it shows"),
];

const REASONS: &[(&str, Label)] = &[
    of("access.form", "不是访问令牌清单", "not a list of access tokens"),
    of("access.hidden", "持有人姓名中有看不见的字符", "hidden characters in the bearer's name"),
    of("access.mode", "别人也能改写这个文件", "others than its owner can change the file"),
    of("access.no-kind", "没有这种记录", "no such kind of record"),
    of("access.no-role", "没有任何权限的令牌什么也打不开", "a token without any role opens nothing"),
    of("access.no-token", "没有这个编号的令牌", "no token of that id"),
    of("access.random", "系统没有给出随机数", "the system gives no random bytes"),
    of("answers_not_taken", "提出请求而不取走答复", "asked and did not take the answer"),
    of("audit.cut-off", "审计日志被截断", "the audit log was cut off"),
    of("audit.hash", "审计日志的散列不符", "a hash of the audit log is wrong"),
    of("audit.order", "审计日志的次序不对", "the audit log is out of order"),
    of("audit.rewritten", "审计日志被改写", "the audit log was rewritten"),
    of("audit.time", "旁边的时间不是它自己的", "the time beside it is not its own"),
    of("audit.unreadable", "读不懂", "unreadable"),
    of("bad_token", "不认识的访问令牌", "unknown access token"),
    of("certificate.mismatch", "证书与密钥不是一对", "certificate and key do not belong together"),
    of("certificate.not-made", "没能生成新证书", "no new certificate could be made"),
    of("certificate.not-pem", "文件里没有证书或密钥", "no certificate or key is in the file"),
    of("certificate.unusable", "证书或密钥不能用", "the certificate or key cannot be used"),
    of("closed", "连接提前断开", "closed before it was secured"),
    of("commit.bad-signature", "提交的签名无效", "bad signature of a commit"),
    of("commit.bounds", "提交超出限度", "a commit beyond the limits"),
    of("commit.unknown-author", "提交的作者不明", "unknown author of a commit"),
    of("commit.unknown-version", "提交的版本不明", "unknown version of a commit"),
    of("commit.wrong-id", "提交的编号不符", "wrong id of a commit"),
    of("commit.wrong-realm", "提交属于别的域", "a commit of another realm"),
    of("edit.damaged", "记录在本节点的存储中已损坏", "the record is damaged in this node's store"),
    of("edit.no-record", "记录已不在本节点", "the record is not here any more"),
    of("edit.not-here", "该编辑已不在本节点", "the edit is not here any more"),
    of("edit.overwritten", "其间有人改写了同一内容", "somebody has written the same meanwhile"),
    of("edit.record-left", "记录已离开本席位", "the record has left this seat"),
    of("edit.refused", "按记录的现状不能这样写", "what the record is now does not allow it"),
    of("edit.returning", "本节点自己写的历史尚未取回", "this node's own history of the record is not back yet"),
    of("evicted", "等候太久,让位给新来的", "made room for a newcomer"),
    of("excluded.fenced", "作者已被隔离", "its author is fenced"),
    of("excluded.fork", "同一位置的两个变更之一", "one of two changes in one place"),
    of("excluded.predecessor", "所依据的变更已被排除", "builds on an excluded change"),
    of("expired", "证书已过期", "certificate expired"),
    of("expired_token", "访问令牌已过期", "access token expired"),
    of("fenced", "节点已被隔离", "the node is fenced"),
    of("file.empty", "文件是空的", "the file is empty"),
    of("file.missing", "没有这个文件", "there is no such file"),
    of("file.not-a-file", "是目录,不是文件", "it is a directory, not a file"),
    of("file.not-permitted", "节点的用户没有权限读它", "the node's user may not read it"),
    of("file.not-text", "不是 UTF-8 文字", "it is not text in UTF-8"),
    of("file.not-written", "写不进文件", "the file cannot be written"),
    of("file.system", "读不出文件", "the file cannot be read"),
    of("file.too-long", "文件太长", "the file is too long"),
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
    of("held.kind-differs", "两端程序对记录种类的约定不同", "the two programs declare the kind of record differently"),
    of("held.kind-version", "引用的种类版本,本程序没有", "cites a version of the kind that this program does not have"),
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
    of("statement.not-downward", "编号密钥只能由上级发给下级", "the secret of ids is given downward only"),
    of(
        "statement.not-of-line",
        "席位的钥匙只由本席位及其上级发放",
        "the keys of a seat are given out by itself and its superiors alone",
    ),
    of("statement.not-superior", "声明的作者不是上级", "a statement by somebody who is no superior"),
    of("statement.unknown-node", "声明提到不明的节点", "a statement about an unknown node"),
    of("statement.unknown-seat", "声明提到不明的席位", "a statement about an unknown seat"),
    of("statement.unreadable", "声明读不懂", "unreadable statement"),
    of("statement.wrong-hash", "声明的散列不符", "wrong hash of a statement"),
    of("statement.wrong-realm", "声明属于别的域", "a statement of another realm"),
    of("store.damaged", "本节点的存储有损坏", "damaged in this node's store"),
    of("store.full", "磁盘已满", "no space is left on the disk"),
    of("store.in-use", "存储正被另一个进程使用", "the store is in use by another process"),
    of("store.io", "读写磁盘失败", "reading or writing the disk failed"),
    of("store.quota", "已达到存储配额", "the store's quota is reached"),
    of("store.too-new", "存储由更新的版本写成", "the store was written by a newer version"),
    of("too_many_attempts", "无效令牌太多", "too many bad tokens"),
    of("too_many_connections", "连接太多", "too many connections"),
    of("too_many_links", "链路太多", "too many links"),
    of("unknown_node", "名录中没有的节点", "not in the directory"),
    of("waiting", "等待前序变更", "waits for earlier changes"),
    of("wrong_use", "证书用途不符", "certificate for another use"),
];

#[cfg(test)]
pub mod tests;
