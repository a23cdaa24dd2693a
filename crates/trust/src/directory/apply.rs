//! What the items of an entry do, and whose signatures each needs. An entry is staged whole before any of it counts; the
//! stage holds only what is new, so that an entry costs what it says, not what the directory holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Seats};

use super::{Directory, DirectoryError, Entry, Fence, Item, NodeInfo, Powers, SignedEntry, Used};
use crate::id::{NodeId, TokenId, node_id};
use crate::signature::{PublicKey, Signature};

/// What an entry would make of the directory.
#[derive(Default)]
pub(super) struct Staged {
    seats: Option<Seats>,
    powers: Option<Powers>,
    nodes: BTreeMap<NodeId, NodeInfo>,
    /// The nodes in `nodes` that are new, in the order in which they were enrolled.
    enrolled: Vec<NodeId>,
    tokens: BTreeMap<TokenId, Used>,
}

/// How signatures are judged.
pub(super) struct Check<'a> {
    pub scheme: &'a str,
    pub is_signed: &'a dyn Fn(&PublicKey, &[u8], &Signature) -> bool,
}

/// Whose signatures an entry carries.
#[derive(Clone, Copy)]
pub(super) struct Hands {
    pub root: bool,
    pub issuer: bool,
    pub second: bool,
}

impl Directory {
    pub(super) fn hands(&self, signers: impl Iterator<Item = PublicKey>) -> Result<Hands, DirectoryError> {
        let mut hands = Hands { root: false, issuer: false, second: false };
        for signer in signers {
            let is_cosigner = self.powers.cosigners.contains(&signer);
            if signer == self.root {
                hands.root = true;
            } else if Some(signer) == self.issuer() {
                hands.issuer = true;
            } else if is_cosigner {
                hands.second = true;
            } else if self.is_empty() {
                return Err(DirectoryError::NeedsRoot("the first entry"));
            } else {
                return Err(DirectoryError::ForeignSigner(signer));
            }
        }
        if !hands.root && !hands.issuer { Err(DirectoryError::NeedsIssuer) } else { Ok(hands) }
    }

    pub(super) fn apply(&self, entry: &Entry, hands: Hands, check: &Check<'_>) -> Result<Staged, DirectoryError> {
        entry.check()?;
        if self.is_empty() && !hands.root {
            return Err(DirectoryError::NeedsRoot("the first entry"));
        }
        let mut staged = Staged::default();
        for (place, item) in entry.items.iter().enumerate() {
            self.check_hands(item, hands, &staged)?;
            self.apply_item(&mut staged, entry, place, item, check)?;
        }
        if staged.powers(self).issuers.is_empty() {
            return Err(DirectoryError::NoIssuer);
        }
        Ok(staged)
    }

    /// Whether entries with these items need a second signature, of an active cosigner, unless the root signs.
    #[must_use]
    pub fn needs_second(&self, items: &[Item]) -> bool {
        let mut enrolled = Vec::new();
        let mut is_on = self.powers.two_signatures;
        for item in items {
            if self.wants_second(item, is_on, |seat| enrolled.contains(&seat)) {
                return true;
            }
            match item {
                Item::Node { seat, .. } => enrolled.push(*seat),
                Item::Policy { two_signatures } => is_on = *two_signatures,
                _ => {}
            }
        }
        false
    }

    fn wants_second(&self, item: &Item, is_on: bool, is_taken: impl Fn(SeatId) -> bool) -> bool {
        is_on
            && match item {
                Item::Seat(_) | Item::Fence(_) | Item::Policy { two_signatures: false } => true,
                Item::Node { seat, .. } => is_taken(*seat) || self.live_nodes_of(*seat).next().is_some(),
                _ => false,
            }
    }

    fn check_hands(&self, item: &Item, hands: Hands, staged: &Staged) -> Result<(), DirectoryError> {
        if hands.root {
            return Ok(());
        }
        let what = match item {
            Item::Issuer { .. } => return Err(DirectoryError::NeedsRoot("naming the issuer")),
            Item::Cosigner { .. } => return Err(DirectoryError::NeedsRoot("naming a cosigner")),
            Item::Escrow { .. } => return Err(DirectoryError::NeedsRoot("naming the escrow key")),
            Item::Resolve { .. } => return Err(DirectoryError::NeedsRoot("deciding a fork")),
            Item::Policy { .. } => "to do without second signatures",
            Item::Seat(_) => "a new seat",
            Item::Fence(_) => "a fence",
            _ => "another node at a seat that has one",
        };
        let is_on = staged.powers(self).two_signatures;
        let is_taken = |seat| staged.enrolled.iter().any(|node| staged.nodes.get(node).is_some_and(|n| n.seat == seat));
        if !hands.second && self.wants_second(item, is_on, is_taken) {
            return Err(DirectoryError::NeedsSecond(what));
        }
        Ok(())
    }

    fn apply_item(
        &self,
        staged: &mut Staged,
        entry: &Entry,
        place: usize,
        item: &Item,
        check: &Check<'_>,
    ) -> Result<(), DirectoryError> {
        match item {
            Item::Seat(seat) => {
                self.enter_seat(staged, seat, (entry.index == 0 && place == 0).then_some(entry.county))?;
            }
            Item::Node { .. } => self.enrol(staged, entry, item, check)?,
            Item::Addresses { node, addresses } => {
                let mut info = staged.node(self, *node).ok_or(DirectoryError::NoNode(*node))?.clone();
                info.addresses.clone_from(addresses);
                staged.nodes.insert(*node, info);
            }
            Item::Issuer { key } => staged.powers_mut(self).issuers.push((entry.index, *key)),
            Item::Cosigner { key, active } => set(&mut staged.powers_mut(self).cosigners, *key, *active),
            Item::Policy { two_signatures } => staged.powers_mut(self).two_signatures = *two_signatures,
            Item::Escrow { key } => {
                let powers = staged.powers_mut(self);
                (powers.escrow, powers.escrow_at) = (Some(*key), entry.index);
            }
            Item::Delegate { seat, active } => {
                if staged.seats(self).get(*seat).is_none() {
                    return Err(DirectoryError::DelegateSeat(*seat));
                }
                set(&mut staged.powers_mut(self).delegates, *seat, *active);
            }
            Item::TimeZone { name } => staged.powers_mut(self).time_zone = Some(name.clone()),
            Item::Token { id } => self.use_up(staged, *id, Used { node: None, index: entry.index })?,
            Item::Fence(fence) => {
                staged.node(self, fence.node).ok_or(DirectoryError::NoNode(fence.node))?;
                let powers = staged.powers_mut(self);
                powers.fences.insert(fence.node, Arc::new(Fence::clone(fence)));
                powers.fenced_at.entry(fence.node).or_insert(entry.index);
            }
            Item::Resolve { abandoned } => {
                if entry.index == 0 {
                    return Err(DirectoryError::ReplacesFirst);
                }
                if let Some(own) = abandoned.iter().find(|version| self.log.by_version.contains_key(*version)) {
                    return Err(DirectoryError::AbandonsOwn(*own));
                }
            }
        }
        Ok(())
    }

    /// `county` is the seat that the first item of all has to be.
    fn enter_seat(&self, staged: &mut Staged, seat: &Seat, county: Option<SeatId>) -> Result<(), DirectoryError> {
        if county.is_some() != seat.parent.is_none() || county.is_some_and(|county| county != seat.id) {
            return Err(DirectoryError::CountyFirst);
        }
        let seats = staged.seats.get_or_insert_with(|| self.seats().clone());
        if let Some(parent) = seat.parent.and_then(|parent| seats.get(parent))
            && parent.tier >= seat.tier
        {
            return Err(DirectoryError::Tier(seat.code.clone()));
        }
        Ok(seats.add(seat.clone())?)
    }

    fn enrol(&self, staged: &mut Staged, entry: &Entry, item: &Item, check: &Check<'_>) -> Result<(), DirectoryError> {
        let Item::Node { node, seat, key, sealing, addresses, approval } = item else { return Ok(()) };
        let (node, seat) = (*node, *seat);
        if node != node_id(check.scheme, key) {
            return Err(DirectoryError::NodeKey(node));
        }
        if staged.powers(self).fences.contains_key(&node) {
            return Err(DirectoryError::NodeFenced(node));
        }
        if staged.node(self, node).is_some() {
            return Err(DirectoryError::NodeTwice(node));
        }
        if staged.seats(self).get(seat).is_none() {
            return Err(DirectoryError::NodeSeat(node));
        }
        if let Some(approval) = approval {
            let minter = self.minter(staged, entry.county, approval.minter, seat)?;
            if !(check.is_signed)(&minter, &approval.message(entry.realm, seat), &approval.signature) {
                return Err(DirectoryError::TokenSignature(approval.token));
            }
            self.use_up(staged, approval.token, Used { node: Some(node), index: entry.index })?;
        }
        let (addresses, approval) = (addresses.clone(), approval.clone());
        let (key, sealing, since) = (*key, *sealing, entry.index);
        staged.nodes.insert(node, NodeInfo { node, seat, key, sealing, addresses, approval, since });
        staged.enrolled.push(node);
        Ok(())
    }

    /// Whether a node may mint join tokens for a seat: it is not fenced, it is of the county's seat or one that it is
    /// delegated to, and that is the seat itself or above it.
    #[must_use]
    pub fn may_enrol(&self, minter: NodeId, seat: SeatId) -> bool {
        self.county().is_some_and(|county| self.minter(&Staged::default(), county, minter, seat).is_ok())
    }

    /// The key of a node, if it may enrol for the seat; see [`Directory::may_enrol`].
    fn minter(
        &self,
        staged: &Staged,
        county: SeatId,
        minter: NodeId,
        seat: SeatId,
    ) -> Result<PublicKey, DirectoryError> {
        let powers = staged.powers(self);
        let may = |info: &&NodeInfo| {
            !powers.fences.contains_key(&minter)
                && (info.seat == county || powers.delegates.contains(&info.seat))
                && staged.seats(self).is_at_or_above(info.seat, seat)
        };
        staged.node(self, minter).filter(may).map(|info| info.key).ok_or(DirectoryError::MayNotEnrol(minter))
    }

    fn use_up(&self, staged: &mut Staged, token: TokenId, used: Used) -> Result<(), DirectoryError> {
        if self.token_used(token).is_some() || staged.tokens.insert(token, used).is_some() {
            return Err(DirectoryError::TokenUsed(token));
        }
        Ok(())
    }

    /// Makes an entry part of the log.
    pub(super) fn take(&mut self, signed: Arc<SignedEntry>, staged: Staged) {
        let index = self.len();
        if let Some(seats) = staged.seats {
            Arc::make_mut(&mut self.trees).push((index, Arc::new(seats)));
        }
        if let Some(powers) = staged.powers {
            self.powers = Arc::new(powers);
        }
        if signed.entry.items.iter().any(|item| matches!(item, Item::Fence(_) | Item::Resolve { .. })) {
            Arc::make_mut(&mut self.powers).verdicts = signed.version;
        }
        if !staged.nodes.is_empty() || !staged.tokens.is_empty() {
            let nodes = Arc::make_mut(&mut self.nodes);
            for node in staged.enrolled {
                if let Some(info) = staged.nodes.get(&node) {
                    nodes.by_seat.entry(info.seat).or_default().push(node);
                }
            }
            nodes.by_id.extend(staged.nodes.into_iter().map(|(node, info)| (node, Arc::new(info))));
            nodes.tokens.extend(staged.tokens);
        }
        let log = Arc::make_mut(&mut self.log);
        for version in signed.entry.abandoned() {
            log.abandoned.entry(version).or_insert(index.saturating_sub(1));
        }
        if signed.is_signed_by(self.root) {
            log.root_at = Some(index);
        }
        log.by_version.insert(signed.version, index);
        log.entries.push(signed);
    }
}

fn set<T: Ord>(set: &mut BTreeSet<T>, member: T, is_in: bool) {
    if is_in {
        set.insert(member);
    } else {
        set.remove(&member);
    }
}

impl Staged {
    fn seats<'a>(&'a self, directory: &'a Directory) -> &'a Seats {
        self.seats.as_ref().unwrap_or(directory.seats())
    }

    fn powers<'a>(&'a self, directory: &'a Directory) -> &'a Powers {
        self.powers.as_ref().unwrap_or(&directory.powers)
    }

    fn powers_mut(&mut self, directory: &Directory) -> &mut Powers {
        self.powers.get_or_insert_with(|| Powers::clone(&directory.powers))
    }

    fn node<'a>(&'a self, directory: &'a Directory, node: NodeId) -> Option<&'a NodeInfo> {
        self.nodes.get(&node).or_else(|| directory.node(node))
    }
}
