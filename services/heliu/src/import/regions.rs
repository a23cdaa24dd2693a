//! `import regions`: new divisions into the directory of a realm whose issuer's key is here. It only adds; what is there
//! already stays, and what the file says differently of it is refused.

use std::path::{Path, PathBuf};

use heliu_record::seats::Seat;
use heliu_trust::directory::Item;
use serde_json::json;

use crate::cli::ImportRegionsArgs;
use crate::failure::{Exit, Failure};
use crate::out::{Done, print, print_json};
use crate::realm::description::{DIRECTORY, Realm};
use crate::realm::make::{enter, refused};
use crate::realm::{NODES, directory_file, regions, replace};
use crate::text::{Say, say, tr};

pub fn run(args: &ImportRegionsArgs) -> Result<Done, Failure> {
    let mut realm = Realm::open(&args.dir)?;
    let seats = regions::parse(&args.file, &realm.id(), &regions::read(&args.file)?)?;
    let rows = seats.len();
    let new = new_seats(&realm, seats)?;
    let count = new.len();
    let mut written = Vec::new();
    if !args.dry_run && !new.is_empty() {
        enter(&mut realm, new.into_iter().map(Item::Seat).collect()).map_err(|error| refused(&error))?;
        let bytes = directory_file::encode(&realm.directory);
        // The realm's own first: from it the others can be written again.
        for file in files(&args.dir)? {
            replace(&file, &bytes)?;
            written.push(file);
        }
    }
    if args.json {
        return print_json(&json!({
            "rows": rows, "new": count, "unchanged": rows - count, "dry_run": args.dry_run,
            "directory": {"len": realm.directory.len(), "head": realm.directory.head().to_string()},
        }));
    }
    print(&told(args, rows, count, &written))
}

/// Those that the directory does not have. All faults are told at once.
fn new_seats(realm: &Realm, seats: Vec<Seat>) -> Result<Vec<Seat>, Failure> {
    let tree = realm.directory.seats();
    let mut faults = Vec::new();
    let mut new = Vec::new();
    for seat in seats {
        match tree.get(seat.id) {
            None if seat.parent.is_none() => {
                let (code, name) = (&seat.code, &seat.name);
                faults.push(say!("{name}({code})不是这个域的县", "{name} ({code}) is not the county of this realm"));
            }
            None => new.push(seat),
            Some(known) if *known == seat => {}
            Some(known) => faults.push(differs(known, &seat)),
        }
    }
    if faults.is_empty() {
        return Ok(new);
    }
    let mut failure = Failure::new(
        Exit::Failed,
        "regions",
        say!("区划没有导入,什么也没有写入", "the divisions were not imported; nothing was written"),
    )
    .next(say!(
        "目前只能新增;改名、改隶属在后续版本提供",
        "for now it only adds; renaming and moving come with a later version"
    ));
    failure.why = faults;
    Err(failure)
}

fn differs(known: &Seat, seat: &Seat) -> Say {
    let (code, was, is) = (&seat.code, &known.name, &seat.name);
    if was == is {
        return say!("{code}({is})在目录中另有上级", "{code} ({is}) has another parent in the directory");
    }
    say!("{code} 在目录中叫“{was}”,文件中叫“{is}”", "{code} is called {was:?} in the directory and {is:?} in the file")
}

/// The directory of the realm, and those of its nodes that are here.
fn files(realm: &Path) -> Result<Vec<PathBuf>, Failure> {
    let nodes = realm.join(NODES);
    let mut files = vec![realm.join(DIRECTORY)];
    for entry in std::fs::read_dir(&nodes).map_err(|error| Failure::file(&nodes, &error))? {
        let entry = entry.map_err(|error| Failure::file(&nodes, &error))?;
        let file = entry.path().join(DIRECTORY);
        if file.exists() {
            files.push(file);
        }
    }
    Ok(files)
}

fn told(args: &ImportRegionsArgs, rows: usize, new: usize, written: &[PathBuf]) -> String {
    let unchanged = rows - new;
    let found =
        tr!("共 {rows} 行:新增 {new},已有 {unchanged}。\n", "{rows} rows: {new} new, {unchanged} already there.\n");
    match (args.dry_run, new) {
        (_, 0) => found + &tr!("没有要改的。\n", "Nothing to change.\n"),
        (true, _) => {
            found
                + &tr!(
                    "检查通过,未写入。去掉 --dry-run 即导入。\n",
                    "All is well; nothing was written. Leave out --dry-run to import.\n"
                )
        }
        (false, _) => {
            let files = written.len();
            found
                + &tr!(
                    "新目录已写入 {files} 个文件。重启县级节点后生效,并经链路传给其他节点。\n",
                    "The new directory is in {files} files. It takes effect when the county's node is restarted, and travels over the links.\n"
                )
        }
    }
}
