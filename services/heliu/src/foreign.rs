//! `foreign`: what seats outside of this node's line of superiors and subordinates have put here, and whose is not wanted.

use heliu_client::operations::ForeignAuthor;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Foreign, ForeignActArgs};
use crate::failure::Failure;
use crate::render::{place, seat_shape};
use crate::target;
use crate::text::table::Table;
use crate::text::{clean, count, tr};

pub async fn run(args: &Foreign) -> Result<Done, Failure> {
    match args {
        Foreign::List(read) => {
            let authors = target::connect(&read.target).await?.foreign().await?;
            if read.json {
                return print_json(&json!({"foreign": authors.iter().map(shape).collect::<Vec<_>>()}));
            }
            print(&told(&authors))
        }
        Foreign::Decline(args) => {
            target::connect(&args.read.target).await?.decline(&args.seat, &args.reason).await?;
            let seat = clean(&args.seat);
            done(args, "declined", &tr!("不再接收 {seat} 的新内容。\n", "Nothing new is taken of {seat}.\n"))
        }
        Foreign::Accept(args) => {
            target::connect(&args.read.target).await?.accept(&args.seat, &args.reason).await?;
            let seat = clean(&args.seat);
            done(args, "accepted", &tr!("已恢复接收 {seat} 的内容。\n", "What {seat} sends is taken again.\n"))
        }
    }
}

fn done(args: &ForeignActArgs, name: &str, told: &str) -> Result<Done, Failure> {
    if args.read.json { print_json(&json!({name: args.seat})) } else { print(told) }
}

fn told(authors: &[ForeignAuthor]) -> String {
    if authors.is_empty() {
        return tr!("上下级以外没有席位往这里放过内容。\n", "No seat outside of this line has put anything here.\n");
    }
    let headers = [
        tr!("席位", "seat"),
        tr!("改动", "changes"),
        tr!("上限", "at most"),
        tr!("未收记录", "records not taken"),
        tr!("接收", "taken"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[1, 2, 3]).whole(&[0]);
    for author in authors {
        table.row([
            place(author.seat.as_ref()),
            count(author.leaves),
            count(author.leaves_max),
            count(author.records_outside),
            if author.declined { tr!("拒收", "declined") } else { tr!("是", "yes") },
        ]);
    }
    table.print()
}

fn shape(author: &ForeignAuthor) -> Value {
    json!({
        "seat": seat_shape(author.seat.as_ref()), "leaves": author.leaves, "leaves_max": author.leaves_max,
        "records_outside": author.records_outside, "declined": author.declined,
    })
}
