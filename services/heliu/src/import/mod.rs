//! `import members / orgs`: rows of a CSV file, each given to a node as one command. All rows are checked before the
//! first is sent. A command's id follows from what its row says, so a file that is imported again, or a corrected one of
//! which a part is in already, changes nothing for the rows that are.

mod orgs;
pub mod regions;
mod rows;
mod sending;

use heliu_catalogue::catalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use heliu_client::Client;
use heliu_disk::small_file;
use heliu_record::kind::ValueType;

use serde_json::{Value, json};

use crate::cli::ImportArgs;
use crate::failure::{Exit, Failure};
use crate::order::who;
use crate::out::{Done, complain, print, print_json};
use crate::text::{Say, count, say, tr};
use crate::{realm, target};
use orgs::Orgs;
use rows::{BadRow, Form, Row, Rows};
use sending::{Order, Refused, Sent, send};

/// What can be imported: the command of each row, and the kind that it makes.
#[derive(Clone, Copy)]
pub struct What {
    command: &'static str,
    kind: &'static str,
}

pub const MEMBERS: What = What { command: "member.register", kind: "member" };
pub const ORGS: What = What { command: "org.create", kind: "org" };

/// Of more lines only the number is told.
const LINES_SHOWN: usize = 20;

type References = BTreeMap<&'static str, Reference>;

impl What {
    fn form(self) -> Result<Form, Failure> {
        let (Some(command), Some(kind)) = (catalogue().command(self.command), catalogue().kind(self.kind)) else {
            let name = self.command;
            return Err(Failure::new(
                Exit::Failed,
                "declaration",
                say!("本版本没有 {name}", "this version has no {name}"),
            ));
        };
        Ok(Form { command, kind })
    }
}

/// An argument that names a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    Known(String),
    /// The record that an earlier row makes, by its place among the rows.
    Row(usize),
}

pub async fn run(what: What, args: ImportArgs) -> Result<Done, Failure> {
    let form = what.form()?;
    let bytes = read(&args.file)?;
    let Rows { good: rows, bad } = checked(&form, &args.file, &bytes)?;
    let told = |bad: Vec<BadRow>| bad_rows(&args.file, bad);
    let asked = async {
        let client = target::connect(&args.read.target).await?;
        let known = Known { orgs: Orgs::of(&client).await?, seats: seats_of(&client).await? };
        Ok::<_, Failure>((client, known))
    };
    // What is wrong with the file can be said without a node, and is the first thing to put right.
    let (client, known) = match asked.await {
        Err(_) if !bad.is_empty() => return Err(told(bad)),
        found => found?,
    };
    let (references, unknown) = refer(&form, &rows, &known);
    let bad: Vec<BadRow> = bad.into_iter().chain(unknown).collect();
    if !bad.is_empty() {
        return Err(told(bad));
    }
    let total = rows.len();
    let sent = if args.dry_run {
        Sent::default()
    } else {
        let reason = if args.asker.reason.is_empty() { said_file(&args.file) } else { args.asker.reason.clone() };
        let orders = orders(&form, rows, references);
        send(&client, form.command.name, orders, &who(&args.asker), &reason).await
    };
    finish(&args, total, &sent)
}

/// One byte more than may be, so that what is too long is seen to be.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    small_file::read(file, rows::FILE_BYTES_MAX as u64 + 1).map_err(|why| Failure::bad_file(file, &why))
}

/// What a node knows that rows may name.
#[derive(Debug, Default)]
struct Known {
    orgs: Orgs,
    /// By region code and by id.
    seats: BTreeSet<String>,
}

async fn seats_of(client: &Client) -> Result<BTreeSet<String>, Failure> {
    Ok(client.seats().await?.into_iter().flat_map(|seat| [seat.code, seat.id]).collect())
}

fn said_file(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn checked(form: &Form, file: &Path, bytes: &[u8]) -> Result<Rows, Failure> {
    if form.command.name == ORGS.command && rows::is_regions(bytes) {
        // Told in both languages where regions are read.
        realm::regions::parse(file, &heliu_trust::id::RealmId([0; 16]), bytes)?;
        if let Ok(good) = rows::orgs_of(bytes) {
            return Ok(Rows { good, bad: Vec::new() });
        }
    }
    Ok(rows::read(form, bytes))
}

fn bad_rows(file: &Path, mut bad: Vec<BadRow>) -> Failure {
    bad.sort_by_key(|row| row.line);
    let (file, rows) = (file.display(), bad.len());
    let mut failure = Failure::new(
        Exit::Usage,
        "bad_rows",
        say!("{file} 有 {rows} 处不对,什么也没有导入", "{rows} fault(s) in {file}; nothing was imported"),
    )
    .next(say!("改正这些行后重新运行;可先加 --dry-run", "correct these lines and run it again; --dry-run only checks"));
    failure.why = bad.iter().map(BadRow::told).collect();
    failure
}

/// What each row's references stand for, and the rows that name what there is not, or what could be several. A row may
/// name an organisation that an earlier one makes, by name or seat.
fn refer(form: &Form, rows: &[Row], known: &Known) -> (Vec<References>, Vec<BadRow>) {
    let makes_orgs = form.command.name == ORGS.command;
    let arguments = |wanted: fn(ValueType) -> bool| -> Vec<&'static str> {
        form.command.arguments.iter().filter(|argument| wanted(argument.value)).map(|argument| argument.name).collect()
    };
    let of_records = arguments(|value| matches!(value, ValueType::Record(_)));
    let of_seats = arguments(|value| matches!(value, ValueType::Seat));
    let (mut all, mut bad) = (Vec::new(), Vec::new());
    let mut made: BTreeMap<&str, Vec<(usize, &Row)>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        let mut references = BTreeMap::new();
        for text in of_seats.iter().filter_map(|name| row.values.get(name)).filter(|text| !known.seats.contains(*text))
        {
            let reason = say!("名录中没有席位 {text}", "the node's directory has no seat {text}");
            bad.push(BadRow { line: row.line, reason });
        }
        for name in &of_records {
            let Some(text) = row.values.get(name) else { continue };
            if let Some(parent) = row.parent {
                references.insert(*name, Reference::Row(parent));
                continue;
            }
            let earlier: Vec<(usize, &Row)> = made.get(text.as_str()).cloned().unwrap_or_default();
            match one_of(&known.orgs, text, &earlier) {
                Ok(reference) => {
                    references.insert(*name, reference);
                }
                Err(reason) => bad.push(BadRow { line: row.line, reason }),
            }
        }
        all.push(references);
        for name in ["name", "seat"].iter().filter(|_| makes_orgs) {
            if let Some(text) = row.values.get(name) {
                made.entry(text).or_default().push((place, row));
            }
        }
    }
    (all, bad)
}

/// The one organisation that a text means, among earlier rows and what the node holds.
fn one_of(orgs: &Orgs, text: &str, earlier: &[(usize, &Row)]) -> Result<Reference, Say> {
    let mut held = orgs.meant(text);
    // What an earlier row makes is there already when the file is imported again.
    held.retain(|id| {
        let made_by = |row: &Row| {
            let value = |name| row.values.get(name).map(String::as_str);
            value("name").is_some_and(|name| orgs.is(id, name, value("seat")))
        };
        !earlier.iter().any(|(_, row)| made_by(row))
    });
    match (earlier, held.as_slice()) {
        ([], _) => orgs.find(text).map(|id| Reference::Known(id.to_owned())),
        ([(place, _)], []) => Ok(Reference::Row(*place)),
        (rows, held) => {
            let lines = rows.iter().map(|(_, row)| row.line.to_string()).collect::<Vec<_>>().join(", ");
            let held: String = held.iter().map(|id| format!(", {}", orgs.shown(id))).collect();
            Err(say!(
                "“{text}”可指不止一个组织(第 {lines} 行{held}):请用不同的名称,或写编号",
                "{text:?} could be more than one organisation (line {lines}{held}): give them different names, or give an id"
            ))
        }
    }
}

fn orders(form: &Form, rows: Vec<Row>, references: Vec<References>) -> Vec<Order> {
    let mut same: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let mut order = |(row, references): (Row, References)| {
        let said = sending::said(form.command, &row.values);
        let repetition = same.entry(said.clone()).or_default();
        *repetition += 1;
        Order { line: row.line, id: sending::command_id(&said, *repetition), values: row.values, references }
    };
    rows.into_iter().zip(references).map(&mut order).collect()
}

fn finish(args: &ImportArgs, total: usize, sent: &Sent) -> Result<Done, Failure> {
    let shape = || -> Value {
        let refused = sent
            .refused
            .as_ref()
            .map(|refused| json!({"line": refused.line, "error": refused.failure.json()["error"]}));
        json!({
            "rows": total, "created": sent.created, "already": sent.already, "dry_run": args.dry_run,
            "differing": sent.differing, "held": sent.held, "refused": refused,
        })
    };
    if args.read.json {
        print_json(&shape())?;
    }
    let (rows, created, already) = (count(total as u64), count(sent.created), count(sent.already));
    if let Some(failure) = stopped(sent, &created, &already) {
        if args.read.json {
            complain(&failure.told());
            return Ok(Done::Told(failure.exit));
        }
        return Err(failure);
    }
    if args.read.json {
        return Ok(Done::Well);
    }
    if args.dry_run {
        return print(&tr!(
            "{rows} 行全部合格(节点的规则到导入时才判断),未写入。去掉 --dry-run 即导入。\n",
            "All {rows} rows are right, as far as can be told before the node's rules judge them; nothing was written. Leave out --dry-run to import.\n"
        ));
    }
    print(&tr!(
        "共 {rows} 行:导入 {created},早已在 {already}。\n",
        "{rows} rows: {created} imported, {already} already there.\n"
    ))
}

/// What kept it from importing all rows, as part of what became of the whole file: what a node says of one command is not
/// said of the others.
fn stopped(sent: &Sent, created: &str, already: &str) -> Option<Failure> {
    let Some(Refused { line, failure: cause }) = &sent.refused else {
        let failure = Failure::new(
            Exit::Refused,
            "rows_differ",
            say!(
                "有些行早已导入,而现在写的不同;已有的记录没有改动",
                "some rows were imported before and say something else now; their records were left as they are"
            ),
        );
        let mut failure = failure.next(say!(
            "导入只新增、不改写:请在记录上更正(heliu do record.set 记录编号 field=… value=…)",
            "importing only adds: correct the records themselves (heliu do record.set RECORD field=… value=…)"
        ));
        failure.why = left_out(sent);
        failure.why.push(say!(
            "其他行已导入 {created} 行(另有 {already} 行早已在)",
            "{created} other rows are in ({already} were there already)"
        ));
        return Some(failure).filter(|_| !sent.differing.is_empty());
    };
    let what = say!("第 {line} 行没有导入,到此停止", "line {line} was not imported, and the import ended there");
    let mut failure =
        Failure { what, next: cause.next.clone(), ..Failure::new(cause.exit, &cause.code, Say::default()) };
    failure.why.push(cause.what.clone());
    failure.why.extend(cause.why.iter().cloned());
    failure.why.push(say!(
        "这是第 {line} 行;其他行已导入 {created} 行(另有 {already} 行早已在)",
        "this is line {line}; {created} other rows are in ({already} were there already)"
    ));
    failure.why.extend(left_out(sent));
    failure.why.push(say!(
        "处理后再次运行同一文件(或改正后的文件):已导入的行不会重复",
        "then run the file again, as it is or corrected: rows that are in are not imported twice"
    ));
    Some(failure)
}

/// Rows that are in with other contents, and those that belong to what these made.
fn left_out(sent: &Sent) -> Vec<Say> {
    let listed = |lines: &[u64]| {
        let shown: Vec<String> = lines.iter().take(LINES_SHOWN).map(u64::to_string).collect();
        let rest = lines.len().saturating_sub(LINES_SHOWN);
        if rest == 0 { shown.join(", ") } else { format!("{}, … (+{rest})", shown.join(", ")) }
    };
    let (differing, held) = (listed(&sent.differing), listed(&sent.held));
    let mut told = Vec::new();
    if !sent.differing.is_empty() {
        told.push(say!("早已导入而内容不同的行:{differing}", "imported before with other contents: line {differing}"));
    }
    if !sent.held.is_empty() {
        told.push(say!(
            "因所属的组织在上述行中而没有导入的行:{held}",
            "not imported, since what they belong to is among those: line {held}"
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org_form() -> Form {
        Form {
            command: catalogue().command(ORGS.command).expect("declared"),
            kind: catalogue().kind(ORGS.kind).expect("declared"),
        }
    }

    #[test]
    fn a_row_may_name_what_an_earlier_row_makes_and_nothing_later() {
        let file = "name,seat,parent_org\n县委,371726000000,\n镇党委,371726101000,县委\n村支部,,371726101000\n孤支部,,后来的\n后来的,,\n";
        let rows = rows::read(&org_form(), file.as_bytes()).good;
        let seats = ["371726000000", "371726101000"].map(str::to_owned).into();
        let known = Known { seats, ..Known::default() };
        let (_, bad) = refer(&org_form(), &rows, &known);
        assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [5]);
        let (references, _) = refer(&org_form(), &rows[..3], &known);
        assert_eq!(references[1]["parent_org"], Reference::Row(0));
        assert_eq!(references[2]["parent_org"], Reference::Row(1));
    }

    #[test]
    fn a_seat_that_the_directory_lacks_and_a_parent_that_could_be_two_are_bad_rows() {
        let file = "name,seat,parent_org\n机关支部,371726101000,\n".to_owned()
            + "机关支部,371726102000,\n甲小组,,机关支部\n乙支部,371726999000,\n县委,371726101000,\n丙支部,,县委\n";
        let rows = rows::read(&org_form(), file.as_bytes()).good;
        let mut known = Known::default();
        known.seats.extend(["371726101000", "371726102000"].map(str::to_owned));
        known.orgs.enter(&"ab".repeat(32), "县委", &["371726000000"], false);
        let (_, bad) = refer(&org_form(), &rows, &known);
        let told: Vec<(u64, &str)> = bad.iter().map(|row| (row.line, row.reason.en.as_str())).collect();
        assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 5, 7], "{told:?}");
        assert!(told[0].1.contains("(line 2, 3)") && told[1].1.contains("no seat 371726999000"), "{told:?}");
        // The same file again: what its row made is there.
        known.orgs.enter(&"cd".repeat(32), "丁镇党委", &["371726101000"], false);
        let again = "name,seat,parent_org\n丁镇党委,371726101000,\n戊支部,,丁镇党委\n";
        let (references, bad) = refer(&org_form(), &rows::read(&org_form(), again.as_bytes()).good, &known);
        assert!(bad.is_empty() && references[1]["parent_org"] == Reference::Row(0), "{bad:?}");
        assert!(told[2].1.contains("(line 6, abababab 县委)"), "{told:?}");
    }

    #[test]
    fn the_same_file_gives_the_same_command_ids_and_two_equal_rows_are_two_commands() {
        let ids = |file: &str| {
            let rows = rows::read(&org_form(), file.as_bytes()).good;
            let none = vec![BTreeMap::new(); rows.len()];
            orders(&org_form(), rows, none).into_iter().map(|order| order.id).collect::<Vec<_>>()
        };
        let first = ids("name,level\n甲,branch\n甲,branch\n乙,group\n");
        assert_eq!(first, ids("name,level\n甲,branch\n甲,branch\n乙,group\n"));
        assert!(first[0] != first[1] && first[1] != first[2]);
        // Corrected in one row, with a column more: the others keep their ids.
        assert_eq!(first[..2], ids("level,name,org_kind\nbranch,甲,\nbranch,甲,\ngroup,丙,\n")[..2]);
    }

    #[test]
    fn what_a_node_says_of_one_row_is_not_said_of_the_whole_file() {
        let cause = Failure::new(
            Exit::Store,
            "store_quota",
            say!("此命令没有写入任何内容", "Nothing was written by this command."),
        )
        .next(say!("调大配额", "raise the quota"));
        let refused = Some(Refused { line: 643, failure: cause });
        let sent = Sent { created: 642, refused, ..Sent::default() };
        let failure = stopped(&sent, "642", "0").expect("it ended early");
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Store, "store_quota"));
        assert!(failure.what.en.contains("line 643") && !failure.what.en.contains("Nothing"), "{failure:?}");
        assert!(failure.why.iter().any(|why| why.en.contains("642 other rows are in")), "{failure:?}");
        assert_eq!(failure.next.as_deref().map(|next| next.en.as_str()), Some("raise the quota"));
    }

    #[test]
    fn rows_that_say_something_else_than_before_are_told_with_their_lines() {
        let sent = Sent { created: 3, differing: vec![2, 7], held: vec![9], ..Sent::default() };
        let failure = stopped(&sent, "3", "0").expect("not all of it is in");
        let why: Vec<&str> = failure.why.iter().map(|why| why.en.as_str()).collect();
        assert!(why[0].ends_with("line 2, 7") && why[1].ends_with("line 9"), "{why:?}");
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(stopped(&Sent { created: 3, ..Sent::default() }, "3", "0"), None);
    }
}
