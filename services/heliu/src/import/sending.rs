//! Giving the rows to a node: the first alone, since what is wrong with it is mostly wrong with all; then many at a time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt as _};
use heliu_client::records::{ExecuteRequest, ExecuteResponse};
use heliu_client::schema::Argument;
use heliu_client::{Client, Error};
use heliu_record::hash::hash16;
use heliu_record::id::to_hex;

use crate::failure::Failure;
use crate::out::{Stream, complain};
use crate::text::{count, tr};

/// Commands of one call: the node makes few commits of what comes together.
const EACH: usize = 256;
/// Calls under way at once: the node works on one while the next is on its way.
const AT_ONCE: usize = 2;

/// What a value that names something stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A value as the node takes it.
    Known(String),
    /// The record that an earlier row makes, by its place among the rows.
    Row(usize),
}

/// By the name of the argument: a list has several.
pub type References = BTreeMap<String, Vec<Reference>>;

/// One row, ready to be sent.
#[derive(Clone, Debug)]
pub struct Order {
    pub line: u64,
    /// See [`said`].
    pub said: Vec<u8>,
    /// Which row it is of those that say the same, from 1.
    pub repetition: u64,
    pub values: BTreeMap<String, String>,
    pub references: References,
}

/// How far an import went.
#[derive(Debug, Default)]
pub struct Sent {
    pub created: u64,
    /// The lines of those rows.
    pub created_lines: Vec<u64>,
    /// Rows that had been imported before.
    pub already: u64,
    /// Lines of rows that were imported before and say something else now. Nothing was changed by them.
    pub differing: Vec<u64>,
    /// Lines of rows of which the record was erased since.
    pub erased: Vec<u64>,
    /// Lines of rows that name what a differing or an erased one made.
    pub held: Vec<u64>,
    pub refused: Option<Refused>,
}

/// The first row that the node did not take. No further ones were sent; those under way were, and may be of later lines.
#[derive(Debug)]
pub struct Refused {
    pub line: u64,
    pub failure: Failure,
}

/// What a row says, in one encoding. What is to be sealed is left out: ids are made of this, and who carries a record could
/// try every telephone number until its id comes out.
pub fn said(command: &str, columns: &[Argument], values: &BTreeMap<String, String>) -> Vec<u8> {
    let mut said = command.as_bytes().to_vec();
    let is_sealed = |name: &str| columns.iter().any(|column| column.name == name && column.sealed);
    for (name, value) in values.iter().filter(|(name, _)| !is_sealed(name)) {
        for part in [name.as_bytes(), value.as_bytes()] {
            said.extend_from_slice(&(part.len() as u64).to_le_bytes());
            said.extend_from_slice(part);
        }
    }
    said
}

/// The id of the command of the `repetition`th row that says this (from 1), when what it made was erased so many times. The
/// node mixes a secret into it, so that nobody else reckons it.
fn command_id(said: &[u8], repetition: u64, erased: u64) -> String {
    to_hex(&hash16("heliu import 2", &[said, &repetition.to_le_bytes(), &erased.to_le_bytes()]))
}

/// Sends rows in waves: those whose references are known. What is under way when a row is refused is waited for.
/// With `anew`, what was erased is made again.
pub async fn send(client: &Client, command: &str, orders: Vec<Order>, who: &str, reason: &str, anew: bool) -> Sent {
    let total = orders.len();
    let mut sent = Sent::default();
    let mut made: Vec<Option<String>> = vec![None; total];
    let mut progress = Progress::new(total);
    let mut waiting: Vec<(usize, Order)> = orders.into_iter().enumerate().collect();
    // The first alone: what is wrong with it is mostly wrong with all.
    let mut is_first = true;
    while !waiting.is_empty() && sent.refused.is_none() {
        let (mut ready, mut later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, order)| is_ready(order, &made));
        if is_first {
            later.extend(ready.split_off(ready.len().min(1)));
        }
        if ready.is_empty() && later.iter().all(|(_, order)| !is_ready(order, &made)) {
            sent.held = later.iter().map(|(_, order)| order.line).collect();
            break;
        }
        waiting = later;
        let mut queue = ready.chunks(EACH);
        let mut under_way = FuturesUnordered::new();
        loop {
            while sent.refused.is_none()
                && under_way.len() < AT_ONCE
                && let Some(orders) = queue.next()
            {
                let requests = orders.iter().map(|(_, order)| request(command, order, &made, who, reason)).collect();
                under_way.push(async move { (orders, give(client, orders, requests, anew).await) });
            }
            let Some((orders, answer)) = under_way.next().await else { break };
            match answer {
                Ok(outcomes) => {
                    for ((place, order), outcome) in orders.iter().zip(outcomes) {
                        made[*place] = sent.take(order.line, outcome);
                    }
                    progress.show(sent.created + sent.already);
                }
                // Nothing is known of these: the next import tells.
                Err(error) => sent.refuse(orders.first().map_or(0, |(_, order)| order.line), error),
            }
        }
        is_first = false;
    }
    progress.end();
    sent
}

/// So often may what a row made have been erased, for it to be made anew.
const ERASED_TIMES_MAX: u64 = 8;

const ERASED: &str = "erased";

/// A node that has just joined gets the secret of ids within seconds: so long it is waited for.
const SECRET_ATTEMPTS: u32 = 40;
const SECRET_PAUSE: Duration = Duration::from_millis(250);

/// One call, and with `anew` another for those rows of which the record was erased.
async fn give(
    client: &Client,
    orders: &[(usize, Order)],
    mut requests: Vec<ExecuteRequest>,
    anew: bool,
) -> Result<Vec<Result<ExecuteResponse, Error>>, Error> {
    let is_refused = |outcome: &Result<_, Error>, why| outcome.as_ref().is_err_and(|error| error.reason() == why);
    let mut outcomes = client.execute_each(requests.clone()).await?;
    for attempt in 0..SECRET_ATTEMPTS {
        if !outcomes.iter().any(|outcome| is_refused(outcome, "no_secret_of_ids")) {
            break;
        }
        if attempt == 0 {
            complain(&tr!(
                "本节点尚无编号密钥,等待上级发来(最多 10 秒)…",
                "this node has not got the secret of ids yet: waiting for it to come from the superior (10 seconds at most)..."
            ));
        }
        tokio::time::sleep(SECRET_PAUSE).await;
        outcomes = client.execute_each(requests.clone()).await?;
    }
    for erased in 1..=if anew { ERASED_TIMES_MAX } else { 0 } {
        let places = || (0..orders.len()).filter(|at| outcomes.get(*at).is_some_and(|it| is_refused(it, ERASED)));
        let again: Vec<usize> = places().collect();
        if again.is_empty() {
            break;
        }
        for at in &again {
            let (_, order) = &orders[*at];
            requests[*at].command_id = command_id(&order.said, order.repetition, erased);
        }
        let repeated = again.iter().map(|at| requests[*at].clone()).collect();
        for (at, outcome) in again.iter().zip(client.execute_each(repeated).await?) {
            outcomes[*at] = outcome;
        }
    }
    Ok(outcomes)
}

impl Sent {
    /// What became of a row. Returns the record that it made.
    fn take(&mut self, line: u64, outcome: Result<ExecuteResponse, Error>) -> Option<String> {
        match outcome {
            Ok(done) => {
                if done.repeated {
                    self.already += 1;
                } else {
                    self.created += 1;
                    self.created_lines.push(line);
                }
                return Some(done.created.into_iter().next().unwrap_or_default());
            }
            // One row stops none of the others.
            Err(error) if error.reason() == "command_id_reused" => self.differing.push(line),
            Err(error) if error.reason() == ERASED => self.erased.push(line),
            Err(error) => self.refuse(line, error),
        }
        None
    }

    fn refuse(&mut self, line: u64, error: Error) {
        if self.refused.as_ref().is_none_or(|refused| line < refused.line) {
            self.refused = Some(Refused { line, failure: error.into() });
        }
    }
}

fn is_ready(order: &Order, made: &[Option<String>]) -> bool {
    order.references.values().flatten().all(|reference| match reference {
        Reference::Known(_) => true,
        Reference::Row(place) => made.get(*place).is_some_and(Option::is_some),
    })
}

fn request(command: &str, order: &Order, made: &[Option<String>], who: &str, reason: &str) -> ExecuteRequest {
    let value = |(name, text): (&String, &String)| {
        let meant = |reference: &Reference| match reference {
            Reference::Known(id) => id.clone(),
            Reference::Row(place) => made.get(*place).cloned().flatten().unwrap_or_default(),
        };
        let value = order.references.get(name).map(|all| all.iter().map(meant).collect::<Vec<_>>().join(","));
        (name.clone(), value.unwrap_or_else(|| text.clone()))
    };
    ExecuteRequest {
        command: command.to_owned(),
        subject: String::new(),
        arguments: order.values.iter().map(value).collect(),
        command_id: command_id(&order.said, order.repetition, 0),
        guessable_id: true,
        who: who.to_owned(),
        reason: reason.to_owned(),
    }
}

/// As wide as what is told of progress ever is.
const PROGRESS_COLUMNS: usize = 60;

/// A line on standard error that is written over; nothing where there is no terminal.
struct Progress {
    total: u64,
    live: bool,
    shown: Option<Instant>,
}

impl Progress {
    fn new(total: usize) -> Self {
        Progress { total: total as u64, live: Stream::Err.is_terminal(), shown: None }
    }

    fn show(&mut self, done: u64) {
        const PAUSE: Duration = Duration::from_millis(100);
        if !self.live || self.shown.is_some_and(|shown| shown.elapsed() < PAUSE) {
            return;
        }
        self.shown = Some(Instant::now());
        let (percent, done, total) = (done * 100 / self.total.max(1), count(done), count(self.total));
        let said = tr!("{done} / {total} 行({percent}%)", "{done} / {total} rows ({percent}%)");
        let _ = Stream::Err.write_over(PROGRESS_COLUMNS, &format!("  {said}"));
    }

    /// Leaves an empty line.
    fn end(&self) {
        if self.live && self.shown.is_some() {
            let _ = Stream::Err.write_over(PROGRESS_COLUMNS, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rows_that_were_taken_those_that_made_something_are_known_by_their_lines() {
        let mut sent = Sent::default();
        let done =
            |repeated| ExecuteResponse { created: vec!["ab".to_owned()], repeated, ..ExecuteResponse::default() };
        for (line, repeated) in [(2, false), (3, true), (4, false)] {
            assert_eq!(sent.take(line, Ok(done(repeated))).as_deref(), Some("ab"));
        }
        assert_eq!((sent.created, sent.already, sent.created_lines), (2, 1, vec![2, 4]));
    }

    #[test]
    fn no_id_follows_from_what_is_to_be_sealed() {
        let schema = crate::served::schema();
        let command = schema.command("member.register").expect("it is declared");
        let row = |name: &str, contact: &str| {
            said(
                &command.name,
                &command.arguments,
                &[("name", name), ("contact", contact)].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            )
        };
        assert_eq!(row("王红", "13800001234"), row("王红", "13900005678"));
        assert_ne!(row("王红", "13800001234"), row("李明", "13800001234"));
    }
}
