//! `ledger statistics --count`: a township opens the birth dates of its members, one by one and on record, and gives them to its own node,
//! which counts them and keeps the counts alone.

use heliu_client::Client;
use heliu_client::records::{ExecuteRequest, LedgerRequest, RevealRequest};

use crate::answer;
use crate::cli::{Asker, LedgerArgs};
use crate::command::{draw_id, who};
use crate::failure::Failure;
use crate::text::{count as number, say, tr};

const PAGE: u32 = 1_000;
const BORN: &str = "birth_date";

pub async fn count(client: &Client, args: &LedgerArgs) -> Result<(), Failure> {
    if args.name.trim() != "statistics" && args.name.trim() != "党员构成" {
        return Err(Failure::usage(say!("--count 只用于 statistics", "--count goes with statistics alone")));
    }
    if args.why.trim().is_empty() {
        return Err(Failure::usage(say!("要说明事由:--why", "say why: --why")));
    }
    let who = who(&Asker { reason: String::new(), who: args.who.clone(), on_behalf: String::new() });
    let mut born: Vec<String> = Vec::new();
    let (mut after, mut members) = (String::new(), 0_u64);
    loop {
        let asked = LedgerRequest { name: "roster".to_owned(), after, limit: PAGE, ..LedgerRequest::default() };
        let page = client.ledger(asked).await?;
        for id in page.lines.iter().filter_map(|line| line.cells.first()).map(|cell| cell.text.clone()) {
            members += 1;
            let asked = RevealRequest { id, who: who.clone(), why: args.why.clone(), ..RevealRequest::default() };
            let fields = client.reveal(asked).await?;
            // Of several that were written apart none is the one.
            let one = fields.into_iter().find(|field| field.field == BORN && field.values.len() == 1);
            born.extend(one.and_then(|mut field| field.values.pop()));
        }
        after = page.next;
        if after.is_empty() {
            break;
        }
    }
    if born.is_empty() {
        return Err(Failure::usage(say!("没有可统计的出生日期", "there is no birth date that can be read")));
    }
    let read = number(born.len() as u64);
    let all = number(members);
    let command = ExecuteRequest {
        command: "statistics.count".to_owned(),
        arguments: [("born".to_owned(), born.join(","))].into(),
        command_id: draw_id()?,
        who,
        reason: args.why.clone(),
        ..ExecuteRequest::default()
    };
    client.execute(command).await?;
    if !args.read.json {
        answer::print(&tr!(
            "已按 {all} 人中 {read} 人的出生日期统计年龄。\n\n",
            "Ages are counted by the birth dates of {read} of {all}.\n\n"
        ))?;
    }
    Ok(())
}
