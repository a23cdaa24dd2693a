//! `import regions`: new divisions into the directory, by the node that holds the issuer's key. It only adds; what is there
//! already stays, and what the file says differently of it is refused before anything is proposed.

use std::collections::BTreeMap;

use heliu_client::administration::propose_request::Change;
use heliu_client::records::Seat as Known;
use heliu_record::id::SeatId;
use heliu_record::seats::Seat;
use heliu_trust::id::RealmId;
use serde_json::json;

use crate::answer::{Done, print, print_json};
use crate::cli::ImportRegionsArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::realm::regions;
use crate::registry::propose;
use crate::target;
use crate::text::{Say, say, tr};

pub async fn run(args: &ImportRegionsArgs) -> Result<Done, Failure> {
    let bytes = regions::read(&args.file)?;
    // Seats are compared by their codes.
    let seats = regions::parse(&args.file, &RealmId([0; 16]), &bytes)?;
    let client = target::connect(&args.propose.read.target).await?;
    let known = client.seats().await?;
    let rows = seats.len();
    let new = new_seats(&known, &seats)?;
    let count = new.len();
    if args.dry_run || count == 0 {
        if args.propose.read.json {
            let unchanged = rows - count;
            return print_json(&json!({"rows": rows, "new": count, "unchanged": unchanged, "dry_run": args.dry_run}));
        }
        return print(&told(args, rows, count));
    }
    let done = say!("新增 {count} 个席位", "seats added: {count}");
    propose::propose(&args.propose, Change::SeatsCsv(rows_of(&new, &seats)?), &done).await
}

/// Only what is new goes to the node.
fn rows_of(new: &[&Seat], seats: &[Seat]) -> Result<String, Failure> {
    let code_of: BTreeMap<SeatId, &str> = seats.iter().map(|seat| (seat.id, seat.code.as_str())).collect();
    let failed =
        |error: String| Failure::usage(say!("区划写不成 CSV", "the divisions cannot be written")).because(error);
    let mut rows = csv::Writer::from_writer(Vec::new());
    let mut write = |row: [&str; 3]| rows.write_record(row).map_err(|error| failed(error.to_string()));
    write(["code", "name", "parent_code"])?;
    for seat in new {
        let parent = seat.parent.and_then(|parent| code_of.get(&parent)).copied().unwrap_or_default();
        write([&seat.code, &seat.name, parent])?;
    }
    let bytes = rows.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

/// Those that the directory does not have. All faults are told at once.
fn new_seats<'s>(known: &[Known], seats: &'s [Seat]) -> Result<Vec<&'s Seat>, Failure> {
    let by_code: BTreeMap<&str, &Known> = known.iter().map(|seat| (seat.code.as_str(), seat)).collect();
    let known_by_id: BTreeMap<&str, &Known> = known.iter().map(|seat| (seat.id.as_str(), seat)).collect();
    let code_of: BTreeMap<SeatId, &str> = seats.iter().map(|seat| (seat.id, seat.code.as_str())).collect();
    let (mut faults, mut new) = (Vec::new(), Vec::new());
    for seat in seats {
        match by_code.get(seat.code.as_str()) {
            None if seat.parent.is_none() => {
                let (code, name) = (&seat.code, &seat.name);
                faults.push(say!("{name}({code})不是这个域的县", "{name} ({code}) is not the county of this realm"));
            }
            None => new.push(seat),
            Some(known) => {
                let by_id = |id: &str| known_by_id.get(id).copied();
                if known.name != seat.name {
                    faults.push(differs(known, seat));
                }
                let (was, is) = (by_id(&known.parent), seat.parent.and_then(|parent| code_of.get(&parent).copied()));
                if was.map(|seat| seat.code.as_str()) != is {
                    faults.push(moved(known, was, is));
                }
            }
        }
    }
    if faults.is_empty() {
        return Ok(new);
    }
    let mut failure = Failure::new(
        Exit::Usage,
        "regions",
        say!("区划没有导入,什么也没有写入", "the divisions were not imported; nothing was written"),
    )
    .next(say!(
        "目前只能新增;改名、改隶属还不能办。把这些行改回名录中的样子,新增的行即可导入",
        "for now it only adds: renaming and moving cannot be done yet. Put these lines as the directory has them, and new ones can be imported"
    ));
    failure.why = faults;
    Err(failure)
}

fn differs(known: &Known, seat: &Seat) -> Say {
    let (code, was, is) = (&seat.code, &known.name, &seat.name);
    say!("{code} 在名录中叫“{was}”,文件中叫“{is}”", "{code} is called {was:?} in the directory and {is:?} in the file")
}

/// A division under another superior, or with one where the file has none.
fn moved(known: &Known, was: Option<&Known>, is: Option<&str>) -> Say {
    let (code, name) = (&known.code, &known.name);
    let was = was.map_or_else(|| "-".to_owned(), |seat| format!("{} {}", seat.code, seat.name));
    let is = is.unwrap_or("-");
    say!(
        "{name}({code})在名录中属于 {was},文件中属于 {is}:改隶属还不能办",
        "{name} ({code}) is under {was} in the directory and under {is} in the file: moving it cannot be done yet"
    )
}

fn told(args: &ImportRegionsArgs, rows: usize, new: usize) -> String {
    let unchanged = rows - new;
    let found =
        tr!("共 {rows} 行:新增 {new},已有 {unchanged}。\n", "{rows} rows: {new} new, {unchanged} already there.\n");
    let rest = match (args.dry_run, new) {
        (true, 1..) => tr!(
            "检查通过,未写入。去掉 --dry-run 即导入。\n",
            "All is well; nothing was written. Leave out --dry-run to import.\n"
        ),
        _ => tr!("没有要改的。\n", "Nothing to change.\n"),
    };
    found + &rest
}
