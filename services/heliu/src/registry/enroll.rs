//! `heliu enroll`: a one-time join token for a seat.

use std::path::Path;

use heliu_client::administration::{MintTokenRequest, MintTokenResponse};
use serde_json::json;

use crate::answer::{Done, print, print_json};
use crate::cli::EnrollArgs;
use crate::failure::Failure;
use crate::out::complain;
use crate::realm::{exists, write_new};
use crate::render::{place, seat_shape};
use crate::target;
use crate::text::{clean, time, tr};

pub async fn run(args: &EnrollArgs) -> Result<Done, Failure> {
    // Before a token is made that would have no place.
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(exists(out));
    }
    let client = target::connect(&args.read.target).await?;
    let request =
        MintTokenRequest { seat: args.seat.clone(), seconds: args.valid.as_secs(), addresses: args.address.clone() };
    let minted = client.mint_token(request).await?;
    if minted.second {
        let seat = clean(&place(minted.seat.as_ref()));
        complain(&tr!(
            "注意:{seat} 已有节点。第二个节点会在该席位及其上级引发警报;若是换机器,请随后用 heliu fence 隔离旧的。\n",
            "warning: {seat} has a node already. A second one raises an alarm at the seat and above; if it replaces the first, fence that one afterwards (heliu fence).\n"
        ));
    }
    if let Some(out) = &args.out {
        write_new(out, format!("{}\n", minted.token).as_bytes())?;
    }
    if args.read.json {
        let token = args.out.is_none().then_some(&minted.token);
        return print_json(&json!({
            "token": token, "file": args.out, "id": minted.id, "seat": seat_shape(minted.seat.as_ref()),
            "expires": time::utc(minted.expires_ms), "second": minted.second,
        }));
    }
    if args.quiet {
        return print(&format!("{}\n", minted.token));
    }
    match &args.out {
        Some(out) => print(&kept(&minted, out)),
        None => print(&told(&minted)),
    }
}

fn kept(minted: &MintTokenResponse, out: &Path) -> String {
    let (seat, id, until) = (clean(&place(minted.seat.as_ref())), clean(&minted.id), time::local(minted.expires_ms));
    let out = out.display();
    tr!(
        "{seat} 的入域令牌(编号 {id})已写到 {out},只能用一次,到 {until} 有效。经可靠渠道交给新机器:\n  heliu join {out} --dir /var/lib/heliu\n",
        "The join token for {seat} (id {id}) is in {out}. It can be used once, until {until}. Hand it over on a way that you trust; on the new machine:\n  heliu join {out} --dir /var/lib/heliu\n"
    )
}

fn told(minted: &MintTokenResponse) -> String {
    let seat = clean(&place(minted.seat.as_ref()));
    let (token, id, until) = (clean(&minted.token), clean(&minted.id), time::local(minted.expires_ms));
    tr!(
        "{seat} 的入域令牌(编号 {id}),只能用一次,到 {until} 有效。\n\n{token}\n\n\
         在新机器上(会询问令牌):\n  heliu join --dir /var/lib/heliu\n\n\
         谁拿到它谁能入域:请经可靠渠道交付。泄露了:heliu directory revoke-token {id}\n",
        "Join token for {seat} (id {id}). It can be used once, until {until}.\n\n{token}\n\n\
         On the new machine, which asks for it:\n  heliu join --dir /var/lib/heliu\n\n\
         Whoever has it can join: hand it over on a way that you trust. If it leaks: heliu directory revoke-token {id}\n"
    )
}
