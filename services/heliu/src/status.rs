//! `status`, `peers`, `verify`: how a node is, how its links are, and proof that both ends of a link hold the same.

use std::time::Duration;

use heliu_client::operations::{GetStatusResponse, Lag, Link, LinkRole, LinkState, Outcome, RefusedPeer, Verification};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Read, VerifyArgs};
use crate::failure::Failure;
use crate::render::{given, place, seat_shape, short, word};
use crate::target;
use crate::text::table::{Table, pairs};
use crate::text::{Language, bytes, clean, codes, count, language, reasons, time, tr};

/// Of more who were not let in only the last are told.
const REFUSED_SHOWN: usize = 5;

pub async fn status(args: &Read) -> Result<Done, Failure> {
    let client = target::connect(&args.target).await?;
    let (status, links) = (client.status().await?, client.links().await?);
    if args.json { print_json(&status_shape(&status, &links)) } else { print(&status_told(&status, &links)) }
}

pub async fn peers(args: &Read) -> Result<Done, Failure> {
    let links = target::connect(&args.target).await?.links().await?;
    if args.json {
        return print_json(&json!({"links": links.iter().map(link_shape).collect::<Vec<_>>()}));
    }
    if links.is_empty() {
        return print(&tr!(
            "没有链路:未配置上级或镜像,也没有下级连来。\n",
            "No links: no superior or mirror is configured, and nobody has connected.\n"
        ));
    }
    print(&peers_told(&links))
}

/// Well only if every link is equal, and there is one.
pub async fn verify(args: &VerifyArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let verdicts = client.verify(&args.peer, Duration::from_secs(args.timeout)).await?;
    let is_equal = |verdict: &Verification| matches!(verdict.outcome(), Outcome::Equal | Outcome::HeldEqual);
    let is_well = |verdict: &&Verification| is_equal(verdict) && !verdict.misplaced;
    let equal = verdicts.iter().filter(is_well).count();
    let all_equal = equal == verdicts.len() && !verdicts.is_empty();
    if args.read.json {
        let shapes: Vec<Value> = verdicts.iter().map(verdict_shape).collect();
        print_json(
            &json!({"equal": all_equal, "links": verdicts.len(), "verified_links": equal, "verifications": shapes}),
        )?;
    } else {
        print(&verify_told(&verdicts, equal))?;
    }
    Ok(if all_equal { Done::Well } else { Done::No })
}

fn status_told(status: &GetStatusResponse, links: &[Link]) -> String {
    let counts = status.counts.unwrap_or_default();
    let (records, stubs, leaves, commits) =
        (count(counts.records), count(counts.stubs), count(counts.leaves), count(counts.commits));
    let (conflicts, quarantined, waiting) = (count(counts.conflicts), count(counts.quarantined), count(counts.waiting));
    let (entries, head) = (status.directory_len, short(&status.directory_head));
    let tier = status.seat.as_ref().map(|seat| codes::tier(&seat.tier)).unwrap_or_default();
    let state = match &status.read_only {
        None => tr!("正常", "takes reads and writes"),
        Some(why) => {
            let why = reasons::told(Some(why));
            tr!(
                "只读:{why}。读取照常,写入会自动重试",
                "READ-ONLY: {why}. Reads go on; writes are tried again by themselves"
            )
        }
    };
    let issues = if status.issuer { tr!(",本节点签发", "; this node issues it") } else { String::new() };
    let (store, position) = (short(&status.store), count(status.store_head));
    let mut rows = vec![
        (tr!("席位", "seat"), format!("{} ({tier})", place(status.seat.as_ref()))),
        (tr!("节点", "node"), status.node.clone()),
        (tr!("状态", "state"), state),
        (tr!("版本", "version"), status.version.clone()),
        (tr!("域", "realm"), short(&status.realm)),
        (tr!("存储", "store"), tr!("{store},位置 {position}", "{store}, head {position}")),
        (
            tr!("记录", "records"),
            tr!(
                "{records} 条(另有存根 {stubs}),变更 {leaves},提交 {commits}",
                "{records} (and {stubs} stubs), {leaves} changes, {commits} commits"
            ),
        ),
        (
            tr!("待办", "needs attention"),
            tr!(
                "冲突 {conflicts},拒收 {quarantined},等待中 {waiting}",
                "{conflicts} conflicts, {quarantined} refused, {waiting} waiting"
            ),
        ),
        (tr!("名录", "directory"), tr!("{entries} 项,版本 {head}", "{entries} entries, version {head}") + &issues),
        (tr!("今日", "today"), today(status)),
        (tr!("安全", "security"), security(status)),
        (tr!("已运行", "up"), time::span(status.uptime_ms)),
        (tr!("链路", "links"), links_in_short(links)),
    ];
    if status.in_part {
        // Rows that this token is not shown would look empty.
        let left_out = [tr!("状态", "state"), tr!("存储", "store"), tr!("记录", "records"), tr!("待办", "to look at")];
        rows.retain(|(label, _)| !left_out.contains(label));
        rows.push((
            tr!("范围", "scope"),
            tr!(
                "此令牌只限于部分席位或类别,本节点整体的情况不在其内",
                "this token is for some seats or kinds; what is about the node as a whole is left out"
            ),
        ));
    }
    rows.extend(to_look_at(status));
    for link in links.iter().filter(|link| is_broken(link)) {
        let error = last_error(link);
        let what = match error {
            _ if link.misplaced => tr!(
                "它配置为上级,但不是本席位的上级,经它报不上去",
                "it is configured as a parent and is not above this seat: nothing goes up by it"
            ),
            error if error.is_empty() => state_name(link.state()),
            error => error,
        };
        rows.push((format!("  ! {}", role_name(link.role())), format!("{}: {what}", end(link))));
    }
    pairs(&rows)
}

/// The civil day where the realm is, by the node's clock.
fn today(status: &GetStatusResponse) -> String {
    let GetStatusResponse { today, time_zone, .. } = status;
    let now = time::local(status.now_ms);
    tr!(
        "{today}(域的时区 {time_zone};本机时钟 {now})",
        "{today} (in {time_zone}, the realm's time zone; its clock says {now})"
    )
}

/// How connections are secured.
fn security(status: &GetStatusResponse) -> String {
    match status.certificate_not_after_ms {
        None => tr!("开发模式:无加密、无令牌", "DEVELOPMENT MODE: no encryption, no tokens"),
        Some(until) => {
            let until = time::local(until);
            tr!("TLS,证书到 {until}", "TLS, certificate until {until}")
        }
    }
}

/// Alarms, files that are not taken, sealed values that this node waits to read, and who was not let in.
fn to_look_at(status: &GetStatusResponse) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    if status.alarms > 0 {
        let (all, grave) = (count(status.alarms), count(status.alarms_grave));
        let text =
            tr!("{all} 个,其中严重 {grave} 个(见 heliu alarms)", "{all}, of which {grave} grave (see heliu alarms)");
        rows.push((tr!("  ! 警报", "  ! alarms"), text));
    }
    rows.extend(status.problems.iter().map(|problem| (tr!("  ! 文件", "  ! files"), reasons::told(Some(problem)))));
    if status.pending_wraps > 0 {
        let pending = count(status.pending_wraps);
        let text = tr!("{pending} 条记录,等有钥匙的节点", "{pending} record(s), until a node comes that has the keys");
        rows.push((tr!("  ! 尚打不开的密封内容", "  ! sealed, not readable yet"), text));
    }
    if status.refusals > 0 {
        let all = count(status.refusals);
        rows.push((tr!("  ! 被拒的连接", "  ! refused"), tr!("启动以来 {all} 次", "{all} since the start")));
        for refused in status.recent_refusals.iter().take(REFUSED_SHOWN) {
            let (when, node) = (time::ago(refused.at_ms), short(&refused.node));
            rows.push((
                String::new(),
                format!("{} {node} {} ({when})", refused.address, reasons::told(refused.why.as_ref())),
            ));
        }
    }
    rows
}

/// What somebody should know of: a link of ours that does not come about, or one that was refused.
fn is_broken(link: &Link) -> bool {
    let down = matches!(link.state(), LinkState::Down | LinkState::Connecting) && !link.address.is_empty();
    down || link.misplaced || link.state() == LinkState::Refused
}

fn links_in_short(links: &[Link]) -> String {
    let verified = links.iter().filter(|link| link.verified_since_ms.is_some() && !link.misplaced).count();
    let misplaced = links.iter().filter(|link| link.misplaced).count();
    let broken = links.iter().filter(|link| is_broken(link) && !link.misplaced).count();
    let all = links.len();
    let said = tr!("{all} 条,{verified} 条已核对一致", "{all}, of which {verified} proven equal");
    let mut said = said;
    if broken > 0 {
        said += &tr!(",{broken} 条断开(见 heliu peers)", ", {broken} down (see heliu peers)");
    }
    if misplaced > 0 {
        said +=
            &tr!(",{misplaced} 条上级地址不对(见 heliu peers)", ", {misplaced} to a wrong parent (see heliu peers)");
    }
    said
}

/// The other end: its place, or its address before it has said who it is.
fn end(link: &Link) -> String {
    let place = place(link.peer_seat.as_ref());
    if place.is_empty() { clean(&link.address) } else { place }
}

/// What went wrong last, in words. What a library or the other end said is for `--json`.
pub fn last_error(link: &Link) -> String {
    let Some(label) = &link.last_error_label else {
        let is_known = link.last_error.is_empty() && link.last_error_code.is_empty();
        return if is_known { String::new() } else { tr!("原因不明", "it is not known why") };
    };
    match language() {
        Language::Zh => clean(&label.zh),
        Language::En => clean(&label.en),
    }
}

/// As a cell of a table: when it was, and whether it is over.
fn last_error_told(link: &Link) -> String {
    let error = last_error(link);
    match link.last_error_ms.map(time::ago) {
        Some(when) if link.last_error_over => tr!("{when},已恢复:{error}", "{when}, over: {error}"),
        Some(when) => tr!("{when}:{error}", "{when}: {error}"),
        None => error,
    }
}

fn peers_told(links: &[Link]) -> String {
    let headers = [
        tr!("角色", "role"),
        tr!("对端", "peer"),
        tr!("状态", "state"),
        tr!("落后", "behind"),
        tr!("最久", "oldest"),
        tr!("上次收到", "heard"),
        tr!("一致始于", "equal since"),
        tr!("上次核对", "checked"),
        tr!("最近的错误", "last error"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[3]).whole(&[0, 2]);
    for link in links {
        let lag = link.lag.unwrap_or_default();
        let ago = |ms: Option<i64>| ms.map(time::ago).unwrap_or_default();
        table.row([
            role_name(link.role()),
            end(link),
            state_name(link.state()),
            behind(&lag),
            if lag.oldest_age_ms > 0 { time::span(lag.oldest_age_ms) } else { String::new() },
            ago(link.heard_ms),
            ago(link.verified_since_ms),
            ago(link.verified_last_ms) + &held_only(link),
            last_error_told(link),
        ]);
    }
    let mut text = table.print();
    for link in links.iter().filter(|link| is_broken(link)) {
        let (end, error) = (end(link), last_error(link));
        let error = if error.is_empty() { tr!("尚无答复", "no answer yet") } else { error };
        text.push_str(&match link.state() {
            _ if link.misplaced => tr!(
                "\n{end} 配置为上级,但它不是本席位的上级:经它报不上去。请改正 heliu.toml 的 links.parents,然后重启节点。\n",
                "\n{end} is configured as a parent and is not above this seat: nothing goes up by it. Correct links.parents in heliu.toml, and start the node again.\n"
            ),
            LinkState::Refused => tr!(
                "\n{end} 的链路被拒绝:{error}。不会自行恢复,请按原因处理。\n",
                "\nThe link to {end} was refused: {error}. It will not get better by itself: act on the reason.\n"
            ),
            _ => tr!(
                "\n连不上 {end}:{error}。节点照常工作,会一直重试;请检查对方是否在运行、地址和网络。\n",
                "\nCannot reach {end}: {error}. This node works on and keeps trying; check that the other runs, its address, and the network.\n"
            ),
        });
    }
    text
}

/// Unknown while the two do not speak with each other.
fn behind(lag: &Lag) -> String {
    match (lag.items, lag.bytes) {
        (None, _) => "?".to_owned(),
        (Some(0), _) => "0".to_owned(),
        (Some(items), 0) => count(items),
        (Some(items), size) => format!("{} ({})", count(items), bytes(size)),
    }
}

fn verify_told(verdicts: &[Verification], equal: usize) -> String {
    if verdicts.is_empty() {
        return tr!("没有可核对的链路。\n", "There is no link to verify.\n");
    }
    let headers = [
        tr!("对端", "peer"),
        tr!("结论", "verdict"),
        tr!("记录", "records"),
        tr!("持有", "held"),
        tr!("采纳", "admitted"),
        tr!("说明", "detail"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[2]).whole(&[1]);
    for verdict in verdicts {
        let peer = place(verdict.peer_seat.as_ref());
        // A peer that has never sent a hello is known by its address alone.
        let known =
            [peer, short(&verdict.peer_node), verdict.address.clone()].into_iter().find(|name| !name.is_empty());
        table.row([
            known.unwrap_or_default(),
            outcome_name(verdict.outcome()),
            count(verdict.records),
            verdict.held.chars().take(16).collect(),
            verdict.admitted.chars().take(16).collect(),
            detail(verdict),
        ]);
    }
    let all = verdicts.len();
    let unproven = if verdicts.iter().all(|verdict| verdict.sums_proven) {
        String::new()
    } else {
        tr!(
            "合计尚待核实:本节点启动后十分钟内会逐条重数;此前存储若有损坏,合计未必反映出来。\n",
            "Sums not yet proven: within ten minutes of its start this node counts every record again; until then they may not \
             show damage to its store.\n"
        )
    };
    table.print() + &tr!("\n{all} 条链路中 {equal} 条一致。\n", "\n{equal} of {all} link(s) equal.\n") + &unproven
}

/// What follows from a verdict.
fn detail(verdict: &Verification) -> String {
    match verdict.outcome() {
        _ if verdict.misplaced => tr!(
            "配置为上级,却不是本席位的上级:改正 links.parents",
            "configured as a parent and not above this seat: correct links.parents"
        ),
        Outcome::Equal => String::new(),
        Outcome::HeldEqual => tr!(
            "两端程序的记录种类不同:所持改动已核对,判断结果未核对",
            "the programs know other kinds: what they hold was compared, what they make of it was not"
        ),
        Outcome::JudgedDifferently => {
            tr!("数据相同而判断不同:请保留现场并上报", "same data, judged differently: keep both stores and report it")
        }
        Outcome::Different => tr!("正在对账,稍后再核对", "being reconciled now; verify again soon"),
        Outcome::MovedOn => tr!("一端一直在变,安静时再核对", "one end kept changing; verify again when it is quiet"),
        Outcome::NotConnected => tr!("原因见 heliu peers", "heliu peers says why"),
        Outcome::TimedOut => tr!("没有等到答复,可加大 --timeout", "no answer in time; try a longer --timeout"),
        Outcome::Unspecified => String::new(),
    }
}

/// What was compared, where it is not all.
fn held_only(link: &Link) -> String {
    if link.held_only { tr!("(仅所持)", " (held only)") } else { String::new() }
}

fn role_name(role: LinkRole) -> String {
    match role {
        LinkRole::Parent => tr!("上级", "parent"),
        LinkRole::Child => tr!("下级", "child"),
        LinkRole::Peer => tr!("镜像", "peer"),
        LinkRole::Unspecified => "?".to_owned(),
    }
}

fn state_name(state: LinkState) -> String {
    match state {
        LinkState::Down => tr!("断开", "down"),
        LinkState::Connecting => tr!("连接中", "connecting"),
        LinkState::Directory => tr!("同步名录", "directory"),
        LinkState::Reconciling => tr!("对账", "reconciling"),
        LinkState::CatchingUp => tr!("追赶", "catching up"),
        LinkState::Live => tr!("同步", "live"),
        LinkState::Refused => tr!("被拒绝", "refused"),
        LinkState::Unspecified => "?".to_owned(),
    }
}

fn outcome_name(outcome: Outcome) -> String {
    match outcome {
        Outcome::Equal => tr!("一致", "equal"),
        Outcome::HeldEqual => tr!("所持一致", "hold the same"),
        Outcome::JudgedDifferently => tr!("判断不同", "JUDGED DIFFERENTLY"),
        Outcome::Different => tr!("不一致", "different"),
        Outcome::MovedOn => tr!("仍在变动", "moved on"),
        Outcome::NotConnected => tr!("未连接", "not connected"),
        Outcome::TimedOut => tr!("超时", "timed out"),
        Outcome::Unspecified => "?".to_owned(),
    }
}

fn status_shape(status: &GetStatusResponse, links: &[Link]) -> Value {
    let counts = status.counts.unwrap_or_default();
    json!({
        "node": status.node, "node_name": status.node_name, "seat": seat_shape(status.seat.as_ref()),
        "realm": status.realm, "store": status.store, "store_head": status.store_head,
        "incarnation": status.incarnation,
        "counts": {
            "records": counts.records, "stubs": counts.stubs, "leaves": counts.leaves, "commits": counts.commits,
            "conflicts": counts.conflicts, "quarantined": counts.quarantined, "waiting": counts.waiting,
        },
        "directory": {"len": status.directory_len, "head": status.directory_head},
        "uptime_ms": status.uptime_ms, "version": status.version,
        "read_only": reasons::shape(status.read_only.as_ref()),
        "now": time::utc(status.now_ms), "time_zone": status.time_zone, "today": status.today,
        "certificate_not_after": status.certificate_not_after_ms.and_then(time::utc), "problems": status.problems.iter().map(|why| reasons::shape(Some(why))).collect::<Vec<_>>(),
        "refusals": status.refusals, "unread_bytes": status.unread_bytes,
        "recent_refusals": status.recent_refusals.iter().map(refused_shape).collect::<Vec<_>>(),
        "issuer": status.issuer, "alarms": status.alarms, "alarms_grave": status.alarms_grave,
        "pending_wraps": status.pending_wraps, "in_part": status.in_part,
        "links": links.iter().map(link_shape).collect::<Vec<_>>(),
    })
}

fn refused_shape(refused: &RefusedPeer) -> Value {
    json!({
        "at": time::utc(refused.at_ms), "address": refused.address, "node": given(&refused.node),
        "code": refused.why.as_ref().map(|why| &why.code), "facts": refused.why.as_ref().map(reasons::facts),
    })
}

fn link_shape(link: &Link) -> Value {
    let lag = link.lag.unwrap_or_default();
    let when = |ms: Option<i64>| ms.and_then(time::utc);
    json!({
        "peer_node": given(&link.peer_node), "peer_node_name": given(&link.peer_node_name),
        "peer_seat": seat_shape(link.peer_seat.as_ref()), "peer_program": given(&link.peer_program),
        "role": word(link.role().as_str_name(), "LINK_ROLE_"), "state": word(link.state().as_str_name(), "LINK_STATE_"),
        "address": given(&link.address), "misplaced": link.misplaced,
        "verified_since": when(link.verified_since_ms), "verified_last": when(link.verified_last_ms), "held_only": link.held_only, "heard": when(link.heard_ms),
        "last_error": (!link.last_error.is_empty()).then_some(&link.last_error),
        "last_error_at": when(link.last_error_ms), "last_error_code": given(&link.last_error_code),
        "last_error_label": link.last_error_label.as_ref().map(|label| json!({"zh": label.zh, "en": label.en})),
        "last_error_over": link.last_error_over,
        "lag": {"items": lag.items, "bytes": lag.items.map(|_| lag.bytes), "oldest_age_ms": lag.oldest_age_ms},
        "in_flight": {"frames": link.in_flight_frames, "bytes": link.in_flight_bytes},
        "acked_position": link.acked_position, "received_position": link.received_position,
        "reconciles": link.reconciles, "round": link.round,
        "frames_in": link.frames_in, "frames_out": link.frames_out,
        "bytes_in": link.bytes_in, "bytes_out": link.bytes_out,
        "refused": link.refused, "connects": link.connects, "clock_ahead_ms": link.clock_ahead_ms,
    })
}

fn verdict_shape(verdict: &Verification) -> Value {
    json!({
        "peer_node": given(&verdict.peer_node), "peer_seat": seat_shape(verdict.peer_seat.as_ref()),
        "address": given(&verdict.address),
        "outcome": word(verdict.outcome().as_str_name(), "OUTCOME_"),
        "records": verdict.records, "held": given(&verdict.held), "admitted": given(&verdict.admitted),
        "mine": verdict.mine, "yours": verdict.yours, "misplaced": verdict.misplaced,
        "sums_proven": verdict.sums_proven,
    })
}

#[cfg(test)]
mod tests;
