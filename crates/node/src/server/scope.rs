//! What a call may see and do, in one place: [`Reach`]. A token that is limited to some seats or kinds is shown this node as
//! if the node held nothing else: what the token's bearer may not see, what has left, and what never was get one answer.
//! Tokens without a limit cost nothing here.

use heliu_api::records::ExecuteRequest;
use heliu_record::command::{KIND_ARGUMENT, Makes};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::sight::Sight;
use heliu_storage::row::prefix_bounds;
use heliu_storage::{ConflictRow, ListQuery, QuarantineRow, ReadRecords, RecordRow, StoreError};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use tonic::{Request, Status};

use super::refusals::{ambiguous, damaged, no_seat, of_read, out_of_scope};
use super::words::{digits, no_record};
use crate::access::Caller;
use crate::handle::NodeHandle;

/// Records read at once while a short id is looked up.
const LOOKED_UP: usize = 16;

/// Who makes this call, as the gate has found.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Status::internal("a call came past the gate: this is a defect, please report it"))
}

/// This node and its store as far as a call reaches.
pub(crate) struct Reach<'a> {
    store: &'a dyn ReadRecords,
    node: &'a NodeHandle,
    pub caller: Caller,
    pub sight: Sight,
    pub directory: Directory,
}

impl<'a> Reach<'a> {
    pub fn of<T>(request: &Request<T>, node: &'a NodeHandle, store: &'a dyn ReadRecords) -> Result<Self, Status> {
        let (caller, directory) = (caller(request)?, node.directory());
        let sight = caller.sight(directory.seats());
        Ok(Reach { store, node, caller, sight, directory })
    }

    /// Whether the bearer is an operator of this node itself: nothing that is not of records is kept from him.
    pub fn is_operator(&self) -> bool {
        self.sight.covers(self.node.seat(), self.directory.seats())
    }

    /// Whether what is about a seat is for the bearer.
    pub fn has_seat(&self, seat: SeatId) -> bool {
        self.is_operator() || self.sight.has_seat(seat, self.directory.seats())
    }

    pub fn has_node(&self, node: NodeId) -> bool {
        self.is_operator() || self.directory.node(node).is_some_and(|info| self.has_seat(info.seat))
    }

    /// Whether something that names a seat, a node or both (`<seat>/<node>`) by id is for the bearer.
    pub fn has_named(&self, subject: &str) -> bool {
        let is_of_a_seat =
            |id: &str| id.parse().is_ok_and(|seat| self.directory.seats().get(seat).is_some() && self.has_seat(seat));
        let is_of_a_node = |id: &str| id.parse().is_ok_and(|node| self.has_node(node));
        self.is_operator() || subject.split('/').any(|id| is_of_a_seat(id) || is_of_a_node(id))
    }

    pub fn shows(&self, row: &RecordRow) -> bool {
        let scope = &row.scope;
        self.sight.shows(&row.preimage.kind, scope.public, &scope.owners, self.directory.seats())
    }

    /// Whether a record is the bearer's to work on: more is told of it than it says, and it may be taken away.
    pub fn owns(&self, row: &RecordRow) -> bool {
        self.sight.has(&row.preimage.kind, &row.scope.owners, self.directory.seats())
    }

    /// The record that an id or the beginning of one names, for who looks for what refers to it or writes to it.
    pub async fn record_id(&self, text: &str, field: &str) -> Result<RecordId, Status> {
        let digits = digits(text, RecordId::LEN * 2, field)?;
        let found = match digits.parse() {
            Ok(id) if self.sight.is_whole() => return Ok(id),
            Ok(id) => self.shown(id).await?.map(|row| row.id).into_iter().collect(),
            Err(_) if self.sight.is_whole() => self.store.by_prefix(&digits).await.map_err(|error| of_read(&error))?,
            Err(_) => self.shown_by_prefix(&digits).await?,
        };
        match found[..] {
            [id] => Ok(id),
            [] => Err(no_record(&digits, field).into()),
            _ => Err(ambiguous(field, &digits).into()),
        }
    }

    /// A seat that the bearer may act for, by its region code or id.
    pub fn seat(&self, text: &str, field: &str) -> Result<SeatId, Status> {
        let seats = self.directory.seats();
        let named = seats.by_code(text).map(|seat| seat.id).or_else(|| text.parse().ok());
        let known = named.filter(|seat| seats.get(*seat).is_some() && self.sight.has_seat(*seat, seats));
        known.ok_or_else(|| no_seat(text, field).into())
    }

    /// The row of the record that an id or the beginning of one names.
    pub async fn record(&self, text: &str, field: &str) -> Result<RecordRow, Status> {
        let id = self.record_id(text, field).await?;
        let row = self.shown(id).await?;
        row.ok_or_else(|| no_record(&text.trim().to_ascii_lowercase(), field).into())
    }

    /// One row, if it is shown. If it is not what was written, the engine hears of it; whose it is cannot be told then.
    async fn shown(&self, id: RecordId) -> Result<Option<RecordRow>, Status> {
        match self.store.record(id).await {
            Err(StoreError::Damaged { .. }) => {
                let told = self.damaged(id);
                if self.sight.is_whole() { Err(told) } else { Ok(None) }
            }
            row => Ok(row.map_err(|error| of_read(&error))?.filter(|row| self.shows(row))),
        }
    }

    /// Says that a record cannot be shown, to the engine too.
    pub fn damaged(&self, id: RecordId) -> Status {
        self.node.suspect(vec![id]);
        damaged(id).into()
    }

    /// Records that are shown and whose id begins so; two are enough to know that it is not clear.
    async fn shown_by_prefix(&self, prefix: &str) -> Result<Vec<RecordId>, Status> {
        let Some((first, last)) = prefix_bounds(prefix) else { return Ok(Vec::new()) };
        let mut found: Vec<RecordId> = self.shown(first).await?.map(|row| row.id).into_iter().collect();
        let mut query = ListQuery { after: Some(first), limit: LOOKED_UP, ..ListQuery::default() };
        while found.len() < 2 {
            let page = self.store.list(&query).await.map_err(|error| of_read(&error))?;
            let within = page.rows.iter().filter(|row| row.id <= last);
            found.extend(within.filter(|row| self.shows(row)).map(|row| row.id));
            query.after = page.next;
            if page.next.is_none_or(|next| next >= last) {
                break;
            }
        }
        Ok(found)
    }

    /// As [`Reach::record_id`], of a record that is the bearer's to work on.
    pub async fn own_record_id(&self, text: &str, field: &str) -> Result<RecordId, Status> {
        let id = self.record_id(text, field).await?;
        let is_own = self.sight.is_whole() || self.has_own(id).await?;
        if is_own { Ok(id) } else { Err(out_of_scope(&id.short(), field).into()) }
    }

    /// Whether a record is here, and the bearer's to work on.
    pub async fn has_own(&self, id: RecordId) -> Result<bool, Status> {
        Ok(self.shown(id).await?.is_some_and(|row| self.owns(&row)))
    }

    /// Whether all of these records, as far as they are here, are shown.
    pub async fn has_all(&self, ids: impl IntoIterator<Item = &RecordId>) -> Result<bool, Status> {
        if self.sight.is_whole() {
            return Ok(true);
        }
        for id in ids {
            let is_shown = match self.store.record(*id).await {
                Err(StoreError::Damaged { .. }) => false,
                row => row.map_err(|error| of_read(&error))?.is_none_or(|row| self.shows(&row)),
            };
            if !is_shown {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A conflict is shown to who is shown every record that it is about.
    pub async fn has_conflict(&self, row: &ConflictRow) -> Result<bool, Status> {
        self.has_all(&row.anchors).await
    }

    /// What was refused is shown to those whose its record is; bytes of which nobody knows whose they are, to operators.
    pub async fn has_quarantined(&self, row: &QuarantineRow) -> Result<bool, Status> {
        match row.record {
            _ if self.is_operator() => Ok(true),
            Some(record) => self.has_own(record).await,
            None => Ok(false),
        }
    }

    /// Whether the bearer may make a record with this command. The command itself sees only what he is shown.
    pub fn may_make(&self, asked: &ExecuteRequest) -> Result<(), Status> {
        // A command that this node does not know is refused further on.
        let Some(command) = self.node.catalogue().command(&asked.command) else { return Ok(()) };
        if self.sight.is_whole() || command.makes == Makes::Nothing {
            return Ok(());
        }
        let named = || asked.arguments.get(KIND_ARGUMENT).map_or("", |given| given);
        let has_kind = match command.makes {
            Makes::Nothing => true,
            Makes::Kind(kind) => self.sight.has_kind(kind.name),
            Makes::Named => {
                self.node.catalogue().kind_called(named()).is_some_and(|kind| self.sight.has_kind(kind.name))
            }
        };
        // Somebody of a seat without a node acts at its superior's, in the name of his own.
        let seat = match asked.on_behalf.as_str() {
            "" => self.node.seat(),
            given => self.seat(given, "on_behalf")?,
        };
        if has_kind && self.sight.has_seat(seat, self.directory.seats()) {
            return Ok(());
        }
        Err(out_of_scope(&asked.command, "command").into())
    }
}
