//! Machines that ask to become nodes. What this node can enter is gathered in [`Enrolment`] and entered in one entry. Join
//! requests that somebody else has to enter wait in [`Joins`], and go up every link to a superior or a mirror: success
//! comes as the directory that grows, a refusal comes back by the token's id.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::reason::Facts;
use heliu_trust::directory::{Directory, Item};
use heliu_trust::id::{NodeId, TokenId};
use heliu_trust::signature::Verifier;
use heliu_trust::token::{JoinError, JoinRequest, judge_join};

use super::Authority;
use crate::effect::{LinkId, Moment, Ticket};
use crate::frame::JoinRefused;

/// Requests that may wait; and of those, how many one link may have brought.
const WAITING_MAX: usize = 256;
const WAITING_PER_LINK: usize = 64;
/// How long somebody waits for an answer before he hears that it takes longer.
const PATIENCE_MS: u64 = 30_000;
/// A request that nobody asks about any more is forgotten.
const FORGOTTEN_MS: u64 = 7 * 24 * 3_600_000;

/// Who hears what became of a join request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JoinAsker {
    Ticket(Ticket),
    Link(LinkId),
}

/// A refusal as it travels.
pub(crate) fn refused(token: TokenId, code: &str, facts: &Facts) -> JoinRefused {
    JoinRefused { token: token.0, code: code.to_owned(), reason: facts.to_string() }
}

/// Whether a node that cannot enter the request itself may refuse it: what nobody will see otherwise.
fn is_final(error: &JoinError) -> bool {
    match error {
        JoinError::Foreign
        | JoinError::BadSignature
        | JoinError::Used { .. }
        | JoinError::Revoked
        | JoinError::Expired { .. }
        | JoinError::NodeTwice(_) => true,
        // The county's directory may have grown since.
        JoinError::NoSeat | JoinError::NotAllowed(_) | JoinError::NeedsSecondSignature => false,
    }
}

/// Whether the directory has the node that asks, by this token.
fn has_joined(directory: &Directory, token: TokenId, node: NodeId) -> bool {
    directory.node(node).and_then(|info| info.approval.as_ref()).is_some_and(|approval| approval.token == token)
}

/// Join requests that the work under way enters, all in one entry.
#[derive(Default)]
pub(crate) struct Enrolment {
    items: Vec<Item>,
    nodes: BTreeSet<NodeId>,
    tokens: BTreeMap<TokenId, NodeId>,
    askers: Vec<(JoinAsker, TokenId)>,
}

/// Items that are to be entered, and who asked for them.
pub(crate) struct Gathered {
    pub items: Vec<Item>,
    pub askers: Vec<(JoinAsker, TokenId)>,
}

/// What becomes of a join request.
pub(crate) enum Asked {
    /// The machine is a node already.
    Joined,
    /// It is entered with the others, see [`Enrolment::take`].
    Gathered,
    /// Somebody above has to enter it.
    Elsewhere,
    Refused(JoinRefused),
}

impl Enrolment {
    /// A machine asks to become a node. Whoever cannot enter it passes it up.
    pub fn ask(
        &mut self,
        asker: JoinAsker,
        request: &JoinRequest,
        authority: &Authority,
        verifier: &dyn Verifier,
        now: Moment,
    ) -> Asked {
        let (token, node) = (request.token.id, request.node(verifier.scheme()));
        let directory = authority.directory();
        if has_joined(directory, token, node) {
            return Asked::Joined;
        }
        let is_issuer = authority.issuer().is_some();
        let refuse = |error: JoinError| Asked::Refused(refused(token, error.code(), &error.facts()));
        match judge_join(request, directory, now.wall_ms, verifier) {
            Err(error) if is_issuer || is_final(&error) => refuse(error),
            _ if !is_issuer => Asked::Elsewhere,
            _ if authority.fork().is_some() => Asked::Refused(refused(token, "join.forked", &Facts::none())),
            Err(error) => refuse(error),
            Ok(item) => {
                match self.tokens.get(&token) {
                    Some(used) if *used == node => {
                        self.askers.push((asker, token));
                        return Asked::Gathered;
                    }
                    Some(used) => return refuse(JoinError::Used { node: *used }),
                    None if self.nodes.contains(&node) => return refuse(JoinError::NodeTwice(node)),
                    None => {}
                }
                self.items.push(item);
                if directory.needs_second(&self.items) {
                    self.items.pop();
                    return refuse(JoinError::NeedsSecondSignature);
                }
                self.nodes.insert(node);
                self.tokens.insert(token, node);
                self.askers.push((asker, token));
                Asked::Gathered
            }
        }
    }

    /// What was gathered; then nothing is.
    pub fn take(&mut self) -> Option<Gathered> {
        let Enrolment { items, askers, .. } = std::mem::take(self);
        (!items.is_empty()).then_some(Gathered { items, askers })
    }
}

struct Waiting {
    encoded: Vec<u8>,
    /// Who asked last at this node, and when.
    ticket: Option<(Ticket, u64)>,
    links: BTreeSet<LinkId>,
    sent: BTreeSet<LinkId>,
    touched_ms: u64,
}

#[derive(Default)]
pub(crate) struct Joins {
    waiting: BTreeMap<(TokenId, NodeId), Waiting>,
}

/// What is to be said to those who asked.
pub(crate) type Said = Vec<(JoinAsker, Option<JoinRefused>)>;

impl Joins {
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a request that goes up. Returns what is to be said at once.
    pub fn add(&mut self, asker: JoinAsker, request: &JoinRequest, node: NodeId, now_ms: u64) -> Said {
        let token = request.token.id;
        let busy = || vec![(asker, Some(refused(token, "join.busy", &Facts::none())))];
        let is_known = self.waiting.contains_key(&(token, node));
        if !is_known && self.waiting.len() >= WAITING_MAX {
            return busy();
        }
        if let JoinAsker::Link(link) = asker
            && !is_known
            && self.waiting.values().filter(|waiting| waiting.links.contains(&link)).count() >= WAITING_PER_LINK
        {
            return busy();
        }
        let waiting = self.waiting.entry((token, node)).or_insert_with(|| Waiting {
            encoded: request.encode(),
            ticket: None,
            links: BTreeSet::new(),
            sent: BTreeSet::new(),
            touched_ms: now_ms,
        });
        waiting.touched_ms = now_ms;
        match asker {
            JoinAsker::Link(link) => {
                waiting.links.insert(link);
                Vec::new()
            }
            JoinAsker::Ticket(ticket) => {
                let before = waiting.ticket.replace((ticket, now_ms));
                let again = refused(token, "join.asked-again", &Facts::none());
                before.map(|(before, _)| (JoinAsker::Ticket(before), Some(again))).into_iter().collect()
            }
        }
    }

    /// The directory has grown: those who are in it are told, and those whose token another has used.
    pub fn settled(&mut self, directory: &Directory) -> Said {
        let mut said = Vec::new();
        self.waiting.retain(|(token, node), waiting| {
            let answer = if has_joined(directory, *token, *node) {
                None
            } else if let Some(used) = directory.token_used(*token) {
                let error = used.node.map_or(JoinError::Revoked, |node| JoinError::Used { node });
                Some(refused(*token, error.code(), &error.facts()))
            } else {
                return true;
            };
            said.extend(waiting.answer(answer.as_ref()));
            false
        });
        said
    }

    /// A refusal came back by a link that the request went up.
    pub fn refused(&mut self, link: LinkId, refusal: &JoinRefused) -> Said {
        let mut said = Vec::new();
        self.waiting.retain(|(token, _), waiting| {
            let is_it = token.0 == refusal.token && waiting.sent.contains(&link);
            if is_it {
                said.extend(waiting.answer(Some(refusal)));
            }
            !is_it
        });
        said
    }

    /// What has not gone up this link yet.
    pub fn unsent(&mut self, link: LinkId) -> Vec<Vec<u8>> {
        let open = self.waiting.values_mut().filter(|waiting| !waiting.links.contains(&link));
        open.filter_map(|waiting| waiting.sent.insert(link).then(|| waiting.encoded.clone())).collect()
    }

    pub fn link_down(&mut self, link: LinkId) {
        for waiting in self.waiting.values_mut() {
            waiting.links.remove(&link);
            waiting.sent.remove(&link);
        }
    }

    /// Whoever has waited for long hears so.
    pub fn tick(&mut self, now_ms: u64) -> Said {
        let mut said = Vec::new();
        for ((token, _), waiting) in &mut self.waiting {
            if let Some((ticket, _)) = waiting.ticket.take_if(|(_, since)| *since + PATIENCE_MS <= now_ms) {
                said.push((JoinAsker::Ticket(ticket), Some(refused(*token, "join.pending", &Facts::none()))));
            }
        }
        self.waiting.retain(|_, waiting| waiting.ticket.is_some() || waiting.touched_ms + FORGOTTEN_MS > now_ms);
        said
    }

    pub fn tickets(&self) -> impl Iterator<Item = Ticket> + '_ {
        self.waiting.values().filter_map(|waiting| waiting.ticket.map(|(ticket, _)| ticket))
    }
}

impl Waiting {
    fn answer(&mut self, answer: Option<&JoinRefused>) -> Said {
        let links = std::mem::take(&mut self.links);
        let askers = self.ticket.take().map(|(ticket, _)| JoinAsker::Ticket(ticket)).into_iter();
        askers.chain(links.into_iter().map(JoinAsker::Link)).map(|asker| (asker, answer.cloned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::id::SeatId;
    use heliu_trust::directory::Directory;
    use heliu_trust::id::realm_id;
    use heliu_trust::signature::{PublicKey, SealingKey, Signature, Signer};
    use heliu_trust::simulated::CheapKey;
    use heliu_trust::token::JoinToken;

    use super::*;

    fn request(token: u16, key: u8) -> (JoinRequest, NodeId) {
        let key = CheapKey([key; 32]);
        let mut id = [0; 16];
        id[..2].copy_from_slice(&token.to_le_bytes());
        let token = JoinToken {
            realm_name: "story".to_owned(),
            root: PublicKey([1; 32]),
            seat: SeatId([1; 16]),
            seat_code: "371726101201".to_owned(),
            seat_name: "村".to_owned(),
            id: TokenId(id),
            expires_ms: 0,
            minter: PublicKey([2; 32]),
            addresses: Vec::new(),
            signature: Signature([0; 64]),
        };
        (JoinRequest::sign(token, SealingKey([3; 32]), Vec::new(), &key), key.node())
    }

    fn add(joins: &mut Joins, asker: JoinAsker, token: u16, key: u8) -> Vec<String> {
        let (request, node) = request(token, key);
        joins.add(asker, &request, node, 0).into_iter().filter_map(|(_, refusal)| Some(refusal?.code)).collect()
    }

    const UP: LinkId = LinkId(100);

    #[test]
    fn a_request_goes_up_each_link_once_and_again_when_that_comes_back() {
        let mut joins = Joins::default();
        assert!(add(&mut joins, JoinAsker::Link(LinkId(1)), 1, 1).is_empty());
        assert_eq!((joins.unsent(UP).len(), joins.unsent(UP).len()), (1, 0));
        assert_eq!(joins.unsent(LinkId(1)).len(), 0, "never back to where it came from");
        joins.link_down(UP);
        assert_eq!(joins.unsent(UP).len(), 1);
    }

    #[test]
    fn only_who_was_asked_can_refuse_and_everybody_who_asked_hears_it() {
        let mut joins = Joins::default();
        let askers = [JoinAsker::Ticket(Ticket(1)), JoinAsker::Link(LinkId(1)), JoinAsker::Link(LinkId(2))];
        for asker in askers {
            add(&mut joins, asker, 1, 1);
        }
        let refusal = refused(request(1, 1).0.token.id, "join.expired", &Facts::none());
        assert!(joins.refused(UP, &refusal).is_empty(), "it was never asked");
        joins.unsent(UP);
        let heard: Vec<JoinAsker> = joins.refused(UP, &refusal).into_iter().map(|(asker, _)| asker).collect();
        assert_eq!(heard, askers);
        assert!(joins.is_empty());
    }

    #[test]
    fn who_asks_again_takes_the_place_of_himself_and_who_waits_long_hears_so() {
        let mut joins = Joins::default();
        assert!(add(&mut joins, JoinAsker::Ticket(Ticket(1)), 1, 1).is_empty());
        assert_eq!(add(&mut joins, JoinAsker::Ticket(Ticket(2)), 1, 1), ["join.asked-again"]);
        assert!(joins.tick(PATIENCE_MS - 1).is_empty());
        let said = joins.tick(PATIENCE_MS);
        assert_eq!(said[0].0, JoinAsker::Ticket(Ticket(2)));
        assert!(!joins.is_empty(), "it waits on");
        joins.tick(FORGOTTEN_MS);
        assert!(joins.is_empty(), "not for ever");
    }

    #[test]
    fn no_link_and_not_all_together_can_fill_it() {
        let mut joins = Joins::default();
        let mut busy = 0;
        for link in 1..=8 {
            for token in 0..100 {
                busy +=
                    add(&mut joins, JoinAsker::Link(LinkId(link)), token + 100 * u16::try_from(link).unwrap_or(0), 1)
                        .len();
            }
        }
        assert_eq!(joins.waiting.len(), WAITING_MAX);
        assert_eq!(busy, 8 * 100 - WAITING_MAX);
        assert!(joins.waiting.values().filter(|w| w.links.contains(&LinkId(1))).count() <= WAITING_PER_LINK);
        let directory = Directory::new(realm_id(&PublicKey([1; 32]), "story"), PublicKey([1; 32]));
        assert!(joins.settled(&directory).is_empty(), "a directory that says nothing settles nothing");
    }
}
