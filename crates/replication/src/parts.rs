//! What a node consists of: its parts side by side. Each owns its state and has a door; none of them knows the others. What
//! goes between them goes through the steps of a batch, which hand one part what another returned, and through the engine.

use heliu_record::id::RecordId;
use heliu_storage::ScanPage;
use heliu_trust::directory::Directory;
use heliu_trust::id::Incarnation;
use zeroize::Zeroizing;

use crate::audit::Audit;
use crate::authority::Authority;
use crate::config::Config;
use crate::durable::Durable;
use crate::effect::{LinkId, Moment};
use crate::health::Health;
use crate::journal::{DigestKey, Journal, Random, Work, Writer};
use crate::keys::Keys;
use crate::own::Own;
use crate::records::{Foreign, Leaving, Records, Recount, Recounted, Scopes, Stranded, Unjudged};
use crate::start::Start;
use crate::statements::Statements;

pub(crate) struct Parts {
    pub own: Own,
    pub authority: Authority,
    pub records: Records,
    pub scopes: Scopes,
    pub leaving: Leaving,
    pub stranded: Stranded,
    pub unjudged: Unjudged,
    pub keys: Keys,
    pub statements: Statements,
    pub audit: Audit,
    pub health: Health,
    pub journal: Journal,
}

impl Parts {
    pub fn new(start: Start, config: &Config) -> Self {
        let Start { node, seat, directory, meta, signer, verifier, .. } = start;
        let (realm, catalogue) = (directory.realm(), config.catalogue);
        let own = Own { realm, node, seat, catalogue, signer, verifier };
        let statements = Statements::read(&start.statements, &directory);
        let audit = Audit::new(start.audit_head, statements.audit_head(node));
        let keys = Keys::new(start.sealing, &directory, statements.keys());
        let mut random = Random::new(start.seed);
        // A node without a secret of its own knows until its end what it was asked.
        let secret = keys.derive("answers to commands").unwrap_or_else(|| Zeroizing::new(random.secret()));
        let mut health = Health::new(start.quarantined, config.patrol_round_ms, RecordId(random.secret()));
        statements.iter().for_each(|signed| health.evidence.heard(&signed.statement));
        let incarnation = meta.incarnations.last().map_or(Incarnation([0; 16]), |(incarnation, _)| *incarnation);
        let writer = Writer::new(node, incarnation, start.last_commit);
        let mut records = Records::new(config.open_max);
        records.know_actor(writer.actor(), seat);
        let foreign = Foreign::new(config.foreign_max, start.declined.into_iter().collect(), start.foreign);
        let mut parts = Parts {
            own,
            records,
            scopes: Scopes {
                kept: start.kept,
                recount: Recount::new(config.scopes_max),
                sums: start.sums.counted(),
                foreign,
            },
            leaving: Leaving::new(start.hidden, meta.head),
            stranded: Stranded::new(start.stranded),
            unjudged: Unjudged::new(start.unjudged, catalogue.digests().stamp()),
            keys,
            statements,
            audit,
            health,
            journal: Journal::new(meta, writer, DigestKey(secret), random),
            authority: Authority::new(directory, start.issuer, config.pool.clone()),
        };
        if parts.keys.has_secret() && parts.keys.audiences.has_due() {
            parts.journal.queue.push(Work::KeepKeys);
        }
        for record in start.set_aside {
            parts.health.damage.leave_uncounted(record);
            parts.journal.queue.push(Work::Check { record });
        }
        let unjudged = parts.unjudged.untried().iter();
        unjudged.for_each(|record| parts.journal.queue.push(Work::Check { record: *record }));
        let untried = parts.stranded.untried();
        untried.into_iter().for_each(|record| parts.journal.queue.push(Work::Reissue { record }));
        parts
    }

    /// Counts what a link's other end has left out, of what is open: mostly it has just come. Nothing may be under way.
    /// Returns whether all rows of the store have to be looked through for the rest.
    pub fn count_open(&mut self, link: LinkId) -> bool {
        let (records, damage) = (&self.records, &self.health.damage);
        let stored = |record: &RecordId| {
            let open = records.get(record).filter(|open| open.is_stored && damage.counted(*record).is_none())?;
            Some(open.counted())
        };
        self.scopes.count_known(link, self.own.seat, self.authority.durable().seats(), stored)
    }

    /// Rows that were read to prove what is kept of records. Nothing may be under way. Returns, with the last of them, in how
    /// many scopes what was kept was wrong.
    pub fn recounted(&mut self, page: &ScanPage) -> Option<usize> {
        for record in page.damaged.iter().filter_map(|row| row.record) {
            self.journal.queue.push(Work::Check { record });
        }
        let recounted = self.scopes.recount.counted(page)?;
        let Recounted { kept, set_aside } = recounted;
        // What is open of these says of itself that it counts, or that it does not: that is read again.
        let news = self.health.damage.counted_all_but(set_aside);
        self.records.close(&news);
        let differing = self.scopes.recounted(kept, self.own.seat, self.authority.durable().seats());
        if self.scopes.kept.is_unwritten() {
            self.journal.queue.push(Work::KeepScopes);
        }
        Some(differing)
    }

    /// As it is durable.
    pub fn directory(&self) -> &Directory {
        self.authority.durable()
    }

    /// The batch under work is sealed: what each part did for it is in flight, and the next one may begin.
    pub fn seal(&mut self) {
        self.statements.seal();
        self.scopes.seal();
        self.stranded.seal();
        self.keys.seal();
        self.health.seal();
        self.records.seal();
    }

    /// The transaction that was sealed is durable, and so is what each part made of it.
    pub fn applied(&mut self, at: Moment, durable: &Durable) -> Vec<RecordId> {
        self.authority.applied(durable);
        self.statements.applied(durable);
        self.scopes.applied(at, durable);
        self.audit.applied(durable);
        self.health.applied(durable);
        self.records.applied(durable)
    }
}
