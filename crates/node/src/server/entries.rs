//! Directory entries as people read them: who signed, and one line in each language per item.

use heliu_api::administration as pb;
use heliu_api::records::Label;
use heliu_record::id::SeatId;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::NodeId;

/// Lines of one entry; a county's tree is one entry of hundreds of items, and more is a line that says how many.
const LINES_MAX: usize = 64;

/// `directory` names the seats and nodes that it speaks of.
#[must_use]
pub fn entry_in_words(signed: &SignedEntry, directory: &Directory) -> pb::DirectoryEntry {
    let entry = &signed.entry;
    let mut items: Vec<Label> = entry.items.iter().take(LINES_MAX).map(|item| line(item, directory)).collect();
    if let Some(more) = entry.items.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
        items.push(label(format!("另有 {more} 项"), format!("and {more} more")));
    }
    pb::DirectoryEntry {
        index: entry.index,
        version: signed.version.to_string(),
        time_ms: entry.time_ms,
        signers: signers(signed, directory),
        items,
        encoded: signed.encode(),
    }
}

/// What each key was when it signed: the issuer is replaced from one entry to the next.
fn signers(signed: &SignedEntry, directory: &Directory) -> Vec<String> {
    let before = directory.entries_from(0).iter().take_while(|earlier| earlier.entry.index < signed.entry.index);
    let issuers = before.flat_map(|earlier| &earlier.entry.items).filter_map(|item| match item {
        Item::Issuer { key } => Some(*key),
        _ => None,
    });
    let issuer = issuers.last();
    let name = |key| match key {
        key if key == directory.root() => "root",
        key if Some(key) == issuer => "issuer",
        _ => "cosigner",
    };
    signed.signers().map(|key| name(key).to_owned()).collect()
}

fn line(item: &Item, directory: &Directory) -> Label {
    let seat_of = |seat: &SeatId| directory.seats().name(*seat);
    let node_of = |node: &NodeId| match directory.node(*node) {
        Some(info) => format!("{} {}", seat_of(&info.seat), node.short()),
        None => node.short(),
    };
    match item {
        Item::Seat(seat) => label(
            format!("席位 {} {}", seat.code, seat.name),
            format!("seat {} {} ({})", seat.code, seat.name, seat.tier.label().en),
        ),
        Item::Node { node, seat, addresses, approval, .. } => {
            let (short, seat) = (node.short(), seat_of(seat));
            let at = addresses.join(", ");
            match approval {
                Some(approval) => {
                    let by = node_of(&approval.minter);
                    label(
                        format!("“{seat}”的节点 {short} 凭 {by} 签发的令牌入域,地址:{at}"),
                        format!("node {short} of {seat} joined with a token of {by}, at: {at}"),
                    )
                }
                None => {
                    label(format!("登记“{seat}”的节点 {short},地址:{at}"), format!("node {short} of {seat}, at: {at}"))
                }
            }
        }
        Item::Addresses { node, addresses } => {
            let (node, at) = (node_of(node), addresses.join(", "));
            label(format!("节点 {node} 的地址改为:{at}"), format!("node {node} is now at: {at}"))
        }
        Item::Issuer { key } => {
            let key = key.short();
            label(format!("签发密钥改为 {key}"), format!("the issuer's key is {key} from the next entry on"))
        }
        Item::Cosigner { key, active: true } => {
            let key = key.short();
            label(format!("副签人密钥 {key} 启用"), format!("key {key} can give the second signature"))
        }
        Item::Cosigner { key, active: false } => {
            let key = key.short();
            label(format!("副签人密钥 {key} 停用"), format!("key {key} can no longer give the second signature"))
        }
        Item::Policy { two_signatures: true } => {
            label("启用两人签字".to_owned(), "some changes need two signatures from now on".to_owned())
        }
        Item::Policy { two_signatures: false } => {
            label("停用两人签字".to_owned(), "one signature is enough from now on".to_owned())
        }
        Item::Escrow { .. } => {
            label("设置托管密钥".to_owned(), "what is sealed is sealed to this escrow key as well".to_owned())
        }
        Item::Delegate { seat, active: true } => {
            let seat = seat_of(seat);
            label(
                format!("授权“{seat}”为本席位及其下级签发入域令牌"),
                format!("nodes of {seat} may enrol for it and below"),
            )
        }
        Item::Delegate { seat, active: false } => {
            let seat = seat_of(seat);
            label(format!("收回“{seat}”签发入域令牌的授权"), format!("nodes of {seat} may enrol no more"))
        }
        Item::TimeZone { name } => {
            label(format!("域的时区改为 {name}"), format!("the realm's days begin as in {name} from now on"))
        }
        Item::Token { id } => label(format!("撤销入域令牌 {id}"), format!("the join token {id} is revoked")),
        Item::Fence(fence) => {
            let (node, kept, excluded) = (node_of(&fence.node), fence.frontier.len(), fence.excluded.len());
            label(
                format!("隔离节点 {node}:保留 {kept} 次启动期间已知的提交,另排除 {excluded} 处变更"),
                format!(
                    "node {node} is fenced: what is known of {kept} incarnations stays, but for {excluded} changes"
                ),
            )
        }
        Item::Resolve { abandoned } => {
            let count = abandoned.len();
            label(
                format!("根密钥裁决分叉,放弃 {count} 个版本"),
                format!("the root decides a fork and gives up {count} versions"),
            )
        }
    }
}

fn label(zh: String, en: String) -> Label {
    Label { zh, en }
}
