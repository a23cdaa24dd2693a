//! `import regions`: new divisions into the directory, by the node that holds the issuer's key. It only adds; what is there
//! already stays, and what the file says differently of it is refused before anything is proposed.

use std::collections::{BTreeMap, BTreeSet};

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
    let recoded = Recoded::of(known, seats);
    for seat in seats {
        match by_code.get(seat.code.as_str()) {
            None if recoded.was(seat).is_some() => faults.extend(recoded.was(seat).map(|was| recoded_told(was, seat))),
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
        "目前只能新增;改名、改代码、改隶属还不能办。把这些行改回名录中的样子,新增的行即可导入",
        "for now it only adds: renaming, recoding and moving cannot be done yet. Put these lines as the directory has them, and new ones can be imported"
    ));
    failure.why = faults;
    Err(failure)
}

fn differs(known: &Known, seat: &Seat) -> Say {
    let (code, was, is) = (&seat.code, &known.name, &seat.name);
    say!("{code} 在名录中叫“{was}”,文件中叫“{is}”", "{code} is called {was:?} in the directory and {is:?} in the file")
}

/// Seats that the directory has under another code: it has one of the same name under the same superior, or under one that was given
/// another code itself, and the file has that one's code no more. Of a file that lists most of the county, under whatever superior.
struct Recoded<'k> {
    by_code: BTreeMap<String, &'k Known>,
}

impl<'k> Recoded<'k> {
    fn of(known: &'k [Known], seats: &[Seat]) -> Self {
        let codes: BTreeSet<&str> = seats.iter().map(|seat| seat.code.as_str()).collect();
        let known_codes: BTreeSet<&str> = known.iter().map(|seat| seat.code.as_str()).collect();
        let is_most = known_codes.intersection(&codes).count() * 2 > known.len();
        let code_by_id: BTreeMap<&str, &str> =
            known.iter().map(|seat| (seat.id.as_str(), seat.code.as_str())).collect();
        let mut gone: BTreeMap<&str, Vec<&'k Known>> = BTreeMap::new();
        for seat in known.iter().filter(|seat| !codes.contains(seat.code.as_str())) {
            gone.entry(seat.name.as_str()).or_default().push(seat);
        }
        let code_of: BTreeMap<SeatId, &str> = seats.iter().map(|seat| (seat.id, seat.code.as_str())).collect();
        let mut by_code: BTreeMap<String, &'k Known> = BTreeMap::new();
        // Superiors come first.
        for seat in seats.iter().filter(|seat| !known_codes.contains(seat.code.as_str())) {
            let above = seat.parent.and_then(|parent| code_of.get(&parent).copied());
            let was_above = above.map(|code| by_code.get(code).map_or(code, |was| was.code.as_str()));
            let same = |was: &&&Known| code_by_id.get(was.parent.as_str()).copied() == was_above;
            let called_so = gone.get(seat.name.as_str()).map_or(&[][..], Vec::as_slice);
            let was = called_so.iter().find(same).or(called_so.first().filter(|_| is_most));
            by_code.extend(was.map(|was| (seat.code.clone(), *was)));
        }
        Recoded { by_code }
    }

    fn was(&self, seat: &Seat) -> Option<&'k Known> {
        self.by_code.get(&seat.code).copied()
    }
}

fn recoded_told(was: &Known, seat: &Seat) -> Say {
    let (name, old, new) = (&seat.name, &was.code, &seat.code);
    say!(
        "{name}在名录中的代码是 {old}(文件中没有),文件中是 {new}:改代码还不能办",
        "{name} has the code {old} in the directory (which the file has not) and {new} in the file: recoding it cannot be done yet"
    )
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

#[cfg(test)]
mod tests {
    use heliu_node::region;

    use super::*;

    const KNOWN: [(&str, &str, &str); 5] = [
        ("371726000000", "鄄城县", ""),
        ("371726106000", "李进士堂镇", "371726000000"),
        ("371726106201", "李庄村", "371726106000"),
        ("371726107000", "董口镇", "371726000000"),
        ("371726107201", "王庄村", "371726107000"),
    ];

    fn known() -> Vec<Known> {
        let seat = |(code, name, parent): (&str, &str, &str)| Known {
            id: format!("id {code}"),
            code: code.to_owned(),
            name: name.to_owned(),
            parent: if parent.is_empty() { String::new() } else { format!("id {parent}") },
            ..Known::default()
        };
        KNOWN.map(seat).into()
    }

    /// What is new in a file, or what is told of it.
    fn asked(rows: &str) -> Result<Vec<String>, Vec<String>> {
        let file = format!("code,name,parent_code\n{rows}");
        let seats = region::parse(&RealmId([0; 16]), file.as_bytes()).expect("it is a good file");
        match new_seats(&known(), &seats) {
            Ok(new) => Ok(new.into_iter().map(|seat| seat.code.clone()).collect()),
            Err(failure) => Err(failure.why.into_iter().map(|why| why.zh).collect()),
        }
    }

    #[test]
    fn a_division_with_another_code_name_or_superior_is_told_and_never_taken_for_a_new_one_or_for_nothing() {
        let rest = "371726000000,鄄城县,\n371726107000,董口镇,371726000000\n371726107201,王庄村,371726107000\n";
        // Li's township goes into Dong's: its village has another superior, and so another code.
        let moved = asked(&format!("{rest}371726107206,李庄村,371726107000\n")).expect_err("it is there already");
        assert_eq!(moved, ["李庄村在名录中的代码是 371726106201(文件中没有),文件中是 371726107206:改代码还不能办"]);
        // The township has another code, and its village with it.
        let recoded = format!("{rest}371726108000,李进士堂镇,371726000000\n371726108201,李庄村,371726108000\n");
        assert_eq!(asked(&recoded).expect_err("both are there").len(), 2);
        let under = rest.replace("王庄村,371726107000", "王庄村,371726000000");
        assert!(asked(&under).expect_err("it was moved")[0].contains("改隶属还不能办"));
        // A village of a name that there is elsewhere is new, in a file that lists no more than it adds.
        let added = "371726000000,鄄城县,\n371726107000,董口镇,371726000000\n371726107202,李庄村,371726107000\n";
        assert_eq!(asked(added), Ok(vec!["371726107202".to_owned()]));
    }
}
