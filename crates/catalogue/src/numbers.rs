//! 编号簿: the numbers that a seat has given to its papers in a year, one record for each sort of paper. A number is given once; it is
//! the clerk's own, or the next one of the node that gives it.
//! DOUBLE_NUMBER: two nodes of the seat, neither knowing of the other, each gave one number.

use std::collections::BTreeMap;

use heliu_record::change::Container;
use heliu_record::command::WriteValue;
use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use crate::words::{MEMBER, NUMBER_BOOK};

/// The sorts of paper that are numbered, each by itself.
pub const LETTER: Word = word("letter", "介绍信", "letter");
pub const RECEIPT: Word = word("receipt", "回执", "receipt");
const SORTS: ValueType = ValueType::Choice(&[LETTER, RECEIPT]);

/// Which both of two nodes that begin it apart write alike.
static NAME: FieldOf<String> =
    lww("name", text(40), "年度", "year").help("编号所属年度", "the year of the numbers").required();
static SORT: FieldOf<String> =
    lww("sort", SORTS, "文书", "paper").help("何种文书的编号", "which papers they are of").required().listed();
static NUMBERS: EntriesOf = entries(GIVEN, parts![NUMBER, HOLDER, PLACE, GIVEN_ON], DATE, OWNER, "编号", "numbers")
    .help("每一份文书的编号", "the number of each paper")
    .called(word("number", "编号", "number"), "member.transfer.issue")
    .told_by(parts![NUMBER]);
const GIVEN: &str = "numbers";
static NUMBER: PartOf<String> = part(GIVEN, "number", number(60), OWNER, "编号", "number").has_own_rule();
static HOLDER: PartOf<RecordId> = part(GIVEN, "holder", record(MEMBER), OWNER, "党员", "member");
/// Where the number stands in the holder's record.
static PLACE: PartOf<String> = part(GIVEN, "place", text(120), OWNER, "所在", "place");
static GIVEN_ON: PartOf<String> = part(GIVEN, "given_on", PAST, OWNER, "编号日期", "given on");

static KIND: Kind = Kind::scoped(
    NUMBER_BOOK,
    1,
    "一个席位一年内给介绍信、回执编的号,每号一次",
    "the numbers that a seat gives to its papers in a year, each once",
)
.keyed("member.transfer.issue")
.with(fields![NAME, SORT, NUMBERS]);
pub static SECTION: Section =
    section(&[&KIND], &[], &[RULE], &[SETTLER], &[&NUMBER_TAKEN, &NUMBERS_USED_UP]).hard_rules(&[once_each]);

/// Every node has so many numbers in a year that it may give by itself.
const EACH: u32 = 9_999;

static NUMBER_TAKEN: Message = message("number_taken")
    .what("{1}编号“{0}”已经用过。", "The {1} number {0:?} has been used.")
    .why("{3}已编给“{2}”;同一席位一年内一号一用。", "It was given to {2} on {3}; a seat gives a number once in a year.")
    .next("请另写一个编号,或不写,由系统编下一号。", "Give another number, or none: then it is the next one.");
static NUMBERS_USED_UP: Message = message("numbers_used_up")
    .what("本节点今年自动编的{0}号已用完。", "This node has given all of its {0} numbers of the year.")
    .why("每个节点一年自动编 {1} 个号。", "A node gives {1} numbers by itself in a year.")
    .next("请按本单位的编法写明编号。", "Give the number by hand, as your office numbers its papers.");

/// Whose numbers, of which papers, in which year.
pub struct Book {
    issuer: SeatId,
    sort: Word,
    year: String,
}

/// What is to have a number: a part of an entry of a record.
pub struct Paper<'p> {
    pub holder: RecordId,
    pub entry: &'p str,
    pub part: &'p Part,
}

impl Book {
    /// Of the papers that a seat issues on a day.
    #[must_use]
    pub fn of(issuer: SeatId, sort: Word, day: &str) -> Self {
        Book { issuer, sort, year: day.get(..4).unwrap_or_default().to_owned() }
    }

    /// Everybody can tell its id, so two nodes that begin it apart begin one.
    fn preimage(&self) -> Preimage {
        let key = format!("{}/{}", self.sort.name, self.year).into_bytes();
        Preimage { kind: NUMBER_BOOK.name.to_owned(), birth: self.issuer, key }
    }

    /// Gives a paper this number, or the next one, and writes it in both places.
    pub fn number(&self, planner: &mut Planner<'_>, paper: &Paper<'_>, given: Option<&str>) -> Result<(), Refusal> {
        let taken = self.taken(planner, paper.entry);
        let spelled = given.map(|given| NUMBER.part.value.spelled(given).into_owned());
        let text = match spelled {
            Some(text) => match taken.get(&key(&text)) {
                Some((holder, day)) => {
                    let holder =
                        holder.map_or_else(|| NUMBER_BOOK.label.into(), |holder| title(holder, planner.world()));
                    return Err(NUMBER_TAKEN.about(&[text.into(), self.sort.label.into(), holder, (&**day).into()]));
                }
                None => text,
            },
            None => self
                .next(planner.place(), &taken)
                .ok_or_else(|| NUMBERS_USED_UP.about(&[self.sort.label.into(), EACH.to_string().into()]))?,
        };
        let book = planner.beside(&KIND, self.preimage());
        if planner.whole().record(book).is_none() {
            planner.set(book, &NAME, &*self.year);
            planner.set(book, &SORT, self.sort.name);
        }
        let place = paper.part.key(paper.entry);
        planner.put(paper.holder, Container::Slot, &*place, Scalar::Text(text.clone()));
        let today = planner.today();
        let parts = [NUMBER.with(text), HOLDER.with(paper.holder), PLACE.with(place), GIVEN_ON.with(today)];
        planner.put_parts(book, paper.entry, parts);
        Ok(())
    }

    /// The numbers of all papers but this one, by how they are compared: who has each, and since when.
    fn taken(&self, planner: &Planner<'_>, but: &str) -> BTreeMap<String, (Option<RecordId>, String)> {
        let id = self.preimage().id();
        let mut taken = BTreeMap::new();
        let book = planner.whole().record(id);
        for at in book.map_or_else(Vec::new, |book| NUMBERS.read(&book.history)).iter().filter(|at| at.name != but) {
            let numbers = at.visible(&NUMBER).iter().filter_map(|put| put.value.as_text());
            let who = (at.get(&HOLDER), at.get(&GIVEN_ON).unwrap_or_default());
            taken.extend(numbers.map(|number| (key(number), who.clone())));
        }
        // Settling may number several papers at once.
        let puts = planner.writes().iter().filter(|write| write.record == id).flat_map(|write| &write.writes);
        for put in puts.filter(|put| is_number(&put.key, but)) {
            if let WriteValue::Value(Scalar::Text(text)) = &put.value {
                taken.insert(key(text), (None, planner.today().to_owned()));
            }
        }
        taken
    }

    /// The next number of a node. Each counts by itself: 2026-0017 at the first of a seat, 2026-10017 at the second. So nodes that do not
    /// hear of each other never give one number.
    fn next<T>(&self, place: u32, taken: &BTreeMap<String, T>) -> Option<String> {
        let own = if place == 0 { format!("{}-", self.year) } else { format!("{}-{place}", self.year) };
        let counted = |key: &String| Some(key.strip_prefix(&*own)?).filter(|rest| rest.len() == 4)?.parse::<u32>().ok();
        let last = taken.keys().filter_map(counted).max().unwrap_or_default();
        let text = |n: u32| format!("{own}{n:04}");
        let free = |n: &u32| !taken.contains_key(&text(*n));
        (last + 1..=EACH).next().or_else(|| (1..=EACH).find(free)).map(text)
    }
}

/// By whom a paper was issued: the seat in whose name a part of its entry was written.
#[must_use]
pub fn issuer<T>(at: &Entry<'_>, part: &PartOf<T>, world: &dyn World) -> Option<SeatId> {
    let op = at.ops(part).last()?;
    let change = at.history.change_of(op)?;
    change.note.on_behalf.or_else(|| world.seat_of(op.actor))
}

/// Whether a plan enters in a number book what it writes under a key of a record.
#[must_use]
pub fn is_entered(planner: &Planner<'_>, holder: RecordId, place: &str) -> bool {
    let is_it = |put: &heliu_record::command::Write| {
        let WriteValue::Value(Scalar::Text(text)) = &put.value else { return false };
        put.key.ends_with("/place") && put.key.starts_with(GIVEN) && text == place
    };
    planner.writes().iter().filter(|write| write.record != holder).any(|write| write.writes.iter().any(is_it))
}

/// How numbers are compared.
fn key(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// Whether a key is that of the number of another paper.
fn is_number(path: &str, but: &str) -> bool {
    NUMBERS.entry_at(path).is_some_and(|entry| entry != but) && path.ends_with("/number")
}

/// The papers of each number that more than one has.
fn doubles(record: &Record) -> BTreeMap<String, Vec<(Entry<'_>, Vec<OpId>)>> {
    let mut by_number: BTreeMap<String, Vec<(Entry<'_>, Vec<OpId>)>> = BTreeMap::new();
    for at in NUMBERS.read(&record.history) {
        let mut own: BTreeMap<String, Vec<OpId>> = BTreeMap::new();
        for put in at.visible(&NUMBER) {
            if let Some(number) = put.value.as_text() {
                own.entry(key(number)).or_default().push(put.id);
            }
        }
        own.into_iter().for_each(|(number, ops)| by_number.entry(number).or_default().push((at.clone(), ops)));
    }
    by_number.retain(|_, papers| papers.len() > 1);
    by_number
}

/// Whatever writes it: nobody gives a number here that has been given.
fn once_each(planner: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let after = planned.after()?;
    let twice = doubles(after);
    if twice.is_empty() {
        return Ok(());
    }
    let before: Vec<String> = planned.before.map_or_else(Vec::new, |record| doubles(record).into_keys().collect());
    let Some((number, papers)) = twice.into_iter().find(|(number, _)| !before.contains(number)) else { return Ok(()) };
    let other = papers.first().map(|(at, _)| at);
    let holder = other.and_then(|at| at.get(&HOLDER));
    let day = other.and_then(|at| at.get(&GIVEN_ON)).unwrap_or_default();
    Err(NUMBER_TAKEN.about(&[number.into(), sort_of(after), title(holder, planner.world()), day.into()]))
}

fn sort_of(book: &Record) -> Explanation {
    let sort = SORT.read(&book.history).unwrap_or_default();
    [LETTER, RECEIPT].iter().find(|word| word.name == sort).unwrap_or(&NUMBER_BOOK).label.into()
}

const DOUBLE: Word = word("DOUBLE_NUMBER", "编号重复", "one number twice");
const RULE: Rule = rule(NUMBER_BOOK, &[DOUBLE], find).help(
    "同一席位的两个节点互不知情地给了同一编号;选定保留原号的一份,其余另编",
    "two nodes of a seat gave one number apart; one paper keeps it, the others get new ones",
);
const SETTLER: Settler = settler(DOUBLE.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let finding = |(number, papers): (String, Vec<(Entry<'w>, Vec<OpId>)>)| {
        let holders: Vec<RecordId> = papers.iter().filter_map(|(at, _)| at.get(&HOLDER)).collect();
        let values = papers.iter().flat_map(|(at, ops)| {
            let holder = at.get(&HOLDER).map_or(Json::Null, |holder| holder.to_string().into());
            ConflictValue::each(record, ops, holder, world).collect::<Vec<_>>()
        });
        let issuer = world.seats().name(record.preimage.birth);
        Finding::hard(&DOUBLE, record, NUMBERS.field.name)
            .between(values)
            .meanwhile(&*number)
            .settled_above(None, world)
            .naming(holders)
            .says(
                "“{0}”的{1}编号 {2} 给了 {3} 份文书。请选定保留原号的一份,其余另编新号。",
                "{0} gave the {1} number {2} to {3} papers. Choose the one that keeps it; the others get new numbers.",
                &[issuer.into(), sort_of(record), (&*number).into(), papers.len().to_string().into()],
            )
    };
    doubles(record).into_iter().map(finding).collect()
}

/// The chosen paper keeps the number; the others get the next ones, unless they are no longer here to be numbered: then both papers are
/// out with one number, and that it was seen is all that can be said.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let book = planner.load(conflict.subject)?;
    let day = NAME.read(&book.history).unwrap_or_default();
    let sort = SORT.read(&book.history).unwrap_or_default();
    let sort = if sort == RECEIPT.name { RECEIPT } else { LETTER };
    let of = Book::of(book.preimage.birth, sort, &day);
    let entry = |value: &ConflictValue| {
        let put = value.written(book)?;
        NUMBERS.find(&book.history, NUMBERS.entry_at(&put.key)?)
    };
    let kept = entry(chosen).map(|at| at.name);
    for at in conflict.values.iter().filter_map(entry).filter(|at| Some(at.name) != kept) {
        let Some((holder, place)) = at.get(&HOLDER).zip(at.get(&PLACE)) else { continue };
        let record = planner.world().record(holder);
        let part = record.and_then(|record| open_part(planner, record, &place));
        if let Some(part) = part {
            of.number(planner, &Paper { holder, entry: at.name, part }, None)?;
        }
    }
    Ok(())
}

/// The part of a record in which a number stands, if that can still be written from here.
fn open_part(planner: &Planner<'_>, record: &Record, place: &str) -> Option<&'static Part> {
    let mut path = place.split('/');
    let (field, entry, part) = (path.next()?, path.next()?, path.next()?);
    let field = record.kind()?.field(field)?;
    let part = field.part(part)?;
    let at = heliu_record::entry::Entry::find(&record.history, field.name, entry)?;
    let seats = planner.world().seats();
    let is_ours = record.view.owners.iter().all(|owner| seats.is_at_or_above(planner.seat(), *owner));
    (is_ours && !part.closed_by.iter().any(|closing| at.says(closing))).then_some(part)
}
