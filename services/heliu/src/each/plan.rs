//! What would become of each line: which record it is about, what its command is, and whether the node would take it. The node is
//! asked by trials, so that whatever a command refuses is refused here.

use std::collections::BTreeMap;

use heliu_client::Client;
use heliu_client::records::ExecuteRequest;
use heliu_client::schema::{Argument, Schema};

use super::lines::{Lines, Sheet};
use super::subject::Whom;
use super::whom;
use crate::command::is_sealed;
use crate::failure::Failure;
use crate::import::bad_row::BadRow;
use crate::import::fate::of_the_node;
use crate::import::rows::Row;
use crate::import::sending::{self, Attempt, By, Progress, is_refused};
use crate::references::{Named, references};
use crate::text::say;
use crate::which::Meant;

/// So many lines may say the same but for what is sealed in them.
const ATTEMPTS_MAX: u32 = 8;

#[derive(Clone, Debug)]
pub enum Fate {
    Ready(Box<ExecuteRequest>),
    /// It was carried out before, from the same line.
    Before,
    Done,
    Refused(Vec<BadRow>),
}

#[derive(Clone, Debug)]
pub struct Line {
    pub line: u64,
    pub whom: Option<Whom>,
    /// What it gives, as people read it.
    pub says: String,
    pub fate: Fate,
}

impl Line {
    pub fn is_ready(&self) -> bool {
        matches!(self.fate, Fate::Ready(_))
    }

    pub fn request(&self) -> Option<&ExecuteRequest> {
        if let Fate::Ready(request) = &self.fate { Some(request) } else { None }
    }

    /// The record that it is about.
    pub fn record(&self) -> Option<&str> {
        self.whom.as_ref().map(|whom| whom.id.as_str())
    }
}

/// What a line comes to whose record another line would change that is refused: of one record all is done or nothing.
pub fn held_by(line: u64, other: u64) -> BadRow {
    BadRow::whole(line, say!("同一记录的第 {other} 行没有被接受", "line {other}, about the same record, is refused"))
}

pub struct Planner<'p> {
    pub client: &'p Client,
    pub schema: &'p Schema,
    pub sheet: &'p Sheet<'p>,
    /// What is given for all lines.
    pub common: &'p BTreeMap<String, String>,
    pub by: &'p By,
    /// Lines that were carried out before are meant once more, if this is another word.
    pub again: &'p str,
}

impl Planner<'_> {
    pub async fn plan(&self, lines: &Lines) -> Result<Vec<Line>, Failure> {
        let whom = if lines.found.is_empty() {
            whom::find(self.client, self.schema, self.sheet, &lines.rows).await?
        } else {
            lines.found.iter().map(|whom| Ok(Some(whom.clone()))).collect()
        };
        let given: Vec<BTreeMap<String, String>> = lines.rows.iter().map(|row| self.arguments(row)).collect();
        let named: Vec<Vec<Named>> = whom.iter().zip(&given).map(|(whom, given)| self.named(whom, given)).collect();
        let texts = named.iter().zip(&given).flat_map(|(named, given)| {
            named.iter().flat_map(|named| named.texts(given).map(|text| (text, &named.value)))
        });
        let meant = Meant::of(self.client, texts).await?;
        let mut seen: BTreeMap<(Option<String>, BTreeMap<String, String>), u64> = BTreeMap::new();
        let mut same: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
        let (mut planned, mut saying) = (Vec::new(), Vec::new());
        for (((row, whom), arguments), named) in lines.rows.iter().zip(whom).zip(given).zip(&named) {
            let mut line = Line { line: row.line, whom: None, says: self.says(row), fate: Fate::Done };
            let (mut said, mut attempt) = (Vec::new(), Attempt { repetition: 1, erased: 0 });
            match self.whole(row, whom, arguments, named, &meant) {
                Err(bad) => line.fate = Fate::Refused(vec![bad]),
                Ok((whom, arguments)) => {
                    let id = whom.as_ref().map(|whom| whom.id.clone());
                    line.whom = whom;
                    match seen.insert((id.clone(), arguments.clone()), row.line) {
                        Some(first) => line.fate = Fate::Refused(vec![twin(row.line, first)]),
                        None => {
                            said = self.said(id.as_deref(), &arguments);
                            let repetition = same.entry(said.clone()).or_default();
                            *repetition += 1;
                            attempt.repetition = *repetition;
                            let command_id = sending::command_id(&said, attempt);
                            let name = &self.sheet.command.name;
                            let request = sending::request(
                                name,
                                id.as_deref().unwrap_or_default(),
                                arguments,
                                command_id,
                                self.by,
                            );
                            line.fate = Fate::Ready(Box::new(request));
                        }
                    }
                }
            }
            planned.push(line);
            saying.push((said, attempt));
        }
        self.try_out(&mut planned, &mut saying).await?;
        hold(&mut planned);
        Ok(planned)
    }

    /// What is given for all lines, and by this one.
    fn arguments(&self, row: &Row) -> BTreeMap<String, String> {
        let own = row.values.iter().filter(|(name, _)| self.sheet.is_argument(name));
        self.common.iter().chain(own).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn named(&self, whom: &Result<Option<Whom>, BadRow>, arguments: &BTreeMap<String, String>) -> Vec<Named> {
        let kind = whom.as_ref().ok().and_then(Option::as_ref).and_then(|whom| self.schema.kind(&whom.kind));
        references(self.schema, self.sheet.command, kind, arguments)
    }

    /// With whole ids.
    fn whole(
        &self,
        row: &Row,
        whom: Result<Option<Whom>, BadRow>,
        mut arguments: BTreeMap<String, String>,
        named: &[Named],
        meant: &Meant,
    ) -> Result<(Option<Whom>, BTreeMap<String, String>), BadRow> {
        let whom = whom?;
        for named in named {
            named.put(&mut arguments, meant).map_err(|failure| self.at(row.line, named.name(), failure))?;
        }
        Ok((whom, arguments))
    }

    fn at(&self, line: u64, column: &str, failure: Failure) -> BadRow {
        match self.sheet.columns.iter().find(|known| known.name == column) {
            Some(column) => BadRow::of(line, column, failure.in_one()),
            None => BadRow::whole(line, failure.in_one()),
        }
    }

    fn is_sealed(&self, name: &str, arguments: &BTreeMap<String, String>) -> bool {
        is_sealed(self.schema, self.sheet.command, name, arguments.get("field").map(String::as_str))
    }

    /// As people read it in the table.
    fn says(&self, row: &Row) -> String {
        let given = self.arguments(row);
        let columns = self.sheet.columns.iter().filter(|column| self.sheet.is_argument(&column.name));
        let said = columns.filter_map(|column| {
            let value = row.values.get(&column.name)?;
            let value = if self.is_sealed(&column.name, &given) { "…" } else { spoken(column, value) };
            Some(format!("{}={value}", column.name))
        });
        said.collect::<Vec<_>>().join(" ")
    }

    /// What a line's command is, in one encoding, of which its id is made: so a file may be given again, also one in which other
    /// lines were put right. What is sealed is left out, as in imports.
    fn said(&self, record: Option<&str>, arguments: &BTreeMap<String, String>) -> Vec<u8> {
        let sealed = |name: &String| Argument {
            name: name.clone(),
            sealed: self.is_sealed(name, arguments),
            ..Argument::default()
        };
        let columns: Vec<Argument> = arguments.keys().map(sealed).collect();
        let mut said = Vec::new();
        for part in ["each", self.again, &self.by.on_behalf, record.unwrap_or_default()] {
            said.extend_from_slice(&(part.len() as u64).to_le_bytes());
            said.extend_from_slice(part.as_bytes());
        }
        said.extend(sending::said(&self.sheet.command.name, &columns, arguments));
        said
    }

    /// Asks the node whether it would take all this. Of a line whose id stands for another one the next is tried.
    async fn try_out(&self, planned: &mut [Line], saying: &mut [(Vec<u8>, Attempt)]) -> Result<(), Failure> {
        let mut progress = Progress::new(say!("已检查", "looked at"));
        let mut waiting: Vec<usize> = (0..planned.len()).filter(|at| planned[*at].is_ready()).collect();
        for attempt in 0..=ATTEMPTS_MAX {
            let trial =
                |at: &usize| planned[*at].request().map(|request| ExecuteRequest { dry_run: true, ..request.clone() });
            let requests: Vec<ExecuteRequest> = waiting.iter().filter_map(trial).collect();
            if requests.is_empty() {
                break;
            }
            let outcomes = sending::give(self.client, requests, &mut progress).await;
            let outcomes = outcomes.inspect_err(|_| progress.end())?;
            for (at, outcome) in std::mem::take(&mut waiting).into_iter().zip(outcomes) {
                let (line, (said, tried)) = (&mut planned[at], &mut saying[at]);
                if is_refused(&outcome, "command_id_reused") && attempt < ATTEMPTS_MAX {
                    tried.repetition += 1;
                    if let Fate::Ready(request) = &mut line.fate {
                        request.command_id = sending::command_id(said, *tried);
                    }
                    waiting.push(at);
                    continue;
                }
                match outcome {
                    Ok(done) if done.repeated => line.fate = Fate::Before,
                    Ok(_) => {}
                    Err(error) if error.reason() == "already_made" => line.fate = Fate::Before,
                    Err(error) => match of_the_node(&error) {
                        Some(failure) => {
                            progress.end();
                            return Err(failure);
                        }
                        None => {
                            line.fate = Fate::Refused(vec![BadRow::refused(&self.sheet.columns, line.line, &error)]);
                        }
                    },
                }
            }
        }
        progress.end();
        Ok(())
    }
}

/// Of one record all is done or nothing.
fn hold(planned: &mut [Line]) {
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    for line in planned.iter().filter(|line| matches!(line.fate, Fate::Refused(_))) {
        if let Some(id) = line.record() {
            refused.entry(id.to_owned()).or_insert(line.line);
        }
    }
    for line in planned.iter_mut().filter(|line| line.is_ready()) {
        if let Some(other) = line.record().and_then(|id| refused.get(id)) {
            line.fate = Fate::Refused(vec![held_by(line.line, *other)]);
        }
    }
}

fn twin(line: u64, first: u64) -> BadRow {
    BadRow::whole(line, say!("与第 {first} 行完全相同", "it says the same as line {first}"))
}

/// A choice as people read it, all else as it was written.
fn spoken<'v>(column: &'v Argument, value: &'v str) -> &'v str {
    match &column.value {
        heliu_client::schema::ValueType::Choice(words) => {
            words.iter().find(|word| word.name == value).map_or(value, |word| crate::text::spoken(&word.label))
        }
        _ => value,
    }
}
