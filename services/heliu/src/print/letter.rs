//! 介绍信: the stub that stays with whoever issues it, the letter that goes with the person, and the receipt that comes back; and the
//! receipt by itself. Identity numbers and ages are not in the registry: there is room to write them by hand.

use heliu_client::Schema;
use heliu_client::records::Record;
use serde_json::{Map, Value};

use super::paper::{Block, Paper};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::view_of;
use crate::text::{Language, clean, language, say, tr};
use crate::view::{number_of, said_value};

/// To be filled in by hand.
const BLANK: &str = "________";
/// What a receipt without a number says.
const WITHOUT_NUMBER: &str = "received";

/// One move of a member, as papers tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    pub entry: String,
    pub number: String,
    pub state: String,
    pub name: String,
    pub sex: String,
    pub nation: String,
    pub stage: String,
    pub dues: String,
    pub from: String,
    pub to: String,
    pub issuer: String,
    pub issued_on: String,
    pub until: String,
    pub receipt: String,
    pub received_on: String,
}

/// The move that is meant of a member's: by its number or the running number of the entry; else the one that is open, else the only one.
pub fn meant(record: &Record, named: &str) -> Result<(String, Map<String, Value>), Failure> {
    let view = view_of(record);
    let title = clean(view.get("name").and_then(Value::as_str).unwrap_or_default());
    let moves = view.get("moves").and_then(Value::as_object).cloned().unwrap_or_default();
    let issued = moves.into_iter().filter_map(|(entry, parts)| match parts {
        Value::Object(parts) if parts.contains_key("letter_no") => Some((entry, parts)),
        _ => None,
    });
    let mut issued: Vec<(String, Map<String, Value>)> = issued.collect();
    issued.sort_by_key(|(_, parts)| number_of(&Value::Object(parts.clone())));
    let said = |parts: &Map<String, Value>, name: &str| {
        parts.get(name).and_then(Value::as_str).is_some_and(|text| text == named)
    };
    let is_named = |(entry, parts): &&(String, Map<String, Value>)| {
        let number = number_of(&Value::Object(parts.clone())).map(|number| number.to_string());
        said(parts, "letter_no") || number.as_deref() == Some(named) || entry == named
    };
    let state = |wanted: &str| {
        let open = issued.iter().filter(|(_, parts)| parts.get("state").and_then(Value::as_str) == Some(wanted));
        open.collect::<Vec<_>>()
    };
    let found: Vec<&(String, Map<String, Value>)> = match named {
        "" if issued.len() > 1 => state("issued"),
        "" => issued.iter().collect(),
        _ => issued.iter().filter(is_named).collect(),
    };
    match &found[..] {
        [one] => Ok((*one).clone()),
        _ if issued.is_empty() => Err(Failure::new(
            Exit::Failed,
            "no_letter",
            say!("“{title}”没有已开具的介绍信", "no letter was issued for {title:?}"),
        )
        .next(say!("先用 heliu do member.transfer.issue 开具", "issue one first: heliu do member.transfer.issue"))),
        _ => {
            let numbers = issued.iter().filter_map(|(_, parts)| parts.get("letter_no").and_then(Value::as_str));
            let numbers = numbers.map(clean).collect::<Vec<_>>().join(", ");
            Err(Failure::new(
                Exit::Failed,
                "which_letter",
                say!("请写明是“{title}”的哪一封介绍信:--letter 编号", "which letter of {title:?}? --letter NUMBER"),
            )
            .why(say!("有:{numbers}", "there are: {numbers}")))
        }
    }
}

impl Letter {
    /// `named` says what people call a record or a seat.
    pub fn of(
        schema: &Schema,
        record: &Record,
        (entry, parts): &(String, Map<String, Value>),
        named: impl Fn(&str) -> Option<String>,
        issuer: String,
    ) -> Self {
        let (view, kind) = (view_of(record), schema.kind(&record.kind));
        let text =
            |of: &Map<String, Value>, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let said = |name: &str| {
            let text = text(&view, name);
            said_value(kind, name, &text).unwrap_or(text)
        };
        let place = |name: &str| named(&text(parts, name)).filter(|name| !name.is_empty());
        let received_on = [text(parts, "received_on"), text(parts, "arrived_on")].concat();
        let receipt = [text(parts, "receipt"), text(parts, "paper_receipt")].concat();
        Letter {
            entry: entry.clone(),
            number: text(parts, "letter_no"),
            state: text(parts, "state"),
            name: text(&view, "name"),
            sex: said("sex"),
            nation: said("nation"),
            stage: said("stage"),
            dues: text(&view, "dues_paid_to"),
            from: place("from_org").unwrap_or_default(),
            to: Some(text(parts, "to_text"))
                .filter(|to| !to.is_empty())
                .or_else(|| place("to_org"))
                .or_else(|| place("to_seat"))
                .unwrap_or_default(),
            issuer,
            issued_on: text(parts, "issued_on"),
            until: text(parts, "valid_until"),
            receipt: if receipt == WITHOUT_NUMBER { String::new() } else { receipt },
            received_on,
        }
    }

    /// The three parts of the paper form.
    pub fn paper(&self) -> Paper {
        let Letter { number, name, from, to, .. } = self;
        let (stage, until) = (or_blank(&self.stage), day(&self.until));
        let title = tr!("党员组织关系介绍信 {number}", "Letter of membership {number}");
        let no = Block::Right(vec![tr!("第 {number} 号", "No. {number}")]);
        let signed = vec![self.issuer.clone(), tr!("(盖章)", "(seal)"), day(&self.issued_on)];
        let mut paper = Paper { title, blocks: Vec::new() };
        if matches!(self.state.as_str(), "cancelled" | "returned" | "stale") {
            paper.blocks.push(Block::Note(tr!(
                "【作废】本介绍信已撤回、退回或失效,仅供存查。",
                "VOID: this letter was cancelled, returned or has lost its effect; for the file only."
            )));
        }
        let (sex, nation, dues) = (or_blank(&self.sex), or_blank(&self.nation), or_blank(&month(&self.dues)));
        let stub = [
            Block::Title(tr!("中国共产党党员组织关系介绍信存根", "Letter of membership: stub")),
            no.clone(),
            Block::Text(tr!(
                "{name}同志系中共{stage},组织关系由{from}转到{to}。",
                "{name}, {stage}, moves from {from} to {to}."
            )),
            Block::Text(tr!("(有效期至{until})", "(Good until {until}.)")),
            Block::Right(signed.clone()),
            Block::Cut(tr!("第 {number} 号(加盖骑缝章)", "No. {number} (seal across)")),
        ];
        let letter = [
            Block::Title(tr!("中国共产党党员组织关系介绍信", "Letter of membership")),
            no.clone(),
            Block::Address(tr!("{to}:", "To {to}:")),
            Block::Text(tr!(
                "{name}同志({sex},{BLANK}岁,{nation},身份证号码{BLANK}{BLANK}),系中共{stage},由{from}去{to},请转接组织关系。该同志党费已交到{dues}。",
                "{name} ({sex}, aged {BLANK}, {nation}, identity number {BLANK}{BLANK}), {stage}, goes from {from} to {to}. Please take over the membership. Dues are paid to {dues}."
            )),
            Block::Text(tr!("(有效期至{until})", "(Good until {until}.)")),
            Block::Right(signed),
            Block::Note(tr!(
                "党员联系电话:{BLANK}{BLANK}  转出单位联系电话:{BLANK}{BLANK}  通讯地址:{BLANK}{BLANK}{BLANK}",
                "Member's telephone: {BLANK}{BLANK}  Issuer's telephone: {BLANK}{BLANK}  Address: {BLANK}{BLANK}{BLANK}"
            )),
            Block::Cut(tr!("第 {number} 号(加盖骑缝章)", "No. {number} (seal across)")),
        ];
        paper.blocks.extend(stub.into_iter().chain(letter));
        paper.blocks.extend(self.receipt_blocks());
        paper
    }

    /// The receipt of a letter that was received.
    pub fn receipt(&self) -> Result<Paper, Failure> {
        if self.received_on.is_empty() {
            let number = clean(&self.number);
            return Err(Failure::new(
                Exit::Failed,
                "not_received",
                say!("介绍信 {number} 还没有接收,没有回执", "letter {number} has not been received: there is no receipt"),
            )
            .next(say!(
                "接收方用 heliu do member.transfer.receive 接收;空白回执在介绍信的第三联",
                "the destination receives it: heliu do member.transfer.receive; an empty receipt is the third part of the letter"
            )));
        }
        let number = &self.number;
        Ok(Paper {
            title: tr!("介绍信 {number} 回执", "Receipt of letter {number}"), blocks: self.receipt_blocks()
        })
    }

    fn receipt_blocks(&self) -> Vec<Block> {
        let Letter { number, name, from, to, receipt, .. } = self;
        let mut numbers = vec![tr!("第 {number} 号", "No. {number}")];
        if !receipt.is_empty() {
            numbers.push(tr!("回执编号 {receipt}", "Receipt no. {receipt}"));
        }
        vec![
            Block::Title(tr!("中国共产党党员组织关系介绍信回执", "Letter of membership: receipt")),
            Block::Right(numbers),
            Block::Address(tr!("{from}:", "To {from}:")),
            Block::Text(tr!(
                "你处转来{name}同志的组织关系介绍信收悉,其组织关系已转到{to}。",
                "Your letter of membership for {name} has come; the membership is now with {to}."
            )),
            Block::Right(vec![tr!("(盖章)", "(seal)"), day(&self.received_on)]),
            Block::Note(tr!(
                "经办人:{BLANK}{BLANK}  联系电话:{BLANK}{BLANK}",
                "Handled by: {BLANK}{BLANK}  Telephone: {BLANK}{BLANK}"
            )),
        ]
    }
}

fn or_blank(text: &str) -> String {
    if text.is_empty() { BLANK.to_owned() } else { text.to_owned() }
}

/// As papers write a day; of none, room for one.
pub fn day(iso: &str) -> String {
    let mut parts = iso.splitn(3, '-').map(|part| part.trim_start_matches('0'));
    match (language(), parts.next().zip(parts.next()).zip(parts.next())) {
        (Language::Zh, Some(((year, month), day))) => format!("{year}年{month}月{day}日"),
        (Language::Zh, None) if iso.is_empty() => "____年__月__日".to_owned(),
        (Language::En, _) if iso.is_empty() => "____-__-__".to_owned(),
        _ => iso.to_owned(),
    }
}

/// The month of a day.
fn month(iso: &str) -> String {
    let mut parts = iso.splitn(3, '-');
    match (language(), parts.next().zip(parts.next())) {
        (Language::Zh, Some((year, month))) => format!("{year}年{}月", month.trim_start_matches('0')),
        (Language::En, Some((year, month))) => format!("{year}-{month}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::print::html;
    use crate::served;
    use crate::text::speaking;

    fn member() -> Record {
        let view = json!({
            "name": "测试甲0001<b>", "sex": "female", "nation": "汉族", "stage": "full", "dues_paid_to": "2026-02-28",
            "moves": {
                "aa": {"number": 1, "letter_no": "2026-0016", "state": "cancelled", "issued_on": "2026-02-01"},
                "bb": {"number": 2, "letter_no": "2026-0017", "state": "issued", "issued_on": "2026-03-01",
                    "valid_until": "2026-03-11", "from_org": "org-from", "to_org": "org-to"},
                "cc": {"number": 3, "state": "drafted", "proposed_on": "2026-03-01", "to_org": "org-to"},
            },
        });
        Record { kind: "member".to_owned(), view_json: view.to_string(), ..Record::default() }
    }

    fn letter(record: &Record, named: &str) -> Letter {
        let called = |id: &str| {
            Some(match id {
                "org-from" => "康屯村党支部".to_owned(),
                "org-to" => "柳里村党支部".to_owned(),
                _ => return None,
            })
        };
        let meant = meant(record, named).expect("there is one");
        Letter::of(&served::schema(), record, &meant, called, "城关镇".to_owned())
    }

    #[test]
    fn a_letter_has_its_stub_the_letter_and_the_receipt_each_with_the_number() {
        let record = member();
        speaking(Language::Zh, || {
            let letter = letter(&record, "");
            assert_eq!(letter.number, "2026-0017", "the one that is open");
            let page = html::page(&letter.paper());
            assert_eq!(page.matches("第 2026-0017 号").count(), 5, "three parts and two seals across");
            for words in [
                "介绍信存根",
                "介绍信回执",
                "组织关系由康屯村党支部转到柳里村党支部",
                "测试甲0001&lt;b&gt;同志(女,",
                "系中共正式党员",
                "2026年3月1日",
                "有效期至2026年3月11日",
                "党费已交到2026年2月",
                "城关镇",
                "骑缝章",
            ] {
                assert!(page.contains(words), "{words} in\n{page}");
            }
            assert_eq!(
                crate::text::codes_in(&letter.paper().texts().collect::<Vec<_>>().join(" ").replace(['_', '<'], "")),
                [""; 0]
            );
            let void = self::letter(&record, "2026-0016");
            assert!(html::page(&void.paper()).contains("作废"));
            let none = meant(&record, "2026-0099").expect_err("there is none");
            assert!(none.why[0].zh.contains("2026-0016, 2026-0017"), "{none:?}");
        });
        let page = speaking(Language::En, || html::page(&letter(&record, "2").paper()));
        assert!(page.contains("No. 2026-0017") && page.contains("Good until 2026-03-11"), "{page}");
    }

    #[test]
    fn a_receipt_is_printed_of_what_was_received_also_from_a_place_outside() {
        let record = member();
        assert_eq!(letter(&record, "").receipt().expect_err("not yet").code, "not_received");
        let view = json!({"name": "测试乙0001", "moves": {"dd": {
            "letter_no": "5号", "state": "left", "to_text": "北京某支部", "from_org": "org-from",
            "arrived_on": "2026-03-20", "paper_receipt": "京 9号",
        }}});
        let record = Record { kind: "member".to_owned(), view_json: view.to_string(), ..Record::default() };
        let page = speaking(Language::Zh, || html::page(&letter(&record, "").receipt().expect("it came back")));
        for words in ["回执编号 京 9号", "已转到北京某支部", "2026年3月20日", "康屯村党支部:"] {
            assert!(page.contains(words), "{words} in\n{page}");
        }
    }
}
