//! Why something is not entered into the directory here, and why this node may not write, in words.

use heliu_record::command::Refusal;
use heliu_trust::directory::{DirectoryError, limits};
use heliu_trust::id::NodeId;

/// A node writes only once its own directory enrols it: what it signed before, everybody would refuse.
pub(crate) fn not_enrolled(node: NodeId) -> Refusal {
    Refusal::new(
        "not_enrolled",
        (
            format!("本节点 {} 尚未列入名录。", node.short()),
            format!("This node, {}, is not in its directory yet.", node.short()),
        ),
        ("其他节点会拒绝它签署的记录。", "Other nodes would refuse what it signs."),
        ("请等待与上级连通,或由县级登记本节点。", "Wait for a link to a superior, or have the county enrol it."),
    )
}

/// What a fenced node writes counts nowhere.
pub(crate) fn fenced(node: NodeId) -> Refusal {
    Refusal::new(
        "fenced",
        (
            format!("本节点 {} 已被县级隔离。", node.short()),
            format!("This node, {}, has been fenced by the county.", node.short()),
        ),
        ("它写的内容不再生效。", "What it writes does not count any more, anywhere."),
        (
            "如系误判请联系县级;要恢复工作须以新密钥重新加入。",
            "Ask the county; to work again, the machine joins with a new key.",
        ),
    )
}

pub(crate) fn outdated(index: u64) -> Refusal {
    Refusal::new(
        "outdated_entry",
        (
            format!("名录已有别的第 {index} 条,这一条未登记。"),
            format!("The directory has another entry {index} already: this one was not entered."),
        ),
        ("它是按较早的名录拟制的。", "It was drawn up on an older directory."),
        (
            "请取最新的名录(heliu directory save),按它重新拟制、签署。",
            "Get the newest directory (heliu directory save), and draw it up and sign it anew on that.",
        ),
    )
}

pub(super) fn no_issuer() -> Refusal {
    Refusal::new(
        "no_issuer",
        ("本节点不能签署名录。".to_owned(), "This node cannot sign entries of the directory.".to_owned()),
        (
            "签署密钥不在本节点,或已被根密钥更换。",
            "The issuer's key is not here, or the root has replaced it by another.",
        ),
        (
            "请在县级持有签署密钥的节点办理(配置 issuer_key_file)。",
            "Do it at the county's node that holds the issuer's key (issuer_key_file in its configuration).",
        ),
    )
}

pub(crate) fn forked() -> Refusal {
    Refusal::new(
        "directory_forked",
        ("名录已分叉,暂停增长。".to_owned(), "The directory is forked, and grows no more.".to_owned()),
        ("同一位置有两个签署的条目。", "There are two signed entries for one place."),
        ("请由持有根密钥的人裁决。", "Whoever holds the root key has to decide."),
    )
}

pub(crate) fn not_drawn_up(error: &DirectoryError) -> Refusal {
    let why = error.words();
    Refusal::new(
        error.code(),
        (format!("名录条目无法登记:{}。", why.zh), format!("The entry cannot be made: {}.", why.en)),
        ("它不符合名录的规则。", "It does not keep the directory's rules."),
        (
            "请核对后重试;需要根密钥的事项请用根密钥签署。",
            "Check it. What needs the root's signature is signed offline.",
        ),
    )
}

pub(crate) fn too_many_incarnations(node: NodeId, count: usize) -> Refusal {
    let (short, max) = (node.short(), limits::FRONTIER);
    Refusal::new(
        "frontier_too_long",
        (
            format!("节点 {short} 有 {count} 个写入期,隔离边界最多记录 {max} 个。"),
            format!("Node {short} has written in {count} incarnations; a fence can name {max}."),
        ),
        ("未列出的写入期将全部失效。", "What is not named would not count any more."),
        ("请改用不保留任何内容的隔离,或联系支持。", "Fence it without a frontier, or ask for support."),
    )
}
