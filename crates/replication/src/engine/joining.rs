//! Machines that want to become nodes: their requests are judged here, go up to whoever can enter them, and those who asked
//! hear what became of them.

use heliu_record::reason::Facts;
use heliu_trust::token::JoinRequest;

use super::Engine;
use crate::authority::{JoinAsker, join_refused};
use crate::effect::{Effect, LinkId, Moment, Reply};
use crate::frame::JoinRefused;
use crate::journal::Work;
use crate::link::{Link, Out};

/// Requests that wait for their batch.
const QUEUED_MAX: usize = 256;

impl Engine {
    pub(super) fn join(&mut self, asker: JoinAsker, request: Box<JoinRequest>, now: Moment, out: &mut Out) {
        if self.parts.journal.queue.joins() < QUEUED_MAX {
            self.submit(Work::Join { asker, request });
        } else {
            let busy = join_refused(request.token.id, "join.busy", &Facts::none());
            self.say(vec![(asker, Some(busy))], now, out);
        }
    }

    /// Tells those who asked what became of it. Links hear of success by the directory.
    pub(super) fn say(&mut self, said: Vec<(JoinAsker, Option<JoinRefused>)>, now: Moment, out: &mut Out) {
        for (asker, refusal) in said {
            match (asker, refusal) {
                (JoinAsker::Ticket(ticket), None) => {
                    out.effects.push(Effect::Reply { ticket, reply: Reply::Joined });
                }
                (JoinAsker::Ticket(ticket), Some(JoinRefused { code, reason, .. })) => {
                    out.effects.push(Effect::Reply { ticket, reply: Reply::JoinRefused { code, reason } });
                }
                (JoinAsker::Link(link), Some(refusal)) => {
                    self.with(link, now, out, |link, _, out| link.refuse_join(refusal, out));
                }
                (JoinAsker::Link(_), None) => {}
            }
        }
    }

    /// What waits goes up every link to a superior or a mirror, once.
    pub(super) fn pass_up(&mut self, now: Moment, out: &mut Out) {
        if self.joins.is_empty() {
            return;
        }
        let (own, seats) = (self.parts.own.seat, self.parts.directory().seats());
        let leads_up =
            |link: &Link| link.is_running() && link.peer_seat().is_some_and(|s| seats.is_at_or_above(s, own));
        let up: Vec<LinkId> = self.links.iter().filter(|(_, link)| leads_up(link)).map(|(id, _)| *id).collect();
        for link in up {
            for encoded in self.joins.unsent(link) {
                self.with(link, now, out, |link, _, out| link.pass_join(encoded, out));
            }
        }
    }
}
