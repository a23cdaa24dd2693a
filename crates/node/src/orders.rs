//! What administrators order of a running node, in the same process or through `server`: the audit log has who and what, in
//! the transaction in which it is done. The engine decides each; what is decided here is only what a join token may say.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heliu_record::command::Refusal;
use heliu_record::id::{LeafHash, RecordId, SeatId, to_hex};
use heliu_record::reason::Facts;
use heliu_replication::{
    Alarm, AuditEvent, ForeignAction, ForeignAuthor, Input, QuarantineAction, Receipt, Reply, Revealed, StrandedAction,
    Ticket,
};
use heliu_trust::audit::AuditHead;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::{NodeId, TokenId, realm_id};
use heliu_trust::token::{JoinRequest, JoinToken};
use tokio::sync::oneshot;

use crate::begin::random;
use crate::error::{AskError, JoinError, OrderError};
use crate::handle::NodeHandle;
use crate::inbox::{Ask, Order};
use crate::status::{Actor, Drafted, Joined};

/// How long a machine that wants to join waits; the engine answers before, as a rule.
const JOIN_PATIENCE: Duration = Duration::from_secs(60);
/// How long a join token is valid if nobody says, and at the longest.
const TOKEN_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
const TOKEN_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl NodeHandle {
    /// Asks for a machine that it become a node, and waits until the directory has it, or somebody refuses.
    pub async fn join(&self, request: JoinRequest) -> Result<Joined, JoinError> {
        let refused = |code: &str| JoinError::Refused { code: code.to_owned(), facts: Facts::none() };
        let Ok(permit) = Arc::clone(&self.0.joins).try_acquire_owned() else {
            return Err(refused("join.busy"));
        };
        let (node, seat) = (request.node(self.0.minter.key.scheme()), request.token.seat);
        let (answer, answered) = oneshot::channel();
        let order: Order = Box::new(|ticket| Input::Join { ticket, request });
        let ask = Ask::Order { order, answer, permit };
        self.0.inbox.send(ask).await.map_err(|_| JoinError::Stopped)?;
        let wait = async {
            match answered.await {
                Ok(Ok(Reply::Joined)) => {}
                Ok(Ok(Reply::JoinRefused { code, reason })) => {
                    return Err(JoinError::Refused { code, facts: Facts::read(&reason) });
                }
                Ok(Err(OrderError::StoreFailed(error))) => return Err(JoinError::StoreFailed(error)),
                Ok(Err(OrderError::ShuttingDown)) => return Err(JoinError::ShuttingDown),
                Ok(_) | Err(_) => return Err(JoinError::Stopped),
            }
            // What the engine has said may be a moment ahead of what others see of its directory.
            let mut directory = self.0.directory.clone();
            let has_it = directory.wait_for(|directory| directory.node(node).is_some()).await;
            has_it.map(|directory| directory.clone()).map_err(|_| JoinError::Stopped)
        };
        let directory = tokio::time::timeout(JOIN_PATIENCE, wait).await.map_err(|_| refused("join.pending"))??;
        let upstreams = upstreams(&directory, seat, node);
        Ok(Joined { directory, upstreams })
    }

    /// A one-time join token for a seat, signed by this node. Without addresses, the new machine is told those that the
    /// directory has of this node; a lifetime of zero is a day.
    pub async fn mint_token(
        &self,
        seat: SeatId,
        lifetime: Duration,
        addresses: Vec<String>,
        by: Actor,
    ) -> Result<JoinToken, OrderError> {
        let directory = self.directory();
        let (key, realm_name) = (&self.0.minter.key, &self.0.minter.realm_name);
        if realm_id(&directory.root(), realm_name) != directory.realm() {
            return Err(refused(no_realm_name()));
        }
        if !directory.may_enrol(self.node(), seat) {
            return Err(refused(may_not_enrol(&directory, self.seat(), seat)));
        }
        let known = || directory.node(self.node()).map(|info| info.addresses.clone()).unwrap_or_default();
        let addresses = if addresses.is_empty() { known() } else { addresses };
        if addresses.is_empty() {
            return Err(refused(no_address()));
        }
        let lifetime = if lifetime.is_zero() { TOKEN_DEFAULT } else { lifetime };
        if lifetime > TOKEN_MAX {
            return Err(refused(too_long_valid()));
        }
        let id = TokenId(random().map_err(|_| OrderError::Random)?);
        let expires_ms = self.0.clock.wall_ms().saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
        let token = JoinToken::mint(&directory, realm_name, seat, id, expires_ms, addresses, &**key);
        let token = token.ok_or_else(|| refused(may_not_enrol(&directory, self.seat(), seat)))?;
        token.to_text().map_err(|error| refused(bad_token(&error.to_string())))?;
        let detail = format!("{} until {expires_ms}", directory.seats().name(seat));
        self.audit(event(by, "token.mint", id.to_string(), detail)).await?;
        Ok(token)
    }

    /// Makes the next entry of the directory with these items, and enters it unless it needs a second signature. It takes
    /// the issuer's key.
    pub async fn draft(
        &self,
        items: Vec<Item>,
        action: &str,
        subject: String,
        by: Actor,
        reason: String,
    ) -> Result<Drafted, OrderError> {
        let event = event(by, action, subject, reason);
        let reply = self.order(|ticket| Input::Draft { ticket, items, event }).await?;
        drafted(reply)
    }

    /// As [`NodeHandle::draft`], of a fence around a node: what is known here of it up to now stays good, or nothing, but
    /// for the leaves that are excluded.
    pub async fn fence(
        &self,
        node: NodeId,
        nothing: bool,
        excluded: Vec<LeafHash>,
        by: Actor,
        reason: String,
    ) -> Result<Drafted, OrderError> {
        let event = event(by, "fence", node.to_string(), reason);
        let reply = self.order(move |ticket| Input::FenceOf { ticket, node, nothing, excluded, event }).await?;
        drafted(reply)
    }

    /// Enters directory entries that are signed already.
    pub async fn append(&self, entries: Vec<SignedEntry>, by: Actor, reason: String) -> Result<(), OrderError> {
        let subject = entries.last().map(|last| last.version.to_string()).unwrap_or_default();
        let event = event(by, "directory.append", subject, reason);
        self.order(|ticket| Input::Extend { ticket, entries, event: Some(event) }).await.map(drop)
    }

    /// Erases a record everywhere and for good.
    pub async fn erase(&self, record: RecordId, by: Actor, reason: String) -> Result<(), OrderError> {
        let Actor { who, role } = by;
        self.order(move |ticket| Input::Erase { ticket, record, who, role, reason }).await.map(drop)
    }

    /// Who has erased a record, as far as this node has heard; none if it is not erased.
    pub async fn receipt(&self, record: RecordId) -> Result<Option<Receipt>, AskError> {
        self.ask(|answer| Ask::Receipt { record, answer }).await
    }

    /// What is sealed in a record, in the clear, as far as this node has the keys.
    pub async fn reveal(&self, record: RecordId, by: Actor, why: String) -> Result<Vec<Revealed>, OrderError> {
        let Actor { who, role } = by;
        match self.order(move |ticket| Input::Reveal { ticket, record, who, role, why }).await? {
            Reply::Revealed(fields) => Ok(fields),
            _ => Err(OrderError::Stopped), // Not an answer to this.
        }
    }

    /// Writes a row to the audit log.
    pub async fn audit(&self, event: AuditEvent) -> Result<(), OrderError> {
        self.order(|ticket| Input::Audit { ticket, event }).await.map(drop)
    }

    /// The newest head of each node's audit log that was told here, and when.
    pub async fn audit_heads(&self) -> Result<BTreeMap<NodeId, (AuditHead, i64)>, AskError> {
        self.ask(|answer| Ask::AuditHeads { answer }).await
    }

    /// What an administrator should look at, the gravest first.
    pub async fn alarms(&self) -> Result<Vec<Alarm>, AskError> {
        self.ask(|answer| Ask::Alarms { answer }).await
    }

    /// Who has put something here from outside of this line, or is declined; by seat.
    pub async fn foreign(&self) -> Result<Vec<ForeignAuthor>, AskError> {
        self.ask(|answer| Ask::Foreign { answer }).await
    }

    /// From now on takes nothing new of a seat outside of this line, or takes it again.
    pub async fn decide_foreign(
        &self,
        seat: SeatId,
        action: ForeignAction,
        by: Actor,
        reason: String,
    ) -> Result<(), OrderError> {
        let name = match action {
            ForeignAction::Decline => "foreign.decline",
            ForeignAction::Accept => "foreign.accept",
        };
        let event = event(by, name, seat.to_string(), reason);
        self.order(move |ticket| Input::Foreign { ticket, seat, action, event }).await.map(drop)
    }

    /// Has something judged again that was refused. Returns the code of what it is now; `awaited` if it has to come again.
    pub async fn requeue(&self, id: [u8; 32], by: Actor, reason: String) -> Result<String, OrderError> {
        let (action, event) = (QuarantineAction::Requeue, event(by, "quarantine.requeue", to_hex(&id), reason));
        match self.order(move |ticket| Input::Quarantine { ticket, id, action, event }).await? {
            Reply::Requeued(outcome) => Ok(outcome),
            _ => Err(OrderError::Stopped),
        }
    }

    /// Takes something off the list of what was refused.
    pub async fn drop_quarantined(&self, id: [u8; 32], by: Actor, reason: String) -> Result<(), OrderError> {
        let (action, event) = (QuarantineAction::Drop, event(by, "quarantine.drop", to_hex(&id), reason));
        self.order(move |ticket| Input::Quarantine { ticket, id, action, event }).await.map(drop)
    }

    /// Makes a stranded edit again. Returns the new leaf.
    pub async fn reissue(&self, leaf: LeafHash, by: Actor, reason: String) -> Result<LeafHash, OrderError> {
        let (action, event) = (StrandedAction::Reissue, event(by, "stranded.reissue", leaf.to_string(), reason));
        match self.order(move |ticket| Input::Stranded { ticket, leaf, action, event }).await? {
            Reply::Done(done) => done.leaves.first().copied().ok_or(OrderError::Stopped),
            _ => Err(OrderError::Stopped),
        }
    }

    /// Gives a stranded edit up.
    pub async fn discard(&self, leaf: LeafHash, by: Actor, reason: String) -> Result<(), OrderError> {
        let (action, event) = (StrandedAction::Discard, event(by, "stranded.discard", leaf.to_string(), reason));
        self.order(move |ticket| Input::Stranded { ticket, leaf, action, event }).await.map(drop)
    }

    /// Cancelling the call does not cancel the order.
    async fn order(&self, make: impl FnOnce(Ticket) -> Input + Send + 'static) -> Result<Reply, OrderError> {
        let permit = Arc::clone(&self.0.commands).acquire_owned().await.map_err(|_| OrderError::Stopped)?;
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Order { order: Box::new(make), answer, permit };
        self.0.inbox.send(ask).await.map_err(|_| OrderError::Stopped)?;
        answered.await.unwrap_or(Err(OrderError::Stopped))
    }
}

fn event(by: Actor, action: &str, subject: String, detail: String) -> AuditEvent {
    AuditEvent { who: by.who, role: by.role, action: action.to_owned(), subject, detail }
}

fn drafted(reply: Reply) -> Result<Drafted, OrderError> {
    match reply {
        Reply::Drafted { entry, entered } => Ok(Drafted { entry: *entry, entered }),
        _ => Err(OrderError::Stopped),
    }
}

/// The nodes that a new one dials: those of the nearest superior seat that has any with an address; at the county's own
/// seat, which has no superior, its other nodes.
fn upstreams(directory: &Directory, seat: SeatId, new: NodeId) -> Vec<(NodeId, Vec<String>)> {
    let is_county = directory.county() == Some(seat);
    let reachable = |seat: SeatId| {
        let nodes = directory.live_nodes_of(seat).filter(|info| info.node != new && !info.addresses.is_empty());
        nodes.map(|info| (info.node, info.addresses.clone())).collect::<Vec<_>>()
    };
    let superiors = directory.seats().upward(seat).filter(|above| is_county || *above != seat);
    superiors.map(reachable).find(|nodes| !nodes.is_empty()).unwrap_or_default()
}

fn refused(refusal: Refusal) -> OrderError {
    OrderError::Refused(Box::new(refusal))
}

fn no_realm_name() -> Refusal {
    Refusal::new(
        "no_realm_name",
        ("本节点不能签发入域令牌。".to_owned(), "This node cannot mint join tokens.".to_owned()),
        ("配置中没有域名称,或与域编号不符。", "Its configuration has no realm name, or one that is not of this realm."),
        ("请在配置中填写域名称后重启。", "Put the realm's name into its configuration and restart it."),
    )
}

fn may_not_enrol(directory: &Directory, own: SeatId, seat: SeatId) -> Refusal {
    let (own, seat) = (directory.seats().name(own), directory.seats().name(seat));
    Refusal::new(
        "not_allowed",
        (
            format!("“{own}”的节点不能为“{seat}”签发入域令牌。"),
            format!("A node of {own} cannot mint join tokens for {seat}."),
        ),
        (
            "县级节点可为所有席位签发;其他席位须经县级授权,且只能为本席位及其下级签发;被隔离的节点不能签发。",
            "The county's nodes mint for every seat; those of other seats if it is delegated to them, for their own seat and \
             those below. A fenced node mints none.",
        ),
        ("请由县级签发,或请县级授权(heliu delegate)。", "Ask the county for it, or to delegate it (heliu delegate)."),
    )
}

fn no_address() -> Refusal {
    Refusal::new(
        "no_address",
        ("没有可写入令牌的地址。".to_owned(), "There is no address to put into the token.".to_owned()),
        ("名录中没有本节点的地址。", "The directory has no address of this node."),
        (
            "请给出新机器能连到本节点的 主机:端口,或先在名录中登记地址。",
            "Give the host:port at which the new machine reaches this node, or enter it into the directory first.",
        ),
    )
}

fn too_long_valid() -> Refusal {
    Refusal::new(
        "bad_value",
        ("入域令牌最长有效 30 天。".to_owned(), "No join token is valid for more than 30 days.".to_owned()),
        ("令牌等同于密码。", "It is as good as a password."),
        ("请缩短有效期,到期后再签发。", "Make it shorter, and another one when it is over."),
    )
}

fn bad_token(why: &str) -> Refusal {
    Refusal::new(
        "bad_value",
        (format!("无法做成令牌:{why}。"), format!("No token can be made of this: {why}.")),
        ("地址须为 主机:端口,且不宜过多。", "Addresses are given as host:port, and only a few."),
        ("请核对地址。", "Check the addresses."),
    )
}
