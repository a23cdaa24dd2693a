//! What operators have to know until it is over: alarms, derived from what the engine sees now. Words and codes are here;
//! when one is due is decided where the thing itself is known.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::conflict::Explanation;
use heliu_record::id::{RecordId, SeatId};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::id::{DirectoryVersion, NodeId};

/// How long a second node at a seat is told of, by the times in the directory.
const SECOND_NODE_DAYS: i64 = 30;
const DAY_MS: i64 = 86_400_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody should look at it some time.
    Info,
    Warning,
    /// Trust is at stake: look at once.
    Critical,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Stable, for programs: `second_node`, `directory_forked`, `equivocation`, `twin`, `false_claim`, `judged_differently`, `fenced`,
    /// `kinds_differ`, `unjudged`, `stranded_edits`, `keys_pending`, `no_room_for_keys`, `audit_forked`, `too_much_of_one`.
    pub code: &'static str,
    pub severity: Severity,
    pub what: Explanation,
    pub next: Explanation,
    /// The node, seat or entry that it is about, by its id.
    pub subject: String,
    /// Since when, as far as is known; for display.
    pub at_ms: i64,
}

impl Alarm {
    fn new(
        code: &'static str,
        severity: Severity,
        what: (String, String),
        next: (&str, &str),
        subject: String,
        at_ms: i64,
    ) -> Self {
        let (what, next) = (Explanation::new(what.0, what.1), Explanation::new(next.0, next.1));
        Alarm { code, severity, what, next, subject, at_ms }
    }

    pub(crate) fn fenced(node: NodeId) -> Self {
        let short = node.short();
        let what = (
            format!("本节点 {short} 已被县级隔离:它写的内容不再生效。"),
            format!("This node, {short}, has been fenced by the county: what it writes does not count any more."),
        );
        let next = (
            "如系误判,请联系县级;要恢复工作,须以新密钥重新入域。",
            "If that is a mistake, ask the county. To work again, the machine has to join with a new key.",
        );
        Alarm::new("fenced", Severity::Critical, what, next, node.to_string(), 0)
    }

    /// Nobody who could hand on these keys has been heard of yet.
    pub(crate) fn keys_pending(records: usize, seat: SeatId) -> Self {
        let what = (
            format!("有 {records} 条记录的密封内容,有权阅读者尚未得到密钥。"),
            format!("In {records} records there is something sealed that somebody may read and has no key for yet."),
        );
        let next = (
            "等待持有密钥的节点上线,密钥会自动补发;若始终没有,可由托管密钥恢复。",
            "It comes by itself when a node that holds the keys is online; if there is none any more, the escrow key helps.",
        );
        Alarm::new("keys_pending", Severity::Info, what, next, seat.to_string(), 0)
    }

    /// More was said of the keys of these seats than a node keeps of one author.
    pub(crate) fn no_room_for_keys(seats: usize, first: SeatId) -> Self {
        let what = (
            format!("有 {seats} 个席位的密封密钥声明已满,本节点只能逐条记录补发密钥。"),
            format!("For {seats} seats this node has no room left to hand on keys: it does so record by record."),
        );
        let next = (
            "通常是上级某节点发出了大量密钥:请核查该线路上的节点,可疑者予以隔离;也可为该席位另行登记一个节点。",
            "Mostly some node above has given out a great many keys: look at the nodes of that line, and fence what is \
             suspicious. A further node at the seat has room of its own.",
        );
        Alarm::new("no_room_for_keys", Severity::Warning, what, next, first.to_string(), 0)
    }

    pub(crate) fn audit_forked(author: NodeId, at_ms: i64) -> Self {
        let short = author.short();
        let what = (
            format!("节点 {short} 上报了两份长度相同、内容不同的审计日志。"),
            format!("Node {short} has reported two different audit logs of one length."),
        );
        let next = (
            "其存储可能被复制、回退,或日志被改写。请在该节点核验审计日志(heliu audit verify)。",
            "Its store was copied or put back, or the log was written anew: verify it there (heliu audit verify).",
        );
        Alarm::new("audit_forked", Severity::Warning, what, next, author.to_string(), at_ms)
    }

    pub(crate) fn directory_forked(index: u64, [ours, theirs]: [DirectoryVersion; 2], at_ms: i64) -> Self {
        let what = (
            format!(
                "名录第 {index} 条有两个不同的签发版本:本节点的 {ours} 与别处的 {theirs}。名录停止增长,数据照常同步。"
            ),
            format!(
                "There are two signed entries {index} of the directory: {ours} here and {theirs} elsewhere. It grows no \
                 more; records go on."
            ),
        );
        let next = (
            "签发密钥可能已泄露。请在两边各取一份名录(heliu directory save),由持有根密钥的人裁定并更换签发密钥(heliu root resolve --help)。",
            "The issuer's key may be stolen. Save the directory at a node of each side (heliu directory save); whoever holds \
             the root key decides, and replaces the issuer's (heliu root resolve --help).",
        );
        Alarm::new("directory_forked", Severity::Critical, what, next, index.to_string(), at_ms)
    }

    pub(crate) fn equivocation(author: NodeId, at_ms: i64) -> Self {
        let short = author.short();
        let what = (
            format!("节点 {short} 为同一序号签署了两份不同的提交,证据已保存并上报。"),
            format!("Node {short} signed two different commits for one place; the evidence is kept and goes up."),
        );
        let next = (
            "查明该机器是否被整机回滚或被入侵;如被入侵,请隔离该节点(heliu fence)。",
            "Find out whether the machine was rolled back as a whole or broken into. If so, fence it (heliu fence).",
        );
        Alarm::new("equivocation", Severity::Critical, what, next, author.to_string(), at_ms)
    }

    pub(crate) fn twin(node: NodeId, at_ms: i64) -> Self {
        let short = node.short();
        let what = (
            format!("有两台机器同时以节点 {short} 的密钥运行;双方的数据都会保留。"),
            format!("Two machines run with the key of node {short} at once; what both write is kept."),
        );
        let next = (
            "请停用其中一台(通常是复制或恢复出来的那台),再为它重新办理入域。",
            "Stop one of them, as a rule the copied or restored one, and let it join with a key of its own.",
        );
        Alarm::new("twin", Severity::Warning, what, next, node.to_string(), at_ms)
    }

    /// As [`Alarm::twin`], of this node itself. It may also be the one that was put back from an old copy.
    pub(crate) fn twin_here(node: NodeId, at_ms: i64) -> Self {
        let what = (
            "有以本节点密钥签署、而本节点存储中从未有过的改动:本机由旧备份恢复,或另有一台机器在用同一密钥。".to_owned(),
            "Changes came that are signed with this node's key and that its store never made: it was restored from an old \
             copy, or another machine runs with its key."
                .to_owned(),
        );
        let next = (
            "如未做过恢复,请停用另一台机器;双方的数据都会保留。重启后本警报消失。",
            "If nothing was restored, stop the other machine; what both write is kept. A restart ends this alarm.",
        );
        Alarm::new("twin", Severity::Warning, what, next, node.to_string(), at_ms)
    }

    pub(crate) fn false_claim(peer: NodeId, at_ms: i64) -> Self {
        let short = peer.short();
        let what = (
            format!("节点 {short} 声称本节点写过本节点没有的改动,却拿不出本节点的签名;未予采信。"),
            format!(
                "Node {short} says that this node has written what it has not, and cannot show its signature: it is not believed."
            ),
        );
        let next = (
            "请查明该节点:其存储可能已损坏(在该节点运行 heliu doctor),或程序被人改动。重启后本提示消失。",
            "Look into that node: its store may be damaged (heliu doctor there), or its program was changed. A restart ends              this alarm.",
        );
        Alarm::new("false_claim", Severity::Warning, what, next, peer.to_string(), at_ms)
    }

    pub(crate) fn judged_differently(peer: NodeId, at_ms: i64) -> Self {
        let short = peer.short();
        let what = (
            format!("本节点与 {short} 持有相同的改动,却作出不同的判断。"),
            format!("This node and {short} hold the same changes and judge them differently."),
        );
        let next = (
            "这是程序缺陷:请附上两端版本号报告。",
            "That is a defect of the program: report it with the versions of both.",
        );
        Alarm::new("judged_differently", Severity::Critical, what, next, peer.to_string(), at_ms)
    }

    pub(crate) fn kinds_differ(peer: NodeId, kinds: &[(Explanation, u32)], at_ms: i64) -> Self {
        let short = peer.short();
        let zh: Vec<String> = kinds.iter().map(|(kind, version)| format!("{}(第 {version} 版)", kind.zh)).collect();
        let en: Vec<String> = kinds.iter().map(|(kind, version)| format!("{} (version {version})", kind.en)).collect();
        let (zh, en) = (zh.join("、"), en.join(", "));
        let what = (
            format!(
                "本节点与 {short} 的程序对记录种类的约定不同:{zh}。对方按其约定作出的改动,本节点只保存和转发,不作判断。"
            ),
            format!(
                "The programs of this node and of {short} declare kinds of records differently: {en}. What \
                 is to be judged by its declaration is kept and passed on here, and not judged."
            ),
        );
        let next = (
            "请升级两者之一,使两端程序一致;一致后会自动重新判断。",
            "Upgrade one of the two, so that both were built from the same declarations: then it is judged by itself.",
        );
        Alarm::new("kinds_differ", Severity::Warning, what, next, peer.to_string(), at_ms)
    }

    pub(crate) fn unjudged(kind: &str, said: &Explanation, (records, one): (usize, RecordId), at_ms: i64) -> Self {
        let (zh, en, one) = (&said.zh, &said.en, one.short());
        let what = (
            format!(
                "有 {records} 条记录({zh})含有改动,写入方的程序对该种类的约定与本节点不同:本节点只保存和转发,不作判断(如 {one};逐条见 heliu stranded list)。"
            ),
            format!(
                "{records} records ({en}) hold edits by programs that declare this kind otherwise than this node's: they are kept \
                 and passed on here, and not judged (such as {one}; heliu stranded list shows them)."
            ),
        );
        let next = (
            "请升级写入方或本节点,使程序一致,之后会自动重新判断。写入方的机器已不再使用的,请县级隔离它(heliu fence):其改动改由各节点自行判断。",
            "Upgrade the nodes that wrote them, or this one, until the programs agree: then they are judged by themselves. If such a \
             machine is gone, have the county fence it (heliu fence): then each node judges what it wrote by its own program.",
        );
        Alarm::new("unjudged", Severity::Warning, what, next, kind.to_owned(), at_ms)
    }

    pub(crate) fn stranded(count: usize, at_ms: i64) -> Self {
        let what = (
            format!("本节点有 {count} 处改动因其依据被排除而失效,未能自动重写。"),
            format!("{count} edits of this node lost what they stood on, and could not be made again by themselves."),
        );
        let next = (
            "请逐条查看并重写或放弃(heliu stranded list)。",
            "Look at each, and make it again or discard it (heliu stranded list).",
        );
        Alarm::new("stranded_edits", Severity::Warning, what, next, String::new(), at_ms)
    }

    pub(crate) fn too_much(author: SeatId, name: &str, code: &str, records: usize, at_ms: i64) -> Self {
        let what = (
            format!("{name} 发给本席位(或下级)的内容已达上限:其余 {records} 条记录未收下,仍留在发送一方。"),
            format!(
                "{name} has named this seat, or one below, in more than it may: {records} of its records are not taken, and \
                 stay where they are."
            ),
        );
        let next = (
            format!(
                "请与对方核实。不再接收:heliu foreign decline {code}(立即生效);确需接收:调高 heliu.toml 中的 foreign.leaves_max 后重启节点。"
            ),
            format!(
                "Ask there what it is. To take nothing more of it: heliu foreign decline {code}, at once. To take it: raise \
                 foreign.leaves_max in heliu.toml and restart the node."
            ),
        );
        Alarm::new("too_much_of_one", Severity::Warning, what, (&next.0, &next.1), author.to_string(), at_ms)
    }

    fn second_node(seat: SeatId, name: &str, earlier: NodeId, node: NodeId, at_ms: i64) -> Self {
        let (short, old) = (node.short(), earlier.short());
        let what = (
            format!("席位 {name} 已有节点 {old},又登记了节点 {short}。"),
            format!("Another node, {short}, was enrolled for {name}, which has {old} already."),
        );
        let next = (
            format!(
                "如是更换机器,请隔离旧的(heliu fence {old}),此后不再提示,也不再等它。如非本席位办理,签发密钥可能已被盗用:\
                 请立即联系县级与根密钥持有人,隔离节点 {short}。"
            ),
            format!(
                "If it replaces a machine that is gone, fence that one (heliu fence {old}): then this ends, and nobody waits \
                 for it any more. If the seat did not ask for it, the issuer's key may be stolen: tell the county and whoever \
                 holds the root key at once, and fence {short}."
            ),
        );
        let subject = format!("{seat}/{node}");
        Alarm::new("second_node", Severity::Critical, what, (&next.0, &next.1), subject, at_ms)
    }
}

/// Nodes that were enrolled for a seat that had one, at this seat and below, as long as both may write. A thief of the
/// issuer's key can write any time into an entry, but none before that of the entries before it; and what was `learnt`
/// since this process began is told however old it claims to be.
pub(crate) fn second_nodes(directory: &Directory, own: SeatId, learnt: &BTreeSet<NodeId>, now_ms: i64) -> Vec<Alarm> {
    let seats = directory.seats();
    let mut living: BTreeMap<SeatId, NodeId> = BTreeMap::new();
    let mut alarms = Vec::new();
    let mut at_ms = i64::MIN;
    for signed in directory.entries_from(0) {
        at_ms = at_ms.max(signed.entry.time_ms);
        for item in &signed.entry.items {
            let Item::Node { node, seat, .. } = item else { continue };
            if directory.is_fenced(*node) {
                continue;
            }
            let earlier = *living.entry(*seat).or_insert(*node);
            let is_new = learnt.contains(node) || at_ms.saturating_add(SECOND_NODE_DAYS * DAY_MS) > now_ms;
            // The county's tree is founded in one go, mirrors too.
            if earlier != *node && signed.entry.index > 0 && is_new && seats.is_at_or_above(own, *seat) {
                alarms.push(Alarm::second_node(*seat, &seats.name(*seat), earlier, *node, at_ms));
            }
        }
    }
    alarms
}
