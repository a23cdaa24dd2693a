//! `heliu.administration.v1`: what administrators ask and order. What an entry of the directory is to say is read here from
//! the request; whether it may be said, the engine decides.

use std::sync::Arc;
use std::time::Duration;

use heliu_api::administration as pb;
use heliu_api::administration::administration_service_server::AdministrationService;
use heliu_api::administration::propose_request::Change;
use heliu_record::id::{RecordId, SeatId};
use heliu_replication::Receipt;
use heliu_storage::Read;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::{NodeId, TokenId};
use heliu_wire::messages;
use tonic::{Request, Response, Status};

use super::acting::{actor, of_order};
use super::pages::Page;
use super::refusals::{ambiguous, bad_seats, invalid, not_here, of_ask, of_read, out_of_scope};
use super::scope::Reach;
use super::words::{digits, seat_of_node};
use super::{auditing, entries, excluded, pages};
use crate::access::Role;
use crate::error::OrderError;
use crate::handle::NodeHandle;
use crate::{region, zone};

/// Signed entries taken at once.
const ENTRIES_MAX: usize = 256;
/// Addresses of one node, as the directory takes them.
const ADDRESSES_MAX: usize = heliu_trust::directory::limits::ADDRESSES;

type Answer<T> = Result<Response<T>, Status>;

pub(super) struct Administration {
    node: NodeHandle,
    store: Arc<dyn Read>,
}

impl Administration {
    pub fn new(node: NodeHandle, store: Arc<dyn Read>) -> Self {
        Administration { node, store }
    }

    fn reach<T>(&self, request: &Request<T>) -> Result<Reach<'_>, Status> {
        Reach::of(request, &self.node, &*self.store)
    }

    /// The receipt of an erasure; a record that is not erased has none.
    async fn receipt(&self, record: RecordId) -> Result<pb::Receipt, Status> {
        let receipt = self.node.receipt(record).await.map_err(|error| of_ask(&error))?;
        let receipt = receipt.ok_or_else(|| not_erased(record))?;
        Ok(receipt_in_words(receipt, &self.node.directory()))
    }
}

#[tonic::async_trait]
impl AdministrationService for Administration {
    async fn list_nodes(&self, request: Request<pb::ListNodesRequest>) -> Answer<pb::ListNodesResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let heads = self.node.audit_heads().await.map_err(|error| of_ask(&error))?;
        let directory = &reach.directory;
        let mut nodes = Vec::new();
        // From the county down: a superior before its subordinates, and these by their codes.
        let mut seats: Vec<SeatId> = directory.county().into_iter().collect();
        while let Some(seat) = seats.pop() {
            let mut below: Vec<SeatId> = directory.seats().children(seat).to_vec();
            below.sort_by_key(|seat| std::cmp::Reverse(directory.seats().get(*seat).map(|seat| seat.code.clone())));
            seats.extend(below);
            for (place, info) in directory.nodes_of(seat).enumerate() {
                // How much is done at other seats is not in the directory.
                let head = heads.get(&info.node).filter(|_| reach.has_seat(seat));
                nodes.push(pb::Node {
                    node: info.node.to_string(),
                    seat: Some(messages::seat(seat, directory.seats())),
                    addresses: info.addresses.clone(),
                    since: info.since,
                    approved_by: info.approval.as_ref().map(|by| by.minter.to_string()).unwrap_or_default(),
                    fenced: directory.is_fenced(info.node),
                    second: place > 0,
                    audit_seq: head.map(|(head, _)| head.seq),
                    audit_ms: head.map(|(_, at_ms)| *at_ms),
                });
            }
        }
        let (nodes, next) = pages::of(nodes, &asked.after, asked.limit, self.node.page_bytes())?;
        Ok(Response::new(pb::ListNodesResponse { nodes, next }))
    }

    async fn list_directory(&self, request: Request<pb::ListDirectoryRequest>) -> Answer<pb::ListDirectoryResponse> {
        let asked = request.into_inner();
        let directory = self.node.directory();
        // What is signed is not cut: one entry at least, however large. The next page begins where this one ends.
        let mut page = Page::new(pages::rows(asked.limit), self.node.page_bytes());
        for signed in directory.entries_from(asked.from) {
            if page.is_full() || !page.take(entries::entry_in_words(signed, &directory)) {
                break;
            }
        }
        Ok(Response::new(pb::ListDirectoryResponse { entries: page.into_items(), length: directory.len() }))
    }

    async fn mint_token(&self, request: Request<pb::MintTokenRequest>) -> Answer<pb::MintTokenResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let directory = &reach.directory;
        let seat = seat(directory, &asked.seat)?;
        if !reach.sight.has_seat(seat, directory.seats()) {
            return Err(out_of_scope(&asked.seat, "seat").into());
        }
        check_addresses(&asked.addresses)?;
        let (lifetime, by) = (Duration::from_secs(asked.seconds), actor(&reach.caller, Role::Registry, ""));
        let token = self.node.mint_token(seat, lifetime, asked.addresses, by).await.map_err(|e| of_order(&e))?;
        Ok(Response::new(pb::MintTokenResponse {
            id: token.id.to_string(),
            expires_ms: token.expires_ms,
            seat: Some(messages::seat(seat, directory.seats())),
            second: directory.live_nodes_of(seat).next().is_some(),
            token: token.to_text().map_err(|error| Status::internal(error.to_string()))?,
        }))
    }

    async fn propose(&self, request: Request<pb::ProposeRequest>) -> Answer<pb::ProposeResponse> {
        let by = actor(&self.reach(&request)?.caller, Role::Registry, "");
        let pb::ProposeRequest { change, reason } = request.into_inner();
        let directory = self.node.directory();
        let drafted = match change.ok_or_else(no_change)? {
            Change::Fence(pb::Fence { node, nothing, excluded }) => {
                let node = node_id(&directory, &node)?;
                if node == self.node.node() {
                    return Err(fences_itself().into());
                }
                let excluded = excluded::find(&*self.store, node, &excluded).await?;
                self.node.fence(node, nothing, excluded, by, reason).await
            }
            other => {
                let (items, action, subject) = items(other, &directory)?;
                self.node.draft(items, action, subject, by, reason).await
            }
        };
        let drafted = drafted.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::ProposeResponse {
            entry: drafted.entry.encode(),
            needs_second: !drafted.entered,
            index: drafted.entry.entry.index,
        }))
    }

    async fn append(&self, request: Request<pb::AppendRequest>) -> Answer<pb::AppendResponse> {
        let by = actor(&self.reach(&request)?.caller, Role::Registry, "");
        let pb::AppendRequest { entries, reason } = request.into_inner();
        if entries.is_empty() || entries.len() > ENTRIES_MAX {
            let zh = format!("一次提交 1 到 {ENTRIES_MAX} 个条目。");
            let en = format!("Give 1 to {ENTRIES_MAX} entries at once.");
            return Err(invalid("entries", &zh, &en).into());
        }
        let read = |bytes: &Vec<u8>| SignedEntry::decode(bytes).map_err(|error| bad_entry(&error.to_string()));
        let entries = entries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        self.node.append(entries, by, reason).await.map_err(|error| of_order(&error))?;
        let directory = self.node.directory();
        Ok(Response::new(pb::AppendResponse { length: directory.len(), version: directory.head().to_string() }))
    }

    async fn erase(&self, request: Request<pb::EraseRequest>) -> Answer<pb::EraseResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let record = reach.own_record_id(&asked.record, "record").await?;
        let by = actor(&reach.caller, Role::Registry, &asked.who);
        match self.node.erase(record, by, asked.reason).await {
            Ok(()) => {}
            // Asking again is not an error: the receipt is what people want.
            Err(OrderError::Refused(refusal)) if refusal.code == "erased" => {}
            Err(error) => return Err(of_order(&error)),
        }
        let receipt = Some(self.receipt(record).await?);
        Ok(Response::new(pb::EraseResponse { receipt }))
    }

    async fn get_receipt(&self, request: Request<pb::GetReceiptRequest>) -> Answer<pb::GetReceiptResponse> {
        let text = digits(&request.into_inner().record, RecordId::LEN * 2, "record")?;
        let whole = |_| invalid("record", "请给出完整的记录编号。", "Give the whole id of the record.");
        let record = text.parse().map_err(whole)?;
        let receipt = Some(self.receipt(record).await?);
        Ok(Response::new(pb::GetReceiptResponse { receipt }))
    }

    async fn list_audit(&self, request: Request<pb::ListAuditRequest>) -> Answer<pb::ListAuditResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let (mut from, limit) = (asked.after, pages::rows(asked.limit));
        let (mut page, mut last, mut beyond) = (Page::new(limit, self.node.page_bytes()), asked.after, None);
        // What others did is passed over after it has been read, so a page may take several reads to fill.
        'reading: loop {
            let rows = self.store.audit(from, limit).await.map_err(|error| of_read(&error))?;
            let Some(end) = rows.last() else { break };
            from = end.seq;
            for entry in rows.iter().map(auditing::listed) {
                let seq = entry.seq;
                if !auditing::is_for(&entry, &reach).await? {
                    continue;
                }
                if !page.take(entry) {
                    beyond = Some(seq);
                    break 'reading;
                }
                last = seq;
            }
            if page.is_full() && reach.is_operator() {
                break;
            }
        }
        let head = self.store.audit_head().await.map_err(|error| of_read(&error))?;
        let length = head.map_or(0, |(seq, _)| seq);
        // How much others did is not told either: only whether there is more for the bearer.
        let length = if reach.is_operator() { length } else { beyond.unwrap_or(last) };
        Ok(Response::new(pb::ListAuditResponse { entries: page.into_items(), length }))
    }

    async fn verify_audit(&self, _: Request<pb::VerifyAuditRequest>) -> Answer<pb::VerifyAuditResponse> {
        let heads = self.node.audit_heads().await.map_err(|error| of_ask(&error))?;
        let told = heads.get(&self.node.node()).map(|(head, _)| *head);
        let walked = auditing::walk(&*self.store, told).await.map_err(|error| of_read(&error))?;
        Ok(Response::new(walked))
    }
}

/// What an entry is to say, what the audit log calls it, and what it is about.
fn items(change: Change, directory: &Directory) -> Result<(Vec<Item>, &'static str, String), Status> {
    Ok(match change {
        Change::Fence(_) => return Err(no_change().into()), // It is drawn up by the engine, which knows the frontier.
        Change::Delegate(pb::Delegate { seat: text, active }) => {
            let seat = seat(directory, &text)?;
            (vec![Item::Delegate { seat, active }], "delegate", seat.to_string())
        }
        Change::RevokeToken(text) => {
            let bad =
                |_| invalid("revoke_token", "令牌编号为 32 位十六进制数字。", "A token's id is 32 hexadecimal digits.");
            let id: TokenId = digits(&text, TokenId::LEN * 2, "revoke_token")?.parse().map_err(bad)?;
            (vec![Item::Token { id }], "token.revoke", id.to_string())
        }
        Change::TwoSignatures(two_signatures) => {
            (vec![Item::Policy { two_signatures }], "policy", format!("two_signatures={two_signatures}"))
        }
        Change::SeatsCsv(text) => {
            let seats = region::parse_more(&directory.realm(), text.as_bytes(), directory.seats());
            let seats = seats.map_err(|error| Status::from(bad_seats(&error)))?;
            let subject = seats.first().map(|seat| seat.code.clone()).unwrap_or_default();
            (seats.into_iter().map(Item::Seat).collect(), "seats", subject)
        }
        Change::Addresses(pb::Addresses { node, addresses }) => {
            check_addresses(&addresses)?;
            let node = node_id(directory, &node)?;
            (vec![Item::Addresses { node, addresses }], "addresses", node.to_string())
        }
        Change::TimeZone(text) => {
            let name = zone::known(text.trim()).ok_or_else(|| no_such_zone(&text))?;
            (vec![Item::TimeZone { name: name.clone() }], "time_zone", name)
        }
    })
}

fn receipt_in_words(receipt: Receipt, directory: &Directory) -> pb::Receipt {
    let confirmation =
        |node: NodeId, at_ms| pb::Confirmation { node: node.to_string(), seat: seat_of_node(node, directory), at_ms };
    pb::Receipt {
        record: receipt.record.to_string(),
        kind: receipt.preimage.kind,
        ordered_by: receipt.by.to_string(),
        ordered_ms: receipt.time_ms,
        confirmed: receipt.confirmed.into_iter().map(|(node, at_ms)| confirmation(node, at_ms)).collect(),
        silent: receipt.silent.into_iter().map(|node| confirmation(node, 0)).collect(),
        elsewhere: u32::try_from(receipt.elsewhere).unwrap_or(u32::MAX),
    }
}

pub(super) fn seat(directory: &Directory, text: &str) -> Result<SeatId, Status> {
    let text = text.trim();
    let seats = directory.seats();
    let by_id = || text.parse().ok().filter(|id| seats.get(*id).is_some());
    seats.by_code(text).map(|seat| seat.id).or_else(by_id).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let (zh, en) = (format!("名录中没有席位 {shown}。"), format!("The directory has no seat {shown:?}."));
        let next = ("请用 12 位区划代码或席位编号。", "Give a region code of 12 digits, or a seat's id.");
        not_here("seat", &zh, &en).next(next.0, next.1).into()
    })
}

fn node_id(directory: &Directory, text: &str) -> Result<NodeId, Status> {
    let text = digits(text, NodeId::LEN * 2, "node")?;
    let mut found = directory.nodes().map(|info| info.node).filter(|node| node.to_string().starts_with(&text));
    match (found.next(), found.next()) {
        (Some(node), None) => Ok(node),
        (None, _) => {
            let (zh, en) = (format!("名录中没有节点 {text}。"), format!("The directory has no node {text}."));
            Err(not_here("node", &zh, &en).next("heliu nodes 列出全部节点。", "heliu nodes shows all of them.").into())
        }
        (Some(_), Some(_)) => Err(ambiguous("node", &text).into()),
    }
}

fn check_addresses(addresses: &[String]) -> Result<(), Status> {
    let is_good = |address: &String| crate::links::dialer::endpoint(address).is_some();
    if addresses.len() <= ADDRESSES_MAX && addresses.iter().all(is_good) {
        return Ok(());
    }
    let zh = format!("地址须为 主机:端口,最多 {ADDRESSES_MAX} 个。");
    let en = format!("Addresses are given as host:port, and at most {ADDRESSES_MAX} of them.");
    Err(invalid("addresses", &zh, &en).into())
}

/// A slip: nothing that it writes would count any more, and nobody could undo it.
fn fences_itself() -> heliu_api::status::CallRefusal {
    let what = ("节点不隔离自己。", "A node does not fence itself.");
    heliu_api::status::CallRefusal::new(tonic::Code::FailedPrecondition, "fences_itself", what.0, what.1)
        .why("这是本节点的编号。", "This is the id of this node itself.")
        .next(
            "请核对编号(heliu nodes)。要替换本机,先让新机器入域、取得签发密钥,再在新机器上隔离旧的。",
            "Check the id (heliu nodes). To replace this machine, let the new one join and have the issuer's key, and fence \
             the old one there.",
        )
}

fn no_such_zone(text: &str) -> Status {
    let shown: String = text.chars().take(40).collect();
    let (zh, en) = (format!("没有名为 {shown:?} 的时区。"), format!("There is no time zone {shown:?}."));
    invalid("time_zone", &zh, &en)
        .next("请用时区库中的名称,如 Asia/Shanghai。", "Use a name of the tz database, such as Asia/Shanghai.")
        .into()
}

fn no_change() -> heliu_api::status::CallRefusal {
    invalid("change", "没有说明要改什么。", "It does not say what is to be changed.")
}

fn bad_entry(why: &str) -> Status {
    invalid("entries", "不是名录条目。", "This is no entry of a directory.")
        .why(&format!("{why}。"), &format!("{why}."))
        .next("请提交签署后的原样内容。", "Hand in exactly what was signed.")
        .into()
}

fn not_erased(record: RecordId) -> Status {
    let short = record.short();
    let (zh, en) =
        (format!("记录 {short} 没有删除令。"), format!("Record {short} has not been erased, as far as is known here."));
    not_here("record", &zh, &en)
        .next(
            "请核对编号;删除令可能尚未到达本节点。",
            "Check the id; that it was erased may not have arrived here yet.",
        )
        .into()
}
