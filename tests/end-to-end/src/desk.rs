//! A desk at a node: commands given and records read through the typed client, over gRPC like everybody else.

use heliu_client::operations::{Conflict, ListConflictsRequest, Outcome, Verification};
use heliu_client::records::{
    Change, ExecuteRequest, ExecuteResponse, HistoryRequest, LedgerCell, LedgerRequest, LedgerResponse, ListRequest,
    Record, RecordState,
};
use heliu_client::{Access, Client, Error};
use heliu_record::id::to_hex;
use serde_json::Value;
use std::time::Duration;

const PAGE: u32 = 1_000;

#[derive(Clone, Debug)]
pub struct Desk {
    pub client: Client,
}

/// A command that is ready to be given, and can be given again.
#[must_use]
pub fn order(command: &str, subject: &str, arguments: &[(&str, &str)]) -> ExecuteRequest {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ExecuteRequest {
        command: command.to_owned(),
        subject: subject.to_owned(),
        arguments: arguments.collect(),
        command_id: new_id(),
        who: "clerk".to_owned(),
        reason: String::new(),
        guessable_id: false,
        dry_run: false,
        on_behalf: String::new(),
    }
}

/// The id of a command that nobody has given before.
#[must_use]
pub fn new_id() -> String {
    let mut id = [0; 16];
    getrandom::fill(&mut id).expect("the system gives random bytes");
    to_hex(&id)
}

impl Desk {
    /// At the node that an access file tells.
    pub async fn open(access: &Access) -> Result<Self, Error> {
        let client = Client::open(access).await?;
        client.status().await?;
        Ok(Desk { client })
    }

    /// A command that has to succeed.
    pub async fn does(&self, command: &str, subject: &str, arguments: &[(&str, &str)]) -> ExecuteResponse {
        let done = self.client.execute(order(command, subject, arguments)).await;
        done.unwrap_or_else(|error| panic!("{command} at {}: {error}", self.client.address()))
    }

    /// A command that makes a record; its id.
    pub async fn makes(&self, command: &str, arguments: &[(&str, &str)]) -> String {
        let done = self.does(command, "", arguments).await;
        done.created.first().cloned().unwrap_or_else(|| panic!("{command} has made no record"))
    }

    /// A command that has to be refused, with this reason code.
    pub async fn is_refused(&self, reason: &str, command: &str, subject: &str, arguments: &[(&str, &str)]) {
        match self.client.execute(order(command, subject, arguments)).await {
            Ok(_) => panic!("{command} should be refused: {reason}"),
            Err(error) => assert_eq!(error.reason(), reason, "{error}"),
        }
    }

    /// A record that this node has and shows.
    pub async fn record(&self, id: &str) -> Option<Record> {
        match self.client.get(id).await {
            Ok(record) => Some(record).filter(|record| record.state() == RecordState::Present),
            Err(error) if error.reason() == "not_here" => None,
            Err(error) => panic!("{id} at {}: {error}", self.client.address()),
        }
    }

    /// The folded record.
    pub async fn view(&self, id: &str) -> Value {
        let record = self.record(id).await;
        let record = record.unwrap_or_else(|| panic!("{id} is not at {}", self.client.address()));
        serde_json::from_str(&record.view_json).expect("a view is JSON")
    }

    /// A whole ledger, by `seat` or `org`, of a seat or organisation (or of the node's seat), whose sums have to balance.
    pub async fn ledger(&self, name: &str, by: &str, at: &str) -> Ledger {
        let asked = LedgerRequest { name: name.to_owned(), by: by.to_owned(), at: at.to_owned(), ..Default::default() };
        let mut whole = LedgerResponse::default();
        loop {
            let after = std::mem::take(&mut whole.next);
            let page = self.client.ledger(LedgerRequest { after, limit: PAGE, ..asked.clone() }).await;
            let page = page.unwrap_or_else(|error| panic!("{name} at {}: {error}", self.client.address()));
            let before = std::mem::take(&mut whole.lines);
            whole = LedgerResponse { lines: [before, page.lines.clone()].concat(), ..page };
            if whole.next.is_empty() {
                break;
            }
        }
        let off: Vec<_> = whole.checks.iter().filter(|check| !check.holds).collect();
        assert!(off.is_empty(), "{name} at {} does not balance: {off:?}", self.client.address());
        assert_eq!(whole.lines.len() as u64, whole.lines_total);
        Ledger(whole)
    }

    /// Every change of a record that this node holds; none if it has never had the record.
    pub async fn history(&self, id: &str) -> Option<Vec<Change>> {
        let (mut changes, mut after) = (Vec::new(), String::new());
        loop {
            match self.client.history(HistoryRequest { id: id.to_owned(), after, limit: PAGE }).await {
                Ok(page) => {
                    changes.extend(page.changes);
                    after = page.next;
                }
                Err(error) if error.reason() == "not_here" => return None,
                Err(error) => panic!("history of {id} at {}: {error}", self.client.address()),
            }
            if after.is_empty() {
                return Some(changes);
            }
        }
    }

    /// All records of a kind that this node shows; of any kind if that is empty.
    pub async fn list(&self, kind: &str) -> Vec<Record> {
        let (mut records, mut after) = (Vec::new(), String::new());
        loop {
            let request = ListRequest { kind: kind.to_owned(), after, limit: PAGE, ..ListRequest::default() };
            let page = self.client.list(request).await;
            let page = page.unwrap_or_else(|error| panic!("list at {}: {error}", self.client.address()));
            records.extend(page.records);
            after = page.next;
            if after.is_empty() {
                return records;
            }
        }
    }

    /// All open conflicts, in order of their ids.
    pub async fn conflicts(&self) -> Vec<Conflict> {
        let (mut conflicts, mut after) = (Vec::new(), String::new());
        loop {
            let request = ListConflictsRequest { limit: PAGE, after, ..ListConflictsRequest::default() };
            let page = self.client.conflicts(request).await.expect("conflicts are listed");
            conflicts.extend(page.conflicts);
            after = page.next;
            if after.is_empty() {
                break;
            }
        }
        conflicts.sort_by(|a, b| a.id.cmp(&b.id));
        conflicts
    }

    /// The one open conflict of a kind.
    pub async fn conflict(&self, kind: &str) -> Conflict {
        let all = self.conflicts().await;
        let mut found = all.iter().filter(|conflict| conflict.kind == kind);
        match (found.next(), found.next()) {
            (Some(one), None) => one.clone(),
            _ => panic!("one {kind} among {:?}", all.iter().map(|conflict| &conflict.kind).collect::<Vec<_>>()),
        }
    }

    /// Settles a conflict by choosing a value, or its number.
    pub async fn settles(&self, conflict: &Conflict, choice: &str) -> ExecuteResponse {
        self.does("conflict.settle", &conflict.subject, &[("conflict", &conflict.id), ("choice", choice)]).await
    }

    /// Compares with every linked node; the links that are not equal.
    pub async fn unequal(&self) -> Result<Vec<Verification>, Error> {
        let verdicts = self.client.verify("", Duration::from_secs(5)).await?;
        Ok(verdicts.into_iter().filter(|verdict| verdict.outcome() != Outcome::Equal).collect())
    }
}

/// A ledger as a node told it.
#[derive(Debug)]
pub struct Ledger(pub LedgerResponse);

impl Ledger {
    fn place(&self, column: &str) -> usize {
        let found = self.0.columns.iter().position(|one| one.name == column);
        found.unwrap_or_else(|| panic!("{} has no column {column}", self.0.name))
    }

    /// The count in the line of a seat, a record or a code; 0 if there is no such line.
    #[must_use]
    pub fn count(&self, of: &str, column: &str) -> i64 {
        let line = self.0.lines.iter().find(|line| line.cells.first().is_some_and(|cell: &LedgerCell| cell.text == of));
        line.map_or(0, |line| line.cells[self.place(column)].count.unwrap_or_default())
    }

    /// The count below all lines.
    #[must_use]
    pub fn total(&self, column: &str) -> i64 {
        let total = self.0.total.as_ref().unwrap_or_else(|| panic!("{} has no sum", self.0.name));
        total.cells[self.place(column)].count.unwrap_or_default()
    }
}
