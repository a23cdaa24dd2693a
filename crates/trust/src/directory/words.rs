//! What an item of the directory says, as people read it before they sign it, and afterwards in its list.

use heliu_record::conflict::Explanation;
use heliu_record::id::SeatId;

use super::{Directory, Item};
use crate::id::NodeId;

impl Item {
    /// For people; seats and nodes that `directory` knows by their names.
    #[must_use]
    pub fn words(&self, directory: &Directory) -> Explanation {
        let seat_of = |seat: &SeatId| directory.seats().name(*seat);
        let node_of = |node: &NodeId| match directory.node(*node) {
            Some(info) => format!("{} {}", seat_of(&info.seat), node.short()),
            None => node.short(),
        };
        match self {
            Item::Seat(seat) => say(
                format!("席位 {} {}", seat.code, seat.name),
                format!("seat {} {} ({})", seat.code, seat.name, seat.tier.label().en),
            ),
            Item::Node { node, seat, addresses, approval, .. } => {
                let (short, seat) = (node.short(), seat_of(seat));
                let at = addresses.join(", ");
                match approval {
                    Some(approval) => {
                        let by = node_of(&approval.minter);
                        say(
                            format!("“{seat}”的节点 {short} 凭 {by} 签发的令牌入域,地址:{at}"),
                            format!("node {short} of {seat} joined with a token of {by}, at: {at}"),
                        )
                    }
                    None => say(
                        format!("登记“{seat}”的节点 {short},地址:{at}"),
                        format!("node {short} of {seat}, at: {at}"),
                    ),
                }
            }
            Item::Addresses { node, addresses } => {
                let (node, at) = (node_of(node), addresses.join(", "));
                say(format!("节点 {node} 的地址改为:{at}"), format!("node {node} is now at: {at}"))
            }
            Item::Issuer { key } => {
                let key = key.short();
                say(format!("签发密钥改为 {key}"), format!("the issuer's key is {key} from the next entry on"))
            }
            Item::Cosigner { key, active: true } => {
                let key = key.short();
                say(format!("副签人密钥 {key} 启用"), format!("key {key} can give the second signature"))
            }
            Item::Cosigner { key, active: false } => {
                let key = key.short();
                say(format!("副签人密钥 {key} 停用"), format!("key {key} can no longer give the second signature"))
            }
            Item::Policy { two_signatures: true } => {
                say("启用两人签字".to_owned(), "some changes need two signatures from now on".to_owned())
            }
            Item::Policy { two_signatures: false } => {
                say("停用两人签字".to_owned(), "one signature is enough from now on".to_owned())
            }
            Item::Escrow { .. } => {
                say("设置托管密钥".to_owned(), "what is sealed is sealed to this escrow key as well".to_owned())
            }
            Item::Delegate { seat, active: true } => {
                let seat = seat_of(seat);
                say(
                    format!("授权“{seat}”为本席位及其下级签发入域令牌"),
                    format!("nodes of {seat} may enrol for it and below"),
                )
            }
            Item::Delegate { seat, active: false } => {
                let seat = seat_of(seat);
                say(format!("收回“{seat}”签发入域令牌的授权"), format!("nodes of {seat} may enrol no more"))
            }
            Item::TimeZone { name } => {
                say(format!("域的时区改为 {name}"), format!("the realm's days begin as in {name} from now on"))
            }
            Item::Token { id } => say(format!("撤销入域令牌 {id}"), format!("the join token {id} is revoked")),
            Item::Fence(fence) => {
                let (node, kept, excluded) = (node_of(&fence.node), fence.frontier.len(), fence.excluded.len());
                say(
                    format!("隔离节点 {node}:保留 {kept} 次启动期间已知的提交,另排除 {excluded} 处变更"),
                    format!(
                        "node {node} is fenced: what is known of {kept} incarnations stays, but for {excluded} changes"
                    ),
                )
            }
            Item::Resolve { abandoned } => {
                let count = abandoned.len();
                say(
                    format!("根密钥裁决分叉,放弃 {count} 个版本"),
                    format!("the root decides a fork and gives up {count} versions"),
                )
            }
        }
    }
}

fn say(zh: String, en: String) -> Explanation {
    Explanation::new(zh, en)
}
