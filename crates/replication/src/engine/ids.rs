//! Commands whose ids follow from what they say, as those of a file's rows, and when the secret is begun that is mixed into
//! them. Which secret that is, and who has it, is in [`keys`](crate::keys).

use crate::effect::{Effect, LinkId, Reply};
use crate::journal::{Order, Work};
use crate::keys::no_secret_of_ids;
use crate::link::{Link, Out};
use crate::parts::Parts;

use super::Engine;

impl Engine {
    /// A command waits for its batch, under an id that nobody else can reckon.
    pub(super) fn execute(&mut self, mut order: Order, is_guessable: bool, out: &mut Out) {
        if is_guessable {
            // Nobody else can have one that this node has lost with its disk.
            if self.is_alone() {
                self.begin_ids(true);
            }
            let Parts { keys, own, authority, .. } = &mut self.parts;
            let Some(id) = keys.secret_id(&order.request.id, own, authority.durable()) else {
                let reply = Reply::Refused(no_secret_of_ids());
                return out.effects.push(Effect::Reply { ticket: order.ticket, reply });
            };
            order.request.id = id;
        }
        self.submit(Work::Execute(order));
    }

    /// Something came by a link. Whoever is equal to another has heard what that one heard: is there no secret yet, this node
    /// may begin it.
    pub(super) fn learn_ids(&mut self, link: LinkId) {
        if self.has_no_ids() && self.links.get(&link).is_some_and(Link::is_proven) {
            self.begin_ids(false);
        }
    }

    /// With each tick.
    pub(super) fn wait_for_ids(&mut self) {
        let waits = self.has_no_ids() && self.links.values().any(Link::is_proven);
        if waits && self.parts.keys.wait_for_ids() {
            self.begin_ids(true);
        }
    }

    /// Whether the directory has no other node that could be asked.
    fn is_alone(&self) -> bool {
        let directory = self.parts.authority.durable();
        let others = directory.nodes().filter(|info| info.node != self.parts.own.node);
        others.into_iter().all(|info| directory.is_fenced(info.node))
    }

    fn has_no_ids(&self) -> bool {
        self.parts.keys.has_no_ids(&self.parts.own, self.parts.authority.durable())
    }

    /// See [`Keys::begin_ids`](crate::keys::Keys::begin_ids).
    fn begin_ids(&mut self, is_first: bool) {
        let Parts { keys, own, authority, journal, .. } = &mut self.parts;
        if keys.begin_ids(is_first, own, authority.durable(), || journal.random.secret()) {
            self.submit(Work::KeepKeys);
        }
    }
}
