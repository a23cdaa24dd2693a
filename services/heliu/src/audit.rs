//! `heliu audit`: who did what at a node, and proof that nobody has changed that log since.

use heliu_client::administration::{AuditEntry, ListAuditRequest, VerifyAuditResponse};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Audit, AuditListArgs, Read};
use crate::failure::Failure;
use crate::render::short;
use crate::target;
use crate::text::table::Table;
use crate::text::{clean, codes, count, reasons, time, tr};

const PAGE: u32 = 1_000;

pub async fn run(args: &Audit) -> Result<Done, Failure> {
    match args {
        Audit::List(args) => list(args).await,
        Audit::Verify(args) => verify(args).await,
    }
}

async fn list(args: &AuditListArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let most = if args.limit == 0 { usize::MAX } else { usize::try_from(args.limit).unwrap_or(usize::MAX) };
    let (mut entries, mut after, mut length) = (Vec::<AuditEntry>::new(), args.after, 0);
    while entries.len() < most {
        let limit = u32::try_from(most - entries.len()).unwrap_or(PAGE).min(PAGE);
        let page = client.audit(ListAuditRequest { after, limit }).await?;
        length = page.length;
        let Some(last) = page.entries.last() else { break };
        after = last.seq;
        entries.extend(page.entries);
    }
    let next = entries.last().map(|last| last.seq).filter(|last| *last < length);
    if args.read.json {
        let shapes: Vec<Value> = entries.iter().map(shape).collect();
        return print_json(&json!({"entries": shapes, "length": length, "next": next}));
    }
    let headers = [
        tr!("序号", "seq"),
        tr!("时间", "when"),
        tr!("何人", "who"),
        tr!("角色", "role"),
        tr!("做了什么", "what"),
        tr!("对象", "about"),
        tr!("说明", "detail"),
    ];
    // A command is called as its node calls it.
    let schema = client.schema().await?;
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[0]).whole(&[0, 1]);
    for entry in &entries {
        table.row([
            entry.seq.to_string(),
            time::local(entry.time_ms),
            entry.who.clone(),
            codes::role(&entry.role),
            codes::action(&schema, &entry.action),
            subject(entry),
            entry.detail.clone(),
        ]);
    }
    let all = count(length);
    let more = next.map_or_else(String::new, |next| tr!(",更多:--after {next}", "; more: --after {next}"));
    print(&(table.print() + &tr!("\n共 {all} 条{more}\n", "\n{all} in all{more}\n")))
}

/// A record, node or seat by the beginning of its id.
fn subject(entry: &AuditEntry) -> String {
    match (entry.action.as_str(), entry.subject.as_str()) {
        ("policy", "two_signatures=true") => tr!("启用", "on"),
        ("policy", "two_signatures=false") => tr!("停用", "off"),
        (_, id) if id.len() > 12 && id.bytes().all(|b| b.is_ascii_hexdigit()) => short(id),
        (_, other) => clean(other),
    }
}

/// Well only if the chain is whole, and contains the head that others were told.
async fn verify(args: &Read) -> Result<Done, Failure> {
    let found = target::connect(&args.target).await?.verify_audit().await?;
    let good = found.broken_at.is_none() && found.told_matches;
    if args.json {
        print_json(&json!({
            "good": good, "entries": found.entries, "head": found.head, "broken_at": found.broken_at,
            "problem": reasons::shape(found.problem.as_ref()),
            "told": {"seq": found.told_seq, "matches": found.told_matches},
        }))?;
    } else {
        print(&told(&found))?;
    }
    Ok(if good { Done::Well } else { Done::No })
}

fn told(found: &VerifyAuditResponse) -> String {
    let (entries, head): (String, String) = (count(found.entries), clean(&found.head).chars().take(16).collect());
    let (told, problem) = (count(found.told_seq), reasons::told(found.problem.as_ref()));
    let mut text = match found.broken_at {
        None => tr!(
            "审计链完整:{entries} 条,链头 {head}。\n",
            "The audit chain is whole: {entries} entries, head {head}.\n"
        ),
        Some(at) => tr!(
            "审计链在第 {at} 条断了:{problem}。有人改过这个存储:请停用并保留现场,上报。\n",
            "The audit chain is broken at entry {at}: {problem}. Somebody has changed this store: keep it as it is, and report it.\n"
        ),
    };
    text.push_str(&match (found.told_seq, found.told_matches) {
        (0, _) => tr!("还没有向上级报过链头。\n", "No head has been told to a superior yet.\n"),
        (_, true) => tr!("与报给上级的第 {told} 条链头相符。\n", "It contains the head of entry {told}, which the superior was told.\n"),
        (_, false) => tr!(
            "与报给上级的第 {told} 条链头不符:日志被整体换过。\n",
            "It does not contain the head of entry {told}, which the superior was told: the log was replaced as a whole.\n"
        ),
    });
    text
}

fn shape(entry: &AuditEntry) -> Value {
    json!({
        "seq": entry.seq, "time": time::utc(entry.time_ms), "who": entry.who, "role": entry.role, "action": entry.action,
        "subject": entry.subject, "detail": entry.detail, "hash": entry.hash,
    })
}

#[cfg(test)]
mod tests {
    use heliu_client::records::Reason;

    use super::*;
    use crate::text::{Language, codes_in, speaking};

    #[test]
    fn in_chinese_a_broken_log_is_told_without_a_word_of_english() {
        speaking(Language::Zh, || {
            for code in
                ["audit.order", "audit.hash", "audit.rewritten", "audit.cut-off", "audit.time", "audit.unreadable"]
            {
                let problem = Some(Reason { code: code.to_owned(), ..Reason::default() });
                let said = told(&VerifyAuditResponse { broken_at: Some(3), problem, ..VerifyAuditResponse::default() });
                assert_eq!(codes_in(&said), [""; 0], "{said}");
            }
            for (action, about) in [("policy", "two_signatures=true"), ("fence", &*"ab".repeat(16))] {
                let entry =
                    AuditEntry { action: action.to_owned(), subject: about.to_owned(), ..AuditEntry::default() };
                let said = subject(&entry) + &codes::action(&crate::served::schema(), action);
                assert_eq!(codes_in(&said), [""; 0], "{said}");
            }
        });
    }
}
