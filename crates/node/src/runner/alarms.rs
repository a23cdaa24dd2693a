//! What an administrator should look at: the engine's alarms, and the shell's own, of whose causes the engine knows nothing.

use std::collections::BTreeMap;

use heliu_record::conflict::Explanation;
use heliu_record::reason::{Fact, Reason};
use heliu_replication::{Alarm, Severity};
use heliu_storage::StoreError;
use heliu_trust::audit::AuditHead;
use heliu_trust::directory::DEFAULT_TIME_ZONE;
use heliu_trust::id::NodeId;
use heliu_trust::statement::Body;

use super::Running;
use super::health::Health;
use crate::error::in_words;
use crate::zone;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Certificates are renewed long before: one that has so little left could not be.
const CERTIFICATE_MS: i64 = 30 * DAY_MS;
/// Somebody who was not let in is an alarm for so long.
const REFUSED_MS: i64 = 60 * 60 * 1_000;

impl Running {
    /// The gravest first.
    pub(super) fn alarms(&self) -> Vec<Alarm> {
        let mut alarms = self.run.engine.alarms();
        let (inner, directory) = (&self.run.inner, self.run.engine.directory());
        let now_ms = inner.clock.now().wall_ms;
        if let Health::Failed { error, .. } = &self.health {
            alarms.push(store_failed(error, now_ms));
        }
        for route in inner.routes.dialled() {
            let state = route.state();
            let Some(info) = state.peer.and_then(|peer| directory.node(peer)).filter(|_| state.link.is_some()) else {
                continue;
            };
            if self.is_misplaced(route, Some(info.seat)) {
                alarms.push(wrong_parent(&state.address, &directory.seats().name(info.seat), info.node));
            }
        }
        if let Some(secured) = &inner.secured {
            let left = secured.certificate.left_ms();
            if left < CERTIFICATE_MS {
                alarms.push(certificate_expiring(left / DAY_MS, now_ms));
            }
            let problems = secured.certificate.problems().into_iter().chain(secured.doors.problem());
            alarms.extend(problems.map(|why| file_not_taken(&why, now_ms)));
        }
        let time_zone = self.run.engine.directory().time_zone();
        if zone::known(time_zone).is_none() {
            alarms.push(unknown_time_zone(time_zone, now_ms));
        }
        let (_, refused) = inner.connections.refused.report(&inner.clock);
        let recent: Vec<_> = refused.iter().filter(|peer| peer.at_ms.saturating_add(REFUSED_MS) > now_ms).collect();
        if let Some(last) = recent.first() {
            alarms.push(refused_peers(recent.len(), &last.address.to_string(), last.at_ms));
        }
        alarms.sort_by_key(|alarm| std::cmp::Reverse(alarm.severity));
        alarms
    }

    /// Whether this node enters things into the directory: it holds the key that the directory names.
    pub(super) fn is_issuer(&self) -> bool {
        let held = self.run.beginner.issuer.as_ref().map(|key| key.public_key());
        held.is_some() && held == self.run.engine.directory().issuer()
    }

    /// The newest head of each node's audit log that was told here, and when.
    pub(super) fn audit_heads(&self) -> BTreeMap<NodeId, (AuditHead, i64)> {
        let mut heads: BTreeMap<NodeId, (AuditHead, i64)> = BTreeMap::new();
        for signed in self.run.engine.statements() {
            let Body::AuditHead(head) = &signed.statement.body else { continue };
            let newest = heads.entry(signed.statement.author).or_insert((*head, signed.statement.time_ms));
            if head.seq > newest.0.seq {
                *newest = (*head, signed.statement.time_ms);
            }
        }
        heads
    }
}

fn alarm(
    code: &'static str,
    severity: Severity,
    what: (String, String),
    next: (&str, &str),
    subject: &str,
    at_ms: i64,
) -> Alarm {
    let (what, next) = (Explanation::new(what.0, what.1), Explanation::new(next.0, next.1));
    Alarm { code, severity, what, next, subject: subject.to_owned(), at_ms }
}

fn store_failed(why: &StoreError, at_ms: i64) -> Alarm {
    let words = in_words(why);
    let what = (format!("存储无法写入:{}。", words.zh), format!("The store takes no writes: {}.", words.en));
    let next = match why {
        StoreError::Quota { .. } => (
            "请调大 heliu.toml 的 store.quota_mib(0 为不限),然后重启节点。",
            "Raise store.quota_mib in heliu.toml (0: no limit), and start the node again.",
        ),
        _ => {
            ("请清理空间或修复磁盘;节点会自动恢复。", "Make space or repair the disk; the node then goes on by itself.")
        }
    };
    alarm("store_failed", Severity::Critical, what, next, "", at_ms)
}

fn wrong_parent(address: &str, seat: &str, node: NodeId) -> Alarm {
    let what = (
        format!("配置为上级的 {address} 是“{seat}”的节点,它不是本席位的上级:经它报不上去。"),
        format!(
            "What is configured as a parent at {address} is a node of {seat}, which is not above this seat: nothing goes up \
             by it."
        ),
    );
    let next = (
        "请改正 heliu.toml 的 links.parents,然后重启节点。",
        "Correct links.parents in heliu.toml, and start the node again.",
    );
    alarm("wrong_parent", Severity::Critical, what, next, &node.to_string(), 0)
}

fn certificate_expiring(days: i64, at_ms: i64) -> Alarm {
    let what = if days < 0 {
        ("本节点的证书已过期。".to_owned(), "This node's certificate has expired.".to_owned())
    } else {
        (
            format!("本节点的证书将在 {days} 天后过期,且未能自动更换。"),
            format!("This node's certificate expires in {days} days, and could not be renewed by itself."),
        )
    };
    let next = (
        "请运行 heliu rotate,或让节点可以写入其目录。",
        "Run heliu rotate, or give the node write access to its directory.",
    );
    let severity = if days < 7 { Severity::Critical } else { Severity::Warning };
    alarm("certificate_expiring", severity, what, next, "", at_ms)
}

fn file_not_taken(why: &Reason, at_ms: i64) -> Alarm {
    let file = why.facts.iter().find(|(fact, _)| *fact == Fact::File).map(|(_, file)| format!(" {file}"));
    let file = file.unwrap_or_default();
    let what = (
        format!("新的证书或访问令牌清单{file} 未被采用,仍用旧的。"),
        format!("A new certificate or access list{file} was not taken, and the old one stays."),
    );
    let next = ("heliu status 说明原因;请改正该文件。", "heliu status says why: correct the file.");
    alarm("file_not_taken", Severity::Warning, what, next, "", at_ms)
}

fn unknown_time_zone(name: &str, at_ms: i64) -> Alarm {
    let what = (
        format!("本节点的时区库里没有域的时区 {name};在此之前按 {DEFAULT_TIME_ZONE} 记“今日”。"),
        format!(
            "This node's tz database has no {name}, the realm's time zone; until it has, \"today\" is that of {DEFAULT_TIME_ZONE}."
        ),
    );
    let next = (
        "请升级本节点的程序;若名称有误,由县级改正(heliu directory time-zone)。",
        "Upgrade this node's program; if the name is wrong, have the county correct it (heliu directory time-zone).",
    );
    alarm("unknown_time_zone", Severity::Warning, what, next, name, at_ms)
}

fn refused_peers(count: usize, address: &str, at_ms: i64) -> Alarm {
    let what = (
        format!("最近一小时有 {count} 次连接或请求被拒绝,最近一次来自 {address}。"),
        format!("{count} connections or requests were refused in the last hour, the last one from {address}."),
    );
    let next = (
        "请核对是谁;heliu status 列出最近的各次和原因。",
        "Find out who it is: heliu status shows the last ones, and why.",
    );
    alarm("refused_peers", Severity::Info, what, next, address, at_ms)
}
