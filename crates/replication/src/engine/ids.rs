//! Commands whose ids follow from what they say, as those of a file's rows, and when the secret is begun that is mixed into
//! them. Which secret that is, and who has it, is in [`keys`](crate::keys).

use heliu_record::command::Makes;
use heliu_record::kind::Kind;

use crate::effect::{Effect, LinkId, Reply, Trial};
use crate::journal::{Order, Work};
use crate::keys::no_secret_of_ids;
use crate::link::{Link, Out};
use crate::parts::Parts;

use super::Engine;

impl Engine {
    /// A command waits for its batch, under an id that nobody else can reckon.
    pub(super) fn execute(&mut self, mut order: Order, is_guessable: bool, out: &mut Out) {
        if (is_guessable || self.is_keyed(&order)) && self.is_only_one() && order.trial == Trial::No {
            self.begin_ids(true);
        }
        if is_guessable {
            let Parts { keys, own, authority, .. } = &mut self.parts;
            match keys.secret_id(&order.request.id, own, authority.durable()) {
                Some(id) => order.request.id = id,
                // Nothing is written of it that anybody could reckon.
                None if order.trial != Trial::No => {}
                None => {
                    let reply = Reply::Refused(no_secret_of_ids());
                    return out.effects.push(Effect::Reply { ticket: order.ticket, reply });
                }
            }
        }
        self.submit(Work::Execute(order));
    }

    /// Whether ids of what a command makes follow from what it says.
    fn is_keyed(&self, order: &Order) -> bool {
        let catalogue = self.parts.own.catalogue;
        let makes = catalogue.command(&order.request.name).map(|command| command.makes);
        matches!(makes, Some(Makes::Kind(word)) if catalogue.kind(word.name).is_some_and(Kind::is_keyed))
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

    /// Whether nobody else can have begun one that this node does not know: its seat never had another node, or none is left
    /// that could be asked.
    fn is_only_one(&self) -> bool {
        let (own, directory) = (&self.parts.own, self.parts.authority.durable());
        let is_gone = |node| node == own.node || directory.is_fenced(node);
        directory.nodes_of(own.seat).all(|info| info.node == own.node)
            || directory.nodes().all(|info| is_gone(info.node))
    }

    fn has_no_ids(&self) -> bool {
        self.parts.keys.has_no_ids(&self.parts.own, self.parts.authority.durable())
    }

    /// See [`Keys::begin_ids`](crate::keys::Keys::begin_ids).
    fn begin_ids(&mut self, is_first: bool) {
        let Parts { keys, own, authority, .. } = &mut self.parts;
        if keys.begin_ids(is_first, own, authority.durable()) {
            self.submit(Work::KeepKeys);
        }
    }
}
