//! `import KIND FILE`: rows of a CSV file, each given to a node as one command. All rows are checked before the first is sent.
//! A command's id follows from what its row says, so a file that is imported again, or a corrected one of which a part is in
//! already, changes nothing for the rows that are as they were. A row that says something else than before is another row: what
//! it makes may be there twice then, under one name, and that is told. Nothing yet tells a changed row from a namesake's. Of kinds and columns this file knows nothing: they are the node's, see
//! `form`.

mod form;
mod held;
mod namesakes;
mod refer;
pub mod regions;
mod rows;
mod sending;

use std::collections::BTreeMap;
use std::path::Path;

use form::Form;
use heliu_disk::small_file;
use heliu_node::region;
use namesakes::Namesakes;
use refer::{Known, refer};
use rows::{BadRow, Row, Rows};
use sending::{Order, References, Refused, Sent, send};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::ImportArgs;
use crate::command::who;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::complain;
use crate::text::{Say, count, say, tr};
use crate::{explain, realm, target};

/// Of more lines only the number is told.
const LINES_SHOWN: usize = 20;

pub async fn run(args: ImportArgs) -> Result<Done, Failure> {
    // First the file: one that cannot be read needs no node.
    let bytes = args.file.as_deref().map(read).transpose()?;
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    let form = Form::of(&schema, &args.kind)?;
    let (Some(file), Some(bytes)) = (&args.file, bytes) else { return explain::columns(&args.read, &form.columns) };
    let Rows { good: rows, bad } = checked(&form, file, &bytes)?;
    let known = Known::of(&client, &schema, &form, &rows).await?;
    let (references, unknown) = refer(&form, &rows, &known);
    let bad: Vec<BadRow> = bad.into_iter().chain(unknown).collect();
    if !bad.is_empty() {
        return Err(bad_rows(file, bad));
    }
    let total = rows.len();
    let namesakes = Namesakes::of(&client, form.kind, &rows, &references).await?.lines(&rows, &references);
    let sent = if args.dry_run {
        Sent::default()
    } else {
        let reason = if args.asker.reason.is_empty() { said_file(file) } else { args.asker.reason.clone() };
        let orders = orders(&form, rows, references);
        send(&client, &form.command.name, orders, &who(&args.asker), &reason, args.anew).await
    };
    finish(&args, total, &namesakes, &sent)
}

/// One byte more than may be, so that what is too long is seen to be.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    small_file::read(file, rows::FILE_BYTES_MAX as u64 + 1).map_err(|why| Failure::bad_file(file, &why))
}

fn said_file(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn checked(form: &Form<'_>, file: &Path, bytes: &[u8]) -> Result<Rows, Failure> {
    if form.command.name == form::ORGS && region::is_region_file(bytes) {
        let good = rows::orgs_of(bytes).map_err(|error| realm::regions::refused(file, &error))?;
        return Ok(Rows { good, bad: Vec::new() });
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

fn orders(form: &Form<'_>, rows: Vec<Row>, references: Vec<References>) -> Vec<Order> {
    let mut same: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let mut order = |(row, references): (Row, References)| {
        let mut values = row.values;
        values.extend(form.fixed.clone());
        let said = sending::said(&form.command.name, &form.columns, &values);
        let repetition = same.entry(said.clone()).or_default();
        *repetition += 1;
        Order { line: row.line, said, repetition: *repetition, values, references }
    };
    rows.into_iter().zip(references).map(&mut order).collect()
}

fn finish(args: &ImportArgs, total: usize, namesakes: &[u64], sent: &Sent) -> Result<Done, Failure> {
    let doubled = doubled(args.dry_run, namesakes, sent);
    let shape = || -> Value {
        let refused = sent
            .refused
            .as_ref()
            .map(|refused| json!({"line": refused.line, "error": refused.failure.json()["error"]}));
        json!({
            "rows": total, "created": sent.created, "already": sent.already, "dry_run": args.dry_run,
            "differing": sent.differing, "erased": sent.erased, "held": sent.held, "namesakes": doubled,
            "refused": refused,
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
    let told = namesakes_told(args.dry_run, &doubled);
    if args.dry_run {
        let well = tr!(
            "{rows} 行全部合格(节点的规则到导入时才判断),未写入。去掉 --dry-run 即导入。\n",
            "All {rows} rows are right, as far as can be told before the node's rules judge them; nothing was written. Leave out --dry-run to import.\n"
        );
        return print(&(well + &told));
    }
    let told_rows = tr!(
        "共 {rows} 行:导入 {created},早已在 {already}。\n",
        "{rows} rows: {created} imported, {already} already there.\n"
    );
    print(&(told_rows + &told))
}

/// Lines of rows of which the name was there already: those that were imported all the same, or would be unless they are as they
/// were imported before.
fn doubled(dry_run: bool, namesakes: &[u64], sent: &Sent) -> Vec<u64> {
    namesakes.iter().copied().filter(|line| dry_run || sent.created_lines.contains(line)).collect()
}

fn namesakes_told(dry_run: bool, lines: &[u64]) -> String {
    let (number, listed) = (count(lines.len() as u64), listed(lines));
    match (lines.is_empty(), dry_run) {
        (true, _) => String::new(),
        (false, true) => tr!(
            "注意:有 {number} 行,同一处(如同一支部)已有同名的记录(第 {listed} 行)。与上次导入时完全相同的行不会重复;改动过任何一项(密封字段除外)的行会另建一条新记录,不会改写已有的。要更正已有的记录请用 heliu do record.set。\n",
            "note: for {number} rows a record of that name is there already, in the same branch or whatever they name (line {listed}). Rows that are exactly as they were imported before are not imported twice; one that was changed in anything (but a sealed field) makes a second record and changes nothing in the first. To correct a record use heliu do record.set.\n"
        ),
        (false, false) => tr!(
            "注意:新建的记录中有 {number} 条与同一处(如同一支部)已有的记录同名(第 {listed} 行)。若是改动后再次导入的行,现在就有两条:请核对,并用 heliu do record.set 更正原来的一条。\n",
            "note: {number} of the new records have the name of one that was there before, in the same branch or whatever they name (line {listed}). If these are rows that were changed and imported again, there are two of each now: look at them, and correct the first one with heliu do record.set.\n"
        ),
    }
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
        if !sent.differing.is_empty() {
            return Some(failure);
        }
        let mut failure = Failure::new(
            Exit::Refused,
            "rows_erased",
            say!(
                "有些行的记录导入之后已被删除;这些行没有导入",
                "what some rows made was erased since; these rows were not imported"
            ),
        )
        .next(say!(
            "确要重新建立,请加 --anew 再次导入",
            "to make it again all the same, import the file again with --anew"
        ));
        failure.why = left_out(sent);
        failure.why.push(say!(
            "其他行已导入 {created} 行(另有 {already} 行早已在)",
            "{created} other rows are in ({already} were there already)"
        ));
        return Some(failure).filter(|_| !sent.erased.is_empty());
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
    let (differing, held) = (listed(&sent.differing), listed(&sent.held));
    let mut told = Vec::new();
    if !sent.differing.is_empty() {
        told.push(say!("早已导入而内容不同的行:{differing}", "imported before with other contents: line {differing}"));
    }
    if !sent.erased.is_empty() {
        let erased = listed(&sent.erased);
        told.push(say!("记录已被删除的行:{erased}", "of which the record was erased: line {erased}"));
    }
    if !sent.held.is_empty() {
        told.push(say!(
            "因所属的记录在上述行中而没有导入的行:{held}",
            "not imported, since what they belong to is among those: line {held}"
        ));
    }
    told
}

fn listed(lines: &[u64]) -> String {
    let shown: Vec<String> = lines.iter().take(LINES_SHOWN).map(u64::to_string).collect();
    let rest = lines.len().saturating_sub(LINES_SHOWN);
    if rest == 0 { shown.join(", ") } else { format!("{}, … (+{rest})", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::held::Held;
    use super::sending::Reference;
    use super::*;
    use crate::served;

    #[test]
    fn the_same_file_gives_the_same_command_ids_and_two_equal_rows_are_two_commands() {
        let ids = |file: &str| {
            let schema = served::schema();
            let form = Form::of(&schema, "orgs").expect("declared");
            let rows = rows::read(&form, file.as_bytes()).good;
            let none = vec![References::new(); rows.len()];
            orders(&form, rows, none).into_iter().map(|order| (order.said, order.repetition)).collect::<Vec<_>>()
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
    fn a_row_that_was_changed_since_it_was_imported_is_told_to_make_a_second_record() {
        let schema = served::schema();
        let form = Form::of(&schema, "members").expect("declared");
        let ids = |file: &str| {
            let rows = rows::read(&form, file.as_bytes()).good;
            let none = vec![References::new(); rows.len()];
            orders(&form, rows, none).into_iter().map(|order| (order.said, order.repetition)).collect::<Vec<_>>()
        };
        let before = ids("name,branch,joined_on\n甲,b,2001-07-01\n");
        assert_ne!(before, ids("name,branch,joined_on\n甲,b,2002-07-01\n"), "the node takes it for another row");
        let mut held = Held::none(form.kind);
        held.enter(&"ab".repeat(32), "甲", &[], false);
        let rows = rows::read(&form, "name,branch\n甲,b\n乙,b\n甲,c\n".as_bytes()).good;
        let branch = |row: &Row| [("branch".to_owned(), vec![Reference::Known(row.values["branch"].repeat(64))])];
        let references: Vec<References> = rows.iter().map(|row| branch(row).into()).collect();
        let mut there = Namesakes::none(form.kind);
        there.enter(&"b".repeat(64), held);
        let namesakes = there.lines(&rows, &references);
        assert_eq!(doubled(true, &namesakes, &Sent::default()), [2]);
        assert!(namesakes_told(true, &[2]).contains("makes a second record"));
        // Imported again as it was, it is not there twice.
        assert_eq!(doubled(false, &namesakes, &Sent { already: 1, ..Sent::default() }), [0u64; 0]);
        let made = Sent { created: 1, created_lines: vec![2], ..Sent::default() };
        assert!(namesakes_told(false, &doubled(false, &namesakes, &made)).contains("line 2"));
        assert_eq!(namesakes_told(false, &[]), "");
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
