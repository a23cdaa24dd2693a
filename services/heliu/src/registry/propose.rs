//! What changes the directory: it is proposed to the node that holds the issuer's key, which enters it, or hands it out to
//! be signed by a second person.

use std::path::{Path, PathBuf};

use heliu_client::administration::propose_request::Change;
use heliu_client::administration::{Addresses, Delegate, Fence, ProposeRequest, ProposeResponse};
use heliu_trust::token::JoinToken;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{
    AddressesArgs, DelegateArgs, FenceArgs, Propose, RevokeTokenArgs, Switch, TimeZoneArgs, TwoSignaturesArgs,
};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::given::Given;
use crate::realm::{exists, write_new};
use crate::target;
use crate::text::{Say, say, tr};

pub async fn delegate(args: &DelegateArgs) -> Result<Done, Failure> {
    let seat = &args.seat;
    let change = Change::Delegate(Delegate { seat: seat.clone(), active: !args.off });
    let done = if args.off {
        say!(
            "{seat} 不再能签发入域令牌,未用的也已失效;已入域的节点不受影响",
            "{seat} can no longer make join tokens, and those not used yet are void; nodes that joined stay"
        )
    } else {
        say!("{seat} 可以为自己和下级签发入域令牌", "{seat} can make join tokens for itself and the seats below it")
    };
    propose(&args.propose, change, &done).await
}

pub async fn fence(args: &FenceArgs) -> Result<Done, Failure> {
    let node = &args.node;
    if args.propose.reason.trim().is_empty() {
        return Err(Failure::usage(say!("隔离要有事由:--reason", "a fence needs a reason: --reason")));
    }
    let count = args.excluded.len();
    let kept = if args.nothing {
        say!("它写过的一律排除", "everything that it wrote is excluded")
    } else if count > 0 {
        say!(
            "已到达这里的保留(列出的 {count} 个变更除外),其余一律排除",
            "what has arrived here stays, but for the {count} changes that are named; all else is excluded"
        )
    } else {
        say!("已到达这里的保留,其余一律排除", "what has arrived here stays, all else is excluded")
    };
    let Say { zh, en } = &kept;
    let asked = say!("将永久隔离节点 {node}:{zh}", "node {node} will be shut out for good: {en}");
    confirm(&asked, args.yes)?;
    let excluded = args.excluded.clone();
    let change = Change::Fence(Fence { node: node.clone(), nothing: args.nothing, excluded });
    propose(&args.propose, change, &say!("节点 {node} 已隔离;{zh}", "node {node} is fenced; {en}")).await
}

pub async fn two_signatures(args: &TwoSignaturesArgs) -> Result<Done, Failure> {
    let on = args.switch == Switch::On;
    let done = if on {
        say!(
            "第二节点、隔离、新席位从此要两人签字",
            "a second node at a seat, a fence and new seats now need two signatures"
        )
    } else {
        say!("从此一人签字即可", "one signature is enough from now on")
    };
    propose(&args.propose, Change::TwoSignatures(on), &done).await
}

pub async fn revoke_token(args: &RevokeTokenArgs) -> Result<Done, Failure> {
    // Whoever has the token at hand need not know that it has an id.
    let text = Given::of(&args.token).value()?;
    let id = JoinToken::from_text(&text).map_or_else(|_| text.trim().to_owned(), |token| token.id.to_string());
    let done = say!("入域令牌 {id} 已撤销", "the join token {id} is revoked");
    propose(&args.propose, Change::RevokeToken(id), &done).await
}

pub async fn addresses(args: &AddressesArgs) -> Result<Done, Failure> {
    let (node, shown) = (&args.node, args.addresses.join(", "));
    let change = Change::Addresses(Addresses { node: node.clone(), addresses: args.addresses.clone() });
    let done = say!(
        "节点 {node} 登记的地址改为 {shown},新签发的入域令牌用它;已经连它的机器请改各自 heliu.toml 的 links.parents",
        "node {node} is at {shown} now, and new join tokens say so; machines that dial it already have its address in their \
         heliu.toml (links.parents)"
    );
    propose(&args.propose, change, &done).await
}

pub async fn time_zone(args: &TimeZoneArgs) -> Result<Done, Failure> {
    let zone = &args.time_zone;
    let done = say!(
        "域的时区改为 {zone};名录到达之处,此后没给日期的命令按它记“今日”,已写的日期不变",
        "the realm's time zone is {zone}; wherever the directory arrives, commands without a date carry the day there from then \
         on; dates that are written stay"
    );
    propose(&args.propose, Change::TimeZone(zone.clone()), &done).await
}

/// Proposes a change; `done` says what it means once it is entered.
pub async fn propose(args: &Propose, change: Change, done: &Say) -> Result<Done, Failure> {
    // Before anything is asked for: afterwards the entry would have no place.
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(exists(out));
    }
    let client = target::connect(&args.read.target).await?;
    let request = ProposeRequest { change: Some(change), reason: args.reason.clone() };
    let answer = client.propose(request).await?;
    let file = keep_for_second(args, &answer)?;
    if args.read.json {
        return print_json(&shape(&answer, file.as_deref()));
    }
    let index = answer.index;
    let Some(file) = file else {
        let Say { zh, en } = done;
        return print(&tr!("{zh}(名录第 {index} 条)。\n", "{en} (directory entry {index}).\n"));
    };
    print(&to_be_signed(&file, index))
}

/// An entry that needs a second signature goes into a file: where it is.
fn keep_for_second(args: &Propose, answer: &ProposeResponse) -> Result<Option<PathBuf>, Failure> {
    if !answer.needs_second {
        return Ok(None);
    }
    let file = args.out.clone().unwrap_or_else(|| entry_file(answer.index));
    write_new(&file, &answer.entry)?;
    Ok(Some(file))
}

/// Where an entry goes unless it is told otherwise.
pub fn entry_file(index: u64) -> PathBuf {
    PathBuf::from(format!("directory-{index}.entry"))
}

fn to_be_signed(file: &Path, index: u64) -> String {
    let file = file.display();
    tr!(
        "这一项要两人签字,尚未生效。第 {index} 条已写到 {file},请在名录有别的变动之前:\n\
         \x20 1. 取一份名录:heliu directory save directory.bin\n\
         \x20 2. 副签人签字:heliu directory sign {file} --key cosigner.key --directory directory.bin\n\
         \x20 3. 提交:heliu directory append {file} --reason 事由\n",
        "This needs two signatures and is not in effect yet. Entry {index} is in {file}. Before the directory changes otherwise:\n\
         \x20 1. get the directory: heliu directory save directory.bin\n\
         \x20 2. the second signer signs: heliu directory sign {file} --key cosigner.key --directory directory.bin\n\
         \x20 3. enter it: heliu directory append {file} --reason WHY\n"
    )
}

pub fn shape(answer: &ProposeResponse, file: Option<&Path>) -> Value {
    json!({"index": answer.index, "entered": !answer.needs_second, "file": file})
}
